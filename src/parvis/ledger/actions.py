"""Adding to the ledger. Always inside the writer's transaction, as its last statement.

Two exceptions: a look (`seen`) belongs to nobody's write, and a refused attempt (`denied`) is kept although the
transaction it was refused in goes.
"""

import datetime as dt
import logging
import os
import subprocess
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from parvis.ledger import anchors, notices, queries
from parvis.ledger.chain import JSON_FORM, Entry, Json, chain_of, plain, seal
from parvis.ledger.models import SEEN, Anchor

log = logging.getLogger("parvis.ledger")

#: From how many events on they are sealed here, which is quicker than the database's own function.
MANY = 200
CHUNK = 2000


@dataclass
class _Subscribers:
    by_code: dict[str, list[Callable[[Entry], None]]] = field(default_factory=lambda: defaultdict(list))
    of_many: list[tuple[frozenset[str], Callable[[list[Entry]], None]]] = field(default_factory=list)


_subscribers = _Subscribers()


def subscribe(code: str, subscriber: Callable[[Entry], None]) -> None:
    """Call `subscriber(entry)` after every event `code`, in order, in the writer's transaction.

    This is how a higher app learns of what a lower one did; called from its `apps.py`.
    """
    _subscribers.by_code[code].append(subscriber)


def subscribe_to_many(codes: Iterable[str], subscriber: Callable[[list[Entry]], None]) -> None:
    """Call `subscriber(entries)` once for all events of these codes that one call wrote: thousands of files at once."""
    _subscribers.of_many.append((frozenset(codes), subscriber))


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
    """Write many events at once. Returns how many. Raises if there is no transaction to belong to.

    All that one transaction tells should come in one call: heads are locked until it ends, in an order that only
    one call can keep.
    """
    kept = [
        Entry(each.code, each.object_type, each.object_id, plain(each.before), plain(each.after), each.reason)
        for each in entries
    ]
    return _write(kept, by, [chain_of(entry.object_id) for entry in kept])


def _write(entries: list[Entry], by: Any, chains: list[int]) -> int:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a ledger event belongs to the transaction of its write")
    if not entries:
        return 0
    actor = by.pk if isinstance(by, models.Model) else None
    label = by if isinstance(by, str) else ""
    (_append if len(entries) < MANY else _store)(entries, chains, timezone.now(), actor, label)
    for entry in entries:
        for subscriber in _subscribers.by_code.get(entry.code, ()):
            subscriber(entry)
    for codes, together in _subscribers.of_many:
        wanted = [entry for entry in entries if entry.code in codes]
        if wanted:
            together(wanted)
    return len(entries)


def _append(entries: list[Entry], chains: list[int], at: dt.datetime, actor: uuid.UUID | None, label: str) -> None:
    """One call of the database's function: it locks the heads, seals, inserts and moves the heads on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_append(%s, %s, %s, %s::smallint[], %s, %s, %s::uuid[], %s::text[], %s::text[], %s)",
            [
                at,
                actor,
                label,
                chains,
                [entry.code for entry in entries],
                [entry.object_type for entry in entries],
                [entry.object_id for entry in entries],
                [_json(entry.before) for entry in entries],
                [_json(entry.after) for entry in entries],
                [entry.reason for entry in entries],
            ],
        )


def _json(values: Json) -> str | None:
    return None if values is None else orjson.dumps(values).decode()


def _store(entries: list[Entry], chains: list[int], at: dt.datetime, actor: uuid.UUID | None, label: str) -> None:
    """Thousands of events: sealed here, and inserted `CHUNK` at a time. (COPY would be a little quicker, and is refused
    on a table with row-level security.)"""
    by_chain: dict[int, list[Entry]] = defaultdict(list)
    for chain, entry in zip(chains, entries, strict=True):
        by_chain[chain].append(entry)
    with connection.cursor() as cursor:
        # Locked in chain order, so that two writers never wait for each other in a circle.
        cursor.execute(
            "SELECT chain, position, hash FROM ledger_head WHERE chain = ANY(%s) ORDER BY chain FOR UPDATE",
            [sorted(by_chain)],
        )
        heads = {chain: (position, bytes(digest)) for chain, position, digest in cursor.fetchall()}

        def sealed() -> Iterator[dict[str, Any]]:
            for chain, chained in sorted(by_chain.items()):
                position, digest = heads[chain]
                for entry in chained:
                    position += 1
                    previous, digest = digest, seal(digest, position, at, actor, label, entry)
                    yield {
                        "chain": chain, "position": position, "code": entry.code, "object_type": entry.object_type,
                        "object_id": entry.object_id, "before": entry.before, "after": entry.after,
                        "reason": entry.reason, "previous": previous.hex(), "hash": digest.hex(),
                    }  # fmt: skip
                heads[chain] = (position, digest)

        rows = sealed()
        while chunk := list(islice(rows, CHUNK)):
            cursor.execute(_INSERT, [at, actor, label, JSON_FORM, orjson.dumps(chunk).decode()])
        cursor.executemany(
            "UPDATE ledger_head SET position = %s, hash = %s WHERE chain = %s",
            [(heads[chain][0], heads[chain][1], chain) for chain in sorted(by_chain)],
        )


_INSERT = """
    INSERT INTO ledger_event (at, actor_id, actor_label, form, chain, position, code, object_type, object_id, before,
                              after, reason, previous_hash, hash)
    SELECT %s, %s, %s, %s, chain, position, code, object_type, object_id, nullif(before, 'null'), nullif(after, 'null'),
           reason, decode(previous, 'hex'), decode(hash, 'hex')
    FROM json_to_recordset(%s) AS row (chain smallint, position bigint, code text, object_type text, object_id uuid,
                                       before jsonb, after jsonb, reason text, previous text, hash text)
"""


# ---- looks


def seen(
    things: models.Model | uuid.UUID | Iterable[models.Model | uuid.UUID],
    *,
    by: Any,
    code: str = "",
    of: type[models.Model] | None = None,
    reason: str = "",
    fields: Iterable[str] = (),
) -> int:
    """Tell that `by` has looked at one thing or at each of a page of them; returns how many events were written.

    things: saved rows, or their ids together with their model (`of`). code: "cases.seen" and the like; left out, it
    is made of the model's app. fields: names of what was shown, never values. A viewer's look at an object is told
    once an hour, unless it shows a field that was not shown yet or gives another reason.
    Opens a transaction of its own when there is none. Raises ValueError for a look without a viewer.
    """
    found = [things] if isinstance(things, models.Model | uuid.UUID) else list(things)
    if by is None or by == "":
        raise ValueError("a look has a viewer")
    if not found:
        return 0
    model = of or type(found[0])
    if not issubclass(model, models.Model):
        raise ValueError("ids alone don't say what they are of: pass their model as `of`")
    code = code or f"{model._meta.app_label}{SEEN}"
    if not code.endswith(SEEN):
        raise ValueError(f"the code of a look ends with {SEEN}")
    ids = dict.fromkeys(thing.pk if isinstance(thing, models.Model) else thing for thing in found)
    shown = sorted(set(fields))
    now = timezone.now()
    with transaction.atomic():
        told = queries.looked_at(list(ids), by, code, reason, since=now.replace(minute=0, second=0, microsecond=0))
        after = {"fields": shown} if shown else None
        return record_many(
            [
                Entry(code, model._meta.label_lower, each, None, after, reason)
                for each in ids
                if each not in told or not told[each].issuperset(shown)
            ],
            by=by,
        )


# ---- anchors


def anchor(now: dt.datetime, *, always: bool = False, restored: str = "") -> int:
    """Sign the heads of the present city's chains and add them to its file of anchors, to the copy in the table and
    to where ANCHOR_TO says. Returns the anchor's number; 0 when nothing has happened since the last one.

    restored: the reason why the database was put back from a backup; anchors that were made after the backup are
    then set aside, by a word that only the holder of the key can sign.
    """
    city, file = connection.schema_name, anchors.file_of(connection.schema_name)
    with transaction.atomic():
        with connection.cursor() as cursor:  # one maker at a time, whoever asks
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{city}: ledger anchors"])
        in_table, in_file = queries.last_copy(), anchors.last(file)
        copy, line = _believed(city, in_table), _believed(city, in_file)
        if line.number == copy.number + 1:
            Anchor.objects.create(number=line.number, line=line.line.decode())  # its maker was killed
            copy = line
        elif line.line != copy.line:
            log.error("%s: the file of anchors and its copy in the database do not end alike", city)
        newest, heads = max(copy, line, key=lambda found: found.number), queries.heads()
        if not restored and queries.lacking(newest.heads):
            log.error("%s: the ledger lacks what anchor %s says it has: parvis ledger verify", city, newest.number)
        if not (always or restored) and list(newest.heads) == heads and _age(newest, now) < anchors.LONGEST:
            return 0
        # what is not believed (a lost key, a forged line) is followed all the same, so that it can be told apart later
        number = max(newest.number, anchors.number_of(in_table)) + 1
        before = newest.line or in_file
        fresh = anchors.sign(
            anchors.signing_key(), city=city, number=number, at=now, heads=heads,
            previous=anchors.digest(before) if before else anchors.NOTHING,
            restored={"since": copy.number, "reason": restored} if restored else None,
        )  # fmt: skip
        to = getattr(settings, "ANCHOR_TO", os.environ.get("ANCHOR_TO", ""))
        if to.startswith("mailto:"):
            notices.mail_anchor(to.removeprefix("mailto:"), city, number, fresh)
        Anchor.objects.create(number=number, line=fresh.decode())
        anchors.append(file, [fresh])
    if to and not to.startswith("mailto:"):
        try:
            anchors.carry(to, file, fresh)
        except (OSError, subprocess.SubprocessError):
            log.exception("%s: anchor %s did not leave for %s", city, number, to)
    return number


def _believed(city: str, line: bytes) -> anchors.Found:
    """A last line, if its signature holds; else none: what somebody else wrote must not stop us."""
    found = anchors.read_line(line, city, frozenset({anchors.public_key()})) if line else anchors.Found(0, b"")
    return found if found.heads else anchors.Found(0, b"")


def _age(found: anchors.Found, now: dt.datetime) -> dt.timedelta:
    return now - dt.datetime.fromisoformat(found.at)


__all__ = ["Entry", "anchor", "record", "record_many", "seen", "subscribe", "subscribe_to_many"]
