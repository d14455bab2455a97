"""Accounts in a real browser: passkeys, no JavaScript, a small telephone, and what axe finds."""

import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from parvis.accounts.models import User
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization
from tests.accounts.people import PASSWORD, open_account
from tests.e2e.conftest import watch
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
LANGUAGES = ["fr", "en", "ar", "es"]


@pytest.fixture
def people(in_town: Town) -> dict[str, Any]:
    """An administrator, and a manager of an organization with one worker: new ones for each test."""
    mark = uuid.uuid4().hex[:6]
    organization = Organization.objects.create(name=f"Maison {mark}", changed_at=timezone.now())
    found = {name: open_account(f"{name}{mark}", role) for name, role in
             (("admin", "administrator"), ("boss", ""), ("worker", ""))}  # fmt: skip
    add_member(found["boss"], organization, "manager", "test")
    add_member(found["worker"], organization, "worker", "test")
    return {"organization": organization, **found}


def enter(page: Page, town: Town, user: User, language: str = "en") -> None:
    page.goto(town.page("account/login/", language))
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(town.page("desk/", language))


def prove(page: Page) -> None:
    """Type the password once more when the page asks for it."""
    if "/prove/" in page.url:
        page.fill("input[name=password]", PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/prove/" not in url)


def authenticator(page: Page) -> Any:
    """A fingerprint reader that always recognizes its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_signs_in_alone_and_as_second_factor(people: dict[str, Any], in_town: Town, visit: Visit) -> None:
    page = visit(locale="en").new_page()
    wrong = watch(page)
    authenticator(page)
    enter(page, in_town, people["admin"])
    page.goto(in_town.page("account/second-factor/passkeys/add/", "en"))
    prove(page)
    page.check("input[name=passwordless]")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url(in_town.page("account/second-factor/codes/", "en"))
    page.get_by_role("button", name="Sign out").click()
    page.goto(in_town.page("account/login/", "en"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(in_town.page("desk/", "en"))
    page.get_by_role("button", name="Sign out").click()
    page.goto(in_town.page("account/login/", "en"))
    page.fill("input[name=login]", people["admin"].email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(in_town.page("account/login/second/", "en"))
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(in_town.page("desk/", "en"))
    assert not wrong, wrong


def test_without_javascript_one_signs_in_and_out(people: dict[str, Any], in_town: Town, visit: Visit) -> None:
    page = visit(javascript=False).new_page()
    page.goto(in_town.page("account/login/", "en"))
    assert page.get_by_role("button", name="Sign in with a passkey").count() == 0, "it would do nothing"
    enter(page, in_town, people["boss"])
    page.get_by_role("link", name="Members of organizations").click()
    page.get_by_role("link", name=people["organization"].name).click()
    assert people["worker"].email in page.content()
    page.fill("input[name=email]", "nowhere@example")  # good enough for the browser, not for us
    page.locator("main form").last.get_by_role("button").last.click()
    expect(page.locator("[role=alert]")).to_have_count(1)
    page.get_by_role("button", name="Sign out").click()
    page.goto(in_town.page("account/", "en"))
    assert "/login/" in page.url


def test_by_keyboard_alone(people: dict[str, Any], in_town: Town, visit: Visit) -> None:
    page = visit(locale="en").new_page()
    page.goto(in_town.page("account/login/", "en"))
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "login":
            break
    page.keyboard.type(people["admin"].email)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert", "the summary has the focus"
    assert page.title()


PUBLIC = ["login/", "login/code/", "password/reset/", "password/reset/sent/", "suspended/", "invitation/nothing/"]
OWN = [
    "",
    "password/",
    "second-factor/",
    "second-factor/app/",
    "second-factor/passkeys/add/",
    "../people/",
    "../people/invite/",
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_a_small_telephone_suffices(
    people: dict[str, Any], in_town: Town, visit: Visit, language: str
) -> None:
    stranger, admin = visit(width=320).new_page(), visit(width=320, scheme="dark").new_page()
    enter(admin, in_town, people["admin"], language)
    checked = 0
    organization = people["organization"]
    targets = [(stranger, f"account/{path}") for path in PUBLIC] + [(admin, f"account/{path}") for path in OWN]
    targets += [
        (admin, f"people/{people['boss'].pk}/"),
        (admin, "members/"),
        (admin, f"members/{organization.pk}/"),
    ]
    for page, path in targets:
        page.goto(in_town.page(path, language))
        prove(page)
        results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert results.violations_count == 0, f"{path}: {results.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
        checked += 1
    assert checked == len(PUBLIC) + len(OWN) + 3
