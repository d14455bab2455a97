"""What keeps the directory true: imports and their reports, confirmations, corrections from readers."""

from django.conf import settings
from django.db import models

from parvis.kit.models import Personal, Row


class ImportRun(Row):
    """One import and its report."""

    not_personal = "a report about public data; `by` names who ran it"

    source = models.CharField(max_length=80)
    path = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)
    report = models.JSONField()


class SourceRow(models.Model):
    """What a source last said of a row, as a hash.

    An import writes only what its source has changed since: what people corrected or removed here stays so.
    """

    not_personal = "identifiers and hashes of public data"

    pk = models.CompositePrimaryKey("source", "entity", "object_id")
    source = models.CharField(max_length=80)
    entity = models.CharField(max_length=30)
    object_id = models.UUIDField()
    digest = models.BigIntegerField()


class Verification(Row):
    """Somebody confirmed that what is published about an object is true: who, how, when."""

    personal = {"by": Personal("who confirmed the facts", "directory", "public")}
    not_personal = "date and means"

    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField(db_index=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=160, blank=True)  # the organization or desk shown to the public
    means = models.CharField(max_length=20)  # phone, visit, email, self, website


class CorrectionState(models.TextChoices):
    RECEIVED = "received", "received"
    IN_PROGRESS = "in_progress", "being looked at"
    ACCEPTED = "accepted", "corrected"
    DECLINED = "declined", "left as it is"


class Correction(Row):
    """ "Something is wrong here", said by a reader, and what became of it. Its sender follows it by a secret link."""

    personal = {
        "email": Personal("to tell the sender what became of it", "correction", "account"),
        "message": Personal("what the sender says is wrong", "correction", "account"),
    }
    not_personal = "links, state and answer"

    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField(db_index=True)
    message = models.TextField(max_length=4000)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=12, blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the secret in the link
    state = models.CharField(max_length=12, choices=CorrectionState.choices, default=CorrectionState.RECEIVED)
    answer = models.TextField(blank=True)
    received_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=CorrectionState.values), name="directory_correction_state"
            )
        ]
