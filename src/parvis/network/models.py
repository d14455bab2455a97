"""The rounds in which organizations are asked, what was said to whom, and which listings only look alike."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parvis.kit.models import Personal, Row


class Rhythm(Row):
    """One row: whether rounds begin by themselves, and how many days after the first mail each stage comes."""

    not_personal = "a setting of the office"

    number = models.SmallIntegerField(unique=True, default=1)
    on = models.BooleanField(default=False)
    remind = models.SmallIntegerField(default=7)
    remind_again = models.SmallIntegerField(default=14)
    call = models.SmallIntegerField(default=21)
    doubt = models.SmallIntegerField(default=35)
    hide = models.SmallIntegerField(default=95)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number=1), name="network_one_rhythm"),
            models.CheckConstraint(
                condition=Q(remind__gte=1)
                & Q(remind_again__gt=models.F("remind"))
                & Q(call__gt=models.F("remind_again"))
                & Q(doubt__gt=models.F("call"))
                & Q(hide__gt=models.F("doubt")),
                name="network_rhythm_order",
            ),
        ]


class Stage(models.TextChoices):
    """How far a review has come. The last three are ends."""

    ASKED = "asked", _("Asked by mail")
    REMINDED = "reminded", _("Reminded")
    REMINDED_AGAIN = "again", _("Reminded twice")
    CALL = "call", _("To be telephoned")
    DOUBTED = "doubted", _("Unconfirmed in public")
    ANSWERED = "answered", _("Answered")
    HIDDEN = "hidden", _("Taken out of the directory")
    STOPPED = "stopped", _("Stopped")


ENDS = (Stage.ANSWERED, Stage.HIDDEN, Stage.STOPPED)


class Review(Row):
    """One organization is asked whether its listings are still true, by one page that a link opens."""

    personal = {"sent_to": Personal("to ask the organization about its listings", "directory", "public")}
    not_personal = "state of a round"

    organization = models.ForeignKey("orgs.Organization", on_delete=models.CASCADE, related_name="reviews")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.ASKED)
    sent_to = models.TextField(blank=True, default="")
    began_at = models.DateTimeField()
    stage_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    calls = models.SmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="network_review_stage"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, stage__in=[s for s in Stage.values if s not in ENDS])
                | Q(ended_at__isnull=False, stage__in=ENDS),
                name="network_review_ended",
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(ended_at__isnull=True), name="network_one_open_review"
            ),
        ]
        indexes = [models.Index(fields=["stage", "stage_at"], name="network_review_due")]


class ReviewLink(Row):
    """The key of a link to a review's page, as a hash. Each mail carries a new one; each ends by itself."""

    not_personal = "the hash of a random key"

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="links")
    key_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()


class Alike(Row):
    """Two listings that may be of one thing. `decided_at`: somebody said that they are not; a merge ends the pair."""

    not_personal = "identifiers of public listings"

    kind = models.CharField(max_length=20)
    one = models.UUIDField()
    other = models.UUIDField()
    name = models.FloatField()  # how alike the names are, 0 to 1
    reasons = models.CharField(max_length=80, blank=True)  # what they share: phone, site, email, address, organization
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="network_one_pair"),
            models.CheckConstraint(condition=Q(one__lt=models.F("other")), name="network_pair_order"),
        ]
