"""`parvis user add`, and what production asks of cookies."""

import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client
from django.utils import timezone

from parvis.accounts.models import User
from parvis.orgs.models import Membership, Organization
from parvis.site.commands import user as command
from tests.accounts.people import PASSWORD, sign_in

BASE = ["alice@example.org", "--name", "Alice", "--city", "montreal"]


@pytest.fixture
def run(city: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(command, "boot", lambda role: None)
    return lambda *arguments, stdin="": CliRunner().invoke(command.add, [*BASE, *arguments], input=stdin)


def test_it_opens_an_account_that_signs_in(run: Any) -> None:
    ran = run("--role", "administrator", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert ran.exit_code == 0, ran.output
    alice = User.objects.get(pk=ran.stdout.strip())
    assert alice.office_role == "administrator"
    assert sign_in(Client(), alice).status_code == 302


def test_a_partner_joins_the_organization(run: Any) -> None:
    organization = Organization.objects.create(name="Maison", changed_at=timezone.now())
    ran = run("--role", "manager", "--organization", str(organization.pk))
    assert ran.exit_code == 0, ran.output
    membership = Membership.objects.get(user=ran.stdout.strip())
    assert (membership.organization, membership.role) == (organization, "manager")


@pytest.mark.parametrize("arguments, says", [
    (["--role", "king"], "king"),
    (["--role", "worker"], "--organization"),
    (["--role", "agent", "--organization", "x"], "does not go with"),
    (["--role", "worker", "--organization", "nonsense"], "no organization nonsense"),
    (["--role", "agent", "--city", "atlantis"], "no city atlantis"),
])  # fmt: skip
def test_bad_use_is_status_2_and_says_why(run: Any, arguments: list[str], says: str) -> None:
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert says in ran.output
    assert User.objects.count() == 0


def test_a_weak_password_and_a_taken_address_are_refused(run: Any) -> None:
    weak = run("--role", "agent", "--password-stdin", stdin="password\n")
    assert weak.exit_code == 2 and "too short" in weak.output
    assert run("--role", "agent").exit_code == 0
    again = run("--role", "agent")
    assert again.exit_code == 1 and "has an account already" in again.output


def test_production_sends_its_cookies_by_https_alone() -> None:
    code = (
        "import parvis.site.settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT,"
        " s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN)"
    )
    for mode, expected in (("production", "True True True False"), ("demo", "False False False True")):
        ran = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PARVIS_MODE": mode, "SECRET_KEY": "x"},
                             capture_output=True, text=True, check=True)  # fmt: skip
        assert ran.stdout.split() == expected.split()
