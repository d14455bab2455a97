"""Who keeps the network: coordinators and administrators, as they keep the directory."""

from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role
from parvis.orgs import rules as orgs


def keeps_network(actor: Any) -> bool:
    """Ask organizations, decide what sources say otherwise, join what is listed twice."""
    return orgs.may_publish(actor, None)


def may_see_gaps(viewer: Any) -> bool:
    """What the city lacks, and nobody in it: who keeps the network day by day, and who answers for it."""
    return office_role(viewer) in (Role.COORDINATOR, Role.DIRECTOR)
