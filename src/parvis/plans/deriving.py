"""From a household's file to its plan: what is read (`facts`), what is held, and writing what `core.plan` says.

Many households at once are as many statements as one: an import opens thousands.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from parvis.cases.models import Household, HouseholdMember, ImmigrationStatus, Person
from parvis.cases.models.people import HouseholdState, Relation
from parvis.cases.vault import Vault
from parvis.core import plan as core
from parvis.core.plan import Difference, Facts, Held, Member, Planned
from parvis.core.protocol import Owner, Stream
from parvis.kit.sealing import Unreadable
from parvis.kit.writing import update_rows
from parvis.plans import versions
from parvis.plans.models import Plan, Scope, State, Step

LOT = 500
#: which of a person's statuses is the beginning of which anchor
_ANCHOR_OF = {Stream.CLAIMANT: "claim", Stream.RECOGNISED: "recognised", Stream.PR_OTHER: "residence"}


@dataclass
class Counted:
    """What deriving did to one household. `names` are those of its people, for whoever tells of it."""

    household: Household
    plan: Plan
    difference: Difference
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class _Files:
    """What is read of a lot of households."""

    plans: dict[uuid.UUID, Plan]
    members: dict[uuid.UUID, list[HouseholdMember]]
    statuses: dict[uuid.UUID, list[tuple[Stream, dt.date]]]
    born: dict[uuid.UUID, dt.date | None]
    steps: dict[uuid.UUID, list[Step]]


def derive(households: Iterable[Household], *, on: dt.date | None = None) -> list[Counted]:
    """Make or renew the plans of these households. In the present transaction; whoever acts must see them whole."""
    found: list[Counted] = []
    several = list(households)
    for start in range(0, len(several), LOT):
        found += _derive(several[start : start + LOT], on or timezone.localdate())
    return found


def _derive(households: Sequence[Household], on: dt.date) -> list[Counted]:
    now = _transaction_time()
    files = _read(households, now)
    made: list[Step] = []
    changed: list[Step] = []
    counted = []
    for household in households:
        plan = files.plans.get(household.pk)
        if plan is None:
            continue
        protocol = versions.of(plan.protocol_id)
        facts = _facts(household, plan, files, on)
        head = plan.person_id
        steps = {_key(step): step for step in files.steps[household.pk]}
        held = [_held(step) for step in steps.values()]
        derived = core.derive(protocol, facts, held)
        difference = core.difference(protocol, facts, held, derived)
        rows = derived.by_key()
        for key, row in rows.items():
            if row.step is None:
                continue
            step = steps.get(key)
            if step is None:
                step = Step(
                    household=household, person_id=uuid.UUID(key[1]) if key[1] else head, code=row.code,
                    scope=row.step.scope.value, state=State.OPEN,
                )  # fmt: skip
                made.append(_filled(step, row, household, head))
                continue
            before, was = _marks(step), step.person_id
            if _marks(_filled(step, row, household, head)) != before:
                changed.append(step)
                if step.person_id != was:
                    _seal_anew(step, was)
        for key, step in steps.items():
            if key not in rows and step.state == State.OPEN:
                step.state, step.pinned, step.household = State.RETIRED, False, household
                changed.append(step)
        names = {str(member.person_id): member.person.name for member in files.members[household.pk]}
        counted.append(Counted(household, plan, difference, names))
    for step in changed:
        step.version += 1
        step.changed_at = now
    Step.objects.bulk_create(made, batch_size=2000)
    update_rows(changed, [*_COUNTED, "version", "changed_at"])
    return counted


_COUNTED = [
    "person", "household", "row_class", "kind", "owner_role", "state", "due_on", "falls_on", "responsible_user",
    "responsible_org", "why", "pinned", "title", "evidence", "reason",
]  # fmt: skip


_SEALED = {"title", "evidence", "reason"}


def _marks(step: Step) -> tuple[Any, ...]:
    return tuple(getattr(step, Step._meta.get_field(name).attname) for name in _COUNTED if name not in _SEALED)


def _transaction_time() -> dt.datetime:
    """The database's now(): the mark by which it knows that a whole plan is counted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def _key(step: Step) -> tuple[str, str]:
    return step.code, "" if step.scope == Scope.HOUSEHOLD else str(step.person_id)


def _held(step: Step) -> Held:
    code, member = _key(step)
    return Held(
        code, member, core.State(step.state), step.due_on, pinned=step.pinned, done_on=step.done_on,
        by_hand=step.by_hand,
    )  # fmt: skip


def _filled(step: Step, row: Planned, household: Household, head: uuid.UUID) -> Step:
    """The row as it should be."""
    assert row.step is not None
    step.household = household
    if step.scope == Scope.HOUSEHOLD:
        step.person_id = head
    step.row_class, step.kind, step.owner_role = row.step.data_class.value, row.step.kind.value, row.step.owner.value
    if step.state == State.RETIRED:
        step.pinned = False
    step.state = row.state.value
    if step.state == State.OPEN:
        step.due_on = row.due_on
        step.falls_on = dt.date.fromordinal(row.trace.raw) if row.due_on and row.trace.raw else row.due_on
        step.why = [_told(reason) for reason in row.why]
    if not step.assigned:
        step.responsible_user_id, step.responsible_org = answers(household, row.step.owner)
    return step


def _seal_anew(step: Step, was: uuid.UUID) -> None:
    """What was written under the former head's key stands under the present one's."""
    vault, now = Vault([was, step.person_id]), step.person_id
    for column in ("title", "evidence", "reason"):
        if getattr(step, column) is not None:
            step.person_id = was
            try:
                text = vault.open(step, column)
            except Unreadable:
                text = ""
            step.person_id = now
            vault.put(step, **{column: text})


def _told(reason: core.Reason) -> dict[str, Any]:
    """For JSON, without the streams: which one a person is of is sealed elsewhere."""
    told = reason.as_dict()
    for name in ("streams", "stream"):
        told.pop(name, None)
    return told


def answers(household: Household, owner: Owner) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Who is responsible while nobody says otherwise: the lead worker, else who holds the file (rule 8)."""
    if household.lead_worker_id is not None:
        return household.lead_worker_id, None
    return None, household.holder_id


# -- reading ----------------------------------------------------------------------------------------------------------


def _read(households: Sequence[Household], now: dt.datetime) -> _Files:
    keys = [household.pk for household in households]
    members: dict[uuid.UUID, list[HouseholdMember]] = defaultdict(list)
    rows = HouseholdMember.objects.filter(household_id__in=keys, until=None).select_related("person")
    for member in rows.order_by("since", "created_at"):
        members[member.household_id].append(member)
    persons = [member.person_id for found in members.values() for member in found]
    vault = Vault(persons)
    plans = _plans(households, members, now)
    statuses: dict[uuid.UUID, list[tuple[Stream, dt.date]]] = defaultdict(list)
    for row in ImmigrationStatus.objects.filter(person_id__in=persons).order_by("until", "since"):
        try:
            statuses[row.person_id].append((Stream(vault.open(row, "stream")), row.since))
        except Unreadable:
            continue
    here = {member.person_id: household for household, found in members.items() for member in found}
    steps: dict[uuid.UUID, list[Step]] = defaultdict(list)
    # what is about a person goes with them into another household
    for step in Step.objects.filter(household_id__in=keys) | Step.objects.filter(
        person_id__in=persons, scope__in=[Scope.PERSON, Scope.ADULT, Scope.CHILD]
    ):
        home = here.get(step.person_id, step.household_id) if step.scope != Scope.HOUSEHOLD else step.household_id
        if home == step.household_id or home in plans:
            steps[home].append(step)
    born = {member.person_id: _born(member.person, vault) for found in members.values() for member in found}
    return _Files(plans, members, statuses, born, steps)


_arriving: ContextVar[Mapping[uuid.UUID, dt.date] | None] = ContextVar("parvis_arriving", default=None)


@contextmanager
def arriving(days: Mapping[uuid.UUID, dt.date]) -> Iterator[None]:
    """Plans that are made in this block count from these days (household -> day) at once, and not a second time."""
    token = _arriving.set(days)
    try:
        yield
    finally:
        _arriving.reset(token)


def _plans(
    households: Sequence[Household], members: dict[uuid.UUID, list[HouseholdMember]], now: dt.datetime
) -> dict[uuid.UUID, Plan]:
    """Their plans, marked as counted now; made for those that have none and somebody in them."""
    plans = {plan.household_id: plan for plan in Plan.objects.filter(household__in=households)}
    moved, made = [], []
    for household in households:
        head = next((row for row in members[household.pk] if row.relation == Relation.HEAD), None)
        plan = plans.get(household.pk)
        if plan is None and head is not None and household.state == HouseholdState.OPEN:
            new = Plan(person_id=head.person_id, household=household, protocol=versions.current(), derived_at=now)
            new.first_contact_on = household.opened_on
            new.arrival_on = (_arriving.get() or {}).get(household.pk)
            made.append(new)
        elif plan is not None:
            plan.derived_at = now
            plan.person_id = head.person_id if head else plan.person_id
            moved.append(plan)
    Plan.objects.bulk_create(made, batch_size=2000)
    update_rows(moved, ["derived_at", "person"])
    return plans | {plan.household_id: plan for plan in made}


def _born(person: Person, vault: Vault) -> dt.date | None:
    try:
        return vault.open_date(person, "birth_date")
    except Unreadable:
        return None


def _facts(household: Household, plan: Plan, files: _Files, on: dt.date) -> Facts:
    """An archived file has nobody to whom anything is owed: all that is open is retired."""
    days = {
        "arrival": plan.arrival_on or household.opened_on,
        "first_contact": plan.first_contact_on,
        "lease": plan.lease_on,
        "support_end": plan.support_end_on,
    }
    present = files.members[household.pk] if household.state == HouseholdState.OPEN else []
    members = tuple(_member(row, files) for row in present)
    return Facts(on, members, {name: day for name, day in days.items() if day is not None})


def _member(row: HouseholdMember, files: _Files) -> Member:
    told = files.statuses.get(row.person_id, [])
    anchors = {_ANCHOR_OF[stream]: since for stream, since in told if stream in _ANCHOR_OF}
    # "until" sorts the present one last: PostgreSQL puts what has no end after what has
    stream = told[-1][0] if told else Stream.UNKNOWN
    child = row.relation in (Relation.CHILD, Relation.GRANDCHILD, Relation.WARD)
    return Member(str(row.person_id), stream, files.born.get(row.person_id), row.person.birth_year, child, anchors)
