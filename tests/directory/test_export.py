"""Exports: complete, valid, safe in a spreadsheet, and the same bytes after a round trip."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from parvis.directory.exporting import export_json, export_tabular
from parvis.directory.importing import MODELS, import_hsds
from parvis.directory.models import Service, TaxonomyTerm
from parvis.orgs.models import Organization

FORMS = ["json", "ndjson", "tabular", "zip"]
ORG = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path / "home"


def export(form: str, out: Path) -> dict[str, bytes]:
    """Export the active city; the bytes of every file."""
    if form in ("json", "ndjson"):
        with out.open("wb") as file:
            export_json(file, lines=form == "ndjson")
    else:
        export_tabular(out, zipped=form == "zip")
    return {file.name: file.read_bytes() for file in out.iterdir()} if out.is_dir() else {"": out.read_bytes()}


def rows() -> dict[str, int]:
    return {entity: model.objects.count() for entity, model in MODELS.items()}  # type: ignore[attr-defined]


def full(tmp_path: Path) -> Path:
    """A network with at least one row of every entity, and texts that try a spreadsheet and a reader."""
    ids = iter(range(10, 99))

    def new(**values: Any) -> dict[str, Any]:
        return {"id": f"{next(ids)}000000-0000-4000-8000-000000000000", **values}

    taxonomy = new(name="Needs", description="x", version="2")
    term = new(
        name="Food",
        description="x",
        taxonomy="Needs",
        taxonomy_detail=taxonomy,
        code="F",
        language="en",
        synonyms={"fr": ["bouffe", "manger"], "ar": ["طعام"]},
    )
    attributes = [new(taxonomy_term=term, label="about", value="v")]
    metadata = [
        new(
            last_action_date="2024-01-02",
            last_action_type="update",
            field_name="name",
            previous_value="a",
            replacement_value="b",
            updated_by="c",
        )
    ]
    phone = new(
        number="+1 514-555-0100",
        extension=12,
        type="voice",
        description="-- main",
        languages=[new(name="Arabic", code="ar", note="on Mondays")],
    )
    schedule = new(
        freq="WEEKLY",
        byday="MO,TU",
        opens_at="09:00",
        closes_at="17:30",
        wkst="MO",
        interval=1,
        valid_from="2026-01-01",
        valid_to="2026-12-31",
        notes="=not a formula",
        timezone=-5,
    )
    closed = new(dtstart="2026-12-25", until="2026-12-26", closed=True, description="Noël")
    place = new(
        location_type="physical",
        name='Local "A"',
        latitude=45.5017,
        longitude=-73.5673,
        attributes=attributes,
        addresses=[
            new(
                address_1="1 rue Principale",
                city="Montréal",
                state_province="QC",
                postal_code="H2X 1Y4",
                country="CA",
                address_type="physical",
            )
        ],
        accessibility=[new(description="Ramp", details="side door", url="https://example.org/a")],
        schedules=[closed],
        languages=[new(name="French", code="fr")],
    )
    organization = new(
        name="Organisme d'essai",
        description="Première ligne\n\nDeuxième, « ligne »; avec\ttabulation",
        email="a@example.org",
        website="https://example.org",
        year_incorporated=1990,
        funding=[new(source="Ville")],
        locations=[place],
        programs=[new(name="Programme", description="x", alternate_name="@home")],
        phones=[phone],
        additional_websites=[new(label="FB", url="https://example.org/fb")],
        metadata=metadata,
        organization_identifiers=[new(identifier_type="NEQ", identifier="0012345", identifier_scheme="CA-QC")],
        contacts=[new(name="Alice", title="Desk", phones=[new(number="211")])],
    )
    service = new(
        name="Repas",
        status="temporarily closed",
        description="'=quoted\n- one\n- two",
        organization=organization,
        program=organization["programs"][0],
        last_modified="2024-05-06T07:08:09.123Z",
        assured_date="2024-01-01",
        minimum_age=6,
        maximum_age=12.5,
        schedules=[schedule],
        service_areas=[new(name="Ville", extent="{}", extent_type="geojson")],
        service_at_locations=[
            new(location=place, description="Upstairs", schedules=[new(freq="MONTHLY", byday="2SA,-1FR")])
        ],
        cost_options=[new(option="Adult", currency="CAD", amount=3.5, valid_from="2026-01-01")],
        required_documents=[new(document="Passport", uri="https://example.org/p")],
        capacities=[
            new(unit=new(name="Bed", scheme="x"), available=3, maximum=10, updated="2024-09-25T14:23:06.5+01:00")
        ],
        additional_urls=[new(url="https://example.org/s")],
        attributes=[new(taxonomy_term=term)],
        languages=[new(name="Arabic", code="ar")],
    )
    other = new(name="Sans service", description="An organization with no service")
    file = tmp_path / "full.json"
    tagged = [
        {"hsds_entity": "organization", **other},
        {"hsds_entity": "meta_table_description", **new(name="set", language="fr")},
    ]
    file.write_text(json.dumps([service, *tagged], ensure_ascii=False))
    return file


@pytest.mark.parametrize("form", FORMS)
def test_out_in_and_out_again_is_the_same_and_nothing_is_lost(
    city: Any, other_city: Any, tmp_path: Path, form: str
) -> None:
    imported = import_hsds(full(tmp_path))
    assert not imported.report.findings
    here = rows()
    assert all(here.values()), "the set has a row of every entity"
    first = export(form, tmp_path / f"one.{form}")
    connection.set_tenant(other_city)
    again = import_hsds(tmp_path / f"one.{form}")
    assert [f for f in again.report.findings if f.done != "merged"] == []
    assert rows() == here
    assert export(form, tmp_path / f"two.{form}") == first
    assert TaxonomyTerm.objects.get().synonyms == {"fr": ["bouffe", "manger"], "ar": ["طعام"]}
    service = Service.objects.get()
    assert service.description == "'=quoted\n- one\n- two"
    connection.set_tenant(city)


@pytest.mark.parametrize("form", ["json", "zip"])
@pytest.mark.parametrize(
    "name",
    [
        "real/network_2021_hsds20",
        "real/network_2023",
        "3.1/examples/service_full.json",
        "ohana/sample-csv",
        "negative_1.1/all_resources",
    ],
)
def test_reference_sets_make_the_round_trip(
    city: Any, other_city: Any, shared: Path, tmp_path: Path, name: str, form: str
) -> None:
    import_hsds(shared / "hsds" / name)
    here = rows()
    first = export(form, tmp_path / f"one.{form}")
    connection.set_tenant(other_city)
    import_hsds(tmp_path / f"one.{form}")
    assert rows() == here
    assert export(form, tmp_path / f"two.{form}") == first
    connection.set_tenant(city)


@pytest.mark.parametrize("zipped", [False, True])
def test_frictionless_accepts_the_package(city: Any, tmp_path: Path, zipped: bool) -> None:
    frictionless = pytest.importorskip("frictionless")
    import_hsds(full(tmp_path))
    out = tmp_path / ("out.zip" if zipped else "out")
    export_tabular(out, zipped=zipped)
    if zipped:
        with zipfile.ZipFile(out) as archive:
            archive.extractall(tmp_path / "opened")
        out = tmp_path / "opened"
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])[:5]
    assert len(report.tasks) == 24


def test_an_empty_city_gives_empty_but_valid_exports(city: Any, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    assert json.loads(export("json", tmp_path / "a.json")[""]) == []
    assert export("ndjson", tmp_path / "a.ndjson")[""] == b""
    export_tabular(tmp_path / "tables")
    assert frictionless.validate(str(tmp_path / "tables/datapackage.json")).valid


def test_no_cell_begins_like_a_formula(city: Any, tmp_path: Path) -> None:
    import_hsds(full(tmp_path))
    for field, text in (
        ("name", "=1+1"),
        ("alternate_name", "@SUM(A1)"),
        ("legal_status", "+cmd|' /C calc'!A0"),
        ("tax_status", "-2+3+cmd"),
        ("description", "\t=1"),
    ):
        Organization.objects.create(
            name="x", changed_at="2026-01-01T00:00Z", **{field: text} if field != "name" else {}
        ) if (field != "name") else Organization.objects.create(name=text, changed_at="2026-01-01T00:00Z")
    before = sorted(
        Organization.objects.values_list("name", "alternate_name", "legal_status", "tax_status", "description")
    )
    for name, data in export("tabular", tmp_path / "out").items():
        if not name.endswith(".csv"):
            continue
        for row in csv.reader(io.StringIO(data.decode(), newline="")):
            for cell in row:
                if cell and cell[0] in "=+-@\t\r":
                    assert set(cell) <= set("+-0123456789 ().,/"), cell
    Organization.objects.all().delete()
    connection.cursor().execute("DELETE FROM directory_sourcerow")
    import_hsds(tmp_path / "out")
    after = sorted(
        Organization.objects.values_list("name", "alternate_name", "legal_status", "tax_status", "description")
    )
    assert after == before


def test_services_are_valid_by_the_official_schema(city: Any, shared: Path, tmp_path: Path) -> None:
    import tarfile

    jsonschema = pytest.importorskip("jsonschema")
    archive = shared / "hsds/schemas-compiled.tar.xz"
    with tarfile.open(archive) as tar:
        found = {n: json.load(tar.extractfile(f"3.2/compiled/{n}.json")) for n in ("service", "organization")}  # type: ignore[arg-type]
    import_hsds(full(tmp_path))
    objects = json.loads(export("json", tmp_path / "a.json")[""])
    kinds = {value.get("hsds_entity", "service") for value in objects}
    assert {"service", "organization", "taxonomy", "taxonomy_term"} <= kinds
    for value in objects:
        schema = found.get(value.get("hsds_entity", "service"))
        if schema:
            jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


def test_what_is_no_longer_listed_or_not_published_stays_out(city: Any, tmp_path: Path) -> None:
    from django.utils import timezone

    from parvis.directory.models import Phone, Tombstone

    import_hsds(full(tmp_path))
    Phone.objects.update(missing_since=timezone.now())
    service = Service.objects.get()
    Tombstone.objects.create(kind="service", object_id=service.pk, at=timezone.now(), reason="unlisted")
    text = export("json", tmp_path / "a.json")[""]
    assert b"555-0100" not in text and str(service.pk).encode() not in text
    files = export("tabular", tmp_path / "out")
    assert str(service.pk).encode() not in b"".join(files.values())
    assert "phones.csv" not in files
