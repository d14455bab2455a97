"""What else a change will do, as sentences, shown before it is saved. Higher apps tell; cases know no plan by name.

A teller gets the change as a function; it does it in a savepoint, sees what follows, and takes it back.
"""

from collections.abc import Callable
from typing import Any

from parvis.cases.wording import Line

Change = Callable[[], Any]
_tellers: dict[str, Callable[[Change], list[Line]]] = {}


def register(code: str, teller: Callable[[Change], list[Line]]) -> None:
    """Called from a higher app's `apps.py`. Registering a code twice replaces the first."""
    _tellers[code] = teller


def of(change: Change) -> list[Line]:
    """What `change` (an action that is ready to be called) would do beyond what it says. Nothing of it stays.

    Exceptions of the change itself come through.
    """
    return [line for teller in _tellers.values() for line in teller(change)]
