"""The sections of a person's page: what each is called, which form fills it, how a row of it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.cases import profile_forms
from parvis.cases.actions import profile as actions
from parvis.cases.glance import Profile, expiry
from parvis.cases.models import (
    Address,
    Background,
    ContactPoint,
    Finding,
    ImmigrationStatus,
    PaperSeen,
    PersonName,
    SpokenLanguage,
)
from parvis.cases.models.profile import Domain, Stream, called
from parvis.core import language
from parvis.core.access import DataClass, classes

Word = str | Promise


@dataclass
class Told:
    """One row as the page tells it. `badges`: (text, tone, icon)."""

    row: Any
    title: str
    lines: list[str] = field(default_factory=list)
    badges: list[tuple[str, str, str]] = field(default_factory=list)
    ended: bool = False
    ltr: bool = False


@dataclass(frozen=True)
class Section:
    """`slug` stands in addresses; `classes`: whoever may see none of them is shown no such section."""

    slug: str
    title: Word
    add: Word
    icon: str
    model: Any
    form: type[forms.Form]
    classes: DataClass
    tell: Callable[[Profile, Any], Told]
    order: tuple[str, ...] = ("created_at",)

    @property
    def ends(self) -> bool:
        return self.model in actions.ENDS

    def rows(self, profile: Profile) -> list[Told]:
        """Present rows first, ended ones after them."""
        told = [self.tell(profile, row) for row in profile.rows(self.model).order_by(*self.order)]
        for each in told:
            on = getattr(each.row, "ended_on", None)
            if on:
                each.lines.append(_("until %(day)s") % {"day": _day(on)})
        return sorted(told, key=lambda each: each.ended)

    def initial(self, profile: Profile, row: Any) -> dict[str, Any]:
        """The values of a row by the form's fields."""
        found = {}
        for name in self.form.base_fields:
            if name in {column.name for column in row._meta.concrete_fields}:
                value = getattr(row, name)
                sealed = isinstance(value, bytes | memoryview)
                found[name] = profile.vault.open(row, name) if sealed else value
        return found


def _name(profile: Profile, row: PersonName) -> Told:
    return Told(row, row.text, [row.get_use_display()], ended=row.ended_on is not None)


def _language(profile: Profile, row: SpokenLanguage) -> Told:
    told = Told(row, language.own_name(row.language), [row.get_level_display()], ended=row.ended_on is not None)
    if row.dialect:
        told.lines.append(row.dialect)
    if not row.reads:
        told.badges.append((_("does not read it"), "warn", "book"))
    return told


def expiry_badges(on: Any) -> list[tuple[str, str, str]]:
    """The mark of something that has expired or soon will."""
    return {
        "past": [(_("expired"), "bad", "warning")],
        "soon": [(_("expires soon"), "warn", "clock")],
    }.get(expiry(on), [])


def _period(since: Any, until: Any) -> str:
    said = {"since": _day(since), "until": _day(until)}
    return _("from %(since)s to %(until)s") % said if until else _("since %(since)s") % said


def _day(on: Any) -> str:
    return date_format(on, "DATE_FORMAT") if on else ""


def _status(profile: Profile, row: ImmigrationStatus) -> Told:
    told = Told(row, called(Stream, profile.vault.open(row, "stream")), ended=row.until is not None)
    told.lines = [line for line in (profile.vault.open(row, "detail"), _period(row.since, row.until)) if line]
    if row.expires_on:
        told.lines.append(_("expires on %(day)s") % {"day": _day(row.expires_on)})
    if row.until is None:
        told.badges = expiry_badges(row.expires_on)
    return told


def _address(profile: Profile, row: Address) -> Told:
    text = profile.vault.open(row, "text")
    told = Told(row, text or row.get_kind_display(), ended=row.until is not None)
    told.lines = [line for line in (row.get_kind_display() if text else "", row.borough) if line]
    told.lines.append(_period(row.since, row.until))
    if row.hidden:
        told.badges.append((_("hidden address"), "bad", "lock"))
    return told


def _contact(profile: Profile, row: ContactPoint) -> Told:
    told = Told(
        row, profile.vault.open(row, "value"), [row.get_system_display()], ended=row.ended_on is not None, ltr=True
    )
    if row.safe_times:
        told.lines.append(_("only: %(times)s") % {"times": row.safe_times})
    if row.shared_with:
        told.lines.append(_("also heard or read by: %(who)s") % {"who": row.shared_with})
    if not row.safe_to_call:
        told.badges.append((_("do not call or write here"), "bad", "warning"))
    elif not row.safe_to_leave_message:
        told.badges.append((_("leave no message"), "warn", "speech"))
    if row.preferred:
        told.badges.append((_("best way"), "good", "check"))
    return told


def _background(profile: Profile, row: Background) -> Told:
    told = Told(row, row.title, [row.get_kind_display()], ended=row.ended_on is not None)
    if row.country:
        told.lines.append(dict(profile_forms.country_choices()).get(row.country, row.country))
    if row.since_year or row.until_year:
        told.lines.append(f"{row.since_year or '…'}–{row.until_year or '…'}")
    if row.recognition:
        tones = {"asked": "info", "granted": "good", "refused": "bad"}
        told.badges.append((row.get_recognition_display(), tones[row.recognition], "paper"))
    return told


def _finding(profile: Profile, row: Finding) -> Told:
    told = Told(row, row.get_domain_display(), [profile.vault.open(row, "text")], ended=row.ended_on is not None)
    told.lines = [line for line in told.lines if line]
    if row.kind == Finding.Kind.STRENGTH:
        told.badges.append((row.get_kind_display(), "good", "sprout"))
    else:
        tone = {"urgent": "bad", "medium": "warn"}.get(row.level, "")
        told.badges.append((f"{row.get_kind_display()} · {row.get_level_display()}", tone, "flag"))
    return told


def _paper(profile: Profile, row: PaperSeen) -> Told:
    told = Told(row, called(PaperSeen.Kind, profile.vault.open(row, "kind")), ended=row.ended_on is not None)
    told.lines.append(_("seen on %(day)s") % {"day": _day(row.seen_on)})
    if row.expires_on:
        told.lines.append(_("expires on %(day)s") % {"day": _day(row.expires_on)})
    if not told.ended:
        told.badges = expiry_badges(row.expires_on)
    return told


_CONTACT = classes(DataClass.CONTACT, DataClass.HIDDEN_ADDRESS)
_NEEDS = classes(DataClass.NEEDS, DataClass.HEALTH, DataClass.VIOLENCE)
SECTIONS = {
    section.slug: section
    for section in (
        Section("status", __("Immigration status"), __("New status"), "flag", ImmigrationStatus,
                profile_forms.StatusForm, DataClass.STATUS, _status, ("-since", "-created_at")),
        Section("address", __("Addresses"), __("New address"), "home", Address, profile_forms.AddressForm, _CONTACT,
                _address, ("-since", "-created_at")),
        Section("contact", __("How to reach them"), __("New number or address"), "phone", ContactPoint,
                profile_forms.ContactForm, DataClass.CONTACT, _contact, ("-preferred", "created_at")),
        Section("language", __("Languages"), __("New language"), "speech", SpokenLanguage, profile_forms.SpokenForm,
                DataClass.IDENTITY, _language),
        Section("name", __("Other names"), __("New name"), "person", PersonName, profile_forms.NameForm,
                DataClass.IDENTITY, _name),
        Section("background", __("Schooling, diplomas, work"), __("New line"), "school", Background,
                profile_forms.BackgroundForm, DataClass.BACKGROUND, _background, ("-since_year", "created_at")),
        Section("need", __("Strengths and needs"), __("New strength or need"), "sprout", Finding,
                profile_forms.FindingForm, _NEEDS, _finding, ("domain", "-noted_on")),
        Section("paper", __("Papers seen"), __("New paper"), "paper", PaperSeen, profile_forms.PaperForm,
                DataClass.DOCUMENTS, _paper, ("expires_on", "created_at")),
    )
}  # fmt: skip


@dataclass
class Cell:
    """One domain of the picture: how strong, how needy (0 to 3)."""

    label: str
    strengths: int = 0
    need: int = 0
    needs: int = 0
    level: str = ""


_WEIGHT = {"low": 1, "medium": 2, "urgent": 3}


def picture(rows: list[Told]) -> list[Cell]:
    """The fourteen domains at a glance, from the findings that hold now."""
    cells = {domain.value: Cell(str(domain.label)) for domain in Domain}
    for told in rows:
        if told.ended:
            continue
        cell = cells[told.row.domain]
        if told.row.kind == Finding.Kind.STRENGTH:
            cell.strengths = min(3, cell.strengths + 1)
        else:
            cell.needs += 1
            if _WEIGHT.get(told.row.level, 1) > cell.need:
                cell.need, cell.level = _WEIGHT.get(told.row.level, 1), told.row.get_level_display()
    return list(cells.values())
