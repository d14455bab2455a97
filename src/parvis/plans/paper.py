"""A plan on paper, in the family's language and script: the one door to typst (setting) and segno (QR code).

Fonts come with the packages `fontpkg-noto-sans`, `fontpkg-noto-sans-arabic` and, for Ethiopic names,
`justmytype-intl-africa` (all SIL Open Font Licence, beside the fonts); those of the machine are not used, so that every
installation prints the same. A name in a script that none of them writes is printed in Latin letters.
"""

import io
import json
import unicodedata
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import fontpkg_noto_sans
import fontpkg_noto_sans_arabic
import segno
import typst
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _

from parvis.cases.models import Person
from parvis.plans.models import State
from parvis.plans.queries import AMONG_US, Board, Row

#: languages whose script the fonts can write and whose titles we have
LANGUAGES = {"fr": "Français", "en": "English", "ar": "العربية", "es": "Español"}


@lru_cache(maxsize=1)
def _template() -> bytes:
    return (resources.files("parvis.plans") / "data" / "paper.typ").read_bytes()


@lru_cache(maxsize=1)
def fonts() -> list[str]:
    """The folders of the fonts."""
    ours = [str(Path(each.__file__).parent / "files") for each in (fontpkg_noto_sans, fontpkg_noto_sans_arabic)]
    return [*ours, str(resources.files("justmytype_intl_africa") / "fonts/ofl/notosansethiopic")]


#: scripts that these fonts write, as Unicode names its letters
SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARABIC", "ETHIOPIC"})


def printed(person: Person | None) -> str:
    """A person's name as the fonts can write it: their own writing, else in Latin letters."""
    if person is None:
        return ""
    letters = {char for char in person.name if unicodedata.category(char)[0] == "L"}
    written = {unicodedata.name(char, "?").split(" ", 1)[0] for char in letters} - {"MODIFIER"}
    return person.name if written <= SCRIPTS or not person.name_latin else person.name_latin


def pdf(board: Board, *, language: str, large: bool, link: str, who: str, office: str, telephone: str) -> bytes:
    """The family's paper: what is to do and what is done, with a QR code to `link`. Tagged for screen readers."""
    told = content(board, language=language, large=large, link=link, who=who, office=office, telephone=telephone)
    return setting(told, "pdf")


def setting(told: dict[str, Any], form: str) -> bytes:
    """The page(s) as "pdf", or the first as "png"."""
    inputs = {"told": json.dumps(told, ensure_ascii=False)}
    made = typst.compile(_template(), format=form, sys_inputs=inputs, font_paths=fonts(), ignore_system_fonts=True)
    return bytes(made[0] if isinstance(made, list) else made)


def content(
    board: Board, *, language: str, large: bool, link: str, who: str, office: str, telephone: str
) -> dict[str, Any]:
    from parvis.plans.shown import GROUP_NAMES  # the page and the paper call the groups the same

    with override(language):
        rows = [row for row in board.rows if row.step.owner_role not in AMONG_US and _asked(row)]
        groups = [
            {"name": str(GROUP_NAMES[code]), "rows": [_row(row) for row in rows if row.group == code]}
            for code in GROUP_NAMES
        ]
        return {
            "title": _("Our plan for the first days and years"), "language": language,
            "rtl": get_language_info(language)["bidi"], "large": large, "who": who, "office": office,
            "telephone": telephone, "made": _("Made on %(day)s") % {"day": date_format(timezone.localdate())},
            "scan": _("Your own page"), "qr": _qr(link), "legal": _("Legal deadline"),
            "footer": _("No service is refused to you because you say no. Ask about anything you don't understand."),
            "groups": [group for group in groups if group["rows"]],
        }  # fmt: skip


def _asked(row: Row) -> bool:
    return row.step.state in (State.OPEN, State.DONE)


def _row(row: Row) -> dict[str, Any]:
    day = row.step.done_on or row.step.due_on
    return {
        "title": row.title, "who": printed(row.person), "done": row.step.state == State.DONE,
        "day": date_format(day) if day else "", "legal": row.legal,
    }  # fmt: skip


def _qr(link: str) -> str:
    buffer = io.BytesIO()
    segno.make(link, error="m").save(buffer, kind="svg", border=1, xmldecl=False)
    return buffer.getvalue().decode()
