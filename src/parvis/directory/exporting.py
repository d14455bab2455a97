"""Export: the city's directory as HSDS 3.2, as JSON (a list, or one object a line) or as a Tabular Data Package.

What is exported is the rows themselves, in the order of their ids, so that an export imported into an empty city and
exported again gives the same bytes. Rows that their source no longer lists and objects that are not published stay
out, and with them what belongs to them alone.
"""

import csv
import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.db import connection, transaction

from parvis.core.hsds import DEFAULT_VERSION, ENTITIES, ENTITY_KEY, LOAD_ORDER, PARENTS, PROFILE_URI, RESOURCES, Field
from parvis.core.hsds_reading import COLUMNS
from parvis.directory import documents
from parvis.directory.importing import MODELS

Tell = Callable[[str, int], None]
#: Objects that stay public when their source no longer lists them.
_STAY = {"service", "organization", "taxonomy", "taxonomy_term"}
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_HARMLESS = re.compile(r"[+\-]?[\d\s().,/\-]*")
_DATE = (1980, 1, 1, 0, 0, 0)  # of files in a zip: the same rows give the same bytes


def _nothing(phase: str, number: int) -> None:
    return None


# Rows


class _Rows:
    """The public rows of the active city, entity by entity in load order, each without dead links."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.kept: dict[str, set[str]] = {}
        self.hidden: dict[str, set[str]] = defaultdict(set)
        cursor.execute("SELECT kind, object_id::text FROM directory_tombstone")
        for kind, identity in cursor.fetchall():
            self.hidden[kind].add(identity)

    def of(self, entity: str) -> Iterator[dict[str, Any]]:
        """Rows as HSDS field -> value (Python's JSON kinds), absent ones left out."""
        columns = COLUMNS[entity]
        chosen = [_select(entity, field) for field in columns.fields]
        listed = "" if entity in _STAY else " WHERE missing_since IS NULL"
        self.cursor.execute(f"SELECT {', '.join(chosen)} FROM {MODELS[entity]._meta.db_table}{listed} ORDER BY id")
        kept = self.kept[entity] = set()
        hidden = self.hidden[entity]
        parents = PARENTS.get(entity, ())
        needed = [name for name in parents if name in _NEEDED.get(entity, ())]
        numbers = [field.name for field in columns.fields if field.kind == "number"]
        moments = [field.name for field in columns.fields if field.kind == "datetime"]
        refs = [(field.name, str(field.refers)) for field in ENTITIES[entity].references]
        rows = self.cursor.fetchall()
        if entity in ("organization", "taxonomy_term"):
            kept |= {row[0] for row in rows} - hidden
        for values in rows:
            row = {n: v for n, v in zip(columns.names, values, strict=True) if v is not None and v != ""}
            if row["id"] in hidden:
                continue
            for name, refers in refs:
                if name not in row:
                    continue
                about = refers if refers != "*" else row.get("link_entity") or row.get("resource_type") or ""
                if row[name] not in self.kept.get(about, ()):
                    del row[name]
            if parents and not any(name in row for name in parents):
                continue
            if any(name not in row for name in needed):
                continue
            for name in numbers:
                if name in row:
                    row[name] = _number(row[name])
            if row.get("closed") is False:
                del row["closed"]
            if "synonyms" in row:
                row["synonyms"] = json.loads(row["synonyms"]) if isinstance(row["synonyms"], str) else row["synonyms"]
                if not row["synonyms"]:
                    del row["synonyms"]
            for name in moments:
                if name in row and row[name].endswith(".000000Z"):
                    row[name] = row[name].removesuffix(".000000Z") + "Z"
            for name in ENTITIES[entity].required:
                row.setdefault(name, "") if ENTITIES[entity].field(name).kind == "text" else None
            kept.add(row["id"])
            yield row


_NEEDED = {
    "service_at_location": ("service_id", "location_id"),
    "accessibility": ("location_id",),
    "cost_option": ("service_id",),
    "required_document": ("service_id",),
    "service_capacity": ("service_id",),
    "organization_identifier": ("organization_id",),
    "attribute": ("link_id",),
    "metadata": ("resource_id",),
}


def _select(entity: str, field: Field) -> str:
    column = documents.COLUMNS.get((entity, field.name), field.name)
    column = '"group"' if column == "group" else column
    if field.kind in ("uuid", "date"):
        return f"{column}::text"
    if field.kind == "time":
        return f"to_char({column}, 'HH24:MI')"
    if field.kind == "datetime":
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || 'Z'"
    if field.kind == "number":
        return f"{column}::float8"
    if field.kind == "json":
        return f"{column}::text"
    return column


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)


# JSON


def export_json(out: BinaryIO, *, lines: bool = False, progress: Tell | None = None) -> int:
    """Write every public object to `out`: services in full, then organizations, taxonomies, terms and what hangs on
    none of them. lines: one object a line instead of one list. Returns how many objects.
    """
    tell = progress or _nothing
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        _steady(cursor)
        for text in _objects(cursor):
            out.write((b"" if lines else b"[\n" if not count else b",\n") + text + (b"\n" if lines else b""))
            count += 1
            if count % 500 == 0:
                tell("writing", count)
        if not lines:
            out.write(b"\n]\n" if count else b"[\n]\n")
    tell("writing", count)
    return count


#: Parts before wholes; what is served on its own comes last.
_ORDER = (
    "metadata", "taxonomy", "taxonomy_term", "attribute", "url", "funding", "unit", "service_capacity",
    "required_document", "cost_option", "language", "schedule", "service_area", "accessibility", "address",
    "organization_identifier", "phone", "contact", "program", "location", "service_at_location", "organization",
    "service", "meta_table_description",
)  # fmt: skip


def _objects(cursor: Any) -> Iterator[bytes]:
    rows: dict[str, list[dict[str, Any]]] = {}
    source = _Rows(cursor)
    for entity in LOAD_ORDER:
        rows[entity] = list(source.of(entity))
    parts: dict[tuple[str, str], dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    wholes: dict[str, dict[str, bytes]] = defaultdict(dict)
    items: dict[str, dict[str, bytes]] = defaultdict(dict)
    links: dict[str, set[str]] = defaultdict(set)
    for entity in ENTITIES.values():
        for many in entity.manys:
            if many.since <= DEFAULT_VERSION:
                links[many.entity].add(many.through)
    shown: set[str] = set()  # ids of locations, programs and units that stand in some other object
    alone: dict[str, list[bytes]] = defaultdict(list)
    for name in _ORDER:
        entity = ENTITIES[name]
        collections = [many for many in entity.manys if many.since <= DEFAULT_VERSION]
        for row in rows.pop(name):
            key = row["id"]
            full: dict[str, Any] = dict(row)
            for one in entity.ones:
                # A service shows its organization in short: the whole one stands on its own.
                text = (items if one.entity == "organization" else wholes)[one.entity].get(row.get(one.through, ""))
                if text:
                    full[one.name] = orjson.Fragment(text)
                    shown.add(row[one.through])
            for many in collections:
                texts = parts[many.entity, many.through].get(key)
                if texts:
                    full[many.name] = orjson.Fragment(b"[" + b",".join(texts) + b"]")
            text = orjson.dumps(full)
            if name in ("organization", "location", "program", "taxonomy", "taxonomy_term", "unit"):
                wholes[name][key] = text
                items[name][key] = orjson.dumps(row)
            for link in links[name]:
                if link in row:
                    parts[name, link][row[link]].append(text)
                    if link != "location_id":
                        shown.add(key)
            if name == "service":
                yield text
            elif name in ("organization", "taxonomy", "taxonomy_term"):
                alone[name].append(orjson.dumps({ENTITY_KEY: name, **full}))
            elif name in ("location", "program", "unit", "meta_table_description"):
                alone[name].append(key.encode() + orjson.dumps({ENTITY_KEY: name, **full}))
    for name in ("organization", "taxonomy", "taxonomy_term"):
        yield from alone[name]
    for name in ("location", "program", "unit", "meta_table_description"):
        for text in alone[name]:
            if text[:36].decode() not in shown:
                yield text[36:]


# Tables


def export_tabular(out: Path, *, zipped: bool = False, progress: Tell | None = None) -> int:
    """Write a Tabular Data Package: a folder (made if it is new), or one zip. Returns how many rows.

    Texts that a spreadsheet would take for a formula begin with an apostrophe, which an import takes away again.
    """
    tell = progress or _nothing
    if zipped:
        draft = out.with_name(f".{out.name}.draft")
        try:
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                count = _tables(lambda name: _ZipFile(archive, name), tell)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
        return count
    out.mkdir(parents=True, exist_ok=True)
    for old in [entity.file for entity in ENTITIES.values()]:
        (out / old).unlink(missing_ok=True)  # of an export before: what has no rows now has no file
    return _tables(lambda name: (out / name).open("wb"), tell)


class _ZipFile:
    """One file of a zip, written as a stream, with a fixed date."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        info = zipfile.ZipInfo(name, _DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        self.file = archive.open(info, "w", force_zip64=True)

    def __enter__(self) -> Any:
        return self.file

    def __exit__(self, *_: Any) -> None:
        self.file.close()


def _tables(start: Callable[[str], Any], tell: Tell) -> int:
    count = 0
    resources = []
    with transaction.atomic(), connection.cursor() as cursor:
        _steady(cursor)
        source = _Rows(cursor)
        for name in LOAD_ORDER:
            rows = source.of(name)
            first = next(rows, None)
            if first is None and name not in RESOURCES:
                continue
            entity, columns = ENTITIES[name], COLUMNS[name]
            fields = [field for field in columns.fields if field.since <= DEFAULT_VERSION]
            names = [field.name for field in fields]
            texts = {field.name for field in fields if field.kind in ("text", "uri", "email")}
            with start(entity.file) as raw:
                text = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=False)
                writer = csv.writer(text, lineterminator="\r\n")
                writer.writerow(names)
                while first is not None:
                    writer.writerow([_cell(first.get(n), n in texts) for n in names])
                    count += 1
                    if count % 1000 == 0:
                        tell("writing", count)
                    first = next(rows, None)
                text.flush()
                text.detach()
            resources.append(_resource(name, fields, source.kept))
        with start("datapackage.json") as raw:
            raw.write(orjson.dumps(_package(resources), option=orjson.OPT_INDENT_2) + b"\n")
    tell("writing", count)
    return count


def _cell(value: Any, text: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    said = str(value)
    if text and _FORMULA.match(said) and not (_HARMLESS.fullmatch(said) and said[0] not in "\t\r\n"):
        return "'" + said
    return said


_TYPES = {
    "text": "string", "uuid": "string", "uri": "string", "email": "string", "number": "number", "date": "date",
    "time": "time", "datetime": "datetime", "boolean": "boolean", "json": "object",
}  # fmt: skip


def _resource(name: str, fields: list[Field], kept: dict[str, set[str]]) -> dict[str, Any]:
    entity = ENTITIES[name]
    described = []
    for field in fields:
        one: dict[str, Any] = {"name": field.name, "type": _TYPES[field.kind]}
        if field.kind == "uuid":
            one["format"] = "uuid"
        elif field.kind == "time":
            one["format"] = "%H:%M"
        elif field.kind == "datetime":
            one["format"] = "any"
        constraints: dict[str, Any] = {}
        if field.name == "id":
            constraints |= {"required": True, "unique": True}
        if field.enum:
            constraints["enum"] = list(field.enum)
        if constraints:
            one["constraints"] = constraints
        described.append(one)
    schema: dict[str, Any] = {"fields": described, "primaryKey": "id", "missingValues": [""]}
    keys = [
        {"fields": ref.name, "reference": {"resource": "" if ref.refers == name else str(ref.refers), "fields": "id"}}
        for ref in entity.references
        if ref.refers != "*" and (ref.refers == name or kept.get(str(ref.refers)) or ref.refers in RESOURCES)
    ]
    if keys:
        schema["foreignKeys"] = keys
    return {
        "name": name,
        "path": entity.file,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "schema": schema,
    }


def _package(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "human_services_data",
        "title": f"HSDS {DEFAULT_VERSION}",
        "profile": "tabular-data-package",
        "hsds_version": DEFAULT_VERSION,
        "homepage": PROFILE_URI.format(version=DEFAULT_VERSION),
        "resources": resources,
    }


def _steady(cursor: Any) -> None:
    """One moment for the whole export: what others write meanwhile is not seen in half."""
    if not connection.needs_rollback and len(connection.savepoint_ids) == 0:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
