"""Forgetting: one person, or all that was kept long enough. The worker role's, as the system.

To forget a person is to delete their data key and what names them: nothing sealed about them opens again, also from a
backup made before (`parvis backup` keeps the keys apart). The row's id stays, because the ledger speaks of it.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from parvis.accounts import actions as accounts
from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import notices, rules
from parvis.cases.actions import rights
from parvis.cases.models import (
    BreakGlass,
    Consent,
    DataRequest,
    Disclosure,
    Erasure,
    ExportLink,
    Household,
    HouseholdMember,
    IdentityCheck,
    Incident,
    Person,
    PersonKey,
    Rectification,
    SearchToken,
)
from parvis.cases.models.base import FORGOTTEN, PersonRow
from parvis.cases.models.people import Gender, HouseholdState, PersonState
from parvis.cases.models.rights import ErasureCause, RequestKind, RequestState
from parvis.cases.policies import person_models
from parvis.kit.acting import acting_as_system
from parvis.kit.jobs import enqueue
from parvis.kit.models import RETENTION
from parvis.ledger.actions import Entry, record_many

#: what stands where a name was
#: the name of the machine in the ledger
_BY = "erasure"


# -- one person -------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_erasure(request: DataRequest, words: str, *, by: User) -> None:
    """A privacy officer grants a request to be forgotten: it is answered now, and the worker forgets.

    Raises Denied, Refused while the identity is not checked or others would be left without a head.
    """
    require(rules.may_review_access(by) and request.kind == RequestKind.ERASURE, "cases.person.erasure_asked", request)
    now = DataRequest.objects.select_for_update().filter(pk=request.pk, state=RequestState.OPEN).first()
    if now is None or now.person_id is None:
        raise Refused(notices.answered_already())
    if not IdentityCheck.objects.filter(request=now).exists():
        raise Refused(notices.identity_first())
    _not_the_head_of_others(now.person_id)
    now.state, now.answer, now.answered_on = RequestState.ANSWERED, words.strip(), timezone.localdate()
    now.save(update_fields=["state", "answer", "answered_on"])
    enqueue(erase_for_request, request=str(now.pk), by=str(by.pk))
    record_many([Entry("cases.person.erasure_asked", "cases.person", now.person_id, None, {"request": now.pk})], by=by)


def erase_for_request(request: str, by: str) -> None:
    """The task behind `ask_erasure`."""
    with acting_as_system(), transaction.atomic():
        found = DataRequest.objects.get(pk=request)
        if found.person_id is not None and not Erasure.objects.filter(person_id=found.person_id).exists():
            erase(found.person_id, ErasureCause.REQUEST, by=uuid.UUID(by), request=found.pk)


def _not_the_head_of_others(person: uuid.UUID) -> None:
    own = HouseholdMember.objects.filter(person_id=person, until=None, relation="head").first()
    others = HouseholdMember.objects.filter(household=own.household_id, until=None).exclude(pk=own.pk) if own else None
    if own and own.household.state == HouseholdState.OPEN and others is not None and others.exists():
        raise Refused(notices.another_head_first())


@transaction.atomic
def erase(
    person_id: uuid.UUID, cause: str, *, by: uuid.UUID | None = None, request: uuid.UUID | None = None,
    head_too: bool = False,
) -> None:  # fmt: skip
    """Forget one person. `head_too`: also the head of a household with others in it.

    Raises Person.DoesNotExist, Refused (forgotten already, or such a head).
    """
    person = Person.objects.select_for_update().get(pk=person_id)
    if Erasure.objects.filter(person=person).exists():
        raise Refused(notices.forgotten_already())
    if not head_too:
        _not_the_head_of_others(person.pk)
    homes = list(HouseholdMember.objects.filter(person=person, until=None).values_list("household_id", flat=True))
    PersonKey.objects.filter(person=person).delete()
    SearchToken.objects.filter(person=person).delete()
    ExportLink.objects.filter(person=person).update(parcel=None)
    for model in forgettable():
        rows: Any = model.objects.filter(person=person)  # type: ignore[attr-defined]
        rows._raw_delete(rows.db)  # in one statement: notes that replace notes protect each other
    account = person.user
    _blank(person)
    _close_empty(homes)
    if account is not None:
        accounts.suspend(account, by=_BY)
    Erasure.objects.create(person=person, cause=cause, at=timezone.now(), by_id=by, request_id=request)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rights_forget(%s)", [person.pk])
    record_many([Entry("cases.person.erased", "cases.person", person.pk, None, {"cause": cause})], by=_BY)


def forgettable() -> list[type[PersonRow]]:
    """Tables whose rows go with the person: those kept as long as the file. Proofs stay their own time."""
    return [
        model
        for model in person_models()
        if any(one.retention == "case" for one in getattr(model, "personal", {}).values())
    ]


#: what each personal column of `Person` becomes; a house test holds it to what the model declares
BLANK: dict[str, Any] = {
    "name": FORGOTTEN, "name_latin": "", "gender": Gender.UNKNOWN, "birth_year": None, "birth_date": None,
    "language": "", "interpreter": False, "interpreter_gender": "", "state": PersonState.PRESENT, "state_on": None,
    "user": None,
}  # fmt: skip


def _blank(person: Person) -> None:
    for column, value in BLANK.items():
        setattr(person, column, value)
    person.anonymous = person.restricted = True
    person.version += 1
    person.save()


def _close_empty(homes: list[uuid.UUID]) -> None:
    """A household of nobody is closed."""
    for home in Household.objects.filter(pk__in=homes, state=HouseholdState.OPEN):
        if not home.members.filter(until=None).exists():
            home.state, home.closed_on = HouseholdState.CLOSED, timezone.localdate()
            home.version += 1
            home.save()


# -- what was kept long enough ----------------------------------------------------------------------------------------


def _over(retention: str, now: dt.datetime) -> dt.datetime:
    """Before this moment, what is of this class of retention is over."""
    days = RETENTION[retention].days
    assert days is not None
    return now - dt.timedelta(days=days)


def persons_over(now: dt.datetime) -> QuerySet[Person]:
    """Persons in no open file for as long as "case" says: their last one closed, or they left it, that long ago."""
    day = _over("case", now).date()
    rows = HouseholdMember.objects.filter(person=OuterRef("pk"))
    open_ = Q(until=None, household__state=HouseholdState.OPEN)
    fresh = Q(until=None, household__closed_on__gte=day) | Q(until__gte=day)
    return Person.objects.filter(
        ~Exists(rows.filter(open_ | fresh)), ~Exists(Erasure.objects.filter(person=OuterRef("pk"))),
        Exists(rows) | Q(created_at__lt=_over("case", now)),
    ).order_by("pk")  # fmt: skip


def households_over(now: dt.datetime) -> QuerySet[Household]:
    """Closed households in which nobody is left to follow: the people are forgotten."""
    day = _over("case", now).date()
    rows = HouseholdMember.objects.filter(household=OuterRef("pk"))
    found = Household.objects.exclude(state=HouseholdState.OPEN).filter(~Exists(rows), closed_on__lt=day)
    return found.order_by("pk")


def consents_over(now: dt.datetime) -> QuerySet[Consent]:
    """Consents that ended, by their date or by withdrawal, as long ago as "proof" says."""
    over = _over("proof", now)
    return Consent.objects.filter(Q(until__lt=over) | Q(withdrawal__at__lt=over)).order_by("pk")


def incidents_over(now: dt.datetime) -> QuerySet[Incident]:
    over = _over("incident", now).date()
    return Incident.objects.filter(found_on__lt=over, closed_on__isnull=False).order_by("pk")


def requests_over(now: dt.datetime) -> QuerySet[DataRequest]:
    """Requests answered that long ago, but for those of which nothing but the dates is left."""
    found = DataRequest.objects.filter(answered_on__lt=_over("proof", now).date())
    return found.exclude(asked_by="", asked="", answer=FORGOTTEN).order_by("pk")


def disclosures_over(now: dt.datetime) -> QuerySet[Disclosure]:
    return Disclosure.objects.filter(at__lt=_over("proof", now)).order_by("pk")


def glasses_over(now: dt.datetime) -> QuerySet[BreakGlass]:
    return BreakGlass.objects.filter(until__lt=_over("proof", now)).order_by("pk")


def parcels_over(now: dt.datetime) -> QuerySet[ExportLink]:
    return ExportLink.objects.filter(expires_at__lt=now, parcel__isnull=False).order_by("pk")


def links_over(now: dt.datetime) -> QuerySet[ExportLink]:
    return ExportLink.objects.filter(expires_at__lt=now - dt.timedelta(days=30)).order_by("pk")


def _forget(found: QuerySet[Person]) -> int:
    done = 0
    for person in list(found.values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                erase(person, ErasureCause.RETENTION)
            done += 1
        except Refused:  # a head whose household is open again: not over after all
            continue
    return done


def _delete(found: QuerySet[Any]) -> int:
    keys = list(found.values_list("pk", flat=True))
    found.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _delete_requests(found: QuerySet[DataRequest]) -> int:
    """Those that a register still names lose their words; the others go, with what hangs on them."""
    keys = set(found.values_list("pk", flat=True))
    named = {
        *Disclosure.objects.filter(request__in=keys).values_list("request_id", flat=True),
        *Erasure.objects.filter(request__in=keys).values_list("request_id", flat=True),
    }
    for model in (Rectification, IdentityCheck, ExportLink):
        rows: Any = model.objects.filter(request__in=keys)  # type: ignore[attr-defined]
        rows._raw_delete(rows.db)
    DataRequest.objects.filter(pk__in=named).update(asked_by="", asked="", answer=FORGOTTEN)
    rest: Any = DataRequest.objects.filter(pk__in=keys - named)
    rest._raw_delete(rest.db)
    return len(keys)


def _empty(found: QuerySet[ExportLink]) -> int:
    return found.update(parcel=None)


#: what the nightly sweep forgets, in order: (words, what is over at a moment, how it is forgotten)
PURGES: list[tuple[str, Callable[[dt.datetime], QuerySet[Any]], Callable[[QuerySet[Any]], int]]] = [
    ("persons whose file is closed", persons_over, _forget),
    ("households of nobody", households_over, _delete),
    ("consents and their withdrawals", consents_over, _delete),
    ("communications", disclosures_over, _delete),
    ("requests and their corrections", requests_over, _delete_requests),
    ("emergency accesses", glasses_over, _delete),
    ("incidents", incidents_over, _delete),
    ("exports nobody took", parcels_over, _empty),
    ("links to exports", links_over, _delete),
]


def purge(now: dt.datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Forget what is over in the present city. Returns how many of each. `dry_run`: only count."""
    done: dict[str, int] = {}
    for words, over, forget in PURGES:
        with acting_as_system(), transaction.atomic():
            found = over(now)
            done[words] = found.count() if dry_run else forget(found)
    return done


def sweep(now: dt.datetime) -> None:
    """The nightly sweep."""
    purge(now)


def remind(now: dt.datetime) -> None:
    """The sweep that tells the privacy officers what must be answered."""
    with acting_as_system():
        rights.remind(now)
