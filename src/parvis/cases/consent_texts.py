"""The texts by which a person is asked whether their information may be shared: data, versioned, never edited.

`data/consent.toml` holds every version in every language with its sources and the day they were checked. What a
consent keeps is version and language: with its other columns the page that was shown can be made again.
"""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.formats import date_format

from parvis.core import language as tongues
from parvis.core.access import SENSITIVE, SHAREABLE, DataClass, names

_FILE = Path(__file__).parent / "data" / "consent.toml"


@dataclass(frozen=True)
class Text:
    """One version in one language. `words`: the entries of the file, as they stand there."""

    version: str
    language: str
    checked_on: dt.date
    sources: tuple[str, ...]
    words: dict[str, Any]

    @property
    def direction(self) -> str:
        return tongues.direction(self.language)


@dataclass(frozen=True)
class Filled:
    """What is put into a text: names of persons and organizations, codes of classes and purpose, the last day."""

    persons: Sequence[str]
    organizations: Sequence[str]
    classes: int
    purpose: str
    last_day: dt.date | None
    parent: str = ""
    children: Sequence[str] = ()


@dataclass(frozen=True)
class Shown:
    """A text filled in, ready to be shown or printed. `fingerprint` tells whether two pages said the same."""

    text: Text
    persons: tuple[str, ...]
    child: str
    ordinary: tuple[str, ...]
    sensitive: tuple[str, ...]
    organizations: tuple[str, ...]
    purpose: str
    until: str

    @property
    def fingerprint(self) -> str:
        said = (self.text.version, self.text.language, *astuple(self)[1:])
        return hashlib.sha256(repr(said).encode()).hexdigest()[:24]


@lru_cache(maxsize=1)
def _all() -> dict[tuple[str, str], Text]:
    with _FILE.open("rb") as file:
        versions = tomllib.load(file)["text"]
    facts = ("version", "checked_on", "sources")
    return {
        (each["version"], tag): Text(each["version"], tag, each["checked_on"], tuple(each["sources"]), words)
        for each in versions
        for tag, words in each.items()
        if tag not in facts
    }


def versions() -> list[str]:
    """Every version, the present one first."""
    return list(dict.fromkeys(version for version, _ in _all()))


def languages(version: str = "") -> list[str]:
    """BCP 47 tags in which a version (the present one) is written."""
    return [tag for known, tag in _all() if known == (version or versions()[0])]


def text(version: str, language: str) -> Text:
    """One text. Raises KeyError when there is none such."""
    return _all()[version, language]


def for_reader(wanted: Iterable[str]) -> Text | None:
    """The present text in the first of these languages (BCP 47 tags) in which there is one; None when in none."""
    for tag in wanted:
        found = tongues.best(tag, languages())
        if found:
            return text(versions()[0], found)
    return None


def filled(found: Text, given: Filled) -> Shown:
    """The words of a text with everything filled in, dates in its language."""
    words = found.words
    classes = [(DataClass[code.upper()], words["classes"][code]) for code in names(given.classes & SHAREABLE)]
    return Shown(
        text=found,
        persons=tuple(given.persons),
        child=words["child"].format(parent=given.parent, children=_row(given.children, found.language))
        if given.parent and given.children
        else "",
        ordinary=tuple(word for member, word in classes if not member & SENSITIVE),
        sensitive=tuple(word for member, word in classes if member & SENSITIVE),
        organizations=tuple(given.organizations),
        purpose=words["purposes"].get(given.purpose, "…"),
        until=words["until_text"].format(date=_day(given.last_day, found.language)),
    )


def _day(day: dt.date | None, language: str) -> str:
    with translation.override(language):
        return date_format(day, "DATE_FORMAT") if day else "…"


def _row(names_: Sequence[str], language: str) -> str:
    return ("، " if tongues.direction(language) == "rtl" else ", ").join(names_)
