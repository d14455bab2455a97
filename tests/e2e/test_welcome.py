"""The first days of one household in a real browser: its plan, a step done and taken back, a new status, the plan on
paper, the agent's day and the office's picture. Its import is in test_arrivals.py."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.db import transaction
from playwright.sync_api import BrowserContext, Page, expect

from parvis.cases.actions import profile
from parvis.cases.models import ImmigrationStatus, Person
from parvis.kit.acting import acting
from parvis.plans.models import Plan, Step
from tests.accounts.people import open_account
from tests.cases.story import AMINA, TODAY, YOUSSEF, opened
from tests.e2e import test_arrivals
from tests.e2e.conftest import watch
from tests.e2e.test_arrivals import look
from tests.e2e.test_cases import enter
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
alice = test_arrivals.alice
#: the bytes of a PDF, fetched by the page itself
FETCH = """async url => {
  const answer = await fetch(url);
  const type = answer.headers.get("content-type");
  if (type !== "application/pdf") throw new Error(`${answer.status} ${type}`);
  return Array.from(new Uint8Array(await answer.arrayBuffer()));
}"""


def steps(alice: Any, home: Any) -> dict[str, Step]:
    """The household's steps that are about its head or the whole of it, by code, as the database has them now."""
    with acting(alice), transaction.atomic():
        head = Plan.objects.get(household=home).person_id
        return {step.code: step for step in Step.objects.filter(household=home, person_id=head)}


def claimant(alice: Any) -> tuple[Any, Person]:
    """A household whose head has asked for asylum today."""
    home = opened(alice, AMINA, YOUSSEF)
    with acting(alice), transaction.atomic():
        head = Person.objects.get(householdmembers__household=home, name=AMINA.name)
        profile.add(ImmigrationStatus, head, {"stream": "claimant", "since": TODAY}, by=alice)
    return home, head


def submit(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()


@pytest.mark.parametrize(("language", "width"), [("fr", 1280), ("ar", 360)])
def test_the_first_days_of_a_household(
    town: Town, alice: Any, visit: Visit, tmp_path: Path, language: str, width: int
) -> None:
    home, head = claimant(alice)
    before = steps(alice, home)
    # the legal day of a claimant's form stands from the first hour, and a sponsor's steps do not
    assert before["Q30"].kind == "legal" and before["Q30"].due_on and "Q10" not in before
    page = visit(width=width, locale=language).new_page()
    wrong = watch(page)
    enter(page, town, alice, language)
    page.goto(town.page(f"files/{home.pk}/", language))
    expect(page.locator("#plan .plan-row").first).to_be_visible()
    look(page, "plan", language, width)

    # one click completes a step with its evidence; its own page takes it back
    chosen = page.locator(".plan-row form.plan-do").first
    step = str(chosen.get_attribute("action")).rstrip("/").rsplit("/", 1)[1]
    chosen.locator("input[name=evidence]").fill("Vu au guichet")
    with page.expect_navigation():
        chosen.locator("button").click()
    if "confirm" in page.content():  # it moves other steps: shown before it is saved
        submit(page)
    with acting(alice), transaction.atomic():
        assert Step.objects.get(pk=step).state == "done"
    page.goto(town.page(f"plans/step/{step}", language))
    look(page, "step", language, width)
    back = page.locator("main form", has=page.locator('[name="do"][value="undo"]'))
    with page.expect_navigation():
        back.locator("button").first.click()
    if page.locator('[name="confirm"]').count():
        submit(page)
    with acting(alice), transaction.atomic():
        assert Step.objects.get(pk=step).state == "open"

    # a new status: what it does to the plan is shown, and nothing is saved before yes is said
    page.goto(town.page(f"files/people/{head.pk}/part/status/new/", language))
    page.select_option("[name=stream]", "recognised")
    page.fill("[name=since]", TODAY.isoformat())
    submit(page)
    expect(page.locator('[name="confirm"]')).to_be_visible()
    look(page, "status", language, width)
    assert steps(alice, home)["Q30"].state == "open"
    with page.expect_navigation():
        page.locator('[name="confirm"]').click()
    after = steps(alice, home)
    assert after["Q30"].state == "retired" and after["Q34"].state == "open" and "Q34" not in before

    # on paper, in Arabic and Tigrinya letters as in French
    page.goto(town.page(f"plans/of/{home.pk}", language))
    look(page, "whole-plan", language, width)
    for written in ("ar", "fr"):
        body = page.evaluate(FETCH, town.page(f"plans/of/{home.pk}/paper?language={written}", language))
        paper = tmp_path / f"{written}.pdf"
        paper.write_bytes(bytes(body))
        with pikepdf.open(paper) as pdf:
            fonts = {str(font.BaseFont) for leaf in pdf.pages for font in leaf.Resources.get("/Font", {}).values()}
        assert fonts and (written != "ar" or any("Arabic" in name for name in fonts)), fonts

    # danger opens the legal path at once
    page.goto(town.page(f"files/{home.pk}/", language))
    page.locator('a[href*="/danger/"]').first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator('a[href^="tel:"]').first).to_be_visible()
    look(page, "danger", language, width)

    page.goto(town.page("welcome/", language))
    look(page, "today", language, width)
    assert not wrong


def test_the_director_sees_figures_and_no_name(town: Town, alice: Any, visit: Visit) -> None:
    claimant(alice)
    director = open_account(f"charlie{alice.pk.hex[:6]}", "director")
    for language, width in (("fr", 1280), ("ar", 360)):
        page = visit(width=width, locale=language).new_page()
        enter(page, town, director, language)
        page.goto(town.page("welcome/picture/", language))
        expect(page.locator("svg.plot").first).to_be_visible()
        look(page, "picture", language, width)
        assert AMINA.name not in page.content() and not re.search(r"/files/[0-9a-f-]{36}", page.content())
        page.context.close()
