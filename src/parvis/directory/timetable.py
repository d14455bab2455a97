"""Opening times as people say them: a week, some days of the month, days that differ, and back to HSDS rows.

`read` makes a Timetable of schedule rows (as `facts` gives them), `rows` makes rows of it. Both are pure. A row that
the editor has no words for is kept as it is (`Timetable.others`), so that saving a form loses nothing.
"""

import datetime as dt
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parvis.core.hours import DAYS

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `opens_at` until `closes_at`, wall times; one at or before the opening is on the next day."""

    opens_at: dt.time
    closes_at: dt.time

    @property
    def past_midnight(self) -> bool:
        return self.closes_at <= self.opens_at


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """ "The first Tuesday of the month": `nth` is 1 to 5, or -1 for the last; `day` counts from Monday = 0."""

    nth: int
    day: int
    span: Span


@dataclass(frozen=True, slots=True)
class Period:
    """Hours that hold from `valid_from` until `valid_to` (both included; None: no limit).

    A timetable has one period for the same dates; what its rows say beside the hours is one note, a line for each.
    """

    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    month: tuple[MonthDay, ...] = ()
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    note: str = ""  # HSDS description
    extra: str = ""  # HSDS notes

    @property
    def empty(self) -> bool:
        return not any(self.week) and not self.month and not self.note and not self.extra


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Days other than usual, `first` to `last`: closed, or open at other times. `note` says why."""

    first: dt.date
    last: dt.date
    spans: tuple[Span, ...] = ()
    note: str = ""

    @property
    def closed(self) -> bool:
        return not self.spans


@dataclass(frozen=True, slots=True)
class Timetable:
    """All opening times of one service, location or service at location."""

    periods: tuple[Period, ...] = ()
    exceptions: tuple[Exceptional, ...] = ()
    others: tuple[Row, ...] = field(default=())

    @property
    def empty(self) -> bool:
        return not (any(not period.empty for period in self.periods) or self.exceptions or self.others)


#: Columns that a row of the editor's own may fill; anything else in a row makes it one of `others`.
_SIMPLE = {
    "id", "source", "valid_from", "valid_to", "freq", "byday", "opens_at", "closes_at", "closed", "notes", "dtstart",
    "until", "interval", "wkst", "group", "timezone", "description",
}  # fmt: skip


def read(rows: Iterable[Mapping[str, Any]]) -> Timetable:
    """What these schedule rows say. Rows are facts: dates and times are ISO texts or None."""
    weeks: dict[tuple[Any, ...], list[list[Span]]] = defaultdict(lambda: [[] for _ in range(7)])
    months: dict[tuple[Any, ...], list[MonthDay]] = defaultdict(list)
    notes: dict[tuple[Any, ...], tuple[dict[str, None], dict[str, None]]] = defaultdict(lambda: ({}, {}))
    special: dict[tuple[dt.date, dt.date, str], list[Span]] = defaultdict(list)
    shut: list[Exceptional] = []
    others: list[Row] = []
    for row in rows:
        note, extra = row.get("description") or "", row.get("notes") or ""
        period = (_date(row.get("valid_from")), _date(row.get("valid_to")))
        days, span, dates = _days(row), _span(row), _dates(row)
        freq = row.get("freq") or ("WEEKLY" if row.get("byday") else "")  # as core.hours reads it
        closed = bool(row.get("closed"))
        timed = bool(row.get("opens_at") or row.get("closes_at"))
        if not _understood(row):
            others.append(dict(row))
        elif freq == "WEEKLY" and span and days and not closed:
            _note(notes[period], note, extra)
            for _nth, day in days:
                if span not in weeks[period][day]:
                    weeks[period][day].append(span)
        elif freq == "MONTHLY" and span and days and not closed:
            _note(notes[period], note, extra)
            months[period] += [MonthDay(nth, day, span) for nth, day in days]
        elif not freq and dates and closed and not timed and not (note and extra):
            shut.append(Exceptional(*dates, (), note or extra))
        elif not freq and dates and span and not closed and not (note and extra):
            special[*dates, note or extra].append(span)
        elif not (freq or row.get("byday") or row.get("dtstart") or row.get("until") or timed or closed):
            _note(notes[period], note, extra)
        else:
            others.append(dict(row))
    periods = [
        Period(
            tuple(tuple(sorted(spans)) for spans in weeks[key]) if key in weeks else ((),) * 7,
            tuple(sorted(set(months.get(key, ())))),
            *key,
            *("\n".join(said) for said in notes[key]),
        )
        for key in notes
    ]
    exceptions = {*shut, *(Exceptional(a, b, tuple(sorted(set(s))), note) for (a, b, note), s in special.items())}
    return Timetable(
        tuple(sorted(periods, key=lambda p: (p.valid_from or dt.date.min, p.valid_to or dt.date.max, p.note))),
        tuple(sorted(exceptions, key=lambda e: (e.first, e.last, e.note, e.spans))),
        tuple(sorted(others, key=lambda row: str(row.get("id", "")))),
    )


def _note(into: tuple[dict[str, None], ...], *said: str) -> None:
    """Each thing said once; rows of the same days may repeat theirs."""
    for kept, text in zip(into, said, strict=True):
        if text:
            kept.setdefault(text)


def rows(table: Timetable, former: Iterable[Mapping[str, Any]] = ()) -> list[Row]:
    """The schedule rows that say it: days with the same hours share a row (`byday`).

    Rows of `former` that say the same stay as they are; a changed row keeps the id of one that is no longer needed,
    so that the standard's readers see a change and not a removal. A table that says what `former` says gives `former`.
    """
    former = [dict(row) for row in former]
    if former and read(former) == table:
        return former
    said: list[Row] = []
    for period in table.periods:
        valid = {
            "valid_from": _iso(period.valid_from),
            "valid_to": _iso(period.valid_to),
            "description": period.note,
            "notes": period.extra,
        }
        if not any(period.week) and not period.month and not period.empty:
            said.append(_row(**valid))
        grouped: dict[Span, list[str]] = defaultdict(list)
        for day, spans in enumerate(period.week):
            for span in spans:
                grouped[span].append(DAYS[day])
        for span, days in sorted(grouped.items()):
            said.append(_row(freq="WEEKLY", byday=",".join(days), **_times(span), **valid))
        monthly: dict[Span, list[MonthDay]] = defaultdict(list)
        for one in period.month:
            monthly[one.span].append(one)
        for span, ones in sorted(monthly.items()):
            byday = ",".join(f"{one.nth}{DAYS[one.day]}" for one in sorted(set(ones)))
            said.append(_row(freq="MONTHLY", byday=byday, **_times(span), **valid))
    for one in table.exceptions:
        dated = {"dtstart": _iso(one.first), "until": _iso(one.last), "description": one.note}
        if one.closed:
            said.append(_row(closed=True, **dated))
        said += [_row(**_times(span), **dated) for span in one.spans]
    return [*_with_ids(said, former), *(dict(row) for row in table.others)]


# -- rows ---------------------------------------------------------------------------------------------------------

_EMPTY: Row = {
    "valid_from": None, "valid_to": None, "dtstart": None, "timezone": None, "until": None, "count": None, "wkst": "",
    "freq": "", "interval": None, "byday": "", "byweekno": "", "bymonthday": "", "byyearday": "", "description": "",
    "opens_at": None, "closes_at": None, "schedule_link": "", "attending_type": "", "notes": "", "closed": False,
    "group": "", "source": "",
}  # fmt: skip


def _row(**values: Any) -> Row:
    return {**_EMPTY, **values}


def _times(span: Span) -> Row:
    return {"opens_at": f"{span.opens_at:%H:%M}", "closes_at": f"{span.closes_at:%H:%M}"}


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _date(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) and value else value or None


def _time(value: Any) -> dt.time | None:
    return dt.time.fromisoformat(value) if isinstance(value, str) and value else value


def _understood(row: Mapping[str, Any]) -> bool:
    return (
        all(value in (None, "", False) for key, value in row.items() if key not in _SIMPLE)
        and (row.get("interval") or 1) == 1
        and row.get("group") in (None, "", "operating_hours")
        and not (row.get("freq") and (row.get("dtstart") or row.get("until")))
    )


def _span(row: Mapping[str, Any]) -> Span | None:
    opens, closes = _time(row.get("opens_at")), _time(row.get("closes_at"))
    return Span(opens, closes) if opens is not None and closes is not None else None


def _days(row: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(nth, weekday) of `byday`; empty when a part is not of the kind that the editor shows."""
    found = []
    for part in str(row.get("byday") or "").upper().replace(" ", "").split(","):
        code, nth = part[-2:], part[:-2].lstrip("+")
        if code not in DAYS or nth not in {"", "1", "2", "3", "4", "5", "-1"}:
            return []
        if bool(nth) != (row.get("freq") == "MONTHLY"):
            return []
        found.append((int(nth or 0), DAYS.index(code)))
    return found


def _dates(row: Mapping[str, Any]) -> tuple[dt.date, dt.date] | None:
    """The days of a dated row, as `core.hours` reads them; None when they are not plain."""
    first, last = _date(row.get("dtstart")), _date(row.get("until"))
    low, high = _date(row.get("valid_from")), _date(row.get("valid_to"))
    if row.get("byday"):
        return None
    if first is None and last is None and low and high:
        return low, high
    if first is None or low or high:
        return None
    return (first, last or first) if (last or first) >= first else None


def _meaning(row: Mapping[str, Any]) -> tuple[Any, ...]:
    dated = not row.get("freq") and _dates(row)
    silent = {"source", "timezone", "wkst", "interval", "group"}
    note: Any = ""
    if dated:
        silent |= {"valid_from", "valid_to", "dtstart", "until", "description", "notes"}
        note = row.get("description") or row.get("notes") or ""
    return (dated, note, *(str(row.get(key) or "") for key in _EMPTY if key not in silent))


def _with_ids(said: list[Row], former: list[Row]) -> list[Row]:
    free = {row["id"]: row for row in former if row.get("id") and _understood(row)}
    found: list[Row] = []
    for row in said:
        same = next((name for name, old in free.items() if _meaning(old) == _meaning(row)), None)
        found.append(free.pop(same) if same else row)
    for row in found:
        if "id" not in row:
            near = next((name for name, old in free.items() if _sort(old) == _sort(row)), None)
            old = free.pop(near) if near else {}
            row |= {key: old[key] for key in ("source", "timezone", "group") if old.get(key)}
            row["id"] = near or str(uuid.uuid4())
    return found


def _sort(row: Mapping[str, Any]) -> tuple[str, bool]:
    return row.get("freq") or "", bool(row.get("closed"))


# -- what people type ---------------------------------------------------------------------------------------------

_DIGITS = {ord(sign): str(number % 10) for number, sign in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}
_CLOCK = re.compile(
    r"(\d{1,2})(?:\s*(?:[:.h٫,]|heures?)\s*(\d{2})?|(\d{2}))?\s*(?:min|h)?\s*([ap])?\.?\s*(?:m\.?)?", re.IGNORECASE
)
_WORDS = {"midi": "12:00", "noon": "12:00", "minuit": "0:00", "midnight": "0:00", "mediodía": "12:00",
          "medianoche": "0:00", "ص": "a", "م": "p"}  # fmt: skip


def clock(text: str) -> dt.time:
    """A time as a tired person types it: "9", "9h", "9:30", "9h30", "0930", "5 pm", "17.00", "24:00", "midi".

    Raises ValueError when it is none. "24:00" is midnight.
    """
    said = text.translate(_DIGITS).strip().lower()
    for word, meant in _WORDS.items():
        said = said.replace(word, meant)
    match = _CLOCK.fullmatch(said)
    if match is None:
        raise ValueError(text)
    hour, minute = int(match[1]), int(match[2] or match[3] or 0)
    if match[4]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if match[4] == "p" else 0)
    if (hour, minute) == (24, 0):
        hour = 0
    return dt.time(hour, minute)


def whole(text: str | None) -> int:
    """A small number that a form carries ("how many rows"); 0 when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else 0
