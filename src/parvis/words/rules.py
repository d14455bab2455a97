"""What may be translated, and how a text is known."""

import hashlib


def digest(text: str) -> bytes:
    """The key of a text: SHA-256 of its UTF-8 bytes (32 bytes), the same that PostgreSQL's sha256() gives."""
    return hashlib.sha256(text.encode()).digest()


def worth_saying(text: str) -> bool:
    """Whether a text has words at all: "24", "—" or an empty field need no translation."""
    return any(sign.isalpha() for sign in text)
