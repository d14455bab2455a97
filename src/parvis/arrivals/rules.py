"""Who may bring lists of arriving people, look at the board, receive somebody, and turn on surge mode."""

import uuid
from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role
from parvis.cases import rules as cases


def may_receive(viewer: Any) -> bool:
    """Whoever keeps files of people: the board, the intake, lists."""
    return cases.may_see_files(viewer)


def may_keep(viewer: Any, holder: uuid.UUID) -> bool:
    """A list belongs to the organization that will hold the files."""
    return holder in cases.holders(viewer)


def may_switch_surge(viewer: Any) -> bool:
    return office_role(viewer) in (Role.COORDINATOR, Role.DIRECTOR)


def may_see_surge(viewer: Any) -> bool:
    """Everybody at the office may know how it works today."""
    return office_role(viewer) != ""
