"""Appointments with workers (FHIR Appointment), interpreters for them, working hours and calendar feeds."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parvis.cases.models.base import PersonRow
from parvis.cases.models.people import Gender
from parvis.core.access import DataClass
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class Kind(models.TextChoices):
    OFFICE = "office", _("At the office")
    VISIT = "visit", _("Visit at their home")
    PHONE = "phone", _("By telephone")
    VIDEO = "video", _("By video")
    ELSEWHERE = "elsewhere", _("Elsewhere, with a worker")


class Purpose(models.TextChoices):
    INTAKE = "intake", _("First conversation")
    FOLLOW_UP = "follow_up", _("Follow-up of the plan")
    PAPERS = "papers", _("Papers and status")
    HOUSING = "housing", pgettext_lazy("appointment", "Housing")
    SCHOOL = "school", pgettext_lazy("appointment", "School and courses")
    WORK = "work", pgettext_lazy("appointment", "Work")
    MONEY = "money", pgettext_lazy("appointment", "Money and benefits")
    HEALTH = "health", pgettext_lazy("appointment", "Health")
    SAFETY = "safety", pgettext_lazy("appointment", "Safety")
    OTHER = "other", pgettext_lazy("appointment", "Something else")


#: purposes that say more of a person than the plan does
PURPOSE_CLASSES = {Purpose.HEALTH: DataClass.HEALTH, Purpose.SAFETY: DataClass.VIOLENCE}


class State(models.TextChoices):
    """FHIR AppointmentStatus: booked, arrived, fulfilled, noshow, cancelled."""

    BOOKED = "booked", pgettext_lazy("appointment", "Booked")
    ARRIVED = "arrived", pgettext_lazy("appointment", "They are here")
    DONE = "done", pgettext_lazy("appointment", "Took place")
    MISSED = "missed", pgettext_lazy("appointment", "Missed")
    CANCELLED = "cancelled", pgettext_lazy("appointment", "Cancelled")


#: states in which the worker's time is taken
TAKEN = (State.BOOKED, State.ARRIVED)


class Reason(models.TextChoices):
    """Why an appointment does not take place."""

    NONE = "", "—"
    FAMILY = "family", _("They can't come")
    WORKER = "worker", _("We can't")
    INTERPRETER = "interpreter", _("There is no interpreter")
    NEEDLESS = "needless", _("It is no longer needed")
    OTHER = "other", _("Another reason")


class _Range(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Appointment(PersonRow):
    """A meeting with a worker. It hangs on the person whom it is for; who else takes part is in AppointmentPerson."""

    data_class = None
    personal = {
        "household": Personal("to meet", "case", "plan"),
        "worker": Personal("to meet", "case", "plan"),
        "starts_at": Personal("to meet", "case", "plan"),
        "ends_at": Personal("to meet", "case", "plan"),
        "kind": Personal("to meet", "case", "plan"),
        "place": Personal("to meet", "case", "plan"),
        "purpose": Personal("to be prepared", "case", "plan"),
        "note": Personal("to be prepared", "case", "plan"),
        "for_step": Personal("to be prepared", "case", "plan"),
        "state": Personal("who came, whom to call", "case", "plan"),
        "reason": Personal("who came, whom to call", "case", "plan"),
    }
    not_personal = "class, counters and dates"

    row_class = models.IntegerField(default=DataClass.PLAN)
    household = models.ForeignKey("cases.Household", on_delete=models.CASCADE, related_name="appointments")
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OFFICE)
    place = SealedField(null=True, blank=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.FOLLOW_UP)
    #: the step of the household's plan that it is about; who may not see the step sees no word of it
    for_step = models.ForeignKey("plans.Step", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOOKED)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True, default="")
    note = SealedField(null=True, blank=True)
    #: counts changes: what a calendar programme calls SEQUENCE, and what catches two editors
    sequence = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)
    #: when its time was last chosen: a reminder for before that is not sent
    moved_at = models.DateTimeField()
    #: hours before it for which the last reminder was written
    reminded = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="appointments_kind"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="appointments_state"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="appointments_purpose"),
            models.CheckConstraint(
                condition=Q(state="cancelled", reason__in=[r for r in Reason.values if r])
                | (~Q(state="cancelled") & Q(reason="")),
                name="appointments_reason",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointments_times"),
            models.CheckConstraint(
                condition=Q(purpose="health", row_class=DataClass.HEALTH.value)
                | Q(purpose="safety", row_class=DataClass.VIOLENCE.value)
                | (~Q(purpose__in=["health", "safety"]) & Q(row_class=DataClass.PLAN.value)),
                name="appointments_class",
            ),
            ExclusionConstraint(
                name="appointments_one_at_a_time",
                expressions=[
                    ("worker", RangeOperators.EQUAL),
                    (_Range("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=TAKEN, worker__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["worker", "starts_at"], name="appointments_of_worker"),
            models.Index(fields=["household", "starts_at"], name="appointments_of_household"),
            models.Index(fields=["starts_at"], condition=Q(state="booked"), name="appointments_to_come"),
        ]

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def is_open(self) -> bool:
        return self.state in TAKEN


class AppointmentPerson(PersonRow):
    """A person who takes part in an appointment; of the same class of data as the appointment."""

    data_class = None
    personal = {"appointment": Personal("to meet", "case", "plan")}
    not_personal = "keys and class"

    row_class = models.IntegerField(default=DataClass.PLAN)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="participants")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appointment", "person"], name="appointments_person_once"),
        ]


class Mode(models.TextChoices):
    IN_PERSON = "in_person", pgettext_lazy("interpreter", "In person")
    PHONE = "phone", pgettext_lazy("interpreter", "By telephone")
    VIDEO = "video", pgettext_lazy("interpreter", "By video")


class BookingState(models.TextChoices):
    NEEDED = "needed", pgettext_lazy("interpreter", "To be booked")
    ASKED = "asked", pgettext_lazy("interpreter", "Asked")
    CONFIRMED = "confirmed", pgettext_lazy("interpreter", "Confirmed")
    DECLINED = "declined", pgettext_lazy("interpreter", "Declined: another one is needed")
    NOT_NEEDED = "not_needed", pgettext_lazy("interpreter", "No longer needed")


class InterpreterBooking(PersonRow):
    """An interpreter for one appointment: which language, asked of whom, and whether they come."""

    data_class = None
    personal = {
        "language": Personal("to be understood", "case", "plan"),
        "dialect": Personal("to be understood", "case", "plan"),
        "gender": Personal("to be at ease", "case", "plan"),
        "interpreter": Personal("who interprets", "case", "plan"),
    }
    not_personal = "state, keys and class"

    row_class = models.IntegerField(default=DataClass.PLAN)
    appointment = models.OneToOneField(Appointment, on_delete=models.CASCADE, related_name="interpreting")
    language = models.CharField(max_length=20)
    dialect = models.CharField(max_length=80, blank=True, default="")
    gender = models.CharField(max_length=8, blank=True, default="", choices=Gender.choices)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.IN_PERSON)
    interpreter = models.CharField(max_length=120, blank=True, default="")
    organization = models.ForeignKey(
        "orgs.Organization", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=BookingState.choices, default=BookingState.NEEDED)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BookingState.values), name="appointments_interpreter_state"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="appointments_interpreter_mode"),
            models.CheckConstraint(
                condition=Q(gender__in=["", *Gender.values]), name="appointments_interpreter_gender"
            ),
            models.CheckConstraint(condition=~Q(language=""), name="appointments_interpreter_language"),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=Q(state__in=["needed", "asked", "declined"]),
                name="appointments_to_book",
            )
        ]


class WorkingHours(Row):
    """When appointments are given: the office's own (`user` empty), or one worker's. Wall times of the city."""

    personal = {"user": Personal("when a worker can be met", "account", "account")}
    not_personal = "hours of an office"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    weekday = models.PositiveSmallIntegerField()  # ISO: Monday is 1
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="appointments_hours_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="appointments_hours_order"),
            models.UniqueConstraint(
                fields=["user", "weekday", "opens"], nulls_distinct=False, name="appointments_hours_once"
            ),
        ]


class WorkerFeed(Row):
    """A secret address at which a calendar programme reads a worker's appointments. Only a hash of it is kept."""

    personal = {"user": Personal("whose calendar it is", "account", "account")}
    not_personal = "hash of a random key, and dates"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="appointments_one_worker_feed")
        ]


class HouseholdFeed(PersonRow):
    """A secret address for a family's own calendar: days, times and how, never why nor where."""

    data_class = None
    personal = {"household": Personal("the family's calendar", "case", "plan")}
    not_personal = "hash of a random key, and dates"

    household = models.ForeignKey("cases.Household", on_delete=models.CASCADE, related_name="+")
    key_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household"], condition=Q(ended_at=None), name="appointments_one_household_feed"
            )
        ]
