import datetime as dt

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class WelcomeConfig(AppConfig):
    name = "parvis.welcome"
    label = "welcome"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Band, Link, register, register_band
        from parvis.kit.policies import provide
        from parvis.welcome import offline, policies, rules, writes

        def agent(request: HttpRequest) -> bool:
            return rules.may_see_today(request.user)

        def signing_in(request: HttpRequest) -> bool:
            """Where one comes back to: what waits in this browser is counted there too."""
            return not request.user.is_authenticated and request.path.endswith("/account/login/")

        assert writes  # registers its kinds
        sweeps.add("receipts of writes without network", dt.timedelta(days=1), offline.forget)
        register("header", Link(_("Today"), "welcome:today", icon="check", order=5, shown=agent))
        picture = Link(
            _("The office’s picture"), "welcome:picture", icon="eye", order=5,
            shown=lambda request: rules.may_see_picture(request.user),
        )  # fmt: skip
        provide(policies.statements)
        register("header", picture)
        register("landing", Link(_("Today"), "welcome:today", shown=agent), picture)
        register(
            "footer",
            Link(
                _("Work without network"), "welcome:offline", order=60,
                shown=lambda request: rules.may_switch_offline(request.user),
            ),
        )  # fmt: skip
        register_band(Band("unsent", "welcome/band.html", lambda request: agent(request) or signing_in(request)))
