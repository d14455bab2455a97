"""Row-level security, written in one place: apps say which tables hold people, this module applies and checks it.

`apply(schema, roles)` runs after every migration as the owner; it can be run again at any time. One engine's form can
differ from another's: on Citus a policy may not hold a sub-select (see `Place.citus`).
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import schema_context
from psycopg import sql

from parvis.kit import acting
from parvis.kit.server import Roles


@dataclass(frozen=True)
class Place:
    """Where statements are to run: one city's schema. `citus`: a policy calls a function and holds no sub-select."""

    schema: str
    roles: Roles
    citus: bool


Provider = Callable[[Place], Iterable[str]]


@dataclass
class _Providers:
    known: list[Provider] = field(default_factory=list)
    beside: list[ModuleType] = field(default_factory=list)


_providers = _Providers()


def provide(provider: Provider, *beside: ModuleType) -> None:
    """Let `provider(place)` give statements (idempotent SQL) to every city; called from an app's `apps.py`.

    beside: modules from which it makes them, so that a change in one of these is applied too.
    """
    _providers.known.append(provider)
    _providers.beside += beside


def fingerprint() -> str:
    """Changes when a provider's source does: what was applied with another one is applied anew."""
    sources = [inspect.getsource(inspect.getmodule(provider) or provider) for provider in _providers.known]
    sources += [inspect.getsource(module) for module in _providers.beside]
    return hashlib.sha256("\n".join([inspect.getsource(inspect.getmodule(apply)), *sources]).encode()).hexdigest()[:16]  # type: ignore[arg-type]


def apply(schema_name: str, roles: Roles) -> None:
    """Bring functions, triggers and policies of a city up to date, as the owner, all or nothing."""
    with schema_context(schema_name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        place = Place(schema_name, roles, cursor.fetchone() is not None)
        if place.citus:
            cursor.execute("SET LOCAL citus.enable_unsafe_triggers = on")
        for statement in _CONTEXT:
            cursor.execute(in_schema(statement, place))
        inner, outer = (bytes(byte ^ pad for byte in acting.key(schema_name).ljust(64, b"\0")) for pad in (0x36, 0x5C))
        cursor.execute("DELETE FROM access_key")
        cursor.execute("INSERT INTO access_key (inner_pad, outer_pad) VALUES (%s, %s)", [inner, outer])
        for provider in _providers.known:
            for statement in provider(place):
                cursor.execute(in_schema(statement, place))


def in_schema(statement: str, place: Place) -> str:
    """The statement with `$schema$`, `$app$`, `$worker$`, `$backup$`, `$public$`, `$audit$` and `$bound$` filled in;
    `$worker-text$` is the role's name as a text.

    `$bound$`: how a context is bound to its transaction; a Citus worker has another process and another clock.
    """
    names = {"schema": place.schema, **place.roles._asdict()}
    for name, value in names.items():
        statement = statement.replace(f"${name}$", sql.Identifier(value).as_string())
        statement = statement.replace(f"${name}-text$", sql.Literal(value).as_string())
    bound = (
        "abs(extract(epoch FROM clock_timestamp()) - said[2]::numeric) < 3600"
        if place.citus
        else "said[1] = pg_backend_pid()::text AND said[2] = extract(epoch FROM now())::text"
    )
    return statement.replace("$bound$", bound)


#: The beginning of every function that looks at the context: `said` is what was signed. In its parts: process,
#: transaction time, user, grantees (comma between), role, purpose. Written out in each function, because policies call
#: them in every query, and a call within a call costs as much again.
_PROVED = """
    DECLARE
        given text := current_setting('parvis.context', true);
        cut int := position('#' IN coalesce(given, ''));
        said text[];
        proof bytea;
    BEGIN
        IF cut = 0 THEN
            RAISE insufficient_privilege USING MESSAGE = 'no security context: say who acts (kit.acting)';
        END IF;
        said := string_to_array(left(given, cut - 1), '|');
        SELECT sha256(outer_pad || sha256(inner_pad || convert_to(left(given, cut - 1), 'UTF8'))) INTO proof
            FROM access_key;
        IF encode(proof, 'hex') IS DISTINCT FROM substr(given, cut + 1) OR NOT ($bound$) THEN
            RAISE insufficient_privilege USING MESSAGE = 'forged security context';
        END IF;
"""


def context_function(name: str, returns: str, body: str) -> str:
    """A function without arguments that proves the context first; `body` (plpgsql) finds it in `said`."""
    return f"""
    CREATE OR REPLACE FUNCTION {name}() RETURNS {returns}
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = $schema$, pg_temp AS $body$
    {_PROVED} {body} END $body$
    """


_CONTEXT = [
    "CREATE TABLE IF NOT EXISTS access_key (inner_pad bytea NOT NULL, outer_pad bytea NOT NULL)",
    "REVOKE ALL ON access_key FROM PUBLIC, $app$, $public$, $worker$, $audit$, $backup$",
    context_function("access_context", "text[]", "RETURN said;"),
    context_function("access_user", "uuid", "RETURN nullif(said[3], '');"),
    context_function("access_grantees", "uuid[]", "RETURN string_to_array(said[4], ',');"),
    context_function("access_role", "text", "RETURN said[5];"),
    context_function("access_is_system", "boolean", "RETURN said[6] = 'system';"),
]


#: Findings against the locks; the lint has no row when all is well.
_LINT = """
    WITH others AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY (%(roles)s)),
    ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = %(schema)s),
    tables AS (
        SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relowner
        FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    )
    SELECT 'role may bypass, own or create', rolname FROM pg_roles
        WHERE rolname = ANY (%(roles)s)
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
    UNION ALL SELECT 'role is a member of ' || r.rolname, others.rolname
        FROM pg_auth_members m JOIN others ON m.member = others.oid JOIN pg_roles r ON r.oid = m.roleid
    UNION ALL SELECT 'owned by ' || others.rolname, relname FROM tables JOIN others ON others.oid = relowner
    UNION ALL SELECT 'holds people and has no forced policy', relname FROM tables
        WHERE relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> ALL (%(open)s)
    UNION ALL SELECT 'row-level security without a policy', relname FROM tables
        WHERE relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = tables.oid)
    UNION ALL SELECT 'row-level security is not forced', relname FROM tables
        WHERE relrowsecurity AND NOT relforcerowsecurity
    UNION ALL SELECT 'granted beyond rows to ' || others.rolname, relname FROM tables, others
        WHERE relkind IN ('r', 'p') AND (has_table_privilege(others.oid, tables.oid, 'TRUNCATE')
        OR has_table_privilege(others.oid, tables.oid, 'REFERENCES')
        OR has_table_privilege(others.oid, tables.oid, 'TRIGGER'))
    UNION ALL SELECT 'the public role reads a locked table', relname FROM tables
        WHERE relrowsecurity AND has_table_privilege(%(public)s, tables.oid, 'SELECT, INSERT, UPDATE, DELETE')
    UNION ALL SELECT 'view without security_invoker', relname FROM tables
        WHERE relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
    UNION ALL SELECT 'materialized view', relname FROM tables WHERE relkind = 'm'
    UNION ALL SELECT 'definer without a pinned search_path', proname FROM pg_proc JOIN ours ON ours.oid = pronamespace
        WHERE prosecdef AND NOT coalesce(array_to_string(proconfig, ',') LIKE '%%search_path=%%pg_temp', false)
    UNION ALL SELECT 'definer that PUBLIC may call', proname FROM pg_proc JOIN ours ON ours.oid = pronamespace
        WHERE prosecdef AND has_function_privilege('public', pg_proc.oid, 'EXECUTE')
    UNION ALL SELECT 'policy open to all rows', tablename || '.' || policyname FROM pg_policies
        WHERE schemaname = %(schema)s AND (qual = 'true' OR with_check = 'true')
    UNION ALL SELECT 'writing policy without a check', tablename || '.' || policyname FROM pg_policies
        WHERE schemaname = %(schema)s AND cmd IN ('INSERT', 'UPDATE', 'ALL') AND with_check IS NULL
    UNION ALL SELECT 'readable key', 'access_key' FROM others
        WHERE has_table_privilege(others.oid, (SELECT oid FROM tables WHERE relname = 'access_key'), 'SELECT')
    UNION ALL SELECT 'PUBLIC may create', nspname FROM pg_namespace
        WHERE nspname IN ('public', %(schema)s) AND has_schema_privilege('public', oid, 'CREATE')
    ORDER BY 1, 2
"""


def lint(schema_name: str, roles: Roles, open_tables: Iterable[str]) -> list[tuple[str, str]]:
    """What is wrong with the locks of a city: (problem, object), nothing when all hold.

    `open_tables` are those that hold no newcomer; every other table of the schema must be locked.
    """
    asked: dict[str, Any] = {
        "roles": list(roles),
        "public": roles.public,
        "schema": schema_name,
        "open": [*open_tables, "access_key"],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LINT, asked)
        return [(problem, name) for problem, name in cursor.fetchall()]


def open_tables() -> list[str]:
    """Tables whose models declare no personal data of a newcomer: what they hold is public, or about accounts."""
    from django.apps import apps

    return [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if all(one.data_class in ("public", "account") for one in getattr(model, "personal", {}).values())
        and not hasattr(model, "person")
        and model._meta.app_label != "cases"
    ] + ["django_migrations", "kit_cache"]
