"""The protocol of the welcome plan: what is owed to whom by when. Reading, checking, versions; see docs/plans.md.

A protocol is data: the generic steps and a city's overlay, in TOML files or (edited in the office) in JSON of the same
shape. `read` refuses one that breaks rule 9 (a cycle, a step due before one it needs, a need that none of the same
stream's households has) with every fault named; nothing else makes a Protocol.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from parvis.core.access import DataClass
from parvis.core.calendar import Calendar


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


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One step. `days` count from the anchor, and may be negative; texts are by language ("fr", "en")."""

    code: str
    title: Mapping[str, str]
    done_when: Mapping[str, str]
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
    #: age in years, both inclusive, of a member it is for
    ages: tuple[int | None, int | None] = (None, None)
    #: another anchor for some streams
    anchors: Mapping[Stream, str] | None = None
    #: days after the first contact in a file opened late; None: the protocol's
    grace: int | None = None
    #: a late need moves it only if it would come before that need
    holds: bool = False
    #: not asked of a member (or household) who has done one of these in another stream
    covered_by: tuple[str, ...] = ()

    @property
    def to_be_checked(self) -> bool:
        return self.confidence in (Confidence.TITLE, Confidence.KNOWLEDGE)

    def say(self, texts: Mapping[str, str], *languages: str) -> str:
        """The text in the first of the languages that has one, else in any."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a protocol is refused: the step ("" for the whole), a code, and what the sentence needs."""

    step: str
    code: str
    with_: Mapping[str, Any]


class BadProtocol(ValueError):
    """`faults` names each step that is wrong and why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{one.step or 'protocol'}: {one.code} {dict(one.with_)}" for one in self.faults))


@dataclass(frozen=True)
class Protocol:
    """A protocol that keeps rule 9. Made by `read`; `number` is given when the office publishes it."""

    code: str
    edition: str
    title: Mapping[str, str]
    grace_days: int
    calendar: Calendar
    steps: tuple[ProtocolStep, ...]

    @cached_property
    def by_code(self) -> Mapping[str, ProtocolStep]:
        return {step.code: step for step in self.steps}


def faults(data: Mapping[str, Any]) -> tuple[Fault, ...]:
    """All that is wrong with a protocol as data; empty when `read` takes it."""
    raise NotImplementedError


def read(data: Mapping[str, Any]) -> Protocol:
    """A protocol from its data (as in TOML or JSON). Raises BadProtocol."""
    raise NotImplementedError


def write(protocol: Protocol) -> dict[str, Any]:
    """The data that `read` takes, ready for JSON: what is frozen into a ProtocolVersion."""
    raise NotImplementedError


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The data of `below` with the steps of `above` added, replaced, or (`drop = true`) taken away."""
    raise NotImplementedError


def load(path: Path) -> dict[str, Any]:
    """The data of a TOML file, with the shipped file that its `extends` names below it."""
    raise NotImplementedError


def shipped(code: str = "quebec") -> Protocol:
    """A protocol that comes with Parvis: "quebec" or "generic". Raises KeyError."""
    raise NotImplementedError
