"""The protocol's versions; a household's plan and its steps. What derives them: `core.protocol`, `core.plan`."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parvis.cases.models import Household
from parvis.cases.models.base import PersonRow
from parvis.core import plan, protocol
from parvis.core.access import DataClass
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ProtocolVersion(Row):
    """One state of the office's protocol. What was published is never changed: plans hang on it (`plans.policies`)."""

    not_personal = "rules of the office; the accounts that wrote them"

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=9, choices=VersionState.choices, default=VersionState.DRAFT)
    #: as `core.protocol.read` takes it
    data = models.JSONField(encoder=DjangoJSONEncoder)
    #: what is new in it, in the office's words
    note = models.TextField(blank=True, default="")
    #: counts changes of a draft, for two who write at once
    edits = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="plans_version_state"),
            models.CheckConstraint(
                condition=Q(state="draft", published_at=None) | (~Q(state="draft") & Q(published_at__isnull=False)),
                name="plans_version_published_at",
            ),
            models.UniqueConstraint(fields=["state"], condition=Q(state="draft"), name="plans_one_draft"),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Plan(PersonRow):
    """A household's plan: on which protocol it stands and from which days it counts. Its person is the head."""

    data_class = DataClass.PLAN
    personal = {
        "household": Personal("to follow a family together", "case", "plan"),
        "arrival_on": Personal("from which day steps count", "case", "plan"),
        "first_contact_on": Personal("from which day steps count", "case", "plan"),
        "lease_on": Personal("from which day steps count", "case", "plan"),
        "support_end_on": Personal("from which day steps count", "case", "plan"),
        "given_on": Personal("what the family was told", "case", "plan"),
        "given_language": Personal("what the family was told", "case", "plan"),
        "agreed_on": Personal("what the family agreed to", "case", "plan"),
    }
    not_personal = "versions and marks"

    household = models.OneToOneField(Household, on_delete=models.CASCADE, related_name="plan")
    #: frozen: a newer version is offered, never put under a plan by itself (rule 6)
    protocol = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="plans")
    #: None: not known; the day on which the file was opened stands for it
    arrival_on = models.DateField(null=True, blank=True)
    first_contact_on = models.DateField()
    lease_on = models.DateField(null=True, blank=True)
    support_end_on = models.DateField(null=True, blank=True)
    #: how many times the plan was given to the family; 0: never
    given = models.PositiveSmallIntegerField(default=0)
    given_on = models.DateField(null=True, blank=True)
    given_language = models.CharField(max_length=20, blank=True, default="")
    #: when the family agreed to what they were last given
    agreed_on = models.DateField(null=True, blank=True)
    #: the transaction in which its steps were last counted: legal days change in no other (`plans.policies`)
    derived_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(given=0, given_on=None, agreed_on=None) | (Q(given__gt=0) & Q(given_on__isnull=False)),
                name="plans_plan_given",
            ),
        ]


class Kind(models.TextChoices):
    """As `core.protocol.Kind`."""

    TARGET = protocol.Kind.TARGET.value, _("Target")
    LEGAL = protocol.Kind.LEGAL.value, _("Legal deadline")


class Scope(models.TextChoices):
    """As `core.protocol.Scope`."""

    HOUSEHOLD = protocol.Scope.HOUSEHOLD.value, _("Household")
    PERSON = protocol.Scope.PERSON.value, _("Each person")
    ADULT = protocol.Scope.ADULT.value, _("Each adult")
    CHILD = protocol.Scope.CHILD.value, _("Each child")


class State(models.TextChoices):
    """As `core.plan.State`."""

    OPEN = plan.State.OPEN.value, _("To do")
    DONE = plan.State.DONE.value, _("Done")
    NOT_APPLICABLE = plan.State.NOT_APPLICABLE.value, _("Does not apply")
    RETIRED = plan.State.RETIRED.value, _("No longer asked")


class Step(PersonRow):
    """One row of a plan: what is to be done for the household (its person is the head) or for a member, by when."""

    data_class = None
    personal = {
        "household": Personal("to follow a family together", "case", "plan"),
        "code": Personal("what is to be done", "case", "plan"),
        "due_on": Personal("by when", "case", "plan"),
        "state": Personal("what is done", "case", "plan"),
        "responsible_user": Personal("who does it", "case", "plan"),
        "responsible_org": Personal("who does it", "case", "plan"),
        "title": Personal("what is to be done, when the protocol has no such step", "case", "plan"),
        "evidence": Personal("how it is known that it is done", "case", "plan"),
        "reason": Personal("why it does not apply, or why its day was set by hand", "case", "plan"),
        "done_on": Personal("what is done", "case", "plan"),
        "done_by": Personal("who did it", "case", "plan"),
        "why": Personal("why it is there, and why on that day", "case", "plan"),
    }
    not_personal = "class, scope, kind and marks"

    #: the class of data that the step tells of: a health visit is seen by whoever may see health
    row_class = models.IntegerField(default=DataClass.PLAN)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="steps")
    #: of the protocol's step; of one added by hand "H" and a number
    code = models.CharField(max_length=12)
    scope = models.CharField(max_length=9, choices=Scope.choices)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    owner_role = models.CharField(max_length=12)
    state = models.CharField(max_length=14, choices=State.choices, default=State.OPEN)
    #: None: it waits for a day that is not known yet
    due_on = models.DateField(null=True, blank=True)
    #: the day that was counted, before closed days; of a legal step the due day may only be this or a little earlier
    falls_on = models.DateField(null=True, blank=True)
    #: exactly one of these two (rule 8); OFFICE stands for the office
    responsible_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    responsible_org = models.UUIDField(null=True, blank=True)
    #: somebody said who is responsible; else it follows the file's lead worker
    assigned = models.BooleanField(default=False)
    by_hand = models.BooleanField(default=False)
    #: somebody set its day; it moves no more by itself
    pinned = models.BooleanField(default=False)
    #: of a step added by hand
    title = SealedField(null=True, blank=True)
    evidence = SealedField(null=True, blank=True)
    reason = SealedField(null=True, blank=True)
    done_on = models.DateField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: [{"code": ...}]: reasons of `core.plan.REASONS`, without the streams that they name
    why = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="plans_step_state"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="plans_step_kind"),
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="plans_step_scope"),
            models.CheckConstraint(
                condition=Q(state="done", done_on__isnull=False) | (~Q(state="done") & Q(done_on=None)),
                name="plans_step_done_on",
            ),
            models.CheckConstraint(
                condition=Q(responsible_user__isnull=False, responsible_org=None)
                | Q(responsible_user=None, responsible_org__isnull=False),
                name="plans_step_one_responsible",
            ),
            models.CheckConstraint(
                condition=~Q(state="not_applicable") | Q(reason__isnull=False), name="plans_step_reason"
            ),
            models.CheckConstraint(
                condition=Q(pinned=False) | Q(due_on__isnull=False, reason__isnull=False, kind="target"),
                name="plans_step_pinned",
            ),
            # a legal day is what was counted, or the open day before it
            models.CheckConstraint(
                condition=~Q(kind="legal") | Q(due_on=None) | Q(falls_on__isnull=False, due_on__lte=F("falls_on")),
                name="plans_step_legal_day",
            ),
            models.UniqueConstraint(fields=["household", "code", "scope", "person"], name="plans_step_once"),
        ]
        indexes = [
            models.Index(fields=["responsible_user", "due_on"], condition=Q(state="open"), name="plans_step_of_user"),
            models.Index(fields=["responsible_org", "due_on"], condition=Q(state="open"), name="plans_step_of_org"),
            models.Index(fields=["kind", "due_on"], condition=Q(state="open"), name="plans_step_open"),
        ]

    def __str__(self) -> str:
        return self.code
