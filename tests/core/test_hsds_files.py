"""Opening and reading packages: every known shape, every hostile file, and the account of each row."""

import csv
import io
import json
import os
import stat
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.core.hsds import ENTITIES, LOAD_ORDER
from parvis.core.hsds_files import HsdsError, Limits, open_package
from parvis.core.hsds_reading import COLUMNS, SENTENCES, Reading, Report, stable_id

REFERENCE = Path(__file__).parents[3] / "shared/reference/hsds"
ORG = "11111111-1111-4111-8111-111111111111"
SERVICE = "22222222-2222-4222-8222-222222222222"
PLACE = "33333333-3333-4333-8333-333333333333"


class Read:
    """What came out of reading: rows by entity as dictionaries, and the report."""

    def __init__(self, path: Path, **options: Any) -> None:
        limits = options.get("limits")
        with open_package(path, limits) as package:
            reading = Reading(package, **options)
            reading.read()
            self.rows: dict[str, list[dict[str, str]]] = {}
            for entity, rows in reading.all_rows():
                self.rows[entity] = [dict(zip(COLUMNS[entity].names, row, strict=True)) for row in rows]
            self.report: Report = reading.report
            self.listed = reading.listed()
            reading.close()

    def only(self, entity: str) -> dict[str, str]:
        (row,) = self.rows[entity]
        return row

    def codes(self, done: str = "") -> Counter[str]:
        return Counter(f.code for f in self.report.findings if not done or f.done == done)


def account_holds(read: Read) -> None:
    """read = written + merged + refused in every file; each refused row is in the report; what came out is whole."""
    for count in read.report.counts.values():
        assert count.read == count.written + count.merged + count.refused, count
        assert min(count.read, count.written, count.merged, count.refused, count.repaired) >= 0, count
        assert count.repaired <= count.written, count
    refused = sum(count.refused for count in read.report.counts.values())
    assert len([f for f in read.report.findings if f.done == "refused"]) == refused
    assert sum(c.written + c.added for c in read.report.counts.values()) == sum(map(len, read.rows.values()))
    ids = {entity: {row["id"] for row in rows} for entity, rows in read.rows.items()}
    for entity, rows in read.rows.items():
        assert len(ids[entity]) == len(rows), f"two rows of {entity} have the same id"
        for row in rows:
            for field in ENTITIES[entity].references:
                key = row[field.name]
                if key is not None and field.refers != "*":
                    assert key in ids[str(field.refers)], (entity, field.name)
    assert {f.code for f in read.report.findings} <= SENTENCES.keys()


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    place = tmp_path / "network"
    place.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (place / f"{name}.csv").write_bytes(data)
    return place


def good(tmp_path: Path, **more: str | bytes) -> Path:
    return folder(
        tmp_path,
        organizations=f"id,name,description\n{ORG},Accueil,Un organisme\n",
        services=f"id,organization_id,name,status\n{SERVICE},{ORG},Cours de français,active\n",
        locations=f"id,location_type,name,latitude,longitude\n{PLACE},physical,Le local,45.5,-73.6\n",
        **more,
    )


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


# Shapes


def test_a_good_package_is_read_without_a_word(tmp_path: Path) -> None:
    read = Read(good(tmp_path))
    account_holds(read)
    assert read.report.totals() == {"read": 3, "written": 3, "merged": 0, "repaired": 0, "refused": 0, "added": 0}
    assert read.report.findings == []
    assert read.only("service")["organization_id"] == ORG
    assert read.report.source == "network"


def test_a_folder_and_its_zip_are_the_same_source_and_the_same_rows(tmp_path: Path) -> None:
    place = good(tmp_path)
    files = {f"inside/{file.name}": file.read_bytes() for file in place.iterdir()}
    archive = zipped(tmp_path / "network.zip", files)
    first, second = Read(place), Read(archive)
    assert first.rows == second.rows
    assert first.report.source == second.report.source


@pytest.mark.parametrize(
    ("path", "shape", "totals"),
    [
        # read by hand with csv.reader; written, merged and refused add up to it
        ("real/network_2021_hsds20", "2", {"read": 7794, "written": 2994, "merged": 1, "refused": 4799}),
        ("real/network_2023", "recordid", {"read": 25640, "refused": 7321}),
        ("negative_1.1/all_resources", "1.1", {"read": 71, "written": 68, "merged": 3, "refused": 0}),
        ("negative_1.1/all_resources_non_enum", "1.1", {"read": 71, "refused": 0}),
        ("negative_1.1/simple", "1.1", {"read": 182, "merged": 0}),
        ("negative_1.1/simple_non_unique", "1.1", {"read": 184, "merged": 2}),
        ("ohana/sample-csv", "ohana", {"read": 486, "written": 486, "refused": 0}),
        ("3.1/examples/csv", "3", {"read": 24, "written": 20, "refused": 4}),
        ("3.1/examples/service_full.json", "3", {"read": 58, "written": 23, "merged": 35, "refused": 0}),
        ("3.1/examples/organization_list.json", "3", {"read": 1, "written": 1}),
        ("3.1/examples/taxonomy_term_list.json", "3", {"read": 2, "written": 2}),
        ("3.1/examples/tabular.json", "3", {"read": 21}),
    ],
)
def test_reference_sets(path: str, shape: str, totals: dict[str, int]) -> None:
    if not REFERENCE.is_dir():
        pytest.skip("no ../shared/reference beside this clone")
    read = Read(REFERENCE / path, region="CA")
    account_holds(read)
    assert read.report.shape == shape
    found = read.report.totals()
    assert {name: found[name] for name in totals} == totals
    counted = 0
    if (REFERENCE / path).is_dir():
        for file in (REFERENCE / path).glob("*.csv"):
            with file.open(encoding="utf-8", newline="") as stream:
                counted += sum(1 for row in csv.reader(stream) if row) - 1
        assert counted == found["read"]


def test_the_older_shape_speaks_of_the_same_things(tmp_path: Path) -> None:
    """HSDS 1.1: integer ids, weekdays, 9:00am, x57471, languages in one cell, eligibility apart."""
    read = Read(
        folder(
            tmp_path,
            organizations="id,name,description,url\n1,CafÃ© du coin,Lâ€™accueil,example.org\n",
            services="id,organization_id,name,status,fees\n5,1,Meals,active,$2\n",
            locations="id,organization_id,name\n7,1,Hall\n",
            services_at_location="id,service_id,location_id\n1,5,7\n",
            regular_schedules="id,service_id,location_id,weekday,opens_at,closes_at\n"
            "1,5,,1,9:00am,5:00pm\n2,5,,Monday - Friday,9:00,17:00:00\n3,5,,2nd & 4th Saturday,10am,3pm\n",
            holiday_schedules="id,service_id,closed,start_date,end_date\n1,5,true,2026-12-24,2026-12-26\n",
            phones='id,service_id,number,extension,language\n1,5,(514) 555-0123 x57471,,"en, es"\n',
            eligibility="id,service_id,eligibility\n1,5,adult\n",
            payments_accepted="id,service_id,payment\n1,5,cash\n2,99,cheque\n",
            physical_addresses="id,location_id,address_1,city,state_province,postal_code,country\n"
            "1,7,1 rue Principale,Montréal,QC,H2X 1Y4,Canada\n",
        ),
        region="CA",
    )
    account_holds(read)
    assert read.report.shape == "1.1"
    organization = read.only("organization")
    assert (organization["name"], organization["description"]) == ("Café du coin", "L’accueil")
    assert organization["website"] == "https://example.org"
    assert organization["id"] == stable_id("network", "organization", "1")
    service = read.only("service")
    assert service["eligibility_description"] == "adult"
    assert service["fees_description"] == "$2\ncash"
    days = {row["byday"]: (row["freq"], row["opens_at"], row["closes_at"]) for row in read.rows["schedule"]}
    assert days["MO"] == ("WEEKLY", "09:00", "17:00")
    assert days["MO,TU,WE,TH,FR"] == ("WEEKLY", "09:00", "17:00")
    assert days["2SA,4SA"] == ("MONTHLY", "10:00", "15:00")
    closed = [row for row in read.rows["schedule"] if row["closed"] == "true"]
    assert [(row["dtstart"], row["until"]) for row in closed] == [("2026-12-24", "2026-12-26")]
    phone = read.only("phone")
    assert (phone["number"], phone["extension"]) == ("+1 514-555-0123", "57471")
    assert {(row["code"], row["phone_id"]) for row in read.rows["language"]} == {
        ("en", phone["id"]),
        ("es", phone["id"]),
    }
    assert read.only("address")["country"] == "CA"
    (refused,) = [f for f in read.report.findings if f.done == "refused"]
    assert (refused.file, refused.line, refused.row) == ("payments_accepted.csv", 3, "2 | 99 | cheque")


def test_the_export_of_the_directory_tool(tmp_path: Path) -> None:
    """Comma-joined keys, times in dtstart, a phone at several places, terms with several parents."""
    read = Read(
        folder(
            tmp_path,
            organizations="id,name,description\n10,House,Help\n",
            services="service_recordid,service_name,service_organization,service_description,service_locations,"
            "service_status,service_taxonomy,service_phones,flag\n"
            '20,Food,"10,11",<p>Free</p><p>meals</p>,"30,31,99",1,"40,41","50",x\n',
            locations="id,organization_id,name,latitude,longitude\n30,10,A,45.5,-73.5\n31,0,B,0,0\n",
            services_at_location="id,service_id,location_id\n1,20,30\n",
            schedules="id,name,service_id,weekday,dtstart,until\n"
            "60,Office,20,Monday - Friday,8:30AM,5:30PM\n61,,20,monday,,\n62,,20,,24 hours,\n",
            phones="id,location_id,service_id,number,type\n50,30,,555 0100,voice\n50,31,,555 0100,voice\n"
            '51,,"20",tset,10\n',
            taxonomy_types="taxonomy_type_recordid,name\n70,Needs\n",
            taxonomy_terms="taxonomy_recordid,taxonomy_name,taxonomy_parent_name,taxonomy\n"
            '40,Food,,70\n41,Meals,42,70\n43,Soup,"40,41",70\n42,Other,41,70\n',
        )
    )
    account_holds(read)
    assert read.report.shape == "recordid"
    service = read.only("service")
    assert service["description"] == "Free\n\nmeals"
    assert service["status"] == "active"
    assert len(read.rows["service_at_location"]) == 2  # one in both files, one to a place that is not there
    assert len(read.rows["attribute"]) == 2
    assert Counter(bool(row["service_id"]) for row in read.rows["phone"])[True] == 1
    assert {row["location_id"] for row in read.rows["phone"]} == {row["id"] for row in read.rows["location"]}
    hours = {(row["byday"], row["opens_at"], row["closes_at"]) for row in read.rows["schedule"]}
    assert hours == {("MO,TU,WE,TH,FR", "08:30", "17:30"), (None, "00:00", "00:00")}
    assert all(row["latitude"] is None for row in read.rows["location"] if row["name"] == "B")
    assert read.codes("refused") == {"no_hours": 1, "no_number": 1}
    assert {"dangling", "several", "circle", "status_code", "markup", "place_out_of_range"} <= set(
        read.codes("repaired")
    )
    assert ("services.csv", "flag") in read.report.unmapped
    up = {row["id"]: row["parent_id"] for row in read.rows["taxonomy_term"]}
    for start in up:
        node, steps = start, 0
        while up[node] is not None:
            node, steps = up[node], steps + 1
            assert steps < 5, "a term is its own ancestor"


# Doubles, dead links, what is missing


def test_the_same_row_twice_is_merged_and_a_second_parent_makes_a_second_row(tmp_path: Path) -> None:
    other = SERVICE.replace("2", "9")
    phone = "44444444-4444-4444-8444-444444444444"
    place = good(
        tmp_path,
        phones=f"id,service_id,number\n{phone},{SERVICE},+1 514-555-0101\n{phone},{SERVICE},+1 514-555-0101\n"
        f"{phone},{other},+1 514-555-0101\n",
    )
    with (place / "services.csv").open("a") as file:
        file.write(f"{other},{ORG},Repas,active\n")
    read = Read(place)
    account_holds(read)
    assert {row["service_id"] for row in read.rows["phone"]} == {SERVICE, other}
    count = next(c for c in read.report.counts.values() if c.entity == "phone")
    assert (count.read, count.written, count.merged) == (3, 2, 1)


def test_a_dead_link_is_dropped_or_the_row_refused_word_for_word(tmp_path: Path) -> None:
    dead = "99999999-9999-4999-8999-999999999999"
    read = Read(
        good(
            tmp_path,
            contacts=f"id,service_id,organization_id,name\n{dead},{SERVICE},{dead},Alice\n",
            required_documents=f'id,service_id,document\n{dead},{dead},"Passport, or ""permit"""\n',
        )
    )
    account_holds(read)
    assert read.only("contact")["organization_id"] is None
    (dangling,) = [f for f in read.report.findings if f.code == "dangling"]
    assert (dangling.file, dangling.line, dangling.field, dangling.was) == ("contacts.csv", 2, "organization_id", dead)
    (refused,) = [f for f in read.report.findings if f.done == "refused"]
    assert refused.code == "parent_missing"
    assert refused.row == f'{dead} | {dead} | Passport, or "permit"'


def test_nothing_is_invented_for_what_the_standard_requires(tmp_path: Path) -> None:
    read = Read(
        folder(
            tmp_path,
            organizations=f"id,name,description\n{ORG},Accueil,\n{PLACE},,Sans nom\n",
            services=f"id,organization_id,name,status\n{SERVICE},{ORG},Cours,OPEN?\n",
        )
    )
    account_holds(read)
    assert read.only("organization")["description"] is None
    assert read.only("service")["status"] == "active"
    assert read.codes() == {"missing_description": 1, "no_name": 1, "unknown_choice": 1}


def test_ids_that_are_not_uuids_are_the_same_at_every_reading(tmp_path: Path) -> None:
    place = folder(tmp_path, organizations="id,name,description\nORG-7,Accueil,x\n")
    first, again, other = Read(place), Read(place), Read(place, source="elsewhere")
    assert first.only("organization")["id"] == again.only("organization")["id"]
    assert first.only("organization")["id"] != other.only("organization")["id"]
    assert first.codes() == {"id_not_uuid": 1}


# Cells


def test_texts_are_cleaned_and_the_report_says_so(tmp_path: Path) -> None:
    cells = {
        "name": "=cmd|' /C calc'!A0",
        "description": "<p>Un</p><ul><li>deux &amp; trois</li></ul><script>alert(1)</script>&lt;b&gt;x",
        "alternate_name": "A\x00B\nC",
        "website": "javascript:alert(1)",
        "email": "<a@example.org>, b@example.org",
        "year_incorporated": "9" * 400,
    }
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", *cells])
    writer.writerow([ORG, *cells.values()])
    read = Read(folder(tmp_path, organizations=out.getvalue()))
    account_holds(read)
    row = read.only("organization")
    assert row["name"] == "cmd|' /C calc'!A0"
    assert row["description"] == "Un\n\n- deux & trois\nx"
    assert row["alternate_name"] == "AB C"
    assert (row["website"], row["email"], row["year_incorporated"]) == (None, "a@example.org", None)
    assert {
        "formula",
        "markup",
        "control_characters",
        "line_breaks",
        "bad_address",
        "first_email_kept",
        "bad_number",
    } <= set(read.codes("repaired"))


def test_bullets_numbers_and_phones_are_no_formulas(tmp_path: Path) -> None:
    read = Read(
        good(
            tmp_path,
            phones=f"id,service_id,number,description\n{PLACE},{SERVICE},+15145550100,- the desk\n",
        )
    )
    assert read.codes()["formula"] == 0
    assert read.only("phone")["number"] == "+15145550100"
    assert read.only("phone")["description"] == "- the desk"
    assert read.only("location")["longitude"] == "-73.6"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1"])
def test_every_encoding_gives_the_same_words(tmp_path: Path, codec: str) -> None:
    text = f"id,name,description\n{ORG},Élan à Genève,Garçon\n"
    read = Read(folder(tmp_path, organizations=text.encode(codec)))
    account_holds(read)
    assert read.only("organization")["name"] == "Élan à Genève"
    assert read.codes()["wrong_encoding"] == (1 if codec in ("cp1252", "latin-1") else 0)


def test_a_million_characters_are_cut_and_said(tmp_path: Path) -> None:
    read = Read(folder(tmp_path, organizations=f"id,name,description\n{ORG},{'n' * 10**6},{'d' * 10**6}\n"))
    account_holds(read)
    row = read.only("organization")
    assert (len(row["name"]), len(row["description"])) == (500, 100_000)
    assert read.codes() == {"too_long": 2}


def test_ragged_rows_and_doubled_headings(tmp_path: Path) -> None:
    read = Read(
        folder(
            tmp_path,
            organizations=f"id,name,description,description\n{ORG},Short\n{SERVICE},A,b,c,too,many\n{PLACE},B,b,c\n,,,\n",
        )
    )
    account_holds(read)
    assert read.codes() == {
        "missing_cells": 1,
        "missing_description": 1,
        "too_many_cells": 1,
        "other_value": 1,
        "empty_row": 1,
    }
    (refused,) = [f for f in read.report.findings if f.code == "too_many_cells"]
    assert refused.row.endswith("too | many")


# Hostile packages


def test_a_zip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"organizations.csv": b"id,name\n" + b"0" * (64 << 20)})
    with pytest.raises(HsdsError, match=r"zip bomb|line longer"):
        Read(bomb)
    lines = zipped(
        tmp_path / "lines.zip", {"organizations.csv": b"id,name\n" + b"1,aaaaaaaaaaaaaaaaaaaa\n" * (3 << 20)}
    )
    with pytest.raises(HsdsError, match="zip bomb"):
        Read(lines)


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HsdsError, match="leads out"):
        Read(zipped(tmp_path / "x.zip", {name: b"id,name\n1,a\n"}))
    assert not (tmp_path.parent / "evil.csv").exists()


def test_links_passwords_and_zips_inside_zips(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("organizations.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(HsdsError, match="link"):
        Read(tmp_path / "link.zip")
    inner = zipped(tmp_path / "in.zip", {"organizations.csv": b"id,name\n"}).read_bytes()
    read = Read(
        zipped(
            tmp_path / "out.zip", {"in.zip": inner, "organizations.csv": f"id,name,description\n{ORG},a,b\n".encode()}
        )
    )
    assert [name for name, _why in read.report.ignored] == ["in.zip"]
    with pytest.raises(HsdsError, match="holds no"):
        Read(zipped(tmp_path / "only.zip", {"in.zip": inner}))
    os.symlink("/etc/hostname", good(tmp_path) / "phones.csv")
    with pytest.raises(HsdsError, match="leads out of the folder"):
        Read(tmp_path / "network")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{" * 200_000),
        ("a.json", b'{"id": 1'),
        ("a.json", b"[1, 2"),
        ("a.json", b"\xff\xfe\x00"),
        ("a.zip", b"PK not a zip"),
        ("a.txt", b""),
        ("a.json", b'[{"id": ' + b"9" * 100_000 + b"}]"),
    ],
)
def test_broken_files_give_one_clear_error_or_a_report(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    try:
        read = Read(tmp_path / name)
    except HsdsError as error:
        assert len(str(error)) < 400
    else:
        account_holds(read)
        assert not any(read.rows.values())


def test_what_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(HsdsError, match="no such file"):
        Read(tmp_path / "nothing")
    with pytest.raises(HsdsError, match="neither a file nor a folder"):
        Read(Path("/dev/null"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(HsdsError, match="holds no"):
        Read(tmp_path / "empty")


def test_limits_of_files_and_rows(tmp_path: Path) -> None:
    place = good(tmp_path)
    with pytest.raises(HsdsError, match="more than 2 files"):
        Read(place, limits=Limits(files=2))
    with pytest.raises(HsdsError, match="too big"):
        Read(place, limits=Limits(file_bytes=10))
    with (place / "organizations.csv").open("a") as file:
        file.write("x,y,z\n" * 5)
    with pytest.raises(HsdsError, match="more than 3 rows"):
        Read(place, limits=Limits(rows=3))


# JSON


def test_nested_objects_become_rows_and_keep_their_links(tmp_path: Path) -> None:
    phone = {"id": "44444444-4444-4444-8444-444444444444", "number": "+1 514-555-0100"}
    place = {"id": PLACE, "location_type": "physical", "phones": [phone]}
    service = {
        "id": SERVICE,
        "name": "Cours",
        "status": "active",
        "organization": {"id": ORG, "name": "Accueil", "description": "x", "locations": [place]},
        "phones": [phone],
        "service_at_locations": [{"id": ORG.replace("1", "5"), "location": place}],
        "operating_hours": [{"id": ORG.replace("1", "6"), "freq": "WEEKLY", "byday": "MO", "opens_at": "09:00"}],
        "events": [{"id": ORG.replace("1", "7"), "dtstart": "2026-09-01", "opens_at": "18:00"}],
        "attributes": [
            {
                "id": ORG.replace("1", "8"),
                "taxonomy_term": {
                    "id": ORG.replace("1", "a"),
                    "name": "French",
                    "description": "x",
                    "taxonomy_detail": {"id": ORG.replace("1", "b"), "name": "T", "description": "x"},
                },
            }
        ],
        "unheard_of": {"deep": [1, 2]},
    }
    file = tmp_path / "services.json"
    file.write_text(json.dumps({"total_items": 1, "contents": [service]}))
    read = Read(file)
    account_holds(read)
    assert read.only("service")["organization_id"] == ORG
    assert read.only("location")["organization_id"] == ORG
    assert (read.only("phone")["service_id"], read.only("phone")["location_id"]) == (SERVICE, PLACE)
    assert read.only("service_at_location")["location_id"] == PLACE
    assert (read.only("attribute")["link_id"], read.only("attribute")["link_entity"]) == (SERVICE, "service")
    assert {row["group"] for row in read.rows["schedule"]} == {None, "events"}
    assert ("services.json", "service.unheard_of") in read.report.unmapped
    assert read.listed >= {"service", "phone", "language"}
    for form, text in {
        "list.json": json.dumps([service]),
        "one.json": json.dumps(service, indent=1),
        "lines.ndjson": json.dumps(service) + "\n\nnot json\n",
        "array.json": f"[\n{json.dumps(service)}\n]\n",
    }.items():
        other = tmp_path / form
        other.write_text(text)
        again = Read(other)
        account_holds(again)
        assert again.rows == read.rows, form
    assert Read(tmp_path / "lines.ndjson").codes("refused") == {"not_json": 1}


def test_json_in_another_encoding_is_read(tmp_path: Path) -> None:
    text = json.dumps(
        [{"id": ORG, "name": "Élan", "description": "à", "website": "https://example.org"}], ensure_ascii=False
    )
    for codec in ("utf-16", "latin-1"):
        file = tmp_path / f"{codec}.json"
        file.write_bytes(text.encode(codec))
        assert Read(file).only("organization")["name"] == "Élan"


# Anything at all

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELL = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "1",
            ORG,
            SERVICE,
            PLACE,
            "1,2",
            "9:00am",
            "24 hours",
            "Monday - Friday",
            "=1+1",
            "x57471",
            "<script>",
            "&lt;b&gt;",
            "Ã©",
            "\ud800",
            "0",
            "-1",
            "1e999",
            "2020-02-30",
            "active",
            "\x00",
            "'=x",
            "x" * 700,
            "\u202e",
            '"',
            "\r\n",
            "true",
            "organization",
            "service",
        ]
    ),
)


@SLOW
@given(
    data=st.binary(max_size=600),
    name=st.sampled_from(["services.csv", "x.csv", "a.json", "b.ndjson", "c.zip", "taxonomy.csv"]),
)
def test_any_bytes_are_read_or_refused_with_one_kind_of_error(tmp_path: Path, data: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    try:
        read = Read(file)
    except HsdsError:
        return
    account_holds(read)


@SLOW
@given(data=st.data(), entity=st.sampled_from(sorted(LOAD_ORDER)), codec=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_cells_are_read_and_accounted_for(tmp_path: Path, data: st.DataObject, entity: str, codec: str) -> None:
    names = list(ENTITIES[entity].names)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for row in data.draw(st.lists(st.lists(CELL, min_size=len(names) - 1, max_size=len(names) + 1), max_size=5)):
        writer.writerow(row)
    read = Read(
        good(
            tmp_path,
            **{f"{ENTITIES[entity].file.removesuffix('.csv')}": out.getvalue().encode(codec, "replace")}
            if entity not in ("organization", "service", "location")
            else {"extra_" + entity: out.getvalue().encode(codec, "replace")},
        )
    )
    account_holds(read)
    for rows in read.rows.values():
        for row in rows:
            for cell in row.values():
                assert cell is None or (isinstance(cell, str) and "\0" not in cell and cell.encode())


OLD = {
    "services": "service_recordid,service_name,service_organization,service_locations,service_phones,"
    "service_taxonomy,service_status",
    "schedules": "id,service_id,location_id,weekday,dtstart,until,byday,opens_at,closes_at",
    "phones": "id,location_id,service_id,number,language,type",
    "taxonomy_terms": "taxonomy_recordid,taxonomy_name,taxonomy_parent_name,taxonomy",
    "regular_schedules": "id,service_id,weekday,opens_at,closes_at",
    "holiday_schedules": "id,service_id,closed,start_date,end_date",
    "eligibility": "id,service_id,eligibility",
    "accessibility_for_disabilities": "id,location_id,accessibility,details",
}


@SLOW
@given(data=st.data())
def test_any_cells_of_the_older_shapes_are_accounted_for(tmp_path: Path, data: st.DataObject) -> None:
    files = {}
    for name, headings in OLD.items():
        width = headings.count(",") + 1
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(headings.split(","))
        for row in data.draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=4)):
            writer.writerow([cell.encode("utf-8", "replace").decode() for cell in row])
        files[name] = out.getvalue()
    read = Read(folder(tmp_path, **files))
    account_holds(read)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), CELL),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "name",
                    "status",
                    "phones",
                    "organization",
                    "location",
                    "attributes",
                    "number",
                    "service_at_locations",
                    "taxonomy_term",
                    "description",
                    "contents",
                    "schedules",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@SLOW
@given(value=JSON, name=st.sampled_from(["services.json", "x.json"]))
def test_any_json_is_read_and_accounted_for(tmp_path: Path, value: Any, name: str) -> None:
    file = tmp_path / name
    file.write_text(json.dumps(value))
    try:
        read = Read(file)
    except HsdsError:
        return
    account_holds(read)
