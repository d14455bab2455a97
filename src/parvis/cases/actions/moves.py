"""What happens to a household and its people: who comes, who leaves, who is its head; and taking that back.

Each happening is first a `Move`: made of what is there, shown to a person, then carried out or not. Carrying it out is
one transaction and one call of the ledger. Memberships are ended and begun, never rewritten: they are the history.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import queries
from parvis.cases.actions.people import NewPerson, add_person, index_names, new_reference
from parvis.cases.models import Address, Household, HouseholdMember, NamedAccess, Person
from parvis.cases.models.people import Ending, HouseholdState, PersonState, Relation
from parvis.cases.relations import seen_from
from parvis.cases.vault import Vault
from parvis.kit.sealing import Unreadable
from parvis.ledger.actions import Entry, record_many
from parvis.ledger.models import Event


class Refused(Exception):
    """It can't be done, and `str()` is the reason as a person reads it."""


class Conflict(Exception):
    """Somebody else changed the file since it was read. `now` is what stands there."""

    def __init__(self, now: Any) -> None:
        super().__init__("changed meanwhile")
        self.now = now


@dataclass(frozen=True)
class Begin:
    """A membership that begins: of a known person, or (None) of the one who is new."""

    person: Person | None
    household: Household | None  # None: the household that is founded
    relation: str


@dataclass(frozen=True)
class Move:
    """What would change. `what` is the last part of the ledger's code: joined, split, head, born, ..."""

    what: str
    household: Household
    on: dt.date
    ends: tuple[tuple[HouseholdMember, str], ...] = ()
    begins: tuple[Begin, ...] = ()
    reopens: tuple[HouseholdMember, ...] = ()
    states: tuple[tuple[Person, str], ...] = ()
    files: tuple[tuple[Household, str], ...] = ()
    founds: bool = False
    new: NewPerson | None = None
    undoes: int | None = None
    about: tuple[Person, ...] = field(default=())

    def persons(self) -> dict[uuid.UUID, Person]:
        """Everybody whom it concerns and who is known already."""
        rows = [*(row for row, _why in self.ends), *self.reopens]
        known = [*(row.person for row in rows), *(b.person for b in self.begins if b.person), *self.about]
        return {person.pk: person for person in [*known, *(person for person, _state in self.states)]}

    def households(self) -> dict[uuid.UUID, Household]:
        """The household first, and the others that it touches."""
        others = [row.household for row, _why in self.ends] + [row.household for row in self.reopens]
        others += [b.household for b in self.begins if b.household] + [each for each, _state in self.files]
        return {each.pk: each for each in [self.household, *others]}


# -- making moves -----------------------------------------------------------------------------------------------------


def join(by: Any, household: Household, person: Person, relation: str, on: dt.date) -> Move:
    """A person whose file is known comes into this household, from another one or back."""
    _must_be_open(household)
    if person.holder_id != household.holder_id:
        raise Refused(_("This person's file is kept by another organization."))
    if person.state == PersonState.DECEASED:
        raise Refused(_("This person is noted as deceased."))
    ends: tuple[tuple[HouseholdMember, str], ...] = ()
    begins: tuple[Begin, ...] = ()
    files: tuple[tuple[Household, str], ...] = ()
    old = HouseholdMember.objects.filter(person=person, until=None).select_related("household", "person").first()
    if old is not None:
        if old.household_id == household.pk:
            raise Refused(_("This person is a member of this household already."))
        left = [row for row in _present(old.household) if row.pk != old.pk]
        if old.relation == Relation.HEAD and left:
            raise Refused(_("This person is the head of another household: choose another head there first."))
        _not_before(on, [old])
        ends = ((old, Ending.JOINED),)
        files = ((old.household, HouseholdState.CLOSED),) if not left else ()
    begins = (Begin(person, household, relation),)
    states = () if person.state == PersonState.PRESENT else ((person, PersonState.PRESENT),)
    return Move("joined", household, on, ends, begins, states=states, files=files)


def add(household: Household, new: NewPerson, on: dt.date, *, born: bool = False) -> Move:
    """Somebody without a file comes into the household: they arrive, or they are born."""
    _must_be_open(household)
    return Move("born" if born else "added", household, on, begins=(Begin(None, household, new.relation),), new=new)


def split(
    household: Household, leaving: Iterable[uuid.UUID], head: uuid.UUID, on: dt.date,
    relations: Mapping[uuid.UUID, str] | None = None, new_head: uuid.UUID | None = None,
) -> Move:  # fmt: skip
    """Some members found a household of their own, with `head` as its head; `new_head`: of those who stay."""
    _must_be_open(household)
    wanted, rows = set(leaving), _present(household)
    going = [row for row in rows if row.person_id in wanted]
    staying = [row for row in rows if row.person_id not in wanted]
    if not going or not staying:
        raise Refused(_("Somebody must leave and somebody must stay: else the household is not split."))
    if head not in {row.person_id for row in going}:
        raise Refused(_("The head of the new household must be one of those who leave."))
    _not_before(on, going)
    was = {row.person_id: row.relation for row in rows}
    said = relations or {}
    begins = tuple(Begin(row.person, None, _relation(row, head, was[head], said)) for row in going)
    ends, others = _headed(staying, new_head, on, said, household)
    return Move(
        "split", household, on, tuple((row, str(Ending.SPLIT)) for row in going) + ends, begins + others, founds=True
    )


def change_head(
    household: Household, head: uuid.UUID, on: dt.date, relations: Mapping[uuid.UUID, str] | None = None
) -> Move:
    """Another member becomes the head; everybody's relation is told anew."""
    _must_be_open(household)
    rows = _present(household)
    if any(row.person_id == head and row.relation == Relation.HEAD for row in rows):
        raise Refused(_("This person is the head of the household already."))
    ends, begins = _headed(rows, head, on, relations or {}, household, always=True)
    return Move("head", household, on, ends, begins)


def relate(household: Household, person: uuid.UUID, relation: str, on: dt.date) -> Move:
    """Somebody is related to the head otherwise than noted."""
    _must_be_open(household)
    row = _row(_present(household), person)
    if row.relation == Relation.HEAD:
        raise Refused(_("This is the head of the household: choose another head instead."))
    if row.relation == relation:
        raise Refused(_("This relation is noted already."))
    _not_before(on, [row])
    return Move("related", household, on, ((row, Ending.RELATION),), (Begin(row.person, household, relation),))


def leave(
    household: Household, persons: Iterable[uuid.UUID], state: str, on: dt.date, *,
    new_head: uuid.UUID | None = None, relations: Mapping[uuid.UUID, str] | None = None,
) -> Move:  # fmt: skip
    """Some members (or all) die, move away, leave the city, or were entered by mistake: `state` says which.

    When nobody stays, the memberships stay as they are and the file is no longer open.
    """
    _must_be_open(household)
    wanted, rows = set(persons), _present(household)
    going = [row for row in rows if row.person_id in wanted]
    staying = [row for row in rows if row.person_id not in wanted]
    if not going:
        raise Refused(_("Choose who."))
    _not_before(on, going)
    states = tuple((row.person, state) for row in going)
    if not staying:
        closed = state if state in (HouseholdState.MOVED, HouseholdState.LEFT) else HouseholdState.CLOSED
        return Move(state, household, on, states=states, files=((household, closed),))
    ends, begins = _headed(staying, new_head, on, relations or {}, household)
    gone = tuple((row, state) for row in going)
    return Move(state, household, on, gone + ends, begins, states=states)


def _headed(
    staying: Sequence[HouseholdMember], head: uuid.UUID | None, on: dt.date, said: Mapping[uuid.UUID, str],
    household: Household, *, always: bool = False,
) -> tuple[tuple[tuple[HouseholdMember, str], ...], tuple[Begin, ...]]:  # fmt: skip
    """What ends and begins so that those who stay have a head: nothing while theirs is among them."""
    if not always and any(row.relation == Relation.HEAD for row in staying):
        return (), ()
    if head is None and len(staying) == 1:
        head = staying[0].person_id
    if head is None or head not in {row.person_id for row in staying}:
        raise Refused(_("The head leaves: choose who is the head of those who stay."))
    was = _row(staying, head).relation
    told = {row.person_id: _relation(row, head, was, said) for row in staying}
    changed = [row for row in staying if told[row.person_id] != row.relation]
    _not_before(on, changed)
    return (
        tuple((row, str(Ending.RELATION)) for row in changed),
        tuple(Begin(row.person, household, told[row.person_id]) for row in changed),
    )


def _relation(row: HouseholdMember, head: uuid.UUID, was: str, said: Mapping[uuid.UUID, str]) -> str:
    if row.person_id == head:
        return Relation.HEAD
    told = said.get(row.person_id, "")
    return told if told and told != Relation.HEAD else str(seen_from(was, row.relation))


def _present(household: Household) -> list[HouseholdMember]:
    """Members of the household now, head first."""
    rows = household.members.filter(until=None).select_related("person", "household").order_by("since", "created_at")
    return sorted(rows, key=lambda row: row.relation != Relation.HEAD)


def _row(rows: Iterable[HouseholdMember], person: uuid.UUID) -> HouseholdMember:
    for row in rows:
        if row.person_id == person:
            return row
    raise Refused(_("This person is no longer a member of this household."))


def _must_be_open(household: Household) -> None:
    if household.state != HouseholdState.OPEN:
        raise Refused(_("This file is not open: open it again first."))


def _not_before(on: dt.date, rows: Iterable[HouseholdMember]) -> None:
    if any(row.since > on for row in rows):
        raise Refused(_("On that day this person was not yet a member as noted: choose a later day."))


# -- carrying them out ------------------------------------------------------------------------------------------------


@transaction.atomic
def carry_out(move: Move, *, by: User, version: int) -> Household:
    """Do what a move says. `version` is the household's when it was shown. Returns the household, or the founded one.

    Raises Denied, and Conflict when somebody else changed the household meanwhile.
    """
    persons, households = move.persons(), move.households()
    sight = queries.Sight(by, persons)
    require(sight.writes >= set(persons), f"cases.household.{move.what}", move.household)
    locked = {each.pk: each for each in Household.objects.select_for_update().filter(pk__in=households).order_by("pk")}
    require(len(locked) == len(households), f"cases.household.{move.what}", move.household)
    if locked[move.household.pk].version != version:
        raise Conflict(locked[move.household.pk])
    _still_so(move, locked[move.household.pk])
    hold = any(each.restricted for each in [*locked.values(), *persons.values()])
    held = [_hold(person, by) for person in persons.values()] if hold else []
    # files first: a restricted one is seen through its members, who are about to leave it
    closing = {each.pk: state for each, state in move.files}
    for each in locked.values():
        state = closing.get(each.pk, each.state)
        each.state, each.version = state, each.version + 1
        each.closed_on = None if state == HouseholdState.OPEN else each.closed_on or move.on
        each.save(update_fields=["state", "closed_on", "version", "changed_at"])
    for row, why in move.ends:
        row.until, row.ending = max(move.on, row.since), why
        row.save(update_fields=["until", "ending"])
    for row in move.reopens:
        row.until, row.ending = None, ""
        row.save(update_fields=["until", "ending"])
    founded = _found(move.household, move.on) if move.founds else None
    begun, newcomer = _begin(move, founded or move.household, by)
    for person, state in move.states:
        person.state, person.state_on, person.version = state, move.on, person.version + 1
        person.save(update_fields=["state", "state_on", "version", "changed_at"])
    if by.pk in (move.household.lead_worker_id, move.household.backup_worker_id):
        _let_go(held)
    _record(move, begun, founded, newcomer, list(locked.values()), by)
    return founded or locked[move.household.pk]


def _still_so(move: Move, now: Household) -> None:
    """Nobody has moved since the move was made, in whatever household. Raises Conflict."""
    ends = [row.pk for row, _why in move.ends]
    comes = [begin.person.pk for begin in move.begins if begin.person] + [row.person_id for row in move.reopens]
    there = HouseholdMember.objects.filter(until=None)
    if there.filter(pk__in=ends).count() < len(ends) or there.filter(person_id__in=comes).exclude(pk__in=ends).exists():
        raise Conflict(now)


def _begin(move: Move, home: Household, by: User) -> tuple[list[HouseholdMember], Person | None]:
    """The memberships that begin, and the person who is new."""
    begun, newcomer = [], None
    for begin in move.begins:
        household = begin.household or home
        if begin.person is None:
            assert move.new is not None
            newcomer = add_person(household, move.new, since=move.on, by=by)
            begun.append(HouseholdMember.objects.get(person=newcomer, until=None))
            if move.what == "born":
                _same_address(newcomer, household, move.on)
            continue
        _same_lock(begin.person, household)
        begun.append(
            HouseholdMember.objects.create(
                person=begin.person, household=household, relation=begin.relation, since=move.on
            )
        )
    return begun, newcomer


def _found(household: Household, on: dt.date) -> Household:
    """A household like this one: same holder, workers and next contact."""
    return Household.objects.create(
        holder_id=household.holder_id, reference=new_reference(), opened_on=on, restricted=household.restricted,
        lead_worker_id=household.lead_worker_id, backup_worker_id=household.backup_worker_id,
        next_contact_on=household.next_contact_on,
    )  # fmt: skip


def _same_lock(person: Person, household: Household) -> None:
    """Whoever comes into a restricted file is restricted with it, and the other way round."""
    if person.restricted != household.restricted:
        person.restricted = household.restricted
        index_names(person)
        person.save(update_fields=["restricted", "changed_at"])


def _same_address(child: Person, household: Household, on: dt.date) -> None:
    """A child who is born lives where the head lives."""
    head = household.members.filter(until=None, relation=Relation.HEAD).first()
    old = head and Address.objects.filter(person_id=head.person_id, until=None).exclude(kind="mail").first()
    if not old:
        return
    vault = Vault([child.pk, old.person_id])
    new = Address(
        person=child, row_class=old.row_class, kind=old.kind, borough=old.borough, hidden=old.hidden, since=on
    )
    try:
        vault.put(new, text=vault.open(old, "text")).save(force_insert=True)
    except Unreadable:  # the head's key is gone: so is the address
        return


def _hold(person: Person, by: User) -> NamedAccess:
    """A restricted file is seen through its household: whoever moves people keeps hold of them meanwhile."""
    return NamedAccess.objects.create(person=person, user=by, named_by=by)


def _let_go(held: list[NamedAccess]) -> None:
    """The lead sees people through their household again; of those who are in none any more they keep hold."""
    homes = set(
        HouseholdMember.objects.filter(person_id__in=[name.person_id for name in held], until=None).values_list(
            "person_id", flat=True
        )
    )
    for name in held:
        if name.person_id in homes:
            name.ended_at = timezone.now()
            name.save(update_fields=["ended_at"])


def _record(
    move: Move, begun: list[HouseholdMember], founded: Household | None, newcomer: Person | None,
    households: list[Household], by: User,
) -> None:  # fmt: skip
    """One call: the household tells it all (keys and dates), each other household and person that it happened."""
    people = [*move.persons().values(), *([newcomer] if newcomer else [])]
    told: dict[str, Any] = {
        "on": move.on.isoformat(),
        "people": [person.pk for person in people],
        "ended": [row.pk for row, _why in move.ends],
        "begun": [row.pk for row in begun],
        "reopened": [row.pk for row in move.reopens],
        "states": [person.pk for person, _state in move.states],
        "files": [each.pk for each, _state in move.files],
        "founded": founded.pk if founded else None,
        "new": newcomer.pk if newcomer else None,
        "undoes": move.undoes,
    }
    told = {key: value for key, value in told.items() if value}
    others = [each for each in households if each.pk != move.household.pk] + ([founded] if founded else [])
    short = {"household": move.household.pk} | ({"undoes": move.undoes} if move.undoes else {})
    record_many(
        [
            Entry(f"cases.household.{move.what}", "cases.household", move.household.pk, None, told),
            *(Entry(f"cases.household.{move.what}", "cases.household", each.pk, None, short) for each in others),
            *(Entry(f"cases.person.{move.what}", "cases.person", person.pk, None, short) for person in people),
        ],
        by=by,
    )


# -- taking back ------------------------------------------------------------------------------------------------------

MOVES = ("joined", "added", "born", "split", "head", "related", "deceased", "moved", "left", "mistake", "closed",
         "reopened")  # fmt: skip
#: what is told of a household and can be taken back
UNDOABLE = {f"cases.household.{what}" for what in MOVES if what not in ("closed", "reopened")}


def undone(events: Iterable[Event]) -> set[int]:
    """The numbers of the events that other events took back."""
    return {event.after["undoes"] for event in events if event.after and event.after.get("undoes")}


def undo(event: Event, household: Household) -> Move:
    """The move that takes a happening back. Raises Refused, with the reason, when something later hangs on it."""
    told = event.after or {}
    if event.code not in UNDOABLE or "people" not in told or event.object_id != household.pk:
        raise Refused(_("This can't be taken back from here."))
    objects = [uuid.UUID(key) for key in told["people"]] + [household.pk]
    objects += [uuid.UUID(key) for key in [*told.get("files", ()), *filter(None, [told.get("founded")])]]
    later = list(Event.objects.filter(object_id__in=objects, id__gt=event.pk).order_by("id"))
    _nothing_hangs_on(event, later)
    begun = _memberships(told.get("begun", ()))
    ended = _memberships(told.get("ended", ()))
    persons = {person.pk: person for person in Person.objects.filter(pk__in=told["people"])}
    if len(persons) < len(told["people"]) or len(begun) < len(told.get("begun", ())):
        raise Refused(_("You no longer see everybody whom this was about."))
    if any(row.until is not None for row in begun):
        raise Refused(_("Somebody whom this was about has moved on since."))
    states = [(persons[uuid.UUID(key)], _state_before(uuid.UUID(key), begun, event)) for key in told.get("states", ())]
    if told.get("new"):
        states.append((persons[uuid.UUID(told["new"])], PersonState.MISTAKE))
    files = [(each, HouseholdState.OPEN) for each in Household.objects.filter(pk__in=told.get("files", ()))]
    files += [(each, HouseholdState.CLOSED) for each in Household.objects.filter(pk=told.get("founded"))]
    return Move(
        "undone", household, timezone.localdate(), tuple((row, str(Ending.MISTAKE)) for row in begun),
        reopens=tuple(ended), states=tuple(states), files=tuple(files), undoes=event.pk, about=tuple(persons.values()),
    )  # fmt: skip


def _nothing_hangs_on(event: Event, later: list[Event]) -> None:
    back = undone(later)
    if event.pk in back:
        raise Refused(_("This was taken back already."))
    for other in later:
        what = other.code.rpartition(".")[2]
        if what in MOVES and other.pk not in back and not _sibling(other, event, later):
            raise Refused(_("Something that happened later hangs on this: take that back first."))


def _sibling(other: Event, event: Event, later: list[Event]) -> bool:
    """Is `other` the same happening, told of another object, or of one that was taken back?"""
    if other.at == event.at:
        return True
    told = other.after or {}
    home = told.get("household") or other.object_id
    head = Event.objects.filter(at=other.at, object_id=home, code__startswith="cases.household.").first()
    return head is not None and head.pk in undone(later)


def _memberships(keys: Iterable[str]) -> list[HouseholdMember]:
    return list(HouseholdMember.objects.filter(pk__in=list(keys)).select_related("person", "household"))


def _state_before(person: uuid.UUID, begun: list[HouseholdMember], event: Event) -> str:
    """What a person was before: here, unless they had come back with what is now taken back."""
    if not event.code.endswith(".joined"):
        return PersonState.PRESENT
    last = (
        HouseholdMember.objects.filter(person_id=person, ending__in=[PersonState.MOVED, PersonState.LEFT])
        .exclude(pk__in=[row.pk for row in begun])
        .order_by("-until", "-created_at")
        .first()
    )
    return str(last.ending) if last else str(PersonState.PRESENT)
