"""Random keys that are given out once and kept only as a hash."""

import hashlib
import secrets


def new_key() -> str:
    """43 URL-safe characters of chance (256 bits)."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is kept of a random key. Plain SHA-256 suffices: nobody guesses 256 bits."""
    return hashlib.sha256(key.encode()).hexdigest()
