import datetime as dt

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ArrivalsConfig(AppConfig):
    name = "parvis.arrivals"
    label = "arrivals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.arrivals import glance, policies, queries, rules, wording
        from parvis.arrivals.actions import importing
        from parvis.cases import datamap, panels
        from parvis.cases import wording as cases_wording
        from parvis.cases.actions import erasing
        from parvis.kit.jobs import sweeps
        from parvis.kit.models import RETENTION
        from parvis.kit.navigation import Band, Link, register, register_band
        from parvis.kit.policies import provide

        def receives(request: HttpRequest) -> bool:
            return rules.may_receive(request.user)

        def switches(request: HttpRequest) -> bool:
            return rules.may_switch_surge(request.user)

        def opens_a_file(request: HttpRequest) -> bool:
            match = getattr(request, "resolver_match", None)
            return match is not None and match.view_name == "cases:new"

        provide(policies.statements)
        sweeps.add("imports to take up", dt.timedelta(minutes=1), importing.take_up)
        days = RETENTION["staging"].days
        assert days is not None
        erasing.PURGES.append(
            ("lists of arriving people", lambda now: queries.manifests_over(now, days), importing.forget)
        )
        register(
            "header",
            Link(_("Arrivals"), "arrivals:board", icon="bus", order=12, shown=receives),
            Link(_("Surge mode"), "arrivals:surge", icon="flag", order=36, shown=switches),
        )
        register_band(Band("surge", "arrivals/opening_band.html", opens_a_file))
        register("opening", Link(_("Short intake"), "arrivals:intake", shown=receives))
        panels.register("top", panels.Panel("arrival", "arrivals/panel.html", glance.load, order=20))
        cases_wording.MORE.update(wording.DEEDS)
        datamap.REGISTERS |= dict.fromkeys(("Manifest", "ManifestRow"), "the workers of the organization that got it")
