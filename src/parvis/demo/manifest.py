"""An invented list of arriving people as senders make them: a title, merged cells, several languages, scripts and
forms of dates, families, a few people who have a file already. The same for the same seed and day.

The workbook is written by hand: a demo needs no library for one sheet.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from parvis.core import names
from parvis.demo.origins import ORIGINS, Origin

HEADINGS = (
    "N° dossier / Case no", "Lien de parenté", "Nom de famille", "Prénoms", "الاسم / Nom original", "Sexe / Sex",
    "Date de naissance / DOB", "Langue", "N° de passeport", "Vol / Flight", "Arrivée le", "Heure", "Aéroport",
    "Remarques",
)  # fmt: skip
TITLES = (("Arrivées prévues — liste provisoire",), ("Établie pour un exercice: personne n’existe.",), ())
SIZES = (4, 1, 6, 2, 3, 1, 5, 2, 4, 7)
FLIGHTS = (("PX 870", "14:05"), ("PX 412", "16:40"), ("QV 77", "19:25"), ("QV 391", "21:10"), ("PX 16", "11:30"))
PLACES = ("YUL – porte 60", "YUL – porte 4", "Gare centrale")
LANGUAGE = {"ar": "arabe", "uk": "українська", "es": "Español", "fr": "français", "fa": "dari", "ti": "tigrigna"}
RELATIONS = {"head": ("Requérant principal", "PA", "رب الأسرة"), "spouse": ("Conjointe", "Spouse", "زوجة"),
             "child": ("Enfant", "fils", "Daughter", "ابن"), "parent": ("Mère", "Grand-mère")}  # fmt: skip
_EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre")  # fmt: skip


@dataclass(frozen=True)
class Somebody:
    """A person who has a file already, to stand in the list as another office would write them."""

    name: str
    birth_date: dt.date | None = None


def rows(number: int = 300, *, seed: int = 1, on: dt.date, known: Sequence[Somebody] = ()) -> list[list[Any]]:
    """The cells below the headings: `number` people. on: the day of the first arrivals. Cells that repeat the one
    above (a family's number) are None: see `merges`."""
    draw = Random(f"{seed}/manifest")  # noqa: S311 - a demo holds no secret
    origins = [one for one in ORIGINS if one.language.split("-")[0] in LANGUAGE]
    waiting = list(known)
    found: list[list[Any]] = []
    home = 0
    while len(found) < number:
        size = min(SIZES[home % len(SIZES)], number - len(found))
        origin = draw.choices(origins, [one.weight for one in origins])[0]
        found += _family(draw, origin, home, size, on, waiting.pop() if waiting and home % 5 == 2 else None)
        home += 1
    return found


def _family(draw: Random, origin: Origin, home: int, size: int, on: dt.date, known: Somebody | None) -> list[list[Any]]:
    family = draw.choice(origin.families)
    flight, hour = draw.choice(FLIGHTS)
    day = on + dt.timedelta(days=home % 6)
    made = []
    head = draw.randrange(22, 60)
    for place in range(size):
        relation = "head" if not place else "spouse" if place == 1 else "parent" if place == 6 else "child"
        age = {"head": head, "spouse": max(19, head - 3), "parent": head + 24}.get(relation, max(0, head - 20 - place))
        woman = draw.random() < 0.5
        given = draw.choice(origin.women if woman else origin.men)
        born = dt.date(on.year - age - 1, 1 + draw.randrange(12), 1 + draw.randrange(28))
        original = f"{family}{given}" if origin.family_first else f"{given} {family}"
        latin_given, latin_family = names.romanize(given), names.romanize(family)
        if known and not place:
            first, _space, rest = names.romanize(known.name).partition(" ")
            latin_given, latin_family = first, rest or first
            original = known.name
            born = known.birth_date or born
        script = original if not original.isascii() and names.romanize(original) != original else None
        made.append(
            [
                f"G-{2000 + home}" if not place else None,
                draw.choice(RELATIONS[relation]), latin_family.upper(), latin_given, script,
                draw.choice(("F", "Femme", "أنثى") if woman else ("M", "H", "ذكر")), _written(draw, born),
                LANGUAGE[origin.language.split("-")[0]],
                f"{draw.choice('ABKN')}{draw.randrange(10_000_000, 99_999_999)}",
                flight, day if draw.random() < 0.7 else day.isoformat(), hour, PLACES[home % len(PLACES)],
                "Fauteuil roulant" if draw.random() < 0.03 else None,
            ]
        )  # fmt: skip
    return made


def _written(draw: Random, day: dt.date) -> Any:
    """A date of birth as one of many offices writes it; a few can be read both ways, a few not at all."""
    form = draw.randrange(20)
    if form < 8:
        return day
    if form < 12:
        return day.isoformat()
    if form < 15:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    if form < 17:
        return day.strftime("%Y/%m/%d").translate(_EASTERN)
    if form < 19:
        return day.strftime("%d/%m/%Y")
    return f"{day.year}" if draw.random() < 0.8 else "à vérifier"


def merges(cells: Sequence[Sequence[Any]], first: int) -> list[str]:
    """The merged cells of the sheet ("A5:A8"): the case number of each family. first: the first row, from 1."""
    found = []
    start = 0
    for place in range(1, len(cells) + 1):
        if place == len(cells) or cells[place][0] is not None:
            if place - start > 1:
                found.append(f"A{first + start}:A{first + place - 1}")
            start = place
    return found


def workbook(number: int = 300, *, seed: int = 1, on: dt.date, known: Sequence[Somebody] = ()) -> bytes:
    """The list as an XLSX file."""
    people = rows(number, seed=seed, on=on, known=known)
    lines: list[Sequence[Any]] = [*TITLES, HEADINGS, *people, (), (f"Total: {len(people)}",)]
    merged = ["A1:H1", "A2:H2", *merges(people, len(TITLES) + 2)]
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _BOOK_RELS,
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": _sheet(lines, merged),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheet(lines: Iterable[Sequence[Any]], merged: Sequence[str]) -> str:
    body = []
    for number, line in enumerate(lines, 1):
        cells = "".join(_cell(f"{chr(65 + column)}{number}", value) for column, value in enumerate(line))
        body.append(f'<row r="{number}">{cells}</row>')
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(body)}</sheetData>'
        f'<mergeCells count="{len(merged)}">{ranges}</mergeCells></worksheet>'
    )


def _cell(place: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return f'<c r="{place}" s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>'
)
_RELS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/{{}}" Target="{{}}"/></Relationships>'
)
_BOOK_RELS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
)
_BOOK = (
    f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Liste" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
