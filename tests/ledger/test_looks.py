"""Looks are events, told once an hour."""

import datetime as dt
import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from parvis.accounts.models import User
from parvis.ledger.actions import record, seen
from parvis.ledger.models import Event
from parvis.ledger.queries import lookers, verify
from parvis.orgs.models import Organization

NOW = dt.datetime(2026, 11, 23, 12, 10, tzinfo=dt.UTC)


def organization(name: str) -> Organization:
    return Organization.objects.create(name=name, changed_at=NOW)


def user(name: str) -> User:
    return User.objects.create(email=f"{name}@example.org", name=name)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def test_a_look_is_told_once_an_hour(city: Any, clock: Any) -> None:
    file, alice, bob = organization("Charlie's"), user("alice"), user("bob")
    assert seen(file, by=alice, reason="follow-up") == 1
    assert seen(file, by=alice, reason="follow-up") == 0
    assert seen(file, by=bob, reason="follow-up") == 1  # somebody else
    assert seen(file, by=alice, reason="emergency") == 1  # another reason
    assert seen(file, by="export") == 1  # a machine
    assert seen(file, by="export") == 0
    clock.move_to(NOW + dt.timedelta(minutes=49))
    assert seen(file, by=alice, reason="follow-up") == 0
    clock.move_to(NOW + dt.timedelta(minutes=50))  # 13:00
    assert seen(file, by=alice, reason="follow-up") == 1
    assert list(verify()) == [5]


def test_a_field_that_was_not_shown_yet_is_told(city: Any, clock: Any) -> None:
    file, alice = organization("Charlie's"), user("alice")
    assert seen(file, by=alice, fields=["name", "phone"]) == 1
    assert seen(file, by=alice, fields=["phone"]) == 0
    assert seen(file, by=alice) == 0
    assert seen(file, by=alice, fields=["phone", "status"]) == 1
    assert seen(file, by=alice, fields=["status", "name"]) == 0


def test_the_persons_view_says_who_when_and_why(city: Any, clock: Any) -> None:
    file, other, alice, bob = organization("Charlie's"), organization("Dan's"), user("alice"), user("bob")
    seen(file, by=alice, reason="follow-up", fields=["phone", "name"])
    record("orgs.organization.edited", file, by=alice, after={"fields": ["name"]})  # a write is not a look
    clock.shift(60)
    seen([file, other], by=bob, code="cases.seen")
    found = lookers(file.pk)
    assert [(look.who, look.when, look.why, look.code, look.fields) for look in found] == [
        (bob, NOW + dt.timedelta(minutes=1), "", "cases.seen", ()),
        (alice, NOW, "follow-up", "orgs.seen", ("name", "phone")),
    ]
    assert len(lookers(file.pk, limit=1)) == 1


def test_a_page_of_fifty_costs_two_questions(city: Any, django_assert_num_queries: Any) -> None:
    alice, page = user("alice"), [uuid.uuid4() for _ in range(50)]
    with transaction.atomic():
        with django_assert_num_queries(4):  # savepoint, what is told already, all events at once, savepoint
            assert seen(page, by=alice, of=Organization) == 50
        with django_assert_num_queries(3):
            assert seen([*page, page[0]], by=alice, of=Organization) == 0
    assert list(verify()) == [50]
    assert set(Event.objects.values_list("object_type", "code")) == {("orgs.organization", "orgs.seen")}


def test_a_look_says_who_and_what_it_is(city: Any) -> None:
    alice = user("alice")
    for wrong in (
        lambda: seen(alice, by=None),
        lambda: seen([uuid.uuid4()], by=alice),
        lambda: seen(alice, by=alice, code="accounts.opened"),
    ):
        with pytest.raises(ValueError):
            wrong()
    assert seen([], by=alice) == 0
    assert not Event.objects.exists()


def test_looks_have_an_index_of_their_own(city: Any) -> None:
    def plan(question: Any) -> str:
        return str(question.explain())

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    looks = Event.objects.filter(object_id=uuid.uuid4(), code__endswith=".seen").order_by("-at")
    assert "ledger_look" in plan(looks) and "Sort" not in plan(looks)
    assert "ledger_look" not in plan(Event.objects.filter(object_id=uuid.uuid4()).order_by("-id"))  # the control
