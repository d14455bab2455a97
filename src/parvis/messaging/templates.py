"""What the office writes, in the languages it writes: every app registers its own from its `apps.py`."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

from parvis.core.access import DataClass


@dataclass(frozen=True)
class Wording:
    """One template in one language. `subject` is a mail's; both hold named placeholders: "{when}".

    A text is read on a locked telephone by whoever holds it: it names no status, no health, no other person.
    """

    subject: str
    text: str


def register(
    code: str,
    name: str | Promise,
    wordings: Mapping[str, Wording],
    *,
    data_class: DataClass = DataClass.CONTACT,
    urgent: bool = False,
) -> None:
    """Add a template: `code` such as "appointments.reminder", `name` for the office, wordings by language tag
    (en, fr, ar, es and ti at least). `{city}` and `{phone}` are the office's own and always there.

    Raises ValueError for a wording that says too much, lacks a language or a placeholder, or is too long.
    """
    raise NotImplementedError
