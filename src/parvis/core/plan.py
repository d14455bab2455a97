"""The welcome plan: protocol x household x dates -> dated steps, each with its reasons. See docs/plans.md.

Pure: who calls brings the day (`Facts.on`). What is kept from before (done, pinned, said not to apply) goes in as
`Held`; what comes out is what should be, and `difference` says what that changes and because of what. Deriving from
one's own result changes nothing.

How it is fast: a household's *shape* (each member's stream and span of age) decides which rows there are and which
needs which; that is worked out once a shape and kept. A plan then is one pass over the shape's rows with whole numbers
for days, and sentences' reasons are made only when somebody asks (`Planned.why`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from parvis.core.calendar import Calendar
from parvis.core.protocol import ADULT_AT, Ages, Kind, Protocol, ProtocolStep, Scope, Stream

MOST_SHAPES = 20_000  # kept for one protocol


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the household. `key` is the caller's (a person's id); `anchors` are this person's own days
    (claim, recognised, residence; arrival if it is not the household's).

    Of the birth the day or only the year may be known; with the year alone a person has the age that they reach in it.
    If neither is known, `child` says whether it is one (None: counted an adult).
    """

    key: str
    stream: Stream = Stream.UNKNOWN
    born: date | None = None
    birth_year: int | None = None
    child: bool | None = None
    anchors: Mapping[str, date] = field(default_factory=dict)

    def age(self, on: date) -> int | None:
        """In years; None when not known."""
        if self.born is not None:
            return max(0, on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day)))
        return None if self.birth_year is None else max(0, on.year - self.birth_year)

    def turned(self, age: int) -> date | None:
        """The day (or 1 January of the year) on which they reach that age; None when the birth is not known."""
        if self.born is None:
            return None if self.birth_year is None else date(self.birth_year + age, 1, 1)
        try:
            return self.born.replace(year=self.born.year + age)
        except ValueError:  # 29 February
            return date(self.born.year + age, 3, 1)


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
    """Why, as a code of REASONS and what its sentence needs; the Django side words it."""

    code: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: dates as texts in ISO 8601."""
        given = {name: one.isoformat() if isinstance(one, date) else one for name, one in self.given.items()}
        return {"code": self.code, **given}


#: every code of a reason, with the names of what it carries
REASONS: Mapping[str, tuple[str, ...]] = {
    # why it is there
    "everyone": (),  # it serves all streams
    "stream": ("streams",),  # it serves the streams of these members
    "adult": (),
    "child": (),
    "age": ("at_least", "at_most"),  # of the member, or of somebody in the household; one of them may be None
    "age_unknown": (),  # the birth is not known: to be checked
    # why on that day
    "anchor": ("anchor", "on", "days"),
    "instead": ("anchor", "instead_of"),  # the day of another anchor, because its own is not known
    "from_age": ("age", "on"),  # counted from the day on which the member reached that age
    "late_file": ("first_contact", "grace"),
    "need": ("step", "on"),  # not before one that it needs
    "late_need": ("step", "days"),  # moved by so many days because that one is late, or was moved itself
    "need_is_later": ("step", "on"),  # a legal or pinned day lies before one it needs: hurry with that one
    "closed_day": ("day", "why"),  # rolled from a weekend, holiday or closed day
    "legal": (),  # never moves
    "waits": ("anchor",),  # no date yet: that day is not known
    "waits_for": ("step",),  # no date yet: one that it needs has none
    "pinned": (),
    "done": ("on",),
    "said_not_to_apply": (),
    # why it stays although the protocol asks it no more; why it goes
    "kept": (),
    "by_hand": (),
    "not_in_protocol": (),
    "stream_changed": ("stream",),
    "age_changed": (),
    "member_left": (),
    "covered": ("step",),
}


# ---- a derived row


class _Trace(NamedTuple):
    """How a day was found, in ordinals: enough to tell it afterwards."""

    anchor: "_Anchor | None" = None
    base: int = 0  # the anchor's day
    raw: int = 0  # before closed days
    first_contact: int = 0  # 0: the file was not late for this step
    need: "tuple[str, date] | None" = None  # that it may not come before
    late: "tuple[str, int] | None" = None  # which need is late, by how many days
    behind: "tuple[str, date] | None" = None  # a need that comes later than a fixed day
    waits: str = ""  # an anchor
    waits_for: str = ""  # a step
    done_on: date | None = None
    pinned: bool = False
    kept: str = ""


_NO_TRACE = _Trace()


class Planned(NamedTuple):
    """One row of a plan (a tuple, because there are a hundred and more a household).

    `step` is None when the protocol no longer has it. `due_on` is None while it waits for a day that is not known.
    """

    code: str
    member: str
    step: ProtocolStep | None
    state: State
    due_on: date | None
    trace: _Trace = _NO_TRACE
    slot: "_Slot | None" = None
    calendar: Calendar | None = None

    @property
    def key(self) -> Key:
        return self.code, self.member

    @property
    def why_there(self) -> tuple[Reason, ...]:
        """Why the household has it."""
        if self.trace.kept:
            return (Reason(self.trace.kept),)
        return self.slot.presence if self.slot else ()

    @property
    def why_then(self) -> tuple[Reason, ...]:
        """Why on that day, in the order in which it was found; or why there is none."""
        return tuple(_why_then(self))

    @property
    def why(self) -> tuple[Reason, ...]:
        """Why it is there, then why on that day."""
        return self.why_there + self.why_then


def _why_then(row: Planned) -> Iterable[Reason]:
    trace, step = row.trace, row.step
    if row.state is State.DONE:
        yield Reason("done", {"on": trace.done_on})
        return
    if row.state is State.NOT_APPLICABLE:
        yield Reason("said_not_to_apply")
        return
    if trace.pinned:
        yield Reason("pinned")
    elif trace.waits:
        yield Reason("waits", {"anchor": trace.waits})
    elif step is not None and trace.anchor is not None:
        yield from _why_counted(row, step, trace, trace.anchor)
    if trace.waits_for:
        yield Reason("waits_for", {"step": trace.waits_for})
    if trace.behind:
        yield Reason("need_is_later", {"step": trace.behind[0], "on": trace.behind[1]})


def _why_counted(row: Planned, step: ProtocolStep, trace: _Trace, anchor: "_Anchor") -> Iterable[Reason]:
    days = step.days + anchor.plus
    yield Reason("anchor", {"anchor": anchor.name, "on": date.fromordinal(trace.base - anchor.plus), "days": days})
    if anchor.instead_of:
        yield Reason("instead", {"anchor": anchor.name, "instead_of": anchor.instead_of})
    if anchor.age is not None:
        yield Reason("from_age", {"age": anchor.age, "on": date.fromordinal(trace.base)})
    if step.kind is Kind.LEGAL:
        yield Reason("legal")
    if trace.first_contact:
        given = {"first_contact": date.fromordinal(trace.first_contact), "grace": step.grace}
        yield Reason("late_file", given)
    if trace.need:
        yield Reason("need", {"step": trace.need[0], "on": trace.need[1]})
    if trace.late:
        yield Reason("late_need", {"step": trace.late[0], "days": trace.late[1]})
    if row.due_on and row.due_on.toordinal() != trace.raw and row.calendar:
        day = date.fromordinal(trace.raw)
        yield Reason("closed_day", {"day": day, "why": row.calendar.why_closed(day)})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `code` is added, reopened, retired or moved."""

    code: str
    step: str
    member: str
    before: date | None
    after: date | None
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What saving a plan would change. `added` holds what is reopened too."""

    added: tuple[Change, ...] = ()
    retired: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.retired or self.moved)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a household has to do, each step after those it needs, otherwise in the protocol's order."""

    steps: tuple[Planned, ...]

    def by_key(self) -> dict[Key, Planned]:
        return {row.key: row for row in self.steps}


# ---- shapes: which rows a household has


class _Span(NamedTuple):
    """What is said of a member's age: between two bounds of the protocol, or not known."""

    rank: int  # of the span, counted from the youngest; UNKNOWN_ADULT or UNKNOWN_CHILD
    youngest: int  # an age within it

    @property
    def known(self) -> bool:
        return self.rank >= 0

    @property
    def adult(self) -> bool:
        return self.youngest >= ADULT_AT if self.known else self.rank == _UNKNOWN_ADULT

    def within(self, ages: Ages) -> bool:
        """Whether a member of this span is asked; one whose age is not known is, rather than forgotten."""
        least, most = ages
        if not self.known:
            # an adult of unknown age is not asked what is for children
            return not self.adult or most is None or most >= ADULT_AT
        return (least is None or self.youngest >= least) and (most is None or self.youngest <= most)


_UNKNOWN_ADULT, _UNKNOWN_CHILD = -1, -2


class _From(NamedTuple):
    """From which day a slot counts: of whom, and from which age on."""

    anchors: tuple[tuple[int, str], ...]  # (index of a member, anchor): the earliest counts
    age: int | None  # a member's day can't lie before they reached it


class _Anchor(NamedTuple):
    """A day that was found, and how."""

    name: str
    instead_of: str
    plus: int
    age: int | None  # it is the day on which the member reached that age


class _Slot(NamedTuple):
    """One row of a shape: a step for a member (-1: for the household)."""

    step: ProtocolStep
    member: int
    start: int  # index into the shape's starts
    needs: tuple[int, ...]  # slots
    covered: tuple[tuple[str, int], ...]  # (code, member): done means that this is not asked
    presence: tuple[Reason, ...]
    # read in each pass, so taken out of the step
    code: str
    days: int
    grace: int
    legal: bool
    holds: bool


class _Shape(NamedTuple):
    slots: tuple[_Slot, ...]
    starts: tuple[_From, ...]


_MemberShape = tuple[Stream, _Span]
_Has = tuple[tuple[Reason, ...], tuple[str, int | None]]  # why; from which anchor, from which age on


class _Compiled:
    """What is worked out once for a protocol: the bounds of its ages, and the shapes met so far."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        bounds = {0, ADULT_AT}
        for step in protocol.steps:
            least, most = step.ages
            bounds.update(each for each in (least, most + 1 if most is not None else None) if each is not None)
        self.bounds = sorted(bounds)
        self.spans = {index: _Span(index, youngest) for index, youngest in enumerate(self.bounds)}
        self.spans[_UNKNOWN_ADULT] = _Span(_UNKNOWN_ADULT, ADULT_AT)
        self.spans[_UNKNOWN_CHILD] = _Span(_UNKNOWN_CHILD, 0)
        self.shapes: dict[tuple[_MemberShape, ...], _Shape] = {}
        self._of_member: dict[_MemberShape, dict[str, _Has]] = {}
        self._of_household: dict[frozenset[_MemberShape], dict[str, tuple[Reason, ...]]] = {}

    def span(self, member: Member, on: date) -> _Span:
        age = member.age(on)
        if age is None:
            return self.spans[_UNKNOWN_CHILD if member.child else _UNKNOWN_ADULT]
        return self.spans[bisect_right(self.bounds, age) - 1]

    def shape(self, members: tuple[_MemberShape, ...]) -> _Shape:
        found = self.shapes.get(members)
        if found is None:
            if len(self.shapes) >= MOST_SHAPES:
                self.shapes.clear()
            found = self.shapes[members] = _shape(self, members)
        return found

    def member_has(self, member: _MemberShape) -> Mapping[str, _Has]:
        """By its code, each step that is asked of such a member, with why."""
        found = self._of_member.get(member)
        if found is None:
            stream, span = member
            found = self._of_member[member] = {
                step.code: (_presence(step, [member]), _start(step, stream, span))
                for step in self.protocol.steps
                if step.scope is not Scope.HOUSEHOLD and _asked(step, stream, span)
            }
        return found

    def household_has(self, members: frozenset[_MemberShape]) -> Mapping[str, tuple[Reason, ...]]:
        """By its code, each step that is asked of a household of such members, with why."""
        found = self._of_household.get(members)
        if found is None:
            if len(self._of_household) >= MOST_SHAPES:
                self._of_household.clear()
            found = self._of_household[members] = {
                step.code: _presence(step, members)
                for step in self.protocol.steps
                if step.scope is Scope.HOUSEHOLD and _household_has(step, members)
            }
        return found


@lru_cache(maxsize=32)
def _compiled(protocol: Protocol) -> _Compiled:
    return _Compiled(protocol)


def _asked(step: ProtocolStep, stream: Stream, span: _Span) -> bool:
    """Whether a member is asked a step that is for each of them."""
    if not step.serves(stream) or not span.within(step.ages):
        return False
    return step.scope is Scope.PERSON or span.adult == (step.scope is Scope.ADULT)


def _household_has(step: ProtocolStep, members: frozenset[_MemberShape]) -> bool:
    return any(step.serves(stream) for stream, _ in members) and (
        step.ages == (None, None) or any(span.within(step.ages) for _, span in members)
    )


def _presence(step: ProtocolStep, members: Iterable[_MemberShape]) -> tuple[Reason, ...]:
    members = list(members)
    found = [Reason("everyone")]
    if not step.for_everyone:
        served = sorted({stream.value for stream, _ in members if step.serves(stream)})
        found = [Reason("stream", {"streams": served})]
    if step.scope in (Scope.ADULT, Scope.CHILD):
        found.append(Reason(step.scope.value))
    if step.ages != (None, None):
        found.append(Reason("age", {"at_least": step.ages[0], "at_most": step.ages[1]}))
    matters = step.ages != (None, None) or step.scope in (Scope.ADULT, Scope.CHILD)
    if matters and not any(span.known for _, span in members):
        found.append(Reason("age_unknown"))
    return tuple(found)


def _start(step: ProtocolStep, stream: Stream, span: _Span) -> tuple[str, int | None]:
    """The anchor of a member's row, and the age before which it can't begin."""
    least = step.ages[0] if step.ages[0] is not None else ADULT_AT if step.scope is Scope.ADULT else 0
    return step.anchor_for(stream), least if span.known else None


def _shape(compiled: _Compiled, members: tuple[_MemberShape, ...]) -> _Shape:
    """The rows of a household of such members. A need that is not among them counts as met (rule 1)."""
    protocol = compiled.protocol
    starts: dict[_From, int] = {}
    slots: list[_Slot] = []
    placed: dict[str, dict[int, int]] = {}  # code -> member -> slot
    of_household = compiled.household_has(frozenset(members))
    of_members = [compiled.member_has(member) for member in members]
    for step in protocol.steps:
        code = step.code
        placed[code] = rows = {}
        whose: list[tuple[int, tuple[Reason, ...], _From]] = []
        if step.scope is Scope.HOUSEHOLD:
            if (presence := of_household.get(code)) is not None:
                served = [(place, stream) for place, (stream, _) in enumerate(members) if step.serves(stream)]
                anchors = tuple((place, step.anchor_for(stream)) for place, stream in served)
                whose.append((-1, presence, _From(anchors, None)))
        else:
            for place, has in enumerate(of_members):
                if (found := has.get(code)) is not None:
                    presence, (anchor, age) = found
                    whose.append((place, presence, _From(((place, anchor),), age)))
        for member, presence, start in whose:
            needs = tuple(slot for need in step.needs for slot in _needed(protocol, step, member, need, placed))
            covered = tuple((other, place) for other in step.covered_by for place in {member, -1})
            rows[member] = len(slots)
            index = starts.setdefault(start, len(starts))
            legal = step.kind is Kind.LEGAL
            slots.append(
                _Slot(step, member, index, needs, covered, presence, code, step.days, step.grace, legal, step.holds)
            )
    return _Shape(tuple(slots), tuple(starts))


def _needed(
    protocol: Protocol, step: ProtocolStep, member: int, code: str, placed: Mapping[str, Mapping[int, int]]
) -> list[int]:
    """The rows of `code` that a member's row waits for: their own; the household's; for a row of the household, or
    between an adult's and a child's, everybody's.
    """
    rows = placed[code]
    if member in rows:
        return [rows[member]]
    if -1 in rows:
        return [rows[-1]]
    need = protocol.by_code[code]
    apart = {step.scope, need.scope} == {Scope.ADULT, Scope.CHILD}
    return list(rows.values()) if member < 0 or apart else []


# ---- days


def _day_of(protocol: Protocol, facts: Facts, member: Member, name: str) -> tuple[int, str, int] | None:
    """(ordinal, the anchor that it is, days added to it) of a member's anchor; the household's where they have none
    of their own. Raises nothing: None is a day that is not known.
    """
    fixed = protocol.fixed_days.get(name)
    if fixed is not None:
        found = _day_of(protocol, facts, member, fixed.after)
        return found and (fixed.after_day(date.fromordinal(found[0])).toordinal(), name, 0)
    day = member.anchors.get(name) or facts.anchors.get(name)
    if day is not None:
        return day.toordinal(), name, 0
    fall = protocol.falls_back.get(name)
    if fall is None or member.stream not in fall.streams:
        return None
    day = member.anchors.get(fall.anchor) or facts.anchors.get(fall.anchor)
    return None if day is None else (day.toordinal() + fall.plus, fall.anchor, fall.plus)


def _started(protocol: Protocol, facts: Facts, members: list[Member], start: _From) -> tuple[int, _Anchor] | None:
    best: tuple[int, str, int] | None = None
    asked = ""
    for index, name in start.anchors:
        found = _day_of(protocol, facts, members[index], name)
        if found is not None and (best is None or found[0] < best[0]):
            best, asked = found, name
    if best is None:
        return None
    ordinal, name, plus = best
    age = None
    if start.age is not None:
        member = members[start.anchors[0][0]]
        turned = member.turned(start.age)
        if turned is not None and turned.toordinal() > ordinal:
            fixed = protocol.fixed_days.get(name)
            reached = fixed.after_day(turned) if fixed else turned
            if reached.toordinal() > ordinal:
                ordinal, age, plus = reached.toordinal(), start.age, 0
    return ordinal, _Anchor(name, asked if asked != name else "", plus, age)


def derive(protocol: Protocol, facts: Facts, held: Iterable[Held] = (), *, calendar: Calendar | None = None) -> Plan:
    """The plan as it should be. `calendar` is the city's, by default the protocol's.

    Open held steps that are asked no more, and neither pinned nor by hand, are not in it. What is done, pinned or
    said not to apply is, with the day it has.
    """
    compiled = _compiled(protocol)
    calendar = calendar or protocol.calendar
    # sorted, so that the same people make the same plan and the same shape in whatever order they come
    ranked = sorted(
        [(member.stream, compiled.span(member, facts.on), member) for member in facts.members],
        key=lambda one: (-one[1].rank, one[0], one[2].key),
    )
    members = [member for _, _, member in ranked]
    shape = compiled.shape(tuple((stream, span) for stream, span, _ in ranked))
    starts = [_started(protocol, facts, members, start) for start in shape.starts]
    keys = [member.key for member in members] + [""]  # index -1 is the household
    kept = {one.key: one for one in held}
    asked = {key: one for key, one in kept.items() if not one.by_hand}
    rows = _dated(shape, starts, keys, facts, asked, calendar)
    if kept:
        rows += _remaining(protocol, kept, rows, set(keys))
    return Plan(tuple(rows))


def _dated(
    shape: _Shape,
    starts: list[tuple[int, _Anchor] | None],
    keys: list[str],
    facts: Facts,
    kept: Mapping[Key, Held],
    calendar: Calendar,
) -> list[Planned]:
    """The rows with their days, in one pass: each stands after those that it needs.

    For each row: `on_time` is its day if nobody were late (`counted` before that was rolled to an open one), `due` the
    day that holds, `delay` by how many days it and what needs it move.
    """
    first = facts.anchors.get("first_contact")
    contact = first.toordinal() if first else 0
    forward, backward, slots = calendar.forward, calendar.backward, shape.slots
    size = len(slots)
    due, on_time, delay = [0] * size, [0] * size, [0] * size  # 0: no day, or what counts as met
    counted = [0] * size
    waiting: set[int] = set()
    met: set[int] = set()  # done, or said not to apply
    disturbed = False  # somebody is late, or pinned a day: from then on `due` and `on_time` differ
    rows: list[Planned] = []
    for index, slot in enumerate(slots):
        step, member, start, needs, covered, _, code, days, grace, legal, holds = slot
        before = kept.get((code, keys[member])) if kept else None
        if covered and kept and _is_covered(covered, keys, kept, before):
            continue
        found = starts[start]
        raw = late_file = moved = 0
        need: tuple[str, date] | None = None
        late: tuple[str, int] | None = None
        waits = waits_for = ""
        if found is None:
            base, anchor, due_on = 0, None, None
            waits = _missing(step, shape.starts[start])
            waiting.add(index)
        elif legal:
            base, anchor = found
            raw = base + days
            due_on = backward[raw]
            on_time[index] = due[index] = counted[index] = due_on.toordinal()
        else:
            base, anchor = found
            raw = base + days
            if contact > base or contact > raw:
                late_file, raw = _late_file(contact, raw, grace)
            binding = -1
            for other in needs:
                if on_time[other] > raw:
                    raw, binding = on_time[other], other
            on_time[index], counted[index] = forward[raw].toordinal(), raw
            if disturbed:
                if not holds:
                    for other in needs:
                        if delay[other] > moved:
                            moved, late = delay[other], (slots[other].code, delay[other])
                    raw += moved
                for other in needs:
                    if due[other] > raw:
                        raw, binding = due[other], other
                delay[index] = raw - counted[index]
            if binding >= 0:
                need = (slots[binding].code, date.fromordinal(due[binding] or on_time[binding]))
            due_on = forward[raw]
            due[index] = due_on.toordinal()
            if waiting and not waiting.isdisjoint(needs):
                waits_for = next(slots[other].code for other in needs if other in waiting)
                due_on = None
                on_time[index] = due[index] = delay[index] = 0
                waiting.add(index)
        trace = _Trace(anchor, base, raw, late_file, need, late, None, waits, waits_for)
        state = State.OPEN
        if before is not None and before.state is not State.RETIRED:
            state = before.state
            if state is State.OPEN:
                if before.pinned and before.due_on is not None and not legal:
                    due_on, disturbed, delay[index] = before.due_on, True, 0
                    due[index] = due_on.toordinal()
                    waiting.discard(index)
                    trace = _Trace(anchor, base, raw, pinned=True)
            else:
                waiting.discard(index)
                trace = _Trace(anchor, base, raw, done_on=before.done_on)
                if state is State.DONE:
                    done = before.done_on.toordinal() if before.done_on else due[index]
                    if before.pinned and before.due_on is not None and not legal:
                        due[index] = counted[index] = before.due_on.toordinal()
                        delay[index] = 0
                    delay[index] = _late_by(done, due[index], counted[index], delay[index], backward)
                    due[index] = done
                    disturbed = disturbed or delay[index] > 0 or done != on_time[index]
                else:
                    due[index] = on_time[index] = delay[index] = 0
                due_on = before.due_on or due_on
        if (legal or trace.pinned) and state is State.OPEN:
            for other in needs:
                if due[other] > due[index] > 0 and other not in met:
                    trace = trace._replace(behind=(slots[other].code, date.fromordinal(due[other])))
        if state is not State.OPEN:
            met.add(index)
        rows.append(Planned(code, keys[member], step, state, due_on, trace, slot, calendar))
    return rows


def _is_covered(
    covered: Iterable[tuple[str, int]], keys: list[str], kept: Mapping[Key, Held], before: Held | None
) -> bool:
    """Whether a row is not asked because another is done. What is done itself, or pinned, stays."""
    if before is not None and (before.pinned or before.state in (State.DONE, State.NOT_APPLICABLE)):
        return False
    others = (kept.get((code, keys[member])) for code, member in covered)
    return any(other is not None and other.state is State.DONE for other in others)


def _missing(step: ProtocolStep, start: _From) -> str:
    """The anchor for which a row waits."""
    return start.anchors[0][1] if start.anchors else step.anchor


def _late_file(contact: int, raw: int, grace: int) -> tuple[int, int]:
    """Rule 2: (the first contact if it is what decides, else 0; the day)."""
    return (contact, contact + grace) if contact + grace > raw else (0, raw)


def _late_by(done: int, due: int, counted: int, delay: int, backward: Mapping[int, date]) -> int:
    """By how many days what follows a done step moves.

    Late: by as many as bring the step itself, rolled to an open day as any other, to the day on which it was done,
    whether it had moved before or not; so nobody who is late once more brings anything forward. Done by its day:
    none, or, when it had moved itself, at most as much as it had.
    """
    if done > due:
        return backward[done - 1].toordinal() + 1 - counted if due else 0
    return min(delay, max(0, done - counted))


def _remaining(protocol: Protocol, kept: Mapping[Key, Held], rows: list[Planned], members: set[str]) -> list[Planned]:
    """What is held and asked no more: done, said not to apply, by hand; pinned, unless the member has left."""
    there = {row.key for row in rows}
    found = []
    for key, one in sorted(kept.items()):
        stays = one.state in (State.DONE, State.NOT_APPLICABLE) or one.by_hand
        if key not in there and one.state is not State.RETIRED and (stays or (one.pinned and one.member in members)):
            trace = _Trace(done_on=one.done_on, pinned=one.pinned, kept="by_hand" if one.by_hand else "kept")
            found.append(Planned(one.code, one.member, protocol.by_code.get(one.code), one.state, one.due_on, trace))
    return found


# ---- what a plan changes


def difference(protocol: Protocol, facts: Facts, held: Iterable[Held], plan: Plan) -> Difference:
    """What saving `plan` would change in what is held, each change with its reasons."""
    kept = {one.key: one for one in held}
    added, moved = [], []
    for row in plan.steps:
        before = kept.get(row.key)
        if before is None or before.state is State.RETIRED:
            code = "added" if before is None else "reopened"
            added.append(Change(code, row.code, row.member, None, row.due_on, row.why))
        elif row.state is State.OPEN and before.due_on != row.due_on:
            moved.append(Change("moved", row.code, row.member, before.due_on, row.due_on, row.why_then))
    planned = plan.by_key()
    retired = [
        Change("retired", one.code, one.member, one.due_on, None, (_gone(protocol, facts, one, kept),))
        for key, one in sorted(kept.items())
        if one.state is State.OPEN and key not in planned
    ]
    return Difference(tuple(added), tuple(retired), tuple(moved))


def _gone(protocol: Protocol, facts: Facts, one: Held, kept: Mapping[Key, Held]) -> Reason:
    """Why an open step is asked no more."""
    members = {member.key: member for member in facts.members}
    step = protocol.by_code.get(one.code)
    if step is None or (step.scope is Scope.HOUSEHOLD) != (not one.member):
        return Reason("not_in_protocol")
    if one.member and one.member not in members:
        return Reason("member_left")
    for code in step.covered_by:
        for member in {one.member, ""}:
            if (other := kept.get((code, member))) and other.state is State.DONE:
                return Reason("covered", {"step": code})
    whose = [members[one.member]] if one.member else list(facts.members)
    if not any(step.serves(member.stream) for member in whose):
        streams = ", ".join(sorted({member.stream.value for member in whose}))
        return Reason("stream_changed", {"stream": streams})
    return Reason("age_changed")
