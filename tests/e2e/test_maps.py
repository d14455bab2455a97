"""The small map of a place and the choice of a point, in a real browser; and what remains without them."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Request, expect

from parvis.directory import models
from tests.e2e.conftest import watch
from tests.e2e.test_desk import enter, house
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]
__all__ = ["house"]  # the fixture


def located(house: dict[str, Any]) -> str:
    """The public page of the service of the house, which has a point."""
    from django.db import transaction

    from parvis.directory import actions

    with transaction.atomic():
        actions.edit(house["place"], by="test", changes={"latitude": 45.5231, "longitude": -73.5817})
    return f"services/{house['service'].pk}/"


def test_a_place_has_a_small_map_that_comes_when_it_is_seen(in_town: Town, visit: Visit, house: dict[str, Any]) -> None:
    path = located(house)
    page = visit(width=360).new_page()
    wrong, loaded = watch(page), list[str]()
    page.on("request", lambda request: loaded.append(request.url))
    page.set_viewport_size({"width": 360, "height": 300})
    page.goto(in_town.page(path), wait_until="networkidle")
    assert not [url for url in loaded if "leaflet" in url], "not before somebody comes near it"
    box = page.locator(".map[data-at]")
    box.scroll_into_view_if_needed()
    expect(box.locator(".dot")).to_be_visible()
    expect(box.locator(".area").first).to_be_attached()
    assert wrong == [] and not [url for url in loaded if not url.startswith((in_town.url, "data:"))]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_page_with_its_map_weighs_80_kilobytes_and_axe_finds_nothing(
    in_town: Town, visit: Visit, house: dict[str, Any], language: str
) -> None:
    path = located(house)
    page = visit(bypass_csp=True).new_page()
    weights: list[float] = []

    def weigh(request: Request) -> None:
        sizes = request.sizes()
        weights.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    page.on("requestfinished", weigh)
    page.goto(in_town.page(path, language), wait_until="networkidle")
    page.locator(".map[data-at]").scroll_into_view_if_needed()
    expect(page.locator(".map .dot")).to_be_visible()
    assert 40_000 < sum(weights) <= 80_000, f"{sum(weights):.0f} bytes (the map is in it)"
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_without_javascript_the_address_and_the_links_remain(
    in_town: Town, visit: Visit, house: dict[str, Any]
) -> None:
    page = visit(javascript=False).new_page()
    page.goto(in_town.page(located(house)))
    expect(page.locator(".map")).to_be_hidden()
    expect(page.locator("address")).to_contain_text("12, rue des Trois-Ormes")
    assert page.locator('a[href^="geo:45.5231,-73.5817"]').count() == 1


@pytest.mark.parametrize(("language", "sign"), [("fr", ","), ("en", "."), ("es", ","), ("ar", "")])
def test_a_point_is_chosen_on_the_map(
    in_town: Town, visit: Visit, house: dict[str, Any], language: str, sign: str
) -> None:
    page = visit().new_page()
    wrong = watch(page)
    enter(page, in_town, house["charlie"], language)
    page.goto(in_town.page(f"desk/location/{house['place'].pk}/edit/", language))
    page.locator(".pick summary").click()
    expect(page.locator(".pick .area").first).to_be_attached()
    page.locator(".pick .map").click(position={"x": 200, "y": 120})
    expect(page.locator(".pick .dot")).to_be_visible()
    typed = page.input_value("#id_latitude")
    assert re.fullmatch(r"45[.,٫]\d{6}", typed) and (sign in typed), typed
    page.locator('.finish button[value="save"]').click()
    page.wait_for_url(re.compile(r"/desk/location/[0-9a-f-]+/$"))
    place = models.Location.objects.get(pk=house["place"].pk)
    assert place.latitude == pytest.approx(float(re.sub("[,٫]", ".", typed)), abs=1e-6)
    assert wrong == []


def test_a_point_is_chosen_by_keyboard_and_taken_away(in_town: Town, visit: Visit, house: dict[str, Any]) -> None:
    located(house)
    page = visit(bypass_csp=True).new_page()
    enter(page, in_town, house["charlie"])
    page.goto(in_town.page(f"desk/location/{house['place'].pk}/edit/", "en"))
    page.locator(".pick summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pick .dot")).to_be_visible()
    page.locator(".pick .map").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(400)  # the map comes to rest
    page.locator("[data-middle]").focus()
    page.keyboard.press("Enter")
    assert float(page.input_value("#id_latitude")) > 45.5231
    assert float(page.input_value("#id_longitude")) == pytest.approx(-73.5817, abs=1e-3)
    assert Axe().run(page).response["violations"] == []
    page.locator("[data-none]").click()
    assert (page.input_value("#id_latitude"), page.input_value("#id_longitude")) == ("", "")
    expect(page.locator(".pick .dot")).to_have_count(0)


def test_the_fields_of_a_point_need_no_javascript(in_town: Town, visit: Visit, house: dict[str, Any]) -> None:
    page = visit(javascript=False).new_page()
    enter(page, in_town, house["charlie"])
    page.goto(in_town.page(f"desk/location/{house['place'].pk}/edit/", "en"))
    expect(page.locator(".pick")).to_be_hidden()
    page.fill("#id_latitude", "45.53")
    page.fill("#id_longitude", "-73.6")
    page.locator('.finish button[value="save"]').click()
    assert models.Location.objects.get(pk=house["place"].pk).latitude == 45.53
