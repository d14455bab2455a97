"""The story of issue 3 in a real browser: a household with an Arabic name, a consent, what the partner sees, a
withdrawal that holds in the next request of a session that is open already; and another organization never anything.
"""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from parvis.cases.actions import sharing
from parvis.cases.consents import today
from parvis.cases.models import Person
from parvis.kit.acting import acting
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization
from tests.accounts.people import PASSWORD, open_account
from tests.e2e.conftest import watch
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
#: set it to a folder to look at the pages yourself
PICTURES = os.environ.get("PARVIS_PICTURES", "")
LANGUAGES = ["fr", "ar"]


@pytest.fixture
def cast(in_town: Town) -> dict[str, Any]:
    """An agent, a privacy officer, and the workers of two organizations that both have an agreement."""
    mark = uuid.uuid4().hex[:6]
    paul = open_account(f"paul{mark}", "privacy")
    people: dict[str, Any] = {"mark": mark, "paul": paul, "alice": open_account(f"alice{mark}", "agent")}
    for name in ("bob", "charlie"):
        people[name] = open_account(f"{name}{mark}")
        people[f"{name}s"] = house = Organization.objects.create(
            name=f"Maison {name.title()} {mark}", changed_at=timezone.now()
        )
        add_member(people[name], house, "worker", "test")
        with acting(paul):
            sharing.agree(house, since=today(), by=paul)
    #: in no other script and of no other test: what must never be found elsewhere
    people["name"] = f"آمنة {''.join(chr(0x0628 + int(each, 16)) for each in mark)}"
    return people


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


def sound(page: Page, name: str) -> None:
    """What axe finds, and whether the page is wider than its window."""
    found = Axe().run(page).response["violations"]
    assert not found, (name, [(v["id"], v["nodes"][0]["html"], v["nodes"][0].get("failureSummary")) for v in found])
    size = page.viewport_size
    assert size and page.evaluate("document.documentElement.scrollWidth") <= size["width"], name


def everywhere(page: Page, town: Town, cast: dict[str, Any], key: str) -> dict[str, bool]:
    """Where this signed-in reader finds the person: their page, the lists, search, the API and its export."""
    name = cast["name"]
    found = {}
    for place, path in {
        "page": f"/en/files/shared/{key}/",
        "household": f"/en/files/people/{key}/",
        "list": "/en/files/shared/",
        "files": "/en/files/?show=consent",
        "search": f"/en/files/?q={name}",
        "api": f"/hsds/v3/organizations?search={name}",
        "services": "/hsds/v3/services?full_service=true&per_page=100",
        "export": f"/hsds/v3/organizations/{cast['bobs'].pk}?full_organization=true",
    }.items():
        # asked by the page itself, with its session; the box of the search repeats what was typed: that is no answer
        text = page.evaluate("url => fetch(url).then(answer => answer.text())", path).replace(f'value="{name}"', "")
        found[place] = name in text
    return found


def test_the_story(town: Town, cast: dict[str, Any], visit: Visit) -> None:
    alice, bob, charlie = (visit().new_page() for _ in range(3))
    wrong = [watch(page) for page in (alice, bob, charlie)]
    enter(alice, town, cast["alice"])
    enter(bob, town, cast["bob"])
    enter(charlie, town, cast["charlie"])
    # a household with an Arabic name
    alice.goto(town.page("files/new/", "en"))
    alice.fill("[name=head-name]", cast["name"])
    alice.select_option("[name=head-language]", "ar")
    alice.get_by_role("button", name="Open the file").last.click()
    expect(alice.get_by_role("main")).to_contain_text(cast["name"])
    household = alice.url.split("/files/")[1].strip("/")
    with transaction.atomic(), acting(cast["alice"]):
        key = str(Person.objects.get(name=cast["name"]).pk)
    for page in (bob, charlie):
        assert not any(everywhere(page, town, cast, key).values()), "nothing was agreed yet"
    # consent to one organization, asked in her language
    alice.goto(town.page(f"files/{household}/consent/", "en"))
    sheet = alice.locator("article.sheet")
    expect(sheet).to_have_attribute("dir", "rtl")
    alice.fill("[name=q]", cast["mark"])
    alice.get_by_role("button", name="Find", exact=True).click()
    alice.get_by_label(cast["bobs"].name).check()
    expect(sheet).to_contain_text(cast["bobs"].name)
    alice.get_by_label("Telephone, e-mail, address").check()
    expect(sheet).to_contain_text("الهاتف والبريد الإلكتروني والعنوان")
    sound(alice, "consent")
    picture(alice, "consent-new-en")
    alice.get_by_role("button", name="The person agrees: record").click()
    expect(alice.get_by_text("Recorded. It can be taken back any day.")).to_be_visible()
    sound(alice, "consents")
    picture(alice, "consent-list-en")
    alice.get_by_role("link", name="sees it").click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text(cast["bobs"].name)
    alice.wait_for_load_state()
    foreseen = alice.locator("section.card").all_inner_texts()
    # the partner sees exactly that
    bob.goto(town.page("files/", "en"))
    bob.get_by_role("link", name="Shared with us", exact=True).click()
    sound(bob, "shared")
    picture(bob, "shared-en")
    bob.get_by_role("link", name=cast["name"]).click()
    bob.wait_for_load_state()
    assert bob.locator("section.card").all_inner_texts() == foreseen
    assert bob.locator("section.card .h3").all_inner_texts() == [
        "Name, birth, gender, languages",
        "Telephone, e-mail, address",
    ]
    expect(bob.get_by_role("complementary")).to_contain_text("To be referred to a service")
    sound(bob, "shared person")
    picture(bob, "shared-person-en")
    found = everywhere(bob, town, cast, key)
    assert found["page"] and found["list"] and found["search"], "the control: what is agreed is found"
    assert not found["api"] and not found["services"] and not found["export"]
    assert not any(everywhere(charlie, town, cast, key).values())
    # taken back in two clicks; bob's page is still open, and his next request finds nothing
    alice.go_back()
    alice.get_by_role("link", name="Take back").click()
    picture(alice, "withdraw-en")
    alice.get_by_role("button", name="Take back now").click()
    expect(alice.get_by_text("It is closed already.")).to_be_visible()
    answer = bob.reload()
    assert answer is not None and answer.status == 404
    for page in (bob, charlie):
        assert not any(everywhere(page, town, cast, key).values())
    assert bob.goto(f"{town.url}/en/files/shared/") is not None
    expect(bob.get_by_text("Nobody shares with us now")).to_be_visible()
    assert all("404" in each for pile in wrong for each in pile), wrong


def test_without_javascript_the_text_is_shown_by_a_button(town: Town, cast: dict[str, Any], visit: Visit) -> None:
    page = visit(javascript=False, width=360).new_page()
    enter(page, town, cast["alice"])
    household = _opened(cast)
    page.goto(town.page(f"files/{household}/consent/", "en"))
    page.get_by_label(cast["bobs"].name).check()
    page.get_by_role("button", name="The person agrees: record").click()
    expect(page.get_by_text("The text has changed since it was shown.").first).to_be_visible()
    expect(page.locator("article.sheet")).to_contain_text(cast["bobs"].name)
    page.get_by_role("button", name="The person agrees: record").click()
    expect(page.get_by_text("Recorded.")).to_be_visible()


def _opened(cast: dict[str, Any]) -> str:
    """A household of the cast's woman and her child, opened by the agent."""
    from parvis.cases.actions import people
    from parvis.cases.actions.people import NewHousehold, NewPerson
    from parvis.cases.models.base import OFFICE

    members = [
        NewPerson(cast["name"], language="ar-SY", birth_year=1990),
        NewPerson("يوسف", relation="child", birth_year=timezone.localdate().year - 9),
    ]
    with acting(cast["alice"]):
        new = NewHousehold(holder=OFFICE, members=members, opened_on=timezone.localdate())
        return str(people.open_household(new, by=cast["alice"]).pk)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_sound_on_a_wide_screen_and_on_a_small_telephone(
    town: Town, cast: dict[str, Any], visit: Visit, language: str
) -> None:
    """Agent, partner, privacy officer and the newcomer herself; axe, and no page wider than its window."""
    alice, dan = cast["alice"], open_account(f"dan{cast['mark']}")
    household = _opened(cast)
    with acting(alice):
        with transaction.atomic():
            amina = Person.objects.get(name=cast["name"])
        terms = sharing.Terms([cast["bobs"]], 1 | 2 | 4 | 16, "follow_up", "2026-1", "ar", "spoken", witness="Salma")
        kept = sharing.give_consent(amina, terms, by=alice)
        gone = sharing.give_consent(amina, terms, by=alice)
        sharing.withdraw(gone, channel="spoken", by=alice)
        sharing.refuse([amina], [cast["charlies"]], by=alice)
        sharing.link_account(amina, dan, by=alice)
    shown = {
        "alice": {
            "consent-new": f"files/{household}/consent/",
            "consents": f"files/people/{amina.pk}/consents/",
            "paper": f"files/consent/{kept.pk}/paper/",
            "withdraw": f"files/consent/{kept.pk}/withdraw/",
            "seen-as": f"files/people/{amina.pk}/as/{cast['bobs'].pk}/",
            "account": f"files/people/{amina.pk}/sign-in/",
        },
        "bob": {"shared": "files/shared/", "shared-person": f"files/shared/{amina.pk}/"},
        "paul": {"agreements": f"files/agreements/?q={cast['mark']}"},
        "dan": {"me": "files/me/", "me-withdraw": f"files/me/consent/{kept.pk}/withdraw/"},
    }
    for width in (1280, 360):
        for who, pages in shown.items():
            page = visit(width=width).new_page()
            wrong = watch(page)
            enter(page, town, {**cast, "dan": dan}[who], language)
            for name, path in pages.items():
                answer = page.goto(town.page(path, language))
                assert answer is not None and answer.status == 200, name
                picture(page, f"{name}-{language}-{width}")
                sound(page, f"{name} {language} {width}")
            assert not wrong
            page.context.close()
