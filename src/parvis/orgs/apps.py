from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "parvis.orgs"
    label = "orgs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit.navigation import Link, register
        from parvis.ledger.actions import subscribe
        from parvis.orgs.actions import give_what_was_offered
        from parvis.orgs.rules import may_see_any_members

        subscribe("accounts.invitation.accepted", give_what_was_offered)
        register(
            "user",
            Link(
                _("Members"), "orgs:teams", icon="people", order=45,
                shown=lambda request: may_see_any_members(request.user),
            ),
        )  # fmt: skip
