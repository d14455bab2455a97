"""People's files in a real browser: found while typing, kept without JavaScript, on a small telephone, on paper."""

import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from playwright.sync_api import BrowserContext, Page, expect

from parvis.cases.actions import profile
from parvis.cases.models import Address, ContactPoint, Finding, ImmigrationStatus, Person
from parvis.kit.acting import acting
from tests.accounts.people import PASSWORD, open_account
from tests.cases.story import AMINA, TODAY, YOUSSEF, NewPerson, opened
from tests.e2e.conftest import watch
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
#: set it to a folder to look at the pages yourself
PICTURES = os.environ.get("PARVIS_PICTURES", "")


@pytest.fixture
def file(in_town: Town) -> dict[str, Any]:
    """A file with something in every section, and its lead worker: new ones for each test."""
    mark = uuid.uuid4().hex[:6]
    alice = open_account(f"alice{mark}", "agent")
    home = opened(alice, AMINA, NewPerson(f"Karim {mark}", relation="spouse", birth_year=1988), YOUSSEF)
    with acting(alice), transaction.atomic():
        amina = Person.objects.get(householdmembers__household=home, name=AMINA.name)
        for model, values in (
            (ImmigrationStatus, {"stream": "claimant", "since": TODAY, "expires_on": TODAY}),
            (Address, {"kind": "shelter", "text": "12, rue des Trois-Ormes", "since": TODAY, "hidden": True}),
            (ContactPoint, {"system": "phone", "value": "514 555-0123", "safe_times": "le matin"}),
            (Finding, {"domain": "housing", "kind": "need", "level": "urgent", "text": "Un toit"}),
            (Finding, {"domain": "work", "kind": "strength", "level": "", "text": "Pharmacienne"}),
        ):
            profile.add(model, amina, values, by=alice)
        profile.write_note(amina, "general", "Rappeler lundi.", by=alice)
    return {"mark": mark, "alice": alice, "home": home, "amina": amina}


def enter(page: Page, town: Town, who: Any, language: str = "en") -> None:
    page.goto(town.page("account/login/", language))
    page.fill("input[name=login]", who.email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.wait_for_load_state()


def test_a_household_is_opened_split_and_joined_again_without_javascript(
    town: Town, file: dict[str, Any], visit: Visit
) -> None:
    page = visit(javascript=False).new_page()
    enter(page, town, file["alice"])
    page.goto(town.page("files/new/", "en"))
    page.fill("[name=head-name]", "ليلى الخطيب")
    page.select_option("[name=head-language]", "ar")
    page.get_by_label("Housing").check()
    page.fill("[name=members-0-name]", "Sami")
    page.get_by_role("button", name="Open the file").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ليلى الخطيب")
    expect(page.get_by_role("main")).to_contain_text("Urgent: Housing")
    home = page.url
    page.get_by_role("link", name="The household splits").click()
    page.get_by_role("group", name="Who").get_by_label("Sami").check()
    page.get_by_role("group", name="Head of the new household").get_by_label("Sami").check()
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_role("main")).to_contain_text("A new household is founded")
    page.get_by_role("button", name="Yes, do this").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sami")
    page.goto(home)
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name=re.compile("Undo.*The household was split")).click()
    page.get_by_role("button", name="Yes, take it back").click()
    expect(page.get_by_role("list").filter(has_text="Sami").first).to_be_visible()


def test_people_are_found_while_typing_and_by_the_slash(town: Town, file: dict[str, Any], visit: Visit) -> None:
    page = visit().new_page()
    wrong = watch(page)
    enter(page, town, file["alice"])
    page.goto(town.page(f"files/{file['home'].pk}/", "en"))
    page.keyboard.press("/")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type(f"karim {file['mark']}")
    expect(page.locator("#found")).to_contain_text("found")
    page.locator("#found").get_by_role("link", name=f"Karim {file['mark']}").click()
    expect(page.get_by_role("main")).to_contain_text("Hidden address")
    assert not wrong


def test_on_paper_there_are_people_and_no_buttons(town: Town, file: dict[str, Any], visit: Visit) -> None:
    page = visit().new_page()
    enter(page, town, file["alice"])
    page.goto(town.page(f"files/{file['home'].pk}/", "en"))
    button = page.get_by_role("link", name="Write a note")
    expect(button).to_be_visible()
    page.emulate_media(media="print")
    expect(button).to_be_hidden()
    expect(page.get_by_role("heading", name=f"Karim {file['mark']}")).to_be_visible()


def pages(file: dict[str, Any]) -> dict[str, str]:
    home, amina = f"files/{file['home'].pk}/", f"files/people/{file['amina'].pk}/"
    return {
        "find": "files/?q=amina",
        "nobody": "files/?q=zzzz",
        "new": "files/new/",
        "household": home,
        "split": f"{home}change/split/",
        "join": f"{home}change/join/?q=amina",
        "history": f"{home}history/",
        "seen": f"{home}seen/",
        "workers": f"{home}workers/",
        "access": f"{home}access/",
        "close": f"{home}close/",
        "person": amina,
        "identity": f"{amina}edit/",
        "contact": f"{amina}part/contact/new/",
        "need": f"{amina}part/need/new/",
        "note": f"{amina}notes/new/",
        "attachment": f"{amina}files/new/",
        "caseload": "files/caseload/",
        "hand-over": f"files/caseload/hand-over/?file={file['home'].pk}",
    }


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_axe_finds_nothing_and_a_small_telephone_suffices(
    town: Town, file: dict[str, Any], visit: Visit, language: str
) -> None:
    for width, scheme in ((1280, "light"), (320, "dark")):
        page = visit(width=width, scheme=scheme, locale=language).new_page()
        wrong = watch(page)
        enter(page, town, file["alice"], language)
        for name, path in pages(file).items():
            page.goto(town.page(path, language))
            found = Axe().run(page).response["violations"]
            assert not found, (
                name,
                language,
                width,
                [(v["id"], v["nodes"][0]["html"], v["nodes"][0].get("failureSummary")) for v in found],
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, language, width)
            if PICTURES:
                page.screenshot(path=str(Path(PICTURES) / f"cases-{name}-{language}-{width}.png"), full_page=True)
        assert not wrong
        page.context.close()
