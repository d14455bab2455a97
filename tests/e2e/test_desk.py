"""The desk in a real browser: hours that a passer-by reads, no JavaScript, a small telephone, and what axe finds."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from playwright.sync_api import BrowserContext, Page, expect

from parvis.directory import actions, models
from parvis.orgs.actions import add_member
from tests.accounts.people import PASSWORD, open_account
from tests.e2e.conftest import watch
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
LANGUAGES = ["fr", "en", "ar", "es"]
#: set it to a folder to look at the pages yourself
PICTURES = os.environ.get("PARVIS_PICTURES", "")


@pytest.fixture
def house(in_town: Town) -> dict[str, Any]:
    """An organization with a service at a place, its manager and a coordinator: new ones for each test."""
    mark = uuid.uuid4().hex[:6]
    boss, charlie = open_account(f"boss{mark}"), open_account(f"charlie{mark}", "coordinator")
    with transaction.atomic():
        organization = actions.create_organization(
            by="test", changes={"name": f"Maison {mark}", "description": "Un lieu ouvert à tout le quartier."}
        )
        address = {
            "address_1": "12, rue des Trois-Ormes", "city": "Montréal", "state_province": "QC", "country": "CA",
            "postal_code": "H2X 1Y4", "address_type": "physical",
        }  # fmt: skip
        place = actions.create_location(
            organization, by="test", changes={"name": "Salle des Ormes", "addresses": [address]}
        )
        service = actions.create_service(organization, by="test", changes={
            "name": f"Halte {mark}", "description": "Un café, des jeux, quelqu'un qui écoute.",
            "phones": [{"number": "+1 514 555-0123", "type": "voice"}],
            "languages": [{"code": "fr", "name": "français"}], "required_documents": [{"document": "Rien du tout"}],
            "service_at_locations": [{"location_id": str(place.pk), "description": "Deuxième étage"}],
        })  # fmt: skip
    add_member(boss, organization, "manager", "test")
    return {
        "mark": mark,
        "organization": organization,
        "place": place,
        "service": service,
        "boss": boss,
        "charlie": charlie,
    }


def enter(page: Page, town: Town, who: Any, language: str = "en") -> None:
    page.goto(town.page("account/login/", language))
    page.fill("input[name=login]", who.email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.wait_for_load_state()


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def test_a_manager_changes_the_hours_and_a_passer_by_reads_them(
    town: Town, house: dict[str, Any], visit: Visit
) -> None:
    page = visit().new_page()
    wrong = watch(page)
    enter(page, town, house["boss"])
    page.goto(town.page("desk/", "en"))
    page.get_by_role("link", name=house["organization"].name).click()
    page.get_by_role("link", name=house["service"].name).click()
    page.get_by_role("link", name="Opening hours").first.click()
    for name, typed in (("p0-d0-0-from", "9"), ("p0-d0-0-to", "12h"), ("p0-d0-1-from", "13:00"), ("p0-d0-1-to", "17")):
        page.locator(f"[name={name}]").press_sequentially(typed)
    page.get_by_role("button", name="Monday’s hours until Friday").click()
    # the words come by themselves while one types
    page.locator("[name=p0-d5-0-from]").press_sequentially("10")
    page.locator("[name=p0-d5-0-to]").press_sequentially("14")
    expect(page.locator("#said")).to_contain_text("Monday to Friday")
    expect(page.locator("#said")).to_contain_text("Saturday")
    page.get_by_role("button", name="Add a day", exact=True).click()
    page.fill("[name=x0-first]", "2027-01-01")
    page.fill("[name=x0-note]", "Jour de l'An")
    expect(page.locator("#said")).to_contain_text("Jour de l'An")
    picture(page, "hours-filled")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_text("This is a preview")).to_be_visible()
    picture(page, "hours-preview")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published. Thank you.")).to_be_visible()
    passer_by = visit(locale="en").new_page()
    passer_by.goto(town.page(f"services/{house['service'].pk}/", "en"))
    monday = passer_by.get_by_role("row", name="Monday").first
    expect(monday).to_contain_text("noon")
    expect(passer_by.get_by_role("row", name="Saturday").first).to_contain_text("10")
    assert not wrong


def test_everything_works_without_javascript(town: Town, house: dict[str, Any], visit: Visit) -> None:
    page = visit(javascript=False).new_page()
    enter(page, town, house["boss"])
    page.goto(town.page(f"desk/service/{house['service'].pk}/edit/", "en"))
    page.fill("[name=name]", "")
    page.fill("[name=wait_time]", "Une heure")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("Please check these points")
    assert page.input_value("[name=wait_time]") == "Une heure"
    page.fill("[name=name]", f"Pause {house['mark']}")
    page.get_by_role("button", name="Add a document").click()
    page.fill("[name=required_documents-1-document]", "Carte")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Pause {house['mark']}")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("main")).to_contain_text("Une heure")
    page.get_by_role("link", name="Undo").first.click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The change is undone.")).to_be_visible()
    assert models.Service.objects.get(pk=house["service"].pk).name == house["service"].name


def pages(house: dict[str, Any]) -> dict[str, str]:
    service, place, organization = house["service"].pk, house["place"].pk, house["organization"].pk
    return {
        "home": "desk/",
        "services": "desk/services/?show=never",
        "organization": f"desk/organization/{organization}/",
        "service": f"desk/service/{service}/",
        "service-form": f"desk/service/{service}/edit/",
        "place-form": f"desk/location/{place}/edit/",
        "hours": f"desk/service/{service}/hours/",
        "history": f"desk/history/service/{service}/",
        "words": f"desk/service/{service}/words/ar/",
        "words-home": "desk/words/",
        "words-list": "desk/words/en/",
        "corrections": "desk/corrections/",
        "imports": "desk/imports/",
        "unlist": f"desk/service/{service}/unlist/",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_a_small_telephone_suffices(
    town: Town, house: dict[str, Any], visit: Visit, language: str
) -> None:
    for width, scheme in ((1280, "light"), (320, "dark")):
        page = visit(width=width, scheme=scheme, locale=language).new_page()
        wrong = watch(page)
        enter(page, town, house["charlie"], language)
        for name, path in pages(house).items():
            page.goto(town.page(path, language))
            found = Axe().run(page).response["violations"]
            assert not found, (
                name,
                language,
                width,
                [(v["id"], v["nodes"][0]["html"], v["nodes"][0].get("failureSummary")) for v in found],
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, language, width)
            picture(page, f"{name}-{language}-{width}")
        assert not wrong
        page.context.close()


def test_two_editors_meet(town: Town, house: dict[str, Any], visit: Visit) -> None:
    boss, charlie = visit().new_page(), visit().new_page()
    url = town.page(f"desk/service/{house['service'].pk}/edit/", "en")
    for page, who in ((boss, house["boss"]), (charlie, house["charlie"])):
        enter(page, town, who)
        page.goto(url)
        page.fill("[name=name]", f"Halte de {who.name}")
    charlie.get_by_role("button", name="Publish").click()
    expect(charlie.get_by_text("Published. Thank you.")).to_be_visible()
    boss.get_by_role("button", name="Publish").click()
    expect(boss.get_by_role("heading", level=1)).to_contain_text("Somebody else changed this")
    assert not Axe().run(boss).response["violations"]
    picture(boss, "conflict")
    boss.get_by_label("Your version").check()
    boss.get_by_role("button", name="Publish what I chose").click()
    expect(boss.get_by_text("Published. Thank you.")).to_be_visible()
    boss.goto(town.page(f"desk/history/service/{house['service'].pk}/", "en"))
    expect(boss.get_by_role("main")).to_contain_text(f"Halte de {house['charlie'].name}")
    picture(boss, "history-filled")
