"""Alice opens files at the office; Bob and Charlie work for two organizations. Builders for the tests.

Everything goes through the actions, as whoever acts; read in `with acting(user):` as that person may.
"""

import datetime as dt
from typing import Any

from django.utils import timezone

from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import Agreement, Consent, ConsentRecipient, Household, Person
from parvis.cases.models.base import OFFICE
from parvis.kit.acting import acting
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization
from tests.accounts.people import open_account

TODAY = dt.date(2026, 11, 23)
AMINA = NewPerson("آمنة الحسن", language="ar-SY", birth_date=dt.date(1990, 3, 1), interpreter=True)
YOUSSEF = NewPerson("يوسف الحسن", relation="child", birth_year=2015)


def opened(by: Any, *members: NewPerson, **more: Any) -> Household:
    """A household of the office with Amina as its head, unless other members are given."""
    new = NewHousehold(holder=OFFICE, members=members or [AMINA], opened_on=TODAY, **more)
    with acting(by):
        return people.open_household(new, by=by)


def partner(name: str) -> tuple[Organization, Any]:
    """An organization and its worker."""
    organization = Organization.objects.create(name=f"Maison {name}", changed_at=timezone.now())
    user = open_account(name)
    add_member(user, organization, "worker", by="test")
    return organization, user


def agree(organization: Organization) -> Agreement:
    """A data-sharing agreement between the office and the organization, in force."""
    with acting(open_account(f"privacy-{organization.pk.hex[:8]}", "privacy")):
        return Agreement.objects.create(organization=organization, since=TODAY - dt.timedelta(days=30))


def share(person: Person, organization: Organization, *, by: Any, classes: int = 1, days: int = 365) -> Consent:
    """A consent of `person` to one organization, written by `by`."""
    now = timezone.now()
    with acting(by):
        consent = Consent.objects.create(
            person=person, purpose="referral", classes=classes, given_at=now, until=now + dt.timedelta(days=days),
            text_version="1", text_language="ar", channel="screen", express=True, recorded_by=by,
        )  # fmt: skip
        ConsentRecipient.objects.create(person=person, consent=consent, organization=organization)
    return consent


def seen_by(user: Any) -> list[str]:
    """Names of all persons that the database shows to `user`."""
    with acting(user):
        return sorted(person.name for person in Person.objects.all())
