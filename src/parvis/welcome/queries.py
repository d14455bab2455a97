"""The office's picture: what the database counts for the director, small cells hidden. No person is read here."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from parvis.accounts.rules import require
from parvis.core import privacy
from parvis.welcome import rules

#: by how many files a worker answers for: the first of each band, with the words for it
BANDS = {"1": "1–20", "21": "21–40", "41": "41–60", "61": "61–80", "81": "81+"}


@dataclass(frozen=True)
class Cell:
    """One figure. `count` None: hidden, between 1 and `core.privacy.MINIMUM` - 1, or hidden beside such a one."""

    bucket: dt.date | None
    part: str
    count: int | None


@dataclass
class Picture:
    """Figures of a period, by day or by week; both ends are whole weeks."""

    first: dt.date
    last: dt.date
    step: str
    cells: dict[str, list[Cell]] = field(default_factory=lambda: defaultdict(list))

    def buckets(self, measure: str = "arrivals") -> list[dt.date]:
        """First days of the period's days or weeks; arrivals alone are told by day."""
        every = 1 if self.step == "day" and measure == "arrivals" else 7
        return [self.first + dt.timedelta(days=n) for n in range(0, (self.last - self.first).days + 1, every)]

    def series(self, measure: str, part: str = "") -> list[Cell]:
        """One cell for each bucket: nothing counted is 0."""
        found = {cell.bucket: cell for cell in self.cells[measure] if cell.part == part}
        return [found.get(bucket, Cell(bucket, part, 0)) for bucket in self.buckets(measure)]

    def parts(self, measure: str) -> dict[str, int | None]:
        """Figures that have no date, by part."""
        return {cell.part: cell.count for cell in self.cells[measure]}

    def one(self, measure: str) -> int | None:
        """A figure that stands alone."""
        return self.parts(measure).get("", 0)


def picture(viewer: Any, since: dt.date, until: dt.date, step: str) -> Picture:
    """The figures from `since`'s week to `until`'s. `step`: "day" or "week". Raises Denied."""
    require(rules.may_see_picture(viewer), "welcome.picture")
    first = since - dt.timedelta(days=since.weekday())
    found = Picture(first, until + dt.timedelta(days=6 - until.weekday()), step)
    with connection.cursor() as cursor:
        cursor.execute("SELECT measure, bucket, part, figure FROM welcome_picture(%s, %s, %s)", [since, until, step])
        for measure, bucket, part, count in cursor.fetchall():
            # the code's own lock: the database has hidden it already
            found.cells[measure].append(Cell(bucket, part, privacy.shown(count)))
    return found
