"""The last place is had once: many connections of the app role race for the places of one service.

Each attempt is the statement of `referrals.actions` in a transaction of its own. The control reads first and writes
then, as code does that trusts what it has seen: it hands out more than there is.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql
from psycopg.conninfo import make_conninfo

from parvis.directory.models import Service
from parvis.orgs.models import Organization
from parvis.referrals.actions import PLACE
from parvis.referrals.models import ServiceIntake
from tests.conftest import URLS

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")
Take = Callable[[psycopg.Connection[Any], uuid.UUID], bool]


def take(held: psycopg.Connection[Any], service: uuid.UUID) -> bool:
    return held.execute(PLACE, {"service": service, "held": 0, "taken": 1}).rowcount == 1


def trusting(held: psycopg.Connection[Any], service: uuid.UUID) -> bool:
    """What it has read is what it writes on."""
    asked = "SELECT offered, taken FROM referrals_serviceintake WHERE service_id = %s"
    offered, taken = held.execute(asked, [service]).fetchone() or (0, 0)
    if taken >= offered:
        return False
    held.execute("UPDATE referrals_serviceintake SET taken = %s WHERE service_id = %s", [taken + 1, service])
    return True


def race(city: Any, blocker: Any, how: Take, *, places: int, attempts: int, connections: int) -> tuple[int, int]:
    """How many were told that they have a place, and how many the row says are taken."""
    with blocker.unblock():
        connection.set_tenant(city)
        now = timezone.now()
        house = Organization.objects.create(name="Course", changed_at=now)
        service = Service.objects.create(name="Course", organization=house, status="active", changed_at=now)
        ServiceIntake.objects.create(service=service, offered=places)
        dsn = make_conninfo(URLS.app, dbname=connection.settings_dict["NAME"])
    had: list[int] = []
    together = threading.Barrier(connections)

    def compete() -> None:
        with psycopg.connect(dsn, autocommit=True) as held:
            held.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(city.schema_name)))
            together.wait(60)
            won = 0
            for _number in range(attempts // connections):
                with held.transaction():
                    won += how(held, service.pk)
            had.append(won)

    threads = [threading.Thread(target=compete) for _number in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(300)
    with blocker.unblock():
        taken = ServiceIntake.objects.get(service=service).taken
        connection.close()
    assert len(had) == connections
    return sum(had), taken


def _never_more_than_there_are(city: Any, blocker: Any, figure: Figure, **size: int) -> None:
    won, taken = race(city, blocker, take, **size)
    figure(**size, had=won, over_allocated=max(0, won - size["places"]))
    assert won == taken == size["places"]


def test_the_last_place_is_had_once(proof_city: Any, django_db_blocker: Any, figure: Figure) -> None:
    _never_more_than_there_are(proof_city, django_db_blocker, figure, places=37, attempts=800, connections=8)


@pytest.mark.long
def test_the_last_place_is_had_once_in_ten_thousand(proof_city: Any, django_db_blocker: Any, figure: Figure) -> None:
    _never_more_than_there_are(proof_city, django_db_blocker, figure, places=500, attempts=10_000, connections=40)


def test_who_trusts_what_they_read_hands_out_more(proof_city: Any, django_db_blocker: Any, figure: Figure) -> None:
    """The control."""
    won, taken = race(proof_city, django_db_blocker, trusting, places=200, attempts=1600, connections=8)
    figure(had=won, places=200, over_allocated=won - 200)
    assert won > 200 >= taken
