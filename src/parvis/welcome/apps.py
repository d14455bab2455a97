from django.apps import AppConfig


class WelcomeConfig(AppConfig):
    name = "parvis.welcome"
    label = "welcome"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pass
