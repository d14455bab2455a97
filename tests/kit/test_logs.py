"""A log says where something failed, and nobody's name."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from parvis.kit.logs import Discreet, discreet


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'Zquxxamina'::int",
        "SELECT * FROM nowhere WHERE name = 'Zquxxamina'",
        "DO $$ BEGIN RAISE unique_violation USING DETAIL = 'Key (name)=(Zquxxamina) already exists.'; END $$",
        "INSERT INTO cities_city (schema_name, name) VALUES ('x', 'Zquxxamina')",
    ],
)
def test_an_error_of_the_database_is_told_without_its_values(city: Any, statement: str) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        plain = logging.Formatter().formatException(sys.exc_info())  # type: ignore[arg-type]
        told = Discreet().formatException(sys.exc_info())
    assert "Zquxxamina" in plain or "nowhere" in statement or "cities" in statement, "the control: others write it down"
    assert "Zquxxamina" not in told
    assert "test_logs.py" in told and "Error" in told, "where and which"


def test_other_errors_stay_as_they_are() -> None:
    assert discreet("ValueError: DETAIL") == "ValueError: DETAIL"
    assert settings.LOGGING["formatters"]["plain"]["class"] == "parvis.kit.logs.Discreet"
