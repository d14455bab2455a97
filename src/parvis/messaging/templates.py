"""What the office writes, in the languages it writes: every app registers its own from its `apps.py`."""

import datetime as dt
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from django.utils.functional import Promise

from parvis.core import language
from parvis.core.access import DataClass

#: every template is there in these languages; a reader of another one gets the city's
LANGUAGES = ("en", "fr", "ar", "es", "ti")
#: what a locked telephone shows to whoever holds it: nothing of a class beyond these
TOLD = DataClass.CONTACT | DataClass.PLAN | DataClass.IDENTITY | DataClass.HOUSEHOLD
#: characters of a text before its placeholders are filled
LONGEST = 300
#: always there
OFFICE = frozenset({"city", "phone"})
#: words that say too much (folded): "salud" is a word, "refuge*" begins one; other scripts join what Latin parts
_LATIN = """
    refuge* refugi* asylum* asile asilo immigra* inmigra* migrant* newcomer* deport* removal renvoi visa visas health
    sante salud hospital* hopital* clinic* doctor* medec* medic* hiv vih pregnan* enceinte embaraz* violen* shelter*
    police* policia*
"""
_OTHER = "لاجئ لاجي لجوء هجرة ترحيل صحة صحي مستشفى عيادة طبيب حامل عنف شرطة ስደተኛ ጥዕና ሓኪም ሆስፒታል ፖሊስ"
_WORDS = frozenset(word for word in _LATIN.split() if not word.endswith("*"))
_BEGINNINGS = tuple(word[:-1] for word in _LATIN.split() if word.endswith("*"))
_PARTS = tuple(map(language.fold, _OTHER.split()))


@dataclass(frozen=True)
class Wording:
    """One template in one language. `subject` is a mail's; both hold named placeholders: "{when}".

    A text is read on a locked telephone by whoever holds it: it names no status, no health, no other person.
    """

    subject: str
    text: str

    @property
    def placeholders(self) -> frozenset[str]:
        parts = string.Formatter().parse(f"{self.subject} {self.text}")
        return frozenset(name for _, name, _, _ in parts if name is not None)


@dataclass(frozen=True)
class Template:
    code: str
    name: str | Promise
    wordings: Mapping[str, Wording]
    data_class: DataClass
    urgent: bool

    @property
    def asks(self) -> list[str]:
        """Placeholders that somebody must fill."""
        return sorted(next(iter(self.wordings.values())).placeholders - OFFICE)

    def language_for(self, wanted: str, default: str) -> str:
        """The language in which a reader of `wanted` is written to."""
        return language.best(wanted, self.wordings, default, "en") or "en"


_templates: dict[str, Template] = {}


def register(
    code: str,
    name: str | Promise,
    wordings: Mapping[str, Wording],
    *,
    data_class: DataClass = DataClass.CONTACT,
    urgent: bool = False,
) -> None:
    """Add a template: `code` such as "appointments.reminder", `name` for the office, wordings by language tag
    (en, fr, ar, es and ti at least). `{city}` and `{phone}` are the office's own and always there.

    Raises ValueError for a wording that says too much, lacks a language or a placeholder, or is too long.
    """
    found = Template(code, name, dict(wordings), data_class, urgent)
    problems = list(_problems(found))
    if problems:
        raise ValueError(f"{code}: {'; '.join(problems)}")
    _templates[code] = found


def _problems(found: Template) -> list[str]:
    problems = [f"no wording in {tag}" for tag in LANGUAGES if tag not in found.wordings]
    if len(found.code) > 60:
        problems.append("its code is too long")
    if len(DataClass(found.data_class)) != 1 or not found.data_class & TOLD:
        problems.append("what it tells has no place on a locked telephone")
    asked = {tag: wording.placeholders - OFFICE for tag, wording in found.wordings.items()}
    if len(set(asked.values())) > 1:
        problems.append("its languages hold different placeholders")
    for tag, wording in found.wordings.items():
        problems += [f"{tag}: {problem}" for problem in wording_problems(wording)]
    return problems


def wording_problems(wording: Wording) -> list[str]:
    """What is wrong with a wording: a sentence each."""
    problems = []
    if len(wording.text) > LONGEST:
        problems.append("too long for a text message")
    if not wording.subject.strip() or not wording.text.strip() or "\n" in wording.subject:
        problems.append("without a subject or a text")
    problems += [f"says too much: {word}" for word in telling(f"{wording.subject} {wording.text}")]
    return problems


def telling(text: str) -> list[str]:
    """The words of a text that should not be read on a locked telephone."""
    said = language.fold(text)
    found = [word for word in re.findall(r"[a-z]+", said) if word in _WORDS or word.startswith(_BEGINNINGS)]
    return found + [part for part in _PARTS if part in said]


def template(code: str) -> Template:
    """Raises KeyError."""
    return _templates[code]


def name_of(code: str) -> str | Promise:
    """What the office calls a template, also one that is registered no more."""
    return _templates[code].name if code in _templates else code


def templates() -> list[Template]:
    """All of them, in the order of their codes."""
    return [_templates[code] for code in sorted(_templates)]


def filled(found: Template, tag: str, values: Mapping[str, Any], zone: ZoneInfo) -> Wording:
    """The wording in one language with its placeholders filled; dates and times as that language writes them.

    Raises KeyError for a placeholder without a value.
    """
    wording = found.wordings[tag]
    said = {name: spoken(value, tag, zone) for name, value in values.items()}
    return Wording(wording.subject.format_map(said), wording.text.format_map(said))


def spoken(value: Any, tag: str, zone: ZoneInfo) -> str:
    """A value as a language writes it."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en")
    if isinstance(value, dt.datetime):
        local = value.astimezone(zone)
        comma = "،" if language.direction(tag) == "rtl" else ","
        return f"{_day(local, locale)}{comma} {local:%H:%M}"
    return _day(value, locale) if isinstance(value, dt.date) else str(value)


def _day(value: dt.date, locale: Locale) -> str:
    try:
        return format_skeleton("MMMMEEEEd", value, locale=locale)
    except KeyError:
        return format_date(value, "EEEE d MMMM", locale=locale)
