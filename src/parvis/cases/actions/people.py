"""Opening a file, and what happens to households: every function is one transaction and one event of the ledger.

`by` is the account that acts; events name the person or household and fields, never values.
"""

import datetime as dt
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import contact, rules
from parvis.cases.models import (
    Address,
    ContactPoint,
    Finding,
    Household,
    HouseholdMember,
    ImmigrationStatus,
    NamedAccess,
    Person,
    SearchToken,
    SpokenLanguage,
)
from parvis.cases.models.base import PersonRow
from parvis.cases.models.people import Gender, Relation
from parvis.cases.models.profile import DOMAIN_CLASSES, Domain, Level
from parvis.cases.vault import Vault
from parvis.core import names
from parvis.core.access import DataClass
from parvis.kit.sealing import blind
from parvis.ledger.actions import Entry, record_many

#: letters and digits that nobody mishears or misreads
_CLEAR = "ACDEFHJKLMNPRTUVWXY34679"


@dataclass(frozen=True)
class NewPerson:
    """What a first conversation gives. Only the name is needed; `anonymous`: a sign instead of a name."""

    name: str
    relation: str = Relation.HEAD
    name_latin: str = ""
    gender: str = Gender.UNKNOWN
    birth_year: int | None = None
    birth_date: dt.date | None = None
    language: str = ""
    interpreter: bool = False
    interpreter_gender: str = ""
    anonymous: bool = False
    phone: str = ""
    #: somebody else may hear it, unless the person says otherwise
    message: bool = False
    #: domains in which the person has an urgent need
    urgent: Sequence[str] = ()
    #: urgent needs with a word of their own: (domain, what)
    needs: Sequence[tuple[str, str]] = ()
    #: immigration stream, when it is known from the start
    stream: str = ""


@dataclass(frozen=True)
class NewHousehold:
    """A household and its members, head first."""

    holder: uuid.UUID
    members: Sequence[NewPerson]
    opened_on: dt.date
    lead_worker: User | None = None
    restricted: bool = False
    #: where they all sleep tonight: a kind of lodging, and perhaps where
    lodging: str = ""
    address: str = ""
    #: other columns of the household; {"lead_worker": None}: nobody answers for it yet
    more: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def open_household(new: NewHousehold, *, by: User) -> Household:
    """Open a file. Its lead worker is `by` unless another is named. Raises Denied, ValueError without a head."""
    return open_households([new], by=by)[0].household


@dataclass(frozen=True)
class Opened:
    """A file that was opened, and its people in the order given."""

    household: Household
    people: list[Person]


@transaction.atomic
def open_households(
    several: Sequence[NewHousehold],
    *,
    by: User,
    tell: bool = True,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Opened]:
    """Open many files at once, all or none, in a few statements for each table. `progress` is told people done.

    `tell=False`: the caller's own call of the ledger tells `opening_events` beside more of its own.
    Raises Denied, ValueError for a household that has not one head.
    """
    for holder in {new.holder for new in several}:
        require(rules.may_open_file(by, holder), "cases.household.open")
    if any([member.relation for member in new.members].count(Relation.HEAD) != 1 for new in several):
        raise ValueError("a household has one head")
    households = _households(several, by)
    opened: list[Opened] = []
    done = 0
    for start in range(0, len(several), AT_ONCE):
        lot = list(zip(households[start : start + AT_ONCE], several[start : start + AT_ONCE], strict=True))
        people = add_people([(home, member, new) for home, new in lot for member in new.members], by)
        for home, new in lot:
            of_home, people = people[: len(new.members)], people[len(new.members) :]
            opened.append(Opened(home, of_home))
            done += len(of_home)
        progress(done)
    if tell:
        record_many(opening_events(opened), by=by)
    return opened


def opening_events(opened: Iterable[Opened]) -> Iterator[Entry]:
    """What the ledger is told of files that were opened."""
    for one in opened:
        members = {"members": len(one.people)}
        yield Entry("cases.household.opened", "cases.household", one.household.pk, None, members)
        for person in one.people:
            yield Entry("cases.person.opened", "cases.person", person.pk, None, {"household": one.household.pk})


AT_ONCE = 500  # households written together


def _households(several: Sequence[NewHousehold], by: User) -> list[Household]:
    """The households, saved. One reference in 190 million is taken already: with many, some are drawn again."""
    made = [
        Household(
            holder_id=new.holder, reference=new_reference(), opened_on=new.opened_on, restricted=new.restricted,
            **{"lead_worker": new.lead_worker or by, **new.more},
        )
        for new in several
    ]  # fmt: skip
    for attempt in range(REFERENCES_DRAWN):
        references = {home.reference for home in made}
        taken = set(Household.objects.filter(reference__in=references).values_list("reference", flat=True))
        for home in made:
            while home.reference in taken:
                home.reference = new_reference()
            taken.add(home.reference)
        try:
            with transaction.atomic():
                Household.objects.bulk_create(made, batch_size=2000)
            return made
        except IntegrityError:  # one that this account may not see
            if attempt == REFERENCES_DRAWN - 1:
                raise
            for home in made:
                home.reference = new_reference()
    return made


REFERENCES_DRAWN = 5


def add_person(household: Household, new: NewPerson, *, since: dt.date, by: User) -> Person:
    """A new person in a household, with their key and search tokens. The caller writes the event."""
    inside = NewHousehold(holder=household.holder_id, members=[new], opened_on=since)
    return add_people([(household, new, inside)], by)[0]


def add_people(several: Sequence[tuple[Household, NewPerson, NewHousehold]], by: User) -> list[Person]:
    """New people in households: keys, places in them, languages, telephones, needs, lodging and search tokens.

    The third of each says since when, and where they sleep. The caller has judged who may, and writes the events.
    """
    people = [
        Person(
            holder_id=home.holder_id, anonymous=new.anonymous, name=new.name.strip(),
            name_latin=new.name_latin.strip() or latin(new.name), gender=new.gender,
            birth_year=new.birth_date.year if new.birth_date else new.birth_year, language=new.language,
            interpreter=new.interpreter, interpreter_gender=new.interpreter_gender,
        )
        for home, new, _ in several
    ]  # fmt: skip
    vault = Vault([])
    vault.make([person.pk for person in people])
    for person, (_, new, _) in zip(people, several, strict=True):
        if new.birth_date:
            vault.put(person, birth_date=new.birth_date.isoformat())
    Person.objects.bulk_create(people, batch_size=2000)
    HouseholdMember.objects.bulk_create(
        [
            HouseholdMember(person=person, household=home, relation=new.relation, since=inside.opened_on)
            for person, (home, new, inside) in zip(people, several, strict=True)
        ],
        batch_size=2000,
    )
    vault.keep()
    rows: dict[type[PersonRow], list[Any]] = defaultdict(list)
    for person, (_, new, inside) in zip(people, several, strict=True):
        for row in _first_rows(person, new, inside, vault, by):
            rows[type(row)].append(row)
    for model, made in rows.items():
        model.objects.bulk_create(made, batch_size=2000)  # type: ignore[attr-defined]
    for person, (home, _, _) in zip(people, several, strict=True):
        if home.restricted:
            restrict(person, by, home)
    _store_tokens([(person, [person.name, person.name_latin]) for person in people])
    return people


def _first_rows(person: Person, new: NewPerson, inside: NewHousehold, vault: Vault, by: User) -> Iterator[PersonRow]:
    """What a first conversation tells beside the name, unsaved."""
    if new.language:
        yield SpokenLanguage(person=person, language=new.language, level=Level.NATIVE)
    if new.stream:
        yield vault.put(ImmigrationStatus(person=person, since=inside.opened_on), stream=new.stream)
    if new.phone:
        phone = ContactPoint(person=person, system="phone", value_index=contact.index("phone", new.phone),
                             preferred=True, safe_to_leave_message=new.message)  # fmt: skip
        yield vault.put(phone, value=contact.plain("phone", new.phone))
    for domain, text in (*((domain, "") for domain in new.urgent), *new.needs):
        need = Finding(
            person=person, domain=domain, row_class=DOMAIN_CLASSES.get(Domain(domain), DataClass.NEEDS),
            kind=Finding.Kind.NEED, level=Finding.Level.URGENT, noted_on=inside.opened_on, by=by,
        )  # fmt: skip
        yield vault.put(need, text=text) if text else need
    if inside.lodging or inside.address:
        home = Address(person=person, kind=inside.lodging or Address.Kind.HOME, since=inside.opened_on)
        yield vault.put(home, text=inside.address.strip())


def restrict(person: Person, by: User, household: Household) -> None:
    """From now on only lead, backup and who is named see the person; `by` is named unless they are one of the two."""
    if by.pk not in (household.lead_worker_id, household.backup_worker_id):
        NamedAccess.objects.create(person=person, user=by, named_by=by)
    person.restricted = True
    person.save(update_fields=["restricted", "changed_at"])


def latin(name: str) -> str:
    """The name in Latin letters, "" when it is in them already."""
    romanized = names.romanize(name)
    return "" if romanized == name.strip() else romanized


def index_names(person: Person) -> None:
    """Make the blind index of a person's names again; part of every action that changes one."""
    known = [person.name, person.name_latin, *person.personnames.values_list("text", flat=True)]
    SearchToken.objects.filter(person_id=person.pk).delete()
    _store_tokens([(person, known)])


def _store_tokens(several: Iterable[tuple[Person, Iterable[str]]]) -> None:
    """The tokens of people by their names: dozens a person, in one statement."""
    hashed: list[int] = []
    whose: list[uuid.UUID] = []
    grantees: list[uuid.UUID | None] = []
    known_already: dict[tuple[uuid.UUID, str], int] = {}  # the members of a family share many
    for person, known in several:
        for token in sorted(name_tokens(known, person.birth_year)):
            asked = (person.holder_id, token)
            if asked not in known_already:
                known_already[asked] = blind(f"name|{person.holder_id}", token)
            hashed.append(known_already[asked])
            whose.append(person.pk)
            grantees.append(None if person.restricted else person.holder_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_searchtoken (token, person_id, grantee_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[])",
            [hashed, whose, grantees],
        )


def name_tokens(known: Iterable[str], birth_year: int | None) -> frozenset[str]:
    """What a person is found by while a name is typed, and what their likely duplicates are found by."""
    given = [name for name in known if name]
    return names.tokens(given) | names.blocks(given, birth_year)


def new_reference() -> str:
    """Six clear letters and digits: one in 190 million is taken already, and the constraint would say so."""
    return "".join(secrets.choice(_CLEAR) for _ in range(6))
