"""Reading referrals. First argument: the viewer. Every query asks the projection itself, policies or not."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.http import Http404
from django.utils import timezone

from parvis.appointments import queries as appointments
from parvis.cases import queries as cases
from parvis.cases.models import Household, Person
from parvis.cases.models.access import Basis
from parvis.cases.rules import Holder
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.core.referral import ACTIVE, ASKED, TRANSITIONS, Overdue, Party, WorkingTime, path
from parvis.core.referral import State as Code
from parvis.directory.models import Service
from parvis.kit.sealing import Unreadable
from parvis.orgs.models import Organization
from parvis.orgs.rules import partner_roles
from parvis.referrals.models import Referral, ReferralChange, ServiceIntake, State, UnmetNeed

#: how an inbox is looked at
SHOWS = ("waiting", "going", "over")
#: what can be said, the usual first
OFFERED = (
    Code.ACCEPTED, Code.STARTED, Code.SERVED, Code.WAITLISTED, Code.NEEDS_INFO, Code.SEEN, Code.PARTLY_SERVED,
    Code.NOT_SERVED, Code.CONFIRMED, Code.DISPUTED, Code.SENT, Code.DECLINED, Code.REROUTED, Code.WITHDRAWN,
    Code.MISTAKE,
)  # fmt: skip
WAITING = [each.value for each in (*ASKED, Code.WAITLISTED)]
GOING = [Code.ACCEPTED.value, Code.STARTED.value]
OPEN = [each.value for each in ACTIVE]


def _held(viewer: Any, *, writes: bool = False) -> QuerySet[Any]:
    """Access to the person of a row, for the class of that row."""
    return (
        cases.granted(viewer, writes=writes)
        .filter(person_id=OuterRef("person_id"))
        .alias(shown=CombinedExpression(F("classes"), "&", OuterRef("row_class"), output_field=IntegerField()))
        .filter(shown__gt=0)
    )


def received(viewer: Any) -> QuerySet[Referral]:
    """Those that the viewer's organizations were sent."""
    found = Referral.objects.filter(organization_id__in=list(partner_roles(viewer))).exclude(state=State.DRAFT)
    return found.exclude(person_id__in=cases.denied(viewer))


def sent(viewer: Any) -> QuerySet[Referral]:
    """Those of people whose file the viewer keeps."""
    return Referral.objects.filter(Exists(_held(viewer, writes=True)))


def visible(viewer: Any) -> QuerySet[Referral]:
    """Referrals that this viewer may see: by the person, or because their organization was asked."""
    received_ones = Q(organization_id__in=list(partner_roles(viewer))) & ~Q(state=State.DRAFT)
    found = Referral.objects.filter(Exists(_held(viewer)) | received_ones)
    return found.exclude(person_id__in=cases.denied(viewer))


def one(viewer: Any, pk: uuid.UUID) -> Referral:
    """One referral; 404: the same for "not there" and "not yours"."""
    found = visible(viewer).select_related("service", "organization", "household").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def by_link(holder: Holder) -> Referral:
    """The one that a link opens to who holds it. Raises Referral.DoesNotExist."""
    return Referral.objects.select_related("service", "organization").get(pk=holder.grant)


def parties(viewer: Any, found: Referral) -> set[Party]:
    """On whose behalf the viewer may speak."""
    told = set()
    if found.organization_id in partner_roles(viewer) or (isinstance(viewer, Holder) and viewer.grant == found.pk):
        told.add(Party.RECIPIENT)
    held = cases.granted(viewer).filter(person_id=found.person_id)
    if held.filter(writes=True).exists():
        told.add(Party.SENDER)
    if held.filter(basis=Basis.SELF).exists():
        told.add(Party.PERSON)
    return told


def ways_on(found: Referral, party: Party) -> list[State]:
    """The states that may follow on the word of a party, in the order in which they are offered."""
    before = Code(found.state)
    reachable = [after for after in OFFERED if path(before, after, party)]
    return [State(after.value) for after in reachable if after != before or after in TRANSITIONS.get(before, ())]


@dataclass
class Line:
    """A referral as lists show it. `person`: as far as the viewer may know; `position`: in the line of who waits."""

    referral: Referral
    person: Person | None = None
    position: int = 0

    @property
    def who(self) -> str:
        return self.person.name if self.person else ""

    @property
    def breaches(self) -> list[Overdue]:
        return [each for each in Overdue if each & self.referral.overdue]


def lines(viewer: Any, found: Iterable[Referral]) -> list[Line]:
    """These referrals with the names that the viewer may see: two questions, however many."""
    rows = list(found)
    seen = cases.granted(viewer, DataClass.IDENTITY).filter(person_id__in={row.person_id for row in rows})
    people = Person.objects.in_bulk(list(seen.values_list("person_id", flat=True).distinct()))
    return [Line(row, people.get(row.person_id), position(row)) for row in rows]


def position(found: Referral) -> int:
    """Its place in the line of the service, from 1; 0 when it does not wait."""
    if found.state != State.WAITLISTED or found.waitlisted_at is None:
        return 0
    before = Referral.objects.filter(service_id=found.service_id, state=State.WAITLISTED)
    return before.filter(waitlisted_at__lt=found.waitlisted_at).count() + 1


def listed(viewer: Any, show: str, *, side: str = "received", offset: int = 0, size: int = 50) -> list[Line]:
    """An inbox ("received") or what one follows ("sent"), the nearest clock first; what is over, the newest first."""
    rows = _of(viewer, show, side).select_related("service", "organization", "household")
    order = ("-ended_at", "pk") if show == "over" else (F("next_due_at").asc(nulls_last=True), "-urgent", "pk")
    return lines(viewer, rows.order_by(*order)[offset : offset + size])


def _of(viewer: Any, show: str, side: str) -> QuerySet[Referral]:
    rows = received(viewer) if side == "received" else sent(viewer)
    if show == "over":
        return rows.exclude(ended_at=None)
    return rows.filter(state__in=WAITING if show == "waiting" else GOING, ended_at=None)


def counts(viewer: Any, side: str) -> dict[str, int]:
    rows = received(viewer) if side == "received" else sent(viewer)
    return rows.aggregate(
        waiting=Count("pk", filter=Q(state__in=WAITING)),
        going=Count("pk", filter=Q(state__in=GOING)),
        over=Count("pk", filter=Q(ended_at__isnull=False)),
    )


def of_household(
    sight: cases.Sight, household: Household, people: dict[uuid.UUID, Person], *, most: int = 20
) -> list[Line]:
    """The latest referrals of a household, the open ones first, with the names of `people` (who the viewer may see):
    one question, two more when there are any."""
    rows = sight.read(Referral, "household_id = %s", f"created_at DESC LIMIT {most}", [household.pk])
    services = Service.objects.in_bulk({row.service_id for row in rows})
    organizations = Organization.objects.in_bulk({row.organization_id for row in rows})
    for row in rows:
        row.service, row.organization = services[row.service_id], organizations[row.organization_id]
    ordered = sorted(rows, key=lambda row: row.ended_at is not None)
    return [Line(row, people.get(row.person_id), position(row)) for row in ordered]


def of_person(viewer: Any, person: Person, *, most: int = 20) -> list[Referral]:
    """What a person was referred to, the newest first, but what was never sent or was a mistake."""
    rows = visible(viewer).filter(person=person).exclude(state__in=[State.DRAFT, State.MISTAKE])
    return list(rows.select_related("service", "organization").order_by("-created_at")[:most])


def open_of(viewer: Any, person: Person, need: uuid.UUID) -> list[Referral]:
    """What is under way for a need already."""
    rows = visible(viewer).filter(person=person, need=need, state__in=OPEN)
    return list(rows.select_related("service", "organization"))


def unmet(sight: cases.Sight, household: Household, people: dict[uuid.UUID, Person]) -> list[UnmetNeed]:
    """Needs of a household for which nothing was found and that are still looked for, the oldest first."""
    rows = sight.read(UnmetNeed, "household_id = %s AND over_at IS NULL", "at", [household.pk])
    for row in rows:
        if row.person_id in people:
            row.person = people[row.person_id]
    return [row for row in rows if row.person_id in people]


def an_unmet_need(viewer: Any, pk: uuid.UUID) -> UnmetNeed:
    """One that is open, of a person whose file the viewer keeps. Raises Http404."""
    found = UnmetNeed.objects.filter(Exists(_held(viewer, writes=True)), pk=pk, over_at=None)
    row = found.exclude(person_id__in=cases.denied(viewer)).first()
    if row is None:
        raise Http404
    return row


@dataclass
class Said:
    """One line of a referral's history."""

    change: ReferralChange
    text: str = ""
    organization: Organization | None = None


@dataclass
class Story:
    """A referral with all that was said of it."""

    line: Line
    text: str = ""
    said: list[Said] = field(default_factory=list)


def story(viewer: Any, found: Referral) -> Story:
    """All of a referral that the viewer may read; sealed words open with the person's key alone."""
    vault = Vault([found.person_id])
    changes = list(ReferralChange.objects.filter(referral=found).select_related("user").order_by("at", "created_at"))
    names = Organization.objects.in_bulk({row.speaks_for for row in changes if row.speaks_for})
    told = [Said(row, _opened(vault, row, "text"), names.get(row.speaks_for)) for row in changes]
    (line,) = lines(viewer, [found])
    return Story(line, _opened(vault, found, "text"), told)


def _opened(vault: Vault, row: Any, column: str) -> str:
    try:
        return vault.open(row, column)
    except Unreadable:
        return ""


def a_service(pk: uuid.UUID) -> Service | None:
    """A published service; None where there is none (any more)."""
    return Service.objects.select_related("organization").filter(pk=pk, missing_since=None).first()


def intake(service: uuid.UUID) -> ServiceIntake:
    """How a service takes referrals; unsaved where nobody said anything."""
    return ServiceIntake.objects.filter(service_id=service).first() or ServiceIntake(service_id=service)


def working_time() -> WorkingTime:
    """When the present city's office works: the hours of its appointments, the closed days of its protocol."""
    known = appointments.calendar()

    def is_closed(day: dt.date) -> bool:
        return known.why_closed(day) in ("holiday", "closed")

    return WorkingTime(appointments.hours(None), is_closed, appointments.zone())


def expired(now: dt.datetime | None = None) -> list[Referral]:
    """What nobody answered in time. For the worker, which acts as the system."""
    asked = [each.value for each in ASKED]
    return list(Referral.objects.filter(state__in=asked, expires_at__lte=now or timezone.now()).order_by("person_id"))
