"""A plan as a drawing: days along a line, what is late before today, legal deadlines marked. Made on the server, so
that it prints and needs no script; in a language from right to left the days run that way too."""

import datetime as dt
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import get_language_bidi

from parvis.kit.dates import short_month
from parvis.plans.models import Kind, State
from parvis.plans.queries import Row

WIDTH, LANE, TOP = 960, 18, 34
MOST_DAYS = 400  # what lies further away is told in the list


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    y: float
    kind: str  # "late", "legal", "done", "open"
    text: str  # read aloud and shown at a pointer's rest


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    width: int
    height: int
    today: float
    marks: list[Mark]
    ticks: list[Tick]
    beyond: int  # steps that lie further than the drawing


def timeline(rows: list[Row], today: dt.date) -> Timeline | None:
    """None when nothing has a day."""
    dated = [(row.step.done_on or row.step.due_on, row) for row in rows]
    near = [(day, row) for day, row in dated if day and abs((day - today).days) <= MOST_DAYS]
    beyond = sum(day is not None for day, _row in dated) - len(near)
    if not near:
        return None
    first = min(min(day for day, _row in near), today) - dt.timedelta(days=3)
    last = max(max(day for day, _row in near), today) + dt.timedelta(days=3)
    span, mirrored = (last - first).days, get_language_bidi()

    def x(day: dt.date) -> float:
        # the first weeks hold most steps: nearer days get more room
        share = ((day - first).days / span) ** 0.6
        at = 12 + share * (WIDTH - 24)
        return round(WIDTH - at if mirrored else at, 1)

    lanes: list[float] = []
    marks = []
    for day, row in sorted(near, key=lambda pair: pair[0]):
        place = x(day)
        lane = next((n for n, taken in enumerate(lanes) if abs(place - taken) >= 14), len(lanes))
        lanes[lane : lane + 1] = [place]
        kind = "done" if row.step.state == State.DONE else "late" if row.late else "open"
        kind = "legal" if row.step.kind == Kind.LEGAL and kind == "open" else kind
        text = f"{date_format(day, 'SHORT_DATE_FORMAT')} · {row.title}"
        marks.append(Mark(place, TOP + lane * LANE + 12, kind, text))
    ticks = [Tick(x(day), short_month(day)) for day in _months(first, last)]
    kept: list[Tick] = []
    for tick in ticks:
        if all(abs(tick.x - other.x) > 70 for other in kept) and 30 < tick.x < WIDTH - 30:
            kept.append(tick)
    return Timeline(WIDTH, TOP + max(len(lanes), 1) * LANE + 14, x(today), marks, kept, beyond)


def _months(first: dt.date, last: dt.date) -> list[dt.date]:
    found, day = [], first.replace(day=1)
    while day <= last:
        if day >= first:
            found.append(day)
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return found
