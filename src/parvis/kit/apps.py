import datetime as dt

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "parvis.kit"
    label = "kit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit import outbox
        from parvis.kit.jobs import sweeps
        from parvis.kit.models import OutboxMail

        # whoever waits for a code to sign in asks for another one: better twice than never
        outbox.add(outbox.Queue(outbox.MAIL, OutboxMail, outbox.prepare_mail, outbox.hand_mail, again=True))
        sweeps.add("relay mail", dt.timedelta(seconds=2), outbox.relayer(outbox.MAIL), apart=True)
        sweeps.add("forget sent mail", dt.timedelta(days=1), outbox.forget)
