"""The history of accounts, invitations and memberships: who, what, when, to whom; and for whose eyes."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from parvis.accounts import actions
from parvis.accounts.history import ACCOUNTS, DEEDS
from parvis.accounts.models import Invitation
from parvis.ledger.models import Event
from parvis.orgs.actions import add_member, change_member_role, end_member, invite_member
from parvis.orgs.models import Membership, Organization
from tests.accounts.people import open_account


@pytest.fixture
def office(city: Any) -> Any:
    return open_account("charlie", "administrator")


def seen(user: Any, path: str, status: int = 200) -> str:
    client = Client(headers={"host": "montreal.localhost"})
    client.force_login(user)
    answer = client.get(f"/en/{path}")
    assert answer.status_code == status, (path, answer.status_code)
    return " ".join(answer.content.decode().split()).replace(" <", "<")


def test_an_account_tells_who_what_when_and_why(office: Any) -> None:
    bob = open_account("bob", "agent")
    path = f"people/{bob.pk}/history/"
    assert "Account suspended" not in seen(office, path)
    actions.change_role(bob, "director", by=office)
    actions.suspend(bob, by=office, reason="On leave until May")
    actions.restore(bob, by=office)
    actions.note_sign_in(bob, method="password + totp")
    page = seen(office, path)
    told = [page.index(words) for words in ("Password + Authenticator app", "Account opened again",
            "Account suspended", "On leave until May", "Role changed", "Account opened<")]  # fmt: skip
    assert told == sorted(told), "newest first"
    assert "Office agent</del>" in page and "Director</ins>" in page
    assert "Charlie" in page
    assert bob.password not in page
    seen(bob, path, 403)


def test_an_invitation_tells_what_became_of_it_and_the_account_tells_it_on(office: Any) -> None:
    keys: list[str] = []
    found = actions.invite(
        "dora@example.org", role="agent", by=office, url=lambda key: keys.append(key) or key, city=""
    )
    actions.resend(found, by=office, url=lambda key: keys.append(key) or key, city="")
    page = seen(office, f"people/invitations/{found.pk}/history/")
    assert "dora@example.org" in page and page.index("Invitation sent again") < page.index("Invitation sent<")
    dora = actions.accept(keys[-1], name="Dora", password="une grande maison bleue")
    page = seen(office, f"people/{dora.pk}/history/")
    assert "Invitation accepted" in page and "Account opened" in page
    assert found.key_hash not in page


def test_an_organization_tells_who_worked_for_it_to_those_who_may_see_its_people(office: Any) -> None:
    house, other = (
        Organization.objects.create(name=name, changed_at=timezone.now()) for name in ("Maison des Ormes", "Atelier")
    )
    alice, bob, eve = open_account("alice"), open_account("bob"), open_account("eve")
    add_member(alice, house, "manager", office)
    member = add_member(bob, house, "worker", alice)
    add_member(eve, other, "manager", office)
    invite_member("frank@example.org", house, "worker", by=alice, url=str, city="")
    change_member_role(member, "manager", by=office)
    end_member(Membership.objects.get(user=bob), by=office)
    for reader in (office, alice):
        page = seen(reader, f"members/{house.pk}/history/")
        assert "Membership ended" in page and "Bob" in page and "frank@example.org" in page
        assert "Eve" not in page
    seen(eve, f"members/{house.pk}/history/", 403)
    seen(bob, f"members/{house.pk}/history/", 403)
    # the history of its listing is read by many more: it says nothing of its people
    agent = open_account("guy", "agent")
    page = seen(agent, f"desk/history/organization/{house.pk}/")
    assert "role" not in page.lower().replace('role="', "") and str(bob.pk) not in page


def test_every_deed_of_accounts_has_words(office: Any) -> None:
    bob = open_account("bob", "agent")
    with transaction.atomic():
        actions.edit_self(bob, name="Bobby", language="en")
        actions.reset_second_factor(bob, by=office)
        actions.unlock(bob, by=office)
        actions.note_denied(bob, action="accounts.people.read")
    codes = set(Event.objects.exclude(code__startswith="orgs.").values_list("code", flat=True))
    assert {"accounts.user.edited", "accounts.denied"} <= codes <= set(DEEDS)
    assert ACCOUNTS.title("accounts.user.no_such_deed") == "no such deed"  # what a deed without words looks like
    assert Invitation.objects.count() == 0
