"""Rendered documents: what they show, what a change touches, what is never shown."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from django_tenants.utils import schema_context

from parvis.core import hsds
from parvis.demo.loader import load
from parvis.directory import documents
from parvis.directory.models import (
    Address,
    Attribute,
    Contact,
    CostOption,
    Document,
    Location,
    Metadata,
    Phone,
    Program,
    Revision,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCapacity,
    Taxonomy,
    TaxonomyTerm,
    Tombstone,
    Unit,
    Url,
)
from parvis.ledger.actions import record
from parvis.orgs.models import Organization

NOW = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def world(city: Any) -> dict[str, Any]:
    """An organization, a service at a place, and what may hang on them; rendered."""
    made: dict[str, Any] = {}
    organization = made["organization"] = Organization.objects.create(name="La Passerelle", changed_at=NOW)
    made["program"] = Program.objects.create(organization=organization, name="Accueil", changed_at=NOW)
    taxonomy = made["taxonomy"] = Taxonomy.objects.create(name="Besoins", changed_at=NOW)
    made["term"] = TaxonomyTerm.objects.create(name="Langue", taxonomy=taxonomy, code="L", changed_at=NOW)
    made["location"] = Location.objects.create(
        organization=organization, name="Local 2", latitude=45.5, longitude=-73.6, changed_at=NOW
    )
    made["address"] = Address.objects.create(location=made["location"], city="Montréal", postal_code="h2x 1y4")
    service = made["service"] = Service.objects.create(
        organization=organization, program=made["program"], name="Cours", minimum_age=16, url="www without scheme",
        email="cours@example.org", changed_at=NOW,
    )  # fmt: skip
    made["link"] = ServiceAtLocation.objects.create(service=service, location=made["location"], changed_at=NOW)
    made["phone"] = Phone.objects.create(service=service, number="514 555-0101", extension=12)
    made["contact"] = Contact.objects.create(organization=organization, name="Accueil")
    made["schedule"] = Schedule.objects.create(
        service=service, freq="WEEKLY", byday="MO,TU", opens_at=dt.time(9), closes_at=dt.time(17, 30)
    )
    made["event"] = Schedule.objects.create(
        service=service, dtstart=dt.date(2026, 3, 1), opens_at=dt.time(9), closes_at=dt.time(12)
    )
    made["attribute"] = Attribute.objects.create(link_id=service.pk, link_entity="service", taxonomy_term=made["term"])
    made["cost"] = CostOption.objects.create(service=service, amount=0, currency="CAD")
    unit = Unit.objects.create(name="place")
    made["capacity"] = ServiceCapacity.objects.create(service=service, unit=unit, available=3, updated=NOW)
    made["url"] = Url.objects.create(service=service, url="https://example.org/é t é")
    refresh(everything=True)
    return made


def refresh(**what: Any) -> int:
    with transaction.atomic():
        return documents.refresh(**what)


def whole(kind: str, obj: Any) -> Any:
    return json.loads(Document.objects.get(kind=kind, object_id=obj.pk).whole)


def item(kind: str, obj: Any) -> Any:
    return json.loads(Document.objects.get(kind=kind, object_id=obj.pk).item)


def everything() -> list[Any]:
    columns = [f.attname for f in Document._meta.concrete_fields if f.attname != "id"]
    return list(Document.objects.order_by("kind", "object_id").values_list(*columns))


def test_a_service_shows_all_that_hangs_on_it(world: dict[str, Any]) -> None:
    service = whole("service", world["service"])
    assert service["name"] == "Cours"
    assert service["minimum_age"] == 16
    assert service["organization"]["contacts"][0]["name"] == "Accueil"
    assert service["organization"]["locations"][0]["name"] == "Local 2"
    assert service["program"]["name"] == "Accueil"
    assert service["phones"] == [
        {"id": str(world["phone"].pk), "service_id": service["id"], "number": "514 555-0101", "extension": 12}
    ]
    place = service["service_at_locations"][0]["location"]
    assert (place["latitude"], place["addresses"][0]["city"]) == (45.5, "Montréal")
    assert service["attributes"][0]["taxonomy_term"]["taxonomy_detail"]["name"] == "Besoins"
    assert service["cost_options"][0]["amount"] == 0
    assert service["capacities"][0]["unit"]["name"] == "place"
    assert item("service", world["service"]).keys() == {
        "id", "organization_id", "program_id", "name", "email", "status", "minimum_age", "last_modified",
        "organization", "program",
    }  # fmt: skip
    assert "phones" not in item("service", world["service"])["organization"]


def test_values_are_as_hsds_writes_them(world: dict[str, Any]) -> None:
    service = whole("service", world["service"])
    assert "url" not in service  # what is no URI is not given as one
    assert service["additional_urls"][0]["url"] == "https://example.org/%C3%A9%20t%20%C3%A9"
    offset = documents._offset(connection.tenant)
    times = {(each["opens_at"], each["closes_at"], each["timezone"]) for each in service["schedules"]}
    assert times == {("09:00", "17:30", offset), ("09:00", "12:00", offset)}
    address = service["service_at_locations"][0]["location"]["addresses"][0]
    assert (address["address_1"], address["state_province"], address["country"]) == ("", "", "CA")
    assert (service["organization"]["description"], service["program"]["description"]) == ("", "")
    assert service["last_modified"] == "2026-01-15T12:00:00Z"
    assert "null" not in Document.objects.get(kind="service").whole


def test_the_time_zone_is_the_citys_and_follows_summer_time(world: dict[str, Any]) -> None:
    for moment, offset in (("2026-01-15T12:00:00Z", -5), ("2026-07-15T12:00:00Z", -4)):
        with time_machine.travel(dt.datetime.fromisoformat(moment), tick=False):
            documents.renew()
            assert whole("service", world["service"])["schedules"][0]["timezone"] == offset
    before = Revision.objects.get().number
    with schema_context(connection.schema_name):  # as in a sweep, which knows no more than the schema
        assert not hasattr(connection.tenant, "timezone")
        with time_machine.travel(dt.datetime(2026, 7, 16, tzinfo=dt.UTC), tick=False):
            documents.renew()
            assert Revision.objects.get().number == before
        with time_machine.travel(dt.datetime(2026, 12, 16, tzinfo=dt.UTC), tick=False):
            documents.renew()
            assert whole("service", world["service"])["schedules"][0]["timezone"] == -5
        with time_machine.travel(dt.datetime(2026, 7, 16, tzinfo=dt.UTC), tick=False):
            documents.renew()
            assert whole("service", world["service"])["schedules"][0]["timezone"] == -4
    before = Revision.objects.get().number
    with time_machine.travel(dt.datetime(2026, 7, 16, tzinfo=dt.UTC), tick=False):
        documents.renew()
    assert Revision.objects.get().number == before


@pytest.mark.parametrize(
    ("name", "field", "argument", "kinds"),
    [
        ("service", "name", "service_ids", {"service", "organization", "service_at_location"}),
        ("organization", "name", "organization_ids", {"organization", "service", "service_at_location"}),
        ("location", "name", "location_ids", {"organization", "service", "service_at_location"}),
        ("link", "description", "service_at_location_ids", {"service", "service_at_location"}),
        ("term", "name", "term_ids", {"taxonomy_term", "service"}),
        ("taxonomy", "name", "taxonomy_ids", {"taxonomy", "taxonomy_term", "service"}),
    ],
)
def test_a_change_is_shown_everywhere(
    world: dict[str, Any], name: str, field: str, argument: str, kinds: set[str]
) -> None:
    obj = world[name]
    setattr(obj, field, "Renommé")
    obj.version += 1
    obj.changed_at = NOW + dt.timedelta(days=1)
    obj.save()
    assert refresh(**{argument: [obj.pk]}) > 0
    showing = {d.kind for d in Document.objects.all() if "Renommé" in d.item + d.whole}
    assert showing == kinds
    assert refresh(everything=True) == 0


def test_a_small_refresh_gives_what_a_complete_one_gives(city: Any) -> None:
    with transaction.atomic():
        load("montreal", services=40)
    for number, (model, argument) in enumerate(
        [
            (Service, "service_ids"), (Organization, "organization_ids"), (Location, "location_ids"),
            (ServiceAtLocation, "service_at_location_ids"), (TaxonomyTerm, "term_ids"), (Taxonomy, "taxonomy_ids"),
        ]
    ):  # fmt: skip
        obj: Any = model.objects.order_by("pk")[number % 2]
        obj.description = f"Décrit autrement {number}"
        obj.version += 1
        obj.changed_at = timezone.now()
        obj.save()
        refresh(**{argument: [obj.pk]})
    small = everything()
    assert refresh(everything=True) == 0
    Document.objects.all().delete()
    refresh(everything=True)
    assert everything() == small


def test_nothing_changed_writes_nothing(world: dict[str, Any]) -> None:
    before, number = everything(), Revision.objects.get().number
    assert refresh(service_ids=[world["service"].pk], organization_ids=[world["organization"].pk]) == 0
    assert refresh(everything=False) == 0
    assert (everything(), Revision.objects.get().number) == (before, number)
    world["service"].name = "Autrement"
    world["service"].save()
    assert refresh(service_ids=[world["service"].pk]) == 3
    assert Revision.objects.get().number == number + 1


def test_what_a_source_no_longer_lists_is_left_out(world: dict[str, Any]) -> None:
    for name in ("phone", "attribute", "contact", "cost"):
        world[name].missing_since = NOW
        world[name].save()
    refresh(service_ids=[world["service"].pk], organization_ids=[world["organization"].pk])
    service = whole("service", world["service"])
    assert not {"phones", "attributes", "cost_options"} & service.keys()
    assert "contacts" not in service["organization"]
    document = Document.objects.get(kind="service")
    assert (document.term_ids, document.taxonomy_ids) == ([], [])


def test_a_service_no_longer_listed_is_inactive(world: dict[str, Any]) -> None:
    world["service"].missing_since = NOW
    world["service"].save()
    refresh(service_ids=[world["service"].pk])
    service = whole("service", world["service"])
    assert service["status"] == item("service", world["service"])["status"] == "inactive"
    assert service["metadata"][-1]["last_action_type"] == "unlisted"
    assert whole("organization", world["organization"])["services"][0]["status"] == "inactive"


def test_a_location_no_longer_listed_takes_its_link_away_and_brings_it_back(world: dict[str, Any]) -> None:
    world["location"].missing_since = NOW
    world["location"].save()
    refresh(location_ids=[world["location"].pk])
    assert "service_at_locations" not in whole("service", world["service"])
    assert Tombstone.objects.get().object_id == world["link"].pk
    world["location"].missing_since = None
    world["location"].save()
    refresh(location_ids=[world["location"].pk])
    assert Document.objects.filter(kind="service_at_location").count() == 1
    assert not Tombstone.objects.exists()


def test_deleting_leaves_a_tombstone(world: dict[str, Any]) -> None:
    key, link, organization = world["service"].pk, world["link"].pk, world["organization"].pk
    world["service"].delete()
    refresh(service_ids=[key], service_at_location_ids=[link], organization_ids=[organization])
    assert set(Tombstone.objects.values_list("kind", "object_id", "reason")) == {
        ("service", key, "deleted"), ("service_at_location", link, "deleted"),
    }  # fmt: skip
    assert "services" not in whole("organization", world["organization"])
    Service.objects.create(pk=key, organization_id=organization, name="Revenu", changed_at=NOW)
    refresh(service_ids=[key])
    assert list(Tombstone.objects.values_list("kind", flat=True)) == ["service_at_location"]


def test_the_sources_word_holds_until_something_is_changed_here(world: dict[str, Any]) -> None:
    service = world["service"]
    service.last_modified = dt.datetime(2020, 3, 4, 5, 6, 7, 123000, tzinfo=dt.UTC)
    service.save()
    refresh(service_ids=[service.pk])
    assert whole("service", service)["last_modified"] == "2020-03-04T05:06:07.123Z"
    assert Document.objects.get(kind="service").modified == service.last_modified
    world["location"].version, world["location"].changed_at = 2, NOW + dt.timedelta(hours=1)
    world["location"].save()
    refresh(location_ids=[world["location"].pk])
    assert whole("service", service)["last_modified"] == "2026-01-15T13:00:00Z"


def test_metadata_tell_the_real_history_without_naming_people(world: dict[str, Any], city: Any) -> None:
    first = whole("service", world["service"])["metadata"]
    assert [(each["last_action_type"], each["resource_type"]) for each in first] == [("create", "service")]
    Metadata.objects.create(
        resource_id=world["service"].pk, resource_type="service", last_action_date=dt.date(2019, 1, 2),
        last_action_type="update", field_name="name", previous_value="A", replacement_value="B", updated_by="source",
    )  # fmt: skip
    with transaction.atomic():
        record("directory.service.edited", world["service"], by="x", before={"name": "Cours", "version": 1},
               after={"name": "Cours de langue", "version": 2})  # fmt: skip
    refresh(service_ids=[world["service"].pk])
    told = whole("service", world["service"])["metadata"]
    changes = {(each["field_name"], each["previous_value"], each["replacement_value"]) for each in told}
    assert changes == {("name", "A", "B"), ("name", "Cours", "Cours de langue")}
    required = set(hsds.ENTITIES["metadata"].required)
    assert all(required <= each.keys() for each in told)


@override_settings(HSDS_VERSION="3.3")
def test_hsds_3_3_tells_hours_and_events_apart(world: dict[str, Any]) -> None:
    world["schedule"].group = "hiver"
    world["schedule"].save()
    documents.renew()
    service = whole("service", world["service"])
    assert "schedules" not in service
    assert [(each["byday"], each["group"]) for each in service["operating_hours"]] == [("MO,TU", "hiver")]
    assert [each["dtstart"] for each in service["events"]] == ["2026-03-01"]


def test_columns_that_filters_ask(world: dict[str, Any]) -> None:
    link = Document.objects.get(kind="service_at_location")
    assert (link.postcode, link.latitude, link.longitude) == ("H2X1Y4", 45.5, -73.6)
    assert link.term_ids == [world["term"].pk] and link.taxonomy_ids == [world["taxonomy"].pk]
    assert Document.objects.get(kind="organization").term_ids == [world["term"].pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT open_minutes::text FROM directory_document WHERE kind = 'service'")
        assert cursor.fetchone()[0] == "{[540,1050),[1980,2490)}"


def test_opening_past_midnight_and_on_sunday() -> None:
    row = {"opens_at": "22:00", "closes_at": "02:00", "byday": "SU,1FR"}
    assert documents.open_minutes(row) == [(9960, 10080), (0, 120), (7080, 7320)]
    assert documents.open_minutes({"opens_at": "08:00", "closes_at": "08:00", "byday": "MO"}) == [(480, 1920)]
    assert documents.open_minutes({"byday": "MO"}) == []


def test_documents_need_a_transaction(fresh_city: Any) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        documents.refresh(everything=True)


def test_the_number_of_queries_does_not_grow(city: Any, django_assert_max_num_queries: Any) -> None:
    load("montreal", services=60)
    ids = list(Service.objects.values_list("pk", flat=True))
    for some in (ids[:1], ids):
        Service.objects.filter(pk__in=some).update(alert=str(uuid.uuid4()))
        with django_assert_max_num_queries(70):
            assert refresh(service_ids=some) >= len(some)
