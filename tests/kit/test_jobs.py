"""A task runs in the city that asked for it; a sweep runs once at a time."""

import datetime as dt
import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name, schema_context

from parvis.kit import jobs
from parvis.orgs.models import Organization

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def add_organization(name: str) -> str:
    """What the test's task does (a task is a function that can be found by its path)."""
    Organization.objects.create(name=name, changed_at=NOW)
    return connection.schema_name


def waiting() -> int:
    from django_tasks_db.models import DBTaskResult

    with schema_context(get_public_schema_name()):
        return DBTaskResult.objects.filter(status="READY").count()


def run_worker(schema: str, seconds: float, until: Any) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=jobs.work, args=(lambda: [schema], lambda: None), kwargs={"stop": stop})
    thread.start()
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    thread.join(5)


def test_a_task_runs_in_its_city(fresh_city: Any) -> None:
    jobs.enqueue(add_organization, name="Maison de Bob")
    run_worker(fresh_city.schema_name, 15, Organization.objects.exists)
    assert Organization.objects.get().name == "Maison de Bob"


def test_a_task_goes_with_its_transaction(fresh_city: Any) -> None:
    before = waiting()
    try:
        with transaction.atomic():
            jobs.enqueue(add_organization, name="never")
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert waiting() == before


def test_a_sweep_is_not_run_twice_at_once(fresh_city: Any) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(_now: dt.datetime) -> None:
        inside.set()
        leave.wait(10)

    first = threading.Thread(target=jobs.sweep_city, args=(jobs.Sweep("slow", NOW - NOW, slow), fresh_city.schema_name))
    first.start()
    assert inside.wait(10)
    ran: list[dt.datetime] = []
    again = jobs.Sweep("slow", NOW - NOW, ran.append)
    assert jobs.sweep_city(again, fresh_city.schema_name) is False and not ran
    leave.set()
    first.join(10)
    assert jobs.sweep_city(again, fresh_city.schema_name) is True and len(ran) == 1


def test_a_sweep_that_fails_does_not_stop_the_others(fresh_city: Any) -> None:
    ran: list[str] = []

    def broken(_now: dt.datetime) -> None:
        raise ZeroDivisionError

    known = dict(jobs.sweeps.known)
    jobs.sweeps.known.clear()
    try:
        jobs.sweeps.add("broken", dt.timedelta(seconds=1), broken)
        jobs.sweeps.add("fine", dt.timedelta(seconds=1), lambda now: ran.append("fine"))
        run_worker(fresh_city.schema_name, 10, lambda: len(ran) > 1)
    finally:
        jobs.sweeps.known.clear()
        jobs.sweeps.known.update(known)
    assert len(ran) > 1


@pytest.mark.parametrize("apart", [True, False], ids=["apart", "control: not apart"])
def test_a_sweep_that_waits_for_somebody_else_stops_nothing(monkeypatch: Any, apart: bool) -> None:
    """A mail server that hangs costs its own thread. Not apart, it would stop all that follows."""
    let_go, reached, stop = threading.Event(), threading.Event(), threading.Event()
    known = jobs.Sweeps()
    known.add("hangs", dt.timedelta(seconds=0), lambda now: let_go.wait(10), apart=apart)
    known.add("goes on", dt.timedelta(seconds=0), lambda now: reached.set())
    monkeypatch.setattr(jobs, "sweeps", known)
    monkeypatch.setattr(jobs, "_queue", lambda stop: None)
    monkeypatch.setattr(jobs, "close_old_connections", lambda: None)
    monkeypatch.setattr(jobs, "sweep_city", lambda sweep, schema: sweep.action(dt.datetime.now(dt.UTC)))
    beats: list[int] = []
    life = threading.Thread(target=jobs.work, args=(lambda: ["a city"], lambda: beats.append(1)), kwargs={"stop": stop})
    life.start()
    try:
        assert reached.wait(3 if apart else 1.5) is apart
        assert beats
    finally:
        let_go.set()
        stop.set()
        life.join(15)
