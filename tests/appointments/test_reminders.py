"""Reminders: at 48 and at 3 hours, once each, gone with the appointment."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from parvis.appointments import actions, queries
from parvis.appointments.models import Appointment
from parvis.cases.actions import profile
from parvis.cases.models import ContactPoint
from parvis.kit.acting import acting
from parvis.messaging.models import Message
from tests.accounts.people import open_account
from tests.appointments.story import booked, people
from tests.cases.story import AMINA, YOUSSEF, opened

NOON = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)  # in Montréal


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def swept(by: Any, hours: float) -> list[str]:
    """Sweep at so many hours from the beginning; the states of all messages, in order. (The worker sweeps as the
    system; a test's connection is the app's: it acts as who may write.)"""
    with time_machine.travel(NOON + dt.timedelta(hours=hours), tick=False), acting(by), transaction.atomic():
        actions.remind(timezone.now())
        return list(Message.objects.order_by("created_at").values_list("delivery", flat=True))


@pytest.fixture
def story(alice: Any) -> tuple[Any, Any, Appointment]:
    with time_machine.travel(NOON, tick=False):
        home = opened(alice, AMINA, YOUSSEF)
        with acting(alice), transaction.atomic():
            how = {"system": "sms", "value": "514 555-0123", "safe_to_leave_message": True}
            profile.add(ContactPoint, people(home, alice)[0], how, by=alice)
        return alice, home, booked(home, alice, NOON + dt.timedelta(days=4))


def test_once_at_48_hours_and_once_at_3(story: Any) -> None:
    alice, _, _ = story
    assert swept(alice, 40) == []
    assert len(swept(alice, 49)) == 1
    assert len(swept(alice, 50)) == 1, "once"
    assert len(swept(alice, 94)) == 2
    assert len(swept(alice, 95)) == 2
    with acting(alice), transaction.atomic():
        first = Message.objects.order_by("created_at").first()
        assert first.person_id == people(story[1], alice)[0].pk and first.language.startswith("ar")
        assert first.not_after == NOON + dt.timedelta(days=4)


def test_what_was_booked_late_needs_no_early_reminder(story: Any) -> None:
    alice, home, _ = story
    with time_machine.travel(NOON, tick=False):
        booked(home, alice, NOON + dt.timedelta(hours=20))
    assert swept(alice, 1) == []
    assert len(swept(alice, 18)) == 1


def test_a_cancelled_appointment_takes_its_reminder_along(story: Any) -> None:
    alice, _, made = story
    assert len(swept(alice, 49)) == 1
    with time_machine.travel(NOON + dt.timedelta(hours=50), tick=False), acting(alice), transaction.atomic():
        actions.step(Appointment.objects.get(pk=made.pk), "cancelled", reason="family", by=alice)
        assert not Message.objects.filter(delivery="waiting").exists()
    assert "waiting" not in swept(alice, 94)


def test_a_moved_one_is_reminded_of_its_new_time(story: Any) -> None:
    alice, _, made = story
    swept(alice, 49)
    with time_machine.travel(NOON + dt.timedelta(hours=50), tick=False), acting(alice), transaction.atomic():
        now = Appointment.objects.get(pk=made.pk)
        actions.move(now, NOON + dt.timedelta(days=8), minutes=45, worker=alice, by=alice)
    assert swept(alice, 94).count("waiting") == 0
    assert swept(alice, 24 * 6 + 1).count("waiting") == 1


def test_a_childs_reminder_goes_to_the_head(story: Any) -> None:
    alice, home, _ = story
    head, child = people(home, alice)
    with time_machine.travel(NOON, tick=False):
        made = booked(home, alice, NOON + dt.timedelta(days=5), people=[child])
        with acting(alice), transaction.atomic():
            assert queries.to_write_to(made) == head
