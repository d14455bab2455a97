"""Encryption of columns: AES-256-GCM, one data key a person, wrapped by a key-encryption key outside the database.

Sealed bytes are: version (1 byte), nonce (12), ciphertext with tag. What is sealed is bound to its table, column and
row: moved elsewhere, it does not open. The one door to `cryptography`'s ciphers for the cases.
"""

import hashlib
import hmac
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_NONCE = 12
FORM = b"\x01"


class Unreadable(Exception):
    """Sealed bytes that do not open: changed, moved, or their key is gone. Never answered with the raw value."""


class VersionRetired(Unreadable):
    """The version that a data key is wrapped with is not in this installation (any more)."""


class SealedField(models.BinaryField):
    """A column of sealed bytes. Read and written through `cases.vault` only."""


def new_key() -> bytes:
    """A data key: 256 random bits."""
    return AESGCM.generate_key(bit_length=256)


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Encrypt `plain`; it opens only with the same `bound` (associated data)."""
    nonce = os.urandom(_NONCE)
    return FORM + nonce + AESGCM(key).encrypt(nonce, plain, FORM + bound)


def open_(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Decrypt. Raises Unreadable."""
    if sealed[:1] != FORM:
        raise Unreadable("unknown form")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], FORM + bound)
    except (InvalidTag, ValueError) as error:
        raise Unreadable("changed, moved or sealed with another key") from error


def bound_to(table: str, column: str, row: uuid.UUID) -> bytes:
    """The associated data of one cell."""
    return f"{table}|{column}|{row}".encode()


def key_versions() -> list[int]:
    """Versions of the key-encryption key that can open; the last one wraps what is new."""
    return sorted(settings.KEY_ENCRYPTION_KEYS)


def wrap(data_key: bytes, subject: uuid.UUID, version: int = 0) -> tuple[int, bytes]:
    """The newest version (or the one given), and the data key of `subject` wrapped with it."""
    version = version or key_versions()[-1]
    return version, seal(_wrapping(version), data_key, f"key|{subject}|{version}".encode())


def unwrap(version: int, wrapped: bytes, subject: uuid.UUID) -> bytes:
    """The data key of `subject`. Raises Unreadable, as VersionRetired when the version's key is not here."""
    if version not in settings.KEY_ENCRYPTION_KEYS:
        raise VersionRetired(f"the key-encryption key {version} is not here")
    return open_(_wrapping(version), bytes(wrapped), f"key|{subject}|{version}".encode())


def _wrapping(version: int) -> bytes:
    return hashlib.sha256(b"parvis key encryption\0" + settings.KEY_ENCRYPTION_KEYS[version].encode()).digest()


def blind(purpose: str, value: str) -> int:
    """A keyed 63-bit index of a value: equal values of one purpose are equal, and nothing else can be learned.

    `purpose` keeps indexes apart, e.g. "phone" or "name|<organization>".
    """
    key = hashlib.sha256(b"parvis blind index\0" + settings.BLIND_KEY.encode()).digest()
    digest = hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> 1


def browser_key(account: uuid.UUID, salt: bytes) -> bytes:
    """The key (32 bytes) with which one browser seals what one account keeps in it; it can be made again here, and
    nowhere else. `salt`: the browser's own random bytes."""
    key = hashlib.sha256(b"parvis browser key\0" + settings.BLIND_KEY.encode()).digest()
    return hmac.digest(key, account.bytes + salt, "sha256")
