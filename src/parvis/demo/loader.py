"""Filling a city with the demo: tables, words, places, people, documents, search and ledger, in one transaction.

The same demo twice changes nothing; a larger one adds what is new and leaves alone what people have edited, and does
not bring back what they have deleted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from parvis.accounts.actions import add_user
from parvis.accounts.models import Role, User
from parvis.cities.actions import add_city
from parvis.cities.queries import cities
from parvis.core.geometry import contains
from parvis.core.hsds import LOAD_ORDER
from parvis.demo import content
from parvis.demo.cities import CITIES, MONTREAL, DemoCity
from parvis.demo.generator import LAST_DAY, generate, identifier, identifier_space
from parvis.demo.people import ORDINARY, load_people
from parvis.directory import documents, search
from parvis.directory.models import ImportRun, Tombstone, Verification
from parvis.kit.server import Roles
from parvis.ledger.actions import Entry, record_many
from parvis.orgs.actions import add_member
from parvis.orgs.models import Organization, PartnerRole
from parvis.places import gazetteer
from parvis.places.actions import load_geography
from parvis.words import actions as words

#: step ("rows", "documents", ...), how much is done, how much there is (0: not known)
Progress = Callable[[str, int, int], None]

PASSWORD = "bienvenue-au-parvis"  # noqa: S105 - printed by `parvis run`, for invented people in an invented city
ACTOR = "demo"
CHUNK = 40_000  # rows held in memory before they are written
#: e-mail name, name, role, how many organizations; the role is an office role or a partner's.
PEOPLE: tuple[tuple[str, str, str, int], ...] = (
    ("agent", "Alice Tessandier", Role.AGENT, 0),
    ("coordinator", "Bob Valcimond", Role.COORDINATOR, 0),
    ("director", "Charlie Ortuval", Role.DIRECTOR, 0),
    ("administrator", "Dessalegn Cormandel", Role.ADMINISTRATOR, 0),
    ("privacy", "Halima Sorvandec", Role.PRIVACY, 0),
    ("worker", "Elena Lavertin", PartnerRole.WORKER, 1),
    ("manager", "Farid Elmoradi", PartnerRole.MANAGER, 2),
)
#: What the ledger names; the rest hangs on these.
RECORDED = ("organization", "service", "location", "taxonomy", "taxonomy_term")
SHARE_CONFIRMED = 0.75
MEANS = ("phone", "email", "visit", "self", "website")


class OlderDemo(Exception):
    """The city holds the demo of another edition of Parvis, which this one can't add to; nothing was written."""


def load_demo(
    *,
    roles: Roles,
    services: int | None = None,
    people: int | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> dict[str, dict[str, int]]:
    """Make the demo cities that are missing (as the owner role) and fill both. `services`, `people` are Montréal's.

    Returns, by city, what `load` wrote.
    """
    there = {city.schema_name for city in cities()}
    for demo in CITIES.values():
        if demo.code not in there:
            add_city(
                demo.code,
                name=demo.name,
                domains=demo.domains,
                languages=demo.languages,
                timezone=demo.timezone,
                country=demo.country,
                office_phone=demo.office_phone,
                office_email=demo.office_email,
                roles=roles,
            )
    written = {}
    for city in cities():
        if city.schema_name in CITIES:
            connection.set_tenant(city)
            ours = city.schema_name == MONTREAL.code
            wanted = services if ours else None
            told = load(city.schema_name, services=wanted, seed=seed, progress=progress)
            number = people if ours and people is not None else ORDINARY
            told |= load_people(city.schema_name, roles=roles, people=number, seed=seed, progress=progress)
            written[city.schema_name] = told
    connection.set_schema_to_public()
    return written


def sign_ins() -> Iterator[str]:
    """One line for each demo account of the default city, the password first; nothing where there is no demo."""
    demo = next((city for city in cities() if city.is_default and city.schema_name in CITIES), None)
    if demo is None:
        return
    before = connection.tenant
    connection.set_tenant(demo)
    there = set(User.objects.values_list("email", flat=True))
    connection.set_tenant(before)
    people = [person for person in PEOPLE if f"{person[0]}@example.org" in there]
    if people:
        yield f"Sign in with the password {PASSWORD} as"
        for local, _, role, _ in people:
            label = Role(role).label if role in Role.values else PartnerRole(role).label
            yield f"  {local + '@example.org':26} {label}"


@transaction.atomic
def load(
    city: str,
    *,
    services: int | None = None,
    seed: int = 1,
    on: date | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Fill the active city with the demo of `city`, in one transaction; returns rows written by entity.

    services: how many (the city's own number when None). on: the day from which "confirmed 12 days ago" counts
    (today when None). Raises KeyError when `city` is no demo city, ValueError for a negative number, OlderDemo.
    """
    demo = CITIES[city]
    wanted = demo.services if services is None else services
    source = f"demo {city} {seed}"
    on = on or timezone.localdate()
    say = progress or (lambda step, done, total: None)
    # Writers of one city take turns on its revision, as everybody who renders documents does.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM directory_revision WHERE id = 1 FOR UPDATE")
    runs = [run.report for run in ImportRun.objects.filter(source=source)]
    before = max((report["wanted"] for report in runs), default=-1)
    written: dict[str, int] = defaultdict(int)
    load_geography(city)
    if before >= wanted:
        _people(city, seed)
        return dict(written)
    if any(report["edition"] != edition() for report in runs):
        raise OlderDemo(
            f"{connection.tenant.schema_name} holds the demo of another edition of Parvis: "
            "fill a new city, or give another --seed"
        )
    started = timezone.now()
    # What was written once is not written again: people may have edited it, or taken it away.
    known = (
        {row["id"] for _, row in generate(city, seed=seed, services=before) if "id" in row} if before >= 0 else set()
    )
    writer = _Writer(demo, source, written, on, known)
    done = 0
    for entity, row in generate(city, seed=seed, services=wanted):
        writer.take(entity, row)
        if entity == "service":
            done += 1
            if done % 100 == 0:
                say("services", done, wanted)
    writer.flush()
    say("services", wanted, wanted)
    written["rendering"] = words.load(writer.renderings)
    written["verification"] = _confirm(city, seed, on, writer.confirmable)
    say("documents", 0, 0)
    documents.refresh(everything=True)
    say("search", 0, 0)
    search.refresh()
    say("ledger", 0, 0)
    report = {"wanted": wanted, "edition": edition(), "written": dict(written)}
    run = ImportRun.objects.create(
        source=source,
        path="demo",
        started_at=started,
        ended_at=timezone.now(),
        digest=sha256(f"{source} {wanted}".encode()).hexdigest(),
        report=report,
    )
    entries = [Entry("demo.loaded", run._meta.label_lower, run.pk, None, report, "")]
    record_many([*writer.entries, *entries], by=ACTOR)
    _people(city, seed)
    return dict(written)


@cache
def edition() -> str:
    """A digest of everything that the demo is drawn from: another edition draws other rows for the same ids."""
    here = Path(__file__).parent
    files = [here / "generator.py", here / "cities.py", *sorted(content.DATA.glob("*.toml"))]
    files += sorted(path for path in gazetteer.DATA.iterdir() if path.suffix in (".csv", ".geojson"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


# ----------------------------------------------------------------------------------------------------------- rows


@cache
def _columns(entity: str) -> tuple[str, tuple[tuple[str, str, Any], ...]]:
    """Table of an entity and its columns: (column, field of the row, default of the model)."""
    model = documents.MODELS[entity]
    renamed = {column: name for (owner, name), column in documents.COLUMNS.items() if owner == entity}
    columns = []
    for each in model._meta.concrete_fields:
        default = each.get_default() if each.has_default() and not callable(each.default) else None
        if each.has_default() and callable(each.default):
            default = each.default()
        if isinstance(each, models.DateTimeField) and not each.null:
            default = datetime.combine(LAST_DAY, time(12), UTC)
        columns.append((str(each.column), renamed.get(str(each.column), str(each.column)), default))
    return model._meta.db_table, tuple(columns)


class _Writer:
    """Rows on their way to the tables, by COPY, in portions that keep memory flat."""

    def __init__(self, demo: DemoCity, source: str, written: dict[str, int], on: date, known: set[str]) -> None:
        self.source = source
        self.later = on - LAST_DAY
        self.written = written
        self.known = known
        self.areas = gazetteer.areas(demo.code)
        self.waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.count = 0
        self.renderings: list[words.LoadRow] = []
        self.entries: list[Entry] = []
        self.confirmable: list[tuple[str, str, str]] = []  # object type, id, name of the organization
        self.names: dict[str, str] = {}
        gone = Tombstone.objects.filter(reason__in=("deleted", "merged")).values_list("object_id", flat=True)
        self.gone = {str(key) for key in gone}

    def take(self, entity: str, row: dict[str, Any]) -> None:
        """Keep a row of the generator until its portion is written."""
        if entity == "rendering":
            self.renderings.append(
                (row["text"], row["source_language"], row["language"], row["rendering"], row["origin"])
            )
            return
        if entity == "synonyms":
            self._synonyms(row)
            return
        if entity == "organization":
            self.names[row["id"]] = row["name"]
        if row["id"] in self.known:
            return
        if not self.gone.isdisjoint(value for value in row.values() if isinstance(value, str)):
            self.gone.add(row["id"])  # it hangs on something that people took away
            return
        if entity == "location" and "latitude" in row:
            row = {**row, "borough": self._borough(row["longitude"], row["latitude"])}
        if entity == "service_capacity":  # places left are news: they count from the day of loading, too
            row = {**row, "updated": datetime.fromisoformat(row["updated"]) + self.later}
        self.waiting[entity].append(row)
        self.count += 1
        if self.count >= CHUNK and entity == "organization":
            self.flush()

    def _synonyms(self, row: dict[str, Any]) -> None:
        for term in self.waiting["taxonomy_term"]:
            if term["id"] == row["taxonomy_term_id"]:
                term["synonyms"] = Jsonb(row["synonyms"])

    def _borough(self, longitude: float, latitude: float) -> str:
        return next((area.code for area in self.areas if contains(area.geometry, longitude, latitude)), "")

    def flush(self) -> None:
        """Write what waits, parents first."""
        for entity in LOAD_ORDER:
            rows = self.waiting.pop(entity, [])
            if rows:
                self._copy(entity, rows)
        self.count = 0

    def _copy(self, entity: str, rows: Sequence[dict[str, Any]]) -> None:
        table, columns = _columns(entity)
        names = ", ".join(f'"{column}"' for column, _, _ in columns)
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([self._value(row, column, name, default) for column, name, default in columns])
        self.written[entity] += len(rows)
        if entity in RECORDED:
            label = documents.MODELS[entity]._meta.label_lower
            self.entries += [
                Entry(
                    f"{entity}.imported",
                    label,
                    UUID(row["id"]),
                    None,
                    {"name": row.get("name", ""), "source": self.source},
                    "",
                )
                for row in rows
            ]
        if entity in ("organization", "service"):
            self.confirmable += [
                (entity, row["id"], self.names[row["id"] if entity == "organization" else row["organization_id"]])
                for row in rows
            ]

    def _value(self, row: dict[str, Any], column: str, name: str, default: Any) -> Any:
        if column == "source":
            return self.source
        if column == "changed_at":
            return row.get("last_modified", default)
        value = row.get(name, default)
        return Jsonb(value) if column == "synonyms" and isinstance(value, dict) else value


def _confirm(city: str, seed: int, on: date, objects: Sequence[tuple[str, str, str]]) -> int:
    """ "Confirmed 12 days ago by ...": three objects in four, most of them lately."""
    space = identifier_space(city, seed)
    city_name = str(connection.tenant.name)
    rows = []
    for number, (kind, key, organization) in enumerate(objects):
        rng = Random(f"{key}/confirmed")  # noqa: S311 - a demo holds no secret
        if number and rng.random() > SHARE_CONFIRMED:
            continue
        days = 12 if number == 0 else min(500, int(rng.expovariate(1 / 55)))
        means = rng.choice(MEANS)
        at = datetime.combine(on - timedelta(days=days), time(13 + number % 6, number % 60), UTC)
        rows.append(
            Verification(
                id=identifier(space, f"verification/{key}"),
                object_type=kind,
                object_id=key,
                at=min(at, timezone.now()),
                by_name=organization if means in ("self", "website") else city_name,
                means=means,
            )
        )
    Verification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_service s SET assured_date = (v.at AT TIME ZONE %s)::date"
            " FROM directory_verification v WHERE v.object_id = s.id AND v.id = ANY(%s::uuid[])",
            [str(connection.tenant.timezone), [str(row.pk) for row in rows if row.object_type == "service"]],
        )
    return len(rows)


# --------------------------------------------------------------------------------------------------------- people


def _people(city: str, seed: int) -> None:
    """One account a role; partners belong to the first organizations of the demo that are still there."""
    first = [identifier(identifier_space(city, seed), f"organization/{number}") for number in range(2)]
    organizations = sorted(Organization.objects.filter(pk__in=first), key=lambda each: first.index(str(each.pk)))
    there = set(User.objects.values_list("email", flat=True))
    for local, name, role, number in PEOPLE:
        email = f"{local}@example.org"
        if email in there:
            continue
        office = role if role in Role.values else ""
        user = add_user(email, name=name, role=office, password=PASSWORD, by=ACTOR, language="fr")
        for organization in organizations[:number]:
            add_member(user, organization, role, by=ACTOR)
