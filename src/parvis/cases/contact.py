"""Telephone numbers and e-mail addresses as they are kept: in one form, so that equal ones are found equal."""

from typing import Any

import phonenumbers
from django.db import connection

from parvis.kit.sealing import blind


def plain(system: str, text: str) -> str:
    """A number in E.164, an address in lower case; anything else as it is."""
    text = text.strip()
    if system == "email":
        return text.lower()
    number = _number(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else text


def index(system: str, text: str) -> int:
    """The blind index under which a value is kept: telephone, text messages and messengers share theirs."""
    return blind("email" if system == "email" else "phone", plain(system, text))


def index_of(text: str) -> int | None:
    """The blind index of what somebody typed, if it is a number or an address; None when it is something else."""
    if "@" in text:
        return index("email", text)
    return index("phone", text) if _number(text) else None


def _number(text: str) -> Any:
    city: Any = getattr(connection, "tenant", None)
    try:
        number = phonenumbers.parse(text, getattr(city, "country", "") or "CA")
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
