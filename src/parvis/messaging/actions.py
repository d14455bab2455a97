"""Writing to newcomers. A message is a row in the transaction of what it tells; the worker carries it out."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts.models import User
from parvis.accounts.rules import is_machine, require
from parvis.cases import queries
from parvis.cases.models import ContactPoint, Person
from parvis.cases.vault import Vault
from parvis.kit import outbox
from parvis.kit.models import Delivery
from parvis.kit.sealing import Unreadable
from parvis.ledger.actions import Entry, record, record_many
from parvis.messaging import notices, rules
from parvis.messaging.hours import leaves_at
from parvis.messaging.models import Channel, Manners, Message, OptOut
from parvis.messaging.rules import Reason, Way
from parvis.messaging.templates import Template, Wording, template

#: of one key one message is in one of these
LIVING = (Delivery.WAITING, Delivery.SENDING, Delivery.SENT, Delivery.UNKNOWN)
#: from here a message can be sent again
OVER = (Delivery.FAILED, Delivery.REFUSED, Delivery.CANCELLED, Delivery.UNKNOWN)


# -- sending -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A message as it would leave: which way (or why not), in which language, with which words, when."""

    way: Way
    language: str
    wording: Wording
    leaves_at: dt.datetime

    @property
    def why_not(self) -> str:
        return str(Reason(self.way.reason).label) if self.way.reason else ""


@transaction.atomic
def send(
    person: Person,
    code: str,
    *,
    by: Any,
    context: Mapping[str, Any] | None = None,
    channel: str | None = None,
    urgent: bool = False,
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    key: str = "",
    at_chosen_time: bool = False,
) -> Message:
    """Write a message to `person` in their language; it leaves once this transaction is kept.

    code: of `messaging.templates.register`; context: values of its placeholders (a date or a time is written as the
    message's language does). by: a User who may write in the person's file, or a machine's name (then somebody must be
    `acting` who may). channel: "email", "sms", or None: as the person prefers, what works. urgent: also in quiet hours.
    not_before: for reminders; not_after: after it the message is cancelled (the time of an appointment). key: the
    sender's own name of this message: of one key one message is living, and a second call returns it; one that was
    cancelled or never left is followed by another. at_chosen_time: somebody has read the safe times.

    Never raises because a person can't be written to: the row is then `refused`, with its `reason`. Raises Denied,
    KeyError for an unknown template or a placeholder without a value.
    """
    _may_write(person, by)
    if key:
        there = Message.objects.filter(key=key, delivery__in=LIVING).first()
        if there is not None:
            return there
    found = template(code)
    message = Message(
        person=person, row_class=found.data_class.value, template=code, urgent=urgent or found.urgent, key=key,
        not_after=not_after, written_by=by if isinstance(by, User) else None, at_chosen_time=at_chosen_time,
    )  # fmt: skip
    made = _drafted(message, found, context or {}, channel, not_before)
    _address(message, made)
    _word(message, made)
    message.save(force_insert=True)
    record_many([_entry("refused" if made.way.reason else "written", message)], by=by)
    return message


def draft(
    person: Person, code: str, *, by: User, context: Mapping[str, Any], channel: str | None = None,
    urgent: bool = False, at_chosen_time: bool = False, not_before: dt.datetime | None = None,
) -> Draft:  # fmt: skip
    """What `send` would write, to be looked at before. Nothing is kept. Raises Denied, KeyError."""
    _may_write(person, by)
    found = template(code)
    message = Message(person=person, urgent=urgent or found.urgent, at_chosen_time=at_chosen_time)
    return _drafted(message, found, context, channel, not_before)


def _may_write(person: Person, by: Any) -> None:
    require(is_machine(by) or queries.may_write(by, person.pk), "messaging.message.written", person)


def _drafted(
    message: Message, found: Template, context: Mapping[str, Any], channel: str | None, not_before: dt.datetime | None
) -> Draft:
    person, now = message.person, timezone.now()
    way = _way(message, channel)
    default = getattr(connection.tenant, "default_language", "en")
    tag = found.language_for(person.language, default)
    first = not Message.objects.filter(person=person, channel=Channel.SMS, delivery__in=LIVING).exists()
    wording = notices.worded(found, tag, context)
    wording = notices.with_foot(wording, channel=way.channel, tag=tag, message=message.pk, first=first)
    when = leaves_at(
        max(now, not_before or now), rules.zone(), quiet=rules.quiet(), safe=way.safe, urgent=message.urgent
    )
    return Draft(way, tag, wording, when)


def _way(message: Message, channel: str | None) -> Way:
    contacts = ContactPoint.objects.filter(person_id=message.person_id)
    wants_none = rules.opted_out([message.person_id]).get(message.person_id, set())
    return rules.way(
        message.person, contacts, wants_none, channel=channel or None, at_chosen_time=message.at_chosen_time
    )


def _address(message: Message, made: Draft) -> None:
    message.delivery = Delivery.REFUSED if made.way.reason else Delivery.WAITING
    message.reason, message.contact, message.channel = made.way.reason, made.way.contact, made.way.channel
    message.next_attempt_at = made.leaves_at


def _word(message: Message, made: Draft) -> None:
    message.language = made.language
    try:
        Vault([message.person_id]).put(message, subject=made.wording.subject, text=made.wording.text)
    except Unreadable:  # forgotten: there is nobody to tell
        message.delivery, message.reason = Delivery.REFUSED, Reason.NOT_HERE


def _entry(what: str, message: Message, **more: Any) -> Entry:
    after = {"message": message.pk, "channel": message.channel, **more}
    if message.reason:
        after["reason"] = message.reason
    return Entry(f"messaging.message.{what}", "cases.person", message.person_id, None, after)


# -- what becomes of it ------------------------------------------------------------------------------------------------


@transaction.atomic
def cancel(message: Message, *, by: Any) -> bool:
    """Take a message back. Returns False when it has left already."""
    _may_write(message.person, by)
    held = _held(message, Delivery.WAITING)
    if held is None:
        return False
    _cancel(held)
    record_many([_entry("cancelled", held)], by=by)
    return True


@transaction.atomic
def cancel_key(key: str, *, by: Any) -> int:
    """Take back what waits under a sender's key, or under keys that begin with it and a ":". Returns how many."""
    found = Message.objects.select_for_update(of=("self",)).filter(delivery=Delivery.WAITING)
    waiting = list(found.filter(key=key) | found.filter(key__startswith=f"{key}:")) if key else []
    for message in waiting:
        _may_write(message.person, by)
        _cancel(message)
    record_many([_entry("cancelled", message) for message in waiting], by=by)
    return len(waiting)


def _cancel(message: Message) -> None:
    message.delivery = Delivery.CANCELLED
    message.save(update_fields=["delivery"])


def _held(message: Message, *deliveries: str) -> Message | None:
    found = Message.objects.select_for_update(of=("self",)).select_related("person")
    return found.filter(pk=message.pk, delivery__in=deliveries).first()


def may_be_sent_again(message: Message) -> bool:
    return message.delivery in OVER and message.text is not None


@transaction.atomic
def send_again(message: Message, *, by: User, at_chosen_time: bool = False) -> Message | None:
    """Send what did not leave, or what nobody knows of, by the way that there is now. It keeps its id: at a peer that
    remembers, the second of two is dropped. at_chosen_time: whoever asks has read the safe times, and means now.

    Returns the message, which may be refused again; None when it can't be sent again.
    """
    _may_write(message.person, by)
    held = _held(message, *OVER)
    if held is None or not may_be_sent_again(held):
        return None
    if held.key and Message.objects.filter(key=held.key, delivery__in=LIVING).exclude(pk=held.pk).exists():
        return None  # another one took its place
    was = held.delivery
    held.at_chosen_time = held.at_chosen_time or at_chosen_time
    way, now = _way(held, held.channel or None), timezone.now()
    when = leaves_at(now, rules.zone(), quiet=rules.quiet(), safe=way.safe, urgent=held.urgent)
    _address(held, Draft(way, held.language, Wording("", ""), when))
    if held.not_after and held.next_attempt_at > held.not_after:
        held.delivery, held.reason = Delivery.REFUSED, Reason.TOO_LATE
    held.attempts, held.handed_at, held.provider_id, held.last_error = 0, None, "", ""
    held.delivered_at = held.sent_at = None
    held.save()
    record_many([_entry("sent_again", held, was=was)], by=by)
    return held


@transaction.atomic
def note_arrived(message: Message, *, by: User) -> bool:
    """Somebody asked: what nobody knew of did arrive. Returns False when it is not in doubt."""
    _may_write(message.person, by)
    held = _held(message, Delivery.UNKNOWN)
    if held is None:
        return False
    held.delivery, held.sent_at = Delivery.SENT, held.handed_at or timezone.now()
    held.save(update_fields=["delivery", "sent_at"])
    record_many([_entry("arrived", held)], by=by)
    return True


# -- who wants none ----------------------------------------------------------------------------------------------------


@transaction.atomic
def opt_out(person: Person, channel: str, how: str, *, by: Any) -> bool:
    """The person wants no messages by this channel; what waits is not sent. Returns False when that was so already."""
    _may_write(person, by)
    if OptOut.objects.filter(person=person, channel=channel, until=None).exists():
        return False
    OptOut.objects.create(person=person, channel=channel, how=how, since=timezone.now())
    waiting = Message.objects.filter(person=person, channel=channel, delivery=Delivery.WAITING)
    waiting.update(delivery=Delivery.REFUSED, reason=Reason.OPTED_OUT)
    after = {"channel": channel, "how": how}
    record_many([Entry("messaging.opted_out", "cases.person", person.pk, None, after)], by=by)
    return True


@transaction.atomic
def opt_in(person: Person, channel: str, *, by: Any) -> bool:
    """They want messages again. Returns False when they never said otherwise."""
    _may_write(person, by)
    ended = OptOut.objects.filter(person=person, channel=channel, until=None).update(until=timezone.now())
    if ended:
        record_many([Entry("messaging.opted_in", "cases.person", person.pk, None, {"channel": channel})], by=by)
    return bool(ended)


# -- the office --------------------------------------------------------------------------------------------------------


@transaction.atomic
def set_manners(quiet_from: dt.time, quiet_until: dt.time, *, by: User) -> Manners:
    """Set the quiet hours; what waits already is held to them when its time comes."""
    require(rules.may_set_manners(by), "messaging.manners.set")
    found = rules.manners()
    before = {"quiet_from": found.quiet_from.isoformat(), "quiet_until": found.quiet_until.isoformat()}
    found.quiet_from, found.quiet_until = quiet_from, quiet_until
    found.save()
    after = {"quiet_from": quiet_from.isoformat(), "quiet_until": quiet_until.isoformat()}
    record("messaging.manners.set", found, by=by, before=before, after=after)
    return found


@transaction.atomic
def try_peer(name: str, *, by: User) -> None:
    """Try a server again at once that was left alone."""
    require(rules.is_office(by), "messaging.peer.tried")
    outbox.try_now(name)
