"""A household with an appointment to come: builders for the tests."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from parvis.appointments import actions
from parvis.appointments.actions import Interpreting, Wanted
from parvis.appointments.models import Appointment
from parvis.cases.models import Household, Person
from parvis.kit.acting import acting

MONTREAL = ZoneInfo("America/Toronto")


def days(number: float) -> dt.datetime:
    """An instant so many days from now, on the minute."""
    return timezone.now().replace(second=0, microsecond=0) + dt.timedelta(days=number)


def people(household: Household, by: Any) -> list[Person]:
    """The head first."""
    with acting(by), transaction.atomic():
        rows = household.members.select_related("person").order_by("since", "created_at")
        return [row.person for row in sorted(rows, key=lambda row: row.relation != "head")]


def booked(household: Household, by: Any, starts_at: dt.datetime | None = None, **more: Any) -> Appointment:
    """An appointment of the head with `by`, in three days unless said otherwise."""
    given = {"people": people(household, by)[:1], "worker": by, "starts_at": starts_at or days(3), **more}
    with acting(by):
        return actions.book(household, Wanted(**given), by=by)


ARABIC = Interpreting("ar-SY", "شامي", "female")
