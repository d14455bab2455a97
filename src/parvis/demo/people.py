"""Invented people: households of one to eight, in many scripts, with all that a file holds, the same for the same seed.

Written by COPY as the owner, in one transaction that takes the locks off the tables about people and puts them back:
nobody else sees the tables meanwhile, and the access projection is made at the end by its own definition
(`access_projection_all`). Two to three hundred people come with every demo; `parvis demo --people 1000000` makes a
large office. Keys, and so sealed bytes, are random every time; everything else is counted from the seed and the day.
"""

import datetime as dt
import multiprocessing
import os
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random
from typing import Any

import django
from django.db import connection, models, transaction

from parvis.accounts.models import Role, User
from parvis.appointments.models import Appointment, AppointmentPerson, InterpreterBooking
from parvis.arrivals.models import Arrival
from parvis.cases import consent_texts, contact, policies
from parvis.cases.models import (
    Access,
    Address,
    Agreement,
    Background,
    Consent,
    ConsentRecipient,
    ContactPoint,
    Finding,
    Household,
    HouseholdMember,
    ImmigrationStatus,
    Person,
    PersonKey,
    SearchToken,
    SpokenLanguage,
    Withdrawal,
)
from parvis.cases.models.base import OFFICE
from parvis.cases.models.profile import DOMAIN_CLASSES, Domain
from parvis.core import names
from parvis.core.access import DataClass
from parvis.demo.appointments import load_appointments
from parvis.demo.arrivals import load_arrivals
from parvis.demo.cities import CITIES, FIRST_NAMES, LAST_NAMES, DemoCity
from parvis.demo.generator import NAMESPACE, identifier, identifier_space
from parvis.demo.messages import load_messages
from parvis.demo.origins import ORIGINS, Origin
from parvis.demo.plans import load_plans
from parvis.demo.referrals import load_referrals
from parvis.kit import policies as locks
from parvis.kit import sealing
from parvis.kit.server import Roles
from parvis.ledger.actions import Entry, record_many
from parvis.ledger.models import Event
from parvis.messaging.models import Message, OptOut
from parvis.orgs.models import Organization
from parvis.places import gazetteer
from parvis.plans import models as plans
from parvis.referrals.models import Referral, ReferralChange

Progress = Callable[[str, int, int], None]

#: how many people are in a household, over and over: 65 in 20 households
SIZES = (4, 1, 6, 2, 3, 1, 5, 2, 1, 4, 8, 3, 1, 2, 7, 4, 1, 5, 2, 3)
ORDINARY = 195  # people in a demo that nobody asked more of: 60 households
CHUNK = 1_500  # households made and copied at once
AT_ONCE = 20_000  # people from which on indexes are made after the rows, by several processes
RECORDED = 200  # households whose opening the ledger tells one by one
ORGANIZATIONS = 200  # with an agreement
CODE = "demo.people.loaded"
HOUSEHOLDS_PER_WORKER = 120

#: what is filled, parents first: table -> the columns that a row gives; the others are the model's defaults
GIVEN: dict[type[models.Model], tuple[str, ...]] = {
    Household: ("id", "holder_id", "reference", "state", "opened_on", "closed_on", "restricted", "lead_worker_id",
                "created_at", "changed_at"),
    Person: ("id", "holder_id", "restricted", "name", "name_latin", "gender", "birth_year", "birth_date", "language",
             "interpreter", "state", "state_on", "created_at", "changed_at"),
    PersonKey: ("id", "person_id", "version", "wrapped"),
    HouseholdMember: ("id", "person_id", "household_id", "relation", "since", "until", "ending", "created_at"),
    SpokenLanguage: ("id", "person_id", "language", "level", "reads", "created_at"),
    ImmigrationStatus: ("id", "person_id", "stream", "since", "expires_on", "created_at"),
    Address: ("id", "person_id", "row_class", "kind", "text", "borough", "hidden", "since", "created_at"),
    ContactPoint: ("id", "person_id", "system", "value", "value_index", "preferred", "created_at"),
    Background: ("id", "person_id", "kind", "title", "country", "since_year", "created_at"),
    Finding: ("id", "person_id", "row_class", "domain", "kind", "level", "text", "noted_on", "by_id", "created_at"),
    Consent: ("id", "person_id", "purpose", "classes", "given_at", "until", "text_version", "text_language", "channel",
              "witness", "express", "recorded_by_id", "created_at"),
    ConsentRecipient: ("id", "person_id", "consent_id", "organization_id", "created_at"),
    Withdrawal: ("id", "person_id", "consent_id", "at", "channel", "recorded_by_id", "created_at"),
    SearchToken: ("token", "person_id", "grantee_id"),
}  # fmt: skip

LOCKED: tuple[type[models.Model], ...] = (*GIVEN, Access, Agreement, Arrival)

STREAMS = ("claimant",) * 7 + ("recognised",) * 4 + ("resettled",) * 3 + ("pr_other",) * 3 + ("sponsored", "temporary")
TITLES = (
    "Couture", "Enseignement primaire", "Soins infirmiers", "Comptabilité", "Mécanique", "Agriculture", "Cuisine",
    "Menuiserie", "Génie civil", "Commerce", "Informatique", "Coiffure", "Électricité", "Garde d'enfants",
)  # fmt: skip
TEXTS = {
    "need": ("Cherche un logement plus grand.", "Veut apprendre le français.", "Attend une place en garderie.",
             "A besoin d'un suivi.", "Cherche un premier emploi.", "Demande de l'aide pour un formulaire."),
    "strength": ("Parle trois langues.", "A déjà travaillé dans ce métier.", "Aide ses voisins.",
                 "Connaît bien le quartier.", "Très motivée par les études."),
}  # fmt: skip
AREAS_OF_NUMBERS = {"CA": ("514", "438", "450", "418", "819"), "CH": ("22", "21", "31", "44")}
CLEAR = "ACDEFHJKLMNPRTUVWXY34679"


@dataclass(frozen=True)
class Plan:
    """What one household is drawn from beside its number; handed to the processes that make rows."""

    seed: int
    on: dt.date
    organizations: tuple[uuid.UUID, ...]
    agent: uuid.UUID | None
    staff: tuple[uuid.UUID, ...]
    boroughs: tuple[str, ...]
    streets: tuple[str, ...]
    numbers: tuple[tuple[str, int], ...]  # telephone numbers and their blind index
    key_version: int


# -- loading ----------------------------------------------------------------------------------------------------------


def load_people(
    city: str,
    *,
    roles: Roles,
    people: int = ORDINARY,
    seed: int = 1,
    on: dt.date | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Fill the active city with at least `people` invented people (whole households), as the owner role.

    on: the last day of what happened (today when None). Returns rows written by model name; nothing when there are
    as many already. Readers wait until it is done.
    """
    say = progress or (lambda step, done, total: None)
    wanted = households_of(people)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM directory_revision WHERE id = 1 FOR UPDATE")
        before = loaded(city, seed)
        if before >= wanted:
            return {}
        many = people_in(before, wanted) >= AT_ONCE
        plan = _plan(CITIES[city], city, seed, on or dt.date.today(), wanted)
        written = _written(plan, before, wanted, roles, many, say)
        _tell(city, plan, before, wanted, written)
    if many:
        say("statistics", 0, 0)
        _vacuum()
    return written


def households_of(people: int) -> int:
    """How many households hold that many people, at least."""
    whole, rest = divmod(people, sum(SIZES))
    number = whole * len(SIZES)
    while rest > 0:
        rest -= SIZES[number % len(SIZES)]
        number += 1
    return number


def people_in(first: int, last: int) -> int:
    """People of the households from number `first` to before `last`."""
    return sum(SIZES[number % len(SIZES)] for number in range(first, last))


def loaded(city: str, seed: int) -> int:
    """How many households of this demo were loaded already, as the ledger tells."""
    told = Event.objects.filter(object_id=_subject(city, seed), code=CODE).values_list("after", flat=True)
    return max((after["households"] for after in told), default=0)


def _subject(city: str, seed: int) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"people/{city}/{seed}")


def _plan(demo: DemoCity, city: str, seed: int, on: dt.date, households: int) -> Plan:
    space = identifier_space(city, seed)
    wanted = [identifier(space, f"organization/{number}") for number in range(ORGANIZATIONS)]
    there = {str(key) for key in Organization.objects.filter(pk__in=wanted).values_list("pk", flat=True)}
    agent = User.objects.filter(email="agent@example.org", office_role=Role.AGENT, is_active=True).first()
    local = AREAS_OF_NUMBERS.get(demo.country, ("514",))
    form = "+1{}55501{:02}" if demo.country == "CA" else "+41{}55501{:02}"
    numbers = [form.format(area, end) for area in local for end in range(100)]
    return Plan(
        seed=seed,
        on=on,
        organizations=tuple(uuid.UUID(key) for key in wanted if key in there),
        agent=agent.pk if agent else None,
        staff=tuple(_staff(seed, households // HOUSEHOLDS_PER_WORKER)),
        boroughs=tuple(area.name for area in gazetteer.areas(demo.code)),
        streets=demo.streets,
        numbers=tuple((contact.plain("phone", number), contact.index("phone", number)) for number in numbers),
        key_version=sealing.key_versions()[-1],
    )


def _staff(seed: int, number: int) -> Iterator[uuid.UUID]:
    """Accounts that follow the files of a large office; nobody can sign in with them."""
    accounts = []
    for each in range(number):
        draw = Random(f"{seed}/staff/{each}")  # noqa: S311 - a demo holds no secret
        name = f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}"
        key = uuid.uuid5(NAMESPACE, f"staff/{seed}/{each}")
        user = User(id=key, email=f"agent.{seed}.{each}@example.org", name=name, office_role=Role.AGENT, language="fr")
        user.password = "!"  # noqa: S105 - Django's sign for "no password"
        accounts.append(user)
        yield key
    User.objects.bulk_create(accounts, ignore_conflicts=True, batch_size=1000)


def _written(plan: Plan, first: int, last: int, roles: Roles, many: bool, say: Progress) -> dict[str, int]:
    """Unlock, copy, make the projection, lock again."""
    written: dict[str, int] = defaultdict(int)
    tables = [model._meta.db_table for model in LOCKED]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the end of a transaction forbids ALTER TABLE
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        written["agreement"] = _agreements(plan)
        cursor.execute("DELETE FROM cases_access")
        access = _Taken.off([Access._meta.db_table]) if many else _Taken([], [])
        taken = _Taken.off(tables) if many else _Taken([], [])
        done, total = 0, people_in(first, last)
        say("people", 0, total)
        for lot in _lots(plan, first, last, many):
            for model, (rows, lines) in lot.items():
                table, columns = model._meta.db_table, ", ".join(_columns(model))
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    copy.write(lines)
                written[str(model._meta.model_name)] += rows
            done += lot[Person][0]
            say("people", done, total)
        taken.back(say)
        written["arrival"] = load_arrivals(seed=plan.seed)
        say("access", 0, 0)
        cursor.execute(f"ANALYZE {', '.join(tables)}")  # without it, the projection of a million is planned for a few
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(policies.PROJECT_ALL)
        access.back(say)
        beside = (Appointment, AppointmentPerson, InterpreterBooking, Message, OptOut, plans.Plan, plans.Step)
        for model in (*beside, Referral, ReferralChange):
            cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE ROW LEVEL SECURITY")
        written["appointment"] = load_appointments(seed=plan.seed)
        written["message"] = load_messages(seed=plan.seed)
        written["plan"] = load_plans(seed=plan.seed)
        written["referral"] = load_referrals(seed=plan.seed)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE cases_access")
    locks.apply(connection.tenant.schema_name, roles)
    return dict(written)


def _agreements(plan: Plan) -> int:
    there = set(Agreement.objects.values_list("organization_id", flat=True))
    made = Agreement.objects.bulk_create(
        Agreement(
            id=uuid.uuid5(organization, "agreement"),
            organization_id=organization,
            since=plan.on - dt.timedelta(days=900),
            reference=f"E-{number:03}",
        )
        for number, organization in enumerate(plan.organizations, 1)
        if organization not in there
    )
    return len(made)


@dataclass(frozen=True)
class _Taken:
    """Constraints and indexes that were taken off tables while many rows come, and how to put them back."""

    constraints: list[tuple[str, str]]  # table, what to add
    indexes: list[str]

    @classmethod
    def off(cls, tables: Sequence[str]) -> "_Taken":
        """Keys, uniqueness and foreign keys (also those that lead to the tables), then the other indexes."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid), contype"
                " FROM pg_constraint WHERE (conrelid = ANY(%(t)s::regclass[]) OR confrelid = ANY(%(t)s::regclass[]))"
                " AND contype IN ('p', 'u', 'f') AND conparentid = 0 ORDER BY contype = 'f', conname",
                {"t": list(tables)},
            )
            found = cursor.fetchall()
            for table, name, _, _ in reversed(found):
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            cursor.execute(
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
                " WHERE indrelid = ANY(%s::regclass[]) ORDER BY 1",
                [list(tables)],
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
        added = [(table, f"ADD CONSTRAINT {name} {definition}") for table, name, definition, _ in found]
        return cls(added, [definition for _, definition in indexes])

    def back(self, say: Progress) -> None:
        total = len(self.constraints) + len(self.indexes)
        if not total:
            return
        # foreign keys last: they are checked through the keys
        keys = [f"ALTER TABLE {table} {what}" for table, what in self.constraints if "FOREIGN KEY" not in what]
        others = [f"ALTER TABLE {table} {what}" for table, what in self.constraints if "FOREIGN KEY" in what]
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
            cursor.execute("SET LOCAL work_mem = '256MB'")
            for number, statement in enumerate([*keys, *self.indexes, *others]):
                say("indexes", number, total)
                cursor.execute(statement)


def _vacuum() -> None:
    """Statistics, and the marks that let indexes answer alone."""
    with connection.cursor() as cursor:
        for model in LOCKED:
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")


def _tell(city: str, plan: Plan, first: int, last: int, written: dict[str, int]) -> None:
    entries = []
    for number in range(first, min(last, RECORDED)):
        home = _Home(plan, number)
        entries.append(
            Entry("cases.household.opened", "cases.household", home.id, None, {"members": len(home.people)}, "")
        )
        entries += [
            Entry("cases.person.opened", "cases.person", person, None, {"household": home.id}, "")
            for person in home.people
        ]
    told = {"households": last, "written": written, "seed": plan.seed}
    entries.append(Entry(CODE, "demo.people", _subject(city, plan.seed), None, told, ""))
    record_many(entries, by="demo")


# -- rows -------------------------------------------------------------------------------------------------------------

#: by model: how many rows, and they as COPY reads them
Lot = dict[type[models.Model], tuple[int, bytes]]


def _lots(plan: Plan, first: int, last: int, many: bool) -> Iterator[Lot]:
    starts = [(start, min(start + CHUNK, last)) for start in range(first, last, CHUNK)]
    if not many:
        yield from (_lot(plan, *each) for each in starts)
        return
    # New processes, not forks: this one holds a database connection. As many lots wait as there are processes, twice.
    workers = min(8, os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=django.setup) as pool:
        waiting: deque[Future[Lot]] = deque()
        for each in starts:
            waiting.append(pool.submit(_lot, plan, *each))
            if len(waiting) > workers * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _lot(plan: Plan, first: int, last: int) -> Lot:
    """The rows of some households."""
    lines: dict[type[models.Model], list[str]] = {model: [] for model in GIVEN}
    for number in range(first, last):
        _Home(plan, number, lines).write()
    return {model: (len(rows), "".join(rows).encode()) for model, rows in lines.items() if rows}


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    given = GIVEN[model]
    return given + tuple(
        str(field.column)
        for field in model._meta.concrete_fields
        if field.column and field.column not in given and not isinstance(field, models.CompositePrimaryKey)
    )


@cache
def _rest(model: type[models.Model]) -> str:
    """The defaults of the columns that a row doesn't give, as COPY reads them."""
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    rest = [_text(fields[column].get_default()) for column in _columns(model)[len(GIVEN[model]) :]]
    return "".join(f"\t{text}" for text in rest) + "\n"


def _text(value: Any) -> str:
    """A value as COPY's text form has it; the demo's texts hold no backslash, tab or line end."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if value is None:
        return "\\N"
    if kind is bool:
        return "t" if value else "f"
    if kind is bytes:
        return "\\\\x" + value.hex()  # type: ignore[no-any-return]
    if isinstance(value, int):
        return str(int(value))
    return str(value)


@lru_cache(maxsize=100_000)
def _words(word: str) -> tuple[str, tuple[str, ...]]:
    """A word of a name in Latin letters, and the tokens of both."""
    latin = names.romanize(word)
    return latin, tuple(sorted(names.tokens([word, latin] if latin != word else [word])))


@lru_cache(maxsize=300_000)
def _blind(holder: uuid.UUID, token: str) -> str:
    return str(sealing.blind(f"name|{holder}", token))


class _Home:
    """One household of the demo: who is in it, and all rows about them."""

    def __init__(self, plan: Plan, number: int, lines: dict[type[models.Model], list[str]] | None = None) -> None:
        self.plan, self.number = plan, number
        self.lines = lines if lines is not None else defaultdict(list)
        self.draw = Random(f"{plan.seed}/household/{number}")  # noqa: S311 - a demo holds no secret
        self.id = self._id()
        self.people = [self._id() for _ in range(SIZES[number % len(SIZES)])]

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self.draw.getrandbits(128), version=4)

    def _add(self, model: type[models.Model], *values: Any) -> None:
        self.lines[model].append("\t".join(map(_text, values)) + _rest(model))

    def write(self) -> None:
        draw, plan = self.draw, self.plan
        ordinary = self.number < households_of(ORDINARY)
        self.origin = draw.choices(ORIGINS, _WEIGHTS)[0]
        self.family = draw.choice(self.origin.families)
        self.opened = plan.on - dt.timedelta(days=draw.randrange(1, 1100))
        self.at = f"{self.opened} {13 + self.number % 8:02}:{self.number % 60:02}:{self.number % 59:02}+00"
        self.holder = OFFICE
        if plan.organizations and draw.random() < 0.2 and not ordinary:
            self.holder = draw.choice(plan.organizations)
        self.restricted = draw.random() < 0.01
        self.worker = self._worker(ordinary)
        state = draw.choices(("open", "moved", "left", "closed"), (90, 5, 3, 2))[0]
        self.closed = None if state == "open" else min(plan.on, self.opened + dt.timedelta(days=draw.randrange(400)))
        self.state = state if state in ("moved", "left") else "present"
        self.stream = draw.choice(STREAMS)
        self.borough = draw.choice(plan.boroughs) if plan.boroughs else ""
        self._add(
            Household, self.id, self.holder, self._reference(), state, self.opened, self.closed, self.restricted,
            self.worker, self.at, self.at,
        )  # fmt: skip
        head = draw.randrange(20, 66)
        for place, key in enumerate(self.people):
            self._person(key, *self._role(place, head))

    def _worker(self, ordinary: bool) -> uuid.UUID | None:
        if self.holder != OFFICE:
            return None
        if ordinary or not self.plan.staff:
            return self.plan.agent if self.number % 3 else None
        return self.plan.staff[self.number // HOUSEHOLDS_PER_WORKER % len(self.plan.staff)]

    def _reference(self) -> str:
        """Every number has its own, and neighbours look nothing alike."""
        places = len(CLEAR) ** 6
        rest = (self.number * 87_178_291 + self.plan.seed * 39_916_801 + 1) % places
        letters = []
        for _ in range(6):
            rest, letter = divmod(rest, len(CLEAR))
            letters.append(CLEAR[letter])
        return "".join(letters)

    def _role(self, place: int, head: int) -> tuple[str, int]:
        """Relation to the head, and age."""
        draw = self.draw
        if place == 0:
            return "head", head
        if place == 1 and draw.random() < 0.8:
            return "spouse", max(18, head + draw.randrange(-6, 7))
        if place >= 6:
            return ("parent", min(92, head + draw.randrange(19, 30))) if place == 6 else ("sibling", head)
        return "child", max(0, head - draw.randrange(19, 40))

    def _person(self, key: uuid.UUID, relation: str, age: int) -> None:
        draw, plan = self.draw, self.plan
        woman = draw.random() < 0.5
        given = draw.choice(self.origin.women if woman else self.origin.men)
        name, latin, tokens = _name(self.origin, given, self.family)
        born = dt.date(plan.on.year - age - 1, 1 + draw.randrange(12), 1 + draw.randrange(28))
        gone = relation not in ("head", "spouse") and draw.random() < 0.005
        state = "deceased" if gone else self.state
        state_on = plan.on if gone else self.closed if state != "present" else None
        secret = sealing.new_key()
        self._add(
            Person, key, self.holder, self.restricted, name, latin, "female" if woman else "male", born.year,
            sealing.seal(secret, str(born).encode(), sealing.bound_to("cases_person", "birth_date", key)),
            self.origin.language, draw.random() < self.origin.interpreter, state, state_on, self.at, self.at,
        )  # fmt: skip
        version, wrapped = sealing.wrap(secret, key, plan.key_version)
        self._add(PersonKey, self._id(), key, version, wrapped)
        until, ending = (state_on, "deceased") if gone else (None, "")
        self._add(HouseholdMember, self._id(), key, self.id, relation, self.opened, until, ending, self.at)
        grantee = None if self.restricted else self.holder
        end = f"\t{key}\t{_text(grantee)}\n"
        alike = names.blocks([name, latin], born.year)
        self.lines[SearchToken] += [_blind(self.holder, token) + end for token in (*tokens, *sorted(alike))]
        self._profile(key, secret, age, head=relation == "head")
        if age >= 16 and plan.organizations and draw.random() < 0.5:
            self._consent(key)

    def _profile(self, key: uuid.UUID, secret: bytes, age: int, *, head: bool) -> None:
        draw, at = self.draw, self.at
        self._add(SpokenLanguage, self._id(), key, self.origin.language, "native", age > 6, at)
        begun = self.opened - dt.timedelta(days=draw.randrange(60))
        expires = begun + dt.timedelta(days=730) if self.stream in ("claimant", "temporary") else None
        row = self._id()
        self._add(ImmigrationStatus, row, key, _seal(secret, ImmigrationStatus, "stream", row, self.stream), begun,
                  expires, at)  # fmt: skip
        if head:
            self._address(key, secret)
        if age < 16:
            return
        if self.origin.language != "fr":
            level = draw.choice(("none", "a1", "a1", "a2", "b1", "b2"))
            self._add(SpokenLanguage, self._id(), key, "fr", level, level > "a1", at)
        if draw.random() < 0.7:
            number, index = draw.choice(self.plan.numbers)
            row = self._id()
            self._add(ContactPoint, row, key, "phone", _seal(secret, ContactPoint, "value", row, number), index, True,
                      at)  # fmt: skip
        if draw.random() < 0.4:
            address = f"personne.{self.plan.seed}.{self.number}.{draw.randrange(100)}@example.org"
            row = self._id()
            self._add(ContactPoint, row, key, "email", _seal(secret, ContactPoint, "value", row, address),
                      sealing.blind("email", address), False, at)  # fmt: skip
        if draw.random() < 0.5:
            kind = draw.choice(("schooling", "diploma", "work"))
            self._add(Background, self._id(), key, kind, draw.choice(TITLES), self.origin.country,
                      self.opened.year - draw.randrange(2, 12), at)  # fmt: skip
        for _ in range(draw.randrange(3)):
            self._finding(key, secret)

    def _address(self, key: uuid.UUID, secret: bytes) -> None:
        hidden = self.draw.random() < 0.03
        text = f"{self.draw.randrange(1, 9000)}, {self.draw.choice(self.plan.streets)}"
        row = self._id()
        self._add(
            Address, row, key, DataClass.HIDDEN_ADDRESS if hidden else DataClass.CONTACT,
            self.draw.choice(("home", "home", "hotel", "relatives")), _seal(secret, Address, "text", row, text),
            "" if hidden else self.borough, hidden, self.opened, self.at,
        )  # fmt: skip

    def _finding(self, key: uuid.UUID, secret: bytes) -> None:
        domain = self.draw.choice(_DOMAINS)
        kind = self.draw.choice(("need", "need", "strength"))
        level = self.draw.choice(("low", "medium", "urgent")) if kind == "need" else ""
        row = self._id()
        self._add(
            Finding, row, key, DOMAIN_CLASSES.get(domain, DataClass.NEEDS), domain.value, kind, level,
            _seal(secret, Finding, "text", row, self.draw.choice(TEXTS[kind])), self.opened, self.worker, self.at,
        )  # fmt: skip

    def _consent(self, key: uuid.UUID) -> None:
        draw, plan = self.draw, self.plan
        given = max(self.opened, plan.on - dt.timedelta(days=draw.randrange(1, 450)))
        classes = draw.choice(_AGREED)
        channel = draw.choice(("screen", "signed", "spoken"))
        row = self._id()
        self._add(
            Consent, row, key, draw.choice(("referral", "referral", "follow_up")), classes, f"{given} 15:00:00+00",
            f"{given + dt.timedelta(days=365)} 15:00:00+00", _TEXT, _shown_in(self.origin.language), channel,
            "Camille Jolivert" if channel == "spoken" else "", bool(classes & DataClass.STATUS), self.worker, self.at,
        )  # fmt: skip
        # some organizations are met far more often than others
        chosen = {
            plan.organizations[int(len(plan.organizations) * draw.random() ** 2)] for _ in range(draw.choice((1, 1, 2)))
        }
        for organization in sorted(chosen - {self.holder}):
            self._add(ConsentRecipient, self._id(), key, row, organization, self.at)
        if draw.random() < 0.05:
            self._add(Withdrawal, self._id(), key, row, f"{plan.on} 01:00:00+00", channel, self.worker, self.at)


_WEIGHTS = [origin.weight for origin in ORIGINS]
_DOMAINS = list(Domain)
_AGREED = (
    DataClass.IDENTITY | DataClass.CONTACT,
    DataClass.IDENTITY | DataClass.CONTACT | DataClass.HOUSEHOLD | DataClass.NEEDS,
    DataClass.IDENTITY | DataClass.CONTACT | DataClass.HOUSEHOLD | DataClass.STATUS | DataClass.PLAN,
)


_TEXT = consent_texts.versions()[0]


def _shown_in(language: str) -> str:
    """The language in which the text of consent was shown: the person's, or French through an interpreter."""
    known = consent_texts.languages()
    return next((tag for tag in (language, language.split("-")[0]) if tag in known), "fr")


def _name(origin: Origin, given: str, family: str) -> tuple[str, str, Iterable[str]]:
    """As the person says it, in Latin letters ("" when it is), and its search tokens."""
    parts = [f"{family}{given}"] if origin.family_first else [given, family]
    known = [_words(part) for part in parts]
    name, latin = " ".join(parts), " ".join(romanized for romanized, _ in known)
    tokens = {token for _, several in known for token in several}
    return name, "" if latin == name else latin, tokens


def _seal(secret: bytes, model: type[models.Model], column: str, row: uuid.UUID, text: str) -> bytes:
    return sealing.seal(secret, text.encode(), sealing.bound_to(model._meta.db_table, column, row))
