"""Taxonomies, their terms and programmes at the desk: forms, preview, history, undo, and what follows in search."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from parvis.directory import documents, facts, models, queries, search
from parvis.ledger.models import Event
from parvis.words import actions as words
from tests.directory.paper import form
from tests.directory.story import Story, published, tell

NEW_TAXONOMY = "/en/desk/new/taxonomy/"


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


@pytest.fixture
def needs(story: Story) -> models.Taxonomy:
    """A taxonomy of two terms; the course of the story carries the narrower one."""
    needs = models.Taxonomy.objects.create(name="Besoins", description="De la ville", changed_at=timezone.now())
    above = models.TaxonomyTerm.objects.create(name="Apprendre", taxonomy=needs, changed_at=timezone.now())
    term = models.TaxonomyTerm.objects.create(
        name="Langue", taxonomy=needs, parent=above, code="L-1", synonyms={"fr": ["parler"]}, changed_at=timezone.now()
    )
    models.Attribute.objects.create(link_id=story.course.pk, link_entity="service", taxonomy_term=term)
    with transaction.atomic():
        documents.refresh(everything=True)
        search.refresh()
    return needs


def found(question: str) -> list[str]:
    return [hit.name for hit in search.search(None, question, language="fr", now=timezone.now()).hits]


def at(obj: Any, page: str = "") -> str:
    return f"/en/desk/{facts.kind_of(obj)}/{obj.pk}/{page}"


def test_a_coordinator_writes_a_taxonomy_and_its_terms(story: Story) -> None:
    client = story.client(story.charlie)
    data = form(client.get(NEW_TAXONOMY)) | {"name": "Publics", "description": "Pour qui", "act": "save"}
    assert client.post(NEW_TAXONOMY, data | {"name": ""}).status_code == 422
    assert not models.Taxonomy.objects.exists()
    preview = client.post(NEW_TAXONOMY, data | {"act": "preview"})
    assert "Publics" in preview.content.decode() and not models.Taxonomy.objects.exists()
    assert client.post(NEW_TAXONOMY, form(preview, "draft") | {"act": "save"}).status_code == 302
    taxonomy = models.Taxonomy.objects.get()
    url = f"/en/desk/new/taxonomy_term/{taxonomy.pk}/"
    data = form(client.get(url)) | {
        "name": "Personnes réfugiées",
        "synonyms_in_fr": "réfugié, asile\nexil",
        "act": "save",
    }
    assert client.post(url, data).status_code == 302
    term = models.TaxonomyTerm.objects.get()
    assert (term.taxonomy, term.synonyms) == (taxonomy, {"fr": ["réfugié", "asile", "exil"]})
    assert "Personnes réfugiées" in published(term) and "Publics" in published(taxonomy)
    page = client.get("/en/desk/taxonomies/?q=refugie").content.decode()
    assert "Personnes réfugiées" in page and at(term) in page
    assert "Personnes réfugiées" not in client.get("/en/desk/taxonomies/?q=logement").content.decode()
    assert "Personnes réfugiées" in client.get(at(taxonomy)).content.decode()
    assert "Created" in client.get(f"/en/desk/history/taxonomy_term/{term.pk}/").content.decode()
    # a service can carry it at once
    assert "Personnes réfugiées" in client.get(at(story.course, "edit/")).content.decode()


def test_only_the_office_writes_what_is_everybody_s(story: Story, needs: models.Taxonomy) -> None:
    term = needs.terms.get(name="Langue")
    for user, status in ((story.charlie, 200), (story.diane, 403), (story.alice, 403)):
        client = story.client(user)
        for url in (at(needs, "edit/"), at(term, "edit/"), NEW_TAXONOMY, f"/en/desk/new/taxonomy_term/{needs.pk}/"):
            assert client.get(url).status_code == status, (user, url)
    assert story.client(story.diane).get(at(term)).status_code == 200  # the office reads
    assert story.client(story.alice).get(at(term)).status_code == 403
    assert story.client(story.alice).get("/en/desk/taxonomies/").status_code == 403


def test_a_term_renamed_is_found_under_its_new_name_and_can_be_taken_back(story: Story, needs: models.Taxonomy) -> None:
    term = needs.terms.get(name="Langue")
    client = story.client(story.charlie)
    assert found("parler") == ["Cours de français"] and found("papoter") == []
    data = form(client.get(at(term, "edit/")))
    assert data["synonyms_in_fr"] == "parler"
    data |= {
        "name": "Idiome",
        "synonyms_in_fr": "papoter",
        "synonyms_in_ar": "لغة",
        "act": "save",
        "reason": "Plus juste",
    }
    assert client.post(at(term, "edit/"), data).status_code == 302
    term.refresh_from_db()
    assert term.synonyms == {"fr": ["papoter"], "ar": ["لغة"]}
    assert found("papoter") == ["Cours de français"] and found("لغة") == ["Cours de français"] and found("parler") == []
    assert "Idiome" in published(story.course) and "Langue" not in published(story.course)
    history = client.get(f"/en/desk/history/taxonomy_term/{term.pk}/").content.decode()
    assert "Plus juste" in history and "papoter" in history and "Everyday words" in history
    event = Event.objects.filter(object_id=term.pk).latest("id")
    assert client.post(f"/en/desk/history/taxonomy_term/{term.pk}/{event.pk}/undo/").status_code == 302
    assert found("parler") == ["Cours de français"] and "Langue" in published(story.course)


def test_forms_saved_as_they_are_change_nothing(story: Story, needs: models.Taxonomy) -> None:
    program = models.Program.objects.create(organization=story.house, name="Accueil", changed_at=timezone.now())
    models.TaxonomyTerm.objects.filter(code="L-1").update(language="pt-BR", synonyms={"ht": ["pale"], "fr": ["parler"]})
    events = Event.objects.count()
    client = story.client(story.charlie)
    for obj in (needs, program, *needs.terms.all()):
        before = facts.read(type(obj).objects.get(pk=obj.pk))
        data = form(client.get(at(obj, "edit/"))) | {"act": "save"}
        assert client.post(at(obj, "edit/"), data).status_code == 302
        assert facts.read(type(obj).objects.get(pk=obj.pk)) == before
    assert Event.objects.count() == events


def test_no_term_stands_below_itself(story: Story, needs: models.Taxonomy) -> None:
    above, term = needs.terms.get(name="Apprendre"), needs.terms.get(name="Langue")
    assert [name for _key, name in queries.broader_terms(needs)] == ["Apprendre", "Langue"]
    assert queries.broader_terms(needs, above) == []
    assert [name for _key, name in queries.broader_terms(needs, term)] == ["Apprendre"]
    client = story.client(story.charlie)
    data = form(client.get(at(above, "edit/"))) | {"parent_id": str(term.pk), "act": "save"}
    assert client.post(at(above, "edit/"), data).status_code == 422


def test_a_programme_is_its_organization_s(story: Story) -> None:
    url = f"/en/desk/new/program/{story.house.pk}/"
    assert story.client(story.bob).get(url).status_code == 403
    client = story.client(story.alice)
    assert client.post(url, form(client.get(url)) | {"name": "Premiers pas", "act": "save"}).status_code == 302
    program = models.Program.objects.get()
    assert "Premiers pas" in published(story.house)
    assert at(program) in client.get(at(story.house)).content.decode()
    data = form(client.get(at(story.course, "edit/"))) | {"program_id": str(program.pk), "act": "save"}
    assert client.post(at(story.course, "edit/"), data).status_code == 302
    data = form(client.get(at(program, "edit/"))) | {"name": "Seconds pas", "act": "save"}
    assert client.post(at(program, "edit/"), data).status_code == 302
    assert "Seconds pas" in published(story.course) and "Premiers pas" not in published(story.course)
    assert client.get(at(program, "hours/")).status_code == 404
    assert client.post(at(program, "unlist/"), {"reason": "Fini"}).status_code == 302
    assert "Seconds pas" not in published(story.course)


def test_names_of_terms_are_in_the_work_list_of_the_office(story: Story, needs: models.Taxonomy) -> None:
    term = needs.terms.get(name="Langue")
    charlie, alice = story.client(story.charlie), story.client(story.alice)
    listing = "/en/desk/words/ar/"
    assert at(term, "words/ar/") in charlie.get(listing).content.decode()
    assert at(term, "words/ar/") not in alice.get(listing).content.decode()
    assert alice.get(at(term, "words/ar/")).status_code == 403
    before = queries.translation_progress(story.charlie, ["ar"])["ar"]
    data = form(charlie.get(at(term, "words/ar/")), "t0-text") | {"t0-rendering": "تعلم اللغة"}
    assert charlie.post(at(term, "words/ar/"), data).status_code == 302
    after = queries.translation_progress(story.charlie, ["ar"])["ar"]
    assert (after["done"], after["missing"]) == (before["done"] + 1, before["missing"] - 1)
    assert found("تعلم") == ["Cours de français"]
    page = story.client(None).get(f"/ar/services/{story.course.pk}/").content.decode()
    assert "تعلم اللغة" in page
    # a new name makes the translation stale
    data = form(charlie.get(at(term, "edit/"))) | {"name": "Langues", "act": "save"}
    assert charlie.post(at(term, "edit/"), data).status_code == 302
    assert queries.translations(["Langues"], "ar")["Langues"][0] == "stale"
    assert words.present("Langue", "ar") == "تعلم اللغة"


def test_every_page_of_them_opens_in_every_language(story: Story, needs: models.Taxonomy) -> None:
    program = models.Program.objects.create(organization=story.house, name="Accueil", changed_at=timezone.now())
    client = story.client(story.charlie)
    for language in ("fr", "ar"):
        for obj in (needs, program, *needs.terms.all()):
            for page in ("", "edit/", "unlist/"):
                assert client.get(at(obj, page).replace("/en/", f"/{language}/")).status_code == 200, (obj, page)
            history = f"/{language}/desk/history/{facts.kind_of(obj)}/{obj.pk}/"
            assert client.get(history).status_code == 200
        assert client.get(f"/{language}/desk/taxonomies/").status_code == 200
