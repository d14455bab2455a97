"""A city is a schema: what one writes, another never sees."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from parvis.cities.actions import CityRefused, add_city
from parvis.cities.middleware import hosts
from parvis.ledger.queries import history
from parvis.orgs.models import Organization
from tests.conftest import URLS

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def test_one_city_never_sees_anothers_rows(city: Any, other_city: Any) -> None:
    ours = Organization.objects.create(name="Maison d'Alice", changed_at=NOW)
    assert Organization.objects.count() == 1
    connection.set_tenant(other_city)
    assert Organization.objects.count() == 0
    assert not Organization.objects.filter(pk=ours.pk).exists()
    assert not history(None, ours.pk)
    connection.set_tenant(city)
    assert Organization.objects.get() == ours


def test_every_table_of_a_city_is_in_its_schema(city: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        public = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [city.schema_name])
        own = {name for (name,) in cursor.fetchall()}
    assert {"orgs_organization", "directory_service", "accounts_user", "ledger_event", "accounts_session"} <= own
    assert not {name for name in public if name.startswith(("orgs_", "directory_", "accounts_", "ledger_", "words_"))}


@pytest.mark.parametrize(
    ("host", "status"), [("montreal.localhost", 302), ("geneve.localhost:8000", 302), ("localhost", 302),
                         ("127.0.0.1:9", 302), ("elsewhere.example", 404), ("", 404), ("a b", 404)],
)  # fmt: skip
def test_only_known_hosts_are_answered(city: Any, host: str, status: int) -> None:
    hosts.forget()
    assert Client().get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("schema", "languages", "zone", "why"),
    [
        ("Geneve", ["fr"], "Europe/Zurich", "lower-case"),
        ("public", ["fr"], "Europe/Zurich", "can't name"),
        ("pg_x", ["fr"], "Europe/Zurich", "can't name"),
        ("a; drop", ["fr"], "Europe/Zurich", "can't name"),
        ("ok", [], "Europe/Zurich", "at least one language"),
        ("ok", ["zzzz"], "Europe/Zurich", "not a language"),
        ("ok", ["fr"], "Europe/Nowhere", "not a time zone"),
        ("montreal", ["fr"], "Europe/Zurich", "already"),
    ],
)
def test_a_city_that_can_not_be(city: Any, schema: str, languages: list[str], zone: str, why: str) -> None:
    with pytest.raises(CityRefused, match=why):
        add_city(schema, name="x", domains=["x.localhost"], languages=languages, timezone=zone, roles=URLS.roles())


def test_the_root_leads_to_the_readers_language(city: Any) -> None:
    def asked(header: str) -> str:
        return str(Client().get("/", headers={"accept-language": header})["Location"])

    assert asked("ar-SY,ar;q=0.9") == "/ar/"
    assert asked("es-MX") == "/es/"
    assert asked("ti") == "/fr/"
    assert asked("") == "/fr/"
