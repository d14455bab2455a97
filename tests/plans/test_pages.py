"""The plan on the household's page and its own; the paper in three scripts; what a change will do, shown before."""

import datetime as dt
import io
from typing import Any

import pikepdf
import pytest
from django.urls import reverse
from django.utils import translation

from parvis.cases.glance import household as glance_of
from parvis.cases.models import Household, Person
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.plans import actions, paper, queries, shown, timeline
from parvis.plans.models import State, Step
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *a, **k: TODAY + dt.timedelta(days=3))


def url(name: str, *args: Any, language: str = "en") -> str:
    with translation.override(language):
        return reverse(f"plans:{name}", args=args)


def page_of(client: Any, home: Household, language: str = "en") -> str:
    with translation.override(language):
        answer = client.get(reverse("cases:household", args=[home.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_household_page_has_the_plan_and_one_click_completes(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    client = signed_in(alice)
    page = page_of(client, home)
    assert "The plan as a line" in page and "Register the child at a school" in page and "days late" in page
    assert "911: immediate danger" in page
    with acting(alice):
        step = Step.objects.get(household=home, code="G21")
    answer = client.post(url("step", step.pk), {"do": "done", "version": step.version, "evidence": "50 $"})
    if answer.status_code == 200:  # it moves others: that is shown first, and one more click does it
        assert "What will change" in answer.content.decode()
        answer = client.post(url("step", step.pk), {"do": "done", "version": step.version, "confirm": "1"})
    assert answer.status_code == 302
    with acting(alice):
        step.refresh_from_db()
    assert step.state == State.DONE
    client.post(url("step", step.pk), {"do": "undo", "version": step.version, "confirm": "1"})
    with acting(alice):
        step.refresh_from_db()
    assert step.state == State.OPEN


def test_a_bad_form_is_422_and_a_stale_one_409(alice: Any) -> None:
    home = opened(alice)
    client = signed_in(alice)
    with acting(alice):
        step = Step.objects.get(household=home, code="G21")
    assert client.post(url("step", step.pk), {"do": "pin", "on": "soon", "reason": ""}).status_code == 422
    assert client.post(url("step", step.pk), {"do": "not_applicable", "reason": ""}).status_code == 422
    stale = client.post(url("step", step.pk), {"do": "done", "version": "77", "confirm": "1"})
    assert stale.status_code == 409


def test_every_page_of_a_plan_opens_in_french_and_arabic(alice: Any) -> None:
    home = opened(alice)
    client = signed_in(alice)
    with acting(alice):
        step = Step.objects.get(household=home, code="G42")
    for language in ("fr", "ar"):
        for name, args in (("plan", [home.pk]), ("step", [step.pk]), ("danger", [home.pk, "dpj"])):
            assert client.get(url(name, *args, language=language)).status_code == 200
    assert client.get(url("danger", home.pk, "999")).status_code == 404


def test_a_change_of_status_is_shown_before_it_is_saved(alice: Any) -> None:
    home = opened(alice)
    client = signed_in(alice)
    with acting(alice):
        amina = Person.objects.get(name=AMINA.name)
    with translation.override("en"):
        address = reverse("cases:row-new", args=[amina.pk, "status"])
    given = {"stream": "claimant", "since": str(TODAY)}
    before = client.post(address, given)
    assert before.status_code == 200 and "Basis of Claim" in before.content.decode()
    with acting(alice):
        assert not Step.objects.filter(household=home, code="Q30").exists()
    assert client.post(address, given | {"confirm": "1"}).status_code == 302
    with acting(alice):
        assert Step.objects.filter(household=home, code="Q30").exists()


def test_a_partner_sees_only_the_steps_of_the_classes_agreed(alice: Any) -> None:
    home = opened(alice)
    organization, bob = partner("bob")
    stranger = signed_in(partner("charlie")[1])
    agree(organization)
    with acting(alice):
        amina = Person.objects.get(name=AMINA.name)
        health = Step.objects.get(household=home, code="G49")
        planned = Step.objects.get(household=home, code="G42")
    share(amina, organization, by=alice, classes=int(DataClass.IDENTITY | DataClass.HOUSEHOLD | DataClass.PLAN))
    client = signed_in(bob)
    assert client.get(url("step", planned.pk)).status_code == 200
    assert client.get(url("step", health.pk)).status_code == 404
    page = page_of(client, home)
    assert "Lease signed" in page and "First visit of the health check" not in page
    # (the digits alone also stand in a random key now and then)
    assert "danger/911" in page_of(signed_in(alice), home)
    assert "danger/911" not in page, "whom to call is for who works with them"
    assert client.post(url("step", planned.pk), {"do": "done"}).status_code == 403
    for step in (planned, health):
        assert stranger.get(url("step", step.pk)).status_code == 404
    with acting(bob):
        assert set(Step.objects.values_list("row_class", flat=True)) == {DataClass.PLAN.value}


def test_the_paper_is_set_in_each_script(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    client = signed_in(alice)
    sizes = set()
    for language in paper.LANGUAGES:
        for large in ("", "&large=1"):
            answer = client.get(url("paper", home.pk) + f"?language={language}{large}")
            assert answer.status_code == 200 and answer.content.startswith(b"%PDF")
            sizes.add(len(answer.content))
    assert len(sizes) == 2 * len(paper.LANGUAGES)
    assert client.get(url("paper", home.pk) + "?language=xx").status_code == 404
    with acting(alice), translation.override("ar"):
        seen = glance_of(alice, home)
        people = {card.person.pk: card.person for card in seen.cards}
        board = queries.board(seen.sight, home, people, "ar")
        assert board is not None
        told = paper.content(
            board, language="ar", large=False, link="https://example.org/", who="", office="", telephone=""
        )
        titles = [row["title"] for group in told["groups"] for row in group["rows"]]
        arabic = [title for title in titles if any("\u0600" <= char <= "\u06ff" for char in title)]
        assert told["rtl"] and len(arabic) == len(titles), set(titles) - set(arabic)


def _sheet(who: str) -> dict[str, Any]:
    return {
        "title": "Plan", "language": "fr", "rtl": False, "large": False, "who": who, "office": "", "telephone": "",
        "made": "", "scan": "", "qr": paper._qr("https://example.org/"), "legal": "", "footer": "", "groups": [],
    }  # fmt: skip


def _fonts(who: str) -> set[str]:
    """Names of the fonts in a paper for somebody of this name."""
    with pikepdf.open(io.BytesIO(paper.setting(_sheet(who), "pdf"))) as pdf:
        return {str(font.BaseFont) for page in pdf.pages for font in page.Resources["/Font"].values()}


def test_names_are_printed_in_ethiopic_letters_and_in_latin_ones_where_no_font_writes_them() -> None:
    assert any("Ethiopic" in name for name in _fonts("ዳዊት ገብረኪያብ"))
    assert not any("Ethiopic" in name for name in _fonts("Dawit"))  # the control
    assert any("Arabic" in name for name in _fonts("آمنة"))
    for name, latin, printed in (
        ("ዳዊት", "Dawit", "ዳዊት"), ("သီရိ", "Thiri", "Thiri"), ("Ана Ђ.", "Ana", "Ана Ђ."), ("សុខ", "", "សុខ"),
        ("Nguyễn O’Neil", "", "Nguyễn O’Neil"),
    ):  # fmt: skip
        assert paper.printed(Person(name=name, name_latin=latin)) == printed
    assert paper.printed(None) == ""


def test_the_timeline_runs_the_other_way_in_arabic(alice: Any) -> None:
    home = opened(alice)
    with acting(alice):
        seen = glance_of(alice, home)
        board = queries.board(seen.sight, home, {}, "fr")
        assert board is not None
        lines = {}
        for language in ("fr", "ar"):
            with translation.override(language):
                lines[language] = timeline.timeline(board.rows, TODAY)
    for french, arabic in zip(lines["fr"].marks, lines["ar"].marks, strict=True):
        assert round(french.x + arabic.x) == timeline.WIDTH


def test_days_given_and_agreed(alice: Any) -> None:
    home = opened(alice)
    client = signed_in(alice)
    days = {"do": "days", "arrival_on": str(TODAY + dt.timedelta(days=30)), "lease_on": "", "support_end_on": ""}
    before = client.post(url("plan", home.pk), days)
    assert before.status_code == 200 and "Moved:" in before.content.decode()
    assert client.post(url("plan", home.pk), days | {"confirm": "1"}).status_code == 302
    assert client.post(url("plan", home.pk), {"do": "agree"}).status_code == 422
    for do in ("give", "agree"):
        assert client.post(url("plan", home.pk), {"do": do, "language": "ar"}).status_code == 302
    assert "agreed on" in client.get(url("plan", home.pk)).content.decode()


def test_several_at_once(alice: Any) -> None:
    home = opened(alice)
    client = signed_in(alice)
    with acting(alice):
        keys = [str(step.pk) for step in Step.objects.filter(household=home, code__in=["G10", "G12", "G21"])]
    assert client.post(url("several"), {"step": keys}).status_code == 302
    with acting(alice):
        assert Step.objects.filter(pk__in=keys, state=State.DONE).count() == len(keys) == 3
        assert actions.complete_many(Step.objects.filter(pk__in=keys), by=alice) == 0
    assert shown.GROUP_NAMES.keys() == set(queries.GROUPS)
