"""Sealed columns: the only door between a `SealedField` and a readable text.

A vault holds the data keys of some persons for as long as one piece of work; keys are read in one query, and never
kept beyond it. What a row-level policy hides has no key either.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection

from parvis.cases.models import Person, PersonKey
from parvis.kit import sealing

#: one lock for the installation: shared by who wraps a new data key, alone for who retires a version
_LOCK = "SELECT pg_advisory_xact_lock{}(hashtextextended('parvis key versions', 0))"


def hold_versions(*, alone: bool = False) -> None:
    """Until the end of this transaction no version of the key-encryption key is retired; `alone`: nor is one used."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format("" if alone else "_shared"))


_KEYS = "SELECT person_id, version, wrapped FROM cases_personkey WHERE person_id = ANY(%s)"


class Vault:
    """The data keys of `persons` (ids)."""

    def __init__(self, persons: Iterable[uuid.UUID]) -> None:
        wanted = list(persons)
        try:
            self._keys = self._read(wanted)
        except sealing.VersionRetired:  # wrapped anew, and the old version retired, between our two looks
            self._keys = self._read(wanted)

    @staticmethod
    def _read(persons: list[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        # by hand: every page about people opens a vault, and half of its cost would be the making of this statement
        with connection.cursor() as cursor:
            cursor.execute(_KEYS, [persons])
            rows = cursor.fetchall()
        return {person: sealing.unwrap(version, wrapped, person) for person, version, wrapped in rows}

    @classmethod
    def of_new(cls, person: Person) -> "Vault":
        """Make the data key of a person who has none yet."""
        vault = cls([])
        vault.make([person.pk])
        vault.keep()
        return vault

    def make(self, persons: Iterable[uuid.UUID]) -> None:
        """Make the data keys of people who are not there yet: their rows are sealed before they are saved."""
        self._made: list[uuid.UUID] = list(persons)
        self._keys |= {person: sealing.new_key() for person in self._made}

    def keep(self) -> None:
        """Save the keys that were made, wrapped: the people are there now."""
        hold_versions()
        rows = []
        for person in self._made:
            version, wrapped = sealing.wrap(self._keys[person], person)
            rows.append(PersonKey(person_id=person, version=version, wrapped=wrapped))
        PersonKey.objects.bulk_create(rows, batch_size=2000)

    def put(self, row: Any, **values: str | bytes | None) -> Any:
        """Set sealed columns of `row` (its person and key are known); None empties one. Returns the row, unsaved."""
        for column, value in values.items():
            plain = value.encode() if isinstance(value, str) else value
            sealed = None if plain is None else sealing.seal(self._key(row), plain, self._bound(row, column))
            setattr(row, column, sealed)
        return row

    def open(self, row: Any, column: str) -> str:
        """The text of a sealed column, "" when it is empty. Raises sealing.Unreadable."""
        return self.open_bytes(row, column).decode()

    def open_bytes(self, row: Any, column: str) -> bytes:
        sealed = getattr(row, column)
        return b"" if sealed is None else sealing.open_(self._key(row), bytes(sealed), self._bound(row, column))

    def open_date(self, row: Any, column: str) -> dt.date | None:
        text = self.open(row, column)
        return dt.date.fromisoformat(text) if text else None

    def _key(self, row: Any) -> bytes:
        person = row.pk if isinstance(row, Person) else row.person_id
        if person not in self._keys:
            raise sealing.Unreadable("this person's key is gone, or not for whoever acts")
        return self._keys[person]

    @staticmethod
    def _bound(row: Any, column: str) -> bytes:
        return sealing.bound_to(row._meta.db_table, column, row.pk)
