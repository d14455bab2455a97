"""Opening hours: from HSDS schedule rows to instants, in the city's time zone.

What a row means here (HSDS leaves some of it open):

- `opens_at` and `closes_at` are wall times in the city. A closing time at or before the opening one is on the
  next day, so 22:00-02:00 crosses midnight and 00:00-00:00 is the whole day; 23:59 to close means midnight.
- With `freq` (WEEKLY or MONTHLY) the row recurs as RFC 5545 says. Without `dtstart` an `interval` is counted
  from `valid_from`, else from Monday 3 January 2000. Days without `freq` are weekly.
- Without `freq` and days the row is dated: every day from `dtstart` to `until`, else from `valid_from` to
  `valid_to`. A dated opening replaces the recurring hours of its days, unless its `group` is "events", which
  only adds.
- A row with `closed` takes away and always wins. With times it cuts that part out of its days; without times
  it cancels what would have opened on its days (a night begun the evening before goes on to its end).
- A row whose days or times are not said opens nothing: it is listed in `Hours.unclear` with the reason.

Dates are inclusive. All results are data; the sentences are written elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil import rrule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
_ANCHOR = date(2000, 1, 3)  # a Monday
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
MOST_OCCURRENCES = 5000  # of a row with `count`, or days of a dated row: beyond, a row is a mistake
LONGEST_WINDOW = timedelta(days=800)

Unclear = Literal["days not said", "times not said", "dates not said", "unknown days", "unknown frequency"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One schedule row, read. Weekdays count from Monday = 0; `nth` is 1 or -1 in "1MO", "-1MO", 0 in
    "MO".
    """

    opens_at: time | None = None
    closes_at: time | None = None
    closed: bool = False
    freq: str = ""
    interval: int = 1
    days: tuple[tuple[int, int], ...] = ()  # (weekday, nth)
    month_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    dtstart: date | None = None
    until: date | None = None
    count: int | None = None
    week_start: int = 0
    valid_from: date | None = None
    valid_to: date | None = None
    event: bool = False
    description: str = ""

    @property
    def dated(self) -> bool:
        return not self.freq


class UnclearRow(ValueError):
    """A schedule row that cannot be computed; `args[0]` says why (one of `Unclear`)."""


def _numbers(text: str, limit: int) -> tuple[int, ...]:
    found = []
    for part in text.split(","):
        try:
            number = int(part)
        except ValueError:
            continue
        if number and abs(number) <= limit:
            found.append(number)
    return tuple(found)


def _days(text: str) -> tuple[tuple[int, int], ...]:
    """`"MO,2TU,-1FR"` -> ((0, 0), (1, 2), (4, -1)). Raises UnclearRow if a part is no day."""
    found = []
    for part in text.upper().replace(" ", "").split(","):
        if not part:
            continue
        code, nth = part[-2:], part[:-2]
        if code not in DAYS:
            raise UnclearRow("unknown days")
        try:
            number = int(nth or 0)
        except ValueError:
            raise UnclearRow("unknown days") from None
        if abs(number) > 5:
            raise UnclearRow("unknown days")
        found.append((DAYS.index(code), number))
    return tuple(found)


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _time(value: Any) -> time | None:
    """`"09:00"`, `"09:00:00"`, `"9:00Z"`: the wall time, without its offset; 24:00 is midnight."""
    parts = str(value or "").strip()[:5].rstrip("Z+-").split(":")
    try:
        return time(int(parts[0]) % 24, int(parts[1]))
    except (ValueError, IndexError):
        return None


def from_hsds(schedule: Mapping[str, Any]) -> SimpleNamespace:
    """A row for `read` and `Hours.of` from an HSDS schedule as JSON (dates and times are texts, fields may lack)."""
    return SimpleNamespace(
        **{key: schedule.get(key) for key in ("freq", "byday", "bymonthday", "byweekno", "wkst", "group")},
        **{key: _date(schedule.get(key)) for key in ("dtstart", "until", "valid_from", "valid_to")},
        **{key: _time(schedule.get(key)) for key in ("opens_at", "closes_at")},
        **{key: int(schedule[key]) if schedule.get(key) else None for key in ("interval", "count")},
        closed=bool(schedule.get("closed")),
        description=schedule.get("description", ""),
    )


def read(row: Any) -> Rule:
    """Read a row with HSDS attributes (a `directory.models.Schedule`, or what `from_hsds` gives).

    Raises UnclearRow when its days, dates or times are not said.
    """
    freq = str(getattr(row, "freq", "") or "").upper()
    days = _days(getattr(row, "byday", "") or "")
    if freq not in ("", "WEEKLY", "MONTHLY"):
        raise UnclearRow("unknown frequency")
    if not freq and days:
        freq = "WEEKLY"
    month_days = _numbers(getattr(row, "bymonthday", "") or "", 31) if freq == "MONTHLY" else ()
    dtstart, valid_from, valid_to = row.dtstart, row.valid_from, row.valid_to
    if freq == "WEEKLY":
        days = tuple(sorted({(weekday, 0) for weekday, _ in days}))
        if not days and dtstart is not None:
            days = ((dtstart.weekday(), 0),)
    if freq == "MONTHLY" and not days and not month_days and dtstart is not None:
        month_days = (dtstart.day,)
    if freq and not days and not month_days:
        raise UnclearRow("days not said")
    closed = bool(getattr(row, "closed", False))
    if not freq and dtstart is None and (valid_from is None or valid_to is None):
        raise UnclearRow("dates not said")
    opens_at, closes_at = row.opens_at, row.closes_at
    if (opens_at is None or closes_at is None) and not (closed and opens_at is None and closes_at is None):
        raise UnclearRow("times not said")
    wkst = getattr(row, "wkst", "") or "MO"
    count = getattr(row, "count", None)
    return Rule(
        opens_at=opens_at,
        closes_at=_MIDNIGHT if closes_at is not None and closes_at >= time(23, 59) else closes_at,
        closed=closed,
        freq=freq,
        interval=max(1, int(getattr(row, "interval", None) or 1)),
        days=days,
        month_days=month_days,
        weeks=_numbers(getattr(row, "byweekno", "") or "", 53) if freq == "WEEKLY" else (),
        dtstart=dtstart,
        until=getattr(row, "until", None),
        count=min(int(count), MOST_OCCURRENCES) if count is not None and count > 0 else None,
        week_start=DAYS.index(wkst) if wkst in DAYS else 0,
        valid_from=valid_from,
        valid_to=valid_to,
        event=getattr(row, "group", "") == "events",
        description=getattr(row, "description", "") or "",
    )


def dates(rule: Rule, first: date, last: date) -> list[date]:
    """The days from `first` to `last` (inclusive) on which the rule applies, in order."""
    lows = [day for day in (first, rule.dtstart, rule.valid_from) if day is not None]
    highs = [day for day in (last, rule.until, rule.valid_to) if day is not None]
    if rule.dated and rule.dtstart is not None and rule.until is None:
        highs.append(rule.dtstart)
    low, high = max(lows), min(highs)
    if low > high:
        return []
    span = [low + _DAY * number for number in range((high - low).days + 1)]
    if rule.dated:
        return span
    if rule.freq == "WEEKLY" and rule.interval == 1 and rule.count is None and not rule.weeks:
        wanted = {weekday for weekday, _ in rule.days}
        return [day for day in span if day.weekday() in wanted]
    return [day for day in _recurrence(rule, low, high) if low <= day <= high]


def _recurrence(rule: Rule, low: date, high: date) -> Iterator[date]:
    """The general case, through dateutil. Starts close to `low` when nothing has to be counted from the
    beginning.
    """
    start = rule.dtstart or rule.valid_from or _ANCHOR
    monthly = rule.freq == "MONTHLY"
    if rule.count is None and low > start:
        if monthly:
            months = (low.year - start.year) * 12 + low.month - start.month
            months -= months % rule.interval
            year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
            # the first of the month: `low` cuts what comes before the start
            start = date(year, month + 1, 1) if months else start
        else:
            start -= _DAY * ((start.weekday() - rule.week_start) % 7)
            weeks = (low - start).days // 7
            start += timedelta(weeks=weeks - weeks % rule.interval)
    occurrences = rrule.rrule(
        rrule.MONTHLY if monthly else rrule.WEEKLY,
        dtstart=datetime.combine(start, _MIDNIGHT),
        interval=rule.interval,
        wkst=rule.week_start,
        count=rule.count,
        byweekday=[_WEEKDAYS[weekday](nth) if nth else _WEEKDAYS[weekday] for weekday, nth in rule.days] or None,
        bymonthday=rule.month_days or None,
        byweekno=rule.weeks or None,
    )
    for occurrence in occurrences:
        day = occurrence.date()
        if day > high:
            return
        yield day


@lru_cache(maxsize=20_000)
def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a wall time. One that the spring change skips is moved on by the change; of two in
    autumn it is the first."""
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Opening:
    """Open from `start` until `end` (excluded), both in the city's zone."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """What one row gives on the day that it begins: wall times, and the row."""

    opens_at: time
    closes_at: time
    rule: Rule


@dataclass(frozen=True, slots=True)
class Day:
    """One line of a week table. `because` is the dated row or closure that makes it other than usual.

    `cut` holds closures of a part of the day, which the sessions do not show.
    """

    date: date
    sessions: tuple[Session, ...]
    because: Rule | None = None
    cut: tuple[Session, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What to say at an instant.

    kind: "open" (`until` says until when), "always" (no end in sight), "opens" (closed; `opens` says when it
    opens), "closed" (nothing in the next 60 days), "unknown" (no row can be computed).
    because: the dated row or closure that decides this day, if one does.
    """

    kind: Literal["open", "always", "opens", "closed", "unknown"]
    until: datetime | None = None
    opens: datetime | None = None
    because: Rule | None = None

    @property
    def is_open(self) -> bool:
        return self.kind in ("open", "always")


@dataclass(frozen=True, slots=True)
class Hours:
    """All rules that apply to one thing, in one zone."""

    rules: tuple[Rule, ...]
    zone: ZoneInfo
    unclear: tuple[tuple[str, str], ...] = ()  # (reason, the row's description)

    @classmethod
    def of(cls, rows: Iterable[Any], zone: ZoneInfo) -> "Hours":
        """From schedule rows in any order; rows that cannot be computed go to `unclear`."""
        rules: list[Rule] = []
        unclear: list[tuple[str, str]] = []
        for row in rows:
            try:
                rules.append(read(row))
            except UnclearRow as problem:
                unclear.append((problem.args[0], getattr(row, "description", "") or ""))
        return cls(tuple(rules), zone, tuple(unclear))

    def days(self, first: date, last: date) -> list[Day]:
        """Every day from `first` to `last` (inclusive) with its sessions in order, exceptions applied."""
        return _days_of(self.rules, first, last)

    def week(self, first: date) -> list[Day]:
        """Seven days from `first`: what a page shows as a table."""
        return self.days(first, first + _DAY * 6)

    def openings(self, start: datetime, end: datetime) -> list[Opening]:
        """When it is open between two aware instants: in order, never touching one another, cut at both ends.

        Raises ValueError on naive instants or a window of more than 800 days.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("an opening window needs aware instants")
        if end - start > LONGEST_WINDOW:
            raise ValueError("an opening window is at most 800 days")
        if end <= start:
            return []
        spans = _spans(self.rules, self.zone, start.astimezone(self.zone).date(), end.astimezone(self.zone).date())
        begin, finish = start.astimezone(UTC), end.astimezone(UTC)
        return [
            Opening(max(low, begin).astimezone(self.zone), min(high, finish).astimezone(self.zone))
            for low, high in spans
            if low < finish and high > begin
        ]

    def spans(self, first: date, last: date) -> tuple[tuple[datetime, datetime], ...]:
        """(start, end) in UTC of all that opens from the eve of `first` to `last`, in order, merged: for an index."""
        return _spans(self.rules, self.zone, first, last)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at an aware instant; the closing instant is closed."""
        return bool(self.openings(at, at + timedelta(microseconds=1)))

    def next_opening(self, at: datetime, within: timedelta = timedelta(days=60)) -> Opening | None:
        """The first opening that begins after `at`, None if there is none within the time given."""
        for opening in self.openings(at, at + within):
            if opening.start > at:
                return opening
        return None

    def state(self, at: datetime) -> State:
        """What a page says at this instant: open until, opens at, closed."""
        if not self.rules:
            return State("unknown")
        today = at.astimezone(self.zone).date()
        because = self.days(today, today)[0].because
        horizon = timedelta(days=8)
        coming = self.openings(at, at + horizon)
        if coming and coming[0].start == at:
            if coming[0].end >= at + horizon:
                return State("always", because=because)
            return State("open", until=coming[0].end, because=because)
        following = self.next_opening(at)
        if following is not None:
            return State("opens", opens=following.start, because=because)
        return State("closed" if not self.unclear else "unknown", because=because)


def _days_of(rules: Sequence[Rule], first: date, last: date) -> list[Day]:
    usual: dict[date, list[Session]] = {}
    dated: dict[date, list[Session]] = {}
    events: dict[date, list[Session]] = {}
    cut: dict[date, list[Session]] = {}
    shut: dict[date, Rule] = {}
    for rule in rules:
        if rule.opens_at is None or rule.closes_at is None:
            if rule.closed:
                for day in dates(rule, first, last):
                    shut.setdefault(day, rule)
            continue
        session = Session(rule.opens_at, rule.closes_at, rule)
        kind = cut if rule.closed else events if rule.event else dated if rule.dated else usual
        for day in dates(rule, first, last):
            kind.setdefault(day, []).append(session)
    result = []
    day = first
    while day <= last:
        if day in shut:
            result.append(Day(day, (), shut[day]))
        else:
            own = dated.get(day)
            sessions = (own if own is not None else usual.get(day, [])) + events.get(day, [])
            parts = tuple(cut.get(day, ()))
            because = own[0].rule if own else parts[0].rule if parts else None
            ordered = tuple(sorted(sessions, key=lambda session: (session.opens_at, session.closes_at)))
            result.append(Day(day, ordered, because, parts))
        day += _DAY
    return result


@lru_cache(maxsize=8192)
def _spans(rules: tuple[Rule, ...], zone: ZoneInfo, first: date, last: date) -> tuple[tuple[datetime, datetime], ...]:
    """(start, end) in UTC of everything open on these days, merged and in order; the night before is
    included.
    """
    spans: list[tuple[datetime, datetime]] = []
    cuts: list[tuple[datetime, datetime]] = []
    for day in _days_of(rules, first - _DAY, last):
        for sessions, into in ((day.sessions, spans), (day.cut, cuts)):
            for session in sessions:
                begin = _instant(day.date, session.opens_at, zone)
                next_day = session.closes_at <= session.opens_at
                end = _instant(day.date + _DAY if next_day else day.date, session.closes_at, zone)
                if begin < end:
                    into.append((begin, end))
    return tuple(_without(_merged(spans), _merged(cuts)))


def _merged(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    result: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((begin, end))
    return result


def _without(
    spans: list[tuple[datetime, datetime]], cuts: list[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    for begin, end in spans:
        for low, high in cuts:
            if high <= begin or low >= end:
                continue
            if low > begin:
                yield begin, low
            begin = max(begin, high)
            if begin >= end:
                break
        if begin < end:
            yield begin, end
