"""Who may do what with referrals: who keeps the file sends and follows, the recipient answers."""

import uuid
from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role
from parvis.cases.rules import may_see_files
from parvis.orgs.rules import partner_roles


def may_see_referrals(viewer: Any) -> bool:
    """Is there a list of referrals for this viewer at all?"""
    return may_see_files(viewer)


def answers_for(viewer: Any, organization: uuid.UUID) -> bool:
    """Is the viewer of the organization that was asked?"""
    return organization in partner_roles(viewer)


def may_say_places(viewer: Any, organization: uuid.UUID | None) -> bool:
    """How many a service can take: its own people, and the office when they tell it by telephone."""
    if organization is not None and answers_for(viewer, organization):
        return True
    return office_role(viewer) in (Role.AGENT, Role.COORDINATOR)
