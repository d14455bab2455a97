"""Referrals to services, what was said of each, and how a service takes them.

States, reasons and clocks are `core.referral`'s; the database holds them too: checks here, transitions in `policies`.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parvis.cases.models.base import PersonRow
from parvis.cases.models.profile import Domain
from parvis.core import referral
from parvis.core.access import SHAREABLE, DataClass
from parvis.core.referral import ACTIVE, NEEDS_REASON, OUTCOMES
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class State(models.TextChoices):
    """As `core.referral.State`."""

    DRAFT = referral.State.DRAFT.value, pgettext_lazy("referral", "Not sent yet")
    SENT = referral.State.SENT.value, pgettext_lazy("referral", "Sent")
    SEEN = referral.State.SEEN.value, pgettext_lazy("referral", "Seen")
    WAITLISTED = referral.State.WAITLISTED.value, pgettext_lazy("referral", "On the waiting list")
    NEEDS_INFO = referral.State.NEEDS_INFO.value, pgettext_lazy("referral", "They ask something")
    ACCEPTED = referral.State.ACCEPTED.value, pgettext_lazy("referral", "Accepted")
    STARTED = referral.State.STARTED.value, pgettext_lazy("referral", "Begun")
    DECLINED = referral.State.DECLINED.value, pgettext_lazy("referral", "Declined")
    REROUTED = referral.State.REROUTED.value, pgettext_lazy("referral", "Passed on to another service")
    SERVED = referral.State.SERVED.value, pgettext_lazy("referral", "Help was given")
    PARTLY_SERVED = referral.State.PARTLY_SERVED.value, pgettext_lazy("referral", "Help was given in part")
    NOT_SERVED = referral.State.NOT_SERVED.value, pgettext_lazy("referral", "No help was given")
    CONFIRMED = referral.State.CONFIRMED.value, pgettext_lazy("referral", "The person agrees")
    DISPUTED = referral.State.DISPUTED.value, pgettext_lazy("referral", "The person says otherwise")
    WITHDRAWN = referral.State.WITHDRAWN.value, pgettext_lazy("referral", "Withdrawn")
    EXPIRED = referral.State.EXPIRED.value, pgettext_lazy("referral", "Never answered")
    MISTAKE = referral.State.MISTAKE.value, pgettext_lazy("referral", "Entered by mistake")


class Reason(models.TextChoices):
    """As `core.referral.Reason`."""

    NO_CAPACITY = referral.Reason.NO_CAPACITY.value, _("There is no place")
    NOT_ELIGIBLE = referral.Reason.NOT_ELIGIBLE.value, _("They are not entitled to this service")
    LANGUAGE = referral.Reason.LANGUAGE.value, _("The language is not offered")
    TOO_FAR = referral.Reason.TOO_FAR.value, _("It is too far")
    NOT_REACHED = referral.Reason.NOT_REACHED.value, _("The person could not be reached")
    NOT_INTERESTED = referral.Reason.NOT_INTERESTED.value, _("The person no longer wants it")
    DUPLICATE = referral.Reason.DUPLICATE.value, _("It was asked already")
    CLOSED = referral.Reason.CLOSED.value, _("The service is closed")
    FUNDS = referral.Reason.FUNDS.value, _("There is no money for it")
    NO_SHOW = referral.Reason.NO_SHOW.value, _("The person did not come")
    ASSESSMENT = referral.Reason.ASSESSMENT.value, _("They must be met first")
    CONSENT = referral.Reason.CONSENT.value, _("The person took their consent back")
    ELSEWHERE = referral.Reason.ELSEWHERE.value, _("Another service helps")
    MOVED = referral.Reason.MOVED.value, _("The person moved")
    WRONG_SERVICE = referral.Reason.WRONG_SERVICE.value, _("It is not the right service")
    SILENCE = referral.Reason.SILENCE.value, _("Nobody answered")
    OTHER = referral.Reason.OTHER.value, _("Another reason")


class Place(models.TextChoices):
    """What a referral has of the service's places."""

    NONE = "", "—"
    HELD = "held", pgettext_lazy("place", "Held")
    TAKEN = "taken", pgettext_lazy("place", "Taken")


class Way(models.TextChoices):
    """How whoever spoke did so. All leave the same trace."""

    USER = "user", pgettext_lazy("way", "Signed in")
    LINK = "link", pgettext_lazy("way", "By link")
    TELEPHONE = "telephone", pgettext_lazy("way", "By telephone, typed by the office")
    PERSON = "newcomer", pgettext_lazy("way", "The person")
    SYSTEM = "system", pgettext_lazy("way", "By itself")


_KEPT = "to be helped, and to know who was"


class Referral(PersonRow):
    """A person is referred to a service of one organization.

    Its recipient sees the plain columns of this row, which name nobody; the person only by the access projection, in
    `classes`, while the state shares and the consent holds. Without a consent no name leaves.
    """

    data_class = None
    personal = {
        "household": Personal(_KEPT, "case", "needs"),
        "need": Personal(_KEPT, "case", "needs"),
        "domain": Personal(_KEPT, "case", "needs"),
        "service": Personal(_KEPT, "case", "needs"),
        "organization": Personal(_KEPT, "case", "needs"),
        "sender_id": Personal("who follows the person", "case", "needs"),
        "sent_by": Personal("who follows the person", "case", "needs"),
        "consent": Personal("what the person agreed to", "proof", "identity"),
        "state": Personal(_KEPT, "case", "needs"),
        "reason": Personal(_KEPT, "case", "needs"),
        "urgent": Personal("what comes first", "case", "needs"),
        "language": Personal("to be understood", "case", "identity"),
        "interpreter": Personal("to be understood", "case", "identity"),
        "borough": Personal("figures by borough", "case", "contact"),
        "text": Personal("what the service must know", "case", "needs"),
        "outcome": Personal(_KEPT, "case", "needs"),
        "helped": Personal(_KEPT, "case", "needs"),
        "appointment_at": Personal("to be met", "case", "needs"),
    }
    not_personal = "class, clocks, places, dates and keys"

    row_class = models.IntegerField(default=DataClass.NEEDS)
    household = models.ForeignKey(
        "cases.Household", null=True, blank=True, on_delete=models.SET_NULL, related_name="referrals"
    )
    #: the person's need in this domain (`needs.key_of`): those that ask for the same have the same
    need = models.UUIDField()
    domain = models.CharField(max_length=10, choices=Domain.choices)
    service = models.ForeignKey("directory.Service", on_delete=models.PROTECT, related_name="+")
    #: the recipient: who answers for the service
    organization = models.ForeignKey("orgs.Organization", on_delete=models.PROTECT, related_name="+")
    #: who keeps the file and sent it: an organization, or OFFICE
    sender_id = models.UUIDField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="following")
    #: without names until there is one: what is shared is what it names, and no more than `classes`
    consent = models.ForeignKey("cases.Consent", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    classes = models.IntegerField(default=0)

    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True, default="")
    urgent = models.BooleanField(default=False)
    #: language tag in which help is asked for; "" not known
    language = models.CharField(max_length=20, blank=True, default="")
    interpreter = models.BooleanField(default=False)
    #: code of the borough where they lived then; "" not known, or hidden
    borough = models.CharField(max_length=80, blank=True, default="")
    text = SealedField(null=True, blank=True)
    place = models.CharField(max_length=5, choices=Place.choices, blank=True, default="")

    sent_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    #: when it was accepted, or first put on the list
    answered_at = models.DateTimeField(null=True, blank=True)
    #: since when it waits, which is its place in the line
    waitlisted_at = models.DateTimeField(null=True, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)
    appointment_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: what the provider says became of it; it stays whatever the person says
    outcome = models.CharField(
        max_length=20, choices=[c for c in State.choices if c[0] in OUTCOMES], blank=True, default=""
    )
    #: what the person says: True it helped, False it did not, None not asked yet
    helped = models.BooleanField(null=True, blank=True)
    helped_at = models.DateTimeField(null=True, blank=True)

    # the clocks that run in the present state: when each is over
    seen_due_at = models.DateTimeField(null=True, blank=True)
    decision_due_at = models.DateTimeField(null=True, blank=True)
    contact_due_at = models.DateTimeField(null=True, blank=True)
    outcome_due_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    #: which of them are over: a set of `core.referral.Overdue`, kept by the sweep
    overdue = models.PositiveSmallIntegerField(default=0)
    #: the first that is not: lists are ordered by it, the sweep looks for it
    next_due_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="referrals_state"),
            models.CheckConstraint(condition=Q(reason__in=Reason.values) | Q(reason=""), name="referrals_reason"),
            models.CheckConstraint(
                condition=~Q(state__in=[each.value for each in NEEDS_REASON]) | ~Q(reason=""),
                name="referrals_says_why",
            ),
            models.CheckConstraint(condition=Q(domain__in=Domain.values), name="referrals_domain"),
            models.CheckConstraint(condition=Q(state="draft") | Q(sent_at__isnull=False), name="referrals_sent_at"),
            models.CheckConstraint(
                condition=Q(classes__gte=0, classes__lte=SHAREABLE.value), name="referrals_classes"
            ),
            models.CheckConstraint(condition=Q(place__in=Place.values), name="referrals_place"),
            models.UniqueConstraint(
                fields=["person", "service"], condition=Q(state__in=[each.value for each in ACTIVE]),
                name="referrals_once_at_a_time",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["household", "-created_at"], name="referrals_of_household"),
            # an organization's inbox: what is not over, the nearest clock first
            models.Index(
                fields=["organization", "next_due_at"], condition=Q(ended_at=None), name="referrals_inbox"
            ),
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="referrals_clock"),
            models.Index(fields=["service", "waitlisted_at"], condition=Q(state="waitlisted"), name="referrals_line"),
            # figures of a period
            models.Index(fields=["sent_at"], condition=~Q(state="draft"), name="referrals_asked_in"),
        ]  # fmt: skip


class ReferralChange(PersonRow):
    """What was said of a referral: a state, a question or its answer; by whom, in what way. Added, never changed."""

    data_class = None
    append_only = True
    personal = {
        "before": Personal(_KEPT, "case", "needs"),
        "after": Personal(_KEPT, "case", "needs"),
        "reason": Personal(_KEPT, "case", "needs"),
        "text": Personal("what was said", "case", "needs"),
        "user": Personal("who said so", "case", "needs"),
        "spoken_with": Personal("who said so by telephone", "case", "needs"),
    }
    not_personal = "class, way, dates and keys"

    row_class = models.IntegerField(default=DataClass.NEEDS)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="changes")
    before = models.CharField(max_length=20, choices=State.choices, blank=True, default="")
    after = models.CharField(max_length=20, choices=State.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True, default="")
    text = SealedField(null=True, blank=True)
    way = models.CharField(max_length=9, choices=Way.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: in whose name: the recipient's, the sender's (OFFICE or an organization); None: the person's, or nobody's
    speaks_for = models.UUIDField(null=True, blank=True)
    #: whom the desk had on the line
    spoken_with = models.CharField(max_length=120, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(way__in=Way.values), name="referrals_change_way"),
            models.CheckConstraint(condition=Q(after__in=State.values), name="referrals_change_after"),
            models.CheckConstraint(condition=Q(way="telephone") | Q(spoken_with=""), name="referrals_change_telephone"),
        ]
        indexes = [models.Index(fields=["referral", "at"], name="referrals_changes")]


class Unmet(models.TextChoices):
    """Why a need found no service."""

    NOTHING = "nothing", pgettext_lazy("unmet", "There is no such service")
    NOT_ELIGIBLE = "not_eligible", pgettext_lazy("unmet", "None takes people in their situation")
    LANGUAGE = "language", pgettext_lazy("unmet", "None in their language, and no interpreter")
    FULL = "full", pgettext_lazy("unmet", "All are full")
    WAIT = "wait", pgettext_lazy("unmet", "The wait is too long")
    TOO_FAR = "too_far", pgettext_lazy("unmet", "All are too far")
    TIMES = "times", pgettext_lazy("unmet", "None is open when they can go")
    COST = "cost", pgettext_lazy("unmet", "All cost too much")
    OTHER = "other", pgettext_lazy("unmet", "Another reason")


class UnmetNeed(PersonRow):
    """A person's need for which no service was found. It counts in the gap map, and stays when it is over."""

    data_class = None
    personal = {
        "household": Personal(_KEPT, "case", "needs"),
        "need": Personal(_KEPT, "case", "needs"),
        "domain": Personal("what is missing in the city", "case", "needs"),
        "language": Personal("what is missing in the city", "case", "identity"),
        "borough": Personal("figures by borough", "case", "contact"),
        "reason": Personal("what is missing in the city", "case", "needs"),
        "by": Personal("who follows the person", "case", "needs"),
    }
    not_personal = "class, dates and keys"

    row_class = models.IntegerField(default=DataClass.NEEDS)
    household = models.ForeignKey(
        "cases.Household", null=True, blank=True, on_delete=models.SET_NULL, related_name="unmet_needs"
    )
    #: as `Referral.need`: what is sent for it later ends it
    need = models.UUIDField()
    domain = models.CharField(max_length=10, choices=Domain.choices)
    language = models.CharField(max_length=20, blank=True, default="")
    borough = models.CharField(max_length=80, blank=True, default="")
    reason = models.CharField(max_length=16, choices=Unmet.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    #: since when it is no longer looked for: a service was asked, or the need is gone
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(domain__in=Domain.values), name="referrals_unmet_domain"),
            models.CheckConstraint(condition=Q(reason__in=Unmet.values), name="referrals_unmet_reason"),
            models.UniqueConstraint(fields=["need"], condition=Q(over_at=None), name="referrals_unmet_once"),
        ]
        indexes = [models.Index(fields=["at"], name="referrals_unmet_in")]


class ReferralLink(PersonRow):
    """The key of a link by which whoever was asked answers one referral without an account, as a hash."""

    data_class = None
    not_personal = "the hash of a random key, and dates"

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="links")
    key_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class ServiceIntake(Row):
    """How a service takes referrals: what it must know of a person, and its places. Nobody is named here."""

    personal = {"by": Personal("who said so", "account", "account")}
    not_personal = "what a service needs, and its places"

    service = models.OneToOneField("directory.Service", on_delete=models.CASCADE, related_name="intake")
    #: the least that it needs of a person: a set of `core.access.DataClass`
    classes = models.IntegerField(default=DataClass.IDENTITY | DataClass.CONTACT)
    #: None: nobody counts its places
    offered = models.PositiveIntegerField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    waitlist = models.BooleanField(default=True)
    #: when somebody last said that this is so
    said_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(offered=None) | Q(offered__gte=F("taken") + F("held")),
                name="referrals_no_more_than_offered",
            ),
            models.CheckConstraint(
                condition=Q(classes__gt=0, classes__lte=SHAREABLE.value), name="referrals_intake_classes"
            ),
        ]
