"""Import: HSDS files into the city's directory, in one transaction, writing only what the source has changed.

Rows go by COPY into temporary tables and are merged set by set. What a source last said of each row is remembered
(`SourceRow`), so the same file twice changes nothing, people's corrections and removals stay, and what a source no
longer lists is marked and not deleted.
"""

import datetime as dt
import hashlib
import itertools
import re
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.core import language as tongues
from parvis.core.geometry import contains
from parvis.core.hsds import ENTITIES, LOAD_ORDER, PARENTS, RESOURCES
from parvis.core.hsds_files import HsdsError, Limits, Package, open_package
from parvis.core.hsds_reading import COLUMNS, SENTENCES, Reading, Report
from parvis.directory import documents, holding, listings, queries, wording
from parvis.directory.models import DoNotList, ImportConflict, ImportRun, MetaTableDescription
from parvis.ledger import actions as ledger
from parvis.places.models import Borough
from parvis.words import actions as words

#: What has a history of its own: a ledger event for each that an import writes.
TOLD = ("taxonomy", "taxonomy_term", "organization", "program", "location", "service", "service_at_location")
#: Findings that are kept in the database and shown on the HTML page; all of them are in the JSON file.
MOST_FINDINGS = 2_000
#: Beyond so many touched objects everything is rendered and indexed again in one pass.
MANY = 300
_MOST_DESCRIPTION = 8 << 20  # bytes of a datapackage.json
_LOCK = 0x70617276  # of imports in one city: one at a time

MODELS = {**documents.MODELS, "meta_table_description": MetaTableDescription}


@dataclass
class Changes:
    """What an import did to the directory, in rows."""

    created: int = 0
    updated: int = 0
    marked: int = 0  # no longer listed by their source
    back: int = 0  # listed again
    left: int = 0  # people had removed them here: left so
    unchanged: int = 0
    held: int = 0  # fields that people changed or confirmed: what the source says of them is theirs to decide
    barred: int = 0  # on the do-not-list: not public

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))


@dataclass
class Imported:
    """The outcome of one import: the account of the files, what changed, and where the report stands."""

    report: Report
    changes: Changes
    language: str = ""  # of the texts
    language_from: str = "city"  # who said so: "asked", "file", or "city": nobody, so the city's first is assumed
    run: ImportRun | None = None
    files: list[Path] = field(default_factory=list)

    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The report as JSON holds it, with at most `most` findings."""
        whole = self.report.as_dict()
        whole["changes"] = self.changes.as_dict()
        whole["language"], whole["language_from"] = self.language, self.language_from
        whole["findings_total"] = len(whole["findings"])
        if most is not None:
            whole["findings"] = whole["findings"][:most]
        return whole


class Existing:
    """What the active city holds already (`parvis.core.hsds_reading.Known`), looked up when it is asked for."""

    def __init__(self) -> None:
        self._ids: dict[str, set[str]] = {}
        self.nothing = False  # the city is empty: no need to ask, even while a COPY keeps the connection busy

    def ids(self, entity: str) -> set[str]:
        if self.nothing:
            return set()
        if entity not in self._ids:
            self._ids[entity] = {row[0] for row in _all(f"SELECT id::text FROM {_table(entity)}")}
        return self._ids[entity]

    def pairs(self) -> dict[tuple[str, str], str]:
        if self.nothing:
            return {}
        rows = _all(f"SELECT service_id::text, location_id::text, id::text FROM {_table('service_at_location')}")
        return {(service, location): link for service, location, link in rows}

    def banned(self, entity: str) -> set[str]:
        if entity not in RESOURCES:
            return set()
        gone = _all(
            "SELECT object_id::text FROM directory_tombstone t WHERE kind = %s AND reason IN ('deleted', 'merged')"
            f" AND NOT EXISTS (SELECT 1 FROM {_table(entity)} r WHERE r.id = t.object_id)",
            [entity],
        )
        return {row[0] for row in gone}


def import_hsds(
    path: str | Path,
    *,
    source: str = "",
    language: str = "",
    by: Any = "import",
    reason: str = "",
    progress: Callable[[str, int], None] | None = None,
    dry_run: bool = False,
    limits: Limits | None = None,
    shown_path: str = "",
) -> Imported:
    """Import an HSDS folder, zip or file into the active city.

    source: name under which this source's rows are known (default: the package's name). language: BCP 47 tag of its
    texts (default: what the files say of themselves; when they say nothing, nothing is known of the texts, and they
    count as written in the city's first language). by: a User, or a short text
    for the ledger. progress: called with (phase, rows so far). dry_run: everything is done and taken back.
    Raises HsdsError, with one sentence for the person who gave the file; then nothing has changed.
    """
    if language:
        try:
            language = tongues.normalise(language)
        except ValueError:
            raise HsdsError(f"{language} is no language tag such as fr, en or pt-BR.") from None
    tell = progress or (lambda phase, number: None)
    started = timezone.now()
    with documents.without_collector(), open_package(path, limits) as package:
        reading = Reading(
            package,
            source=(source or package.name)[:80],
            region=getattr(connection.tenant, "country", "") or "",
            known=Existing(),
            limits=limits,
            progress=lambda number: tell("reading", number),
        )
        try:
            reading.read()
            with transaction.atomic():
                imported = _Merge(reading, started, by, reason, tell).run()
                _say_language(imported, language, _said_in(package))
                if dry_run:
                    transaction.set_rollback(True)
                else:
                    imported.run = _keep(imported, shown_path or str(path), by, started)
        except DatabaseError as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise HsdsError(f"The database refused the import, and nothing has changed: {said}") from error
        finally:
            reading.close()
    if not dry_run:
        imported.files = write_report(imported, started)
    return imported


def _say_language(imported: Imported, asked: str, said: str) -> None:
    """Write down in which language the source's texts are, when somebody says so: the reader's page needs to know."""
    source = imported.report.source
    said = asked or said or _said_in_tables(source)
    imported.language_from = "asked" if asked else "file" if said else "city"
    imported.language = said or connection.tenant.default_language
    if said:
        words.speak(*queries.texts_from(source), said)


def _said_in(package: Package) -> str:
    """The one language that the package's own description names ("language", "languages"), else ""."""
    for member in package.members:
        if member.stem in ("datapackage", "package") and member.ending == ".json":
            with member.bytes() as stream:
                try:
                    whole = orjson.loads(stream.read(_MOST_DESCRIPTION))
                except orjson.JSONDecodeError:
                    return ""
            said = whole.get("language") or whole.get("languages") if isinstance(whole, dict) else None
            return _one_language(said if isinstance(said, list) else [said])
    return ""


def _said_in_tables(source: str) -> str:
    """The one language that this source's meta_table_descriptions give to the tables of HSDS, else ""."""
    rows = MetaTableDescription.objects.filter(source=source, missing_since=None).exclude(language="")
    tables = {*ENTITIES, *(entity.file.removesuffix(".csv") for entity in ENTITIES.values())}
    return _one_language([said for name, said in rows.values_list("name", "language") if name.lower() in tables])


def _one_language(said: list[Any]) -> str:
    """The tag that all of these languages (tags or names, or objects that have one) come to; "" when they differ."""
    words = [one.get("code") or one.get("name") if isinstance(one, dict) else one for one in said]
    found = {tongues.from_name(word) for word in words if isinstance(word, str) and word}
    return found.pop() or "" if len(found) == 1 else ""


class _Merge:
    """Rows of a reading into the tables of the active city, inside the caller's transaction."""

    def __init__(
        self, reading: Reading, started: dt.datetime, by: Any, reason: str, tell: Callable[[str, int], None]
    ) -> None:
        self.reading, self.now, self.by, self.reason, self.tell = reading, started, by, reason, tell
        self.source = reading.source
        self.changes = Changes()
        self.absent: dict[str, set[str]] = {}  # entity -> ids that people removed here
        self.events: list[ledger.Entry] = []
        self.fresh = False
        self.copied = 0
        self.straight: dict[str, int] = {}  # entity -> rows copied into a table that had none

    def run(self) -> Imported:
        with connection.cursor() as cursor:
            self.cursor = cursor
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", [_LOCK])
            cursor.execute("SELECT 1 FROM directory_revision WHERE id = 1 FOR UPDATE")
            self._make("touched", "(entity text, id uuid, what text) ON COMMIT DROP")
            self.fresh = not any(_all(f"SELECT 1 FROM {_table(name)} LIMIT 1") for name in TOLD)
            if isinstance(self.reading.known_before, Existing):
                self.reading.known_before.nothing = self._empty()
            # Nobody has analyzed these tables since this import began to fill them. For so many rows a plan that looks
            # each of them up one by one is always wrong, and a wrong guess of their number would choose it.
            many = self.reading.done > MANY
            if many:
                cursor.execute("SET LOCAL enable_nestloop = off")
            for entity, rows in self.reading.all_rows():
                self._take(entity, rows)
            self._mark()
            self._bar()
            if many:
                cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
            if not self.fresh:
                self._tell_parents()
            self._refresh()
            self._write_ledger()
        return Imported(self.reading.report, self.changes)

    def _empty(self) -> bool:
        """Whether no table of the directory has a row, and no source has ever said anything."""
        tables = ["directory_sourcerow", *(_table(entity) for entity in LOAD_ORDER)]
        return not _all(" UNION ALL ".join(f"(SELECT 1 FROM {table} LIMIT 1)" for table in tables))

    def _make(self, table: str, rest: str, values: list[Any] | None = None) -> None:
        """A temporary table of this import, in place of one left by an import before in the same transaction."""
        self.cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        self.cursor.execute(f"CREATE TEMP TABLE {table} {rest}", values)

    # rows of one entity

    def _take(self, entity: str, rows: Iterator[list[Any]]) -> None:
        first = next(rows, None)
        if first is None:
            return
        names = COLUMNS[entity].names
        columns = [_column(entity, name) for name in names]
        straight = getattr(self.reading.known_before, "nothing", False)
        if straight:
            self._copy_straight(entity, columns, itertools.chain((first,), rows))
            return
        # Laid aside first: while a COPY is open the connection cannot answer what the reading asks.
        with tempfile.SpooledTemporaryFile(max_size=64 << 20) as spool:
            self._copy_apart(entity, columns, itertools.chain((first,), rows), spool)
        self._merge(entity, names, columns, f"incoming_{entity}")

    def _copy_straight(self, entity: str, columns: list[str], rows: Iterator[list[Any]]) -> None:
        """Rows into a table that has none yet: nothing to compare, so nothing in between."""
        now = self.now.isoformat()
        own = {"source": _copied(self.source), "missing_since": "\\N"}
        if entity in documents.VERSIONED:
            own |= {"version": "1", "created_at": now, "changed_at": now}
        taken = {*(name.strip('"') for name in columns), *own}
        own |= {name: value for name, value in _absent_values(entity).items() if name not in taken}
        marks = [_absent_values(entity).get(name.strip('"'), "\\N") for name in columns]
        tail = "\t" + "\t".join(own.values())
        said = f"{_copied(self.source)}\t{entity}\t"
        memory: list[str] = []
        lines: list[str] = []
        with self.cursor.copy(f"COPY {_table(entity)} ({', '.join([*columns, *own])}) FROM STDIN") as copy:
            for row in rows:
                line, digest = _line(row, marks)
                lines.append(f"{line}{tail}\n")
                memory.append(f"{said}{row[0]}\t{digest}\n")
                if len(lines) >= 500:
                    copy.write("".join(lines))
                    self.tell("writing", self.copied + len(memory))
                    lines.clear()
            copy.write("".join(lines))
        count = len(memory)
        self.copied += count
        with self.cursor.copy("COPY directory_sourcerow (source, entity, object_id, digest) FROM STDIN") as copy:
            for start in range(0, len(memory), 2000):
                copy.write("".join(memory[start : start + 2000]))
        self.changes.created += count
        self.straight[entity] = count
        if entity in TOLD:
            shown = ", ".join(
                f"r.{column} AS {_quoted(name)}" for name, column in zip(COLUMNS[entity].names, columns, strict=True)
            )
            self._tell_created(
                entity,
                f"SELECT r.id, (SELECT row_to_json(n)::text FROM (SELECT {shown}) n)"
                f" FROM {_table(entity)} r ORDER BY r.id",
            )

    def _copy_apart(self, entity: str, columns: list[str], rows: Iterator[list[Any]], spool: Any) -> None:
        """Rows into a temporary table, `incoming_...`."""
        incoming = f"incoming_{entity}"
        marks = ["" if text else "\\N" for text in _texts(entity)]
        self._make(
            incoming,
            f"ON COMMIT DROP AS SELECT {', '.join(columns)}, 0::bigint AS digest FROM {_table(entity)} WITH NO DATA",
        )
        lines: list[str] = []
        for row in rows:
            line, digest = _line(row, marks)
            lines.append(f"{line}\t{digest}\n")
            if len(lines) >= 1000:
                spool.write("".join(lines).encode())
                self.copied += len(lines)
                self.tell("writing", self.copied)
                lines.clear()
        spool.write("".join(lines).encode())
        spool.seek(0)
        with self.cursor.copy(f"COPY {incoming} ({', '.join(columns)}, digest) FROM STDIN") as copy:
            while chunk := spool.read(1 << 18):
                copy.write(chunk)
        self.cursor.execute(f"CREATE INDEX ON {incoming} (id)")
        self.cursor.execute(f"ANALYZE {incoming}")
        self._drop_orphans(entity, incoming)

    def _drop_orphans(self, entity: str, incoming: str) -> None:
        """Take out links to rows that people removed here, and rows that have then nothing to belong to."""
        cut = False
        for ref in ENTITIES[entity].references:
            gone = self.absent.get(str(ref.refers)) if ref.refers != "*" else set().union(*self.absent.values())
            if gone:
                self.cursor.execute(
                    f"UPDATE {incoming} SET {ref.name} = NULL WHERE {ref.name} = ANY(%s::uuid[])", [list(gone)]
                )
                cut = cut or self.cursor.rowcount > 0
        if not cut:
            return
        parents = PARENTS.get(entity, ())
        needed = [name for name in (*parents, "unit_id") if name in COLUMNS[entity].at and not _nullable(entity, name)]
        conditions = [f"{name} IS NULL" for name in needed]
        if parents:
            conditions.append("(" + " AND ".join(f"{name} IS NULL" for name in parents) + ")")
        if conditions:
            self.cursor.execute(f"DELETE FROM {incoming} WHERE {' OR '.join(conditions)}")
            self.changes.left += self.cursor.rowcount

    def _merge(self, entity: str, names: tuple[str, ...], columns: list[str], incoming: str) -> None:
        cursor, table = self.cursor, _table(entity)
        versioned = entity in documents.VERSIONED
        content = [column for column in columns if column != "id"]
        # Words that people gave to a term stay when the source gives none.
        new = {
            column: f"COALESCE(i.{column}, r.{column})" if column == "synonyms" else f"i.{column}" for column in content
        }
        self._make(
            f"fate_{entity}",
            "ON COMMIT DROP AS SELECT i.id, CASE"
            "  WHEN r.id IS NULL AND s.object_id IS NOT NULL THEN 'left'"
            "  WHEN r.id IS NULL THEN 'created'"
            "  WHEN s.digest = i.digest AND r.missing_since IS NULL THEN 'same'"
            "  WHEN s.digest = i.digest THEN 'back'"
            f"  WHEN ({', '.join(f'r.{c}' for c in content)}) IS DISTINCT FROM"
            f"  ({', '.join(new.values())}) THEN 'updated'"
            "  WHEN r.missing_since IS NOT NULL THEN 'back'"
            "  ELSE 'same' END AS what"
            f" FROM {incoming} i LEFT JOIN {table} r ON r.id = i.id"
            " LEFT JOIN directory_sourcerow s ON s.source = %s AND s.entity = %s AND s.object_id = i.id",
            [self.source, entity],
        )
        cursor.execute(f"ANALYZE fate_{entity}")
        if not self.fresh:
            self._hold(entity, content, incoming)
        counts = dict(_rows(cursor, f"SELECT what, count(*) FROM fate_{entity} GROUP BY what"))
        self.changes.created += counts.get("created", 0)
        self.changes.updated += counts.get("updated", 0)
        self.changes.back += counts.get("back", 0)
        self.changes.left += counts.get("left", 0)
        self.changes.unchanged += counts.get("same", 0)
        if counts.get("left"):
            left = _rows(cursor, f"SELECT id::text FROM fate_{entity} WHERE what = 'left'")
            self.absent[entity] = {row[0] for row in left}
        if entity in TOLD:
            self._tell(entity, names, columns, incoming, counts)
        bumped = f", version = r.version + 1, changed_at = {_NOW}" if versioned else ""
        if counts.get("updated"):
            changed = ", ".join(f"{column} = {new[column]}" for column in content)
            cursor.execute(
                f"UPDATE {table} r SET {changed}, source = %s, missing_since = NULL{bumped}"
                f" FROM {incoming} i JOIN fate_{entity} f ON f.id = i.id AND f.what = 'updated' WHERE r.id = i.id",
                [self.source, *([self.now] if versioned else [])],
            )
        if counts.get("back"):
            cursor.execute(
                f"UPDATE {table} r SET missing_since = NULL{bumped}"
                f" FROM fate_{entity} f WHERE f.what = 'back' AND r.id = f.id",
                [self.now] if versioned else [],
            )
        if counts.get("created"):
            own = {"source": "%s", "missing_since": "NULL"}
            values: list[Any] = [self.source]
            if versioned:
                own |= {"version": "1", "created_at": "%s", "changed_at": "%s"}
                values += [self.now, self.now]
            taken = {*(name.strip('"') for name in columns), *own}
            own |= {name: default for name, default in _defaults(entity).items() if name not in taken}
            given = [f"COALESCE(i.{c}, {_defaults(entity)[c]})" if c in _FILLED else f"i.{c}" for c in columns]
            only = f" JOIN fate_{entity} f ON f.id = i.id AND f.what = 'created'" if len(counts) > 1 else ""
            cursor.execute(
                f"INSERT INTO {table} ({', '.join([*columns, *own])})"
                f" SELECT {', '.join([*given, *own.values()])} FROM {incoming} i{only}",
                values,
            )
        if set(counts) - {"same"}:
            cursor.execute(
                f"INSERT INTO touched SELECT %s, id, what FROM fate_{entity}"
                " WHERE what IN ('created', 'updated', 'back')",
                [entity],
            )
        cursor.execute(
            "INSERT INTO directory_sourcerow (source, entity, object_id, digest)"
            f" SELECT %s, %s, id, digest FROM {incoming} ON CONFLICT (source, entity, object_id)"
            " DO UPDATE SET digest = excluded.digest WHERE directory_sourcerow.digest <> excluded.digest",
            [self.source, entity],
        )

    def _hold(self, entity: str, content: list[str], incoming: str) -> None:
        """Leave fields as they are that people changed or confirmed here; what the source says is theirs to decide."""
        plain = [column.strip('"') for column in content]
        here, said = {}, {}
        for key, ours, theirs in _rows(
            self.cursor,
            f"SELECT r.id, to_jsonb(r)::text, to_jsonb(i)::text FROM fate_{entity} f JOIN {_table(entity)} r"
            f" ON r.id = f.id JOIN {incoming} i ON i.id = f.id WHERE f.what = 'updated'",
        ):
            here[key], said[key] = orjson.loads(ours), orjson.loads(theirs)
        if not here:
            return
        kept = holding.held(entity, here, timezone.localdate(self.now))
        conflicts, columns = [], defaultdict[str, list[uuid.UUID]](list)
        for key, names in kept.items():
            kind, owner = holding.owners_of(entity, key, here[key])[:1][0]
            for name in plain:
                # a source that says nothing of a field contradicts nobody
                if here[key][name] != said[key][name] and (names is None or name in names):
                    columns[name].append(key)
                    if said[key][name] not in (None, "", {}):
                        conflicts.append(
                            ImportConflict(
                                source=self.source, entity=entity, object_id=key, kind=kind, owner_id=owner,
                                field=name, ours=here[key][name], theirs=said[key][name], since=self.now,
                            )
                        )  # fmt: skip
        for name, keys in columns.items():
            self.cursor.execute(
                f"UPDATE {incoming} i SET {_quoted(name)} = r.{_quoted(name)} FROM {_table(entity)} r"
                " WHERE r.id = i.id AND i.id = ANY(%s)",
                [keys],
            )
        if columns:
            row = ", ".join
            self.cursor.execute(
                f"UPDATE fate_{entity} f SET what = CASE WHEN r.missing_since IS NULL THEN 'same' ELSE 'back' END"
                f" FROM {_table(entity)} r JOIN {incoming} i ON i.id = r.id WHERE f.id = r.id AND f.what = 'updated'"
                f" AND ({row(f'r.{c}' for c in content)}) IS NOT DISTINCT FROM ({row(f'i.{c}' for c in content)})"
            )
        holding.note(conflicts)
        self.changes.held += len(conflicts)

    def _tell(
        self, entity: str, names: tuple[str, ...], columns: list[str], incoming: str, counts: dict[str, int]
    ) -> None:
        """Note what the ledger will say of an entity's rows, while both the old and the new are at hand."""
        shown = list(zip(names, columns, strict=True))[1:]
        new = ", ".join(f"i.{column} AS {_quoted(name)}" for name, column in shown)
        old = ", ".join(f"r.{column} AS {_quoted(name)}" for name, column in shown)
        label = MODELS[entity]._meta.label_lower
        if counts.get("created"):
            self._tell_created(
                entity,
                f"SELECT i.id, (SELECT row_to_json(n)::text FROM (SELECT {new}) n) FROM {incoming} i"
                f" JOIN fate_{entity} f ON f.id = i.id AND f.what = 'created' ORDER BY i.id",
            )
        if not (counts.get("updated") or counts.get("back")):
            return
        for identity, what, version, before, after in _rows(
            self.cursor,
            f"SELECT i.id, f.what, {'r.version' if entity in documents.VERSIONED else '0'},"
            f" (SELECT row_to_json(o)::text FROM (SELECT {old}) o), (SELECT row_to_json(n)::text FROM (SELECT {new}) n)"
            f" FROM {incoming} i JOIN fate_{entity} f ON f.id = i.id AND f.what IN ('updated', 'back')"
            f" JOIN {_table(entity)} r ON r.id = i.id ORDER BY i.id",
        ):
            was, now = orjson.loads(before), orjson.loads(after)
            if what == "back":
                self._event(f"{entity}.relisted", label, identity, {"version": version}, {"version": version + 1})
                continue
            differing = [n for n in now if now[n] != was[n] and not (n == "synonyms" and now[n] is None)]
            self._event(
                f"{entity}.edited", label, identity,
                {**{n: was[n] for n in differing}, "version": version},
                {**{n: now[n] for n in differing}, "version": version + 1},
            )  # fmt: skip

    def _tell_created(self, entity: str, sql: str) -> None:
        label = MODELS[entity]._meta.label_lower
        for identity, said in _rows(self.cursor, sql):
            after = {name: value for name, value in orjson.loads(said).items() if value not in (None, "", {})}
            after.pop("id", None)
            self._event(f"{entity}.created", label, identity, None, {**after, "version": 1})

    def _event(self, code: str, label: str, identity: uuid.UUID, before: Any, after: Any) -> None:
        after = {**after, "source": self.source}  # so an import by somebody is no word of theirs (directory.holding)
        self.events.append(ledger.Entry(code, label, identity, before, after, self.reason or self.source))

    # what the source no longer lists

    def _mark(self) -> None:
        seen = self.reading.listed()
        for entity in LOAD_ORDER:
            if entity not in seen or entity in self.straight:
                continue
            here = self.reading.known.get(entity) is not None and self._exists(f"incoming_{entity}")
            still = f"AND NOT EXISTS (SELECT 1 FROM incoming_{entity} i WHERE i.id = s.object_id)" if here else ""
            refused = list(self.reading.gone.get(entity, ()))
            marked = _rows(
                self.cursor,
                f"UPDATE {_table(entity)} r SET missing_since = %s FROM directory_sourcerow s"
                " WHERE s.source = %s AND s.entity = %s AND s.object_id = r.id AND r.source = %s"
                f" AND r.missing_since IS NULL AND NOT (r.id = ANY(%s::uuid[])) {still} RETURNING r.id",
                [self.now, self.source, entity, self.source, refused],
            )
            self.changes.marked += len(marked)
            if not marked:
                continue
            self.cursor.execute(
                "INSERT INTO touched SELECT %s, unnest(%s::uuid[]), 'marked'", [entity, [row[0] for row in marked]]
            )
            if entity in TOLD:
                label = MODELS[entity]._meta.label_lower
                for (identity,) in marked:
                    self._event(f"{entity}.missing", label, identity, None, {"missing_since": self.now})

    def _bar(self) -> None:
        """Leave out of public what people took out for good, also under another id."""
        if self.fresh:
            made = {kind: [row[0] for row in _rows(self.cursor, f"SELECT id FROM {_table(kind)}")]
                    for kind in ("organization", "service")} if DoNotList.objects.exists() else {}  # fmt: skip
        else:
            made = defaultdict(list)
            for kind, key in _rows(
                self.cursor,
                "SELECT entity, id FROM touched WHERE what = 'created' AND entity IN ('organization', 'service')",
            ):
                made[kind].append(key)
        self.changes.barred = holding.bar(made, self.now) if made else 0

    def _exists(self, table: str) -> bool:
        return bool(_rows(self.cursor, "SELECT to_regclass(%s)", [f"pg_temp.{table}"])[0][0])

    # what follows

    def _tell_parents(self) -> None:
        """An object whose phones, hours, links... changed has changed: its version and date say so."""
        self.cursor.execute("CREATE INDEX ON touched (entity, id)")
        self.cursor.execute("ANALYZE touched")
        kinds = {row[0] for row in _rows(self.cursor, "SELECT DISTINCT entity FROM touched")}
        for entity in reversed(LOAD_ORDER):
            if entity not in kinds or (entity in TOLD and entity != "service_at_location"):
                continue
            for name in PARENTS.get(entity, ()):
                refers = ENTITIES[entity].field(name).refers
                kind = "link_entity" if name == "link_id" else "resource_type" if name == "resource_id" else ""
                said = f"r.{kind}" if kind else f"'{refers}'"
                self.cursor.execute(
                    f"INSERT INTO touched SELECT DISTINCT {said}, r.{name}, 'part' FROM touched t"
                    f" JOIN {_table(entity)} r ON r.id = t.id WHERE t.entity = %s AND r.{name} IS NOT NULL"
                    f" AND NOT EXISTS (SELECT 1 FROM touched p WHERE p.entity = {said} AND p.id = r.{name})",
                    [entity],
                )
                if self.cursor.rowcount:
                    kinds |= {refers} if refers != "*" else set(LOAD_ORDER)
        for entity in TOLD:
            if entity not in kinds:
                continue
            changed = _rows(
                self.cursor,
                f"UPDATE {_table(entity)} r SET version = r.version + 1, changed_at = %s FROM touched t"
                " WHERE t.entity = %s AND t.what = 'part' AND t.id = r.id RETURNING r.id, r.version",
                [self.now, entity],
            )
            label = MODELS[entity]._meta.label_lower
            for identity, version in changed:
                self._event(f"{entity}.parts", label, identity, {"version": version - 1}, {"version": version})

    def _refresh(self) -> None:
        """Render and index what has changed, in the same transaction."""
        total = _rows(self.cursor, "SELECT count(*) FROM touched")[0][0] + sum(self.straight.values())
        if not total:
            return
        self._place()
        self.tell("rendering", 0)
        if total > MANY or self.fresh:
            documents.refresh(everything=True)
            self.tell("indexing", 0)
            listings.refresh()
            return
        ids: dict[str, list[uuid.UUID]] = defaultdict(list)
        for entity, identity in _rows(self.cursor, "SELECT DISTINCT entity, id FROM touched"):
            ids[entity].append(identity)
        organizations = set(ids["organization"])
        if ids["program"]:
            organizations |= {
                row[0]
                for row in _rows(
                    self.cursor,
                    f"SELECT organization_id FROM {_table('program')}"
                    " WHERE id = ANY(%s) AND organization_id IS NOT NULL"
                    " UNION SELECT organization_id FROM directory_service WHERE program_id = ANY(%s)"
                    " AND organization_id IS NOT NULL",
                    [ids["program"], ids["program"]],
                )
            }
        documents.refresh(
            service_ids=ids["service"],
            organization_ids=organizations,
            service_at_location_ids=ids["service_at_location"],
            taxonomy_ids=ids["taxonomy"],
            term_ids=ids["taxonomy_term"],
            location_ids=ids["location"],
        )
        links = _rows(
            self.cursor,
            f"SELECT service_id FROM {_table('service_at_location')} WHERE id = ANY(%s)",
            [ids["service_at_location"]],
        )
        terms = ids["taxonomy_term"] + [
            row[0]
            for row in _rows(
                self.cursor, f"SELECT id FROM {_table('taxonomy_term')} WHERE taxonomy_id = ANY(%s)", [ids["taxonomy"]]
            )
        ]
        listings.refresh(
            service_ids=[*ids["service"], *(row[0] for row in links)],
            organization_ids=list(organizations),
            location_ids=ids["location"],
            term_ids=terms,
        )

    def _place(self) -> None:
        """Put every location into the borough that its point is in ("" when in none, or when there is no point)."""
        areas = [(area.code, area.geometry, _box(area.geometry)) for area in Borough.objects.all()]
        if not areas:
            return
        moved: list[tuple[uuid.UUID, str]] = []
        for identity, north, east, present in _rows(
            self.cursor, f"SELECT id, latitude, longitude, borough FROM {_table('location')}"
        ):
            found = ""
            if north is not None and east is not None:
                for code, geometry, (west, south, most_east, most_north) in areas:
                    inside = west <= east <= most_east and south <= north <= most_north
                    if inside and contains(geometry, east, north):
                        found = code
                        break
            if found != present and (found or north is not None):
                moved.append((identity, found))
        if moved:
            self.cursor.execute(
                f"UPDATE {_table('location')} l SET borough = m.borough"
                " FROM unnest(%s::uuid[], %s::text[]) AS m(id, borough) WHERE l.id = m.id",
                [[identity for identity, _code in moved], [code for _identity, code in moved]],
            )

    def _write_ledger(self) -> None:
        if not self.events and not self.changes.created and not self.changes.updated:
            return
        self.tell("ledger", len(self.events))
        counted = {**self.changes.as_dict(), **self.reading.report.totals()}
        summary = ledger.Entry(
            "directory.imported",
            ImportRun._meta.label_lower,
            uuid.uuid5(uuid.NAMESPACE_URL, f"{self.source} {self.now.isoformat()}"),
            None,
            {"source": self.source, "digest": self.reading.report.digest, **counted},
            self.reason,
        )
        ledger.record_many([*self.events, summary], by=self.by)


# Columns


def _table(entity: str) -> str:
    return MODELS[entity]._meta.db_table


def _column(entity: str, name: str) -> str:
    return _quoted(documents.COLUMNS.get((entity, name), name))


def _quoted(name: str) -> str:
    return f'"{name}"' if name == "group" else name


def _nullable(entity: str, name: str) -> bool:
    return next(column.null for column in MODELS[entity]._meta.concrete_fields if column.attname == name)


_NOW = "%s"
_FILLED = ("closed", "synonyms")


def _defaults(entity: str) -> dict[str, str]:
    """SQL for the columns that Django fills in Python."""
    defaults = {}
    for column in MODELS[entity]._meta.concrete_fields:
        kind = column.get_internal_type()
        if column.null:
            continue
        if kind in ("TextField", "CharField"):
            defaults[column.column] = "''"
        elif kind == "BooleanField":
            defaults[column.column] = "false"
        elif kind == "JSONField":
            defaults[column.column] = "'{}'::jsonb"
    return defaults


def _texts(entity: str) -> list[bool]:
    """For each column of an entity: whether an absent value is an empty text (else NULL)."""
    fields = {column.column: column for column in MODELS[entity]._meta.concrete_fields}
    found = []
    for name in COLUMNS[entity].names:
        column = fields[documents.COLUMNS.get((entity, name), name)]
        found.append(column.get_internal_type() in ("TextField", "CharField") and not column.null)
    return found


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_UNSAFE = re.compile(r"[\\\t\n\r]")


def _line(row: list[Any], marks: list[str]) -> tuple[str, int]:
    """A row as a line of COPY (`marks`: what stands for an absent value, by column), and the hash of what it says."""
    said = "\x1f".join([cell or "" for cell in row])
    if _UNSAFE.search(said):
        row = [cell and cell.translate(_ESCAPES) for cell in row]
    line = "\t".join([mark if cell is None else cell for cell, mark in zip(row, marks, strict=True)])
    return line, int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


def _box(geometry: dict[str, Any]) -> tuple[float, float, float, float]:
    """West, south, east and north ends of a GeoJSON Polygon or MultiPolygon."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    points = [point for outer, *_holes in polygons for point in outer]
    easts, norths = [point[0] for point in points], [point[1] for point in points]
    return min(easts), min(norths), max(easts), max(norths)


def _copied(text: str) -> str:
    return text.translate(_ESCAPES)


def _absent_values(entity: str) -> dict[str, str]:
    """For COPY: what stands in the columns that may not be NULL when there is no value."""
    plain = {"''": "", "false": "f", "'{}'::jsonb": "{}"}
    return {name: plain[value] for name, value in _defaults(entity).items()}


def _rows(cursor: Any, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    cursor.execute(sql, values)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _all(sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return _rows(cursor, sql, values)


# The report


def _keep(imported: Imported, path: str, by: Any, started: dt.datetime) -> ImportRun:
    shown = path if len(path) < 1000 else path[:1000]
    return ImportRun.objects.create(
        source=imported.report.source,
        path=shown,
        by=None if isinstance(by, str) or by is None else by,
        started_at=started,
        ended_at=timezone.now(),
        digest=imported.report.digest,
        report=orjson.loads(orjson.dumps(imported.as_dict(MOST_FINDINGS)).replace(b"\\u0000", b"")),
    )


def sentence(code: str) -> str:
    """The problem `code` of a report in the active language."""
    return _(SENTENCES[code])


def report_page(whole: dict[str, Any]) -> str:
    """The report (as `Imported.as_dict` gives it) as an HTML page in the active language."""
    findings = [
        {**finding, "sentence": sentence(finding["problem"]), "done_word": _DONE[finding["done"]]()}
        for finding in whole["findings"][:MOST_FINDINGS]
    ]
    context = {"report": whole, "findings": findings, "language_said": wording.language_said(whole)}
    page: str = render_to_string("directory/import_report.html", context)
    return page


_DONE: dict[str, Callable[[], str]] = {
    "repaired": lambda: _("repaired"),
    "merged": lambda: _("merged"),
    "refused": lambda: _("refused"),
}


def write_report(imported: Imported, at: dt.datetime) -> list[Path]:
    """Write the whole report as JSON, and its page, under PARVIS_HOME/reports; their paths (none without room)."""
    folder = Path(settings.HOME) / "reports"
    name = re.sub(r"[^a-z0-9]+", "-", imported.report.source.lower()).strip("-")[:40] or "import"
    stem = folder / f"{at:%Y%m%d-%H%M%S}-{connection.schema_name}-{name}"
    whole = imported.as_dict()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [stem.with_suffix(".json"), stem.with_suffix(".html")]
        files[0].write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2, default=str))
        files[1].write_text(report_page(whole), encoding="utf-8", errors="replace")
    except OSError:
        return []  # the report is in the database too
    return files


__all__ = ["Changes", "HsdsError", "Imported", "import_hsds", "report_page", "write_report"]
