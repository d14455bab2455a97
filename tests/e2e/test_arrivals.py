"""A list of 300 people imported in a real browser; the board on a telephone at the airport; the short intake."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection, transaction
from playwright.sync_api import BrowserContext, Page, expect
from psycopg.conninfo import make_conninfo

from parvis.arrivals.actions import board
from parvis.demo.manifest import Somebody, workbook
from parvis.kit.acting import acting
from tests.accounts.people import open_account
from tests.cases.story import AMINA, YOUSSEF, opened
from tests.conftest import ROOT, URLS
from tests.e2e.conftest import watch
from tests.e2e.test_cases import enter
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
#: set it to a folder to look at the pages yourself
PICTURES = os.environ.get("PARVIS_PICTURES", "")


@pytest.fixture
def alice(in_town: Town) -> Any:
    return open_account(f"alice{uuid.uuid4().hex[:6]}", "agent")


def worker(town: Town, manifest: str) -> None:
    """What the queue's worker does with the import that was asked for, in a process of its own and its own role."""
    name = connection.settings_dict["NAME"]
    dsns = {f"PARVIS_{role}_DSN": make_conninfo(getattr(URLS, role.lower()), dbname=name)
            for role in ("APP", "WORKER", "PUBLIC")}  # fmt: skip
    env = {**os.environ, **dsns, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR"}
    env.pop("PARVIS_DSN", None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.arrivals.killed", town.city.schema_name, manifest, "never"],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == "done", done.stderr[-2000:]


def look(page: Page, name: str, language: str, width: int) -> None:
    """No fault that axe finds, nothing wider than the screen; a picture if asked for."""
    found = Axe().run(page).response["violations"]
    assert not found, (
        name, language, width,
        [(v["id"], v["nodes"][0]["html"][:300], v["nodes"][0].get("failureSummary")) for v in found],
    )  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, language, width)
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"arrivals-{name}-{language}-{width}.png"), full_page=True)


@pytest.mark.parametrize(("language", "width"), [("fr", 1280), ("ar", 360)])
def test_a_list_of_300_people_is_imported(
    town: Town, alice: Any, visit: Visit, tmp_path: Path, language: str, width: int
) -> None:
    opened(alice, AMINA, YOUSSEF)
    known = [Somebody(AMINA.name, AMINA.birth_date)]
    today = board.timezone.localdate()
    file = tmp_path / "arrivees.xlsx"
    file.write_bytes(workbook(300, seed=width, on=today, known=known))
    page = visit(width=width, locale=language).new_page()
    wrong = watch(page)
    enter(page, town, alice, language)
    page.goto(town.page("arrivals/lists/", language))
    look(page, "lists", language, width)
    page.set_input_files("input[type=file]", str(file))
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator(".home-of").first).to_be_visible()
    manifest = page.url.rstrip("/").rsplit("/", 1)[1]
    look(page, "list", language, width)
    page.goto(town.page(f"arrivals/lists/{manifest}/?show=problems", language))
    expect(page.locator(".wrong").first).to_be_visible()
    look(page, "problems", language, width)
    page.goto(town.page(f"arrivals/lists/{manifest}/columns/", language))
    look(page, "columns", language, width)
    page.goto(town.page(f"arrivals/lists/{manifest}/decide/", language))
    expect(page.get_by_text(AMINA.name).first).to_be_visible()
    look(page, "decide", language, width)
    for row in page.locator("fieldset.beside").all():
        row.locator(".same-as input").first.check()
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(f"lists/{manifest}/$"))
    page.locator(f'form[action$="{manifest}/import/"] button').click()
    expect(page.locator("#progress")).to_be_visible()
    look(page, "progress", language, width)
    worker(town, manifest)
    expect(page).to_have_url(re.compile("/report/$"), timeout=15_000)  # the page has noticed by itself
    expect(page.locator("dl.grid")).to_contain_text("300")
    look(page, "report", language, width)
    with page.expect_download() as got:
        page.locator('a[href$="report.csv"]').click()
    told = Path(got.value.path()).read_text("utf-8-sig").splitlines()
    assert len(told) == 301 and AMINA.name not in "".join(told)
    page.goto(town.page("arrivals/?show=week", language))
    assert page.locator(".arrival").count() > 50
    look(page, "board", language, width)
    page.locator(".arrival .who a").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look(page, "household", language, width)
    # the same file again creates nothing, and says so
    page.goto(town.page("arrivals/lists/", language))
    page.set_input_files("input[type=file]", str(file))
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(f"{manifest}/report/$"))
    expect(page.locator(".alert").first).to_be_visible()
    assert not wrong


def test_met_with_one_thumb_at_the_airport_and_taken_back(town: Town, alice: Any, visit: Visit) -> None:
    home = opened(alice, AMINA)
    now = board.timezone.localtime()
    with acting(alice), transaction.atomic():
        board.expect(home, now.date(), now.time(), flight="PX 870", place=f"Porte {uuid.uuid4().hex[:6]}", by=alice)
    page = visit(width=360, javascript=False).new_page()
    enter(page, town, alice, "fr")
    page.goto(town.page("arrivals/", "fr"))
    mine = page.locator(".arrival", has=page.locator(f'a[href*="{home.pk}"]'))
    button = mine.locator("button").first
    box = button.bounding_box()
    assert box and box["height"] >= 44 and box["width"] >= 88
    button.click()
    mine = page.locator(".arrival-met", has=page.locator(f'a[href*="{home.pk}"]'))
    expect(mine).to_be_visible()
    mine.locator("button").first.click()
    again = page.locator(".arrival-expected", has=page.locator(f'a[href*="{home.pk}"]'))
    expect(again.locator("button").first).to_be_visible()
    page.emulate_media(media="print")
    expect(again.locator("button").first).to_be_hidden()
    expect(again).to_be_visible()


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_short_intake_is_one_screen_and_one_post(town: Town, alice: Any, visit: Visit, language: str) -> None:
    for width in (1280, 360):
        page = visit(width=width, locale=language).new_page()
        wrong = watch(page)
        enter(page, town, alice, language)
        page.goto(town.page("arrivals/intake/", language))
        look(page, "intake", language, width)
        page.fill("[name=name]", "ليلى الخطيب")
        page.locator('input[value="medicine"]').check()
        page.fill("[name=with-0-name]", "Sami")
        page.fill("[name=with-0-age]", "7")
        page.locator("main form .actions button[type=submit]").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("ليلى الخطيب")
        expect(page.get_by_role("main")).to_contain_text("Sami")
        assert not wrong
        page.context.close()
