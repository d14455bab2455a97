"""How messages leave: the queues of `kit.outbox` for e-mail and text messages, and what the gateway reports later.

All of it is the worker's, as the installation itself; the web only passes reports on.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from parvis.cases.models import ContactPoint
from parvis.cases.models.people import PersonState
from parvis.cases.vault import Vault
from parvis.kit import outbox
from parvis.kit.acting import acting_as_system, present
from parvis.kit.models import RETENTION, Delivery
from parvis.kit.outbox import Handing, Mail, Queue
from parvis.kit.sealing import Unreadable
from parvis.ledger.actions import Entry, record_many
from parvis.messaging import actions, notices, rules
from parvis.messaging.gateway import Text, gateway
from parvis.messaging.hours import leaves_at, windows
from parvis.messaging.models import Channel, Message, OptOut
from parvis.messaging.rules import Reason

SMS = "sms"
#: the name of the machine in the ledger
_BY = "messages"


# -- what the rules say when it leaves ---------------------------------------------------------------------------------


def _held_back(row: Message, now: dt.datetime) -> bool:
    """Does it not leave now? Then the row says why: rules are asked again, days may have passed."""
    contact = row.contact
    reason = Reason.NONE
    if row.not_after and now > row.not_after:
        row.delivery, row.reason = Delivery.CANCELLED, Reason.TOO_LATE
        return True
    if row.person.state != PersonState.PRESENT:
        reason = Reason.NOT_HERE
    elif contact is None or rules.has_ended(contact):
        reason = Reason.GONE
    elif row.channel in rules.opted_out([row.person_id]).get(row.person_id, ()):
        reason = Reason.OPTED_OUT
    elif not (contact.safe_to_call and contact.safe_to_leave_message):
        reason = Reason.NOT_SAFE
    if reason:
        return _refused(row, reason)
    assert contact is not None
    safe = windows(contact.safe_times) if contact.safe_times.strip() and not row.at_chosen_time else []
    if safe is None:
        return _refused(row, Reason.SAFE_TIMES)
    when = leaves_at(now, rules.zone(), quiet=rules.quiet(), safe=safe, urgent=row.urgent)
    if when > now:
        row.next_attempt_at = when
        return True
    return False


def _refused(row: Message, reason: str) -> bool:
    row.delivery, row.reason = Delivery.REFUSED, reason
    return True


def _opened(row: Message) -> tuple[str, str, str] | None:
    """Where it goes, its subject and its text; None when the person is forgotten."""
    vault = Vault([row.person_id])
    try:
        assert row.contact is not None
        return vault.open(row.contact, "value"), vault.open(row, "subject"), vault.open(row, "text")
    except Unreadable:
        return None


def prepare_mail(row: Message, now: dt.datetime) -> Mail | None:
    if _held_back(row, now):
        return None
    opened = _opened(row)
    if opened is None:
        _refused(row, Reason.NOT_HERE)
        return None
    to, subject, text = opened
    made = notices.mail(row.pk, to=to, subject=subject, text=text, tag=row.language)
    return Mail(made.from_email, [to], made.message().as_bytes(linesep="\r\n"), f"{now:%Y%m%d-%H%M%S}-{row.pk}.eml")


def prepare_text(row: Message, now: dt.datetime) -> Text | None:
    if _held_back(row, now):
        return None
    text = question(row)
    if text is None:
        _refused(row, Reason.NOT_HERE)
    return text


def question(row: Message) -> Text | None:
    opened = _opened(row)
    if opened is None:
        return None
    to, _, text = opened
    reports = notices.address("messaging:report", row.pk)
    return Text(to, text, row.pk, reports, row.handed_at, lambda names: _known(names, row.pk))


def _known(names: list[str], but: uuid.UUID) -> set[str]:
    """Which of the gateway's names our books have for another message."""
    with transaction.atomic():
        return set(Message.objects.filter(provider_id__in=names).exclude(pk=but).values_list("provider_id", flat=True))


def send_text(text: Text, handing: Handing) -> str:
    return gateway().send(text, handing)


def find_text(text: Text | None) -> str | None:
    if text is None:
        raise outbox.InDoubt("the person is forgotten")
    return gateway().find(text)


def settled(row: Message) -> None:
    """Tell the ledger of an end, in its transaction. What waits again is no end."""
    ends = {
        Delivery.SENT: "left", Delivery.FAILED: "failed", Delivery.REFUSED: "refused", Delivery.CANCELLED: "cancelled",
        Delivery.UNKNOWN: "doubtful",
    }  # fmt: skip
    if row.delivery == Delivery.FAILED and not row.reason:
        row.reason = Reason.LONG_TRIED if row.attempts >= outbox.MOST_ATTEMPTS else Reason.PEER
        row.save(update_fields=["reason"])
    if row.delivery in ends:
        record_many([_entry(ends[Delivery(row.delivery)], row)], by=_BY)


def _entry(what: str, row: Message, **more: Any) -> Entry:
    after = {"message": row.pk, "channel": row.channel, **({"reason": row.reason} if row.reason else {}), **more}
    return Entry(f"messaging.message.{what}", "cases.person", row.person_id, None, after)


def _somebody_acts() -> bool:
    return present() is not None


def queues() -> list[Queue]:
    return [
        Queue(
            outbox.MAIL, Message, prepare_mail, outbox.hand_mail, where=Q(channel=Channel.EMAIL), settled=settled,
            open=_somebody_acts,
        ),
        Queue(
            SMS, Message, prepare_text, send_text, where=Q(channel=Channel.SMS), question=question, ask=find_text,
            settled=settled, open=_somebody_acts,
        ),
    ]  # fmt: skip


# -- what the gateway tells later (tasks of the worker) ----------------------------------------------------------------


def report(message: str, name: str, status: str, code: str = "") -> None:
    """The gateway says what became of a message: also of one whose worker died before it heard that it was taken."""
    with acting_as_system(), transaction.atomic():
        found = Message.objects.select_for_update(of=("self",)).filter(pk=message, channel=Channel.SMS).first()
        if found is None or (found.provider_id and found.provider_id != name) or not found.attempts:
            return
        now, lost = timezone.now(), status in ("failed", "undelivered")
        was = found.delivery
        if lost and found.delivery in (Delivery.SENT, Delivery.SENDING, Delivery.UNKNOWN):
            found.delivery, found.reason, found.last_error = Delivery.FAILED, Reason.PEER, f"{status} {code}".strip()
        elif not lost and found.delivery in (Delivery.SENDING, Delivery.WAITING, Delivery.UNKNOWN):
            found.delivery, found.sent_at, found.last_error = Delivery.SENT, found.sent_at or now, ""
        if status == "delivered" and not found.delivered_at:
            found.delivered_at = now
        found.provider_id = name[:80]
        found.save()
        if found.delivery != was:
            settled(found)


def reply(number: int, wants: str) -> None:
    """Somebody answered STOP or START: of everybody who has this number (its blind index). `wants`: "stop", "start"."""
    with acting_as_system():
        with transaction.atomic():
            phones = ContactPoint.objects.filter(value_index=number).exclude(system=ContactPoint.System.EMAIL)
            people = {each.person_id: each.person for each in phones.select_related("person")}
        for person in people.values():
            with transaction.atomic():
                if wants == "stop":
                    actions.opt_out(person, Channel.SMS, OptOut.How.REPLY, by=_BY)
                elif wants == "start":
                    actions.opt_in(person, Channel.SMS, by=_BY)


def unsubscribe(message: str) -> None:
    """Somebody followed the link in a mail."""
    with acting_as_system(), transaction.atomic():
        found = Message.objects.filter(pk=message).select_related("person").first()
        if found is not None:
            actions.opt_out(found.person, found.channel or Channel.EMAIL, OptOut.How.LINK, by=_BY)


# -- what is kept long enough ------------------------------------------------------------------------------------------


def texts_over(now: dt.datetime) -> QuerySet[Message]:
    """Messages that ended so long ago that their words are not kept."""
    days = RETENTION["correspondence"].days
    assert days is not None
    over = Q(created_at__lt=now - dt.timedelta(days=days), next_attempt_at__lt=now - dt.timedelta(days=days))
    ended = ~Q(delivery__in=[Delivery.WAITING, Delivery.SENDING])
    return Message.objects.filter(over, ended, text__isnull=False).order_by("pk")


def empty_texts(found: QuerySet[Message]) -> int:
    return found.order_by().update(subject=None, text=None)
