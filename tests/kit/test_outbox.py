"""Mail leaves through a real SMTP server; one that refuses or is away costs time, never a message."""

import datetime as dt
import socket
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from parvis.kit import outbox
from parvis.kit.models import OutboxMail


class Peer:
    """A mail server on loopback that keeps what it is given, and refuses while told to."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.refuse = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return "451 try again later"
        self.received.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def peer(settings: Any) -> Iterator[Peer]:
    handler = Peer()
    with socket.socket() as probe:  # the controller calls itself on the port it was given: 0 would not do
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.MAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"  # pytest-django puts its own in this place
    yield handler
    controller.stop()


def send(subject: str = "Bonjour", body: str = "مرحبا, à bientôt") -> None:
    EmailMessage(subject, body, "office@example.org", ["amina@example.org"]).send()


def test_a_message_waits_and_leaves_once(city: Any, peer: Peer) -> None:
    send()
    assert not peer.received and OutboxMail.objects.filter(sent_at=None).count() == 1
    assert outbox.relay(timezone.now()) == 1
    assert outbox.relay(timezone.now()) == 0
    (message,) = peer.received
    assert message["Subject"] == "Bonjour" and "مرحبا" in message.get_payload(decode=True).decode()


def test_a_message_goes_with_its_write(city: Any, peer: Peer) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        send()
        raise ZeroDivisionError
    assert outbox.relay(timezone.now()) == 0 and not peer.received


def test_a_peer_that_refuses_is_tried_again_with_the_same_message_id(city: Any, peer: Peer) -> None:
    send()
    now, peer.refuse = timezone.now(), True
    assert outbox.relay(now) == 0
    mail = OutboxMail.objects.get()
    assert mail.attempts == 1 and "451" in mail.last_error
    assert mail.next_attempt_at == now + outbox.PAUSES[0]
    assert outbox.relay(now) == 0 and OutboxMail.objects.get().attempts == 1  # not before its time
    peer.refuse = False
    assert outbox.relay(now + dt.timedelta(minutes=1)) == 1
    identifier = message_from_bytes(bytes(mail.message))["Message-ID"]
    assert peer.received[0]["Message-ID"] == identifier


def test_a_peer_that_is_away_loses_nothing(city: Any, peer: Peer, settings: Any) -> None:
    here, settings.MAIL_URL = settings.MAIL_URL, "smtp://127.0.0.1:9"
    send()
    assert outbox.relay(timezone.now()) == 0
    assert OutboxMail.objects.get().last_error
    settings.MAIL_URL = here
    assert outbox.relay(timezone.now() + dt.timedelta(minutes=1)) == 1


def test_what_was_sent_is_forgotten_after_thirty_days(city: Any, peer: Peer) -> None:
    send()
    outbox.relay(timezone.now())
    assert outbox.forget(timezone.now() + dt.timedelta(days=29)) == 0
    assert outbox.forget(timezone.now() + dt.timedelta(days=31)) == 1
