"""Connections that the API's readers share: the one that came back last goes out first.

The web server hands requests to its threads in turn, and Django gives each thread a connection of its own. So even
one reader at a time would keep as many of PostgreSQL's processes as there are threads, each with the directory's tables
and plans to get hold of anew. Lent out, there are as many as readers at the same moment, and what they hold is at hand.
They are the public role's (`kit.public`): the API reads what is published.
"""

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from parvis.kit.public import ALIAS

_idle: list[Any] = []  # Django's connections; append and pop are atomic


class lent:
    """The thread reads on a lent connection until the block ends; on its own if that is in a transaction.

    A class, since what contextlib makes of a generator costs every request twice as much.
    """

    __slots__ = ("held", "own")

    def __enter__(self) -> None:
        self.own = connections[DEFAULT_DB_ALIAS]
        self.held = None if self.own.in_atomic_block else _take()
        if self.held is not None:
            connections[DEFAULT_DB_ALIAS] = self.held

    def __exit__(self, *failure: object) -> None:
        if self.held is not None:
            connections[DEFAULT_DB_ALIAS] = self.own
            _idle.append(self.held)


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
