"""Rendering: HSDS documents of public objects, made of raw rows in one pass, written by COPY.

`refresh` is called by every writer after its rows and before its ledger events (everybody takes the same locks in the
same order: revision first, ledger heads last). What a document looks like is read from `parvis.core.hsds`.
"""

import datetime as dt
import gc
import hashlib
import itertools
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from psycopg.pq import Format

from parvis.cities.models import City
from parvis.cities.queries import city as find_city
from parvis.core import hsds
from parvis.core.language import tokens
from parvis.directory import models as tables
from parvis.orgs.models import Organization, OrganizationIdentifier

Ids = Iterable[uuid.UUID | str] | None
Row = dict[str, Any]
Parts = dict[str, list[bytes]]  # id of the row that shows them -> JSON texts
Ones = list[tuple[hsds.One, dict[str, bytes]]]  # -> id -> JSON text

#: Change it when the same rows must give other documents: every city is then rendered again (see `renew`).
RENDERER = "1"

MODELS: dict[str, type[models.Model]] = {
    "organization": Organization,
    "organization_identifier": OrganizationIdentifier,
    "program": tables.Program,
    "service": tables.Service,
    "attribute": tables.Attribute,
    "service_at_location": tables.ServiceAtLocation,
    "location": tables.Location,
    "phone": tables.Phone,
    "contact": tables.Contact,
    "address": tables.Address,
    "schedule": tables.Schedule,
    "funding": tables.Funding,
    "service_area": tables.ServiceArea,
    "required_document": tables.RequiredDocument,
    "language": tables.Language,
    "accessibility": tables.Accessibility,
    "taxonomy": tables.Taxonomy,
    "taxonomy_term": tables.TaxonomyTerm,
    "metadata": tables.Metadata,
    "cost_option": tables.CostOption,
    "service_capacity": tables.ServiceCapacity,
    "unit": tables.Unit,
    "url": tables.Url,
}
#: HSDS field -> column, where the two differ.
COLUMNS = {
    ("taxonomy", "version"): "taxonomy_version",
    ("taxonomy_term", "taxonomy"): "taxonomy_name",
    ("funding", "source"): "source_name",
}
#: Parts before wholes.
ORDER = (
    "metadata", "taxonomy", "taxonomy_term", "attribute", "url", "funding", "unit", "service_capacity",
    "required_document", "cost_option", "language", "schedule", "service_area", "accessibility", "address",
    "organization_identifier", "phone", "contact", "program", "location", "service_at_location", "organization",
    "service",
)  # fmt: skip
#: Objects that stay published when their source no longer lists them; everything else is left out.
STAYS = {"service", "organization", "taxonomy", "taxonomy_term"}
#: Rows with a history of their own (`version`, `changed_at`, ...): the renderer reads these columns too.
VERSIONED = ("taxonomy", "taxonomy_term", "program", "organization", "service", "location", "service_at_location")
_CLASSIFYING = ("taxonomy", "taxonomy_term")
FACTS = ("version", "changed_at", "missing_since", "source")
WEEKDAYS = {day: number for number, day in enumerate(hsds.WEEKDAYS)}
_SORTED = {
    "schedule": "valid_from NULLS FIRST, array_position(ARRAY['MO','TU','WE','TH','FR','SA','SU'],"
    " left(byday, 2)) NULLS LAST, dtstart NULLS FIRST, opens_at NULLS LAST, id",
    "phone": "priority NULLS LAST, id",
}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


@dataclass(slots=True)
class Scope:
    """Ids of the rows to render, by entity; `None` in `ids` means all of them."""

    everything: bool = False
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def refresh(
    service_ids: Ids = None,
    organization_ids: Ids = None,
    service_at_location_ids: Ids = None,
    taxonomy_ids: Ids = None,
    term_ids: Ids = None,
    location_ids: Ids = None,
    everything: bool = False,
) -> int:
    """Render again what these rows are in (and tombstones of those that are gone). Returns how many documents changed.

    Runs in the caller's transaction and holds the city's revision until it ends, so writers of one city take turns.
    Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("documents belong to the transaction of the rows they show")
    city = _city()
    rules = rendering(city)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rendering FROM directory_revision WHERE id = 1 FOR UPDATE")
        everything = everything or cursor.fetchone()[0] != rules
        scope = Scope(everything)
        if not everything:
            given = {
                "service": service_ids,
                "organization": organization_ids,
                "service_at_location": service_at_location_ids,
                "taxonomy": taxonomy_ids,
                "taxonomy_term": term_ids,
                "location": location_ids,
            }
            _spread(cursor, scope, {name: {str(i) for i in ids or ()} for name, ids in given.items()})
        if not (scope.everything or any(scope.ids.values())):
            return 0
        _read_moments_once(cursor)
        with without_collector():
            changed = _write(cursor, scope, Renderer(cursor, scope, city))
        if changed or everything:
            cursor.execute(
                "UPDATE directory_revision SET number = number + 1, at = clock_timestamp(), rendering = %s"
                " WHERE id = 1",
                [rules],
            )
    return changed


def _read_moments_once(cursor: Any) -> None:
    """All rows of one import carry the same moment: this cursor makes a datetime of each text once."""
    adapters, known = cursor.cursor.adapters, dict[bytes, dt.datetime]()
    loader = adapters.get_loader(adapters.types["timestamptz"].oid, Format.TEXT)

    class Remembering(loader):  # type: ignore[misc, valid-type]
        def load(self, data: Any) -> dt.datetime:
            text = bytes(data)
            if text not in known:
                known[text] = super().load(data)
            return known[text]

    adapters.register_loader("timestamptz", Remembering)


@contextmanager
def without_collector() -> Iterator[None]:
    """A million short texts and no cycle among them: looking for cycles again and again would only cost time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def rendering(city: City) -> str:
    """The rules of today: version of HSDS, of the renderer, and the city's offset from UTC (summer time moves it)."""
    return f"{settings.HSDS_VERSION}/{RENDERER}/{_offset(city)}/{city.country}"


def renew(now: dt.datetime | None = None) -> None:
    """Sweep: render everything again if the rules have changed (an upgrade, a setting, summer time)."""
    rules = rendering(_city())
    with connection.cursor() as cursor:
        cursor.execute("SELECT rendering FROM directory_revision WHERE id = 1")
        if cursor.fetchone()[0] == rules:
            return
    with transaction.atomic():
        refresh(everything=True)


def merged(kind: str, former: uuid.UUID | str, into: uuid.UUID | str) -> None:
    """Say that `former` has become `into`: its address leads there from now on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO directory_tombstone (kind, object_id, at, reason, merged_into)"
            " VALUES (%s, %s, %s, 'merged', %s) ON CONFLICT (kind, object_id) DO UPDATE"
            " SET at = excluded.at, reason = excluded.reason, merged_into = excluded.merged_into",
            [kind, former, timezone.now(), into],
        )


def _city() -> City:
    """The active city, also where only its schema is known. Called while no cursor is open: it may read elsewhere."""
    tenant = connection.tenant
    return tenant if isinstance(tenant, City) else find_city(connection.schema_name)


def _offset(city: City) -> float:
    gap = dt.datetime.now(ZoneInfo(city.timezone)).utcoffset()
    return gap.total_seconds() / 3600 if gap else 0.0


# What a change touches


def _spread(cursor: Any, scope: Scope, given: Mapping[str, set[str]]) -> None:
    """From touched rows to the documents that show them, and to the rows that those documents are made of."""

    def find(entity: str, **links: Iterable[str]) -> set[str]:
        """Ids of `entity` rows that one of these columns leads to."""
        links = {column: list(ids) for column, ids in links.items() if ids}
        if not links:
            return set()
        where = " OR ".join(f"{column} = ANY(%s)" for column in links)
        cursor.execute(f"SELECT id::text FROM {table(entity)} WHERE {where}", list(links.values()))
        return {row[0] for row in cursor.fetchall()}

    def column(entity: str, name: str, ids: Iterable[str]) -> set[str]:
        ids = list(ids)
        if not ids:
            return set()
        cursor.execute(f"SELECT DISTINCT {name}::text FROM {table(entity)} WHERE id = ANY(%s)", [ids])
        return {row[0] for row in cursor.fetchall() if row[0]}

    terms = given["taxonomy_term"] | find("taxonomy_term", taxonomy_id=given["taxonomy"])
    shown: dict[str, set[str]] = defaultdict(set)
    named = terms | given["taxonomy"]
    if len(named) > 20:  # one pass over all documents for each of them would cost more than rendering them
        scope.everything = True
        return
    if named:
        cursor.execute(
            "SELECT kind, object_id::text FROM directory_document WHERE whole LIKE ANY(%s)",
            [[f"%{each}%" for each in named]],
        )
        for kind, object_id in cursor.fetchall():
            shown[kind].add(object_id)
    locations = given["location"]
    organizations = given["organization"] | shown["organization"] | column("location", "organization_id", locations)
    links = given["service_at_location"] | shown["service_at_location"]
    services = given["service"] | shown["service"] | find("service", organization_id=organizations)
    links |= find("service_at_location", location_id=locations)
    services |= column("service_at_location", "service_id", links)
    links |= find("service_at_location", service_id=services)
    organizations |= column("service", "organization_id", services)
    locations = locations | column("service_at_location", "location_id", links)
    scope.ids.update(
        taxonomy=given["taxonomy"], taxonomy_term=terms | shown["taxonomy_term"], service=services,
        organization=organizations, service_at_location=links,
        location=locations | find("location", organization_id=organizations),
        program=find("program", organization_id=organizations) | column("service", "program_id", services),
    )  # fmt: skip


def table(entity: str) -> str:
    return MODELS[entity]._meta.db_table


# Reading and rendering


class Renderer:
    """Documents of a scope. Parts are rendered once, to bytes, and put into the wholes that show them."""

    def __init__(self, cursor: Any, scope: Scope, city: City) -> None:
        self.cursor = cursor
        self.scope = scope
        self.version: hsds.Version = settings.HSDS_VERSION
        self.country, self.office, self.offset = city.country, city.name, _offset(city)
        self.wholes: dict[str, dict[str, bytes]] = defaultdict(dict)  # entity -> id -> JSON
        self.items: dict[str, dict[str, bytes]] = defaultdict(dict)  # the direct fields alone
        self.parts: dict[tuple[str, str], Parts] = defaultdict(dict)  # (entity, link) -> id -> JSONs
        self.changed: dict[str, dict[str, Row]] = defaultdict(dict)  # entity -> id -> FACTS
        self.minutes: dict[str, list[tuple[int, int]]] = defaultdict(list)  # id -> open minutes of the week
        self.raw: dict[str, list[tuple[Any, ...]]] = {}
        self.hidden: dict[str, set[str]] = defaultdict(set)  # kind -> ids with a tombstone
        self.points: dict[str, tuple[float | None, float | None]] = {}
        self.postcodes: dict[str, str] = {}
        self.terms: dict[str, set[str]] = defaultdict(set)  # id of anything -> ids of its terms
        self.taxonomies: dict[str, str] = {}  # term -> its taxonomy
        self.located: dict[str, list[str]] = defaultdict(list)  # organization -> its locations
        self.linked: dict[str, list[Row]] = defaultdict(list)  # service -> its service_at_locations
        self.published: dict[str, Row] = {}  # service -> columns of its document
        self.all_read = False  # every row that is needed has been fetched
        self.told: dict[str, dt.datetime] = {}  # id -> when the last change that the ledger tells was made

    def documents(self) -> Iterator[Row]:
        """Every document of the scope, as columns of directory_document."""
        self._hide()
        if not self.scope.everything:
            self._fetch()
        summaries, taught = self._services_of_organizations()
        self._history()
        for name in ORDER[: ORDER.index("organization")]:
            yield from self._render(name)
        for name in ("organization", "service"):  # from here on nothing is asked: a COPY may keep the connection busy
            if name not in self.raw:
                self.raw[name] = self._rows(name)
        self.all_read = True
        yield from self._organizations(summaries, taught)
        yield from self._services()
        yield from self._service_at_locations()

    # rows

    def _hide(self) -> None:
        self.cursor.execute("SELECT kind, object_id::text FROM directory_tombstone WHERE reason <> 'deleted'")
        for kind, object_id in self.cursor.fetchall():
            self.hidden[kind].add(object_id)

    def _fetch(self) -> None:
        """Rows of a small scope: wholes first, then their parts, then what is said about any of them."""
        for name in VERSIONED[2:]:
            self.raw[name] = self._rows(name, "id = ANY(%s)", [list(self.scope.ids[name])])
        ids = {f"{name}_id": [row[0] for row in self.raw[name]] for name in VERSIONED[2:]}
        for name in ("contact", "phone", "language", *ORDER):
            if name in self.raw or name in ("metadata", "attribute", "taxonomy", "taxonomy_term", "unit"):
                continue
            links = [f.name for f in hsds.ENTITIES[name].fields if ids.get(f.name)]
            where = " OR ".join(f"{link} = ANY(%s)" for link in links)
            self.raw[name] = self._rows(name, f"({where})", [ids[link] for link in links]) if links else []
            ids[f"{name}_id"] = [row[0] for row in self.raw[name]]
        units = hsds.ENTITIES["service_capacity"].names.index("unit_id")
        self.raw["unit"] = self._rows("unit", "id = ANY(%s)", [[row[units] for row in self.raw["service_capacity"]]])
        known = [row[0] for rows in self.raw.values() for row in rows]
        self.raw["attribute"] = self._rows("attribute", "link_id = ANY(%s)", [known])
        term = hsds.ENTITIES["attribute"].names.index("taxonomy_term_id")
        terms = {row[term] for row in self.raw["attribute"] if row[term]} | self.scope.ids["taxonomy_term"]
        self.raw["taxonomy_term"] = self._rows("taxonomy_term", "id = ANY(%s)", [list(terms)])
        of = hsds.ENTITIES["taxonomy_term"].names.index("taxonomy_id")
        taxonomies = {row[of] for row in self.raw["taxonomy_term"] if row[of]} | self.scope.ids["taxonomy"]
        self.raw["taxonomy"] = self._rows("taxonomy", "id = ANY(%s)", [list(taxonomies)])
        known += [*(row[0] for row in self.raw["attribute"]), *terms, *taxonomies]
        self.raw["metadata"] = self._rows("metadata", "resource_id = ANY(%s)", [known])

    def _rows(self, name: str, where: str = "", values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of an entity: its HSDS fields in order, then FACTS (of versioned ones) and what only we need."""
        columns = [self._column(name, f) for f in hsds.ENTITIES[name].fields if f.since <= "3.3"]
        columns += FACTS if name in VERSIONED else ()
        columns += {"taxonomy_term": ("synonyms",), "schedule": ("closed",)}.get(name, ())
        conditions = [where] if where else []
        if name not in STAYS:
            conditions.append("missing_since IS NULL")
        condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self.cursor.execute(
            f"SELECT {', '.join(columns)} FROM {table(name)}{condition} ORDER BY {_SORTED.get(name, 'id')}",
            list(values),
        )
        rows: list[tuple[Any, ...]] = self.cursor.fetchall()
        return rows

    @staticmethod
    def _column(name: str, field: hsds.Field) -> str:
        column = f'"{COLUMNS.get((name, field.name), field.name)}"'
        if field.kind in ("uuid", "date"):
            return f"{column}::text"
        if field.kind == "time":
            return f"left({column}::text, 5)"
        return f"{column}::float8" if field.name == "amount" else column  # numeric

    def _services_of_organizations(self) -> tuple[dict[str, list[bytes]], dict[str, set[str]]]:
        """For each organization: its services in short, and the terms that they carry."""
        where, values = "", []
        if not self.scope.everything:
            where, values = "WHERE s.organization_id = ANY(%s)", [list(self.scope.ids["organization"])]
        self.cursor.execute(
            "SELECT s.organization_id::text, s.id::text, s.name, s.status, s.missing_since IS NOT NULL"
            f" FROM directory_service s {where} ORDER BY s.name, s.id",
            values,
        )
        summaries: dict[str, list[bytes]] = defaultdict(list)
        for organization, service, name, status, missing in self.cursor.fetchall():
            if organization and service not in self.hidden["service"]:
                short = {"id": service, "name": name, "status": _status(status, missing)}
                summaries[organization].append(_json(short))
        self.cursor.execute(
            "SELECT DISTINCT s.organization_id::text, a.taxonomy_term_id::text FROM directory_service s"
            " JOIN directory_attribute a ON a.link_id = s.id"
            f" {where or 'WHERE true'} AND a.missing_since IS NULL AND a.taxonomy_term_id IS NOT NULL",
            values,
        )
        taught: dict[str, set[str]] = defaultdict(set)
        for organization, term in self.cursor.fetchall():
            taught[organization].add(term)
        return summaries, taught

    def _history(self) -> None:
        """The last change of each object that the ledger tells field by field, as HSDS metadata."""
        where, values = "", []
        if not self.scope.everything:
            where, values = "AND object_id = ANY(%s)", [[i for ids in self.scope.ids.values() for i in ids]]
        self.cursor.execute(
            "SELECT DISTINCT ON (object_id) object_id::text, id, at, object_type, actor_label, before, after"
            f" FROM ledger_event WHERE before IS NOT NULL AND after IS NOT NULL {where}"
            " ORDER BY object_id, id DESC",
            values,
        )
        for object_id, number, at, object_type, label, before, after in self.cursor.fetchall():
            entity = hsds.ENTITIES.get(_entity_of(object_type))
            if entity is None:
                continue
            before, after = _loaded(before), _loaded(after)
            self.told[object_id] = at
            for name in entity.names:
                old, new = before.get(name), after.get(name)
                if old == new or isinstance(old, (dict, list)) or isinstance(new, (dict, list)):
                    continue
                self._say(object_id, entity.name, f"{number}:{name}", at, "update", label, name, old, new)

    def _say(
        self, object_id: str, entity: str, key: str, at: dt.datetime, action: str, by: str,
        name: str = "", old: Any = None, new: Any = None,
    ) -> None:  # fmt: skip
        said = {
            "id": _identifier(f"{object_id}:{key}"),
            "resource_id": object_id,
            "resource_type": entity,
            "last_action_date": at.date().isoformat(),
            "last_action_type": action,
            "field_name": name,
            "previous_value": "" if old is None else str(old),
            "replacement_value": "" if new is None else str(new),
            "updated_by": by or self.office,  # the office, never the person
        }
        self.parts["metadata", "resource_id"].setdefault(object_id, []).append(_json(said))

    # rendering

    def _render(self, name: str) -> Iterator[Row]:
        """Render the rows of one entity into the parts of their parents; yields taxonomies' and terms' documents."""
        links = sorted({m.through for e in hsds.ENTITIES.values() for m in e.manys if m.entity == name})
        ones, collections = self._nested(name)
        if name in _CLASSIFYING:  # a term is shown in every attribute: there, without its history
            collections = []
        # Most rows are the last leaves: one look tells that nothing hangs on them. (Of rows with a history, metadata
        # come while they are read.)
        leaves = not ones and name not in VERSIONED
        hung = set[str]().union(*(parts for _many, parts in collections)) if leaves else set()
        prepare = getattr(self, f"_{name}", None)
        for row, facts, extra in self._values(name):
            key = row["id"]
            if prepare is not None and prepare(row, facts, extra) is False:
                continue
            if name in VERSIONED:
                self.changed[name][key] = facts
                if name in ("location", *_CLASSIFYING):
                    self._remember(name, key, facts)
                self.items[name][key] = self._item(name, row)
            text = _json(row if leaves and key not in hung else self._with(row, ones, collections))
            for link in links:
                if link in row:
                    part = name
                    if name == "schedule" and link == "service_id" and self.version >= "3.3":
                        part = "events" if hsds.is_event(row) else "operating_hours"
                    self.parts[part, link].setdefault(row[link], []).append(text)
            if name in VERSIONED or name == "unit":
                self.wholes[name][key] = text
            if name in _CLASSIFYING and self._wanted(name, key):
                yield self._classifying(name, row, facts, extra)

    def _values(self, name: str) -> Iterator[tuple[Row, Row, tuple[Any, ...]]]:
        """Rows of an entity as (HSDS fields that have a value, FACTS, our own columns)."""
        entity = hsds.ENTITIES[name]
        names = entity.names
        width = len(names)
        end = width + (len(FACTS) if name in VERSIONED else 0)
        fixes = [(f.name, _FIXES[f.kind]) for f in entity.fields if f.kind in _FIXES]
        texts = [f.name for f in entity.fields if f.required and f.kind == "text" and not f.enum]
        musts = {f.name for f in entity.fields if f.required and f.kind in _FIXES}
        later = [f.name for f in entity.fields if f.since > self.version]
        nothing: Row = {}
        for raw in self.raw.pop(name) if name in self.raw else self._rows(name):
            row = {key: value for key, value in zip(names, raw, strict=False) if value is not None and value != ""}
            for key, fix in fixes:
                if key in row:
                    value = fix(row[key])
                    if value is None:
                        del row[key]
                    else:
                        row[key] = value
            for key in texts:
                row.setdefault(key, "")
            for key in later:
                row.pop(key, None)
            if not musts or musts <= row.keys():
                yield row, dict(zip(FACTS, raw[width:end], strict=False)) if end > width else nothing, raw[end:]

    def _item(self, name: str, row: Row) -> bytes:
        """Direct fields and one-to-one objects, themselves with direct fields only."""
        ones = hsds.ENTITIES[name].ones
        return _json(self._with(row, [(one, self.items[one.entity]) for one in ones], ()))

    def _nested(self, name: str) -> tuple[Ones, list[tuple[str, Parts]]]:
        """What hangs on the rows of an entity: rendered one-to-one objects, and collections that are not empty."""
        entity = hsds.ENTITIES[name]
        collections = []
        for many in hsds.manys(entity, self.version):
            part = many.name if many.name in ("operating_hours", "events") else many.entity
            if part == "metadata" or self.parts[part, many.through]:  # metadata come while the rows are read
                collections.append((many.name, self.parts[part, many.through]))
        # last, so that a service_at_location can show its service without them
        collections.sort(key=lambda collection: collection[0] == "service_at_locations")
        return [(one, self.wholes[one.entity]) for one in entity.ones], collections

    @staticmethod
    def _with(row: Row, ones: Ones, collections: Iterable[tuple[str, Parts]]) -> Row:
        """A row with what hangs on it."""
        key = row["id"]
        found: Row = {}
        for one, rendered in ones:
            text = rendered.get(row.get(one.through, ""))
            if text:
                found[one.name] = orjson.Fragment(text)
        for name, parts in collections:
            if key in parts:
                found[name] = orjson.Fragment(b"[" + b",".join(parts[key]) + b"]")
        return row | found if found else row

    def _wanted(self, name: str, key: str) -> bool:
        return key not in self.hidden[name] and (self.scope.everything or key in self.scope.ids[name])

    def _remember(self, name: str, key: str, facts: Row) -> None:
        """The last action on a row as metadata, unless the ledger has told it field by field."""
        at, action = facts["changed_at"], "update"
        if facts["missing_since"]:
            at, action = facts["missing_since"], "unlisted"
        elif facts["version"] == 1:
            action = "create"
        if key not in self.told or self.told[key] < at - dt.timedelta(seconds=5):
            self._say(key, name, f"{facts['version']}:{action}", at, action, facts["source"])

    # what is particular to an entity; False leaves the row out

    def _attribute(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> None:
        if "taxonomy_term_id" in row:
            self.terms[row["link_id"]].add(row["taxonomy_term_id"])

    def _taxonomy_term(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> None:
        if "taxonomy_id" in row:
            self.taxonomies[row["id"]] = row["taxonomy_id"]

    def _address(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> None:
        row["country"] = row["country"] or self.country
        if row["postal_code"] and "location_id" in row:
            self.postcodes.setdefault(row["location_id"], postcode(row["postal_code"]))

    def _schedule(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> None:
        if "opens_at" in row or "closes_at" in row:
            row.setdefault("timezone", _number(self.offset))
        if not extra[0]:
            for link in ("service_id", "service_at_location_id", "location_id"):
                if link in row:
                    self.minutes[row[link]] += open_minutes(row)

    def _location(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> None:
        self.points[row["id"]] = (row.get("latitude"), row.get("longitude"))
        if "organization_id" in row:
            self.located[row["organization_id"]].append(row["id"])

    def _service_at_location(self, row: Row, facts: Row, extra: tuple[Any, ...]) -> bool:
        if row["id"] in self.hidden["service_at_location"] or row["location_id"] not in self.wholes["location"]:
            return False
        self.linked[row["service_id"]].append(row)
        return True

    # documents

    def _classifying(self, name: str, row: Row, facts: Row, extra: tuple[Any, ...]) -> Row:
        whole = _json(self._with(row, *self._nested(name)))
        said = [row["name"], row["description"], row.get("code", "")]
        if extra:
            said += [word for words in _loaded(extra[0]).values() for word in words]
        words = {token.replace("'", "''").replace("\\", "") for token in tokens(" ".join(said))}
        return {
            "kind": name, "object_id": row["id"], "modified": facts["changed_at"], "item": whole, "whole": whole,
            "parent_id": row.get("parent_id"), "words": " ".join(f"'{word}'" for word in sorted(words)),
            "taxonomy_ids": _array([row["taxonomy_id"]] if "taxonomy_id" in row else []),
        }  # fmt: skip

    def _organizations(self, summaries: Mapping[str, list[bytes]], carried: Mapping[str, set[str]]) -> Iterator[Row]:
        nested = self._nested("organization")
        for row, facts, _ in self._values("organization"):
            key = row["id"]
            if key in self.hidden["organization"]:
                continue
            self.changed["organization"][key] = facts
            self._remember("organization", key, facts)
            item = self.items["organization"][key] = self._item("organization", row)
            whole = self.wholes["organization"][key] = _json(self._with(row, *nested))
            if self._wanted("organization", key):
                if key in summaries:  # last, so that a reader can put whole services in their place
                    whole = whole[:-1] + b',"services":[' + b",".join(summaries[key]) + b"]}"
                places = [self.changed["location"][each]["changed_at"] for each in self.located.get(key, ())]
                yield {
                    "kind": "organization", "object_id": key, "item": item, "whole": whole, "organization_id": key,
                    "modified": max([facts["changed_at"], *places]),
                    **self._terms(self.terms.get(key, set()) | carried.get(key, set())),
                }  # fmt: skip

    def _services(self) -> Iterator[Row]:
        nested = self._nested("service")
        for row, facts, _ in self._values("service"):
            key = row["id"]
            if not self._wanted("service", key):
                self.linked.pop(key, None)
                continue
            row["status"] = _status(row["status"], facts["missing_since"])
            modified = self._modified(row, facts)
            row["last_modified"] = _moment(modified)
            self._remember("service", key, facts)
            document = {
                "modified": modified, "organization_id": row.get("organization_id"), "service_id": key,
                "minimum_age": row.get("minimum_age"), "maximum_age": row.get("maximum_age"),
                **self._terms(self.terms.get(key, set())),
            }  # fmt: skip
            links = self.linked.get(key, ())
            item = self.items["service"][key] = self._item("service", row)
            self.published[key] = document
            yield {
                **document, "kind": "service", "object_id": key, "item": item,
                "whole": _json(self._with(row, *nested)),
                "open_minutes": self._open(key, *((link["id"], link["location_id"]) for link in links)),
            }  # fmt: skip

    def _service_at_locations(self) -> Iterator[Row]:
        for service, rows in self.linked.items():
            document = self.published.get(service)
            for row in rows if document else ():
                key, location = row["id"], row["location_id"]
                if not self._wanted("service_at_location", key):
                    continue
                item = self.items["service_at_location"][key]
                latitude, longitude = self.points[location]
                own = self._terms(self.terms.get(key, set()) | self.terms.get(service, set()))
                yield {
                    **document, **own, "kind": "service_at_location", "object_id": key,  # type: ignore[dict-item]
                    "item": item[:-1] + b',"service":' + self.items["service"][service] + b"}",
                    "whole": self.wholes["service_at_location"][key],
                    "open_minutes": self._open(service, (key, location)),
                    "latitude": latitude, "longitude": longitude, "postcode": self.postcodes.get(location, ""),
                }  # fmt: skip

    def _terms(self, terms: Iterable[str]) -> Row:
        taxonomies = {self.taxonomies[term] for term in terms if term in self.taxonomies}
        return {"term_ids": _array(terms), "taxonomy_ids": _array(taxonomies)}

    def _modified(self, row: Row, facts: Row) -> dt.datetime:
        """When a service or what belongs to it last changed: the source's word until something is changed here."""
        parts = [self.changed["organization"].get(row.get("organization_id", "")),
                 self.changed["program"].get(row.get("program_id", ""))]  # fmt: skip
        for link in self.linked.get(row["id"], ()):
            parts.append(self.changed["service_at_location"][link["id"]])
            parts.append(self.changed["location"][link["location_id"]])
        known = [part for part in parts if part]
        if "last_modified" in row and facts["version"] == 1:
            first = dt.datetime.fromisoformat(row["last_modified"])
            return max([first, *(part["changed_at"] for part in known if part["version"] > 1)])
        return max([facts["changed_at"], *(part["changed_at"] for part in known)])

    def _open(self, service: str, *links: tuple[str, str]) -> str:
        """Minutes of the week in which a service is regularly open, as an int4multirange: at its places by their own
        hours, else by the service's, else by the location's."""
        found: list[tuple[int, int]] = []
        own = self.minutes.get(service, [])
        for link, location in links:
            found += self.minutes.get(link) or own or self.minutes.get(location, [])
        return "{" + ",".join(f"[{start},{end})" for start, end in sorted(set(found or own))) + "}"


# Values


def _array(values: Iterable[str]) -> str:
    """A PostgreSQL array of identifiers, as COPY reads it."""
    return "{" + ",".join(sorted(values)) + "}"


def _identifier(name: str) -> str:
    """The same UUID (version 8) for the same name."""
    text = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _status(status: str, missing: Any) -> str:
    """A service that its source no longer lists is not active, whatever the source once said."""
    return "inactive" if missing and status == "active" else status


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _uri(value: str) -> str | None:
    """The URI in ASCII, or None when it is none."""
    value = quote(value.strip(), safe=":/?#[]@!$&'()*+,;=%~-._")
    return value if _URI.fullmatch(value) else None


def _email(value: str) -> str | None:
    return value if _EMAIL.fullmatch(value) else None


def _moment(value: dt.datetime) -> str:
    """RFC 3339 in UTC, with no more decimals than it has."""
    value = value.astimezone(dt.UTC)
    parts = "seconds" if not value.microsecond else "microseconds" if value.microsecond % 1000 else "milliseconds"
    return value.isoformat(timespec=parts).replace("+00:00", "Z")


_FIXES: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "uri": _uri,
    "email": _email,
    "datetime": _moment,
}


def _json(value: Row) -> bytes:
    # Copied: orjson hands out the end of a larger buffer, and half a million of those would hold a gigabyte.
    return memoryview(orjson.dumps(value)).tobytes()


def _loaded(value: Any) -> dict[str, Any]:
    found = orjson.loads(value) if isinstance(value, (str, bytes)) else value
    return found if isinstance(found, dict) else {}


def _entity_of(object_type: str) -> str:
    """HSDS entity of a ledger's "app.model"."""
    name = object_type.rsplit(".", 1)[-1]
    return next((entity for entity, model in MODELS.items() if model._meta.model_name == name), "")


def postcode(text: str) -> str:
    """A postal code as it is compared: letters and digits, upper case ("h2x 1y4" -> "H2X1Y4")."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())[:40]


def open_minutes(schedule: Row) -> list[tuple[int, int]]:
    """Weekly opening times of one schedule as half-open ranges of minutes since Monday 0:00 (up to 10080)."""
    opens, closes = schedule.get("opens_at"), schedule.get("closes_at")
    if not (opens and closes):
        return []
    start, end = (int(at[:2]) * 60 + int(at[3:5]) for at in (opens, closes))
    length = (end - start) % 1440 or 1440
    found = []
    for day in schedule.get("byday", "").split(","):
        number = WEEKDAYS.get(day.strip()[-2:].upper())
        if number is not None:
            first = number * 1440 + start
            last = first + length
            found.append((first, min(last, 10080)))
            if last > 10080:
                found.append((0, last - 10080))
    return found


# Writing

_COLUMNS = (
    "kind", "object_id", "item", "whole", "digest", "modified", "organization_id", "service_id", "parent_id",
    "taxonomy_ids", "term_ids", "postcode", "latitude", "longitude", "minimum_age", "maximum_age", "words",
    "open_minutes",
)  # fmt: skip
_EMPTY = {"taxonomy_ids": "{}", "term_ids": "{}", "postcode": "", "open_minutes": "{}"}
_CHUNK = 2000
_PIECE = 1 << 17  # bytes that COPY takes at once
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})
_UNSAFE = re.compile(r"[\\\t\n\r\0]")


def _write(cursor: Any, scope: Scope, renderer: Renderer) -> int:
    """Write what differs from what is there, and bury what is no longer rendered. Returns how many changed."""
    there: dict[tuple[str, str], str] = {}
    for kind in hsds.RESOURCES:
        where, values = "", [kind]
        if not scope.everything:
            where = "AND object_id = ANY(%s)"
            values.append(list(scope.ids[kind]))  # type: ignore[arg-type]
        cursor.execute(f"SELECT object_id::text, digest FROM directory_document WHERE kind = %s {where}", values)
        there.update({(kind, object_id): digest for object_id, digest in cursor.fetchall()})
    gone, changed = dict(there), 0
    born: list[tuple[str, str]] = []

    def differing() -> Iterator[Row]:
        nonlocal changed
        for document in renderer.documents():
            key = (document["kind"], document["object_id"])
            gone.pop(key, None)
            digest = hashlib.blake2b(document["item"], digest_size=16)
            digest.update(document["whole"])
            digest.update(repr([document.get(name) for name in _COLUMNS[5:]]).encode())
            document["digest"] = digest.hexdigest()
            if there.get(key) == document["digest"]:
                continue
            if key not in there:
                born.append(key)
            changed += 1
            yield document

    chunk: list[Row] = []
    documents = differing()
    for document in documents:
        chunk.append(document)
        if not there and renderer.all_read:
            # a first filling streams: PostgreSQL stores one document while the next is rendered
            _copy(cursor, itertools.chain(chunk, documents))
            chunk = []
        elif len(chunk) == _CHUNK:
            _replace(cursor, chunk, there)
            chunk = []
    _replace(cursor, chunk, there)
    _bury(cursor, list(gone), born)
    return changed + len(gone)


def _replace(cursor: Any, documents: list[Row], there: Mapping[tuple[str, str], str]) -> None:
    _remove(cursor, [key for d in documents if (key := (d["kind"], d["object_id"])) in there])
    if documents:
        _copy(cursor, documents)


def _copy(cursor: Any, documents: Iterable[Row]) -> None:
    with cursor.copy(f"COPY directory_document ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
        lines: list[bytes] = []
        size = 0
        for document in documents:
            lines.append(_line(document))
            size += len(lines[-1])
            if size > _PIECE:
                copy.write(b"".join(lines))
                lines, size = [], 0
        copy.write(b"".join(lines))


def _line(document: Row) -> bytes:
    """A document as a line of COPY. JSON has no control characters, so that of the two long texts only the backslashes
    need care: they are most of what is written."""
    item, whole = (document[name].replace(b"\\", b"\\\\") for name in ("item", "whole"))
    rest = [_cell(document.get(name, _EMPTY.get(name))) for name in _COLUMNS[4:]]
    return f"{document['kind']}\t{document['object_id']}\t".encode() + b"\t".join(
        (item, whole, "\t".join(rest).encode() + b"\n")
    )


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    return text.translate(_ESCAPES) if _UNSAFE.search(text) else text


def _remove(cursor: Any, keys: list[tuple[str, str]]) -> None:
    for kind in {kind for kind, _ in keys}:
        cursor.execute(
            "DELETE FROM directory_document WHERE kind = %s AND object_id = ANY(%s)",
            [kind, [object_id for its, object_id in keys if its == kind]],
        )


def _bury(cursor: Any, gone: list[tuple[str, str]], born: list[tuple[str, str]]) -> None:
    """Tombstones for what is no longer published; none any more for what has come back."""
    _remove(cursor, gone)
    cursor.executemany(
        "INSERT INTO directory_tombstone (kind, object_id, at, reason) VALUES (%s, %s, %s, 'deleted')"
        " ON CONFLICT (kind, object_id) DO NOTHING",
        [(kind, object_id, timezone.now()) for kind, object_id in gone],
    )
    for kind in {kind for kind, _ in born}:
        cursor.execute(
            "DELETE FROM directory_tombstone WHERE kind = %s AND object_id = ANY(%s) AND reason = 'deleted'",
            [kind, [object_id for its, object_id in born if its == kind]],
        )
