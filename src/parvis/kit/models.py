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


#: Retention classes: code -> what it means. One nightly sweep forgets.
RETENTION = {
    "account": "while the account is open, and two years after it is closed",
    "session": "until the session ends, ten hours at most",
    "invitation": "two years after it was answered or ended",
    "directory": "while the organization publishes it",
    "correction": "one year after the answer",
    "message": "thirty days after it was sent",
    "case": "while the file is open, and five years after it is closed",
    "proof": "five years after it ended",
    "ledger": "as long as the object it is about",
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
