"""Steps of several households at once: those that the viewer may see, and what is done to the chosen ones."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction

from parvis.accounts.models import User
from parvis.cases import queries
from parvis.cases.models import HouseholdMember
from parvis.cases.models.people import Relation
from parvis.plans import actions
from parvis.plans.models import Step

MOST_AT_ONCE = 200


def visible(viewer: User, keys: Iterable[uuid.UUID]) -> list[Step]:
    """These steps, as far as the viewer may see each; others are left out without a word."""
    asked = list(keys)[:MOST_AT_ONCE]
    persons = set(Step.objects.filter(pk__in=asked).values_list("person_id", flat=True))
    found = queries.rows(viewer, Step, persons).filter(pk__in=asked)
    return list(found.select_related("household", "done_by"))


def heads(steps: Iterable[Step]) -> list[uuid.UUID]:
    """The heads of these steps' households, each once."""
    homes = {step.household_id for step in steps}
    found = HouseholdMember.objects.filter(household__in=homes, until=None, relation=Relation.HEAD)
    return sorted(found.values_list("person_id", flat=True))


@transaction.atomic
def complete(steps: list[Step], *, by: User, evidence: str = "") -> int:
    """Raises Denied, Refused."""
    if len(steps) == 1:
        actions.complete(steps[0], by=by, evidence=evidence)
        return 1
    return actions.complete_many(steps, by=by, evidence=evidence)


@transaction.atomic
def undo(steps: list[Step], *, by: User) -> int:
    """Open again. Raises Denied, Refused."""
    for step in _in_order(steps):
        actions.undo(step, by=by)
    return len(steps)


@transaction.atomic
def move(steps: list[Step], day: dt.date, reason: str, *, by: User) -> int:
    """Another day for all of them, or for none: a legal one among them refuses. Raises Denied, Refused."""
    for step in _in_order(steps):
        actions.pin(step, by=by, on=day, reason=reason)
    return len(steps)


@transaction.atomic
def assign(steps: list[Step], user: User, *, by: User) -> int:
    """Raises Denied, Refused."""
    for step in _in_order(steps):
        actions.assign(step, by=by, user=user)
    return len(steps)


def _in_order(steps: list[Step]) -> list[Step]:
    """Two who act on the same steps wait for each other, never in a circle."""
    return sorted(steps, key=lambda step: (step.household_id, step.pk))
