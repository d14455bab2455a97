from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "parvis.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit.policies import provide
        from parvis.plans import policies

        provide(policies.statements)
