"""Send, answer, follow and end referrals; places; clocks. One transaction each, told to the ledger.

Whoever speaks (account, telephone, the system) goes through `move`: one list of what may follow what (`core.referral`),
one trace, one place where a service's places are held, taken and given back.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import consents
from parvis.cases import queries as cases
from parvis.cases.actions import sharing
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.actions.sharing import Terms
from parvis.cases.models import Consent, ConsentRecipient, HouseholdMember, Person
from parvis.cases.models.base import OFFICE
from parvis.cases.models.profile import Domain
from parvis.cases.rules import Holder
from parvis.cases.vault import Vault
from parvis.core import referral as core
from parvis.core.access import DataClass
from parvis.core.referral import Clock, Overdue, Party, WorkingTime
from parvis.core.referral import State as Code
from parvis.directory.models import Service
from parvis.kit.sealing import Unreadable
from parvis.ledger.actions import Entry, record, record_many
from parvis.orgs.models import Organization
from parvis.referrals import links, needs, queries, rules
from parvis.referrals.models import Place, Reason, Referral, ReferralChange, ServiceIntake, State, Unmet, UnmetNeed, Way

#: what a health or safety need is, its referral is too
CLASSES = {Domain.HEALTH: DataClass.HEALTH, Domain.SAFETY: DataClass.VIOLENCE}
_COLUMN = {Clock.SEEN: "seen_due_at", Clock.DECISION: "decision_due_at", Clock.CONTACT: "contact_due_at",
           Clock.OUTCOME: "outcome_due_at", Clock.EXPIRY: "expires_at"}  # fmt: skip


class Full(Refused):
    """The service has no place left."""


@dataclass(frozen=True)
class Asked:
    """A referral to be. `classes`: what the service may see of the person; 0: it goes without a name."""

    service: Service
    domain: str
    classes: int = 0
    urgent: bool = False
    text: str = ""
    previous: Referral | None = None


@dataclass(frozen=True)
class Word:
    """What somebody says of a referral. `text`: words of their own; `spoken_with`: who was on the line."""

    state: str
    reason: str = ""
    text: str = ""
    appointment_at: dt.datetime | None = None
    spoken_with: str = ""


# -- sending ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def send(
    person: Person, asked: Asked, *, by: User, terms: Terms | None = None, given_by: Person | None = None
) -> Referral:
    """Refer a person to a service. `terms`: their consent, given now; without it the one that is in force, and where
    there is none nothing that names them is shared. Raises Denied, Refused, sharing.Wrong.
    """
    require(cases.may_write(by, person.pk), "referrals.sent", person)
    organization = asked.service.organization
    if organization is None or asked.service.missing_since or asked.service.status not in ("active", ""):
        raise Refused(_("This service takes nobody at the moment: choose another one."))
    if asked.domain not in Domain.values:
        raise Refused(_("Choose what is needed."))
    consent, classes = None, 0
    if asked.classes:
        consent = _consent(person, organization, asked.classes, terms, by, given_by)
        classes = asked.classes & consent.classes
    member = HouseholdMember.objects.filter(person=person, until=None).first()
    now = timezone.now()
    made = Referral(
        person=person, household_id=member.household_id if member else None, service=asked.service,
        need=needs.key_of(person, asked.domain), domain=asked.domain, organization=organization,
        sender_id=person.holder_id or OFFICE, sent_by=by, previous=asked.previous, consent=consent, classes=classes,
        row_class=CLASSES.get(Domain(asked.domain), DataClass.NEEDS).value, urgent=asked.urgent,
        language=person.language.split("-")[0], interpreter=person.interpreter, state=State.SENT, sent_at=now,
        borough=needs.borough_of(person),
    )  # fmt: skip
    Vault([person.pk]).put(made, text=asked.text.strip() or None)
    made.place = Place.HELD if _move_place(made.service_id, held=1) else Place.NONE
    set_clocks(made, queries.working_time())
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        if "referrals_once_at_a_time" not in str(error):
            raise
        raise Refused(_("This person is referred to this service already.")) from error
    _note(made, "", Word(State.SENT), Way.USER, by, made.sender_id, now)
    UnmetNeed.objects.filter(need=made.need, over_at=None).update(over_at=now)
    _tell(made, State.SENT, by, {"service": made.service_id, "classes": classes})
    links.announce(made, by=by)
    return made


def _consent(
    person: Person, organization: Organization, classes: int, terms: Terms | None, by: User, given_by: Person | None
) -> Consent:
    if terms is not None:
        return sharing.give_consent(person, terms, by=by, given_by=given_by)
    found = consent_for(by, person, organization, classes)
    if found is None:
        raise Refused(_("The person has not agreed to this: ask them, or send it without a name."))
    return found


def consent_for(viewer: User, person: Person, organization: Organization, classes: int) -> Consent | None:
    """A consent in force that covers these classes for this organization."""
    if organization.pk not in consents.with_agreement([organization.pk]):
        return None
    named = ConsentRecipient.objects.filter(person=person, organization=organization)
    speaking = set(named.values_list("consent_id", flat=True))
    for each in consents.of_person(viewer, person.pk):
        holds = each.state == consents.State.IN_FORCE and each.consent.pk in speaking
        if holds and not classes & ~each.consent.classes:
            return each.consent
    return None


# -- nothing fits -----------------------------------------------------------------------------------------------------


@transaction.atomic
def note_unmet(person: Person, domain: str, reason: str, *, by: User) -> UnmetNeed:
    """Write down that no service was found for a need; said again, it has the newer reason. Raises Denied, Refused."""
    require(cases.may_write(by, person.pk), "referrals.unmet", person)
    if domain not in Domain.values or reason not in Unmet.values:
        raise Refused(_("Choose what is needed, and why nothing fits."))
    member = HouseholdMember.objects.filter(person=person, until=None).first()
    key, now = needs.key_of(person, domain), timezone.now()
    facts = {"reason": reason, "by": by, "language": person.language.split("-")[0], "borough": needs.borough_of(person)}
    found, _made = UnmetNeed.objects.select_for_update().update_or_create(
        need=key, over_at=None, defaults=facts,
        create_defaults={
            **facts, "person": person, "household_id": member.household_id if member else None, "domain": domain,
            "at": now, "row_class": CLASSES.get(Domain(domain), DataClass.NEEDS).value,
        },
    )  # fmt: skip
    _about(found, "unmet", by, {"domain": domain, "why": reason})
    return found


@transaction.atomic
def close_unmet(found: UnmetNeed, *, by: User) -> None:
    """The need is gone, or was met otherwise. Raises Denied."""
    require(cases.may_write(by, found.person_id), "referrals.unmet_over", found)
    if UnmetNeed.objects.filter(pk=found.pk, over_at=None).update(over_at=timezone.now()):
        _about(found, "unmet_over", by, {"domain": found.domain})


def _about(found: UnmetNeed, what: str, by: User, after: dict[str, Any]) -> None:
    about = ("cases.household", found.household_id) if found.household_id else ("cases.person", found.person_id)
    record_many([Entry(f"referrals.{what}", *about, None, {"unmet": found.pk, **after})], by=by)


# -- answering, following, ending -------------------------------------------------------------------------------------


@transaction.atomic
def say(
    found: Referral, word: Word, *, by: User | Holder, party: Party, way: str = Way.USER, version: int | None = None
) -> Referral:
    """Say what becomes of a referral, on behalf of `party`; by a link, of the one that it opens. By telephone, the desk
    speaks in the recipient's name; who keeps the file writes down what the person answers when asked.

    Raises Denied, Refused (with what is wrong), Full, Conflict when somebody else said something since `version`.
    """
    mine = queries.parties(by, found)
    heard = way == Way.PERSON and party is Party.PERSON and Party.PERSON not in mine
    speaks = Party.SENDER if way == Way.TELEPHONE or heard else party
    require(speaks in mine, f"referrals.{word.state}")
    if way == Way.TELEPHONE and not word.spoken_with.strip():
        raise Refused(_("Say with whom you spoke."))
    now = Referral.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if version is not None and now.version != version:
        raise Conflict(now)
    spoken = Party.RECIPIENT if way == Way.TELEPHONE else party
    said = _move(now, word, spoken, by=links.BY_LINK if isinstance(by, Holder) else by, way=way)
    if party is Party.SENDER and way == Way.USER and said.state == State.SEEN:  # what they asked is answered
        links.announce(said, by=by)
    return said


@transaction.atomic
def send_link(found: Referral, *, by: User) -> str:
    """Mail whoever was asked a link to answer by; returns the address. Raises Denied, Refused."""
    require(Party.SENDER in queries.parties(by, found), "referrals.link.sent")
    return links.send(found, by=by)


def _move(now: Referral, word: Word, party: Party, *, by: Any, way: str) -> Referral:
    """From state to state, each written down; places, clocks and dates follow."""
    states = core.path(Code(now.state), Code(word.state), party)
    if not states:
        raise Refused(_("This does not follow from “%(state)s”.") % {"state": now.get_state_display()})
    problem = core.reason_problem(Code(word.state), word.reason, word.text)
    if problem:
        raise Refused(_PROBLEMS[problem])
    at, time = timezone.now(), queries.working_time()
    name = now.organization_id if party is Party.RECIPIENT else now.sender_id if party is Party.SENDER else None
    # while the share still holds: the key is gone with it
    change = _change(now, now.state, word, way, by, name, at)
    for state in states:
        before, now.state = now.state, State(state.value)
        if state.value != word.state:
            _note(now, before, Word(state.value), way, by, name, at)
        _dates(now, state, word, at)
        now.reason = word.reason if state.value == word.state else ""
        now.place = _place(now, _wanted_place(state, now.place))
        set_clocks(now, time)
        now.version += 1
        change.before = before
        if state.value == word.state:
            change.save(force_insert=True)
        now.save()
    _tell(now, now.state, by, {"reason": word.reason, "way": way})
    return now


_PROBLEMS = {
    "missing": _("Say why: choose a reason."),
    "unknown": _("Choose a reason from the list."),
    "text": _("Another reason needs a few words."),
}


def _dates(now: Referral, state: Code, word: Word, at: dt.datetime) -> None:
    if state is Code.SEEN:
        now.seen_at = now.seen_at or at
    if state in (Code.ACCEPTED, Code.WAITLISTED):
        now.answered_at = at if state is Code.ACCEPTED else now.answered_at or at
        now.waitlisted_at = (now.waitlisted_at or at) if state is Code.WAITLISTED else now.waitlisted_at
    if word.appointment_at is not None:
        now.appointment_at, now.contacted_at = word.appointment_at, now.contacted_at or at
    if state is Code.STARTED:
        now.started_at, now.contacted_at = now.started_at or at, now.contacted_at or at
    if state in core.OUTCOMES:
        now.outcome = state.value
    if state in (Code.CONFIRMED, Code.DISPUTED):
        now.helped, now.helped_at = state is Code.CONFIRMED, at
    now.ended_at = at if state not in core.ACTIVE else None


def _change(
    now: Referral, before: str, word: Word, way: str, by: Any, name: uuid.UUID | None, at: dt.datetime
) -> ReferralChange:
    made = ReferralChange(
        person_id=now.person_id, referral=now, row_class=now.row_class, before=before, after=word.state,
        reason=word.reason, way=way, user=by if isinstance(by, User) else None, speaks_for=name,
        spoken_with=word.spoken_with.strip() if way == Way.TELEPHONE else "", at=at,
    )  # fmt: skip
    if word.text.strip():
        try:
            Vault([now.person_id]).put(made, text=word.text.strip())
        except Unreadable:
            raise Refused(
                _("This referral names nobody, and free words can't be kept with it: choose a reason from the list.")
            ) from None
    return made


def _note(now: Referral, before: str, word: Word, way: str, by: Any, name: uuid.UUID | None, at: dt.datetime) -> None:
    _change(now, before, word, way, by, name, at).save(force_insert=True)


def _tell(now: Referral, what: str, by: Any, after: dict[str, Any]) -> None:
    about = ("cases.household", now.household_id) if now.household_id else ("cases.person", now.person_id)
    told = {"referral": now.pk, **{name: value for name, value in after.items() if value not in ("", None)}}
    record_many([Entry(f"referrals.{what}", *about, None, told)], by=by)


# -- clocks -----------------------------------------------------------------------------------------------------------


def set_clocks(now: Referral, time: WorkingTime) -> None:
    """The clocks of the present state, and the first of them."""
    state = Code(now.state)
    running = core.clocks(
        state, now.urgent, sent=now.sent_at, answered=now.answered_at, contacted=now.contacted_at is not None, time=time
    )
    for clock, column in _COLUMN.items():
        setattr(now, column, running.get(clock))
    # a clock that no longer runs is not overdue any more
    now.overdue &= sum(Overdue[clock.name] for clock in running if clock is not Clock.EXPIRY)
    first = core.next_due(running, now.overdue)
    now.next_due_at = first[1] if first else None


def run_clocks(now: dt.datetime | None = None) -> dict[str, int]:
    """Sweep: mark what is overdue in one statement, and let expire what nobody answered. How many of each."""
    at = now or timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_OVERDUE, {"now": at})
            late = cursor.fetchall()
        record_many(
            [
                Entry("referrals.overdue", "cases.household" if home else "cases.person", home or person, None,
                      {"referral": pk, "clocks": bits})
                for pk, person, home, bits in late
            ],
            by="worker",
        )  # fmt: skip
        waiting = queries.expired(at)
    over = 0
    for each in waiting:
        with transaction.atomic():
            found = Referral.objects.select_for_update(of=("self",)).get(pk=each.pk)
            if found.state in [state.value for state in core.ASKED]:
                _move(found, Word(State.EXPIRED, Reason.SILENCE), Party.SYSTEM, by="worker", way=Way.SYSTEM)
                over += 1
    return {"overdue": len(late), "expired": over}


_BITS = " | ".join(f"CASE WHEN {_COLUMN[Clock[one.name]]} <= %(now)s THEN {one.value} ELSE 0 END" for one in Overdue)
_NEXT = ", ".join(f"CASE WHEN n.bits & {one.value} = 0 THEN r.{_COLUMN[Clock[one.name]]} END" for one in Overdue)
#: every clock that has run out gets its bit; the next one is the first that has not
_OVERDUE = f"""
    UPDATE referrals_referral r SET overdue = n.bits,
        next_due_at = least({_NEXT}, CASE WHEN r.expires_at > %(now)s THEN r.expires_at END)
    FROM (SELECT id, overdue | {_BITS} AS bits FROM referrals_referral WHERE next_due_at <= %(now)s) AS n
    WHERE n.id = r.id RETURNING r.id, r.person_id, r.household_id, n.bits
"""


# -- places -----------------------------------------------------------------------------------------------------------


def _wanted_place(state: Code, present: str) -> Place:
    if state in (Code.ACCEPTED, Code.STARTED):
        return Place.TAKEN
    return Place(present) if state in (Code.SENT, Code.SEEN, Code.NEEDS_INFO) else Place.NONE


def _place(now: Referral, wanted: Place) -> Place:
    """Hold, take or give back a place of the service. Raises Full where there is none to take."""
    if wanted == now.place:
        return wanted
    change = {"held": (wanted == Place.HELD) - (now.place == Place.HELD),
              "taken": (wanted == Place.TAKEN) - (now.place == Place.TAKEN)}  # fmt: skip
    if _move_place(now.service_id, **change):
        return wanted
    if not ServiceIntake.objects.filter(service_id=now.service_id).exists():
        return Place.NONE  # nobody counts
    raise Full(_("There is no place left: put them on the waiting list, or say how many places there are."))


def _move_place(service: uuid.UUID, *, held: int = 0, taken: int = 0) -> bool:
    """One statement, so that a last place is had once. False: no row, or no place."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE, {"service": service, "held": held, "taken": taken})
        return cursor.rowcount == 1


#: the row is locked while it is looked at: who comes second sees what the first one left
PLACE = """
    UPDATE referrals_serviceintake SET held = held + %(held)s, taken = taken + %(taken)s
    WHERE service_id = %(service)s AND held + %(held)s >= 0 AND taken + %(taken)s >= 0
        AND (offered IS NULL OR held + taken + %(held)s + %(taken)s <= offered OR %(held)s + %(taken)s <= 0)
"""


@transaction.atomic
def say_places(
    service: Service, offered: int | None, *, by: User, waitlist: bool = True, classes: int | None = None
) -> ServiceIntake:
    """How many a service can take in all (None: nobody counts), and what it must know of a person. Nobody is named.

    Raises Denied, Refused when more are taken and held already.
    """
    require(rules.may_say_places(by, service.organization_id), "referrals.places", service)
    row, _made = ServiceIntake.objects.select_for_update().get_or_create(service=service)
    before = {"offered": row.offered, "waitlist": row.waitlist, "classes": row.classes}
    if offered is not None and offered < row.taken + row.held:
        raise Refused(
            _("%(number)s places are taken or held already: that many at least.") % {"number": row.taken + row.held}
        )
    row.offered, row.waitlist, row.said_at, row.by = offered, waitlist, timezone.now(), by
    if classes is not None:
        row.classes = classes | DataClass.IDENTITY
    row.save()
    after = {"offered": row.offered, "waitlist": row.waitlist, "classes": row.classes}
    record("referrals.places", service, by=by, before=before, after=after)
    return row


# -- what else ends a referral ----------------------------------------------------------------------------------------


def consent_withdrawn(entry: Entry) -> None:
    """The consent under a referral is gone: another one covers it, or what was not accepted yet is withdrawn. What is
    under way is closed to the recipient already, and stays for the sender to ask anew."""
    gone = (entry.after or {}).get("consent")
    for found in Referral.objects.filter(consent_id=gone, state__in=queries.WAITING).order_by("pk"):
        now = Referral.objects.select_for_update(of=("self",)).get(pk=found.pk)
        _move(now, Word(State.WITHDRAWN, Reason.CONSENT), Party.SYSTEM, by=None, way=Way.SYSTEM)
