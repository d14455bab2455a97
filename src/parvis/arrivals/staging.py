"""Rows of a list, sealed: one data key a list, wrapped by the key-encryption key; emptying the key forgets the list."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

import orjson

from parvis.arrivals.models import Manifest, ManifestRow
from parvis.core.manifest import Arriving, Problem
from parvis.kit import sealing


class Staging:
    """The only door to what is sealed of one list."""

    def __init__(self, manifest: Manifest) -> None:
        """Raises sealing.Unreadable when the list was forgotten."""
        if manifest.key is None:
            raise sealing.Unreadable("this list was forgotten")
        self._key = sealing.unwrap(manifest.key_version, bytes(manifest.key), manifest.pk)

    @staticmethod
    def begin(manifest: Manifest) -> "Staging":
        """Give a new list its key (unsaved)."""
        manifest.key_version, manifest.key = sealing.wrap(sealing.new_key(), manifest.pk)
        return Staging(manifest)

    def put_cells(self, manifest: Manifest, cells: list[list[Any]]) -> None:
        kept = orjson.dumps([[_kept(cell) for cell in row] for row in cells])
        manifest.cells = sealing.seal(self._key, kept, _bound(manifest, "cells"))

    def cells(self, manifest: Manifest) -> list[list[Any]]:
        """The cells of the file; days and times are what they were."""
        if manifest.cells is None:
            return []
        kept = orjson.loads(sealing.open_(self._key, bytes(manifest.cells), _bound(manifest, "cells")))
        return [[_given(cell) for cell in row] for row in kept]

    def put_row(self, row: ManifestRow, person: Arriving) -> ManifestRow:
        plain = {name: value for name, value in asdict(person).items() if value and name != "problems"}
        row.content = sealing.seal(self._key, orjson.dumps(plain), _bound(row, "content"))
        return row

    def person(self, row: ManifestRow) -> Arriving:
        """Who a row is about; only its number once the row has ended in a file of its own."""
        problems = tuple(Problem(*each) for each in row.problems)
        if row.content is None:
            return Arriving(row.number, problems=problems)
        plain = orjson.loads(sealing.open_(self._key, bytes(row.content), _bound(row, "content")))
        for name in ("birth_date", "expected_on"):
            if name in plain:
                plain[name] = dt.date.fromisoformat(plain[name])
        if "expected_time" in plain:
            plain["expected_time"] = dt.time.fromisoformat(plain["expected_time"])
        known = {field.name for field in fields(Arriving)}
        return Arriving(**{k: v for k, v in plain.items() if k in known}, problems=problems)

    def people(self, rows: Iterable[ManifestRow]) -> list[Arriving]:
        return [self.person(row) for row in rows]


def _bound(row: Any, column: str) -> bytes:
    return sealing.bound_to(row._meta.db_table, column, row.pk)


def _kept(cell: Any) -> Any:
    """A cell as JSON keeps it: days and times say what they are."""
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return {type(cell).__name__: cell.isoformat()}
    if isinstance(cell, dt.timedelta):
        return {"timedelta": cell.total_seconds()}
    return cell


_MADE: dict[str, Any] = {
    "datetime": dt.datetime.fromisoformat, "date": dt.date.fromisoformat, "time": dt.time.fromisoformat,
    "timedelta": lambda seconds: dt.timedelta(seconds=seconds),
}  # fmt: skip


def _given(cell: Any) -> Any:
    if isinstance(cell, dict):
        kind, value = next(iter(cell.items()))
        return _MADE[kind](value)
    return cell
