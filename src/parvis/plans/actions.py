"""What is done to a plan: each in one transaction with its event, and the days that hang on it counted anew.

Raises Denied for who does not keep the file, Refused (with the reason as a person reads it) for what can't be, and
Conflict when somebody else changed the step meanwhile. Events name the step by its code, never what was written.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import queries as files
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.models import Household, HouseholdMember
from parvis.cases.models.people import HouseholdState
from parvis.cases.vault import Vault
from parvis.core.plan import Difference
from parvis.kit.writing import update_rows
from parvis.ledger.actions import Entry, record_many
from parvis.plans import deriving
from parvis.plans.deriving import Counted, derive
from parvis.plans.models import Kind, Plan, ProtocolVersion, State, Step, VersionState

LONGEST_EVIDENCE = 300
#: events of cases after which a household's plan is counted anew
OF_HOUSEHOLDS = tuple(
    f"cases.household.{what}"
    for what in (
        "opened", "joined", "added", "born", "split", "head", "related", "moved", "left", "deceased", "mistake",
        "undone", "closed", "reopened", "assigned", "handed_over",
    )
)  # fmt: skip
OF_PERSONS = (
    "cases.person.edited", "cases.immigrationstatus.added", "cases.immigrationstatus.changed",
    "cases.immigrationstatus.ended",
)  # fmt: skip


# -- following the file -----------------------------------------------------------------------------------------------


def follow_households(entries: list[Entry]) -> None:
    """A household was opened or changed: its plan at once, in the same transaction."""
    keys = dict.fromkeys(entry.object_id for entry in entries)
    founded = [(entry.after or {}).get("founded") for entry in entries]
    keys |= dict.fromkeys(uuid.UUID(str(key)) for key in founded if key)
    _follow(list(keys))


def follow_persons(entries: list[Entry]) -> None:
    """What is known of a person changed: a birth date, a status."""
    persons = [entry.object_id for entry in entries]
    homes = HouseholdMember.objects.filter(person_id__in=persons, until=None).values_list("household_id", flat=True)
    _follow(list(homes))


#: previews listen here: what the deriving of this transaction changes
_listeners: list[list[Counted]] = []


def _follow(households: Sequence[uuid.UUID]) -> None:
    found = Household.objects.filter(pk__in=households)
    counted = derive(found)
    for listener in _listeners:
        listener += counted


@contextmanager
def listening() -> Iterator[list[Counted]]:
    """Collect what happens to plans meanwhile: for what is shown before it is saved."""
    heard: list[Counted] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)


class _Back(Exception):
    """Nothing of it stays."""


def preview(change: Callable[[], Any]) -> list[Counted]:
    """What `change` would do to plans: it is done in a savepoint, and taken back. Its own exceptions come through."""
    with listening() as heard:
        try:
            with transaction.atomic():
                change()
                raise _Back
        except _Back:
            pass
    return heard


# -- steps ------------------------------------------------------------------------------------------------------------


def _locked(step: Step, action: str, by: User, version: int | None) -> Step:
    require(files.may_write(by, step.person_id), f"plans.step.{action}", step)
    now = Step.objects.select_for_update(of=("self",)).select_related("household").get(pk=step.pk)
    if version is not None and now.version != version:
        raise Conflict(now)
    return now


def _save(step: Step, action: str, by: User, **told: Any) -> list[Counted]:
    """The step, what hangs on it, then the event: in the file's own chain."""
    step.version += 1
    step.save()
    counted = derive([step.household])
    for listener in _listeners:
        listener += counted
    record_many([_entry(step, action, **told)], by=by)
    return counted


def _entry(step: Step, action: str, **told: Any) -> Entry:
    about = {"step": step.code, "key": str(step.pk)} | told
    return Entry(f"plans.step.{action}", "cases.household", step.household_id, None, about)


def _text(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST_EVIDENCE:
        raise Refused(_("Shorter, please: 300 characters at most. A note has room for more."))
    return text


@transaction.atomic
def complete(
    step: Step, *, by: User, evidence: str = "", on: dt.date | None = None, version: int | None = None
) -> list[Counted]:
    """The step is done, on a day that is not to come. A second time changes nothing."""
    now = _locked(step, "done", by, version)
    if now.state == State.DONE:
        return []
    if now.state != State.OPEN:
        raise Refused(_("This step is not open."))
    day = on or timezone.localdate()
    if day > timezone.localdate():
        raise Refused(_("A step is not done on a day to come."))
    now.state, now.done_on, now.done_by = State.DONE, day, by
    text = _text(evidence)
    if text:
        Vault([now.person_id]).put(now, evidence=text)
    return _save(now, "done", by, on=day.isoformat())


@transaction.atomic
def complete_many(steps: Iterable[Step], *, by: User, evidence: str = "", on: dt.date | None = None) -> int:
    """Several at once, of several households; those that are open. Returns how many."""
    keys = [step.pk for step in steps]
    found = list(Step.objects.select_for_update(of=("self",)).select_related("household").filter(pk__in=keys))
    mine = set(
        files.granted(by, writes=True)
        .filter(person_id__in={s.person_id for s in found})
        .values_list("person_id", flat=True)
    )
    require(all(step.person_id in mine for step in found), "plans.step.done")
    day, text = on or timezone.localdate(), _text(evidence)
    if day > timezone.localdate():
        raise Refused(_("A step is not done on a day to come."))
    vault = Vault({step.person_id for step in found}) if text else None
    done = [step for step in found if step.state == State.OPEN]
    for step in done:
        step.state, step.done_on, step.done_by, step.version = State.DONE, day, by, step.version + 1
        if vault:
            vault.put(step, evidence=text)
        step.changed_at = timezone.now()
    update_rows(done, ["state", "done_on", "done_by", "version", "evidence", "changed_at"])
    derive({step.household_id: step.household for step in done}.values())
    record_many([_entry(step, "done", on=day.isoformat()) for step in done], by=by)
    return len(done)


@transaction.atomic
def undo(step: Step, *, by: User, version: int | None = None) -> list[Counted]:
    """Not done after all, or it does apply: open again, on the day that the plan counts for it."""
    now = _locked(step, "undone", by, version)
    if now.state not in (State.DONE, State.NOT_APPLICABLE):
        raise Refused(_("There is nothing to take back."))
    now.state, now.done_on, now.done_by = State.OPEN, None, None
    now.evidence = None
    if not now.pinned:
        now.reason = None
    return _save(now, "undone", by)


@transaction.atomic
def not_applicable(step: Step, *, by: User, reason: str, version: int | None = None) -> list[Counted]:
    """It does not apply to them: all that staff can do to a legal deadline (rule 2). The reason is kept."""
    now = _locked(step, "not_applicable", by, version)
    if now.state != State.OPEN:
        raise Refused(_("This step is not open."))
    text = _text(reason)
    if not text:
        raise Refused(_("Say why it does not apply."))
    Vault([now.person_id]).put(now, reason=text)
    now.state, now.pinned = State.NOT_APPLICABLE, False
    return _save(now, "not_applicable", by)


@transaction.atomic
def pin(step: Step, *, by: User, on: dt.date, reason: str, version: int | None = None) -> list[Counted]:
    """Another day for a target, from now on left alone by the plan."""
    now = _locked(step, "pinned", by, version)
    if now.state != State.OPEN:
        raise Refused(_("This step is not open."))
    if now.kind == Kind.LEGAL:
        raise Refused(_("A legal deadline is not moved. If it does not apply to them, say so, with the reason."))
    text = _text(reason)
    if not text:
        raise Refused(_("Say why the day is another one."))
    Vault([now.person_id]).put(now, reason=text)
    now.pinned, now.due_on, now.falls_on = True, on, on
    return _save(now, "pinned", by, on=on.isoformat())


@transaction.atomic
def unpin(step: Step, *, by: User, version: int | None = None) -> list[Counted]:
    """Back to the day that the plan counts."""
    now = _locked(step, "unpinned", by, version)
    now.pinned, now.reason = False, None
    return _save(now, "unpinned", by)


@transaction.atomic
def assign(
    step: Step, *, by: User, user: User | None = None, organization: uuid.UUID | None = None, version: int | None = None
) -> list[Counted]:
    """Who is responsible from now on: an account or an organization; neither: the file's lead worker again."""
    now = _locked(step, "assigned", by, version)
    if user is not None and organization is not None:
        raise Refused(_("One person or one organization, not both."))
    if user is not None and not files.workers(now.household.holder_id).filter(pk=user.pk).exists():
        raise Refused(_("This account does not work on files of this holder."))
    now.assigned = user is not None or organization is not None
    now.responsible_user, now.responsible_org = user, organization
    if not now.assigned:
        now.responsible_user_id = now.household.lead_worker_id
        now.responsible_org = None if now.responsible_user_id else now.household.holder_id
    return _save(now, "assigned", by, account=user.pk if user else None, organization=organization)


# -- the plan ---------------------------------------------------------------------------------------------------------


def _plan_of(household: Household, action: str, by: User) -> Plan:
    require(files.may_write_household(by, household), f"plans.plan.{action}", household)
    found = Plan.objects.select_for_update(of=("self",)).select_related("household").filter(household=household).first()
    if found is None:
        raise Refused(_("This household has no plan yet."))
    return found


def _tell(plan: Plan, action: str, by: Any, **told: Any) -> None:
    entry = Entry(f"plans.plan.{action}", "cases.household", plan.household_id, None, told or None)
    record_many([entry], by=by)


@transaction.atomic
def set_days(household: Household, days: dict[str, dt.date | None], *, by: User) -> list[Counted]:
    """Days from which steps count: arrival_on, lease_on, support_end_on."""
    plan = _plan_of(household, "dated", by)
    changed = sorted(name for name, day in days.items() if getattr(plan, name) != day)
    assert set(changed) <= {"arrival_on", "lease_on", "support_end_on"}
    if not changed:
        return []
    for name in changed:
        setattr(plan, name, days[name])
    plan.save(update_fields=changed)
    counted = derive([plan.household])
    for listener in _listeners:
        listener += counted
    _tell(plan, "dated", by, fields=changed)
    return counted


def arrived(household: Household, on: dt.date | None, *, by: User) -> list[Counted]:
    """The day on which they arrive (or are expected): from it the plan counts."""
    return set_days(household, {"arrival_on": on}, by=by)


@transaction.atomic
def arrived_many(days: Mapping[uuid.UUID, dt.date], *, by: User) -> int:
    """The same for many households (id -> day), in whose files the caller has judged that `by` may write: a list was
    imported. Those without a plan are left out. Returns how many plans changed."""
    found = Plan.objects.select_for_update(of=("self",)).select_related("household").filter(household__in=list(days))
    changed = [plan for plan in found if plan.arrival_on != days[plan.household_id]]
    for plan in changed:
        plan.arrival_on = days[plan.household_id]
    update_rows(changed, ["arrival_on"])
    counted = derive([plan.household for plan in changed])
    for listener in _listeners:
        listener += counted
    told = {"fields": ["arrival_on"]}
    record_many(
        [Entry("plans.plan.dated", "cases.household", plan.household_id, None, told) for plan in changed], by=by
    )
    return len(changed)


@transaction.atomic
def give(household: Household, *, language: str, by: User) -> Plan:
    """The plan was handed to the family: one more version of it, which waits for their yes."""
    plan = _plan_of(household, "given", by)
    plan.given, plan.given_on, plan.given_language, plan.agreed_on = (
        plan.given + 1,
        timezone.localdate(),
        language,
        None,
    )
    plan.save(update_fields=["given", "given_on", "given_language", "agreed_on"])
    _tell(plan, "given", by, number=plan.given, language=language)
    return plan


@transaction.atomic
def agree(household: Household, *, by: User, on: dt.date | None = None) -> Plan:
    """The family agreed to the plan as they were last given it."""
    plan = _plan_of(household, "agreed", by)
    if not plan.given:
        raise Refused(_("Give the plan to the family first."))
    plan.agreed_on = on or timezone.localdate()
    plan.save(update_fields=["agreed_on"])
    _tell(plan, "agreed", by, number=plan.given)
    return plan


@transaction.atomic
def take_version(household: Household, version: ProtocolVersion, *, by: Any) -> list[Counted]:
    """Put a plan on another published version of the protocol (rule 6: offered, and somebody says yes)."""
    plan = _plan_of(household, "version", by)
    if version.state != VersionState.PUBLISHED:
        raise Refused(_("This version of the protocol is not published."))
    plan.protocol = version
    plan.save(update_fields=["protocol"])
    counted = derive([plan.household])
    for listener in _listeners:
        listener += counted
    _tell(plan, "version", by, number=version.number)
    return counted


# -- all plans --------------------------------------------------------------------------------------------------------


def open_households(*, version: ProtocolVersion | None = None, most: int = 0) -> list[uuid.UUID]:
    """Every open file that whoever acts (the installation, in a task) may see; with `most`, so many of those whose plan
    does not stand on `version`, the latest files first."""
    found = Household.objects.filter(state=HouseholdState.OPEN)
    if most:
        found = found.filter(plan__isnull=False).exclude(plan__protocol=version).order_by("-opened_on", "pk")[:most]
    else:
        found = found.order_by("pk")
    return list(found.values_list("pk", flat=True))


def rederive_all(
    *,
    version: ProtocolVersion | None = None,
    most: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int]:
    """Count all open plans anew, lot by lot, each its own transaction; `version`: put them on it first; `most`: only so
    many that do not stand on it yet.

    Stopped in the middle, it can be run again: what is counted already stays as it is.
    """
    with transaction.atomic():
        keys = open_households(version=version, most=most)
    totals = {"households": 0, "changed": 0, "added": 0, "retired": 0, "moved": 0}
    for start in range(0, len(keys), deriving.LOT):
        with transaction.atomic():
            lot = keys[start : start + deriving.LOT]
            if version is not None:
                Plan.objects.filter(household_id__in=lot).exclude(protocol=version).update(protocol=version)
            for one in derive(Household.objects.filter(pk__in=lot).order_by("pk")):
                totals["households"] += 1
                _count(totals, one.difference)
        progress(min(start + deriving.LOT, len(keys)), len(keys))
    return totals


def _count(totals: dict[str, int], difference: Difference) -> None:
    totals["changed"] += bool(difference)
    for name in ("added", "retired", "moved"):
        totals[name] += len(getattr(difference, name))
