"""HSDS, the Human Services Data Specification (Open Referral), said once.

Every entity of HSDS 3.2 with its fields in the order of the official schemas, and what 3.3 adds (`since="3.3"`).
Import, export, API and data checks read this table; nothing else in Parvis repeats a field name or a required mark.

Source: the JSON schemas of HSDS 3.0 to 3.3, https://docs.openreferral.org (CC BY-SA 4.0).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "uuid", "uri", "email", "number", "date", "time", "datetime", "boolean", "json"]
Version = Literal["3.0", "3.1", "3.2", "3.3"]

VERSIONS: tuple[Version, ...] = ("3.0", "3.1", "3.2", "3.3")
DEFAULT_VERSION: Version = "3.2"
PROFILE_URI = "https://docs.openreferral.org/en/v{version}/"

SERVICE_STATUSES = ("active", "inactive", "defunct", "temporarily closed")
LOCATION_TYPES = ("physical", "postal", "virtual")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("WEEKLY", "MONTHLY")


@dataclass(frozen=True, slots=True)
class Field:
    """One direct property of an entity = one column of its CSV file = one column of its table."""

    name: str
    kind: Kind = "text"
    required: bool = False  # by the JSON schema
    tabular_required: bool = False  # by the Tabular Data Package only (links that JSON expresses by nesting)
    enum: tuple[str, ...] = ()
    refers: str | None = None  # entity whose id this field holds; "*" when link_entity/resource_type says which
    since: Version = "3.0"


@dataclass(frozen=True, slots=True)
class One:
    """A one-to-one object nested in JSON under `name`; in tables it is the foreign key `through`."""

    name: str
    entity: str
    through: str
    required: bool = False
    since: Version = "3.0"


@dataclass(frozen=True, slots=True)
class Many:
    """A collection nested in JSON under `name`; in tables the child's column `through` holds the parent's id."""

    name: str
    entity: str
    through: str
    since: Version = "3.0"
    until: Version | None = None  # last version in which it is not deprecated


@dataclass(frozen=True, slots=True)
class Entity:
    """One HSDS entity: `name` as in the schemas, `file` as in the Tabular Data Package, `plural` as in paths."""

    name: str
    file: str
    plural: str
    fields: tuple[Field, ...]
    ones: tuple[One, ...] = ()
    manys: tuple[Many, ...] = ()
    since: Version = "3.0"

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError when the entity has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name}.{name}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the direct fields, in the order of the schema."""
        return tuple(field.name for field in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that the JSON schema requires."""
        return tuple(field.name for field in self.fields if field.required)

    @property
    def references(self) -> tuple[Field, ...]:
        """Fields that hold the id of another row."""
        return tuple(field for field in self.fields if field.refers)

    def at(self, version: Version) -> tuple[Field, ...]:
        """Direct fields that exist in `version`."""
        return tuple(field for field in self.fields if field.since <= version)


def _id(required: bool = True) -> Field:
    return Field("id", "uuid", required=required)


def _ref(entity: str, name: str = "", *, tabular_required: bool = False, since: Version = "3.0") -> Field:
    return Field(name or f"{entity}_id", "uuid", refers=entity, tabular_required=tabular_required, since=since)


def _text(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


ATTRIBUTES = Many("attributes", "attribute", "link_id")
METADATA = Many("metadata", "metadata", "resource_id")
BOTH = (ATTRIBUTES, METADATA)

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "organization",
            "organizations.csv",
            "organizations",
            (
                _id(),
                Field("name", required=True),
                Field("alternate_name"),
                Field("description", required=True),
                Field("email", "email"),
                Field("website", "uri"),
                *_text("tax_status", "tax_id"),
                Field("year_incorporated", "number"),
                *_text("legal_status", "logo"),
                Field("uri", "uri"),
                _ref("organization", "parent_organization_id"),
            ),
            manys=(
                Many("additional_websites", "url", "organization_id", since="3.1"),
                Many("funding", "funding", "organization_id"),
                Many("contacts", "contact", "organization_id"),
                Many("phones", "phone", "organization_id"),
                Many("locations", "location", "organization_id"),
                Many("programs", "program", "organization_id"),
                Many("organization_identifiers", "organization_identifier", "organization_id"),
                *BOTH,
            ),
        ),
        Entity(
            "program",
            "programs.csv",
            "programs",
            (
                _id(),
                _ref("organization", tabular_required=True),
                Field("name", required=True),
                Field("alternate_name"),
                Field("description", required=True),
            ),
            manys=BOTH,
        ),
        Entity(
            "service",
            "services.csv",
            "services",
            (
                _id(),
                _ref("organization", tabular_required=True),
                _ref("program"),
                Field("name", required=True),
                *_text("alternate_name", "description"),
                Field("url", "uri"),
                Field("email", "email"),
                Field("status", required=True, enum=SERVICE_STATUSES),
                *_text(
                    "interpretation_services",
                    "application_process",
                    "fees_description",
                    "wait_time",
                    "fees",
                    "accreditations",
                    "eligibility_description",
                ),
                Field("minimum_age", "number"),
                Field("maximum_age", "number"),
                Field("assured_date", "date"),
                Field("assurer_email", "email"),
                *_text("licenses", "alert"),
                Field("last_modified", "datetime"),
            ),
            ones=(
                One("organization", "organization", "organization_id"),
                One("program", "program", "program_id"),
            ),
            manys=(
                Many("additional_urls", "url", "service_id", since="3.1"),
                Many("phones", "phone", "service_id"),
                Many("schedules", "schedule", "service_id", until="3.2"),
                Many("operating_hours", "schedule", "service_id", since="3.3"),
                Many("events", "schedule", "service_id", since="3.3"),
                Many("service_areas", "service_area", "service_id"),
                Many("service_at_locations", "service_at_location", "service_id"),
                Many("languages", "language", "service_id"),
                Many("funding", "funding", "service_id"),
                Many("cost_options", "cost_option", "service_id"),
                Many("required_documents", "required_document", "service_id"),
                Many("contacts", "contact", "service_id"),
                Many("capacities", "service_capacity", "service_id", since="3.1"),
                *BOTH,
            ),
        ),
        Entity(
            "attribute",
            "attributes.csv",
            "attributes",
            (
                _id(),
                Field("link_id", "uuid", refers="*", tabular_required=True),
                _ref("taxonomy_term", tabular_required=True),
                Field("link_type"),
                Field("link_entity", tabular_required=True),
                Field("value"),
                Field("label", since="3.1"),
            ),
            ones=(One("taxonomy_term", "taxonomy_term", "taxonomy_term_id"),),
            manys=(METADATA,),
        ),
        Entity(
            "service_at_location",
            "service_at_location.csv",
            "service_at_locations",
            (
                _id(),
                _ref("service", tabular_required=True),
                _ref("location", tabular_required=True),
                Field("description"),
            ),
            ones=(One("location", "location", "location_id"),),
            manys=(
                Many("service_areas", "service_area", "service_at_location_id", since="3.1"),
                Many("contacts", "contact", "service_at_location_id"),
                Many("phones", "phone", "service_at_location_id"),
                Many("schedules", "schedule", "service_at_location_id"),
                *BOTH,
            ),
        ),
        Entity(
            "location",
            "locations.csv",
            "locations",
            (
                _id(),
                Field("location_type", required=True, enum=LOCATION_TYPES),
                Field("url", "uri"),
                _ref("organization"),
                *_text("name", "alternate_name", "description", "transportation"),
                Field("latitude", "number"),
                Field("longitude", "number"),
                *_text("external_identifier", "external_identifier_type"),
            ),
            manys=(
                Many("languages", "language", "location_id"),
                Many("addresses", "address", "location_id"),
                Many("contacts", "contact", "location_id"),
                Many("accessibility", "accessibility", "location_id"),
                Many("phones", "phone", "location_id"),
                Many("schedules", "schedule", "location_id"),
                *BOTH,
            ),
        ),
        Entity(
            "phone",
            "phones.csv",
            "phones",
            (
                _id(),
                _ref("location"),
                _ref("service"),
                _ref("organization"),
                _ref("contact"),
                _ref("service_at_location"),
                Field("number", required=True),
                Field("extension", "number"),
                *_text("type", "description"),
            ),
            manys=(Many("languages", "language", "phone_id"), *BOTH),
        ),
        Entity(
            "contact",
            "contacts.csv",
            "contacts",
            (
                _id(),
                _ref("organization"),
                _ref("service"),
                _ref("service_at_location"),
                _ref("location"),
                *_text("name", "title", "department"),
                Field("email", "email"),
            ),
            manys=(Many("phones", "phone", "contact_id"), *BOTH),
        ),
        Entity(
            "address",
            "addresses.csv",
            "addresses",
            (
                _id(),
                _ref("location"),
                Field("attention"),
                Field("address_1", required=True),
                Field("address_2"),
                Field("city", required=True),
                Field("region"),
                Field("state_province", required=True),
                Field("postal_code", required=True),
                Field("country", required=True),
                Field("address_type", required=True, enum=LOCATION_TYPES),
            ),
            manys=BOTH,
        ),
        Entity(
            "schedule",
            "schedules.csv",
            "schedules",
            (
                _id(),
                _ref("service"),
                _ref("location"),
                _ref("service_at_location"),
                Field("valid_from", "date"),
                Field("valid_to", "date"),
                Field("dtstart", "date"),
                Field("timezone", "number"),
                Field("until", "date"),
                Field("count", "number"),
                Field("wkst", enum=WEEKDAYS),
                Field("freq", enum=FREQUENCIES),
                Field("interval", "number"),
                *_text("byday", "byweekno", "bymonthday", "byyearday", "description"),
                Field("opens_at", "time"),
                Field("closes_at", "time"),
                Field("schedule_link", "uri"),
                *_text("attending_type", "notes"),
                Field("group", since="3.3"),
            ),
            manys=BOTH,
        ),
        Entity(
            "funding",
            "funding.csv",
            "funding",
            (_id(), _ref("organization"), _ref("service"), Field("source")),
            manys=BOTH,
        ),
        Entity(
            "service_area",
            "service_areas.csv",
            "service_areas",
            (
                _id(),
                _ref("service"),
                _ref("service_at_location", since="3.1"),
                *_text("name", "description", "extent", "extent_type", "uri"),
            ),
            manys=BOTH,
        ),
        Entity(
            "required_document",
            "required_documents.csv",
            "required_documents",
            (_id(), _ref("service"), Field("document"), Field("uri", "uri")),
            manys=BOTH,
        ),
        Entity(
            "language",
            "languages.csv",
            "languages",
            (
                _id(),
                _ref("service"),
                _ref("location"),
                _ref("phone"),
                *_text("name", "code", "note"),
            ),
            manys=BOTH,
        ),
        Entity(
            "accessibility",
            "accessibility.csv",
            "accessibility",
            (_id(), _ref("location"), *_text("description", "details"), Field("url", "uri")),
            manys=BOTH,
        ),
        Entity(
            "taxonomy_term",
            "taxonomy_terms.csv",
            "taxonomy_terms",
            (
                _id(),
                Field("code"),
                Field("name", required=True),
                Field("description", required=True),
                _ref("taxonomy_term", "parent_id"),
                *_text("taxonomy", "language"),
                _ref("taxonomy"),
                Field("term_uri", "uri"),
            ),
            ones=(One("taxonomy_detail", "taxonomy", "taxonomy_id"),),
            manys=(METADATA,),
        ),
        Entity(
            "metadata",
            "metadata.csv",
            "metadata",
            (
                _id(),
                Field("resource_id", "uuid", refers="*", tabular_required=True),
                Field("resource_type", tabular_required=True),
                Field("last_action_date", "date", required=True),
                Field("last_action_type", required=True),
                Field("field_name", required=True),
                Field("previous_value", required=True),
                Field("replacement_value", required=True),
                Field("updated_by", required=True),
            ),
        ),
        Entity(
            "meta_table_description",
            "meta_table_descriptions.csv",
            "meta_table_descriptions",
            (_id(), *_text("name", "language", "character_set")),
            manys=BOTH,
        ),
        Entity(
            "cost_option",
            "cost_options.csv",
            "cost_options",
            (
                _id(),
                _ref("service", tabular_required=True),
                Field("valid_from", "date"),
                Field("valid_to", "date"),
                *_text("option", "currency"),
                Field("amount", "number"),
                Field("amount_description"),
            ),
            manys=BOTH,
        ),
        Entity(
            "organization_identifier",
            "organization_identifiers.csv",
            "organization_identifiers",
            (
                _id(),
                _ref("organization", tabular_required=True),
                Field("identifier_scheme"),
                Field("identifier_type", required=True),
                Field("identifier", required=True),
            ),
            manys=BOTH,
        ),
        Entity(
            "taxonomy",
            "taxonomies.csv",
            "taxonomies",
            (
                _id(),
                Field("name", required=True),
                Field("description", required=True),
                Field("uri", "uri"),
                Field("version"),
            ),
            manys=(METADATA,),
        ),
        Entity(
            "service_capacity",
            "service_capacity.csv",
            "service_capacities",
            (
                _id(),
                _ref("service", tabular_required=True),
                _ref("unit", tabular_required=True),
                Field("available", "number", required=True),
                Field("maximum", "number"),
                Field("description"),
                Field("updated", "datetime", required=True),
            ),
            ones=(One("unit", "unit", "unit_id", required=True),),
            manys=BOTH,
            since="3.1",
        ),
        Entity(
            "unit",
            "units.csv",
            "units",
            (_id(), Field("name", required=True), *_text("scheme", "identifier"), Field("uri", "uri")),
            manys=BOTH,
            since="3.1",
        ),
        Entity(
            "url",
            "url.csv",
            "urls",
            (
                _id(),
                Field("label"),
                Field("url", "uri", required=True),
                _ref("organization"),
                _ref("service"),
            ),
            manys=BOTH,
            since="3.1",
        ),
    )
}

# What Parvis adds: HSDS allows unknown fields, and without these an export would lose something.
EXTRAS: dict[str, tuple[Field, ...]] = {
    "schedule": (Field("closed", "boolean"),),
    "phone": (Field("priority", "number"),),
    "taxonomy_term": (Field("synonyms", "json"),),
}
# In JSON, an object that is not a service says by this unknown field which entity it is.
ENTITY_KEY = "hsds_entity"

# A row comes after the rows it refers to (self references aside), so one pass can check or write everything.
LOAD_ORDER: tuple[str, ...] = (
    "taxonomy",
    "taxonomy_term",
    "organization",
    "program",
    "unit",
    "location",
    "service",
    "service_at_location",
    "contact",
    "phone",
    "address",
    "accessibility",
    "schedule",
    "language",
    "service_area",
    "funding",
    "cost_option",
    "required_document",
    "service_capacity",
    "organization_identifier",
    "url",
    "meta_table_description",
    "attribute",
    "metadata",
)

# What the API serves under its own path.
RESOURCES: tuple[str, ...] = ("service", "organization", "service_at_location", "taxonomy", "taxonomy_term")

# Links without which a row says nothing about anything: a child with none of them is refused.
PARENTS: dict[str, tuple[str, ...]] = {
    entity.name: tuple(
        field.name
        for field in entity.references
        if field.refers in ("*", "organization", "service", "location", "service_at_location", "contact", "phone")
    )
    for entity in ENTITIES.values()
    if entity.name not in ("organization", "location", "service", "program")
}

BY_FILE: dict[str, Entity] = {entity.file: entity for entity in ENTITIES.values()}


def is_event(schedule: Mapping[str, Any]) -> bool:
    """True when a schedule row is a dated occasion, which HSDS 3.3 serves under `events`; else `operating_hours`."""
    return bool(schedule.get("dtstart")) and not schedule.get("freq")


def manys(entity: Entity, version: Version = DEFAULT_VERSION) -> Iterator[Many]:
    """Collections of `entity` in `version`, deprecated ones left out."""
    for many in entity.manys:
        if many.since <= version and (many.until is None or version <= many.until):
            yield many
