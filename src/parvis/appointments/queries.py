"""Reading appointments. First argument: the viewer. Every query asks the projection itself, policies or not."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.http import Http404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from parvis.accounts.models import User
from parvis.appointments.models import (
    Appointment,
    AppointmentPerson,
    BookingState,
    HouseholdFeed,
    InterpreterBooking,
    State,
    WorkerFeed,
    WorkingHours,
)
from parvis.cases import queries as cases
from parvis.cases.models import Household, HouseholdMember, Person
from parvis.cases.models.people import Relation
from parvis.cases.vault import Vault
from parvis.core import slots
from parvis.core.access import DataClass
from parvis.core.calendar import Calendar, NoSuchCalendar
from parvis.kit.sealing import Unreadable
from parvis.orgs.models import Organization
from parvis.plans import queries as plans
from parvis.plans import versions
from parvis.plans.models import Plan, Scope, Step
from parvis.plans.models import State as Doing

SHOWS = ("mine", "team", "all")


def _held(viewer: Any, *, writes: bool = False) -> QuerySet[Any]:
    """Access to the person of a row, for the class of that row."""
    return (
        cases.granted(viewer, writes=writes)
        .filter(person_id=OuterRef("person_id"))
        .alias(shown=CombinedExpression(F("classes"), "&", OuterRef("row_class"), output_field=IntegerField()))
        .filter(shown__gt=0)
    )


def visible(viewer: Any) -> QuerySet[Appointment]:
    """Appointments that this viewer may see."""
    return Appointment.objects.filter(Exists(_held(viewer)))


def one(viewer: Any, pk: uuid.UUID) -> Appointment:
    """One appointment with its household, worker and interpreter; 404: the same for "not there" and "not yours"."""
    found = visible(viewer).select_related("household", "worker").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@dataclass
class Shown:
    """One appointment as pages show it: with whom, as far as the viewer may know, and what stands in it."""

    appointment: Appointment
    people: list[Person] = field(default_factory=list)
    interpreting: InterpreterBooking | None = None
    place: str = ""
    note: str = ""
    head: Person | None = None
    #: the step that it is about, where the viewer may see it, and its title in their language
    step: Step | None = None
    step_title: str = ""

    @property
    def who(self) -> str:
        """The first of those who take part; the household's reference when no name may be seen."""
        return self.people[0].name if self.people else self.appointment.household.reference

    @property
    def waits_for_interpreter(self) -> bool:
        return self.interpreting is not None and self.interpreting.state in TO_BOOK


TO_BOOK = (BookingState.NEEDED, BookingState.ASKED, BookingState.DECLINED)


def shown(viewer: Any, found: Iterable[Appointment], *, sealed: bool = False) -> list[Shown]:
    """These appointments with their people and interpreters: three questions, however many; one more for `sealed`."""
    lines = [Shown(each) for each in found]
    by_key = {line.appointment.pk: line for line in lines}
    taking = AppointmentPerson.objects.filter(Exists(_held(viewer)), appointment_id__in=list(by_key))
    taking = taking.filter(person_id__in=cases.granted(viewer, DataClass.IDENTITY).values("person_id")).select_related(
        "person"
    )
    mains = {line.appointment.pk: line.appointment.person_id for line in lines}
    for row in sorted(taking, key=lambda row: (mains[row.appointment_id] != row.person_id, row.created_at)):
        by_key[row.appointment_id].people.append(row.person)
    for booking in InterpreterBooking.objects.filter(Exists(_held(viewer)), appointment_id__in=list(by_key)):
        by_key[booking.appointment_id].interpreting = booking
    if sealed:
        vault = Vault({line.appointment.person_id for line in lines})
        for line in lines:
            line.place, line.note = _opened(vault, line.appointment, "place"), _opened(vault, line.appointment, "note")
    return lines


def _opened(vault: Vault, row: Appointment, column: str) -> str:
    try:
        return vault.open(row, column)
    except Unreadable:
        return ""


def with_step(viewer: Any, line: Shown, sight: cases.Sight | None = None) -> Shown:
    """The line with the step that it is about, if this viewer may see that one too: two questions when there is one."""
    pk = line.appointment.for_step_id
    if pk is not None:
        sight = sight or cases.Sight(viewer, household=line.appointment.household_id)
        line.step = sight.rows(Step).filter(pk=pk).exclude(state=Doing.RETIRED).first()
    if line.step is not None:
        line.step_title = _titles(sight, line.step.household_id)(line.step.code)
    return line


def _titles(sight: Any, household: uuid.UUID) -> Any:
    plan = sight.rows(Plan).filter(household=household).first()
    return plans.titles_of(plan, get_language() or "fr")


def steps_of(sight: cases.Sight, household: Household, names: Mapping[uuid.UUID, str]) -> list[tuple[Step, str]]:
    """The open steps of a household's plan that an appointment can be about, by day, with what to call each."""
    found = sight.rows(Step).filter(household=household, state=Doing.OPEN, person_id__in=sight.writes)
    title = _titles(sight, household.pk)
    told = []
    for step in found.order_by(F("due_on").asc(nulls_last=True), "code", "created_at"):
        whose = names.get(step.person_id, "") if step.scope != Scope.HOUSEHOLD else ""
        day = date_format(step.due_on, "DATE_FORMAT") if step.due_on else ""
        told.append((step, " · ".join(filter(None, (title(step.code), whose, day)))))
    return told


def between(viewer: Any, since: dt.datetime, until: dt.datetime, show: str = "mine") -> QuerySet[Appointment]:
    """Appointments that begin in a span. `show`: "mine"; "team": mine and those of the files that I answer for;
    "all": every one that I may see."""
    found = visible(viewer).filter(starts_at__gte=since, starts_at__lt=until)
    if show == "mine":
        found = found.filter(worker=viewer)
    elif show == "team":
        found = found.filter(Q(worker=viewer) | Q(household__lead_worker=viewer) | Q(household__backup_worker=viewer))
    return found.select_related("household", "worker").order_by("starts_at", "pk")


def of_household(viewer: Any, household: Household) -> list[Shown]:
    """All appointments of a household, the next ones first, then the past ones, the latest first."""
    found = list(visible(viewer).filter(household=household).select_related("household", "worker"))
    now = timezone.now()
    ahead = sorted((each for each in found if each.ends_at >= now), key=lambda each: each.starts_at)
    behind = sorted((each for each in found if each.ends_at < now), key=lambda each: each.starts_at, reverse=True)
    return shown(viewer, ahead + behind)


def next_of(viewer: Any, sight: cases.Sight, household: Household) -> Appointment | None:
    """The next appointment of a household: one question, `sight` knows already what may be seen."""
    ahead = "household_id = %s AND state = ANY(%s) AND ends_at >= %s"
    values = [household.pk, [State.BOOKED.value, State.ARRIVED.value], timezone.now()]
    return next(iter(sight.read(Appointment, ahead, "starts_at LIMIT 1", values, with_account="worker")), None)


def own(viewer: Any, person: Person) -> list[Appointment]:
    """What a newcomer sees of their own: the next appointments in which they take part."""
    mine = AppointmentPerson.objects.filter(Exists(_held(viewer)), person=person).values("appointment_id")
    found = Appointment.objects.filter(Q(pk__in=mine) | Q(person=person), Exists(_held(viewer)))
    return list(
        found.filter(state__in=[State.BOOKED, State.ARRIVED], ends_at__gte=timezone.now())
        .select_related("worker")
        .order_by("starts_at")[:3]
    )


def to_interpret(viewer: Any) -> list[Shown]:
    """Appointments to come for which an interpreter is to be booked, or told that it is off: by date."""
    waiting = InterpreterBooking.objects.filter(Exists(_held(viewer, writes=True)))
    open_ = waiting.filter(state__in=TO_BOOK, appointment__state__in=[State.BOOKED, State.ARRIVED])
    off = waiting.filter(state__in=[BookingState.ASKED, BookingState.CONFIRMED], appointment__state=State.CANCELLED)
    keys = [*open_.values_list("appointment_id", flat=True), *off.values_list("appointment_id", flat=True)]
    found = visible(viewer).filter(pk__in=keys, starts_at__gte=timezone.now() - dt.timedelta(hours=2))
    return shown(viewer, found.select_related("household", "worker").order_by("starts_at"))


def booking(viewer: Any, pk: uuid.UUID) -> InterpreterBooking:
    """One booking of an interpreter; 404."""
    found = (
        InterpreterBooking.objects.filter(Exists(_held(viewer)), pk=pk)
        .select_related("appointment", "appointment__household")
        .first()
    )
    if found is None:
        raise Http404
    return found


# -- free times -------------------------------------------------------------------------------------------------------


def zone() -> ZoneInfo:
    """The present city's time zone."""
    return ZoneInfo(getattr(connection.tenant, "timezone", "") or "UTC")


def calendar() -> Calendar:
    """On which days the present city's office is closed: its protocol says so (region, closed and opened days), and its
    plans count by the same. Where the protocol names no country, the city's is taken, with no region guessed."""
    said = versions.of(versions.current().pk).calendar
    if said.country:
        return said
    try:
        return replace(said, country=getattr(connection.tenant, "country", ""), subdivision="")
    except NoSuchCalendar:
        return said


def closed(days: Iterable[dt.date]) -> set[dt.date]:
    """Public holidays and other closed days; which weekdays are worked stands in the hours."""
    known = calendar()
    return {day for day in days if known.why_closed(day) in ("holiday", "closed")}


def hours(user: User | None) -> slots.Week:
    """A worker's hours: their own, else the office's, else the usual ones."""
    rows = list(WorkingHours.objects.filter(Q(user=user) | Q(user=None)).order_by("weekday", "opens"))
    for kept in ([row for row in rows if row.user_id and row.user_id == getattr(user, "pk", None)],
                 [row for row in rows if row.user_id is None]):  # fmt: skip
        if kept:
            week: dict[int, list[tuple[dt.time, dt.time]]] = {}
            for row in kept:
                week.setdefault(row.weekday, []).append((row.opens, row.closes))
            return week
    return slots.USUAL


def has_hours(user: User | None) -> bool:
    return WorkingHours.objects.filter(user=user).exists()


def busy(worker: uuid.UUID, since: dt.datetime, until: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """When a worker is taken; by whom and why stays where it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT starts_at, ends_at FROM appointments_busy(%s, %s, %s)", [worker, since, until])
        return [(starts, ends) for starts, ends in cursor.fetchall()]


def free(worker: User, minutes: int, *, since: dt.date | None = None, days: int = 14, most: int = 8,
         but: Appointment | None = None) -> list[dt.datetime]:  # fmt: skip
    """The next free times of a worker, at most two a half-day so that there is a choice of days. `but`: as if this
    appointment were not there (it is to be moved)."""
    here, now = zone(), timezone.now()
    first = max(since or now.astimezone(here).date(), now.astimezone(here).date())
    asked = [first + dt.timedelta(days=number) for number in range(days)]
    until = dt.datetime.combine(asked[-1] + dt.timedelta(days=1), dt.time(), tzinfo=here)
    taken = busy(worker.pk, now - dt.timedelta(days=1), until)
    if but is not None:
        taken = [span for span in taken if span != (but.starts_at, but.ends_at)]
    found: list[dt.datetime] = []
    halves: dict[tuple[dt.date, bool], int] = {}
    for start in slots.free(asked, hours(worker), taken, minutes, here, closed=closed(asked), after=now):
        local = start.astimezone(here)
        half = (local.date(), local.hour < 12)
        halves[half] = halves.get(half, 0) + 1
        if halves[half] <= 2:
            found.append(start)
        if len(found) >= most:
            break
    return found


# -- for whom ---------------------------------------------------------------------------------------------------------


def to_write_to(found: Appointment) -> Person:
    """Who is reminded: the person whom it is for, or for a child the head of their household."""
    born = found.person.birth_year
    if born is None or timezone.localdate().year - born >= 18:
        return found.person
    head = HouseholdMember.objects.filter(household=found.household_id, until=None, relation=Relation.HEAD)
    row = head.select_related("person").first()
    return row.person if row else found.person


def due(now: dt.datetime, hours_before: int, least: int) -> list[uuid.UUID]:
    """Appointments whose reminder of `hours_before` hours is due and not written, `least` hours or more ahead. For the
    worker, which acts as the system. What was booked or moved later than that needs no such reminder."""
    ahead = dt.timedelta(hours=hours_before)
    found = Appointment.objects.filter(
        Q(reminded=None) | Q(reminded__gt=hours_before),
        state=State.BOOKED,
        starts_at__gt=now + dt.timedelta(hours=least),
        starts_at__lte=now + ahead,
        moved_at__lte=F("starts_at") - ahead,
    )
    return list(found.order_by("starts_at").values_list("pk", flat=True)[:2000])


# -- feeds ------------------------------------------------------------------------------------------------------------


def worker_feed(key_hash: str) -> User | None:
    """Whose calendar stands behind a secret address; asked by a stranger."""
    found = WorkerFeed.objects.filter(key_hash=key_hash, ended_at=None, user__is_active=True).select_related("user")
    row = found.first()
    return row.user if row else None


def feed_of(user: User) -> WorkerFeed | None:
    return WorkerFeed.objects.filter(user=user, ended_at=None).first()


def household_feed(household: Household) -> HouseholdFeed | None:
    return HouseholdFeed.objects.filter(household=household, ended_at=None).first()


@dataclass(frozen=True)
class Entry:
    """One line of a family's own calendar: all that may be known without signing in."""

    pk: uuid.UUID
    starts_at: dt.datetime
    ends_at: dt.datetime
    kind: str
    state: str
    sequence: int
    changed_at: dt.datetime


def household_entries(key_hash: str) -> tuple[uuid.UUID, list[Entry]] | None:
    """What stands behind the secret address of a family's calendar; None when it leads nowhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM appointments_household_feed(%s)", [key_hash])
        rows: Sequence[Any] = cursor.fetchall()
    if not rows:
        return None
    return rows[0][0], [Entry(*row[1:]) for row in rows if row[1] is not None]


def for_feed(viewer: User) -> list[Appointment]:
    """A worker's appointments as their calendar programme asks for them."""
    since = timezone.now() - dt.timedelta(days=30)
    found = visible(viewer).filter(worker=viewer, ends_at__gt=since).select_related("household")
    return list(found.order_by("starts_at", "pk"))


def agency(pk: Any, name: str) -> Organization | None:
    """An organization of the directory that sends interpreters: the one chosen, or the one called by its name."""
    chosen = Organization.objects.filter(pk=pk).first() if pk else None
    return chosen or (Organization.objects.filter(name__iexact=name).first() if name else None)
