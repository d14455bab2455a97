"""Who may do what to the directory and to organizations: one table, and a predicate for each of its columns.

An actor is a User, an anonymous visitor, or a text naming the machine that acts ("import", "demo"). `docs/roles.md`
shows the same table to people; tests/orgs/test_roles.py holds both, and the screens, to it.
"""

import uuid
from typing import Any

from parvis.accounts.models import Role, User
from parvis.accounts.rules import is_machine, office_role
from parvis.accounts.rules import may_manage_users as may_manage_users
from parvis.orgs.models import ApiToken, Organization, PartnerRole

_AGENT = {"confirm", "see_corrections", "see_history"}
_DIRECTOR = {"see_corrections", "see_history", "see_reports"}
_COORDINATOR = {
    "add_organization", "edit_organization", "edit_service", "publish", "confirm", "translate", "see_corrections",
    "answer_correction", "see_history", "see_reports", "see_members", "invite_worker", "invite_manager", "import",
}  # fmt: skip
_WORKER = {"edit_service", "confirm", "translate", "see_corrections", "answer_correction", "see_history"}
_MANAGER = _WORKER | {
    "edit_organization", "publish", "see_members", "invite_worker", "see_tokens", "make_token",
}  # fmt: skip

#: office role -> what it may do to any organization and its services
OFFICE: dict[str, set[str]] = {
    Role.AGENT: _AGENT,
    Role.DIRECTOR: _DIRECTOR,
    Role.COORDINATOR: _COORDINATOR,
    Role.ADMINISTRATOR: _COORDINATOR | {"see_tokens"},
    Role.PRIVACY: {"see_history"},
}
#: partner role -> what it may do to the organizations where the person has it
PARTNER: dict[str, set[str]] = {PartnerRole.WORKER: _WORKER, PartnerRole.MANAGER: _MANAGER}

Org = Organization | uuid.UUID | None


def partner_roles(actor: Any) -> dict[uuid.UUID, str]:
    """Organization id -> role of every present membership; read once for each User object."""
    if not isinstance(actor, User) or not actor.is_active:
        return {}
    known: dict[uuid.UUID, str] | None = getattr(actor, "_partner_roles", None)
    if known is None:
        known = dict(actor.memberships.filter(until=None).values_list("organization_id", "role"))
        actor._partner_roles = known  # type: ignore[attr-defined]
    return known


def forget_roles(actor: User) -> None:
    """After a membership changed: read it again at the next question."""
    actor.__dict__.pop("_partner_roles", None)


def _may(actor: Any, action: str, organization: Org) -> bool:
    if is_machine(actor) or action in OFFICE.get(office_role(actor), ()):
        return True
    if organization is None:
        return False
    key = organization.pk if isinstance(organization, Organization) else organization
    return action in PARTNER.get(partner_roles(actor).get(key, ""), ())


def may_add_organization(actor: Any) -> bool:
    return _may(actor, "add_organization", None)


def may_edit_organization(actor: Any, organization: Org) -> bool:
    """Name, description, contacts, identifiers of the organization itself."""
    return _may(actor, "edit_organization", organization)


def may_edit_service(actor: Any, organization: Org) -> bool:
    """Services, locations, hours and contacts of an organization (None: of nobody in particular)."""
    return _may(actor, "edit_service", organization)


def may_publish(actor: Any, organization: Org) -> bool:
    """Make a new listing public, or take one out of the directory."""
    return _may(actor, "publish", organization)


def may_confirm(actor: Any, organization: Org) -> bool:
    """Say "this listing is right today", for instance after a telephone call."""
    return _may(actor, "confirm", organization)


def may_translate(actor: Any, organization: Org = None) -> bool:
    return _may(actor, "translate", organization)


def may_see_corrections(actor: Any, organization: Org = None) -> bool:
    return _may(actor, "see_corrections", organization)


def may_answer_correction(actor: Any, organization: Org = None) -> bool:
    return _may(actor, "answer_correction", organization)


def may_see_history(actor: Any, organization: Org = None) -> bool:
    return _may(actor, "see_history", organization)


def may_see_reports(actor: Any) -> bool:
    """Import reports and figures about the whole directory."""
    return _may(actor, "see_reports", None)


def may_import(actor: Any) -> bool:
    return _may(actor, "import", None)


def may_see_members(actor: Any, organization: Org) -> bool:
    """Who works for an organization; whoever may see them may also end their access."""
    return _may(actor, "see_members", organization)


def may_see_any_members(actor: Any) -> bool:
    """Is there an organization whose members the actor may see?"""
    return may_see_members(actor, None) or any(may_see_members(actor, pk) for pk in partner_roles(actor))


def may_invite(actor: Any, role: str, organization: Org = None) -> bool:
    """Invite somebody as `role`: an office role, or a partner role in `organization`."""
    if role in PARTNER:
        return organization is not None and _may(actor, f"invite_{role}", organization)
    return role in OFFICE and may_manage_users(actor)


def may_see_tokens(actor: Any, organization: Org) -> bool:
    """Which programs ask in the name of an organization's members; and end a program's key."""
    return _may(actor, "see_tokens", organization)


def may_make_token(actor: Any, organization: Org) -> bool:
    """A key for a program, for oneself: whoever holds it sees by it, and nobody may see by another's eyes."""
    return _may(actor, "make_token", organization)


def by_token(token: ApiToken) -> User:
    """The token's owner as the program may act: a member of this one organization, and nothing else. Not to be saved.

    `by_token` on the account is what `kit.acting` and the rules of people's files look at.
    """
    membership = token.membership
    user = membership.user
    user.office_role = ""
    user._partner_roles = {membership.organization_id: membership.role}  # type: ignore[attr-defined]
    user.by_token = token.pk  # type: ignore[attr-defined]
    return user


def is_partner(actor: Any) -> bool:
    return bool(partner_roles(actor))
