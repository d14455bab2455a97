"""The form of the policies for Citus: no sub-select in any of them, and the same people seen by the same viewers.

Citus itself is not here; what it asks (docs/access.md) is held on plain PostgreSQL: the form is applied and lived with.
"""

from dataclasses import replace
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from psycopg import connect
from psycopg.conninfo import make_conninfo

from parvis.cases import queries
from parvis.cases.models import Consent, Household, HouseholdMember, Person, Withdrawal
from parvis.core.access import DataClass
from parvis.kit import policies as kit_policies
from parvis.kit.acting import acting
from parvis.kit.policies import Place, in_schema
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.cases.story import AMINA, YOUSSEF, agree, opened, partner, seen_by, share
from tests.conftest import URLS


@pytest.fixture
def citus_city(fresh_city: Any) -> Any:
    place = Place(fresh_city.schema_name, URLS.roles(), citus=True)
    bound = replace(place, citus=False)  # the clock and the process are one here
    with connect(make_conninfo(URLS.owner, dbname=connection.settings_dict["NAME"])) as owner:
        owner.execute(f"SET search_path = {fresh_city.schema_name}, public")
        for provider in kit_policies._providers.known:
            for statement in provider(place):
                owner.execute(in_schema(statement, bound))
    return fresh_city


def test_no_policy_holds_a_sub_select(citus_city: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, policyname FROM pg_policies WHERE schemaname = %s"
            " AND concat(qual, with_check) ~* '\\mselect\\M' ORDER BY 1, 2",
            [citus_city.schema_name],
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_policies WHERE schemaname = 'montreal' AND qual ~* '\\mselect\\M'")
        assert cursor.fetchone()[0] > 10, "the control: the other form holds many"


def test_the_story_of_consent_is_the_same(citus_city: Any) -> None:
    alice = open_account("alice", "agent")
    house, bob = partner("bob")
    _, charlie = partner("charlie")
    home = opened(alice, AMINA, YOUSSEF)
    with acting(alice), transaction.atomic():
        amina = Person.objects.get(name=AMINA.name)
        assert queries.search(alice, "amina")[0].person == amina
    with transaction.atomic():
        agree(house)
    assert seen_in_transaction(bob) == []
    with transaction.atomic():
        consent = share(amina, house, by=alice)
    assert seen_in_transaction(bob) == [AMINA.name]
    assert seen_in_transaction(charlie) == []
    with acting(bob), transaction.atomic():
        assert HouseholdMember.objects.count() == 0
        assert Household.objects.count() == 0, "agreed to be named is not agreed to tell with whom one lives"
        assert Consent.objects.count() == 1
        assert not Event.objects.filter(object_id=amina.pk).exists()
        assert [found.person for found in queries.search(bob, "amina")] == [amina]
    with acting(alice), transaction.atomic():
        assert Event.objects.filter(object_id=amina.pk).exists()
        Withdrawal.objects.create(person=amina, consent=consent, at=timezone.now(), channel="screen", recorded_by=alice)
    assert seen_in_transaction(bob) == []
    with transaction.atomic():
        share(amina, house, by=alice, classes=DataClass.IDENTITY | DataClass.HOUSEHOLD)
    with acting(bob), transaction.atomic():
        assert Household.objects.get() == home
    with pytest.raises(ProgrammingError, match="no security context"):
        Person.objects.count()


def seen_in_transaction(user: Any) -> list[str]:
    with transaction.atomic():
        return seen_by(user)
