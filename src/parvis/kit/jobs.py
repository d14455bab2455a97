"""Work that is not done while somebody waits: tasks (slowness) and sweeps (time). The only door to django-tasks.

A task travels with its city: `enqueue(task, ...)` notes the schema, and the worker sets it before the call.
"""

import datetime as dt
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.db import close_old_connections, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks import task
from django_tasks_db.management.commands.db_worker import Worker
from django_tenants.utils import get_public_schema_name, get_tenant_model, schema_context, tenant_context

from parvis.kit.acting import acting_as_system

log = logging.getLogger("parvis.jobs")


@contextmanager
def in_city(schema_name: str) -> Iterator[None]:
    """Work in a city as a request does: with its row, not only its schema, and by its clock: a day is a local day."""
    with schema_context(get_public_schema_name()):
        city = get_tenant_model().objects.get(schema_name=schema_name)
    with tenant_context(city), timezone.override(ZoneInfo(city.timezone)):
        yield


@task()
def run_in_city(schema_name: str, path: str, arguments: dict[str, Any]) -> Any:
    """The one task that the queue knows: call `path(**arguments)` in the schema it was enqueued from."""
    with in_city(schema_name):
        return import_string(path)(**arguments)


def enqueue(function: Callable[..., Any], **arguments: Any) -> str:
    """Queue a call of a module-level function for the present city, in the present transaction. Returns its id."""
    path = f"{function.__module__}.{function.__qualname__}"
    schema = connection.schema_name
    with schema_context(get_public_schema_name()):
        return str(run_in_city.enqueue(schema, path, arguments).id)


@dataclass(frozen=True)
class Sweep:
    """An idempotent pass over a city, every so often: `action(now)`. `apart`: it waits for others (a mail server), and
    has a thread of its own so that nothing waits for it."""

    name: str
    every: dt.timedelta
    action: Callable[[dt.datetime], Any]
    apart: bool = False


@dataclass
class Sweeps:
    """All sweeps of the installation; apps add theirs in `apps.py`."""

    known: dict[str, Sweep] = field(default_factory=dict)

    def add(self, name: str, every: dt.timedelta, action: Callable[[dt.datetime], Any], *, apart: bool = False) -> None:
        self.known[name] = Sweep(name, every, action, apart)


sweeps = Sweeps()


def sweep_city(sweep: Sweep, schema_name: str) -> bool:
    """Run one sweep in one city, as the installation itself. Returns False when another worker is at it."""
    with in_city(schema_name), acting_as_system(), alone(f"{schema_name}:{sweep.name}") as mine:
        if mine:
            sweep.action(timezone.now())
        return mine


@contextmanager
def alone(key: str) -> Iterator[bool]:
    """Hold the advisory lock `key` of the database in this block; False when somebody else does.

    The lock belongs to a transaction on a connection of its own: a session behind a pooler is not ours to lock.
    """
    connection.ensure_connection()
    with connection.Database.connect(**connection.get_connection_params()) as other:
        held = other.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key]).fetchone()
        yield bool(held and held[0])


def work(schemas: Callable[[], list[str]], beat: Callable[[], None], *, stop: threading.Event) -> None:
    """The worker's life: a thread for the queue, one for each sweep that waits for others, and this one for the other
    sweeps and for the sign of life, until `stop` is set."""
    threading.Thread(target=_queue, args=(stop,), daemon=True, name="queue").start()
    for sweep in [each for each in sweeps.known.values() if each.apart]:
        apart = (schemas, lambda: None, lambda sweep=sweep: [sweep], stop)  # type: ignore[misc]
        threading.Thread(target=_sweep, args=apart, daemon=True, name=sweep.name).start()
    _sweep(schemas, beat, lambda: [each for each in sweeps.known.values() if not each.apart], stop)


def _sweep(
    schemas: Callable[[], list[str]], beat: Callable[[], None], which: Callable[[], list[Sweep]], stop: threading.Event
) -> None:
    due: dict[tuple[str, str], float] = {}
    while not stop.is_set():
        try:
            close_old_connections()
            beat()
            for schema in schemas():
                for sweep in which():
                    if time.monotonic() < due.get((schema, sweep.name), 0.0):
                        continue
                    # a little chance, so that a hundred cities do not all sweep in the same second
                    pause = sweep.every.total_seconds() * random.uniform(0.95, 1.05)  # noqa: S311
                    due[schema, sweep.name] = time.monotonic() + pause
                    try:
                        sweep_city(sweep, schema)
                    except Exception:
                        log.exception("the sweep %s failed in %s", sweep.name, schema)
        except Exception:
            log.exception("the worker lost the database; it goes on trying")
            connection.close()
        stop.wait(1.0)


def _queue(stop: threading.Event) -> None:
    while not stop.is_set():
        worker = Worker(
            queue_names=["*"], interval=1.0, batch=False, backend_name="default", startup_delay=False,
            max_tasks=None, worker_id=f"parvis-{random.getrandbits(32):08x}", excluded_queue_names=[],
        )  # fmt: skip
        threading.Thread(target=_stop_with, args=(worker, stop), daemon=True).start()
        try:
            worker.run()
        except Exception:
            log.exception("the queue stopped; it starts again")
            connection.close()
            stop.wait(2.0)


def _stop_with(worker: Worker, stop: threading.Event) -> None:
    stop.wait()
    worker.running = False
