"""Statements that PostgreSQL keeps prepared, past Django's cursor: for what every reader of the directory asks."""

import datetime as dt
import itertools
import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import ConnStatus, ExecStatus

Value = str | int | float | uuid.UUID | dt.datetime | list[uuid.UUID] | list[str]
Cell = bytes | None

#: Statements that the server has prepared, by connection: (schema, text) -> name. The same text with another schema in
#: the search path is another statement, so that no plan is thrown away when a connection changes cities.
_prepared: WeakKeyDictionary[Any, dict[tuple[str, str], bytes]] = WeakKeyDictionary()
_MOST_PREPARED = 200
_numbers = itertools.count()  # a name is never given twice, also after a statement was forgotten


def rows(statement: str, values: Sequence[Value] = ()) -> list[tuple[Cell, ...]]:
    """Run one statement and give its cells as PostgreSQL writes them: bytes of text.

    Straight to libpq, on the connection that Django holds: a document goes from the database to the reader without
    being decoded, and a query costs half of what it costs through a cursor. `%s` stands for a value. Tables stand in
    it after their `schema()`.
    """
    held = connections[DEFAULT_DB_ALIAS]  # once, and not through the proxy each time: it is slow
    with held.wrap_database_errors:
        if held.connection is None:
            held.ensure_connection()
        raw = held.connection
        if raw.closed:
            raise psycopg.OperationalError("the connection is closed")
        parameters = [_text(value) for value in values]
        names = _prepared.get(raw)
        if names is None:
            names = _prepared.setdefault(raw, {})
        if held.pooled:  # the next statement may reach another session, which has prepared nothing
            return _cells(raw, raw.pgconn.exec_params(_numbered(statement), parameters))
        key = (held.schema_name, statement)
        name = names.get(key)
        if name is None:
            text = _numbered(statement)
            if len(names) >= _MOST_PREPARED:
                return _cells(raw, raw.pgconn.exec_params(text, parameters))
            name = b"parvis_%d" % next(_numbers)
            _cells(raw, raw.pgconn.prepare(name, text))
            names[key] = name
        try:
            return _cells(raw, raw.pgconn.exec_prepared(name, parameters))
        except (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName):
            # its table has been migrated, or the server has forgotten it
            names.pop(key)
            return _cells(raw, raw.pgconn.exec_params(_numbered(statement), parameters))


def schema() -> str:
    """The active city's schema, quoted. A statement that names it before every table needs no search path, which is
    set only when Django opens a cursor."""
    return _quoted(connections[DEFAULT_DB_ALIAS].schema_name)


@lru_cache(maxsize=1000)
def _quoted(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name} is no city's schema")
    return f'"{name}"'


@lru_cache(maxsize=1000)
def _numbered(statement: str) -> bytes:
    """The statement with $1, $2 ... for each %s."""
    first, *rest = statement.split("%s")
    return (first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))).encode()


def _text(value: Value) -> bytes:
    if isinstance(value, list):
        return ("{" + ",".join(map(_element, value)) + "}").encode()
    return (value.isoformat() if isinstance(value, dt.datetime) else str(value)).encode()


def _element(value: uuid.UUID | str) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _cells(raw: Any, result: Any) -> list[tuple[Cell, ...]]:
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        if raw.pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection is lost")
        raise psycopg.errors.error_from_result(result)
    columns, cell = range(result.nfields), result.get_value
    return [tuple([cell(row, column) for column in columns]) for row in range(result.ntuples)]
