"""The commands about people's data, run as an operator does, on a database of their own."""

import csv
import io
import json
import os
import uuid
from pathlib import Path

import psycopg

from tests.conftest import URLS
from tests.site.test_commands import everybody, parvis


def test_keys_purge_erase_and_the_data_map(tmp_path: Path) -> None:
    name = f"test_rights_{os.getpid()}"
    with psycopg.connect(URLS.owner, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
    env = everybody(name)
    try:
        added = parvis("city", "add", "geneve", "--name", "Genève", "--domain", "geneve.localhost", "--languages",
                       "fr,en", home=tmp_path, **env)  # fmt: skip
        assert added.returncode == 0, added.stderr
        assert parvis("keys", "list", home=tmp_path, **env).stdout == "1\t0\tnewest\n"
        assert parvis("keys", "retire", "1", home=tmp_path, **env).returncode == 1
        rotated = parvis("keys", "rotate", home=tmp_path, **env)
        assert rotated.stdout == "2\t0 data keys wrapped anew\n", rotated.stderr
        assert parvis("keys", "retire", "1", home=tmp_path, **env).stdout == "1\tretired\n"
        assert parvis("keys", "list", home=tmp_path, **env).stdout == "2\t0\tnewest\n", "version 1 is not made again"
        assert "no version 7" in parvis("keys", "retire", "7", home=tmp_path, **env).stderr
        given = parvis("keys", "rotate", home=tmp_path, PARVIS_KEYS="2:secret", **env)
        assert given.returncode == 1 and "PARVIS_KEYS" in given.stderr
        counted = parvis("purge", "--dry-run", home=tmp_path, **env)
        assert "geneve\tpersons whose file is closed\t0" in counted.stdout, counted.stderr
        assert parvis("purge", home=tmp_path, **env).stdout == counted.stdout
        nobody = parvis("erase", str(uuid.uuid4()), "--yes", home=tmp_path, **env)
        assert nobody.returncode == 1 and "is not in geneve" in nobody.stderr
        assert parvis("erase", str(uuid.uuid4()), "--yes", "--again", home=tmp_path, **env).returncode == 0
        assert parvis("erase", str(uuid.uuid4()), home=tmp_path, **env).returncode == 1, "it asks, nobody answers"
        table = list(csv.DictReader(io.StringIO(parvis("datamap", "--csv", home=tmp_path, **env).stdout)))
        listed = json.loads(parvis("datamap", "--json", home=tmp_path, **env).stdout)
        assert len(table) == len(listed) > 100
        name_line = next(line for line in listed if (line["table"], line["column"]) == ("cases_person", "name"))
        assert name_line["days"] == 1825 and "cases_access" in name_line["policy"] and not name_line["sealed"]
        assert parvis("datamap", home=tmp_path, **env).stdout.startswith("table\tcolumn\tpurpose")
    finally:
        with psycopg.connect(URLS.owner, autocommit=True) as owner:
            owner.execute(f'DROP DATABASE "{name}"')
