"""Signing in by password, by a code in the mail, with a second factor; and all that must not be."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from parvis.kit.models import OutboxMail
from parvis.ledger.queries import history
from tests.accounts.people import PASSWORD, SIGN_IN, is_signed_in, open_account, sign_in, signed_in


def codes_of(user: Any) -> list[str]:
    return [event.code for event in history(None, user.pk)]


def test_a_password_signs_in_and_the_ledger_knows(city: Any) -> None:
    alice = open_account("alice", "agent")
    client = Client()
    assert not is_signed_in(client)
    response = sign_in(client, alice)
    assert (response.status_code, response["Location"]) == (302, "/en/account/")
    assert is_signed_in(client)
    assert "accounts.user.signed_in" in codes_of(alice)


def test_after_signing_in_one_comes_where_one_wanted(city: Any) -> None:
    alice = open_account("alice", "agent")
    client = Client()
    sent = client.get("/en/account/second-factor/")
    assert sent["Location"] == "/en/account/login/?next=/en/account/second-factor/"
    back = client.post(sent["Location"], {"login": alice.email, "password": PASSWORD, "next": "/en/account/second-factor/"})
    assert back["Location"] == "/en/account/second-factor/"
    elsewhere = Client().post(SIGN_IN, {"login": alice.email, "password": PASSWORD, "next": "https://example.org/"})
    assert elsewhere["Location"] == "/en/account/"


@pytest.mark.parametrize("language", ["fr", "en", "ar", "es"])
def test_every_page_of_an_account_answers(city: Any, language: str) -> None:
    admin = signed_in(open_account("admin", "administrator"))
    for path in ("", "people/", "people/invite/", "password/", "second-factor/"):
        response = admin.get(f"/{language}/account/{path}")
        assert response.status_code == 200, path
        assert response["Cache-Control"] == "no-store"
    for path in ("login/", "login/code/", "password/reset/", "password/reset/sent/", "password/reset/done/", "suspended/"):
        assert Client().get(f"/{language}/account/{path}").status_code == 200, path
