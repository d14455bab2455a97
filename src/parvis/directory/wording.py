"""The desk's words: what each fact is called, and how a value, a change and a timetable are said to people."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import TextChoices
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.core import language as tongues
from parvis.core.hsds_reading import SENTENCES
from parvis.directory import timetable as tt

Word = str | Promise

#: HSDS field -> what people call it
LABELS: dict[str, Word] = {
    "name": __("Name"),
    "alternate_name": __("Other name"),
    "description": __("Description"),
    "email": __("E-mail"),
    "website": __("Website"),
    "url": __("Web page"),
    "uri": __("Identifier on the web"),
    "logo": __("Logo"),
    "tax_status": __("Tax status"),
    "tax_id": __("Tax number"),
    "year_incorporated": __("Founded in"),
    "legal_status": __("Legal status"),
    "parent_organization_id": __("Part of"),
    "program_id": __("Programme"),
    "status": __("State"),
    "interpretation_services": __("Interpreters"),
    "application_process": __("How to get this service"),
    "fees_description": __("What it costs"),
    "fees": __("Fees"),
    "wait_time": __("Waiting time"),
    "accreditations": __("Accreditations"),
    "licenses": __("Licences"),
    "eligibility_description": __("For whom"),
    "minimum_age": __("From age"),
    "maximum_age": __("Up to age"),
    "alert": __("Notice to show at the top"),
    "location_type": __("Kind of place"),
    "transportation": __("How to get there"),
    "latitude": __("Latitude"),
    "longitude": __("Longitude"),
    "parent_id": __("Broader subject"),
    "taxonomy_id": __("Taxonomy"),
    "taxonomy_name": __("Taxonomy"),
    "taxonomy_version": __("Version"),
    "language": __("Language"),
    "term_uri": __("Identifier on the web"),
    "synonyms": __("Everyday words"),
    "external_identifier": __("Number in another register"),
    "external_identifier_type": __("Which register"),
    "organization_id": __("Organization"),
    "location_id": __("Place"),
    "listed": __("In the public directory"),
    "phones": __("Telephone numbers"),
    "contacts": __("People to contact"),
    "attributes": __("Subjects and audiences"),
    "additional_websites": __("Other web addresses"),
    "additional_urls": __("Other web addresses"),
    "organization_identifiers": __("Register numbers"),
    "funding": __("Funding"),
    "service_at_locations": __("Where it is given"),
    "schedules": __("Opening hours"),
    "languages": __("Languages"),
    "cost_options": __("Prices"),
    "required_documents": __("What to bring"),
    "service_areas": __("Area served"),
    "capacities": __("Places available"),
    "addresses": __("Addresses"),
    "accessibility": __("Accessibility"),
    "translations": __("Translations"),
    # fields of rows
    "number": __("Number"),
    "extension": __("Extension"),
    "type": __("Kind"),
    "priority": __("Order"),
    "title": __("Role"),
    "department": __("Department"),
    "phone": __("Telephone"),
    "code": __("Code"),
    "note": __("Note"),
    "option": __("For whom or what"),
    "amount": __("Amount"),
    "currency": __("Currency"),
    "amount_description": __("Explanation"),
    "valid_from": __("From (date)"),
    "valid_to": __("Until (date)"),
    "document": __("Document"),
    "extent": __("Exact area"),
    "extent_type": __("How the exact area is written"),
    "unit": __("Counted in"),
    "unit_id": __("Counted in"),
    "available": __("Free places"),
    "maximum": __("Places in all"),
    "label": __("Label"),
    "attention": __("Care of"),
    "address_1": __("Street and number"),
    "address_2": __("Floor, office"),
    "city": __("City"),
    "region": __("Region"),
    "state_province": __("Province, state or canton"),
    "postal_code": __("Postal code"),
    "country": __("Country"),
    "address_type": __("Kind of address"),
    "details": __("Details"),
    "term": __("Subject"),
    "taxonomy_term_id": __("Subject"),
    "source_name": __("Who pays"),
    "identifier_type": __("Register"),
    "identifier_scheme": __("Scheme"),
    "identifier": __("Number"),
    "value": __("Value"),
}


class Status(TextChoices):
    ACTIVE = "active", __("Open to people")
    INACTIVE = "inactive", __("Not offered for now")
    TEMPORARILY_CLOSED = "temporarily closed", __("Closed for some time")
    DEFUNCT = "defunct", __("Ended for good")


class PlaceType(TextChoices):
    PHYSICAL = "physical", __("A place one can go to")
    POSTAL = "postal", __("Only for mail")
    VIRTUAL = "virtual", __("Online or by telephone")


class PhoneType(TextChoices):
    VOICE = "voice", __("Telephone")
    CELL = "cell", __("Mobile telephone")
    TEXT = "text", __("Text messages")
    FAX = "fax", __("Fax")
    TEXTPHONE = "textphone", __("For deaf people (TTY)")


class Means(TextChoices):
    SELF = "self", __("It is our own listing: we know")
    PHONE = "phone", __("By telephone")
    VISIT = "visit", __("By a visit")
    EMAIL = "email", __("By e-mail")
    WEBSITE = "website", __("On the website")


#: kinds of facts that are confirmed apart (core.freshness)
ABOUT: dict[str, Word] = {
    "hours": __("Opening hours"),
    "phone": __("Telephone"),
    "address": __("Address"),
    "rest": __("Description and conditions"),
}
KINDS: dict[str, Word] = {
    "organization": __("Organization"),
    "service": __("Service"),
    "location": __("Place"),
    "service_at_location": __("Service at a place"),
    "program": __("Programme"),
    "taxonomy": __("Taxonomy"),
    "taxonomy_term": __("Subject"),
}
DEEDS: dict[str, Word] = {
    "created": __("Created"),
    "edited": __("Edited"),
    "undone": __("Change undone"),
    "unlisted": __("Taken out of the public directory"),
    "published": __("Put into the public directory"),
    "confirmed": __("Confirmed as true"),
    "translated": __("Translated"),
    "imported": __("Imported"),
    "updated": __("Updated by an import"),
    "missing": __("No longer listed by its source"),
    "merged": __("Merged"),
    "unmerged": __("Merge undone"),
    "doubted": __("Shown as unconfirmed: nobody answers"),
    "barred": __("Never to be listed again"),
}
_CHOICES: dict[str, type[TextChoices]] = {
    "status": Status, "location_type": PlaceType, "address_type": PlaceType, "type": PhoneType, "means": Means
}  # fmt: skip
#: Facts that no person reads.
_SILENT = {"id", "source", "version", "undoes", "with", "priority", "link_type"}


def label(name: str) -> str:
    """What a fact is called; its own name when there is no word for it."""
    return str(LABELS.get(name, name.replace("_", " ")))


def deed(code: str) -> str:
    """What an event's code says: "service.edited" is "Edited"."""
    last = code.rpartition(".")[2]
    return str(DEEDS.get(last, last.replace("_", " ")))


# -- values -------------------------------------------------------------------------------------------------------


def lines(name: str, value: Any, names: Mapping[str, str]) -> list[str]:
    """A value of the fact `name` as lines to read; none when it is empty. names: what ids are called."""
    if name == "schedules" and isinstance(value, list):
        return timetable(tt.read(value))
    if isinstance(value, list):
        return [row(one, names) for one in value]
    if isinstance(value, Mapping):
        return [_announced(_tongue(code), _comma().join(said)) for code, said in value.items() if said]
    said = _value(name, value, names)
    return said.splitlines() if said else []


def row(values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """One row on a line: its values, those of the rows below it in brackets."""
    parts = []
    for name, value in values.items():
        if name in _SILENT or value in (None, "", [], False) or (name == "name" and values.get("code")):
            continue  # a language is called by its code, in the reader's words
        if isinstance(value, list):
            inner = timetable(tt.read(value)) if name == "schedules" else [row(one, names) for one in value]
            parts.append(f"({_comma().join(inner)})")
        else:
            said = _tongue(str(value)) if name == "code" else _value(name, value, names)
            if said and said not in parts:
                parts.append(said)
    if tongues.direction(get_language() or "fr") == "rtl":
        parts = [f"\u2068{part}\u2069" for part in parts]  # so that "+1 514" keeps its order between Arabic words
    return " · ".join(parts) or "—"


def _value(name: str, value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return number_format(int(value) if value == int(value) else value, use_l10n=True)
    if name == "amount":
        return number_format(value, use_l10n=True)
    if name in _CHOICES and value in _CHOICES[name].values:
        return str(_CHOICES[name](value).label)
    if name == "language":
        return _tongue(str(value))
    if name.endswith("_id"):
        return names.get(str(value), "")
    return str(value)


def _tongue(code: str) -> str:
    """A language in the reader's words."""
    return tongues.name(code, get_language() or "fr")


def _comma() -> str:
    return pgettext("between the words of a list", ", ")


def _announced(words: str, said: str) -> str:
    return _("%(words)s:") % {"words": words} + " " + said


def ids(values: Any) -> set[str]:
    """Every id of another object in some facts: what `lines` wants the names of."""
    found: set[str] = set()
    if isinstance(values, Mapping):
        for name, value in values.items():
            if name.endswith("_id") and isinstance(value, str):
                found.add(value)
            else:
                found |= ids(value)
    elif isinstance(values, list):
        for value in values:
            found |= ids(value)
    return found


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, names: Mapping[str, str]) -> list[Any]:
    """What differs, fact by fact: label, lines before, lines after. Lines on both sides are left out of lists."""
    found = []
    order = {name: place for place, name in enumerate(LABELS)}  # the ledger gives keys back in an order of its own
    for name in sorted({**(before or {}), **(after or {})}, key=lambda name: order.get(name, 1000)):
        if name in _SILENT:
            continue
        old = lines(name, (before or {}).get(name), names)
        new = lines(name, (after or {}).get(name), names)
        same = set(old) & set(new) if isinstance((after or {}).get(name), list) else set()
        old, new = [one for one in old if one not in same], [one for one in new if one not in same]
        if old != new:
            found.append({"name": name, "label": label(name), "before": old, "after": new})
    return found


#: what an import did with a row
DONE: dict[str, Word] = {"repaired": __("repaired"), "merged": __("merged"), "refused": __("refused")}


def finding(found: Mapping[str, Any]) -> dict[str, Any]:
    """A finding of an import report with its problem and what was done as sentences."""
    problem, done = str(found.get("problem", "")), str(found.get("done", ""))
    said = _(SENTENCES[problem]) if problem in SENTENCES else found.get("sentence", problem)
    return {**found, "sentence": said, "done_word": DONE.get(done, done)}


def language_said(report: Mapping[str, Any]) -> str:
    """In which language the texts of an import are, and who says so; "" in reports older than this question."""
    named = {"language": _tongue(report.get("language", ""))}
    said = {
        "asked": _("The texts are in this language, as asked: %(language)s.") % named,
        "file": _("The texts are in this language, the files say so: %(language)s.") % named,
        "city": _("Nobody said in which language the texts are; the city's first is assumed: %(language)s.") % named,
    }
    return said.get(report.get("language_from", ""), "")


# -- timetables ---------------------------------------------------------------------------------------------------


def timetable(table: tt.Timetable) -> list[str]:
    """A timetable in sentences: "Monday to Friday: 9:00–17:00", "25 December: closed"."""
    found: list[str] = []
    for period in table.periods:
        said = [*_week(period.week), *map(_month_day, period.month)]
        said += [part for part in (period.note, period.extra) if part]
        when = _limits(period.valid_from, period.valid_to)
        found += [_announced(when, one) if when else one for one in said]
    for one in table.exceptions:
        what = _("closed") if one.closed else _spans(one.spans)
        found.append(_announced(_dates(one.first, one.last), what) + (f" ({one.note})" if one.note else ""))
    found += [unsaid(row) for row in table.others]
    return found


def unsaid(row: Mapping[str, Any]) -> str:
    """A schedule row that the editor has no words for, as well as it can be told."""
    parts = [str(row.get(key) or "") for key in ("description", "notes")]
    span = tt.Span(tt.clock(row["opens_at"]), tt.clock(row["closes_at"])) if _timed(row) else None
    parts += [_span(span)] if span else []
    parts += [
        str(row[key])
        for key in ("freq", "interval", "byday", "bymonthday", "byweekno", "dtstart", "until", "count", "schedule_link")
        if row.get(key)
    ]
    parts += [_("closed")] if row.get("closed") else []
    return " · ".join(part for part in parts if part) or _("A time without details")


def _timed(row: Mapping[str, Any]) -> bool:
    return bool(row.get("opens_at") and row.get("closes_at"))


def clock(at: dt.time) -> str:
    return date_format(at, "TIME_FORMAT")


def _span(span: tt.Span) -> str:
    if span.opens_at == span.closes_at:
        return _("all day and night")
    said = f"{clock(span.opens_at)}–{clock(span.closes_at)}"
    return _("%(hours)s (the next morning)") % {"hours": said} if span.past_midnight else said


def _spans(spans: Iterable[tt.Span]) -> str:
    return _comma().join(map(_span, spans))


def day(number: int) -> str:
    """The name of a weekday, Monday = 0."""
    return str(WEEKDAYS[number])


def _week(week: Sequence[Sequence[tt.Span]]) -> list[str]:
    """Runs of days with the same hours, as one line each; days without hours are closed when others have some."""
    if not any(week):
        return []
    found, first = [], 0
    for number in range(1, 8):
        if number < 7 and tuple(week[number]) == tuple(week[first]):
            continue
        last = number - 1
        if first == last:
            days = day(first)
        elif (first, last) == (0, 6):
            days = _("Every day")
        elif last == first + 1:
            days = _("%(first)s and %(last)s") % {"first": day(first), "last": day(last)}
        else:
            days = _("%(first)s to %(last)s") % {"first": day(first), "last": day(last)}
        hours = _spans(week[first]) or _("closed")
        found.append(_announced(f"{days[:1].upper()}{days[1:]}", hours))
        first = number
    return found


#: the n-th such day of a month
NTH: dict[int, Word] = {
    1: __("first"), 2: __("second"), 3: __("third"), 4: __("fourth"), 5: __("fifth"), -1: __("last")
}  # fmt: skip


def _month_day(one: tt.MonthDay) -> str:
    said = _("The %(nth)s %(day)s of the month") % {"nth": NTH[one.nth], "day": day(one.day)}
    return _announced(said, _span(one.span))


def _dates(first: dt.date, last: dt.date) -> str:
    if first == last:
        return date_format(first, "DATE_FORMAT")
    return _("%(first)s to %(last)s") % {
        "first": date_format(first, "DATE_FORMAT"),
        "last": date_format(last, "DATE_FORMAT"),
    }


def _limits(first: dt.date | None, last: dt.date | None) -> str:
    if first and last:
        return _dates(first, last)
    if first:
        return _("From %(date)s") % {"date": date_format(first, "DATE_FORMAT")}
    if last:
        return _("Until %(date)s") % {"date": date_format(last, "DATE_FORMAT")}
    return ""
