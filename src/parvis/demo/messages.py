"""A few messages of the demo's office: some left, some wait for their time, some need somebody's eye."""

import datetime as dt
from random import Random
from typing import Any

from django.db import connection
from django.utils import timezone

from parvis.cases import contact
from parvis.cases.models import ContactPoint, Person
from parvis.cases.models.base import OFFICE
from parvis.cases.vault import Vault
from parvis.kit.models import Delivery
from parvis.messaging import actions, wordings
from parvis.messaging.models import Channel, Message, OptOut

MANY = 14

_FOUND = """
    SELECT m.person_id FROM cases_household h
    JOIN cases_householdmember m ON m.household_id = h.id AND m.relation = 'head' AND m.until IS NULL
    JOIN cases_person p ON p.id = m.person_id AND NOT p.anonymous AND p.state = 'present'
    JOIN cases_personkey k ON k.person_id = p.id
    WHERE h.holder_id = %s AND h.state = 'open' AND NOT h.restricted ORDER BY h.opened_on DESC, h.id LIMIT %s
"""


def load_messages(now: dt.datetime | None = None, *, seed: int = 1) -> int:
    """Write the messages of the active city; returns how many. Nothing when there are some already.

    Inside the transaction in which the tables about people are unlocked (`demo.people`), or as who may see them.
    """
    if Message.objects.exists():
        return 0
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [OFFICE, MANY])
        heads = [row[0] for row in cursor.fetchall()]
    people = Person.objects.in_bulk(heads)
    draw = Random(f"{seed}/messages")  # noqa: S311 - a demo holds no secret
    for number, head in enumerate(heads):
        if number != 5:  # one has no number for text messages
            _number(people[head], number)
        if number == 6:
            actions.opt_out(people[head], Channel.SMS, OptOut.How.REPLY, by="demo")
        _written(people[head], number, now - dt.timedelta(minutes=draw.randrange(60, 6000)), now)
    return len(heads)


def _number(person: Person, number: int) -> None:
    text = f"+1514555{150 + number:04}" if connection.tenant.country == "CA" else f"+4122555{150 + number:04}"  # type: ignore[union-attr]
    row = ContactPoint(
        person=person, system=ContactPoint.System.SMS, value_index=contact.index("sms", text),
        safe_to_leave_message=number != 7,
    )  # fmt: skip
    Vault([person.pk]).put(row, value=text).save(force_insert=True)


def _written(person: Person, number: int, at: dt.datetime, now: dt.datetime) -> None:
    tomorrow = (now + dt.timedelta(days=1)).replace(hour=15, minute=30, second=0, microsecond=0)
    code, context = [
        (wordings.CALL, {}),
        ("messaging.come", {"when": tomorrow}),
        ("messaging.bring", {}),
    ][number % 3]  # fmt: skip
    later = {"not_before": tomorrow - dt.timedelta(hours=6)} if number >= 10 else {}
    message = actions.send(person, code, by="demo", context=context, **later)
    ended: dict[str, Any] = {"created_at": at}
    if message.delivery == Delivery.WAITING and not later:
        ended |= {"attempts": 1, "handed_at": at, "provider_id": f"demo-{message.pk}"}
        if number == 8:
            ended |= {"delivery": Delivery.FAILED, "reason": Message.Reason.PEER, "last_error": "undelivered 30003"}
        elif number == 9:
            ended |= {"delivery": Delivery.UNKNOWN, "last_error": "the connection broke", "provider_id": ""}
        else:
            ended |= {"delivery": Delivery.SENT, "sent_at": at, "delivered_at": at + dt.timedelta(seconds=4)}
    Message.objects.filter(pk=message.pk).update(**ended)
