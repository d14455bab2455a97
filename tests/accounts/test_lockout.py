"""Failures are counted before they are judged, by every process together; the person is told how long to wait."""

import os
import re
import subprocess
import sys
import threading
from typing import Any

import time_machine
from django.db import connection
from django.test import Client
from psycopg.conninfo import make_conninfo

from parvis.accounts import actions, lockout
from parvis.accounts.models import Throttle
from parvis.ledger.models import Event
from parvis.ledger.queries import history
from tests.accounts.people import PASSWORD, SIGN_IN, is_signed_in, open_account, sign_in, signed_in
from tests.conftest import URLS


def guess(email: str = "alice@example.org", password: str = "not the right one", **more: Any) -> str:
    """ "wrong" (judged), "wait" (not even looked at, or locked by this guess) or "in"."""
    answer = Client(**more).post(SIGN_IN, {"login": email, "password": password})
    if answer.status_code == 302:
        return "in"
    assert answer.status_code == 422
    return "wait" if "Too many attempts" in answer.content.decode() else "wrong"


def test_the_fifth_failure_locks_and_time_opens(city: Any) -> None:
    alice = open_account("alice", "agent")
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        assert [guess() for _ in range(5)] == ["wrong"] * 4 + ["wait"]
        assert guess(password=PASSWORD) == "wait", "even the right password, until it is over"
        answer = Client().post(SIGN_IN, {"login": alice.email, "password": PASSWORD})
        assert "Try again in 15 minutes." in answer.content.decode()
        clock.shift(10 * 60)
        answer = Client().post(SIGN_IN, {"login": alice.email, "password": PASSWORD})
        assert "Try again in 5 minutes." in answer.content.decode()
        clock.shift(5 * 60 + 1)
        assert guess(password=PASSWORD) == "in"
    assert "accounts.locked_out" in [event.code for event in history(None, alice.pk)]


def test_the_second_lock_lasts_twice_as_long(city: Any) -> None:
    open_account("alice", "agent")
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        for _ in range(5):
            guess()
        clock.shift(15 * 60 + 1)
        for _ in range(5):
            guess()
        clock.shift(16 * 60)
        assert guess(password=PASSWORD) == "wait"
        clock.shift(15 * 60)
        assert guess(password=PASSWORD) == "in"


def test_failures_long_ago_are_forgotten_and_a_success_starts_anew(city: Any) -> None:
    open_account("alice", "agent")
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        for _ in range(4):
            guess()
        clock.shift(15 * 60 + 1)
        assert [guess() for _ in range(4)] == ["wrong"] * 4
        assert guess(password=PASSWORD) == "in"
        assert [guess() for _ in range(4)] == ["wrong"] * 4


def test_an_administrator_unlocks(city: Any) -> None:
    alice, admin = open_account("alice", "agent"), open_account("admin", "administrator")
    office = signed_in(admin)
    for _ in range(5):
        guess()
    page = office.get(f"/en/people/{alice.pk}/").content.decode()
    assert "locked until" in page
    assert office.post(f"/en/people/{alice.pk}/", {"do": "unlock"}).status_code == 302
    assert guess(password=PASSWORD) == "in"


def test_an_address_that_tries_many_accounts_must_wait_and_others_need_not(city: Any) -> None:
    open_account("alice", "agent")
    stuffing = {"REMOTE_ADDR": "192.0.2.7"}
    results = [guess(f"someone{number}@example.org", **stuffing) for number in range(32)]
    assert results[:29] == ["wrong"] * 29
    assert results[29:] == ["wait"] * 3
    assert guess(password=PASSWORD, **stuffing) == "wait"
    assert guess(password=PASSWORD, REMOTE_ADDR="192.0.2.8") == "in"


def test_an_ipv6_subscriber_is_one_address(city: Any) -> None:
    assert lockout.address_key("2001:db8:1:2::5") == lockout.address_key("2001:db8:1:2:ffff::1")
    assert lockout.address_key("2001:db8:1:2::5") != lockout.address_key("2001:db8:1:3::5")


def test_the_counters_name_nobody(city: Any) -> None:
    guess("alice@example.org")
    columns = {name for row in Throttle.objects.values() for name, value in row.items() if "alice" in str(value)}
    assert Throttle.objects.count() == 2
    assert not columns


def test_the_sweep_forgets_cold_counters(city: Any) -> None:
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        guess()
        from django.utils import timezone

        actions.forget(timezone.now())
        assert Throttle.objects.count() == 2
        clock.shift(25 * 3600)
        actions.forget(timezone.now())
        assert Throttle.objects.count() == 0


# -- really committed, from several connections and processes ------------------------------------------------------


def test_forty_guesses_at_once_are_five_guesses(fresh_city: Any) -> None:
    open_account("alice", "agent")
    host = f"{fresh_city.schema_name}.localhost"
    results: list[str] = []
    barrier = threading.Barrier(20)

    def many() -> None:
        barrier.wait()
        results.extend(guess(headers={"host": host}) for _ in range(2))
        connection.close()

    threads = [threading.Thread(target=many) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    assert results.count("wrong") <= 5
    connection.set_tenant(fresh_city)
    locked = Event.objects.filter(code="accounts.locked_out").count()
    assert guess(password=PASSWORD, headers={"host": host}) == "wait"
    assert locked == 1


SCRIPT = """
import sys, django
django.setup()
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
from django.test import Client
for _ in range(int(sys.argv[2])):
    answer = Client(headers={"host": sys.argv[1]}).post(
        "/en/account/login/", {"login": "alice@example.org", "password": "not the right one"})
    print("wait" if "Too many attempts" in answer.content.decode() else "wrong")
"""


def test_two_processes_count_together(fresh_city: Any) -> None:
    alice = open_account("alice", "agent")
    host = f"{fresh_city.schema_name}.localhost"
    environment = os.environ | {
        "PARVIS_DSN": make_conninfo(URLS.app, dbname=connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "parvis.site.settings",
    }

    def process(guesses: int) -> list[str]:
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, host, str(guesses)],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return re.findall("wait|wrong", ran.stdout)

    assert process(3) == ["wrong"] * 3
    assert process(3) == ["wrong", "wait", "wait"]
    client = Client(headers={"host": host})
    assert sign_in(client, alice).status_code == 422
    assert not is_signed_in(client)
