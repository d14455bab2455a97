"""Who may do what with appointments: whoever keeps the file, and the worker whom it takes."""

from typing import Any

from parvis.accounts.models import Role
from parvis.accounts.rules import office_role
from parvis.cases.rules import may_see_files


def may_see_calendar(viewer: Any) -> bool:
    return may_see_files(viewer)


def may_set_office_hours(viewer: Any) -> bool:
    return office_role(viewer) in (Role.COORDINATOR, Role.ADMINISTRATOR)


def may_set_hours(viewer: Any) -> bool:
    """One's own, or the office's."""
    return may_see_calendar(viewer) or may_set_office_hours(viewer)
