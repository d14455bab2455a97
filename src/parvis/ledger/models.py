"""The ledger: what was done, by whom, to what, when and why; added to, never changed."""

from django.conf import settings
from django.db import models

CHAINS = 16
#: the end of the code of an event that tells of a look, not of a write
SEEN = ".seen"


class Event(models.Model):
    """One write or one look, told once, in the transaction of the deed itself.

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
    #: how the hash was made: chain.JSON_FORM (in Python) or chain.TEXT_FORM (in the database)
    form = models.SmallIntegerField(default=1, db_default=1)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "position"], name="ledger_one_position"),
            models.CheckConstraint(condition=models.Q(chain__gte=0, chain__lt=CHAINS), name="ledger_chain"),
            models.CheckConstraint(condition=models.Q(position__gte=1), name="ledger_position"),
        ]
        indexes = [
            models.Index(fields=["object_id", "id"], name="ledger_object"),
            # writes cost nothing here: only looks are in it
            models.Index(fields=["object_id", "at"], name="ledger_look", condition=models.Q(code__endswith=SEEN)),
        ]


class Head(models.Model):
    """The end of one chain: where the next event is hung, and what a cut tail is measured against."""

    not_personal = "a counter and a hash"

    chain = models.SmallIntegerField(primary_key=True)
    position = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32, default=b"\0" * 32)


class Anchor(models.Model):
    """A copy of every line of the city's file of anchors, so that a cut file and a cut table betray each other."""

    not_personal = "counters and hashes, signed"

    number = models.BigIntegerField(primary_key=True)
    line = models.TextField()
