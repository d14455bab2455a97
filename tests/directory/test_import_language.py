"""In which language an import's texts are: as asked, as the files say, or as nobody says; and what readers see."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from parvis.core.hsds_files import HsdsError
from parvis.directory import queries
from parvis.directory.importing import import_hsds, report_page
from parvis.directory.models import Service
from parvis.words.models import Phrase
from parvis.words.queries import render
from tests.directory.test_import import FIRST, ORG, network, reports

__all__ = ["reports"]  # the fixture: reports go to a folder of the test
TEXT = "Come in the evening and bring a friend along."


def _with_texts(place: Path) -> Path:
    (place / "services.csv").write_text(
        f"id,organization_id,name,status,description\n{FIRST},{ORG},Course,active,{TEXT}\n"
    )
    return place


def seen(language: str) -> str:
    client = Client(headers={"host": "montreal.localhost"})
    return client.get(f"/{language}/services/{FIRST}/").content.decode()


def test_nobody_says_the_language_and_nothing_is_claimed(city: Any, tmp_path: Path) -> None:
    done = import_hsds(_with_texts(network(tmp_path)))
    assert (done.language, done.language_from) == ("fr", "city")
    assert not Phrase.objects.exists() and render([TEXT], "es")[TEXT].assumed
    assert "Not translated yet" in seen("en") and "Only in" not in seen("en")
    assert "the city's first is assumed: French" in done_page(done)


def done_page(done: Any) -> str:
    from html import unescape

    from django.utils import translation

    with translation.override("en"):
        return unescape(report_page(done.as_dict()))


def test_a_language_that_is_asked_for_is_what_readers_are_told(city: Any, tmp_path: Path) -> None:
    done = import_hsds(_with_texts(network(tmp_path)), language="EN")
    assert (done.language, done.language_from) == ("en", "asked")
    assert "as asked: English" in done_page(done)
    assert render([TEXT], "en")[TEXT].language == "en"
    assert "Not translated yet" not in seen("en") and "Only in" not in seen("en")
    assert "Seulement en anglais" in seen("fr")
    # it wants a translation into the city's first language, and none into its own
    assert queries.translation_progress("test", ["fr", "en"])["fr"]["missing"] >= 2
    assert queries.translation_progress("test", ["en"])["en"] == {"missing": 0, "stale": 0, "machine": 0, "done": 0}
    service = Service.objects.get()
    assert queries.translations([TEXT], "en") == {}
    assert queries.translations([TEXT], "fr")[TEXT][0] == "missing"
    before = Phrase.objects.count()
    again = import_hsds(tmp_path / "network", language="en")
    assert Phrase.objects.count() == before and again.changes.updated == again.changes.created == 0
    assert service.version == Service.objects.get().version


def test_the_files_may_say_it_themselves(city: Any, tmp_path: Path) -> None:
    place = _with_texts(network(tmp_path))
    (place / "datapackage.json").write_text(json.dumps({"name": "x", "languages": ["English"], "resources": []}))
    done = import_hsds(place)
    assert (done.language, done.language_from) == ("en", "file")
    assert import_hsds(place, language="es").language == "es", "what is asked for goes first"
    assert render([TEXT], "en")[TEXT].language == "es"
    (place / "datapackage.json").write_text(json.dumps({"name": "x", "languages": ["en", "fr"], "resources": []}))
    assert import_hsds(place, dry_run=True).language_from == "city", "two languages say nothing of one text"


@pytest.mark.parametrize(("rows", "said"), [
    ("services,es\nlocations,es", ("es", "file")), ("services,es\nlocations,en", ("fr", "city")),
    ("Example name,ur", ("fr", "city")),
])  # fmt: skip
def test_descriptions_of_tables_say_it_too(city: Any, tmp_path: Path, rows: str, said: tuple[str, str]) -> None:
    place = _with_texts(network(tmp_path))
    lines = [f"55555555-5555-4555-8555-55555555555{n},{row},utf-8" for n, row in enumerate(rows.splitlines())]
    (place / "meta_table_descriptions.csv").write_text("\n".join(["id,name,language,character_set", *lines]) + "\n")
    done = import_hsds(place)
    assert (done.language, done.language_from) == said


def test_what_is_no_language_is_refused(city: Any, tmp_path: Path) -> None:
    with pytest.raises(HsdsError, match="no language tag"):
        import_hsds(network(tmp_path), language="klingonais!")
    assert not Service.objects.exists()


def test_a_desk_page_translates_from_the_language_of_the_text(city: Any, tmp_path: Path) -> None:
    from tests.directory.story import tell

    story = tell()
    import_hsds(_with_texts(network(tmp_path)), language="en")
    client = story.client(story.charlie)
    page = client.get(f"/en/desk/service/{FIRST}/words/fr/").content.decode()
    assert TEXT in page and 'lang="en" dir="ltr"' in page and "(English)" in page
    page = client.get(f"/en/desk/service/{story.course.pk}/words/fr/").content.decode()
    assert "There is nothing to translate" in page  # it is written in French already
    assert client.get(f"/en/desk/service/{story.course.pk}/words/en/").status_code == 200
