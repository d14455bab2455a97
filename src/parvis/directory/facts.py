"""What is published about an object, as plain data: read whole, compared, and written back.

The facts of one of the KINDS (an organization, a service, ...) are one dictionary: its own fields, the rows that hang
on it under their HSDS names (`phones`, `schedules`, ...), and `listed`. All values are plain JSON, so that the ledger
keeps them as they are, two versions compare with `==`, and an undo writes a former one back.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from django.db import models
from django.utils import timezone

from parvis.directory.models import (
    Accessibility,
    Address,
    Attribute,
    Contact,
    CostOption,
    Funding,
    Language,
    Location,
    Phone,
    Program,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    Taxonomy,
    TaxonomyTerm,
    Tombstone,
    Url,
)
from parvis.orgs.models import Organization, OrganizationIdentifier, VersionedRow

Facts = dict[str, Any]

#: Columns that are about the row and not about the world: never compared, never undone.
_BOOKKEEPING = {
    "id", "missing_since", "version", "created_at", "changed_at", "last_modified", "assured_date", "assurer_email",
    "borough", "updated",
}  # fmt: skip
_OWNERS = {"organization_id", "service_id", "location_id", "service_at_location_id", "contact_id", "phone_id"}


@dataclass(frozen=True)
class Part:
    """Rows that hang on an object: `link` is their column that holds its id."""

    name: str
    model: type[models.Model]
    link: str
    parts: tuple["Part", ...] = ()

    @cached_property
    def fields(self) -> tuple[models.Field[Any, Any], ...]:
        owners = _OWNERS - ({"location_id"} if self.model is ServiceAtLocation else set())
        return _columns(self.model, _BOOKKEEPING | owners | {"link_id", "link_entity"})

    def where(self, owner: models.Model) -> dict[str, Any]:
        """The columns by which a row hangs on `owner`."""
        if self.link == "link_id":
            return {"link_id": owner.pk, "link_entity": kind_of(owner)}
        return {self.link: owner.pk}


def _columns(model: type[models.Model], without: set[str]) -> tuple[models.Field[Any, Any], ...]:
    return tuple(column for column in model._meta.concrete_fields if column.attname not in without)


def _shared(link: str) -> tuple[Part, ...]:
    return (
        Part("phones", Phone, link, (Part("languages", Language, "phone_id"),)),
        Part("contacts", Contact, link, (Part("phones", Phone, "contact_id"),)),
        Part("attributes", Attribute, "link_id"),
    )


_AT_LOCATION = (
    *_shared("service_at_location_id"),
    Part("schedules", Schedule, "service_at_location_id"),
    Part("service_areas", ServiceArea, "service_at_location_id"),
)


@dataclass(frozen=True)
class Kind:
    """One of the things that have a page at the desk."""

    name: str
    model: type[VersionedRow]
    parts: tuple[Part, ...]
    fields: tuple[models.Field[Any, Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        fixed = {"organization_id"} if self.name in ("service", "program") else set()
        fixed |= {"service_id", "location_id"} if self.name == "service_at_location" else set()
        object.__setattr__(self, "fields", _columns(self.model, _BOOKKEEPING | {"source"} | fixed))

    def part(self, name: str) -> Part:
        """The part called `name`; KeyError when there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(f"{self.name}.{name}")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "organization",
            Organization,
            (
                *_shared("organization_id"),
                Part("additional_websites", Url, "organization_id"),
                Part("organization_identifiers", OrganizationIdentifier, "organization_id"),
                Part("funding", Funding, "organization_id"),
            ),
        ),
        Kind(
            "service",
            Service,
            (
                Part("service_at_locations", ServiceAtLocation, "service_id", _AT_LOCATION),
                Part("schedules", Schedule, "service_id"),
                Part("languages", Language, "service_id"),
                Part("cost_options", CostOption, "service_id"),
                Part("required_documents", RequiredDocument, "service_id"),
                Part("service_areas", ServiceArea, "service_id"),
                Part("capacities", ServiceCapacity, "service_id"),
                *_shared("service_id"),
                Part("additional_urls", Url, "service_id"),
                Part("funding", Funding, "service_id"),
            ),
        ),
        Kind(
            "location",
            Location,
            (
                Part("addresses", Address, "location_id"),
                Part("schedules", Schedule, "location_id"),
                Part("accessibility", Accessibility, "location_id"),
                Part("languages", Language, "location_id"),
                *_shared("location_id"),
            ),
        ),
        Kind("service_at_location", ServiceAtLocation, _AT_LOCATION),
        Kind("program", Program, ()),
        Kind("taxonomy", Taxonomy, ()),
        Kind("taxonomy_term", TaxonomyTerm, ()),
    )
}


def kind_of(obj: models.Model) -> str:
    """HSDS's name of what a row is: `kind_of(service) == "service"`, "service_at_location", ..."""
    name = type(obj).__name__
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name).lstrip("_")


def plain(value: Any) -> Any:
    """A value of a column or a form as JSON has it: ISO dates, times to the minute, numbers as they are."""
    if value is None or isinstance(value, str | bool | int | float | dict):
        return value
    if hasattr(value, "strftime") and hasattr(value, "minute") and not hasattr(value, "year"):
        return value.strftime("%H:%M")
    return str(value) if isinstance(value, uuid.UUID) or hasattr(value, "quantize") else value.isoformat()


# -- reading ------------------------------------------------------------------------------------------------------


def read(obj: VersionedRow) -> Facts:
    """Everything published about `obj`. The number of queries depends on its kind, not on how much there is."""
    kind = KINDS[kind_of(obj)]
    found: Facts = {column.attname: plain(getattr(obj, column.attname)) for column in kind.fields}
    for part in kind.parts:
        found[part.name] = _rows(part, [obj]).get(obj.pk, [])
    found["listed"] = is_listed(obj)
    return found


def is_listed(obj: VersionedRow) -> bool:
    """Whether `obj` stands in the public directory. What is no object of the API itself has no tombstone."""
    if isinstance(obj, Location | Program):
        return obj.missing_since is None
    return not Tombstone.objects.filter(kind=kind_of(obj), object_id=obj.pk).exists()


def _rows(part: Part, owners: list[Any]) -> dict[Any, list[Facts]]:
    """The rows of `part` of several owners, in one query and one for each part below."""
    if not owners:
        return {}
    where: dict[str, Any] = {f"{part.link}__in": [owner.pk for owner in owners]}
    if part.link == "link_id":
        where["link_entity"] = kind_of(owners[0])
    rows = list(part.model._default_manager.filter(missing_since=None, **where))
    below = {inner.name: _rows(inner, rows) for inner in part.parts}
    found: dict[Any, list[Facts]] = {}
    for row in rows:
        facts: Facts = {"id": str(row.pk)}
        facts |= {column.attname: plain(getattr(row, column.attname)) for column in part.fields}
        facts |= {name: children.get(row.pk, []) for name, children in below.items()}
        found.setdefault(getattr(row, part.link), []).append(facts)
    for listed in found.values():
        listed.sort(key=order)
    return found


def order(row: Facts) -> tuple[Any, ...]:
    """Where a row stands among its like: by `priority`, then by what it says, so that a page never shuffles."""
    said = orjson.dumps({key: value for key, value in row.items() if key != "id" and value not in ("", None, [])})
    return (row.get("priority") or 1000, said, str(row.get("id", "")))


def diff(before: Facts, after: Facts) -> tuple[Facts, Facts]:
    """Both versions of the keys that differ; empty dictionaries when nothing does."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}


def texts(facts: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in the facts with its place: ("name",) or ("phones", row id, "description")."""
    for key, value in facts.items():
        if isinstance(value, str) and value and key != "id":
            yield (key,), value
        elif isinstance(value, list):
            for row in value:
                for place, text in texts(row):
                    yield (key, row.get("id", ""), *place), text


# -- writing ------------------------------------------------------------------------------------------------------


def write(obj: VersionedRow, changes: Mapping[str, Any], *, restoring: bool = False) -> None:
    """Write these facts on a saved or new `obj`; what `changes` does not name stays.

    A list says what rows there shall be: one with the id of a row of this object changes it, one without is new,
    a row not listed goes. `restoring` also takes ids of rows that are gone: an undo gives them back.
    Raises KeyError on an unknown name, ValueError or ValidationError on a value that its column cannot hold.
    """
    kind = KINDS[kind_of(obj)]
    columns = {column.attname: column for column in kind.fields}
    unknown = set(changes) - set(columns) - {part.name for part in kind.parts} - {"listed"}
    if unknown:
        raise KeyError(f"{kind.name} has no {', '.join(sorted(unknown))}")
    for name, column in columns.items():
        if name in changes:
            setattr(obj, name, _value(column, changes[name]))
    obj.save()
    for part in kind.parts:
        if part.name in changes:
            _write_rows(part, obj, changes[part.name], restoring)
    if "listed" in changes and isinstance(obj, Location | Program):
        obj.missing_since = None if changes["listed"] else timezone.now()
        obj.save(update_fields=["missing_since"])
    elif "listed" in changes:
        _write_listed(kind.name, obj.pk, bool(changes["listed"]))


def _value(column: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(value, str):
        value = "".join(sign for sign in value if sign >= " " or sign in "\n\t").strip()
        if value == "" and (column.null or not isinstance(column, models.TextField | models.CharField)):
            return None
    if value is None and not column.null and column.has_default():
        return column.get_default()
    return (column.target_field if column.is_relation else column).to_python(value)


def _write_rows(part: Part, owner: models.Model, rows: list[Facts], restoring: bool) -> None:
    there = {str(row.pk): row for row in part.model._default_manager.filter(missing_since=None, **part.where(owner))}
    if restoring:
        gone = [row["id"] for row in rows if row.get("id") and row["id"] not in there]
        there |= {str(row.pk): row for row in part.model._default_manager.filter(pk__in=gone)}
    kept: set[str] = set()
    for said in rows:
        name = str(said.get("id") or "")
        row = there.get(name) if name not in kept else None
        if row is None:
            row = part.model(pk=uuid.UUID(name) if restoring and name else uuid.uuid4())
        before = {column.attname: getattr(row, column.attname) for column in part.fields}
        for column in part.fields:
            if column.attname in said:
                setattr(row, column.attname, _value(column, said[column.attname]))
        after = {column.attname: getattr(row, column.attname) for column in part.fields}
        fresh = row._state.adding
        for link, value in part.where(owner).items():
            fresh = fresh or getattr(row, link) != value
            setattr(row, link, value)
        if fresh or before != after:
            _stamp(row)
            row.save()
        if part.model is ServiceAtLocation and fresh:
            _write_listed("service_at_location", row.pk, True)
        kept.add(str(row.pk))
        for inner in part.parts:
            if inner.name in said:
                _write_rows(inner, row, said[inner.name], restoring)
    for name, row in there.items():
        if name not in kept:
            _remove(part, row)


def _stamp(row: Any) -> None:
    if isinstance(row, VersionedRow):
        row.version += 0 if row._state.adding else 1
        row.changed_at = timezone.now()
    if isinstance(row, ServiceCapacity):
        row.updated = timezone.now()


def _remove(part: Part, row: Any) -> None:
    """Take a row away; one that another object shares (HSDS allows it) only lets go of this one."""
    others = _OWNERS & {column.attname for column in row._meta.concrete_fields} - {part.link}
    shared = part.model is not ServiceAtLocation and any(getattr(row, other) for other in others)
    if shared:
        setattr(row, part.link, None)
        row.save()
        return
    for inner in part.parts:
        if inner.link == "link_id":  # no foreign key, so nothing cascades
            inner.model._default_manager.filter(**inner.where(row)).delete()
    if part.model is ServiceAtLocation:
        _write_listed("service_at_location", row.pk, False, reason="deleted")
    row.delete()


def _write_listed(kind: str, object_id: uuid.UUID, listed: bool, *, reason: str = "unlisted") -> None:
    if listed:
        Tombstone.objects.filter(kind=kind, object_id=object_id).exclude(reason="merged").delete()
    else:
        Tombstone.objects.get_or_create(
            kind=kind, object_id=object_id, defaults={"at": timezone.now(), "reason": reason}
        )
