"""kill -9 of the worker in the middle of an import: nothing is there, and it can be run again."""

import os
import signal
import subprocess
import sys
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from parvis.arrivals import queries
from parvis.arrivals.actions import importing
from parvis.arrivals.models import Arrival, ImportProgress, Manifest
from parvis.cases.models import Household, Person, SearchToken
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.arrivals import story
from tests.conftest import ROOT, URLS

pytestmark = pytest.mark.slow


def worker(city: Any, manifest: Manifest, stop_at: str) -> subprocess.Popen[str]:
    name = connection.settings_dict["NAME"]
    dsns = {f"PARVIS_{role}_DSN": make_conninfo(getattr(URLS, role.lower()), dbname=name)
            for role in ("APP", "WORKER", "PUBLIC")}  # fmt: skip
    env = {**os.environ, **dsns, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR"}
    env.pop("PARVIS_DSN", None)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.arrivals.killed", city.schema_name, str(manifest.pk), stop_at],
        env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def there(by: Any) -> dict[str, int]:
    with acting(by), transaction.atomic():
        models = (Person, Household, Arrival, SearchToken)
        found = {model.__name__: model.objects.count() for model in models}
        return found | {"told": Event.objects.filter(code="cases.person.opened").count()}


def test_a_killed_import_leaves_nothing_and_runs_again(fresh_city: Any, django_db_blocker: Any) -> None:
    timezone.activate(ZoneInfo(fresh_city.timezone))
    with django_db_blocker.unblock():
        alice = open_account("alice", "agent")
        manifest = story.brought(alice, story.large(120), "list.xlsx")
        with acting(alice), transaction.atomic():
            importing.ask(manifest, by=alice, queue=False)
        for attempt, step in enumerate(("people", "ledger"), 1):
            process = worker(fresh_city, manifest, step)
            assert process.stdout and process.stdout.readline().strip() == step
            with acting(alice), transaction.atomic():  # others see how far it is, and none of the people
                beside = queries.progress(manifest)
                assert beside and (beside.step, beside.attempts) == (step, attempt)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(20)
            assert not any(there(alice).values()), step
            with acting(alice), transaction.atomic():
                assert Manifest.objects.get(pk=manifest.pk).state == Manifest.State.IMPORTING
        process = worker(fresh_city, manifest, "never")
        assert process.communicate(timeout=120)[0].strip() == "done" and process.returncode == 0
        found = there(alice)
        assert found["Person"] == found["told"] == 120 and found["Household"] > 20, "the control: it does write"
        again = worker(fresh_city, manifest, "never")
        assert again.communicate(timeout=120)[0].strip() == "done"
        assert there(alice) == found
        with acting(alice), transaction.atomic():
            hours = {timezone.localtime(each.expected_at).hour for each in Arrival.objects.filter(timed=True)}
            assert hours <= {11, 14, 16, 19, 21}, "hours of the list are the city's, also in the worker"
            assert ImportProgress.objects.get(pk=manifest.pk).attempts == 3
            assert {one.outcome for one in queries.ends(alice, manifest)} == {"created"}
