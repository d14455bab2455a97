"""When a listing must be confirmed again, and what is weak about it: one small function for each reason, with its fix.

Facts age at different speeds: opening hours change often, an address seldom. The office edits the periods.
"""

import calendar
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["hours", "phone", "address", "rest"]
#: kinds of facts that are confirmed apart, the fastest first
KINDS: tuple[Kind, ...] = ("hours", "phone", "address", "rest")
#: months after which each kind must be confirmed again, unless the office says otherwise
PERIODS: dict[Kind, int] = {"hours": 3, "phone": 6, "address": 12, "rest": 12}
#: shorter descriptions tell a reader too little (characters)
SHORT = 60

#: where a reason is mended: the editor, the hours, a place's page, "still true", the translations
Fix = Literal["edit", "hours", "place", "confirm", "words"]


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day `months` later; the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def due(verified: dt.date | None, months: int) -> dt.date | None:
    """On which day facts confirmed on `verified` must be confirmed again; None: never confirmed, so at once."""
    return add_months(verified, months) if verified else None


@dataclass(frozen=True)
class Listing:
    """What is known of one service, as far as its quality is concerned. `verified`: the last confirmation of each kind
    of facts; a kind of which the listing says nothing is not asked for."""

    name: str = ""
    description: str = ""
    eligibility: str = ""
    phones: int = 0
    emails: int = 0
    schedules: int = 0
    places: int = 0
    addresses: int = 0
    points: int = 0
    languages: int = 0
    terms: int = 0
    fees: int = 0
    missing: bool = False
    verified: Mapping[str, dt.date | None] = field(default_factory=dict)

    def says(self, kind: Kind) -> bool:
        """Whether there is anything of this kind to confirm."""
        return {"hours": self.schedules, "phone": self.phones, "address": self.addresses, "rest": 1}[kind] > 0


@dataclass(frozen=True)
class Reason:
    """One weakness: an ASCII code, how much it weighs, where it is mended; `kind` and `since` of what is overdue."""

    code: str
    weight: int
    fix: Fix
    kind: str = ""
    since: dt.date | None = None


Check = Callable[[Listing], Reason | None]


def no_phone(one: Listing) -> Reason | None:
    """Nobody can be reached at all weighs more than no telephone."""
    if one.phones:
        return None
    return Reason("no_phone", 10, "edit") if one.emails else Reason("no_contact", 25, "edit")


def no_hours(one: Listing) -> Reason | None:
    return None if one.schedules else Reason("no_hours", 15, "hours")


def no_place(one: Listing) -> Reason | None:
    """A service that is nowhere can't be found on a map nor walked to."""
    return None if one.places else Reason("no_place", 10, "edit")


def no_address(one: Listing) -> Reason | None:
    return Reason("no_address", 10, "place") if one.places and not one.addresses else None


def no_point(one: Listing) -> Reason | None:
    return Reason("no_point", 5, "place") if one.addresses and not one.points else None


def short_description(one: Listing) -> Reason | None:
    if not one.description.strip():
        return Reason("no_description", 15, "edit")
    return Reason("short_description", 5, "edit") if len(one.description.strip()) < SHORT else None


def no_term(one: Listing) -> Reason | None:
    return None if one.terms else Reason("no_term", 10, "edit")


def no_language(one: Listing) -> Reason | None:
    return None if one.languages else Reason("no_language", 5, "edit")


def no_fees(one: Listing) -> Reason | None:
    return None if one.fees else Reason("no_fees", 3, "edit")


def no_eligibility(one: Listing) -> Reason | None:
    return None if one.eligibility.strip() else Reason("no_eligibility", 3, "edit")


def gone_from_source(one: Listing) -> Reason | None:
    return Reason("missing", 10, "confirm") if one.missing else None


CHECKS: tuple[Check, ...] = (
    no_phone, no_hours, no_place, no_address, no_point, short_description, no_term, no_language, no_fees,
    no_eligibility, gone_from_source,
)  # fmt: skip


def overdue(one: Listing, today: dt.date, periods: Mapping[Kind, int] = PERIODS) -> list[Reason]:
    """The kinds of facts that must be confirmed again, the fastest first. `since`: from which day on; None: never."""
    found = []
    for kind in KINDS:
        day = due(one.verified.get(kind), periods[kind])
        if one.says(kind) and (day is None or day <= today):
            found.append(Reason("overdue" if day else "never", 10, "confirm", kind, day))
    return found


@dataclass(frozen=True)
class Quality:
    """0 (nothing is right) to 100, and why not 100, the heaviest reason first."""

    score: int
    reasons: tuple[Reason, ...]


def quality(one: Listing, today: dt.date, periods: Mapping[Kind, int] = PERIODS) -> Quality:
    """What is weak about a listing on this day."""
    reasons = [reason for check in CHECKS if (reason := check(one)) is not None] + overdue(one, today, periods)
    reasons.sort(key=lambda reason: -reason.weight)
    return Quality(max(0, 100 - sum(reason.weight for reason in reasons)), tuple(reasons))
