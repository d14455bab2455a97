"""The table of HSDS entities says what the official schemas say."""

import json
import tarfile
from pathlib import Path

import pytest

from parvis.core import hsds

ARCHIVE = Path(__file__).parents[3] / "shared/reference/hsds/schemas-compiled.tar.xz"
KINDS = {"uuid": "uuid", "uri": "uri", "email": "email", "date-time": "datetime"}


@pytest.fixture(scope="module")
def schemas() -> dict[tuple[str, str], dict]:
    if not ARCHIVE.exists():
        pytest.skip("../shared/reference/hsds is not here")
    found = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive.getmembers():
            parts = Path(member.name).parts
            if parts[-2] == "schema" and parts[-1] != "openapi.json":
                document = json.load(archive.extractfile(member))  # type: ignore[arg-type]
                found[parts[-3], parts[-1].removesuffix(".json")] = document
    return found


def test_twenty_four_entities_load_parents_first() -> None:
    assert len(hsds.ENTITIES) == 24
    assert sorted(hsds.LOAD_ORDER) == sorted(hsds.ENTITIES)
    for position, name in enumerate(hsds.LOAD_ORDER):
        for field in hsds.ENTITIES[name].references:
            if field.refers not in ("*", name):
                assert hsds.LOAD_ORDER.index(str(field.refers)) < position


@pytest.mark.parametrize("version", hsds.VERSIONS)
def test_fields_and_collections_are_those_of_the_official_schemas(schemas, version) -> None:
    for name, entity in hsds.ENTITIES.items():
        schema = schemas.get((version, name))
        if schema is None:
            assert entity.since > version
            continue
        properties = schema["properties"]
        direct = {k: p for k, p in properties.items() if p.get("type") in ("string", "number")}
        assert {field.name for field in entity.at(version)} == set(direct), name
        assert set(entity.required) == set(schema["required"]) & set(direct), name
        assert {f.name for f in entity.at(version) if f.tabular_required} == set(schema.get("tabular_required") or [])
        for key, described in direct.items():
            field = entity.field(key)
            assert field.enum == tuple(described.get("enum", ())), (name, key)
            kind = KINDS.get(described.get("format")) or described.get("datapackage_type")
            assert field.kind == (kind or {"number": "number", "string": "text"}[described["type"]])
        assert {m.name: f"{m.entity}.json" for m in entity.manys if m.since <= version} == {
            k: p["items"]["$ref"] for k, p in properties.items() if p.get("type") == "array"
        }
        assert {o.name: f"{o.entity}.json" for o in entity.ones if o.since <= version} == {
            k: p["$ref"] for k, p in properties.items() if "$ref" in p
        }
        assert schema.get("path", entity.file) == entity.file


def test_every_link_points_at_a_real_column() -> None:
    for entity in hsds.ENTITIES.values():
        for one in entity.ones:
            assert entity.field(one.through).refers == one.entity
        for many in entity.manys:
            assert hsds.ENTITIES[many.entity].field(many.through).refers in (entity.name, "*")


def test_3_3_replaces_the_schedules_of_a_service() -> None:
    service = hsds.ENTITIES["service"]
    assert "schedules" in {many.name for many in hsds.manys(service)}
    new = {many.name for many in hsds.manys(service, "3.3")}
    assert {"operating_hours", "events"} <= new and "schedules" not in new
    assert hsds.is_event({"dtstart": "2026-09-01"})
    assert not hsds.is_event({"dtstart": "2026-09-01", "freq": "WEEKLY"})
