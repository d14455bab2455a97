"""Reading the ledger: an object's history, and whether the whole is unbroken."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from parvis.ledger.chain import Entry, seal
from parvis.ledger.models import Event


def history(viewer: Any, object_id: uuid.UUID, *, limit: int = 200) -> list[Event]:
    """The events about one object, newest first. The caller's rule decides whether `viewer` may read it."""
    return list(Event.objects.filter(object_id=object_id).select_related("actor").order_by("-id")[:limit])


@dataclass(frozen=True)
class Break:
    """One place where a chain does not hold."""

    chain: int
    position: int
    problem: str


def verify(progress: Callable[[int], None] | None = None) -> Iterator[Break | int]:
    """Walk every chain of the present city; yields each Break, and last the number of events read (int).

    Finds a changed row (its hash no longer fits), a removed one (a gap in positions), re-ordered ones (hash of the
    one before differs) and a cut tail (the chain ends before its head).
    """
    read = 0
    ends: dict[int, tuple[int, bytes]] = {}
    with connection.cursor() as plain:
        plain.execute("SELECT chain, position, hash FROM ledger_head ORDER BY chain")
        heads = {chain: (position, bytes(digest)) for chain, position, digest in plain.fetchall()}
    rows = Event.objects.order_by("chain", "position").iterator(chunk_size=2000)
    for event in rows:
        position, digest = ends.get(event.chain, (0, b"\0" * 32))
        if event.position != position + 1:
            yield Break(event.chain, event.position, f"{event.position - position - 1} event(s) missing before it")
            digest = bytes(event.previous_hash)
        elif bytes(event.previous_hash) != digest:
            yield Break(event.chain, event.position, "does not follow the event before it")
            digest = bytes(event.previous_hash)
        entry = Entry(event.code, event.object_type, event.object_id, event.before, event.after, event.reason)
        expected = seal(digest, event.position, event.at, event.actor_id, event.actor_label, entry)
        if expected != bytes(event.hash):
            yield Break(event.chain, event.position, "was changed after it was written")
        ends[event.chain] = (event.position, bytes(event.hash))
        read += 1
        if progress and read % 1000 == 0:
            progress(read)
    for chain, (position, digest) in heads.items():
        end_position, end_digest = ends.get(chain, (0, b"\0" * 32))
        if (end_position, end_digest) != (position, digest):
            yield Break(chain, position, f"the chain ends at {end_position}, its head says {position}")
    yield read
