import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NetworkConfig(AppConfig):
    name = "parvis.network"
    label = "network"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.accounts.models import Role
        from parvis.accounts.rules import office_role
        from parvis.core import referral
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.network import actions, alike, policies
        from parvis.network.rules import keeps_network

        sweeps.add("review rounds", dt.timedelta(hours=1), actions.pursue)
        sweeps.add("listed twice", dt.timedelta(days=1), alike.look)
        provide(policies.statements, referral)
        register(
            "header",
            Link(
                _("What the city lacks"),
                "network:gaps",
                icon="people",
                order=22,
                shown=lambda r: office_role(r.user) == Role.DIRECTOR,
            ),
            Link(_("Network"), "network:home", icon="people", order=22, shown=lambda r: keeps_network(r.user)),
        )
