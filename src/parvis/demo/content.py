"""The words of the demo cities: the files of `data/`, read and checked.

A `Said` is one text in the four languages of `LANGUAGES`, in that order; the first is the language of the source.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
LANGUAGES = ("fr", "en", "ar", "es")
FEWEST_SYNONYMS = 3
MOST_SYNONYMS = 8

Said = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A taxonomy term: label, description and, by language, the everyday words that lead to it."""

    code: str
    under: str
    label: Said
    description: Said
    synonyms: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something an organization offers for a need: the service's name and the sentence that says what it is."""

    name: Said
    about: Said


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of organization: how often it is met, what it offers, how it is named, what it says of itself."""

    code: str
    weight: int
    needs: tuple[str, ...]
    forms: tuple[Said, ...]
    about: Said


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that the generator draws from."""

    needs: tuple[Term, ...]
    audiences: tuple[Term, ...]
    offers: dict[str, tuple[Offer, ...]]
    phrases: dict[str, tuple[Said, ...]]
    eligibility: dict[str, Said]
    emblems: tuple[Said, ...]
    profiles: tuple[Profile, ...]


class BadContent(ValueError):
    """A data file says something that the demo can't use; the message names the file and the place."""


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def said(texts: Any, where: str) -> Said:
    """Check that a text is there in every language. Raises BadContent."""
    if not isinstance(texts, list) or len(texts) != len(LANGUAGES):
        raise BadContent(f"{where}: {len(LANGUAGES)} languages wanted")
    for text in texts:
        if not isinstance(text, str) or not text or text != text.strip():
            raise BadContent(f"{where}: {text!r} is not a text")
    return tuple(texts)


def _by_language(entry: dict[str, Any], number: int, where: str) -> Said:
    return said([entry[language][number] for language in LANGUAGES], where)


def _terms(name: str) -> tuple[Term, ...]:
    found = []
    raw = _toml(name)
    for code, entry in raw.items():
        where = f"{name}.toml [{code}]"
        missing = [language for language in LANGUAGES if len(entry.get(language, ())) != 3]
        if missing:
            raise BadContent(f"{where}: label, description and words wanted in {', '.join(missing)}")
        under = entry.get("under", "")
        if under and (under not in raw or raw[under].get("under")):
            raise BadContent(f"{where}: {under!r} is not a need of the first level")
        synonyms = {}
        for language in LANGUAGES:
            words = [word.strip() for word in entry[language][2].split(",")]
            if not FEWEST_SYNONYMS <= len(words) <= MOST_SYNONYMS or not all(words):
                raise BadContent(f"{where}: {FEWEST_SYNONYMS} to {MOST_SYNONYMS} words wanted in {language}")
            synonyms[language] = words
        found.append(Term(code, under, _by_language(entry, 0, where), _by_language(entry, 1, where), synonyms))
    return tuple(found)


def _offers(needs: set[str]) -> dict[str, tuple[Offer, ...]]:
    found = {}
    for need, entries in _toml("offers").items():
        where = f"offers.toml [{need}]"
        if need not in needs:
            raise BadContent(f"{where}: no such need")
        found[need] = tuple(Offer(_by_language(entry, 0, where), _by_language(entry, 1, where)) for entry in entries)
    return found


def _profiles(raw: list[dict[str, Any]], offers: dict[str, tuple[Offer, ...]]) -> tuple[Profile, ...]:
    found = []
    for entry in raw:
        where = f"organizations.toml {entry['code']}"
        unknown = set(entry["needs"]) - set(offers)
        if unknown:
            raise BadContent(f"{where}: nothing is offered for {', '.join(sorted(unknown))}")
        forms = tuple(said(form, where) for form in entry["forms"])
        if any("{}" not in text for form in forms for text in form):
            raise BadContent(f"{where}: a form has no place for the emblem")
        about = said(entry["about"], where)
        found.append(Profile(entry["code"], entry["weight"], tuple(entry["needs"]), forms, about))
    return tuple(found)


@cache
def read() -> Content:
    """Read and check every file. Raises BadContent, naming the file and the place."""
    needs = _terms("needs")
    offers = _offers({term.code for term in needs})
    phrases = _toml("phrases")
    eligibility = phrases.pop("eligibility")
    organizations = _toml("organizations")
    return Content(
        needs=needs,
        audiences=_terms("audiences"),
        offers=offers,
        phrases={key: tuple(said(line, f"phrases.toml {key}") for line in lines) for key, lines in phrases.items()},
        eligibility={key: said(line, f"phrases.toml {key}") for key, line in eligibility.items()},
        emblems=tuple(said(line, "organizations.toml emblems") for line in organizations["emblems"]),
        profiles=_profiles(organizations["profiles"], offers),
    )
