from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "parvis.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pass
