from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlansConfig(AppConfig):
    name = "parvis.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import consequences, panels
        from parvis.cases import wording as cases_wording
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe_to_many
        from parvis.plans import actions, policies, rules, shown, wording

        provide(policies.statements)
        subscribe_to_many(actions.OF_HOUSEHOLDS, actions.follow_households)
        subscribe_to_many(actions.OF_PERSONS, actions.follow_persons)
        cases_wording.MORE.update(wording.DEEDS)
        panels.register("top", panels.Panel("danger", "plans/danger_panel.html", shown.danger_panel, order=10))
        panels.register("main", panels.Panel("plan", "plans/panel.html", shown.household_panel, order=10))
        panels.register_own("plan", "plans/own_panel.html", shown.own_panel)
        # who keeps the protocol finds it above, who only reads it below
        keeps, sees = (lambda r: rules.may_keep_protocol(r.user)), (lambda r: rules.may_see_protocol(r.user))
        name = _("The protocol")
        register("header", Link(name, "plans:protocol", "paper", keeps, order=35))
        register("footer", Link(name, "plans:protocol", order=46, shown=lambda r: sees(r) and not keeps(r)))
        consequences.register("plan", shown.consequences)
