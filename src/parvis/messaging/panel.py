"""The last messages of a household, on its page."""

from typing import Any

from django.http import HttpRequest

from parvis.cases.glance import Glance
from parvis.kit.models import Delivery
from parvis.messaging.models import Message
from parvis.messaging.templates import name_of

SHOWN = 3


def load(request: HttpRequest, seen: Glance) -> dict[str, Any] | None:
    """One question. Only for who keeps the file: others don't write in the office's name."""
    if not seen.writes or not seen.cards:
        return None
    last = f"created_at DESC LIMIT {SHOWN}"
    found = seen.sight.read(Message, "delivery <> %s", last, [Delivery.CANCELLED.value])
    return {
        "lines": [{"message": each, "what": name_of(each.template)} for each in found],
        "person": seen.cards[0].person,
    }
