"""The ledger: what was done, by whom, to what, when and why; added to, never changed."""

from django.conf import settings
from django.db import models

CHAINS = 16


class Event(models.Model):
    """One write, told once, in the transaction of the write itself.

    Events hang in `CHAINS` chains (chosen by the object, so that one object's history is one chain): each carries
    the hash of the one before it, so a changed, removed or re-ordered row is found by `parvis ledger verify`.
    """

    not_personal = "identifiers and field names of what was done; values only of public directory facts"

    id = models.BigAutoField(primary_key=True)
    chain = models.SmallIntegerField()
    position = models.BigIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    actor_label = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "position"], name="ledger_one_position"),
            models.CheckConstraint(condition=models.Q(chain__gte=0, chain__lt=CHAINS), name="ledger_chain"),
            models.CheckConstraint(condition=models.Q(position__gte=1), name="ledger_position"),
        ]
        indexes = [models.Index(fields=["object_id", "id"], name="ledger_object")]


class Head(models.Model):
    """The end of one chain: where the next event is hung, and what a cut tail is measured against."""

    not_personal = "a counter and a hash"

    chain = models.SmallIntegerField(primary_key=True)
    position = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32, default=b"\0" * 32)
