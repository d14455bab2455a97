from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralsConfig(AppConfig):
    name = "parvis.referrals"
    label = "referrals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import links

        links.register(links.PersonLink(_("Services for a need"), "referrals:candidates", "search"))
