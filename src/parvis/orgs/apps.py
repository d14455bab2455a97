from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "parvis.orgs"
    label = "orgs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.ledger.actions import subscribe
        from parvis.orgs.actions import give_what_was_offered

        subscribe("accounts.invitation.accepted", give_what_was_offered)
