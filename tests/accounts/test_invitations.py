"""Accounts come by invitation: a link by mail, for seven days, once."""

import re
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from parvis.accounts import actions
from parvis.accounts.actions import Refused
from parvis.accounts.models import Invitation, User
from parvis.ledger.queries import history
from parvis.orgs.actions import add_member
from parvis.orgs.models import Membership, Organization
from tests.accounts.people import PASSWORD, is_signed_in, open_account, sign_in, signed_in

GUEST = {"email": "Guest@example.org", "name": "Dora", "language": "ar"}
WELCOME = {"name": "Dora", "language": "ar", "password": "vingt petites lanternes"}


def link(number: int = -1) -> str:
    """The address in the mail, without its host."""
    return re.findall(r"http://testserver(/\S+)", str(mail.outbox[number].body))[0]


@pytest.fixture
def office(city: Any) -> Client:
    return signed_in(open_account("admin", "administrator"))


def invite(office: Client, role: str = "agent", **more: str) -> str:
    answer = office.post("/en/people/invite/", GUEST | {"role": role} | more)
    assert answer.status_code == 302, answer.content.decode()
    return link()


def test_an_invited_person_opens_an_account(office: Client) -> None:
    address = invite(office)
    assert address.startswith("/ar/account/invitation/"), "in the language of the invited person"
    (message,) = mail.outbox
    assert message.to == ["guest@example.org"]
    assert "Dora" not in message.subject and "agent" not in message.subject
    stored = Invitation.objects.get()
    assert address.split("/")[-2] not in str(vars(stored)), "the table holds no key"
    guest = Client()
    assert guest.get(address).status_code == 200
    assert guest.post(address, WELCOME | {"password": "short"}).status_code == 422
    assert guest.post(address, WELCOME | {"password": "guest@example.org"}).status_code == 422
    done = guest.post(address, WELCOME)
    assert done.status_code == 302
    assert is_signed_in(guest)
    dora = User.objects.get(email="guest@example.org")
    assert (dora.name, dora.office_role, dora.language) == ("Dora", "agent", "ar")
    assert sign_in(Client(), dora, "vingt petites lanternes").status_code == 302
    assert [event.code for event in history(None, stored.pk)] == [
        "accounts.invitation.accepted", "accounts.invitation.sent",
    ]  # fmt: skip
    assert Client().get(address).status_code == 410, "it works once"
    assert Client().post(address, WELCOME).status_code == 410


def test_seven_days_later_it_is_over(city: Any) -> None:
    with time_machine.travel("2026-11-01 10:00Z", tick=False) as clock:
        address = invite(signed_in(open_account("admin", "administrator")))
        clock.shift(7 * 86400 - 60)
        assert Client().get(address).status_code == 200
        clock.shift(61)
        assert Client().get(address).status_code == 410
        assert Client().post(address, WELCOME).status_code == 410
    assert User.objects.count() == 1


def test_sending_again_makes_a_new_link_and_ends_the_old(office: Client) -> None:
    first = invite(office)
    found = Invitation.objects.get()
    assert b"guest@example.org" in office.get("/en/people/").content
    assert office.post(f"/en/people/invitations/{found.pk}/", {"do": "resend"}).status_code == 302
    second = link()
    assert first != second
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_a_revoked_one_opens_nothing(office: Client) -> None:
    address = invite(office)
    found = Invitation.objects.get()
    office.post(f"/en/people/invitations/{found.pk}/", {"do": "revoke"})
    assert Client().post(address, WELCOME).status_code == 410
    assert User.objects.count() == 1
    office.post(f"/en/people/invitations/{found.pk}/", {"do": "resend"})
    assert len(mail.outbox) == 1


def test_inviting_again_replaces_the_older_one(office: Client) -> None:
    first, second = invite(office), invite(office)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_who_has_an_account_accepts_with_it(office: Client) -> None:
    """Nobody else can: not with the link alone, not signed in as another."""
    guest, bob = open_account("guest"), open_account("bob", "agent")
    address = invite(office, "coordinator", language="en")
    stranger = Client()
    page = stranger.get(address).content.decode()
    assert "has an account already" in page and 'name="password"' not in page
    assert stranger.post(address, WELCOME).status_code == 200
    assert signed_in(bob).post(address).status_code == 200
    guest.refresh_from_db()
    assert guest.office_role == ""
    own = signed_in(guest)
    assert own.post(address).status_code == 302
    guest.refresh_from_db()
    assert guest.office_role == "coordinator"
    assert Client().get(address).status_code == 410


def test_two_acceptances_at_once_make_one_account(city: Any) -> None:
    keys: list[str] = []
    actions.invite("guest@example.org", role="agent", by="test", url=lambda key: keys.append(key) or key, city="X")
    actions.accept(keys[0], name="Dora", password=PASSWORD)
    with pytest.raises(Refused):
        actions.accept(keys[0], name="Eve", password=PASSWORD)
    assert User.objects.filter(email="guest@example.org").count() == 1


def test_a_manager_invites_a_worker_of_the_own_organization(city: Any) -> None:
    organization = Organization.objects.create(name="Maison du Pont", changed_at=timezone.now())
    boss = open_account("boss")
    add_member(boss, organization, "manager", "test")
    client = signed_in(boss)
    page = f"/en/members/{organization.pk}/"
    assert client.post(page, GUEST | {"role": "manager"}).status_code == 422, "only the office makes managers"
    assert client.post(page, GUEST | {"role": "worker", "email": "no address"}).status_code == 422
    assert client.post(page, GUEST | {"role": "worker"}).status_code == 302
    assert "Maison du Pont" in str(mail.outbox[0].body)
    guest = Client()
    assert guest.post(link(), WELCOME).status_code == 302
    dora = User.objects.get(email="guest@example.org")
    assert dora.office_role == ""
    membership = Membership.objects.get(user=dora)
    assert (membership.organization, membership.role) == (organization, "worker")
    assert b"Maison du Pont" in guest.get("/en/account/").content
    added = history(None, organization.pk)[0]
    assert (added.code, added.actor_id) == ("orgs.member.added", boss.pk)
    assert guest.get(page).status_code == 403


def test_a_second_organization_invites_the_same_person(city: Any) -> None:
    now = timezone.now()
    first, second = (Organization.objects.create(name=name, changed_at=now) for name in ("Un", "Deux"))
    dora = open_account("guest")
    add_member(dora, first, "worker", "test")
    office = signed_in(open_account("carol", "coordinator"))
    office.post(f"/en/members/{second.pk}/", GUEST | {"role": "manager"})
    own = signed_in(dora)
    assert own.post(link()).status_code == 302
    roles = dict(Membership.objects.filter(user=dora).values_list("organization__name", "role"))
    assert roles == {"Un": "worker", "Deux": "manager"}


def test_nobody_signs_up_alone(city: Any) -> None:
    for path in ("signup/", "register/", "sign-up/"):
        assert Client().get(f"/en/account/{path}").status_code == 404
