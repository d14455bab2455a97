"""The schedule editor's own arithmetic: rows to a timetable and back, and times as people type them."""

import datetime as dt
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from parvis.core.hours import Hours
from parvis.directory import timetable as tt
from parvis.directory import wording
from parvis.directory.schedule_forms import ScheduleForm

times = st.times().map(lambda t: t.replace(second=0, microsecond=0, fold=0)).filter(lambda t: t < dt.time(23, 59))
spans = st.builds(tt.Span, times, times)


def _in_turn(moments: list[dt.time]) -> tuple[tt.Span, ...]:
    """Openings one after the other; the last may go on past midnight."""
    ordered = sorted(moments)
    ordered = ordered[: len(ordered) // 2 * 2]
    return tuple(tt.Span(*pair) for pair in zip(ordered[::2], ordered[1::2], strict=True))


days = st.lists(times, max_size=6, unique=True).map(_in_turn) | st.lists(spans, max_size=2, unique=True).map(
    lambda found: tuple(sorted(found))
)
dates = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))
notes = st.sampled_from(["", "On appointment", "Été"])


@st.composite
def ranges(draw: st.DrawFn) -> tuple[dt.date | None, dt.date | None]:
    first, last = draw(st.none() | dates), draw(st.none() | dates)
    return (last, first) if first and last and last < first else (first, last)


@st.composite
def tables(draw: st.DrawFn) -> tt.Timetable:
    periods = {}
    for _ in range(draw(st.integers(0, 3))):
        first, last = draw(ranges())
        period = tt.Period(
            draw(st.tuples(*[days] * 7)),
            tuple(sorted(set(draw(st.lists(st.builds(tt.MonthDay, st.sampled_from([1, 2, 3, 4, 5, -1]),
                                                     st.integers(0, 6), spans), max_size=3))))),
            first, last, draw(notes), draw(st.sampled_from(["", "As the wind blows"])),
        )  # fmt: skip
        if not period.empty:
            periods[first, last] = period
    special = {}
    for _ in range(draw(st.integers(0, 3))):
        first = draw(dates)
        last = first + dt.timedelta(days=draw(st.integers(0, 20)))
        one = tt.Exceptional(first, last, draw(days), draw(notes))
        special[first, last, one.note, one.closed] = one
    return tt.Timetable(
        tuple(sorted(periods.values(), key=lambda p: (p.valid_from or dt.date.min, p.valid_to or dt.date.max, p.note))),
        tuple(sorted(special.values(), key=lambda e: (e.first, e.last, e.note, e.spans))),
    )


def _sorted(table: tt.Timetable) -> tuple[object, ...]:
    return (sorted(map(repr, table.periods)), table.exceptions, table.others)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_timetable_becomes_rows_and_the_same_timetable_again(table: tt.Timetable) -> None:
    rows = tt.rows(table)
    assert _sorted(tt.read(rows)) == _sorted(table)
    assert len({row["id"] for row in rows}) == len(rows)
    # saving without a change changes nothing, not even an id
    assert tt.rows(tt.read(rows), rows) == rows


@settings(max_examples=60, deadline=None)
@given(tables(), tables())
def test_a_change_keeps_what_did_not_change(before: tt.Timetable, after: tt.Timetable) -> None:
    old = tt.rows(before)
    new = tt.rows(after, old)
    assert _sorted(tt.read(new)) == _sorted(after)
    assert len({row["id"] for row in new}) == len(new)
    same = {tt._meaning(row) for row in old} & {tt._meaning(row) for row in new}
    by_meaning = {tt._meaning(row): row["id"] for row in old}
    assert all(row["id"] == by_meaning[tt._meaning(row)] for row in new if tt._meaning(row) in same)


@settings(max_examples=40, deadline=None)
@given(tables())
def test_the_rows_open_when_the_timetable_says(table: tt.Timetable) -> None:
    """What the editor writes is what core.hours computes for the page: each plain week day has its spans."""
    from types import SimpleNamespace
    from zoneinfo import ZoneInfo

    rows = [SimpleNamespace(**{k: tt._date(v) if k in ("valid_from", "valid_to", "dtstart", "until") else
                               tt._time(v) if k.endswith("_at") else v for k, v in row.items()})
            for row in tt.rows(table)]  # fmt: skip
    monday = dt.date(2026, 3, 2)
    special = [e for e in table.exceptions if e.first <= monday + dt.timedelta(days=6) and e.last >= monday]
    if special or any(p.month for p in table.periods):
        return
    week = Hours.of(rows, ZoneInfo("America/Toronto")).week(monday)
    for number, day in enumerate(week):
        expected = sorted(
            span
            for p in table.periods
            if (p.valid_from or day.date) <= day.date <= (p.valid_to or day.date)
            for span in p.week[number]
        )
        assert [tt.Span(s.opens_at, s.closes_at) for s in day.sessions] == expected


def test_days_with_the_same_hours_share_a_row() -> None:
    nine = (tt.Span(dt.time(9), dt.time(17)),)
    (row,) = tt.rows(tt.Timetable((tt.Period((nine,) * 5 + ((),) * 2),)))
    assert (row["freq"], row["byday"], row["opens_at"], row["closes_at"]) == (
        "WEEKLY",
        "MO,TU,WE,TH,FR",
        "09:00",
        "17:00",
    )


@pytest.mark.parametrize(
    "row",
    [
        {"freq": "WEEKLY", "byday": "MO", "interval": 2, "opens_at": "09:00", "closes_at": "17:00"},
        {"freq": "WEEKLY", "byday": "MO", "closed": True},
        {"freq": "MONTHLY", "bymonthday": "15", "opens_at": "09:00", "closes_at": "17:00"},
        {"freq": "MONTHLY", "byday": "TU", "opens_at": "09:00", "closes_at": "17:00"},
        {"dtstart": "2026-01-01", "closed": True, "opens_at": "12:00", "closes_at": "13:00"},
        {"freq": "WEEKLY", "byday": "MO", "opens_at": "09:00", "closes_at": None},
        {
            "freq": "WEEKLY",
            "byday": "MO",
            "dtstart": "2026-01-05",
            "count": 4,
            "opens_at": "09:00",
            "closes_at": "10:00",
        },
        {"group": "events", "dtstart": "2026-01-01", "opens_at": "12:00", "closes_at": "13:00"},
    ],
)
def test_a_row_without_words_is_kept_as_it_is(row: dict[str, object]) -> None:
    row = {"id": "8e1a4d54-0000-4000-8000-000000000001", **row}
    table = tt.read([row])
    assert table.others == (row,) and not table.periods and not table.exceptions
    nine = tt.Period(((tt.Span(dt.time(9), dt.time(17)),),) + ((),) * 6)
    changed = tt.rows(tt.Timetable((nine,), (), table.others), [row])
    assert row in changed and len(changed) == 2


def test_an_appointment_only_note_needs_no_hours() -> None:
    table = tt.Timetable((tt.Period(note="Sur rendez-vous"),))
    (row,) = tt.rows(table)
    assert row["description"] == "Sur rendez-vous" and not row["freq"]
    assert tt.read([row]) == table


def test_a_source_says_a_closure_in_its_own_way_and_keeps_it() -> None:
    row = {"id": "8e1a4d54-0000-4000-8000-000000000002", "valid_from": "2026-12-24", "valid_to": "2027-01-02",
           "closed": True, "description": "Congé", "timezone": -5.0}  # fmt: skip
    table = tt.read([row])
    assert table.exceptions == (tt.Exceptional(dt.date(2026, 12, 24), dt.date(2027, 1, 2), (), "Congé"),)
    assert tt.rows(table, [row]) == [row]
    nine = tt.Period(((tt.Span(dt.time(9), dt.time(17)),),) + ((),) * 6)
    assert row in tt.rows(tt.Timetable((nine,), table.exceptions), [row])


@pytest.mark.parametrize(
    ("typed", "hour", "minute"),
    [("9", 9, 0), ("9h", 9, 0), ("9 h 30", 9, 30), ("9:05", 9, 5), ("0930", 9, 30), ("17.45", 17, 45), ("5 pm", 17, 0),
     ("12am", 0, 0), ("12 p.m.", 12, 0), ("24:00", 0, 0), ("midi", 12, 0), ("٩:٣٠", 9, 30), ("11:15 PM", 23, 15),
     (" 8h00 ", 8, 0), ("٥ م", 17, 0)],
)  # fmt: skip
def test_times_as_people_type_them(typed: str, hour: int, minute: int) -> None:
    assert tt.clock(typed) == dt.time(hour, minute)


@pytest.mark.parametrize("typed", ["", "nine", "25", "9:75", "13 pm", "9:5:3", "24:30", "-3", "9 to 5"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        tt.clock(typed)


@given(times)
def test_every_time_is_read_back(at: dt.time) -> None:
    assert tt.clock(f"{at:%H:%M}") == at


# -- the form around it -------------------------------------------------------------------------------------------


def sent(editor: ScheduleForm) -> QueryDict:
    """What a browser sends back when nobody touched the form."""
    data = QueryDict(mutable=True)
    data["periods"], data["exceptions"] = str(len(editor.periods)), str(len(editor.exceptions))
    forms: list[Any] = [*editor.exceptions]
    for period in editor.periods:
        data[f"{period.prefix}-columns"] = str(period.week.columns)
        data[f"{period.prefix}-months"] = str(period.count)
        forms += [period.week, *period.month]
    for form in forms:
        if hasattr(form, "columns"):
            data[f"{form.prefix}-columns"] = str(form.columns)
        for bound in form:
            value = bound.field.widget.format_value(bound.value())
            said = value[0] if isinstance(value, list) else value
            if said not in (None, False, "False"):
                data[bound.html_name] = str(said)
    return data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(tables(), st.sampled_from(["fr", "en", "ar", "es"]))
def test_the_form_gives_back_what_it_was_filled_with(table: tt.Timetable, language: str) -> None:
    rows = tt.rows(table)
    before = tt.read(rows)
    with translation.override(language):
        editor = ScheduleForm(before, sent(ScheduleForm(before)))
        assume(editor.is_valid())  # hours of one day that run into each other are refused by the form
        assert editor.table() == before
        assert tt.rows(editor.table(), rows) == rows
        wording.timetable(before)


def test_the_form_refuses_only_what_overlaps() -> None:
    """The control of the test above: plain tables are valid."""
    week = tuple((tt.Span(dt.time(9), dt.time(12)), tt.Span(dt.time(13), dt.time(17))) for _ in range(7))
    table = tt.Timetable(
        (tt.Period(week, (tt.MonthDay(1, 1, tt.Span(dt.time(18), dt.time(2))),), note="Sonnez"),),
        (tt.Exceptional(dt.date(2026, 12, 25), dt.date(2026, 12, 26), (), "Fête"),),
    )
    editor = ScheduleForm(table, sent(ScheduleForm(table)))
    assert editor.is_valid() and editor.table() == table
