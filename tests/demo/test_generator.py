"""The demo's rows: true to HSDS, true to the map, and the same every time."""

import hashlib
import json
import re
import tarfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parvis.core import hsds
from parvis.core.geometry import contains
from parvis.core.hours import Hours, from_hsds
from parvis.core.language import normalise
from parvis.demo import content
from parvis.demo.cities import CITIES, MONTREAL
from parvis.demo.generator import generate, identifier
from parvis.places import gazetteer

AUDIENCE_CODES = {term.code for term in content.read().audiences}
OWN = {"synonyms", "rendering"}
SCALED = 2000

Rows = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module", params=sorted(CITIES))
def rows(request: pytest.FixtureRequest) -> Rows:
    return list(generate(request.param))


@pytest.fixture(scope="module")
def montreal() -> Rows:
    return list(generate("montreal"))


def digest(rows: Iterator[tuple[str, dict[str, Any]]]) -> str:
    return hashlib.sha256("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_city() -> None:
    first = digest(generate("geneve", seed=7))
    assert first == digest(generate("geneve", seed=7))
    assert first != digest(generate("geneve", seed=8))


def test_identifiers_are_those_of_uuid5() -> None:
    space = uuid.uuid4()
    assert identifier(space, "service/école") == str(uuid.uuid5(space, "service/école"))


def test_more_services_change_none_of_those_before() -> None:
    few = {row["id"]: row for entity, row in generate("montreal", services=50) if entity not in OWN}
    many = {row["id"]: row for entity, row in generate("montreal", services=120) if entity not in OWN}
    assert len(many) > len(few)
    assert all(many[key] == row for key, row in few.items())


def test_unknown_cities_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(KeyError):
        next(generate("atlantis"))
    with pytest.raises(ValueError, match="at least 0"):
        next(generate("montreal", services=-1))
    assert {entity for entity, _ in generate("geneve", services=0)} == {"taxonomy", "taxonomy_term", "unit", *OWN}


def test_the_demo_is_as_large_as_promised(montreal: Rows) -> None:
    count = Counter(entity for entity, _ in montreal)
    assert count["service"] == 400
    assert 130 <= count["organization"] <= 170
    assert Counter(entity for entity, _ in generate("geneve"))["service"] == 60
    boroughs = {row["region"] for entity, row in montreal if entity == "address"}
    assert boroughs == {area.name for area in gazetteer.areas("montreal")}
    spoken = {row["code"] for entity, row in montreal if entity == "language"}
    assert spoken >= {"fr", "en", "ar", "es", "ti", "prs", "uk", "ht"}
    statuses = Counter(row["status"] for entity, row in montreal if entity == "service")
    assert set(statuses) == set(hsds.SERVICE_STATUSES) and statuses["active"] > 350
    terms = {row["id"]: row for entity, row in montreal if entity == "taxonomy_term"}
    met = {terms[row["taxonomy_term_id"]]["code"] for entity, row in montreal if entity == "attribute"}
    assert met == {row["code"] for row in terms.values() if "parent_id" in row} | AUDIENCE_CODES
    names = [row["name"] for entity, row in montreal if entity == "organization"]
    assert len(set(names)) == len(names)


def test_rows_are_hsds_rows(rows: Rows) -> None:
    """Known fields, required ones present, enumerations kept, no empty value, ids unique, parents first."""
    seen: dict[str, str] = {}
    for entity, row in rows:
        if entity in OWN:
            continue
        model = hsds.ENTITIES[entity]
        extra = set(row) - set(model.names)
        assert extra <= {"closed"}, (entity, extra)
        assert set(model.required) <= set(row), (entity, row)
        assert all(value not in (None, "") for value in row.values())
        assert row["id"] not in seen
        for field in model.fields:
            value = row.get(field.name)
            if value is None:
                continue
            if field.enum:
                assert value in field.enum
            if field.kind == "uuid":
                uuid.UUID(value)
            if field.refers and field.refers != "*":
                assert seen.get(value) == field.refers, (entity, field.name)
        if entity in ("attribute", "metadata"):
            linked = row["link_id"] if entity == "attribute" else row["resource_id"]
            assert seen[linked] == (row.get("link_entity") or row["resource_type"])
        parents = hsds.PARENTS.get(entity, ())
        assert not parents or any(row.get(name) for name in parents), (entity, row)
        seen[row["id"]] = entity


def test_rows_satisfy_the_official_schemas(rows: Rows, shared: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    with tarfile.open(shared / "hsds" / "schemas-compiled.tar.xz") as archive:
        schemas = {}
        for entity in hsds.ENTITIES:
            member = archive.extractfile(f"3.2/schema/{entity}.json")
            assert member is not None
            # Rows are flat: what is nested in JSON is checked where documents are rendered.
            schema = json.loads(member.read())
            schema["properties"] = {
                name: said
                for name, said in schema["properties"].items()
                if "$ref" not in json.dumps(said) and name in hsds.ENTITIES[entity].names
            }
            ones = {one.name for one in hsds.ENTITIES[entity].ones}
            schema["required"] = [name for name in schema.get("required", []) if name not in ones]
            formats = jsonschema.FormatChecker()
            schemas[entity] = jsonschema.Draft202012Validator(schema, format_checker=formats)
    wrong = [
        (entity, error.message)
        for entity, row in rows
        if entity not in OWN
        for error in schemas[entity].iter_errors(row)
    ]
    assert wrong == []


def test_points_are_inside_the_borough_of_their_address(rows: Rows) -> None:
    name = "montreal" if any(row.get("city") == "Montréal" for _, row in rows) else "geneve"
    shapes = {area.name: area.geometry for area in gazetteer.areas(name)}
    at = {row["id"]: row for entity, row in rows if entity == "location"}
    addresses = [row for entity, row in rows if entity == "address"]
    assert len(addresses) > 15
    for address in addresses:
        location = at[address["location_id"]]
        assert contains(shapes[address["region"]], location["longitude"], location["latitude"])


def test_nobody_can_be_called_or_written_to(rows: Rows) -> None:
    """Numbers kept for fiction (555-01xx) and addresses kept for examples (example.org)."""
    for entity, row in rows:
        if entity == "phone":
            assert re.fullmatch(r"\+1 (514|438)-555-01\d\d|\+41 22 555 01 \d\d", row["number"])
        for value in row.values():
            for host in re.findall(r"(?:@|https?://)([\w.-]+)", str(value)):
                assert host == "example.org" or host.endswith(".example.org"), (entity, value)


def test_postal_codes_have_the_shape_of_their_country(rows: Rows) -> None:
    shape = {"CA": r"H\d[A-Z] \d[A-Z]\d", "CH": r"12\d\d"}
    for entity, row in rows:
        if entity == "address":
            assert re.fullmatch(shape[row["country"]], row["postal_code"])


def test_hours_can_be_computed_and_say_something(rows: Rows) -> None:
    """No schedule row that the hours can't read, and every sort of hours is there."""
    schedules = [row for entity, row in rows if entity == "schedule"]
    hours = Hours.of([from_hsds(row) for row in schedules], CITIES["montreal"].zone())
    assert not hours.unclear
    assert {row.get("freq") for row in schedules} == {"WEEKLY", "MONTHLY", None}
    assert any(row.get("closed") for row in schedules)
    assert any("SA" in row.get("byday", "") for row in schedules)
    assert any(row.get("opens_at", "") >= "18:00" for row in schedules)


def test_every_text_has_its_renderings_once(montreal: Rows) -> None:
    said = Counter((row["text"], row["language"]) for entity, row in montreal if entity == "rendering")
    assert set(said.values()) == {1}
    for entity, row in montreal:
        texts = [
            row[name] for name in ("name", "description") if entity in ("service", "taxonomy_term") and name in row
        ]
        for text in texts:
            missing = [language for language in ("en", "ar", "es") if (text, language) not in said]
            same = text in {"Citoyenneté"}  # nothing of the kind: a rendering equal to its source is not said
            assert not missing or same or set(missing) <= {"es", "en"}, (text, missing)
    origins = Counter(row["origin"] for entity, row in montreal if entity == "rendering")
    assert set(origins) == {"human", "machine"} and origins["human"] > 5 * origins["machine"]


def test_geneva_speaks_its_own_languages() -> None:
    assert {row["language"] for entity, row in generate("geneve") if entity == "rendering"} == {"en", "ar"}
    for city in CITIES.values():
        assert all(normalise(tag) == tag for tag in (*city.languages, *city.spoken))


def test_cities_share_no_organization_and_no_id() -> None:
    mine, theirs = (
        {row["id"] for entity, row in generate(city) if entity not in OWN} for city in ("montreal", "geneve")
    )
    assert mine.isdisjoint(theirs)


def test_two_thousand_services_are_quick_and_words_have_a_long_tail() -> None:
    words: Counter[str] = Counter()
    services = 0
    for entity, row in generate("montreal", services=SCALED):
        if entity == "service":
            services += 1
            words.update(set(re.findall(r"\w+", row["name"].lower() + " " + row.get("description", "").lower())))
        elif entity == "location":
            words.update(set(re.findall(r"\w+", row.get("name", "").lower())))
    assert services == SCALED
    assert sum(count <= 3 for count in words.values()) > 300  # rare words
    assert words["français"] > SCALED / 40  # a common one


def test_holidays_are_dates(montreal: Rows) -> None:
    closed = {row["valid_from"] for entity, row in montreal if entity == "schedule" and row.get("closed")}
    assert {f"2026-{day}" for day in MONTREAL.holidays} <= closed
