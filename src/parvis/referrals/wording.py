"""How referrals are told: buttons, tabs, clocks, and the lines of a file's history."""

import datetime as dt
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parvis.core.referral import Overdue
from parvis.referrals.models import Referral, State

SHOWS: dict[str, Promise] = {
    "waiting": pgettext_lazy("referrals", "Waiting for an answer"),
    "going": pgettext_lazy("referrals", "Under way"),
    "over": pgettext_lazy("referrals", "Over"),
}
#: what a button does
DEED: dict[str, Promise] = {
    State.SENT: _("Send"),
    State.SEEN: _("Answer their question"),
    State.ACCEPTED: _("Accept"),
    State.WAITLISTED: _("Put on the waiting list"),
    State.NEEDS_INFO: _("Ask something"),
    State.DECLINED: _("Decline"),
    State.REROUTED: _("Pass on to another service"),
    State.STARTED: _("It has begun"),
    State.SERVED: _("Help was given"),
    State.PARTLY_SERVED: _("Help was given in part"),
    State.NOT_SERVED: _("No help was given"),
    State.WITHDRAWN: _("Withdraw"),
    State.MISTAKE: _("It was entered by mistake"),
}
ICONS = {
    State.ACCEPTED: "check", State.SERVED: "check", State.STARTED: "forward", State.DECLINED: "close",
    State.WITHDRAWN: "undo", State.NEEDS_INFO: "info", State.SEEN: "speech", State.WAITLISTED: "clock",
    State.REROUTED: "share", State.MISTAKE: "close", State.NOT_SERVED: "close",
}  # fmt: skip
TONES = {
    State.ACCEPTED: "good", State.STARTED: "good", State.SERVED: "good", State.CONFIRMED: "good",
    State.DECLINED: "bad", State.EXPIRED: "bad", State.DISPUTED: "bad", State.NOT_SERVED: "bad",
    State.NEEDS_INFO: "warn", State.WAITLISTED: "warn",
}  # fmt: skip
OVERDUE: dict[Overdue, Promise] = {
    Overdue.SEEN: _("Not looked at in time"),
    Overdue.DECISION: _("No answer in time"),
    Overdue.CONTACT: _("The person was not called in time"),
    Overdue.OUTCOME: _("No outcome in time"),
}
_CLOCKS: tuple[tuple[str, Promise], ...] = (
    ("seen_due_at", _("To be looked at by")),
    ("decision_due_at", _("To be answered by")),
    ("contact_due_at", _("The person is to be called by")),
    ("outcome_due_at", _("What became of it is to be said by")),
    ("expires_at", _("Without an answer it expires on")),
)
DEEDS: dict[str, Any] = {
    "referrals.sent": _("Referral sent"),
    "referrals.accepted": _("Referral accepted"),
    "referrals.waitlisted": _("Referral: on the waiting list"),
    "referrals.needs_info": _("Referral: they ask something"),
    "referrals.seen": _("Referral: seen, or their question answered"),
    "referrals.declined": _("Referral declined"),
    "referrals.rerouted": _("Referral passed on"),
    "referrals.started": _("Referral: help has begun"),
    "referrals.served": _("Referral: help was given"),
    "referrals.partly_served": _("Referral: help was given in part"),
    "referrals.not_served": _("Referral: no help was given"),
    "referrals.confirmed_by_client": _("Referral: the person says that it helped"),
    "referrals.disputed_by_client": _("Referral: the person says otherwise"),
    "referrals.withdrawn": _("Referral withdrawn"),
    "referrals.expired": _("Referral: nobody answered"),
    "referrals.entered_in_error": _("Referral entered by mistake"),
    "referrals.unmet": _("Need for which no service was found"),
    "referrals.unmet_over": _("Unmet need: over"),
    "referrals.link.sent": _("Referral: a link was mailed to the organization"),
    "referrals.overdue": _("Referral: a clock has run out"),
}


def clocks(found: Referral) -> list[tuple[Promise, dt.datetime]]:
    """The clocks that run, the nearest first."""
    running = [(words, at) for column, words in _CLOCKS if (at := getattr(found, column)) is not None]
    return sorted(running, key=lambda pair: pair[1])
