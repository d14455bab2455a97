"""The desk's pages as people use them, without JavaScript: forms, preview, conflict, undo, words, hours."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parvis.directory import facts, models, queries
from parvis.ledger.models import Event
from parvis.words import actions as words
from tests.directory.paper import Forms, form
from tests.directory.story import Story, published, tell


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


def at(kind: str, obj: Any, page: str = "") -> str:
    return f"/en/desk/{kind}/{obj.pk}/{page}"


def test_every_page_opens_and_labels_every_control(story: Story) -> None:
    client = story.client(story.charlie)
    paths = ["", "services/", "services/?show=never&q=cours", "corrections/", "imports/", "words/", "words/ar/",
             "new/organization/", f"new/service/{story.house.pk}/", f"new/location/{story.house.pk}/"]  # fmt: skip
    for kind, obj in (("organization", story.house), ("service", story.course), ("location", story.place),
                      ("service_at_location", story.link)):  # fmt: skip
        paths += [f"{kind}/{obj.pk}/", f"{kind}/{obj.pk}/edit/", f"history/{kind}/{obj.pk}/"]
        paths += [f"{kind}/{obj.pk}/hours/"] if kind != "organization" else []
        paths += [f"{kind}/{obj.pk}/words/ar/"] if kind != "service_at_location" else []
        paths += [f"{kind}/{obj.pk}/unlist/"] if kind in ("organization", "service") else []
    for language in ("fr", "ar"):
        for path in paths:
            response = client.get(f"/{language}/desk/{path}")
            assert response.status_code == 200, path
            page = response.content.decode()
            assert page.count("<h1") == 1, path
            parsed = Forms(page)
            named = {one for one in parsed.controls if one}
            unlabelled = named - parsed.labels - set(re.findall(r'<label[^>]*>\s*<input[^>]*id="([^"]+)"', page))
            assert not unlabelled, (path, unlabelled)
            ids = re.findall(r'\sid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), (path, [one for one in ids if ids.count(one) > 1])


def test_a_partner_sees_their_own_organizations_only(story: Story) -> None:
    page = story.client(story.alice).get("/en/desk/").content.decode()
    assert "Maison des Ormes" in page and "Atelier du Port" not in page
    page = story.client(story.charlie).get("/en/desk/").content.decode()
    assert "Maison des Ormes" in page and "Atelier du Port" in page
    assert story.client(story.bob).get(at("service", story.course, "edit/")).status_code == 403
    assert story.client(story.diane).get(at("service", story.course, "edit/")).status_code == 403
    assert story.client(story.diane).get(at("service", story.course)).status_code == 200


@pytest.mark.parametrize("language", ["fr", "en", "ar", "es"])
def test_a_form_saved_as_it_is_changes_nothing(story: Story, language: str) -> None:
    models.Location.objects.filter(pk=story.place.pk).update(latitude=45.523123456789, longitude=-73.6)
    models.Service.objects.filter(pk=story.course.pk).update(minimum_age=16.5, maximum_age=1e2)
    models.CostOption.objects.create(service=story.course, amount="1234.50", currency="CAD", valid_from="2026-02-01")
    unit = models.Unit.objects.create(name="places")
    models.ServiceCapacity.objects.create(
        service=story.course, unit=unit, available=3, maximum=2500, updated=timezone.now()
    )
    models.Language.objects.create(service=story.course, name="Tigrigna du nord")  # a language without a code
    models.Contact.objects.create(service=story.course, name="Accueil")
    models.Attribute.objects.create(link_id=story.course.pk, link_entity="service", label="Ancien", value="mot")
    models.Phone.objects.create(organization=story.house, number="12345", type="pager")  # a kind that is not offered
    actions_before = Event.objects.count()
    client = story.client(story.alice)
    for kind, obj in (("organization", story.house), ("service", story.course), ("location", story.place),
                      ("service_at_location", story.link)):  # fmt: skip
        before = facts.read(type(obj).objects.get(pk=obj.pk))
        url = at(kind, obj, "edit/").replace("/en/", f"/{language}/")
        data = form(client.get(url)) | {"act": "save"}
        answer = client.post(url, data)
        wrong = re.findall(r'<li><a href="(#[^"]+)', answer.content.decode()) if answer.status_code == 422 else []
        assert answer.status_code == 302, (kind, wrong)
        assert facts.read(type(obj).objects.get(pk=obj.pk)) == before
    assert Event.objects.count() == actions_before


def test_a_whole_service_is_written_through_the_form(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    term = models.TaxonomyTerm.objects.create(name="Cours de langue", description="x", changed_at=timezone.now())
    data = form(client.get(url))
    for part in ("required_documents", "cost_options", "languages", "capacities", "attributes", "audience", "contacts",
                 "service_areas", "additional_urls", "funding"):  # fmt: skip
        answer = client.post(url, data | {"act": f"add:{part}"})
        assert answer.status_code == 200
        data = form(answer)
    data |= {
        "name": "Cours de français du soir", "minimum_age": "16", "url": "cours.example.org",
        "description": "Deux soirs",
        "required_documents-0-document": "Preuve d'adresse", "cost_options-0-amount": "12.50",
        "cost_options-0-option": "Adultes", "languages-0-code": "ar", "capacities-0-unit": "places",
        "capacities-0-available": "4", "capacities-0-maximum": "20", "attributes-0-term": "cours de LANGUE",
        "audience-0-term": "Cours de langue", "contacts-0-name": "Accueil", "contacts-0-phone": "514 555-0177",
        "service_areas-0-name": "Verdun", "additional_urls-0-url": "https://plus.example.org", "reason": "Rentrée",
        "funding-0-source_name": "Ville", "phones-0-number": "(514) 555-0188", "act": "save",
    }  # fmt: skip
    answer = client.post(url, data)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    read = facts.read(models.Service.objects.get(pk=story.course.pk))
    assert (read["name"], read["minimum_age"], read["url"]) == (
        "Cours de français du soir",
        16.0,
        "https://cours.example.org",
    )
    assert [row["number"] for row in read["phones"]] == ["+1 514-555-0188"]
    assert [row["document"] for row in read["required_documents"]] == ["Preuve d'adresse"]
    assert [(row["amount"], row["currency"]) for row in read["cost_options"]] == [("12.50", "CAD")]
    assert [(row["code"], row["name"]) for row in read["languages"]] == [("ar", "arabe")]
    assert {(row["link_type"], row["taxonomy_term_id"]) for row in read["attributes"]} == {
        ("", str(term.pk)), ("audience", str(term.pk)),
    }  # fmt: skip
    assert [row["phones"][0]["number"] for row in read["contacts"]] == ["+1 514-555-0177"]
    assert read["capacities"][0]["available"] == 4.0
    assert "Preuve d'adresse" in published(story.course)
    event = Event.objects.filter(object_id=story.course.pk).latest("id")
    assert (event.actor, event.reason) == (story.alice, "Rentrée")


def test_invalid_input_is_422_and_keeps_every_word(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    data = form(client.get(url)) | {
        "name": "", "description": "Un texte <b>à garder</b>", "phones-0-number": "appelez-nous",
        "email": "pas un courriel",
        "minimum_age": "30", "maximum_age": "20", "act": "save",
    }  # fmt: skip
    answer = client.post(url, data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Un texte &lt;b&gt;à garder&lt;/b&gt;" in page and "appelez-nous" in page and "pas un courriel" in page
    assert page.count('aria-invalid="true"') == 4
    assert 'href="#id_name"' in page and 'href="#id_phones-0-number"' in page and 'href="#id_maximum_age"' in page
    story.course.refresh_from_db()
    assert story.course.version == 1


def test_what_was_wrong_before_and_not_touched_stops_nobody(story: Story) -> None:
    models.Service.objects.filter(pk=story.course.pk).update(url="pas une adresse", email="x at y")
    models.Phone.objects.filter(service=story.course).update(number="poste 12")
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    answer = client.post(url, form(client.get(url)) | {"wait_time": "Deux jours", "act": "save"})
    assert answer.status_code == 302
    story.course.refresh_from_db()
    assert (story.course.wait_time, story.course.url) == ("Deux jours", "pas une adresse")


def test_rows_are_removed_by_their_box(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    client.post(url, form(client.get(url)) | {"phones-0-remove": "on", "act": "save"})
    assert facts.read(story.course)["phones"] == []


def test_adding_a_row_keeps_what_is_written_and_judges_nothing(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    answer = client.post(url, form(client.get(url)) | {"name": "", "wait_time": "Trois", "act": "add:phones"})
    page = answer.content.decode()
    assert answer.status_code == 200 and "Trois" in page and "aria-invalid" not in page
    assert form(answer)["phones-count"] == "2"


def test_the_preview_shows_the_public_page_and_writes_nothing(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    before = models.Revision.objects.get().number
    answer = client.post(url, form(client.get(url)) | {"name": "Cours du matin", "act": "preview"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Cours du matin</h1>" in page.replace("\n", "") or "Cours du matin" in page.split("<h1>")[1][:80]
    assert "<del" in page and "Cours de français" in page
    assert "Cours du matin" not in published(story.course)
    assert not Event.objects.filter(object_id=story.course.pk).exists()
    assert models.Revision.objects.get().number == before
    # back to the form: nothing lost; then published from the preview
    draft = form(answer, "draft")
    back = client.post(url, draft | {"act": "back"})
    assert form(back)["name"] == "Cours du matin"
    done = client.post(url, draft | {"act": "save"})
    assert done.status_code == 302 and "Cours du matin" in published(story.course)


def test_a_draft_of_somebody_else_or_made_by_hand_is_refused(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    draft = form(client.post(url, form(client.get(url)) | {"name": "Volé", "act": "preview"}), "draft")
    charlie = story.client(story.charlie)
    for who, data in ((charlie, draft), (client, draft | {"draft": draft["draft"][:-3] + "abc"})):
        assert who.post(url, data | {"act": "save"}).status_code == 302
        assert "Volé" not in published(story.course)


def test_a_new_service_is_previewed_and_published(story: Story) -> None:
    client = story.client(story.alice)
    url = f"/en/desk/new/service/{story.house.pk}/"
    data = form(client.get(url)) | {"name": "Café des voisins", "status": "active", "act": "preview",
                                    "service_at_locations-0-location_id": str(story.place.pk)}  # fmt: skip
    preview = client.post(url, data)
    assert preview.status_code == 200 and "Café des voisins" in preview.content.decode()
    assert not models.Service.objects.filter(name="Café des voisins").exists()
    done = client.post(url, form(preview, "draft") | {"act": "save"})
    made = models.Service.objects.get(name="Café des voisins")
    assert done["Location"] == at("service", made)
    assert made.service_at_locations.get().location == story.place and "Café des voisins" in published(made)


def test_two_editors_see_both_versions_and_choose(story: Story) -> None:
    alice, charlie = story.client(story.alice), story.client(story.charlie)
    url = at("service", story.course, "edit/")
    mine = form(alice.get(url)) | {"name": "De Alice", "wait_time": "Une semaine", "act": "save"}
    charlie.post(url, form(charlie.get(url)) | {"name": "De Charlie", "fees_description": "Gratuit", "act": "save"})
    answer = alice.post(url, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "De Alice" in page and "De Charlie" in page and "Charlie" in page
    assert facts.read(models.Service.objects.get(pk=story.course.pk))["name"] == "De Charlie"
    # what only one changed is settled, what both changed asks
    choice = form(answer, "choose")
    assert choice["keep-wait_time"] == "mine" and "keep-name" not in choice and "keep-fees_description" not in choice
    assert alice.post(url, choice | {"act": "save"}).status_code == 422
    done = alice.post(url, choice | {"keep-name": "mine", "act": "save"})
    assert done.status_code == 302
    read = facts.read(models.Service.objects.get(pk=story.course.pk))
    assert (read["name"], read["wait_time"], read["fees_description"]) == ("De Alice", "Une semaine", "Gratuit")
    assert models.Service.objects.get(pk=story.course.pk).version == 3


def test_a_third_editor_in_between_is_noticed_too(story: Story) -> None:
    alice, charlie = story.client(story.alice), story.client(story.charlie)
    url = at("service", story.course, "edit/")
    mine = form(alice.get(url)) | {"name": "De Alice", "act": "save"}
    charlie.post(url, form(charlie.get(url)) | {"name": "Un", "act": "save"})
    choice = form(alice.post(url, mine), "choose")
    charlie.post(url, form(charlie.get(url)) | {"name": "Deux", "act": "save"})
    again = alice.post(url, choice | {"keep-name": "mine", "act": "save"})
    assert again.status_code == 409 and "Deux" in again.content.decode()
    assert facts.read(models.Service.objects.get(pk=story.course.pk))["name"] == "Deux"


# -- hours --------------------------------------------------------------------------------------------------------


def test_hours_are_typed_read_in_words_and_published(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "hours/")
    data = form(client.get(url)) | {
        "p0-d0-0-from": "9", "p0-d0-0-to": "12h", "p0-d0-1-from": "13:00", "p0-d0-1-to": "17", "p0-d1": "same",
        "p0-d4-0-from": "22", "p0-d4-0-to": "2", "p0-note": "On appointment",
    }  # fmt: skip
    data = form(client.post(url, data | {"act": "add-exception"}))
    data |= {"x0-first": "2026-12-24", "x0-last": "2027-01-02", "x0-note": "Holidays"}
    data = form(client.post(url, data | {"act": "add-month:0"}))
    data |= {"p0-m0-nth": "1", "p0-m0-day": "1", "p0-m0-t-from": "18:00", "p0-m0-t-to": "20:00"}
    said = client.post(url, data | {"act": "check"})
    text = said.content.decode()
    assert said.status_code == 200 and "Monday and Tuesday" in text and "the next morning" in text
    assert "first Tuesday of the month" in text and "Holidays" in text
    assert facts.read(story.course)["schedules"] == []
    live = client.post(url, data, headers={"HX-Request": "true"})
    assert "<html" not in live.content.decode() and "Monday and Tuesday" in live.content.decode()
    assert client.post(url, data | {"act": "save"}).status_code == 302
    rows = facts.read(story.course)["schedules"]
    assert {(row["freq"], row["byday"], row["opens_at"], row["closes_at"]) for row in rows} == {
        ("WEEKLY", "MO,TU", "09:00", "12:00"), ("WEEKLY", "MO,TU", "13:00", "17:00"),
        ("WEEKLY", "FR", "22:00", "02:00"),
        ("MONTHLY", "1TU", "18:00", "20:00"), ("", "", None, None),
    }  # fmt: skip
    (closed,) = [row for row in rows if row["closed"]]
    assert (closed["dtstart"], closed["until"], closed["description"]) == ("2026-12-24", "2027-01-02", "Holidays")
    assert '"byday":"MO,TU"' in published(story.course)
    # opened again and saved as it is: nothing changes
    events = Event.objects.count()
    assert client.post(url, form(client.get(url)) | {"act": "save"}).status_code == 302
    assert Event.objects.count() == events and facts.read(story.course)["schedules"] == rows


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"p0-d0-0-from": "neuf", "p0-d0-0-to": "17"}, "id_p0-d0-0-from"),
        ({"p0-d0-0-from": "9"}, "id_p0-d0-0-to"),
        ({"p0-d0-0-to": "17"}, "id_p0-d0-0-from"),
        ({"p0-d0-0-from": "9", "p0-d0-0-to": "17", "p0-d0-1-from": "16", "p0-d0-1-to": "18"}, "id_p0-d0-1-from"),
        ({"p0-d2": "closed", "p0-d2-0-from": "9", "p0-d2-0-to": "17"}, "id_p0-d2"),
        ({"p0-valid_from": "2026-06-01", "p0-valid_to": "2026-05-01", "p0-note": "x"}, "id_p0-valid_to"),
    ],
)
def test_unclear_hours_are_422_and_kept(story: Story, typed: dict[str, str], field: str) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "hours/")
    answer = client.post(url, form(client.get(url)) | typed | {"act": "save"})
    page = answer.content.decode()
    assert answer.status_code == 422 and f'href="#{field}"' in page
    kept = form(answer)
    assert all(kept[name] == value for name, value in typed.items())
    assert facts.read(story.course)["schedules"] == []
    live = client.post(url, form(client.get(url)) | typed, headers={"HX-Request": "true"})
    assert live.status_code == 200


def test_helping_presses_change_only_the_form(story: Story) -> None:
    client = story.client(story.alice)
    url = at("location", story.place, "hours/")
    data = form(client.get(url)) | {"p0-d0-0-from": "9", "p0-d0-0-to": "17"}
    data = form(client.post(url, data | {"act": "weekdays:0"}))
    assert [data[f"p0-d{day}"] for day in range(1, 7)] == ["same"] * 4 + [""] * 2
    data = form(client.post(url, data | {"act": "more:0"}))
    assert "p0-d0-2-from" in data and data["p0-d0-0-from"] == "9"
    data = form(client.post(url, data | {"act": "add-period"}))
    assert data["periods"] == "2"
    data |= {"p1-valid_from": "2026-07-01", "p1-valid_to": "2026-08-31", "p1-d0-0-from": "10", "p1-d0-0-to": "15"}
    assert client.post(url, data | {"act": "save"}).status_code == 302
    rows = facts.read(story.place)["schedules"]
    assert {(row["byday"], row["valid_from"]) for row in rows} == {("MO,TU,WE,TH,FR", None), ("MO", "2026-07-01")}


def test_a_summer_in_two_hands_is_a_conflict(story: Story) -> None:
    alice, charlie = story.client(story.alice), story.client(story.charlie)
    url = at("service", story.course, "hours/")
    mine = form(alice.get(url)) | {"p0-d0-0-from": "9", "p0-d0-0-to": "17", "act": "save"}
    charlie.post(url, form(charlie.get(url)) | {"p0-d1-0-from": "10", "p0-d1-0-to": "16", "act": "save"})
    answer = alice.post(url, mine)
    assert answer.status_code == 409 and "Tuesday" in answer.content.decode() and "Monday" in answer.content.decode()
    done = alice.post(url, form(answer, "choose") | {"keep-schedules": "mine", "act": "save"})
    assert done.status_code == 302
    assert [row["byday"] for row in facts.read(story.course)["schedules"]] == ["MO"]


# -- history, undo, confirmations, in and out ---------------------------------------------------------------------


def test_the_history_says_who_what_when_why_and_gives_it_back(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    client.post(url, form(client.get(url)) | {"name": "Cours du matin", "reason": "Nouvel horaire", "act": "save"})
    page = client.get(f"/en/desk/history/service/{story.course.pk}/").content.decode()
    for said in ("Alice", "Cours de français", "Cours du matin", "Nouvel horaire", "Edited"):
        assert said in page
    event = Event.objects.get(object_id=story.course.pk)
    undo = f"/en/desk/history/service/{story.course.pk}/{event.pk}/undo/"
    assert undo in page
    assert client.get(undo).status_code == 200
    assert client.post(undo, {"reason": "Erreur"}).status_code == 302
    assert "Cours de français" in published(story.course)
    assert story.client(story.bob).post(undo).status_code == 403
    assert "Erreur" in client.get(f"/en/desk/history/service/{story.course.pk}/").content.decode()


def test_an_undo_over_later_changes_asks_first(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "edit/")
    for name in ("Deux", "Trois"):
        client.post(url, form(client.get(url)) | {"name": name, "act": "save"})
    first = Event.objects.filter(object_id=story.course.pk).earliest("id")
    undo = f"/en/desk/history/service/{story.course.pk}/{first.pk}/undo/"
    answer = client.post(undo)
    assert answer.status_code == 409 and "Name" in answer.content.decode()
    story.course.refresh_from_db()
    assert story.course.name == "Trois"
    assert client.post(undo, {"anyway": "1"}).status_code == 302
    story.course.refresh_from_db()
    assert story.course.name == "Cours de français"


def test_out_of_the_directory_and_back(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "unlist/")
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "Fini"}).status_code == 302
    assert story.client(None).get(f"/en/services/{story.course.pk}/").status_code == 410
    assert "Cours de français" in client.get("/en/desk/services/?show=unlisted").content.decode()
    assert client.post(at("service", story.course, "publish/")).status_code == 302
    assert story.client(None).get(f"/en/services/{story.course.pk}/").status_code == 200


def test_a_place_goes_and_comes_back(story: Story) -> None:
    client = story.client(story.alice)
    assert "Salle des Ormes" in published(story.house)
    assert client.post(at("location", story.place, "unlist/"), {"reason": "Déménagement"}).status_code == 302
    assert "Salle des Ormes" not in published(story.house) and "Salle des Ormes" not in published(story.course)
    event = Event.objects.get(object_id=story.place.pk)
    assert client.post(f"/en/desk/history/location/{story.place.pk}/{event.pk}/undo/").status_code == 302
    assert "Salle des Ormes" in published(story.house) and "Salle des Ormes" in published(story.course)


def test_anything_in_the_ledger_has_a_history_page(story: Story) -> None:
    from django.db import transaction

    from parvis.ledger.actions import record

    term = models.TaxonomyTerm.objects.create(name="Logement", description="x", changed_at=timezone.now())
    with transaction.atomic():
        record("taxonomy_term.edited", term, by=story.charlie, before={"name": "Toit"}, after={"name": "Logement"})
        record("user.edited", story.bob, by=story.charlie, before={"name": "Robert"}, after={"name": "Bob"})
    charlie = story.client(story.charlie)
    page = charlie.get(f"/en/desk/history/taxonomy_term/{term.pk}/").content.decode()
    assert "Toit" in page and "Logement" in page and "Charlie" in page
    assert story.client(story.alice).get(f"/en/desk/history/taxonomy_term/{term.pk}/").status_code == 403
    assert charlie.get(f"/en/desk/history/user/{story.bob.pk}/").status_code == 404


def test_what_an_import_wrote_can_be_undone_as_far_as_it_is_known(story: Story) -> None:
    from django.db import transaction

    from parvis.ledger.actions import record

    with transaction.atomic():
        record("service.edited", story.course, by="import", before={"name": "Avant", "strange": 1, "version": 0},
               after={"name": "Cours de français", "strange": 2, "version": 1})  # fmt: skip
    event = Event.objects.get(object_id=story.course.pk)
    client = story.client(story.alice)
    assert client.post(f"/en/desk/history/service/{story.course.pk}/{event.pk}/undo/").status_code == 302
    story.course.refresh_from_db()
    assert story.course.name == "Avant"


def test_a_confirmation_is_seen_by_the_public(story: Story) -> None:
    client = story.client(story.alice)
    assert client.get("/en/desk/services/?show=never").content.decode().count("Cours de français") == 1
    assert client.post(at("service", story.course, "confirm/"), {"means": "self"}).status_code == 302
    assert "Maison des Ormes" in story.client(None).get(f"/en/services/{story.course.pk}/").content.decode()
    assert "Cours de français" not in client.get("/en/desk/services/?show=never").content.decode()
    assert client.post(at("service", story.course, "confirm/"), {"means": "rumour"}).status_code == 302
    assert models.Verification.objects.count() == 1


# -- words, corrections, imports ----------------------------------------------------------------------------------


def test_translations_are_written_side_by_side_and_go_stale(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "words/ar/")
    data = form(client.get(url), "t0-text") | {"t0-rendering": "دروس الفرنسية", "t1-rendering": "مساءان في الأسبوع"}
    assert client.post(url, data).status_code == 302
    page = story.client(None).get(f"/ar/services/{story.course.pk}/").content.decode()
    assert "دروس الفرنسية" in page
    edit = at("service", story.course, "edit/")
    client.post(edit, form(client.get(edit)) | {"name": "Cours de français oral", "act": "save"})
    assert "of an earlier text" in client.get(url).content.decode()
    assert "Cours de français oral" in client.get("/en/desk/words/ar/?show=stale").content.decode()
    home = client.get("/en/desk/words/").content.decode()
    assert "Arabic" in home


def test_a_machine_s_rendering_is_read_and_found_right(story: Story) -> None:
    words.say("Cours de français", "ar", "دروس", by=None, origin="machine")
    client = story.client(story.alice)
    url = at("service", story.course, "words/ar/")
    assert "Cours de français" in client.get("/en/desk/words/ar/?show=machine").content.decode()
    client.post(url, form(client.get(url), "t0-text") | {"t0-reviewed": "on"})
    state, shown = queries.translations(["Cours de français"], "ar")["Cours de français"]
    assert state == "done" and shown is not None and shown.origin == "reviewed"


def test_a_translation_of_a_text_that_changed_meanwhile_is_not_saved(story: Story) -> None:
    client = story.client(story.alice)
    url = at("service", story.course, "words/ar/")
    data = form(client.get(url), "t0-text") | {"t0-rendering": "دروس"}
    edit = at("service", story.course, "edit/")
    client.post(edit, form(client.get(edit)) | {"name": "Autre chose", "act": "save"})
    answer = client.post(url, data)
    assert answer.status_code == 409
    assert queries.translations(["Autre chose"], "ar")["Autre chose"][0] == "missing"


def test_corrections_are_read_and_answered(story: Story) -> None:
    from parvis.directory.corrections import send_correction

    row, _token = send_correction("service", story.course.pk, message="Le numéro est faux")
    charlie = story.client(story.charlie)
    assert "Le numéro est faux" in charlie.get("/en/desk/corrections/").content.decode()
    assert "Le numéro est faux" in story.client(story.alice).get("/en/desk/corrections/").content.decode()
    assert "Le numéro est faux" not in story.client(story.bob).get("/en/desk/corrections/").content.decode()
    url = f"/en/desk/corrections/{row.pk}/"
    assert story.client(story.bob).get(url).status_code == 404
    assert charlie.post(url, {"state": "declined", "answer": ""}).status_code == 422
    assert charlie.post(url, {"state": "accepted", "answer": "Merci"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answer, row.answered_by) == ("accepted", "Merci", story.charlie)
    assert "Merci" in charlie.get(url).content.decode()


def test_import_reports_are_read_by_those_who_may(story: Story) -> None:
    now = timezone.now()
    run = models.ImportRun.objects.create(
        source="network", path="x.zip", started_at=now, ended_at=now,
        report={"totals": {"read": 3, "written": 2, "merged": 0, "refused": 1, "repaired": 0},
                "files": [{"file": "services.csv", "read": 3, "written": 2, "merged": 0, "refused": 1}],
                "findings": [{"file": "services.csv", "line": 4, "field": "name", "problem": "empty",
                              "done": "refused"}]},
    )  # fmt: skip
    assert "network" in story.client(story.diane).get("/en/desk/imports/").content.decode()
    page = story.client(story.charlie).get(f"/en/desk/imports/{run.pk}/").content.decode()
    assert "services.csv" in page and "empty" in page
    assert story.client(story.alice).get("/en/desk/imports/").status_code == 403


def test_pages_ask_the_database_as_often_for_many_as_for_few(story: Story) -> None:
    client = story.client(story.charlie)
    paths = ["/en/desk/", "/en/desk/services/", at("organization", story.house), at("service", story.course, "edit/"),
             "/en/desk/words/ar/", f"/en/desk/history/service/{story.course.pk}/"]  # fmt: skip

    def asked() -> list[int]:
        found = []
        for path in paths:
            client.get(path)
            with CaptureQueriesContext(connection) as queries_made:
                client.get(path)
            found.append(len(queries_made))
        return found

    few = asked()
    now = timezone.now()
    for number in range(15):
        place = models.Location.objects.create(organization=story.house, changed_at=now)
        models.Address.objects.create(location=place, address_1=f"{number}, rue", city="Montréal", country="CA")
        models.Service.objects.create(organization=story.house, name=f"Service {number}", changed_at=now)
        models.Phone.objects.create(service=story.course, number=f"+1 514 555-01{number:02}")
    edit = at("service", story.course, "edit/")
    for number in range(3):
        client.post(edit, form(client.get(edit)) | {"wait_time": str(number), "act": "save"})
    many = asked()
    assert all(after <= before + 2 for before, after in zip(few, many, strict=True)), (few, many)


def test_dates_of_hours_are_the_city_s(story: Story) -> None:
    """A closed today is said as closed now, in the city's zone."""
    client = story.client(story.alice)
    url = at("service", story.course, "hours/")
    today = timezone.localdate()
    data = form(client.get(url)) | {f"p0-d{day}-0-{end}": "0:00" for day in range(7) for end in ("from", "to")}
    data = form(client.post(url, data | {"act": "add-exception"}))
    open_now = client.post(url, data | {"act": "check"}).content.decode()
    assert "Always open" in open_now
    data |= {"x0-first": today.isoformat(), "x0-last": (today + dt.timedelta(days=1)).isoformat()}
    assert "Closed" in client.post(url, data | {"act": "check"}).content.decode().split('id="said"')[1][:600]
