"""A town of its own, really committed, filled with the demo once a module; and the WSGI application asked directly."""

import gzip
import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction

from parvis.api import lending
from parvis.api.front import front
from tests.conftest import URLS, _use

SERVICES = 120


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Town:
    """A city's API: `get("/services", page=2)`."""

    name: str
    city: Any
    application: Any

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"", host: str = "", **headers: str) -> Reply:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "x",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": host or f"{self.name}.localhost:8000",
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
            "wsgi.errors": io.StringIO(),
        }  # fmt: skip
        environ.update({"CONTENT_TYPE" if k == "CONTENT_TYPE" else f"HTTP_{k}": v for k, v in headers.items()})
        said: dict[str, Any] = {}

        def start(status: str, found: list[tuple[str, str]], *_: Any) -> None:
            said.update(status=int(status[:3]), headers={name.lower(): value for name, value in found})

        chunks = self.application(environ, start)
        data = b"".join(chunks)
        if said["headers"].get("content-encoding") == "gzip":
            data = gzip.decompress(data) if data else data
        return Reply(said["status"], said["headers"], data)

    def get(self, path: str, /, **query: Any) -> Reply:
        return self.ask("GET", f"/hsds/v3{path}", urlencode(query, doseq=True))

    def walk(self, path: str, per_page: int, **query: Any) -> list[Any]:
        """Every record of a list, page by page."""
        found: list[Any] = []
        number = 1
        while True:
            page = self.get(path, page=number, per_page=per_page, **query).json()
            found += page["contents"]
            if page["last_page"]:
                return found
            number += 1


Build = Callable[[str, int], Town]


@pytest.fixture(scope="module")
def build(django_db_setup: None, django_db_blocker: Any) -> Iterator[Build]:
    """Make a town with so many demo services of Montréal or Genève; all are dropped at the end of the module."""
    from parvis.cities.actions import add_city
    from parvis.cities.middleware import hosts
    from parvis.demo.loader import load

    roles = URLS.roles()
    made: list[Any] = []
    application = front(get_wsgi_application())

    def make(demo: str, services: int) -> Town:
        name = f"t{uuid.uuid4().hex[:10]}"
        database = connection.settings_dict["NAME"]
        _use("owner", database)
        zone = {"montreal": "America/Toronto", "geneve": "Europe/Zurich"}[demo]
        city = add_city(name, name=f"Essai {demo}", domains=[f"{name}.localhost"], languages=["fr", "en", "ar", "es"],
                        timezone=zone, roles=roles)  # fmt: skip
        made.append(city)
        _use("app", database)
        hosts.forget()
        connection.set_tenant(city)
        if services:
            load(demo, services=services)
        return Town(name, city, application)

    with django_db_blocker.unblock():
        yield make
        lending.close()
        database = connection.settings_dict["NAME"]
        _use("owner", database)
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            for city in made:
                cursor.execute(f'DROP SCHEMA "{city.schema_name}" CASCADE')
                cursor.execute("DELETE FROM cities_domain WHERE tenant_id = %s", [city.pk])
                cursor.execute("DELETE FROM cities_city WHERE id = %s", [city.pk])
        _use("app", database)
        hosts.forget()


@pytest.fixture(scope="module")
def town(build: Build) -> Town:
    return build("montreal", SERVICES)


@pytest.fixture(scope="module")
def other_town(build: Build) -> Town:
    return build("geneve", 20)


@pytest.fixture
def writing(town: Town) -> Iterator[None]:
    """Write into the town; it is undone afterwards."""
    connection.set_tenant(town.city)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
