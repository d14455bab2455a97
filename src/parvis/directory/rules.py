"""Who may do what to the directory's objects: the table of parvis.orgs.rules, asked about an object."""

import uuid
from typing import Any

from parvis.accounts.rules import is_machine, office_role
from parvis.directory.models import Location, Program, Service, ServiceAtLocation, Taxonomy, TaxonomyTerm
from parvis.orgs import rules
from parvis.orgs.models import Organization, VersionedRow


def organization_of(obj: VersionedRow) -> uuid.UUID | None:
    """The organization whose people may edit `obj`; None for what is nobody's in particular, like a taxonomy."""
    if isinstance(obj, Organization):
        return obj.pk
    if isinstance(obj, ServiceAtLocation):
        return obj.service.organization_id
    if isinstance(obj, Service | Location | Program):
        return obj.organization_id
    if isinstance(obj, Taxonomy | TaxonomyTerm):
        return None
    raise TypeError(f"{type(obj).__name__} has no page at the desk")


def may_edit(actor: Any, obj: VersionedRow) -> bool:
    """Change what is published about `obj`."""
    if isinstance(obj, Organization):
        return rules.may_edit_organization(actor, obj)
    return rules.may_edit_service(actor, organization_of(obj))


def may_publish(actor: Any, obj: VersionedRow) -> bool:
    """Make `obj` public, or take it out of the directory. An organization itself goes only by the office."""
    return rules.may_publish(actor, None if isinstance(obj, Organization) else organization_of(obj))


def may_confirm(actor: Any, obj: VersionedRow) -> bool:
    return rules.may_confirm(actor, organization_of(obj))


def may_translate(actor: Any, obj: VersionedRow) -> bool:
    return rules.may_translate(actor, organization_of(obj))


def may_see_history(actor: Any, obj: VersionedRow) -> bool:
    return rules.may_see_history(actor, organization_of(obj))


def sees_network(actor: Any) -> bool:
    """Office staff look at the whole network; partners at their own organizations."""
    return is_machine(actor) or bool(office_role(actor))


def may_see_desk(actor: Any) -> bool:
    return sees_network(actor) or rules.is_partner(actor)
