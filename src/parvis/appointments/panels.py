"""What the pages of the people's files show of appointments."""

from typing import Any

from django.http import HttpRequest

from parvis.appointments import queries
from parvis.cases.glance import Glance
from parvis.cases.models import Person


def household(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    """The next appointment of a household: one question, two more when it is about a step."""
    found = queries.next_of(request.user, seen.sight, seen.household)
    if found is None and not seen.writes:
        return None
    line = queries.with_step(request.user, queries.Shown(found), seen.sight) if found else None
    booking = getattr(found, "interpreting", None)
    waits = booking is not None and booking.state in queries.TO_BOOK
    return {
        "line": line,
        "next": found,
        "waits": waits,
        "booking": booking,
        "household": seen.household,
        "writes": seen.writes,
    }


def own(request: HttpRequest, person: Person) -> dict[str, Any] | None:
    """A newcomer's own next appointments."""
    found = queries.own(request.user, person)
    return {"lines": found} if found else None
