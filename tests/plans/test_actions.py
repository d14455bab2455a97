"""A household's plan follows its file; what staff may do to its steps, and what they may not."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from parvis.accounts.rules import Denied
from parvis.cases.actions import moves, profile
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.actions.people import NewPerson
from parvis.cases.models import Household, HouseholdMember, ImmigrationStatus, Person
from parvis.cases.vault import Vault
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.plans import actions
from parvis.plans.models import Plan, State, Step
from tests.accounts.people import open_account
from tests.cases.story import AMINA, TODAY, YOUSSEF, opened, partner

KARIM = NewPerson("Karim Hassan", relation="spouse", birth_year=1988)


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *a, **k: TODAY)


def codes(home: Household, state: str = "open") -> set[str]:
    return set(Step.objects.filter(household=home, state=state).values_list("code", flat=True))


def status(person: Person, stream: str, by: Any, since: dt.date = TODAY) -> None:
    profile.add(ImmigrationStatus, person, {"stream": stream, "since": since}, by=by)


def test_a_household_that_is_opened_has_its_plan_at_once(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    with acting(alice):
        assert Plan.objects.get(household=home).person.name == AMINA.name
        steps = Step.objects.filter(household=home)
        assert steps.filter(code="G10").count() == 1
        assert steps.filter(code="G11").count() == 2  # one for each member
        assert steps.get(code="G44").person.name == YOUSSEF.name  # school is for the child
        assert not steps.filter(responsible_user=None, responsible_org=None).exists()
        assert not steps.filter(code="Q30").exists()  # nobody is a claimant: the control of the next test


def test_a_change_of_status_adds_and_retires_and_what_is_done_stays_done(alice: Any) -> None:
    home = opened(alice)
    with acting(alice):
        amina = Person.objects.get(name=AMINA.name)
        status(amina, "claimant", alice)
        assert "Q30" in codes(home)
        legal = Step.objects.get(household=home, code="Q30")
        assert (legal.kind, legal.due_on <= TODAY + dt.timedelta(days=15)) == ("legal", True)
        done = Step.objects.get(household=home, code="Q32")
        actions.complete(done, by=alice, evidence="Me Tremblay")
        heard = actions.preview(lambda: status(amina, "recognised", alice))
        assert "Q30" in codes(home), "a preview changes nothing"
        assert "Q30" in {change.step for one in heard for change in one.difference.retired}
        status(amina, "recognised", alice)
        assert "Q30" not in codes(home) and "Q34" in codes(home)
        assert "Q32" in codes(home, "done")
        assert "claimant" not in str(list(Step.objects.values_list("why", flat=True)))


def test_a_member_takes_their_steps_along_and_back(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    with acting(alice):
        karim = Person.objects.get(name=KARIM.name)
        checked = Step.objects.get(household=home, code="G11", person=karim)
        actions.complete(checked, by=alice)
        move = moves.split(home, [karim.pk], karim.pk, TODAY)
        new = moves.carry_out(move, by=alice, version=home.version)
        assert Step.objects.get(pk=checked.pk).household == new
        assert Plan.objects.get(household=new).person == karim
        assert not Step.objects.filter(household=home, person=karim, state="open").exists()
        assert Step.objects.filter(household=new, code="G10").exists()
        told = Event.objects.filter(object_id=home.pk, code="cases.household.split").get()
        back = moves.undo(told, Household.objects.get(pk=home.pk))
        moves.carry_out(back, by=alice, version=Household.objects.get(pk=home.pk).version)
        assert Step.objects.get(pk=checked.pk).household == home
        assert not codes(new), "a file that is closed waits for nothing"


def test_another_head_keeps_the_households_steps(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM)
    with acting(alice):
        karim = Person.objects.get(name=KARIM.name)
        met = Step.objects.get(household=home, code="G10")
        actions.complete(met, by=alice, evidence="à 14 h")
        moves.carry_out(moves.change_head(home, karim.pk, TODAY), by=alice, version=1)
        met.refresh_from_db()
        assert (met.person, met.state) == (karim, State.DONE)
        assert Vault([karim.pk]).open(met, "evidence") == "à 14 h"


def test_complete_twice_undo_and_somebody_else_was_quicker(alice: Any) -> None:
    home = opened(alice)
    with acting(alice):
        step = Step.objects.get(household=home, code="G10")
        actions.complete(step, by=alice, evidence="vue", version=step.version)
        assert actions.complete(step, by=alice) == []
        with pytest.raises(Conflict):
            actions.undo(step, by=alice, version=step.version)
        step.refresh_from_db()
        actions.undo(step, by=alice, version=step.version)
        step.refresh_from_db()
        assert (step.state, step.evidence, step.done_on) == (State.OPEN, None, None)
        with pytest.raises(Refused):
            actions.complete(step, by=alice, on=TODAY + dt.timedelta(days=1))
        told = [event.code for event in Event.objects.filter(object_id=home.pk).order_by("id")]
        assert told[-2:] == ["plans.step.done", "plans.step.undone"]


def test_a_legal_day_is_moved_by_nobody(alice: Any) -> None:
    home = opened(alice)
    with acting(alice):
        amina = Person.objects.get(name=AMINA.name)
        status(amina, "claimant", alice)
        legal = Step.objects.get(household=home, code="Q30")
        target = Step.objects.get(household=home, code="G20")
        with pytest.raises(Refused):
            actions.pin(legal, by=alice, on=TODAY, reason="trop tôt")
        actions.pin(target, by=alice, on=TODAY + dt.timedelta(days=9), reason="malade")
        target.refresh_from_db()
        assert target.due_on == TODAY + dt.timedelta(days=9)
        with pytest.raises(Refused):
            actions.not_applicable(legal, by=alice, reason=" ")
        with connection.cursor() as cursor:
            change = "UPDATE plans_step SET due_on = due_on - 1 WHERE id = %s"
            cursor.execute(change, [target.pk])  # the control: a target's day can be written
            for sets in ("due_on = due_on + 1", "falls_on = falls_on + 9", "kind = 'target'", "pinned = true"):
                # in a test all is one transaction: the plan's mark is taken away, as in any later one
                cursor.execute("UPDATE plans_plan SET derived_at = derived_at - interval '1 second'")
                with pytest.raises(DatabaseError), transaction.atomic():
                    cursor.execute(f"UPDATE plans_step SET {sets} WHERE id = %s", [legal.pk])
        actions.not_applicable(legal, by=alice, reason="déjà déposé ailleurs")
        assert "Q30" in codes(home, "not_applicable")


def test_exactly_one_is_responsible(alice: Any) -> None:
    home = opened(alice)
    organization, bob = partner("bob")
    with acting(alice):
        step = Step.objects.get(household=home, code="G42")
        with pytest.raises(Refused):
            actions.assign(step, by=alice, user=bob)
        actions.assign(step, by=alice, organization=organization.pk)
        step.refresh_from_db()
        assert (step.responsible_user, step.responsible_org) == (None, organization.pk)
        for both in (None, organization.pk):
            with pytest.raises(DatabaseError), transaction.atomic():
                Step.objects.filter(pk=step.pk).update(responsible_user=alice if both else None, responsible_org=both)
    with acting(bob):
        assert not Step.objects.exists()
        with pytest.raises(Denied):
            actions.complete(step, by=bob)


def test_days_of_the_file_and_bulk(alice: Any) -> None:
    home = opened(alice)
    with acting(alice):
        before = Step.objects.get(household=home, code="G31").due_on
        moved = actions.arrived(home, TODAY + dt.timedelta(days=20), by=alice)
        assert moved[0].difference.moved
        assert Step.objects.get(household=home, code="G31").due_on > before
        both = list(Step.objects.filter(household=home, code__in=["G10", "G12"]))
        assert actions.complete_many(both, by=alice) == 2
        assert actions.complete_many(both, by=alice) == 0
        plan = actions.give(home, language="ar", by=alice)
        assert actions.agree(home, by=alice).agreed_on == TODAY and plan.given == 1


def test_nobody_in_the_household_is_forgotten_by_a_control(alice: Any) -> None:
    """Control of the tests above: what is not derived would be seen as missing."""
    home = opened(alice)
    with acting(alice):
        Step.objects.filter(household=home).update(state="retired")
        assert not codes(home)
        heads = HouseholdMember.objects.filter(household=home)
        assert heads.exists() and actions.derive([home])[0].difference.added
        assert "G10" in codes(home)
