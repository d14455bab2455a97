"""The office's picture: counts without anybody in them, for the director alone, by the database's own word."""

import datetime as dt
import random
import re
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.cases.models import Household, Person
from parvis.core.privacy import MINIMUM, hide
from parvis.kit.acting import acting
from parvis.welcome import drawing, queries
from tests.accounts.people import open_account, signed_in
from tests.cases.story import NewPerson, opened

TODAY = dt.date(2026, 11, 25)  # a Wednesday


def arrive(by: Any, days: dict[dt.date, int]) -> None:
    """So many people on each day, one household a day."""
    for day, number in days.items():
        home = opened(by, NewPerson(f"Tête {day}"), *(NewPerson(f"M {n}", relation="child") for n in range(number - 1)))
        with acting(by):
            Household.objects.filter(pk=home.pk).update(opened_on=day)


def ask(viewer: Any, step: str = "day", since: dt.date = TODAY, until: dt.date = TODAY) -> list[tuple[Any, ...]]:
    with acting(viewer), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT measure, bucket, part, figure FROM welcome_picture(%s, %s, %s)", [since, until, step])
        return cursor.fetchall()


MONDAY = TODAY - dt.timedelta(days=2)


def test_no_figure_is_small_and_none_follows_from_the_weeks(city: Any) -> None:
    alice, dora = open_account("alice", "agent"), open_account("dora", "director")
    chosen = random.Random(4)
    people = {MONDAY + dt.timedelta(days=n): chosen.randrange(1, 12) for n in range(-14, 7)}
    arrive(alice, people)
    since = MONDAY - dt.timedelta(days=14)
    days = {bucket: count for measure, bucket, _, count in ask(dora, "day", since) if measure == "arrivals"}
    weeks = {bucket: count for measure, bucket, _, count in ask(dora, "week", since) if measure == "arrivals"}
    for first, total in weeks.items():
        week = {first + dt.timedelta(days=n): people[first + dt.timedelta(days=n)] for n in range(7)}
        assert total == sum(week.values())
        shown = {day: days[day] for day in week}
        assert shown == hide(week), "the database and the core hide the same"
        lost = [day for day, count in shown.items() if count is None]
        assert len(lost) != 1 and (not lost or sum(week[day] for day in lost) >= MINIMUM)
    # the control: the true figures have small ones
    assert any(count < MINIMUM for count in people.values()) and any(count is None for count in days.values())


def test_a_single_family_is_in_no_figure(city: Any) -> None:
    alice, dora = open_account("alice", "agent"), open_account("dora", "director")
    arrive(alice, {TODAY: 3})
    found = ask(dora)
    assert found and all(count is None for *_, count in found)
    arrive(alice, {TODAY: 3})  # the control: six are told
    assert ("arrivals", TODAY, "", 6) in ask(dora)


def test_part_of_a_week_can_not_be_asked_for(city: Any) -> None:
    """Two periods whose difference is one day would tell what that day hides."""
    alice, dora = open_account("alice", "agent"), open_account("dora", "director")
    arrive(alice, {MONDAY: 2, TODAY: 9, TODAY + dt.timedelta(days=1): 9})
    whole = ask(dora, "day", MONDAY, TODAY + dt.timedelta(days=4))
    assert ask(dora, "day", TODAY, TODAY) == whole
    assert len(whole) > 3  # the control: there are days to hide


@pytest.mark.parametrize("role", ["agent", "coordinator", "administrator", "privacy", ""])
def test_the_database_answers_the_director_alone(city: Any, role: str) -> None:
    with pytest.raises(DatabaseError, match="director"):
        ask(open_account("somebody", role))
    with pytest.raises(Denied), acting(open_account("other", role)):
        queries.picture(open_account("third", role), TODAY, TODAY, "day")


def test_the_function_gives_no_name_and_the_director_sees_no_person(city: Any) -> None:
    alice, dora = open_account("alice", "agent"), open_account("dora", "director")
    arrive(alice, {MONDAY: 8, TODAY: 7})
    for row in ask(dora):
        for value in row:
            assert value is None or isinstance(value, int | dt.date) or re.fullmatch(r"[a-z_]*|\d+", value), value
    with acting(dora), transaction.atomic():
        assert not Person.objects.exists() and not Household.objects.exists()
    with acting(alice), transaction.atomic():
        assert Person.objects.count() == 15  # the control


def test_the_page_draws_it_and_a_table_says_the_same(city: Any) -> None:
    alice, dora = open_account("alice", "agent"), open_account("dora", "director")
    today = timezone.localdate()
    monday = today - dt.timedelta(days=today.weekday())
    arrive(alice, {monday: 13, monday + dt.timedelta(days=1): 2, monday + dt.timedelta(days=2): 6})
    client = signed_in(dora)
    page = client.get("/en/welcome/picture/").content.decode()
    assert '<svg class="plot"' in page and "hidden" in page and "Tête" not in page and "style=" not in page
    assert re.search(r"<td[^>]*>\s*13\s*</td>", page)
    lines = client.get("/en/welcome/picture/?form=csv").content.decode().splitlines()
    assert f"People who arrived,{monday.isoformat()},People,13" in lines
    assert f"People who arrived,{(monday + dt.timedelta(days=1)).isoformat()},People," in lines
    assert client.get("/fr/welcome/picture/?period=year").status_code == 200
    assert signed_in(alice).get("/en/welcome/picture/").status_code == 403


def test_a_hidden_figure_has_no_size(city: Any) -> None:
    few, many = (
        str(drawing.bars([drawing.Bar("a", [("x", None)]), drawing.Bar("b", [("x", most)])], "t")) for most in (9, 10)
    )
    hidden = re.compile(r'<rect class="plot-hidden"[^>]*>')
    assert hidden.findall(few) == hidden.findall(many) and len(hidden.findall(few)) == 1
    assert all(drawing.nice(n) >= n and drawing.nice(n) % 2 == 0 for n in range(2000))
