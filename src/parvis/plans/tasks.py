"""Slow work on all plans: counting them anew after the protocol, the calendar or the law changed."""

import uuid
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.kit.acting import acting_as_system
from parvis.kit.jobs import alone, enqueue
from parvis.ledger.actions import record
from parvis.plans import actions, rules
from parvis.plans.models import ProtocolVersion, VersionState

DAY = 24 * 3600


def _place() -> str:
    return f"{connection.schema_name}:plans:rederive"


def progress() -> dict[str, Any] | None:
    """How far the last counting has come: done, total, and at its end what changed; None when there was none lately."""
    found: dict[str, Any] | None = cache.get(_place())
    return found


@transaction.atomic
def ask(version: ProtocolVersion | None, *, by: User, most: int = 0) -> None:
    """Have the worker count all open plans anew; `version`: put them on it first; `most`: so many of them, 0: all.
    Raises Denied."""
    require(rules.may_keep_protocol(by), "plans.rederived")
    if version is not None:
        record("plans.version.taken", version, by=by, after={"most": most})
    cache.set(_place(), {"done": 0, "total": 0, "state": "waiting"}, DAY)
    enqueue(rederive, version=str(version.pk) if version else "", most=most)


def rederive(version: str = "", most: int = 0) -> dict[str, int]:
    """The task. One at a time in a city; who comes second goes away. Killed in the middle, it can be run again."""
    with alone(_place()) as mine:
        if not mine:
            return {}
        with acting_as_system():
            wanted = None
            if version:
                wanted = ProtocolVersion.objects.get(pk=uuid.UUID(version), state=VersionState.PUBLISHED)
            totals = actions.rederive_all(version=wanted, most=most if wanted else 0, progress=_tell)
        cache.set(
            _place(), {"state": "done", "done": totals["households"], "total": totals["households"]} | totals, DAY
        )
    return totals


def _tell(done: int, total: int) -> None:
    cache.set(_place(), {"state": "running", "done": done, "total": total}, DAY)
