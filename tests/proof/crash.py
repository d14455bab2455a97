"""The processes that the proof of kill -9 starts, on a home of their own: `python -m tests.proof.crash WHAT ...`.

prepare: an installation with one city and one agent. keep: hold its PostgreSQL up. write: open households through the
action, one after the other, telling each on standard output once it is acknowledged. check: count what is there.
"""

import json
import os
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

CITY = os.environ.get("PROOF_CITY", "essai")
#: whose households are written and counted: one account a proof, since a city may serve several
ACCOUNT = os.environ.get("PROOF_ACCOUNT", "crash")


def prepare(password: str = "") -> None:
    from parvis.site.boot import boot

    urls = boot("owner")
    from django.db import connection

    from parvis.cities.actions import add_city, migrate_all
    from tests.accounts.people import open_account

    migrate_all(urls.roles())
    city = add_city(CITY, name="Essai", domains=["essai.localhost"], languages=["fr"], roles=urls.roles())
    connection.set_tenant(city)
    open_account(ACCOUNT, "agent", password=password or None)


def keep() -> None:
    from parvis.kit.server import databases

    urls = databases(Path(os.environ["PARVIS_HOME"]))
    print(json.dumps(urls.handed_down("app", "worker", "public", "audit", "backup")), flush=True)
    sys.stdin.read()  # until the proof lets go


def write(way: str) -> None:
    """`way`: "after" tells of a write once it is committed; "before" is the control that tells too early."""
    from parvis.site.boot import boot

    boot("app")
    from django.db import Error, connection, transaction

    from parvis.accounts.models import User
    from parvis.cases.actions import people
    from parvis.cases.actions.people import NewHousehold, NewPerson
    from parvis.cases.models.base import OFFICE
    from parvis.kit.acting import acting
    from tests.cases.story import TODAY

    by = None
    while True:
        mark = uuid.uuid4().hex
        try:
            if by is None:
                connection.set_schema(CITY)
                by = User.objects.get(email=f"{ACCOUNT}@example.org")
                print("began", flush=True)
            with acting(by), transaction.atomic():
                people.open_household(NewHousehold(OFFICE, [NewPerson("Amina", name_latin=mark)], TODAY), by=by)
                if way == "before":
                    print(mark, flush=True)
                    time.sleep(0.05)  # whatever an answer does on its way: the time in which a kill loses it
            if way == "after":
                print(mark, flush=True)
        except Error:
            connection.close()
            by = None
            time.sleep(0.05)


def check(column: str = "name_latin") -> None:
    """What is there, as JSON: marks (in `column`) and how often, events per household, breaks of the ledger."""
    from parvis.site.boot import boot

    boot("worker")
    from django.db import connection, transaction

    from parvis.accounts.models import User
    from parvis.cases.models import Access, Household, Person, PersonKey
    from parvis.kit.acting import acting_as_system
    from parvis.ledger import queries
    from parvis.ledger.models import Event

    connection.set_schema(CITY)
    with acting_as_system(), transaction.atomic():
        by = User.objects.get(email=f"{ACCOUNT}@example.org")
        opened = Event.objects.filter(code="cases.household.opened", actor=by)
        events = Counter(opened.values_list("object_id", flat=True))
        homes = set(Household.objects.filter(lead_worker=by).values_list("pk", flat=True))
        people = Person.objects.filter(householdmembers__household__in=homes)
        told = {
            "marks": Counter(people.values_list(column, flat=True)),
            "households": len(homes),
            "untold": len(homes - set(events)),
            "told_of_nothing": len(set(events) - homes),
            "told_twice": sum(number > 1 for number in events.values()),
            "keys": PersonKey.objects.filter(person__in=people).count(),
            "own": Access.objects.filter(basis="own", person__in=people).count(),
        }
    told["breaks"] = [str(found) for found in queries.verify() if isinstance(found, queries.Break)]
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    {"prepare": prepare, "keep": keep, "write": write, "check": check}[sys.argv[1]](*sys.argv[2:])
