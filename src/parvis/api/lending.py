"""Connections that the API's readers share: the one that came back last goes out first.

The web server hands requests to its threads in turn, and Django gives each thread a connection of its own. So even
one reader at a time would keep as many of PostgreSQL's processes as there are threads, each with the directory's tables
and plans to get hold of anew. Lent out, there are as many as readers at the same moment, and what they hold is at hand.
They are the public role's (`kit.public`): the API reads what is published.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from parvis.kit.public import ALIAS

_idle: list[Any] = []  # Django's connections; append and pop are atomic


@contextmanager
def lent() -> Iterator[None]:
    """The thread reads on a lent connection until the block ends; on its own if that is in a transaction."""
    own = connections[DEFAULT_DB_ALIAS]
    if own.in_atomic_block:
        yield
        return
    held = _take()
    connections[DEFAULT_DB_ALIAS] = held
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = own
        _idle.append(held)


def _take() -> Any:
    try:
        held = _idle.pop()
    except IndexError:
        held = connections.create_connection(ALIAS if ALIAS in connections.settings else DEFAULT_DB_ALIAS)
        held.inc_thread_sharing()  # never by two threads at the same time
    if held.close_at is not None and time.monotonic() >= held.close_at:
        held.close()
    return held


def close() -> None:
    """Close what is not lent at this moment."""
    while _idle:
        _idle.pop().close()
