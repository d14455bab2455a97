"""Which fields of a row an import may not overwrite: people changed them here, or confirmed them lately.

What the source says of such a field becomes an `ImportConflict`. Only rows that the source has changed are asked
about, so an import into an empty city, or the same file again, costs nothing here.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from parvis.core.freshness import Kind, due
from parvis.core.language import fold
from parvis.directory import queries
from parvis.directory.facts import KINDS
from parvis.directory.models import Contact, DoNotList, ImportConflict, Phone, Service, ServiceAtLocation, Tombstone
from parvis.ledger.models import Event
from parvis.orgs.models import Organization, VersionedRow

#: the ledger's name of an organization's people who answered by a link: they are no machine
BY_LINK = "review link"
#: columns that lead from a row to what it belongs to
OWNERS = ("service_id", "organization_id", "location_id", "service_at_location_id")
_ABOUT: dict[str, Kind] = {"schedule": "hours", "phone": "phone", "address": "address"}
_DEEDS = r"\.(edited|undone|created)$"

Owner = tuple[str, uuid.UUID]


def held(entity: str, rows: dict[uuid.UUID, dict[str, Any]], today: dt.date) -> dict[uuid.UUID, set[str] | None]:
    """Columns that an import may not change, by row; None: all of them. rows: what stands here now, by id."""
    owners = {key: owners_of(entity, key, row) for key, row in _with_contacts(entity, rows).items()}
    everybody = {owner for several in owners.values() for _kind, owner in several}
    changed = _changed_by_people(everybody)
    confirmed = _confirmed(entity, _above(owners), today)
    found: dict[uuid.UUID, set[str] | None] = {}
    for key in rows:
        if key in confirmed:
            found[key] = None
        elif key in changed:
            found[key] = changed[key]
    return found


def owners_of(entity: str, key: uuid.UUID, row: dict[str, Any]) -> list[Owner]:
    """The objects with a page at the desk that a row belongs to; the first is where it is edited."""
    if entity in KINDS:
        return [(entity, key)]
    named = [(name.removesuffix("_id"), row.get(name)) for name in OWNERS]
    if row.get("link_id"):
        named.append((row.get("link_entity") or "", row["link_id"]))
    return [(kind, uuid.UUID(str(owner))) for kind, owner in named if owner and kind in KINDS]


def _with_contacts(entity: str, rows: dict[uuid.UUID, dict[str, Any]]) -> dict[uuid.UUID, dict[str, Any]]:
    """Telephone numbers of contacts belong to what the contact belongs to, languages of numbers likewise."""
    for name, model in (("phone_id", Phone), ("contact_id", Contact)):
        ids = {row[name] for row in rows.values() if row.get(name)}
        if ids:
            columns = [*OWNERS, *(("contact_id",) if model is Phone else ())]
            above = {str(one["pk"]): one for one in model.objects.filter(pk__in=ids).values("pk", *columns)}
            rows = {
                key: {**row, **{c: row.get(c) or above.get(str(row.get(name)), {}).get(c) for c in columns}}
                for key, row in rows.items()
            }
    return rows


def _changed_by_people(owners: set[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Row -> columns that people wrote, as the ledger tells it. An import's own events name their source."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    events = Event.objects.filter(object_id__in=owners, code__regex=_DEEDS)
    events = events.filter(Q(actor__isnull=False) | Q(actor_label=BY_LINK)).exclude(after__has_key="source")
    for owner, before, after in events.values_list("object_id", "before", "after"):
        _compare(owner, before or {}, after or {}, found)
    return found


def _compare(key: uuid.UUID, before: Any, after: Any, found: dict[uuid.UUID, set[str]]) -> None:
    for name, value in after.items():
        if name in ("id", "version"):
            continue
        if not isinstance(value, list):
            if before.get(name) != value:
                found[key].add(name)
            continue
        was = {row.get("id"): row for row in before.get(name) or [] if isinstance(row, dict)}
        for row in value:
            if isinstance(row, dict) and row.get("id"):
                _compare(uuid.UUID(row["id"]), was.get(row["id"], {}), row, found)


def _above(owners: dict[uuid.UUID, list[Owner]]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Whose confirmation covers a row: its owner's, and of a place that of the services given there."""
    places = {one for several in owners.values() for kind, one in several if kind == "location"}
    links = {one for several in owners.values() for kind, one in several if kind == "service_at_location"}
    given: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    rows = ServiceAtLocation.objects.filter(Q(location_id__in=places) | Q(pk__in=links))
    for link, place, service in rows.values_list("pk", "location_id", "service_id") if places or links else ():
        given[link].add(service)
        given[place].add(service)
    return {
        key: {one for _kind, owner in several for one in (owner, *given.get(owner, ()))}
        for key, several in owners.items()
    }


def _confirmed(entity: str, owners: dict[uuid.UUID, set[uuid.UUID]], today: dt.date) -> set[uuid.UUID]:
    """Rows whose kind of facts was confirmed so lately that it need not be confirmed again yet."""
    about: Kind = _ABOUT.get(entity, "rest")
    everybody = {one for several in owners.values() for one in several}
    months, fresh = queries.periods()[about], set()
    for owner, at in queries.confirmations(everybody, about).items():
        again = due(timezone.localdate(at), months)
        if again is not None and again > today:
            fresh.add(owner)
    return {key for key, several in owners.items() if several & fresh}


# -- what is to be decided ----------------------------------------------------------------------------------------


def note(conflicts: list[ImportConflict]) -> None:
    """Keep what sources say of held fields: of one field there is one open conflict, with the newest word."""
    ids = {one.object_id for one in conflicts}
    there = {
        (one.source, one.object_id, one.field): one
        for one in ImportConflict.objects.filter(object_id__in=ids, decided_at=None)
    }
    new, old = [], []
    for one in conflicts:
        known = there.get((one.source, one.object_id, one.field))
        if known is None:
            new.append(one)
        else:
            known.ours, known.theirs, known.since = one.ours, one.theirs, one.since
            old.append(known)
    ImportConflict.objects.bulk_create(new)
    ImportConflict.objects.bulk_update(old, ["ours", "theirs", "since"], batch_size=500)


# -- what must not come back --------------------------------------------------------------------------------------


def bar(created: dict[str, Iterable[uuid.UUID]], now: dt.datetime) -> int:
    """Leave out of public what an import brought under a new id though it is on the do-not-list. Returns how many.

    It is known again by its name and its telephone or site. An organization takes its services along.
    """
    memory: dict[tuple[str, str], list[DoNotList]] = defaultdict(list)
    for entry in DoNotList.objects.all():
        memory[entry.object_type, entry.name].append(entry)
    if not memory:
        return 0
    barred: set[Owner] = set()
    for kind, model in (("organization", Organization), ("service", Service)):
        rows: Iterable[VersionedRow] = model._default_manager.filter(pk__in=list(created.get(kind, ())))  # type: ignore[attr-defined]
        for row in rows:
            entries = memory.get((kind, fold(queries.title(row))))
            if entries and _same(row, entries):
                barred.add((kind, row.pk))
    organizations = [key for kind, key in barred if kind == "organization"]
    services = Service.objects.filter(organization_id__in=organizations, pk__in=list(created.get("service", ())))
    barred |= {("service", key) for key in services.values_list("pk", flat=True)}
    Tombstone.objects.bulk_create(
        [Tombstone(kind=kind, object_id=key, at=now, reason="unlisted") for kind, key in barred], ignore_conflicts=True
    )
    return len(barred)


def _same(row: VersionedRow, entries: list[DoNotList]) -> bool:
    phone, site = queries.known_by(row)
    return any((entry.phone and entry.phone == phone) or (entry.site and entry.site == site) or
               not (entry.phone or entry.site) for entry in entries)  # fmt: skip
