"""The outbox: what leaves is written with the write it belongs to, and the worker carries it out.

    waiting ──claimed, and kept──> sending ──taken──> sent
       ^                            │  │  └─refused──> refused, or failed after days
       └──not taken: later──────────┘  └─nobody knows──(asked)──> sent, waiting again, or unknown

The claim is committed before anything is said to a peer. A worker that dies in between leaves a row that is "sending";
once its lease is over the peer is asked what became of it. A peer that can't be asked (SMTP has no such question)
leaves it unknown, for somebody to decide; Django's own mail is then sent again, with the same Message-ID.

A peer that fails is left alone for a while (its circuit is open), and each peer has a thread of its own in the worker:
one that hangs stops nothing else.
"""

import datetime as dt
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from parvis.kit.models import Delivery, OutboxMail, OutboxPeer, Outgoing

PAUSES = [dt.timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200)]
#: the last pause comes back until then: about three days
MOST_ATTEMPTS = len(PAUSES) + 4
#: how long a claim is its worker's: longer than any hand-over can take
LEASE = dt.timedelta(minutes=5)
#: after so much of its lease a worker begins no hand-over any more (seconds)
LATEST = 90
#: when a peer is asked what became of something: not at once, it may still be at it
DOUBT = dt.timedelta(seconds=30)
#: for how long a peer is asked before somebody has to decide
MOST_DOUBT = dt.timedelta(days=1)
#: failures one after the other that open a peer's circuit, and for how long
FAILURES = 3
OPEN = [dt.timedelta(seconds=s) for s in (30, 60, 120, 300, 600)]
#: how long one pass over a peer's queues may go on (seconds)
PASS = 60
#: seconds without an answer; the second: once a mail was handed over, where impatience costs certainty
TIMEOUT, TIMEOUT_HANDED = 10, 60


class NotTaken(Exception):
    """The peer did not take it: later. `peer`: it is the peer that fails, not this message."""

    def __init__(self, words: str, *, peer: bool = True, after: dt.timedelta | None = None) -> None:
        super().__init__(words)
        self.peer, self.after = peer, after


class Refused(Exception):
    """The peer will never take this one. `code`: what the peer calls it."""

    def __init__(self, words: str, *, code: str = "") -> None:
        super().__init__(words)
        self.code = code


class InDoubt(Exception):
    """It may have been taken, or not."""


#: called by a hand-over right before the peer may take the message
Handing = Callable[[], None]


@dataclass(frozen=True)
class Queue:
    """Rows of a table that leave through a peer.

    prepare(row, now): in the claim's transaction; what `hand_over` needs, or None when it does not leave now (the row
    then says why: it was changed and is saved). hand_over(payload, handing) -> what the peer calls it; raises NotTaken,
    Refused, InDoubt. question(row): what `ask` needs; ask(question) -> what the peer calls it, None when it does not
    have it; raises NotTaken when it does not answer, InDoubt when its answer decides nothing. settled(row): in the
    transaction in which a row ends, or waits again. again: what can't be asked about is sent again.
    """

    peer: str
    model: type[Outgoing]
    prepare: Callable[[Any, dt.datetime], Any]
    hand_over: Callable[[Any, Handing], str]
    where: Q = field(default_factory=Q)
    question: Callable[[Any], Any] | None = None
    ask: Callable[[Any], str | None] | None = None
    settled: Callable[[Any], None] = lambda row: None
    again: bool = False
    #: may it be read now? Rows about people: only while somebody acts
    open: Callable[[], bool] = lambda: True

    @property
    def rows(self) -> Any:
        return self.model._default_manager.filter(self.where)


_queues: dict[str, list[Queue]] = {}


def add(queue: Queue) -> None:
    """Let the worker carry out a queue; called from an app's `apps.py`. Queues of one peer take turns."""
    _queues.setdefault(queue.peer, []).append(queue)


# -- the worker's side -------------------------------------------------------------------------------------------------


def relay(now: dt.datetime, *, peer: str = "", most: int = 200) -> int:
    """Send what waits in the present city, through one peer or all. Returns how many were taken.

    Safe to run twice at once.
    """
    return sum(_pass(each, now, most) for each in _queues if peer in ("", each))


def relayer(peer: str) -> Callable[[dt.datetime], int]:
    """The sweep of one peer."""
    return lambda now: relay(now, peer=peer)


def _pass(peer: str, now: dt.datetime, most: int) -> int:
    started, sent = time.monotonic(), 0
    queues = [queue for queue in _queues[peer] if queue.open()]
    for queue in queues:
        while is_open_for_us(peer, now) and (found := _resolve(queue, now)) is not None:
            sent += found
    waiting = list(queues)
    while waiting and sent < most and time.monotonic() - started < PASS:
        for queue in list(waiting):
            if not is_open_for_us(peer, now):
                return sent
            taken = _carry(queue, now)
            if taken is None:
                waiting.remove(queue)
            else:
                sent += taken
    return sent


def _carry(queue: Queue, now: dt.datetime) -> int | None:
    """Carry one row out: 1 when the peer took it, 0 when not, None when nothing waits."""
    began = time.monotonic()
    with transaction.atomic():
        row = _next(queue.rows.filter(delivery=Delivery.WAITING, next_attempt_at__lte=now))
        if row is None:
            return None
        payload = queue.prepare(row, now)
        if payload is None:
            row.save()
            if row.delivery != Delivery.WAITING:
                queue.settled(row)
            return 0
        row.delivery, row.handed_at = Delivery.SENDING, None
        row.attempts += 1
        row.next_attempt_at = now + LEASE
        row.save()

    def handing() -> None:
        """Its claim must still be ours, for long enough; and from here on it may be with the peer."""
        ours = queue.rows.filter(pk=row.pk, delivery=Delivery.SENDING, attempts=row.attempts)
        if time.monotonic() - began > LATEST:
            raise NotTaken("it took too long until the hand-over")
        with transaction.atomic():
            if not ours.update(handed_at=timezone.now()):
                raise NotTaken("somebody else decided about it meanwhile", peer=False)

    outcome: str | NotTaken | Refused | InDoubt
    try:
        outcome = queue.hand_over(payload, handing)
    except (NotTaken, Refused, InDoubt) as error:
        outcome = error
    _note_peer(queue.peer, now, outcome)
    _settle(queue, row, lambda held: _outcome(held, now, outcome))
    return int(isinstance(outcome, str))


def _next(found: Any) -> Any:
    return found.select_for_update(skip_locked=True, of=("self",)).order_by("next_attempt_at").first()


def _settle(queue: Queue, row: Any, change: Callable[[Any], None]) -> None:
    """Note the outcome, unless somebody else did: a report of the peer, another worker after the lease."""
    with transaction.atomic():
        held = queue.model._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
        if held.delivery == Delivery.SENDING and held.attempts == row.attempts:
            change(held)
            held.save()
            queue.settled(held)


def _outcome(row: Any, now: dt.datetime, outcome: Any) -> None:
    if isinstance(outcome, NotTaken):
        _later(row, now, outcome)
    elif isinstance(outcome, Refused):
        row.delivery, row.last_error = Delivery.FAILED, _words(outcome)
    elif isinstance(outcome, InDoubt):  # it stays "sending"; `_resolve` asks soon
        row.last_error, row.next_attempt_at = _words(outcome), now + DOUBT
    else:
        _taken(row, outcome)


def _taken(row: Any, name: str) -> None:
    row.delivery, row.sent_at, row.provider_id, row.last_error = Delivery.SENT, timezone.now(), name[:80], ""


def _later(row: Any, now: dt.datetime, error: NotTaken) -> None:
    row.last_error = _words(error)
    if row.attempts >= MOST_ATTEMPTS:
        row.delivery = Delivery.FAILED
        return
    pause = PAUSES[min(row.attempts, len(PAUSES)) - 1]
    row.delivery, row.handed_at = Delivery.WAITING, None
    row.next_attempt_at = now + max(pause, error.after or pause)


def _words(error: Exception) -> str:
    return str(error)[:500]


# -- what became of it -------------------------------------------------------------------------------------------------


def _in_doubt(queue: Queue, now: dt.datetime) -> Any:
    return queue.rows.filter(delivery=Delivery.SENDING, next_attempt_at__lte=now)


def _resolve(queue: Queue, now: dt.datetime) -> int | None:
    """Find out about one row whose worker died, or whose peer did not say: 1 when it was sent after all, else 0; None
    when there is no such row."""
    with transaction.atomic():
        row = _next(_in_doubt(queue, now))
        if row is None:
            return None
        row.next_attempt_at = now + LEASE  # ours, while we ask
        row.save()
        question = queue.question(row) if queue.question and row.handed_at else None
    if row.handed_at is None:  # it never was at the peer's: nothing to ask
        _settle(queue, row, lambda held: _again(held, now))
        return 0
    if queue.ask is None:
        _settle(queue, row, lambda held: _again(held, now) if queue.again else _unknown(held))
        return 0
    answer: str | NotTaken | InDoubt | None
    try:
        answer = queue.ask(question)
    except (NotTaken, InDoubt) as error:
        answer = error
    if isinstance(answer, NotTaken):  # an answer says nothing of whether messages are taken
        _note_peer(queue.peer, now, answer)
    _settle(queue, row, lambda held: _told(held, now, answer))
    return int(isinstance(answer, str))


def _told(row: Any, now: dt.datetime, answer: Any) -> None:
    if answer is None:
        _again(row, now)
    elif isinstance(answer, str):
        _taken(row, answer)
    else:
        row.last_error, row.next_attempt_at = _words(answer), now + PAUSES[1]
        if isinstance(answer, InDoubt) or now - row.handed_at > MOST_DOUBT:
            _unknown(row)


def _again(row: Any, now: dt.datetime) -> None:
    """It did not leave: with the pause of its attempts, and not for ever."""
    _later(row, now, NotTaken(row.last_error or "whoever sent it stopped in between"))


def _unknown(row: Any) -> None:
    row.delivery = Delivery.UNKNOWN


# -- peers -------------------------------------------------------------------------------------------------------------


def is_open_for_us(peer: str, now: dt.datetime) -> bool:
    """May this peer be tried now?"""
    return not OutboxPeer.objects.filter(name=peer, open_until__gt=now).exists()


def failing() -> list[OutboxPeer]:
    """Peers that did not answer lately, for a warning."""
    return list(OutboxPeer.objects.filter(failures__gte=FAILURES).order_by("name"))


def try_now(peer: str) -> None:
    """Somebody mended it: the circuit is closed by hand."""
    OutboxPeer.objects.filter(name=peer).update(open_until=None)


def _note_peer(peer: str, now: dt.datetime, outcome: Any) -> None:
    if isinstance(outcome, InDoubt) or (isinstance(outcome, NotTaken) and outcome.peer):
        _failed(peer, now, outcome)
    else:
        _answered(peer, now)


def _answered(peer: str, now: dt.datetime) -> None:
    good = OutboxPeer.objects.filter(name=peer, failures=0, answered_at__gt=now - dt.timedelta(minutes=1))
    if not good.exists():
        fresh = {"failures": 0, "open_until": None, "failing_since": None, "answered_at": now}
        OutboxPeer.objects.update_or_create(name=peer, defaults=fresh)


def _failed(peer: str, now: dt.datetime, error: Exception) -> None:
    with transaction.atomic():
        OutboxPeer.objects.get_or_create(name=peer)
        found = OutboxPeer.objects.select_for_update().get(name=peer)
        found.failures += 1
        found.failing_since = found.failing_since or now
        found.last_error = _words(error)
        asked: dt.timedelta | None = getattr(error, "after", None)
        if asked or found.failures >= FAILURES:
            pause = OPEN[max(0, min(found.failures - FAILURES, len(OPEN) - 1))]
            found.open_until = now + (asked or pause)
        found.save()


# -- mail --------------------------------------------------------------------------------------------------------------

MAIL = "mail"


class Backend(BaseEmailBackend):
    """EMAIL_BACKEND that writes outbox rows in the present transaction."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = timezone.now()
        OutboxMail.objects.bulk_create(
            OutboxMail(
                recipients=message.recipients(),
                sender=message.from_email,
                message=message.message().as_bytes(linesep="\r\n"),
                next_attempt_at=now,
            )
            for message in email_messages
            if message.recipients()
        )
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """What an SMTP server is given. `name`: of the file, where there is no server."""

    sender: str
    recipients: list[str]
    message: bytes
    name: str


def prepare_mail(row: OutboxMail, now: dt.datetime) -> Mail:
    name = f"{row.created_at:%Y%m%d-%H%M%S}-{row.pk}.eml"
    return Mail(row.sender, list(row.recipients), bytes(row.message), name)


def hand_mail(mail: Mail, handing: Handing) -> str:
    """Hand one mail to the server of MAIL_URL, or to a file when there is none.

    Until the server was given the text it can't have taken it; after that only its answer tells.
    """
    if not settings.MAIL_URL:
        folder = Path(settings.HOME) / "mail"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / mail.name).write_bytes(mail.message)
        return ""
    try:
        server = _connected()
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(f"{type(error).__name__}: {error}") from error
    try:
        try:
            _envelope(server, mail)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error
        handing()
        if server.sock is not None:
            server.sock.settimeout(TIMEOUT_HANDED)
        try:
            code, said = server.data(mail.message)
        except smtplib.SMTPDataError as error:
            code, said = error.smtp_code, error.smtp_error  # type: ignore[assignment]
        except (OSError, smtplib.SMTPException) as error:
            raise InDoubt(f"{type(error).__name__}: {error}") from error
        _judge(code, said)
        return ""
    finally:
        server.close()  # without QUIT: whatever it said to that would change nothing


def _connected() -> Any:
    url = urlsplit(settings.MAIL_URL)
    kind: Any = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    server = kind(url.hostname, url.port or (465 if url.scheme == "smtps" else 25), timeout=TIMEOUT)
    try:
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp" and server.has_extn("starttls") and url.hostname not in ("127.0.0.1", "localhost"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _envelope(server: Any, mail: Mail) -> None:
    server.ehlo_or_helo_if_needed()
    code, said = server.mail(mail.sender)
    if code != 250:  # our own address: no message is to blame
        raise NotTaken(f"{code} {_said(said)}")
    answers = [server.rcpt(one) for one in mail.recipients]
    if not any(code in (250, 251) for code, _ in answers):
        _judge(*answers[0])


def _judge(code: int, said: bytes) -> None:
    """Raises NotTaken for what passes (4xx), Refused for what stays (5xx)."""
    if 200 <= code < 300:
        return
    if code == 421 or code < 400:
        raise NotTaken(f"{code} {_said(said)}")
    if code < 500:
        raise NotTaken(f"{code} {_said(said)}", peer=False)
    raise Refused(f"{code} {_said(said)}", code=str(code))


def _said(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def forget(now: dt.datetime, *, days: int = 30) -> int:
    """Delete what was sent long ago, or never will be. Returns how many rows."""
    before = now - dt.timedelta(days=days)
    over = Q(sent_at__lt=before) | Q(delivery=Delivery.FAILED, next_attempt_at__lt=before)
    deleted, _ = OutboxMail.objects.filter(over).delete()
    return deleted
