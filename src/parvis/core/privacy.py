"""Figures in which nobody can be found: cells that are too small are hidden, and so is what would give them away.

A cell counts things about people. A cell of 1 to `MINIMUM` - 1 is hidden. Where the sum of a group is published too
(the days of a week beside the week), a single hidden cell could be computed from the others: the next smallest are
hidden with it, until at least two are hidden and they hold at least `MINIMUM` together. The database does the same
before anything leaves it (`welcome/policies.py`); tests hold the two to one another.
"""

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")

#: from how many on a count is shown; less could be somebody
MINIMUM = 5


def small(count: int | None, minimum: int = MINIMUM) -> bool:
    """Is this a count that must not be shown? Nothing (0) is nobody."""
    return count is not None and 0 < count < minimum


def shown(count: int | None, minimum: int = MINIMUM) -> int | None:
    """The count, or None when it is hidden."""
    return None if small(count, minimum) else count


def hide(group: Mapping[Key, int | None], minimum: int = MINIMUM) -> dict[Key, int | None]:
    """The cells of a group whose sum is published as well; None: hidden.

    A group in which two or more are hidden already and none is small has been through this before.
    """
    before = {key for key, count in group.items() if count is None}
    tiny = {key for key, count in group.items() if small(count, minimum)}
    if not tiny and len(before) != 1:
        return dict(group)
    hidden = before | tiny
    held = len(before) + sum(group[key] or 0 for key in tiny)
    for key, count in sorted(group.items(), key=lambda item: item[1] or 0):
        if key not in hidden and count and (len(hidden) < 2 or held < minimum):
            hidden.add(key)
            held += count
    return {key: None if key in hidden else count for key, count in group.items()}


def share(part: int | None, rest: int | None, minimum: int = MINIMUM) -> int | None:
    """Whole percents of `part` in both together; None when either is hidden, or both together are too few.

    A share beside its total is a count: 100 % is shown when nobody is in the rest.
    """
    if part is None or rest is None or part + rest < minimum:
        return None
    return None if small(part, minimum) or small(rest, minimum) else round(100 * part / (part + rest))
