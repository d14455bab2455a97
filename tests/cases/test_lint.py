"""The locks themselves: no table about people without a forced policy; the lint finds what is wrong."""

from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from parvis.kit.policies import lint, open_tables
from tests.conftest import URLS


def test_no_lock_is_missing(city: Any) -> None:
    assert lint(city.schema_name, URLS.roles(), open_tables()) == []
    assert "cases_person" not in open_tables()


WRONG = {
    "ALTER TABLE cases_note NO FORCE ROW LEVEL SECURITY": "cases_note",
    "ALTER TABLE cases_note DISABLE ROW LEVEL SECURITY": "cases_note",
    "CREATE POLICY anybody ON cases_note FOR SELECT USING (true)": "cases_note.anybody",
    "CREATE VIEW everybody AS SELECT * FROM cases_person": "everybody",
    "CREATE MATERIALIZED VIEW everybody AS SELECT * FROM cases_person": "everybody",
    "GRANT SELECT ON access_key TO parvis_app": "access_key",
    "GRANT TRUNCATE ON cases_note TO parvis_app": "cases_note",
    "GRANT SELECT ON cases_note TO parvis_public": "cases_note",
    "GRANT EXECUTE ON FUNCTION access_user() TO PUBLIC": "access_user",
    "ALTER FUNCTION access_user() RESET search_path": "access_user",
    "CREATE TABLE cases_new (person_id uuid)": "cases_new",
}


@pytest.mark.parametrize("statement", WRONG)
def test_each_hole_is_found(city: Any, statement: str) -> None:
    """The control: made by the owner in a transaction that is rolled back."""
    url = make_conninfo(URLS.owner, dbname=connection.settings_dict["NAME"])
    with psycopg.connect(url) as owner:
        owner.execute(f"SET search_path = {city.schema_name}, public")
        owner.execute(statement)
        found = _lint_as(owner, city.schema_name)
        owner.rollback()
    assert WRONG[statement] in {name for _, name in found}


def _lint_as(owner: Any, schema: str) -> list[tuple[str, str]]:
    from parvis.kit import policies

    roles = URLS.roles()
    asked = {"roles": list(roles), "public": roles.public, "schema": schema, "open": [*open_tables(), "access_key"]}
    return owner.execute(policies._LINT, asked).fetchall()
