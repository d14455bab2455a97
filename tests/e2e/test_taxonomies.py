"""Taxonomies and histories in a real browser: what axe finds, a small telephone, no JavaScript."""

import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from parvis.directory import actions
from parvis.directory.models import TaxonomyTerm
from tests.accounts.people import open_account
from tests.e2e.conftest import watch
from tests.e2e.test_desk import enter, house, picture
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
__all__ = ["house"]  # the fixture


@pytest.fixture
def needs(in_town: Town) -> dict[str, Any]:
    """A taxonomy with a term below another, and the administrator who looks after it."""
    from django.db import transaction

    mark = uuid.uuid4().hex[:6]
    with transaction.atomic():
        taxonomy = actions.create_taxonomy(by="test", changes={"name": f"Besoins {mark}", "description": "Essai"})
        above = actions.create_term(taxonomy, by="test", changes={"name": f"Apprendre {mark}"})
        term = actions.create_term(
            taxonomy, by="test",
            changes={"name": f"Langue {mark}", "parent_id": str(above.pk), "synonyms": {"fr": ["parler"]}},
        )  # fmt: skip
    return {"taxonomy": taxonomy, "term": term, "admin": open_account(f"admin{mark}", "administrator"), "mark": mark}


@pytest.mark.parametrize("language", ["fr", "en", "ar", "es"])
def test_axe_finds_nothing_and_a_small_telephone_suffices(
    in_town: Town, visit: Visit, house: dict[str, Any], needs: dict[str, Any], language: str
) -> None:
    taxonomy, term = needs["taxonomy"].pk, needs["term"].pk
    pages = {
        "taxonomies": "desk/taxonomies/",
        "taxonomy": f"desk/taxonomy/{taxonomy}/",
        "term": f"desk/taxonomy_term/{term}/",
        "term-edit": f"desk/taxonomy_term/{term}/edit/",
        "term-history": f"desk/history/taxonomy_term/{term}/",
        "term-words": f"desk/taxonomy_term/{term}/words/ar/",
        "new-programme": f"desk/new/program/{house['organization'].pk}/",
        "person-history": f"people/{house['boss'].pk}/history/",
        "members-history": f"members/{house['organization'].pk}/history/",
    }
    for width, scheme in ((1280, "light"), (320, "dark")):
        page = visit(width=width, scheme=scheme, locale=language, bypass_csp=True).new_page()
        wrong = watch(page)
        enter(page, in_town, needs["admin"], language)
        for name, path in pages.items():
            page.goto(in_town.page(path, language))
            found = Axe().run(page).response["violations"]
            assert not found, (name, width, [(v["id"], v["nodes"][0]["html"]) for v in found])
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            picture(page, f"{name}-{language}-{width}")
        assert wrong == []
        page.context.close()


def test_a_term_is_written_without_javascript(in_town: Town, visit: Visit, needs: dict[str, Any]) -> None:
    page = visit(javascript=False).new_page()
    enter(page, in_town, needs["admin"])
    page.goto(in_town.page("desk/", "en"))
    page.get_by_role("link", name="Taxonomies").click()
    page.get_by_role("link", name=f"Besoins {needs['mark']}").click()
    page.get_by_role("link", name="New subject").click()
    page.fill("#id_name", f"Logement {needs['mark']}")
    page.select_option("#id_parent_id", label=f"Apprendre {needs['mark']}")
    page.fill("#id_synonyms_in_fr", "toit\nappartement")
    page.locator('.finish button[value="save"]').click()
    expect(page.locator("h1")).to_have_text(f"Logement {needs['mark']}")
    made = TaxonomyTerm.objects.get(name=f"Logement {needs['mark']}")
    assert made.synonyms == {"fr": ["toit", "appartement"]}
    assert made.parent is not None and made.parent.name == f"Apprendre {needs['mark']}"
