"""Calendar feeds, read on locked telephones: they say no name. The one door of `icalendar`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar, Event, vDuration

MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class Line:
    """One appointment for a calendar (RFC 5545 VEVENT). Times are instants; `url` leads to where one signs in."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    sequence: int
    changed_at: dt.datetime
    cancelled: bool = False
    where: str = ""
    url: str = ""


def calendar(name: str, lines: Iterable[Line]) -> bytes:
    """A calendar in UTC: every programme shows it in its own zone, daylight saving included. The same lines give the
    same bytes, so that what has not changed need not be sent."""
    made = Calendar()
    made.add("prodid", "-//Parvis//Appointments//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("name", name)
    made.add("x-wr-calname", name)
    made.add("refresh-interval", vDuration(REFRESH), {"value": "DURATION"})
    made.add("x-published-ttl", vDuration(REFRESH))
    for line in lines:
        made.add_component(_event(line))
    return made.to_ical()


def _event(line: Line) -> Event:
    event = Event()
    event.add("uid", line.uid)
    event.add("dtstamp", line.changed_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("last-modified", line.changed_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", line.starts_at.astimezone(dt.UTC))
    event.add("dtend", line.ends_at.astimezone(dt.UTC))
    event.add("summary", line.summary)
    event.add("sequence", line.sequence)
    event.add("status", "CANCELLED" if line.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if line.cancelled else "OPAQUE")
    event.add("class", "PRIVATE")
    if line.where:
        event.add("location", line.where)
    if line.url:
        event.add("url", line.url)
    return event
