"""What a set of data classes shows of a person, in words: for a partner, for the person, and as a preview of either.

One way to read for all three, so that a preview can't promise something else than what is seen. Rows come through
`queries.rows`: a class in `classes` that the viewer does not have shows nothing.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from parvis.cases import queries
from parvis.cases.consents import CLASS_WORDS
from parvis.cases.models import (
    Address,
    Attachment,
    Background,
    ContactPoint,
    Finding,
    HouseholdMember,
    ImmigrationStatus,
    Note,
    PaperSeen,
    Person,
    PersonName,
    SpokenLanguage,
)
from parvis.cases.models.base import PersonRow
from parvis.cases.models.profile import Domain, NoteKind, Stream
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.core.language import own_name

RowType = TypeVar("RowType", bound=PersonRow)


@dataclass(frozen=True)
class Fact:
    """One line: what it is, what is known, and what to know beside it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """The lines of one class of data; empty when nothing is noted yet."""

    code: str
    title: Promise
    facts: list[Fact]


@dataclass
class _Reading:
    """One person read by one viewer, as far as `classes` go."""

    viewer: Any
    person: Person
    classes: DataClass
    company: Collection[uuid.UUID] | None
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.vault = Vault([self.person.pk])

    def rows(self, model: type[RowType], **wanted: Any) -> list[RowType]:
        found = queries.rows(self.viewer, model, [self.person.pk]).filter(**wanted)
        return list(found.order_by("created_at"))

    def text(self, row: Any, column: str) -> str:
        return self.vault.open(row, column)


def sections(
    viewer: Any, person: Person, classes: int, *, company: Collection[uuid.UUID] | None = None
) -> list[Section]:  # fmt: skip
    """What `classes` show of `person`, class by class. `company`: whom of the household to name (None: who is seen)."""
    reading = _Reading(viewer, person, DataClass(classes), company)
    return [
        Section(str(member.name).lower(), CLASS_WORDS[member], list(read(reading)))
        for member, read in _READERS.items()
        if member & classes
    ]


def _identity(reading: _Reading) -> Iterator[Fact]:
    person = reading.person
    yield Fact(_("Name"), person.name, person.name_latin)
    for name in reading.rows(PersonName, ended_on=None):
        yield Fact(name.get_use_display(), name.text)
    born = _date(reading.text(person, "birth_date"))
    if born:
        yield Fact(_("Date of birth"), _day(born))
    elif person.birth_year:
        yield Fact(_("Year of birth"), str(person.birth_year))
    yield Fact(_("Gender"), person.get_gender_display())
    for spoken in reading.rows(SpokenLanguage, ended_on=None):
        yield Fact(_("Language"), own_name(spoken.language), f"{spoken.get_level_display()} {spoken.dialect}".strip())
    if person.interpreter:
        yield Fact(_("Interpreter"), _("Needed"), person.interpreter_gender and person.get_interpreter_gender_display())


def _household(reading: _Reading) -> Iterator[Fact]:
    for own in reading.rows(HouseholdMember, until=None):
        yield Fact(_("In the household"), own.get_relation_display())
        for other in queries.members(reading.viewer, own.household):
            known = reading.company is None or other.person_id in reading.company
            if other.person_id != reading.person.pk and known:
                yield Fact(other.get_relation_display(), other.person.name, other.person.name_latin)


def _contact(reading: _Reading) -> Iterator[Fact]:
    for point in reading.rows(ContactPoint, ended_on=None):
        notes = [
            "" if point.safe_to_call else _("Don’t call"),
            "" if point.safe_to_leave_message else _("Leave no message"),
            point.safe_times,
            point.shared_with,
        ]
        yield Fact(point.get_system_display(), reading.text(point, "value"), " · ".join(filter(None, notes)))
    for address in reading.rows(Address, until=None, row_class=DataClass.CONTACT.value):
        yield Fact(address.get_kind_display(), reading.text(address, "text"))


def _hidden(reading: _Reading) -> Iterator[Fact]:
    for address in reading.rows(Address, until=None, row_class=DataClass.HIDDEN_ADDRESS.value):
        yield Fact(address.get_kind_display(), reading.text(address, "text"))


def _background(reading: _Reading) -> Iterator[Fact]:
    for row in reading.rows(Background, ended_on=None):
        years = "–".join(str(year) for year in (row.since_year, row.until_year) if year)
        known = row.get_recognition_display() if row.recognition else ""
        yield Fact(row.get_kind_display(), row.title, " · ".join(filter(None, (row.country, years, known))))


def _findings(wanted: DataClass) -> Callable[[_Reading], Iterator[Fact]]:
    def read(reading: _Reading) -> Iterator[Fact]:
        for row in reading.rows(Finding, ended_on=None, row_class=wanted.value):
            said = f"{row.get_kind_display()} {row.get_level_display() if row.level else ''}".strip()
            yield Fact(Domain(row.domain).label, reading.text(row, "text") or said, said)

    return read


def _notes(kind: NoteKind, wanted: DataClass) -> Callable[[_Reading], Iterator[Fact]]:
    def read(reading: _Reading) -> Iterator[Fact]:
        found = reading.rows(Note, kind=kind, row_class=wanted.value, replaced_by=None)
        for row in found:
            day = timezone.localtime(row.created_at).date()
            yield Fact(row.get_kind_display(), reading.text(row, "text"), _day(day))

    return read


def _attachments(wanted: DataClass) -> Callable[[_Reading], Iterator[Fact]]:
    def read(reading: _Reading) -> Iterator[Fact]:
        for row in reading.rows(Attachment, row_class=wanted.value, state=Attachment.State.CLEAN):
            yield Fact(_("Attachment"), reading.text(row, "name"))

    return read


def _status(reading: _Reading) -> Iterator[Fact]:
    for row in reading.rows(ImmigrationStatus, until=None):
        stream = reading.text(row, "stream")
        named = Stream(stream).label if stream in Stream.values else stream
        yield Fact(_("Immigration status"), str(named), reading.text(row, "detail"))
        if row.expires_on:
            yield Fact(_("Expires on"), _day(row.expires_on))


def _documents(reading: _Reading) -> Iterator[Fact]:
    for row in reading.rows(PaperSeen, ended_on=None):
        kind = reading.text(row, "kind")
        named = PaperSeen.Kind(kind).label if kind in PaperSeen.Kind.values else kind
        expires = _("expires on %(day)s") % {"day": _day(row.expires_on)} if row.expires_on else ""
        yield Fact(str(named), _("seen on %(day)s") % {"day": _day(row.seen_on)}, expires)
    yield from _attachments(DataClass.DOCUMENTS)(reading)


def _several(*readers: Callable[[_Reading], Iterator[Fact]]) -> Callable[[_Reading], Iterator[Fact]]:
    def read(reading: _Reading) -> Iterator[Fact]:
        for each in readers:
            yield from each(reading)

    return read


def _nothing(reading: _Reading) -> Iterator[Fact]:
    """Plans come with their own floor."""
    yield from ()


def _delicate(kind: NoteKind, wanted: DataClass) -> Callable[[_Reading], Iterator[Fact]]:
    return _several(_findings(wanted), _notes(kind, wanted), _attachments(wanted))


_READERS: dict[DataClass, Callable[[_Reading], Iterator[Fact]]] = {
    DataClass.IDENTITY: _identity,
    DataClass.HOUSEHOLD: _household,
    DataClass.CONTACT: _contact,
    DataClass.HIDDEN_ADDRESS: _hidden,
    DataClass.BACKGROUND: _background,
    DataClass.NEEDS: _findings(DataClass.NEEDS),
    DataClass.PLAN: _nothing,
    DataClass.NOTES: _notes(NoteKind.GENERAL, DataClass.NOTES),
    DataClass.STATUS: _status,
    DataClass.HEALTH: _delicate(NoteKind.HEALTH, DataClass.HEALTH),
    DataClass.VIOLENCE: _delicate(NoteKind.VIOLENCE, DataClass.VIOLENCE),
    DataClass.DOCUMENTS: _documents,
}


def _date(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _day(day: dt.date) -> str:
    return date_format(day, "DATE_FORMAT")
