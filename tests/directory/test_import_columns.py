"""Columns that HSDS has no field for: words that classify become taxonomies, the rest is said to be left out."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from parvis.directory import search
from parvis.directory.importing import import_hsds, report_page
from parvis.directory.models import Attribute, Contact, Document, Taxonomy, TaxonomyTerm
from tests.directory.test_import import FIRST, ORG, SECOND, network, reports

__all__ = ["reports"]  # the fixture: reports go to a folder of the test


def found(question: str) -> list[str]:
    return [hit.name for hit in search.search(None, question, language="fr", now=timezone.now()).hits]


def terms() -> set[str]:
    return set(TaxonomyTerm.objects.values_list("name", flat=True))


def test_keywords_of_a_table_become_terms_that_people_find(city: Any, tmp_path: Path) -> None:
    place = network(tmp_path)
    (place / "services.csv").write_text(
        "id,organization_id,name,status,keywords,mood\n"
        f'{FIRST},{ORG},Cours,active,"Conversation, Grammaire",sunny\n{SECOND},{ORG},Repas,active,"conversation, 12",\n'
    )
    done = import_hsds(place)
    assert Taxonomy.objects.get().name == "keywords" and terms() == {"Conversation", "Grammaire"}
    assert set(found("grammaire")) == {"Cours"} and set(found("conversation")) == {"Cours", "Repas"}
    assert found("sunny") == []  # what is no classification stays out, and the report says so
    whole = done.as_dict()
    assert [(one["column"], one["values"]) for one in whole["columns_as_terms"]] == [("keywords", 2)]
    assert [(one["column"], one["values"]) for one in whole["columns_without_place"]] == [("mood", 1)]
    page = report_page(whole)
    assert "keywords" in page and "mood" in page
    totals = whole["totals"]
    assert totals["read"] == totals["written"] + totals["merged"] + totals["refused"]
    again = import_hsds(place).changes
    assert (again.created, again.updated, again.marked) == (0, 0, 0)
    # a word that the source takes away is marked with the rest
    (place / "services.csv").write_text(
        f"id,organization_id,name,status,keywords\n{FIRST},{ORG},Cours,active,Conversation\n{SECOND},{ORG},Repas,active,\n"
    )
    import_hsds(place)
    assert found("grammaire") == [] and found("conversation") == ["Cours"]


@pytest.mark.parametrize("said", ["Conversation, Grammaire", ["Conversation", "Grammaire"]])
def test_the_same_in_json(city: Any, tmp_path: Path, said: Any) -> None:
    file = tmp_path / "services.json"
    file.write_text(json.dumps([{
        "id": FIRST, "name": "Cours", "status": "active", "keywords": said, "mood": {"a": 1},
        "organization": {"id": ORG, "name": "Accueil", "description": "x", "licenses": "Permis 7"},
    }]))  # fmt: skip
    whole = import_hsds(file).as_dict()
    assert terms() == {"Conversation", "Grammaire", "Permis 7"}
    assert set(Attribute.objects.values_list("link_entity", flat=True)) == {"service", "organization"}
    assert [one["column"] for one in whole["columns_without_place"]] == ["service.mood"]
    assert "Grammaire" in Document.objects.get(kind="service").whole


def test_an_older_shape_keeps_words_and_addresses(city: Any, tmp_path: Path) -> None:
    place = tmp_path / "older"
    place.mkdir()
    (place / "organizations.csv").write_text(
        'id,name,description,accreditations\n1,Accueil,Un organisme,"Label A, Label B"\n'
    )
    (place / "locations.csv").write_text(
        "id,organization_id,name,description,email,admin_emails\n1,1,Local,Ici,local@example.org,chef@example.org\n"
    )
    (place / "services.csv").write_text(
        "id,location_id,name,description,status,keywords,taxonomy_ids\n1,1,Cours,Le soir,active,Conversation,\n"
    )
    whole = import_hsds(place).as_dict()
    assert terms() == {"Conversation", "Label A", "Label B"}
    assert Contact.objects.get().email == "local@example.org"
    # who keeps the listing is nobody's business: told of, and kept nowhere
    assert [one["column"] for one in whole["columns_without_place"]] == ["admin_emails"]
    assert "chef@example.org" not in "".join(Document.objects.values_list("whole", flat=True))


def test_an_export_of_them_is_a_valid_package_that_comes_back(city: Any, tmp_path: Path) -> None:
    from parvis.directory.exporting import export_tabular

    place = network(tmp_path)
    (place / "services.csv").write_text(
        f"id,organization_id,name,status,keywords\n{FIRST},{ORG},Cours,active,Conversation\n"
    )
    import_hsds(place)
    export_tabular(tmp_path / "out")
    rows = (tmp_path / "out" / "attributes.csv").read_text().splitlines()
    assert len(rows) == 2 and str(TaxonomyTerm.objects.get().pk) in rows[1]
    assert connection.schema_name == city.schema_name
