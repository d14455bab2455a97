"""Imports against what people changed or confirmed here: held, told, decided field by field; and the do-not-list."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.directory import actions, queries
from parvis.directory.facts import read
from parvis.directory.importing import Imported, import_hsds
from parvis.directory.models import Document, DoNotList, ImportConflict, Phone, Service, Verification
from parvis.ledger.models import Event
from parvis.orgs.models import Organization
from tests.accounts.people import open_account
from tests.directory.test_import import FIRST, ORG, PHONE, SECOND, network


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path / "home"


@pytest.fixture
def carla(city: Any) -> Any:
    return open_account("carla", "coordinator")


def bring(
    folder: Path, name: str = "Cours de français", phone: str = "+1 514-555-0100", by: Any = "import"
) -> Imported:
    services = f"{FIRST},{ORG},{name},active\n{SECOND},{ORG},Repas,active\n"
    return import_hsds(network(folder, services, f"{PHONE},{FIRST},{phone}\n"), by=by)


def course() -> Service:
    return Service.objects.get(pk=FIRST)


def test_what_nobody_touched_follows_its_source(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path, by=carla)  # an import that a person runs is no word of theirs
    changes = bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111").changes
    assert changes.held == 0 and changes.updated == 2
    assert course().name == "Français langue seconde" and not ImportConflict.objects.exists()


def test_a_field_that_somebody_changed_waits_for_a_decision_and_others_are_written(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    actions.edit(course(), by=carla, changes={"name": "Cours du soir"})
    changes = bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111").changes
    assert changes.held == 1 and course().name == "Cours du soir"
    assert Phone.objects.get(pk=PHONE).number == "+1 514-555-0111"  # nobody changed this one
    (conflict,) = queries.conflicts(carla)
    assert (conflict.kind, str(conflict.owner_id), conflict.field) == ("service", FIRST, "name")
    assert (conflict.ours, conflict.theirs) == ("Cours du soir", "Français langue seconde")
    assert bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111").changes.held == 0  # said already
    bring(tmp_path, name="Français de base", phone="+1 514-555-0111")
    (conflict,) = queries.conflicts(carla)
    assert conflict.theirs == "Français de base"


def test_a_telephone_that_somebody_changed_is_held_alone(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    phones = read(course())["phones"]
    actions.edit(course(), by=carla, changes={"phones": [{**phones[0], "number": "+1 514-555-0122"}]})
    bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111")
    assert course().name == "Français langue seconde"
    (conflict,) = queries.conflicts(carla)
    assert (conflict.entity, conflict.field, conflict.theirs) == ("phone", "number", "+1 514-555-0111")
    assert actions.decide(conflict, take=True, by=carla)
    assert Phone.objects.get(pk=PHONE).number == "+1 514-555-0111"
    assert "+1 514-555-0111" in Document.objects.get(kind="service", object_id=FIRST).whole
    assert not actions.decide(conflict, take=False, by=carla) and not queries.conflicts(carla)
    event = Event.objects.filter(code="directory.conflict.decided").get()
    assert event.after["taken"] is True and event.after["field"] == "number"


@pytest.mark.parametrize(("about", "held"), [("", {"name", "number"}), ("phone", {"number"}), ("hours", set())])
def test_what_was_confirmed_lately_is_held(carla: Any, tmp_path: Path, about: str, held: set[str]) -> None:
    bring(tmp_path)
    actions.confirm(course(), by=carla, means="phone", about=about)
    bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111")
    assert {one.field for one in queries.conflicts(carla)} == held


def test_what_was_confirmed_long_ago_is_not_held_and_the_office_says_what_long_is(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    row = actions.confirm(course(), by=carla, means="phone")
    Verification.objects.filter(pk=row.pk).update(at=timezone.now() - dt.timedelta(days=200))
    bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0111")
    assert {one.field for one in queries.conflicts(carla)} == {"name"}  # telephones: six months
    actions.set_period("phone", 24, by=carla)
    bring(tmp_path, name="Français langue seconde", phone="+1 514-555-0133")
    assert {one.field for one in queries.conflicts(carla)} == {"name", "number"}
    with pytest.raises(Denied):
        actions.set_period("phone", 1, by=open_account("alice", "agent"))


def test_who_may_not_edit_may_not_decide(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    actions.edit(course(), by=carla, changes={"name": "Cours du soir"})
    bring(tmp_path, name="Français langue seconde")
    (conflict,) = queries.conflicts(carla)
    with pytest.raises(Denied):
        actions.decide(conflict, take=True, by=open_account("alice", "agent"))
    assert not queries.conflicts(open_account("rene"))
    assert actions.decide(conflict, take=False, by=carla) and course().name == "Cours du soir"


def test_what_is_never_to_be_listed_does_not_come_back_under_another_id(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    actions.never_list(course(), by=carla, reason="the organization asked for it")
    other = str(uuid.uuid4())
    services = (
        f"{FIRST},{ORG},Cours de français,active\n{other},{ORG},Cours de français,active\n{SECOND},{ORG},Repas,active\n"
    )
    phones = f"{PHONE},{FIRST},+1 514-555-0100\n{uuid.uuid4()},{other},(514) 555 0100\n"
    changes = import_hsds(network(tmp_path, services, phones)).changes
    assert changes.barred == 1
    assert not Document.objects.filter(kind="service", object_id__in=[FIRST, other]).exists()
    assert Document.objects.filter(kind="service", object_id=SECOND).exists()  # control
    entry = DoNotList.objects.get()
    actions.forgive(entry, by=carla)
    third = str(uuid.uuid4())
    services += f"{third},{ORG},Cours de français,active\n"
    assert import_hsds(network(tmp_path, services, phones)).changes.barred == 0
    assert Document.objects.filter(kind="service", object_id=third).exists()


def test_an_organization_that_is_never_to_be_listed_takes_its_services_along(carla: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    actions.never_list(Organization.objects.get(pk=ORG), by=carla, reason="closed")
    place = network(tmp_path)
    (place / "organizations.csv").write_text(f"id,name,description\n{uuid.UUID(int=5)},ACCUEIL,Un organisme\n")
    (place / "services.csv").write_text(
        f"id,organization_id,name,status\n{uuid.UUID(int=6)},{uuid.UUID(int=5)},Repas,active\n"
    )
    (place / "phones.csv").unlink()
    assert import_hsds(place, source="other").changes.barred == 2
    assert not Document.objects.filter(kind="organization", object_id=uuid.UUID(int=5)).exists()
    assert not Document.objects.filter(kind="service", object_id=uuid.UUID(int=6)).exists()


def test_nobody_answers_and_the_page_says_so_until_somebody_confirms(carla: Any, client: Any, tmp_path: Path) -> None:
    bring(tmp_path)
    actions.doubt(course(), by=carla)
    actions.doubt(course(), by=carla)
    page = client.get(f"/en/services/{FIRST}/", headers={"host": "montreal.localhost"})
    assert "Unconfirmed" in page.content.decode()
    actions.confirm(course(), by=carla, means="phone", about="hours")
    assert "Unconfirmed" in client.get(f"/en/services/{FIRST}/").content.decode()  # hours alone are not all
    actions.confirm(course(), by=carla, means="phone")
    assert "Unconfirmed" not in client.get(f"/en/services/{FIRST}/").content.decode()
