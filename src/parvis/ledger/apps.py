from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "parvis.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit.jobs import sweeps
        from parvis.ledger import actions, anchors

        sweeps.add("anchor the ledger", anchors.EVERY, actions.anchor)
