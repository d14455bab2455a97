"""What the code imports is declared, and what is declared is in the lock: a fresh clone has nothing else."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name, maxsplit=1)[0]).lower()


def locked(file: str) -> set[str]:
    return {plain(line) for line in (ROOT / file).read_text().splitlines() if re.match(r"^[A-Za-z0-9]", line)}


def test_every_dependency_is_in_the_lock() -> None:
    needed = {plain(name) for name in PROJECT["project"]["dependencies"]}
    assert needed <= locked("requirements.lock")
    assert needed | {plain(name) for name in PROJECT["dependency-groups"]["dev"]} <= locked("requirements-dev.lock")


def test_every_import_is_a_declared_dependency() -> None:
    declared = {plain(name) for name in PROJECT["project"]["dependencies"]}
    owners = packages_distributions()
    undeclared = set()
    for path in (ROOT / "src").rglob("*.py"):
        for module in re.findall(r"^\s*(?:from|import)\s+([a-z_]\w*)(?:[. ]|$)", path.read_text(), re.M):
            if module in sys.stdlib_module_names or module == "parvis" or module not in owners:
                continue
            if not {plain(name) for name in owners[module]} & declared:
                undeclared.add(f"{module} in {path.name}")
    assert not undeclared


def test_no_lock_names_a_host() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / file).read_text()
