from django.apps import AppConfig


class ArrivalsConfig(AppConfig):
    name = "parvis.arrivals"
    label = "arrivals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pass
