"""Writing to the directory: who may, what follows from it, two editors at once, and taking it back."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.accounts.rules import Denied
from parvis.directory import actions, facts, models, queries, search
from parvis.ledger.models import Event
from parvis.places.models import Borough
from parvis.words import actions as words
from parvis.words.queries import render
from tests.directory.story import Story, published, tell


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


def events(obj: Any) -> list[Event]:
    return list(Event.objects.filter(object_id=obj.pk).order_by("-id"))


def listing(obj: Any) -> models.Listing | None:
    return models.Listing.objects.filter(object_id=obj.pk).first()


def test_everybody_edits_what_is_theirs_and_nothing_else(story: Story) -> None:
    def edit(user: Any, obj: Any) -> Any:
        return lambda: actions.edit(obj, by=user, changes={"alternate_name": user.name})

    may = {
        (user.name, obj.name): _may(edit(user, obj))
        for user in (story.alice, story.bob, story.charlie, story.diane)
        for obj in (story.house, story.workshop, story.course, story.place)
    }  # fmt: skip
    assert {key for key, allowed in may.items() if allowed} == {
        ("Alice", "Maison des Ormes"), ("Alice", "Cours de français"), ("Alice", "Salle des Ormes"),
        ("Charlie", "Maison des Ormes"), ("Charlie", "Atelier du Port"), ("Charlie", "Cours de français"),
        ("Charlie", "Salle des Ormes"),
    }  # fmt: skip
    assert not _may(lambda: actions.create_service(story.house, by=story.bob, changes={"name": "x"}))
    assert not _may(lambda: actions.create_organization(by=story.alice, changes={"name": "x"}))
    assert not _may(lambda: actions.unlist(story.house, by=story.alice, reason="x"))
    assert not _may(lambda: actions.unlist(story.course, by=story.bob, reason="x"))
    assert not _may(lambda: actions.confirm(story.course, by=story.bob, means="self"))
    assert not _may(lambda: actions.translate(story.course, "Cours de français", "en", "x", by=story.bob))


def _may(act: Any) -> bool:
    try:
        act()
    except Denied:
        return False
    return True


def test_an_edit_reaches_the_document_the_search_and_the_ledger(story: Story) -> None:
    before = models.Revision.objects.get().number
    changed = actions.edit_service(
        story.course,
        by=story.alice,
        changes={"name": "Atelier de conversation"},
        reason="Nouveau nom",
        expected_version=1,
    )
    assert changed.version == 2
    assert "Atelier de conversation" in published(story.course)
    row = listing(story.course)
    assert row is not None and row.name == "Atelier de conversation"
    assert models.Revision.objects.get().number > before
    (event,) = events(story.course)
    assert (event.code, event.actor, event.reason) == ("service.edited", story.alice, "Nouveau nom")
    assert event.before == {"name": "Cours de français", "version": 1}
    assert event.after == {"name": "Atelier de conversation", "version": 2}


def test_an_edit_that_changes_nothing_leaves_nothing(story: Story) -> None:
    actions.edit(story.course, by=story.alice, changes={"name": "Cours de français"})
    assert events(story.course) == []
    story.course.refresh_from_db()
    assert story.course.version == 1


def test_rows_are_added_changed_and_taken_away_under_their_own_ids(story: Story) -> None:
    (phone,) = facts.read(story.course)["phones"]
    actions.edit(
        story.course,
        by=story.alice,
        changes={"phones": [{**phone, "number": "+1 514 555-0102"}, {"number": "+1 514 555-0103"}]},
    )
    now = facts.read(story.course)["phones"]
    assert {row["number"] for row in now} == {"+1 514 555-0102", "+1 514 555-0103"}
    assert phone["id"] in {row["id"] for row in now}
    assert "555-0103" in published(story.course)
    actions.edit(story.course, by=story.alice, changes={"phones": []})
    assert "555-01" not in published(story.course)


def test_a_row_of_somebody_else_cannot_be_taken_by_its_id(story: Story) -> None:
    theirs = models.Phone.objects.create(organization=story.workshop, number="+1 514 555-0150")
    actions.edit(
        story.course, by=story.alice, changes={"phones": [{"id": str(theirs.pk), "number": "+1 514 555-0199"}]}
    )
    theirs.refresh_from_db()
    assert (theirs.number, theirs.service_id) == ("+1 514 555-0150", None)


def test_a_row_that_two_objects_share_stays_with_the_other(story: Story) -> None:
    shared = models.Phone.objects.create(service=story.course, location=story.place, number="+1 514 555-0160")
    rows = [row for row in facts.read(story.course)["phones"] if row["id"] != str(shared.pk)]
    actions.edit(story.course, by=story.alice, changes={"phones": rows})
    shared.refresh_from_db()
    assert shared.service_id is None and shared.location_id == story.place.pk
    actions.undo(events(story.course)[0], by=story.alice)
    shared.refresh_from_db()
    assert shared.service_id == story.course.pk and shared.location_id == story.place.pk


def test_the_second_of_two_editors_overwrites_nothing(story: Story) -> None:
    actions.edit(story.course, by=story.alice, changes={"name": "A"}, expected_version=1)
    with pytest.raises(actions.Conflict) as conflict:
        actions.edit(story.course, by=story.charlie, changes={"name": "C"}, expected_version=1)
    assert (conflict.value.expected, conflict.value.present) == (1, 2)
    story.course.refresh_from_db()
    assert story.course.name == "A"
    assert [event.actor for event in queries.since(story.course, 1)] == [story.alice]


def test_impossible_values_are_refused_whole(story: Story) -> None:
    with pytest.raises(KeyError):
        actions.edit(story.course, by=story.alice, changes={"organization_id": str(story.workshop.pk)})
    with pytest.raises(KeyError):
        actions.edit(story.course, by=story.alice, changes={"listed": False})
    with pytest.raises(Exception, match="directory_service_ages"):
        actions.edit(story.course, by=story.alice, changes={"name": "Z", "minimum_age": 9, "maximum_age": 3})


# -- taking back --------------------------------------------------------------------------------------------------


def test_an_undo_gives_back_rows_with_their_ids_and_is_itself_a_change(story: Story) -> None:
    models.Schedule.objects.create(service_at_location=story.link, freq="WEEKLY", byday="MO")
    before = facts.read(story.course)
    actions.edit(story.course, by=story.alice, changes={"service_at_locations": [], "phones": [], "name": "Vide"})
    assert not models.ServiceAtLocation.objects.filter(pk=story.link.pk).exists()
    assert models.Tombstone.objects.filter(kind="service_at_location", object_id=story.link.pk).exists()
    actions.undo(events(story.course)[0], by=story.charlie)
    assert facts.read(story.course) == before
    assert not models.Tombstone.objects.exists()
    assert str(story.link.pk) in published(story.course)
    last = events(story.course)[0]
    assert (last.code, last.actor) == ("service.undone", story.charlie)
    # and an undo can be undone
    actions.undo(last, by=story.alice)
    story.course.refresh_from_db()
    assert story.course.name == "Vide"


def test_an_undo_is_refused_when_later_changes_touched_the_same_facts(story: Story) -> None:
    actions.edit(story.course, by=story.alice, changes={"name": "Deux", "wait_time": "Une semaine"})
    first = events(story.course)[0]
    actions.edit(story.course, by=story.charlie, changes={"name": "Trois"})
    with pytest.raises(actions.ChangedSince) as refused:
        actions.undo(first, by=story.alice)
    assert refused.value.names == ["name"]
    actions.undo(first, by=story.alice, anyway=True)
    story.course.refresh_from_db()
    assert (story.course.name, story.course.wait_time) == ("Cours de français", "")
    with pytest.raises(actions.CannotUndo):
        actions.undo(first, by=story.alice)


def test_others_do_not_undo(story: Story) -> None:
    actions.edit(story.course, by=story.alice, changes={"name": "Deux"})
    for user in (story.bob, story.diane):
        with pytest.raises(Denied):
            actions.undo(events(story.course)[0], by=user)


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(lambda t: t.strip())
phones = st.lists(
    st.builds(lambda n, d: {"number": n, "description": d}, names, st.sampled_from(["", "Accueil"])), max_size=3
)
edits = st.fixed_dictionaries({}, optional={
    "name": names, "description": st.text(max_size=30), "phones": phones, "minimum_age": st.none() | st.integers(0, 20),
    "required_documents": st.lists(st.builds(lambda d: {"document": d}, names), max_size=3),
})  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(edits, min_size=1, max_size=4))
def test_undoing_everything_backwards_leads_home(story: Story, steps: list[dict[str, Any]]) -> None:
    home = facts.read(models.Service.objects.get(pk=story.course.pk))
    start = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for step in steps:
        actions.edit(story.course, by=story.alice, changes=step)
    for event in Event.objects.filter(id__gt=start, code="service.edited").order_by("-id"):
        actions.undo(event, by=story.alice)
    assert facts.read(models.Service.objects.get(pk=story.course.pk)) == home


# -- in and out of the directory ----------------------------------------------------------------------------------


def test_taking_a_service_out_marks_it_and_an_undo_brings_it_back(story: Story) -> None:
    actions.unlist(story.course, by=story.alice, reason="Fini")
    assert published(story.course) == "" and listing(story.course) is None
    assert models.Service.objects.filter(pk=story.course.pk).exists()
    assert models.Tombstone.objects.get(object_id=story.course.pk).reason == "unlisted"
    actions.undo(events(story.course)[0], by=story.charlie)
    assert "Cours de français" in published(story.course) and listing(story.course) is not None


def test_an_organization_takes_its_services_along_and_brings_them_back(story: Story) -> None:
    other = actions.create_service(story.house, by=story.alice, changes={"name": "Repas"})
    actions.unlist(other, by=story.alice, reason="En pause")
    actions.unlist(story.house, by=story.charlie, reason="Fermée")
    assert not published(story.house) and not published(story.course)
    actions.publish(story.house, by=story.charlie)
    assert published(story.house) and published(story.course)
    assert not published(other)  # it was out before


def test_a_worker_prepares_and_a_manager_publishes(story: Story) -> None:
    service = actions.create_service(
        story.workshop, by=story.bob, changes={"name": "Vélos", "phones": [{"number": "+1 514 555-0170"}]}
    )
    assert not published(service) and not queries.is_listed(service)
    with pytest.raises(Denied):
        actions.publish(service, by=story.bob)
    actions.publish(service, by=story.charlie)
    assert "Vélos" in published(service)
    created = events(service)[-1]
    assert created.code == "service.created" and created.before is None and created.after["name"] == "Vélos"


def test_creating_organizations_and_places(story: Story) -> None:
    made = actions.create_organization(by=story.charlie, changes={"name": "Table ronde", "description": "Parler"})
    assert "Table ronde" in published(made) and made.version == 1
    place = actions.create_location(
        made,
        by=story.charlie,
        changes={
            "name": "Cour",
            "addresses": [
                {"address_1": "1, rue du Port", "city": "Montréal", "country": "CA", "address_type": "physical"}
            ],
        },
    )
    assert "1, rue du Port" in published(made)
    assert events(place)[0].code == "location.created"


def test_a_place_is_in_the_borough_of_its_point(story: Story) -> None:
    square = {
        "type": "Polygon",
        "coordinates": [[[-73.6, 45.5], [-73.5, 45.5], [-73.5, 45.6], [-73.6, 45.6], [-73.6, 45.5]]],
    }
    Borough.objects.create(code="carre", name="Carré", geometry=square, latitude=45.55, longitude=-73.55)
    for point, expected in (
        ((45.55, -73.55), "carre"),
        ((45.7, -73.55), ""),
        ((45.51, -73.51), "carre"),
        ((None, None), ""),
    ):
        actions.edit(story.place, by=story.alice, changes={"latitude": point[0], "longitude": point[1]})
        story.place.refresh_from_db()
        assert story.place.borough == expected


# -- confirming, translating --------------------------------------------------------------------------------------


def test_a_confirmation_says_who_and_how_without_naming_a_person(story: Story) -> None:
    actions.confirm(story.course, by=story.alice, means="self")
    actions.confirm(story.course, by=story.charlie, means="phone")
    rows = models.Verification.objects.filter(object_id=story.course.pk).order_by("at")
    assert [(row.by_name, row.means, row.by) for row in rows] == [
        ("Maison des Ormes", "self", story.alice), ("Montréal", "phone", story.charlie),
    ]  # fmt: skip
    assert "assured_date" in published(story.course)
    assert events(story.course)[0].code == "service.confirmed"
    with pytest.raises(ValueError):
        actions.confirm(story.course, by=story.alice, means="guess")


def test_a_translation_is_found_by_search_and_goes_stale_by_an_edit(story: Story) -> None:
    text = "Cours de français"
    actions.translate(story.course, text, "ar", "دروس اللغة الفرنسية", by=story.alice)
    found = search.search("دروس اللغة", now=timezone.now())
    assert story.course.pk in {hit.id for hit in found.hits}
    assert events(story.course)[0].code == "service.translated"
    actions.edit(story.course, by=story.alice, changes={"name": "Cours de français du soir"})
    shown = render(["Cours de français du soir"], "ar")["Cours de français du soir"]
    assert (shown.text, shown.stale) == ("دروس اللغة الفرنسية", True)
    assert queries.translation_progress(story.alice, ["ar"])["ar"]["stale"] == 1
    assert queries.translation_progress(story.bob, ["ar"])["ar"]["stale"] == 0
    with pytest.raises(ValueError):
        actions.translate(story.course, "Texte d'un autre", "ar", "x", by=story.alice)


def test_a_translation_can_be_taken_back(story: Story) -> None:
    text = "Cours de français"
    actions.translate(story.course, text, "en", "French", by=story.alice)
    actions.translate(story.course, text, "en", "French course", by=story.alice)
    actions.undo(events(story.course)[0], by=story.alice)
    assert render([text], "en")[text].text == "French"


def test_a_text_that_many_show_is_indexed_again_for_each(story: Story) -> None:
    twin = actions.create_service(story.house, by=story.alice, changes={"name": "Cours de français"})
    actions.translate(story.course, "Cours de français", "en", "Beginner xylophone", by=story.alice)
    found = search.search("xylophone", now=timezone.now()).hits
    assert {hit.id for hit in found if hit.kind == "service"} == {story.course.pk, twin.pk}


def test_the_work_of_a_page_does_not_grow_with_the_object(story: Story) -> None:
    with CaptureQueriesContext(connection) as few:
        facts.read(story.course)
    actions.edit(story.course, by=story.alice, changes={
        "phones": [{"number": f"+1 514 555-01{n:02}"} for n in range(20)],
        "required_documents": [{"document": f"Papier {n}"} for n in range(20)],
        "contacts": [{"name": f"Personne {n}", "phones": [{"number": "+1 514 555-0100"}]} for n in range(10)],
    })  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        facts.read(story.course)
    assert len(many) <= len(few) + 2  # languages of phones, phones of contacts: asked once there are any


def test_words_of_what_was_edited_are_linked_even_in_rows(story: Story) -> None:
    actions.edit(story.course, by=story.alice, changes={"required_documents": [{"document": "Preuve d'adresse"}]})
    words.say("Preuve d'adresse", "en", "Proof of address", by=story.alice)
    (row,) = facts.read(story.course)["required_documents"]
    actions.edit(story.course, by=story.alice, changes={"required_documents": [{**row, "document": "Bail ou facture"}]})
    assert render(["Bail ou facture"], "en")["Bail ou facture"].stale
