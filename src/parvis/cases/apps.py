import datetime as dt

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "parvis.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import events, policies, rights_words, rules, wording
        from parvis.cases.actions import erasing
        from parvis.cases.actions.sharing import link_who_accepted
        from parvis.cases.scanning import scan_waiting
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe
        from parvis.orgs.rules import is_partner

        def newcomer(request: HttpRequest) -> bool:
            """Neither staff nor partner: perhaps a newcomer; nothing about people is asked for a link."""
            user = request.user
            return user.is_authenticated and not user.office_role and not is_partner(user)  # type: ignore[union-attr]

        provide(policies.statements)
        provide(events.statements)
        sweeps.add("attachments to scan", dt.timedelta(minutes=10), scan_waiting)
        sweeps.add("what is kept long enough", dt.timedelta(days=1), erasing.sweep)
        sweeps.add("requests to answer", dt.timedelta(hours=1), erasing.remind)
        register(
            "header",
            Link(_("Case files"), "cases:find", icon="people", order=15, shown=lambda r: rules.may_see_files(r.user)),
            Link(_("Shared with us"), "cases:shared", icon="share", order=16, shown=lambda r: is_partner(r.user)),
            Link(_("Agreements"), "cases:agreements", "paper", lambda r: rules.may_keep_agreements(r.user), order=40),
            Link(_("My file"), "cases:me", "person", newcomer, order=15),
            Link(_("Privacy"), "cases:privacy", icon="lock", order=39, shown=lambda r: rules.may_review_access(r.user)),
        )
        register(
            "footer",
            # everybody else of the office, and who keeps files, comes here rarely
            Link(
                _("Privacy and people’s rights"), "cases:privacy", order=50,
                shown=lambda r: rules.may_see_registers(r.user) and not rules.may_review_access(r.user),
            ),
        )  # fmt: skip
        wording.MORE.update(rights_words.DEEDS)
        register("landing", Link(_("My file"), "cases:me", "person", newcomer))
        subscribe("accounts.invitation.accepted", link_who_accepted)
