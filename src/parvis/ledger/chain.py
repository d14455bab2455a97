"""What an event says and how it is sealed: the pure part of the ledger."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder

from parvis.ledger.models import CHAINS

Json = dict[str, Any] | None
#: How an event's hash is made: in Python over JSON (events that come by the thousand) ...
JSON_FORM = 1
#: ... or in the database, by its function `ledger_append`, over a text whose every part says its length.
TEXT_FORM = 2
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event says. `object_type` is "app.model" in lower case, e.g. "directory.service"."""

    code: str
    object_type: str
    object_id: uuid.UUID
    before: Json = None
    after: Json = None
    reason: str = ""


def chain_of(object_id: uuid.UUID) -> int:
    """Which of the `CHAINS` chains the events of this object hang in."""
    return object_id.int % CHAINS


def seal(previous: bytes, position: int, at: dt.datetime, actor: uuid.UUID | None, label: str, entry: Entry) -> bytes:
    """SHA-256 over everything an event says and over the hash of the event before it (32 bytes)."""
    said = orjson.dumps(
        [
            position,
            at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            str(actor or ""),
            label,
            entry.code,
            entry.object_type,
            str(entry.object_id),
            entry.before,
            entry.after,
            entry.reason,
        ],
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(previous + said).digest()


def seal_text(
    previous: bytes, chain: int, position: int, at: dt.datetime, actor: uuid.UUID | None, label: str, entry: Entry,
    before: str | None, after: str | None,
) -> bytes:  # fmt: skip
    """The same in TEXT_FORM: what `ledger_append` computes. before, after: as PostgreSQL writes its jsonb."""
    micros = (at - _EPOCH) // dt.timedelta(microseconds=1)
    parts = (label, entry.code, entry.object_type, before, after, entry.reason)
    said = f"2|{chain}|{position}|{entry.object_id}|{micros}|{actor or ''}|" + "".join(map(_measured, parts))
    return hashlib.sha256(previous + said.encode()).digest()


def _measured(part: str | None) -> str:
    return "-" if part is None else f"{len(part.encode())}:{part}"


def plain(values: Json) -> Json:
    """The same values as JSON will give them back, so that a hash made now is found again later."""
    if values is None:
        return None
    text = orjson.dumps(values, default=_default, option=orjson.OPT_NON_STR_KEYS)
    if b"\\u0000" in text:  # PostgreSQL keeps no NUL in a text
        text = text.replace(b"\\u0000", b"")
    result: dict[str, Any] = orjson.loads(text)
    return result


def _default(value: Any) -> Any:
    try:
        return DjangoJSONEncoder().default(value)
    except TypeError:
        return str(value)
