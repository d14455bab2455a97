"""What a browser kept without network comes in: each write once, whatever happens to the answer.

A write is claimed by its key first, in the transaction that does it: of two senders of one key the second waits here,
and then finds the first one's answer. What is refused or in conflict claims nothing: the person decides, and it is
sent again under the same key.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.kit.sealing import browser_key
from parvis.ledger.actions import record
from parvis.welcome import rules
from parvis.welcome.models import LONGEST, OfflineSwitch, Receipt

#: a receipt is kept so long; what is sent later is not taken
KEPT = dt.timedelta(days=30)


class Conflict(Exception):
    """Something changed while the browser was away: `words` tell it, `choices` are what the person may decide."""

    def __init__(self, words: str, choices: tuple[str, ...] = ("drop",)) -> None:
        super().__init__(words)
        self.words = words
        self.choices = choices


class Refused(Exception):
    """It can't be done as it was written: `words` say why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True)
class Write:
    """One write of a browser. `made_at`: when the person made it. `decision`: "" or "mine", after a conflict."""

    key: uuid.UUID
    kind: str
    data: Mapping[str, Any]
    made_at: dt.datetime
    decision: str = ""

    @property
    def day(self) -> dt.date:
        return timezone.localtime(self.made_at).date()


#: does one kind of write and returns what is told of it; raises Conflict or Refused
Doing = Callable[[Write, User], dict[str, Any]]
_kinds: dict[str, Doing] = {}


def kind(name: str) -> Callable[[Doing], Doing]:
    """Register how one kind of write is done."""

    def registered(doing: Doing) -> Doing:
        _kinds[name] = doing
        return doing

    return registered


def take(write: Write, *, by: User) -> dict[str, Any]:
    """Do a write once, in one transaction with its receipt. A replay returns the first answer, with "again".

    Raises Denied, Conflict, Refused.
    """
    require(rules.may_see_today(by), "welcome.offline.send")
    now = timezone.now()
    if write.kind not in _kinds or write.made_at > now + dt.timedelta(hours=1):
        raise Refused(_("This entry can't be read."))
    if write.made_at < now - KEPT:
        raise Refused(_("This entry is older than thirty days."))
    known = _answer(write, by)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            receipt = Receipt.objects.create(user=by, key=write.key, kind=write.kind, at=now)
            receipt.answer = _kinds[write.kind](write, by)
            receipt.save(update_fields=["answer"])
            return receipt.answer
    except IntegrityError:
        known = _answer(write, by)  # another tab was quicker
        if known is None:
            raise
        return known


def _answer(write: Write, by: User) -> dict[str, Any] | None:
    found = Receipt.objects.filter(user=by, key=write.key).first()
    return None if found is None else {**found.answer, "again": True}


def hours() -> int:
    """For how many hours a browser may keep the day's work; 0 when the office has not turned it on."""
    found = OfflineSwitch.objects.filter(on=True).first()
    return found.hours if found else 0


def present() -> OfflineSwitch:
    """The switch as it stands; off where nobody has touched it."""
    return OfflineSwitch.objects.first() or OfflineSwitch(hours=LONGEST)


@transaction.atomic
def switch(on: bool, hours_kept: int = LONGEST, *, by: User) -> None:
    """Turn work without network on or off, for the whole office. Raises Denied."""
    require(rules.may_switch_offline(by), "welcome.offline.switched")
    OfflineSwitch.objects.get_or_create(only=True)
    row = OfflineSwitch.objects.select_for_update().get()
    before = {"on": row.on, "hours": row.hours}
    row.on, row.hours = on, hours_kept
    if before == {"on": on, "hours": hours_kept}:
        return
    row.save()
    record("welcome.offline.switched", row, by=by, before=before, after={"on": on, "hours": hours_kept})


def key_for(user: User, salt: bytes) -> bytes:
    """The key of one account in one browser of one city. Raises Denied."""
    require(rules.may_see_today(user), "welcome.offline.key")
    return browser_key(user.pk, connection.schema_name.encode() + b"\0" + salt)


def forget(now: dt.datetime) -> int:
    """The sweep: receipts of writes that are no longer taken."""
    return Receipt.objects.filter(at__lt=now - KEPT - dt.timedelta(days=1)).delete()[0]
