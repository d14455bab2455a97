"""The outbox: Django's mail goes into a table with the write it belongs to, and the worker carries it out.

A message that can't be delivered is tried again with growing pauses; at most one duplicate per crash of the worker is
possible, always with the same Message-ID.
"""

import datetime as dt
import smtplib
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone

from parvis.kit.models import OutboxMail

PAUSES = [dt.timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200)]


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


def relay(now: dt.datetime, *, most: int = 50) -> int:
    """Send what waits in the present city. Returns how many messages left. Safe to run twice at once."""
    sent = 0
    for _ in range(most):
        with transaction.atomic():
            mail = (
                OutboxMail.objects.select_for_update(skip_locked=True)
                .filter(sent_at=None, next_attempt_at__lte=now, attempts__lt=len(PAUSES))
                .order_by("next_attempt_at")
                .first()
            )
            if mail is None:
                return sent
            mail.attempts += 1
            try:
                deliver(mail)
            except (OSError, smtplib.SMTPException) as error:
                mail.last_error = f"{type(error).__name__}: {error}"[:500]
                mail.next_attempt_at = now + PAUSES[mail.attempts - 1]
            else:
                mail.sent_at, mail.last_error = timezone.now(), ""
                sent += 1
            mail.save()
    return sent


def deliver(mail: OutboxMail) -> None:
    """Hand one message to the mail server of MAIL_URL, or to a file when there is none."""
    if not settings.MAIL_URL:
        folder = Path(settings.HOME) / "mail"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = mail.created_at.strftime("%Y%m%d-%H%M%S")
        (folder / f"{stamp}-{mail.pk}.eml").write_bytes(bytes(mail.message))
        return
    url = urlsplit(settings.MAIL_URL)
    kind: Any = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname, url.port or (465 if url.scheme == "smtps" else 25), timeout=20) as server:
        if url.scheme == "smtp" and server.has_extn("starttls") and url.hostname not in ("127.0.0.1", "localhost"):
            server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.sendmail(mail.sender, mail.recipients, bytes(mail.message))


def forget(now: dt.datetime, *, days: int = 30) -> int:
    """Delete what was sent long ago. Returns how many rows."""
    deleted, _ = OutboxMail.objects.filter(sent_at__lt=now - dt.timedelta(days=days)).delete()
    return deleted
