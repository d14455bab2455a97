"""A message to a newcomer, whether they want any, and when the city keeps quiet."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import PersonRow
from parvis.core.access import DataClass
from parvis.kit.models import Delivery, Outgoing, Personal, Row
from parvis.kit.sealing import SealedField


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")


class Message(PersonRow, Outgoing):
    """One message to one person. Where it goes is read from the contact when it leaves, not before."""

    data_class = None
    personal = {
        "subject": Personal("to tell the person what concerns them", "correspondence", "contact"),
        "text": Personal("to tell the person what concerns them", "correspondence", "contact"),
        "channel": Personal("what the person was told, and when", "case", "contact"),
        "language": Personal("what the person was told, and when", "case", "contact"),
        "template": Personal("what the person was told, and when", "case", "contact"),
        "contact": Personal("to deliver the message", "case", "contact"),
        "reason": Personal("why a person was not told", "case", "contact"),
        "sent_at": Personal("what the person was told, and when", "case", "contact"),
        "delivered_at": Personal("what the person was told, and when", "case", "contact"),
    }
    not_personal = "state of the delivery, keys and class"

    class Reason(models.TextChoices):
        """Why a message is not sent."""

        NONE = "", "—"
        OPTED_OUT = "opted_out", _("The person wants no messages this way.")
        NO_CONTACT = "no_contact", _("There is no number or address for messages.")
        NOT_SAFE = "not_safe", _("It is not safe to leave a message there.")
        SAFE_TIMES = "safe_times", _("The safe times are in words: choose the moment yourself.")
        NOT_HERE = "not_here", _("The person is not followed here any more.")
        TOO_LATE = "too_late", _("Its time was over before it could leave.")
        GONE = "gone", _("The number or address has ended.")
        PEER = "peer", _("The other side does not take it.")
        LONG_TRIED = "long_tried", _("It was tried for days.")

    row_class = models.IntegerField(default=DataClass.CONTACT)
    channel = models.CharField(max_length=5, choices=Channel.choices, blank=True, default="")
    contact = models.ForeignKey(
        "cases.ContactPoint", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    language = models.CharField(max_length=20)
    template = models.CharField(max_length=60)
    subject = SealedField(null=True, blank=True)
    text = SealedField(null=True, blank=True)
    urgent = models.BooleanField(default=False)
    #: a worker saw the safe times and chose the moment
    at_chosen_time = models.BooleanField(default=False)
    #: when it means nothing any more: an appointment's time
    not_after = models.DateTimeField(null=True, blank=True)
    #: the sender's own key: one living message for each
    key = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True, default="")
    delivered_at = models.DateTimeField(null=True, blank=True)
    #: the account that wrote it; None: a machine
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(delivery__in=Delivery.values), name="messaging_delivery"),
            models.CheckConstraint(condition=Q(channel__in=["", *Channel.values]), name="messaging_channel"),
            models.UniqueConstraint(
                fields=["key"],
                condition=~Q(key="") & Q(delivery__in=["waiting", "sending", "sent", "unknown"]),
                name="messaging_one_a_key",
            ),
        ]
        indexes = [
            models.Index(fields=["delivery", "next_attempt_at"], name="messaging_due"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="messaging_provider"),
        ]


class OptOut(PersonRow):
    """A person wants no messages by a channel, from a moment until they change their mind."""

    data_class = DataClass.CONTACT
    personal = {
        "channel": Personal("to write to nobody who does not want it", "case", "contact"),
        "since": Personal("to write to nobody who does not want it", "case", "contact"),
        "until": Personal("history", "case", "contact"),
        "how": Personal("to answer who asks why nothing comes", "case", "contact"),
    }
    not_personal = "keys"

    class How(models.TextChoices):
        REPLY = "reply", _("answered STOP")
        LINK = "link", _("by the link in a mail")
        DESK = "desk", _("said so to us")

    channel = models.CharField(max_length=5, choices=Channel.choices)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    how = models.CharField(max_length=5, choices=How.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "channel"], condition=Q(until=None), name="messaging_one_opt_out"
            ),
        ]


class Manners(Row):
    """How the office of a city writes: one row. Between `quiet_from` and `quiet_until` only what is urgent leaves."""

    not_personal = "a rule of the office"

    quiet_from = models.TimeField(default=dt.time(20))
    quiet_until = models.TimeField(default=dt.time(8))
