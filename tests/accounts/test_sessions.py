"""A session ends: after half an hour without use, after ten hours, when its owner says so."""

import hashlib
from typing import Any

import time_machine
from django.db import connection
from django.test import Client

from parvis.accounts.middleware import browser
from parvis.accounts.models import Session
from parvis.accounts.sessions import SessionStore
from tests.accounts.people import is_signed_in, open_account, sign_in, signed_in

MINUTE, HOUR = 60, 3600
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_the_table_holds_no_key(city: Any) -> None:
    client = signed_in(open_account("alice", "agent"))
    key = client.cookies["parvis_session"].value
    with connection.cursor() as cursor:
        cursor.execute("SELECT key_hash, s::text FROM accounts_session s")
        ((stored, row),) = cursor.fetchall()
    assert stored == hashlib.sha256(key.encode()).hexdigest()
    assert key not in row
    stolen = Client()
    stolen.cookies["parvis_session"] = stored
    assert not is_signed_in(stolen)


def test_half_an_hour_without_use_ends_it(city: Any) -> None:
    alice = open_account("alice", "agent")
    with time_machine.travel("2026-11-23 08:00Z", tick=False) as clock:
        client = signed_in(alice)
        for _ in range(4):
            clock.shift(29 * MINUTE)
            assert is_signed_in(client)
        clock.shift(31 * MINUTE)
        assert not is_signed_in(client)


def test_ten_hours_end_it_however_busy(city: Any) -> None:
    alice = open_account("alice", "agent")
    with time_machine.travel("2026-11-23 08:00Z", tick=False) as clock:
        client = signed_in(alice)
        for _ in range(23):
            clock.shift(25 * MINUTE)
            assert is_signed_in(client)
        client.post("/en/account/", {"name": "Alice", "language": "ar"})  # a write does not begin the hours again
        clock.shift(25 * MINUTE + 1)
        assert not is_signed_in(client)


def test_a_new_password_does_not_begin_the_ten_hours_again(city: Any) -> None:
    alice = open_account("alice", "agent")
    with time_machine.travel("2026-11-23 08:00Z", tick=False) as clock:
        client = signed_in(alice)
        for _ in range(20):
            clock.shift(25 * MINUTE)
            assert is_signed_in(client)
        new = {"oldpassword": "une grande maison bleue", "password1": "une petite maison rouge"}
        assert client.post("/en/account/password/", new).status_code == 302
        for _ in range(3):
            clock.shift(25 * MINUTE)
            assert is_signed_in(client)
        clock.shift(26 * MINUTE)
        assert not is_signed_in(client)


def test_signing_in_changes_the_key(city: Any) -> None:
    """A key that somebody planted before is worth nothing after."""
    alice = open_account("alice", "agent")
    client = Client()
    client.get("/en/account/login/")
    planted = SessionStore()
    planted["x"] = 1
    planted.save()
    client.cookies["parvis_session"] = planted.session_key
    sign_in(client, alice)
    assert client.cookies["parvis_session"].value != planted.session_key
    attacker = Client()
    attacker.cookies["parvis_session"] = planted.session_key
    assert not is_signed_in(attacker)


def test_one_ends_ones_other_sessions_and_nobody_elses(city: Any) -> None:
    alice, bob = open_account("alice", "agent"), open_account("bob", "agent")
    here = signed_in(alice, headers={"user-agent": FIREFOX})
    there, third, bobs = signed_in(alice), signed_in(alice), signed_in(bob)
    page = here.get("/en/account/").content.decode()
    assert "Firefox, Linux" in page and "This browser" in page
    one = Session.objects.filter(user=alice).exclude(browser="Firefox, Linux").order_by("started_at").first()
    assert one is not None
    bobs.post("/en/account/sessions/", {"session": str(one.pk)})
    assert is_signed_in(there), "Bob can't end Alice's"
    here.post("/en/account/sessions/", {"session": str(one.pk)})
    assert (is_signed_in(there), is_signed_in(third)) == (False, True)
    here.post("/en/account/sessions/")
    assert (is_signed_in(here), is_signed_in(third), is_signed_in(bobs)) == (True, False, True)
    assert here.post("/en/account/sessions/", {"session": "nonsense"}).status_code == 404


def test_signing_out_ends_it_in_the_table(city: Any) -> None:
    client = signed_in(open_account("alice", "agent"))
    key = client.cookies["parvis_session"].value
    assert client.get("/en/account/logout/").status_code == 200
    assert is_signed_in(client), "a link somebody sends signs nobody out"
    client.post("/en/account/logout/")
    again = Client()
    again.cookies["parvis_session"] = key
    assert not is_signed_in(again)
    assert not Session.objects.filter(key_hash=hashlib.sha256(key.encode()).hexdigest()).exists()


def test_the_cookie_is_kept_from_scripts_and_other_sites(city: Any) -> None:
    client = signed_in(open_account("alice", "agent"))
    cookie = client.cookies["parvis_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["max-age"]


def test_a_reader_without_account_gets_no_session(city: Any) -> None:
    client = Client()
    client.get("/en/")
    client.get("/en/account/login/")
    assert "parvis_session" not in client.cookies
    assert Session.objects.count() == 0


def test_browsers_are_named_shortly() -> None:
    assert browser(FIREFOX) == "Firefox, Linux"
    assert browser("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1") == "Safari, iOS"
    assert browser("") == ""
