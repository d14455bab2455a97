"""The office's protocol: one draft at a time, its faults, publishing, rolling back; what it would do to open plans.

What is published is never changed (`plans.policies`): to roll back is to publish an earlier state again.
Raises Denied for who may not, Refused (as a person reads it) for what can't be, Conflict when two write at once.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.models import Household
from parvis.core import protocol as core
from parvis.kit.acting import acting_as_system
from parvis.kit.jobs import alone, enqueue
from parvis.ledger.actions import record
from parvis.plans import actions, deriving, rules, versions
from parvis.plans.models import Plan, ProtocolVersion, VersionState

LONGEST_FILE = 2_000_000  # bytes
MOST_EXAMPLES = 12  # of what a draft changes
DAY = 24 * 3600  # seconds
Data = dict[str, Any]


def draft() -> ProtocolVersion | None:
    return ProtocolVersion.objects.filter(state=VersionState.DRAFT).first()


def shown() -> ProtocolVersion:
    """What the pages show: the draft if there is one, else what is published."""
    found = draft()
    return found or ProtocolVersion.objects.get(pk=versions.current().pk)


def history() -> list[ProtocolVersion]:
    """Every version, the newest first, without its steps."""
    return list(ProtocolVersion.objects.defer("data").select_related("published_by").order_by("-number"))


def row_of(data: Mapping[str, Any], code: str) -> Data | None:
    return next((row for row in data.get("steps", ()) if row.get("code") == code), None)


# -- the draft --------------------------------------------------------------------------------------------------------


def _write(by: User, edits: int | None, change: Mapping[str, Any], code: str, **told: Any) -> ProtocolVersion:
    """Put `change` (fields of the version) into the draft, making one if there is none. `edits`: what the writer saw;
    None: whatever there is. In the caller's transaction."""
    require(rules.may_keep_protocol(by), "plans.protocol.changed")
    found = ProtocolVersion.objects.select_for_update().filter(state=VersionState.DRAFT).first()
    if found is None:
        present = ProtocolVersion.objects.get(pk=versions.current().pk)  # a new city's first is made here
        last = ProtocolVersion.objects.order_by("-number").values_list("number", flat=True)[0]
        found = ProtocolVersion(number=last + 1, data=present.data)
        if edits:
            raise Conflict(present)
    elif edits is not None and found.edits != edits:
        raise Conflict(found)
    else:
        found.edits += 1
    for name, value in change.items():
        setattr(found, name, value(found.data) if callable(value) else value)
    found.save()
    record(f"plans.protocol.{code}", found, by=by, after={"number": found.number, **told})
    return found


@transaction.atomic
def save_step(row: Data, *, by: User, code: str = "", edits: int | None = None) -> ProtocolVersion:
    """Write one step of the draft: in the place of `code`, or ("") as a new one. It may have faults."""

    def put(data: Data) -> Data:
        steps = [dict(each) for each in data["steps"]]
        codes = [each.get("code") for each in steps]
        if row["code"] in codes and row["code"] != code:
            raise Refused(_("There is another step with this code."))
        if code in codes:
            steps[codes.index(code)] = row
        else:
            steps.append(row)
        return {**data, "steps": steps}

    return _write(by, edits, {"data": put}, "step_changed", step=row["code"])


@transaction.atomic
def drop_step(code: str, *, by: User, edits: int | None = None) -> ProtocolVersion:
    def without(data: Data) -> Data:
        return {**data, "steps": [row for row in data["steps"] if row.get("code") != code]}

    return _write(by, edits, {"data": without}, "step_dropped", step=code)


@transaction.atomic
def take_file(text: str, *, by: User, edits: int | None = None) -> ProtocolVersion:
    """Put a city's TOML file into the draft. Raises Refused when it is no such file or has a fault."""
    try:
        data = core.as_json(core.parse(text))
        faults = core.faults(data)
    except core.BadProtocol as bad:
        faults, data = bad.faults, {}
    except ValueError as error:
        raise Refused(_("This is not a TOML file: %(why)s") % {"why": str(error)[:200]}) from None
    if faults:
        told = "; ".join(str(fault) for fault in faults[:5])
        raise Refused(_("The file has faults: %(faults)s") % {"faults": told})
    return _write(by, edits, {"data": data}, "imported")


@transaction.atomic
def discard(*, by: User) -> None:
    """Throw the draft away."""
    require(rules.may_keep_protocol(by), "plans.protocol.discarded")
    found = ProtocolVersion.objects.select_for_update().filter(state=VersionState.DRAFT).first()
    if found is not None:
        record("plans.protocol.discarded", found, by=by, before={"number": found.number})
        found.delete()


# -- publishing -------------------------------------------------------------------------------------------------------


@transaction.atomic
def publish(*, by: User, note: str, edits: int | None = None) -> ProtocolVersion:
    """New plans stand on the draft from now on; open ones keep theirs until it is offered to them (rule 6).

    Raises Refused when it breaks a rule: the faults are beside the steps.
    """
    if draft() is None:
        raise Refused(_("There is no draft."))
    change = {"note": note[:2000], "state": VersionState.PUBLISHED, "published_at": timezone.now(), "published_by": by}
    found = _write(by, edits, change, "published")
    if core.faults(found.data):
        raise Refused(_("The draft has faults. They stand beside its steps; nothing was published."))
    return found


@transaction.atomic
def roll_back(pk: uuid.UUID, *, by: User) -> ProtocolVersion:
    """Publish an earlier version again, as the newest."""
    require(rules.may_keep_protocol(by), "plans.protocol.rolled_back")
    earlier = ProtocolVersion.objects.exclude(state=VersionState.DRAFT).get(pk=pk)
    if draft() is not None:
        raise Refused(_("There is a draft: publish it or throw it away first."))
    note = _("As version %(number)s") % {"number": earlier.number}
    last = ProtocolVersion.objects.order_by("-number").values_list("number", flat=True)[0]
    found = ProtocolVersion.objects.create(
        number=last + 1, state=VersionState.PUBLISHED, data=earlier.data, note=note, published_at=timezone.now(),
        published_by=by,
    )  # fmt: skip
    record("plans.protocol.rolled_back", found, by=by, after={"number": found.number, "as": earlier.number})
    return found


# -- what it would do to open plans -----------------------------------------------------------------------------------


class _Back(Exception):
    """Takes a savepoint back."""


def _place() -> str:
    return f"{connection.schema_name}:plans:effect"


def effect() -> Data | None:
    """How far the last look has come, and at its end its numbers and examples: steps and days, no person."""
    found: Data | None = cache.get(_place())
    return found


@transaction.atomic
def ask_effect(*, by: User, most: int = 0) -> None:
    """Have the worker see what the draft (or what is published last) would do to open plans, or to `most` of them.
    Raises Denied, Refused."""
    require(rules.may_keep_protocol(by), "plans.protocol.effect")
    version = shown()
    if core.faults(version.data):
        raise Refused(_("The draft has faults. They stand beside its steps; nothing was published."))
    cache.set(_place(), {"state": "waiting", "done": 0, "total": 0, "number": version.number, "most": most}, DAY)
    enqueue(measure, version=str(version.pk), most=most)


def offered(*, by: User) -> tuple[ProtocolVersion, int]:
    """The published version, and how many plans may be put on it: those of which the effect was last seen (0: all).

    Raises Denied, Refused when nobody has looked at the effect since it was published.
    """
    require(rules.may_keep_protocol(by), "plans.version.taken")
    version, seen = shown(), effect()
    if version.state != VersionState.PUBLISHED:
        raise Refused(_("This version of the protocol is not published."))
    if not seen or (seen.get("number"), seen.get("edits"), seen.get("state")) != (
        version.number, version.edits, "done"
    ):  # fmt: skip
        raise Refused(_("See first what it does to open plans."))
    return version, seen.get("most", 0)


def measure(version: str, most: int = 0) -> Data:
    """The task: put the open plans on the version, count what changes, and take it all back, lot by lot."""
    with alone(_place()) as mine:
        if not mine:
            return {}
        with acting_as_system():
            wanted = ProtocolVersion.objects.get(pk=uuid.UUID(version))
            told: Data = {
                "number": wanted.number,
                "edits": wanted.edits,
                "households": 0,
                "changed": 0,
                "examples": [],
                "most": most,
            }
            told |= {"added": 0, "retired": 0, "moved": 0}
            with transaction.atomic():  # the context of who acts lives in a transaction
                keys = actions.open_households(version=wanted, most=most)
            for start in range(0, len(keys), deriving.LOT):
                cache.set(_place(), {**told, "state": "running", "done": start, "total": len(keys)}, DAY)
                _measure_lot(wanted, keys[start : start + deriving.LOT], told)
        found = {**told, "state": "done", "done": len(keys), "total": len(keys)}
        cache.set(_place(), found, DAY)
    return found


def _measure_lot(wanted: ProtocolVersion, keys: list[uuid.UUID], told: Data) -> None:
    try:
        with transaction.atomic():
            # a row of its own: what processes keep of it by its key is never met again
            trial = ProtocolVersion.objects.create(
                number=2_000_000_000, state=VersionState.PUBLISHED, data=wanted.data, published_at=timezone.now()
            )
            Plan.objects.filter(household_id__in=keys).update(protocol=trial)
            for one in deriving.derive(Household.objects.filter(pk__in=keys)):
                _count(one.difference, told)
            raise _Back
    except _Back:
        pass


def _count(difference: Any, told: Data) -> None:
    told["households"] += 1
    told["changed"] += bool(difference)
    for name in ("added", "retired", "moved"):
        changes = getattr(difference, name)
        told[name] += len(changes)
        for change in changes:
            if len(told["examples"]) < MOST_EXAMPLES and not any(
                each["step"] == change.step and each["what"] == name for each in told["examples"]
            ):
                days = {"before": change.before, "after": change.after}
                dated = {key: day.isoformat() if day else "" for key, day in days.items()}
                told["examples"].append({"what": name, "step": change.step, **dated})
