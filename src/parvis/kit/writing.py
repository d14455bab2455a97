"""Many changed rows in one statement of one size, however many they are."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql

#: Rows a statement: its values are held in memory twice.
_AT_ONCE = 5_000


def update_rows(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one model as they are now, found by primary key.

    Django's `bulk_update` writes a CASE with a branch for each row and column, which took 0.3 s for a plan of eighty
    steps; here a column is one array, and the statement's text is the same for two rows or for thousands. A row that
    is not there, or that may not be written, stays away silently, as with `bulk_update`.
    """
    for start in range(0, len(rows), _AT_ONCE):
        _update(rows[start : start + _AT_ONCE], names)


def _update(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    model = type(rows[0])
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in names)]
    columns = [sql.Identifier(field.column) for field in fields]
    statement = sql.SQL(
        "UPDATE {table} AS r SET {changes} FROM unnest({values}) AS n ({columns}) WHERE r.{key} = n.{key}"
    )
    text = statement.format(
        table=sql.Identifier(model._meta.db_table),
        changes=sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(column) for column in columns[1:]),
        values=sql.SQL(", ").join(sql.SQL(f"%s::{field.rel_db_type(connection)}[]") for field in fields),
        columns=sql.SQL(", ").join(columns),
        key=columns[0],
    )
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(text.as_string(), values)
