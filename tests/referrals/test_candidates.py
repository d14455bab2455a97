"""Services for a need: who is offered, in which order, and why."""

import datetime as dt
import random
import uuid
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from parvis.core import eligibility
from parvis.core.eligibility import Answer, Facts
from parvis.demo.loader import load
from parvis.directory.models import Service, ServiceCapacity, TaxonomyTerm, Unit
from parvis.places.models import Borough
from parvis.referrals import candidates
from parvis.referrals.candidates import POINTS, Wanted, differences, rank

NEED = uuid.UUID(int=7)
STREAMS = ("", "unknown", "resettled", "sponsored", "claimant", "recognised", "pr_other", "temporary")


@pytest.fixture
def town(city: Any) -> list[str]:
    """The demo's 400 services; the codes of the boroughs."""
    load("montreal", services=400, on=dt.date(2026, 11, 20))
    return sorted(Borough.objects.values_list("code", flat=True))


def term(code: str) -> tuple[uuid.UUID, ...]:
    return (TaxonomyTerm.objects.get(code=code).pk,)


def everything(**wanted: Any) -> candidates.Ranking:
    return rank(None, Wanted(NEED, **wanted), timezone.now(), size=1000)


def test_the_statement_and_the_core_say_the_same_of_everybody(town: list[str]) -> None:
    """Of each service, for people drawn at random: the answer, the score, and the order that follows."""
    chance = random.Random(3)
    seen = set()
    for _ in range(12):
        age = chance.choice((None, 4, 11, 17, 25, 30, 60))
        known = Facts(
            age, age if age is None else age + chance.randrange(2), chance.choice(("", "female", "male", "other")),
            chance.choice(STREAMS), chance.choice(("", chance.choice(town))), chance.choice((None, True, False)),
        )  # fmt: skip
        found = everything(known=known, languages=("ar",), times="evening")
        answers = [one.verdict.answer for one in found.candidates]
        assert found.totals == {answer: answers.count(answer) for answer in Answer}
        keys = [(one.verdict.answer is Answer.NO, -one.score) for one in found.candidates]
        assert keys == sorted(keys)
        seen |= {reason.code for one in found.candidates for reason in one.verdict.reasons}
    # the control: every kind of condition was met, and failed, by somebody
    assert {"age_fits", "age_too_old", "status_fits", "status_differs", "gender_differs", "area_differs",
            "everyone", "family_differs", "area_unknown"} <= seen  # fmt: skip


def test_only_services_of_the_need_and_none_that_is_over(town: list[str]) -> None:
    found = everything(terms=term("housing"))
    assert 10 < len(found.candidates) < 200
    over = Service.objects.filter(status__in=["inactive", "defunct"])
    assert over.exists()
    assert not {one.service for one in found.candidates} & set(over.values_list("pk", flat=True))
    assert len(everything(terms=term("housing-search")).candidates) < len(found.candidates)


def test_nothing_fits_when_nobody_may_be_asked(town: list[str]) -> None:
    assert everything(terms=(uuid.uuid4(),)).nothing_fits
    assert not everything(terms=term("housing")).nothing_fits


def test_points_add_up_to_why_this_one_and_not_that_one(town: list[str]) -> None:
    found = everything(known=Facts(borough=town[0]), languages=("ar",)).candidates
    first, last = found[0], found[-1]
    assert sum(worth for _, worth in differences(first, last)) == first.score - last.score
    assert differences(first, first) == []
    again = rank(None, Wanted(NEED, known=Facts(borough=town[0]), languages=("ar",)), timezone.now(),
                 only=[last.service]).candidates  # fmt: skip
    assert again == (last,)


def test_room_speech_and_nearness_each_move_a_service_up(town: list[str]) -> None:
    before = everything(languages=("ar",)).candidates
    middle = before[len(before) // 2]
    unit = Unit.objects.create(name="places")
    room = ServiceCapacity(service_id=middle.service, unit=unit, available=2, updated=timezone.now())
    ServiceCapacity.objects.filter(service_id=middle.service).delete()
    room.save()

    def one() -> candidates.Candidate:
        return rank(None, Wanted(NEED, languages=("ar",)), timezone.now(), only=[middle.service]).candidates[0]

    assert one().score == middle.score + POINTS["room"]
    ServiceCapacity.objects.filter(pk=room.pk).update(available=0)
    assert one().score == middle.score + POINTS["full"]
    ServiceCapacity.objects.filter(pk=room.pk).update(updated=timezone.now() - dt.timedelta(days=60))
    assert one().score == middle.score  # what was true in another season says nothing

    near = everything(known=Facts(borough=town[0])).candidates
    assert any(dict(one.points).get("on_foot") for one in near)
    assert all(one.metres is None for one in everything().candidates)
    walks = [one for one in near if one.metres and one.minutes_on_foot and one.minutes_on_foot < 10]
    assert all((one.minutes_riding or 0) >= candidates.WAITING for one in walks)


def test_times_that_fit(town: list[str]) -> None:
    fits = {
        times: {one.service for one in everything(times=times).candidates if one.fits_times}
        for times in ("morning", "evening", "weekend")
    }
    assert all(fits.values())
    assert fits["morning"] != fits["evening"] != fits["weekend"]
    assert all(one.fits_times is None for one in everything().candidates)


def test_equals_take_turns(town: list[str]) -> None:
    """Another need, another order among equals; the same need, the same order."""
    ServiceCapacity.objects.all().delete()
    ask = Wanted(NEED, terms=term("legal"))
    one, again = (rank(None, ask, timezone.now()).candidates for _ in range(2))
    assert one == again
    firsts = {
        rank(None, Wanted(uuid.UUID(int=number), terms=ask.terms), timezone.now(), size=1).candidates[0].service
        for number in range(20)
    }
    best = [each for each in one if each.score == one[0].score]
    assert len(best) > 1 and 1 < len(firsts) <= len(best)


def test_pages_and_a_few_questions_whatever_the_size(town: list[str], django_assert_max_num_queries: Any) -> None:
    whole = [one.service for one in everything().candidates]
    parts: list[uuid.UUID] = []
    for offset in range(0, len(whole), 100):
        with django_assert_max_num_queries(6):
            page = rank(None, Wanted(NEED), timezone.now(), offset=offset, size=100)
        parts += [one.service for one in page.candidates]
    assert parts == whole
    behind = rank(None, Wanted(NEED), timezone.now(), offset=10_000)
    assert behind.candidates == () and sum(behind.totals.values()) == len(whole)


def test_audience_codes_of_another_directory_are_asked_about(town: list[str]) -> None:
    known = set(eligibility.AUDIENCES) | eligibility.EVERYONE | eligibility.AGES
    TaxonomyTerm.objects.filter(code="refugees").update(code="left-handed")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE directory_listing SET facets = replace(facets, '=a=refugees', '=a=left-handed')")
    assert "left-handed" not in known
    codes = {reason.code for one in everything().candidates for reason in one.verdict.reasons}
    assert "audience_unclear" in codes
