"""What a person has written and not published yet: signed, it travels in the page, and no step loses it."""

import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.core import signing

from parvis.directory.facts import Facts

_SALT = "parvis.directory.draft"
#: a draft older than this is no longer taken: a day's work
_MOST_AGE = 24 * 3600


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes that one person means to make to one object, which they read as `base` (`version` 0: it is new).

    The form itself carries one without changes: what a person saw is what their changes are measured against.
    """

    kind: str
    object_id: str
    version: int
    changes: Facts
    by: str
    base: Facts = field(default_factory=dict)
    part: str = ""  # "hours" when they come from the schedule editor
    reason: str = ""

    def with_changes(self, changes: Facts, *, reason: str = "") -> "Draft":
        return replace(self, changes=changes, reason=reason)

    def upon(self, version: int) -> "Draft":
        """The same wishes, by a person who has seen what is there now."""
        return replace(self, version=version)

    def seal(self) -> str:
        """The draft as a text that only this installation can have made."""
        return signing.dumps(asdict(self), salt=_SALT, compress=True)


def unseal(text: str, *, kind: str, object_id: uuid.UUID | None, by: Any) -> Draft:
    """The draft, if it was made here, by this person, for this object, today. Raises signing.BadSignature."""
    draft = Draft(**signing.loads(text, salt=_SALT, max_age=_MOST_AGE))
    if (draft.kind, draft.object_id, draft.by) != (kind, str(object_id or ""), str(by.pk)):
        raise signing.BadSignature("another object or another person")
    return draft
