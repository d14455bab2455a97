"""The welcome plan: protocol x household x dates -> dated steps, each with its reasons. Rules 1 to 5; see docs/plans.md.

Pure: who calls brings the day (`Facts.on`). What is kept from before (done, pinned, said not to apply) goes in as
`Held`; what comes out is what should be, and `difference` says what that changes and because of what. Deriving from
one's own result changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from parvis.core.calendar import Calendar
from parvis.core.protocol import Protocol, ProtocolStep, Stream


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the household. `key` is the caller's (a person's id); `anchors` are this person's own days
    (claim, recognised, residence, arrival if later than the others).

    Of the birth the day or the year may be known; if neither, `child` says whether it is one (None: counted an adult).
    """

    key: str
    stream: Stream = Stream.UNKNOWN
    born: date | None = None
    birth_year: int | None = None
    child: bool | None = None
    anchors: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan is derived from. `on` is the day of deriving (ages are counted on it); `anchors` are the
    household's: arrival, first_contact, lease, support_end. A day that is not known is left out.
    """

    on: date
    members: tuple[Member, ...]
    anchors: Mapping[str, date] = field(default_factory=dict)


Key = tuple[str, str]  # (code of the step, key of the member or "")


@dataclass(frozen=True, slots=True)
class Held:
    """A step that the plan has already. `by_hand`: added by somebody, not by the protocol; it is left alone."""

    code: str
    member: str = ""
    state: State = State.OPEN
    due_on: date | None = None
    pinned: bool = False
    done_on: date | None = None
    by_hand: bool = False

    @property
    def key(self) -> Key:
        return self.code, self.member


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code and what its sentence needs; the Django side words it. Codes: see `REASONS`."""

    code: str
    with_: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: dates as texts."""
        raise NotImplementedError


#: every code of a reason, with the names of what it carries
REASONS: dict[str, tuple[str, ...]] = {
    # why it is there
    "stream": ("streams",),  # it serves the streams of these members
    "everyone": (),  # it serves all streams
    "age": ("at_least", "at_most"),
    "age_unknown": (),  # counted as an adult, or asked although it has age bounds
    "adult_or_child": ("scope",),
    # why on that day
    "anchor": ("anchor", "on", "days"),
    "waits": ("anchor",),  # no date: that day is not known
    "late_file": ("first_contact", "grace"),
    "from_age": ("age", "on"),  # counted from the day at which the member reached it
    "need": ("step", "on"),  # not before one that it needs
    "late_need": ("step", "done_on", "days"),  # moved by as many days as that one was late
    "need_is_later": ("step", "on"),  # a legal or pinned day comes before one it needs: hurry
    "closed_day": ("from", "why"),  # rolled from a weekend, holiday or closed day
    "legal": (),  # never moves
    "pinned": (),
    "done": ("on",),
    # why it is kept although the protocol no longer asks it; why it goes
    "kept_done": (),
    "kept_pinned": (),
    "kept_by_hand": (),
    "not_in_protocol": (),
    "stream_changed": ("stream",),
    "age_changed": (),
    "member_left": (),
    "covered": ("step",),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One row of a derived plan. `step` is None when the protocol no longer has it (done, pinned or by hand)."""

    code: str
    member: str
    step: ProtocolStep | None
    state: State
    due_on: date | None

    @property
    def key(self) -> Key:
        return self.code, self.member

    @property
    def why(self) -> tuple[Reason, ...]:
        """Why it is there, then why on that day."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `code` is added, retired, reopened or moved."""

    code: str
    step: str
    member: str
    before: date | None
    after: date | None
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    added: tuple[Change, ...] = ()  # reopened ones too
    retired: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.retired or self.moved)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a household has to do, in the protocol's order."""

    steps: tuple[Planned, ...]

    def by_key(self) -> dict[Key, Planned]:
        return {row.key: row for row in self.steps}


def derive(protocol: Protocol, facts: Facts, held: Iterable[Held] = (), *, calendar: Calendar | None = None) -> Plan:
    """The plan as it should be. `calendar` is the city's, by default the protocol's.

    Held steps that are no longer asked and neither done, pinned, by hand nor said not to apply are not in it.
    """
    raise NotImplementedError


def difference(protocol: Protocol, facts: Facts, held: Iterable[Held], plan: Plan) -> Difference:
    """What saving `plan` would change in what is held, each change with its reasons."""
    raise NotImplementedError
