"""HSDS_VERSION=3.3: every document of a demo city against the 3.3 schemas, and what 3.3 tells apart."""

import json
import tarfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.db import transaction
from django.test import override_settings

from parvis.demo import loader
from parvis.directory import documents
from parvis.directory.models import Document, Schedule, Service

KINDS = ("service", "organization", "service_at_location")


@pytest.fixture(scope="module")
def schemas(shared: Path) -> dict[str, Any]:
    """The schemas of HSDS 3.3 as validators that also hold formats: kind, and kind_list for an item of a list."""
    archive_path = shared / "hsds" / "schemas-compiled.tar.xz"
    if not archive_path.is_file():
        pytest.skip("no schemas-compiled.tar.xz in ../shared/reference/hsds")
    found = {}
    with tarfile.open(archive_path) as archive:
        for member in archive.getmembers():
            path = Path(member.name)
            if path.parts[-3:-1] == ("3.3", "compiled"):
                schema = json.load(archive.extractfile(member))  # type: ignore[arg-type]
                found[path.stem] = jsonschema_rs.validator_for(schema, validate_formats=True)
    if not found:
        pytest.skip("the schemas of HSDS 3.3 are not in ../shared/reference/hsds")
    return found


@override_settings(HSDS_VERSION="3.3")
def test_every_document_fits_the_schemas_of_3_3(city: Any, schemas: dict[str, Any]) -> None:
    loader.load("montreal", services=60)
    one = Service.objects.filter(schedules=None).first() or Service.objects.first()
    Schedule.objects.create(service=one, dtstart="2026-03-01", opens_at="10:00", closes_at="12:00", description="Fête")
    with transaction.atomic():
        documents.refresh(everything=True)
    hours = events = 0
    for kind in KINDS:
        rows = list(Document.objects.filter(kind=kind))
        assert len(rows) >= 20
        for row in rows:
            item, whole = json.loads(row.item), json.loads(row.whole)
            assert list(schemas[kind].iter_errors(whole)) == [], whole["id"]
            assert list(schemas[f"{kind}_list"].iter_errors(item)) == [], item["id"]
            if kind == "service":
                assert "schedules" not in whole
                hours += len(whole.get("operating_hours", ()))
                events += len(whole.get("events", ()))
    assert hours > 20 and events >= 1
    # and what is wrong would be seen
    whole = json.loads(Document.objects.filter(kind="service", whole__contains='"operating_hours"').first().whole)
    for spoil in ({"status": "asleep"}, {"operating_hours": [{"opens_at": 9}]}, {"events": "soon"}, {"id": 7}):
        assert list(schemas["service"].iter_errors(whole | spoil)), spoil
    del whole["name"]
    assert list(schemas["service"].iter_errors(whole))
