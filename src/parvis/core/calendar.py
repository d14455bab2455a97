"""Open and closed days of a city: the only door of the `holidays` library.

Rule 5 of the welcome plan: on a closed day (weekend, public holiday, a day the city adds) a legal date rolls back to
the last open day, a target rolls forward to the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal

import holidays

#: an office that is closed for longer than this has closed for good: the day stays as it is
LONGEST_CLOSURE = 40  # days

Closed = Literal["weekend", "holiday", "closed", ""]


class NoSuchCalendar(ValueError):
    """A country or subdivision of which no public holidays are known; `args[0]` is its code."""


@lru_cache(maxsize=512)
def _public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


class _Rolled(dict[int, date]):
    """From a day's ordinal to the open day it rolls to, worked out once: a plan asks for the same days all the time."""

    def __init__(self, calendar: "Calendar", step: int) -> None:
        super().__init__()
        self.calendar, self.step = calendar, step

    def __missing__(self, ordinal: int) -> date:
        day = rolled = date.fromordinal(ordinal)
        for ahead in range(LONGEST_CLOSURE):
            candidate = date.fromordinal(ordinal + ahead * self.step)
            if self.calendar.is_open(candidate):
                rolled = candidate
                break
        else:
            rolled = day
        self[ordinal] = rolled
        return rolled


@dataclass(frozen=True)
class Calendar:
    """On which days a city's office is closed. Country and subdivision are ISO 3166 codes ("CA", "QC"); "" has no
    public holidays. Weekdays count from Monday = 0. Raises NoSuchCalendar for a country that is not known.
    """

    country: str = ""
    subdivision: str = ""
    weekend: tuple[int, ...] = (5, 6)
    closed: frozenset[date] = field(default_factory=frozenset)  # besides public holidays
    opened: frozenset[date] = field(default_factory=frozenset)  # weekends and holidays on which the office works

    def __post_init__(self) -> None:
        known: Mapping[str, list[str]] = holidays.list_supported_countries(include_aliases=True)
        if self.country and self.country not in known:
            raise NoSuchCalendar(self.country)
        if self.subdivision and self.subdivision not in known.get(self.country, ()):
            raise NoSuchCalendar(f"{self.country}-{self.subdivision}")

    def why_closed(self, day: date) -> Closed:
        """Why the office is closed on that day; "" when it is open."""
        if day in self.opened:
            return ""
        if day in self.closed:
            return "closed"
        if day.weekday() in self.weekend:
            return "weekend"
        if self.country and day in _public_holidays(self.country, self.subdivision, day.year):
            return "holiday"
        return ""

    def is_open(self, day: date) -> bool:
        return not self.why_closed(day)

    @cached_property
    def forward(self) -> Mapping[int, date]:
        """By the ordinal of a day: itself when open, else the next open day."""
        return _Rolled(self, 1)

    @cached_property
    def backward(self) -> Mapping[int, date]:
        """By the ordinal of a day: itself when open, else the last open day."""
        return _Rolled(self, -1)

    def next_open(self, day: date) -> date:
        return self.forward[day.toordinal()]

    def last_open(self, day: date) -> date:
        return self.backward[day.toordinal()]
