"""Who may see a person, judged by the database alone: policies, context, projection."""

import datetime as dt
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from parvis.cases import queries, rules
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import (
    Agreement,
    Consent,
    ConsentRecipient,
    Household,
    HouseholdMember,
    Person,
    Withdrawal,
)  # fmt: skip
from parvis.cases.models.base import OFFICE
from parvis.cases.vault import Vault
from parvis.kit import sealing
from parvis.kit.acting import acting, acting_as_nobody
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization
from tests.accounts.people import open_account

TODAY = dt.date(2026, 11, 23)


def person(name: str = "آمنة", **more: Any) -> Person:
    return Person.objects.create(holder_id=OFFICE, name=name, **more)


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def test_no_context_is_an_error_and_not_all_rows(alice: Any) -> None:
    with acting(alice):
        person()
        assert Person.objects.count() == 1
    with acting_as_nobody(), pytest.raises(ProgrammingError, match="no security context"), transaction.atomic():
        Person.objects.count()


def test_the_office_sees_its_people_and_an_organization_does_not(alice: Any) -> None:
    bob = open_account("bob")
    with acting(alice):
        person()
    with acting(bob):
        assert Person.objects.count() == 0


def opened(by: Any, *members: NewPerson, **more: Any) -> Household:
    """A household of the office with Amina as its head, unless other members are given."""
    with acting(by):
        return people.open_household(
            NewHousehold(holder=OFFICE, members=members or [AMINA], opened_on=TODAY, **more), by=by
        )


AMINA = NewPerson("آمنة الحسن", language="ar-SY", birth_date=dt.date(1990, 3, 1), interpreter=True)


def share(person: Person, organization: Organization, *, by: Any, classes: int = 1, days: int = 365) -> Consent:
    """A consent and an agreement, written as the office."""
    now = timezone.now()
    privacy = open_account(f"privacy{Organization.objects.count()}", "privacy")
    with acting(privacy):
        if not Agreement.objects.filter(organization=organization).exists():
            Agreement.objects.create(organization=organization, since=TODAY - dt.timedelta(days=30))
    with acting(by):
        consent = Consent.objects.create(
            person=person, purpose="referral", classes=classes, given_at=now, until=now + dt.timedelta(days=days),
            text_version="1", text_language="ar", channel="screen", recorded_by=by,
        )  # fmt: skip
        ConsentRecipient.objects.create(person=person, consent=consent, organization=organization)
    return consent


def partner(name: str) -> tuple[Organization, Any]:
    organization = Organization.objects.create(name=f"Maison {name}", changed_at=timezone.now())
    user = open_account(name)
    add_member(user, organization, "worker", by="test")
    return organization, user


def seen_by(user: Any) -> list[str]:
    with acting(user):
        return [found.name for found in Person.objects.all()]


def test_consent_opens_and_withdrawal_closes(alice: Any) -> None:
    house, bob = partner("bob")
    _, charlie = partner("charlie")
    home = opened(alice)
    with acting(alice):
        amina = Person.objects.get()
        assert HouseholdMember.objects.count() == 1
    assert seen_by(bob) == []
    consent = share(amina, house, by=alice)
    assert seen_by(bob) == [AMINA.name]
    assert seen_by(charlie) == []
    with acting(bob):
        assert HouseholdMember.objects.count() == 0, "who lives with whom was not agreed"
        assert Household.objects.filter(pk=home.pk).exists()
        assert Consent.objects.count() == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            HouseholdMember.objects.create(household=home, person=amina, relation="head", since=TODAY)
        assert Person.objects.update(name="x") == 0
    with acting(alice):
        Withdrawal.objects.create(person=amina, consent=consent, at=timezone.now(), channel="spoken", recorded_by=alice)
    assert seen_by(bob) == []
    with acting(bob):
        assert Household.objects.count() == 0


def test_the_code_says_what_the_database_says(alice: Any) -> None:
    house, bob = partner("bob")
    opened(alice)
    with acting(alice):
        amina = Person.objects.get()
        share(amina, house, by=alice, classes=5)
    for user in (alice, bob):
        with acting(user), connection.cursor() as cursor:
            cursor.execute("SELECT access_grantees()")
            assert set(cursor.fetchone()[0]) == set(rules.grantees(user))
            assert {found.person for found in queries.page(user, basis="consent")} == (
                {amina} if user is bob else set()
            )
            assert [found.person for found in queries.search(user, "amina hassan")] == [amina]


def test_what_is_sealed_opens_for_who_may_see(alice: Any) -> None:
    opened(alice)
    with acting(alice):
        amina = Person.objects.get()
        assert Vault([amina.pk]).open_date(amina, "birth_date") == dt.date(1990, 3, 1)
        assert b"1990" not in bytes(amina.birth_date)
    bob = open_account("bob")
    with acting(bob), pytest.raises(sealing.Unreadable):
        Vault([amina.pk]).open(amina, "birth_date")
