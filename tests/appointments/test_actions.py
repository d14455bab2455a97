"""Booked, moved, cancelled, taken back; one at a time for a worker; who may; what the ledger tells."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from parvis.accounts.rules import Denied
from parvis.appointments import actions, queries
from parvis.appointments.actions import Taken
from parvis.appointments.models import Appointment, AppointmentPerson, HouseholdFeed, InterpreterBooking
from parvis.cases.actions import caseload, moves
from parvis.cases.actions.moves import Conflict, Refused
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.appointments.story import ARABIC, booked, days, people
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def codes(by: Any) -> list[str]:
    with acting(by), transaction.atomic():
        return list(
            Event.objects.filter(code__startswith="appointments.").order_by("pk").values_list("code", flat=True)
        )


def test_booked_moved_missed_taken_back_and_cancelled_is_told(alice: Any) -> None:
    home = opened(alice)
    made = booked(home, alice, days(0.2), interpreting=ARABIC, note="Apporter le bail", place="Salle 2")
    with acting(alice), transaction.atomic():
        line = queries.shown(alice, [made], sealed=True)[0]
        assert (line.note, line.place, line.waits_for_interpreter) == ("Apporter le bail", "Salle 2", True)
        actions.answer(line.interpreting, "confirmed", interpreter="Maison Chams", by=alice)
        moved = actions.move(made, days(0.3), minutes=60, worker=alice, by=alice)
        assert InterpreterBooking.objects.get().state == "needed", "who agreed to another time is asked again"
        missed = actions.step(moved, "missed", by=alice)
        assert missed.state == "missed"
        back = actions.step(missed, "undone", by=alice)
        gone = actions.step(back, "cancelled", reason="family", by=alice)
        assert (gone.state, gone.reason, gone.sequence) == ("cancelled", "family", 4)
        with pytest.raises(Refused):
            actions.step(gone, "done", by=alice)
    assert codes(alice) == [
        f"appointments.{code}" for code in ("booked", "interpreter", "moved", "missed", "undone", "cancelled")
    ]


def test_a_worker_is_in_one_place_at_a_time(alice: Any) -> None:
    home, other = opened(alice), opened(alice)
    first = booked(home, alice, days(2))
    for start, minutes in ((2, 45), (2 - 1 / 48, 45), (2 + 1 / 48, 15)):
        with pytest.raises(Taken):
            booked(other, alice, days(start), minutes=minutes)
    next_one = booked(other, alice, first.ends_at)
    bob = open_account("bob", "agent")
    booked(other, alice, first.starts_at, worker=bob)
    with acting(alice), transaction.atomic():
        with pytest.raises(Taken):
            actions.move(next_one, first.starts_at, minutes=45, worker=alice, by=alice)
        actions.step(first, "cancelled", reason="worker", by=alice)
        actions.move(next_one, first.starts_at, minutes=45, worker=alice, by=alice)
        with pytest.raises(Taken):  # its time is another's by now
            actions.step(Appointment.objects.get(pk=first.pk), "undone", by=alice)


def test_the_database_says_so_itself(alice: Any) -> None:
    """The control: around the actions, by hand."""
    home = opened(alice)
    made = booked(home, alice)
    with acting(alice), transaction.atomic(), pytest.raises(IntegrityError, match="appointments_one_at_a_time"):
        Appointment.objects.create(
            person=made.person, household=home, worker=alice, starts_at=made.starts_at, ends_at=made.ends_at,
            moved_at=made.moved_at,
        )  # fmt: skip


def test_two_editors(alice: Any) -> None:
    made = booked(opened(alice), alice)
    with acting(alice), transaction.atomic():
        actions.rewrite(made, "Salle 3", "", by=alice, sequence=0)
        with pytest.raises(Conflict):
            actions.step(made, "cancelled", reason="family", by=alice, sequence=0)


def test_what_is_to_come_has_not_taken_place(alice: Any) -> None:
    made = booked(opened(alice), alice, days(5))
    with acting(alice), transaction.atomic():
        for what in ("done", "missed", "arrived"):
            with pytest.raises(Refused):
                actions.step(made, what, by=alice)


def test_an_appointment_about_health_is_of_the_class_health(alice: Any) -> None:
    home = opened(alice)
    plain, health = booked(home, alice, days(1)), booked(home, alice, days(2), purpose="health", interpreting=ARABIC)
    assert (plain.row_class, health.row_class) == (DataClass.PLAN, DataClass.HEALTH)
    organization, bob = partner("bob")
    agree(organization)
    share(people(home, alice)[0], organization, by=alice, classes=(DataClass.IDENTITY | DataClass.PLAN).value)
    with acting(bob), transaction.atomic():
        assert [each.pk for each in Appointment.objects.all()] == [plain.pk], "the database's lock"
        assert [each.pk for each in queries.visible(bob)] == [plain.pk], "the code's"
        assert AppointmentPerson.objects.count() == 1 and InterpreterBooking.objects.count() == 0
        with pytest.raises(Http404):
            queries.one(bob, health.pk)
        with pytest.raises(Denied):
            actions.step(plain, "cancelled", reason="family", by=bob)
    with acting(alice), transaction.atomic():
        assert Appointment.objects.count() == 2, "the control"
        with pytest.raises(IntegrityError, match="appointments_class"), transaction.atomic():
            Appointment.objects.filter(pk=health.pk).update(row_class=DataClass.PLAN)


def test_a_colleagues_time_is_taken_although_the_file_is_hidden(alice: Any) -> None:
    home = opened(alice, restricted=True)
    made = booked(home, alice, days(2))
    bob = open_account("bob", "agent")
    with acting(bob), transaction.atomic():
        assert not Appointment.objects.exists()
        assert queries.busy(alice.pk, days(1), days(3)) == [(made.starts_at, made.ends_at)]
        assert queries.busy(alice.pk, days(4), days(5)) == []


def test_who_leaves_takes_their_appointments_along_and_the_familys_calendar_ends(alice: Any) -> None:
    from parvis.cases.actions.people import NewPerson

    home = opened(alice, AMINA, NewPerson("Karim", relation="spouse", birth_year=1985), YOUSSEF)
    amina, karim = people(home, alice)[:2]
    hers, his = booked(home, alice, days(2)), booked(home, alice, days(3), people=[karim])
    with acting(alice), transaction.atomic():
        actions.open_household_feed(home, amina, by=alice)
        plan = moves.split(home, [karim.pk], karim.pk, TODAY, {}, None)
        moves.carry_out(plan, by=alice, version=home.version)
        assert not HouseholdFeed.objects.filter(ended_at=None).exists()
        assert Appointment.objects.get(pk=hers.pk).household_id == home.pk
        assert Appointment.objects.get(pk=his.pk).household_id != home.pk


def test_restricting_ends_the_familys_calendar(alice: Any) -> None:
    home = opened(alice)
    with acting(alice), transaction.atomic():
        actions.open_household_feed(home, people(home, alice)[0], by=alice)
        assert HouseholdFeed.objects.filter(ended_at=None).exists()
        caseload.restrict(home, True, version=home.version, by=alice)
        assert not HouseholdFeed.objects.filter(ended_at=None).exists()


def test_free_times_know_hours_holidays_and_what_is_taken(alice: Any) -> None:
    monday = dt.date(2026, 12, 21)
    christmas = dt.date(2026, 12, 25)
    with acting(alice), transaction.atomic():
        first = queries.free(alice, 45, since=monday, days=5, most=100)
        assert {each.astimezone(queries.zone()).date() for each in first} == {
            monday + dt.timedelta(days=n) for n in range(4)
        }
        assert queries.closed([monday, christmas]) == {christmas}
        actions.set_hours(alice, {1: [(dt.time(18), dt.time(19))]}, by=alice)
        assert [each.astimezone(queries.zone()).hour for each in queries.free(alice, 60, since=monday, days=5)] == [18]
        with pytest.raises(Denied):
            actions.set_hours(None, {}, by=alice)
