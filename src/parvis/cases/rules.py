"""Who may do what with people's files: the code's own lock, which needs nothing of the database's policies.

`grantees` says in Python what `access_claims` says in SQL; tests hold the two, and the screens, to one another.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from parvis.accounts.models import Role, User
from parvis.accounts.queries import has_second_factor
from parvis.accounts.rules import needs_second_factor, office_role
from parvis.cases.models.base import OFFICE
from parvis.orgs.rules import partner_roles


def in_role(user: uuid.UUID, organization: uuid.UUID) -> uuid.UUID:
    """The grantee "this account, as long as it works for this organization" (SQL: access_in_role)."""
    return uuid.UUID(hashlib.sha256(f"{user}{organization}".encode()).hexdigest()[:32])


@dataclass(frozen=True)
class Holder:
    """Whoever opened one thing by a secret link, without an account. `grant`: what it is granted by."""

    grant: uuid.UUID


def grantees(viewer: Any) -> list[uuid.UUID]:
    """Everything a file can be granted to that this viewer stands for; empty for strangers and suspended accounts."""
    if isinstance(viewer, Holder):
        return [viewer.grant]
    if not isinstance(viewer, User) or not viewer.is_active:
        return []
    if needs_second_factor(viewer, production=settings.PRODUCTION) and not has_second_factor(viewer):
        return []
    if getattr(viewer, "by_token", None):  # a program is no person: it has no file of its own, no account's grants
        return [one for key in partner_roles(viewer) for one in (key, in_role(viewer.pk, key))]
    found = [viewer.pk]
    if viewer.office_role:
        found.append(in_role(viewer.pk, OFFICE))
    if viewer.office_role == Role.AGENT:
        found.append(OFFICE)
    for organization in partner_roles(viewer):
        found += [organization, in_role(viewer.pk, organization)]
    return found


def holders(viewer: Any) -> list[uuid.UUID]:
    """Organizations for which the viewer keeps files: the office for its agents, their own for partners."""
    found = [OFFICE] if office_role(viewer) == Role.AGENT else []
    return found + list(partner_roles(viewer))


def may_see_files(viewer: Any) -> bool:
    """Is there a list of people for this viewer at all?"""
    return bool(holders(viewer))


def may_open_file(viewer: Any, holder: uuid.UUID) -> bool:
    return holder in holders(viewer)


def may_break_glass(viewer: Any) -> bool:
    return office_role(viewer) == Role.AGENT


def may_review_access(viewer: Any) -> bool:
    """The privacy officer: emergency accesses, incidents, requests, communications."""
    return office_role(viewer) == Role.PRIVACY


def may_keep_agreements(viewer: Any) -> bool:
    return office_role(viewer) in (Role.ADMINISTRATOR, Role.PRIVACY)


def may_report_incident(viewer: Any) -> bool:
    """Everybody at the office: what happened must be told by who saw it."""
    return office_role(viewer) != ""


def may_see_registers(viewer: Any) -> bool:
    """The page of people's rights: who keeps files, and everybody at the office."""
    return may_see_files(viewer) or may_report_incident(viewer)
