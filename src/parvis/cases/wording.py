"""How what is in a file is told to people: events, moves, values."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import pgettext

from parvis.accounts import history
from parvis.accounts.history import Words
from parvis.cases.actions.moves import Move
from parvis.cases.consents import CLASS_WORDS
from parvis.cases.models.people import HouseholdState, PersonState, Relation
from parvis.core.access import DataClass
from parvis.ledger.models import Event

Word = str | Promise

#: the sections of a person's page as events name them
_ROWS: dict[str, Word] = {
    "personname": __("Name"),
    "spokenlanguage": __("Language"),
    "immigrationstatus": __("Immigration status"),
    "address": __("Address"),
    "contactpoint": __("Telephone or e-mail"),
    "background": __("Schooling or work"),
    "finding": __("Strength or need"),
    "paperseen": __("Paper seen"),
    "note": __("Note"),
    "attachment": __("Attachment"),
}
_DONE: dict[str, Word] = {
    "added": __("%(what)s: added"),
    "changed": __("%(what)s: corrected"),
    "ended": __("%(what)s: ended"),
    "scanned": __("%(what)s: scanned, nothing found"),
    "refused": __("%(what)s: refused by the virus scan"),
    "opened": __("%(what)s: downloaded"),
}
_MOVES: dict[str, Word] = {
    "opened": __("File opened"),
    "joined": __("Somebody joined the household"),
    "added": __("Somebody arrived in the household"),
    "born": __("A birth"),
    "split": __("The household was split"),
    "head": __("Another head of household"),
    "related": __("A relation was corrected"),
    "deceased": __("A death"),
    "moved": __("Moved away"),
    "left": __("Left the city"),
    "mistake": __("Entered by mistake"),
    "undone": __("Undone"),
}
DEEDS: dict[str, Word] = {
    "cases.household.assigned": __("Workers or next contact changed"),
    "cases.household.handed_over": __("Handed over to another lead worker"),
    "cases.household.closed": __("File closed"),
    "cases.household.reopened": __("File opened again"),
    "cases.household.restricted": __("File restricted"),
    "cases.household.unrestricted": __("File no longer restricted"),
    "cases.household.named": __("Somebody was named for the restricted file"),
    "cases.household.unnamed": __("Somebody is no longer named for the restricted file"),
    "cases.person.shut_out": __("An account was shut out"),
    "cases.person.let_in": __("An account is no longer shut out"),
    "cases.person.edited": __("Who they are: corrected"),
    **{f"cases.household.{what}": word for what, word in _MOVES.items()},
    **{f"cases.person.{what}": word for what, word in _MOVES.items()},
}
#: how other apps' and helpers' pages add their deeds
MORE: dict[str, Word] = {}

_FIELDS: dict[str, Word] = {
    "name": __("Name"),
    "name_latin": __("In Latin letters"),
    "gender": __("Gender"),
    "birth_date": __("Date of birth"),
    "birth_year": __("Year of birth"),
    "language": __("Language"),
    "interpreter": __("Needs an interpreter"),
    "interpreter_gender": __("Gender of the interpreter"),
    "lead_worker": __("Lead worker"),
    "backup_worker": __("Backup worker"),
    "next_contact_on": __("Next contact"),
    "level": __("Level"),
    "dialect": __("Dialect or way of speaking"),
    "reads": __("Reads it"),
    "stream": __("Stream"),
    "detail": __("Details"),
    "since": __("Since"),
    "until": __("Until"),
    "expires_on": __("Expires on"),
    "kind": __("Kind"),
    "text": __("Text"),
    "borough": __("Borough"),
    "hidden": __("This address must not be found"),
    "system": __("How"),
    "value": __("Number or address"),
    "preferred": __("The best way"),
    "safe_to_call": __("Safe to call"),
    "safe_to_leave_message": __("A message may be left"),
    "safe_times": __("When it is safe"),
    "shared_with": __("Who else hears or reads it"),
    "title": __("What"),
    "country": __("Country"),
    "since_year": __("From (year)"),
    "until_year": __("To (year)"),
    "recognition": __("Recognition of the diploma"),
    "domain": __("Domain"),
    "seen_on": __("Seen on"),
    "use": __("Which name"),
}
WORDS = Words(deeds=DEEDS, labels={"fields": __("What")}, values={"fields": lambda name: str(_FIELDS.get(name, name))})


def title(code: str) -> str:
    """What a code of the ledger says to a person."""
    _app, _dot, rest = code.partition(".")
    row, _dot, done = rest.partition(".")
    if row in _ROWS and done in _DONE:
        return str(_DONE[done]) % {"what": _ROWS[row]}
    return str(MORE[code]) if code in MORE else WORDS.title(code)


def told(
    events: Iterable[Event],
    *,
    about: Callable[[Event], str] = lambda event: "",
    undo: Callable[[Event], str] = lambda event: "",
    back: Collection[int] = (),
) -> list[dict[str, Any]]:
    """Events as a page tells them; `back`: those that were taken back. A correction says which fields it was about."""
    kept = list(events)
    lines = history.told(kept, title=title, changes=lambda event: [], about=about, undo=undo)
    for line, event in zip(lines, kept, strict=True):
        fields = (event.after or {}).get("fields", ()) if not event.code.endswith(".added") else ()
        named = [str(_FIELDS[name]) for name in fields if name in _FIELDS]
        if named:
            line["reason"] = pgettext("between the words of a list", ", ").join(named)
        if event.pk in back:
            line["title"] = _("%(what)s (taken back)") % {"what": line["title"]}
    return lines


# -- moves ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One sentence of what will change, and its icon."""

    icon: str
    text: str


def isolated(name: str) -> str:
    """A name that keeps its own direction inside a sentence of another (Unicode FIRST STRONG ISOLATE)."""
    return f"\u2068{name}\u2069"


def move(found: Move) -> list[Line]:
    """What will change, sentence by sentence."""
    lines = []
    if found.founds:
        lines.append(Line("plus", _("A new household is founded. It keeps the lead, the backup and the next contact.")))
    begun = {begin.person.pk for begin in found.begins if begin.person}
    states = dict(PersonState.choices)
    gone = {person.pk: states[state] for person, state in found.states if state != PersonState.PRESENT}
    for row, why in found.ends:
        if row.person_id not in begun and row.person_id not in gone and why != "relation":
            lines.append(
                Line("out", _("%(name)s is no longer in this household.") % {"name": isolated(row.person.name)})
            )
    for person, state in found.states:
        lines.append(Line("person", _("%(name)s: %(state)s") % {"name": isolated(person.name), "state": states[state]}))
    lines += [_begun(begin, found) for begin in found.begins]
    for row in found.reopens:
        said = {
            "name": isolated(row.person.name),
            "relation": row.get_relation_display(),
            "file": row.household.reference,
        }
        lines.append(Line("undo", _("%(name)s is again in the household %(file)s: %(relation)s") % said))
    for each, state in found.files:
        said = {"file": each.reference, "state": dict(HouseholdState.choices)[state]}
        lines.append(Line("paper", _("The file %(file)s: %(state)s") % said))
    if found.what == "born":
        lines.append(Line("home", _("The child lives at the address of the head of household.")))
    if found.founds:
        lines.append(Line("home", _("Everybody keeps their own address, notes and papers.")))
    return lines


def _begun(begin: Any, found: Move) -> Line:
    name = begin.person.name if begin.person else found.new.name if found.new else ""
    said = {"name": isolated(name), "relation": Relation(begin.relation).label}
    if begin.household is None:
        return Line("people", _("%(name)s, in the new household: %(relation)s") % said)
    if found.what in ("joined", "added", "born"):
        return Line("plus", _("%(name)s comes into this household: %(relation)s") % said)
    return Line("people", _("%(name)s is now: %(relation)s") % said)


# -- conflicts --------------------------------------------------------------------------------------------------------


def differences(form: Any, now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each field of a bound form: what stands there now, the field as typed, and whether the two differ."""
    rows = []
    for bound in form:
        if bound.is_hidden or bound.name not in now:
            continue
        theirs = said(bound.field, now[bound.name])
        mine = said(bound.field, form.cleaned_data.get(bound.name)) if form.is_valid() else None
        rows.append({"field": bound, "theirs": theirs, "differs": mine != theirs})
    return rows


def said(field: Any, value: Any) -> str:
    """A value as the field's own choices call it."""
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices: Iterable[Any] = getattr(field, "choices", ())
    return str(dict(choices).get(value, value))


def classes(codes: Iterable[str]) -> list[str]:
    """Classes of data as people call them, from their codes."""
    return [str(CLASS_WORDS[DataClass[code.upper()]]) for code in codes if code.upper() in DataClass.__members__]
