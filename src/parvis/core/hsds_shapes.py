"""The older and neighbouring shapes of HSDS, and how a record of theirs becomes rows of HSDS 3.2.

Known: HSDS 1.1 and 2.x (one CSV per entity, other names), Ohana's CSV, and the export of a widespread directory
tool (`service_recordid`, comma-joined keys, opening times in `dtstart`/`until`), here called "recordid".
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from parvis.core.hsds import ENTITIES, EXTRAS
from parvis.core.hsds_cells import read_days, read_language, read_time

Shape = Literal["3", "2", "1.1", "ohana", "recordid"]
SHAPES: dict[str, str] = {
    "3": "HSDS 3.x",
    "2": "HSDS 2.x",
    "1.1": "HSDS 1.1",
    "ohana": "Ohana CSV",
    "recordid": "directory tool export (record ids)",
}


class Role:
    """What a drafted row is for its record."""

    OWN = 0  # the record itself
    EXTRA = 1  # one more row that the record implies
    LINK = 2  # adds a link to a row that another record brings
    OWN_LINK = 3  # the record is nothing but such a link
    PATCH = 4  # the record adds text to a row that another record brings


class Draft(NamedTuple):
    """A row in the making: texts as they came, keys still those of the source (several joined by commas)."""

    entity: str
    values: dict[str, str]
    role: int = Role.OWN
    table: str = ""  # name of the key space of `id` when it is not the entity's own


# File name (without ending) -> (entity, variant). A variant has its own key space.
_NAMES: dict[str, tuple[str, str]] = {
    "physical_address": ("address", "physical"),
    "physical_addresses": ("address", "physical"),
    "postal_address": ("address", "postal"),
    "postal_addresses": ("address", "postal"),
    "mail_address": ("address", "postal"),
    "mail_addresses": ("address", "postal"),
    "regular_schedule": ("schedule", "regular"),
    "regular_schedules": ("schedule", "regular"),
    "holiday_schedule": ("schedule", "holiday"),
    "holiday_schedules": ("schedule", "holiday"),
    "accessibility_for_disabilities": ("accessibility", ""),
    "services_at_location": ("service_at_location", ""),
    "services_at_locations": ("service_at_location", ""),
    "taxonomy_types": ("taxonomy", ""),
    "taxonomy_terms_types": ("taxonomy_term", "types"),
    "service_attributes": ("attribute", "service"),
    "service_attribute": ("attribute", "service"),
    "services_taxonomy": ("attribute", "service"),
    "service_taxonomy": ("attribute", "service"),
    "other_attributes": ("attribute", "other"),
    "link_taxonomy": ("attribute", "other"),
    "link_taxonomies": ("attribute", "other"),
    "eligibility": ("service", "eligibility"),
    "eligibilities": ("service", "eligibility"),
    "payments_accepted": ("service", "payment"),
    "payment_accepted": ("service", "payment"),
    "terms": ("taxonomy_term", ""),
    "taxonomy": ("taxonomy_term", "flat"),
    "capacities": ("service_capacity", ""),
}
for _entity in ENTITIES.values():
    for _name in (_entity.name, _entity.plural, _entity.file.removesuffix(".csv"), f"{_entity.name}s"):
        _NAMES.setdefault(_name, (_entity.name, ""))


def table_of(stem: str, headings: Iterable[str]) -> tuple[str, str] | None:
    """(entity, variant) of a CSV file by its name, else by its headings; None when it is nothing of HSDS."""
    heads = {heading.lower() for heading in headings}
    if stem in ("taxonomy", "taxonomies") and "parent_id" not in heads and "vocabulary" not in heads:
        return ("taxonomy", "")
    if stem in _NAMES:
        return _NAMES[stem]
    best, score = None, 0
    for entity in ENTITIES.values():
        own = {name for name in entity.names if name != "id"}
        found = len(own & heads)
        if "name" in own and "name" not in heads and entity.field("name").required:
            continue
        if found > score and found * 2 >= len(heads - {"id"}):
            best, score = (entity.name, ""), found
    return best if score >= 2 else None


def shape_of(tables: dict[str, set[str]], said: str = "") -> Shape:
    """Which shape a set of CSV files has: file stem -> its headings in lower case; `said`: what the package claims."""
    found = _shape(tables)
    return "1.1" if found == "2" and said.startswith("1.") else found


def _shape(tables: dict[str, set[str]]) -> Shape:
    heads = set().union(*tables.values()) if tables else set()
    if heads & {"service_recordid", "taxonomy_recordid", "taxonomy_type_recordid", "organization_recordid"}:
        return "recordid"
    if "mail_addresses" in tables or heads & {"admin_emails", "short_desc", "accepted_payments", "number_type"}:
        return "ohana"
    if tables.keys() & {
        "regular_schedules",
        "holiday_schedules",
        "services_taxonomy",
        "eligibility",
    } or tables.keys() & {
        "payments_accepted",
        "regular_schedule",
        "holiday_schedule",
    }:
        return "1.1"
    old = {"physical_addresses", "postal_addresses", "accessibility_for_disabilities", "service_attributes"}
    old |= {"other_attributes", "link_taxonomy", "services_at_location", "physical_address", "postal_address"}
    if tables.keys() & old:
        return "2"
    for stem, names in tables.items():
        if stem in ("taxonomy_terms", "taxonomy_term") and "term" in names:
            return "2"
        if stem in ("phones", "phone") and names & {"department", "language"}:
            return "2"
        if stem in ("organizations", "organization") and "url" in names and "website" not in names:
            return "2"
        if stem in ("languages", "language") and "language" in names and "name" not in names:
            return "2"
        if stem in ("service_areas", "service_area") and "service_area" in names:
            return "2"
    return "3"


_PREFIXES = {
    "service": "service_",
    "organization": "organization_",
    "location": "location_",
    "taxonomy_term": "taxonomy_",
    "taxonomy": "taxonomy_type_",
    "phone": "phone_",
    "contact": "contact_",
    "program": "program_",
    "schedule": "schedule_",
    "address": "address_",
    "language": "language_",
    "accessibility": "accessibility_",
}

_RENAMED: dict[str, dict[str, str]] = {
    "organization": {"url": "website", "date_incorporated": "year_incorporated"},
    "service": {"fees": "fees_description", "website": "url", "service_organization": "organization_id",
                "service_program": "program_id", "eligibility": "eligibility_description"},
    "location": {"website": "url", "location_organization": "organization_id"},
    "taxonomy_term": {"term": "name", "vocabulary": "taxonomy", "taxonomy_parent_name": "parent_id",
                      "taxonomy_x_description": "description", "taxonomy_vocabulary": "taxonomy"},
    "taxonomy": {"reference_url": "uri", "notes": "description"},
    "phone": {"number_type": "type"},
    "language": {"language": "name"},
    "accessibility": {"accessibility": "description"},
    "service_area": {"service_area": "name"},
    "attribute": {"taxonomy_id": "taxonomy_term_id", "taxonomy_detail": "value"},
    "address": {"address_3": "_3", "address_4": "_4"},
}  # fmt: skip

# Codes that the directory tool writes for a state instead of its name. Others are unknown, and said to be.
_STATUS_CODES = {"1": "active", "verified": "active"}
_PHONE_TYPES = ("text", "voice", "fax", "cell", "video", "pager", "textphone", "hotline", "tty", "sms")


#: Columns of these entities that HSDS has no field for, but whose words classify: each becomes a taxonomy of its name.
CLASSIFIED = frozenset({"organization", "service", "location"})
CLASSIFYING = frozenset({"keywords", "keyword", "tags", "accreditations", "licenses"})


def classified(entity: str, key: str, heading: str, text: str) -> Iterator[Draft]:
    """The taxonomy, terms and attributes that a column of words comes to; none when it holds no words."""
    taxonomy = f"column/{heading}"
    words = [word[:200] for word in _listed(text) if any(sign.isalpha() for sign in word)]
    if not words or entity not in CLASSIFIED or not key:
        return
    yield Draft("taxonomy", {"id": taxonomy, "name": heading}, Role.EXTRA)
    for word in words:
        term = f"{taxonomy}/{word.lower()}"
        row = {"id": term, "name": word, "taxonomy_id": taxonomy, "taxonomy": heading}
        yield Draft("taxonomy_term", row, Role.EXTRA)
        yield Draft("attribute", _attribute(key, entity, term), Role.EXTRA, f"attribute/{entity}")


class OldShapes:
    """Turns records of the older shapes into drafts. Holds what must be remembered between files.

    notes: (field, code, what was there) about the record being turned, to be taken by the caller. kept: (heading, text)
    of its columns that became taxonomies, likewise.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.notes: list[tuple[str, str, str]] = []
        self.kept: list[tuple[str, str]] = []
        self.languages: dict[str, str] = {}  # record id -> name
        self.taxonomies: dict[str, str] = {}  # record id -> name
        self.organization_of: dict[str, str] = {}  # location -> organization (Ohana)

    def drafts(self, entity: str, variant: str, record: dict[str, str]) -> Iterator[Draft]:
        """The rows that one record stands for. What remains in `record` afterwards has no place in HSDS."""
        prefix = _PREFIXES.get(entity, "\0")
        renamed = _RENAMED.get(entity, {})
        fields = {field.name for field in (*ENTITIES[entity].fields, *EXTRAS.get(entity, ()))}
        values: dict[str, str] = {}
        for heading in list(record):
            name = renamed.get(heading, heading)
            if name not in fields and heading.startswith(prefix):
                short = heading.removeprefix(prefix)
                short = "id" if short == "recordid" else renamed.get(short, short)
                name = short if short in fields else name
            if (name in fields or name.startswith("_")) and name not in values:
                values[name] = record.pop(heading)
        key = values.get("id", "")
        turn = getattr(self, f"_{entity}", None)
        if turn is None:
            yield Draft(entity, values)
        else:
            yield from turn(variant, values, record)
        for heading in sorted(CLASSIFYING & record.keys()):
            drafts = list(classified(entity, key, heading, record[heading]))
            if drafts:
                self.kept.append((heading, record.pop(heading)))
                yield from drafts

    def _organization(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        key = values.get("id", "")
        yield Draft("organization", values)
        for funder in _listed(record.pop("funding_sources", "")):
            row = {"id": f"{key}/{funder}", "organization_id": key, "source": funder}
            yield Draft("funding", row, Role.EXTRA, "funding/o")

    def _program(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        other = values.get("alternate_name", "")
        if len(other) > 80 and not values.get("description"):
            values["description"] = values.pop("alternate_name")
            self.notes.append(("alternate_name", "moved_to_description", other))
        yield Draft("program", values)

    def _location(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        key = values.get("id", "")
        virtual = record.pop("virtual", "").lower() in ("true", "t", "1", "yes")
        values.setdefault("location_type", "virtual" if virtual else "physical")
        short = record.pop("short_desc", "")
        if short and short != values.get("description"):
            values["description"] = "\n\n".join(filter(None, (short, values.get("description", ""))))
        self.organization_of[key] = values.get("organization_id", "")
        email = record.pop("email", "")
        yield Draft("location", values)
        if email:
            row = {"id": f"{key}/email", "location_id": key, "email": email}
            yield Draft("contact", row, Role.EXTRA, "contact/l")
        for word in _listed(record.pop("accessibility", "")):
            row = {"id": f"{key}/{word}", "location_id": key, "description": word.replace("_", " ")}
            yield Draft("accessibility", row, Role.EXTRA, "accessibility/l")
        yield from self._spoken(record.pop("languages", ""), "location_id", key)

    def _service(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        if variant:
            field = "eligibility_description" if variant == "eligibility" else "fees_description"
            text = record.pop("eligibility", "") or record.pop("payment", "") or values.get(field, "")
            yield Draft("service", {"id": record.pop("service_id", ""), field: text}, Role.PATCH)
            return
        key = values.get("id", "")
        status = values.get("status", "").strip().lower()
        if status in _STATUS_CODES:
            values["status"] = _STATUS_CODES[status]
            if not status.isalpha():
                self.notes.append(("status", "status_code", status))
        places = _keys(record.pop("service_locations", "") or record.pop("location_id", ""))
        if not values.get("organization_id") and places and self.organization_of.get(places[0]):
            values["organization_id"] = self.organization_of[places[0]]
        for name in ("audience", "accepted_payments"):
            field = "eligibility_description" if name == "audience" else "fees_description"
            if extra := record.pop(name, ""):
                values[field] = "\n".join(dict.fromkeys(filter(None, (extra, values.get(field, "")))))
        papers, areas = record.pop("required_documents", ""), record.pop("service_areas", "")
        funders, spoken = record.pop("funding_sources", ""), record.pop("languages", "")
        terms = _keys(record.pop("service_taxonomy", "")) + _keys(record.pop("taxonomy_ids", ""))
        linked = {name: _keys(record.pop(f"service_{plural}", "")) for name, plural in _LINKED.items()}
        yield Draft("service", values)
        for place in places:
            row = {"id": f"{key}/{place}", "service_id": key, "location_id": place}
            yield Draft("service_at_location", row, Role.EXTRA, "service_at_location/s")
        for term in terms:
            yield Draft("attribute", _attribute(key, "service", term), Role.EXTRA, "attribute/s")
        for entity, keys in linked.items():
            for other in keys:
                yield Draft(entity, {"id": other, "service_id": key}, Role.LINK)
        for entity, field, text in (
            ("required_document", "document", papers),
            ("service_area", "name", areas),
            ("funding", "source", funders),
        ):
            for word in _listed(text):
                row = {"id": f"{key}/{word}", "service_id": key, field: word}
                yield Draft(entity, row, Role.EXTRA, f"{entity}/s")
        yield from self._spoken(spoken, "service_id", key)

    def _taxonomy(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        self.taxonomies[values.get("id", "")] = values.get("name", "")
        yield Draft("taxonomy", values)

    def _taxonomy_term(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        if variant == "types":
            kind = record.pop("taxonomy_type_recordid", "") or values.get("taxonomy_id", "")
            yield Draft("taxonomy_term", {"id": values.get("id", ""), "taxonomy_id": kind}, Role.OWN_LINK)
            return
        if self.shape == "ohana":
            values["id"] = values.get("id") or values.get("taxonomy_id", "")
            values["code"] = values.pop("taxonomy_id", "")
            record.pop("parent_name", None)
        elif self.shape == "recordid" and values.get("taxonomy_id"):
            values["code"] = values.pop("taxonomy_id")
        kind = values.get("taxonomy", "")
        if kind in self.taxonomies:
            values["taxonomy_id"], values["taxonomy"] = kind, self.taxonomies[kind]
        elif kind and not values.get("taxonomy_id"):
            values["taxonomy_id"] = f"name/{kind}"
            yield Draft("taxonomy", {"id": f"name/{kind}", "name": kind}, Role.EXTRA)
        services = _keys(record.pop("taxonomy_services", ""))
        yield Draft("taxonomy_term", values)
        for service in services:
            row = _attribute(service, "service", values.get("id", ""))
            yield Draft("attribute", row, Role.EXTRA, "attribute/s")

    def _attribute(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        if variant == "service":
            values["link_id"], values["link_entity"] = record.pop("service_id", ""), "service"
        elif not values.get("link_entity") and values.get("link_type", "") in ENTITIES:
            values["link_entity"] = values["link_type"]
        yield Draft("attribute", values)

    def _phone(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        key = values.get("id", "")
        kind = values.get("type", "").strip().lower()
        if kind and kind not in _PHONE_TYPES and kind.isdigit():
            self.notes.append(("type", "unknown_code", values.pop("type")))
        if prefix := record.pop("country_prefix", ""):
            number = values.get("number", "")
            values["number"] = number if number.startswith("+") else f"+{prefix.lstrip('+')} {number}"
        described = (record.pop("department", ""), values.get("description", ""), record.pop("vanity_number", ""))
        if any(described):
            values["description"] = " - ".join(dict.fromkeys(filter(None, described)))
        if (priority := values.get("priority", "")) and not priority.isdigit():
            values["priority"] = "1" if priority.lower() == "main" else ""
        spoken = record.pop("language", "")
        yield Draft("phone", values)
        yield from self._spoken(spoken, "phone_id", key)

    def _language(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        if number := record.pop("language_recordid", ""):
            self.languages[number] = values.get("name", "")
        self.languages.setdefault(values.get("id", ""), values.get("name", ""))
        yield Draft("language", values)

    def _spoken(self, text: str, link: str, key: str) -> Iterator[Draft]:
        for word in _listed(text):
            name = self.languages.get(word, word) if word.isdigit() else word
            if name.isdigit() or read_language(name) is None:
                self.notes.append(("language", "unknown_language", word))
                if name.isdigit():
                    continue
            row = {"id": f"{key}/{name.lower()}", link: key, "name": name}
            yield Draft("language", row, Role.EXTRA, f"language/{link}")

    def _address(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        more = [values.pop(name, "") for name in ("_3", "_4")]
        if any(more):
            values["address_2"] = ", ".join(filter(None, (values.get("address_2", ""), *more)))
        values.setdefault("address_type", variant or "physical")
        yield Draft("address", values, table=f"{variant}_address" if variant == "postal" else "")

    def _schedule(self, variant: str, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        if name := record.pop("name", ""):
            values["description"] = " - ".join(filter(None, (name, values.get("description", ""))))
        if variant == "holiday":
            yield from self._holiday(values, record)
            return
        said = record.pop("weekday", "") or values.pop("byday", "")
        values.pop("byday", None)
        remarks: list[str] = []
        # Directory tools put opening hours where dates belong.
        for date, clock in (
            ("dtstart", "opens_at"),
            ("until", "closes_at"),
            ("valid_from", "opens_at"),
            ("valid_to", "closes_at"),
        ):
            text = values.get(date, "").strip()
            if not text or re.search(r"\d{4}", text):
                continue
            values.pop(date)
            if re.fullmatch(r"(?i)(open )?24\s*(hours|h|heures|horas)", text):
                values["opens_at"] = values["closes_at"] = "00:00"
                self.notes.append((date, "round_the_clock", text))
            elif read_time(text):
                values[clock] = text if not values.get(clock) or values[clock].isdigit() else values[clock]
            else:
                remarks.append(text)
                self.notes.append((date, "words_for_times", text))
        if said:
            if re.fullmatch(r"(?i)24\s*[-/]\s*7", said.strip()):
                values["opens_at"] = values["closes_at"] = "00:00"
            days = read_days(said)
            if days:
                values["freq"], interval, values["byday"], left = days
                if interval:
                    values["interval"] = interval
                remarks += [left] if left else []
            elif read_time(said) is None:
                remarks.append(said)
                self.notes.append(("weekday", "words_for_days", said))
        if remarks:
            values["description"] = " - ".join(filter(None, (values.get("description", ""), *remarks)))
        hours = [
            values.get(name, "") for name in ("opens_at", "closes_at", "description", "notes", "valid_from", "dtstart")
        ]
        if not any(hours):
            self.notes.append(("", "no_hours", said))
        yield Draft("schedule", values)

    def _holiday(self, values: dict[str, str], record: dict[str, str]) -> Iterator[Draft]:
        start, end = record.pop("start_date", ""), record.pop("end_date", "")
        values["closed"] = values.get("closed") or record.pop("closed", "") or "false"
        if re.search(r"\b0{3}\d\b", start):  # the year 0001 stands for every year
            values["closed"] = "false"
            words = "Every year, " + " - ".join(
                dict.fromkeys(re.sub(r",?\s*\b0{3}\d\b", "", day) for day in (start, end))
            )
            values["description"] = words + ("" if values.get("opens_at") else ": closed")
            self.notes.append(("start_date", "every_year", start))
        else:
            values["dtstart"], values["until"] = start, end or start
            values["valid_from"], values["valid_to"] = start, end or start
        yield Draft("schedule", values, table="holiday_schedule")


_LINKED = {"phone": "phones", "schedule": "schedule", "contact": "contacts"}


def _attribute(link: str, entity: str, term: str) -> dict[str, str]:
    return {"id": f"{link}/{term}", "link_id": link, "link_entity": entity, "taxonomy_term_id": term}


def _keys(text: str) -> list[str]:
    return list(dict.fromkeys(key.strip() for key in text.split(",") if key.strip()))


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in re.split(r"[,;]", text) if word.strip()))
