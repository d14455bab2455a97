"""Writing to newcomers. A message is a row in the transaction of what it tells; the worker carries it out."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from parvis.cases.models import Person
from parvis.messaging.models import Message


def send(
    person: Person,
    template: str,
    *,
    by: Any,
    context: Mapping[str, Any] | None = None,
    channel: str | None = None,
    urgent: bool = False,
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    key: str = "",
) -> Message:
    """Write a message to `person` in their language; it leaves once this transaction is kept.

    template: a code of `messaging.templates.register`; context: values of its placeholders (a date or a time is
    written as the message's language does). by: a User who may write in the person's file, or a machine's name (then
    somebody must be `acting` who may). channel: "email", "sms", or None: as the person prefers, what works.
    urgent: also in quiet hours. not_before: for reminders; not_after: after it the message is cancelled (the time of an
    appointment). key: the sender's own name of this message; of one key one message is living: a second call
    returns the first, unless that was cancelled or never left.

    Never raises because a person can't be written to: the row is then `refused`, with its `reason`. Raises Denied,
    KeyError for an unknown template or a placeholder without a value.
    """
    raise NotImplementedError


def cancel(message: Message, *, by: Any) -> bool:
    """Take a message back. Returns False when it has left already."""
    raise NotImplementedError


def cancel_key(key: str, *, by: Any) -> int:
    """Take back what waits under a sender's key, or under keys that begin with it and a ":". Returns how many."""
    raise NotImplementedError
