"""The locks on other servers than the embedded one: the tests of access, lint and rows, on PostgreSQL 15 to 18.

A server is taken where Debian puts it; on Debian: `apt-get install --no-install-recommends postgresql-15` and so on
(postgresql-16, -17 and -18 from apt.postgresql.org). Versions that are not installed are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

Figure = Callable[..., None]
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("versions")]

WHAT = ["tests/cases/test_access.py", "tests/cases/test_lint.py", "tests/proof/test_context.py",
        "tests/proof/test_projection.py", "tests/proof/test_matrix.py"]  # fmt: skip


@pytest.fixture(params=[15, 16, 17, 18])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """A server of this version on a socket of its own, with an owner who may make databases and roles."""
    version: int = request.param
    programs = Path(f"/usr/lib/postgresql/{version}/bin")
    if not (programs / "initdb").exists():
        pytest.skip(f"no PostgreSQL {version} on this machine (Debian: apt-get install postgresql-{version})")
    folder = Path(tempfile.mkdtemp(prefix=f"parvis-{version}-"))
    user: dict[str, Any] = {}
    if os.getuid() == 0:  # a server refuses to run as root; Debian's package brings this account
        shutil.chown(folder, "postgres")
        user = {"user": "postgres", "cwd": folder}
    data = folder / "data"
    settings = f"-k {folder} -c listen_addresses= -c port=5499 -c fsync=off -c max_connections=200"

    def run(*command: Any) -> None:
        done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **user)
        assert done.returncode == 0, done.stderr or done.stdout

    run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    subprocess.run([programs / "pg_ctl", "-D", data, "-o", settings, "-w", "-l", folder / "log", "start"], check=True,
                   stdout=subprocess.DEVNULL, **user)  # fmt: skip
    try:
        asked = ["-h", folder, "-p", "5499", "-U", "postgres", "-q", "-c"]
        run(programs / "psql", *asked, "CREATE ROLE parvis_owner LOGIN CREATEDB CREATEROLE")
        run(programs / "psql", *asked, "CREATE DATABASE parvis OWNER parvis_owner")
        yield version, f"postgresql://parvis_owner@/parvis?host={folder}&port=5499"
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_the_locks_hold_on(server: tuple[int, str], tmp_path: Path, figure: Figure) -> None:
    version, url = server
    hidden = ("PARVIS_DSN", "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER", "PARVIS_HOME")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env |= {"DATABASE_URL": url, "PARVIS_TEST_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-m", "pytest", *WHAT, "--tb=short", "-p", "no:cacheprovider"], cwd=ROOT,
                          env=env, capture_output=True, text=True)  # fmt: skip
    passed = re.search(r"(\d+) passed", done.stdout)
    figure(version=version, tests_passed=passed.group(1) if passed else 0)
    assert done.returncode == 0, done.stdout[-6000:]
