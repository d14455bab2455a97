"""What the pages of a household and a person show, as far as the viewer may see each: a fixed number of questions."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from parvis.cases import queries, rules
from parvis.cases.models import (
    Address,
    Attachment,
    Background,
    ContactPoint,
    Denial,
    Finding,
    Household,
    HouseholdMember,
    ImmigrationStatus,
    NamedAccess,
    Note,
    PaperSeen,
    Person,
    PersonName,
    SpokenLanguage,
)
from parvis.cases.models.access import Basis
from parvis.cases.models.people import Ending, HouseholdState, Relation
from parvis.cases.models.profile import Stream, called
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit.sealing import Unreadable
from parvis.ledger.models import SEEN, Event
from parvis.ledger.queries import history

#: how many days before it expires a status or a paper is shown as expiring
SOON = 90
NOTES_SHOWN = 3


@dataclass
class Card:
    """One person as the household page shows them. `member` is None when who lives with whom was not agreed."""

    person: Person
    member: HouseholdMember | None = None
    age: int | None = None
    languages: list[SpokenLanguage] = field(default_factory=list)
    stream: str = ""
    expires_on: dt.date | None = None
    home: Address | None = None
    home_text: str = ""
    contact: ContactPoint | None = None
    contact_text: str = ""
    urgent: list[Finding] = field(default_factory=list)

    @property
    def expiry(self) -> str:
        return expiry(self.expires_on)

    @property
    def unsafe(self) -> bool:
        """Calling as one would call anybody may do harm."""
        return self.contact is not None and not (self.contact.safe_to_call and not self.contact.safe_times)


@dataclass
class Glance:
    """A household as one viewer sees it."""

    household: Household
    sight: queries.Sight
    cards: list[Card]
    former: list[HouseholdMember]
    notes: list[dict[str, Any]]
    writes: bool

    @property
    def hidden_address(self) -> bool:
        return any(card.home and card.home.hidden for card in self.cards)


def expiry(on: dt.date | None) -> str:
    """ "past", "soon" or "": how near a day of expiry is."""
    if on is None:
        return ""
    left = (on - timezone.localdate()).days
    return "past" if left < 0 else "soon" if left <= SOON else ""


def age(person: Person, vault: Vault) -> int | None:
    """Years, from the birth date if it may be read, else (about) from the year."""
    today = timezone.localdate()
    try:
        born = vault.open_date(person, "birth_date")
    except Unreadable:
        born = None
    if born:
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return today.year - person.birth_year if person.birth_year else None


def household(viewer: Any, found: Household) -> Glance:
    """Everybody of a household with what stands on its page."""
    sight = queries.Sight(viewer, household=found.pk)
    rows = sight.members()
    present = {row.person_id: row for row in rows if row.until is None}
    wanted = set(sight.who(DataClass.IDENTITY))
    former = [row for row in rows if row.until is not None and row.ending not in (Ending.RELATION, Ending.MISTAKE)]
    people = {person.pk: person for person in queries.fetched(Person, "id = ANY(%s)", "id", [list(wanted)])}
    # of whom it was not agreed who they live with is here because access says so
    unsaid = {pk for pk, home in sight.homes.items() if home == found.pk and not sight.sees(pk, DataClass.HOUSEHOLD)}
    here = [person for pk, person in people.items() if pk in present or pk in unsaid]
    vault = Vault(people)
    cards = {person.pk: Card(person, present.get(person.pk), age(person, vault)) for person in here}
    for row in rows:
        if row.person_id in people:
            row.person = people[row.person_id]
    _languages(sight, cards)
    _statuses(sight, cards, vault)
    _homes(sight, cards, vault)
    _contacts(sight, cards, vault)
    for finding in sight.read(Finding, "ended_on IS NULL AND kind = 'need' AND level = 'urgent'", "noted_on"):
        if finding.person_id in cards:
            cards[finding.person_id].urgent.append(finding)
    ordered = sorted(
        cards.values(),
        key=lambda card: (not card.member or card.member.relation != Relation.HEAD, card.person.birth_year or 3000),
    )
    return Glance(
        found,
        sight,
        ordered,
        _one_each([row for row in former if row.person_id in people and row.person_id not in cards]),
        notes(sight, vault, people, limit=NOTES_SHOWN),
        any(pk in sight.writes for pk in cards) or queries.may_write_household(viewer, found),
    )


def _one_each(rows: list[HouseholdMember]) -> list[HouseholdMember]:
    """The last membership of each person who is gone."""
    return list({row.person_id: row for row in rows}.values())


def _languages(sight: queries.Sight, cards: dict[uuid.UUID, Card]) -> None:
    for row in sight.read(SpokenLanguage, "ended_on IS NULL", order="created_at"):
        if row.person_id in cards:
            cards[row.person_id].languages.append(row)


def _statuses(sight: queries.Sight, cards: dict[uuid.UUID, Card], vault: Vault) -> None:
    for row in sight.read(ImmigrationStatus, "until IS NULL"):
        if row.person_id in cards:
            card = cards[row.person_id]
            card.stream, card.expires_on = called(Stream, vault.open(row, "stream")), row.expires_on


def _homes(sight: queries.Sight, cards: dict[uuid.UUID, Card], vault: Vault) -> None:
    for row in sight.read(Address, "until IS NULL AND kind <> 'mail'"):
        if row.person_id in cards:
            card = cards[row.person_id]
            card.home, card.home_text = row, vault.open(row, "text")


def _contacts(sight: queries.Sight, cards: dict[uuid.UUID, Card], vault: Vault) -> None:
    for row in sight.read(ContactPoint, "ended_on IS NULL", "preferred DESC, created_at"):
        card = cards.get(row.person_id)
        if card is not None and card.contact is None:
            card.contact, card.contact_text = row, vault.open(row, "value")


def notes(
    sight: queries.Sight, vault: Vault, people: dict[uuid.UUID, Person], *, limit: int = 0, old: bool = False
) -> list[dict[str, Any]]:
    """Notes, the latest first, each with its text and author; `old`: also those that a later one replaces."""
    more = "true" if old else f"NOT EXISTS (SELECT FROM {_NOTES} AS later WHERE later.replaces_id = {_NOTES}.id)"
    found = sight.read(Note, more, f"created_at DESC LIMIT {limit or 'ALL'}", with_account="author")
    return [
        {"note": note, "text": vault.open(note, "text"), "person": people.get(note.person_id)}
        for note in found
        if note.person_id in people
    ]


_NOTES = Note._meta.db_table


# -- one person -------------------------------------------------------------------------------------------------------


@dataclass
class Profile:
    """A person with everything that this viewer may see of them."""

    person: Person
    sight: queries.Sight
    vault: Vault
    writes: bool
    age: int | None
    birth_date: dt.date | None
    member: HouseholdMember | None

    def rows(self, model: Any) -> QuerySet[Any]:
        return self.sight.rows(model)

    def sees(self, wanted: DataClass) -> bool:
        return self.sight.sees(self.person.pk, wanted)


def person(viewer: Any, pk: uuid.UUID) -> Profile:
    """Raises Http404: the same for "not there" and "not yours"."""
    sight = queries.Sight(viewer, [pk])
    if not sight.sees(pk, DataClass.IDENTITY):
        raise Http404
    try:
        found = Person.objects.get(pk=pk)
    except Person.DoesNotExist:
        raise Http404 from None
    vault = Vault([pk])
    try:
        born = vault.open_date(found, "birth_date")
    except Unreadable:
        born = None
    member = (
        sight.rows(HouseholdMember).filter(until=None).select_related("household").first()
        or sight.rows(HouseholdMember)
        .exclude(ending=Ending.RELATION)
        .select_related("household")
        .order_by("-until")
        .first()
    )
    return Profile(found, sight, vault, pk in sight.writes, age(found, vault), born, member)


def row(profile: Profile, model: Any, pk: uuid.UUID) -> Any:
    """One row about a person, looked up through them. Raises Http404."""
    found = profile.rows(model).filter(pk=pk).first()
    if found is None:
        raise Http404
    found.person = profile.person
    return found


def attachments(profile: Profile) -> QuerySet[Attachment]:
    return profile.rows(Attachment).defer("content").select_related("by").order_by("-created_at")


SECTIONS = (PersonName, SpokenLanguage, ImmigrationStatus, Address, ContactPoint, Background, Finding, PaperSeen)


# -- history ----------------------------------------------------------------------------------------------------------


def events_of_household(viewer: Any, glance: Glance) -> list[Event]:
    """What happened to a household and, in their files, to its people; not the looks."""
    found = history(viewer, glance.household.pk)
    people = [card.person.pk for card in glance.cards] + [row.person_id for row in glance.former]
    told = set(found)
    for event in Event.objects.filter(object_id__in=people).select_related("actor").order_by("-id")[:300]:
        # what moved people is told once, by the household
        if event.after and event.after.get("household"):
            continue
        told.add(event)
    return sorted((e for e in told if not e.code.endswith((SEEN, ".denied"))), key=lambda event: -event.pk)[:200]


def events_of_person(viewer: Any, found: Person) -> list[Event]:
    return [event for event in history(viewer, found.pk, limit=400) if not event.code.endswith((SEEN, ".denied"))][:200]


def event(household: Household, pk: int) -> Event:
    """One event about a household. Raises Http404."""
    found = Event.objects.filter(pk=pk, object_id=household.pk).select_related("actor").first()
    if found is None:
        raise Http404
    return found


# -- caseload ---------------------------------------------------------------------------------------------------------


#: beyond this many files a list says "more than", and stops counting
MOST_COUNTED = 5000


def files(viewer: Any) -> QuerySet[Household]:
    """Open households of the viewer's own organizations that they may see."""
    reached = queries.granted(viewer).filter(basis__in=[Basis.LEAD, Basis.NAMED]).exclude(household_id=None)
    shut_out = HouseholdMember.objects.filter(person_id__in=queries.denied(viewer)).values("household_id")
    return Household.objects.filter(
        Q(restricted=False) | Q(pk__in=reached.values("household_id")),
        holder_id__in=rules.holders(viewer),
        state=HouseholdState.OPEN,
    ).exclude(pk__in=shut_out)


def caseload(viewer: Any, show: str) -> QuerySet[Household]:
    """Files by who answers for them: "mine", "team", "nobody" (no lead), "due" (mine or nobody's, to be contacted)."""
    found = files(viewer)
    mine = Q(lead_worker=viewer) | Q(backup_worker=viewer)
    if show == "mine":
        found = found.filter(mine)
    elif show == "nobody":
        found = found.filter(lead_worker=None)
    elif show == "due":
        soon = timezone.localdate() + dt.timedelta(days=7)
        found = found.filter(mine | Q(lead_worker=None), next_contact_on__lte=soon)
    return found


def count(found: QuerySet[Household]) -> int:
    """How many, up to MOST_COUNTED."""
    return found.order_by()[:MOST_COUNTED].count()


def lines(found: QuerySet[Household], viewer: Any, show: str, offset: int, size: int) -> list[Household]:
    """A page of a caseload, each household with `heads` (its head, if that may be seen) and `people` (how many).

    The whole team's files come as they changed (an index answers); the others by who is to be contacted first.
    """
    order = (
        ["-changed_at", "pk"] if show == "team" else [F("next_contact_on").asc(nulls_last=True), "-changed_at", "pk"]
    )
    keys = list(found.order_by(*order).values_list("pk", flat=True)[offset : offset + size])
    visible = queries.granted(viewer, DataClass.HOUSEHOLD).values("person_id")
    heads = HouseholdMember.objects.filter(until=None, relation=Relation.HEAD, person_id__in=visible)
    rows = (
        Household.objects.filter(pk__in=keys)
        .annotate(people=Count("members", filter=Q(members__until=None)))
        .select_related("lead_worker", "backup_worker")
        .prefetch_related(Prefetch("members", queryset=heads.select_related("person"), to_attr="heads"))
    )
    return sorted(rows, key=lambda each: keys.index(each.pk))


def picked(viewer: Any, keys: list[uuid.UUID]) -> list[Household]:
    """These households, if the viewer may change them. Others are left out without a word."""
    found = files(viewer).filter(pk__in=keys).select_related("lead_worker")
    return [each for each in found if queries.may_write_household(viewer, each)]


# -- who may open it --------------------------------------------------------------------------------------------------


def named(household: Household) -> list[NamedAccess]:
    """One row for each account that is named for people of a household now."""
    rows = NamedAccess.objects.filter(
        person__householdmembers__household=household, person__householdmembers__until=None, ended_at=None
    ).select_related("user", "named_by")
    return list({row.user_id: row for row in rows}.values())


def denials(household: Household) -> list[Denial]:
    found = Denial.objects.filter(
        person__householdmembers__household=household, person__householdmembers__until=None, ended_at=None
    )
    return list(found.select_related("user", "person", "denied_by").distinct())
