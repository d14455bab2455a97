import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppointmentsConfig(AppConfig):
    name = "parvis.appointments"
    label = "appointments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.appointments import actions, panels, policies, rules, wording
        from parvis.cases import panels as pages
        from parvis.cases import wording as words
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe
        from parvis.messaging import templates

        provide(policies.statements)
        sweeps.add("reminders of appointments", dt.timedelta(minutes=5), actions.remind)
        for code in ("split", "joined", "moved", "left", "restricted"):
            subscribe(f"cases.household.{code}", actions.household_changed)
        register(
            "header",
            Link(_("Appointments"), "appointments:calendar", "calendar", lambda r: rules.may_see_calendar(r.user), 17),
        )
        register(
            "footer",
            Link(
                _("Hours of appointments"), "appointments:hours", order=45,
                shown=lambda r: rules.may_set_office_hours(r.user),
            ),
        )  # fmt: skip
        pages.register("side", pages.Panel("appointments", "appointments/_next.html", panels.household, order=10))
        pages.register_own("appointments", "appointments/_own.html", panels.own)
        words.MORE.update(wording.DEEDS)
        templates.register(actions.TEMPLATE, _("Reminder of an appointment"), wording.REMINDER)
