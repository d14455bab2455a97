"""Appointments in a real browser: booked on one screen, without JavaScript too; keys; accessibility; telephones."""

import os
import uuid
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.accounts.people import open_account
from tests.appointments.story import ARABIC, booked, days
from tests.cases.story import AMINA, YOUSSEF, opened
from tests.e2e.conftest import watch
from tests.e2e.test_cases import Visit, enter
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
#: set it to a folder to look at the pages yourself
PICTURES = os.environ.get("PARVIS_PICTURES", "")


@pytest.fixture
def story(in_town: Town) -> dict[str, Any]:
    alice = open_account(f"alice{uuid.uuid4().hex[:6]}", "agent")
    home = opened(alice, AMINA, YOUSSEF)
    return {"alice": alice, "home": home, "made": booked(home, alice, days(2), interpreting=ARABIC, place="Salle 2")}


def test_an_appointment_is_booked_and_cancelled_without_javascript(
    town: Town, story: dict[str, Any], visit: Visit
) -> None:
    page = visit(javascript=False).new_page()
    enter(page, town, story["alice"])
    page.goto(town.page(f"files/{story['home'].pk}/", "en"))
    page.get_by_role("link", name="New appointment").click()
    expect(page.get_by_label("An interpreter is needed")).to_be_checked()
    page.get_by_role("button", name="Show free times").click()
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("main")).to_contain_text("To be booked")
    page.get_by_role("button", name="Confirmed").click()
    page.get_by_role("link", name="Cancel it").click()
    page.get_by_label("They can't come").check()
    page.get_by_role("button", name="Cancel the appointment").click()
    expect(page.get_by_role("main")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Cancel it")).to_be_visible()


def test_the_calendar_is_turned_by_keys(town: Town, story: dict[str, Any], visit: Visit) -> None:
    page = visit().new_page()
    wrong = watch(page)
    enter(page, town, story["alice"])
    page.goto(town.page("appointments/", "en"))
    page.keyboard.press("m")
    page.wait_for_url("**view=month**")
    page.keyboard.press("d")
    page.wait_for_url("**view=day**")
    before = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != before)
    assert not wrong


@pytest.mark.parametrize(("language", "width"), [("fr", 1280), ("ar", 360), ("fr", 360), ("ar", 1280)])
def test_the_pages_are_accessible_and_fit(
    town: Town, story: dict[str, Any], visit: Visit, language: str, width: int
) -> None:
    page = visit(width=width, locale=language).new_page()
    wrong = watch(page)
    enter(page, town, story["alice"], language)
    home, made = story["home"].pk, story["made"].pk
    paths = ("?view=week", "?view=month", "?view=day", f"of/{home}/new/", f"of/{home}/", f"{made}/", f"{made}/move/",
             f"{made}/cancel/", "interpreters/", "feeds/", "hours/")  # fmt: skip
    for number, path in enumerate(paths):
        page.goto(town.page(f"appointments/{path}", language))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/appointments-{number}-{language}-{width}.png", full_page=True)
    assert not wrong
