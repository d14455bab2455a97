"""Searching an answer, a row, a log for canaries."""

import io
import re
import uuid
import zipfile
from collections.abc import Iterable
from typing import Any

from tests.proof.world import Canary, World

_WORD = re.compile(r"zqx[bcdfghjklmnpqrstvwxz]{6}")
_REFERENCE = re.compile(r"(?<![A-Za-z0-9])[ACDEFHJKLMNPRTUVWXY34679]{6}(?![A-Za-z0-9])")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def found(world: World, text: str, *, said: str = "") -> list[Canary]:
    """The canaries in a text, but for those that the question itself `said`."""
    low, asked = text.lower(), said.lower()
    words = {word for word in _WORD.findall(low) if word not in asked}
    words |= {word.lower() for word in _REFERENCE.findall(text) if word.lower() not in asked}
    canaries = [world.canaries[word] for word in words if word in world.canaries]
    ids = {uuid.UUID(each) for each in _ID.findall(low) if each not in asked}
    return canaries + [world.ids[pk] for pk in ids if pk in world.ids]


def words(world: World, text: str) -> list[Canary]:
    """The canaries in a text that are words, not keys: what a ledger, a log or a mail must never hold."""
    return [world.canaries[word] for word in set(_WORD.findall(text.lower())) if word in world.canaries]


def readable(response: Any) -> str:
    """All of an answer: head and body, archives and PDF opened."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    return head + "\n" + "\n".join(_opened(body))


def _opened(body: bytes) -> Iterable[str]:
    yield body.decode(errors="replace")
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield name
                yield from _opened(archive.read(name))
    elif body[:5] == b"%PDF-":
        import pikepdf

        with pikepdf.open(io.BytesIO(body)) as document:
            for thing in document.objects:
                if isinstance(thing, pikepdf.Stream):
                    yield thing.read_bytes().decode("latin-1", errors="replace")
