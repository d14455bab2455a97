"""What a person can ask of us about their data, what was told to others, and what went wrong: the registers."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import PersonRow
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class RequestKind(models.TextChoices):
    ACCESS = "access", _("To see what is kept about them")
    PORTABILITY = "portability", _("To receive their data to take it elsewhere")
    RECTIFICATION = "rectification", _("To have something corrected")
    ERASURE = "erasure", _("To be forgotten")


#: Days to answer. Québec, A-2.1 s. 98 (and s. 84 for portability): twenty days from receipt for a request for release
#: or correction; P-39.1 s. 32 gives organizations thirty. Erasure has no delay of its own in A-2.1: thirty days, as
#: P-39.1 s. 32 and GDPR art. 12(3). Checked on 2026-11-23.
DAYS_TO_ANSWER = {
    RequestKind.ACCESS: 20,
    RequestKind.PORTABILITY: 20,
    RequestKind.RECTIFICATION: 20,
    RequestKind.ERASURE: 30,
}
#: A-2.1 s. 98, second paragraph: once, with a notice to the person within the first delay. Checked on 2026-11-23.
EXTENSION = dt.timedelta(days=10)


class RequestChannel(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    PHONE = "phone", _("By telephone")
    LETTER = "letter", _("By letter")
    EMAIL = "email", _("By e-mail")
    ACCOUNT = "account", _("From their own account")


class RequestState(models.TextChoices):
    OPEN = "open", _("To be answered")
    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class DataRequest(PersonRow):
    """Somebody asks what the law lets them ask about their data; it has a clock. `person` is None for a stranger."""

    data_class = None
    personal = {
        "asked_by": Personal("to answer whoever asked", "proof", "identity"),
        "asked": Personal("to answer what was asked", "proof", "identity"),
        "answer": Personal("proof of the answer", "proof", "identity"),
    }
    not_personal = "kind, dates, state and keys"

    person = models.ForeignKey(
        "cases.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="datarequests"
    )
    kind = models.CharField(max_length=14, choices=RequestKind.choices)
    received_on = models.DateField()
    channel = models.CharField(max_length=10, choices=RequestChannel.choices)
    #: who asks, when it is not the person: a parent, a representative; or the name of somebody without a file
    asked_by = models.CharField(max_length=200, blank=True, default="")
    asked = models.CharField(max_length=1000, blank=True, default="")
    due_on = models.DateField()
    extended_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.OPEN)
    answered_on = models.DateField(null=True, blank=True)
    answer = models.CharField(max_length=1000, blank=True, default="")
    reminded_on = models.DateField(null=True, blank=True)
    #: the privacy officer who answers; once an identity check stands, they see the person's file until it is answered
    handler = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RequestKind.values), name="cases_request_kind"),
            models.CheckConstraint(condition=Q(channel__in=RequestChannel.values), name="cases_request_channel"),
            models.CheckConstraint(
                condition=Q(state="open", answered_on__isnull=True)
                | (Q(state__in=["answered", "refused", "withdrawn"]) & Q(answered_on__isnull=False) & ~Q(answer="")),
                name="cases_request_answered",
            ),
            models.CheckConstraint(condition=Q(due_on__gte=models.F("received_on")), name="cases_request_due"),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="cases_request_clock")]

    @property
    def days_left(self) -> int:
        """Days until an answer is due; negative when it is late."""
        return (self.due_on - timezone.localdate()).days


class IdentityCheck(PersonRow):
    """A keeper of the file (or the person, signed in) vouches that the one who asks is the person."""

    data_class = None
    append_only = True
    personal = {"how": Personal("proof that data went to the right person", "proof", "identity")}
    not_personal = "dates and keys"

    request = models.OneToOneField(DataRequest, on_delete=models.CASCADE, related_name="identity_check")
    how = models.CharField(max_length=200)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(how=""), name="cases_identity_how")]


class Decision(models.TextChoices):
    WAITING = "waiting", _("To be decided")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


class Rectification(PersonRow):
    """One field that a person says is wrong: what it says, what it should say, what was decided, and whether done."""

    data_class = None
    personal = {
        "field": Personal("to correct what is wrong", "proof", "identity"),
        "old": Personal("to correct what is wrong", "proof", "identity"),
        "wanted": Personal("to correct what is wrong", "proof", "identity"),
        "reason": Personal("proof of the decision", "proof", "identity"),
        "disagreement": Personal("the person's own words beside a refusal", "proof", "identity"),
    }
    not_personal = "decision, dates and keys"

    request = models.OneToOneField(DataRequest, on_delete=models.CASCADE, related_name="rectification")
    #: a code of `RECTIFIABLE`, or "other"
    field = models.CharField(max_length=40)
    old = SealedField(null=True, blank=True)
    wanted = SealedField()
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.WAITING)
    reason = models.CharField(max_length=1000, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    #: accepted, and somebody has changed the file
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    disagreement = SealedField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="waiting", decided_at__isnull=True)
                | Q(decision="accepted", decided_at__isnull=False)
                | (Q(decision="refused", decided_at__isnull=False) & ~Q(reason="")),
                name="cases_rectification_decided",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(decision="accepted"), name="cases_rectification_done"
            ),
        ]


class DisclosureBasis(models.TextChoices):
    EXPORT = "export", _("Handed to the person")
    AUTHORITY = "authority", _("To an authority")
    ORGANIZATION = "organization", _("To an organization")


class Disclosure(PersonRow):
    """Data of a person went, or is to go, to somebody outside: to whom, what, why, by whom. Consents are beside."""

    data_class = None
    append_only = True
    personal = {
        "recipient": Personal("register of communications", "proof", "identity"),
        "classes": Personal("register of communications", "proof", "identity"),
        "purpose": Personal("register of communications", "proof", "identity"),
        "legal_basis": Personal("register of communications", "proof", "identity"),
    }
    not_personal = "basis, dates and keys"

    basis = models.CharField(max_length=12, choices=DisclosureBasis.choices)
    organization = models.ForeignKey("orgs.Organization", null=True, on_delete=models.PROTECT, related_name="+")
    recipient = models.CharField(max_length=200, blank=True, default="")
    classes = models.IntegerField()
    purpose = models.CharField(max_length=500, blank=True, default="")
    #: the law, warrant or order that an authority names
    legal_basis = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(DataRequest, null=True, on_delete=models.SET_NULL, related_name="disclosures")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(basis__in=DisclosureBasis.values), name="cases_disclosure_basis"),
            models.CheckConstraint(
                condition=~Q(basis="authority") | (~Q(legal_basis="") & ~Q(recipient="") & ~Q(purpose="")),
                name="cases_disclosure_authority",
            ),
            models.CheckConstraint(
                condition=~Q(basis="organization") | Q(organization__isnull=False),
                name="cases_disclosure_organization",
            ),
        ]


class DisclosureApproval(PersonRow):
    """The second of two people decides on data asked for by an authority; nothing leaves before."""

    data_class = None
    append_only = True
    personal = {"words": Personal("proof of the decision", "proof", "identity")}
    not_personal = "decision, dates and keys"

    disclosure = models.OneToOneField(Disclosure, on_delete=models.CASCADE, related_name="approval")
    approved = models.BooleanField()
    words = models.CharField(max_length=500, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(approved=True) | ~Q(words=""), name="cases_approval_words")]


class ExportLink(PersonRow):
    """A person's export, waiting behind a link that works once. Only the link holds the key of the parcel."""

    data_class = None
    personal = {"parcel": Personal("to hand a person their data", "link", "identity")}
    not_personal = "dates and the hash of a random key"

    request = models.ForeignKey(DataRequest, null=True, on_delete=models.SET_NULL, related_name="links")
    key_hash = models.CharField(max_length=64, unique=True)
    parcel = SealedField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)


class ErasureCause(models.TextChoices):
    REQUEST = "request", _("The person asked")
    RETENTION = "retention", _("Kept long enough")
    COMMAND = "command", _("By command")


class Erasure(PersonRow):
    """A person was forgotten: their key and identity are gone, this line and the ledger's ids stay."""

    data_class = None
    append_only = True
    not_personal = "why, when, and the key of a row that names nobody any more"

    cause = models.CharField(max_length=10, choices=ErasureCause.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(DataRequest, null=True, on_delete=models.SET_NULL, related_name="+")


class Incident(Row):
    """Something happened to personal data that should not have: the register that the law asks for.

    Québec: A-2.1 s. 63.11, and its Regulation respecting confidentiality incidents (r. 3.1), ss. 7 and 8: what the
    register says, kept five years from when the incident was known. Checked on 2026-11-23.
    """

    personal = {
        "what": Personal("register of incidents", "incident", "identity"),
        "measures": Personal("register of incidents", "incident", "identity"),
        "risk": Personal("register of incidents", "incident", "identity"),
    }
    not_personal = "dates, counts, classes of data and keys"

    what = models.CharField(max_length=2000)
    happened_on = models.DateField(null=True, blank=True)
    found_on = models.DateField()
    #: how many persons are concerned, as far as is known
    persons_count = models.PositiveIntegerField(null=True, blank=True)
    classes = models.IntegerField(default=0)
    #: a risk of serious injury: None as long as nobody has judged it
    serious = models.BooleanField(null=True)
    risk = models.CharField(max_length=1000, blank=True, default="")
    authority_told_on = models.DateField(null=True, blank=True)
    persons_told_on = models.DateField(null=True, blank=True)
    measures = models.CharField(max_length=2000, blank=True, default="")
    closed_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(what=""), name="cases_incident_what"),
            models.CheckConstraint(
                condition=Q(happened_on__isnull=True) | Q(happened_on__lte=models.F("found_on")),
                name="cases_incident_dates",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True)
                | Q(serious=False)
                | Q(serious=True, authority_told_on__isnull=False),
                name="cases_incident_told_before_closed",
            ),
        ]


class IncidentPerson(PersonRow):
    """A person whom an incident concerns."""

    data_class = None
    personal = {"incident": Personal("register of incidents", "incident", "identity")}
    not_personal = "keys"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="concerned")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "person"], name="cases_incident_person_once")]
