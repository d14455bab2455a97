"""What a viewer sees of plans. Every reading starts from what they may see of the persons (`cases.queries.Sight`)."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from parvis.accounts.models import User
from parvis.cases.models import Agreement, Household, HouseholdMember, Person
from parvis.cases.models.base import OFFICE
from parvis.cases.queries import Sight
from parvis.cases.vault import Vault
from parvis.core.protocol import Owner
from parvis.kit.sealing import Unreadable
from parvis.orgs.models import Organization
from parvis.plans import versions
from parvis.plans.models import Kind, Plan, Scope, State, Step

#: groups of a plan, in the order in which they are shown
GROUPS = ("late", "today", "week", "later", "waiting", "done")
#: what the office does among itself: not on the family's paper
AMONG_US = {Owner.INTAKE.value, Owner.MATCHING.value}


@dataclass
class Row:
    """A step as it is shown."""

    step: Step
    title: str
    group: str
    person: Person | None
    responsible: str
    writes: bool
    late: int = 0  # days

    @property
    def legal(self) -> bool:
        return self.step.kind == Kind.LEGAL


@dataclass
class Board:
    """A household's plan as one viewer sees it; `plan` is None for who sees steps alone."""

    household: Household
    plan: Plan | None
    rows: list[Row] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        return [(name, found) for name in GROUPS if (found := [row for row in self.rows if row.group == name])]

    @property
    def open(self) -> list[Row]:
        return [row for row in self.rows if row.group != "done"]

    @property
    def done(self) -> int:
        return sum(row.step.state == State.DONE for row in self.rows)

    @property
    def late(self) -> list[Row]:
        return [row for row in self.rows if row.group == "late"]

    def count(self, name: str) -> int:
        return sum(row.group == name for row in self.rows)


def group_of(step: Step, today: dt.date) -> str:
    if step.state != State.OPEN:
        return "done"
    if step.due_on is None:
        return "waiting"
    if step.due_on < today:
        return "late"
    if step.due_on == today:
        return "today"
    return "week" if step.due_on <= today + dt.timedelta(days=7) else "later"


def board(sight: Sight, household: Household, people: dict[uuid.UUID, Person], language: str) -> Board | None:
    """The plan of a household, or None when this viewer sees no step of it. Three questions, whatever its length;
    one more when an organization is responsible for something."""
    mine = "household_id = %s AND state <> %s"
    by_day = "due_on ASC NULLS LAST, code, created_at"
    steps = sight.read(Step, mine, by_day, [household.pk, State.RETIRED.value])
    plan = next(iter(sight.read(Plan, "household_id = %s", "id LIMIT 1", [household.pk])), None)
    if not steps:
        return None
    today = timezone.localdate()
    names = responsible_names(steps)
    titles = titles_of(plan, language)
    return Board(household, plan, [_row(step, sight, people, names, titles, today) for step in steps])


def _row(
    step: Step, sight: Sight, people: dict[uuid.UUID, Person], names: dict[uuid.UUID, str], titles: Any, today: dt.date
) -> Row:
    person = people.get(step.person_id) if step.scope != Scope.HOUSEHOLD else None
    group = group_of(step, today)
    late = (today - step.due_on).days if group == "late" and step.due_on else 0
    who = names.get(step.responsible_user_id or step.responsible_org or OFFICE, "")
    return Row(step, titles(step.code), group, person, who, step.person_id in sight.writes, late)


def responsible_names(steps: Iterable[Step]) -> dict[uuid.UUID, str]:
    """Accounts and organizations by id."""
    found = list(steps)
    users = {step.responsible_user_id for step in found if step.responsible_user_id}
    organizations = {step.responsible_org for step in found if step.responsible_org} - {OFFICE}
    names: dict[uuid.UUID, str] = {}
    if users:
        names |= {user.pk: str(user) for user in User.objects.filter(pk__in=users)}
    if organizations:
        names |= dict(Organization.objects.filter(pk__in=organizations).values_list("pk", "name"))
    return names


def titles_of(plan: Plan | None, language: str) -> Any:
    """A function from a step's code to its title. Who does not see the plan itself reads the present protocol's."""
    pk = plan.protocol_id if plan is not None else versions.current().pk
    known = versions.of(pk).by_code

    def title(code: str) -> str:
        return versions.title(known.get(code), language, code)

    return title


def own_home(person: Person | None) -> Household:
    """The household where somebody lives now; 404 when there is none, or nobody asked."""
    home = HouseholdMember.objects.filter(person=person, until=None).select_related("household").first()
    if person is None or home is None:
        raise Http404
    return home.household


def persons(sight: Sight) -> dict[uuid.UUID, Person]:
    """Those of whom a viewer sees anything here, by id."""
    return Person.objects.in_bulk(sight.classes)


def partners() -> QuerySet[Organization]:
    """The organizations with an agreement that holds, by name: who may answer for a step."""
    agreed = Agreement.objects.filter(ended_on=None).values("organization_id")
    return Organization.objects.filter(pk__in=agreed).order_by("name")


def step(viewer: Any, pk: uuid.UUID) -> tuple[Step, Sight]:
    """One step, or 404: the same for "not there" and "not yours"."""
    found = Step.objects.filter(pk=pk).select_related("household", "person", "done_by").first()
    if found is None:
        raise Http404
    sight = Sight(viewer, [found.person_id])
    if not sight.rows(Step).filter(pk=pk).exists():
        raise Http404
    return found, sight


def steps(viewer: Any, keys: Iterable[uuid.UUID]) -> list[Step]:
    """These steps, of people whose file the viewer keeps. Others are left out without a word."""
    found = list(Step.objects.filter(pk__in=list(keys)).select_related("household"))
    sight = Sight(viewer, {each.person_id for each in found})
    seen = set(sight.rows(Step).filter(pk__in=[each.pk for each in found]).values_list("pk", flat=True))
    return [each for each in found if each.pk in seen and each.person_id in sight.writes]


def plan_of(viewer: Any, household: Household) -> Plan | None:
    """The plan itself, for who may see it."""
    sight = Sight(viewer, household=household.pk)
    return sight.rows(Plan).filter(household=household).first()


def opened(step: Step, column: str) -> str:
    """What was written on a step, "" where it can't be read (any more)."""
    try:
        return Vault([step.person_id]).open(step, column)
    except Unreadable:
        return ""
