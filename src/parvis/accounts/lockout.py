"""Counting failures to sign in, per account and per network address, in the database: all processes count as one.

An attempt is counted before it is judged and given back when it succeeds: a thousand guesses at once are five guesses.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from parvis.accounts.models import Throttle, User
from parvis.ledger.actions import record

WINDOW = dt.timedelta(minutes=15)
#: the first wait; each further one of the same account doubles, up to LONGEST
WAIT = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(hours=4)


@dataclass(frozen=True)
class Key:
    """What is counted: `hash` names it in the table, `limit` failures in WINDOW lock it."""

    hash: str
    limit: int


def account_key(email: str) -> Key:
    """An account, whether it exists or not: the answers must not tell."""
    return Key(_hash("account", email.strip().lower()), 5)


def address_key(address: str) -> Key:
    """A network address; an IPv6 one counts as its /64, the smallest block a subscriber gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return Key(_hash("address", address), 30)
    if parsed.version == 6:
        parsed = ipaddress.ip_network(f"{parsed}/64", strict=False).network_address
    return Key(_hash("address", str(parsed)), 30)


def _hash(kind: str, value: str) -> str:
    return salted_hmac("parvis.lockout", f"{kind}:{value}", algorithm="sha256").hexdigest()


class TooMany(ValidationError):
    """Too many failures; the message says how long to wait."""

    def __init__(self, wait: dt.timedelta) -> None:
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        super().__init__(
            ngettext(
                "Too many attempts. Try again in %(minutes)d minute.",
                "Too many attempts. Try again in %(minutes)d minutes.",
                minutes,
            )
            % {"minutes": minutes},
            code="too_many",
        )
        self.wait = wait


@contextmanager
def attempt(email: str, address: str) -> Iterator[None]:
    """Judge a secret inside this block: a ValidationError from it is a failure, anything else a success.

    Raises TooMany, before the secret is looked at, when the account or the address must wait.
    """
    keys = [account_key(email), address_key(address)]
    _reserve(keys)
    try:
        yield
    except ValidationError:
        wait = _failed(keys, email)
        if wait:
            raise TooMany(wait) from None
        raise
    forgive(keys[0])
    Throttle.objects.filter(key_hash=keys[1].hash, failures__gt=0).update(failures=F("failures") - 1)


def _reserve(keys: list[Key]) -> None:
    now = timezone.now()
    wait = dt.timedelta(0)
    with transaction.atomic(), connection.cursor() as cursor:
        for key in sorted(keys, key=lambda k: k.hash):
            cursor.execute(
                """
                INSERT INTO accounts_throttle AS t (id, key_hash, failures, since, locks, locked_until)
                VALUES (gen_random_uuid(), %(key)s, 1, %(now)s, 0, NULL)
                ON CONFLICT (key_hash) DO UPDATE SET
                    failures = CASE WHEN t.locked_until > %(now)s THEN t.failures
                                    WHEN t.since < %(old)s OR t.locked_until <= %(now)s THEN 1
                                    ELSE t.failures + 1 END,
                    since = CASE WHEN t.locked_until > %(now)s THEN t.since
                                 WHEN t.since < %(old)s OR t.locked_until <= %(now)s THEN %(now)s
                                 ELSE t.since END,
                    locked_until = CASE WHEN t.locked_until > %(now)s THEN t.locked_until END
                RETURNING failures, locked_until
                """,
                {"key": key.hash, "now": now, "old": now - WINDOW},
            )
            failures, locked_until = cursor.fetchone()
            if locked_until:
                wait = max(wait, locked_until - now)
            elif failures > key.limit:
                # others are being judged at this moment, and use up what is left
                wait = max(wait, dt.timedelta(minutes=1))
        if wait:
            # inside the transaction: what is not judged is not counted, so one locked account never locks its address
            raise TooMany(wait)


@transaction.atomic
def _failed(keys: list[Key], email: str) -> dt.timedelta:
    """Lock what has reached its limit. Returns how long the person must wait (zero: try again)."""
    now = timezone.now()
    wait = dt.timedelta(0)
    for key in sorted(keys, key=lambda k: k.hash):
        row = Throttle.objects.select_for_update().filter(key_hash=key.hash).first()
        if row is None or row.failures < key.limit:
            continue
        if row.locked_until is None:
            row.locked_until = now + min(WAIT * 2 ** min(row.locks, 10), LONGEST)
            row.locks += 1
            row.save(update_fields=["locked_until", "locks"])
            holder = User.objects.filter(email__iexact=email).first() if key == keys[0] else None
            record("accounts.locked_out", holder or row, by="sign-in", after={"until": row.locked_until})
        wait = max(wait, row.locked_until - now)
    return wait


def forgive(key: Key) -> None:
    """Start counting anew."""
    Throttle.objects.filter(key_hash=key.hash).delete()


def locked_until(email: str, now: dt.datetime) -> dt.datetime | None:
    """Until when an account is locked, if it is."""
    row = Throttle.objects.filter(key_hash=account_key(email).hash, locked_until__gt=now).first()
    return row.locked_until if row else None


def forget(now: dt.datetime) -> int:
    """Delete counters that have been cold for a day. Returns how many."""
    deleted, _ = Throttle.objects.filter(since__lt=now - dt.timedelta(days=1), locked_until=None).delete()
    expired, _ = Throttle.objects.filter(locked_until__lt=now - dt.timedelta(days=1)).delete()
    return deleted + expired
