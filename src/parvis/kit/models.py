"""The base row, and what a field that holds personal data must say about itself."""

import uuid
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _


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
    "correspondence": Retention(YEAR, "it was sent, or will not be"),
    "case": Retention(5 * YEAR, "the file is closed"),
    "proof": Retention(5 * YEAR, "it ended"),
    "incident": Retention(5 * YEAR, "it was found, once it is closed"),
    "link": Retention(0, "it was used, seven days at most after it was made"),
    "staging": Retention(30, "the list of arriving people was read, or its people were made"),
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


class Delivery(models.TextChoices):
    """How far something on its way to a peer has come; `kit.outbox` draws how one follows another."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("On its way")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Not delivered")
    REFUSED = "refused", _("Not sent")
    CANCELLED = "cancelled", _("Cancelled")
    UNKNOWN = "unknown", _("Nobody knows whether it left")


class Outgoing(models.Model):
    """What leaves through the outbox: written in the transaction of what it tells, carried out by the worker.

    Its id is the idempotency key towards the peer: the Message-ID of a mail, the mark of a text message.
    """

    delivery = models.CharField(max_length=9, choices=Delivery.choices, default=Delivery.WAITING)
    attempts = models.SmallIntegerField(default=0)
    #: when it is tried next; of what is on its way: when it is asked what became of it
    next_attempt_at = models.DateTimeField(db_index=True)
    #: since when it may be with the peer: a mail's text was being handed over
    handed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    #: what the peer calls it
    provider_id = models.CharField(max_length=80, blank=True, default="")
    last_error = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


class OutboxMail(Row, Outgoing):
    """A mail of Django's: to those who sign in and who wrote to the directory."""

    personal = {
        "recipients": Personal("to deliver the message", "message", "account"),
        "message": Personal("to deliver the message", "message", "account"),
    }
    not_personal = "state of the delivery"

    recipients = models.JSONField()
    sender = models.CharField(max_length=254)
    message = models.BinaryField()  # RFC 5322 bytes, with a Message-ID that stays the same at every attempt
    created_at = models.DateTimeField(auto_now_add=True)


class OutboxPeer(Row):
    """A server that messages leave through, and whether it answers: while the circuit is open nothing is tried."""

    not_personal = "state of a server"

    name = models.CharField(max_length=20, unique=True)
    failures = models.IntegerField(default=0)  # one after the other
    open_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True)
