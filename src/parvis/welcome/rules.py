"""Who sees the day's work, who sees its numbers, who decides about work without network."""

from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role


def may_see_today(viewer: Any) -> bool:
    """The office's agents: the day's work, with names."""
    return office_role(viewer) == Role.AGENT


def may_see_picture(viewer: Any) -> bool:
    """Numbers, and nobody in them."""
    return office_role(viewer) == Role.DIRECTOR


def may_switch_offline(viewer: Any) -> bool:
    return office_role(viewer) == Role.ADMINISTRATOR
