"""The base row, and what a field that holds personal data must say about itself."""

import uuid
from typing import NamedTuple

from django.db import models


class Personal(NamedTuple):
    """Why a personal field is kept, for how long, of which class: declared beside the field, read by house tests.

    purpose: a code such as "sign-in"; retention: a code of `RETENTION`; data_class: a code of `core.access.DataClass`
    for people who are newcomers, "account" for people who sign in, "public" for what the directory publishes.
    """

    purpose: str
    retention: str
    data_class: str


class Retention(NamedTuple):
    """How long: `days` after `since` (what begins the count, in words); None days: as long as `since` holds."""

    days: int | None
    since: str


YEAR = 365
#: Retention classes by code. Each app's sweeps forget; `parvis purge --dry-run` counts what is over.
RETENTION = {
    "account": Retention(2 * YEAR, "the account is closed"),
    "session": Retention(0, "the session ends, ten hours at most after it began"),
    "invitation": Retention(2 * YEAR, "it was answered or ended"),
    "directory": Retention(None, "while the organization publishes it"),
    "correction": Retention(YEAR, "the answer"),
    "message": Retention(30, "it was sent"),
    "case": Retention(5 * YEAR, "the file is closed"),
    "proof": Retention(5 * YEAR, "it ended"),
    "incident": Retention(5 * YEAR, "it was found, once it is closed"),
    "link": Retention(0, "it was used, seven days at most after it was made"),
    "ledger": Retention(None, "as long as the object it is about"),
}


class Row(models.Model):
    """Every table's beginning: a random identifier that says nothing about when or how many.

    A model declares `personal` (field name -> Personal) and, for all that is not personal, `not_personal`: one
    sentence saying why. The house test `test_personal` refuses a model with neither.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


class OutboxMail(Row):
    """A message that waits to leave, written in the transaction of what it tells; the worker relays it."""

    personal = {
        "recipients": Personal("to deliver the message", "message", "account"),
        "message": Personal("to deliver the message", "message", "account"),
    }
    not_personal = "state of the delivery"

    recipients = models.JSONField()
    sender = models.CharField(max_length=254)
    message = models.BinaryField()  # RFC 5322 bytes, with a Message-ID that stays the same at every attempt
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
