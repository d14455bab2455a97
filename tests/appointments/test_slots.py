"""Free times by the city's clock, on the days it jumps as well."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.core import slots

HERE = ZoneInfo("America/Toronto")
NINE_TO_TEN = {day: [(dt.time(9), dt.time(10))] for day in range(1, 8)}


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_nine_o_clock_stays_nine_when_the_clocks_change() -> None:
    days = [dt.date(2026, 10, 31), dt.date(2026, 11, 1), dt.date(2026, 11, 2)]
    found = list(slots.free(days, NINE_TO_TEN, [], 60, HERE))
    assert found == [utc(2026, 10, 31, 13), utc(2026, 11, 1, 14), utc(2026, 11, 2, 14)]


@pytest.mark.parametrize(
    ("day", "clock", "instant", "twice"),
    [
        (dt.date(2026, 3, 8), dt.time(2, 30), None, False),  # spring leaves it out
        (dt.date(2026, 3, 8), dt.time(3, 0), utc(2026, 3, 8, 7), False),
        (dt.date(2026, 11, 1), dt.time(1, 30), utc(2026, 11, 1, 5, 30), True),  # the first of two
        (dt.date(2026, 11, 1), dt.time(2, 0), utc(2026, 11, 1, 7), False),
        (dt.date(2026, 7, 1), dt.time(9, 0), utc(2026, 7, 1, 13), False),
    ],
)
def test_a_wall_time_is_an_instant_or_none(day: dt.date, clock: dt.time, instant: dt.datetime, twice: bool) -> None:
    assert slots.at(day, clock, HERE) == instant
    assert instant is None or slots.happens_twice(instant, HERE) == twice


def test_what_is_taken_closed_or_over_is_not_offered() -> None:
    monday, tuesday = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
    taken = [(utc(2026, 11, 23, 14, 30), utc(2026, 11, 23, 15, 30))]  # half past nine to half past ten
    week = {1: [(dt.time(9), dt.time(12))], 2: [(dt.time(9), dt.time(12))]}
    found = list(slots.free([monday, tuesday], week, taken, 60, HERE, closed=[tuesday]))
    assert [each.astimezone(HERE).time() for each in found] == [dt.time(10, 30), dt.time(11)]
    assert list(slots.free([monday], week, taken, 30, HERE, after=utc(2026, 11, 23, 16, 10))) == [
        utc(2026, 11, 23, 16, 30)
    ]
    assert slots.free([monday], week, [], 60, HERE) is not None
    assert len(list(slots.free([monday, tuesday], week, [], 60, HERE))) == 10, (
        "the control: nothing taken, nothing closed"
    )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 96), st.integers(1, 8)), max_size=6),
    st.sampled_from([15, 30, 45, 60, 90]),
    st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
)
def test_no_free_time_is_over_a_taken_one(spans: list[tuple[int, int]], minutes: int, day: dt.date) -> None:
    begin = dt.datetime.combine(day, dt.time(), tzinfo=HERE).astimezone(dt.UTC)
    busy = [(begin + dt.timedelta(minutes=15 * at), begin + dt.timedelta(minutes=15 * (at + n))) for at, n in spans]
    length = dt.timedelta(minutes=minutes)
    for start in slots.free([day], slots.USUAL, busy, minutes, HERE):
        assert all(start + length <= since or start >= until for since, until in busy)
        local = start.astimezone(HERE)
        assert dt.time(9) <= local.time() and (local + length).time() <= dt.time(16, 30)
