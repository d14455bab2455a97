"""Who acts, and how the database is told: a signed context in every outermost transaction.

The web, commands, tasks and tests say `with acting(user):`; the database engine (`kit.postgres`) asks the city's
function `access_claims` what this person may claim at this moment, signs the answer and sets it for the transaction.
Row-level security looks at nothing else. No context: reading a table about people is an error, never all rows.
"""

import hashlib
import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

#: purpose of machines (sweeps, tasks, the demo): honoured for the worker role only
SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts in the present context. `user` is None for a machine. `purpose`: an ASCII word, told to the ledger."""

    user: uuid.UUID | None
    purpose: str
    #: the API token by which a program acts for `user`: the database then gives no more than the token's organization
    token: uuid.UUID | None = None
    #: the hash of a secret link's key: the database then gives what this link opens, and nothing else
    link: str = ""


_actor: ContextVar[Actor | None] = ContextVar("parvis_actor", default=None)


def present() -> Actor | None:
    """Who acts now; None: nobody has said so, and no person can be read."""
    return _actor.get()


@contextmanager
def acting(user: Any, *, purpose: str = "work") -> Iterator[None]:
    """Act as `user` (a User or its id) inside this block, in this thread; blocks nest."""
    account = user if isinstance(user, uuid.UUID) else user.pk
    with _as(Actor(account, purpose, getattr(user, "by_token", None))):
        yield


@contextmanager
def acting_by_link(key_hash: str) -> Iterator[None]:
    """Act as whoever holds a secret link: nobody has signed in, and one thing alone is open."""
    with _as(Actor(None, "link", link=key_hash)):
        yield


@contextmanager
def acting_as_system() -> Iterator[None]:
    """Act as the installation itself. Gives nothing to a connection that is not the worker's."""
    with _as(Actor(None, SYSTEM)):
        yield


@contextmanager
def acting_as_nobody() -> Iterator[None]:
    """Give up who acts, inside this block."""
    with _as(None):
        yield


@contextmanager
def _as(actor: Actor | None) -> Iterator[None]:
    token = _actor.set(actor)
    try:
        _renew()
        yield
    finally:
        _actor.reset(token)
        if not connection.needs_rollback:
            _renew()


def _renew() -> None:
    """A transaction that is open already learns of the change at once."""
    if connection.connection is not None and not connection.get_autocommit() and not connection.needs_rollback:
        declare(connection)


def declare(held: Any) -> None:
    """Set the context of the transaction that is open on `held` (a connection of our engine)."""
    actor = _actor.get()
    said = "" if held.schema_name == "public" or actor is None else _signed(held, actor)
    if said or getattr(held, "context_is_set", False):
        # a statement, not set_config(): Citus carries statements to its workers
        with held.cursor() as cursor:
            cursor.execute(f"SET LOCAL parvis.context = '{said}'")
    held.context_is_set = bool(said)


def _signed(held: Any, actor: Actor) -> str:
    with held.cursor() as cursor:
        if actor.link:
            cursor.execute("SELECT access_claims_of_link(%s)", [actor.link])
        elif actor.token is None:
            cursor.execute("SELECT access_claims(%s)", [actor.user])
        else:
            cursor.execute("SELECT access_claims_of_token(%s, %s)", [actor.token, actor.user])
        claims = cursor.fetchone()[0]
    if claims is None:  # an unknown or suspended account: nobody
        return ""
    said = f"{claims}|{actor.purpose if actor.purpose.isascii() and actor.purpose.isidentifier() else 'work'}"
    return f"{said}#{hmac.new(key(held.schema_name), said.encode(), hashlib.sha256).hexdigest()}"


def key(schema_name: str) -> bytes:
    """The key that signs the contexts of one city (32 bytes). It exists here and where only the owner can read it."""
    return hmac.new(settings.CONTEXT_KEY.encode(), schema_name.encode(), hashlib.sha256).digest()
