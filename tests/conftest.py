"""The tests' own PostgreSQL and cities.

One database a worker, made once and kept between runs while no migration changes. Migrations run as the owner role;
the tests run as the app role, which owns nothing: a missing grant is found here and not by a city.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parent.parent
os.environ["PARVIS_HOME"] = os.environ.get("PARVIS_TEST_HOME", str(ROOT / "var" / "test"))
os.environ.setdefault("PARVIS_POSTGRES", "fsync=off full_page_writes=off max_connections=200")
os.environ["PARVIS_MODE"] = "demo"
os.environ.pop("MAIL_URL", None)

from parvis.site.boot import boot  # noqa: E402

URLS = boot("app")

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from psycopg.conninfo import conninfo_to_dict  # noqa: E402

SHARED = ROOT.parent / "shared" / "reference"
# Pages name their files as they are: nothing has been collected. The browser tests collect and serve for real.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference folder that stands beside a founder's clone; a stranger's has none."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared/reference beside this clone")
    return SHARED


def _use(role: str, database: str) -> None:
    connection.close()
    values = conninfo_to_dict(getattr(URLS, role))
    connection.settings_dict.update(NAME=database, USER=values.get("user", ""), PASSWORD=values.get("password", ""))
    settings.DATABASES["default"]["NAME"] = database


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("migrations/*.py")):
        digest.update(path.read_bytes())
    for name in ("cities/actions.py", "cases/events.py", "core/referral.py", "*/policies.py"):
        for path in sorted((ROOT / "src/parvis").glob(name)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """A database with two cities, `montreal` (default) and `geneve`, both empty."""
    from parvis.cities.actions import add_city, migrate_all

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{worker}_{_fingerprint()}"
    roles = URLS.roles()
    with django_db_blocker.unblock():
        _use("owner", "parvis")
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"test\\_{worker}\\_%"])
            there = {row[0] for row in cursor.fetchall()}
            for old in there - {name}:
                cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
            if name not in there:
                cursor.execute(f'CREATE DATABASE "{name}"')
        _use("owner", name)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('public.cities_city')")
            ready = cursor.fetchone()[0]
        if ready:
            from parvis.cities.models import City

            ready = City.objects.count() >= 2
        if not ready:
            migrate_all(roles)
            add_city("montreal", name="Montréal", domains=["montreal.localhost"], languages=["fr", "en", "ar", "es"],
                     roles=roles)  # fmt: skip
            add_city("geneve", name="Genève", domains=["geneve.localhost"], languages=["fr", "en", "ar"],
                     timezone="Europe/Zurich", country="CH", roles=roles)  # fmt: skip
        _use("app", name)
    yield
    with django_db_blocker.unblock():
        connection.close()


def clock(city: Any) -> Any:
    """The city's own days in this block, as for a request, a task and a sweep: at night UTC has another date."""
    from django.utils import timezone

    return timezone.override(ZoneInfo(city.timezone))


@pytest.fixture
def city(db: None) -> Iterator[Any]:
    """The city of Montréal, active and empty."""
    from parvis.cities.middleware import LOOPBACK, hosts
    from parvis.cities.queries import city as find

    LOOPBACK.add("testserver")  # what Django's test client calls itself

    hosts.forget()
    found = find("montreal")
    connection.set_tenant(found)
    with clock(found):
        yield found
    connection.set_schema_to_public()


@pytest.fixture
def other_city(db: None) -> Any:
    """The city of Genève; make it active with `connection.set_tenant(other_city)`."""
    from parvis.cities.queries import city as find

    return find("geneve")


@pytest.fixture
def fresh_city(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """A city of its own, really committed to, for tests of several connections or processes; dropped afterwards."""
    yield from committed_city(django_db_blocker)


def committed_city(django_db_blocker: Any) -> Iterator[Any]:
    """What `fresh_city` gives, for a fixture of another scope."""
    from parvis.cities.actions import add_city
    from parvis.cities.middleware import hosts

    name = f"t{uuid.uuid4().hex[:10]}"
    database = connection.settings_dict["NAME"]
    roles = URLS.roles()
    with django_db_blocker.unblock():
        _use("owner", database)
        made = add_city(name, name="Essai", domains=[f"{name}.localhost"], languages=["fr", "en", "ar", "es"],
                        roles=roles)  # fmt: skip
        _use("app", database)
        hosts.forget()
        connection.set_tenant(made)
        with clock(made):
            yield made
        _use("owner", database)
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')
            cursor.execute("DELETE FROM cities_domain WHERE tenant_id = %s", [made.pk])
            cursor.execute("DELETE FROM cities_city WHERE id = %s", [made.pk])
        _use("app", database)
        hosts.forget()
