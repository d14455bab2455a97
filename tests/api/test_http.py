"""The API as HTTP: conditions, compression, other origins, methods, refusals, two cities, hostile readers."""

import json
import threading
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models import Value
from django.db.models.functions import Replace
from django.test import Client

from parvis.api import lending
from parvis.core import hsds
from parvis.directory import documents
from parvis.directory.models import Document, Service, Tombstone
from tests.api.conftest import Town

NAMES = ("/", "/services", "/organizations", "/service_at_locations", "/taxonomies", "/taxonomy_terms",
         "/tombstones", "/openapi.json")  # fmt: skip


def ask(town: Town, path: str, query: str = "", method: str = "GET", **headers: str) -> Any:
    return town.ask(method, f"/hsds/v3{path}", query, **headers)


@pytest.mark.parametrize("path", NAMES)
def test_what_holds_is_not_sent_again(town: Town, path: str) -> None:
    first = ask(town, path)
    tag = first.headers["etag"]
    assert tag.startswith('"') and first.body
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask(town, path, IF_NONE_MATCH=header)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), header
        assert again.headers["access-control-allow-origin"] == "*"
    assert ask(town, path, IF_NONE_MATCH='"other"').status == 200
    packed = ask(town, path, ACCEPT_ENCODING="gzip")
    if "content-encoding" in packed.headers:
        assert packed.headers["etag"] != tag
        assert ask(town, path, IF_NONE_MATCH=packed.headers["etag"], ACCEPT_ENCODING="gzip").status == 304


def test_a_change_gives_lists_and_the_record_another_tag(town: Town, writing: None) -> None:
    service = Service.objects.order_by("pk")[3]
    paths = ("/services", f"/services/{service.pk}", "/taxonomies")
    before = [ask(town, path).headers["etag"] for path in paths]
    service.name = "Un tout autre nom"
    service.version += 1
    service.save()
    assert documents.refresh(service_ids=[service.pk]) > 0
    after = [ask(town, path) for path in paths]
    assert all(new.headers["etag"] != old for new, old in zip(after[:2], before[:2], strict=True))
    assert after[1].json()["name"] == "Un tout autre nom"
    assert ask(town, paths[0], IF_NONE_MATCH=before[0]).status == 200
    assert documents.refresh(service_ids=[service.pk]) == 0
    assert ask(town, paths[0], IF_NONE_MATCH=after[0].headers["etag"]).status == 304


@pytest.mark.parametrize("kind", ["service", "organization", "taxonomy_term", "service_at_location"])
def test_a_records_tag_is_the_digest_that_was_stored_with_it(town: Town, kind: str) -> None:
    """Nothing is hashed for a request, but where a text is put together from several documents."""
    connection.set_tenant(town.city)
    stored = Document.objects.filter(kind=kind).order_by("object_id")[0]
    reply = ask(town, f"/{hsds.ENTITIES[kind].plural}/{stored.object_id}")
    together = kind == "service_at_location"
    assert (reply.headers["etag"] == f'"{stored.digest}"') is not together
    assert (reply.body.decode() == stored.whole) is not together
    if kind == "organization":
        with_services = ask(town, f"/organizations/{stored.object_id}", "full_service=true")
        assert with_services.headers["etag"] != reply.headers["etag"]
        assert with_services.body != reply.body


def test_a_change_elsewhere_gives_a_text_of_several_documents_another_tag(town: Town, writing: None) -> None:
    place = Document.objects.filter(kind="service_at_location").order_by("object_id")[0]
    path = f"/service_at_locations/{place.object_id}"
    before = ask(town, path).headers["etag"]
    Document.objects.filter(kind="service", object_id=place.service_id).update(
        whole=Replace("whole", Value('"name":"'), Value('"name":"Neuf '))
    )
    after = ask(town, path)
    assert after.json()["service"]["name"].startswith("Neuf ")
    assert after.headers["etag"] != before
    assert Document.objects.get(pk=place.pk).digest == place.digest


def test_last_modified_answers_if_modified_since(town: Town) -> None:
    service = ask(town, "/services", "per_page=1").json()["contents"][0]
    for path in ("/services", f"/services/{service['id']}"):
        at = ask(town, path).headers["last-modified"]
        assert ask(town, path, IF_MODIFIED_SINCE=at).status == 304
        assert ask(town, path, IF_MODIFIED_SINCE="Mon, 01 Jan 2001 00:00:00 GMT").status == 200
        assert ask(town, path, IF_MODIFIED_SINCE="nonsense").status == 200


def test_gzip_when_asked_for_and_worth_it(town: Town) -> None:
    plain = ask(town, "/services")
    assert "content-encoding" not in plain.headers
    for header in ("gzip", "br, gzip;q=0.5", "*"):
        packed = ask(town, "/services", ACCEPT_ENCODING=header)
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.body == plain.body
        assert int(packed.headers["content-length"]) < len(plain.body) / 2
    for header in ("br", "gzip;q=0", "identity"):
        assert "content-encoding" not in ask(town, "/services", ACCEPT_ENCODING=header).headers
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("path", [*NAMES, "/services/x", "/nothing"])
def test_head_says_what_get_would(town: Town, path: str) -> None:
    got, head = ask(town, path), ask(town, path, method="HEAD")
    assert head.body == b""
    assert (head.status, head.headers) == (got.status, got.headers)


@pytest.mark.parametrize("path", NAMES)
def test_any_page_may_ask(town: Town, path: str) -> None:
    flight = ask(town, path, method="OPTIONS", ORIGIN="https://example.org", ACCESS_CONTROL_REQUEST_METHOD="GET")
    assert flight.status == 204
    assert flight.headers["access-control-allow-origin"] == "*"
    assert "GET" in flight.headers["access-control-allow-methods"]
    assert "If-None-Match" in flight.headers["access-control-allow-headers"]
    assert ask(town, path, ORIGIN="https://example.org").headers["access-control-allow-origin"] == "*"


def test_other_methods_are_named_and_refused(town: Town) -> None:
    for path, method, allowed in (
        ("/services", "PUT", "GET, HEAD, POST, OPTIONS"),
        ("/services", "DELETE", "GET, HEAD, POST, OPTIONS"),
        (f"/services/{uuid.uuid4()}", "POST", "GET, HEAD, OPTIONS"),
        ("/", "POST", "GET, HEAD, OPTIONS"),
        ("/tombstones", "PATCH", "GET, HEAD, OPTIONS"),
    ):
        reply = ask(town, path, method=method)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
        assert reply.json()["detail"]


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/services", "page=0", "page"),
        ("/services", "page=-1", "page"),
        ("/services", "page=x", "page"),
        ("/services", "page=", "page"),
        ("/services", "page=1&page=2", "page"),
        ("/services", "page=1e3", "page"),
        ("/services", "page=99999999999999999999", "page"),
        ("/services", "per_page=0", "per_page"),
        ("/services", "per_page=1001", "per_page"),
        ("/services", "minimal=true&per_page=100001", "per_page"),
        ("/services", "format=xml", "format"),
        ("/services", "full=maybe", "full"),
        ("/services", "full=1", "full"),
        ("/services", "modified_after=yesterday", "modified_after"),
        ("/services", "modified_after=12345", "modified_after"),
        ("/services", "modified_after=2024-13-45", "modified_after"),
        ("/services", "modified_after=0001-01-01T00:00:00%2B23:00", "modified_after"),
        ("/services", "search=" + "x" * 1001, "search"),
        ("/organizations", "full_service=x", "full_service"),
        ("/taxonomy_terms", "top_only=x", "top_only"),
        ("/taxonomy_terms", "parent_id=1", "parent_id"),
        ("/tombstones", "since=x", "since"),
        ("/tombstones", "type=person", "type"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(town: Town, path: str, query: str, name: str) -> None:
    reply = ask(town, path, query)
    assert reply.status == 422
    assert reply.headers["content-type"] == "application/json"
    problem = reply.json()["detail"][0]
    assert problem["loc"][:2] == ["query", name]
    assert problem["msg"]


def test_several_problems_are_all_named(town: Town) -> None:
    found = ask(town, "/services", "page=0&per_page=x&full=2").json()["detail"]
    assert {each["loc"][1] for each in found} == {"page", "per_page", "full"}


def test_unknown_parameters_are_ignored(town: Town) -> None:
    assert ask(town, "/services", "nobody=knows&page=1").body == ask(town, "/services", "page=1").body


@pytest.mark.parametrize(
    "text", ["x", "1", "0" * 32, "%00", "../services", "é", "a" * 5000, "'; DROP TABLE x; --", " "]
)
def test_a_malformed_id_is_no_record(town: Town, text: str) -> None:
    for path in NAMES[1:6]:
        assert ask(town, f"{path}/{text}/x").status == 404
        reply = ask(town, f"{path}/{text}")
        assert reply.status in (404, 200)  # a blank id is the list
        assert reply.status == 404 or not text.strip()


HOSTILE = ["\0", "%00", "'", "\"", "\\", "%", "_", "(", "a:*&", "!!!", "<->", "{}", "$1", "%s", "😀",
           "ا" * 900, "\u202e", "' OR 1=1 --", "a" * 1000, "\t\n", "\\u0000", "café École", "𝕊"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_texts(town: Town, text: str) -> None:
    for path, name in (("/services", "search"), ("/service_at_locations", "search"), ("/taxonomy_terms", "search"),
                       ("/organizations", "search"), ("/taxonomies", "search"),
                       ("/service_at_locations", "postcode")):  # fmt: skip
        reply = town.get(path, **{name: text})
        assert reply.status in (200, 422)
        reply.json()
        assert town.get(path, format="ndjson", **{name: text}).status in (200, 422)
    for query in (text, f"search={text}", f"&&&={text}", f"page={text}"):
        assert ask(town, "/services", query).status in (200, 422)


def test_a_flood_of_parameters_is_refused(town: Town) -> None:
    assert ask(town, "/services", "&".join(["a=1"] * 5000)).status == 422


def test_one_city_never_sees_another(town: Town, other_town: Town) -> None:
    for path in NAMES[1:6]:
        here = {each["id"] for each in town.walk(path, 500)}
        there = {each["id"] for each in other_town.walk(path, 500)}
        assert here and there and not here & there
        assert other_town.get(f"{path}/{min(here)}").status == 404
        assert town.get(f"{path}/{min(there)}").status == 404
        assert here == {each["id"] for each in town.walk(path, 500)}
    assert town.get("/").json()["publisher"]["name"] != other_town.get("/").json()["publisher"]["name"]
    assert town.ask("GET", "/hsds/v3/services", host="nobody.example.org").status == 404


def test_what_is_gone_goes_on_answering(town: Town, writing: None) -> None:
    first, second, third = Service.objects.order_by("pk")[:3]
    feed = town.get("/tombstones").json()["total_items"]
    gone = first.pk
    first.delete()
    documents.merged("service", second.pk, third.pk)
    documents.refresh(service_ids=[gone, second.pk, third.pk])
    reply = town.get(f"/services/{gone}")
    assert reply.status == 410 and reply.json()["detail"][0]["type"] == "gone"
    moved = town.get(f"/services/{second.pk}")
    assert (moved.status, moved.headers["location"]) == (301, f"/hsds/v3/services/{third.pk}")
    listed = {each["id"] for each in town.walk("/services", 500)}
    assert not {str(gone), str(second.pk)} & listed and str(third.pk) in listed
    found = town.get("/tombstones", since="2020-01-01", type="service", per_page=1000).json()
    assert {str(gone): "deleted", str(second.pk): "merged"}.items() <= {
        each["id"]: each["reason"] for each in found["contents"]
    }.items()
    stone = next(each for each in found["contents"] if each["id"] == str(second.pk))
    assert stone["merged_into"] == str(third.pk) and stone["type"] == "service"
    assert town.get("/tombstones").json()["total_items"] > feed
    assert town.get("/tombstones", since="2999-01-01").json()["total_items"] == 0


def test_an_unlisted_service_is_not_published_until_it_is_listed_again(town: Town, writing: None) -> None:
    service = Service.objects.order_by("pk")[5]
    Tombstone.objects.create(kind="service", object_id=service.pk, at=service.changed_at, reason="unlisted")
    documents.refresh(service_ids=[service.pk])
    assert town.get(f"/services/{service.pk}").status == 410
    organization = town.get(f"/organizations/{service.organization_id}").json()
    assert str(service.pk) not in {each["id"] for each in organization.get("services", [])}
    Tombstone.objects.filter(object_id=service.pk).delete()
    documents.refresh(service_ids=[service.pk])
    assert town.get(f"/services/{service.pk}").status == 200


def test_django_serves_the_same_where_no_front_stands(town: Town) -> None:
    client = Client(HTTP_HOST=f"{town.name}.localhost")
    for path in ("/services?per_page=3", "/services?page=0", "/nothing"):
        bare, _, query = path.partition("?")
        reply = client.get(f"/hsds/v3{path}")
        assert (reply.status_code, reply.content) == (ask(town, bare, query).status, ask(town, bare, query).body)
    streamed = client.get("/hsds/v3/services?format=ndjson")
    assert b"".join(streamed.streaming_content) == ask(town, "/services", "format=ndjson").body
    reply = client.post("/hsds/v3/services", json.dumps({"per_page": 2}), content_type="application/json")
    assert reply.json()["size"] == 2


def test_people_find_a_page_about_it(town: Town) -> None:
    client = Client(HTTP_HOST=f"{town.name}.localhost", headers={"accept-language": "es"})
    assert client.get("/hsds/v3/docs")["Location"] == "/es/hsds/v3/docs"
    page = client.get("/en/hsds/v3/docs")
    assert page.status_code == 200
    text = page.content.decode()
    for word in ("taxonomy_term_id", "ndjson", "/hsds/v3/service_at_locations", "openapi.json"):
        assert word in text


def test_a_database_that_does_not_answer_is_a_503(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    from parvis.api import queries

    def broken(*_: Any) -> Any:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(queries, "rows", broken)
    reply = ask(town, "/services")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert reply.json()["detail"][0]["type"] == "unavailable"


def test_a_lost_connection_is_made_again(town: Town) -> None:
    assert ask(town, "/services").status == 200
    lending._idle[-1].connection.close()  # as when the server was started again
    assert ask(town, "/services").status == 200


def backend() -> int:
    """The process of PostgreSQL that this thread's connection has."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_one_reader_after_the_other_needs_one_connection_whatever_the_thread(town: Town) -> None:
    connection.set_tenant(town.city)
    own, seen = backend(), []

    def read() -> None:
        for _ in range(2):
            with lending.lent():
                seen.append(backend())
        connections["default"].close()

    for _ in range(3):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(seen) == 6 and len(set(seen)) == 1
    assert own not in seen and backend() == own  # what it was before

    with lending.lent():
        first = backend()
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert first == seen[0] and first not in seen[6:]  # two at the same time have two
    with pytest.raises(ZeroDivisionError), lending.lent():
        raise ZeroDivisionError
    assert backend() == own


def test_a_reader_in_a_transaction_sees_what_it_wrote(town: Town, writing: None) -> None:
    own = backend()
    with lending.lent():
        assert backend() == own


def test_lent_connections_that_are_too_old_are_made_anew(town: Town) -> None:
    with lending.lent():
        old = backend()
    with lending.lent():
        assert backend() == old
    lending._idle[-1].close_at = 0.0
    with lending.lent():
        assert backend() != old


def test_no_cookie_and_no_session(town: Town) -> None:
    assert "set-cookie" not in ask(town, "/services").headers
    assert settings.SESSION_COOKIE_NAME not in str(ask(town, "/services").headers)
