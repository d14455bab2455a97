"""Book, move, cancel; they came or not; interpreters; hours; feeds. One transaction each, told to the ledger."""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.appointments import queries, rules
from parvis.appointments.models import (
    PURPOSE_CLASSES,
    TAKEN,
    Appointment,
    AppointmentPerson,
    BookingState,
    HouseholdFeed,
    InterpreterBooking,
    Reason,
    State,
    WorkerFeed,
    WorkingHours,
)
from parvis.cases import queries as cases
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.models import Household, HouseholdMember, Person
from parvis.cases.vault import Vault
from parvis.core import slots
from parvis.core.access import DataClass
from parvis.ledger.actions import Entry, record, record_many
from parvis.messaging import actions as messaging
from parvis.plans.models import Step

#: what can happen to an appointment -> the states it can happen in, and the one that follows
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "arrived": ((State.BOOKED,), State.ARRIVED),
    "done": ((State.BOOKED, State.ARRIVED), State.DONE),
    "missed": ((State.BOOKED,), State.MISSED),
    "cancelled": ((State.BOOKED, State.ARRIVED), State.CANCELLED),
    "undone": ((State.ARRIVED, State.DONE, State.MISSED, State.CANCELLED), State.BOOKED),
}
#: hours before an appointment at which the person is reminded: the next one begins where the first one ends
REMINDERS = ((48, 3), (3, 0))
TEMPLATE = "appointments.reminder"


class Taken(Refused):
    """The worker has another appointment at this time."""


@dataclass(frozen=True)
class Interpreting:
    """Which interpreter an appointment needs."""

    language: str
    dialect: str = ""
    gender: str = ""
    mode: str = "in_person"


@dataclass(frozen=True)
class Wanted:
    """An appointment to be. `people`: who takes part, first the one whom it is for."""

    people: Sequence[Person]
    worker: User
    starts_at: dt.datetime
    minutes: int = 45
    kind: str = "office"
    purpose: str = "follow_up"
    place: str = ""
    note: str = ""
    interpreting: Interpreting | None = None
    for_step: Step | None = None


# -- booking ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def book(household: Household, wanted: Wanted, *, by: User) -> Appointment:
    """Book an appointment. Raises Denied, Refused, Taken."""
    _of_this_plan(wanted.for_step, household)
    person = wanted.people[0]
    for each in wanted.people:
        require(cases.may_write(by, each.pk), "appointments.booked", household)
    _worker_may(wanted.worker, household)
    row_class = PURPOSE_CLASSES.get(wanted.purpose, DataClass.PLAN).value  # type: ignore[call-overload]
    made = Appointment(
        person=person, household=household, worker=wanted.worker, starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + dt.timedelta(minutes=wanted.minutes), kind=wanted.kind, purpose=wanted.purpose,
        row_class=row_class, moved_at=timezone.now(), for_step=wanted.for_step,
    )  # fmt: skip
    Vault([person.pk]).put(made, place=wanted.place.strip() or None, note=wanted.note.strip() or None)
    _save(made, new=True)
    AppointmentPerson.objects.bulk_create(
        AppointmentPerson(person=each, appointment=made, row_class=row_class) for each in wanted.people
    )
    if wanted.interpreting:
        _interpret(made, wanted.interpreting)
    _tell("booked", made, by=by)
    return made


def _of_this_plan(for_step: Step | None, household: Household) -> None:
    if for_step is not None and for_step.household_id != household.pk:
        raise Refused(_("Choose a step of this household’s plan."))


def _worker_may(worker: User, household: Household) -> None:
    if not cases.workers(household.holder_id).filter(pk=worker.pk).exists():
        raise Refused(_("Choose somebody who works here."))


def _save(found: Appointment, *, new: bool = False) -> None:
    """Raises Taken where the database finds another appointment of the worker at that time."""
    try:
        with transaction.atomic():
            found.save(force_insert=new)
    except IntegrityError as error:
        if "appointments_one_at_a_time" not in str(error):
            raise
        raise Taken(_("This worker has another appointment at that time.")) from error


def _interpret(found: Appointment, wanted: Interpreting) -> InterpreterBooking:
    made = InterpreterBooking(
        person_id=found.person_id, appointment=found, row_class=found.row_class, language=wanted.language,
        dialect=wanted.dialect, gender=wanted.gender, mode=wanted.mode,
    )  # fmt: skip
    made.save(force_insert=True)
    return made


def _tell(code: str, found: Appointment, *, by: Any, **after: Any) -> None:
    told = {"appointment": found.pk, **after}
    record_many([Entry(f"appointments.{code}", "cases.household", found.household_id, None, told)], by=by)


def _locked(found: Appointment, action: str, by: User, sequence: int | None) -> Appointment:
    """The row, to be changed. Raises Denied, Conflict when somebody else changed it since `sequence`."""
    require(cases.may_write(by, found.person_id), f"appointments.{action}", found.household)
    now = Appointment.objects.select_for_update().get(pk=found.pk)
    if sequence is not None and now.sequence != sequence:
        raise Conflict(now)
    now.sequence += 1
    return now


@transaction.atomic
def move(
    found: Appointment, starts_at: dt.datetime, *, minutes: int, worker: User, by: User, sequence: int | None = None
) -> Appointment:
    """Another time, length or worker. An interpreter who had agreed is to be asked anew. Raises Denied, Conflict,
    Refused, Taken."""
    now = _locked(found, "moved", by, sequence)
    if now.state not in (State.BOOKED, State.MISSED, State.CANCELLED):
        raise Refused(_("It has taken place already."))
    _worker_may(worker, found.household)
    ends_at = starts_at + dt.timedelta(minutes=minutes)
    if now.state == State.BOOKED and (now.starts_at, now.ends_at, now.worker_id) == (starts_at, ends_at, worker.pk):
        return found
    _forget_reminders(now, by)
    now.starts_at, now.ends_at, now.worker = starts_at, ends_at, worker
    now.state, now.reason, now.reminded, now.moved_at = State.BOOKED, "", None, timezone.now()
    _save(now)
    InterpreterBooking.objects.filter(appointment=now, state__in=[BookingState.ASKED, BookingState.CONFIRMED]).update(
        state=BookingState.NEEDED
    )
    _tell("moved", now, by=by)
    return now


@transaction.atomic
def step(found: Appointment, what: str, *, by: User, reason: str = "", sequence: int | None = None) -> Appointment:
    """What became of it: "arrived", "done", "missed", "cancelled" (with its `reason`), or "undone": booked as before.

    Raises Denied, Conflict, Refused, Taken.
    """
    since, state = STEPS[what]
    now = _locked(found, what, by, sequence)
    if now.state not in since:
        raise Refused(_("This can't be done any more: it is “%(state)s”.") % {"state": now.get_state_display()})
    if what in ("done", "missed", "arrived") and now.starts_at - timezone.now() > dt.timedelta(hours=12):
        raise Refused(_("It has not come to that yet."))
    if what == "cancelled" and reason not in {r.value for r in Reason if r}:
        raise Refused(_("Say why."))
    now.state, now.reason = state, reason if what == "cancelled" else ""
    _save(now)
    if state != State.BOOKED:
        _forget_reminders(now, by)
    _tell(what, now, by=by, **({"why": reason} if now.reason else {}))
    return now


@transaction.atomic
def rewrite(
    found: Appointment, place: str, note: str, *, by: User, for_step: Step | None = None, sequence: int | None = None
) -> Appointment:
    """Another place, note or step of the plan. Raises Denied, Conflict, Refused."""
    now = _locked(found, "changed", by, sequence)
    _of_this_plan(for_step, found.household)
    now.for_step = for_step
    Vault([now.person_id]).put(now, place=place.strip() or None, note=note.strip() or None)
    _save(now)
    _tell("changed", now, by=by)
    return now


# -- interpreters -----------------------------------------------------------------------------------------------------


@transaction.atomic
def interpret(found: Appointment, wanted: Interpreting, *, by: User) -> InterpreterBooking:
    """An appointment needs an interpreter after all. Raises Denied, Refused."""
    require(cases.may_write(by, found.person_id), "appointments.interpreter", found.household)
    if InterpreterBooking.objects.filter(appointment=found).exists():
        raise Refused(_("There is an interpreter already."))
    made = _interpret(found, wanted)
    _tell("interpreter", found, by=by, state=made.state)
    return made


@transaction.atomic
def answer(
    booking: InterpreterBooking, state: str, *, by: User, interpreter: str | None = None, organization: Any = None
) -> InterpreterBooking:
    """An interpreter was asked, has agreed, has declined, is no longer needed. Raises Denied."""
    require(cases.may_write(by, booking.person_id), "appointments.interpreter", booking.appointment.household)
    now = InterpreterBooking.objects.select_for_update().get(pk=booking.pk)
    if interpreter is not None:
        now.interpreter = interpreter.strip()
    if organization is not None:
        now.organization = organization
    now.state = BookingState(state)
    now.save()
    _tell("interpreter", booking.appointment, by=by, state=state)
    return now


# -- hours ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def set_hours(user: User | None, week: slots.Week, *, by: User) -> None:
    """When appointments are given: by a worker, or (None) by the office. An empty week: as the office, as usual.

    Raises Denied.
    """
    mine = user is not None and user.pk == by.pk and rules.may_see_calendar(by)
    require(mine or rules.may_set_office_hours(by), "appointments.hours", user or by)
    WorkingHours.objects.filter(user=user).delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(user=user, weekday=day, opens=opens, closes=closes)
        for day, spans in week.items()
        for opens, closes in spans
    )
    record("appointments.hours", user or by, by=by, after={"office": user is None})


# -- feeds ------------------------------------------------------------------------------------------------------------


def hash_of(key: str) -> str:
    return hashlib.sha256(b"parvis calendar\0" + key.encode()).hexdigest()


@transaction.atomic
def open_worker_feed(*, by: User) -> str:
    """A new secret key of one's own calendar; the one before leads nowhere from now on. Raises Denied."""
    require(rules.may_see_calendar(by), "appointments.feed.opened", by)
    close_worker_feed(by=by)
    key = secrets.token_urlsafe(32)
    WorkerFeed.objects.create(user=by, key_hash=hash_of(key), made_at=timezone.now())
    record("appointments.feed.opened", by, by=by)
    return key


@transaction.atomic
def close_worker_feed(*, by: User) -> None:
    if WorkerFeed.objects.filter(user=by, ended_at=None).update(ended_at=timezone.now()):
        record("appointments.feed.closed", by, by=by)


@transaction.atomic
def open_household_feed(household: Household, head: Person, *, by: User) -> str:
    """A new secret key of a family's calendar; the one before leads nowhere from now on. Raises Denied."""
    require(cases.may_write(by, head.pk), "appointments.feed.opened", household)
    close_household_feed(household.pk, by=by)
    key = secrets.token_urlsafe(32)
    HouseholdFeed.objects.create(person=head, household=household, key_hash=hash_of(key), made_at=timezone.now())
    record("appointments.feed.opened", household, by=by)
    return key


@transaction.atomic
def close_household_feed(household: uuid.UUID, *, by: Any) -> bool:
    """A family's calendar leads nowhere any more."""
    ended = HouseholdFeed.objects.filter(household_id=household, ended_at=None).update(ended_at=timezone.now())
    if ended:
        record_many([Entry("appointments.feed.closed", "cases.household", household)], by=by)
    return bool(ended)


def household_changed(entry: Any) -> None:
    """The family is no longer the one that was given the address, or its file is restricted: a new one is asked for.

    Whoever leaves a household in danger does not leave their appointments on the other's telephone: these go along.
    """
    HouseholdFeed.objects.filter(household_id=entry.object_id, ended_at=None).update(ended_at=timezone.now())
    ahead = Appointment.objects.filter(household_id=entry.object_id, state__in=TAKEN, ends_at__gte=timezone.now())
    homes = HouseholdMember.objects.filter(until=None, person__in=ahead.values("person_id"))
    for person, home in homes.exclude(household_id=entry.object_id).values_list("person_id", "household_id"):
        ahead.filter(person_id=person).update(household_id=home)


# -- reminders --------------------------------------------------------------------------------------------------------


def remind(now: dt.datetime) -> int:
    """Write the reminders that are due, each once, whoever else sweeps. Returns how many. As the system."""
    written = 0
    for hours, least in REMINDERS:
        with transaction.atomic():  # who acts is said in transactions
            waiting = queries.due(now, hours, least)
        for pk in waiting:
            written += _remind(pk, hours)
    return written


@transaction.atomic
def _remind(pk: uuid.UUID, hours: int) -> int:
    """The row is locked, its mark and the message are one transaction: no second sweep, no crash writes another."""
    found = (
        Appointment.objects.select_for_update(skip_locked=True, of=("self",)).select_related("person").filter(pk=pk)
    ).first()
    if found is None or found.state != State.BOOKED or (found.reminded is not None and found.reminded <= hours):
        return 0
    found.reminded = hours
    Appointment.objects.filter(pk=pk).update(reminded=hours)  # `changed_at` is the calendar's: nothing changed there
    messaging.send(
        queries.to_write_to(found), TEMPLATE, by="reminders", context={"when": found.starts_at},
        not_after=found.starts_at, key=f"{_key(found)}:{hours}:{found.sequence}",
    )  # fmt: skip
    return 1


def _key(found: Appointment) -> str:
    return f"appointment:{found.pk}"


def _forget_reminders(found: Appointment, by: Any) -> None:
    """What still waits to be sent is taken back."""
    if found.reminded is not None:
        messaging.cancel_key(_key(found), by=by)
