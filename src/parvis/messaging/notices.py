"""The wording of a message, ready to leave: filled, with the line below it that tells how to want no more."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import connection
from django.urls import reverse
from django.utils import translation

from parvis.cities.queries import domains
from parvis.core import language
from parvis.messaging import rules, wordings
from parvis.messaging.models import Channel
from parvis.messaging.templates import Template, Wording, filled

_SALT = "parvis.messaging.stop"


def token(message: uuid.UUID) -> str:
    """What the link in a mail holds: of which message it is, signed. It says nothing of anybody."""
    return signing.dumps(message.hex, salt=_SALT)


def message_of(text: str) -> uuid.UUID | None:
    """The message whose link was followed; None for a link that is not ours."""
    try:
        return uuid.UUID(signing.loads(text, salt=_SALT))
    except (signing.BadSignature, ValueError):
        return None


def address(name: str, *arguments: Any, tag: str = "") -> str:
    """The address of a page of this city as somebody outside reads it (SITE_URL, else the city's first host name)."""
    with translation.override(language.best(tag, dict(settings.LANGUAGES), settings.LANGUAGE_CODE)):
        return base() + reverse(name, args=arguments)


def base() -> str:
    """Scheme and host of this city as somebody outside reaches it."""
    if settings.SITE_URL:
        return str(settings.SITE_URL).rstrip("/")
    host = next(iter(domains(connection.tenant)), "localhost")  # type: ignore[arg-type]
    return f"{'https' if settings.PRODUCTION else 'http'}://{host}"


def office_values() -> dict[str, str]:
    city: Any = connection.tenant
    return {"city": getattr(city, "name", ""), "phone": getattr(city, "office_phone", "")}


def worded(found: Template, tag: str, values: Mapping[str, Any]) -> Wording:
    """The template in one language, filled. Raises KeyError."""
    office = office_values()
    if office["phone"] and language.direction(tag) == "rtl":  # else its groups of digits change places
        office["phone"] = f"\u200e{office['phone']}\u200e"
    return filled(found, tag, {**office, **values}, rules.zone())


def with_foot(wording: Wording, *, channel: str, tag: str, message: uuid.UUID, first: bool) -> Wording:
    """What leaves: a mail always tells how to want no more; a text message, the first to somebody."""
    text = wording.text
    if channel == Channel.EMAIL:
        foot = _in(wordings.FOOT_MAIL, tag).format(link=address("messaging:stop", token(message), tag=tag))
        text = f"{text}\n\n--\n{foot}"
    elif channel == Channel.SMS and first:
        text = f"{text} {_in(wordings.FOOT_SMS, tag)}"
    return Wording(wording.subject, text)


def mail(message: uuid.UUID, *, to: str, subject: str, text: str, tag: str) -> EmailMessage:
    """The mail of a message. Its Message-ID is the message's id: a server that knows it keeps one of two."""
    sender = settings.DEFAULT_FROM_EMAIL
    host = sender.rpartition("@")[2].strip("> ") or "localhost"
    headers = {
        "Message-ID": f"<{message}@{host}>",
        "Content-Language": tag,
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{address('messaging:stop', token(message), tag=tag)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return EmailMessage(subject, text + "\n", sender, [to], headers=headers)


def nobody_reads(tags: list[str]) -> str:
    """What a reply to a text message is answered with, in some languages; "" without a telephone to call."""
    phone = office_values()["phone"]
    said = dict.fromkeys(_in(wordings.NOBODY_READS, tag) for tag in tags)
    return " / ".join(text.format(phone=phone) for text in said) if phone else ""


def _in(texts: Mapping[str, str], tag: str) -> str:
    return texts[language.best(tag, texts, "en") or "en"]
