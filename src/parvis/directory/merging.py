"""Two listings of one thing become one: what the other had moves, its id goes on answering, and it can be undone.

The former id leads to the one that is kept (`Tombstone.merged_into`): 301 on the pages and in the HSDS API.
"""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from parvis.accounts.rules import require
from parvis.directory import actions, documents, facts, queries, rules, search
from parvis.directory.facts import KINDS, Facts, kind_of
from parvis.directory.models import Location, Program, Service, Tombstone
from parvis.ledger import actions as ledger
from parvis.ledger.models import Event
from parvis.orgs.models import VersionedRow

#: what belongs to an organization and moves with it, by kind
MOVES: dict[str, Any] = {"service": Service, "location": Location, "program": Program}
MERGEABLE = ("organization", "service")


class CannotMerge(Exception):
    """The two are not two listed objects of one kind, or one contains the other."""


def merge(keep: VersionedRow, lose: VersionedRow, *, take: list[str], by: Any) -> None:
    """`lose` becomes `keep`. take: names of facts that `keep` takes from it: a field's value, or, of rows such as
    telephones, those of the other besides its own.

    Members of an organization that is lost keep their access to nothing but its former page: nobody gains access to
    another organization by a merge. Raises Denied, CannotMerge.
    """
    kind = kind_of(keep)
    with transaction.atomic():
        keep, lose = _both(kind, keep, lose)
        require(rules.may_publish(by, lose) and rules.may_publish(by, keep), f"{kind}.merged", lose)
        changes = _taken(keep, lose, take)
        edited = None
        if changes:
            before = keep.version
            actions.edit(keep, by=by, changes=changes)
            last = queries.last_event(keep, f"{kind}.edited")
            edited = last.pk if last and (last.after or {}).get("version", 0) > before else None
        moved = _move(lose.pk, keep.pk) if kind == "organization" else {}
        documents.merged(kind, lose.pk, keep.pk)
        _show(kind, [keep.pk, lose.pk], moved)
        told = {"into": str(keep.pk), "moved": {name: [str(one) for one in ids] for name, ids in moved.items()}}
        ledger.record(f"{kind}.merged", lose, by=by, after={**told, "edit": edited})


def _both(kind: str, keep: VersionedRow, lose: VersionedRow) -> tuple[Any, Any]:
    """Both rows, locked in the order of their ids: two people who merge the same two do not wait in a circle."""
    if kind not in MERGEABLE or type(keep) is not type(lose) or keep.pk == lose.pk:
        raise CannotMerge
    model = KINDS[kind].model
    rows = model._default_manager.select_for_update(no_key=True).filter(pk__in=[keep.pk, lose.pk]).order_by("pk")
    found = {row.pk: row for row in rows}
    if len(found) != 2 or not all(facts.is_listed(row) for row in found.values()):
        raise CannotMerge
    if kind == "organization" and keep.pk in (found[keep.pk].parent_organization_id, lose.pk):
        raise CannotMerge
    return found[keep.pk], found[lose.pk]


def _taken(keep: VersionedRow, lose: VersionedRow, take: list[str]) -> Facts:
    ours, theirs = facts.read(keep), facts.read(lose)
    changes: Facts = {}
    for name in take:
        if name not in theirs or name == "listed":
            raise KeyError(name)
        value = theirs[name]
        if isinstance(value, list):
            known = [_said(row) for row in ours[name]]
            extra = [bare for bare in map(_bare, value) if _said(bare) not in known]
            if extra:
                changes[name] = [*ours[name], *extra]
        elif value != ours[name]:
            changes[name] = value
    return changes


def _bare(row: Facts) -> Facts:
    """A row as a new one: without its id, also below."""
    return {
        name: [_bare(one) for one in value] if isinstance(value, list) else value
        for name, value in row.items()
        if name != "id"
    }


def _said(row: Facts) -> Facts:
    return {name: value for name, value in _bare(row).items() if value not in ("", None, []) and name != "source"}


def _move(former: uuid.UUID, into: uuid.UUID, only: dict[str, list[str]] | None = None) -> dict[str, list[uuid.UUID]]:
    """What belongs to one organization belongs to the other now; the ids of it."""
    moved: dict[str, list[uuid.UUID]] = {}
    for name, model in MOVES.items():
        rows = model.objects.filter(organization_id=former)
        if only is not None:
            rows = rows.filter(pk__in=only.get(name, []))
        ids = list(rows.values_list("pk", flat=True))
        if ids:
            changed = {"organization_id": into, "version": F("version") + 1, "changed_at": timezone.now()}
            model.objects.filter(pk__in=ids).update(**changed)
            moved[name] = ids
    return moved


def _show(kind: str, ids: list[uuid.UUID], moved: dict[str, list[uuid.UUID]]) -> None:
    """Render and index again what has changed hands."""
    services = [*(ids if kind == "service" else ()), *moved.get("service", ())]
    organizations = ids if kind == "organization" else []
    documents.refresh(
        service_ids=services, organization_ids=organizations, location_ids=list(moved.get("location", ()))
    )
    search.refresh(service_ids=services, organization_ids=organizations)


def can_unmerge(obj: VersionedRow) -> bool:
    return Tombstone.objects.filter(kind=kind_of(obj), object_id=obj.pk, reason="merged").exists()


def unmerge(lose: VersionedRow, *, by: Any) -> list[str]:
    """Take a merge back: the object is listed again and has what it had, where nobody has moved it since. Returns the
    facts that the other took and that somebody has changed since: those stay. Raises Denied, CannotMerge."""
    kind = kind_of(lose)
    with transaction.atomic():
        stone = Tombstone.objects.select_for_update().filter(kind=kind, object_id=lose.pk, reason="merged").first()
        event = queries.last_event(lose, f"{kind}.merged")
        require(rules.may_publish(by, lose), f"{kind}.unmerged", lose)
        if stone is None or event is None or stone.merged_into is None:
            raise CannotMerge
        told = event.after or {}
        into = stone.merged_into
        stone.delete()
        left = _give_back(told.get("edit"), by)
        moved = _move(into, lose.pk, told.get("moved", {})) if kind == "organization" else {}
        _show(kind, [into, lose.pk], moved)
        ledger.record(f"{kind}.unmerged", lose, by=by, after={"from": str(into)})
    return left


def _give_back(number: int | None, by: Any) -> list[str]:
    event = Event.objects.filter(pk=number).first() if number else None
    if event is None:
        return []
    try:
        actions.undo(event, by=by)
    except actions.ChangedSince as later:
        return later.names
    except actions.CannotUndo:
        return []
    return []
