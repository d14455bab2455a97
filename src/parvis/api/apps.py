from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "parvis.api"
    label = "api"

    def ready(self) -> None:
        from parvis.kit.navigation import Link, register

        register("footer", Link(_("Open data"), "hsds-docs", order=40))
