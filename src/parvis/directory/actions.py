"""Every write of people to the directory: rule, rows, documents, search, ledger, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts.rules import office_role, require
from parvis.core.freshness import KINDS as ABOUT
from parvis.core.language import fold
from parvis.directory import documents, facts, queries, rules, search
from parvis.directory.facts import KINDS, Facts, kind_of
from parvis.directory.models import (
    DoNotList,
    Doubt,
    ImportConflict,
    Location,
    Period,
    Program,
    Service,
    ServiceAtLocation,
    Taxonomy,
    TaxonomyTerm,
    Verification,
)
from parvis.ledger import actions as ledger
from parvis.ledger.models import Event
from parvis.orgs.models import Organization, VersionedRow
from parvis.orgs.rules import may_add_organization, may_edit_service
from parvis.places.queries import borough_at
from parvis.words import actions as words

Object = TypeVar("Object", bound=VersionedRow)

#: how somebody made sure: verification's `means`
MEANS = ("self", "phone", "visit", "email", "website")


@dataclass
class Conflict(Exception):
    """Somebody else changed the object since the editor read it (`expected`); nothing was written."""

    expected: int
    present: int


@dataclass
class ChangedSince(Exception):
    """An undo would overwrite later changes of these facts; nothing was written."""

    names: list[str] = field(default_factory=list)


class CannotUndo(Exception):
    """This event is no change that can be taken back."""


def edit_organization(organization: Organization, *, by: Any, changes: Facts, **how: Any) -> Organization:
    """Change an organization. Arguments and errors: see `edit`."""
    return edit(organization, by=by, changes=changes, **how)


def edit_service(service: Service, *, by: Any, changes: Facts, **how: Any) -> Service:
    """Change a service. Arguments and errors: see `edit`."""
    return edit(service, by=by, changes=changes, **how)


def edit_location(location: Location, *, by: Any, changes: Facts, **how: Any) -> Location:
    """Change a location. Arguments and errors: see `edit`."""
    return edit(location, by=by, changes=changes, **how)


def edit_service_at_location(link: ServiceAtLocation, *, by: Any, changes: Facts, **how: Any) -> ServiceAtLocation:
    """Change what holds for a service at one location. Arguments and errors: see `edit`."""
    return edit(link, by=by, changes=changes, **how)


def edit(obj: Object, *, by: Any, changes: Facts, reason: str = "", expected_version: int | None = None) -> Object:
    """Change what is published about `obj`; returns the row as it is now.

    changes: facts to write (`parvis.directory.facts`): fields by name, rows as lists; what is not named stays.
    expected_version: the version that the editor read; None does not ask.
    Raises Denied, Conflict, KeyError (unknown fact), ValueError/ValidationError/IntegrityError (impossible value).
    """
    if "listed" in changes:
        raise KeyError("listed: use publish() or unlist()")
    with transaction.atomic():
        fresh = _lock(obj)
        require(rules.may_edit(by, fresh), f"{kind_of(obj)}.edited", fresh)
        if expected_version is not None and fresh.version != expected_version:
            raise Conflict(expected_version, fresh.version)
        return _change(fresh, changes, code="edited", by=by, reason=reason)


def create_organization(*, by: Any, changes: Facts, reason: str = "") -> Organization:
    """A new organization, public at once. Raises as `edit` does."""
    require(may_add_organization(by), "organization.created")
    return _create(Organization(name=changes.get("name", "")), by=by, changes=changes, reason=reason)


def create_service(organization: Organization, *, by: Any, changes: Facts, reason: str = "") -> Service:
    """A new service. It is public at once when `by` may publish; else it waits, unlisted, for somebody who may."""
    require(may_edit_service(by, organization), "service.created", organization)
    return _create(Service(organization=organization, name=changes["name"]), by=by, changes=changes, reason=reason)


def create_location(organization: Organization | None, *, by: Any, changes: Facts, reason: str = "") -> Location:
    """A new location of an organization (or of nobody in particular, by the office)."""
    require(may_edit_service(by, organization), "location.created", organization)
    return _create(Location(organization=organization), by=by, changes=changes, reason=reason)


def create_program(organization: Organization, *, by: Any, changes: Facts, reason: str = "") -> Program:
    """A new programme of an organization: a name under which it gives several services."""
    require(may_edit_service(by, organization), "program.created", organization)
    return _create(Program(organization=organization, name=changes["name"]), by=by, changes=changes, reason=reason)


def create_taxonomy(*, by: Any, changes: Facts, reason: str = "") -> Taxonomy:
    """A new taxonomy, by the office."""
    made = Taxonomy(name=changes["name"])
    require(rules.may_edit(by, made), "taxonomy.created")
    return _create(made, by=by, changes=changes, reason=reason)


def create_term(taxonomy: Taxonomy, *, by: Any, changes: Facts, reason: str = "") -> TaxonomyTerm:
    """A new term of a taxonomy, by the office."""
    made = TaxonomyTerm(taxonomy=taxonomy, name=changes["name"])
    require(rules.may_edit(by, made), "taxonomy_term.created", taxonomy)
    return _create(made, by=by, changes=changes, reason=reason)


def unlist(obj: VersionedRow, *, by: Any, reason: str) -> None:
    """Take an object out of the public directory: marked, not deleted; an organization takes its services along.

    Raises Denied. `publish` or `undo` bring it back.
    """
    with transaction.atomic():
        fresh = _lock(obj)
        require(rules.may_publish(by, fresh), f"{kind_of(obj)}.unlisted", fresh)
        own: list[VersionedRow] = []
        if isinstance(fresh, Organization):
            own = [*fresh.services.select_for_update(no_key=True), *fresh.locations.select_for_update(no_key=True)]
            own = [each for each in own if queries.is_listed(each)]
        for each in own:
            _change(each, {"listed": False}, code="unlisted", by=by, reason=reason)
        told = {"with": [str(each.pk) for each in own]} if own else None
        _change(fresh, {"listed": False}, code="unlisted", by=by, reason=reason, told=told)


def publish(obj: VersionedRow, *, by: Any, reason: str = "") -> None:
    """Put an unlisted object back into (or a new one into) the public directory. Raises Denied."""
    with transaction.atomic():
        fresh = _lock(obj)
        require(rules.may_publish(by, fresh), f"{kind_of(obj)}.published", fresh)
        for each in (fresh, *_gone_with(fresh, queries.last_event(fresh, "organization.unlisted"))):
            _change(each, {"listed": True}, code="published", by=by, reason=reason)


def confirm(obj: VersionedRow, *, by: Any, means: str, about: str = "") -> Verification:
    """Say that what is published about `obj` is true today. means: one of `MEANS`. about: one kind of facts
    (`parvis.core.freshness.KINDS`), "" for all of them; a confirmation of all ends a doubt.

    The public reads the organization's name (its own people) or the city's (the office), never a person's.
    Raises Denied, ValueError.
    """
    if means not in MEANS:
        raise ValueError(f"unknown means: {means}")
    if about and about not in ABOUT:
        raise ValueError(f"unknown kind of facts: {about}")
    with transaction.atomic():
        fresh = _lock(obj)
        require(rules.may_confirm(by, fresh), f"{kind_of(obj)}.confirmed", fresh)
        now = timezone.now()
        name = connection.tenant.name
        if not office_role(by):
            owner = rules.organization_of(fresh)
            name = Organization.objects.filter(pk=owner).values_list("name", flat=True).first() or name
        row = Verification.objects.create(
            object_type=kind_of(fresh),
            object_id=fresh.pk,
            at=now,
            by=by if hasattr(by, "pk") else None,
            by_name=name[:160],
            means=means,
            about=about,
        )
        if not about:
            Doubt.objects.filter(object_type=kind_of(fresh), object_id=fresh.pk).delete()
        if isinstance(fresh, Service) and not about:
            fresh.assured_date = timezone.localdate()
            fresh.save(update_fields=["assured_date"])
        _refresh(fresh)
        ledger.record(
            f"{kind_of(fresh)}.confirmed",
            fresh,
            by=by,
            after={"means": means, "by_name": name[:160], **({"about": about} if about else {})},
        )
    return row


def doubt(obj: VersionedRow, *, by: Any, reason: str = "") -> None:
    """Let the public page say "unconfirmed": nobody answers for `obj` any more. Twice is once. Raises Denied."""
    with transaction.atomic():
        fresh = _lock(obj)
        require(rules.may_publish(by, fresh), f"{kind_of(obj)}.doubted", fresh)
        _row, new = Doubt.objects.get_or_create(
            object_type=kind_of(fresh), object_id=fresh.pk, defaults={"since": timezone.now()}
        )
        if new:
            ledger.record(f"{kind_of(fresh)}.doubted", fresh, by=by, after={"doubted": True}, reason=reason)


def never_list(obj: VersionedRow, *, by: Any, reason: str) -> None:
    """Take an organization or a service out of the directory and remember it: an import does not bring it back.

    Raises Denied. `forgive` ends the memory.
    """
    with transaction.atomic():
        unlist(obj, by=by, reason=reason)
        fresh = _lock(obj)
        digits, site = queries.known_by(fresh)
        _row, new = DoNotList.objects.get_or_create(
            object_type=kind_of(fresh),
            object_id=fresh.pk,
            defaults={
                "name": fold(queries.title(fresh)), "phone": digits, "site": site, "reason": reason,
                "at": timezone.now(), "by": by if hasattr(by, "pk") else None,
            },
        )  # fmt: skip
        if new:
            ledger.record(f"{kind_of(fresh)}.barred", fresh, by=by, after={"barred": True}, reason=reason)


def forgive(entry: DoNotList, *, by: Any) -> None:
    """End a do-not-list memory: imports may list it again. The object itself stays as it is. Raises Denied."""
    with transaction.atomic():
        require(rules.may_publish(by, Taxonomy()), "directory.forgiven", entry)
        told = {"barred": False, "object_type": entry.object_type, "object_id": str(entry.object_id)}
        ledger.record("directory.forgiven", entry, by=by, after=told)
        entry.delete()


def set_period(kind: str, months: int, *, by: Any) -> None:
    """After how many months a kind of facts must be confirmed again. Raises Denied, IntegrityError."""
    with transaction.atomic():
        require(rules.may_publish(by, Taxonomy()), "directory.period.set")
        row = Period.objects.select_for_update().filter(kind=kind).first() or Period(kind=kind)
        before, row.months = row.months, months
        if before == months:
            return
        row.save()
        ledger.record(
            "directory.period.set", row, by=by, before={"months": before}, after={"kind": kind, "months": months}
        )


class CannotTake(Exception):
    """What a source says can't be written as it stands: its row is gone, or another object's."""


def decide(conflict: ImportConflict, *, take: bool, by: Any) -> bool:
    """Take what a source says of a field, or keep what stands here. Returns False when it was decided already.

    Raises Denied, CannotTake, ValueError/ValidationError/IntegrityError (impossible value).
    """
    with transaction.atomic():
        held = ImportConflict.objects.select_for_update().get(pk=conflict.pk)
        if held.decided_at is not None:
            return False
        owner = KINDS[held.kind].model._default_manager.filter(pk=held.owner_id).first()
        if owner is None and take:
            raise CannotTake
        require(rules.may_edit(by, owner or Taxonomy()), "directory.conflict.decided", owner)
        if take:
            assert owner is not None
            edit(owner, by=by, changes=_taken(owner, held), reason=held.source)
        held.decided_at, held.taken = timezone.now(), take
        held.decided_by = by if hasattr(by, "pk") else None
        held.save(update_fields=["decided_at", "taken", "decided_by"])
        told = {"field": held.field, "taken": take, "from": held.source, "kind": held.kind, "of": str(held.owner_id)}
        ledger.record("directory.conflict.decided", held, by=by, after=told)
    return True


def _taken(owner: VersionedRow, held: ImportConflict) -> Facts:
    """The change of the owner's facts that writes the source's word."""
    if held.object_id == owner.pk:
        if held.field not in {column.attname for column in KINDS[held.kind].fields}:
            raise CannotTake
        return {held.field: held.theirs}
    for name, rows in facts.read(owner).items():
        if isinstance(rows, list) and _put(rows, str(held.object_id), held.field, held.theirs):
            return {name: rows}
    raise CannotTake


def _put(rows: list[Facts], key: str, name: str, value: Any) -> bool:
    for row in rows:
        if row.get("id") == key and name in row:
            row[name] = value
            return True
        if any(_put(inner, key, name, value) for inner in row.values() if isinstance(inner, list)):
            return True
    return False


_DEEDS = {"edited", "undone", "unlisted", "published", "created", "translated"}


def can_undo(event: Event) -> bool:
    """Whether this event is a change that can be taken back (somebody's rule and later changes apart)."""
    kind, _, deed = event.code.partition(".")
    return kind in KINDS and deed in _DEEDS and bool(event.before or deed == "created")


def as_if_listed(obj: VersionedRow) -> None:
    """For a preview, in a transaction that is rolled back: render `obj` as if it were public."""
    if not queries.is_listed(obj):
        facts.write(obj, {"listed": True})
        _refresh(obj)


def undo(event: Event, *, by: Any, anyway: bool = False, reason: str = "") -> VersionedRow:
    """Write the facts back that `event` changed, as a new change.

    anyway: also when later changes touched the same facts. Raises Denied, ChangedSince, CannotUndo.
    """
    if not can_undo(event):
        raise CannotUndo
    kind, _, deed = event.code.partition(".")
    with transaction.atomic():
        fresh = KINDS[kind].model._default_manager.select_for_update(no_key=True).filter(pk=event.object_id).first()
        if fresh is None:
            raise CannotUndo
        if deed == "translated":
            return _undo_translation(event, fresh, by=by, anyway=anyway)
        before, after = dict(event.before or {}), dict(event.after or {})
        if deed == "created":
            before, after = {"listed": False}, {"listed": True}
        now = facts.read(fresh)
        before = {name: value for name, value in before.items() if name in now}
        allowed = rules.may_publish(by, fresh) if "listed" in before else rules.may_edit(by, fresh)
        require(allowed, f"{kind}.undone", fresh)
        later = [name for name in before if now.get(name) != after.get(name) and now.get(name) != before[name]]
        if later and not anyway:
            raise ChangedSince(later)
        if all(now.get(name) == value for name, value in before.items()):
            raise CannotUndo
        for each in _gone_with(fresh, event):
            _change(each, {"listed": True}, code="published", by=by, reason=reason)
        return _change(fresh, before, code="undone", by=by, reason=reason, restoring=True, told={"undoes": event.pk})


def translate(obj: VersionedRow, text: str, language: str, rendering: str, *, by: Any, origin: str = "human") -> None:
    """Say what a text of `obj` is in another language; search finds every object that has the text.

    An empty `rendering` takes the translation away. Raises Denied, ValueError (no text of `obj`, no language).
    """
    with transaction.atomic():
        require(rules.may_translate(by, obj), f"{kind_of(obj)}.translated", obj)
        if text not in {said for _, said in facts.texts(facts.read(obj))}:
            raise ValueError("not a text of this object")
        before = words.say(text, language, rendering, by=by, origin=origin)
        if before == (rendering.strip() or None):
            return
        _reindex_text(text)
        ledger.record(
            f"{kind_of(obj)}.translated",
            obj,
            by=by,
            before={"language": language, "text": text, "rendering": before or ""},
            after={"language": language, "text": text, "rendering": rendering.strip(), "origin": origin},
        )


# -- one way to write ---------------------------------------------------------------------------------------------


def _lock(obj: Object) -> Object:
    """The row as it is now, nobody else's until the end. `no_key`: rows that hang on it may be checked meanwhile;
    a full lock and the foreign keys checked at another writer's commit would wait for each other in a circle."""
    found: Object = type(obj)._default_manager.select_for_update(no_key=True).get(pk=obj.pk)
    return found


def _create(obj: Object, *, by: Any, changes: Facts, reason: str) -> Object:
    with transaction.atomic():
        obj.changed_at = timezone.now()
        obj.version = 0
        facts.write(obj, _with_units(changes))
        # A location is public through what is given there, so only the others wait for somebody who may publish.
        if not rules.may_publish(by, obj) and not isinstance(obj, Location | Organization):
            facts.write(obj, {"listed": False})
        return _change(obj, {}, code="created", by=by, reason=reason, new=True)


def _change(
    obj: Object,
    changes: Mapping[str, Any],
    *,
    code: str,
    by: Any,
    reason: str,
    restoring: bool = False,
    new: bool = False,
    told: Facts | None = None,
) -> Object:
    """Write facts on a locked row and everything that follows from it; nothing at all when nothing differs."""
    whole = {} if new else facts.read(obj)
    changes = _with_units(changes)
    facts.write(obj, changes, restoring=restoring)
    before, after = facts.diff(whole, facts.read(obj))
    if not after:
        return obj
    if not new:
        words.replaced(_edited_texts(before, after))
    version, obj.version, obj.changed_at = obj.version, obj.version + 1, timezone.now()
    if isinstance(obj, Service):
        obj.last_modified = obj.changed_at
    if isinstance(obj, Location) and {"latitude", "longitude"} & set(after):
        obj.borough = borough_at(obj.latitude, obj.longitude)
    obj.save()
    _refresh(obj)
    ledger.record(
        f"{kind_of(obj)}.{code}",
        obj,
        by=by,
        before=None if new else {**before, "version": version},
        after={**after, "version": obj.version, **(told or {})},
        reason=reason,
    )
    return obj


def _with_units(changes: Mapping[str, Any]) -> Facts:
    """Capacities as people write them name their unit; the row wants its id."""
    found = dict(changes)
    if any("unit" in row for row in found.get("capacities") or ()):
        found["capacities"] = [
            {**row, "unit_id": _unit(row["unit"])} if row.get("unit") else row for row in found["capacities"]
        ]
    return found


def _unit(name: str) -> str:
    unit = queries.unit_named(name)
    if unit._state.adding:
        unit.save()
    return str(unit.pk)


def _edited_texts(before: Facts, after: Facts) -> dict[str, str]:
    """Former text -> new text, for texts that stand in the same place."""
    old, new = dict(facts.texts(before)), dict(facts.texts(after))
    return {text: new[place] for place, text in old.items() if new.get(place, text) != text}


def _gone_with(obj: VersionedRow, event: Event | None) -> list[VersionedRow]:
    """What went out of the directory in the same stroke as an organization."""
    ids = (event.after or {}).get("with", ()) if event and event.code == "organization.unlisted" else ()
    if not ids or not isinstance(obj, Organization):
        return []
    return [
        *obj.services.select_for_update(no_key=True).filter(pk__in=ids),
        *obj.locations.select_for_update(no_key=True).filter(pk__in=ids),
    ]


def _undo_translation(event: Event, obj: Object, *, by: Any, anyway: bool) -> Object:
    before, after = event.before or {}, event.after or {}
    present = words.present(after["text"], after["language"])
    if present != after["rendering"] and not anyway:
        raise ChangedSince(["translations"])
    translate(obj, after["text"], after["language"], before["rendering"], by=by)
    return obj


# -- what follows from a write ------------------------------------------------------------------------------------


def _refresh(obj: VersionedRow) -> None:
    """Render and index again everything that shows `obj` (documents know what shows what)."""
    if isinstance(obj, Taxonomy | TaxonomyTerm):
        _refresh_terms(obj)
        return
    if isinstance(obj, Program):
        documents.refresh(organization_ids=[obj.organization_id] if obj.organization_id else [])
        return
    documents.refresh(**{f"{kind_of(obj)}_ids": [obj.pk]})
    if isinstance(obj, Organization):
        services = list(obj.services.values_list("pk", flat=True))
    elif isinstance(obj, Service):
        services = [obj.pk]
    else:
        links = obj.service_at_locations if isinstance(obj, Location) else type(obj).objects.filter(pk=obj.pk)
        services = list(links.values_list("service_id", flat=True))
    owner = rules.organization_of(obj)
    search.refresh(service_ids=services, organization_ids=[owner] if owner else [])


def _refresh_terms(obj: Taxonomy | TaxonomyTerm) -> None:
    """A term shows in every service that carries it or one below it; a taxonomy's name beside each of its terms."""
    if isinstance(obj, TaxonomyTerm):
        documents.refresh(term_ids=[obj.pk])
        search.refresh(term_ids=[obj.pk])
        return
    documents.refresh(taxonomy_ids=[obj.pk])
    search.refresh(term_ids=list(obj.terms.values_list("pk", flat=True)))


def _reindex_text(text: str) -> None:
    """Search finds a text in every language it is said in: index again whatever shows it."""
    search.refresh(**queries.shows(text))
