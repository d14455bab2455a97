from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "parvis.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import policies, rules
        from parvis.cases.actions.sharing import link_who_accepted
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe
        from parvis.orgs.rules import is_partner

        def newcomer(request: HttpRequest) -> bool:
            """Neither staff nor partner: perhaps a newcomer; nothing about people is asked for a link."""
            user = request.user
            return user.is_authenticated and not user.office_role and not is_partner(user)  # type: ignore[union-attr]

        provide(policies.statements)
        register(
            "header",
            Link(_("Files"), "cases:find", icon="people", order=15, shown=lambda r: rules.may_see_files(r.user)),
            Link(_("Shared with us"), "cases:shared", icon="share", order=16, shown=lambda r: is_partner(r.user)),
            Link(_("Agreements"), "cases:agreements", "paper", lambda r: rules.may_keep_agreements(r.user), order=40),
            Link(_("My file"), "cases:me", "person", newcomer, order=15),
        )
        register("landing", Link(_("My file"), "cases:me", "person", newcomer))
        subscribe("accounts.invitation.accepted", link_who_accepted)
