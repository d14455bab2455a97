"""How what was done with messages is told."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEEDS: dict[str, str | Promise] = {
    "messaging.message.written": _("A message was written"),
    "messaging.message.refused": _("A message was not sent"),
    "messaging.message.cancelled": _("A message was cancelled"),
    "messaging.message.left": _("A message was sent"),
    "messaging.message.failed": _("A message was not delivered"),
    "messaging.message.doubtful": _("Nobody knows whether a message left"),
    "messaging.message.sent_again": _("A message is sent again"),
    "messaging.message.arrived": _("A message did arrive"),
    "messaging.opted_out": _("Wants no more messages"),
    "messaging.opted_in": _("Wants messages again"),
    "messaging.manners.set": _("The quiet hours were set"),
}

#: what somebody reads of a server that does not answer
PEERS: dict[str, str | Promise] = {"mail": _("The mail server"), "sms": _("The gateway for text messages")}
