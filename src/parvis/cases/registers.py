"""Reading the registers of people's rights: emergency accesses, requests, incidents, what went to whom.

First argument: the viewer. The privacy officer reads every register; who keeps a file, and the person, what is about
them. Each query asks that itself: with row-level security off it gives the same answer.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from parvis.accounts.models import Role, User
from parvis.cases import queries, rules
from parvis.cases.models import (
    BreakGlass,
    Consent,
    DataRequest,
    Disclosure,
    Household,
    Incident,
    Person,
    Rectification,
    Withdrawal,
)
from parvis.cases.models.access import Basis
from parvis.cases.models.rights import DisclosureBasis, RequestState
from parvis.core.access import DataClass
from parvis.core.calendar import Calendar, NoSuchCalendar
from parvis.ledger.models import Event
from parvis.ledger.queries import history

RowType = TypeVar("RowType", bound=models.Model)
#: working days within which an emergency access is reviewed
REVIEW_WITHIN = 2


def officers() -> list[User]:
    """Whom to tell: the privacy officers; the administrators of a city that has none yet."""
    active = User.objects.filter(is_active=True)
    return list(active.filter(office_role=Role.PRIVACY)) or list(active.filter(office_role=Role.ADMINISTRATOR))


def theirs(viewer: Any) -> Q:
    """Rows of a register that the viewer may read."""
    if rules.may_review_access(viewer):
        return ~Q(person_id__in=queries.denied(viewer))
    kept = queries.granted(viewer).filter(Q(writes=True) | Q(basis=Basis.SELF))
    return Q(person_id__in=kept.values("person_id"))


def _one(found: QuerySet[RowType], pk: uuid.UUID) -> RowType:
    row = found.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def by_reference(viewer: Any, reference: str) -> uuid.UUID | None:
    """The head of the household of this reference, for who may ask; nothing else is told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_by_reference(%s)", [reference.strip().upper().replace(" ", "")])
        found: uuid.UUID | None = cursor.fetchone()[0]
    return found if rules.may_break_glass(viewer) or rules.may_review_access(viewer) else None


# -- emergency access --------------------------------------------------------------------------------------------------


def open_glass(viewer: Any) -> BreakGlass | None:
    """The emergency access that this viewer holds now: pages say so as long as it lasts."""
    if not rules.may_break_glass(viewer):
        return None
    mine = "user_id = %s AND ended_at IS NULL AND until > %s"
    return next(iter(queries.fetched(BreakGlass, mine, "until DESC", [viewer.pk, timezone.now()])), None)


def home_of(glass: BreakGlass) -> Household | None:
    """The household of the person whom an emergency access opens."""
    return Household.objects.filter(members__person_id=glass.person_id, members__until=None).first()


def review_due(at: dt.datetime) -> dt.date:
    """The day by which an access of that moment is reviewed: on days when the office is closed nobody reviews."""
    day = timezone.localtime(at).date()
    days = _office_days(getattr(connection.tenant, "country", ""))
    for _one in range(REVIEW_WITHIN):
        day = days.next_open(day + dt.timedelta(days=1))
    return day


#: where the holidays of a part of the country count besides: the demo's cities
_PARTS = {"CA": "QC", "CH": "GE"}


@lru_cache(maxsize=50)
def _office_days(country: str) -> Calendar:
    try:
        return Calendar(country=country, subdivision=_PARTS.get(country, ""))
    except NoSuchCalendar:
        return Calendar()


def is_overdue(glass: BreakGlass) -> bool:
    return glass.reviewed_at is None and timezone.localdate() > review_due(glass.at)


def glasses(viewer: Any) -> QuerySet[BreakGlass]:
    """Every emergency access, those without a review first, then the newest. The privacy officer's."""
    found = BreakGlass.objects.filter(theirs(viewer)) if rules.may_review_access(viewer) else BreakGlass.objects.none()
    return found.select_related("user", "reviewed_by").order_by(models.F("reviewed_at").desc(nulls_first=True), "-at")


def glass(viewer: Any, pk: uuid.UUID) -> BreakGlass:
    return _one(glasses(viewer), pk)


def own_glass(viewer: Any, pk: uuid.UUID) -> BreakGlass:
    return _one(BreakGlass.objects.filter(user=viewer), pk)


# -- requests ----------------------------------------------------------------------------------------------------------


def requests(viewer: Any, *, closed: bool = False) -> QuerySet[DataRequest]:
    """Requests that wait for an answer, the most pressing first; or those that have one, the latest first."""
    found = DataRequest.objects.filter(theirs(viewer)).select_related("handler", "identity_check")
    if closed:
        return found.exclude(state=RequestState.OPEN).order_by("-answered_on", "-created_at")
    return found.filter(state=RequestState.OPEN).order_by("due_on", "created_at")


def request(viewer: Any, pk: uuid.UUID) -> DataRequest:
    return _one(DataRequest.objects.filter(theirs(viewer)).select_related("handler", "recorded_by"), pk)


def requests_of(viewer: Any, person: uuid.UUID) -> list[DataRequest]:
    return list(DataRequest.objects.filter(theirs(viewer), person_id=person).order_by("-received_on", "-created_at"))


def rectification(viewer: Any, asked: DataRequest) -> Rectification | None:
    return Rectification.objects.filter(theirs(viewer), request=asked).select_related("decided_by", "done_by").first()


def known(viewer: Any, persons: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Person]:
    """Those of these persons whom the viewer may see by name."""
    wanted = [person for person in persons if person]
    seen = queries.granted(viewer, DataClass.IDENTITY).filter(person_id__in=wanted).values("person_id")
    return {person.pk: person for person in Person.objects.filter(pk__in=seen)}


# -- incidents ---------------------------------------------------------------------------------------------------------


def incidents(viewer: Any) -> QuerySet[Incident]:
    """The register, newest first: all of it for the privacy officer, one's own reports for others."""
    found = Incident.objects.select_related("reported_by").order_by("-found_on", "-created_at")
    return found if rules.may_review_access(viewer) else found.filter(reported_by=viewer)


def incident(viewer: Any, pk: uuid.UUID) -> Incident:
    return _one(incidents(viewer), pk)


def incident_history(viewer: Any, found: Incident) -> list[Event]:
    return history(viewer, found.pk) if rules.may_review_access(viewer) else []


# -- communications ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Communication:
    """One line of the register: data of a person was, is or is to be known to somebody outside."""

    at: dt.datetime
    until: dt.datetime | None
    person: uuid.UUID
    to: str
    classes: int
    why: str
    kind: str
    by: str
    #: "" (done), "waiting" (for the second person), "refused"
    state: str
    disclosure: Disclosure | None = None


def communications(viewer: Any, person: uuid.UUID | None = None, *, most: int = 1000) -> list[Communication]:
    """Every communication outside, or those about one person; newest first. Consents are among them."""
    mine = theirs(viewer) & (Q(person_id=person) if person else Q())
    lines = [_of_disclosure(row) for row in _disclosures(mine)[:most]]
    lines += [line for row in _consents(mine)[:most] for line in _of_consent(row)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:most]


def _disclosures(mine: Q) -> QuerySet[Disclosure]:
    found = Disclosure.objects.filter(mine).select_related("organization", "by", "approval", "approval__by")
    return found.order_by("-at")


def _consents(mine: Q) -> QuerySet[Consent]:
    found = Consent.objects.filter(mine).select_related("withdrawal", "recorded_by")
    return found.prefetch_related("recipients__organization").order_by("-given_at")


def _of_disclosure(row: Disclosure) -> Communication:
    state = ""
    if row.basis == DisclosureBasis.AUTHORITY:
        approval = getattr(row, "approval", None)
        state = "waiting" if approval is None else "" if approval.approved else "refused"
    to = row.organization.name if row.organization else row.recipient or _("The person")
    why = " · ".join(part for part in (row.purpose, row.legal_basis) if part)
    return Communication(
        row.at, None, row.person_id, to, row.classes, why, str(row.get_basis_display()), str(row.by), state, row
    )


def _of_consent(row: Consent) -> list[Communication]:
    withdrawal: Withdrawal | None = getattr(row, "withdrawal", None)
    until = withdrawal.at if withdrawal else row.until
    kind: str | Promise = _("Consent")
    return [
        Communication(
            row.given_at, until, row.person_id, to.organization.name, row.classes, str(row.get_purpose_display()),
            str(kind), str(row.recorded_by or ""), "",
        )
        for to in row.recipients.all()
    ]  # fmt: skip


def disclosure(viewer: Any, pk: uuid.UUID) -> Disclosure:
    return _one(_disclosures(theirs(viewer)), pk)


def waiting_disclosures(viewer: Any) -> list[Disclosure]:
    """Data asked for by an authority that waits for the second person."""
    found = _disclosures(theirs(viewer)).filter(basis=DisclosureBasis.AUTHORITY, approval=None)
    return list(found.order_by("at"))


def is_approved(row: Disclosure) -> bool:
    approval = getattr(row, "approval", None)
    return row.basis != DisclosureBasis.AUTHORITY or bool(approval and approval.approved)


# -- the page of the officer -------------------------------------------------------------------------------------------


def counts(viewer: Any) -> dict[str, int]:
    """What waits: requests, late ones, emergency accesses without a review, disclosures, open incidents."""
    waiting = requests(viewer)
    unreviewed = list(glasses(viewer).filter(reviewed_at=None))
    return {
        "requests": waiting.count(),
        "late": waiting.filter(due_on__lt=timezone.localdate()).count(),
        "glasses": len(unreviewed),
        "overdue": sum(is_overdue(one) for one in unreviewed),
        "disclosures": len(waiting_disclosures(viewer)) if rules.may_review_access(viewer) else 0,
        "incidents": incidents(viewer).filter(closed_on=None).count(),
    }
