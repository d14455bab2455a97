from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "parvis.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe_to_many
        from parvis.plans import actions, policies

        provide(policies.statements)
        subscribe_to_many(actions.OF_HOUSEHOLDS, actions.follow_households)
        subscribe_to_many(actions.OF_PERSONS, actions.follow_persons)
