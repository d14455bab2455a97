"""The gap map: each need once, nobody in it, for coordinators and directors alone, by the database's own word."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.kit.acting import acting
from parvis.network import drawing, gaps
from parvis.network.gaps import Asked, Gap
from parvis.referrals import actions
from parvis.referrals.models import State
from tests.accounts.people import open_account, signed_in
from tests.appointments.story import people
from tests.cases.story import NewPerson, opened
from tests.referrals.test_actions import Story


class Lack(Story):
    """Households of one person each; some needs find nothing, others are asked of a service."""

    def __init__(self) -> None:
        super().__init__()
        self.cora, self.dora = open_account("cora", "coordinator"), open_account("dora", "director")
        self.today = timezone.localdate()

    def unmet(self, number: int, domain: str, *, together: bool = False) -> None:
        heads = ["head"] + (["child"] if together else ["head"]) * (number - 1)
        members = [NewPerson(f"Tête {domain} {n}", language="ti", relation=one) for n, one in enumerate(heads)]
        homes = [opened(self.alice, *members)] if together else [opened(self.alice, one) for one in members]
        for home in homes:
            for person in people(home, self.alice):
                with acting(self.alice), transaction.atomic():
                    actions.note_unmet(person, domain, "full", by=self.alice)

    def gaps(self, viewer: Any = None, **more: Any) -> dict[str, list[Gap]]:
        viewer = viewer or self.cora
        with acting(viewer), transaction.atomic():
            return gaps.gaps(viewer, Asked(self.today - dt.timedelta(weeks=3), self.today, **more))


@pytest.fixture
def lack(city: Any) -> Lack:
    return Lack()


def test_needs_are_counted_once_rounded_and_small_ones_hidden(lack: Lack) -> None:
    lack.unmet(7, "rights")
    lack.unmet(2, "work")
    lack.unmet(6, "health", together=True)  # six people, one family: as few as one
    found = lack.gaps()
    by = {gap.domain: gap for gap in found["domain"]}
    assert (by["rights"].asked, by["rights"].unmet, by["rights"].full, by["rights"].accepted) == (5, 5, 5, 0)
    assert by["work"].asked is None and by["work"].unmet is None and by["health"].asked is None
    (whole,) = found["whole"]
    assert whole.asked == 15 and [gap.language for gap in found["language"]] == ["ti"]
    assert lack.gaps(domain="rights")["whole"][0].unmet == 5 and not lack.gaps(language="ar")["whole"][0].asked
    assert lack.gaps(lack.dora)["whole"] == found["whole"]


def test_a_need_that_several_services_were_asked_for_is_one_and_met_when_one_accepts(lack: Lack) -> None:
    sent = lack.send()
    lack.say(sent, State.DECLINED, "no_capacity")
    with acting(lack.alice), transaction.atomic():
        again = actions.send(lack.amina, actions.Asked(lack.second, "language"), by=lack.alice)
    with acting(lack.cora), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM network_gaps(%s, %s, false, '', '', '') WHERE cut = 15 AND asked IS NULL"
            " AND unmet = 0 AND full_up IS NULL", [lack.today, lack.today],
        )  # fmt: skip
        assert cursor.fetchone() == (1,)  # one small need, not lost while somebody is asked
    lack.say(again, State.DECLINED, "language", by=lack.charlie)
    assert lack.gaps()["whole"][0].unmet is None  # the control: now it is unmet, and hidden


@pytest.mark.parametrize("role", ["agent", "administrator", "privacy", ""])
def test_others_get_nothing_from_code_or_database(city: Any, role: str) -> None:
    somebody, today = open_account("somebody", role), timezone.localdate()
    with pytest.raises(Denied), acting(somebody), transaction.atomic():
        gaps.gaps(somebody, Asked(today, today))
    asks = "SELECT * FROM network_gaps(%s, %s, false, '', '', '')"
    with (
        pytest.raises(DatabaseError, match="coordinators"), acting(somebody), transaction.atomic(),
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(asks, [today, today])


def test_the_page_its_file_and_its_map(lack: Lack) -> None:
    lack.unmet(7, "rights")
    client = signed_in(lack.cora)
    page = client.get(reverse("network:gaps"))
    text = page.content.decode()
    assert page.status_code == 200 and "Tête" not in text and "style=" not in text
    assert dict(page.context["whole"]).popitem() and any(row[1] == "5" for row in page.context["tables"][0]["rows"])
    assert page.context["tables"][0]["rows"][0][-1] in ("1", "5")
    lines = client.get(reverse("network:gaps"), {"form": "csv"}).content.decode().splitlines()
    assert len(lines) == 2 and lines[1].startswith("rights,ti,") and ",5,0,5,0,5," in lines[1]
    assert client.get(reverse("network:gaps"), {"period": "x", "domain": "y", "borough": "z"}).status_code == 200
    assert signed_in(lack.dora).get(reverse("network:gaps")).status_code == 200
    assert signed_in(lack.dora).get(reverse("network:singles")).status_code == 200
    assert signed_in(lack.alice).get(reverse("network:gaps")).status_code == 403


def test_one_more_place_serves_as_often_as_it_is_free_again() -> None:
    def gap(full: int | None, stayed: int | None) -> Gap:
        return Gap("work", "", "", None, 50, 0, full, 0, 50, None, stayed)

    assert gaps.one_more_place(gap(40, 30), 91) == 3 and gaps.one_more_place(gap(5, 1), 91) == 5
    assert gaps.one_more_place(gap(5, None), 91) == 1 and gaps.one_more_place(gap(0, 30), 91) == 0
    assert gaps.one_more_place(gap(None, 30), 91) is None
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    drawn = str(drawing.areas([("?b=a", "A : 5", square, drawing.step(5, 20), "a")], "Titre"))
    assert 'class="gap-1"' in drawn and "<title>A : 5</title>" in drawn and drawing.step(None, 9) == "gap-hidden"
