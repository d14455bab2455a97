"""Today: what waits for whom, what one click does, and a number of questions that does not grow with the office."""

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parvis.arrivals.models import Surge
from parvis.cases.actions import caseload, people
from parvis.cases.actions.people import NewHousehold
from parvis.cases.models import Household, Person
from parvis.cases.models.base import OFFICE
from parvis.cases.vault import Vault
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.plans import actions as plans
from parvis.plans.models import State, Step
from parvis.welcome import day, offline
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, NewPerson, opened

TODAY_PAGE, DO = "/en/welcome/", "/en/welcome/do/"
#: what a page asks at most, with signing in
MOST_QUERIES = 15


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def due(home: Household, by: Any, *days: int, **more: Any) -> list[Step]:
    """The first open steps of a plan, due so many days from today; the others have no day."""
    today = timezone.localdate()
    with acting(by), transaction.atomic():
        targets = list(Step.objects.filter(household=home, kind="target", state="open").order_by("code", "pk"))
        Step.objects.filter(pk__in=[step.pk for step in targets]).update(due_on=None)
        for step, number in zip(targets, days, strict=False):
            Step.objects.filter(pk=step.pk).update(due_on=today + dt.timedelta(days=number), **more)
    return targets[: len(days)]


def _due(found: list[day.Section]) -> day.Section:
    return next(section for section in found if section.code == "due")


def sections(viewer: Any, whose: str = "mine") -> dict[str, day.Section]:
    with acting(viewer), transaction.atomic():
        return {section.code: section for section in day.day(viewer, whose)}


def state(step: Step, by: Any) -> str:
    with acting(by), transaction.atomic():
        return Step.objects.get(pk=step.pk).state


def test_what_waits_is_where_it_belongs(alice: Any) -> None:
    bob, carla = open_account("bob", "agent"), open_account("carla", "agent")
    home = opened(alice, AMINA, YOUSSEF)
    theirs = opened(bob, NewPerson("Ruxandra"))
    for file in (home, theirs):
        due(file, alice, -2, 0, 1)
    mine = sections(alice)
    assert [len(mine[code].lines) for code in ("overdue", "due")] == [1, 1]
    assert {line.household for line in mine["overdue"].lines + mine["due"].lines} == {home.pk}
    assert mine["due"].lines[0].name in (AMINA.name, YOUSSEF.name) and mine["due"].lines[0].title
    assert {line.household for line in sections(carla, "office")["due"].lines} == {home.pk, theirs.pk}
    assert not sections(carla)["due"].lines and not sections(carla, "team")["due"].lines
    with acting(alice):  # Alice and Bob share a file from now on
        caseload.assign(home, lead=alice, backup=bob, next_contact_on=None, version=home.version, by=alice)
    assert theirs.pk in {line.household for line in sections(alice, "team")["due"].lines}
    assert home.pk in {line.household for line in mine["undated"].lines}


def test_a_restricted_file_is_on_nobody_elses_day(alice: Any) -> None:
    bob = open_account("bob", "agent")
    home = opened(alice, AMINA, restricted=True)
    due(home, alice, 0)
    assert len(sections(alice, "office")["due"].lines) == 1  # the control
    assert not sections(bob, "office")["due"].lines and not sections(bob, "office")["undated"].lines
    assert AMINA.name not in signed_in(bob).get(f"{TODAY_PAGE}?whose=office").content.decode()
    assert AMINA.name in signed_in(alice).get(TODAY_PAGE).content.decode()


def test_one_click_completes_with_its_evidence_and_one_takes_it_back(alice: Any) -> None:
    step, other = due(opened(alice), alice, 0, 0)
    client = signed_in(alice)
    sent = {"one": str(step.pk), f"evidence-{step.pk}": "Reçu 12", f"evidence-{other.pk}": "non", "whose": "mine"}
    answer = client.post(DO, sent)
    assert answer.status_code == 302 and str(step.pk) in answer["Location"]
    assert state(step, alice) == State.DONE and state(other, alice) == State.OPEN
    with acting(alice), transaction.atomic():
        assert Vault([step.person_id]).open(Step.objects.get(pk=step.pk), "evidence") == "Reçu 12"
    with acting(alice), transaction.atomic():
        assert Event.objects.filter(code="plans.step.done", object_id=step.household_id).count() == 1
    page = client.get(answer["Location"]).content.decode()
    assert "1 step completed" in page and "data-undo" in page
    assert client.post(DO, {"step": str(step.pk), "do": "undo"}).status_code == 302
    assert state(step, alice) == State.OPEN


def test_several_are_completed_moved_and_assigned_at_once(alice: Any) -> None:
    bob = open_account("bob", "agent")
    found = due(opened(alice), alice, 0, 0, -1) + due(opened(alice, NewPerson("Ruxandra")), alice, 0)
    client, keys = signed_in(alice), [str(step.pk) for step in found]
    soon = (timezone.localdate() + dt.timedelta(days=9)).isoformat()
    assert (
        client.post(DO, {"step": keys, "do": "move", "on": soon, "reason": "La famille est en voyage"}).status_code
        == 302
    )
    with acting(alice), transaction.atomic():
        assert {step.due_on.isoformat() for step in Step.objects.filter(pk__in=keys)} == {soon}
    assert client.post(DO, {"step": keys, "do": "assign", "to": str(bob.pk)}).status_code == 302
    with acting(alice), transaction.atomic():
        assert {step.responsible_user_id for step in Step.objects.filter(pk__in=keys)} == {bob.pk}
    assert client.post(DO, {"step": keys, "do": "complete", "evidence": "Vu"}).status_code == 302
    assert {state(step, alice) for step in found} == {State.DONE}


def test_a_bad_form_changes_nothing_and_keeps_what_was_written(alice: Any) -> None:
    found = due(opened(alice), alice, 0, 0)
    client, keys = signed_in(alice), [str(step.pk) for step in found]
    yesterday = (timezone.localdate() - dt.timedelta(days=1)).isoformat()
    for wrong in ({"do": "move", "on": yesterday, "reason": "Voyage"}, {"do": "move", "on": "x", "reason": "Voyage"},
                  {"do": "assign", "to": str(uuid.uuid4())}, {"do": "assign", "to": str(alice.pk)[:9]}):  # fmt: skip
        answer = client.post(DO, {"step": keys, **wrong})
        assert answer.status_code == 422, wrong
        page = answer.content.decode()
        assert len(re.findall(r"name=\"step\"[^>]*checked", page, re.S)) == 2
        assert "reason" not in wrong or 'value="Voyage"' in page
    assert client.post(DO, {"do": "complete"}).status_code == 302  # nothing chosen: said, nothing done
    assert {state(step, alice) for step in found} == {State.OPEN}


def test_the_households_of_chosen_steps_are_written_to_at_once(alice: Any) -> None:
    home, other = opened(alice, AMINA, YOUSSEF), opened(alice, NewPerson("Ruxandra", language="ro"))
    found = due(home, alice, 0, 0) + due(other, alice, 0)
    client = signed_in(alice)
    answer = client.post(DO, {"do": "write", "step": [str(step.pk) for step in found]})
    assert answer.status_code == 302 and answer["Location"].startswith("/en/messages/write/?")
    page = client.get(answer["Location"])
    assert {person.name for person in page.context["people"]} == {AMINA.name, "Ruxandra"}, "heads, each once"
    assert {state(step, alice) for step in found} == {State.OPEN}
    alone = client.post(DO, {"do": "write", "step": [str(found[-1].pk)]}, headers={"HX-Request": "true"})
    assert alone.status_code == 204 and alone["HX-Redirect"].count("person=") == 1  # the control


def test_a_legal_deadline_is_not_moved_and_nothing_beside_it(alice: Any) -> None:
    home = opened(alice)
    target = due(home, alice, 0)[0]
    with acting(alice), transaction.atomic():
        legal = Step.objects.filter(household=home, state="open", kind="legal").first()
        if legal is None:
            Step.objects.filter(household=home).exclude(pk=target.pk).filter(state="open")[:1]
            pytest.skip("this household has no legal deadline")
    soon = (timezone.localdate() + dt.timedelta(days=9)).isoformat()
    answer = signed_in(alice).post(
        DO, {"step": [str(target.pk), str(legal.pk)], "do": "move", "on": soon, "reason": "Voyage"}
    )
    assert answer.status_code == 422
    with acting(alice), transaction.atomic():
        assert Step.objects.get(pk=target.pk).due_on == timezone.localdate()


def test_what_another_may_not_see_another_does_not_complete(alice: Any) -> None:
    bob = open_account("bob", "agent")
    step = due(opened(alice, restricted=True), alice, 0)[0]
    answer = signed_in(bob).post(DO, {"one": str(step.pk)})
    assert answer.status_code == 302 and state(step, alice) == State.OPEN
    for role in ("director", "administrator", "coordinator", "privacy", ""):
        assert signed_in(open_account(f"x{role}", role)).post(DO, {"one": str(step.pk)}).status_code == 403
    assert state(step, alice) == State.OPEN


def test_the_number_of_questions_is_the_same_for_ten_and_for_many(alice: Any) -> None:
    client = signed_in(alice)

    def asked(path: str) -> int:
        client.get(path)  # who looked is told once an hour
        seen = []
        for _again in range(2):
            with CaptureQueriesContext(connection) as found:
                page = client.get(path)
            assert page.status_code == 200
            # which city a name is of is remembered by the process for a while, whoever asks
            seen.append([q for q in found if not re.match(r"(RELEASE |)SAVEPOINT|SET |SELECT .cities_", q["sql"])])
        # what a process or a session remembers for a minute may run out in one of two, on a slow machine
        return min(map(len, seen))

    counts = {}
    for number in (10, 300):
        _so_many(number, alice)
        counts[number] = [asked(f"{TODAY_PAGE}?whose={whose}") for whose in ("mine", "office", "team")]
    assert counts[10] == counts[300], counts
    assert max(counts[300]) <= MOST_QUERIES, counts
    # the control: sections have more than a page, and the page says so
    page = client.get(TODAY_PAGE).content.decode()
    assert "?overdue=2" in page and page.count("data-line") >= 3 * day.PER_SECTION - 1


def _so_many(number: int, by: Any) -> None:
    """Open files up to this number; of each plan, steps are late, due today and soon."""
    with acting(by), transaction.atomic():
        there = Household.objects.count()
        people.open_households(
            [NewHousehold(holder=OFFICE, members=[NewPerson(f"Tête {n}")], opened_on=TODAY)
             for n in range(there, number)], by=by,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE plans_step SET due_on = %s::date + x.place::int - 2 FROM (SELECT id, row_number() OVER"
                " (PARTITION BY household_id ORDER BY code) AS place FROM plans_step WHERE kind = 'target'"
                " AND state = 'open') AS x WHERE x.id = plans_step.id AND x.place < 4",
                [timezone.localdate()],
            )
        assert Household.objects.count() == number


def test_legal_deadlines_stand_first_then_what_is_late_then_today(alice: Any) -> None:
    home = opened(alice, NewPerson("Ruxandra", stream="claimant"))
    late = _legal(home, alice, -3)
    due(home, alice, *range(-day.OPEN_LINES - 2, 0), 0)
    page = signed_in(alice).get(TODAY_PAGE).content.decode()
    places = [page.index(f'id="part-{code}"') for code in ("legal", "overdue", "due")]
    assert places == sorted(places)
    # each step stands once: what the law wants is not repeated among what is late
    assert page.count(f'name="evidence-{late.pk}"') == 1 and page.index(str(late.pk)) < places[1]
    # what is long is folded: so many open, the rest one click away and on paper
    before, folded = page.split('data-folded="overdue"')
    overdue = before.split('id="part-overdue"')[1]
    assert overdue.count("data-line") == day.OPEN_LINES and "2 more on this page" in folded
    assert folded.split("</details>")[0].count("data-line") == 2
    for days, shown in ((5, True), (6, False)):  # the control
        _legal(home, alice, days)
        assert bool(sections(alice)["legal"].lines) is shown


def _legal(home: Household, by: Any, days: int) -> Step:
    """The one legal deadline of a plan, counted so many days from today; others are said not to apply."""
    with acting(by), transaction.atomic(), connection.cursor() as cursor:
        first, *others = Step.objects.filter(household=home, kind="legal", state="open").order_by("code")
        for other in others:
            plans.not_applicable(other, by=by, reason="Déjà déposé")
        on = timezone.localdate() + dt.timedelta(days=days)
        cursor.execute("UPDATE plans_plan SET derived_at = now() WHERE household_id = %s", [home.pk])
        cursor.execute("UPDATE plans_step SET due_on = %s, falls_on = %s WHERE id = %s", [on, on, first.pk])
    return first


def test_sections_are_paged_apart(alice: Any) -> None:
    for n in range(day.PER_SECTION + 3):
        due(opened(alice, NewPerson(f"Tête {n}")), alice, 0)
    with acting(alice), transaction.atomic():
        first = {line.pk for line in _due(day.day(alice, "mine")).lines}
        found = day.day(alice, "mine", {"due": 2})
    second = {line.pk for line in _due(found).lines}
    assert len(first) == day.PER_SECTION and len(second) == 3 and not first & second
    assert _due(found).count == day.PER_SECTION + 3 and _due(found).pages == 2
    assert len(found[-1].lines) == day.PER_SECTION  # another section stays on its first page


def test_an_empty_day_says_so_in_each_language(alice: Any) -> None:
    client = signed_in(alice)
    for language in ("en", "fr", "ar", "es"):
        page = client.get(f"/{language}/welcome/").content.decode()
        assert 'class="empty"' in page and "data-line" not in page
    assert client.get("/en/account/login/", follow=False).status_code in (200, 302)


def test_an_agents_day_begins_here_and_the_directors_with_numbers(alice: Any) -> None:
    from django.test import Client

    from tests.accounts.people import sign_in

    opened(alice, NewPerson("Ruxandra"))
    assert sign_in(Client(), alice)["Location"].endswith("/welcome/")
    dora = open_account("dora", "director")
    client = Client()
    assert sign_in(client, dora)["Location"].endswith("/welcome/picture/")
    assert client.get(TODAY_PAGE).status_code == 403
    assert "Ruxandra" not in client.get("/en/welcome/picture/").content.decode()


def test_one_link_of_the_header_is_current(alice: Any) -> None:
    client = signed_in(alice)
    header = re.compile(r"<a[^>]*?href=\"([^\"]+)\"[^>]*?aria-current=\"(?:page|true)\"", re.S)
    for path, expected in ((TODAY_PAGE, TODAY_PAGE), ("/en/files/caseload/", "/en/files/")):
        masthead = client.get(path).content.decode().split("</header>")[0].split('class="masthead"')[1]
        assert header.findall(masthead) == [expected], path


# -- without network --------------------------------------------------------------------------------------------------


def kept(client: Any) -> list[dict[str, Any]]:
    return client.get("/en/welcome/list/").json()["steps"]


def send(client: Any, by: Any, line: dict[str, Any], **more: Any) -> Any:
    entry = {"key": str(uuid.uuid4()), "account": str(by.pk), "kind": "complete", "made_at": timezone.now().isoformat(),
             "data": {**line, "evidence": "Vu"}, **more}  # fmt: skip
    return client.post("/en/welcome/send/", json.dumps(entry), content_type="application/json")


@pytest.fixture
def line(alice: Any) -> dict[str, Any]:
    """Alice's one step of the day, as her browser keeps it."""
    offline.switch(True, by=open_account("ada", "administrator"))
    due(opened(alice), alice, 0)
    [found] = kept(signed_in(alice))
    assert found["name"] == AMINA.name and found["title"] and found["reference"]
    return found


def test_a_step_completed_without_network_is_done_on_its_day(alice: Any, line: dict[str, Any]) -> None:
    client = signed_in(alice)
    yesterday = (timezone.now() - dt.timedelta(days=1)).isoformat()
    assert send(client, alice, line, made_at=yesterday).json()["state"] == "done"
    with acting(alice), transaction.atomic():
        step = Step.objects.get(pk=line["step"])
        assert step.state == State.DONE and step.done_on == (timezone.localtime() - dt.timedelta(days=1)).date()
        assert step.done_by_id == alice.pk
    assert line["step"] not in {each["step"] for each in kept(client)}


def test_done_by_somebody_else_meanwhile_is_a_conflict_and_by_oneself_is_done(alice: Any, line: dict[str, Any]) -> None:
    bob = open_account("bob", "agent")
    with acting(bob), transaction.atomic():
        plans.complete(Step.objects.get(pk=line["step"]), by=bob)
    answer = send(signed_in(alice), alice, line)
    assert answer.status_code == 409 and "Bob" in answer.json()["words"] and answer.json()["choices"] == ["drop"]
    assert send(signed_in(bob), bob, line).json()["state"] == "done"
    with acting(alice), transaction.atomic():
        assert Event.objects.filter(code="plans.step.done").count() == 1, "nothing is told twice"


def test_a_household_that_changed_is_for_the_person_to_judge(alice: Any, line: dict[str, Any]) -> None:
    client = signed_in(alice)
    stale = line | {"home": line["home"] - 1}
    answer = send(client, alice, stale)
    assert answer.status_code == 409 and set(answer.json()["choices"]) == {"mine", "drop"}
    with acting(alice), transaction.atomic():
        assert Step.objects.get(pk=line["step"]).state == State.OPEN
    assert send(client, alice, stale, decision="mine").json()["state"] == "done"


def test_a_step_that_one_may_no_longer_see_is_refused(alice: Any, line: dict[str, Any]) -> None:
    bob = open_account("bob", "agent")
    with acting(alice):
        home = Household.objects.get(steps__pk=line["step"])
        caseload.restrict(home, True, version=home.version, by=alice)
    assert send(signed_in(bob), bob, line).status_code == 422
    assert send(signed_in(bob), bob, {"step": str(uuid.uuid4())}).status_code == 422
    with acting(alice), transaction.atomic():
        assert Person.objects.count() == 1 and Step.objects.get(pk=line["step"]).state == State.OPEN


def test_an_office_that_has_not_turned_it_on_gives_no_list(alice: Any) -> None:
    due(opened(alice), alice, 0)
    assert kept(signed_in(alice)) == []


def test_a_surge_stands_above_the_day(city: Any) -> None:
    alice, carol = open_account("alice", "agent"), open_account("carol", "coordinator")
    client = signed_in(alice)
    assert "surge-band" not in client.get(TODAY_PAGE).content.decode()
    Surge.objects.create(begun_by=carol, begun_at=timezone.now())
    assert "surge-band" in client.get(TODAY_PAGE).content.decode()
    assert "surge-band" in client.get("/en/files/new/").content.decode(), "there too a file is opened"
    assert "surge-band" not in client.get("/en/files/").content.decode()  # the control


def test_the_household_page_announces_an_arrival(city: Any) -> None:
    alice = open_account("alice", "agent")
    home = opened(alice)
    page = signed_in(alice).get(f"/en/files/{home.pk}/").content.decode()
    assert f"/en/arrivals/expect/{home.pk}/" in page


def test_a_step_and_its_day_are_read_in_the_readers_language(alice: Any) -> None:
    from django.utils import translation

    from parvis.kit.dates import short_day, short_month

    step = due(opened(alice), alice, 0)[0]
    told = {}
    for language in ("fr", "ar"):
        with translation.override(language):
            told[language] = sections(alice)["due"].lines[0].title
    assert step.code not in told.values() and told["fr"] != told["ar"]
    assert re.search("[\u0600-\u06ff]", told["ar"]) and not re.search("[\u0600-\u06ff]", told["fr"])
    october = dt.date(2026, 10, 5)
    said = {}
    for language in ("fr", "en", "es"):
        with translation.override(language):
            said[language] = (short_day(october), short_month(october))
    assert said["fr"] == ("5 oct.", "oct. 2026") and said["es"][0] == "5 oct." and said["en"][0] == "5 Oct."
