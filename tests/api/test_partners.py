"""The partners' API: a program sees what its owner sees, as far as its token goes, and no more."""

import datetime as dt
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from parvis.accounts.actions import suspend
from parvis.accounts.rules import Denied
from parvis.cases.models import Consent, Person, Withdrawal
from parvis.core.access import EVERYTHING, DataClass
from parvis.kit.acting import acting
from parvis.ledger.queries import lookers
from parvis.orgs.actions import add_member, end_member, make_token, revoke_token
from parvis.orgs.models import ApiToken, Membership
from parvis.orgs.queries import token_of
from parvis.orgs.rules import by_token
from tests.accounts.people import open_account
from tests.cases.story import AMINA, YOUSSEF, agree, opened, partner, share

ADDRESS = "/api/partners/v1/shared"
SOME = DataClass.IDENTITY | DataClass.CONTACT


@pytest.fixture
def shared(city: Any) -> dict[str, Any]:
    """Amina agreed to be known by the house of `boss`; her child's file is nobody's."""
    alice = open_account("alice", "agent")
    house, boss = partner("boss")
    add_member(boss, house, "manager", by="test")
    agree(house)
    household = opened(alice, AMINA, YOUSSEF)
    with acting(alice):
        amina = household.members.get(relation="head").person
    share(amina, house, by=alice, classes=(SOME | DataClass.HOUSEHOLD).value)
    token, key = make_token(house, "Notre logiciel", SOME, days=30, by=boss)
    return {"alice": alice, "boss": boss, "house": house, "amina": amina, "token": token, "key": key}


def asked(key: str = "", **more: Any) -> Any:
    return Client().get(ADDRESS, headers={"Authorization": f"Bearer {key}"} if key else {}, **more)


def test_a_token_reads_what_was_agreed_and_what_it_is_for(shared: dict[str, Any]) -> None:
    answer = asked(shared["key"])
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    (one,) = answer.json()["people"]
    assert one["id"] == str(shared["amina"].pk) and one["classes"] == ["identity", "contact"]
    text = answer.content.decode()
    assert "household" not in text and "يوسف" not in text, "agreed, and not in the token"
    assert [section["class"] for section in one["sections"]] == ["identity", "contact"]
    with acting(shared["alice"]):
        (look,) = lookers(shared["amina"].pk)
    assert look.who == shared["boss"] and look.why == "API: Notre logiciel"
    assert ApiToken.objects.get().used_at


def test_without_a_living_token_there_is_nothing(shared: dict[str, Any]) -> None:
    signed_in = Client()
    signed_in.force_login(shared["boss"])
    assert asked().status_code == asked("parvis_wrong").status_code == signed_in.get(ADDRESS).status_code == 401
    assert asked(shared["key"]).status_code == 200, "the control"
    assert Client().post(ADDRESS, headers={"Authorization": f"Bearer {shared['key']}"}).status_code == 405


@pytest.mark.parametrize("end", ["revoked", "expired", "left", "suspended"])
def test_a_token_ends_at_once(shared: dict[str, Any], end: str) -> None:
    token, boss = shared["token"], shared["boss"]
    assert asked(shared["key"]).status_code == 200
    if end == "revoked":
        revoke_token(token, by=boss)
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    elif end == "left":
        end_member(Membership.objects.get(user=boss), by="test")
    else:
        suspend(boss, by="test")
    assert asked(shared["key"]).status_code == 401
    # the database by itself: whoever kept the token's owner in hand gets no context any more
    kept = boss.__class__.objects.get(pk=boss.pk)
    kept.by_token = token.pk
    with acting(kept), pytest.raises(ProgrammingError, match="no security context"), transaction.atomic():
        Person.objects.count()


def test_a_withdrawal_works_in_the_next_request(shared: dict[str, Any]) -> None:
    assert len(asked(shared["key"]).json()["people"]) == 1
    with acting(shared["alice"]):
        consent = Consent.objects.get()
        Withdrawal.objects.create(
            consent=consent, person=consent.person, at=timezone.now(), channel="spoken", recorded_by=shared["alice"]
        )
    assert asked(shared["key"]).json() == {"people": [], "next": None}


def test_a_program_is_never_more_than_its_owner_in_one_organization(shared: dict[str, Any]) -> None:
    """By the database alone: the owner is an agent too; the token does not know it."""
    boss = shared["boss"]
    boss.office_role = "agent"
    boss.save()
    with acting(boss), transaction.atomic():
        assert Person.objects.count() == 2, "the control: as an agent they see the whole household"
    program = by_token(token_of(shared["key"]))  # type: ignore[arg-type]
    with acting(program), transaction.atomic():
        assert [person.pk for person in Person.objects.all()] == [shared["amina"].pk]
    assert len(asked(shared["key"]).json()["people"]) == 1


def test_only_a_manager_makes_a_token_and_only_for_themself(shared: dict[str, Any]) -> None:
    house, boss = shared["house"], shared["boss"]
    worker = open_account("worker")
    add_member(worker, house, "worker", by="test")
    for other in (worker, shared["alice"], open_account("admin", "administrator")):
        with pytest.raises(Denied):
            make_token(house, "x", SOME, days=30, by=other)
    token, _ = make_token(house, "x", EVERYTHING, days=9999, by=boss)
    assert token.membership.user == boss and not token.classes & DataClass.HIDDEN_ADDRESS
    assert token.expires_at < timezone.now() + dt.timedelta(days=366)


def test_the_page_shows_a_key_once(shared: dict[str, Any]) -> None:
    browser = Client()
    browser.force_login(shared["boss"])
    url = f"/en/members/{shared['house'].pk}/tokens/"
    made = browser.post(url, {"name": "Reports", "classes": ["identity"], "days": "30"})
    key = made.content.decode().partition("parvis_")[2].partition("<")[0]
    assert made.status_code == 200 and asked(f"parvis_{key}").status_code == 200
    again = browser.get(url).content.decode()
    assert "Reports" in again and key not in again
    assert browser.post(url, {"name": "", "classes": [], "days": "30"}).status_code == 422
    token = ApiToken.objects.get(name="Reports")
    assert browser.post(f"{url}{token.pk}/").status_code == 302 and asked(f"parvis_{key}").status_code == 401
