"""The demo in the database: loaded once, found, signed in to, and never twice."""

from datetime import date

import pytest
from django.db import connection
from django.utils import timezone

from parvis.accounts.models import User
from parvis.core.geometry import contains
from parvis.demo import loader
from parvis.demo.generator import identifier, identifier_space
from parvis.directory.models import (
    Document,
    ImportRun,
    Listing,
    Location,
    Phone,
    Schedule,
    Service,
    ServiceCapacity,
    TaxonomyTerm,
    Tombstone,
    Verification,
)
from parvis.ledger.models import Event
from parvis.orgs.models import Membership, Organization
from parvis.places.actions import load_geography
from parvis.places.models import Borough
from parvis.places.queries import named
from parvis.words.models import Rendering

FEW = 40


def counts() -> dict[str, int]:
    tables = (Organization, Service, Location, Schedule, TaxonomyTerm, Document, Listing, Event, Rendering,
              Verification, User, Membership, Borough, ImportRun)  # fmt: skip
    return {model.__name__: model.objects.count() for model in tables}


def test_a_loaded_demo_is_whole(city) -> None:
    written = loader.load("montreal", services=FEW)
    assert written["service"] == FEW == Service.objects.count()
    assert Document.objects.filter(kind="service").count() == FEW
    assert Listing.objects.filter(kind="service").count() >= FEW * 0.85  # defunct services need not be found
    assert Borough.objects.count() == 19
    location = Location.objects.exclude(latitude=None).first()
    assert contains(Borough.objects.get(code=location.borough).geometry, location.longitude, location.latitude)
    assert Schedule.objects.filter(closed=True).exists()
    assert TaxonomyTerm.objects.get(code="legal-aid").synonyms["ar"][0] == "محامي"
    term = TaxonomyTerm.objects.get(code="legal-aid")
    assert Rendering.objects.filter(phrase__text=term.name, language="es", text="Asistencia jurídica").exists()
    assert Event.objects.filter(code="service.imported").count() == FEW
    assert Event.objects.filter(code="demo.loaded").count() == 1


def test_the_same_demo_twice_changes_nothing(city) -> None:
    loader.load("montreal", services=FEW)
    before = counts()
    again = loader.load("montreal", services=FEW, on=date(2031, 1, 1))
    assert not any(again.values())
    assert not any(loader.load("montreal", services=FEW - 10).values())
    assert counts() == before


def test_a_larger_demo_adds_and_leaves_alone_what_people_did(city) -> None:
    loader.load("montreal", services=FEW)
    edited, deleted = Service.objects.order_by("id")[:2]
    phone = Phone.objects.first()
    phone.delete()
    Service.objects.filter(pk=edited.pk).update(name="Corrigé à la main")
    gone = deleted.pk
    deleted.delete()
    Tombstone.objects.create(kind="service", object_id=gone, at=timezone.now(), reason="deleted")
    written = loader.load("montreal", services=FEW * 2)
    assert written["service"] == FEW
    assert Service.objects.count() == 2 * FEW - 1
    assert Service.objects.get(pk=edited.pk).name == "Corrigé à la main"
    assert not Service.objects.filter(pk=gone).exists()
    assert not Phone.objects.filter(pk=phone.pk).exists()


def test_a_deleted_organization_gets_no_more_services(city) -> None:
    loader.load("montreal", services=3)
    last = Service.objects.get(pk=identifier(identifier_space("montreal", 1), "service/0/0")).organization
    Organization.objects.all().delete()
    for kind, key in [
        ("organization", identifier(identifier_space("montreal", 1), f"organization/{n}")) for n in range(3)
    ]:
        Tombstone.objects.get_or_create(kind=kind, object_id=key, defaults={"at": timezone.now(), "reason": "deleted"})
    loader.load("montreal", services=12)
    assert not Service.objects.filter(organization_id=last.pk).exists()
    assert 0 < Service.objects.count() <= 9


def test_a_demo_of_another_edition_is_not_added_to(city, monkeypatch) -> None:
    loader.load("montreal", services=5)
    monkeypatch.setattr(loader, "edition", lambda: "another")
    assert not any(loader.load("montreal", services=5).values())
    with pytest.raises(loader.OlderDemo, match="montreal holds the demo of another edition"):
        loader.load("montreal", services=6)
    assert Service.objects.count() == 5


def test_confirmations_count_from_the_day_of_loading(city) -> None:
    today = timezone.localdate()
    loader.load("montreal", services=FEW)
    first = Verification.objects.get(object_id=identifier(identifier_space("montreal", 1), "organization/0"))
    assert (today - first.at.date()).days == 12
    share = Verification.objects.filter(object_type="service").count() / FEW
    assert 0.5 < share < 0.95
    assert not Verification.objects.filter(at__gt=timezone.now()).exists()
    assert not Verification.objects.filter(by_name="").exists()
    confirmed = Verification.objects.filter(object_type="service").first()
    assert Service.objects.get(pk=confirmed.object_id).assured_date == timezone.localdate(confirmed.at)
    freshest = ServiceCapacity.objects.order_by("-updated").first()
    assert 0 <= (today - freshest.updated.date()).days <= 45


def test_one_person_a_role_and_partners_have_organizations(city) -> None:
    loader.load("montreal", services=FEW)
    roles = dict(User.objects.values_list("email", "office_role"))
    assert roles == {
        "agent@example.org": "agent",
        "coordinator@example.org": "coordinator",
        "director@example.org": "director",
        "administrator@example.org": "administrator",
        "privacy@example.org": "privacy",
        "worker@example.org": "",
        "manager@example.org": "",
    }
    assert User.objects.get(email="agent@example.org").check_password(loader.PASSWORD)
    of = {member.user.email: member.role for member in Membership.objects.select_related("user")}
    assert of == {"worker@example.org": "worker", "manager@example.org": "manager"}
    assert Membership.objects.filter(user__email="manager@example.org").count() == 2


def test_two_cities_have_different_data(city, other_city) -> None:
    loader.load("montreal", services=FEW)
    mine = set(Organization.objects.values_list("name", flat=True))
    connection.set_tenant(other_city)
    assert Organization.objects.count() == 0
    loader.load("geneve", services=FEW)
    theirs = set(Organization.objects.values_list("name", flat=True))
    assert theirs and len(mine & theirs) < len(theirs) / 4  # emblems are few; ids never meet
    assert set(Rendering.objects.values_list("language", flat=True)) == {"en", "ar"}
    assert {b.code for b in Borough.objects.all()} >= {"carouge", "plainpalais"}


def test_a_failure_leaves_the_city_as_it_was(city, monkeypatch) -> None:
    def fails(*args: object, **kwargs: object) -> int:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(loader.search, "refresh", fails)
    with pytest.raises(RuntimeError, match="disk"):
        loader.load("montreal", services=5)
    assert not Service.objects.exists() and not ImportRun.objects.exists() and not Borough.objects.exists()


@pytest.mark.parametrize(
    "asked, borough",
    [
        ("H2S 1A1", "rosemont-la-petite-patrie"),
        ("h3n", "villeray-saint-michel-parc-extension"),
        ("Parc-Extension", "villeray-saint-michel-parc-extension"),
        ("parc-ext", "villeray-saint-michel-parc-extension"),
        ("Côte-Vertu", "saint-laurent"),
        ("nowhere at all", None),
    ],
)
def test_a_place_is_found_by_what_people_type(city, asked: str, borough: str | None) -> None:
    load_geography("montreal")
    point = named(asked)
    inside = [] if point is None else [b.code for b in Borough.objects.all() if contains(b.geometry, *point[::-1])]
    assert inside == ([borough] if borough else [])
