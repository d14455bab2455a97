"""Reading consents, agreements and refusals. First argument: the viewer.

Who keeps the file and the person see all of a person's consents; a recipient sees those that speak to it, and never
the other recipients. The database says the same (`policies._consent`); these queries are right without it.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parvis.cases import consent_texts, queries, rules
from parvis.cases.models import Access, AccountOffer, Agreement, Consent, ConsentRecipient, Household, Person
from parvis.cases.models.access import Basis
from parvis.core.access import SENSITIVE, SHAREABLE, DataClass
from parvis.core.language import fold
from parvis.kit.asked import keys
from parvis.ledger.models import Event
from parvis.ledger.queries import history, lookers
from parvis.orgs.models import Membership, Organization

#: what each class of data is called at a desk
CLASS_WORDS: dict[DataClass, Promise] = {
    DataClass.IDENTITY: _("Name, birth, gender, languages"),
    DataClass.HOUSEHOLD: _("Household and family ties"),
    DataClass.CONTACT: _("Telephone, e-mail, address"),
    DataClass.BACKGROUND: _("Schooling, diplomas, work"),
    DataClass.NEEDS: _("Strengths and needs"),
    DataClass.STATUS: _("Immigration status"),
    DataClass.HEALTH: _("Health"),
    DataClass.VIOLENCE: _("Family difficulties and violence"),
    DataClass.NOTES: _("Workers’ notes"),
    DataClass.DOCUMENTS: _("Papers seen and attachments"),
    DataClass.PLAN: _("Plan and steps"),
    DataClass.HIDDEN_ADDRESS: _("Hidden address"),
    DataClass.CONFIDENTIAL: _("Confidential notes"),
}
ORDINARY = [member for member in DataClass if member & SHAREABLE & ~SENSITIVE]
DELICATE = [member for member in DataClass if member & SHAREABLE & SENSITIVE]


def class_words(classes: int) -> list[Promise]:
    """A set of classes in words, ordinary ones first."""
    return [CLASS_WORDS[member] for member in (*ORDINARY, *DELICATE) if member & classes]


class State(models.TextChoices):
    """What has become of a consent."""

    IN_FORCE = "in_force", _("In force")
    NO_AGREEMENT = "no_agreement", _("No agreement in force")
    EXPIRED = "expired", _("Expired")
    WITHDRAWN = "withdrawn", _("Withdrawn")


@dataclass(frozen=True)
class Recipient:
    """An organization to which a consent speaks. `agreed`: an agreement with it is in force."""

    organization: Organization
    agreed: bool


@dataclass(frozen=True)
class Told:
    """A consent as its readers are told of it."""

    consent: Consent
    recipients: list[Recipient]
    state: State

    @property
    def words(self) -> list[Promise]:
        return class_words(self.consent.classes)

    @property
    def last_day(self) -> dt.date:
        """The last day on which it holds: `until` is the first moment at which it does not."""
        return timezone.localtime(self.consent.until - dt.timedelta(seconds=1)).date()

    @property
    def text_known(self) -> bool:
        """Is the text on which it was given one that can be shown again (not one of another system's)?"""
        return self.consent.text_language in consent_texts.languages(self.consent.text_version)

    @property
    def withdrawal(self) -> Any:
        return getattr(self.consent, "withdrawal", None)


# -- consents ----------------------------------------------------------------------------------------------------------


def of_person(viewer: Any, person: uuid.UUID) -> list[Told]:
    """The consents of a person that the viewer may know of, those in force first, then the newest."""
    return _told(viewer, _readable(viewer, [person]))


def one(viewer: Any, pk: uuid.UUID) -> Told:
    """One consent, or 404: the same for "not there" and "not yours"."""
    person = Consent.objects.filter(pk=pk).values_list("person_id", flat=True).first()
    found = _told(viewer, _readable(viewer, [person] if person else []).filter(pk=pk))
    if not found:
        raise Http404
    return found[0]


def may_decide(viewer: Any, person: uuid.UUID) -> bool:
    """May the viewer record what this person decides? Who keeps the file, and the person."""
    return queries.granted(viewer).filter(Q(writes=True) | Q(basis=Basis.SELF), person_id=person).exists()


def _readable(viewer: Any, persons: Iterable[uuid.UUID]) -> Any:
    wanted = list(persons)
    held = queries.granted(viewer).filter(person_id__in=wanted)
    deciding = list(held.filter(Q(writes=True) | Q(basis=Basis.SELF)).values_list("person_id", flat=True))
    visible = list(held.values_list("person_id", flat=True))
    to_us = ConsentRecipient.objects.filter(organization_id__in=rules.grantees(viewer)).values("consent_id")
    return Consent.objects.filter(Q(person_id__in=deciding) | Q(person_id__in=visible, pk__in=to_us))


def _told(viewer: Any, found: Any) -> list[Told]:
    consents = list(
        found.select_related("withdrawal", "given_by", "recorded_by", "withdrawal__recorded_by").order_by("-given_at")
    )
    speaking = ConsentRecipient.objects.filter(consent__in=consents).select_related("organization")
    deciding = {pk for pk in {consent.person_id for consent in consents} if may_decide(viewer, pk)}
    own = set(rules.grantees(viewer))
    recipients: dict[uuid.UUID, list[Organization]] = {}
    for row in speaking.order_by("organization__name"):
        if row.person_id in deciding or row.organization_id in own:
            recipients.setdefault(row.consent_id, []).append(row.organization)
    agreed = with_agreement({one.pk for many in recipients.values() for one in many})
    told = []
    for consent in consents:
        to = [Recipient(one, one.pk in agreed) for one in recipients.get(consent.pk, [])]
        told.append(Told(consent, to, _state(consent, to)))
    return sorted(told, key=lambda each: list(State).index(each.state))


def _state(consent: Consent, to: list[Recipient]) -> State:
    if hasattr(consent, "withdrawal"):
        return State.WITHDRAWN
    if consent.until <= timezone.now():
        return State.EXPIRED
    return State.IN_FORCE if any(recipient.agreed for recipient in to) else State.NO_AGREEMENT


def agreed(viewer: Any, persons: Collection[uuid.UUID], organization: uuid.UUID) -> dict[uuid.UUID, DataClass]:
    """Person -> what this organization may see of them by the consents in force, as who keeps the file knows it."""
    if organization not in with_agreement([organization]):
        return {}
    found: dict[uuid.UUID, DataClass] = {}
    held = _readable(viewer, persons).filter(
        until__gt=timezone.now(), withdrawal=None, by_referral=False, recipients__organization_id=organization
    )
    for person, classes in held.values_list("person_id", "classes"):
        found[person] = found.get(person, DataClass(0)) | DataClass(classes)
    return found


def refusals(viewer: Any, person: uuid.UUID) -> list[dict[str, Any]]:
    """When the person said no, to sharing with whom: for those who may decide with them."""
    if not may_decide(viewer, person):
        return []
    events = [event for event in history(viewer, person) if event.code == "cases.consent.refused"]
    names = _names(key for event in events for key in (event.after or {}).get("organizations", ()))
    return [
        {
            "at": event.at,
            "by": event.actor,
            "organizations": [names.get(str(key), "") for key in (event.after or {}).get("organizations", ())],
        }
        for event in events
    ]


def _names(keys: Iterable[Any]) -> dict[str, str]:
    return {str(pk): name for pk, name in Organization.objects.filter(pk__in=list(keys)).values_list("pk", "name")}


def events(viewer: Any, person: uuid.UUID) -> list[Event]:
    """What was done with the person's consents, newest first: for those who may decide with them."""
    if not may_decide(viewer, person):
        return []
    return [event for event in history(viewer, person) if event.code.startswith("cases.consent.")]


# -- what is shared with us --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    """A person shared with the viewer's organization: what, since when, until when."""

    person: Person
    household: Household | None
    classes: DataClass
    since: dt.datetime
    until: dt.datetime

    @property
    def words(self) -> list[Promise]:
        return class_words(self.classes)

    @property
    def last_day(self) -> dt.date:
        return timezone.localtime(self.until - dt.timedelta(seconds=1)).date()


def shared(viewer: Any, *, person: uuid.UUID | None = None, offset: int = 0, size: int = 50) -> list[Shared]:
    """People whom the viewer sees by consent, newest file first."""
    held = queries.granted(viewer).filter(basis=Basis.CONSENT)
    ids = [person] if person else _page(held, offset, size)
    rows: dict[uuid.UUID, list[Access]] = {}
    for row in held.filter(person_id__in=ids):
        rows.setdefault(row.person_id, []).append(row)
    people = Person.objects.in_bulk(list(rows))
    living = {
        pk: many[0].household_id
        for pk, many in rows.items()
        if many[0].household_id and _union(many) & DataClass.HOUSEHOLD
    }
    homes = Household.objects.in_bulk(set(living.values()))
    given = dict(
        ConsentRecipient.objects.filter(
            person_id__in=list(rows), organization_id__in=rules.grantees(viewer), consent__withdrawal=None
        )
        .values("person_id")
        .annotate(since=models.Min("consent__given_at"))
        .values_list("person_id", "since")
    )
    return [
        Shared(
            people[pk],
            homes.get(living[pk]) if pk in living else None,
            _union(rows[pk]),
            given.get(pk, rows[pk][0].valid_from),
            max(row.valid_until for row in rows[pk]),
        )
        for pk in ids
        if pk in rows and pk in people
    ]


def _page(held: Any, offset: int, size: int) -> list[uuid.UUID]:
    ordered = held.values("person_id", "listed_at").distinct().order_by("-listed_at", "person_id")
    return [row["person_id"] for row in ordered[offset : offset + size]]


def _union(rows: Iterable[Access]) -> DataClass:
    total = DataClass(0)
    for row in rows:
        total |= DataClass(row.classes)
    return total


def shared_total(viewer: Any) -> int:
    held = queries.granted(viewer).filter(basis=Basis.CONSENT)
    return held.values("person_id").distinct().count()


def home(viewer: Any, person: Person) -> Household | None:
    """The household of a person whose file the viewer keeps; None for everybody else."""
    held = queries.granted(viewer, writes=True).filter(person_id=person.pk, household_id__isnull=False)
    pk = held.values_list("household_id", flat=True).first()
    return queries.household(viewer, pk) if pk else None


# -- the person themselves ---------------------------------------------------------------------------------------------


def own(viewer: Any) -> Person | None:
    """The person whose own sign-in this is; None for everybody else."""
    pk = queries.granted(viewer).filter(basis=Basis.SELF).values_list("person_id", flat=True).first()
    return Person.objects.filter(pk=pk).first() if pk else None


@dataclass(frozen=True)
class Looked:
    """Somebody looked at the file: who, for which organizations they work (none: the office), when, at what."""

    who: str
    places: list[str]
    when: dt.datetime
    words: list[Promise]
    why: str


def reason_to_see(code: str) -> str:
    """In words why somebody could see a person, from the reason that a look is told with."""
    return str(Basis(code).label) if code in Basis.values else code


def looks(viewer: Any, person: uuid.UUID, *, limit: int = 50) -> list[Looked]:
    """Who has looked at a file: for the person, and for those who keep it. One's own looks are not told."""
    if not may_decide(viewer, person):
        return []
    found = [look for look in lookers(person, limit=limit) if look.who != viewer]
    at: dict[Any, list[str]] = {}
    working = Membership.objects.filter(user__in={look.who for look in found if look.who}).select_related(
        "organization"
    )
    for row in working.order_by("organization__name"):
        at.setdefault(row.user_id, []).append(row.organization.name)
    return [
        Looked(
            str(look.who or look.label),
            [] if look.who and look.who.office_role else at.get(getattr(look.who, "pk", None), []),
            look.when,
            [CLASS_WORDS[DataClass[code.upper()]] for code in look.fields if code.upper() in DataClass.__members__],
            reason_to_see(look.why),
        )
        for look in found
    ]


def waiting_offer(viewer: Any, person: uuid.UUID) -> AccountOffer | None:
    """The invitation to a sign-in of their own that this person has not answered yet."""
    if not queries.may_write(viewer, person):
        return None
    return (
        AccountOffer.objects.filter(
            person_id=person,
            invitation__accepted_at=None,
            invitation__revoked_at=None,
            invitation__expires_at__gt=timezone.now(),
        )
        .select_related("invitation")
        .first()
    )


# -- agreements --------------------------------------------------------------------------------------------------------


def today() -> dt.date:
    """The city's day, by which agreements begin and end, in the access projection too."""
    return timezone.localdate(timezone=ZoneInfo(connection.tenant.timezone))


def in_force(day: dt.date) -> Q:
    """Agreements that hold on a day."""
    return Q(since__lte=day) & (Q(until=None) | Q(until__gte=day)) & (Q(ended_on=None) | Q(ended_on__gt=day))


def with_agreement(organizations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these organizations with which the office has an agreement in force."""
    found = Agreement.objects.filter(in_force(today()), organization_id__in=list(organizations))
    return set(found.values_list("organization_id", flat=True))


#: how long before its end an agreement is shown as ending soon
SOON = dt.timedelta(days=60)


@dataclass(frozen=True)
class Kept:
    """An agreement with its state: "coming", "in_force", "ending" (soon), "over"."""

    agreement: Agreement
    state: str
    last_day: dt.date | None


def agreements(viewer: Any) -> list[Kept]:
    """Every agreement, those ending soon first. Needs rules.may_keep_agreements."""
    if not rules.may_keep_agreements(viewer):
        return []
    order = {"ending": 0, "in_force": 1, "coming": 2, "over": 3}
    kept = [_kept(found) for found in Agreement.objects.select_related("organization").order_by("organization__name")]
    return sorted(kept, key=lambda each: order[each.state])


def agreement(viewer: Any, pk: uuid.UUID) -> Agreement:
    """One agreement, or 404."""
    found = Agreement.objects.select_related("organization").filter(pk=pk).first()
    if found is None or not rules.may_keep_agreements(viewer):
        raise Http404
    return found


def _kept(found: Agreement) -> Kept:
    ends = [day for day in (found.until, found.ended_on - dt.timedelta(days=1) if found.ended_on else None) if day]
    last = min(ends) if ends else None
    day = today()
    if last and last < day:
        state = "over"
    elif found.since > day:
        state = "coming"
    else:
        state = "ending" if last and last - day <= SOON else "in_force"
    return Kept(found, state, last)


@dataclass(frozen=True)
class Offered:
    """An organization found for a consent; without an agreement in force it can't be chosen."""

    organization: Organization
    agreed: bool


def organizations(text: str = "", *, chosen: Collection[str] = (), size: int = 12) -> list[Offered]:
    """Organizations to share with: the chosen ones, then whom `text` names; without text, who has an agreement."""
    day = today()
    by_name = Organization.objects.order_by("name", "pk")
    found: dict[uuid.UUID, Organization] = {each.pk: each for each in by_name.filter(pk__in=keys(chosen))}
    words = fold(text).split()
    if words:
        hits = [
            pk
            for pk, name, other in by_name.values_list("pk", "name", "alternate_name")
            if all(word in fold(f"{name} {other}") for word in words)
        ]
        found |= {each.pk: each for each in by_name.filter(pk__in=hits[:size])}
    else:
        held = Agreement.objects.filter(in_force(day)).values("organization_id")
        found |= {each.pk: each for each in by_name.filter(pk__in=held)[:size]}
    agreed_with = with_agreement(found)
    return [Offered(each, each.pk in agreed_with) for each in found.values()]
