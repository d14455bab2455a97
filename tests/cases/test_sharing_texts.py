"""The texts of consent: what was shown once is never edited, each language says everything, nothing stays open."""

import datetime as dt
import hashlib
import re
from typing import Any

import pytest

from parvis.cases import consent_texts
from parvis.cases.consent_texts import Filled
from parvis.cases.models.sharing import Purpose
from parvis.core.access import SENSITIVE, SHAREABLE, DataClass, names

#: a text that was shown is proof: a better one is a new version, and a new line here
SHOWN = {
    "2026-1/fr": "d1f167ebda982230",
    "2026-1/en": "9f0c6d0803deeea7",
    "2026-1/ar": "724a00446a7d96a0",
    "2026-1/es": "1d056c3f1bdb1dba",
}
TEXTS = [
    consent_texts.text(version, tag) for version in consent_texts.versions() for tag in consent_texts.languages(version)
]
each = pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text.version}/{text.language}")


def fingerprint(words: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(words.items(), key=lambda pair: pair[0])).encode()).hexdigest()[:16]


def test_no_text_was_edited_in_place() -> None:
    assert {f"{text.version}/{text.language}": fingerprint(text.words) for text in TEXTS} == SHOWN
    changed = dict(TEXTS[0].words, free_text="…")
    assert fingerprint(changed) != SHOWN["2026-1/fr"], "the control: an edit is noticed"


@each
def test_a_text_says_everything(text: consent_texts.Text) -> None:
    first = TEXTS[0].words
    assert text.words.keys() == first.keys() and all(text.words.values())
    assert set(text.words["classes"]) == set(names(int(SHAREABLE))), "every class that can be shared, and no other"
    assert set(text.words["purposes"]) == set(Purpose.values)
    assert text.sources and text.checked_on <= dt.date(2026, 12, 31)
    for name, words in text.words.items():
        wanted = set(re.findall(r"\{(\w+)\}", str(first[name])))
        assert set(re.findall(r"\{(\w+)\}", str(words))) == wanted, name


@each
def test_a_text_is_filled_and_the_sensitive_stands_apart(text: consent_texts.Text) -> None:
    given = Filled(
        persons=["آمنة", "{until}"], organizations=["Maison {parent}"], classes=int(SHAREABLE), purpose="referral",
        last_day=dt.date(2027, 3, 9), parent="Amina", children=["Youssef", "Salma"],
    )  # fmt: skip
    shown = consent_texts.filled(text, given)
    assert shown.persons == ("آمنة", "{until}") and shown.organizations == ("Maison {parent}",), (
        "names are no templates"
    )
    assert len(shown.sensitive) == len(names(int(SENSITIVE))) and not set(shown.sensitive) & set(shown.ordinary)
    assert "2027" in shown.until and "{" not in shown.until + shown.child and "Youssef" in shown.child
    assert consent_texts.filled(text, given).fingerprint == shown.fingerprint
    for other in ({"classes": int(DataClass.IDENTITY)}, {"purpose": "study"}, {"last_day": dt.date(2027, 3, 10)},
                  {"organizations": ["Maison"]}, {"persons": ["آمنة"]}, {"parent": "Bob"}):  # fmt: skip
        assert consent_texts.filled(text, Filled(**{**vars(given), **other})).fingerprint != shown.fingerprint


def test_readers_get_their_language_or_the_next_they_read() -> None:
    found = consent_texts.for_reader(["ar-SY"])
    assert found is not None and (found.language, found.direction) == ("ar", "rtl")
    second = consent_texts.for_reader(["ti", "es"])
    assert second is not None and second.language == "es"
    assert consent_texts.for_reader(["ti"]) is None, "nobody pretends: an interpreter reads another"
    with pytest.raises(KeyError):
        consent_texts.text("2026-1", "ti")
