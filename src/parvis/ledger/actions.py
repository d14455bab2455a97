"""Adding to the ledger. Always inside the writer's transaction, as its last statement."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, models, transaction
from django.utils import timezone

from parvis.ledger.chain import Entry, Json, chain_of, plain, seal


@dataclass
class _Subscribers:
    by_code: dict[str, list[Callable[[Entry], None]]] = field(default_factory=lambda: defaultdict(list))


_subscribers = _Subscribers()


def subscribe(code: str, subscriber: Callable[[Entry], None]) -> None:
    """Call `subscriber(entry)` after every event `code`, in order, in the writer's transaction.

    This is how a higher app learns of what a lower one did; called from its `apps.py`.
    """
    _subscribers.by_code[code].append(subscriber)


def record(
    code: str,
    obj: models.Model,
    *,
    by: Any = None,
    before: Json = None,
    after: Json = None,
    reason: str = "",
) -> None:
    """Write one event about `obj` (a saved row with a UUID key) in the present transaction.

    `by` is a User, or a short text naming the machine that acted ("import", "demo"), or None (the public).
    """
    record_many([Entry(code, obj._meta.label_lower, obj.pk, before, after, reason)], by=by)


def record_many(entries: Iterable[Entry], *, by: Any = None) -> int:
    """Write many events at once (COPY). Returns how many. Raises if there is no transaction to belong to."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a ledger event belongs to the transaction of its write")
    actor = by.pk if isinstance(by, models.Model) else None
    label = by if isinstance(by, str) else ""
    at = timezone.now()
    by_chain: dict[int, list[Entry]] = defaultdict(list)
    kept: list[Entry] = []
    for entry in entries:
        clean = Entry(
            entry.code,
            entry.object_type,
            entry.object_id,
            plain(entry.before),
            plain(entry.after),
            entry.reason,
        )
        by_chain[chain_of(entry.object_id)].append(clean)
        kept.append(clean)
    if not kept:
        return 0
    with connection.cursor() as cursor:
        # Locked in chain order, so that two writers never wait for each other in a circle.
        cursor.execute(
            "SELECT chain, position, hash FROM ledger_head WHERE chain = ANY(%s) ORDER BY chain FOR UPDATE",
            [sorted(by_chain)],
        )
        heads = {chain: (position, bytes(digest)) for chain, position, digest in cursor.fetchall()}

        def sealed() -> Iterator[Sequence[Any]]:
            for chain, chained in sorted(by_chain.items()):
                position, digest = heads[chain]
                for entry in chained:
                    position += 1
                    previous, digest = digest, seal(digest, position, at, actor, label, entry)
                    yield chain, position, at, actor, label, entry, previous, digest
                heads[chain] = (position, digest)

        _insert(cursor, sealed(), len(kept))
        cursor.executemany(
            "UPDATE ledger_head SET position = %s, hash = %s WHERE chain = %s",
            [(heads[chain][0], heads[chain][1], chain) for chain in sorted(by_chain)],
        )
    for entry in kept:
        for subscriber in _subscribers.by_code.get(entry.code, ()):
            subscriber(entry)
    return len(kept)


_COLUMNS = (
    "chain, position, at, actor_id, actor_label, code, object_type, object_id, before, after, reason,"
    " previous_hash, hash"
)


def _insert(cursor: Any, rows: Iterator[Sequence[Any]], number: int) -> None:
    def values(row: Sequence[Any]) -> tuple[Any, ...]:
        chain, position, at, actor, label, entry, previous, digest = row
        before, after = (None if part is None else orjson.dumps(part).decode() for part in (entry.before, entry.after))
        return (
            chain, position, at, actor, label, entry.code, entry.object_type, entry.object_id,
            before, after, entry.reason, previous, digest,
        )  # fmt: skip

    if number < 50:
        places = ", ".join(["%s"] * 13)
        cursor.executemany(f"INSERT INTO ledger_event ({_COLUMNS}) VALUES ({places})", [values(row) for row in rows])
        return
    with cursor.copy(f"COPY ledger_event ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(values(row))


__all__ = ["Entry", "record", "record_many", "subscribe"]
