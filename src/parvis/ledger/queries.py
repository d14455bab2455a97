"""Reading the ledger: an object's history, who looked at it, and whether the whole is unbroken."""

import datetime as dt
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, models, transaction

from parvis.ledger import anchors
from parvis.ledger.chain import TEXT_FORM, Entry, seal, seal_text
from parvis.ledger.models import CHAINS, SEEN, Anchor, Event

ZERO = b"\0" * 32


def history(viewer: Any, object_id: uuid.UUID, *, limit: int = 200) -> list[Event]:
    """The events about one object, newest first. The caller's rule decides whether `viewer` may read it."""
    return list(Event.objects.filter(object_id=object_id).select_related("actor").order_by("-id")[:limit])


# ---- looks


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at an object: who (a User, or None with the machine's name), when, why, at which fields."""

    who: Any
    label: str
    when: dt.datetime
    why: str
    code: str
    fields: tuple[str, ...]


def lookers(object_id: uuid.UUID, *, limit: int = 200) -> list[Look]:
    """Who has looked at an object, the latest first: what a person is shown of their own file."""
    found = Event.objects.filter(object_id=object_id, code__endswith=SEEN).select_related("actor").order_by("-at")
    return [
        Look(each.actor, each.actor_label, each.at, each.reason, each.code, tuple((each.after or {}).get("fields", ())))
        for each in found[:limit]
    ]


def looked_at(
    object_ids: list[uuid.UUID], by: Any, code: str, reason: str, *, since: dt.datetime
) -> dict[uuid.UUID, set[str]]:
    """Which of these objects `by` has been told to have looked at since then for this reason, and at which fields."""
    actor, label = (by.pk, "") if isinstance(by, models.Model) else (None, by)
    found: dict[uuid.UUID, set[str]] = {}
    with connection.cursor() as cursor:  # by hand: every page about people asks this
        cursor.execute(_LOOKED_AT, [object_ids, since, code, reason, actor, actor, label])
        for object_id, fields in cursor.fetchall():
            found.setdefault(object_id, set()).update(orjson.loads(fields) if fields else ())
    return found


# "%%.seen" lets the index of looks answer
_LOOKED_AT = f"""
    SELECT object_id, after -> 'fields' FROM ledger_event
    WHERE object_id = ANY(%s) AND at >= %s AND code LIKE '%%{SEEN}' AND code = %s AND reason = %s
        AND (actor_id = %s OR (%s::uuid IS NULL AND actor_id IS NULL AND actor_label = %s))
"""


# ---- chains


def heads() -> list[anchors.Head]:
    """The present end of every chain, as an anchor names it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain, position, hash FROM ledger_head ORDER BY chain")
        return [(chain, position, bytes(digest).hex()) for chain, position, digest in cursor.fetchall()]


def lacking(anchored: Iterable[anchors.Head]) -> list[anchors.Head]:
    """Those anchored heads that the ledger does not have (any more): a cheap look, made before every new anchor."""
    wanted = [head for head in anchored if head[1] > 0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.chain, e.position, e.hash FROM unnest(%s::smallint[], %s::bigint[]) AS a (chain, position)"
            " JOIN ledger_event e ON e.chain = a.chain AND e.position = a.position",
            [[head[0] for head in wanted], [head[1] for head in wanted]],
        )
        there = {(chain, position, bytes(digest).hex()) for chain, position, digest in cursor.fetchall()}
    return [head for head in wanted if head not in there]


def last_copy() -> bytes:
    """The last anchor that the table has, or b""."""
    found = Anchor.objects.order_by("-number").values_list("line", flat=True).first()
    return (found or "").encode()


@dataclass(frozen=True)
class Break:
    """One place where a chain does not hold."""

    chain: int
    position: int
    problem: str

    @property
    def place(self) -> str:
        return f"chain {self.chain}\tevent {self.position}"


@dataclass(frozen=True)
class Loose:
    """One place where the anchors do not hold: an anchor that is not as it was written, or not there."""

    number: int
    problem: str

    @property
    def place(self) -> str:
        return f"anchors\tanchor {self.number}"


@dataclass(frozen=True)
class Note:
    """What a reader of the answer should know although nothing is broken."""

    text: str


def verify(
    progress: Callable[[int], None] | None = None, *, file: Path | None = None, keys: frozenset[str] = frozenset()
) -> Iterator[Break | Loose | Note | int]:
    """Walk every chain of the present city; yields each Break, and last the number of events read (int).

    Finds a changed row (its hash no longer fits), a removed one (a gap in positions), re-ordered ones (hash of the
    one before differs) and a cut tail (the chain ends before its head). With the anchors in `file`, signed by one
    of `keys`, also a rewrite that fits in itself, heads included: the anchors know what stood there.
    """
    expected = {} if file is None else (yield from _anchored(file, keys))
    before = {chain: (position, digest) for chain, position, digest in heads()}
    ends: dict[int, tuple[int, bytes]] = {}
    read = 0
    for row in _rows():
        problem = _judge(row, *ends.get(row.chain, (0, ZERO)))
        if problem:
            yield Break(row.chain, row.position, problem)
        said = expected.pop((row.chain, row.position), None)
        if said and said[0] != row.hash.hex():
            yield Break(row.chain, row.position, f"is not what stood there when anchor {said[1]} was made")
        ends[row.chain] = (row.position, row.hash)
        head = before.get(row.chain, (0, ""))
        if head[0] == row.position and head[1] != row.hash.hex():
            yield Break(row.chain, row.position, "is not what its chain's head says")
        read += 1
        if progress and read % 1000 == 0:
            progress(read)
    after = {chain: position for chain, position, _digest in heads()}
    for chain in range(CHAINS):
        # what was written while we read is past the first look at the heads, and not past the second
        end, position = ends.get(chain, (0, ZERO))[0], after.get(chain, -1)
        if not before.get(chain, (0, ""))[0] <= end <= position:
            yield Break(chain, end, f"the chain ends at {end}, its head says {position}")
    for (chain, position), (_said, number) in sorted(expected.items()):
        yield Break(chain, position, f"is gone; it was there when anchor {number} was made")
    yield read


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is stored: what is JSON, as PostgreSQL writes it."""

    chain: int
    position: int
    at: dt.datetime
    actor: uuid.UUID | None
    label: str
    code: str
    object_type: str
    object_id: uuid.UUID
    before: str | None
    after: str | None
    reason: str
    form: int
    previous: bytes
    hash: bytes

    def sealed(self) -> bytes:
        if self.form == TEXT_FORM:
            entry = Entry(self.code, self.object_type, self.object_id, None, None, self.reason)
            return seal_text(
                self.previous,
                self.chain,
                self.position,
                self.at,
                self.actor,
                self.label,
                entry,
                self.before,
                self.after,
            )
        before, after = (None if text is None else orjson.loads(text) for text in (self.before, self.after))
        entry = Entry(self.code, self.object_type, self.object_id, before, after, self.reason)
        return seal(self.previous, self.position, self.at, self.actor, self.label, entry)


def _rows() -> Iterator[Stored]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:  # one statement: one moment
        cursor.execute(
            "SELECT chain, position, at, actor_id, actor_label, code, object_type, object_id, before::text,"
            " after::text, reason, form, previous_hash, hash FROM ledger_event ORDER BY chain, position"
        )
        while found := cursor.fetchmany(2000):
            for row in found:
                yield Stored(*row[:12], bytes(row[12]), bytes(row[13]))


def _judge(row: Stored, position: int, digest: bytes) -> str:
    """What is wrong with an event that comes after `position` in its chain, or ""."""
    if row.sealed() != row.hash:
        return "was changed after it was written"
    if row.position != position + 1:
        return f"{row.position - position - 1} event(s) missing before it"
    return "" if row.previous == digest else "does not follow the event before it"


# ---- anchors


def _anchored(
    file: Path, keys: frozenset[str]
) -> Generator[Loose | Note, None, dict[tuple[int, int], tuple[str, int]]]:
    """Judge the file of anchors by itself and beside its copy in the table.

    Yields what is loose; returns (chain, position) -> (hash, number of the anchor) of all that the ledger must have.
    """
    # the table first: a line is written to the file before it is written here
    copies = dict(Anchor.objects.order_by("number").values_list("number", "line"))
    lines = list(anchors.judged(anchors.read(file), connection.schema_name, keys))
    if not lines and not copies:
        yield Loose(0, "there is no anchor: nothing is held against the ledger")
    void: set[int] = set()
    for found in lines:
        if found.problem:
            yield Loose(found.number, found.problem)
        if found.restored:
            since, reason = int(found.restored["since"]), found.restored["reason"]
            void.update(range(since + 1, found.number))
            yield Note(f"anchors {since + 1} to {found.number - 1} were set aside on {found.at}: {reason}")
    held: dict[tuple[int, int], tuple[str, int]] = {}
    for found in lines:
        for chain, position, digest in found.heads if found.number not in void else ():
            if position and held.setdefault((chain, position), (digest, found.number))[0] != digest:
                yield Loose(found.number, f"says of chain {chain}, event {position} otherwise than one before it")
    yield from _compared({found.number: found.line for found in lines}, copies, void)
    return held


def _compared(file: dict[int, bytes], copies: dict[int, str], void: set[int]) -> Iterator[Loose]:
    """Where the file of anchors and its copy in the table differ: either alone betrays the other."""
    for number in sorted(copies.keys() - file.keys()):
        yield Loose(number, "is in the table and not in the file: the file was cut")
    # a last line that only the file has: it is being made, or its maker was killed; the next one mends it
    making = max(copies, default=0) + 1
    for number in sorted(file.keys() - copies.keys() - void):
        if number != making or number != max(file):
            yield Loose(number, "is in the file and not in the table: the table was cut")
    for number in sorted(copies.keys() & file.keys()):
        if copies[number].encode() != file[number]:
            yield Loose(number, "is not the same in the file and in the table")
