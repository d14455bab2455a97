"""A household lives: who comes, who leaves, who is its head; what is shown before, and what can be taken back."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from parvis.accounts.rules import Denied
from parvis.cases import glance, queries
from parvis.cases.actions import moves
from parvis.cases.actions.moves import Conflict, Move, Refused
from parvis.cases.actions.people import NewPerson
from parvis.cases.models import Household, HouseholdMember, Person
from parvis.cases.relations import seen_from
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, share

KARIM = NewPerson("Karim Hassan", relation="spouse", birth_year=1988)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def person(name: str) -> Person:
    return Person.objects.get(name=name)


def present(home: Household) -> dict[str, str]:
    """Who is in the household now: name -> relation."""
    return {row.person.name: row.relation for row in home.members.filter(until=None).select_related("person")}


def done(move: Move, by: Any) -> Household:
    return moves.carry_out(move, by=by, version=Household.objects.get(pk=move.household.pk).version)


def last(home: Household) -> Event:
    """The event that tells the latest happening of a household."""
    return next(e for e in Event.objects.filter(object_id=home.pk).order_by("-id") if e.after and "people" in e.after)


def take_back(home: Household, by: Any, event: Event | None = None) -> None:
    fresh = Household.objects.get(pk=home.pk)
    done(moves.undo(event or last(home), fresh), by)


def test_everybody_is_related_to_a_new_head() -> None:
    assert seen_from("spouse", "head") == "spouse"
    assert seen_from("spouse", "child") == "child"
    assert seen_from("child", "head") == "parent"
    assert seen_from("child", "child") == "sibling"
    assert seen_from("parent", "child") == "grandchild"
    assert seen_from("other", "child") == "other"


def test_a_split_founds_a_household_and_is_taken_back(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    with acting(alice):
        before = present(home)
        move = moves.split(home, [person(KARIM.name).pk, person(YOUSSEF.name).pk], person(KARIM.name).pk, TODAY)
        new = done(move, alice)
        assert new.pk != home.pk and new.lead_worker == alice and new.holder_id == home.holder_id
        assert present(home) == {AMINA.name: "head"}
        assert present(new) == {KARIM.name: "head", YOUSSEF.name: "child"}
        ended = HouseholdMember.objects.filter(household=home, ending="split")
        assert ended.count() == 2, "the history is kept"
        take_back(home, alice)
        assert present(home) == before
        new.refresh_from_db()
        assert new.state == "closed" and present(new) == {}


def test_nothing_is_taken_back_under_something_later(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    with acting(alice):
        done(moves.change_head(home, person(KARIM.name).pk, TODAY), alice)
        first = last(home)
        assert present(home) == {KARIM.name: "head", AMINA.name: "spouse", YOUSSEF.name: "child"}
        home.refresh_from_db()
        done(moves.leave(home, [person(YOUSSEF.name).pk], "left", TODAY), alice)
        second = last(home)
        assert person(YOUSSEF.name).state == "left"
        with pytest.raises(Refused, match="later"):
            take_back(home, alice, first)
        take_back(home, alice, second)
        assert person(YOUSSEF.name).state == "present"
        with pytest.raises(Refused, match="already"):
            take_back(home, alice, second)
        take_back(home, alice, first)
        assert present(home) == {AMINA.name: "head", KARIM.name: "spouse", YOUSSEF.name: "child"}


def test_a_person_joins_from_another_household(alice: Any) -> None:
    home = opened(alice, AMINA)
    other = opened(alice, NewPerson("Salim"))
    with acting(alice):
        salim = person("Salim")
        done(moves.join(alice, home, salim, "sibling", TODAY), alice)
        assert present(home) == {AMINA.name: "head", "Salim": "sibling"}
        other.refresh_from_db()
        assert other.state == "closed", "nobody is left in it"
        take_back(home, alice)
        other.refresh_from_db()
        assert other.state == "open" and present(other) == {"Salim": "head"}
        assert present(home) == {AMINA.name: "head"}


def test_a_child_is_born_and_a_mistake_is_one(alice: Any) -> None:
    home = opened(alice, AMINA)
    with acting(alice):
        done(moves.add(home, NewPerson("Baby", relation="child", birth_date=TODAY), TODAY, born=True), alice)
        assert present(home)["Baby"] == "child"
        assert "Baby" in listed(alice) and "Baby" in found(alice, "Baby")
        counted = queries.counts(alice)["own"]
        take_back(home, alice)
        assert "Baby" not in present(home) and person("Baby").state == "mistake"
        assert "Baby" not in listed(alice) and "Baby" not in found(alice, "Baby"), "no list leads to a mistake"
        assert sum(queries.counts(alice)["own"].values()) == sum(counted.values()) - 1


def listed(viewer: Any) -> list[str]:
    return [line.person.name for line in queries.page(viewer)]


def found(viewer: Any, text: str) -> list[str]:
    return [line.person.name for line in queries.search(viewer, text)]


def test_a_death_needs_a_head_for_those_who_stay(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    with acting(alice):
        amina = person(AMINA.name).pk
        with pytest.raises(Refused, match="head"):
            moves.leave(home, [amina], "deceased", TODAY)
        done(moves.leave(home, [amina], "deceased", TODAY, new_head=person(KARIM.name).pk), alice)
        assert present(home) == {KARIM.name: "head", YOUSSEF.name: "child"}
        assert person(AMINA.name).state == "deceased"


def test_all_leave_and_come_back(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    with acting(alice):
        everybody = list(home.members.values_list("person_id", flat=True))
        done(moves.leave(home, everybody, "left", TODAY), alice)
        home.refresh_from_db()
        assert home.state == "left" and home.closed_on == TODAY
        with pytest.raises(Refused, match="not open"):
            moves.change_head(home, person(YOUSSEF.name).pk, TODAY)
        take_back(home, alice)
        home.refresh_from_db()
        assert home.state == "open" and home.closed_on is None
        assert set(Person.objects.values_list("state", flat=True)) == {"present"}


def test_a_restricted_file_is_moved_by_its_lead(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF, restricted=True)
    dora = open_account("dora", "agent")
    with acting(alice):
        new = done(moves.split(home, [person(KARIM.name).pk], person(KARIM.name).pk, TODAY), alice)
        assert present(new) == {KARIM.name: "head"} and new.restricted
        done(moves.leave(Household.objects.get(pk=home.pk), [person(YOUSSEF.name).pk], "left", TODAY), alice)
        assert person(YOUSSEF.name).state == "left", "whoever moved somebody out keeps hold of them"
        take_back(home, alice)
        assert YOUSSEF.name in present(home)
    with acting(dora):
        assert Person.objects.count() == 0
        assert not Household.objects.exists()


def test_two_editors_and_strangers(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM)
    house, bob = partner("bob")
    agree(house)
    with acting(alice):
        move = moves.change_head(home, person(KARIM.name).pk, TODAY)
        amina = person(AMINA.name)
    share(amina, house, by=alice, classes=3)
    with acting(bob), pytest.raises(Denied):
        moves.carry_out(move, by=bob, version=1)
    with acting(alice):
        moves.carry_out(move, by=alice, version=1)
        again = moves.relate(Household.objects.get(pk=home.pk), amina.pk, "sibling", TODAY)
        with pytest.raises(Conflict):
            moves.carry_out(again, by=alice, version=1)
        assert present(home)[AMINA.name] == "spouse"


# -- the pages --------------------------------------------------------------------------------------------------------


def test_nobody_is_moved_twice_by_two_plans(alice: Any) -> None:
    one, two = opened(alice, AMINA), opened(alice, NewPerson("Salim"))
    opened(alice, NewPerson("Olena"))
    with acting(alice):
        olena = person("Olena")
        first, second = (moves.join(alice, home, olena, "other", TODAY) for home in (one, two))
        done(first, alice)
        with pytest.raises(Conflict):
            done(second, alice)
        assert "Olena" in present(one) and "Olena" not in present(two)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub("[\u2068\u2069]", "", answer.content.decode()))


def test_a_change_is_shown_before_it_is_done(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    with acting(alice):
        karim, youssef = person(KARIM.name).pk, person(YOUSSEF.name).pk
    desk, url = signed_in(alice), f"/en/files/{home.pk}/change/split/"
    assert desk.get(url).status_code == 200
    assert desk.post(url, {}).status_code == 422
    form = {"people": [str(karim), str(youssef)], "head": str(karim), "on": str(TODAY)}
    shown = desk.post(url, form)
    assert shown.status_code == 200 and "A new household is founded" in text(shown)
    with acting(alice):
        assert len(present(home)) == 3, "shown, not done"
    answer = desk.post(url, form | {"confirm": "1", "version": "1", f"relation-{youssef}": "ward"})
    assert answer.status_code == 302 and str(home.pk) not in answer["Location"]
    with acting(alice):
        assert HouseholdMember.objects.get(person=youssef, until=None).relation == "ward", "as corrected in the preview"
    told = text(desk.get(f"/en/files/{home.pk}/history/"))
    assert "The household was split" in told
    undo = re.search(r'href="([^"]*/undo/)"', told)
    assert undo
    assert "again in the household" in text(desk.get(undo[1]))
    assert desk.post(undo[1], {"version": "1"}).status_code == 409, "somebody changed it since: look again"
    assert desk.post(undo[1]).status_code == 302
    with acting(alice):
        assert len(present(home)) == 3


def test_the_second_editor_sees_what_the_first_did(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM)
    with acting(alice):
        karim, amina = str(person(KARIM.name).pk), str(person(AMINA.name).pk)
    desk, other = signed_in(alice), signed_in(open_account("dora", "agent"))
    assert (
        other.post(
            f"/en/files/{home.pk}/change/head/", {"head": karim, "on": str(TODAY), "confirm": "1", "version": "1"}
        ).status_code
        == 302
    )
    late = {"person": amina, "relation": "sibling", "on": str(TODAY), "confirm": "1", "version": "1"}
    answer = desk.post(f"/en/files/{home.pk}/change/relation/", late)
    assert answer.status_code == 409
    assert "Nothing was overwritten" in text(answer) and "Another head of household" in text(answer)
    with acting(alice):
        assert present(home)[AMINA.name] == "spouse"


@pytest.mark.parametrize(
    "what", ["birth", "add", "join", "split", "head", "relation", "moved", "left", "death", "mistake"]
)
def test_every_happening_has_its_form(alice: Any, what: str) -> None:
    home = opened(alice, AMINA, KARIM, YOUSSEF)
    desk = signed_in(alice)
    assert desk.get(f"/en/files/{home.pk}/change/{what}/").status_code == 200
    assert desk.get(f"/ar/files/{home.pk}/change/{what}/").status_code == 200
    assert desk.post(f"/en/files/{home.pk}/change/{what}/", {"on": "2999-01-01"}).status_code == 422


def test_births_and_joins_by_the_pages(alice: Any) -> None:
    home = opened(alice, AMINA)
    opened(alice, NewPerson("Salim Hassan"))
    desk = signed_in(alice)
    url = f"/en/files/{home.pk}/change/birth/"
    form = {"name": "Noor", "relation": "child", "gender": "female", "birth_date": str(TODAY)}
    assert "comes into this household" in text(desk.post(url, form))
    assert desk.post(url, form | {"confirm": "1", "version": "1"}).status_code == 302
    url = f"/en/files/{home.pk}/change/join/"
    found = text(desk.get(f"{url}?q=salim"))
    with acting(alice):
        salim = person("Salim Hassan")
    assert str(salim.pk) in found
    form = {"known": str(salim.pk), "q": "salim", "relation": "sibling", "on": str(TODAY)}
    assert "Salim Hassan comes into this household" in text(desk.post(url, form))
    assert desk.post(url, form | {"confirm": "1", "version": "2"}).status_code == 302
    with acting(alice):
        assert present(home) == {AMINA.name: "head", "Noor": "child", "Salim Hassan": "sibling"}


def test_the_page_asks_as_often_for_seven_as_for_one(alice: Any) -> None:
    small = opened(alice, AMINA)
    large = opened(alice, AMINA, *(NewPerson(f"Child {n}", relation="child", language="ar") for n in range(6)))
    desk = signed_in(alice)

    def asked(home: Household) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert desk.get(f"/en/files/{home.pk}/").status_code == 200
        return len(caught)

    asked(small)  # what is asked once in a process
    asked(large)
    assert asked(small) == asked(large)
    with acting(alice), CaptureQueriesContext(connection) as caught:
        for row in HouseholdMember.objects.filter(household=large):
            assert row.person.name
    assert len(caught) > 5, "the control: a careless loop is counted"


def test_each_look_at_a_person_is_told(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    dora = open_account("dora", "agent")
    signed_in(dora).get(f"/en/files/{home.pk}/")
    with acting(alice):
        for name in (AMINA.name, YOUSSEF.name):
            looks = Event.objects.filter(object_id=person(name).pk, code="cases.seen")
            assert [look.actor for look in looks] == [dora]
    page = text(signed_in(alice).get(f"/en/files/{home.pk}/seen/"))
    assert "Dora" in page


def test_a_partner_sees_what_was_agreed_and_nothing_else(alice: Any) -> None:
    house, bob = partner("bob")
    home = opened(alice, AMINA, YOUSSEF)
    agree(house)
    with acting(alice):
        amina = person(AMINA.name)
    share(amina, house, by=alice, classes=DataClass.IDENTITY.value)
    desk = signed_in(bob)
    assert desk.get(f"/en/files/{home.pk}/").status_code == 404, "with whom she lives was not agreed"
    share(amina, house, by=alice, classes=(DataClass.IDENTITY | DataClass.HOUSEHOLD).value)
    page = text(desk.get(f"/en/files/{home.pk}/"))
    assert AMINA.name in page and YOUSSEF.name not in page
    assert "Write a note" not in page and "Who has seen" not in page
    profile = text(desk.get(f"/en/files/people/{amina.pk}/"))
    assert "Languages" in profile
    for word in ("Immigration status", "Addresses", "How to reach them", "Papers seen", "Notes", "Attachments"):
        assert word not in profile, word
    for path in ("history/", "seen/", "workers/", "change/birth/", "access/", "close/"):
        assert desk.get(f"/en/files/{home.pk}/{path}").status_code == 403, path
    with acting(alice):
        youssef = person(YOUSSEF.name)
    assert desk.get(f"/en/files/people/{youssef.pk}/").status_code == 404
    with acting(bob):
        assert [card.person.name for card in glance.household(bob, queries.household(bob, home.pk)).cards] == [
            AMINA.name
        ]


def test_find_answers_htmx_with_the_answer_alone(alice: Any) -> None:
    opened(alice, AMINA)
    desk: Client = signed_in(alice)
    part = desk.get("/en/files/?q=amina", headers={"HX-Request": "true"}).content.decode()
    assert AMINA.name in part and "<html" not in part
    assert "<html" in desk.get("/en/files/?q=amina").content.decode()


def test_the_first_conversation_in_one_screen(alice: Any) -> None:
    desk = signed_in(alice)
    form = {
        "head-name": "آمنة", "head-language": "ar", "head-gender": "female", "head-phone": "514 555-0123",
        "head-tonight": "shelter", "head-urgent": ["housing", "health"], "members-TOTAL_FORMS": "1",
        "members-INITIAL_FORMS": "0", "members-0-name": "Sami", "members-0-relation": "child",
    }  # fmt: skip
    more = desk.post("/en/files/new/", form | {"more": "1"})
    assert more.status_code == 200 and "members-2-name" in more.content.decode()
    assert desk.post("/en/files/new/", form | {"head-phone": "no number"}).status_code == 422
    page = text(desk.get(desk.post("/en/files/new/", form)["Location"]))
    assert "+15145550123" in page and "Shelter" in page and "Urgent: Housing" in page
    assert "leave no message" in page
    with acting(alice):
        assert [each.person.name for each in queries.search(alice, "+1 514 555 0123")] == ["آمنة"]
        assert person("Sami").addresss.get().kind == "shelter"


def test_dates_can_not_lie(alice: Any) -> None:
    home = opened(alice, AMINA, KARIM)
    with acting(alice), pytest.raises(Refused, match="later day"):
        moves.leave(home, [person(KARIM.name).pk], "left", TODAY - dt.timedelta(days=400))
