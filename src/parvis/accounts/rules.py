"""Who may do what to accounts. An actor is a User, or a text naming the machine that acts ("demo", "command line")."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models

from parvis.accounts.models import Role, User


class Denied(PermissionDenied):
    """Somebody tried what their role does not allow; the middleware records it once the transaction is gone."""

    def __init__(self, action: str, obj: models.Model | None = None) -> None:
        super().__init__(action)
        self.action = action
        self.obj = obj


def require(allowed: bool, action: str, obj: models.Model | None = None) -> None:
    """Raise Denied unless `allowed`; `action` is the ledger's code of what was tried."""
    if not allowed:
        raise Denied(action, obj)


def is_machine(actor: Any) -> bool:
    return isinstance(actor, str) and actor != ""


def office_role(actor: Any) -> str:
    """The actor's role in the office, or "" (partners, strangers, suspended accounts)."""
    if isinstance(actor, User) and actor.is_active:
        return actor.office_role
    return ""


def may_manage_users(actor: Any) -> bool:
    """Suspend, unlock, change office roles, invite people to the office."""
    return is_machine(actor) or office_role(actor) == Role.ADMINISTRATOR


def needs_second_factor(actor: Any, *, production: bool) -> bool:
    """Office staff hold the whole city's data: in production they sign in with two factors."""
    return production and office_role(actor) != ""
