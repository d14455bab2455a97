"""Reading messages. First argument: the viewer, who sees a message only where they may see what it tells."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, ExpressionWrapper, F, IntegerField, OuterRef, Q, QuerySet
from django.http import Http404

from parvis.cases import queries
from parvis.cases.models import HouseholdMember, Person
from parvis.cases.models.people import HouseholdState, Relation
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit import outbox
from parvis.kit.models import Delivery, OutboxPeer
from parvis.kit.sealing import Unreadable
from parvis.messaging import rules
from parvis.messaging.models import Message, OptOut

#: the tabs of the list of messages: deliveries that belong together
LISTS: dict[str, tuple[str, ...]] = {
    "trouble": (Delivery.UNKNOWN, Delivery.FAILED, Delivery.REFUSED),
    "waiting": (Delivery.WAITING, Delivery.SENDING),
    "sent": (Delivery.SENT,),
    "cancelled": (Delivery.CANCELLED,),
}


@dataclass(frozen=True)
class Told:
    """A message with its texts opened; `readable`: its text is still kept."""

    message: Message
    subject: str
    text: str

    @property
    def readable(self) -> bool:
        return self.message.text is not None


def visible(viewer: Any) -> QuerySet[Message]:
    """Every message that the viewer may see: of persons and classes that are theirs."""
    held = queries.granted(viewer).filter(person_id=OuterRef("person_id"))
    shared = ExpressionWrapper(F("classes").bitand(OuterRef("row_class")), output_field=IntegerField())
    for_class = held.alias(hit=shared).filter(hit__gt=0)
    return Message.objects.filter(Exists(for_class))


def page(viewer: Any, which: str, *, offset: int = 0, size: int = 50) -> list[Message]:
    """A page of one list, the newest first; what waits, the next first."""
    order = "next_attempt_at" if which == "waiting" else "-created_at"
    found = visible(viewer).filter(delivery__in=LISTS[which]).select_related("person")
    return list(found.order_by(order, "pk")[offset : offset + size])


def counts(viewer: Any) -> dict[str, int]:
    """How many messages each list holds."""
    by_delivery = dict(visible(viewer).values_list("delivery").annotate(number=Count("pk")).order_by())
    return {name: sum(by_delivery.get(each, 0) for each in within) for name, within in LISTS.items()}


def one(viewer: Any, pk: uuid.UUID) -> Told:
    """One message, or 404: the same for "not there" and "not yours"."""
    found = visible(viewer).filter(pk=pk).select_related("person", "contact", "written_by").first()
    if found is None:
        raise Http404
    return told([found])[0]


def of_person(viewer: Any, person: uuid.UUID, *, limit: int = 100) -> list[Told]:
    """The messages to a person, newest first."""
    found = queries.rows(viewer, Message, [person]).select_related("written_by").order_by("-created_at")
    return told(list(found[:limit]))


def told(found: list[Message]) -> list[Told]:
    vault = Vault({message.person_id for message in found})
    return [Told(each, _opened(vault, each, "subject"), _opened(vault, each, "text")) for each in found]


def _opened(vault: Vault, message: Message, column: str) -> str:
    try:
        return vault.open(message, column)
    except Unreadable:
        return ""


def opt_outs(viewer: Any, person: uuid.UUID) -> list[OptOut]:
    """By which channels a person wants nothing."""
    return list(queries.rows(viewer, OptOut, [person]).filter(until=None).order_by("channel"))


def failing(viewer: Any) -> list[OutboxPeer]:
    """Servers that take nothing at present: for everybody at the office."""
    return outbox.failing() if rules.is_office(viewer) else []


def writable(viewer: Any, persons: list[uuid.UUID]) -> list[Person]:
    """Those of these persons in whose file the viewer may write, by name."""
    held = queries.granted(viewer, DataClass.CONTACT, writes=True).filter(person_id__in=persons)
    return list(Person.objects.filter(pk__in=set(held.values_list("person_id", flat=True))).order_by("name"))


def caseload(viewer: Any, *, language: str = "", most: int) -> list[Person]:
    """The heads of the open households whose lead or backup the viewer is, of one language (its tag's beginning) or
    all, by name."""
    answers = Q(household__lead_worker=viewer) | Q(household__backup_worker=viewer)
    heads = HouseholdMember.objects.filter(
        answers, relation=Relation.HEAD, until=None, household__state=HouseholdState.OPEN
    )
    found = writable(viewer, list(heads.values_list("person_id", flat=True)))
    return [each for each in found if not language or base(each.language) == language][:most]


def with_home(viewer: Any, person: Person) -> list[Person]:
    """A person, and who lives with them, as far as the viewer may write in their files."""
    homes = HouseholdMember.objects.filter(person=person, until=None).values_list("household_id", flat=True)
    living = HouseholdMember.objects.filter(household__in=list(homes), until=None).values_list("person_id", flat=True)
    found = writable(viewer, [*living, person.pk])
    return sorted(found, key=lambda each: each.pk != person.pk)


def base(tag: str) -> str:
    return tag.split("-")[0].lower()
