"""What keeps the directory true: imports and their reports, confirmations, corrections from readers."""

from django.conf import settings
from django.db import models

from parvis.core.freshness import KINDS
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
    about = models.CharField(max_length=10, blank=True, default="")  # one kind of facts (core.freshness); "": all


class Period(Row):
    """After how many months a kind of facts must be confirmed again; a kind without a row has the core's period."""

    not_personal = "a setting of the office"

    kind = models.CharField(max_length=10, unique=True)
    months = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="directory_period_kind"),
            models.CheckConstraint(condition=models.Q(months__gte=1, months__lte=60), name="directory_period_months"),
        ]


class Doubt(Row):
    """Nobody answers for these facts any more: the public page says "unconfirmed". A confirmation of all ends it."""

    not_personal = "an object of the directory and a date"

    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["object_type", "object_id"], name="directory_one_doubt")]


class DoNotList(Row):
    """What was taken out for good: an import that brings it again, under whatever id, leaves it out of public.

    `name` is folded; `phone` its last nine digits or "", `site` a host name or "": one of the two must agree as well,
    or the id.
    """

    personal = {"phone": Personal("to know the organization again", "directory", "public")}
    not_personal = "public facts about an organization or a service"

    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    name = models.TextField()
    phone = models.CharField(max_length=9, blank=True, default="")
    site = models.CharField(max_length=253, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["object_type", "object_id"], name="directory_one_do_not_list")]


class ImportConflict(Row):
    """A source says something new of a field that people changed or confirmed here: they decide, field by field.

    `entity` and `object_id`: the row that the source speaks of; `kind` and `owner_id`: the object with a page at the
    desk that it belongs to (itself, or the service of a telephone number).
    """

    not_personal = "public facts about an organization or a service"

    source = models.CharField(max_length=80)
    entity = models.CharField(max_length=30)
    object_id = models.UUIDField()
    kind = models.CharField(max_length=30)
    owner_id = models.UUIDField(db_index=True)
    field = models.CharField(max_length=60)
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    since = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    taken = models.BooleanField(null=True)  # the source's word was taken

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "object_id", "field"],
                condition=models.Q(decided_at__isnull=True),
                name="directory_one_open_conflict",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at__isnull=True, taken__isnull=True)
                | models.Q(decided_at__isnull=False, taken__isnull=False),
                name="directory_conflict_decided",
            ),
        ]


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
