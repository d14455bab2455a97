"""Free times for an appointment, in a city's own time: what a wall clock shows, on the days it jumps as well."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

#: ISO weekday (Monday is 1) -> spans of opening and closing wall times
Week = Mapping[int, Sequence[tuple[dt.time, dt.time]]]
Busy = Sequence[tuple[dt.datetime, dt.datetime]]

#: hours of an office that has not said its own
USUAL: Week = {day: [(dt.time(9), dt.time(12)), (dt.time(13), dt.time(16, 30))] for day in range(1, 6)}
STEP = dt.timedelta(minutes=30)


def at(day: dt.date, clock: dt.time, zone: ZoneInfo) -> dt.datetime | None:
    """The instant (UTC) at which a clock of the city shows `clock` on `day`; the earlier one when it does so twice,
    None when it never does (the hour that spring leaves out)."""
    found = dt.datetime.combine(day, clock, tzinfo=zone).astimezone(dt.UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == dt.datetime.combine(day, clock) else None


def happens_twice(instant: dt.datetime, zone: ZoneInfo) -> bool:
    """Does a clock of the city show this time twice that day (the hour that autumn repeats)?"""
    here = instant.astimezone(zone)
    return (
        here.utcoffset() != here.replace(fold=1 - here.fold).utcoffset()
        and at(here.date(), here.time().replace(fold=0), zone) is not None
    )


def free(
    days: Sequence[dt.date], week: Week, busy: Busy, minutes: int, zone: ZoneInfo, *,
    closed: Collection[dt.date] = (), after: dt.datetime | None = None,
) -> Iterator[dt.datetime]:  # fmt: skip
    """Instants (UTC) at which `minutes` are free within the hours of `week`, in order. `after`: not before this."""
    length = dt.timedelta(minutes=minutes)
    for day in days:
        if day in closed:
            continue
        for opens, closes in week.get(day.isoweekday(), ()):
            start = dt.datetime.combine(day, opens, tzinfo=zone).astimezone(dt.UTC)
            end = dt.datetime.combine(day, closes, tzinfo=zone).astimezone(dt.UTC)
            while start + length <= end:
                taken = any(since < start + length and until > start for since, until in busy)
                if not taken and (after is None or start >= after):
                    yield start
                start += STEP
