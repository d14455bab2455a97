"""Consent, its withdrawal, and the agreements without which no name leaves: rows that are added, never changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import CombinedExpression, Value
from django.db.models.lookups import Exact, GreaterThan
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import FORGOTTEN, PersonRow
from parvis.core.access import SENSITIVE, SHAREABLE, DataClass
from parvis.kit.models import Personal, Row


class Purpose(models.TextChoices):
    REFERRAL = "referral", _("To be referred to a service")
    FOLLOW_UP = "follow_up", _("To be followed by both")
    PLACEMENT = "placement", _("To find a host, a mentor or an employer")
    STUDY = "study", _("Research, without names in what is published")


class Channel(models.TextChoices):
    SIGNED = "signed", _("Signed on paper")
    SCREEN = "screen", _("On this screen")
    SPOKEN = "spoken", _("Spoken, before a witness")
    LINK = "link", _("By their own link")


def _bits(field: str, mask: int) -> CombinedExpression:
    return CombinedExpression(models.F(field), "&", Value(mask), output_field=models.IntegerField())


class Consent(PersonRow):
    """A person agrees: for what, to whom, which classes of data, until when, on which text, in which language."""

    data_class = DataClass.IDENTITY
    append_only = True
    forgotten = {"witness": FORGOTTEN}
    personal = {
        "purpose": Personal("proof of consent", "proof", "identity"),
        "classes": Personal("proof of consent", "proof", "identity"),
        "text_language": Personal("proof of consent", "proof", "identity"),
        "witness": Personal("proof of spoken consent", "proof", "identity"),
        "given_by": Personal("who consented for a child", "proof", "identity"),
    }
    not_personal = "dates, version of the text, what it hangs on, and keys"

    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    classes = models.IntegerField()
    given_at = models.DateTimeField()
    until = models.DateTimeField()
    text_version = models.CharField(max_length=20)
    text_language = models.CharField(max_length=20)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    witness = models.CharField(max_length=120, blank=True, default="")
    #: the sensitive classes were asked for one by one, and agreed to
    express = models.BooleanField(default=False)
    #: it speaks for referrals alone: what they share ends with them, and it opens nothing by itself
    by_referral = models.BooleanField(default=False)
    #: the person themselves (empty), or the parent or guardian who consents for a child
    given_by = models.ForeignKey("cases.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="cases_consent_purpose"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="cases_consent_channel"),
            models.CheckConstraint(condition=Q(until__gt=models.F("given_at")), name="cases_consent_until"),
            models.CheckConstraint(condition=~Q(channel="spoken") | ~Q(witness=""), name="cases_consent_witness"),
            models.CheckConstraint(condition=~Q(text_version="") & ~Q(text_language=""), name="cases_consent_text"),
            models.CheckConstraint(
                condition=GreaterThan(_bits("classes", DataClass.IDENTITY.value), 0),
                name="cases_consent_names_the_person",
            ),
            models.CheckConstraint(
                condition=Exact(_bits("classes", ~SHAREABLE.value), 0), name="cases_consent_shareable"
            ),
            models.CheckConstraint(
                condition=Q(express=True) | Q(Exact(_bits("classes", SENSITIVE.value), 0)), name="cases_consent_express"
            ),
        ]


class ConsentRecipient(PersonRow):
    """One organization to which a consent speaks."""

    data_class = DataClass.IDENTITY
    append_only = True
    not_personal = "keys; what is agreed is in the consent"

    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="recipients")
    organization = models.ForeignKey("orgs.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consent", "organization"], name="cases_recipient_once")]


class Withdrawal(PersonRow):
    """The person takes a consent back: it holds from the next request on, everywhere."""

    data_class = DataClass.IDENTITY
    append_only = True
    forgotten = {"reason": ""}
    personal = {"reason": Personal("what the person said, if they did", "proof", "identity")}
    not_personal = "dates and keys"

    consent = models.OneToOneField(Consent, on_delete=models.CASCADE, related_name="withdrawal")
    at = models.DateTimeField()
    channel = models.CharField(max_length=8, choices=Channel.choices)
    reason = models.CharField(max_length=200, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(channel__in=Channel.values), name="cases_withdrawal_channel")]


class Agreement(Row):
    """A data-sharing agreement between the office and an organization. Without one, no consent opens a name."""

    not_personal = "an agreement between two organizations"

    organization = models.ForeignKey("orgs.Organization", on_delete=models.PROTECT, related_name="agreements")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    reference = models.CharField(max_length=80, blank=True, default="")
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="cases_agreement_dates"
            ),
        ]


class AccountOffer(PersonRow):
    """What an invitation offers a newcomer: their own sign-in, linked to their file when they accept."""

    data_class = None
    not_personal = "keys; the address is in the invitation"

    invitation = models.OneToOneField("accounts.Invitation", on_delete=models.CASCADE, related_name="account_offer")
