"""Who may see a person: the projection that policies read, and what it is made from beside consent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import PersonRow
from parvis.kit.models import Personal, Row


class Basis(models.TextChoices):
    """Why somebody may see a person."""

    OWN = "own", _("The organization that holds the file")
    LEAD = "lead", _("Lead or backup worker")
    CONSENT = "consent", _("The person's consent")
    REFERRAL = "referral", _("A referral to their service")
    NAMED = "named", _("Named for a restricted file")
    BREAK_GLASS = "break_glass", _("Emergency access")
    SELF = "self", _("The person")
    REQUEST = "request", _("To answer the person's request")


class Access(models.Model):
    """The projection: `grantee` (an organization, an account) sees `classes` of `person`, from when to when, why.

    Kept by triggers on what it is made from (`cases.policies`), never written by hand. Lists, counts and searches
    start here. `state` and `listed_at` repeat the person's state and creation, so that counts and pages touch no
    other table.
    """

    not_personal = "keys, dates and codes made from other tables"

    pk = models.CompositePrimaryKey("person_id", "grantee_id", "source_id")
    person = models.ForeignKey("cases.Person", on_delete=models.CASCADE, related_name="accesses")
    household_id = models.UUIDField(null=True)
    grantee_id = models.UUIDField()
    source_id = models.UUIDField()
    basis = models.CharField(max_length=12, choices=Basis.choices)
    classes = models.IntegerField()
    writes = models.BooleanField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    state = models.CharField(max_length=8)
    listed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["grantee_id", "basis", "-listed_at", "person"], name="cases_access_list"),
            models.Index(fields=["household_id"], name="cases_access_household"),
            # counts read this alone
            models.Index(
                fields=["grantee_id", "basis", "state"],
                include=["valid_from", "valid_until", "person"],
                name="cases_access_counts",
            ),
        ]


class NamedAccess(PersonRow):
    """An account named to see a restricted file."""

    data_class = None
    personal = {"user": Personal("who may open a restricted file", "case", "identity")}
    not_personal = "dates and keys"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")


class Denial(PersonRow):
    """An account that must never see this person, judged before anything else: the relative who works at a partner."""

    data_class = None
    personal = {
        "user": Personal("safety", "case", "violence"),
    }
    not_personal = "dates and keys"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    denied_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "person"], condition=Q(ended_at__isnull=True), name="cases_denied_once"
            )
        ]


class BreakGlass(PersonRow):
    """Emergency access to one person for four hours, with its reason, told to the privacy officer and reviewed."""

    data_class = None
    personal = {
        "user": Personal("who opened the file", "proof", "identity"),
        "reason": Personal("why the file was opened", "proof", "identity"),
        "review": Personal("whether it was right", "proof", "identity"),
    }
    not_personal = "dates and keys"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    justified = models.BooleanField(null=True)
    review = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="cases_break_glass_reason"),
            models.CheckConstraint(condition=Q(until__gt=models.F("at")), name="cases_break_glass_dates"),
        ]


class PersonKey(Row):
    """A person's data key, wrapped. Without this row nothing sealed about them opens again, also from old backups."""

    not_personal = "random bytes, wrapped"

    person = models.OneToOneField("cases.Person", on_delete=models.CASCADE, related_name="key")
    version = models.PositiveIntegerField()
    wrapped = models.BinaryField()


class SearchToken(models.Model):
    """Blind index of names: keyed hashes of name parts, so that search works under row-level security.

    `grantee_id` is the holder; NULL when the file is restricted (found only through who is named).
    """

    not_personal = "keyed hashes"

    pk = models.CompositePrimaryKey("token", "person_id")
    token = models.BigIntegerField()
    person = models.ForeignKey("cases.Person", on_delete=models.CASCADE, related_name="tokens")
    grantee_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["grantee_id", "token", "person"], name="cases_token_find")]
