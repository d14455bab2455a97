"""Opening a file, and what happens to households: every function is one transaction and one event of the ledger.

`by` is the account that acts; events name the person or household and fields, never values.
"""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import contact, rules
from parvis.cases.models import (
    Address,
    ContactPoint,
    Finding,
    Household,
    HouseholdMember,
    NamedAccess,
    Person,
    SearchToken,
    SpokenLanguage,
)
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
    more: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def open_household(new: NewHousehold, *, by: User) -> Household:
    """Open a file. Its lead worker is `by` unless another is named. Raises Denied, ValueError without a head."""
    require(rules.may_open_file(by, new.holder), "cases.household.open")
    if [member.relation for member in new.members].count(Relation.HEAD) != 1:
        raise ValueError("a household has one head")
    household = Household.objects.create(
        holder_id=new.holder,
        reference=new_reference(),
        opened_on=new.opened_on,
        restricted=new.restricted,
        lead_worker=new.lead_worker or by,
        **new.more,
    )
    people = [add_person(household, member, since=new.opened_on, by=by) for member in new.members]
    if new.lodging or new.address:
        vault = Vault([person.pk for person in people])
        for person in people:
            home = Address(person=person, kind=new.lodging or Address.Kind.HOME, since=new.opened_on)
            vault.put(home, text=new.address.strip()).save(force_insert=True)
    record_many(
        [
            Entry("cases.household.opened", "cases.household", household.pk, None, {"members": len(people)}),
            *(
                Entry("cases.person.opened", "cases.person", person.pk, None, {"household": household.pk})
                for person in people
            ),
        ],
        by=by,
    )
    return household


def add_person(household: Household, new: NewPerson, *, since: dt.date, by: User) -> Person:
    """A new person in a household, with their key and search tokens. The caller writes the event."""
    person = Person(
        holder_id=household.holder_id,
        anonymous=new.anonymous,
        name=new.name.strip(),
        name_latin=new.name_latin.strip() or latin(new.name),
        gender=new.gender,
        birth_year=new.birth_date.year if new.birth_date else new.birth_year,
        language=new.language,
        interpreter=new.interpreter,
        interpreter_gender=new.interpreter_gender,
    )
    person.save(force_insert=True)
    HouseholdMember.objects.create(person=person, household=household, relation=new.relation, since=since)
    vault = Vault.of_new(person)
    if new.birth_date:
        vault.put(person, birth_date=new.birth_date.isoformat()).save(update_fields=["birth_date"])
    if new.language:
        SpokenLanguage.objects.create(person=person, language=new.language, level=Level.NATIVE)
    if new.phone:
        phone = ContactPoint(person=person, system="phone", value_index=contact.index("phone", new.phone),
                             preferred=True, safe_to_leave_message=new.message)  # fmt: skip
        vault.put(phone, value=contact.plain("phone", new.phone)).save(force_insert=True)
    for domain in new.urgent:
        Finding.objects.create(
            person=person, domain=domain, row_class=DOMAIN_CLASSES.get(Domain(domain), DataClass.NEEDS),
            kind=Finding.Kind.NEED, level=Finding.Level.URGENT, noted_on=since, by=by,
        )  # fmt: skip
    if household.restricted:
        restrict(person, by, household)
    index_names(person)
    return person


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
    SearchToken.objects.bulk_create(
        SearchToken(
            token=blind(f"name|{person.holder_id}", token),
            person_id=person.pk,
            grantee_id=None if person.restricted else person.holder_id,
        )
        for token in sorted(names.tokens(filter(None, known)))
    )


def new_reference() -> str:
    """Six clear letters and digits: one in 190 million is taken already, and the constraint would say so."""
    return "".join(secrets.choice(_CLEAR) for _ in range(6))
