"""Adding cities and keeping their schemas: everything here runs as the owner role."""

import hashlib
import re
from collections.abc import Callable, Sequence

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import get_public_schema_name, schema_context
from psycopg import sql

from parvis.cities import blueprint
from parvis.cities.models import City, Domain
from parvis.cities.queries import cities
from parvis.kit import policies
from parvis.kit.server import Roles


class CityRefused(ValueError):
    """The city can't be added; the message says why."""


#: Tables on which the app role may only read and add: what is written there stays written.
APPEND_ONLY = {"ledger_event", "ledger_anchor"}


def add_city(
    schema_name: str,
    *,
    name: str,
    domains: Sequence[str],
    languages: Sequence[str] = ("fr", "en"),
    timezone: str = "America/Toronto",
    country: str = "CA",
    office_phone: str = "",
    office_email: str = "",
    roles: Roles,
    default: bool | None = None,
    progress: Callable[[str], None] | None = None,
) -> City:
    """Create a city: its schema, its tables, its grants and its host names, all or nothing.

    The first city is the default one. Raises CityRefused when the name or a host name can't be used.
    """
    say = progress or (lambda _: None)
    if (
        not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", schema_name)
        or schema_name.startswith("pg_")
        or schema_name == "public"
    ):
        raise CityRefused(f"«{schema_name}» can't name a city: 2 to 41 lower-case letters, digits or _, a letter first")
    _check(languages, timezone)
    connection.set_schema_to_public()
    if City.objects.filter(schema_name=schema_name).exists():
        raise CityRefused(f"there is a city {schema_name} already")
    taken = Domain.objects.filter(domain__in=[d.lower() for d in domains]).first()
    if taken:
        raise CityRefused(f"{taken.domain} leads to the city {taken.tenant.schema_name} already")
    first = not City.objects.exists()
    with transaction.atomic():
        city = City.objects.create(
            schema_name=schema_name,
            name=name,
            languages=list(languages),
            timezone=timezone,
            country=country,
            office_phone=office_phone,
            office_email=office_email,
            is_default=first if default is None else default,
        )
        for number, domain in enumerate(domains):
            Domain.objects.create(tenant=city, domain=domain.lower(), is_primary=number == 0)
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema_name)).as_string())
        say(f"creating the tables of {schema_name}")
        mark = fingerprint()
        blueprint.build(schema_name, mark, migrate_schema)
        grant(schema_name, roles)
        _set_at(schema_name, mark)
    return city


def _check(languages: Sequence[str], timezone: str) -> None:
    from zoneinfo import ZoneInfo

    from babel import Locale

    if not languages:
        raise CityRefused("a city needs at least one language")
    for tag in languages:
        try:
            Locale.parse(tag.replace("-", "_"))
        except (ValueError, TypeError, LookupError):
            raise CityRefused(f"«{tag}» is not a language that Parvis knows (BCP 47, e.g. fr, ar, pt-BR)") from None
        except Exception as error:
            raise CityRefused(f"«{tag}» is not a language that Parvis knows: {error}") from None
    try:
        ZoneInfo(timezone)
    except Exception:
        raise CityRefused(f"«{timezone}» is not a time zone (e.g. America/Toronto)") from None


def migrate_schema(schema_name: str) -> None:
    """Bring one schema's tables up to date."""
    call_command("migrate_schemas", schema_name=schema_name, interactive=False, verbosity=0)


def fingerprint() -> str:
    """Names every migration there is: when it is unchanged, there is nothing to migrate."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    names = "\n".join(sorted(f"{app}.{name}" for app, name in loader.disk_migrations))
    return f"parvis {hashlib.sha256(names.encode()).hexdigest()[:16]} {policies.fingerprint()}"


def migrate_all(roles: Roles, progress: Callable[[str], None] | None = None) -> None:
    """Bring the public schema and every city up to date, then renew the roles' grants.

    Each schema's comment says which migrations it has, so that a start with nothing to do takes no time.
    """
    say = progress or (lambda _: None)
    now = fingerprint()
    if not _is_at(get_public_schema_name(), now):
        say(get_public_schema_name())
        migrate_schema(get_public_schema_name())
        grant(get_public_schema_name(), roles)
        _set_at(get_public_schema_name(), now)
    for city in cities():
        if not _is_at(city.schema_name, now):
            say(city.schema_name)
            migrate_schema(city.schema_name)
            grant(city.schema_name, roles)
            _set_at(city.schema_name, now)


def _is_at(schema_name: str, mark: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", [schema_name]
        )
        row = cursor.fetchone()
    return bool(row and row[0] == mark)


def _set_at(schema_name: str, mark: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema_name), sql.Literal(mark)).as_string()
        )


#: What anonymous readers' pages are made of: the public role reads these tables and no other.
PUBLISHED = re.compile(
    r"cities_\w+|words_\w+|places_\w+|orgs_organization(identifier)?|kit_cache|django_content_type|"
    r"directory_(?!correction|importrun|importconflict|sourcerow|donotlist)\w+"
)


def grant(schema_name: str, roles: Roles) -> None:
    """Give each role what it needs in a schema: rows, never tables; then lock what holds people (`kit.policies`).

    `APPEND_ONLY` tables can't be rewritten. One transaction: there is no moment in which too much is open.
    """
    with schema_context(schema_name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema_name])
        tables = {name for (name,) in cursor.fetchall()}

        def run(statement: str, role: str, table: str = "") -> None:
            cursor.execute(
                sql.SQL(statement)
                .format(
                    schema=sql.Identifier(schema_name),
                    role=sql.SQL("PUBLIC") if role == "PUBLIC" else sql.Identifier(role),
                    table=sql.Identifier(schema_name, table),
                )
                .as_string()
            )

        run("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM {role}", "PUBLIC")
        for role in roles:
            run("GRANT USAGE ON SCHEMA {schema} TO {role}", role)
        for role in (roles.app, roles.worker):
            run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}", role)
            run("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}", role)
            for table in sorted(APPEND_ONLY & tables):
                run("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}", role, table)
            for table in sorted({"django_migrations"} & tables):
                run("REVOKE INSERT, UPDATE, DELETE ON {table} FROM {role}", role, table)
        for role in (roles.app, roles.worker):
            run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}", role)
        for table in sorted(name for name in tables if PUBLISHED.fullmatch(name)):
            run("GRANT SELECT ON {table} TO {role}", roles.public, table)
        for table in sorted(name for name in tables if name.startswith("ledger_")):
            run("GRANT SELECT ON {table} TO {role}", roles.audit, table)
        run("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}", roles.backup)
        run("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}", roles.backup)
        if schema_name != get_public_schema_name():
            policies.apply(schema_name, roles)
