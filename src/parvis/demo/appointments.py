"""A week of appointments: the demo's agent has three or four a working day, some with an interpreter still to book."""

import datetime as dt
import uuid
from random import Random

from django.db import connection
from django.utils import timezone

from parvis.appointments import queries
from parvis.appointments.models import Appointment, AppointmentPerson, InterpreterBooking, Purpose
from parvis.cases.models.base import OFFICE
from parvis.core import slots
from parvis.core.access import DataClass

#: wall times of a day's appointments
TIMES = (dt.time(9), dt.time(10, 30), dt.time(13, 30), dt.time(15))
KINDS = ("office", "office", "office", "phone", "visit", "video", "elsewhere")
PURPOSES = (Purpose.INTAKE, Purpose.FOLLOW_UP, Purpose.PAPERS, Purpose.HOUSING, Purpose.SCHOOL, Purpose.WORK,
            Purpose.FOLLOW_UP, Purpose.HEALTH)  # fmt: skip

_FOUND = """
    SELECT h.id, m.person_id, p.language, p.interpreter_gender FROM cases_household h
    JOIN cases_householdmember m ON m.household_id = h.id AND m.relation = 'head' AND m.until IS NULL
    JOIN cases_person p ON p.id = m.person_id
    WHERE h.holder_id = %s AND h.state = 'open' AND NOT h.restricted
    ORDER BY h.lead_worker_id = %s DESC NULLS LAST, h.opened_on DESC, h.id LIMIT 60
"""


def load_appointments(now: dt.datetime | None = None, *, seed: int = 1) -> int:
    """Fill the calendar of the active city's agent; returns how many. Nothing when something is booked already.

    Inside the transaction in which the tables about people are unlocked (`demo.people`), or as who may see them.
    """
    if Appointment.objects.exists():
        return 0
    now, here = now or timezone.now(), queries.zone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_user WHERE email = 'agent@example.org' AND office_role = 'agent'")
        agent = cursor.fetchone()
        if agent is None:
            return 0
        cursor.execute(_FOUND, [OFFICE, agent[0]])
        homes = cursor.fetchall()
    draw = Random(f"{seed}/appointments")  # noqa: S311 - a demo holds no secret
    first = now.astimezone(here).date() - dt.timedelta(days=4)
    days = [first + dt.timedelta(days=number) for number in range(16)]
    closed = queries.closed(days)
    times = [(day, clock) for day in days if day.isoweekday() < 6 and day not in closed
             for clock in sorted(draw.sample(TIMES, draw.choice((3, 3, 4))))]  # fmt: skip
    made, people, spoken = [], [], []
    for (day, clock), (home, head, language, gender) in zip(times, homes, strict=False):
        starts = slots.at(day, clock, here)
        assert starts
        meeting = _appointment(draw, home, head, agent[0], starts, now)
        made.append(meeting)
        key = uuid.UUID(int=draw.getrandbits(128), version=4)
        people.append(AppointmentPerson(id=key, person_id=head, appointment=meeting, row_class=meeting.row_class))
        if language and language.split("-")[0] not in ("fr", "en") and draw.random() < 0.6:
            spoken.append(_booking(draw, meeting, language, gender))
    Appointment.objects.bulk_create(made)
    AppointmentPerson.objects.bulk_create(people)
    InterpreterBooking.objects.bulk_create(spoken)
    return len(made)


def _appointment(
    draw: Random, home: uuid.UUID, head: uuid.UUID, worker: uuid.UUID, starts: dt.datetime, now: dt.datetime
) -> Appointment:
    ends = starts + dt.timedelta(minutes=draw.choice((30, 45, 60)))
    purpose = draw.choice(PURPOSES)
    over = draw.choices(("done", "missed"), (6, 1))[0] if ends < now else "booked"
    return Appointment(
        id=uuid.UUID(int=draw.getrandbits(128), version=4), person_id=head, household_id=home, worker_id=worker,
        starts_at=starts, ends_at=ends, kind=draw.choice(KINDS), purpose=purpose, state=over,
        row_class=(DataClass.HEALTH if purpose == Purpose.HEALTH else DataClass.PLAN).value,
        moved_at=starts - dt.timedelta(days=9),
    )  # fmt: skip


def _booking(draw: Random, meeting: Appointment, language: str, gender: str) -> InterpreterBooking:
    state = draw.choice(("needed", "asked", "confirmed")) if meeting.state == "booked" else "confirmed"
    return InterpreterBooking(
        id=uuid.UUID(int=draw.getrandbits(128), version=4), person_id=meeting.person_id, appointment=meeting,
        row_class=meeting.row_class, language=language, gender=gender if gender in ("female", "male") else "",
        mode=draw.choice(("in_person", "phone")), state=state,
        interpreter="Interprètes Passerelle (démo)" if state != "needed" else "",
    )  # fmt: skip
