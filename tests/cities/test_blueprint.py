"""A city built by another's statements is the city that its migrations would have made."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from parvis.cities import blueprint
from tests.conftest import committed_city

#: Everything a schema is made of, by name; without what differs by nature (its own name, numbers of rows' making).
WHAT = """
SELECT 'column',
       table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(column_default, '')
  FROM information_schema.columns WHERE table_schema = %(schema)s
UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = %(schema)s
UNION ALL SELECT 'trigger', pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
UNION ALL SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
UNION ALL SELECT 'policy', tablename || ' ' || policyname || coalesce(qual, '') || coalesce(with_check, '')
  FROM pg_policies WHERE schemaname = %(schema)s
UNION ALL SELECT 'grant', relname || relacl::text FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
"""


def _made_of(schema: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(WHAT, {"schema": schema})
        parts = {(kind, (text or "").replace(schema, "city")) for kind, text in cursor.fetchall()}
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            if table != "django_content_type":  # read by the public role, numbered by its sequence
                cursor.execute(f'SELECT count(*) FROM "{schema}"."{table}"')
                parts.add(("rows", f"{table} {cursor.fetchone()[0]}"))
    return parts


@contextlib.contextmanager
def _city(blocker: Any) -> Iterator[set[tuple[str, str]]]:
    making = committed_city(blocker)
    made = next(making)
    with blocker.unblock():
        from tests.conftest import _use

        _use("owner", connection.settings_dict["NAME"])
        yield _made_of(made.schema_name)
    assert next(making, None) is None


def test_a_second_city_is_built_as_the_first(django_db_setup: None, django_db_blocker: Any) -> None:
    blueprint._kept.clear()
    with _city(django_db_blocker) as migrated:
        assert len(blueprint._kept) == 1
    with _city(django_db_blocker) as said_again:
        assert len(migrated) > 2_000
        assert sorted(migrated ^ said_again) == []


def test_a_statement_that_names_the_city_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what fits one city only would be wrong in the next."""
    assert blueprint._fits_any_city("a1", "CREATE TABLE x ()", None)
    assert not blueprint._fits_any_city("a1", "INSERT INTO x VALUES (%s)", ["a1"])
    assert not blueprint._fits_any_city("a1", 'CREATE TABLE "a1".x ()', None)
