from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "parvis.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import policies, rules
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide

        provide(policies.statements)
        register(
            "header",
            Link(_("Files"), "cases:find", icon="people", order=15, shown=lambda r: rules.may_see_files(r.user)),
        )
