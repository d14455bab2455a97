"""Who may do what with the protocol; what may be done with a household's plan follows its file (`cases.rules`)."""

from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role


def may_keep_protocol(viewer: Any) -> bool:
    """Who answers for the office's rules: they see no person, only how many plans change."""
    return office_role(viewer) in (Role.COORDINATOR, Role.ADMINISTRATOR)


def may_see_protocol(viewer: Any) -> bool:
    """The protocol holds no person: the whole office reads it."""
    return office_role(viewer) != Role.NONE
