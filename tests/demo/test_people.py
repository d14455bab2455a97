"""The demo's invented people: the same for the same seed, complete, locked, and found by who may find them."""

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from parvis.cases import queries
from parvis.cases.models import Access, ConsentRecipient, Person
from parvis.cases.vault import Vault
from parvis.core import names
from parvis.demo import people
from parvis.demo.generator import identifier, identifier_space
from parvis.demo.origins import ORIGINS
from parvis.kit.acting import acting, acting_as_system
from parvis.kit.policies import lint, open_tables
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization
from tests.accounts.people import open_account
from tests.conftest import URLS, _use

DAY = dt.date(2026, 11, 23)
PLAN = people.Plan(
    1, DAY, (uuid.UUID(int=7), uuid.UUID(int=8)), None, (), ("a",), ("rue des Potiers",), (("+15145550100", 1),), 1
)


def told(plan: people.Plan, number: int) -> list[str]:
    """Names in the households from 0 to before `number`."""
    rows, lines = people._lot(plan, 0, number)[Person]
    found = [line.split("\t")[3] for line in lines.decode().splitlines()]
    assert len(found) == rows
    return found


def test_the_same_seed_draws_the_same_people() -> None:
    assert told(PLAN, 20) == told(PLAN, 20)
    assert told(PLAN, 40)[:65] == told(PLAN, 20), "more people leave the first ones as they were"
    assert told(dataclasses.replace(PLAN, seed=2), 20) != told(PLAN, 20)


def test_households_have_one_to_eight_people_and_are_whole() -> None:
    assert set(people.SIZES) == set(range(1, 9))
    assert people.people_in(0, people.households_of(people.ORDINARY)) == people.ORDINARY
    for wanted in (0, 1, 4, 5, 64, 65, 66, 1_000_000):
        number = people.households_of(wanted)
        assert people.people_in(0, number) >= wanted
        assert number == 0 or people.people_in(0, number - 1) < wanted


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.language)
def test_names_are_found_by_the_tokens_that_the_product_would_make(origin: Any) -> None:
    """The loader makes tokens word by word: a name in which two words make another token would not be found."""
    for given in (*origin.women, *origin.men):
        for family in (origin.families[0], origin.families[-1], origin.families[len(origin.families) // 2]):
            name, latin, tokens = people._name(origin, given, family)
            assert latin in ("", names.romanize(name))
            assert set(tokens) == names.tokens(filter(None, [name, latin]))
    by_words = names.tokens(["عبد"]) | names.tokens(["الرحمن"])
    assert by_words != names.tokens(["عبد الرحمن"]), "the control: such a name may not be among them"


def test_loaded_people_are_locked_and_seen_by_who_may(fresh_city: Any) -> None:
    _use("owner", connection.settings_dict["NAME"])
    connection.set_tenant(fresh_city)
    space = identifier_space("montreal", 1)
    house, other = (
        Organization.objects.create(
            id=uuid.UUID(identifier(space, f"organization/{n}")), name=f"Maison {n}", changed_at=timezone.now()
        )
        for n in range(2)
    )
    alice = open_account("agent", "agent")
    bob = open_account("bob")
    add_member(bob, house, "worker", by="test")

    written = people.load_people("montreal", roles=URLS.roles(), people=people.ORDINARY, on=DAY)
    assert written["person"] == people.ORDINARY and written["agreement"] == 2
    assert people.load_people("montreal", roles=URLS.roles(), people=people.ORDINARY, on=DAY) == {}
    assert people.load_people("montreal", roles=URLS.roles(), people=260, on=DAY)["person"] == 65
    assert lint(fresh_city.schema_name, URLS.roles(), open_tables()) == []

    _use("worker", connection.settings_dict["NAME"])
    connection.set_tenant(fresh_city)
    assert differences("classes") == (0, 0)
    assert min(differences("classes + 1")) > 0, "the control: another projection is another"

    _use("app", connection.settings_dict["NAME"])
    connection.set_tenant(fresh_city)
    with acting(alice), transaction.atomic():
        seen = queries.counts(alice)["own"]
        restricted = 260 - sum(seen.values())
        assert 0 <= restricted < 30
        assert len(queries.page(alice, size=500)) == sum(seen.values())
        someone = queries.page(alice, size=500)[-1].person
        assert someone in [found.person for found in queries.search(alice, someone.name)]
        opened = Vault([someone.pk]).open_date(someone, "birth_date")
        assert opened is not None and opened.year == someone.birth_year
    with acting(bob), transaction.atomic():
        shared = {row.person_id for row in Access.objects.filter(basis="consent")}
        own = {row.person_id for row in Access.objects.filter(basis="own")}
        assert 0 < len(shared) < 200
        assert {row.pk for row in Person.objects.all()} == shared | own
        told_of = ConsentRecipient.objects.exclude(person_id__in=own)
        assert {row.organization_id for row in told_of} == {house.pk}, f"not {other}'s"
        assert len(queries.page(bob, basis="consent", size=500)) == len(shared)


def differences(classes: str) -> tuple[int, int]:
    """Rows of the truth about access that the projection lacks, and the other way round."""
    columns = f"person_id, household_id, grantee_id, source_id, basis, {classes}, writes, state, listed_at"
    truth = f"SELECT {columns} FROM access_projection_all()"
    held = f"SELECT {columns.replace(classes, 'classes')} FROM cases_access"
    with acting_as_system(), transaction.atomic(), connection.cursor() as cursor:
        found = []
        for one, two in ((truth, held), (held, truth)):
            cursor.execute(f"SELECT count(*) FROM ({one} EXCEPT {two}) AS other")
            found.append(cursor.fetchone()[0])
    return found[0], found[1]
