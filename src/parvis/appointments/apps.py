from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "parvis.appointments"
    label = "appointments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pass
