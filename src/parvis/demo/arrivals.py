"""A board that lives today: households of the demo, arriving from this morning until in six days, some met already.

It goes through the owner's own tables as the people's loader does, and moves with the day it is loaded on.
"""

import datetime as dt
import uuid
from random import Random

from django.db import connection
from django.utils import timezone

from parvis.arrivals.models import Arrival
from parvis.cases.models.base import OFFICE
from parvis.demo.manifest import FLIGHTS, PLACES

EXPECTED = 34  # households on the board
#: minutes from now at which the first ones arrive; the rest is spread over the week
TODAY = (-310, -265, -190, -145, -140, -95, -50, -35, 20, 45, 70, 75, 130, 160, 205, 260)

_FOUND = """
    SELECT h.id, m.person_id, (SELECT count(*) FROM cases_householdmember o WHERE o.household_id = h.id
        AND o.until IS NULL)
    FROM cases_household h JOIN cases_householdmember m ON m.household_id = h.id AND m.relation = 'head'
        AND m.until IS NULL
    WHERE h.holder_id = %s AND h.state = 'open' AND NOT h.restricted ORDER BY h.opened_on DESC, h.id LIMIT %s
"""


def load_arrivals(now: dt.datetime | None = None, *, seed: int = 1) -> int:
    """Fill the board of the active city; returns how many households. Nothing when somebody is expected already.

    Inside the transaction in which the tables about people are unlocked (`demo.people`), or as who may see them.
    """
    if Arrival.objects.exists():
        return 0
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [OFFICE, EXPECTED])
        homes = cursor.fetchall()
        cursor.execute("SELECT id FROM accounts_user WHERE email = 'agent@example.org'")
        agent = cursor.fetchone()
    draw = Random(f"{seed}/arrivals")  # noqa: S311 - a demo holds no secret
    made = [
        _arrival(draw, number, home, head, people, now, agent[0] if agent else None)
        for number, (home, head, people) in enumerate(homes)
    ]
    Arrival.objects.bulk_create(made)
    return len(made)


def _arrival(
    draw: Random, number: int, home: uuid.UUID, head: uuid.UUID, people: int, now: dt.datetime, agent: uuid.UUID | None
) -> Arrival:
    flight, hour = draw.choice(FLIGHTS)
    if number < len(TODAY):
        at = now + dt.timedelta(minutes=TODAY[number])
    else:
        day = timezone.localdate(now) + dt.timedelta(days=1 + number % 6)
        at = dt.datetime.combine(day, dt.time.fromisoformat(hour), timezone.get_current_timezone())
    late = at < now
    state = "met" if late and number % 5 != 3 else "not_met" if late and number % 10 == 3 else "expected"
    return Arrival(
        id=uuid.UUID(int=draw.getrandbits(128), version=4), person_id=head, household_id=home,
        expected_at=at.replace(second=0, microsecond=0), timed=number % 11 != 10, flight=flight.replace(" ", ""),
        place=PLACES[number % len(PLACES)], people=people, state=state,
        met_at=at + dt.timedelta(minutes=draw.randrange(4, 40)) if state == "met" else None,
        met_by_id=agent if state == "met" else None,
    )  # fmt: skip
