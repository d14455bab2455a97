"""The API as HSDS asks for it: official schemas, envelopes, order, filters, twins, streams."""

import json
import tarfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.db import connection

from parvis.api import queries
from parvis.api.parameters import Services
from parvis.core import hsds
from tests.api.conftest import SERVICES, Town

PLURALS = {kind: hsds.ENTITIES[kind].plural for kind in hsds.RESOURCES}
ENVELOPE = {"total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty", "contents"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="session")
def schemas(shared: Path) -> dict[str, Any]:
    """The official HSDS 3.2 schemas, dereferenced, as validators that also hold formats."""
    found = {}
    with tarfile.open(shared / "hsds" / "schemas-compiled.tar.xz") as archive:
        for kind in hsds.RESOURCES:
            for name in (kind, f"{kind}_list"):
                for path in (f"3.2/compiled/{name}.json", f"3.2/schema/{name}.json"):
                    try:
                        member = archive.extractfile(path) or archive.extractfile(f"./{path}")
                    except KeyError:
                        try:
                            member = archive.extractfile(f"./{path}")
                        except KeyError:
                            continue
                    schema = json.load(member)  # type: ignore[arg-type]
                    if "$ref" not in json.dumps(schema) or "compiled" in path:
                        found[name] = jsonschema_rs.validator_for(schema, validate_formats=True)
                        break
    assert {"service", "organization", "service_at_location", "service_list"} <= found.keys()
    return found


def nulls(value: Any, path: str = "") -> list[str]:
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in nulls(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [each for number, inner in enumerate(value) for each in nulls(inner, f"{path}[{number}]")]
    return []


@pytest.mark.parametrize("kind", ["service", "organization", "service_at_location"])
def test_every_record_fits_the_official_schema(town: Town, schemas: dict[str, Any], kind: str) -> None:
    items, wholes = town.walk(f"/{PLURALS[kind]}", 50), town.walk(f"/{PLURALS[kind]}", 50, full="true")
    assert len(items) == len(wholes) > 30
    for item, whole in zip(items, wholes, strict=True):
        assert item["id"] == whole["id"]
        assert list(schemas[f"{kind}_list"].iter_errors(item)) == []
        assert list(schemas[kind].iter_errors(whole)) == []
        assert nulls(whole) == nulls(item) == []


@pytest.mark.parametrize("kind", ["taxonomy", "taxonomy_term"])
def test_taxonomies_fit_what_the_table_says(town: Town, kind: str) -> None:
    records = town.walk(f"/{PLURALS[kind]}", 50)
    assert records
    for record in records:
        assert {"id", "name", "description"} <= record.keys()
        assert record.keys() <= {*hsds.ENTITIES[kind].names, "metadata", "taxonomy_detail"}
        assert nulls(record) == []


@pytest.mark.parametrize("kind", hsds.RESOURCES)
def test_a_detail_is_the_record_of_the_full_list(town: Town, kind: str) -> None:
    for record in town.get(f"/{PLURALS[kind]}", full="true", per_page=5).json()["contents"]:
        reply = town.get(f"/{PLURALS[kind]}/{record['id']}")
        assert (reply.status, reply.json()) == (200, record)


@pytest.mark.parametrize("kind", hsds.RESOURCES)
@pytest.mark.parametrize("per_page", [1, 7, 1000])
def test_walking_gives_every_record_once_at_any_page_size(town: Town, kind: str, per_page: int) -> None:
    found = [record["id"] for record in town.walk(f"/{PLURALS[kind]}", per_page)]
    assert len(found) == len(set(found)) == town.get(f"/{PLURALS[kind]}").json()["total_items"]
    assert found == [record["id"] for record in town.walk(f"/{PLURALS[kind]}", 33)]


def test_walking_a_search_or_a_filter_gives_every_record_once(town: Town) -> None:
    organization = town.get("/services", per_page=1).json()["contents"][0]["organization_id"]
    for query in ({"search": "cours"}, {"organization_id": organization}, {"modified_after": "2020-01-01"}):
        once = [record["id"] for record in town.walk("/services", 3, **query)]
        assert once == [record["id"] for record in town.walk("/services", 500, **query)]
        assert len(once) == len(set(once)) == town.get("/services", **query).json()["total_items"] > 0


def test_the_envelope_always_says_all_seven_things(town: Town) -> None:
    first = town.get("/services", per_page=50).json()
    assert first.keys() == ENVELOPE
    assert (first["total_items"], first["total_pages"], first["page_number"], first["size"]) == (SERVICES, 3, 1, 50)
    assert (first["first_page"], first["last_page"], first["empty"]) == (True, False, False)
    last = town.get("/services", per_page=50, page=3).json()
    assert (last["size"], last["first_page"], last["last_page"], last["empty"]) == (20, False, True, False)
    for beyond in (4, 1_000_000_000):
        page = town.get("/services", per_page=50, page=beyond)
        assert page.status == 200
        assert (page.json()["size"], page.json()["empty"], page.json()["contents"]) == (0, True, [])
        assert page.json()["total_items"] == SERVICES
    nothing = town.get("/services", search="zzzzqqqqxxxx").json()
    assert nothing.keys() == ENVELOPE
    assert (nothing["total_items"], nothing["total_pages"], nothing["empty"]) == (0, 0, True)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/services", "organization_id"),
        ("/services", "taxonomy_id"),
        ("/services", "taxonomy_term_id"),
        ("/organizations", "taxonomy_id"),
        ("/organizations", "taxonomy_term_id"),
        ("/service_at_locations", "organization_id"),
        ("/service_at_locations", "taxonomy_term_id"),
        ("/taxonomy_terms", "taxonomy_id"),
        ("/taxonomy_terms", "parent_id"),
    ],
)
def test_an_unknown_id_finds_nothing_and_a_malformed_one_is_refused(town: Town, path: str, name: str) -> None:
    reply = town.get(path, **{name: NOBODY})
    assert (reply.status, reply.json()["total_items"], reply.json()["contents"]) == (200, 0, [])
    assert town.get(path, format="ndjson", **{name: NOBODY}).body == b""
    wrong = town.get(path, **{name: "x"})
    assert wrong.status == 422
    assert wrong.json()["detail"][0]["loc"][:2] == ["query", name]


def terms_of(service: dict[str, Any]) -> set[str]:
    return {each["taxonomy_term"]["id"] for each in service.get("attributes", []) if "taxonomy_term" in each}


def test_filters_add_up(town: Town) -> None:
    services = {each["id"]: each for each in town.walk("/services", 500, full="true")}
    for service in list(services.values())[:10]:
        organization, terms = service["organization_id"], sorted(terms_of(service))
        expected = {key for key, each in services.items() if each["organization_id"] == organization}
        assert {each["id"] for each in town.walk("/services", 500, organization_id=organization)} == expected
        both = {key for key in expected if terms_of(services[key]) >= set(terms[:2])}
        found = town.walk("/services", 500, organization_id=organization, taxonomy_term_id=terms[:2])
        assert {each["id"] for each in found} == both
        searched = town.walk("/services", 500, organization_id=organization, search=service["name"])
        assert {each["id"] for each in searched} <= expected
        elsewhere = next(
            each["organization_id"] for each in services.values() if each["organization_id"] != organization
        )
        assert town.get("/services", organization_id=[organization, elsewhere]).json()["total_items"] == 0
    terms = {term for each in services.values() for term in terms_of(each)}
    for term in sorted(terms)[:10]:
        found = {each["id"] for each in town.walk("/services", 500, taxonomy_term_id=term)}
        assert found == {key for key, each in services.items() if term in terms_of(each)}


def test_modified_after_is_on_or_after(town: Town) -> None:
    services = town.walk("/services", 500)
    moments = sorted({each["last_modified"] for each in services})
    for moment in (moments[0], moments[-1], moments[len(moments) // 2]):
        expected = {each["id"] for each in services if each["last_modified"] >= moment}
        assert {each["id"] for each in town.walk("/services", 500, modified_after=moment)} == expected
    assert town.get("/services", modified_after="2999-01-01").json()["total_items"] == 0
    assert town.get("/services", modified_after="2000-01-01T00:00:00+02:00").json()["total_items"] == SERVICES
    assert town.ask("GET", "/hsds/v3/services", "modified_after=2000-01-01T00:00:00+02:00").status == 200


def test_minimal_gives_ids_and_dates_on_one_page(town: Town) -> None:
    page = town.get("/services", minimal="true").json()
    assert (page["size"], page["total_pages"]) == (SERVICES, 1)
    assert all(each.keys() == {"id", "last_modified"} for each in page["contents"])
    whole = {each["id"]: each["last_modified"] for each in town.walk("/services", 500)}
    assert {each["id"]: each["last_modified"] for each in page["contents"]} == whole
    assert town.get("/services", minimal="true", per_page=7).json()["size"] == 7


@pytest.mark.parametrize("query", [{}, {"full": "true"}, {"minimal": "true"}, {"search": "cours"}])
@pytest.mark.parametrize("path", ["/services", "/organizations", "/service_at_locations"])
def test_ndjson_streams_what_the_pages_hold(town: Town, path: str, query: dict[str, str]) -> None:
    if "minimal" in query and path != "/services":
        return
    reply = town.get(path, format="ndjson", page=3, per_page=2, **query)
    assert reply.headers["content-type"] == "application/x-ndjson"
    pages = town.walk(path, 500, **query)
    assert sorted(map(str, reply.lines())) == sorted(map(str, pages))
    assert reply.lines()
    packed = town.ask("GET", f"/hsds/v3{path}", "format=ndjson&" + "&".join(f"{k}={v}" for k, v in query.items()),
                      ACCEPT_ENCODING="gzip")  # fmt: skip
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.body == reply.body


def test_a_stream_holds_one_chunk_at_a_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CHUNK", {"whole": 10, "item": 7, "minimal": 50})
    connection.set_tenant(town.city)
    for shape, size in queries.CHUNK.items():
        params = Services(format="ndjson", full=shape == "whole", minimal=shape == "minimal")
        chunks = list(queries.stream("service", params))
        assert len(chunks) == -(-SERVICES // size)
        assert max(chunk.count(b"\n") for chunk in chunks) == size
        assert len({json.loads(line)["id"] for chunk in chunks for line in chunk.splitlines()}) == SERVICES


@pytest.mark.parametrize("kind", hsds.RESOURCES)
def test_post_twins_answer_like_get(town: Town, kind: str) -> None:
    path = f"/hsds/v3/{PLURALS[kind]}"
    expected = town.ask("GET", path, "search=langue&per_page=3&page=1").body
    body = {"search": "langue", "per_page": 3, "page": 1, "nobody_knows": [1]}
    assert town.ask("POST", path, body=json.dumps(body).encode(), CONTENT_TYPE="application/json").body == expected
    form = b"search=langue&per_page=3&page=1"
    assert town.ask("POST", path, body=form, CONTENT_TYPE="application/x-www-form-urlencoded").body == expected
    assert town.ask("POST", path, "search=langue&per_page=3").body == expected
    assert town.ask("POST", path).body == town.ask("GET", path).body
    for wrong in (b"{", b"[]", b'"x"', b'{"page": null}', b'{"page": {}}', b'{"search": [1]}', b"\xff"):
        reply = town.ask("POST", path, body=wrong, CONTENT_TYPE="application/json")
        assert (reply.status, reply.json()["detail"][0]["loc"][0]) == (422, "body"), wrong
    assert town.ask("POST", path, body=b"x" * 70_000).status == 413


def test_organizations_with_their_services(town: Town) -> None:
    organization = next(each for each in town.walk("/organizations", 500, full="true") if each.get("services"))
    shorts = organization["services"]
    assert all(each.keys() == {"id", "name", "status"} for each in shorts)
    whole = town.get(f"/organizations/{organization['id']}", full_service="true").json()
    assert {each["id"] for each in whole["services"]} == {each["id"] for each in shorts}
    for service in whole["services"]:
        assert service == town.get(f"/services/{service['id']}").json()
    listed = town.walk("/organizations", 500, full_service="true")
    assert whole in listed


def test_places_near_a_postcode(town: Town) -> None:
    places = town.walk("/service_at_locations", 500, full="true")
    code = next(a["postal_code"] for p in places for a in p["location"].get("addresses", []) if a["postal_code"])
    there = town.walk("/service_at_locations", 500, postcode=code)
    exact = {p["id"] for p in places if any(a["postal_code"] == code for a in p["location"].get("addresses", [])[:1])}
    assert {each["id"] for each in there} == exact != set()
    lower = town.walk("/service_at_locations", 500, postcode=code.lower().replace(" ", ""))
    assert [each["id"] for each in lower] == [each["id"] for each in there]
    sizes = [town.get("/service_at_locations", postcode=code, proximity=m).json()["total_items"]
             for m in (1, 2000, 1_000_000)]  # fmt: skip
    assert sizes == sorted(sizes)
    with_point = [p for p in places if "latitude" in p["location"]]
    assert sizes[2] == len(with_point)
    assert town.get("/service_at_locations", postcode="ZZ9 9ZZ", proximity=5000).json()["total_items"] == 0
    assert town.get("/service_at_locations", proximity=1).json() == town.get("/service_at_locations").json()
    for query in ({"postcode": code, "proximity": "x"}, {"postcode": code, "proximity": -1}):
        assert town.get("/service_at_locations", **query).status == 422


def test_open_on_a_day_and_for_an_age(town: Town) -> None:
    services = {each["id"]: each for each in town.walk("/services", 500, full="true")}
    sunday = {each["id"] for each in town.walk("/services", 500, day="SU")}
    assert sunday != set(services)
    assert {each["id"] for each in town.walk("/services", 500, day=["SU", "MO"])} <= sunday
    window = {each["id"] for each in town.walk("/services", 500, day="MO", start_time="09:00", end_time="12:00")}
    assert window <= {each["id"] for each in town.walk("/services", 500, day="MO")}
    night = {each["id"] for each in town.walk("/services", 500, start_time="23:00", end_time="05:00")}
    assert night < set(services)
    assert town.get("/services", day="SU", start_time="22:00", end_time="02:00").status == 200
    assert town.get("/services", start_time="10:00", end_time="10:00").json()["total_items"] > 0
    young = {each["id"] for each in town.walk("/services", 500, maximum_age=10)}
    assert young == {key for key, each in services.items() if each.get("minimum_age", 0) <= 10}
    for query in ({"day": "XX"}, {"start_time": "25:00"}, {"minimum_age": "old"}, {"maximum_age": -1}):
        assert town.get("/services", **query).status == 422


def test_terms_by_place_in_the_tree_and_by_word(town: Town) -> None:
    terms = {each["id"]: each for each in town.walk("/taxonomy_terms", 500)}
    top = {each["id"] for each in town.walk("/taxonomy_terms", 500, top_only="true")}
    assert top == {key for key, each in terms.items() if "parent_id" not in each}
    parents = {each["parent_id"] for each in terms.values() if "parent_id" in each}
    for parent in sorted(parents)[:3]:
        found = {each["id"] for each in town.walk("/taxonomy_terms", 500, parent_id=parent)}
        assert found == {key for key, each in terms.items() if each.get("parent_id") == parent}
    some = next(iter(terms.values()))
    assert some["id"] in {each["id"] for each in town.walk("/taxonomy_terms", 500, search=some["name"])}


def test_the_root_says_who_publishes_what(town: Town) -> None:
    about = town.get("/").json()
    assert about["version"] == "3.2"
    assert about["openapi_url"] == f"http://{town.name}.localhost:8000/hsds/v3/openapi.json"
    assert about["publisher"]["name"] == town.city.name
    assert about["description"] and about["profile"].startswith("https://")
    assert town.ask("GET", "/hsds/v3").json() == about
