"""Signing in by password, by a code in the mail, with a second factor; and all that must not be."""

import email
import email.policy
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection
from django.test import Client
from django.utils import timezone

from parvis.accounts.models import User
from parvis.kit import outbox
from parvis.kit.models import OutboxMail
from parvis.ledger.queries import history
from tests.accounts.people import PASSWORD, SIGN_IN, is_signed_in, open_account, sign_in, signed_in


def codes_of(user: Any) -> list[str]:
    return [event.code for event in history(None, user.pk)]


class Postman:
    """A mail server on loopback that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], email.message.EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.got.append((envelope.rcpt_tos, message))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def post(city: Any, settings: Any) -> Iterator[Postman]:
    """Mail goes through the outbox to a real SMTP server."""
    settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"
    postman = Postman()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(postman, hostname="127.0.0.1", port=port)
    controller.start()
    settings.MAIL_URL = f"smtp://127.0.0.1:{port}"
    yield postman
    controller.stop()


def test_a_password_signs_in_and_the_ledger_knows(city: Any) -> None:
    alice = open_account("alice", "agent")
    client = Client()
    assert not is_signed_in(client)
    response = sign_in(client, alice)
    assert (response.status_code, response["Location"]) == (302, "/en/welcome/")
    assert is_signed_in(client)
    assert "accounts.user.signed_in" in codes_of(alice)


def test_after_signing_in_one_comes_where_one_wanted(city: Any) -> None:
    alice = open_account("alice", "agent")
    sent = Client().get("/en/account/second-factor/")
    assert sent["Location"] == "/en/account/login/?next=/en/account/second-factor/"
    for wanted, reached in (("/en/people/", "/en/people/"), ("https://example.org/", "/en/welcome/")):
        back = Client().post(SIGN_IN, {"login": alice.email, "password": PASSWORD, "next": wanted})
        assert back["Location"] == reached


def test_a_part_of_a_page_asked_by_htmx_sends_the_whole_page_to_sign_in(city: Any) -> None:
    answer = Client().get("/en/people/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/en/account/login/?next=")


@pytest.mark.parametrize("language", ["fr", "en", "ar", "es"])
def test_every_page_of_an_account_answers(city: Any, language: str) -> None:
    admin = signed_in(open_account("admin", "administrator"))
    for path in ("account/", "people/", "people/invite/", "account/password/", "account/second-factor/"):
        response = admin.get(f"/{language}/{path}")
        assert response.status_code == 200, path
        assert response["Cache-Control"] == "no-store"
    for path in (
        "login/",
        "login/code/",
        "password/reset/",
        "password/reset/sent/",
        "password/reset/done/",
        "suspended/",
    ):
        assert Client().get(f"/{language}/account/{path}").status_code == 200, path


# -- a code in the mail -------------------------------------------------------------------------------------------


def text_of(message: email.message.EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def ask_for_code(client: Client, address: str) -> Any:
    return client.post("/fr/account/login/code/", {"email": address}, follow=True)


def test_a_code_in_the_mail_signs_in_once(post: Postman) -> None:
    alice = open_account("alice", "agent", language="en", password=None)
    client = Client()
    page = ask_for_code(client, "Alice@Example.org")
    assert page.status_code == 200
    assert OutboxMail.objects.count() == 1, "it waits in the outbox until the worker carries it"
    assert outbox.relay(timezone.now()) == 1
    ((to, message),) = post.got
    assert to == ["alice@example.org"]
    assert message["Subject"] == "Your sign-in code", "in Alice's language, not the page's; neutral"
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]*)$", text_of(message), re.MULTILINE)
    assert code
    assert client.post("/fr/account/login/code/confirm/", {"code": "nonsense"}).status_code == 422
    done = client.post("/fr/account/login/code/confirm/", {"code": code.group(1)})
    assert done.status_code == 302
    assert is_signed_in(client)
    assert history(None, alice.pk)[0].after == {"method": "code"}
    again = Client()
    ask_for_code(again, "alice@example.org")
    assert again.post("/fr/account/login/code/confirm/", {"code": code.group(1)}).status_code == 422


def test_a_code_is_too_old_after_a_quarter_of_an_hour(post: Postman) -> None:
    open_account("alice", "agent")
    client = Client()
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        ask_for_code(client, "alice@example.org")
        outbox.relay(timezone.now())
        code = re.findall(r"^[A-Z0-9-]{6,}$", text_of(post.got[0][1]), re.MULTILINE)[0]
        clock.shift(15 * 60 + 1)
        client.post("/fr/account/login/code/confirm/", {"code": code})
        assert not is_signed_in(client)


def test_guesses_of_a_code_are_counted_over_all_browsers(post: Postman) -> None:
    open_account("alice", "agent")
    refused = 0
    for _ in range(4):
        client = Client()
        ask_for_code(client, "alice@example.org")
        for _guess in range(2):
            answer = client.post("/en/account/login/code/confirm/", {"code": "AAAAAA"}, follow=True)
            refused += b"Try again in 15 minutes" in answer.content
    assert refused >= 2, "the fifth wrong guess locks, and stays locked in other browsers"


# -- no telling who has an account --------------------------------------------------------------------------------


def plain(response: Any, address: str) -> tuple[int, str, str]:
    """A response without what differs by chance (tokens) and by the address itself."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]+"', r'\1=""', response.content.decode())
    return response.status_code, response.get("Location", ""), text.replace(address, "ADDRESS")


@pytest.mark.parametrize("path, fields", [
    ("/en/account/login/", {"login": "ADDRESS", "password": "wrong and long enough"}),
    ("/en/account/login/code/", {"email": "ADDRESS"}),
    ("/en/account/password/reset/", {"email": "ADDRESS"}),
])  # fmt: skip
def test_the_answer_is_the_same_with_and_without_an_account(post: Postman, path: str, fields: dict[str, str]) -> None:
    open_account("alice", "agent")
    answers = []
    for address in ("alice@example.org", "nobody@example.org"):
        client = Client()
        posted = client.post(path, {name: value.replace("ADDRESS", address) for name, value in fields.items()})
        after = client.get(posted["Location"]) if posted.status_code == 302 else posted
        third = client.post("/en/account/login/code/confirm/", {"code": "AAAAAA"}) if "code" in path else after
        answers.append([plain(part, address) for part in (posted, after, third)])
    assert answers[0] == answers[1]


def test_the_lock_out_is_the_same_with_and_without_an_account(post: Postman) -> None:
    open_account("alice", "agent")
    answers = {
        address: [
            plain(Client().post(SIGN_IN, {"login": address, "password": f"wrong number {number}"}), address)
            for number in range(6)
        ]
        for address in ("alice@example.org", "nobody@example.org")
    }
    assert answers["alice@example.org"] == answers["nobody@example.org"]
    assert "Try again in 15 minutes" in answers["nobody@example.org"][5][2]


def test_a_stranger_makes_us_mail_nobody(post: Postman) -> None:
    for path in ("/en/account/login/code/", "/en/account/password/reset/"):
        Client().post(path, {"email": "nobody@example.org"})
    assert OutboxMail.objects.count() == 0


# -- passwords ----------------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_chosen_anew_by_mail(post: Postman) -> None:
    alice = open_account("alice", "agent", language="en")
    elsewhere = signed_in(alice)
    client = Client()
    client.post("/en/account/password/reset/", {"email": "alice@example.org"})
    outbox.relay(timezone.now())
    link = re.findall(r"http://testserver(/\S+)", text_of(post.got[0][1]))[0]
    form = client.get(link)["Location"]
    assert client.get(form).status_code == 200
    assert client.post(form, {"password1": "short"}).status_code == 422
    assert client.post(form, {"password1": "une autre grande maison"}).status_code == 302
    assert not is_signed_in(elsewhere), "a new password ends every session"
    assert client.get(link).status_code == 200  # the page says that the link is used
    assert b"can't be used any more" in client.get(link).content
    alice.refresh_from_db()
    assert sign_in(Client(), alice, "une autre grande maison").status_code == 302
    assert sign_in(Client(), alice, PASSWORD).status_code == 422
    outbox.relay(timezone.now())
    assert "was changed" in text_of(post.got[-1][1]), "and its owner is told"


def test_changing_the_password_ends_the_other_sessions(city: Any) -> None:
    alice = open_account("alice", "agent")
    here, there = signed_in(alice), signed_in(alice)
    wrong = here.post("/en/account/password/", {"oldpassword": "no", "password1": "une autre grande maison"})
    assert wrong.status_code == 422
    right = here.post("/en/account/password/", {"oldpassword": PASSWORD, "password1": "une autre grande maison"})
    assert right.status_code == 302
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert codes_of(alice)[0] == "accounts.user.password_changed"


# -- the second factor --------------------------------------------------------------------------------------------


def totp(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def set_up_app(client: Client) -> str:
    """Set an authenticator app up, as a person does. Returns its secret."""
    page = client.get("/en/account/second-factor/app/", follow=True)
    if "/prove/" in page.redirect_chain[-1][0] if page.redirect_chain else False:
        page = client.post(page.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    secret = page.context["form"].secret
    assert client.post("/en/account/second-factor/app/", {"code": "000000"}).status_code == 422
    done = client.post("/en/account/second-factor/app/", {"code": totp(secret)})
    assert done["Location"] == "/en/account/second-factor/codes/"
    return str(secret)


def test_an_authenticator_app_is_asked_for_once_it_is_there(city: Any) -> None:
    alice = open_account("alice", "agent")
    first = signed_in(alice)
    secret = set_up_app(first)
    assert "accounts.second_factor.added" in codes_of(alice)
    stored = Authenticator.objects.get(user=alice, type="totp").data["secret"]
    assert stored.startswith("v1.") and secret not in stored, "sealed at rest"
    recovery = re.findall(r"<code>(\d{8})</code>", first.get("/en/account/second-factor/codes/").content.decode())
    assert len(recovery) == 10

    client = Client()
    assert sign_in(client, alice)["Location"].startswith("/en/account/login/second/")
    assert not is_signed_in(client), "the password alone is not enough"
    assert client.post("/en/account/login/second/", {"code": "000000"}).status_code == 422
    code = totp(secret, 1)
    assert client.post("/en/account/login/second/", {"code": code}).status_code == 302
    assert is_signed_in(client)
    assert history(None, alice.pk)[0].after == {"method": "password + totp"}

    replay = Client()
    sign_in(replay, alice)
    assert replay.post("/en/account/login/second/", {"code": code}).status_code == 422, "a code works once"
    assert replay.post("/en/account/login/second/", {"code": recovery[0]}).status_code == 302
    third = Client()
    sign_in(third, alice)
    assert third.post("/en/account/login/second/", {"code": recovery[0]}).status_code == 422, "so does a recovery code"


def test_a_sealed_secret_of_another_city_opens_nothing(city: Any, other_city: Any) -> None:
    from cryptography.exceptions import InvalidTag

    from parvis.accounts.adapters import SecondFactorAdapter

    sealed = SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    assert SecondFactorAdapter().decrypt(sealed) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(ValueError, match="did not seal"):
        SecondFactorAdapter().decrypt("JBSWY3DPEHPK3PXP")
    connection.set_tenant(other_city)
    with pytest.raises(InvalidTag):
        SecondFactorAdapter().decrypt(sealed)


def test_removing_the_app_asks_who_one_is_and_is_remembered(city: Any) -> None:
    alice = open_account("alice", "agent")
    client = signed_in(alice)
    set_up_app(client)
    with time_machine.travel(time.time() + 20 * 60):
        later = client.get("/en/account/second-factor/app/remove/")
        assert "/prove/" in later["Location"], "the proof of a quarter of an hour ago is too old"
        client.post(later["Location"].replace("prove/second", "prove"), {"password": PASSWORD})
        assert client.post("/en/account/second-factor/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=alice).exists()
    assert codes_of(alice)[:2] == ["accounts.second_factor.removed"] * 2


def test_in_production_the_office_sets_one_up_before_anything_else(city: Any, settings: Any) -> None:
    settings.PRODUCTION = True
    agent, partner = signed_in(open_account("alice", "agent")), signed_in(open_account("bob"))
    assert partner.get("/en/account/").status_code == 200
    for path in ("/en/account/", "/en/account/password/", "/en/people/", "/en/members/"):
        answer = agent.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/en/account/second-factor/"), path
    assert agent.get("/en/account/login/").status_code == 302
    set_up_app(agent)
    assert agent.get("/en/account/").status_code == 200


def test_the_administrator_helps_who_lost_theirs(city: Any) -> None:
    alice, admin = open_account("alice", "agent"), open_account("admin", "administrator")
    set_up_app(signed_in(alice))
    office = signed_in(admin)
    page = f"/en/people/{alice.pk}/"
    assert b"Remove the second factor" in office.get(page).content
    assert office.post(page, {"do": "reset_second_factor"}).status_code == 302
    assert sign_in(Client(), alice)["Location"] == "/en/welcome/"
    assert history(None, alice.pk)[1].actor_id == admin.pk


# -- suspension and other cities ----------------------------------------------------------------------------------


def test_a_suspended_account_is_out_at_once_and_stays_out(city: Any) -> None:
    alice, admin = open_account("alice", "agent"), open_account("admin", "administrator")
    client, office = signed_in(alice), signed_in(admin)
    answer = office.post(f"/en/people/{alice.pk}/", {"do": "suspend", "reason": "left"})
    assert answer.status_code == 302
    assert not is_signed_in(client)
    assert sign_in(client, alice)["Location"] == "/en/account/suspended/"
    assert not is_signed_in(client)
    assert history(None, alice.pk)[0].reason == "left"
    office.post(f"/en/people/{alice.pk}/", {"do": "restore"})
    assert sign_in(client, alice)["Location"] == "/en/welcome/"
    assert office.post(f"/en/people/{admin.pk}/", {"do": "suspend", "reason": ""}).status_code == 422


def test_one_city_knows_nothing_of_anothers_accounts_and_sessions(city: Any, other_city: Any) -> None:
    alice = open_account("alice", "administrator")
    client = signed_in(alice, headers={"host": "montreal.localhost"})
    assert is_signed_in(client)
    there = Client(headers={"host": "geneve.localhost"})
    assert sign_in(there, alice).status_code == 422, "the account is not there"
    there.cookies["parvis_session"] = client.cookies["parvis_session"].value
    assert not is_signed_in(there), "nor is the session"
    connection.set_tenant(other_city)
    assert User.objects.count() == 0
    namesake = open_account("alice", password="une tout autre maison")
    assert sign_in(there, namesake).status_code == 422, "the other city's password is worth nothing here"
    assert sign_in(there, namesake, "une tout autre maison").status_code == 302
    assert is_signed_in(client)


def test_a_code_in_the_mail_does_not_replace_the_second_factor(post: Postman) -> None:
    alice = open_account("alice", "agent", language="en")
    secret = set_up_app(signed_in(alice))
    client = Client()
    ask_for_code(client, alice.email)
    outbox.relay(timezone.now())
    code = re.findall(r"^[A-Z0-9-]{6,}$", text_of(post.got[-1][1]), re.MULTILINE)[0]
    answer = client.post("/en/account/login/code/confirm/", {"code": code})
    assert answer["Location"].startswith("/en/account/login/second/")
    assert not is_signed_in(client)
    assert client.post("/en/account/login/second/", {"code": totp(secret, 1)}).status_code == 302
    assert is_signed_in(client)


def test_guesses_of_the_second_factor_are_counted(city: Any) -> None:
    alice = open_account("alice", "agent")
    secret = set_up_app(signed_in(alice))
    client = Client()
    sign_in(client, alice)
    pages = [client.post("/en/account/login/second/", {"code": f"00000{n}"}).content.decode() for n in range(5)]
    assert "Try again in 15 minutes" in pages[4]
    client.post("/en/account/login/second/", {"code": totp(secret, 1)})
    assert not is_signed_in(client)
