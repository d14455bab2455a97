"""The ledger finds what was changed, removed or re-ordered; and is not to be written outside a transaction."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from parvis.ledger.actions import record
from parvis.ledger.models import Event
from parvis.ledger.queries import Break, history, verify
from parvis.orgs.models import Organization
from tests.conftest import URLS

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def organization(name: str) -> Organization:
    return Organization.objects.create(name=name, changed_at=NOW)


def breaks() -> list[Break]:
    return [found for found in verify() if isinstance(found, Break)]


def owner_of_this_database() -> str:
    return psycopg.conninfo.make_conninfo(URLS.owner, dbname=connection.settings_dict["NAME"])


def write() -> Organization:
    alice = organization("Alice")
    for number in range(4):
        record(
            "orgs.organization.edited",
            alice,
            by="test",
            before={"n": number},
            after={"n": number + 1, "é": "ع"},
        )
    record("orgs.organization.edited", organization("Bob"), by="test", after={"at": NOW, "x": 1.5, "nul": "a\0b"})
    return alice


@pytest.fixture
def written(city: Any) -> Organization:
    return write()


def test_an_unbroken_ledger_says_so(written: Organization) -> None:
    assert list(verify()) == [5]
    assert [event.after["n"] for event in history(None, written.pk)] == [4, 3, 2, 1]


TAMPERINGS = {
    "a changed value": "UPDATE ledger_event SET after = '{\"n\": 99}' WHERE id = (SELECT min(id) FROM ledger_event)",
    "a changed reason": "UPDATE ledger_event SET reason = 'x' WHERE id = (SELECT max(id) FROM ledger_event)",
    "a changed actor": "UPDATE ledger_event SET actor_label = 'me' WHERE id = (SELECT max(id) FROM ledger_event)",
    "a removed row": "DELETE FROM ledger_event WHERE id = (SELECT min(id) + 1 FROM ledger_event)",
    "a cut tail": "DELETE FROM ledger_event WHERE id = (SELECT max(id) FROM ledger_event)",
    "two rows exchanged": "UPDATE ledger_event SET position = 5 - position WHERE position IN (2, 3)",
}


def test_tampering_is_found(fresh_city: Any) -> None:
    """Played by somebody with the owner's password and the triggers off; control: the untouched ledger is whole."""
    with transaction.atomic():
        write()
    schema = fresh_city.schema_name
    with psycopg.connect(owner_of_this_database(), autocommit=True) as owner:
        owner.execute(f"SET search_path TO {schema}")
        owner.execute("CREATE TABLE kept AS TABLE ledger_event")
        owner.execute("ALTER TABLE ledger_event DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE ledger_event DROP CONSTRAINT ledger_one_position")
        for name, tamper in TAMPERINGS.items():
            assert not breaks(), name
            assert owner.execute(tamper).rowcount > 0, name
            assert breaks(), name
            owner.execute("DELETE FROM ledger_event")
            owner.execute("INSERT INTO ledger_event SELECT * FROM kept")
    assert not breaks()


@pytest.mark.parametrize("statement", ["UPDATE ledger_event SET reason = 'x'", "DELETE FROM ledger_event",
                                       "TRUNCATE ledger_event"])  # fmt: skip
def test_neither_the_app_nor_the_owner_rewrites(fresh_city: Any, statement: str) -> None:
    with transaction.atomic():
        write()
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)
    with psycopg.connect(owner_of_this_database(), autocommit=True) as owner:
        owner.execute(f"SET search_path TO {fresh_city.schema_name}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(statement)


def test_no_event_without_a_transaction(fresh_city: Any) -> None:
    found = organization("Charlie")
    with pytest.raises(transaction.TransactionManagementError):
        record("orgs.organization.edited", found, by="test")
    assert Event.objects.count() == 0


def test_an_event_goes_when_its_write_goes(city: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("orgs.organization.added", organization("Dan"), by="test")
        raise ZeroDivisionError
    assert Event.objects.count() == 0
