"""The board, the short intake and surge mode, as actions and as pages."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parvis.accounts.actions import Refused
from parvis.accounts.rules import Denied
from parvis.arrivals import queries
from parvis.arrivals.actions import board, desk
from parvis.arrivals.models import Arrival, Intake
from parvis.cases.actions.people import NewPerson
from parvis.cases.models import Finding, Household, Person
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.cases.story import AMINA, YOUSSEF, agree, opened, partner, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def client(alice: Any) -> Client:
    made = Client(HTTP_HOST="montreal.localhost")
    made.force_login(alice)
    return made


def expected(by: Any, home: Household, hours: float = 1, **more: Any) -> Arrival:
    moment = timezone.localtime(timezone.now() + dt.timedelta(hours=hours))
    with acting(by):
        return board.expect(home, moment.date(), moment.time(), by=by, **more)


def test_an_arrival_is_met_and_taken_back_with_one_click(alice: Any, client: Client) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    arrival = expected(alice, home, 0, flight="px 870", place="YUL")
    page = client.get("/fr/arrivals/").content.decode()
    assert AMINA.name in page and "PX 870" in page and "YUL" in page
    met = client.post(f"/fr/arrivals/{arrival.pk}/met/", {"back": "/fr/arrivals/?show=week"})
    assert met.status_code == 302 and met["Location"].startswith("/fr/arrivals/?show=week")
    with acting(alice), transaction.atomic():
        now = Arrival.objects.get(pk=arrival.pk)
        assert (now.state, now.met_by_id, now.people) == ("met", alice.pk, 2) and now.met_at
    client.post(f"/fr/arrivals/{arrival.pk}/met/")  # twice is once
    client.post(f"/fr/arrivals/{arrival.pk}/expected/", {"back": "https://elsewhere.example.org/"})
    with acting(alice), transaction.atomic():
        now = Arrival.objects.get(pk=arrival.pk)
        assert (now.state, now.met_at, now.met_by_id) == ("expected", None, None)
        codes = list(Event.objects.filter(object_id=home.pk).values_list("code", flat=True))
        assert codes.count("arrivals.met") == 1 and codes.count("arrivals.reset") == 1
    assert client.post(f"/fr/arrivals/{arrival.pk}/nonsense/").status_code == 404


def test_a_household_is_expected_once(alice: Any, client: Client) -> None:
    home = opened(alice, AMINA)
    expected(alice, home)
    with pytest.raises(Refused):
        expected(alice, home)
    assert client.post(f"/fr/arrivals/expect/{home.pk}/", {"on": "2026-12-01"}).status_code == 422
    assert client.post(f"/fr/arrivals/expect/{home.pk}/", {"on": "x"}).status_code == 422


def test_the_board_is_for_who_may_see_the_household(alice: Any, client: Client) -> None:
    home = opened(alice, AMINA)
    arrival = expected(alice, home, 0)
    house, bob = partner("bob")
    since, until = queries.day(timezone.localdate())
    with acting(bob), transaction.atomic():
        assert queries.arrivals(bob, since, until) == []
    stranger = Client(HTTP_HOST="montreal.localhost")
    stranger.force_login(bob)
    assert stranger.post(f"/fr/arrivals/{arrival.pk}/met/").status_code == 404
    agree(house)
    with acting(alice), transaction.atomic():
        amina = Person.objects.get(name=AMINA.name)
    share(amina, house, by=alice, classes=3)  # identity and household
    with acting(bob), transaction.atomic():
        assert [each.pk for each in queries.arrivals(bob, since, until)] == [arrival.pk], "the control"
        with pytest.raises(Denied):
            board.change(arrival, "met", by=bob)


def test_the_board_asks_the_same_number_of_questions_for_many(alice: Any, client: Client) -> None:
    counts = []
    for _ in range(2):
        for number in range(5):
            expected(alice, opened(alice, NewPerson(f"Somebody {uuid.uuid4().hex[:5]}")), 0, place=f"Gate {number}")
        client.get("/fr/arrivals/")  # looks are told once an hour
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get("/fr/arrivals/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_picture_counts_people_by_hour() -> None:
    from parvis.arrivals.views.board import plot_hours

    at = timezone.localtime().replace(hour=14, minute=5)
    found = [Arrival(expected_at=at, people=3, state="met"), Arrival(expected_at=at, people=2),
             Arrival(expected_at=at.replace(hour=20), people=1),
             Arrival(expected_at=at, people=9, timed=False)]  # fmt: skip
    bars = {bar.label: bar for bar in plot_hours(found).bars}
    assert (bars["14"].count, bars["20"].count, sum(bar.count for bar in bars.values())) == (5, 1, 6)
    assert 0 < bars["14"].met_height < bars["14"].height and bars["20"].met_height == 0


FORM = {"with-TOTAL_FORMS": "2", "with-INITIAL_FORMS": "0"}


def test_one_post_opens_a_file_with_what_cannot_wait(alice: Any, client: Client) -> None:
    said = {
        **FORM, "sent_as": str(uuid.uuid4()), "name": "Green coat", "anonymous": "on", "language": "ar",
        "needs": ["medicine", "violence"], "tonight": "shelter", "with-0-name": "the boy", "with-0-relation": "child",
        "with-0-age": "7",
    }  # fmt: skip
    for _ in range(2):  # a second click opens no second file
        assert client.post("/fr/arrivals/intake/", said).status_code == 302
    with acting(alice), transaction.atomic():
        home = Household.objects.get()
        people = {m.relation: m.person for m in home.members.select_related("person")}
        assert people["head"].anonymous and people["child"].birth_year == timezone.localdate().year - 7
        found = {each.domain: each.row_class for each in Finding.objects.filter(person=people["head"])}
        assert found == {"health": 64, "safety": 128}
        intake = Intake.objects.get(household=home)
        assert intake.surge_id is None and intake.completed_at is None
        assert [each.pk for each in queries.short_files(alice)] == [intake.pk]
    client.post(f"/fr/arrivals/intake/{home.pk}/complete/")
    with acting(alice), transaction.atomic():
        assert queries.short_files(alice) == []


def test_a_bad_intake_is_told_and_keeps_what_was_said(client: Client) -> None:
    answer = client.post("/fr/arrivals/intake/", {**FORM, "sent_as": str(uuid.uuid4()), "with-0-age": "7"})
    assert answer.status_code == 422 and b'value="7"' in answer.content
    more = client.post("/fr/arrivals/intake/", {**FORM, "sent_as": str(uuid.uuid4()), "more": "1"})
    assert more.status_code == 200 and b"with-4-name" in more.content


def test_surge_mode_is_turned_on_by_who_may_and_says_so(alice: Any, client: Client) -> None:
    dora = open_account("dora", "director")
    with pytest.raises(Denied), acting(alice):
        desk.begin_surge("Many", by=alice)
    assert client.post("/fr/arrivals/surge/", {"begin": "1", "reason": "Many"}).status_code == 403
    director = Client(HTTP_HOST="montreal.localhost")
    director.force_login(dora)
    assert director.post("/fr/arrivals/surge/", {"begin": "1", "reason": ""}).status_code == 422
    assert director.post("/fr/arrivals/surge/", {"begin": "1", "reason": "Trois avions"}).status_code == 302
    home = opened(alice, AMINA)
    for path in ("/fr/arrivals/", "/fr/arrivals/intake/", f"/fr/files/{home.pk}/"):
        page = client.get(path).content.decode()
        assert dora.name in page, path
    client.post("/fr/arrivals/intake/", {**FORM, "sent_as": str(uuid.uuid4()), "name": "Nour"})
    with acting(alice), transaction.atomic():
        assert Intake.objects.get().surge is not None
    with pytest.raises(Refused), acting(dora):
        desk.begin_surge("again", by=dora)
    assert director.post("/fr/arrivals/surge/", {"end": "1"}).status_code == 302
    assert queries.surge() is None
    with acting(dora), transaction.atomic():
        codes = set(Event.objects.filter(code__startswith="arrivals.surge").values_list("code", flat=True))
    assert codes == {"arrivals.surge.begun", "arrivals.surge.ended"}
    assert dora.name not in client.get("/fr/arrivals/").content.decode(), "the control"


def test_an_erased_person_is_expected_nowhere(alice: Any) -> None:
    from parvis.arrivals.models import PaperEnd
    from parvis.cases.actions.erasing import forgettable

    assert {Arrival, Intake, PaperEnd} <= set(forgettable())
