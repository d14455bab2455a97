"""Reading HSDS files into rows of HSDS 3.2, with an account of every row: read = written + merged + refused.

Two stages. First every record is cleaned and laid aside by entity (in memory, then on disk). Then, entity by
entity with parents first, keys are checked, doubles merged, shared children split, and rows come out, ready to
be copied into tables. Nothing here knows a database: `Known` says which rows exist already.
"""

import hashlib
import json
import marshal
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID as Uuid

from parvis.core.hsds import ENTITIES, ENTITY_KEY, EXTRAS, LOAD_ORDER, PARENTS, Entity, Field, Many
from parvis.core.hsds_cells import ANY_UUID, LABELS, UUID, Cleaner, read_language
from parvis.core.hsds_files import HsdsError, Limits, Member, Package, Sheet, json_items, sheet_of
from parvis.core.hsds_shapes import CLASSIFYING, SHAPES, OldShapes, Role, Shape, classified, shape_of, table_of

NAMESPACE = Uuid("b1f0a3f2-5d5e-5c0e-9d59-3f6c2f3b8a41")  # ours; ids that are not UUIDs are named in it
Row = list[Any]
REPAIRED, MERGED, REFUSED = "repaired", "merged", "refused"


def _(text: str) -> str:
    """Marks a sentence for the translators; the caller translates."""
    return text


# Every problem there is: code -> sentence. `{field}` and `{was}` are filled in by whoever shows it.
SENTENCES: dict[str, str] = {
    "mojibake": _("The text had been read in the wrong encoding; it was put right."),
    "wrong_encoding": _("The line is not UTF-8; it was read as Windows-1252."),
    "markup": _("The text held HTML or a script; it was made plain text."),
    "control_characters": _("The text held invisible control characters; they were taken out."),
    "formula": _("The text began like a spreadsheet formula; the leading signs were taken out."),
    "line_breaks": _("A label held line breaks; it was put on one line."),
    "too_long": _("The text was too long; it was cut."),
    "bad_address": _("This is not a web address; it was left out."),
    "address_completed": _("The web address was incomplete; it was completed."),
    "bad_email": _("This is not an e-mail address; it was left out."),
    "first_email_kept": _("There were several e-mail addresses; the first was kept."),
    "email_cleaned": _("The e-mail address was taken out of the text around it."),
    "bad_number": _("This is not a usable number; it was left out."),
    "number_form": _("The number was written another way; it was put in plain form."),
    "bad_date": _("This is not a date; it was left out."),
    "date_form": _("The date was written another way; it was put as year-month-day."),
    "bad_time": _("This is not a time of day; it was left out."),
    "time_form": _("The time was written another way; it was put as hours:minutes."),
    "bad_boolean": _("This is neither yes nor no; it was left out."),
    "choice_form": _("The word was written another way; the standard's form was put."),
    "unknown_choice": _("The standard does not know this word; the usual one was put."),
    "missing_choice": _("The standard asks for a word here; the usual one was put."),
    "missing_description": _("The standard asks for a description; there is none."),
    "missing_part": _("The standard asks for this part of an address; there is none."),
    "country_form": _("The country was written another way; its two letters were put."),
    "bad_country": _("This is not a known country; it was left out."),
    "phone_form": _("The phone number was put in international form."),
    "phone_cleaned": _("Words around the phone number were taken out."),
    "phone_only_extension": _("The phone number is only an extension."),
    "status_code": _("The state was a number of the directory tool; its meaning was put."),
    "unknown_code": _("This is a number of the directory tool with no known meaning; it was left out."),
    "unknown_language": _("Nobody knows this language; it was kept as it stands, or left out if a number."),
    "moved_to_description": _("A long text stood in the place of another name; it was moved to the description."),
    "round_the_clock": _("Open round the clock: put as 00:00 to 00:00."),
    "words_for_times": _("Words stood where a time belongs; they were moved to the description."),
    "words_for_days": _("Words stood where days belong; they were moved to the description."),
    "every_year": _("A date that comes back every year was put into words."),
    "year_out_of_range": _("This cannot be a year; it was left out."),
    "ages_crossed": _("The lowest age is above the highest; both were left out."),
    "dates_crossed": _("The first day comes after the last; they were exchanged."),
    "place_out_of_range": _("These coordinates are nowhere on Earth, or in the sea off Africa; they were left out."),
    "rounded": _("The amount has too many decimals; it was rounded."),
    "id_not_uuid": _("The identifier is not a UUID; a stable one was made from it."),
    "id_missing": _("There is no identifier; one was made from the content."),
    "dangling": _("This points at something that is not there; the link was left out."),
    "several": _("There were several where the standard has one; the first was kept."),
    "several_parents": _("The row belonged to several; it became several rows."),
    "circle": _("The row was its own ancestor; the link was left out."),
    "link_entity": _("What the row is about was named wrongly; it was put right."),
    "missing_cells": _("The row has fewer cells than there are headings; the last were taken as empty."),
    "shifted_cells": _("The row is one cell short and a heading is there twice; the first of the two was skipped."),
    "other_value": _("The heading is there twice with different values; the first was kept."),
    "several_values": _("There was a list or an object where a text belongs; it was left out."),
    "same_row": _("The same row is there already."),
    "same_id": _("Another row has the same identifier; what differs was left out."),
    "same_pair": _("The same service at the same location is there already."),
    "joined": _("The row was joined to the row it is about."),
    "empty_row": _("The row is empty."),
    "too_many_cells": _("The row has more cells than there are headings."),
    "no_name": _("The row has no name."),
    "no_number": _("The phone number has no digit."),
    "nothing_in_it": _("The row says nothing but what it belongs to."),
    "no_hours": _("The row says no times."),
    "no_parent": _("The row belongs to nothing."),
    "parent_missing": _("What the row belongs to is not there."),
    "required_missing": _("Something that the standard requires is missing."),
    "do_not_list": _("The directory took this off its list for good."),
    "not_json": _("The line is not JSON."),
    "not_an_object": _("This is not an object."),
    "unknown_object": _("Nobody can tell what this object is."),
    "not_nested": _("This should be an object of its own; it was left out."),
}

_REFUSALS = {
    "empty_row", "too_many_cells", "no_name", "no_number", "nothing_in_it", "no_hours", "no_parent", "parent_missing",
    "required_missing", "not_json", "not_an_object", "unknown_object", "do_not_list",
}  # fmt: skip
_MERGERS = {"same_row", "same_id", "same_pair", "joined"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem and what was done. `line` is the line of a CSV or ndjson file, the number of a JSON item."""

    file: str
    line: int
    field: str
    code: str
    was: str
    done: str  # repaired, merged or refused
    row: str = ""  # a refused row, as it was


@dataclass
class Count:
    """The account of one entity in one file: read = written + merged + refused. `added`: rows made of others."""

    file: str
    entity: str
    read: int = 0
    written: int = 0
    merged: int = 0
    refused: int = 0
    repaired: int = 0
    added: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("file", "entity", *TALLIES)}


TALLIES = ("read", "written", "merged", "repaired", "refused", "added")


class Known(Protocol):
    """What a directory holds already."""

    def ids(self, entity: str) -> set[str]:
        """Ids of every row of an entity."""

    def pairs(self) -> dict[tuple[str, str], str]:
        """(service, location) -> id of the service_at_location."""

    def banned(self, entity: str) -> set[str]:
        """Ids that were taken off the directory for good: an import does not bring them back."""


class Nothing:
    """An empty directory."""

    def ids(self, entity: str) -> set[str]:
        return set()

    def pairs(self) -> dict[tuple[str, str], str]:
        return {}

    def banned(self, entity: str) -> set[str]:
        return set()


@dataclass
class Report:
    """What came of reading a package."""

    source: str
    package: str
    shape: Shape
    digest: str
    counts: dict[tuple[int, str], Count] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unmapped: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)  # (file, heading) -> values
    terms: Counter[tuple[str, str]] = field(default_factory=Counter)  # (file, heading) -> values that became terms
    ignored: list[tuple[str, str]] = field(default_factory=list)  # (file, why)
    encodings: dict[str, str] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """Sum over all files."""
        return {name: sum(getattr(count, name) for count in self.counts.values()) for name in TALLIES}

    def files(self) -> list[dict[str, Any]]:
        """The account of each file, in the order read, its entities summed."""
        sums: dict[str, dict[str, Any]] = {}
        for count in self.counts.values():
            entry = sums.setdefault(count.file, {"file": count.file, **dict.fromkeys(TALLIES, 0), "entities": []})
            for name in TALLIES:
                entry[name] += getattr(count, name)
            entry["entities"].append(count.as_dict())
        return list(sums.values())

    def as_dict(self) -> dict[str, Any]:
        """The whole report as JSON holds it."""
        return {
            "source": self.source,
            "package": self.package,
            "shape": SHAPES[self.shape],
            "digest": self.digest,
            "totals": self.totals(),
            "files": self.files(),
            "encodings": self.encodings,
            "ignored_files": [{"file": name, "why": why} for name, why in self.ignored],
            "columns_as_terms": [
                {"file": file, "column": heading, "values": values} for (file, heading), values in self.terms.items()
            ],
            "columns_without_place": [
                {
                    "file": file,
                    "column": heading,
                    "values": values.total(),
                    "examples": [v for v, _ in values.most_common(3)],
                }
                for (file, heading), values in self.unmapped.items()
            ],
            "findings": [
                {
                    "file": f.file,
                    "line": f.line,
                    "field": f.field,
                    "problem": f.code,
                    "sentence": SENTENCES[f.code],
                    "was": f.was,
                    "done": f.done,
                    **({"row": f.row} if f.row else {}),
                }
                for f in self.findings
            ],
        }


class _Spool:
    """Rows laid aside: the first in memory, the rest on disk."""

    BATCH = 5_000

    def __init__(self) -> None:
        self.batch: list[tuple[Any, ...]] = []
        self.file: Any = None
        self.sizes: list[int] = []

    def add(self, row: tuple[Any, ...]) -> None:
        self.batch.append(row)
        if len(self.batch) >= self.BATCH:
            if self.file is None:
                self.file = tempfile.SpooledTemporaryFile(max_size=64 << 20)  # noqa: SIM115 - closed in close()
            data = marshal.dumps(self.batch)
            self.file.write(data)
            self.sizes.append(len(data))
            self.batch = []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if self.file is not None:
            self.file.seek(0)
            for size in self.sizes:
                # Our own spool, never somebody else's bytes.
                yield from marshal.loads(self.file.read(size))  # noqa: S302
            self.file.seek(0, 2)
        yield from self.batch

    def close(self) -> None:
        self.batch, self.sizes = [], []
        if self.file is not None:
            self.file.close()
            self.file = None


class Columns:
    """The columns of one entity as reading and copying use them: `names`, and where each stands."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.fields: tuple[Field, ...] = (*entity.fields, *EXTRAS.get(entity.name, ()))
        self.names = tuple(f.name for f in self.fields)
        self.at = {name: place for place, name in enumerate(self.names)}
        parents = PARENTS.get(entity.name, ())
        self.refs = [
            (self.at[f.name], f.name, str(f.refers), f.name in parents) for f in entity.references if f.refers != "*"
        ]
        self.parents = [self.at[name] for name in parents]
        own = ("id", *(f.name for f in entity.references))
        usual = ("link_entity", "resource_type", "address_type", "link_type", "closed", "priority", "country")
        self.content = [self.at[name] for name in self.names if name not in own]
        self.telling = [self.at[name] for name in self.names if name not in own and name not in usual]


COLUMNS: dict[str, Columns] = {entity.name: Columns(entity) for entity in ENTITIES.values()}

# Links without which a row is refused even if it has another parent.
_NEEDED: dict[str, tuple[str, ...]] = {
    "service_at_location": ("service_id", "location_id"),
    "accessibility": ("location_id",),
    "cost_option": ("service_id",),
    "required_document": ("service_id",),
    "service_capacity": ("service_id", "unit_id"),
    "organization_identifier": ("organization_id",),
    "address": ("location_id",),
}
_VALUES_NEEDED: dict[str, tuple[str, ...]] = {
    "service_capacity": ("available", "updated"),
    "metadata": ("last_action_date", "last_action_type"),
    "organization_identifier": ("identifier",),
    "url": ("url",),
}
_INTEGERS = {("phone", "extension"), ("phone", "priority"), ("schedule", "count"), ("schedule", "interval"),
             ("organization", "year_incorporated")}  # fmt: skip


@lru_cache(maxsize=200_000)
def stable_id(source: str, table: str, key: str) -> str:
    """The UUID (version 5) that `key` of `table` has in `source`, the same at every import."""
    said = f"{source}\x1f{table}\x1f{key}".encode(errors="replace")
    digest = bytearray(hashlib.sha1(NAMESPACE.bytes + said, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    h = digest.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


class Reading:
    """One package being read.

    source: the name under which this source's rows are known, so that a second import finds them again.
    region: two-letter country in whose manner phone numbers are read. known: what exists already.
    progress: called now and then with the number of records read.
    """

    def __init__(
        self,
        package: Package,
        *,
        source: str = "",
        region: str = "",
        known: Known | None = None,
        limits: Limits | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.package, self.limits = package, limits or Limits()
        self.known_before: Known = known or Nothing()
        self.progress = progress or (lambda number: None)
        self.region = region
        self.files = [member.name for member in package.members]
        self.sheets = self._headings()
        shape = shape_of(dict(self.sheets.values()), self._said_version())
        self.report = Report(source or package.name, package.name, shape, package.digest, ignored=list(package.ignored))
        self.source = self.report.source
        self.old = shape != "3"
        self.shapes = OldShapes(shape)
        self.spools: dict[str, _Spool] = defaultdict(_Spool)
        self.present: dict[str, set[str]] = defaultdict(set)
        self.doubles: dict[str, set[str]] = defaultdict(set)
        self.known: dict[str, set[str]] = {}
        self.alias: dict[str, str] = {}
        self.cut: set[str] = set()
        self.verbatim: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.quiet: Counter[tuple[int, str, str]] = Counter()
        self.cleaner = Cleaner(sheet=True, loose=self.old, region=region)
        self.plans: dict[str, list[tuple[str, int, Any, Any]]] = {}
        self.words: dict[str, str] = {}  # id that was made -> key in the file
        self.gone: dict[str, set[str]] = defaultdict(set)  # ids of refused rows
        self.banned: set[str] = set()
        self.nested = False  # a JSON object with something nested in it was seen
        self.layouts: dict[int, list[tuple[int, int, str, Any, Any]]] = {}
        self.strangers: dict[int, list[tuple[int, str]]] = {}
        self.done = 0

    def close(self) -> None:
        """Let go of what was laid aside."""
        for spool in self.spools.values():
            spool.close()

    # Stage one: records into rows laid aside

    def read(self) -> Report:
        """Read every file of the package. HsdsError when one cannot be read."""
        for number in self._order():
            member = self.package.members[number]
            self.report.encodings[member.name] = member.encoding
            if member.ending in (".csv", ".tsv"):
                self._read_sheet(number, member)
            else:
                self._read_json(number, member)
        self.progress(self.done)
        return self.report

    def _said_version(self) -> str:
        """The version that the package's own description names, "" when it names none."""
        for member in self.package.members:
            if member.stem == "datapackage" and member.ending == ".json":
                with member.bytes() as stream:
                    said = stream.read(8192).decode(errors="replace")
                if match := re.search(r"(?i)(?:hsds|version|specification)[^\n]{0,60}?\b([123]\.\d)\b", said):
                    return match[1]
        return ""

    def _headings(self) -> dict[int, tuple[str, set[str]]]:
        found = {}
        for number, member in enumerate(self.package.members):
            if member.ending in (".csv", ".tsv"):
                with sheet_of(member, self.limits) as sheet:
                    found[number] = (member.stem, {heading.lower() for heading in sheet.headings})
        return found

    def _order(self) -> list[int]:
        """What other files look things up in comes first."""
        first = ("taxonomy_types", "taxonomies", "languages", "locations", "location", "services", "service")
        ranks = {} if self.report.shape == "3" else {stem: rank for rank, stem in enumerate(first)}
        return sorted(
            range(len(self.files)), key=lambda n: (ranks.get(self.package.members[n].stem, len(first)), self.files[n])
        )

    def _count(self, file: int, entity: str) -> Count:
        key = (file, entity)
        if key not in self.report.counts:
            self.report.counts[key] = Count(self.files[file], entity)
        return self.report.counts[key]

    def _tick(self) -> None:
        self.done += 1
        if self.done % 2_000 == 0:
            self.progress(self.done)

    def _find(self, file: int, line: int, field: str, code: str, was: str = "", row: str = "") -> None:
        done = REFUSED if code in _REFUSALS else MERGED if code in _MERGERS else REPAIRED
        self.report.findings.append(Finding(self.files[file], line, field, code, was[:300], done, row[:4000]))

    def _plan(self, name: str) -> list[tuple[str, int, Any, Any]]:
        """(field, place, looks fine?, cleaner) for every field of an entity."""
        if name not in self.plans:
            plan = []
            for place, field_ in enumerate(COLUMNS[name].fields):
                kind = field_.kind
                if kind == "uuid":
                    fine: Any = UUID.fullmatch
                    clean: Any = None
                else:
                    label = kind == "text" and field_.name in LABELS
                    fine = self.cleaner.fine.get("label" if label else kind)
                    clean = self.cleaner.by_kind[kind]
                if name == "phone" and field_.name == "number":
                    fine, clean = None, self.cleaner.text
                if field_.enum:
                    fine = field_.enum.__contains__
                    clean = _chooser(self.cleaner, field_.enum)
                elif field_.name == "country":
                    fine, clean = None, self.cleaner.country
                plan.append((field_.name, place, fine or _never, clean))
            self.plans[name] = plan
        return self.plans[name]

    def _read_sheet(self, number: int, member: Member) -> None:
        with sheet_of(member, self.limits) as sheet:
            headings = [heading.lower() for heading in sheet.headings]
            if not any(headings):
                self.report.ignored.append((member.name, "the file is empty"))
                return
            table = table_of(member.stem, headings)
            if table is None:
                self.report.ignored.append((member.name, "not a table of HSDS"))
                return
            self.cleaner.sheet = True
            entity, variant = table
            count = self._count(number, "service" if variant in ("eligibility", "payment") else entity)
            for line, cells in self._fitted(number, sheet, len(headings), count):
                if self.old:
                    self._old_record(number, line, entity, variant, headings, cells, count)
                else:
                    self._record(number, line, entity, headings, cells, count)

    def _fitted(self, number: int, sheet: Sheet, width: int, count: Count) -> Iterator[tuple[int, list[str]]]:
        """Records with as many cells as there are headings."""
        member = self.package.members[number]
        odd = 0
        for line, cells in sheet.rows:
            self._tick()
            count.read += 1
            if member.odd_lines != odd:
                odd = member.odd_lines
                self.cleaner.note("", "wrong_encoding", "")
            if len(cells) != width:
                if not any(cells):
                    cells = [""] * width
                elif len(cells) > width:
                    if any(cell.strip() for cell in cells[width:]):
                        self._refuse_now(number, line, count, "too_many_cells", cells)
                        continue
                    cells = cells[:width]
                elif len(cells) == width - 1 and sheet.repeated:
                    cells.insert(min(sheet.repeated.values()), "")
                    self.cleaner.note("", "shifted_cells", "")
                else:
                    cells += [""] * (width - len(cells))
                    self.cleaner.note("", "missing_cells", "")
            if not any(cells):
                self._refuse_now(number, line, count, "empty_row", cells)
                continue
            yield line, cells

    def _refuse_now(
        self, number: int, line: int, count: Count, code: str, cells: Iterable[str], field: str = ""
    ) -> None:
        self.cleaner.notes.clear()
        count.refused += 1
        self._find(number, line, field, code, row=_joined(cells))

    def _record(self, file: int, line: int, entity: str, headings: list[str], cells: list[str], count: Count) -> None:
        """One record of an HSDS 3.x table."""
        columns = COLUMNS[entity]
        layout = self._layout(file, entity, headings)
        row: Row = [None] * len(columns.names)
        for index, place, name, fine, clean in layout:
            value = cells[index]
            if value and row[place] is None:
                if fine(value):
                    row[place] = value
                elif clean is not None:
                    row[place] = clean(name, value)
                else:
                    row[place] = self._keys(entity, name, value)
            elif value and value != row[place]:
                self.cleaner.note(name, "other_value", value)
        strangers = [(heading, cells[index]) for index, heading in self.strangers[file] if cells[index]]
        key = self._lay(file, line, entity, row, Role.OWN, count, cells)
        for heading, value in strangers:
            self._stranger(file, line, entity, key, heading, heading, value, count)

    def _stranger(
        self, file: int, line: int, entity: str, key: str | None, heading: str, shown: str, value: str, count: Count
    ) -> None:
        """A value that HSDS has no field for: words that classify become terms, the rest is counted."""
        drafts = list(classified(entity, key or "", heading, value)) if heading in CLASSIFYING else []
        for draft in drafts:
            self._draft(file, line, draft, count, [])
        if drafts:
            self.report.terms[self.files[file], shown] += 1
        else:
            self.report.unmapped.setdefault((self.files[file], shown), Counter())[value[:80]] += 1

    def _layout(self, file: int, entity: str, headings: list[str]) -> list[tuple[int, int, str, Any, Any]]:
        if file not in self.layouts:
            plan = {name: (place, fine, clean) for name, place, fine, clean in self._plan(entity)}
            self.layouts[file] = [
                (index, plan[heading][0], heading, plan[heading][1], plan[heading][2])
                for index, heading in enumerate(headings)
                if heading in plan
            ]
            self.strangers[file] = [(i, h) for i, h in enumerate(headings) if h not in plan]
        return self.layouts[file]

    def _old_record(
        self, file: int, line: int, entity: str, variant: str, headings: list[str], cells: list[str], count: Count
    ) -> None:
        """One record of an older shape."""
        record: dict[str, str] = {}
        for heading, cell in zip(headings, cells, strict=True):
            if cell and heading:
                if heading not in record:
                    record[heading] = cell.replace("\0", "") if "\0" in cell else cell
                elif cell != record[heading]:
                    self.cleaner.note(heading, "other_value", cell)
        for draft in self.shapes.drafts(entity, variant, record):
            self._draft(file, line, draft, count, cells)
        for heading, _value in self.shapes.kept:
            self.report.terms[self.files[file], heading] += 1
        self.shapes.kept.clear()
        for heading, value in record.items():
            self.report.unmapped.setdefault((self.files[file], heading), Counter())[value[:80]] += 1

    def _draft(self, file: int, line: int, draft: Any, count: Count, cells: list[str]) -> None:
        entity, values, role, table = draft
        self.cleaner.notes += self.shapes.notes
        self.shapes.notes.clear()
        row: Row = [None] * len(COLUMNS[entity].names)
        for name, place, fine, clean in self._plan(entity):
            value = values.get(name)
            if not value:
                continue
            if name == "id":
                row[0] = self._own_id(table or entity, value, bool(table))
            elif clean is not None:
                row[place] = value if fine(value) else clean(name, value)
            elif name in ("link_id", "resource_id"):
                about = values.get("link_entity") or values.get("resource_type") or ""
                row[place] = self._key(about if about in ENTITIES else "*", value)
            else:
                row[place] = self._keys(entity, name, value)
        own = count if entity == count.entity else self._count(file, entity)
        self._lay(file, line, entity, row, role, own if role != Role.OWN else count, cells)

    # Keys

    def _key(self, table: str, key: str) -> str:
        if UUID.fullmatch(key):
            return key
        key = key.strip()
        if match := ANY_UUID.fullmatch(key):
            return "-".join(match.groups()).lower()
        if table == "*":  # an id without a table: found by trying every table at the end
            return f"?{key[:200]}"
        made = stable_id(self.source, table, key)
        self.words[made] = key[:100]
        return made

    def _own_id(self, table: str, key: str, apart: bool) -> str:
        if apart:
            return stable_id(self.source, table, key.strip())
        return self._key(table, key)

    def _keys(self, entity: str, name: str, value: str) -> Any:
        """One key, or several joined by commas, as ids of the table that the field refers to."""
        if name == "id":
            found = self._key(entity, value)
            if not ANY_UUID.fullmatch(value.strip()):
                self.cleaner.note("id", "id_not_uuid", value)
            return found
        refers = str(ENTITIES[entity].field(name).refers)
        if "," not in value:
            return self._key(refers, value) if value.strip() else None
        keys = tuple(dict.fromkeys(self._key(refers, key) for key in value.split(",") if key.strip()))
        return keys if len(keys) > 1 else keys[0] if keys else None

    # One row, cleaned, is completed or refused, and laid aside

    def _lay(
        self, file: int, line: int, entity: str, row: Row, role: int, count: Count, cells: Iterable[str]
    ) -> str | None:
        """Lay a row aside; its id, or None if it was refused."""
        notes = self.cleaner.notes
        if row[0] is None:
            if role in (Role.LINK, Role.PATCH, Role.OWN_LINK):
                if role != Role.LINK:
                    self._refuse_now(file, line, count, "no_parent", cells)
                return None
            row[0] = stable_id(self.source, entity, repr(row))
            notes.append(("id", "id_missing", ""))
        refusal = self._complete(entity, row, role) if role in (Role.OWN, Role.EXTRA) else None
        if refusal:
            if role == Role.OWN:
                self.gone[entity].add(row[0])
                self._refuse_now(file, line, count, refusal[0], cells, refusal[1])
            else:
                notes.clear()
            return None
        flag = 0
        if notes:
            # An object that a JSON file repeats wherever it is nested is told of once.
            if self.cleaner.sheet or row[0] not in self.present[entity]:
                for field_, code, was in notes:
                    self._find(file, line, field_, code, was)
            notes.clear()
            flag = 1
        key: str = row[0]
        if role in (Role.OWN, Role.EXTRA):
            present = self.present[entity]
            if key in present:
                self.doubles[entity].add(key)
            else:
                present.add(key)
        else:
            self.doubles[entity].add(key)
        self.spools[entity].add((file, line, role, flag, row))
        return key

    def _complete(self, entity: str, row: Row, role: int) -> tuple[str, str] | None:
        """Put in what the standard requires, take out what cannot be; (code, field) when the row is refused."""
        at, note = COLUMNS[entity].at, self.cleaner.note
        if "name" in at and not row[at["name"]] and entity in _NAMED:
            other = row[at["alternate_name"]] if "alternate_name" in at else None
            if not other:
                return "no_name", "name"
            row[at["name"]], row[at["alternate_name"]] = other, None
            note("name", "several", other)
        if entity in _DESCRIBED and row[at["description"]] is None and role == Role.OWN:
            note("description", "missing_description", "")
        if entity in _TOLD and not any(row[place] is not None for place in COLUMNS[entity].telling):
            return "nothing_in_it", ""
        for name in _VALUES_NEEDED.get(entity, ()):
            if row[at[name]] is None:
                return "required_missing", name
        check = _CHECKS.get(entity)
        return check(self, row, at) if check else None

    def _integer(self, row: Row, at: dict[str, int], entity: str, name: str) -> None:
        value = row[at[name]]
        if value is not None and (not value.lstrip("-").isdigit() or abs(int(value)) > 2_147_483_647):
            self.cleaner.note(name, "bad_number", value)
            row[at[name]] = None

    def _check_organization(self, row: Row, at: dict[str, int]) -> None:
        self._integer(row, at, "organization", "year_incorporated")
        year = row[at["year_incorporated"]]
        if year is not None and not 1000 <= int(year) <= 2999:
            self.cleaner.note("year_incorporated", "year_out_of_range", year)
            row[at["year_incorporated"]] = None

    def _usual(self, row: Row, at: dict[str, int], name: str, usual: str, quiet: bool = False) -> None:
        if row[at[name]] is None:
            if not quiet and not any(noted == name for noted, _code, _was in self.cleaner.notes):
                self.cleaner.note(name, "missing_choice", "")
            row[at[name]] = usual

    def _check_service(self, row: Row, at: dict[str, int]) -> None:
        self._usual(row, at, "status", "active")
        low, high = row[at["minimum_age"]], row[at["maximum_age"]]
        if low is not None and high is not None and float(low) > float(high):
            self.cleaner.note("minimum_age", "ages_crossed", f"{low} - {high}")
            row[at["minimum_age"]] = row[at["maximum_age"]] = None

    def _check_location(self, row: Row, at: dict[str, int]) -> None:
        self._usual(row, at, "location_type", "physical", quiet=self.old)
        latitude, longitude = row[at["latitude"]], row[at["longitude"]]
        if latitude is None and longitude is None:
            return
        good = latitude is not None and longitude is not None
        if good:
            north, east = float(latitude), float(longitude)
            good = abs(north) <= 90 and abs(east) <= 180 and (north, east) != (0, 0)
        if not good:
            self.cleaner.note("latitude", "place_out_of_range", f"{latitude or ''}, {longitude or ''}")
            row[at["latitude"]] = row[at["longitude"]] = None

    def _check_address(self, row: Row, at: dict[str, int]) -> None:
        self._usual(row, at, "address_type", "physical", quiet=self.old)
        for name in ("address_1", "city", "state_province", "postal_code", "country"):
            if row[at[name]] is None:
                self.cleaner.note(name, "missing_part", "")

    def _check_phone(self, row: Row, at: dict[str, int]) -> tuple[str, str] | None:
        said = row[at["number"]]
        if said is None:
            return "required_missing", "number"
        number, extension = self.cleaner.phone("number", said)
        if number is None:
            return "no_number", "number"
        row[at["number"]] = number
        if extension and row[at["extension"]] is None:
            row[at["extension"]] = self.cleaner.number("extension", extension)
        self._integer(row, at, "phone", "extension")
        self._integer(row, at, "phone", "priority")
        return None

    def _check_schedule(self, row: Row, at: dict[str, int]) -> tuple[str, str] | None:
        note = self.cleaner.note
        if self.old and any(code == "no_hours" for _field, code, _was in self.cleaner.notes):
            return "no_hours", ""
        for name in ("count", "interval"):
            self._integer(row, at, "schedule", name)
        for first, last in (("valid_from", "valid_to"), ("dtstart", "until")):
            start, end = row[at[first]], row[at[last]]
            if start and end and start > end:
                note(first, "dates_crossed", f"{start} - {end}")
                row[at[first]], row[at[last]] = end, start
        if row[at["byday"]] and not row[at["freq"]] and not row[at["dtstart"]]:
            row[at["freq"]] = "MONTHLY" if any(c.isdigit() for c in row[at["byday"]]) else "WEEKLY"
            if not self.old:
                note("freq", "missing_choice", "")
        return None

    def _check_language(self, row: Row, at: dict[str, int]) -> tuple[str, str] | None:
        name, code = row[at["name"]], row[at["code"]]
        if name and not code:
            if found := read_language(name):
                row[at["code"]] = found[1]
                if self.old or len(name) <= 3:
                    row[at["name"]] = found[0]
        elif code and not name and (found := read_language(code)):
            row[at["name"]] = found[0]
        return None

    def _check_cost(self, row: Row, at: dict[str, int]) -> None:
        start, end = row[at["valid_from"]], row[at["valid_to"]]
        if start and end and start > end:
            self.cleaner.note("valid_from", "dates_crossed", f"{start} - {end}")
            row[at["valid_from"]], row[at["valid_to"]] = end, start
        amount = row[at["amount"]]
        if amount is None:
            return
        exact = Decimal(amount)
        if exact < 0 or exact >= 10**10:
            self.cleaner.note("amount", "bad_number", amount)
            row[at["amount"]] = None
            return
        rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
        if rounded != exact:
            self.cleaner.note("amount", "rounded", amount)
            row[at["amount"]] = format(rounded, "f")

    def _check_capacity(self, row: Row, at: dict[str, int]) -> tuple[str, str] | None:
        if float(row[at["available"]]) < 0:
            return "required_missing", "available"
        return None

    # JSON: nested objects into rows

    def _read_json(self, number: int, member: Member) -> None:
        self.cleaner.sheet = False
        if member.stem in ("datapackage", "package"):
            self.report.ignored.append((member.name, "the description of the package"))
            return
        top = _NAMES_BY_STEM.get(member.stem, "")
        for line, hint, value, problem in json_items(member, self.limits):
            self._tick()
            if problem:
                count = self._count(number, top or "unknown")
                count.read += 1
                count.refused += 1
                self._find(number, line, "", "not_json", problem, str(value))
                continue
            entity = _NAMES_BY_STEM.get(hint, "") or (kind_of(value, top) if isinstance(value, dict) else "")
            if not entity:
                count = self._count(number, top or "unknown")
                count.read += 1
                count.refused += 1
                code = "unknown_object" if isinstance(value, dict) else "not_an_object"
                self._find(number, line, "", code, "", _shown(value))
                continue
            self._object(number, line, entity, value)

    def _object(
        self,
        file: int,
        line: int,
        entity: str,
        value: dict[str, Any],
        parent: str = "",
        parent_id: str = "",
        through: str = "",
        collection: str = "",
    ) -> str | None:
        """Lay aside one object and what is nested in it; its id."""
        count = self._count(file, entity)
        count.read += 1
        described = ENTITIES[entity]
        row: Row = [None] * len(COLUMNS[entity].names)
        at = COLUMNS[entity].at
        for name, place, fine, clean in self._plan(entity):
            cell = value.get(name)
            if cell is None or cell == "":
                continue
            if cell.__class__ is not str:
                cell = _scalar(cell) if name != "synonyms" else json.dumps(cell, default=str)
                if cell is None:
                    self.cleaner.note(name, "several_values", _shown(value[name]))
                    continue
            if fine(cell):
                row[place] = cell
            elif clean is not None:
                row[place] = clean(name, cell)
            else:
                row[place] = self._keys(entity, name, cell)
        if through:
            if through in ("link_id", "resource_id"):
                about = "link_entity" if through == "link_id" else "resource_type"
                if row[at[about]] not in (None, parent):
                    self.cleaner.note(about, "link_entity", str(row[at[about]]))
                row[at[about]] = parent
            row[at[through]] = parent_id or None
            if collection == "events" and entity == "schedule" and row[at["group"]] is None:
                row[at["group"]] = "events"
        nested: list[tuple[str, dict[str, Any]]] = []
        known = {*COLUMNS[entity].at, ENTITY_KEY}
        for one in described.ones:
            inner = value.get(one.name)
            known.add(one.name)
            if isinstance(inner, dict):
                key = inner.get("id")
                if isinstance(key, str) and key:
                    row[at[one.through]] = self._key(one.entity, key)
                    nested.append((one.entity, inner))
                else:
                    kept, self.cleaner.notes = self.cleaner.notes, []
                    row[at[one.through]] = self._object(file, line, one.entity, inner)
                    self.cleaner.notes = kept
            elif inner is not None and not (entity == "taxonomy_term" and isinstance(inner, str)):
                self.cleaner.note(one.name, "not_nested", _shown(inner))
        many_values: list[tuple[Any, list[Any]]] = []
        for many in (*described.manys, *_NESTED_TOO.get(entity, ())):
            inner = value.get(many.name)
            known.add(many.name)
            if isinstance(inner, list):
                self.nested = True
                many_values.append((many, inner))
            elif inner is not None:
                self.cleaner.note(many.name, "not_nested", _shown(inner))
        notes, self.cleaner.notes = self.cleaner.notes, []
        for inner_entity, inner in nested:
            self._object(file, line, inner_entity, inner)
        self.cleaner.notes = notes
        identity = self._lay(file, line, entity, row, Role.OWN, count, (_shown(value),))
        for key, stranger in value.items():
            if key not in known and stranger is not None:
                plain = isinstance(stranger, list) and all(isinstance(one, str) for one in stranger)
                said = ", ".join(stranger) if plain else _shown(stranger)
                self._stranger(file, line, entity, identity, key, f"{entity}.{key}", said, count)
        for many, items in many_values:
            for item in items:
                if isinstance(item, dict):
                    self._object(file, line, many.entity, item, entity, identity or "", many.through, many.name)
                else:
                    inner_count = self._count(file, many.entity)
                    inner_count.read += 1
                    inner_count.refused += 1
                    self._find(file, line, many.name, "not_an_object", "", _shown(item))
        return identity

    # Stage two: rows laid aside into rows to write

    def rows(self, entity: str) -> Iterator[Row]:
        """Rows of one entity to write, values as text or None, in the order of COLUMNS[entity].names.

        To be called for each entity in LOAD_ORDER, and exhausted before the next.
        """
        columns = COLUMNS[entity]
        known = self.known[entity] = set()
        if entity in ("organization", "taxonomy_term"):
            self._find_circles(entity)
            known |= self.present[entity]
        doubles = self.doubles[entity]
        groups: dict[str, list[tuple[Any, ...]]] = {}
        implied: list[tuple[Any, ...]] = []  # after the records themselves, so that these count as written
        unique = _Unique(entity, self)
        self.banned = self.known_before.banned(entity)
        for laid in self.spools[entity]:
            if laid[4][0] in doubles:
                groups.setdefault(laid[4][0], []).append(laid)
            elif laid[2] == Role.OWN:
                yield from self._settle(columns, laid, unique)
            else:
                implied.append(laid)
        for group in groups.values():
            yield from self._settle_group(columns, group, unique)
        for laid in implied:
            yield from self._settle(columns, laid, unique)
        self.spools[entity].close()

    def listed(self) -> set[str]:
        """Entities of which the package gives the whole list, so that what it leaves out is no longer listed."""
        if not any(count.written + count.merged for count in self.report.counts.values()):
            return set()
        found = {count.entity for count in self.report.counts.values() if count.entity in ENTITIES}
        if self.nested:
            while True:
                below = {one.entity for name in found for one in ENTITIES[name].ones}
                below |= {many.entity for name in found for many in ENTITIES[name].manys}
                if below <= found:
                    break
                found |= below
        return found

    def all_rows(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """(entity, its rows) for every entity, in load order."""
        for entity in LOAD_ORDER:
            yield entity, self.rows(entity)
        self._fetch_refused()

    def _exists(self, entity: str, key: str) -> bool:
        return key in self.known.get(entity, ()) or key in self.known_before.ids(entity)

    def _find_circles(self, entity: str) -> None:
        place = COLUMNS[entity].at["parent_id" if entity == "taxonomy_term" else "parent_organization_id"]
        up: dict[str, str] = {}
        present = self.present[entity]
        for laid in self.spools[entity]:
            row = laid[4]
            said = row[place]
            if isinstance(said, tuple):
                said = next((key for key in said if key in present), None)
            if said is not None:
                up.setdefault(row[0], said)
        state: dict[str, int] = {}
        for start in up:
            path = []
            node = start
            while node in up and node not in state:
                state[node] = 1
                path.append(node)
                node = up[node]
            if state.get(node) == 1:
                self.cut.add(node)
            for passed in path:
                state[passed] = 2

    def _links(self, columns: Columns, laid: tuple[Any, ...]) -> tuple[list[tuple[str, int, list[str]]], str]:
        """Check a row's keys in place. (links beyond the first of each column, code of refusal or "")."""
        file, line, role, _flag, row = laid
        beyond: list[tuple[str, int, list[str]]] = []
        lost = False
        if row[0] in self.banned:
            self.known[columns.entity.name].discard(row[0])
            return beyond, "do_not_list"
        for place, name, refers, parent in columns.refs:
            said = row[place]
            if said is None:
                continue
            known = self.known.get(refers)
            if said.__class__ is str and known is not None and said in known:
                if name in ("parent_id", "parent_organization_id") and (said == row[0] or row[0] in self.cut):
                    self._find(file, line, name, "circle", self.words.get(said, said))
                    row[place] = None
                continue
            keys = [said] if said.__class__ is str else list(said)
            keys = [self.alias.get(key, key) for key in keys]
            good = [key for key in dict.fromkeys(keys) if self._exists(refers, key) and key != row[0]]
            missing = [self.words.get(key, key) for key in dict.fromkeys(keys) if key not in good]
            if missing:
                lost = True
                if role != Role.EXTRA:
                    self._find(file, line, name, "dangling", ", ".join(missing))
            if good and row[0] in self.cut and name in ("parent_id", "parent_organization_id"):
                self._find(file, line, name, "circle", self.words.get(good[0], good[0]))
                good = []
            row[place] = good[0] if good else None
            if len(good) > 1:
                if parent:
                    beyond.append((name, place, good[1:]))
                else:
                    self._find(file, line, name, "several", ", ".join(self.words.get(key, key) for key in good))
        if "link_id" in columns.at or "resource_id" in columns.at:
            lost |= not self._about(columns, laid)
        if columns.parents and not any(row[place] is not None for place in columns.parents):
            return beyond, "parent_missing" if lost else "no_parent"
        for name in _NEEDED.get(columns.entity.name, ()):
            if row[columns.at[name]] is None:
                return beyond, "parent_missing" if lost else "no_parent"
        if columns.entity.name == "attribute" and not any(
            row[columns.at[name]] for name in ("taxonomy_term_id", "value", "label")
        ):
            return beyond, "parent_missing" if lost else "nothing_in_it"
        return beyond, ""

    def _about(self, columns: Columns, laid: tuple[Any, ...]) -> bool:
        """Find what an attribute or a metadata row is about; False when it is not there."""
        file, line, _role, _flag, row = laid
        attribute = columns.entity.name == "attribute"
        place = columns.at["link_id" if attribute else "resource_id"]
        kind = columns.at["link_entity" if attribute else "resource_type"]
        key, said = row[place], row[kind]
        if key is None:
            return True
        if isinstance(key, tuple):
            self._find(file, line, columns.names[place], "several", str(len(key)))
            key = key[0]
        name = _NAMES_BY_STEM.get((said or "").lower(), "")
        if name == said and key in self.known.get(name, ()) and key not in self.alias:
            return True  # nearly every row: it says truly what it is about
        tries = dict.fromkeys([*([name] if name else []), *_LIKELY, *LOAD_ORDER])
        for entity in tries:
            found = stable_id(self.source, entity, key[1:]) if key.startswith("?") else self.alias.get(key, key)
            if self._exists(entity, found):
                if said != entity:
                    if said:
                        self._find(file, line, columns.names[kind], "link_entity", said)
                    row[kind] = entity
                row[place] = found
                return True
        row[place] = None
        return False

    def _settle(self, columns: Columns, laid: tuple[Any, ...], unique: "_Unique") -> Iterable[Row]:
        """One row with an id of its own, as the rows to write: none, itself, or one for each of several parents."""
        file, line, role, flag, row = laid
        entity = columns.entity.name
        before = len(self.report.findings)
        beyond, refusal = self._links(columns, laid)
        count = self._count(file, entity)
        if refusal:
            self._refuse(laid, count, refusal, before)
            return ()
        twin = unique.twin(row)
        if twin:
            self._merge(laid, count, twin)
            return ()
        self.known[entity].add(row[0])
        if role == Role.OWN:
            count.written += 1
            count.repaired += 1 if flag or len(self.report.findings) > before else 0
        else:
            count.added += 1
        if not beyond:
            return (row,)
        self._find(file, line, beyond[0][0], "several_parents", str(sum(len(b[2]) for b in beyond) + 1))
        if role == Role.OWN and not flag and len(self.report.findings) == before + 1:
            count.repaired += 1
        return (row, *self._spread(columns, row[0], row, beyond, count))

    def _spread(
        self, columns: Columns, identity: str, row: Row, beyond: list[tuple[str, int, list[str]]], count: Count
    ) -> Iterator[Row]:
        """A row that belongs to several becomes several: one more per further link."""
        for name, place, keys in beyond:
            for key in keys:
                more = list(row)
                for parent in columns.parents:
                    more[parent] = None
                more[place] = key
                more[0] = stable_id("", f"{columns.entity.name}.{name}", f"{identity}|{key}")
                if more[0] in self.known[columns.entity.name]:
                    continue
                self.known[columns.entity.name].add(more[0])
                count.added += 1
                yield more

    def _settle_group(self, columns: Columns, group: list[tuple[Any, ...]], unique: "_Unique") -> Iterator[Row]:
        """Rows with the same id: one row, its gaps filled, and one more row for each further parent."""
        entity = columns.entity.name
        group.sort(key=lambda laid: laid[2])  # the record itself before what others say of it
        base: Row | None = None
        base_laid: tuple[Any, ...] | None = None
        links: set[tuple[int, str]] = set()
        more: list[tuple[tuple[Any, ...], list[tuple[str, int, list[str]]], bool]] = []
        outcome: list[tuple[tuple[Any, ...], Count, int]] = []
        for laid in group:
            file, line, role, _flag, row = laid
            count = self._count(file, entity)
            before = len(self.report.findings)
            if role in (Role.PATCH, Role.LINK, Role.OWN_LINK) and base is None:
                if row[0] not in self.known_before.ids(entity) or role == Role.PATCH:
                    if role == Role.LINK:
                        if row[0] not in self.gone[entity]:
                            self._find(file, line, f"{entity}_id", "dangling", self.words.get(row[0], row[0]))
                    else:
                        self._refuse(laid, count, "parent_missing", before)
                continue
            if role == Role.PATCH and base is not None:
                for place in columns.content:
                    if row[place] and row[place] not in (base[place] or ""):
                        base[place] = f"{base[place]}\n{row[place]}" if base[place] else row[place]
                count.merged += 1
                self._find(file, line, "", "joined")
                continue
            wanted = [(place, row[place]) for place in columns.parents if row[place] is not None]
            beyond, refusal = self._links(columns, laid)
            if role in (Role.LINK, Role.OWN_LINK):
                refusal = "" if role == Role.OWN_LINK or any(row[p] for p in columns.parents) else refusal
            if refusal:
                if role == Role.OWN and (wanted or base is None):
                    self._refuse(laid, count, refusal, before)
                else:
                    self._merge(laid, count, "same_id")
                continue
            if base is None:
                base, base_laid = row, laid
                links |= {(place, row[place]) for place in columns.parents if row[place] is not None}
                for _name, place, keys in beyond:
                    links |= {(place, key) for key in keys}
                more.append((laid, beyond, False))
                outcome.append((laid, count, before))
                continue
            differs = False
            for place in columns.content + [place for place, _n, _r, parent in columns.refs if not parent]:
                if row[place] is not None:
                    if base[place] is None:
                        base[place] = row[place]
                    elif base[place] != row[place] and role == Role.OWN:
                        differs = True
            new: list[tuple[str, int, list[str]]] = []
            for place in columns.parents:
                name = columns.names[place]
                keys = [row[place]] if row[place] is not None else []
                keys += [key for other, at, found in beyond if at == place for key in found]
                fresh = [key for key in keys if (place, key) not in links]
                links |= {(place, key) for key in fresh}
                if fresh and base[place] is None:
                    base[place] = fresh.pop(0)
                if fresh:
                    new.append((name, place, fresh))
            if differs and not new and role == Role.OWN and self.old and entity in PARENTS and columns.parents:
                # The id is no key in this file: two rows that say different things are two rows.
                row[0] = stable_id("", f"{entity}.content", repr(row))
                if row[0] not in self.known[entity]:
                    self.known[entity].add(row[0])
                    count.written += 1
                    count.repaired += 1 if laid[3] or len(self.report.findings) > before else 0
                    yield row
                    continue
            if new and role == Role.OWN:
                count.written += 1
                count.added -= 1  # the row itself is one of those that `_spread` counts as added
                count.repaired += 1 if laid[3] or len(self.report.findings) > before else 0
            elif role in (Role.OWN, Role.OWN_LINK):
                count.merged += 1
                if differs:
                    self._find(file, line, "", "same_id")
                    self.verbatim[file, line].append(len(self.report.findings) - 1)
                elif role == Role.OWN_LINK:
                    self._find(file, line, "", "joined")
                else:
                    self.quiet[file, entity, "same_row"] += 1
                    if self.package.members[file].ending in (".csv", ".tsv"):
                        self._find(file, line, "", "same_row")
            more.append((laid, new, True))
        if base is None or base_laid is None:
            return
        laid, count, before = outcome[0]
        twin = unique.twin(base)
        if twin:
            self._merge(laid, count, twin)
            return
        self.known[entity].add(base[0])
        if laid[2] == Role.OWN:
            count.written += 1
            count.repaired += 1 if laid[3] else 0
        else:
            count.added += 1
        yield base
        for laid, beyond, own in more:
            if beyond:
                if not own or laid[2] != Role.OWN:
                    self._find(
                        laid[0], laid[1], beyond[0][0], "several_parents", str(sum(len(b[2]) for b in beyond) + 1)
                    )
                told = laid[4] if laid[2] == Role.OWN else base
                yield from self._spread(columns, base[0], told, beyond, self._count(laid[0], entity))

    def _merge(self, laid: tuple[Any, ...], count: Count, code: str) -> None:
        file, line, role, _flag, _row = laid
        if role in (Role.OWN, Role.OWN_LINK):
            count.merged += 1
            self._find(file, line, "", code)

    def _refuse(self, laid: tuple[Any, ...], count: Count, code: str, before: int) -> None:
        file, line, role, _flag, row = laid
        if role not in (Role.OWN, Role.PATCH, Role.OWN_LINK):
            return
        del self.report.findings[before:]
        count.refused += 1
        self.gone[count.entity].add(row[0])
        names = COLUMNS[count.entity].names
        shown = _shown({name: cell for name, cell in zip(names, row, strict=True) if cell is not None})
        self._find(file, line, "", code, "", shown)
        self.verbatim[file, line].append(len(self.report.findings) - 1)

    def _fetch_refused(self) -> None:
        """Put the words of the file into the report of each refused record of a CSV file, and nothing else there."""
        by_file: dict[int, dict[int, list[int]]] = defaultdict(dict)
        for (file, line), places in self.verbatim.items():
            if self.package.members[file].ending in (".csv", ".tsv"):
                by_file[file][line] = places
        findings = self.report.findings
        for file, wanted in by_file.items():
            with sheet_of(self.package.members[file], self.limits) as sheet:
                for line, cells in sheet.rows:
                    for place in wanted.get(line, ()):
                        old = findings[place]
                        row = _joined(cells)[:4000]
                        findings[place] = Finding(old.file, old.line, old.field, old.code, old.was, old.done, row)
        refused = {(f.file, f.line) for f in findings if f.done == REFUSED and f.file.endswith((".csv", ".tsv"))}
        findings[:] = [f for f in findings if f.done != REPAIRED or (f.file, f.line) not in refused]


class _Unique:
    """Finds rows that say the same under another id, where an entity has a natural key."""

    def __init__(self, entity: str, reading: Reading) -> None:
        self.entity, self.reading = entity, reading
        self.at = COLUMNS[entity].at
        self.pairs: dict[tuple[str, ...], str] = {}
        self.before: dict[tuple[str, str], str] | None = None
        self.seen: dict[int, str] = {}
        apart = ("service_at_location", "attribute")
        self.whole = reading.old and bool(PARENTS.get(entity)) and entity not in apart

    def twin(self, row: Row) -> str:
        """Code of merging when the row is there already under another id, else ""."""
        if self.entity == "service_at_location":
            pair = (row[self.at["service_id"]], row[self.at["location_id"]])
            if self.before is None:
                self.before = self.reading.known_before.pairs()
            key: str = row[0]
            found = self.pairs.setdefault(pair, key)
            if found == key:
                found = self.before.get(pair, key)
            if found != key:
                self.reading.alias[key] = found
                return "same_pair"
        elif self.entity == "attribute" and self.reading.old:
            said = tuple(row[self.at[n]] or "" for n in ("link_id", "taxonomy_term_id", "value", "label"))
            if self.pairs.setdefault(said, row[0]) != row[0]:
                return "same_row"
        elif self.whole:
            first = self.seen.setdefault(hash(tuple(row[1:])), row[0])
            if first != row[0]:
                self.reading.alias[row[0]] = first
                return "same_row"
        return ""


_NESTED_TOO = {"organization": (Many("services", "service", "organization_id"),)}  # of `full_service`
_NAMED = {"organization", "program", "service", "taxonomy", "taxonomy_term", "unit"}
_DESCRIBED = {"organization", "program", "taxonomy", "taxonomy_term"}
_TOLD = {"address", "schedule", "contact", "language", "accessibility", "required_document", "funding", "service_area",
         "cost_option", "url", "meta_table_description"}  # fmt: skip
_LIKELY = ("service", "organization", "location", "service_at_location")
_CHECKS: dict[str, Callable[[Reading, Row, dict[str, int]], tuple[str, str] | None]] = {
    "organization": Reading._check_organization,
    "service": Reading._check_service,
    "location": Reading._check_location,
    "address": Reading._check_address,
    "phone": Reading._check_phone,
    "schedule": Reading._check_schedule,
    "language": Reading._check_language,
    "cost_option": Reading._check_cost,
    "service_capacity": Reading._check_capacity,
}
_NAMES_BY_STEM: dict[str, str] = {}
for _entity in ENTITIES.values():
    for _name in (_entity.name, _entity.plural, _entity.file.removesuffix(".csv")):
        _NAMES_BY_STEM[_name] = _entity.name


def kind_of(value: dict[str, Any], hint: str = "") -> str:
    """Which entity an object on its own is, by its keys, and by `hint` when they do not tell; "" if nobody can."""
    if value.get(ENTITY_KEY) in ENTITIES:
        return str(value[ENTITY_KEY])
    keys = value.keys()
    if "location_type" in keys:
        return "location"
    if "service_id" in keys and ("location" in keys or "location_id" in keys) and "number" not in keys:
        return "service_at_location"
    if "status" in keys or keys & {"service_at_locations", "application_process", "program_id", "last_modified"}:
        return "service" if "name" in keys or hint in ("", "service") else hint
    if keys & {"taxonomy_detail", "term_uri", "parent_id", "taxonomy_id"} and "name" in keys:
        return "taxonomy_term"
    if keys & {"legal_status", "organization_identifiers", "year_incorporated", "tax_id", "website", "programs",
               "parent_organization_id", "additional_websites", "tax_status", "locations"}:  # fmt: skip
        return "organization"
    if hint:
        return hint
    if "version" in keys and "name" in keys:
        return "taxonomy"
    if "location" in keys and "service_areas" in keys:
        return "service_at_location"
    if "taxonomy" in keys or ("code" in keys and "name" in keys and "note" not in keys):
        return "taxonomy_term"
    if "organization_id" in keys and "name" in keys:
        return "service" if "description" not in keys or "organization" in keys else "program"
    if "name" in keys and "description" in keys:
        return "organization" if keys & {"email", "phones", "contacts", "funding", "logo"} else "taxonomy"
    return ""


def _never(value: str) -> bool:
    return False


def _chooser(cleaner: Cleaner, allowed: tuple[str, ...]) -> Callable[[str, str], str | None]:
    def choose(field_: str, value: str) -> str | None:
        found = cleaner.choice(field_, value, allowed)
        if found is None and value.strip():
            cleaner.note(field_, "unknown_choice", value)
        return found

    return choose


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else "1e99"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return str(value)
    return None


def _joined(cells: Iterable[str]) -> str:
    return " | ".join(cell[:1000] for cell in cells)


def _shown(value: Any) -> str:
    try:
        return repr(value)[:2000] if not isinstance(value, str) else value[:2000]
    except (ValueError, RecursionError):
        return "..."


__all__ = ["COLUMNS", "SENTENCES", "Finding", "HsdsError", "Known", "Nothing", "Reading", "Report", "stable_id"]
