from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.core import hours
from parvis.core.hours import Hours, Rule

MONTREAL = ZoneInfo("America/Toronto")
DAY = timedelta(days=1)


@dataclass
class Row:
    """A schedule row as the standard shapes it."""

    opens_at: time | None = time(9)
    closes_at: time | None = time(17)
    freq: str = "WEEKLY"
    byday: str = ""
    closed: bool = False
    interval: int | None = None
    bymonthday: str = ""
    byweekno: str = ""
    dtstart: date | None = None
    until: date | None = None
    count: int | None = None
    wkst: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    group: str = ""
    description: str = ""


WEEKDAYS = Row(byday="MO,TU,WE,TH,FR")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MONTREAL)


def shown(openings: list[hours.Opening]) -> list[str]:
    return [f"{opening.start:%a %d %H:%M}-{opening.end:%a %d %H:%M}" for opening in openings]


def test_a_plain_week() -> None:
    week = Hours.of([WEEKDAYS], MONTREAL)
    assert shown(week.openings(at("2026-11-20"), at("2026-11-24"))) == [
        "Fri 20 09:00-Fri 20 17:00",
        "Mon 23 09:00-Mon 23 17:00",
    ]
    assert week.is_open(at("2026-11-23T09:00"))
    assert not week.is_open(at("2026-11-23T17:00"))
    assert not week.is_open(at("2026-11-22T12:00"))
    upcoming = week.next_opening(at("2026-11-20T17:00"))
    assert upcoming is not None
    assert upcoming.start == at("2026-11-23T09:00")


def test_what_a_page_says() -> None:
    week = Hours.of([WEEKDAYS], MONTREAL)
    assert week.state(at("2026-11-23T10:00")) == hours.State("open", until=at("2026-11-23T17:00"))
    assert week.state(at("2026-11-21T10:00")) == hours.State("opens", opens=at("2026-11-23T09:00"))
    over = Hours.of([Row(byday="MO", until=date(2026, 1, 5))], MONTREAL)
    assert over.state(at("2026-11-23T10:00")).kind == "closed"
    assert Hours.of([], MONTREAL).state(at("2026-11-23T10:00")).kind == "unknown"
    always = Hours.of([Row(time(0), time(0), byday="MO,TU,WE,TH,FR,SA,SU")], MONTREAL)
    assert always.state(at("2026-11-23T10:00")).kind == "always"


def test_a_night_goes_past_midnight() -> None:
    night = Hours.of([Row(time(22), time(2), byday="FR")], MONTREAL)
    assert shown(night.openings(at("2026-11-16"), at("2026-11-23"))) == ["Fri 20 22:00-Sat 21 02:00"]
    assert night.is_open(at("2026-11-21T01:59"))
    assert night.state(at("2026-11-20T23:00")).until == at("2026-11-21T02:00")


def test_two_rows_that_touch_are_one_opening() -> None:
    both = Hours.of([Row(time(9), time(12), byday="MO"), Row(time(12), time(15), byday="MO")], MONTREAL)
    assert shown(both.openings(at("2026-11-23"), at("2026-11-24"))) == ["Mon 23 09:00-Mon 23 15:00"]


def test_a_closure_wins_and_says_why() -> None:
    holiday = Row(
        None, None, freq="", closed=True, dtstart=date(2026, 12, 24), until=date(2027, 1, 3), description="Holidays"
    )
    week = Hours.of([WEEKDAYS, holiday], MONTREAL)
    assert not week.openings(at("2026-12-24"), at("2027-01-04"))
    assert week.is_open(at("2027-01-04T10:00"))
    state = week.state(at("2026-12-24T10:00"))
    assert state.kind == "opens"
    assert state.because is not None
    assert state.because.description == "Holidays"
    assert week.days(date(2026, 12, 24), date(2026, 12, 24))[0].sessions == ()


def test_a_closure_with_times_cuts_a_part() -> None:
    lunch = Row(time(12), time(13), byday="MO,TU,WE,TH,FR", closed=True)
    week = Hours.of([WEEKDAYS, lunch], MONTREAL)
    assert shown(week.openings(at("2026-11-23"), at("2026-11-24"))) == [
        "Mon 23 09:00-Mon 23 12:00",
        "Mon 23 13:00-Mon 23 17:00",
    ]


def test_a_closed_day_does_not_end_the_night_before() -> None:
    closed = Row(None, None, freq="", closed=True, dtstart=date(2026, 11, 21))
    night = Hours.of([Row(time(22), time(2), byday="FR,SA"), closed], MONTREAL)
    assert shown(night.openings(at("2026-11-16"), at("2026-11-24"))) == ["Fri 20 22:00-Sat 21 02:00"]


def test_a_dated_opening_replaces_the_usual_hours_and_an_event_only_adds() -> None:
    short = Row(time(9), time(12), freq="", dtstart=date(2026, 11, 24), description="Short day")
    event = Row(time(18), time(20), freq="", dtstart=date(2026, 11, 25), group="events")
    week = Hours.of([WEEKDAYS, short, event], MONTREAL)
    assert shown(week.openings(at("2026-11-24"), at("2026-11-26"))) == [
        "Tue 24 09:00-Tue 24 12:00", "Wed 25 09:00-Wed 25 17:00", "Wed 25 18:00-Wed 25 20:00",
    ]  # fmt: skip
    assert week.state(at("2026-11-24T10:00")).because == hours.read(short)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row(freq="MONTHLY", byday="1MO"), [7]),
        (Row(freq="MONTHLY", byday="-1FR"), [25]),
        (Row(freq="MONTHLY", byday="1MO,-1FR"), [7, 25]),
        (Row(freq="MONTHLY", bymonthday="1,15,-1"), [1, 15, 31]),
        (Row(freq="MONTHLY", dtstart=date(2026, 1, 10)), [10]),
        (Row(freq="MONTHLY", interval=2, dtstart=date(2026, 10, 10)), [10]),
        (Row(freq="MONTHLY", interval=2, dtstart=date(2026, 9, 10)), []),
        (Row(byday="TU", interval=2, dtstart=date(2026, 12, 1)), [1, 15, 29]),
        (Row(byday="TU", interval=2, dtstart=date(2026, 11, 24)), [8, 22]),
        (Row(byday="TU", interval=2, dtstart=date(2025, 12, 2)), [1, 15, 29]),
        (Row(byday="TU", byweekno="50"), [8]),
        (Row(byday="TU", count=2, dtstart=date(2026, 12, 1)), [1, 8]),
        (Row(byday="TU", count=2, dtstart=date(2026, 11, 24)), [1]),
        (Row(byday="TU", valid_from=date(2026, 12, 9), valid_to=date(2026, 12, 22)), [15, 22]),
        (Row(byday="TU", until=date(2026, 12, 8)), [1, 8]),
        (Row(freq="", byday="TH"), [3, 10, 17, 24, 31]),
        (Row(freq="", valid_from=date(2026, 12, 30), valid_to=date(2027, 1, 2)), [30, 31]),
    ],
)  # fmt: skip
def test_recurrences_in_december_2026(row: Row, expected: list[int]) -> None:
    found = hours.dates(hours.read(row), date(2026, 12, 1), date(2026, 12, 31))
    assert [day.day for day in found] == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Row(), "days not said"),
        (Row(freq="MONTHLY"), "days not said"),
        (Row(byday="MO", closes_at=None), "times not said"),
        (Row(byday="monday"), "unknown days"),
        (Row(byday="9MO", freq="MONTHLY"), "unknown days"),
        (Row(freq="YEARLY", byday="MO"), "unknown frequency"),
        (Row(freq=""), "dates not said"),
    ],
)
def test_a_row_that_says_too_little_is_listed_with_the_reason(row: Row, reason: str) -> None:
    found = Hours.of([row], MONTREAL)
    assert found.rules == ()
    assert [problem for problem, _ in found.unclear] == [reason]


def test_the_clock_changes() -> None:
    whole_day = Hours.of([Row(time(0), time(0), byday="SU")], MONTREAL)
    lengths = {
        day: sum(
            (
                opening.end.astimezone(UTC) - opening.start.astimezone(UTC)
                for opening in whole_day.openings(at(day), at(day) + 2 * DAY)
            ),
            timedelta(),
        )
        for day in ("2026-03-08", "2026-11-01", "2026-11-08")
    }
    assert lengths == {
        "2026-03-08": timedelta(hours=23), "2026-11-01": timedelta(hours=25), "2026-11-08": timedelta(hours=24),
    }  # fmt: skip
    skipped = Hours.of([Row(time(2, 30), time(4), byday="SU")], MONTREAL)
    assert shown(skipped.openings(at("2026-03-08"), at("2026-03-09"))) == ["Sun 08 03:30-Sun 08 04:00"]


def test_hostile_rows_end_quickly() -> None:
    rows = [
        Row(byday="MO", byweekno="53", dtstart=date(1, 1, 1)),
        Row(byday="MO", count=10**9, dtstart=date(1, 1, 1)),
        Row(freq="MONTHLY", bymonthday="31", interval=10**6, dtstart=date(1900, 1, 31)),
        Row(byday="MO", interval=10**6),
        Row(freq="", dtstart=date(1, 1, 1), until=date(9999, 12, 31)),
    ]
    assert Hours.of(rows, MONTREAL).openings(at("2026-11-23"), at("2026-12-23"))
    with pytest.raises(ValueError, match="800 days"):
        Hours.of(rows, MONTREAL).openings(at("2026-11-23"), at("2036-12-23"))
    with pytest.raises(ValueError, match="aware"):
        Hours.of(rows, MONTREAL).openings(datetime(2026, 1, 1), at("2026-12-23"))


def test_schedules_as_json() -> None:
    schedule = {"id": "x", "freq": "WEEKLY", "byday": "MO", "opens_at": "09:00-05:00", "closes_at": "17:00:00",
                "valid_from": "2026-01-01", "interval": 1, "timezone": -5}  # fmt: skip
    assert hours.read(hours.from_hsds(schedule)) == hours.read(Row(byday="MO", valid_from=date(2026, 1, 1)))
    for broken in ({}, {"opens_at": "soon", "dtstart": "tomorrow", "byday": "MO"}):
        assert Hours.of([hours.from_hsds(broken)], MONTREAL).unclear


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
days = st.dates(date(2026, 1, 1), date(2027, 1, 31))
rules = st.builds(
    Row,
    opens_at=times,
    closes_at=times,
    freq=st.sampled_from(["WEEKLY", "MONTHLY", ""]),
    byday=st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=7).map(",".join),
    closed=st.sampled_from([False, False, True]),
    interval=st.sampled_from([None, 1, 2, 3]),
    dtstart=st.none() | days,
    until=st.none() | days,
    count=st.none() | st.integers(1, 8),
    wkst=st.sampled_from(["", "MO", "SU"]),
    valid_from=st.none() | st.just(date(2026, 2, 1)),
    valid_to=st.none() | st.just(date(2026, 12, 20)),
)


def applies(rule: Rule, day: date) -> bool:
    """Day by day from the beginning, as a person would count on a calendar."""
    if (
        (rule.until and day > rule.until)
        or (rule.valid_from and day < rule.valid_from)
        or (rule.valid_to and day > rule.valid_to)
    ):
        return False
    start = rule.dtstart or rule.valid_from or date(2000, 1, 3)

    def on(candidate: date) -> bool:
        if rule.dtstart and candidate < rule.dtstart:
            return False
        if candidate.weekday() not in {weekday for weekday, _ in rule.days}:
            return False
        if rule.freq == "MONTHLY":
            months = (candidate.year - start.year) * 12 + candidate.month - start.month
            return months % rule.interval == 0
        first = start - DAY * ((start.weekday() - rule.week_start) % 7)
        return (candidate - first).days // 7 % rule.interval == 0

    if not on(day):
        return False
    if rule.count is None:
        return True
    before = 0
    candidate = start
    while candidate < day:
        before += on(candidate)
        if before >= rule.count:
            return False
        candidate += DAY
    return True


@settings(max_examples=200, deadline=None)
@given(rules, days)
def test_recurrences_are_those_of_a_calendar(row: Row, first: date) -> None:
    rule = hours.read(row)
    window = [first + DAY * number for number in range(40)]
    if not rule.dated:
        assert hours.dates(rule, window[0], window[-1]) == [day for day in window if applies(rule, day)]


@settings(max_examples=200, deadline=None)
@given(st.lists(rules, max_size=5), days, st.integers(1, 30))
def test_openings_agree_with_a_minute_by_minute_count(rows: list[Row], first: date, length: int) -> None:
    found = Hours.of(rows, MONTREAL)
    start = datetime.combine(first, time(0), MONTREAL)
    end = (start.astimezone(UTC) + timedelta(days=length)).astimezone(MONTREAL)
    openings = found.openings(start, end)
    for one, following in pairwise(openings):
        assert one.end.astimezone(UTC) < following.start.astimezone(UTC)
    sessions: list[tuple[datetime, datetime, bool]] = []
    for day in found.days(first - DAY, first + DAY * (length + 1)):
        for session in (*day.sessions, *day.cut):
            last = day.date + DAY if session.closes_at <= session.opens_at else day.date
            begins, ends = (
                datetime.combine(on, wall, MONTREAL).astimezone(UTC)
                for on, wall in ((day.date, session.opens_at), (last, session.closes_at))
            )
            sessions.append((begins, ends, session.rule.closed))
    instant = start.astimezone(UTC)
    while instant < end.astimezone(UTC):
        inside = [closed for begins, ends, closed in sessions if begins <= instant < ends]
        expected = bool(inside) and not any(inside)
        assert any(o.start.astimezone(UTC) <= instant < o.end.astimezone(UTC) for o in openings) == expected, instant
        instant += timedelta(minutes=45)


@settings(max_examples=100, deadline=None)
@given(st.lists(rules, max_size=4), st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))
def test_state_agrees_with_openings(rows: list[Row], moment: datetime) -> None:
    found = Hours.of(rows, MONTREAL)
    now = moment.replace(tzinfo=UTC)
    state = found.state(now)
    assert state.is_open == found.is_open(now)
    if state.opens:
        assert state.opens > now
        assert found.is_open(state.opens)
    if state.until:
        assert not found.is_open(state.until)
        assert found.is_open(state.until - timedelta(seconds=1))
