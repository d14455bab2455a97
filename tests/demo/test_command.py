"""`parvis demo` as a person types it, on a home of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def parvis(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("PARVIS_DSN", "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "parvis", *arguments],
        env={**env, "PARVIS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_the_command_fills_new_cities_then_changes_nothing_then_adds(tmp_path: Path) -> None:
    first = parvis(tmp_path, "demo", "--services", "30")
    assert first.returncode == 0, first.stderr
    montreal, geneve = first.stdout.splitlines()
    assert montreal.startswith("montreal: ") and ", 30 services," in montreal
    assert geneve.startswith("geneve: ") and ", 60 services," in geneve
    assert "Traceback" not in first.stderr

    again = parvis(tmp_path, "demo", "--services", "30")
    assert again.stdout.splitlines() == ["montreal: nothing to add", "geneve: nothing to add"]

    more = parvis(tmp_path, "demo", "--city", "montreal", "--services", "45")
    assert more.returncode == 0 and ", 15 services," in more.stdout

    verified = parvis(tmp_path, "ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    added = parvis(tmp_path, "city", "add", "laval", "--name", "Laval", "--domain", "laval.localhost",
                   "--languages", "fr,en")  # fmt: skip
    assert added.returncode == 0, added.stderr
    other = parvis(tmp_path, "demo", "--city", "laval", "--services", "10")
    assert other.returncode == 0 and ", 10 services," in other.stdout, other.stderr


def test_a_city_that_is_not_there_is_bad_use(tmp_path: Path) -> None:
    refused = parvis(tmp_path, "demo", "--city", "atlantis")
    assert refused.returncode == 2
    assert "atlantis" in refused.stderr and not refused.stdout
