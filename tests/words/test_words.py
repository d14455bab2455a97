"""Translations of content: what is shown, what has gone stale, what remains to be done."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.words import actions, queries
from parvis.words.models import Phrase, Rendering
from parvis.words.rules import digest

pytestmark = pytest.mark.usefixtures("city")

SOUP = "Soupe chaude tous les midis"


def shown(text: str, language: str) -> queries.Shown:
    return queries.render([text], language)[text]


def test_a_text_without_translation_is_shown_as_it_is() -> None:
    assert shown(SOUP, "ar") == queries.Shown(SOUP, "fr", "source", assumed=True)


def test_a_translation_is_shown_with_its_origin() -> None:
    actions.say(SOUP, "en", "Hot soup every noon", by=None)
    actions.say(SOUP, "es", "Sopa caliente", by=None, origin="machine")
    assert shown(SOUP, "en") == queries.Shown("Hot soup every noon", "en", "human")
    assert shown(SOUP, "en-GB").text == "Hot soup every noon"
    assert shown(SOUP, "es").origin == "machine"
    assert shown(SOUP, "fr") == queries.Shown(SOUP, "fr", "source")


def test_an_edit_makes_a_translation_stale_and_the_older_one_is_shown_with_a_notice() -> None:
    actions.say(SOUP, "en", "Hot soup every noon", by=None)
    actions.replaced({SOUP: "Soupe chaude le soir"})
    actions.replaced({"Soupe chaude le soir": "Soupe froide le soir"})
    old = shown("Soupe froide le soir", "en")
    assert (old.text, old.stale) == ("Hot soup every noon", True)
    actions.say("Soupe froide le soir", "en", "Cold soup in the evening", by=None)
    assert shown("Soupe froide le soir", "en") == queries.Shown("Cold soup in the evening", "en", "human")
    # the nearest older rendering wins over an older one still
    actions.replaced({"Soupe froide le soir": "Soupe tiède"})
    assert shown("Soupe tiède", "en").text == "Cold soup in the evening"


def test_a_text_that_comes_back_keeps_its_translation_and_closes_no_circle() -> None:
    actions.say(SOUP, "en", "Hot soup", by=None)
    actions.replaced({SOUP: "Autre soupe"})
    actions.replaced({"Autre soupe": SOUP})
    assert shown(SOUP, "en") == queries.Shown("Hot soup", "en", "human")
    assert shown("Autre soupe", "en").stale
    assert Phrase.objects.get(digest=digest(SOUP)).follows_id is None


def test_texts_never_translated_leave_no_thread() -> None:
    actions.replaced({"jamais": "traduit"})
    assert not Phrase.objects.exists()


def test_a_page_needs_one_query() -> None:
    texts = [f"Texte {number} à dire" for number in range(60)]
    actions.load([(text, "fr", "en", f"Said: {text}", "machine") for text in texts])
    with CaptureQueriesContext(
        connection,
    ) as captured:
        found = queries.render([*texts, "", "24 / 7", "jamais vu"], "en")
    assert len(captured) == 1
    assert found[texts[7]].text == "Said: Texte 7 à dire"
    assert found["24 / 7"].origin == "source" and "" not in found


def test_loading_counts_what_it_wrote_and_respects_what_people_wrote() -> None:
    actions.say(SOUP, "en", "By hand", by=None)
    rows = [
        (SOUP, "fr", "en", "By machine", "machine"),
        (SOUP, "fr", "es", "Sopa", "machine"),
        ("", "fr", "en", "x", ""),
    ]
    assert actions.load(rows) == 1
    assert actions.load(rows) == 0
    assert shown(SOUP, "en").text == "By hand"
    assert actions.load(rows, replace=True) == 2
    assert shown(SOUP, "en").text == "By machine"


def test_taking_a_translation_away() -> None:
    assert actions.say(SOUP, "en", "Soup", by=None) is None
    assert actions.say(SOUP, "en", "  ", by=None) == "Soup"
    assert not Rendering.objects.exists()
    assert shown(SOUP, "en").origin == "source"


def test_unknown_tags_and_origins_are_refused() -> None:
    with pytest.raises(ValueError):
        actions.say(SOUP, "not a tag", "x", by=None)
    with pytest.raises(ValueError):
        actions.say(SOUP, "en", "x", by=None, origin="guess")


def test_spoken_gives_every_language_for_search() -> None:
    actions.say(SOUP, "en", "Soup", by=None)
    actions.say(SOUP, "ar", "حساء", by=None)
    assert [(s.language, s.text) for s in queries.spoken([SOUP, "autre"])[SOUP]] == [("ar", "حساء"), ("en", "Soup")]


USED = "SELECT 'directory.service', gen_random_uuid(), 'name', t FROM unnest(%(texts)s::text[]) AS t"


def test_work_list_and_progress_tell_the_four_states() -> None:
    actions.say("un", "en", "one", by=None)
    actions.say("deux", "en", "two", by=None, origin="machine")
    actions.say("vieux", "en", "old", by=None)
    actions.replaced({"vieux": "neuf"})
    said = {"texts": ["un", "deux", "neuf", "jamais", "jamais", "", "24"]}
    assert queries.progress(USED, said, ["en", "fr"]) == {
        "en": {"missing": 1, "stale": 1, "machine": 1, "done": 1},
        "fr": {"missing": 0, "stale": 0, "machine": 0, "done": 0},
    }
    tasks, total = queries.worklist(USED, said, "en", ["missing", "stale"])
    assert total == 2
    assert {(task.text, task.state, task.rendering) for task in tasks} == {
        ("neuf", "stale", "old"),
        ("jamais", "missing", ""),
    }
    assert queries.states(["un", "neuf", "jamais"], "en")["neuf"][0] == "stale"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")),
        max_size=12,
    )
)
def test_any_sequence_of_edits_ends_and_shows_something(city: Any, edits: list[tuple[str, str]]) -> None:
    Phrase.objects.all().delete()
    actions.say("a", "en", "A", by=None)
    for old, new in edits:
        actions.replaced({old: new})
    for letter in "abcdef":
        found = shown(letter, "en")
        assert found.text in {letter, "A"}
        assert found.stale == (found.text == "A" and letter != "a")
