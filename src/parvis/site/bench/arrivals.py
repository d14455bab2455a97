"""Importing 10,000 people, with the search for their duplicates among 100,000 who are there, beside COPYing the same
rows into the same tables and sending the search alone.

Both sides write into the tables as they are, with their keys, indexes and triggers (the access projection is made by
triggers, for COPY too). COPY is refused under row-level security: the superuser's session, which no policy binds,
copies. The plans that an import derives are left out on both sides: they have a round of their own.
"""

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import psycopg

from parvis.site.bench.meter import spent, tree
from parvis.site.bench.rounds import Line, at_most

ARRIVING = 10_000
THERE = 100_000
NAME = "bench_arrivals"
#: what an import writes about people, parents first; cases_access is made from them by triggers
TABLES = (
    "cases_household", "cases_person", "cases_householdmember", "cases_personkey", "cases_spokenlanguage",
    "cases_address", "cases_searchtoken", "arrivals_paperend", "arrivals_arrival", "arrivals_manifestrow",
    "ledger_event",
)  # fmt: skip


def import_against_copy(
    folder: Path,
    env: dict[str, str],
    postmaster: int,
    say: Callable[[str], None],
    people: int = ARRIVING,
    there: int = THERE,
) -> list[Line]:
    """Read, match and import a list of `people` in a city of `there`; then COPY what it wrote, and the search alone.

    Django is set up as the app role; the city NAME exists and is empty.
    """
    say(f"a city of {there} people")
    subprocess.run([sys.executable, "-m", "parvis", "demo", "--city", NAME, "--services", "20", "--people", str(there)],
                   env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    from django.db import connection, transaction

    from parvis.accounts.actions import add_user
    from parvis.accounts.models import User
    from parvis.arrivals import queries
    from parvis.arrivals.actions import importing, manifests
    from parvis.arrivals.reading import read
    from parvis.cases.models.base import OFFICE
    from parvis.cities.queries import city
    from parvis.demo.manifest import workbook
    from parvis.kit.acting import acting

    connection.set_tenant(city(NAME))
    by = User.objects.filter(email="bench@example.org").first() or add_user(
        "bench@example.org", name="Bench", role="agent", password=os.urandom(12).hex(), by="bench", language="fr"
    )
    data = workbook(people, seed=int(time.time()), on=dt.date.today())
    say(f"reading and matching {people} rows")
    started, began = time.perf_counter(), _cpu(postmaster)
    with acting(by), transaction.atomic():
        manifest, _new = manifests.bring(read(data, name="bench.xlsx"), holder=OFFICE, by=by)
        likely = manifest.rows.exclude(candidates=[]).count()
        waiting = manifest.rows.filter(queries.UNDECIDED)
        manifests.decide_all(manifest, waiting, by=by)
        importing.ask(manifest, by=by, queue=False)
    prepared = time.perf_counter() - started
    say(f"importing {people} people")
    with acting(by), patch("parvis.plans.actions._follow"):
        importing.run(manifest, by=by)
    wall, used = time.perf_counter() - started, _cpu(postmaster) - began
    say("the same rows by COPY")
    copied, copying, rows = _copied(folder, manifest.pk, postmaster)
    say("the search alone")
    searched, searching = _searched(by, manifest, data, postmaster)
    connection.close()
    told = f"COPY of {rows} rows {copied:.1f} s and the search {searched:.1f} s; {likely} likely duplicates"
    return [
        Line(f"import of {people} arriving people among {there}", round(wall, 1), "s",
             f"{prepared:.1f} s read, matched and staged"),
        at_most("import of arriving people: time to COPY and search", wall / (copied + searched), 3, "x", told),
        at_most("import of arriving people: CPU to COPY and search", used / (copying + searching), 3, "x",
                f"{used:.1f} s against {copying:.1f} s and {searching:.1f} s"),
    ]  # fmt: skip


def _superuser(folder: Path) -> str:
    from parvis.kit.server import Secrets
    from parvis.site.boot import boot

    parts = urlsplit(boot("app").app)
    password = Secrets(folder).get("database-postgres")
    return urlunsplit(parts._replace(netloc=f"postgres:{password}@{parts.netloc.rpartition('@')[2]}"))


#: the rows of one import, by table: those of its households, people and list
_OF = {
    "cases_household": "id IN (SELECT household FROM arrivals_manifestrow WHERE manifest_id = '{0}')",
    "cases_person": "id IN (SELECT became FROM arrivals_manifestrow WHERE manifest_id = '{0}')",
    "arrivals_manifestrow": "manifest_id = '{0}'",
    "arrivals_arrival": "manifest_id = '{0}'",
    "ledger_event": "object_id IN (SELECT became FROM arrivals_manifestrow WHERE manifest_id = '{0}' UNION ALL SELECT"
    " household FROM arrivals_manifestrow WHERE manifest_id = '{0}')",
}
_OF_PERSONS = "person_id IN (SELECT became FROM arrivals_manifestrow WHERE manifest_id = '{0}')"


def _cpu(postmaster: int) -> float:
    """Seconds of CPU of this process and of PostgreSQL until now."""
    return time.process_time() + spent(tree(postmaster))


def _copied(folder: Path, manifest: Any, postmaster: int) -> tuple[float, float, int]:
    """Seconds and CPU in which COPY writes again what the import wrote, and how many rows; taken back at its end."""
    held: dict[str, bytes] = {}
    with psycopg.connect(_superuser(folder)) as connection:
        connection.execute(f"SET search_path = {NAME}, public")
        for table in TABLES:
            which = _OF.get(table, _OF_PERSONS).format(manifest)
            with connection.cursor().copy(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT") as copy:
                held[table] = b"".join(bytes(block) for block in copy)
        connection.execute("SET session_replication_role = replica")  # what forbids deletion is not what is measured
        for table in (*reversed(TABLES), "cases_access"):
            which = _OF.get(table, _OF_PERSONS).format(manifest)
            if table == "arrivals_manifestrow":
                continue
            connection.execute(f"DELETE FROM {table} WHERE {which}")
        connection.execute(f"DELETE FROM arrivals_manifestrow WHERE manifest_id = '{manifest}'")
        connection.execute("SET session_replication_role = origin")
        started, began, rows = time.perf_counter(), _cpu(postmaster), 0
        with connection.cursor() as cursor:
            for table in TABLES:
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(held[table])
                rows += cursor.rowcount
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        wall, used = time.perf_counter() - started, _cpu(postmaster) - began
        connection.rollback()
    return wall, used, rows


def _searched(by: Any, manifest: Any, data: bytes, postmaster: int) -> tuple[float, float]:
    """Seconds and CPU of the one statement that finds who may be whom, under row-level security."""
    from django.db import connection, transaction
    from django.utils import timezone

    from parvis.arrivals.actions import manifests
    from parvis.arrivals.reading import read
    from parvis.core import manifest as lists
    from parvis.kit.acting import acting

    cells = read(data, name="bench.xlsx").cells
    people = lists.read(cells, manifests.layout_of(manifest), today=timezone.localdate())
    asked = manifests.asked_tokens(people, manifest.holder_id)
    with acting(by), transaction.atomic(), connection.cursor() as cursor:
        started, began = time.perf_counter(), _cpu(postmaster)
        cursor.execute(manifests.LIKELY, asked)
        cursor.fetchall()
        return time.perf_counter() - started, _cpu(postmaster) - began
