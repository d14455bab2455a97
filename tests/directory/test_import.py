"""Imports into a city: once, twice, newer, killed in the middle, and beside people's own work."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from parvis.core.hsds_files import HsdsError
from parvis.directory.importing import Imported, import_hsds
from parvis.directory.models import Document, ImportRun, Listing, Location, Phone, Service, Tombstone
from parvis.ledger.models import Event
from parvis.orgs.models import Organization

ORG = "11111111-1111-4111-8111-111111111111"
FIRST = "22222222-2222-4222-8222-222222222221"
SECOND = "22222222-2222-4222-8222-222222222222"
PLACE = "33333333-3333-4333-8333-333333333333"
PHONE = "44444444-4444-4444-8444-444444444441"


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path / "home"


def network(folder: Path, services: str = "", phones: str = "") -> Path:
    place = folder / "network"
    place.mkdir(exist_ok=True)
    (place / "organizations.csv").write_text(f"id,name,description\n{ORG},Accueil,Un organisme\n")
    (place / "services.csv").write_text(
        "id,organization_id,name,status\n"
        + (services or f"{FIRST},{ORG},Cours de français,active\n{SECOND},{ORG},Repas,active\n")
    )
    (place / "locations.csv").write_text(
        f"id,location_type,name,latitude,longitude\n{PLACE},physical,Local,45.5,-73.6\n"
    )
    (place / "phones.csv").write_text("id,service_id,number\n" + (phones or f"{PHONE},{FIRST},+1 514-555-0100\n"))
    return place


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every directory table, the ledger and the documents."""
    tables = [
        "orgs_organization",
        "directory_service",
        "directory_location",
        "directory_phone",
        "directory_document",
        "directory_listing",
        "directory_revision",
        "directory_sourcerow",
        "ledger_event",
        "ledger_head",
    ]
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT {table}::text FROM {table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def test_a_network_is_imported_rendered_indexed_and_told(city: Any, tmp_path: Path) -> None:
    imported = import_hsds(network(tmp_path))
    assert {name: count for name, count in imported.changes.as_dict().items() if count} == {"created": 5}
    service = Service.objects.get(pk=FIRST)
    assert (service.name, service.source, service.version) == ("Cours de français", "network", 1)
    assert (
        json.loads(Document.objects.get(kind="service", object_id=FIRST).whole)["phones"][0]["number"]
        == "+1 514-555-0100"
    )
    assert Listing.objects.filter(object_id__in=[FIRST, SECOND, ORG]).count() == 3
    codes = sorted(Event.objects.values_list("code", flat=True))
    assert codes == [
        "directory.imported",
        "location.created",
        "organization.created",
        "service.created",
        "service.created",
    ]
    event = Event.objects.get(code="organization.created")
    assert (event.before, event.after["name"], event.actor_label) == (None, "Accueil", "import")
    run = ImportRun.objects.get()
    assert run.report["totals"]["read"] == 5 and run.source == "network" and len(run.digest) == 64
    page = next(file for file in imported.files if file.suffix == ".html").read_text()
    assert "services.csv" in page and "<script" not in page
    assert json.loads(next(f for f in imported.files if f.suffix == ".json").read_text())["changes"]["created"] == 5


def test_the_same_twice_changes_nothing_as_a_folder_or_as_a_zip(city: Any, tmp_path: Path) -> None:
    place = network(tmp_path)
    import_hsds(place)
    before = everything()
    with zipfile.ZipFile(tmp_path / "network.zip", "w") as archive:
        for file in place.iterdir():
            archive.write(file, file.name)
    for path in (place, tmp_path / "network.zip"):
        again = import_hsds(path)
        assert {name: count for name, count in again.changes.as_dict().items() if count} == {"unchanged": 5}
    assert everything() == before


def test_a_newer_file_updates_marks_and_brings_back(city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    changed = Organization.objects.get().changed_at
    newer = import_hsds(network(tmp_path, services=f"{FIRST},{ORG},Cours d'anglais,active\n"))
    assert (newer.changes.updated, newer.changes.marked, newer.changes.unchanged) == (1, 1, 3)
    assert Service.objects.get(pk=FIRST).name == "Cours d'anglais"
    gone = Service.objects.get(pk=SECOND)
    assert gone.missing_since is not None
    event = Event.objects.get(code="service.edited")
    assert (event.before["name"], event.after["name"]) == ("Cours de français", "Cours d'anglais")
    assert Event.objects.filter(code="service.missing", object_id=SECOND).count() == 1
    assert Organization.objects.get().changed_at == changed
    assert json.loads(Document.objects.get(kind="service", object_id=FIRST).whole)["name"] == "Cours d'anglais"
    since = gone.missing_since
    import_hsds(network(tmp_path, services=f"{FIRST},{ORG},Cours d'anglais,active\n"))
    assert Service.objects.get(pk=SECOND).missing_since == since
    back = import_hsds(network(tmp_path))
    assert (back.changes.back, back.changes.updated) == (1, 1)
    assert Service.objects.get(pk=SECOND).missing_since is None


def test_a_phone_taken_away_is_not_shown_any_more_and_its_service_has_changed(city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    other = PHONE.replace("1", "2")
    import_hsds(network(tmp_path, phones=f"{other},{SECOND},+1 514-555-0199\n"))
    assert Phone.objects.get(pk=PHONE).missing_since is not None
    assert "phones" not in json.loads(Document.objects.get(kind="service", object_id=FIRST).whole)
    assert {service.version for service in Service.objects.all()} == {2}


def test_two_sources_do_not_mark_each_others_rows(city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "services.csv").write_text("id,name,status\nx1,Garderie,active\n")
    import_hsds(tmp_path / "other")
    assert Service.objects.filter(missing_since=None).count() == 3
    assert Service.objects.get(name="Garderie").source == "other"


def test_what_people_corrected_or_removed_stays_so(city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    Service.objects.filter(pk=FIRST).update(name="Francisation")
    Phone.objects.all().delete()
    again = import_hsds(network(tmp_path))
    assert (again.changes.created, again.changes.updated, again.changes.left) == (0, 0, 1)
    assert Service.objects.get(pk=FIRST).name == "Francisation"
    assert not Phone.objects.exists()
    newer = import_hsds(
        network(tmp_path, services=f"{FIRST},{ORG},Cours du soir,active\n{SECOND},{ORG},Repas,active\n")
    )
    assert newer.changes.updated == 1
    assert Service.objects.get(pk=FIRST).name == "Cours du soir"


def test_do_not_list_is_remembered(city: Any, tmp_path: Path) -> None:
    from django.utils import timezone

    Tombstone.objects.create(kind="service", object_id=FIRST, at=timezone.now(), reason="deleted")
    imported = import_hsds(network(tmp_path))
    assert not Service.objects.filter(pk=FIRST).exists()
    assert {f.code for f in imported.report.findings} == {"do_not_list", "parent_missing"}


def test_a_dry_run_takes_everything_back(city: Any, tmp_path: Path) -> None:
    before = everything()
    imported = import_hsds(network(tmp_path), dry_run=True)
    assert imported.changes.created == 5
    assert everything() == before and not ImportRun.objects.exists()


def test_one_city_never_sees_the_others_rows(city: Any, other_city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    connection.set_tenant(other_city)
    assert not Service.objects.exists() and not Document.objects.exists()
    connection.set_tenant(city)


def test_a_hostile_file_is_one_error_and_nothing_written(city: Any, tmp_path: Path) -> None:
    before = everything()
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../services.csv", "id,name,status\n1,a,active\n")
    with pytest.raises(HsdsError, match="leads out"):
        import_hsds(tmp_path / "bad.zip")
    assert everything() == before


def test_hostile_cells_reach_no_table(city: Any, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>Aide\\t\\\\N"
    import_hsds(network(tmp_path, services=f'{FIRST},{ORG},"{bad}",active\n{SECOND},{ORG},=HYPERLINK("x"),active\n'))
    assert set(Service.objects.values_list("name", flat=True)) == {"Aide\\t\\\\N", 'HYPERLINK("x")'}


@pytest.mark.parametrize("name", ["network_2021_hsds20", "network_2023"])
def test_a_real_network_goes_in_once(city: Any, shared: Path, name: str) -> None:
    imported = import_hsds(shared / "hsds/real" / name)
    totals = imported.report.totals()
    assert totals["read"] == totals["written"] + totals["merged"] + totals["refused"]
    assert imported.changes.created == totals["written"] + totals["added"]
    again = import_hsds(shared / "hsds/real" / name)
    assert again.changes.as_dict() == {
        "created": 0,
        "updated": 0,
        "marked": 0,
        "back": 0,
        "left": 0,
        "unchanged": imported.changes.created,
        "held": 0,
        "barred": 0,
    }
    assert Document.objects.filter(kind="service").count() == Service.objects.count()
    assert Listing.objects.filter(kind="organization").count() == Organization.objects.count()


KILLED = """
    import os, sys
    sys.path.insert(0, {root!r})
    import tests.conftest as fixtures
    fixtures._use("app", {database!r})
    from django.db import connection
    from parvis.cities.models import City
    connection.set_tenant(City.objects.get(schema_name={schema!r}))
    from parvis.directory import importing, listings
    def stop(*args, **kwargs):
        print("in the middle", flush=True)
        import time
        time.sleep(60)
    importing.listings.refresh = stop
    importing.import_hsds({path!r})
"""


def test_a_kill_in_the_middle_leaves_everything_as_it_was(fresh_city: Any, tmp_path: Path) -> None:
    import_hsds(network(tmp_path))
    before = everything()
    newer = network(tmp_path, services=f"{FIRST},{ORG},Autre chose,active\n")
    code = textwrap.dedent(KILLED).format(
        root=str(Path(__file__).parents[2]),
        database=connection.settings_dict["NAME"],
        schema=fresh_city.schema_name,
        path=str(newer),
    )
    environment = {**os.environ, "PARVIS_TEST_HOME": os.environ["PARVIS_HOME"]}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "in the middle"
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(50):  # until PostgreSQL has noticed
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()")
            if not cursor.fetchone()[0]:
                break
        time.sleep(0.1)
    assert everything() == before
    assert import_hsds(newer).changes.updated == 1


def test_locations_out_of_the_file_stay_when_the_file_does_not_speak_of_them(city: Any, tmp_path: Path) -> None:
    place = network(tmp_path)
    import_hsds(place)
    (place / "locations.csv").unlink()
    imported: Imported = import_hsds(place)
    assert imported.changes.marked == 0
    assert Location.objects.get().missing_since is None
    assert settings.HOME.name == "home"


def test_a_location_is_put_into_the_borough_of_its_point(city: Any, tmp_path: Path) -> None:
    from parvis.places.models import Borough

    ring = [[-73.7, 45.4], [-73.5, 45.4], [-73.5, 45.6], [-73.7, 45.6], [-73.7, 45.4]]
    Borough.objects.create(
        code="centre",
        name="Centre",
        latitude=45.5,
        longitude=-73.6,
        geometry={"type": "Polygon", "coordinates": [ring]},
    )
    import_hsds(network(tmp_path))
    assert Location.objects.get().borough == "centre"
    assert import_hsds(network(tmp_path)).changes.unchanged == 5
