"""What the pages of people's files show of referrals."""

from typing import Any

from django.http import HttpRequest

from parvis.cases.glance import Glance
from parvis.cases.models import Person
from parvis.referrals import queries
from parvis.referrals.models import State
from parvis.referrals.wording import TONES


def household(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    """A household's referrals: for who keeps the file."""
    if not seen.writes:
        return None
    people = {card.person.pk: card.person for card in seen.cards}
    found = queries.of_household(seen.sight, seen.household, people, most=8)
    cards = [card for card in seen.cards if card.person.pk in seen.sight.writes]
    return {
        "lines": [(line, TONES.get(line.referral.state, "")) for line in found],
        "unmet": queries.unmet(seen.sight, seen.household, people),
        "person": cards[0].person if cards else None,
    }


def own(request: HttpRequest, person: Person) -> dict[str, Any] | None:
    """A newcomer's own referrals, and the question whether they helped."""
    found = queries.of_person(request.user, person)
    asked = {State.SERVED, State.PARTLY_SERVED, State.NOT_SERVED}
    return {"lines": [(row, row.state in asked) for row in found]} if found else None
