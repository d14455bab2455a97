"""How a second city is built: by the statements that built the first, without working out the migrations again.

Migrating an empty schema takes seconds, of which the database needs one: the rest is Django drawing every model anew
for each of some four hundred operations. The statements themselves are the same for every city (but for the search
path they name no schema), so they are kept in the process that ran them and said again. The fingerprint of the
migrations keeps statements of another version out.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

Statement = tuple[str, Any]
_kept: dict[str, tuple[str, list[Statement]]] = {}


def build(schema_name: str, fingerprint: str, migrate: Callable[[str], None]) -> None:
    """Make the tables of an empty schema: as the last one's were made, or else by `migrate(schema_name)`.

    Runs inside the caller's transaction; the schema itself is there.
    """
    if fingerprint in _kept:
        _say_again(schema_name, *_kept[fingerprint])
        return
    said = _listen(schema_name, migrate)
    if all(_fits_any_city(schema_name, *statement) for statement in said):
        _kept[fingerprint] = schema_name, said


def _listen(schema_name: str, migrate: Callable[[str], None]) -> list[Statement]:
    """What migrating said to the database, but for what it asked about the schema by name."""
    said: list[Statement] = []

    def listen(execute: Callable[..., Any], text: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        said.extend((str(text), each) for each in (params if many else [params]))
        return execute(text, params, many, context)

    with connection.execute_wrapper(listen):
        migrate(schema_name)
    return [(text, params) for text, params in said if not (text.startswith("SELECT") and schema_name in repr(params))]


def _fits_any_city(schema_name: str, text: str, params: Any) -> bool:
    return _is_path(text) or not (schema_name in text or schema_name in repr(params))


def _is_path(text: str) -> bool:
    return text.startswith("SET search_path")


def _say_again(schema_name: str, first: str, statements: list[Statement]) -> None:
    before = connection.tenant
    connection.set_schema(schema_name)
    try:
        with connection.cursor() as cursor:
            for text, params in statements:
                cursor.execute(text.replace(first, schema_name) if _is_path(text) else text, params)
    finally:
        connection.set_tenant(before)
