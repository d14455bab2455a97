"""Two people change one file at once: the second is told, both versions stand beside each other, nothing is lost."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from parvis.cases.actions import moves, profile
from parvis.cases.actions.moves import Conflict
from parvis.cases.models import Background, Household, Person
from parvis.kit.acting import acting
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, YOUSSEF, opened

Figure = Callable[..., None]


@pytest.fixture
def office(city: Any) -> tuple[Any, Any, Household]:
    alice, dora = open_account("alice", "agent"), open_account("dora", "agent")
    return alice, dora, opened(alice, AMINA, YOUSSEF)


def head(household: Household, by: Any) -> Person:
    with acting(by):
        return household.members.get(relation="head").person


def form_of(client: Client, url: str, *, holding: str) -> dict[str, str]:
    """What a browser would send back of the form that has this field, unchanged."""
    page = client.get(url).content.decode()
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'name="{holding}"' in form)
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        chosen = named.get("type") not in ("checkbox", "radio") or " checked" in tag
        if "name" in named and chosen and named.get("type") != "submit":
            sent[named["name"]] = named.get("value", "")
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        selected = re.search(r'<option value="([^"]*)"[^>]* selected', inside)
        sent[name] = selected.group(1) if selected else ""
    return {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"}


def test_two_editors_of_a_person_at_their_screens(office: Any) -> None:
    alice, dora, household = office
    first, second = signed_in(alice), signed_in(dora)
    url = f"/en/files/people/{head(household, alice).pk}/edit/"
    hers, his = form_of(first, url, holding="was"), form_of(second, url, holding="was")
    assert hers["name"] == his["name"] == AMINA.name
    assert first.post(url, hers | {"name": "Amina One"}).status_code == 302
    overtaken = second.post(url, his | {"name": "Amina Two"})
    page = overtaken.content.decode()
    assert overtaken.status_code == 409 and "Amina One" in page and "Amina Two" in page
    assert head(household, alice).name == "Amina One", "nothing was overwritten"
    fields = dict(re.findall(r'name="(was)" value="(\d+)"', page))
    assert second.post(url, his | fields | {"name": "Amina Two"}).status_code == 302
    assert head(household, alice).name == "Amina Two", "who has seen both may decide"


def test_two_editors_of_a_row_and_of_a_household(office: Any) -> None:
    alice, dora, household = office
    person = head(household, alice)
    with acting(alice):
        row = profile.add(Background, person, {"kind": "work", "title": "Baker"}, by=alice)
        was = profile.mark(row)
        profile.change(row, {"title": "Head baker"}, was=was, by=alice)
    with acting(dora):
        with pytest.raises(Conflict) as conflict, transaction.atomic():
            profile.change(row, {"title": "Cook"}, was=was, by=dora)
        assert conflict.value.now.title == "Head baker" == Background.objects.get().title
        plan = moves.split(household, [household.members.get(relation="child").person_id],
                           household.members.get(relation="child").person_id, dt.date(2026, 11, 23))  # fmt: skip
        before = household.version
        moves.carry_out(plan, by=dora, version=before)
    with acting(alice), pytest.raises(Conflict), transaction.atomic():
        moves.carry_out(plan, by=alice, version=before)
    with acting(alice):
        assert Household.objects.count() == 2, "split once"


def test_without_a_version_the_last_one_wins(office: Any, figure: Figure) -> None:
    """The control: what happens where nobody says which version was read."""
    alice, dora, household = office
    person = head(household, alice)
    for by, name in ((alice, "Amina One"), (dora, "Amina Two")):
        with acting(by):
            Person.objects.filter(pk=person.pk).update(name=name)
    assert head(household, alice).name == "Amina Two"
    figure(silently_overwritten=1)
