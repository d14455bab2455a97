"""The public pages in a real browser: found, read, heard, printed, followed; by keyboard, without JavaScript, on a
small telephone, in four languages, in the light and in the dark."""

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import watch
from tests.e2e.town import Town

LANGUAGES = ["fr", "en", "ar", "es"]
Visit = Callable[..., BrowserContext]


def paths(town: Town) -> dict[str, str]:
    """Every public page by its name."""
    service, organization = town.ids["service"], town.ids["organization"]
    return {
        "home": "",
        "results": "?q=cours",
        "filters": "?q=cours&borough=anjou&free=1&near=H2X",
        "nothing": "?q=zzqqxx",
        "service": f"services/{service}/",
        "bare service": f"services/{town.ids['bare service']}/",
        "closed service": f"services/{town.ids['closed service']}/",
        "hostile service": f"services/{town.ids['hostile service']}/",
        "gone service": f"services/{town.ids['unlisted service']}/",
        "missing page": "services/11111111-1111-4111-8111-111111111111/",
        "organization": f"organizations/{organization}/",
        "organization without service": f"organizations/{town.ids['organization without service']}/",
        "wrong": f"services/{service}/wrong/",
        "about": "about/",
        "accessibility": "accessibility/",
        "privacy": "privacy/",
        "gallery": "kit/",
    }


def complaints(page: Page) -> list[str]:
    """What axe finds on the page as it is now, at WCAG 2.2 AA and its best practices."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page_in_the_light_and_in_the_dark(town: Town, visit: Visit, language: str) -> None:
    for scheme in ("light", "dark"):
        page = visit(scheme=scheme, bypass_csp=True).new_page()
        for name, path in paths(town).items():
            page.goto(town.page(path, language))
            assert complaints(page) == [], f"{name} {language} {scheme}"


@pytest.mark.parametrize("width", [360, 320])
def test_no_page_is_wider_than_a_small_telephone(town: Town, visit: Visit, width: int) -> None:
    page = visit(width=width).new_page()
    for language in LANGUAGES:
        for name, path in paths(town).items():
            page.goto(town.page(path, language))
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} in {language} is {wide} px wide on a screen of {width}"


def test_text_twice_as_large_still_fits(town: Town, visit: Visit) -> None:
    page = visit(width=640).new_page()  # 200 % zoom of a 1280 px screen
    for name, path in paths(town).items():
        page.goto(town.page(path))
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, name


@pytest.mark.parametrize("name", ["home", "results", "service", "organization", "wrong", "about", "nothing"])
def test_a_first_visit_weighs_80_kilobytes_at_most_and_all_of_it_is_ours(town: Town, visit: Visit, name: str) -> None:
    context = visit()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    weights: list[float] = []
    session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(town.page(paths(town)[name]), wait_until="networkidle")
    assert len(weights) >= 4
    assert sum(weights) <= 80_000, f"{name}: {sum(weights):.0f} bytes"
    assert [address for address in addresses if not address.startswith((town.url, "data:"))] == []


def test_every_target_is_large_enough_for_a_thumb(town: Town, visit: Visit) -> None:
    page = visit(width=360).new_page()
    for name in ("home", "results", "service", "wrong"):
        page.goto(town.page(paths(town)[name]))
        small = page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
            .filter(el => el.checkVisibility() && getComputedStyle(el).display !== 'inline')
            .filter(el => !el.closest('p, li > span'))
            .map(el => [el.outerHTML.slice(0, 90), el.getBoundingClientRect()])
            .filter(([html, box]) => box.width > 0 && (box.width < 24 || box.height < 24)
                && !(box.right < 0 || box.bottom < 0 || box.left > innerWidth))
            .map(([html, box]) => html + Math.round(box.width) + 'x' + Math.round(box.height))"""
        )
        assert small == [], name


# -- search -------------------------------------------------------------------------------------------------------


def test_results_come_while_typing_and_the_address_can_be_shared(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    wrong = watch(page)
    page.goto(town.page())
    page.locator("#q").press_sequentially("avocat", delay=30)
    expect(page.locator(".hit h3").first).to_contain_text("Conseil juridique")
    expect(page).to_have_url(town.page("?q=avocat"))
    expect(page.locator("#said")).to_have_text(re.compile(r"^\d+ "))
    assert page.evaluate("document.activeElement.id") == "q"
    page.locator("#borough-1").check()
    expect(page).to_have_url(re.compile("q=avocat&borough="))
    assert page.evaluate("document.activeElement.id") == "borough-1", "the focus stays where the reader is"
    shared = page.url
    titles = page.locator(".hit h3").all_inner_texts()
    page.goto(shared)
    assert page.locator(".hit h3").all_inner_texts() == titles
    assert wrong == []


def test_an_arabic_word_finds_a_french_service(town: Town, visit: Visit) -> None:
    page = visit(width=360, locale="ar").new_page()
    page.goto(town.page(language="ar"))
    assert page.evaluate("document.documentElement.dir") == "rtl"
    page.locator("#q").fill("دروس اللغة")
    page.locator("#q").press("Enter")
    expect(page.locator(".hit h3").first).to_contain_text("دروس مسائية")
    page.locator(".hit h3 a").first.click()
    expect(page.locator("h1")).to_contain_text("دروس مسائية")


def test_a_typing_error_is_forgiven_and_said(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page("?q=avocta"))
    expect(page.locator("#results")).to_contain_text("avocat")
    expect(page.locator(".hit h3").first).to_contain_text("Conseil juridique")


def test_near_me_asks_the_device_and_keeps_a_hundred_metres(town: Town, visit: Visit) -> None:
    context = visit(geolocation={"latitude": 45.531234, "longitude": -73.601234}, permissions=["geolocation"])
    page = context.new_page()
    page.goto(town.page("?q=cours"))
    page.locator("[data-near]").click()
    expect(page).to_have_url(re.compile(r"at=45\.531%2C-73\.601"))
    expect(page.locator(".hit .facts-line").first).to_contain_text("km")


def test_a_device_that_does_not_say_where_it_is_leads_to_words(town: Town, visit: Visit) -> None:
    page = visit(permissions=[]).new_page()
    page.goto(town.page())
    page.evaluate("() => { navigator.geolocation.getCurrentPosition = (found, refused) => refused({ code: 1 }); }")
    page.locator("[data-near]").click()
    expect(page.locator("#near-said")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "near"


def test_the_map_comes_when_it_is_opened_and_answers_to_keys(town: Town, visit: Visit) -> None:
    page = visit(bypass_csp=False).new_page()
    wrong = watch(page)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(town.page("?q=cours"), wait_until="networkidle")
    assert not [url for url in loaded if "leaflet" in url], "the map is not loaded before it is asked for"
    button = page.locator("[data-map]")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".map .dot").first).to_be_visible()
    assert button.get_attribute("aria-expanded") == "true"
    assert page.locator(".map .area").count() == 19
    page.locator(".map .dot").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup-content a").first).to_be_visible()
    assert page.locator(".hit").count() > 0, "the list stays"
    page.locator("#q").fill("avocat")
    expect(page.locator(".hit h3").first).to_contain_text("Conseil")
    expect(page.locator(".map .dot").first).to_be_visible()
    assert wrong == [] and not [url for url in loaded if not url.startswith((town.url, "data:"))]


def test_the_open_map_is_as_accessible_as_the_list(town: Town, visit: Visit) -> None:
    page = visit(bypass_csp=True).new_page()
    page.goto(town.page("?q=cours"))
    page.locator("[data-map]").click()
    expect(page.locator(".map .dot").first).to_be_visible()
    assert complaints(page) == []


def test_a_whole_visit_by_keyboard(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page())
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("cours")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_be_visible()
    for _number in range(60):
        page.keyboard.press("Tab")
        ring = page.evaluate(
            """() => { const el = document.activeElement; const seen = el.closest('.toggle, .card-link') || el;
            const look = [el, seen, ...(el.nextElementSibling ? [el.nextElementSibling] : [])].map(getComputedStyleOf);
            function getComputedStyleOf(one) { return getComputedStyle(one).outlineStyle; }
            return look.some(style => style !== 'none') || el === document.body; }"""
        )
        assert ring, page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if page.evaluate("!!document.activeElement.closest('.hit h3')"):
            break
    else:
        raise AssertionError("no result was reached with the Tab key")
    page.keyboard.press("Enter")
    expect(page.locator(".service-head h1")).to_be_visible()


def test_everything_works_without_javascript(town: Town, visit: Visit) -> None:
    page = visit(javascript=False).new_page()
    page.goto(town.page())
    page.locator("#q").fill("cours")
    page.locator("#free").check()
    page.locator(".ask-box button").click()
    page.wait_for_load_state()
    assert "q=cours" in page.url and "free=1" in page.url
    assert page.locator(".hit").count() > 3
    expect(page.locator("[data-map]")).to_be_hidden()
    expect(page.locator("[data-near]")).to_be_hidden()
    assert page.locator("#filter-fold").get_attribute("open") is not None, "filters in use are shown"
    page.locator("input[name=borough]").first.check()
    page.locator("#filter-fold button[type=submit]").click()
    page.wait_for_load_state()
    assert "borough=" in page.url and page.locator(".hit").count() == 1
    page.locator(".applied a").first.click()
    page.locator(".hit h3 a").first.click()
    expect(page.locator(".service-head h1")).to_be_visible()
    page.locator("a[hreflang=ar]").click()
    expect(page).to_have_url(re.compile("/ar/services/"))
    page.locator("a[href$='/wrong/']").click()
    page.locator("#correction_message").fill("الرقم لا يجيب")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/ar/corrections/"))
    expect(page.locator("main")).to_contain_text("الرقم لا يجيب")


# -- one service --------------------------------------------------------------------------------------------------


def test_print_leaves_the_page_and_takes_the_rest_away(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page(paths(town)["service"]))
    page.emulate_media(media="print")
    for gone in ("nav.tongues", "footer", ".crumbs", "a[href$='/wrong/']", "[data-copy]"):
        expect(page.locator(gone).first).to_be_hidden()
    for kept in ("h1", ".hours", "address", ".only-print .qr"):
        expect(page.locator(kept).first).to_be_visible()


def test_the_square_to_point_a_telephone_at_is_there_and_quiet(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page(paths(town)["service"]))
    box = page.locator(".qr").first.bounding_box()
    assert box is not None and box["width"] > 120
    assert page.locator(".qr").first.get_attribute("aria-label")


def test_copying_the_link_is_said(town: Town, visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(town.page(paths(town)["service"]))
    page.locator("[data-copy]").click()
    expect(page.locator("#copied")).not_to_be_empty()


def test_what_somebody_wrote_does_not_run(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page(paths(town)["hostile service"]))
    page.wait_for_timeout(200)
    assert "pris" not in page.title() and page.title() != "1"
    expect(page.locator("h1")).to_have_text("<b>Gras</b> & cie")


def test_a_message_is_followed_to_its_answer(in_town: Town, visit: Visit) -> None:
    from parvis.accounts.actions import add_user
    from parvis.directory.corrections import answer_correction, follow

    page = visit(bypass_csp=True).new_page()
    page.goto(in_town.page(paths(in_town)["service"]))
    page.locator("a[href$='/wrong/']").click()
    page.locator("main button[type=submit]").click()
    assert complaints(page) == []
    expect(page.locator("[role=alert]")).to_be_focused()
    expect(page.locator("#correction_message")).to_have_attribute("aria-invalid", "true")
    page.locator("#correction_message").fill("La porte était fermée.")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/fr/corrections/"))
    token = page.url.rstrip("/").rsplit("/", 1)[-1]
    correction = follow(token)
    assert correction is not None
    alice = add_user("alice@example.org", name="Alice", role="coordinator", password=None, by="test")
    answer_correction(correction, by=alice, state="accepted", answer="Merci, l'horaire est corrigé.")
    page.reload()
    expect(page.locator("main")).to_contain_text("l'horaire est corrigé")
    assert complaints(page) == []


# -- every page ---------------------------------------------------------------------------------------------------


def test_the_same_page_in_another_language(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(town.page("?free=1"))
    page.locator("#q").fill("cours")
    expect(page).to_have_url(town.page("?q=cours&free=1"))
    page.locator(".tongues a[lang=es]").click()
    expect(page).to_have_url(town.page("?q=cours&free=1", "es"))
    assert page.evaluate("document.documentElement.lang") == "es"


def test_light_or_dark_is_the_readers_choice_and_stays(town: Town, visit: Visit) -> None:
    page = visit(scheme="light").new_page()
    page.goto(town.page("about/"))
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("[data-scheme-choice] button").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(town.page("privacy/"))
    assert page.evaluate(ground) == dark


def test_the_policy_lets_nothing_foreign_in(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    answer = page.goto(town.page())
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy and "nonce-" in policy
    assert answer.headers.get("content-encoding") == "gzip"


def test_static_files_are_small_and_kept_for_ever(town: Town, visit: Visit) -> None:
    page = visit().new_page()
    got: dict[str, Any] = {}
    page.on("response", lambda response: got.update({response.url: response}))
    page.goto(town.page(), wait_until="networkidle")
    files = [response for url, response in got.items() if "/static/" in url]
    assert len(files) >= 5
    for response in files:
        assert "immutable" in response.headers["cache-control"], response.url
    sheet = next(response for response in files if re.search(r"/kit\.[0-9a-f]+\.css", response.url))
    assert len(gzip.compress(sheet.body(), 9)) <= 12_000
