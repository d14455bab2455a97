"""The wording of what the ledger sends out."""

from django.core.mail import EmailMessage
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import override


def mail_anchor(to: str, city: str, number: int, line: bytes) -> None:
    """Put one anchor into the outbox, in the city's own language; leaves with the present transaction."""
    with override(getattr(connection.tenant, "default_language", None)):
        subject = _("Anchor %(number)s of the ledger of %(city)s") % {"number": number, "city": city}
        body = _("Keep this message: the file with it proves what the ledger said when it was sent.")
    message = EmailMessage(subject, body, to=[to])
    message.attach(f"{city}-{number}.jsonl", line + b"\n", "application/octet-stream")
    message.send()
