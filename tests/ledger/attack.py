"""What somebody with every right in the database can do to a ledger."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from parvis.kit.server import Secrets
from parvis.ledger.queries import Stored
from tests.conftest import URLS

COLUMNS = (
    "chain, position, at, actor_id, actor_label, code, object_type, object_id, before::text, after::text, reason,"
    " form, previous_hash, hash"
)


@contextmanager
def superuser(schema: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that no lock holds, with the triggers off (on a server of one's own: the owner's)."""
    values: dict[str, str] = {"dbname": connection.settings_dict["NAME"]}
    if not os.environ.get("DATABASE_URL"):
        password = Secrets(Path(os.environ["PARVIS_HOME"])).get("database-postgres")
        values.update(user="postgres", password=password)
    with psycopg.connect(psycopg.conninfo.make_conninfo(URLS.owner, **values), autocommit=True) as attacker:
        attacker.execute(f"SET search_path TO {schema}")
        for table in ("ledger_event", "ledger_anchor"):
            attacker.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield attacker
        for table in ("ledger_event", "ledger_anchor"):
            attacker.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def seal_again(attacker: psycopg.Connection[Any]) -> None:
    """Make all chains and heads fit what the events say now: the rewrite that fits in itself."""
    attacker.execute("UPDATE ledger_head SET position = 0, hash = decode(repeat('00', 32), 'hex')")
    ends: dict[int, bytes] = {}
    for row in attacker.execute(f"SELECT {COLUMNS} FROM ledger_event ORDER BY chain, position").fetchall():
        previous = ends.get(row[0], b"\0" * 32)
        sealed = Stored(*row[:12], previous, b"").sealed()
        ends[row[0]] = sealed
        attacker.execute(
            "UPDATE ledger_event SET previous_hash = %s, hash = %s WHERE chain = %s AND position = %s",
            [previous, sealed, row[0], row[1]],
        )
        attacker.execute("UPDATE ledger_head SET position = %s, hash = %s WHERE chain = %s", [row[1], sealed, row[0]])


def cut_tail(attacker: psycopg.Connection[Any]) -> None:
    """Take the last event away, and set its chain's head back to the one before."""
    attacker.execute("DELETE FROM ledger_event WHERE id = (SELECT max(id) FROM ledger_event)")
    seal_again(attacker)
