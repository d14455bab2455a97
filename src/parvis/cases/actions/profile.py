"""What is known of a person, section by section: added, corrected, ended. Each is one transaction and one event.

A row that somebody else changed since it was read is never overwritten: `mark` says which state of it was read.
Events name the row and its fields, never values.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import contact, queries
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.actions.people import index_names, latin
from parvis.cases.models import (
    Address,
    Attachment,
    Background,
    ContactPoint,
    Finding,
    ImmigrationStatus,
    Note,
    PaperSeen,
    Person,
    PersonName,
    SpokenLanguage,
)
from parvis.cases.models.base import PersonRow
from parvis.cases.models.profile import DOMAIN_CLASSES, NOTE_CLASSES
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit import uploads
from parvis.kit.sealing import SealedField
from parvis.ledger.actions import Entry, record, record_many

#: the column that ends a row of a model
ENDS = {
    Address: "until", ImmigrationStatus: "until", ContactPoint: "ended_on", Finding: "ended_on", PersonName: "ended_on",
    SpokenLanguage: "ended_on", Background: "ended_on", PaperSeen: "ended_on",
}  # fmt: skip


def mark(row: models.Model) -> str:
    """A short name of the present state of a row: another state has another mark."""
    columns = [field for field in row._meta.concrete_fields if field.name not in ("created_at", "changed_at")]
    values = [(field.attname, getattr(row, field.attname)) for field in columns]
    told = [
        (name, bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)) for name, value in values
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


# -- the person -------------------------------------------------------------------------------------------------------


@transaction.atomic
def edit_person(person: Person, values: Mapping[str, Any], *, version: int, by: User) -> Person:
    """Change who a person is: name, transliteration, gender, birth, language, interpreter.

    `version`: of the person when the form was read. Raises Denied, Conflict.
    """
    require(queries.may_write(by, person.pk), "cases.person.edited", person)
    now = Person.objects.select_for_update().get(pk=person.pk)
    if now.version != version:
        raise Conflict(now)
    given = dict(values)
    vault = Vault([now.pk])
    if given.get("birth_date"):
        given["birth_year"] = given["birth_date"].year
    was_made = now.name_latin == latin(now.name) == given.get("name_latin")
    if "name" in given and (was_made or not given.get("name_latin")):
        given["name_latin"] = latin(given["name"])
    changed = _fill(now, given, vault)
    if not changed:
        return now
    now.version += 1
    now.save()
    if {"name", "name_latin", "birth_date", "birth_year"} & set(changed):
        index_names(now)
    record("cases.person.edited", now, by=by, after={"fields": changed})
    return now


# -- rows of a section ------------------------------------------------------------------------------------------------


@transaction.atomic
def add(
    model: type[PersonRow], person: Person, values: Mapping[str, Any], *, by: User, also: Iterable[Person] = ()
) -> Any:
    """Add a row about a person, and the same about those who live with them (`also`). Returns the person's row.

    What can be only once at a time (status, home) ends the one before. Raises Denied, Refused.
    """
    persons = [person, *also]
    held = queries.Sight(by, [each.pk for each in persons])
    require(held.writes >= {each.pk for each in persons}, f"cases.{model._meta.model_name}.added", person)
    vault = Vault([each.pk for each in persons])
    rows = []
    for each in persons:
        row = model(person=each)
        _fill(row, values, vault)
        _prepare(row, vault, by)
        before = _end_before(row)
        rows.append((row, before))
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise Refused(_taken(model)) from error
        if model is PersonName:
            index_names(each)
    fields = sorted(name for name, value in values.items() if value not in (None, "", False))
    record_many(
        [
            _entry("added", row, {"fields": fields} | ({"ended": [old.pk for old in before]} if before else {}))
            for row, before in rows
        ],
        by=by,
    )
    return rows[0][0]


@transaction.atomic
def change(row: Any, values: Mapping[str, Any], *, was: str, by: User) -> Any:
    """Correct a row. `was`: its mark when it was read. A finding is never rewritten: a new one replaces it.

    Raises Denied, Conflict (with the row as it is now), Refused.
    """
    model = type(row)
    require(queries.may_write(by, row.person_id), f"cases.{model._meta.model_name}.changed", row.person)
    now = model.objects.select_for_update().get(pk=row.pk)
    if mark(now) != was:
        raise Conflict(now)
    vault = Vault([now.person_id])
    if model is Finding:
        return _replace(now, values, vault, by)
    changed = _fill(now, values, vault)
    if not changed:
        return now
    _prepare(now, vault, by)
    try:
        with transaction.atomic():
            now.save()
    except IntegrityError as error:
        raise Refused(_taken(model)) from error
    if model is PersonName:
        index_names(now.person)
    record_many([_entry("changed", now, {"fields": changed})], by=by)
    return now


@transaction.atomic
def end(row: Any, on: dt.date, *, was: str, by: User) -> Any:
    """A row (a status, an address, a name, a paper...) is no longer so since `on`. Raises Denied, Conflict, Refused."""
    model = type(row)
    require(queries.may_write(by, row.person_id), f"cases.{model._meta.model_name}.ended", row.person)
    now = model.objects.select_for_update().get(pk=row.pk)
    if mark(now) != was:
        raise Conflict(now)
    _end(now, on)
    record_many([_entry("ended", now, {})], by=by)
    return now


@transaction.atomic
def resume(row: Any, *, was: str, by: User) -> Any:
    """Take the end of a row back: it holds still. Raises Denied, Conflict, Refused (something took its place)."""
    model = type(row)
    require(queries.may_write(by, row.person_id), f"cases.{model._meta.model_name}.changed", row.person)
    now = model.objects.select_for_update().get(pk=row.pk)
    if mark(now) != was:
        raise Conflict(now)
    column = ENDS[model]
    setattr(now, column, None)
    try:
        with transaction.atomic():
            now.save(update_fields=[column])
    except IntegrityError:
        raise Refused(_("Something else has taken its place: end that first.")) from None
    record_many([_entry("changed", now, {"fields": [column]})], by=by)
    return now


def _replace(old: Finding, values: Mapping[str, Any], vault: Vault, by: User) -> Finding:
    new = Finding(person_id=old.person_id)
    _fill(new, values, vault)
    _prepare(new, vault, by)
    _end(old, max(timezone.localdate(), old.noted_on))
    new.save(force_insert=True)
    record_many([_entry("changed", new, {"ended": [old.pk]})], by=by)
    return new


def _end(row: Any, on: dt.date) -> None:
    column = ENDS[type(row)]
    begun = getattr(row, "since", None) or getattr(row, "noted_on", None)
    if begun and on < begun:
        raise Refused(_("It can't end before it began."))
    setattr(row, column, on)
    row.save(update_fields=[column])


def _fill(row: Any, values: Mapping[str, Any], vault: Vault) -> list[str]:
    """Set columns, sealed ones through the vault. Returns the names of those that are other than before."""
    changed = []
    for name, value in values.items():
        if isinstance(row._meta.get_field(name), SealedField):
            text = value.isoformat() if isinstance(value, dt.date) else value or ""
            nullable = row._meta.get_field(name).null
            if getattr(row, name) and vault.open(row, name) == text:
                continue
            if not getattr(row, name) and nullable and not text:
                continue
            vault.put(row, **{name: None if nullable and not text else text})
        elif getattr(row, name) != value:
            setattr(row, name, value)
        else:
            continue
        changed.append(name)
    return sorted(changed)


def _prepare(row: Any, vault: Vault, by: User) -> None:
    """What follows from what a person wrote: the class of the row, its index, who wrote it."""
    if isinstance(row, Address):
        row.row_class = DataClass.HIDDEN_ADDRESS if row.hidden else DataClass.CONTACT
        row.borough = "" if row.hidden else row.borough
    elif isinstance(row, Finding):
        row.row_class = DOMAIN_CLASSES.get(row.domain, DataClass.NEEDS)  # type: ignore[call-overload]
        row.noted_on = row.noted_on or timezone.localdate()
        row.by = by
    elif isinstance(row, ContactPoint):
        text = vault.open(row, "value")
        row.value_index = contact.index(row.system, text)
        vault.put(row, value=contact.plain(row.system, text))
    elif isinstance(row, PaperSeen):
        row.seen_by = row.seen_by or by


def _end_before(row: Any) -> list[Any]:
    """End what the new row takes the place of."""
    if isinstance(row, ImmigrationStatus):
        before = ImmigrationStatus.objects.filter(person_id=row.person_id, until=None)
    elif isinstance(row, Address) and row.kind != Address.Kind.MAIL:
        before = Address.objects.filter(person_id=row.person_id, until=None).exclude(kind=Address.Kind.MAIL)
    else:
        return []
    ended = list(before.select_for_update())
    for old in ended:
        if row.since < old.since:
            raise Refused(_("What is noted now began later than this: correct that first."))
        old.until = row.since
        old.save(update_fields=["until"])
    return ended


def _taken(model: type[PersonRow]) -> Any:
    if model is Address:
        return _("A protected address is noted, which only the lead worker sees and changes.")
    return _("This is noted already.")


def _entry(what: str, row: Any, told: dict[str, Any]) -> Entry:
    code = f"cases.{row._meta.model_name}.{what}"
    return Entry(code, "cases.person", row.person_id, None, {"row": row.pk} | told)


# -- notes ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def write_note(person: Person, kind: str, text: str, *, by: User, replaces: Note | None = None) -> Note:
    """Write a note, or one that replaces another (whose text stays in the history). Raises Denied, Conflict."""
    require(queries.may_write(by, person.pk), "cases.note.added", person)
    if replaces is not None:
        later = Note.objects.filter(replaces=replaces).first()
        if later is not None:
            raise Conflict(later)
        kind = replaces.kind
    note = Note(person=person, kind=kind, row_class=NOTE_CLASSES[kind], author=by, replaces=replaces)  # type: ignore[index]
    Vault([person.pk]).put(note, text=text.strip())
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError as error:  # two corrected the same note at once, and the other's is not ours to see
        raise Refused(_("Somebody else has corrected this note meanwhile.")) from error
    told = {"replaced": replaces.pk} if replaces else {}
    record_many([_entry("changed" if replaces else "added", note, told)], by=by)
    return note


# -- attachments ------------------------------------------------------------------------------------------------------


@transaction.atomic
def attach(person: Person, examined: uploads.Examined, row_class: int, *, by: User) -> Attachment:
    """Keep a judged file, sealed. Where a scanner is set up it waits for it and is not handed out before."""
    require(queries.may_write(by, person.pk), "cases.attachment.added", person)
    waits = bool(uploads.scanner().url)
    kept = Attachment(
        person=person, row_class=row_class, media_type=examined.media_type, size=len(examined.data), by=by,
        state=Attachment.State.WAITING if waits else Attachment.State.CLEAN,
    )  # fmt: skip
    Vault([person.pk]).put(kept, name=examined.name, content=examined.data)
    kept.save(force_insert=True)
    record_many([_entry("added", kept, {})], by=by)
    return kept


@transaction.atomic
def scan(kept: Attachment) -> str:
    """Ask the scanner about an attachment that waits. Returns its state: it goes on waiting when nobody answers."""
    now = Attachment.objects.select_for_update().get(pk=kept.pk)
    if now.state != Attachment.State.WAITING:
        return now.state
    verdict = uploads.scanner().scan(Vault([now.person_id]).open_bytes(now, "content"))
    if isinstance(verdict, uploads.Unavailable):
        return now.state
    clean = isinstance(verdict, uploads.Clean)
    now.state = Attachment.State.CLEAN if clean else Attachment.State.REFUSED
    now.save(update_fields=["state"])
    record_many([_entry("scanned" if clean else "refused", now, {})], by="scanner")
    return now.state
