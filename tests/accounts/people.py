"""Alice and the others, with accounts in the active city; and how they sign in."""

from typing import Any

from django.test import Client

from parvis.accounts.actions import add_user
from parvis.accounts.models import User

PASSWORD = "une grande maison bleue"
SIGN_IN = "/en/account/login/"


def open_account(name: str, role: str = "", **more: Any) -> User:
    """An account name@example.org with PASSWORD."""
    more.setdefault("password", PASSWORD)
    return add_user(f"{name}@example.org", name=name.title(), role=role, by="test", **more)


def sign_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    """Sign in as a person does, by the form. Returns the response."""
    return client.post(SIGN_IN, {"login": user.email, "password": password})


def signed_in(user: User, **more: Any) -> Client:
    """A browser in which `user` is signed in."""
    client = Client(**more)
    response = sign_in(client, user)
    assert response.status_code == 302, response.content.decode()[:2000]
    return client


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/en/account/").status_code == 200)
