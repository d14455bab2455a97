"""Who may see a person, judged by the database alone: policies, context, projection."""

import datetime as dt
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.http import Http404
from django.utils import timezone

from parvis.cases import consents, queries, rules
from parvis.cases.models import Consent, Household, HouseholdMember, Person, Withdrawal
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit import sealing
from parvis.kit.acting import acting, acting_as_nobody
from parvis.ledger.models import Event
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, seen_by, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def amina(by: Any) -> Person:
    with acting(by):
        return Person.objects.get(name=AMINA.name)


def test_no_context_is_an_error_and_not_all_rows(alice: Any) -> None:
    opened(alice)
    with acting(alice):
        assert Person.objects.count() == 1
    with acting_as_nobody(), pytest.raises(ProgrammingError, match="no security context"), transaction.atomic():
        Person.objects.count()


def test_the_office_sees_its_people_and_others_do_not(alice: Any) -> None:
    opened(alice)
    assert seen_by(open_account("dora", "agent")) == [AMINA.name]
    for role in ("", "director", "coordinator", "administrator", "privacy"):
        assert seen_by(open_account(f"x{role}", role)) == [], role


def test_consent_opens_and_withdrawal_closes(alice: Any) -> None:
    house, bob = partner("bob")
    _, charlie = partner("charlie")
    home = opened(alice, AMINA, YOUSSEF)
    agree(house)
    assert seen_by(bob) == []
    consent = share(amina(alice), house, by=alice)
    assert seen_by(bob) == [AMINA.name]
    assert seen_by(charlie) == []
    with acting(bob):
        assert HouseholdMember.objects.count() == 0, "who lives with whom was not agreed"
        assert not Household.objects.filter(pk=home.pk).exists()
        assert Consent.objects.count() == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            HouseholdMember.objects.create(household=home, person=amina(alice), relation="head", since=TODAY)
        assert Person.objects.update(name="x") == 0
    with acting(alice):
        Withdrawal.objects.create(
            person=amina(alice), consent=consent, at=timezone.now(), channel="screen", recorded_by=alice
        )
    assert seen_by(bob) == []
    with acting(bob):
        assert Household.objects.count() == 0


@pytest.mark.parametrize("lived", [False, True], ids=["names alone", "and with whom they live"])
def test_who_lives_together_is_told_only_where_it_was_agreed(alice: Any, lived: bool) -> None:
    """Two of one household agreed to be named: nothing ties them together. The control: they agreed to that too."""
    house, bob = partner("bob")
    home = opened(alice, AMINA, YOUSSEF)
    agree(house)
    with acting(alice):
        both = [member.person for member in home.members.select_related("person")]
    for person in both:
        share(person, house, by=alice, classes=(DataClass.IDENTITY | (DataClass.HOUSEHOLD if lived else 0)).value)
    with acting(bob), transaction.atomic():
        assert Household.objects.count() == lived
        named = [*consents.shared(bob), *queries.page(bob, basis="consent"), *queries.search(bob, AMINA.name)]
        assert len(named) >= 5 and {each.household is not None for each in named} == {lived}
        assert bool(queries.search(bob, home.reference)) == lived
        if lived:
            assert queries.household(bob, home.pk) == home
        else:
            with pytest.raises(Http404):
                queries.household(bob, home.pk)


def test_without_an_agreement_no_consent_opens_a_name(alice: Any) -> None:
    house, bob = partner("bob")
    opened(alice)
    share(amina(alice), house, by=alice)
    assert seen_by(bob) == []
    agreement = agree(house)
    assert seen_by(bob) == [AMINA.name]
    with acting(open_account("paul", "privacy")):
        agreement.ended_on = TODAY - dt.timedelta(days=1)
        agreement.save()
    assert seen_by(bob) == []


def test_the_code_says_what_the_database_says(alice: Any) -> None:
    house, bob = partner("bob")
    opened(alice)
    agree(house)
    share(amina(alice), house, by=alice, classes=5)
    for user in (alice, bob, open_account("carl", "coordinator")):
        with acting(user), connection.cursor() as cursor:
            cursor.execute("SELECT access_grantees()")
            assert set(cursor.fetchone()[0]) == set(rules.grantees(user))
    for user in (alice, bob):
        with acting(user):
            shared = [found.person.name for found in queries.page(user, basis="consent")]
            assert shared == ([AMINA.name] if user is bob else [])
            assert [found.person.name for found in queries.search(user, "amina hassan")] == [AMINA.name]


def test_what_is_sealed_opens_for_who_may_see(alice: Any) -> None:
    opened(alice)
    person = amina(alice)
    with acting(alice):
        assert Vault([person.pk]).open_date(person, "birth_date") == dt.date(1990, 3, 1)
        assert b"1990" not in bytes(person.birth_date)
    with acting(open_account("bob")), pytest.raises(sealing.Unreadable):
        Vault([person.pk]).open(person, "birth_date")


def test_a_household_is_opened_in_one_screen_and_found_in_another_script(alice: Any) -> None:
    desk = signed_in(alice)
    form = {
        "head-name": "محمد العلي", "head-language": "ar", "head-gender": "male", "head-birth_date": "1985-02-03",
        "members-TOTAL_FORMS": "2", "members-INITIAL_FORMS": "0",
        "members-0-name": "Layla", "members-0-relation": "spouse",
    }  # fmt: skip
    wrong = desk.post("/fr/files/new/", form | {"head-name": ""})
    assert wrong.status_code == 422
    answer = desk.post("/fr/files/new/", form)
    assert answer.status_code == 302
    page = desk.get(answer["Location"]).content.decode()
    assert "محمد العلي" in page and "Layla" in page
    assert "محمد العلي" in desk.get("/fr/files/?q=mohamed+al+ali").content.decode()
    assert "محمد العلي" not in desk.get("/fr/files/?q=kowalski").content.decode()
    _, bob = partner("bob")
    other = signed_in(bob)
    assert other.get(answer["Location"]).status_code == 404
    assert "محمد" not in other.get("/fr/files/?q=mohamed").content.decode()


def test_what_the_ledger_tells_of_people_is_for_those_who_keep_the_file(alice: Any) -> None:
    house, bob = partner("bob")
    home = opened(alice)
    agree(house)
    share(amina(alice), house, by=alice)
    told = {}
    for user in (alice, bob, open_account("dora", "director"), open_account("pia", "privacy")):
        with acting(user):
            told[user.name] = [event.code for event in Event.objects.filter(object_id__in=[home.pk, amina(alice).pk])]
            assert Event.objects.filter(object_type="accounts.user").exists(), "other events stay open"
    assert told["Alice"] and told["Alice"] == told["Pia"]
    assert told["Bob"] == told["Dora"] == []
