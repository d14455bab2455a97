"""Everything that a person may have of their own file, as data (JSON, CSV) and to read (HTML in their language).

What is read comes through `queries`: a class that whoever makes the export may not see is not in it.
"""

import datetime as dt
import io
import re
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, models
from django.template.loader import render_to_string
from django.utils import timezone, translation

from parvis.cases import queries
from parvis.cases.consents import CLASS_WORDS
from parvis.cases.models import Attachment, Person
from parvis.cases.models.base import PersonRow
from parvis.cases.policies import person_models
from parvis.cases.showing import sections
from parvis.cases.vault import Vault
from parvis.core.access import SELF, DataClass, names
from parvis.core.cells import csv_file
from parvis.kit.sealing import SealedField
from parvis.orgs.models import Organization

FORMAT = "parvis-person-1"
FORMATS = ("json", "csv", "html", "zip")
_MEDIA = {"json": "application/json", "csv": "application/zip", "html": "text/html; charset=utf-8",
          "zip": "application/zip"}  # fmt: skip
_DATE = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class File:
    """A file to hand over."""

    name: str
    media_type: str
    content: bytes


def is_complete(viewer: Any, person: uuid.UUID, classes: DataClass = SELF) -> bool:
    """May this viewer read all that the export must hold? Otherwise somebody else makes it."""
    seen = queries.Sight(viewer, [person]).classes.get(person, 0)
    return bool(seen) and not classes.value & ~seen


def file(viewer: Any, person: Person, form: str, classes: DataClass = SELF) -> File:
    """The export of `person` in a form of `FORMATS`: "csv" is a zip of tables, "zip" has all, attachments too."""
    content = {"json": _json, "csv": _tables, "html": _page, "zip": _all}[form](viewer, person, classes)
    ending = "zip" if form == "csv" else form
    return File(f"{timezone.localdate():%Y-%m-%d}.{ending}", _MEDIA[form], content)


# -- data -------------------------------------------------------------------------------------------------------------


def tables(viewer: Any, person: Person, classes: DataClass = SELF) -> dict[str, list[dict[str, Any]]]:
    """Table -> rows of field -> value (text, number, truth, date), whatever app the table is of."""
    vault = Vault([person.pk])
    found = {"person": [_row(person, vault)]} if classes & DataClass.IDENTITY else {}
    sight = queries.Sight(viewer, [person.pk])
    for model in person_models():
        rows = [_row(row, vault) for row in _rows(sight, model, classes)]
        if rows:
            found[str(model._meta.model_name)] = rows
    return found


def _rows(sight: queries.Sight, model: type[PersonRow], classes: DataClass) -> Iterator[PersonRow]:
    by_row = "row_class" in {field.name for field in model._meta.fields}
    if not by_row and (model.data_class is None or not model.data_class & classes):
        return
    rows = sight.rows(model).order_by("created_at")
    if by_row:
        rows = rows.filter(row_class__in=[member.value for member in DataClass if member & classes])
    yield from rows


def _row(row: Any, vault: Vault) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = _value(row, field, vault)
        if value is not _UNTOLD:
            told[field.name] = value
    return told


_UNTOLD = object()
#: keys and marks of ours, which say nothing of the person
_OURS = {"id", "person", "version", "value_index", "holder_id", "restricted", "row_class", "content"}


def _value(row: Any, field: Any, vault: Vault) -> Any:
    if field.name in _OURS:
        return _UNTOLD
    if isinstance(field, SealedField):
        return vault.open(row, field.attname) or None
    if isinstance(field, models.ForeignKey):
        if field.related_model is not Organization:
            return _UNTOLD
        return str(getattr(row, field.name))
    value = getattr(row, field.attname)
    if field.name == "classes":
        return " ".join(names(value))
    return None if value == "" else value


def document(viewer: Any, person: Person, classes: DataClass = SELF) -> dict[str, Any]:
    city: Any = connection.tenant
    return {
        "format": FORMAT,
        "office": getattr(city, "name", ""),
        "made_at": timezone.now().isoformat(),
        "classes": names(classes),
        "tables": tables(viewer, person, classes),
    }


def _json(viewer: Any, person: Person, classes: DataClass) -> bytes:
    return orjson.dumps(document(viewer, person, classes), option=orjson.OPT_INDENT_2)


def _tables(viewer: Any, person: Person, classes: DataClass) -> bytes:
    return _zip(dict(_csv_files(viewer, person, classes)))


def _csv_files(viewer: Any, person: Person, classes: DataClass) -> Iterator[tuple[str, bytes]]:
    for name, rows in tables(viewer, person, classes).items():
        headings = list(rows[0])
        yield f"{name}.csv", csv_file(headings, ([_cell(row[heading]) for heading in headings] for row in rows))


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


# -- to read ----------------------------------------------------------------------------------------------------------


def language_of(person: Person) -> str:
    """The interface's language nearest to the person's, or the city's."""
    known = dict(settings.LANGUAGES)
    wanted = [person.language, person.language.split("-")[0], getattr(connection.tenant, "default_language", "")]
    return next((tag for tag in wanted if tag in known), settings.LANGUAGE_CODE)


def _page(viewer: Any, person: Person, classes: DataClass) -> bytes:
    language = language_of(person)
    with translation.override(language):
        context = {
            "person": person,
            "sections": [one for one in sections(viewer, person, classes) if one.facts],
            "classes": [CLASS_WORDS[member] for member in DataClass if member & classes],
            "made_at": timezone.now(),
            "city": connection.tenant,
            "language": language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
        }
        return render_to_string("cases/privacy/export.html", context).encode()


# -- all of it --------------------------------------------------------------------------------------------------------


def _all(viewer: Any, person: Person, classes: DataClass) -> bytes:
    files = {"data.json": _json(viewer, person, classes), "data.html": _page(viewer, person, classes)}
    files |= {f"tables/{name}": content for name, content in _csv_files(viewer, person, classes)}
    files |= dict(_attachments(viewer, person, classes))
    return _zip(files)


def _attachments(viewer: Any, person: Person, classes: DataClass) -> Iterator[tuple[str, bytes]]:
    vault = Vault([person.pk])
    rows = _rows(queries.Sight(viewer, [person.pk]), Attachment, classes)
    for number, row in enumerate(rows, 1):
        if row.state == Attachment.State.CLEAN:  # type: ignore[attr-defined]
            name = re.sub(r"[^\w.-]+", "_", vault.open(row, "name")).strip("._") or "file"
            yield f"attachments/{number}-{name[-80:]}", vault.open_bytes(row, "content")


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
