"""The ledger finds what was changed, removed or re-ordered; and is not to be written outside a transaction."""

import datetime as dt
import threading
import uuid
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.ledger.actions import MANY, Entry, record, record_many
from parvis.ledger.chain import JSON_FORM, TEXT_FORM, Json
from parvis.ledger.models import Event
from parvis.ledger.queries import Break, Stored, history, verify
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


def test_thousands_are_sealed_here_and_a_few_in_the_database(city: Any) -> None:
    """Both forms of the hash stand in one chain, and both are judged."""
    with transaction.atomic():
        for number in (1, MANY, 3):
            record_many(
                (Entry("orgs.organization.edited", "orgs.organization", uuid.UUID(int=16), None, {"n": n}, "é")
                 for n in range(number)), by="test",
            )  # fmt: skip
    assert list(verify()) == [MANY + 4]
    forms = Event.objects.order_by("position").values_list("form", flat=True)
    assert list(forms) == [TEXT_FORM, *[JSON_FORM] * MANY, *[TEXT_FORM] * 3]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
values = st.none() | st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.lists(texts)
)


@given(texts, texts, texts, texts, values, values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_whatever_is_said_is_sealed_alike_in_both_languages(
    city: Any, label: str, code: str, kind: str, reason: str, before: Json, after: Json
) -> None:
    """`ledger_append` and `seal_text` are the same sum; a part that moves into its neighbour changes it."""
    with transaction.atomic():
        record_many([Entry(code, kind, uuid.uuid4(), before, after, reason)], by=label)
    assert not breaks()
    row = Stored(0, 1, NOW, None, "a", "bc", "d", uuid.UUID(int=0), None, "{}", "", TEXT_FORM, b"", b"")
    assert row.sealed() != replace(row, label="ab", code="c").sealed()
    assert row.sealed() != replace(row, before="{}", after=None).sealed()


def test_verifying_while_others_write_finds_nothing(fresh_city: Any) -> None:
    stop = threading.Event()

    def writer() -> None:
        connection.set_tenant(fresh_city)
        while not stop.is_set():
            with transaction.atomic():
                record_many([Entry("a", "b", uuid.uuid4()) for _ in range(3)], by="test")
        connection.close()

    threads = [threading.Thread(target=writer) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        found = [list(verify()) for _ in range(15)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not [each for each in found if len(each) > 1]
    assert found[-1] > found[0]  # the control: they did write


TAMPERINGS = {
    "a changed value": "UPDATE ledger_event SET after = '{\"n\": 99}' WHERE id = (SELECT min(id) FROM ledger_event)",
    "a changed reason": "UPDATE ledger_event SET reason = 'x' WHERE id = (SELECT max(id) FROM ledger_event)",
    "a changed actor": "UPDATE ledger_event SET actor_label = 'me' WHERE id = (SELECT max(id) FROM ledger_event)",
    "a removed row": "DELETE FROM ledger_event WHERE id = (SELECT min(id) + 1 FROM ledger_event)",
    "a cut tail": "DELETE FROM ledger_event WHERE id = (SELECT max(id) FROM ledger_event)",
    "the form of the hash": "UPDATE ledger_event SET form = 1 WHERE id = (SELECT max(id) FROM ledger_event)",
    "a head taken back": "UPDATE ledger_head SET position = position - 1 WHERE position > 1",
    "another head": "UPDATE ledger_head SET hash = decode(repeat('11', 32), 'hex') WHERE position > 0",
    "no head": "DELETE FROM ledger_head WHERE position > 0",
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
        owner.execute("CREATE TABLE kept_heads AS TABLE ledger_head")
        owner.execute("ALTER TABLE ledger_event DISABLE TRIGGER USER, NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE ledger_event DROP CONSTRAINT ledger_one_position")
        for name, tamper in TAMPERINGS.items():
            assert not breaks(), name
            assert owner.execute(tamper).rowcount > 0, name
            assert breaks(), name
            owner.execute("DELETE FROM ledger_event")
            owner.execute("INSERT INTO ledger_event SELECT * FROM kept")
            owner.execute("DELETE FROM ledger_head")
            owner.execute("INSERT INTO ledger_head SELECT * FROM kept_heads")
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
        # its policies show the owner no row; without them, the triggers stand
        owner.execute("ALTER TABLE ledger_event NO FORCE ROW LEVEL SECURITY")
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
