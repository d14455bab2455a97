"""People's rights: emergency access, requests with their clock, corrections, what leaves and who agreed, incidents.

Each is one transaction with one event, which names the person or the incident, keys and fields, never values.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts.actions import Refused
from parvis.accounts.keys import key_hash, new_key
from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import exporting, notices, queries, registers, rules
from parvis.cases.actions import profile
from parvis.cases.actions.moves import Conflict
from parvis.cases.models import (
    BreakGlass,
    DataRequest,
    Disclosure,
    DisclosureApproval,
    ExportLink,
    IdentityCheck,
    Incident,
    IncidentPerson,
    Person,
    Rectification,
)
from parvis.cases.models.access import Basis
from parvis.cases.models.rights import (
    DAYS_TO_ANSWER,
    EXTENSION,
    Decision,
    DisclosureBasis,
    RequestChannel,
    RequestKind,
    RequestState,
)
from parvis.cases.vault import Vault
from parvis.core.access import SELF, DataClass
from parvis.kit import sealing
from parvis.ledger.actions import Entry, record, record_many
from parvis.orgs.models import Organization

GLASS_LASTS = dt.timedelta(hours=4)
LINK_LASTS = dt.timedelta(days=7)
#: fields that an accepted correction changes by itself: a person's own columns, see `profile.edit_person`
RECTIFIABLE = ("name", "name_latin", "gender", "birth_date", "birth_year", "language", "interpreter")
OTHER = "other"


def _about(code: str, person: uuid.UUID | None, after: dict[str, Any], obj: Any = None) -> Entry:
    """An event about the person; about the row itself when it is about nobody we know."""
    if person is not None:
        return Entry(code, "cases.person", person, None, after)
    return Entry(code, obj._meta.label_lower, obj.pk, None, after)


# -- emergency access --------------------------------------------------------------------------------------------------


@transaction.atomic
def break_glass(reference: str, reason: str, *, by: User) -> BreakGlass:
    """See one person's file for four hours, read only; the privacy officers are told in the same transaction.

    Raises Denied, and Refused with one sentence for every reference that leads nowhere for `by`.
    """
    require(rules.may_break_glass(by), "cases.glass.opened")
    if registers.open_glass(by) is not None:
        raise Refused(notices.glass_open_already())
    person = registers.by_reference(by, reference)
    if person is None or not reason.strip():
        raise Refused(notices.no_such_file())
    now = timezone.now()
    glass = BreakGlass.objects.create(
        person_id=person, user=by, reason=reason.strip(), at=now, until=now + GLASS_LASTS, told_at=now
    )
    for officer in registers.officers():
        notices.glass_broken(officer).send()
    record_many([_about("cases.glass.opened", person, {"glass": glass.pk})], by=by)
    return glass


@transaction.atomic
def end_glass(glass: BreakGlass, *, by: User) -> None:
    """Give the access back before its time."""
    require(glass.user_id == by.pk, "cases.glass.ended", glass)
    now = timezone.now()
    if BreakGlass.objects.filter(pk=glass.pk, ended_at=None, until__gt=now).update(ended_at=now):
        record_many([_about("cases.glass.ended", glass.person_id, {"glass": glass.pk})], by=by)


@transaction.atomic
def review_glass(glass: BreakGlass, *, justified: bool, words: str, by: User) -> None:
    """The privacy officer says whether it was right; who used it never does. Raises Denied, Refused."""
    require(rules.may_review_access(by), "cases.glass.reviewed", glass)
    if glass.user_id == by.pk:
        raise Refused(notices.another_person())
    reviewed = {"reviewed_at": timezone.now(), "reviewed_by": by, "justified": justified, "review": words}
    if not BreakGlass.objects.filter(pk=glass.pk, reviewed_at=None).update(**reviewed):
        raise Refused(notices.changed_since())
    record_many([_about("cases.glass.reviewed", glass.person_id, {"glass": glass.pk, "justified": justified})], by=by)


# -- incidents ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def report_incident(values: Mapping[str, Any], *, persons: Sequence[uuid.UUID] = (), by: User) -> Incident:
    """Add a line to the register; the privacy officers are told unless one of them wrote it."""
    require(rules.may_report_incident(by), "cases.incident.reported")
    incident = Incident.objects.create(**values, reported_by=by)
    _concern(incident, persons)
    if not rules.may_review_access(by):
        for officer in registers.officers():
            notices.incident_reported(officer).send()
    record("cases.incident.reported", incident, by=by, after=_told(values))
    return incident


@transaction.atomic
def edit_incident(
    incident: Incident, values: Mapping[str, Any], *, version: int, persons: Sequence[uuid.UUID] = (), by: User
) -> Incident:
    """Change a line of the register; the ledger keeps which fields, and dates and counts before and after."""
    require(rules.may_review_access(by), "cases.incident.edited", incident)
    now = Incident.objects.select_for_update().get(pk=incident.pk)
    if now.version != version:
        raise Conflict(now)
    changed = {name: value for name, value in values.items() if getattr(now, name) != value}
    if not changed and not persons:
        return now
    before = _told({name: getattr(now, name) for name in changed})
    for name, value in changed.items():
        setattr(now, name, value)
    now.version += 1
    now.save()
    _concern(now, persons)
    record("cases.incident.edited", now, by=by, before=before, after=_told(changed))
    return now


def _concern(incident: Incident, persons: Sequence[uuid.UUID]) -> None:
    known = set(incident.concerned.values_list("person_id", flat=True))
    IncidentPerson.objects.bulk_create(
        IncidentPerson(incident=incident, person_id=person) for person in dict.fromkeys(persons) if person not in known
    )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger may keep: dates, counts and truths; of texts, only that they changed."""
    told = {name: value for name, value in values.items() if not isinstance(value, str)}
    return told | {"fields": sorted(values)}


# -- requests ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def receive(
    kind: str, *, received_on: dt.date, channel: str, by: User, person: uuid.UUID | None = None, asked_by: str = "",
    asked: str = "",
) -> DataRequest:  # fmt: skip
    """Register a request and start its clock. `person` None: somebody of whom no file is known (privacy officer).

    Who keeps the file, the person themselves (their sign-in proves who they are), or the privacy officer.
    """
    officer = rules.may_review_access(by)
    own = person is not None and queries.granted(by).filter(person_id=person, basis=Basis.SELF).exists()
    keeper = person is not None and queries.may_write(by, person)
    require(officer or own or keeper, "cases.request.received")
    request = DataRequest.objects.create(
        person_id=person, kind=kind, received_on=received_on, channel=RequestChannel.ACCOUNT if own else channel,
        asked_by=asked_by, asked=asked, due_on=received_on + dt.timedelta(days=DAYS_TO_ANSWER[RequestKind(kind)]),
        recorded_by=by, handler=by if officer else None,
    )  # fmt: skip
    if own:
        IdentityCheck.objects.create(person_id=person, request=request, how="account", checked_by=by)
    record_many([_about("cases.request.received", person, {"request": request.pk, "kind": kind}, request)], by=by)
    return request


def _open(request: DataRequest) -> DataRequest:
    """The request, locked. Raises Refused when it has its answer."""
    now = DataRequest.objects.select_for_update().filter(pk=request.pk, state=RequestState.OPEN).first()
    if now is None:
        raise Refused(notices.answered_already())
    return now


def _note(code: str, request: DataRequest, by: User, **more: Any) -> None:
    record_many([_about(code, request.person_id, {"request": request.pk, **more}, request)], by=by)


@transaction.atomic
def check_identity(request: DataRequest, how: str, *, by: User) -> None:
    """A keeper of the file vouches that it is the person who asks: now the handler sees what they are to give."""
    require(
        request.person_id is not None and queries.may_write(by, request.person_id), "cases.request.identity", request
    )
    now = _open(request)
    if IdentityCheck.objects.filter(request=now).exists():
        return
    IdentityCheck.objects.create(person_id=now.person_id, request=now, how=how, checked_by=by)
    # the projection is made from both: the check alone is a new row, which its trigger sees
    _note("cases.request.identity", now, by)


@transaction.atomic
def take(request: DataRequest, *, by: User) -> None:
    """A privacy officer answers for this request from now on."""
    require(rules.may_review_access(by), "cases.request.taken", request)
    now = _open(request)
    now.handler = by
    now.save(update_fields=["handler"])
    _note("cases.request.taken", now, by)


@transaction.atomic
def extend(request: DataRequest, *, by: User) -> None:
    """Ten more days, once, within the first delay; the person is told in writing."""
    require(rules.may_review_access(by), "cases.request.extended", request)
    now = _open(request)
    if now.extended_on or now.days_left < 0:
        raise Refused(notices.extended_already())
    now.extended_on, now.due_on, now.reminded_on = timezone.localdate(), now.due_on + EXTENSION, None
    now.save(update_fields=["extended_on", "due_on", "reminded_on"])
    _note("cases.request.extended", now, by, due_on=now.due_on)


@transaction.atomic
def answer(request: DataRequest, state: str, words: str, *, by: User) -> None:
    """Close a request: answered (with what), refused (why), withdrawn. Raises Denied, Refused, ValueError."""
    keeper = request.person_id is not None and queries.may_write(by, request.person_id)
    require(rules.may_review_access(by) or keeper, "cases.request.answered", request)
    if state == RequestState.OPEN or not words.strip():
        raise ValueError(state)
    now = _open(request)
    if state == RequestState.ANSWERED and now.person_id and not IdentityCheck.objects.filter(request=now).exists():
        raise Refused(notices.identity_first())
    now.state, now.answer, now.answered_on = state, words.strip(), timezone.localdate()
    now.save(update_fields=["state", "answer", "answered_on"])
    _note("cases.request.answered", now, by, state=state)


def reminders_due(today: dt.date) -> tuple[list[DataRequest], list[DataRequest]]:
    """Requests to remind of today: those whose tenth or third day before has come, and those that are late."""
    waiting = DataRequest.objects.filter(state=RequestState.OPEN, due_on__lte=today + dt.timedelta(days=10))
    waiting = waiting.select_for_update().order_by("due_on")
    soon = [one for one in waiting if one.due_on >= today and _crossed(one, today)]
    late = [one for one in waiting if one.due_on < today and one.reminded_on != today]
    return soon, late


def _crossed(request: DataRequest, today: dt.date) -> bool:
    """Has a mark (ten days, three days before) come since the last reminder?"""
    marks = [request.due_on - dt.timedelta(days=days) for days in (10, 3)]
    return any(mark <= today and (request.reminded_on is None or request.reminded_on < mark) for mark in marks)


@transaction.atomic
def remind(now: dt.datetime) -> int:
    """The sweep: one mail to each privacy officer about what must be answered. Safe to run any number of times."""
    today = timezone.localtime(now).date()
    soon, late = reminders_due(today)
    if not soon and not late:
        return 0
    for officer in registers.officers():
        notices.requests_due(officer, due=len(soon), late=len(late)).send()
    DataRequest.objects.filter(pk__in=[one.pk for one in (*soon, *late)]).update(reminded_on=today)
    return len(soon) + len(late)


# -- corrections -------------------------------------------------------------------------------------------------------


@transaction.atomic
def propose_correction(request: DataRequest, field: str, wanted: str, *, by: User) -> Rectification:
    """What a request for rectification is about: a field, what it says, what it should say."""
    person = _person(request)
    keeper = queries.may_write(by, person.pk)
    require(keeper or rules.may_review_access(by) or person.user_id == by.pk, "cases.rectification.asked", request)
    row = Rectification(person=person, request=_open(request), field=field)
    old = current(person, field)
    Vault([person.pk]).put(row, wanted=wanted, old=old or None).save(force_insert=True)
    _note("cases.rectification.asked", request, by, field=field)
    return row


def _person(request: DataRequest) -> Person:
    return Person.objects.get(pk=request.person_id)


def current(person: Person, field: str) -> str:
    """What the file says now in a field of RECTIFIABLE, as a text; "" for any other."""
    if field not in RECTIFIABLE:
        return ""
    if field == "birth_date":
        return Vault([person.pk]).open(person, "birth_date")
    value = getattr(person, field)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


@transaction.atomic
def decide(row: Rectification, *, accepted: bool, reason: str, by: User) -> Rectification:
    """Accept or refuse (with why). What was accepted is applied by who keeps the file: see `apply` and `done`."""
    keeper = queries.may_write(by, row.person_id)
    require(keeper or rules.may_review_access(by), "cases.rectification.decided", row)
    if not accepted and not reason.strip():
        raise ValueError("a refusal says why")
    decided = {
        "decision": Decision.ACCEPTED if accepted else Decision.REFUSED, "reason": reason.strip(),
        "decided_at": timezone.now(), "decided_by": by,
    }  # fmt: skip
    if not Rectification.objects.filter(pk=row.pk, decision=Decision.WAITING).update(**decided):
        raise Refused(notices.changed_since())
    row.refresh_from_db()
    _note("cases.rectification.decided", row.request, by, decision=row.decision)
    return row


@transaction.atomic
def apply(row: Rectification, *, by: User) -> None:
    """Write an accepted value into the file. Raises Refused for a value or a field that must be done by hand."""
    person = Person.objects.get(pk=row.person_id)
    require(queries.may_write(by, person.pk), "cases.rectification.done", row)
    value = _parsed(row.field, Vault([person.pk]).open(row, "wanted"))
    profile.edit_person(person, {row.field: value}, version=person.version, by=by)
    done(row, by=by)


def _parsed(field: str, text: str) -> Any:
    """The text as the field's value. Raises Refused."""
    text = text.strip()
    try:
        if field == "birth_date":
            return dt.date.fromisoformat(text)
        if field == "birth_year":
            return int(text)
        if field == "interpreter":
            return {"yes": True, "no": False}[text]
        if field not in RECTIFIABLE or not text:
            raise ValueError(field)
        return Person._meta.get_field(field).clean(text, None)
    except Exception as error:
        raise Refused(notices.can_not_be_applied()) from error


@transaction.atomic
def done(row: Rectification, *, by: User) -> None:
    """The file says it now: somebody has changed it."""
    require(queries.may_write(by, row.person_id), "cases.rectification.done", row)
    changed = Rectification.objects.filter(pk=row.pk, decision=Decision.ACCEPTED, done_at=None)
    if not changed.update(done_at=timezone.now(), done_by=by):
        raise Refused(notices.changed_since())
    _note("cases.rectification.done", row.request, by)


@transaction.atomic
def disagree(row: Rectification, words: str, *, by: User) -> None:
    """Keep the person's own statement beside what was refused."""
    keeper = queries.may_write(by, row.person_id)
    require(keeper or rules.may_review_access(by), "cases.rectification.disagreed", row)
    if row.decision != Decision.REFUSED:
        raise Refused(notices.changed_since())
    Vault([row.person_id]).put(row, disagreement=words.strip()).save(update_fields=["disagreement"])
    _note("cases.rectification.disagreed", row.request, by)


# -- what leaves -------------------------------------------------------------------------------------------------------


@transaction.atomic
def export(person: Person, form: str, *, by: User, request: DataRequest | None = None) -> exporting.File:
    """Make the export of a person and note that it was handed over. Raises Denied, Refused when it would be partial."""
    _may_export(person, request, by)
    file = exporting.file(by, person, form)
    _handed(person, request, by, form)
    return file


def _may_export(person: Person, request: DataRequest | None, by: User) -> None:
    if request is not None and not IdentityCheck.objects.filter(request=request).exists():
        raise Refused(notices.identity_first())
    if not exporting.is_complete(by, person.pk):
        raise Refused(notices.not_yours_to_export())


def _handed(person: Person, request: DataRequest | None, by: User, form: str) -> None:
    Disclosure.objects.create(
        person=person, basis=DisclosureBasis.EXPORT, classes=SELF.value, at=timezone.now(), by=by, request=request
    )
    after = {"form": form, "request": request.pk if request else None}
    record_many([_about("cases.person.exported", person.pk, after)], by=by)


@transaction.atomic
def make_link(person: Person, *, by: User, request: DataRequest | None = None) -> str:
    """Put the whole export behind a link that works once, within seven days. Returns the link's key, kept nowhere."""
    _may_export(person, request, by)
    key = new_key()
    content = exporting.file(by, person, "zip").content
    hashed = key_hash(key)
    ExportLink.objects.create(
        person=person, request=request, key_hash=hashed, made_by=by, expires_at=timezone.now() + LINK_LASTS,
        parcel=sealing.seal(_parcel_key(key), content, hashed.encode()),
    )  # fmt: skip
    _handed(person, request, by, "link")
    return key


def _parcel_key(key: str) -> bytes:
    return hashlib.sha256(b"parvis export\0" + key.encode()).digest()


def link_waits(key: str) -> bool:
    """Is something to be had behind this link?"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rights_export_waits(%s)", [key_hash(key)])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def take_link(key: str) -> exporting.File | None:
    """What is behind a link, once; None when it was taken, has expired or never was."""
    hashed = key_hash(key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT person, link, sealed FROM rights_take_export(%s)", [hashed])
        person, link, sealed = cursor.fetchone()
    if link is None:
        return None
    content = sealing.open_(_parcel_key(key), bytes(sealed), hashed.encode())
    record_many([_about("cases.person.export_taken", person, {"link": link})], by="link")
    return exporting.File(f"{timezone.localdate():%Y-%m-%d}.zip", "application/zip", content)


@transaction.atomic
def ask_disclosure(
    person: Person, *, recipient: str, classes: int, purpose: str, legal_basis: str, by: User,
    organization: Organization | None = None,
) -> Disclosure:  # fmt: skip
    """Ask that data goes to an authority: it waits for a second person, a privacy officer. Nothing leaves before."""
    require(queries.may_write(by, person.pk) or rules.may_review_access(by), "cases.disclosure.asked", person)
    row = Disclosure.objects.create(
        person=person, basis=DisclosureBasis.AUTHORITY, recipient=recipient, organization=organization,
        classes=classes, purpose=purpose, legal_basis=legal_basis, at=timezone.now(), by=by,
    )  # fmt: skip
    for officer in registers.officers():
        if officer.pk != by.pk:
            notices.approval_asked(officer).send()
    record_many([_about("cases.disclosure.asked", person.pk, {"disclosure": row.pk, "classes": classes})], by=by)
    return row


@transaction.atomic
def decide_disclosure(row: Disclosure, *, approved: bool, words: str, by: User) -> None:
    """The second person agrees or refuses (and says why). Never the one who asked."""
    require(rules.may_review_access(by), "cases.disclosure.decided", row)
    if row.by_id == by.pk:
        raise Refused(notices.another_person())
    if DisclosureApproval.objects.filter(disclosure=row).exists():
        raise Refused(notices.changed_since())
    if not approved and not words.strip():
        raise ValueError("a refusal says why")
    DisclosureApproval.objects.create(
        person_id=row.person_id, disclosure=row, approved=approved, words=words.strip(), by=by, at=timezone.now()
    )
    after = {"disclosure": row.pk, "approved": approved}
    record_many([_about("cases.disclosure.decided", row.person_id, after)], by=by)


@transaction.atomic
def hand_over(row: Disclosure, form: str, *, by: User) -> exporting.File:
    """The agreed classes of data, for the authority: made by who keeps the file, after the second person agreed."""
    require(queries.may_write(by, row.person_id), "cases.disclosure.handed", row)
    if not registers.is_approved(row):
        raise Refused(notices.not_approved())
    person = Person.objects.get(pk=row.person_id)
    classes = DataClass(row.classes)
    if not exporting.is_complete(by, person.pk, classes):
        raise Refused(notices.not_yours_to_export())
    file = exporting.file(by, person, form, classes)
    record_many([_about("cases.disclosure.handed", person.pk, {"disclosure": row.pk, "form": form})], by=by)
    return file
