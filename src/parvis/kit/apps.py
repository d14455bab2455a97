import datetime as dt

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "parvis.kit"
    label = "kit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit import outbox
        from parvis.kit.jobs import sweeps

        sweeps.add("relay mail", dt.timedelta(seconds=2), outbox.relay)
        sweeps.add("forget sent mail", dt.timedelta(days=1), outbox.forget)
