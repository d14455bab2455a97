"""Accounts are opened, changed and closed by actions; each leaves an event."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from parvis.accounts import actions
from parvis.accounts.actions import Refused, add_user
from parvis.accounts.models import User
from parvis.accounts.rules import Denied
from parvis.ledger.queries import history

PASSWORD = "une grande maison bleue"


def add(email: str, role: str = "", **more: Any) -> User:
    return add_user(email, name=email.partition("@")[0].title(), role=role, password=PASSWORD, by="test", **more)


def codes(user: User) -> list[str]:
    return [event.code for event in history(None, user.pk)]


def test_an_address_has_one_account_in_a_city_and_another_in_another(city: Any, other_city: Any) -> None:
    add("alice@example.org", "agent")
    with pytest.raises(Refused):
        add("ALICE@example.org")
    connection.set_tenant(other_city)
    assert User.objects.count() == 0
    add("alice@example.org")


def test_only_an_administrator_opens_and_closes_accounts(city: Any) -> None:
    alice, bob = add("alice@example.org", "administrator"), add("bob@example.org", "coordinator")
    for attempt in (
        lambda: add_user("x@example.org", name="X", role="agent", password=None, by=bob),
        lambda: actions.suspend(alice, by=bob),
        lambda: actions.change_role(alice, "agent", by=bob),
        lambda: actions.reset_second_factor(alice, by=bob),
    ):
        with pytest.raises(Denied):
            attempt()
    actions.suspend(bob, by=alice, reason="left the office")
    bob.refresh_from_db()
    assert not bob.is_active
    assert codes(bob) == ["accounts.user.suspended", "accounts.user.added"]
    actions.restore(bob, by=alice)
    bob.refresh_from_db()
    assert bob.is_active


def test_one_administrator_always_stays_and_nobody_closes_themselves(city: Any) -> None:
    alice = add("alice@example.org", "administrator")
    for refused in (
        lambda: actions.suspend(alice, by="test"),
        lambda: actions.change_role(alice, "", by="test"),
        lambda: actions.suspend(alice, by=alice),
    ):
        with pytest.raises(Refused):
            refused()
    charlie = add("charlie@example.org", "administrator")
    actions.change_role(alice, "agent", by=charlie)
    alice.refresh_from_db()
    assert alice.office_role == "agent"
    assert codes(alice)[0] == "accounts.user.role_changed"


def test_two_years_after_it_was_closed_an_account_is_forgotten(city: Any) -> None:
    alice, admin = add("alice@example.org", "agent"), add("admin@example.org", "administrator")
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        actions.suspend(alice, by=admin)
        clock.shift(729 * 86400)
        actions.forget(timezone.now())
        assert User.objects.filter(email="alice@example.org").exists()
        clock.shift(2 * 86400)
        actions.forget(timezone.now())
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.has_usable_password()) == ("", "", False)
    assert alice.email.endswith("@forgotten.invalid")
    assert codes(alice)[0] == "accounts.user.forgotten"
    with pytest.raises(Refused):
        actions.restore(alice, by=admin)
    add("alice@example.org")
    admin.refresh_from_db()
    assert admin.name == "Admin"
