"""The command line as a person meets it: help, exit status, one clear line when it can't."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from parvis.kit.server import Roles
from parvis.site.cli import COMMANDS, main
from parvis.site.commands.backup import tool
from tests.conftest import URLS


def parvis(*arguments: str, home: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if name not in ("PARVIS_DSN", "DJANGO_SETTINGS_MODULE")}
    given.pop("PYTEST_XDIST_WORKER", None)
    if home:
        given["PARVIS_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, "-m", "parvis", *arguments], env={**given, **env}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_has_help(path: str) -> None:
    group: click.Command = main
    context = click.Context(main)
    for word in path.split(" "):
        assert isinstance(group, click.Group)
        found = group.get_command(context, word)
        assert found is not None
        group = found
    assert group.help and group.help.strip()


def test_help_goes_to_stdout_and_bad_use_is_2() -> None:
    shown = parvis("--help")
    assert shown.returncode == 0 and "import" in shown.stdout and "ledger" in shown.stdout and not shown.stderr
    for bad in (["nonsense"], ["city", "add"], ["run", "--port", "99999999"], ["restore", "/nowhere.zip"]):
        failed = parvis(*bad)
        assert failed.returncode == 2, bad
        assert failed.stderr and not failed.stdout and "Traceback" not in failed.stderr


def one_clear_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("parvis: "), result.stderr
    assert all(word in lines[0] for word in words), lines[0]


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        one_clear_line(parvis("run", home=tmp_path, PORT=port), port, "PORT")
    assert not (tmp_path / "postgres").exists()  # nothing was started for nothing


@pytest.mark.parametrize("url", ["postgres://nobody:x@127.0.0.1:1/none", "garbage", "postgres://[::bad"])
@pytest.mark.parametrize("command", [["run"], ["city", "list"], ["ledger", "verify"]])
def test_a_broken_database_url(tmp_path: Path, url: str, command: list[str]) -> None:
    one_clear_line(parvis(*command, home=tmp_path, DATABASE_URL=url, PORT="0" if command != ["run"] else "18999"),
                   "DATABASE_URL")  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]).returncode:
        pytest.skip("only root can mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    one_clear_line(parvis("run", home=small_disk / "var", PORT="18998"), "full", "PARVIS_HOME")


def test_a_read_only_disk(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    one_clear_line(parvis("run", home=small_disk / "var", PORT="18998"), "PARVIS_HOME")


def everybody(database: str) -> dict[str, str]:
    """DATABASE_URL and one URL for each role, as an office sets them whose owner may not create roles."""
    urls = {
        f"{role.upper()}_DATABASE_URL": make_conninfo(getattr(URLS, role), dbname=database) for role in Roles._fields
    }
    return {"DATABASE_URL": make_conninfo(URLS.owner, dbname=database), **urls}


def test_a_new_database_says_how_to_begin(tmp_path: Path) -> None:
    name = f"test_new_{os.getpid()}"
    with psycopg.connect(URLS.owner, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
        try:
            answer = parvis("city", "list", home=tmp_path, **everybody(name))
            one_clear_line(answer, "parvis run", "city add")
        finally:
            owner.execute(f'DROP DATABASE "{name}"')


def test_cities_ledger_backup_and_restore_from_end_to_end(tmp_path: Path) -> None:
    """On a database of its own, through DATABASE_URL: the path of an office with its own PostgreSQL."""
    name = f"test_office_{os.getpid()}"
    with psycopg.connect(URLS.owner, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
        owner.execute(f'DROP DATABASE IF EXISTS "{name}_restored"')
    env = everybody(name)
    try:
        added = parvis("city", "add", "geneve", "--name", "Genève", "--domain", "geneve.localhost", "--languages",
                       "fr,en,ar", home=tmp_path, **env)  # fmt: skip
        assert added.returncode == 0 and added.stdout.startswith("geneve\tGenève\tfr,en,ar")
        twice = parvis("city", "add", "geneve", "--name", "G", "--domain", "g.localhost", home=tmp_path, **env)
        assert twice.returncode == 2 and "already" in twice.stderr
        listed = parvis("city", "list", home=tmp_path, **env)
        assert listed.stdout == "geneve\tGenève\tfr,en,ar\tgeneve.localhost\n"
        assert parvis("ledger", "verify", home=tmp_path, **env).stdout.rstrip().endswith("whole")
        file = tmp_path / "office.zip"
        kept = parvis("backup", str(file), home=tmp_path, **env)
        assert kept.returncode == 0 and "1 cities" in kept.stdout
        assert parvis("backup", str(file), home=tmp_path, **env).returncode == 2  # never over another one unasked
        refused = parvis("restore", str(file), home=tmp_path, **env)
        assert refused.returncode == 2 and "--replace" in refused.stderr
        added = parvis("city", "add", "laval", "--name", "Laval", "--domain", "laval.localhost", home=tmp_path, **env)
        assert added.returncode == 0
        back = parvis("restore", str(file), "--replace", home=tmp_path, **env)
        assert back.returncode == 0, back.stderr
        assert parvis("city", "list", home=tmp_path, **env).stdout.count("\n") == 1  # Laval came after the backup
        damaged = tmp_path / "damaged.zip"
        damaged.write_bytes(file.read_bytes()[:-2000])
        assert parvis("restore", str(damaged), "--replace", home=tmp_path, **env).returncode == 1
        assert parvis("city", "list", home=tmp_path, **env).stdout.startswith("geneve")
    finally:
        with psycopg.connect(URLS.owner, autocommit=True) as owner:
            owner.execute(f'DROP DATABASE "{name}"')


def test_the_dump_tool_is_the_servers_own() -> None:
    assert shutil.which(tool("pg_dump"))
