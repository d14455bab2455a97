"""Plans of the demo's households: most of what is due is done, some is late, as in an office that is alive."""

import datetime as dt
from random import Random

from django.utils import timezone

from parvis.cases.models import Household
from parvis.cases.models.people import HouseholdState
from parvis.kit.writing import update_rows
from parvis.plans.deriving import derive
from parvis.plans.models import Plan, State, Step

#: a large demo has plans for its newest files; `parvis plans rederive` makes all
MANY = 400
#: households of which nobody is late; of the others some steps are
IN_ORDER = 0.7
#: nothing is late by more days than this: in an office that is alive somebody has looked
LONGEST_LATE = 60


def load_plans(*, seed: int = 1) -> int:
    """Make the plans of the active city; returns how many. Nothing when there are some already.

    Inside the transaction in which the tables about people are unlocked (`demo.people`), or as who may see them.
    """
    if Plan.objects.exists():
        return 0
    homes = list(Household.objects.filter(state=HouseholdState.OPEN).order_by("-opened_on", "pk")[:MANY])
    made = derive(homes)
    draw = Random(f"{seed}/plans")  # noqa: S311 - a demo holds no secret
    today = timezone.localdate()
    late = {home.pk: draw.random() > IN_ORDER for home in homes}
    done = []
    due = Step.objects.filter(state=State.OPEN, due_on__lte=today, household__in=homes).select_related("household")
    for step in due.order_by("household_id", "due_on", "code", "person_id"):
        assert step.due_on is not None
        behind = (today - step.due_on).days
        open_still = late[step.household_id] and behind <= LONGEST_LATE and draw.random() < 0.12
        if (behind < 10 and draw.random() < 0.35) or open_still:
            continue
        step.state, step.done_on = State.DONE, step.due_on - dt.timedelta(days=draw.randrange(3))
        step.done_by_id = step.household.lead_worker_id
        done.append(step)
    update_rows(done, ["state", "done_on", "done_by"])
    derive(homes)
    given = [one.plan for one in made if draw.random() < 0.6]
    for plan in given:
        plan.given, plan.given_on, plan.given_language = 1, plan.first_contact_on + dt.timedelta(days=8), "ar"
        plan.given_on = min(plan.given_on, today)
        plan.agreed_on = plan.given_on
    update_rows(given, ["given", "given_on", "given_language", "agreed_on"])
    return len(made)
