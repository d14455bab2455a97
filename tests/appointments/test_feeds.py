"""Calendar feeds over HTTP: what a calendar programme gets with nothing but the address, and what it never gets."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from parvis.accounts import actions as accounts
from parvis.appointments import actions
from parvis.appointments.models import Appointment
from parvis.kit.acting import acting
from tests.accounts.people import open_account, signed_in
from tests.appointments.story import ARABIC, booked, days, people
from tests.cases.story import AMINA, opened

SECRETS = ("آمنة", "Amina", "Salle", "bail", "شامي")


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def address(html: str) -> str:
    found = re.search(r'value="(http[^"]+\.ics)"', html)
    assert found, html[:3000]
    return found[1].replace("http://testserver", "")


def events(content: bytes) -> list[Any]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def given(alice: Any) -> tuple[Any, Appointment]:
    home = opened(alice)
    return home, booked(home, alice, days(2), place="Salle 2", note="le bail", interpreting=ARABIC)


def test_a_workers_calendar_is_read_by_its_address_alone(alice: Any) -> None:
    home, made = given(alice)
    desk = signed_in(alice)
    url = address(desk.post(reverse("appointments:feeds")).content.decode())
    stranger = Client()
    got = stranger.get(url)
    assert got.status_code == 200 and got["Content-Type"] == "text/calendar; charset=utf-8"
    assert (
        "noindex" in got["X-Robots-Tag"]
        and got["Referrer-Policy"] == "no-referrer"
        and "private" in got["Cache-Control"]
    )
    (event,) = events(got.content)
    assert event.decoded("dtstart") == made.starts_at and event.decoded("dtstart").utcoffset() == dt.timedelta(0)
    assert event.decoded("dtend") == made.ends_at and event.decoded("sequence") == 0
    assert str(event["uid"]).startswith(str(made.pk)) and home.reference in str(event["summary"])
    assert not [word for word in SECRETS if word in got.content.decode()]
    assert stranger.get(url, headers={"if-none-match": got["ETag"]}).status_code == 304
    assert stranger.get(url).content == got.content, "the same bytes while nothing changes"
    with acting(alice), transaction.atomic():
        moved = actions.move(made, days(4), minutes=30, worker=alice, by=alice)
        actions.step(moved, "cancelled", reason="family", by=alice)
    again = stranger.get(url, headers={"if-none-match": got["ETag"]})
    assert again.status_code == 200
    (later,) = events(again.content)
    assert later["uid"] == event["uid"] and later.decoded("sequence") == 2 and str(later["status"]) == "CANCELLED"


def test_an_address_ends_when_it_is_replaced_taken_back_or_its_worker_leaves(alice: Any) -> None:
    given(alice)
    desk, stranger = signed_in(alice), Client()
    first = address(desk.post(reverse("appointments:feeds")).content.decode())
    second = address(desk.post(reverse("appointments:feeds")).content.decode())
    assert stranger.get(first).status_code == 404 and stranger.get(second).status_code == 200
    desk.post(reverse("appointments:feeds"), {"do": "close"})
    assert stranger.get(second).status_code == 404
    third = address(desk.post(reverse("appointments:feeds")).content.decode())
    assert stranger.get(third).status_code == 200
    assert stranger.post(third).status_code in (403, 405)
    accounts.suspend(alice, by="test")
    assert stranger.get(third).status_code == 404


def test_a_workers_calendar_loses_what_the_worker_may_no_longer_see(alice: Any) -> None:
    home, _ = given(alice)
    bob = open_account("bob", "agent")
    booked(home, alice, days(3), worker=bob)
    url = address(signed_in(bob).post(reverse("appointments:feeds")).content.decode())
    assert len(events(Client().get(url).content)) == 1, "the control"
    from parvis.cases.actions import caseload

    with acting(alice), transaction.atomic():
        caseload.restrict(home, True, version=home.version, by=alice)
    assert events(Client().get(url).content) == []


def test_a_familys_calendar_says_when_and_no_more(alice: Any) -> None:
    home, made = given(alice)
    booked(home, alice, days(5), purpose="safety")
    health = booked(home, alice, days(6), purpose="health", kind="elsewhere", place="Clinique des Érables")
    url = address(signed_in(alice).post(reverse("appointments:household", args=[home.pk])).content.decode())
    assert url.startswith("/ar/"), "in the family's language"
    got = Client().get(url)
    found = events(got.content)
    assert [event.decoded("dtstart") for event in found] == [made.starts_at, health.starts_at], "nothing about safety"
    text = got.content.decode()
    assert not [word for word in (*SECRETS, home.reference, "Clinique", "Alice", "alice", AMINA.name) if word in text]
    assert Client().get(url.replace("/h/", "/w/")).status_code == 404
    assert Client().get(url[:-14] + "x" * 10 + ".ics").status_code == 404
    signed_in(alice).post(reverse("appointments:household", args=[home.pk]), {"do": "close"})
    assert Client().get(url).status_code == 404


def test_keys_are_not_kept(alice: Any) -> None:
    home, _ = given(alice)
    with acting(alice), transaction.atomic():
        key = actions.open_household_feed(home, people(home, alice)[0], by=alice)
        from parvis.appointments.models import HouseholdFeed

        row = HouseholdFeed.objects.get()
        assert key not in str(row.__dict__) and row.key_hash == actions.hash_of(key)


def test_the_public_role_reads_no_calendar(alice: Any) -> None:
    """A hole in an open page does not lead here: the function is not for the public role."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege(r, 'appointments_household_feed(text)', 'EXECUTE') FROM"
            " unnest(%s::text[]) AS r", [["parvis_public", "parvis_audit", "parvis_backup", "parvis_app"]],
        )  # fmt: skip
        assert [row[0] for row in cursor.fetchall()] == [False, False, False, True]
