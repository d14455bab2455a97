"""Open and closed days of a city: the only door of the `holidays` library.

Rule of the welcome plan: on a closed day (weekend, public holiday) a legal date rolls back to the last open day, a
target rolls forward to the next one.
"""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Calendar:
    """Which days a city's office is closed. Country and subdivision are ISO 3166 codes ("CA", "QC"); "" has no public
    holidays. Weekdays count from Monday = 0.
    """

    country: str = ""
    subdivision: str = ""
    weekend: tuple[int, ...] = (5, 6)
    closed: frozenset[date] = field(default_factory=frozenset)  # besides public holidays
    opened: frozenset[date] = field(default_factory=frozenset)  # public holidays on which the office works

    def is_open(self, day: date) -> bool:
        raise NotImplementedError

    def next_open(self, day: date) -> date:
        """`day` itself when it is open."""
        raise NotImplementedError

    def last_open(self, day: date) -> date:
        """`day` itself when it is open."""
        raise NotImplementedError

    def why_closed(self, day: date) -> str:
        """ "weekend", "holiday", "closed", or "" on an open day."""
        raise NotImplementedError
