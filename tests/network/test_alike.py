"""Two listings of one thing: found, looked at side by side, joined, and taken apart again."""

from typing import Any

import pytest
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.directory import actions as directory
from parvis.directory import merging
from parvis.directory.models import Document, Phone, Service, Tombstone
from parvis.network import actions, alike, queries
from parvis.network.models import Alike
from parvis.orgs.models import Membership, Organization
from tests.accounts.people import open_account
from tests.directory.story import Story, tell


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


@pytest.fixture
def double(story: Story) -> Organization:
    """The house, listed once more by another source, with a service and another telephone."""
    made = directory.create_organization(
        by=story.charlie,
        changes={"name": "Maison Ormes", "email": "ormes@example.org", "website": "https://www.ormes.example.org/accueil",
                 "phones": [{"number": "(514) 555-0155"}]},
    )  # fmt: skip
    directory.create_service(made, by=story.charlie, changes={"name": "Repas partagés"})
    return made


def pairs() -> set[frozenset[Any]]:
    alike.look(timezone.now())
    return {frozenset((one.one, one.other)) for one in Alike.objects.filter(decided_at=None)}


def test_pairs_are_found_by_what_they_share_and_not_by_a_common_word(story: Story, double: Organization) -> None:
    assert pairs() == {frozenset((story.house.pk, double.pk))}  # by name alone; the workshop is a control
    changes = {"phones": [{"number": "+1 514 555 0155"}], "website": "http://ormes.example.org"}
    directory.edit(story.house, by=story.charlie, changes=changes)
    pairs()
    assert Alike.objects.get().reasons == "phone,site"
    directory.edit(double, by=story.charlie, changes={"name": "Ressourcerie du Nord", "phones": [], "website": ""})
    assert pairs() == set()  # alike no more


def test_services_of_one_name_are_a_pair_only_when_they_share_something(story: Story) -> None:
    other = directory.create_service(story.workshop, by=story.charlie, changes={"name": "Cours de français"})
    assert not Alike.objects.exists() and not pairs()
    twice = directory.create_service(story.house, by=story.charlie, changes={"name": "Cours de français"})
    assert pairs() == {frozenset((story.course.pk, twice.pk))} and other.pk


def test_not_the_same_is_remembered(story: Story, double: Organization) -> None:
    pairs()
    actions.not_the_same(Alike.objects.get(), by=story.charlie)
    assert not pairs() and not queries.alike(story.charlie) and Alike.objects.count() == 1
    with pytest.raises(Denied):
        actions.not_the_same(Alike.objects.get(), by=open_account("alma", "agent"))


def test_a_merge_moves_what_belonged_and_the_old_id_answers_then_is_undone(story: Story, double: Organization) -> None:
    pairs()
    browser = story.client(story.charlie)
    meals = Service.objects.get(name="Repas partagés")
    found = Alike.objects.get()
    page = f"/fr/network/alike/{found.pk}/"
    assert browser.get(page).status_code == 200 and browser.get(page + "?keep=other").status_code == 200
    assert browser.post(page, {"take": "email"}).status_code == 422
    kept = "one" if found.one == story.house.pk else "other"
    assert browser.post(page, {"keep": kept, "take": ["nothing"]}).status_code == 422
    assert not Tombstone.objects.filter(reason="merged").exists()
    done = browser.post(page, {"keep": kept, "take": ["email", "phones"]})
    assert done.status_code == 302
    story.house.refresh_from_db()
    meals.refresh_from_db()
    assert story.house.email == "ormes@example.org" and meals.organization_id == story.house.pk
    assert Phone.objects.filter(organization=story.house, number="(514) 555-0155").exists()
    assert not Document.objects.filter(object_id=double.pk).exists() and not queries.alike(story.charlie)
    assert str(story.house.pk) in Document.objects.get(kind="service", object_id=meals.pk).whole
    visitor = story.client(None)
    former = visitor.get(f"/fr/organizations/{double.pk}/")
    assert (former.status_code, former["Location"]) == (301, f"/fr/organizations/{story.house.pk}/")
    answer = visitor.get(f"/hsds/v3/organizations/{double.pk}")
    assert answer.status_code == 301 and str(story.house.pk) in answer["Location"]
    assert not Membership.objects.filter(organization=double).exists()

    assert browser.get(done["Location"]).status_code == 200
    assert browser.post(done["Location"]).status_code == 302
    story.house.refresh_from_db()
    meals.refresh_from_db()
    assert meals.organization_id == double.pk and story.house.email == ""
    assert visitor.get(f"/fr/organizations/{double.pk}/").status_code == 200
    assert not Phone.objects.filter(organization=story.house).exists()
    assert browser.post(done["Location"]).status_code == 404  # undone once


def test_an_undo_leaves_what_somebody_has_changed_since(story: Story, double: Organization) -> None:
    merging.merge(story.house, double, take=["email"], by=story.charlie)
    directory.edit(story.house, by=story.alice, changes={"email": "accueil@example.org"})
    assert merging.unmerge(double, by=story.charlie) == ["email"]
    story.house.refresh_from_db()
    assert story.house.email == "accueil@example.org"


def test_who_may_not_and_what_can_not(story: Story, double: Organization) -> None:
    with pytest.raises(Denied):
        merging.merge(story.house, double, take=[], by=story.alice)  # a manager of one of them
    for keep, lose in ((story.house, story.house), (story.house, story.course)):
        with pytest.raises(merging.CannotMerge):
            merging.merge(keep, lose, take=[], by=story.charlie)
    merging.merge(story.house, double, take=[], by=story.charlie)
    with pytest.raises(merging.CannotMerge):
        merging.merge(double, story.workshop, take=[], by=story.charlie)
