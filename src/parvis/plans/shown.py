"""What plans add to the pages of cases: panels of the household, the newcomer's own plan, what a change will do."""

from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from parvis.cases.consequences import Change
from parvis.cases.glance import Glance
from parvis.cases.models import HouseholdMember, Person
from parvis.cases.models.people import HouseholdState
from parvis.cases.queries import Sight
from parvis.cases.wording import Line
from parvis.plans import actions, queries, wording
from parvis.plans.dangers import dangers
from parvis.plans.deriving import Counted
from parvis.plans.queries import Board
from parvis.plans.timeline import timeline

GROUP_NAMES = {
    "late": wording.__("Late"),
    "today": wording.__("Today"),
    "week": wording.__("In the next seven days"),
    "later": wording.__("Later"),
    "waiting": wording.__("Waiting for a day"),
    "done": wording.__("Done, or does not apply"),
}
#: groups that are open on the page; others are one click away
_OPEN = {"late", "today"}


def told(board: Board, *, drawn: bool = True) -> dict[str, Any]:
    """A board as templates show it."""
    today = timezone.localdate()
    return {
        "board": board,
        "plan": board.plan,
        "groups": [
            {"code": code, "name": GROUP_NAMES[code], "rows": rows, "open": code in _OPEN}
            for code, rows in board.groups
        ],
        "timeline": timeline(board.rows, today) if drawn else None,
        "reasons": True,
        "today": today,
    }


def household_panel(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    people = {card.person.pk: card.person for card in seen.cards}
    people |= {row.person_id: row.person for row in seen.former if hasattr(row, "person")}
    board = queries.board(seen.sight, seen.household, people, get_language() or "fr")
    return None if board is None else told(board)


def danger_panel(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    """For who works with them: whom to call now."""
    if not seen.writes or seen.household.state != HouseholdState.OPEN:
        return None
    country = getattr(connection.tenant, "country", "")
    return {"dangers": dangers(country, get_language() or "fr")}


def own_panel(request: HttpRequest, person: Person) -> dict[str, Any] | None:
    """The newcomer's own steps and, as far as they may see them, their family's."""
    home = HouseholdMember.objects.filter(person=person, until=None).select_related("household").first()
    if home is None:
        return None
    sight = Sight(request.user, household=home.household_id)
    people = Person.objects.in_bulk(sight.classes)
    board = queries.board(sight, home.household, people, get_language() or "fr")
    if board is None:
        return None
    board.rows = [row for row in board.rows if row.step.owner_role not in queries.AMONG_US]
    return told(board, drawn=False) | {"own": True}


def consequences(change: Change) -> list[Line]:
    """ "3 steps added, 2 retired, 1 moved", then each with its reason; nothing when no plan changes."""
    heard = actions.preview(change)
    lines = list(lines_of(heard))
    summary = wording.summary(heard)
    return [Line("calendar", wording._("The plan: %(what)s.") % {"what": summary}), *lines] if lines else []


def lines_of(counted: list[Counted]) -> list[Line]:
    language = get_language() or "fr"
    return wording.differences(counted, lambda one: queries.titles_of(one.plan, language))
