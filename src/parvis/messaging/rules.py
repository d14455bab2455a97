"""Who may write to whom, by which way, and when."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from parvis.accounts.models import Role, User
from parvis.accounts.rules import office_role
from parvis.cases.models import ContactPoint, Person
from parvis.cases.models.people import PersonState
from parvis.messaging.hours import Window, windows
from parvis.messaging.models import Channel, Manners, Message, OptOut

#: which contacts a channel goes to. A text message goes to a number that is kept for text messages, never to one
#: that is only said to be a telephone: it may stand in somebody else's kitchen
SYSTEMS = {ContactPoint.System.EMAIL: Channel.EMAIL, ContactPoint.System.SMS: Channel.SMS}

Reason = Message.Reason


def may_set_manners(viewer: Any) -> bool:
    """Quiet hours are the office's: its administrators'."""
    return office_role(viewer) == Role.ADMINISTRATOR


def is_office(viewer: Any) -> bool:
    return isinstance(viewer, User) and office_role(viewer) != ""


def manners() -> Manners:
    """How this city writes: its row, or what is usual."""
    return Manners.objects.first() or Manners()


def quiet() -> Window:
    found = manners()
    return found.quiet_from, found.quiet_until


def zone() -> ZoneInfo:
    """The city's."""
    return ZoneInfo(getattr(connection.tenant, "timezone", "") or "UTC")


def opted_out(persons: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Person -> channels by which they want nothing."""
    found: dict[uuid.UUID, set[str]] = {}
    for person, channel in OptOut.objects.filter(person__in=list(persons), until=None).values_list(
        "person_id", "channel"
    ):
        found.setdefault(person, set()).add(channel)
    return found


@dataclass(frozen=True)
class Way:
    """How a message goes to a person, or why it does not."""

    contact: ContactPoint | None
    channel: str
    reason: str = Reason.NONE
    safe: Sequence[Window] = ()


def way(
    person: Person, contacts: Iterable[ContactPoint], wants_none: set[str], *, channel: str | None = None,
    at_chosen_time: bool = False,
) -> Way:  # fmt: skip
    """The way to write to a person: the preferred contact that is safe, or the reason that is nearest to none.

    contacts: theirs. wants_none: channels of their opt-outs. at_chosen_time: somebody read the safe times.
    """
    if person.state != PersonState.PRESENT:
        return Way(None, channel or "", Reason.NOT_HERE)
    there = [
        each
        for each in contacts
        if SYSTEMS.get(each.system) in ([channel] if channel else list(Channel)) and not has_ended(each)
    ]
    there.sort(key=lambda each: (not each.preferred, each.created_at))
    ways = [_judged(each, wants_none, at_chosen_time) for each in there]
    order = [Reason.NONE, Reason.SAFE_TIMES, Reason.NOT_SAFE, Reason.OPTED_OUT]
    return min(ways, key=lambda one: order.index(one.reason), default=Way(None, channel or "", Reason.NO_CONTACT))


def _judged(contact: ContactPoint, wants_none: set[str], at_chosen_time: bool) -> Way:
    channel = SYSTEMS[contact.system]
    if channel in wants_none:
        return Way(contact, channel, Reason.OPTED_OUT)
    if not (contact.safe_to_call and contact.safe_to_leave_message):
        return Way(contact, channel, Reason.NOT_SAFE)
    safe = windows(contact.safe_times) if contact.safe_times.strip() and not at_chosen_time else []
    return Way(contact, channel, Reason.SAFE_TIMES) if safe is None else Way(contact, channel, safe=safe)


def has_ended(contact: ContactPoint) -> bool:
    return contact.ended_on is not None and contact.ended_on <= timezone.localdate()
