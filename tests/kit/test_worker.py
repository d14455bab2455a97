"""Every sweep of every room, and the tasks of plans, as the worker role: it owns nothing, and acts as the installation.

What reads people outside a transaction finds no context there and fails: a test as the app role does not see it.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from parvis.cases.models import Household
from parvis.kit.acting import acting
from parvis.kit.jobs import sweeps
from parvis.network import actions as network
from parvis.network.models import Alike, Review
from parvis.orgs.models import Organization
from parvis.plans import editing, versions
from parvis.plans.models import Plan, Step
from tests.accounts.people import open_account
from tests.cases.story import opened
from tests.conftest import ROOT, URLS


def worker(city: Any, version: str) -> dict[str, str]:
    name = connection.settings_dict["NAME"]
    env = {
        **os.environ,
        "PARVIS_WORKER_DSN": make_conninfo(URLS.worker, dbname=name),
        "PYTHONPATH": f"{ROOT}/src:{ROOT}",
    }
    env.pop("PARVIS_DSN", None)
    said = subprocess.run(
        [sys.executable, "-m", "tests.kit.worker", city.schema_name, version],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]


def _asked(carol: Any) -> Review:
    """An organization that was asked eight days ago, and another of nearly its name."""
    now = timezone.now()
    house = Organization.objects.create(name="Maison des Ormes", email="ormes@example.org", changed_at=now)
    Organization.objects.create(name="La maison des Ormes", changed_at=now)
    review = network.begin(house, by=carol)
    Review.objects.update(stage_at=now - dt.timedelta(days=8))
    return review


def test_the_worker_runs_every_sweep_and_puts_open_plans_on_a_new_version(fresh_city: Any) -> None:
    alice, carol = open_account("alice", "agent"), open_account("carol", "coordinator")
    earlier, home = opened(alice), opened(alice)
    with acting(alice), transaction.atomic():  # the latest file is asked first
        Household.objects.filter(pk=earlier.pk).update(opened_on=home.opened_on - dt.timedelta(days=9))
    row = editing.row_of(editing.shown().data, "G44") or {}
    editing.save_step({**row, "days": 12}, by=carol, code="G44")
    version = editing.publish(by=carol, note="twelve days")
    with acting(alice), transaction.atomic():
        assert Plan.objects.get(household=home).protocol_id != version.pk  # the control: it keeps its own
    asked = _asked(carol)
    told = worker(fresh_city, str(version.pk))
    assert told.pop("measure").startswith("1 households"), told
    assert told.pop("rederive").startswith("1 households"), told
    assert told == {f"sweep {name}": "ran" for name in sweeps.known}
    asked.refresh_from_db()
    assert asked.stage == "reminded" and asked.links.count() == 2
    assert Alike.objects.get().kind == "organization"
    with acting(alice), transaction.atomic():
        assert Plan.objects.get(household=home).protocol_id == version.pk == versions.current().pk
        assert Plan.objects.get(household=earlier).protocol_id != version.pk  # one was asked for
        assert Step.objects.filter(household=home).exists()
