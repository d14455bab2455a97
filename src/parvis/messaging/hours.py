"""When a message may leave: the office's quiet hours, and the hours at which a contact is safe."""

import datetime as dt
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

#: from, until; `until` before `from` goes on after midnight
Window = tuple[dt.time, dt.time]

_TIME = r"(\d{1,2})\s*(?:[:hH.]\s*(\d{2})?)?"
_WINDOW = re.compile(rf"{_TIME}\s*(?:-|–|—|à|a|to|até|إلى)\s*{_TIME}")
_BETWEEN = re.compile(r"[\s,;/]*(?:(?:and|et|y|و)\b)?[\s,;/]*")


def windows(text: str) -> list[Window] | None:
    """The hours that a note of safe times names, such as "18:00-20:00" or "9h à 12h, 18h-20h30".

    None when it says anything else: a machine does not guess what "when he is at work" means.
    """
    found: list[Window] = []
    for hit in _WINDOW.finditer(text):
        hour, minute, end_hour, end_minute = (int(part or 0) for part in hit.groups())
        if max(hour, end_hour) > 24 or max(minute, end_minute) > 59:
            return None
        found.append((_time(hour, minute), _time(end_hour, end_minute)))
    rest = _WINDOW.sub("", text)
    return found if found and _BETWEEN.fullmatch(rest) else None


def _time(hour: int, minute: int) -> dt.time:
    return dt.time(hour % 24, minute)


def within(at: dt.time, window: Window) -> bool:
    start, end = window
    return start <= at < end if start < end else at >= start or at < end


def leaves_at(
    wanted: dt.datetime, zone: ZoneInfo, *, quiet: Window, safe: Sequence[Window] = (), urgent: bool = False
) -> dt.datetime:
    """The first moment from `wanted` (aware) on at which a message may leave, in UTC.

    A person's own safe hours come before the office's quiet ones; what is urgent breaks the quiet, never the safety.
    """

    def allowed(moment: dt.datetime) -> bool:
        at = moment.astimezone(zone).time()
        if safe:
            return any(within(at, window) for window in safe)
        return urgent or quiet[0] == quiet[1] or not within(at, quiet)

    if allowed(wanted):
        return wanted.astimezone(dt.UTC)
    day = wanted.astimezone(zone).date()
    starts = [window[0] for window in safe] or [quiet[1]]
    moments = [
        dt.datetime.combine(day + dt.timedelta(days=more), start, zone).astimezone(dt.UTC)
        for more in range(3)
        for start in starts
    ]
    return min(moment for moment in moments if moment >= wanted and allowed(moment))
