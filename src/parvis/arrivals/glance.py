"""What the household page shows of an arrival: when and where, met or not, a short file, surge mode."""

from typing import Any

from django.http import HttpRequest

from parvis.arrivals import queries
from parvis.cases.glance import Glance
from parvis.cases.models.people import HouseholdState
from parvis.core.access import DataClass


def load(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    """Three questions, whatever the household; None when there is nothing to say."""
    seen_of = seen.sight.who(DataClass.HOUSEHOLD)
    arrival = queries.of_household(seen.household.pk, seen_of)
    intake = queries.unfinished(seen.household.pk, seen_of)
    surge = queries.surge()
    announces = arrival is None and seen.writes and seen.household.state == HouseholdState.OPEN
    if arrival is None and intake is None and surge is None and not announces:
        return None
    return {
        "arrival": arrival,
        "intake": intake,
        "surge": surge,
        "announces": announces,
        "writes": seen.writes,
        "household": seen.household,
    }
