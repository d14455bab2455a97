"""The protocol of the welcome plan: what is owed to whom by when. Reading, checking, writing; see docs/plans.md.

A protocol is data: generic steps and a city's overlay, in TOML files or (edited in the office) in JSON of the same
shape. `read` refuses one that breaks rule 9 (a cycle, a step due before one it needs, a need that none of the same
stream's households has) with every fault named; nothing else makes a Protocol.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from parvis.core.access import DataClass
from parvis.core.calendar import Calendar, NoSuchCalendar

LONGEST = 3653  # days from an anchor, either way: ten years
LONGEST_TEXT = 400
_CODE = re.compile(r"[A-Z]{1,3}[0-9]{1,4}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)


class Stream(StrEnum):
    """Immigration streams. A person whose stream is not known gets the steps that serve all of them."""

    RESETTLED = "resettled"
    SPONSORED = "sponsored"
    CLAIMANT = "claimant"
    RECOGNISED = "recognised"
    PR_OTHER = "pr_other"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """For whom a step is: one row for the household, or one for each member it names."""

    HOUSEHOLD = "household"
    PERSON = "person"
    ADULT = "adult"
    CHILD = "child"


class Kind(StrEnum):
    TARGET = "target"
    LEGAL = "legal"


class Confidence(StrEnum):
    """How sure we are of a step's source. K and T are shown as "to be checked by the office"."""

    PRIMARY = "S"
    SECONDARY = "S2"
    TITLE = "T"
    KNOWLEDGE = "K"
    OWN = "own"


class Owner(StrEnum):
    """The one role that answers for a step."""

    INTAKE = "intake"
    LEAD = "lead_worker"
    RECEPTION = "reception"
    SPONSOR = "sponsor"
    HOST = "host"
    MATCHING = "matching"
    HOUSING = "housing"
    HEALTH = "health"
    LANGUAGE = "language"
    EMPLOYMENT = "employment"
    SCHOOL = "school"
    LEGAL = "legal"
    TAX = "tax"
    FOLLOW_UP = "follow_up"
    NEWCOMER = "newcomer"


ALL_STREAMS = frozenset(Stream) - {Stream.UNKNOWN}
#: the days that steps count from, besides the fixed days of a protocol
ANCHORS = ("arrival", "first_contact", "claim", "recognised", "residence", "lease", "support_end")
#: who can have such a day at all; anybody may have one that is not listed
_WHO_HAS = {
    "claim": frozenset({Stream.CLAIMANT, Stream.RECOGNISED}),
    "recognised": frozenset({Stream.RECOGNISED}),
    "residence": ALL_STREAMS - {Stream.CLAIMANT, Stream.TEMPORARY},
}
ADULT_AT = 18

Texts = Mapping[str, str]
Ages = tuple[int | None, int | None]


def say(texts: Texts, *languages: str) -> str:
    """The text in the first of the languages that has one ("fr-ca" also looks for "fr"), else in any."""
    for language in languages:
        for tag in (language, language.partition("-")[0]):
            if tag in texts:
                return texts[tag]
    return next(iter(texts.values()), "")


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One step. `days` count from the anchor and may be negative; texts are by language ("fr", "en")."""

    code: str
    title: Texts
    done_when: Texts
    scope: Scope
    streams: frozenset[Stream]
    anchor: str
    days: int
    kind: Kind
    needs: tuple[str, ...]
    owner: Owner
    sources: tuple[str, ...]
    confidence: Confidence
    checked_on: date | None
    data_class: DataClass
    #: roles that help the owner
    helpers: tuple[Owner, ...] = ()
    #: days before a legal date on which it is spoken of
    alerts: tuple[int, ...] = ()
    #: age in years, both inclusive, of the member it is for; of a household's step, of somebody in it
    ages: Ages = (None, None)
    #: another anchor for some streams
    anchors: Mapping[Stream, str] = field(default_factory=dict)
    #: days after the first contact in a file opened late (rule 2)
    grace: int = 7
    #: a late need moves it only if it would come before that need (a milestone; others keep their distance)
    holds: bool = False
    #: not asked of a member (or household) who has done one of these
    covered_by: tuple[str, ...] = ()

    @property
    def to_be_checked(self) -> bool:
        """Whether the office has to check it: we know a title only, or what everybody says."""
        return self.confidence in (Confidence.TITLE, Confidence.KNOWLEDGE)

    @property
    def for_everyone(self) -> bool:
        return self.streams >= ALL_STREAMS

    def anchor_for(self, stream: Stream) -> str:
        return self.anchors.get(stream, self.anchor)

    def serves(self, stream: Stream) -> bool:
        return stream in self.streams or (stream is Stream.UNKNOWN and self.for_everyone)


@dataclass(frozen=True, slots=True)
class FallBack:
    """What stands in for an anchor's day that is not known: another anchor's plus so many days, for some streams."""

    anchor: str
    plus: int
    streams: frozenset[Stream]


@dataclass(frozen=True, slots=True)
class FixedDay:
    """A day of the year, on or after an anchor's day, or ("next") in the year that follows it."""

    month: int
    day: int
    after: str
    next_year: bool

    def after_day(self, day: date) -> date:
        found = date(day.year + self.next_year, self.month, self.day)
        return found if found >= day else found.replace(year=found.year + 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a protocol is refused: the step ("" for the whole), its field, a code of FAULTS, what the sentence needs."""

    step: str
    field: str
    code: str
    given: Mapping[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.given.items())
        return f"{self.step or 'protocol'}: {self.field}: {self.code}{f' ({told})' if told else ''}"


#: every code of a fault, with the names of what it carries
FAULTS: Mapping[str, tuple[str, ...]] = {
    "missing": (),
    "unknown_field": (),
    "wrong_type": ("expected",),
    "unknown_value": ("value",),
    "out_of_range": ("at_least", "at_most"),
    "twice": (),
    "no_steps": (),
    "language_missing": ("language",),
    "too_long": ("at_most",),
    "no_such_calendar": ("value",),
    "unknown_step": ("need",),
    "unknown_anchor": ("value",),
    "anchor_never": ("anchor", "streams"),  # nobody of these streams has such a day
    "cycle": ("steps",),
    "impossible_date": ("need", "days", "need_days", "anchor"),  # due before one it needs
    "need_never": ("need",),  # none of the same stream's households has the step it needs
    "alert_not_legal": (),
    "legal_holds": (),
    "no_such_file": ("value",),
}


class BadProtocol(ValueError):
    """`faults` names each step that is wrong and why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(one) for one in self.faults))


@dataclass(frozen=True, eq=False)
class Protocol:
    """A protocol that keeps rule 9. Made by `read` only; keep it: what plans need is worked out once for each."""

    code: str
    edition: str
    title: Texts
    languages: tuple[str, ...]
    calendar: Calendar
    falls_back: Mapping[str, FallBack]
    fixed_days: Mapping[str, FixedDay]
    #: each step after those it needs, otherwise as in the file
    steps: tuple[ProtocolStep, ...]

    @cached_property
    def by_code(self) -> Mapping[str, ProtocolStep]:
        return {step.code: step for step in self.steps}

    @property
    def legal(self) -> tuple[ProtocolStep, ...]:
        return tuple(step for step in self.steps if step.kind is Kind.LEGAL)


# ---- reading: shapes first, then what the steps say of each other

_TOP = {"code", "edition", "title", "languages", "grace_days", "checked_on", "calendar", "anchors", "days", "steps"}
_STEP = {
    "code", "title", "done_when", "scope", "streams", "ages", "anchor", "anchors", "days", "grace", "kind", "alerts",
    "needs", "holds", "covered_by", "owner", "helpers", "data", "sources", "confidence", "checked_on",
}  # fmt: skip


_E = TypeVar("_E", bound=StrEnum)


class _Reader:
    """Takes values out of data, noting what is wrong instead of stopping at it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, step: str, field_: str, code: str, **given: Any) -> None:
        self.faults.append(Fault(step, field_, code, given))

    def known(self, step: str, data: Mapping[str, Any], names: set[str]) -> None:
        for name in sorted(set(data) - names):
            self.fault(step, str(name), "unknown_field")

    def text(self, step: str, data: Mapping[str, Any], name: str, *, pattern: re.Pattern[str] | None = None) -> str:
        value = data.get(name)
        if value is None or value == "":
            self.fault(step, name, "missing")
        elif not isinstance(value, str):
            self.fault(step, name, "wrong_type", expected="text")
        elif len(value) > LONGEST_TEXT:
            self.fault(step, name, "too_long", at_most=LONGEST_TEXT)
        elif pattern and not pattern.fullmatch(value):
            self.fault(step, name, "unknown_value", value=value)
        else:
            return value
        return ""

    def texts(self, step: str, data: Mapping[str, Any], name: str, languages: Iterable[str]) -> Texts:
        """Texts by language. All of `languages` must be there; others may."""
        value = data.get(name)
        if not isinstance(value, Mapping):
            self.fault(
                step,
                name,
                "missing" if value is None else "wrong_type",
                **({} if value is None else {"expected": "texts"}),
            )
            return {}
        found = {}
        for language, text in value.items():
            if not isinstance(text, str) or not _LANGUAGE.fullmatch(str(language)):
                self.fault(step, name, "wrong_type", expected="texts")
            elif len(text) > LONGEST_TEXT:
                self.fault(step, name, "too_long", at_most=LONGEST_TEXT)
            elif text.strip():
                found[str(language)] = text.strip()
        for language in languages:
            if language not in found:
                self.fault(step, name, "language_missing", language=language)
        return found

    def number(self, step: str, data: Mapping[str, Any], name: str, default: int | None, least: int, most: int) -> int:
        value = data.get(name, default)
        if value is None:
            self.fault(step, name, "missing")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.fault(step, name, "wrong_type", expected="number")
        elif not least <= value <= most:
            self.fault(step, name, "out_of_range", at_least=least, at_most=most)
        else:
            return value
        return default or 0

    def yes(self, step: str, data: Mapping[str, Any], name: str) -> bool:
        value = data.get(name, False)
        if not isinstance(value, bool):
            self.fault(step, name, "wrong_type", expected="yes or no")
        return value is True

    def day(self, step: str, data: Mapping[str, Any], name: str) -> date | None:
        """A date, or a text in ISO 8601 (JSON has no dates)."""
        value = data.get(name)
        if isinstance(value, date) or value is None:
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.fault(step, name, "wrong_type", expected="date")
            return None

    def one(self, step: str, data: Mapping[str, Any], name: str, kind: type[_E], default: _E | None) -> _E | None:
        value = data.get(name)
        if value is None:
            if default is None:
                self.fault(step, name, "missing")
            return default
        try:
            return kind(value)
        except ValueError:
            self.fault(step, name, "unknown_value", value=str(value))
            return default

    def listed(self, step: str, data: Mapping[str, Any], name: str, kind: type) -> list[Any]:
        value = data.get(name, [])
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(type(one) is kind for one in value):
            self.fault(step, name, "wrong_type", expected="list")
            return []
        return list(value)

    def members(self, step: str, data: Mapping[str, Any], name: str, kind: type[_E]) -> list[_E]:
        found = []
        for value in self.listed(step, data, name, str):
            try:
                found.append(kind(value))
            except ValueError:
                self.fault(step, name, "unknown_value", value=value)
        return found

    def streams(self, step: str, data: Mapping[str, Any], *, default: bool) -> frozenset[Stream]:
        value = data.get("streams", "all" if default else None)
        if value == "all":
            return ALL_STREAMS
        found = frozenset(self.members(step, data, "streams", Stream))
        if Stream.UNKNOWN in found:
            self.fault(step, "streams", "unknown_value", value=Stream.UNKNOWN.value)
        if not found and data.get("streams") in (None, []):
            self.fault(step, "streams", "missing")
        return found & ALL_STREAMS

    def mapping(self, step: str, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = data.get(name, {})
        if isinstance(value, Mapping):
            return value
        self.fault(step, name, "wrong_type", expected="table")
        return {}


def _calendar(read: _Reader, data: Mapping[str, Any]) -> Calendar:
    table = read.mapping("", data, "calendar")
    read.known("", table, {"country", "subdivision", "weekend", "closed", "opened"})
    weekend = read.listed("", {"calendar": table.get("weekend", [5, 6])}, "calendar", int)
    if not all(0 <= day <= 6 for day in weekend) or len(set(weekend)) > 6:
        read.fault("", "calendar", "out_of_range", at_least=0, at_most=6)
        weekend = [5, 6]
    closed, opened = (
        frozenset(
            day
            for value in read.listed("", {"calendar": [str(one) for one in table.get(name, [])]}, "calendar", str)
            if (day := read.day("", {"calendar": value}, "calendar"))
        )
        for name in ("closed", "opened")
    )
    country, subdivision = str(table.get("country", "")), str(table.get("subdivision", ""))
    try:
        return Calendar(country, subdivision, tuple(sorted(set(weekend))), closed, opened)
    except NoSuchCalendar as unknown:
        read.fault("", "calendar", "no_such_calendar", value=str(unknown))
        return Calendar(weekend=tuple(weekend))


def _fixed_days(read: _Reader, data: Mapping[str, Any]) -> dict[str, FixedDay]:
    found = {}
    for name, table in read.mapping("", data, "days").items():
        if not isinstance(table, Mapping) or not _NAME.fullmatch(name) or name in ANCHORS:
            read.fault("", "days", "unknown_value", value=name)
            continue
        read.known("", table, {"month", "day", "after", "year"})
        month = read.number("", table, "month", None, 1, 12)
        # 29 February is no day that comes each year
        day = read.number("", table, "day", None, 1, 28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31)
        after, year = table.get("after", "arrival"), table.get("year", "same")
        if after not in ANCHORS:
            read.fault("", "days", "unknown_anchor", value=str(after))
        elif year not in ("same", "next"):
            read.fault("", "days", "unknown_value", value=str(year))
        elif month and day:
            found[name] = FixedDay(month, day, after, year == "next")
    return found


def _falls_back(read: _Reader, data: Mapping[str, Any]) -> dict[str, FallBack]:
    found: dict[str, FallBack] = {}
    for name, table in read.mapping("", data, "anchors").items():
        if not isinstance(table, Mapping) or name not in ANCHORS:
            read.fault("", "anchors", "unknown_anchor", value=name)
            continue
        read.known("", table, {"else", "plus", "streams"})
        other = table.get("else")
        # arrival and first contact stand for others and nothing for them: so there is no circle
        if other not in ("arrival", "first_contact") or name in ("arrival", "first_contact"):
            read.fault("", "anchors", "unknown_anchor", value=str(other))
            continue
        plus = read.number("", table, "plus", 0, -LONGEST, LONGEST)
        found[name] = FallBack(other, plus, read.streams("", table, default=True))
    return found


def _ages(read: _Reader, code: str, data: Mapping[str, Any]) -> Ages:
    value = data.get("ages")
    if value is None:
        return None, None
    ages = read.listed(code, data, "ages", int)
    if len(ages) != 2 or not 0 <= ages[0] <= ages[1] <= 130:
        read.fault(code, "ages", "out_of_range", at_least=0, at_most=130)
        return None, None
    return ages[0], ages[1]


def _data_class(read: _Reader, code: str, data: Mapping[str, Any]) -> DataClass:
    name = data.get("data", "plan")
    try:
        return DataClass[str(name).upper()]
    except KeyError:
        read.fault(code, "data", "unknown_value", value=str(name))
        return DataClass.PLAN


def _step(read: _Reader, data: Mapping[str, Any], top: Mapping[str, Any], languages: Sequence[str]) -> ProtocolStep:
    code = read.text("", data, "code", pattern=_CODE)
    read.known(code, data, _STEP)
    kind = read.one(code, data, "kind", Kind, Kind.TARGET) or Kind.TARGET
    alerts = tuple(sorted(set(read.listed(code, data, "alerts", int)), reverse=True))
    if any(not 0 < days <= LONGEST for days in alerts):
        read.fault(code, "alerts", "out_of_range", at_least=1, at_most=LONGEST)
    if alerts and kind is not Kind.LEGAL:
        read.fault(code, "alerts", "alert_not_legal")
    if read.yes(code, data, "holds") and kind is Kind.LEGAL:
        read.fault(code, "holds", "legal_holds")
    anchors = {}
    for stream, anchor in read.mapping(code, data, "anchors").items():
        try:
            anchors[Stream(stream)] = str(anchor)
        except ValueError:
            read.fault(code, "anchors", "unknown_value", value=str(stream))
    grace = data.get("grace", top.get("grace_days", 7))
    sources = tuple(read.listed(code, data, "sources", str))
    if not any(source.strip() for source in sources):
        read.fault(code, "sources", "missing")
    return ProtocolStep(
        code=code,
        title=read.texts(code, data, "title", languages),
        done_when=read.texts(code, data, "done_when", languages),
        scope=read.one(code, data, "scope", Scope, None) or Scope.HOUSEHOLD,
        streams=read.streams(code, data, default=True),
        anchor=read.text(code, data, "anchor"),
        days=read.number(code, data, "days", None, -LONGEST, LONGEST),
        kind=kind,
        needs=tuple(dict.fromkeys(read.listed(code, data, "needs", str))),
        owner=read.one(code, data, "owner", Owner, None) or Owner.LEAD,
        sources=sources,
        confidence=read.one(code, data, "confidence", Confidence, None) or Confidence.KNOWLEDGE,
        checked_on=read.day(code, data, "checked_on") or _top_checked_on(top),
        data_class=_data_class(read, code, data),
        helpers=tuple(dict.fromkeys(read.members(code, data, "helpers", Owner))),
        alerts=alerts,
        ages=_ages(read, code, data),
        anchors=anchors,
        grace=read.number(code, {"grace": grace}, "grace", 7, 0, LONGEST),
        holds=data.get("holds") is True,
        covered_by=tuple(dict.fromkeys(read.listed(code, data, "covered_by", str))),
    )


def _top_checked_on(top: Mapping[str, Any]) -> date | None:
    return _Reader().day("", top, "checked_on")


# ---- rule 9


def _known_codes(steps: Sequence[ProtocolStep]) -> Iterator[Fault]:
    seen: set[str] = set()
    codes = {step.code for step in steps}
    for step in steps:
        if step.code in seen:
            yield Fault(step.code, "code", "twice", {})
        seen.add(step.code)
        for name in ("needs", "covered_by"):
            for other in getattr(step, name):
                if other not in codes:
                    yield Fault(step.code, name, "unknown_step", {"need": other})


def _order(steps: Sequence[ProtocolStep]) -> tuple[list[ProtocolStep], list[list[str]]]:
    """The steps with each after its needs, otherwise as they were; and the circles that there are, as codes."""
    by_code = {step.code: step for step in steps}
    done: dict[str, bool] = {}  # False while one is on the way
    ordered: list[ProtocolStep] = []
    circles: list[list[str]] = []
    for first in steps:
        way: list[tuple[ProtocolStep, Iterator[str]]] = []
        if first.code not in done:
            done[first.code] = False
            way.append((first, iter(first.needs)))
        while way:
            step, needs = way[-1]
            for need in needs:
                if need not in by_code:
                    continue
                if done.get(need) is False:
                    codes = [each.code for each, _ in way]
                    circles.append(codes[codes.index(need) :])
                elif need not in done:
                    done[need] = False
                    way.append((by_code[need], iter(by_code[need].needs)))
                    break
            else:
                way.pop()
                done[step.code] = True
                ordered.append(step)
    return ordered, circles


def _roots(protocol: Protocol, step: ProtocolStep, stream: Stream) -> dict[str, int]:
    """From which days a step of this stream may count, each with the step's days from it."""
    anchor = step.anchor_for(stream)
    found = {anchor: step.days}
    if (fall := protocol.falls_back.get(anchor)) and stream in fall.streams:
        found[fall.anchor] = step.days + fall.plus
    if fixed := protocol.fixed_days.get(anchor):
        # at the latest so long after: what is later than that can't come first
        found[fixed.after] = step.days + 366 * (1 + fixed.next_year)
    return found


def _impossible(protocol: Protocol, step: ProtocolStep, need: ProtocolStep) -> Fault | None:
    for stream in sorted(step.streams & need.streams):
        mine, theirs = _roots(protocol, step, stream), _roots(protocol, need, stream)
        if need.anchor_for(stream) in protocol.fixed_days:  # only the earliest day of a fixed need would prove it
            theirs = {need.anchor_for(stream): need.days}
        for anchor in mine.keys() & theirs.keys():
            if mine[anchor] < theirs[anchor]:
                told = {"need": need.code, "days": mine[anchor], "need_days": theirs[anchor], "anchor": anchor}
                return Fault(step.code, "days", "impossible_date", told)
    return None


def _never(step: ProtocolStep, need: ProtocolStep) -> bool:
    """Whether none of the step's households (or members) can have the need."""
    if not step.streams & need.streams:
        return True
    if step.scope is Scope.HOUSEHOLD or need.scope is Scope.HOUSEHOLD or step.scope is not need.scope:
        return False
    (least, most), (needs_least, needs_most) = step.ages, need.ages
    return (least or 0) > (130 if needs_most is None else needs_most) or (needs_least or 0) > (
        130 if most is None else most
    )


def _anchor_faults(protocol: Protocol, step: ProtocolStep) -> Iterator[Fault]:
    for field_, names in (("anchor", [step.anchor]), ("anchors", list(step.anchors.values()))):
        for name in names:
            if name and name not in ANCHORS and name not in protocol.fixed_days:
                yield Fault(step.code, field_, "unknown_anchor", {"value": name})
    nobody = sorted(
        stream
        for stream in step.streams
        if stream not in _WHO_HAS.get(step.anchor_for(stream), ALL_STREAMS)
        and stream not in getattr(protocol.falls_back.get(step.anchor_for(stream)), "streams", ())
    )
    if nobody:
        yield Fault(step.code, "anchor", "anchor_never", {"anchor": step.anchor, "streams": nobody})


def _together(protocol: Protocol) -> Iterator[Fault]:
    """What the steps' words about each other break."""
    for step in protocol.steps:
        yield from _anchor_faults(protocol, step)
        for code in step.needs:
            if need := protocol.by_code.get(code):
                if _never(step, need):
                    yield Fault(step.code, "needs", "need_never", {"need": code})
                elif fault := _impossible(protocol, step, need):
                    yield fault


def _read(data: Mapping[str, Any]) -> tuple[Protocol | None, list[Fault]]:
    read = _Reader()
    read.known("", data, _TOP)
    languages = [one for one in read.listed("", data, "languages", str) if _LANGUAGE.fullmatch(one)]
    if not languages:
        read.fault("", "languages", "missing")
    read.day("", data, "checked_on")
    read.number("", data, "grace_days", 7, 0, LONGEST)
    rows = data.get("steps")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        read.fault("", "steps", "no_steps")
        rows = []
    steps = []
    for row in rows:
        if isinstance(row, Mapping):
            steps.append(_step(read, row, data, languages))
        else:
            read.fault("", "steps", "wrong_type", expected="table")
    read.faults.extend(_known_codes(steps))
    ordered, circles = _order(list({step.code: step for step in steps}.values()))
    for circle in circles:
        read.fault(circle[0], "needs", "cycle", steps=circle)
    protocol = Protocol(
        code=read.text("", data, "code", pattern=_NAME),
        edition=read.text("", data, "edition"),
        title=read.texts("", data, "title", languages),
        languages=tuple(languages),
        calendar=_calendar(read, data),
        falls_back=_falls_back(read, data),
        fixed_days=_fixed_days(read, data),
        steps=tuple(ordered),
    )
    read.faults.extend(_together(protocol))
    return (None if read.faults else protocol), read.faults


def faults(data: Mapping[str, Any]) -> tuple[Fault, ...]:
    """All that is wrong with a protocol as data, in the order of its steps; empty when `read` takes it."""
    found = _read(data)[1]
    rows = data.get("steps")
    codes = [row.get("code") for row in rows if isinstance(row, Mapping)] if isinstance(rows, Sequence) else []
    place = {str(code): index for index, code in reversed(list(enumerate(codes)))}
    return tuple(sorted(found, key=lambda fault: place.get(fault.step, -1)))


def read(data: Mapping[str, Any]) -> Protocol:
    """A protocol from its data (as in TOML or JSON). Raises BadProtocol."""
    protocol, _ = _read(data)
    if protocol is None:
        raise BadProtocol(faults(data))
    return protocol


# ---- files


def as_json(data: Any) -> Any:
    """The same data with dates as texts, as a JSON column keeps it. `read` takes both."""
    if isinstance(data, Mapping):
        return {str(key): as_json(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [as_json(value) for value in data]
    return data.isoformat() if isinstance(data, date) else data


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The data of `below` with that of `above` on it: its steps added, changed where the code is the same (what it
    gives instead, the rest kept), or taken away (`drop = true`); its tables (calendar, anchors, days)
    joined; its other values instead.
    """
    joined = dict(below)
    for name, value in above.items():
        if name in ("anchors", "days", "calendar") and isinstance(value, Mapping):
            joined[name] = {**joined.get(name, {}), **value}
        elif name not in ("steps", "extends"):
            joined[name] = value
    steps = {row.get("code"): _dated(row, below) for row in below.get("steps", ())}
    for row in above.get("steps", ()):
        if row.get("drop") is True:
            steps.pop(row.get("code"), None)
        else:
            steps[row.get("code")] = {**steps.get(row.get("code"), {}), **row}
    joined["steps"] = list(steps.values())
    joined.pop("extends", None)
    return joined


def _dated(row: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """A step of the lower file keeps that file's day of checking."""
    return {**row, **({"checked_on": top["checked_on"]} if "checked_on" in top and "checked_on" not in row else {})}


def parse(text: str) -> dict[str, Any]:
    """The data of a TOML text, with the shipped protocol that its `extends` names below it.

    Raises tomllib.TOMLDecodeError (a ValueError), and BadProtocol if there is no such protocol.
    """
    data = tomllib.loads(text)
    below = data.get("extends")
    if below is None:
        return data
    if not isinstance(below, str) or below not in SHIPPED:
        raise BadProtocol([Fault("", "extends", "no_such_file", {"value": str(below)})])
    return overlay(shipped_data(below), data)


def load(path: Path) -> dict[str, Any]:
    """As `parse`, from a file in UTF-8."""
    return parse(path.read_text("utf-8"))


SHIPPED = ("generic", "quebec")


def shipped_data(code: str = "quebec") -> dict[str, Any]:
    """The data of a protocol that comes with Parvis. Raises KeyError."""
    if code not in SHIPPED:
        raise KeyError(code)
    file = resources.files("parvis.core") / "data" / "protocols" / f"{code}.toml"
    return parse(file.read_text("utf-8"))


@lru_cache(maxsize=len(SHIPPED))
def shipped(code: str = "quebec") -> Protocol:
    """A protocol that comes with Parvis. Raises KeyError."""
    return read(shipped_data(code))


# ---- writing TOML, for a city that takes its protocol along


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda sign: f"\\u{ord(sign[0]):04x}", escaped) + '"'


def _toml_key(key: Any) -> str:
    return str(key) if re.fullmatch(r"[A-Za-z0-9_-]+", str(key), re.ASCII) else _toml(str(key))


def to_toml(data: Mapping[str, Any]) -> str:
    """Data as a TOML file that `parse` reads back to the same."""
    lines = [f"{_toml_key(name)} = {_toml(value)}" for name, value in data.items() if name != "steps"]
    for row in data.get("steps", ()):
        lines += ["", "[[steps]]", *(f"{_toml_key(name)} = {_toml(value)}" for name, value in row.items())]
    return "\n".join(lines) + "\n"
