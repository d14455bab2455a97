from django.apps import AppConfig


class ArrivalsConfig(AppConfig):
    name = "parvis.arrivals"
    label = "arrivals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.arrivals import policies
        from parvis.kit.policies import provide

        provide(policies.statements)
