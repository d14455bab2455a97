"""A list of people who will arrive, as airlines, ministries and sponsors send it: cells in, people and problems out.

The header is found wherever it stands, its columns in any order and language; dates, digits, names and words for sex
and relation are read as they come, and what can't be read for sure is a problem that says so, never a guess. Of a
document's number only the end is kept (`ending`). Pure: no file, no clock; `today` is an argument.
"""

import datetime as dt
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import isfinite
from typing import Any

from rapidfuzz import fuzz, process

from parvis.core import names
from parvis.core.language import fold, from_name
from parvis.core.manifest_words import COLUMNS, GENDERS, MONTHS, RELATIONS, TITLES

#: a cell as a reader of files gives it
Cell = Any
Grid = Sequence[Sequence[Cell]]

MOST_ROWS = 20_000  # people in one file
MOST_COLUMNS = 100
HEADER_WITHIN = 60  # rows looked at for the header
LONGEST_CELL = 500  # characters read of one cell
END = 4  # letters and digits kept of a document's number

#: everything a column can be; "" is not read and not kept
FIELDS = tuple(COLUMNS)
NAME_FIELDS = frozenset({"name", "given", "family", "name_local"})
#: problems that keep a row from becoming a person
BLOCKING = frozenset({"no_name"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one row, by code: words are another module's. Holds no value of the row."""

    code: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the header stands (a row of the grid, from 0), what each column is, and how dates are ordered.

    order: "dmy", "mdy", or "" when the file does not tell.
    """

    header: int
    fields: tuple[str, ...]
    headings: tuple[str, ...]
    order: str = ""

    @property
    def has_names(self) -> bool:
        return bool(NAME_FIELDS & set(self.fields))


@dataclass(frozen=True, slots=True)
class Arriving:
    """One person of the list. `number` is the row as a spreadsheet counts it, from 1."""

    number: int
    name: str = ""
    name_latin: str = ""
    family: str = ""
    gender: str = ""
    birth_date: dt.date | None = None
    birth_year: int | None = None
    relation: str = ""
    language: str = ""
    phone: str = ""
    document_end: str = ""
    case: str = ""
    address: str = ""
    expected_on: dt.date | None = None
    expected_time: dt.time | None = None
    flight: str = ""
    place: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> str:
        """The code of the problem that keeps this row from becoming a person, "" if none does."""
        return next((each.code for each in self.problems if each.code in BLOCKING), "")


# ---- cells


def text_of(cell: Cell) -> str:
    """A cell as text: one line, Western digits kept apart from letters as they are, no invisible signs."""
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else str(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = unicodedata.normalize("NFC", str(cell)[: 4 * LONGEST_CELL])
    seen = "".join(
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") or char in "\u200c" else " "
        for char in text
    )
    return " ".join(seen.split())[:LONGEST_CELL].strip()


def digits(text: str) -> str:
    """The text with every decimal digit of any script as 0-9: "١٩٩٠" -> "1990"."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def unmerged(grid: Grid, merges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> list[list[Cell]]:
    """The grid with what stands in a merged cell repeated downwards: a family's number said once for all of it.

    merges: pairs of (row, column), first and last. What is merged across columns (a title) stays in its first.
    """
    rows = [list(row) for row in grid]
    for (top, left), (bottom, _) in merges:
        if not (0 <= top < len(rows) and 0 <= left < len(rows[top])):
            continue
        value = rows[top][left]
        for row in rows[top + 1 : bottom + 1]:
            if left < len(row) and text_of(row[left]) == "":
                row[left] = value
    return rows


# ---- the header


def plain(text: str) -> str:
    """A heading as the tables of words have it: folded, letters and single spaces only."""
    folded = fold(digits(text))
    return " ".join("".join(char if char.isalpha() else " " for char in folded).split())


_HEADINGS = {plain(heading): name for name, several in COLUMNS.items() for heading in several.split("|")}
_LONG = [heading for heading in _HEADINGS if len(heading) > 5]


@lru_cache(maxsize=4096)
def recognize(heading: str) -> str:
    """What a column with this heading is, "" when nobody knows: exact words, then words among others, then a typo."""
    wanted = plain(heading[:LONGEST_CELL])
    if not wanted:
        return ""
    if wanted in _HEADINGS:
        return _HEADINGS[wanted]
    # "Vol / Flight", "Date de naissance (jj/mm/aaaa)": every language says it, or something stands beside it
    parts = [part for part in map(plain, re.split(r"[/|()\n:;–—\[\]]", heading)) if part]
    found = Counter(_HEADINGS[part] for part in parts if part in _HEADINGS)
    if found:
        return found.most_common(1)[0][0]
    words = f" {wanted} "
    inside = [known for known in _LONG if f" {known} " in words]
    if inside and len(wanted) < 60:
        return _HEADINGS[max(inside, key=len)]
    near = process.extractOne(wanted, _LONG, scorer=fuzz.ratio, score_cutoff=88)
    return _HEADINGS[near[0]] if near else ""


def find_layout(grid: Grid) -> Layout | None:
    """The header wherever it stands: the row in which most columns are recognized, a name among them.

    A header of two rows (a merged "Name" over "Family | Given") is read from both. None when there is no header.
    """
    best: tuple[int, Layout] | None = None
    for at, row in enumerate(grid[:HEADER_WITHIN]):
        single = _layout(at, [text_of(cell) for cell in row[:MOST_COLUMNS]])
        for layout, count in (single, _double(grid, at) if at else (None, 0)):
            if layout and layout.has_names and count >= 2 and (best is None or count > best[0]):
                best = (count, layout)
    return best[1] if best else None


def _double(grid: Grid, at: int) -> tuple[Layout | None, int]:
    """The header of rows `at - 1` and `at` together: the lower one tells, the upper one where it says nothing."""
    below = [text_of(cell) for cell in grid[at][:MOST_COLUMNS]]
    above = [text_of(cell) for cell in grid[at - 1][:MOST_COLUMNS]]
    known_below = sum(bool(recognize(each)) for each in below)
    if known_below < 1 or sum(bool(each) for each in above) < 2 or any(_like_data(each) for each in below):
        return None, 0
    both = [low or high for low, high in zip(below, above + [""] * len(below), strict=False)]
    # the row above may say more words for columns that the row below leaves empty, never contradict it
    return _layout(at, both)


def _like_data(text: str) -> bool:
    return any(char.isdecimal() for char in text)


def _layout(at: int, headings: list[str]) -> tuple[Layout, int]:
    taken: set[str] = set()
    fields = []
    for heading in headings:
        known = recognize(heading) if len(heading) <= 120 else ""
        # a sentence that speaks of names is a title, not a heading
        fields.append("" if known in taken else known)
        taken.add(known)
    return Layout(at, tuple(fields), tuple(headings)), len(taken - {""})


def with_order(layout: Layout, grid: Grid) -> Layout:
    """The layout with the order of day and month that the file's own dates prove."""
    found = set()
    for column, name in enumerate(layout.fields):
        if name in ("birth_date", "expected_on"):
            found.add(day_order([row[column] for row in grid[layout.header + 1 :] if column < len(row)]))
    found.discard("")
    return replace(layout, order=found.pop() if len(found) == 1 else "")


def remapped(layout: Layout, mapping: Mapping[int, str], *, header: int | None = None, order: str = "") -> Layout:
    """The layout as a person corrected it: column number -> field. Raises ValueError for a field that there is not."""
    unknown = set(mapping.values()) - set(FIELDS) - {""}
    if unknown:
        raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
    fields = tuple(mapping.get(column, known) for column, known in enumerate(layout.fields))
    return Layout(layout.header if header is None else header, fields, layout.headings, order)


# ---- dates

_SPLIT = re.compile(r"[^\w]+|_+")
_THREE = re.compile(r"(\d{1,4})\D+(\d{1,2})\D+(\d{1,4})(?:\D.*)?$")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})$")
_EXCEL_ZERO = dt.date(1899, 12, 30)
_SERIALS = range(3654, 80_000)  # 1910 to 2119: numbers that a spreadsheet may mean as days
_YEARS = range(1890, 2201)
_OTHER_CALENDAR = range(1250, 1500)  # years of the Persian and Islamic calendars


@dataclass(frozen=True, slots=True)
class ReadDate:
    """A day; or only a year; or why there is none."""

    day: dt.date | None = None
    year: int | None = None
    problem: str = ""


def day_order(cells: Sequence[Cell]) -> str:
    """ "dmy" or "mdy" when some date of a column can be read one way only and none the other, else ""."""
    seen = set()
    for cell in cells:
        if isinstance(cell, dt.date | int | float) or cell is None:
            continue
        match = _THREE.match(digits(text_of(cell)))
        if not match or len(match[1]) > 2:
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            seen.add("dmy")
        elif second > 12 >= first:
            seen.add("mdy")
    return seen.pop() if len(seen) == 1 else ""


def read_date(cell: Cell, order: str = "", *, today: dt.date, born: bool = False) -> ReadDate:
    """The day that a cell means. `born`: it is not in the future, and two digits of a year may be of either century.

    Problems: "ambiguous" (day or month), "century", "calendar", "impossible", "unread", "future".
    """
    if isinstance(cell, dt.datetime):
        return _checked(cell.date(), today, born)
    if isinstance(cell, dt.date):
        return _checked(cell, today, born)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        number = int(cell) if isfinite(cell) else 0
        if number in _YEARS:
            return ReadDate(year=number) if not born or number <= today.year else ReadDate(problem="future")
        if number in _SERIALS:
            return _checked(_EXCEL_ZERO + dt.timedelta(days=number), today, born)
    text = digits(text_of(cell))
    if not text:
        return ReadDate()
    return _read_text(text, order, today, born)


def _read_text(text: str, order: str, today: dt.date, born: bool) -> ReadDate:
    if re.fullmatch(r"\d{4}", text):
        year = int(text)
        if year in _OTHER_CALENDAR:
            return ReadDate(problem="calendar")
        if year not in _YEARS:
            return ReadDate(problem="impossible")
        return ReadDate(year=year) if not born or year <= today.year else ReadDate(problem="future")
    if re.fullmatch(r"\d{5}(?:\.0+)?", text) and int(float(text)) in _SERIALS:
        return _checked(_EXCEL_ZERO + dt.timedelta(days=int(float(text))), today, born)
    packed = _PACKED.match(text)
    if packed:
        return _made(int(packed[1]), int(packed[2]), int(packed[3]), today, born)
    named = _with_month(text, today, born)
    if named:
        return named
    match = _THREE.match(text)
    if not match:
        return ReadDate(problem="unread")
    first, second, third = match.groups()
    if len(first) > 2:
        return _made(int(first), int(second), int(third), today, born) if len(third) < 3 else ReadDate(problem="unread")
    year, doubt = _year(third, today, born)
    one, two = int(first), int(second)
    if one > 31 or two > 31 or (one > 12 and two > 12):
        return ReadDate(problem="impossible")
    if one <= 12 and two <= 12 and one != two and not order:
        return ReadDate(year=None if doubt else year, problem="ambiguous")
    if doubt:
        return ReadDate(problem="century")
    month_first = two > 12 or (order == "mdy" and one <= 12)
    day, month = (two, one) if month_first else (one, two)
    return _made(year, month, day, today, born)


def _year(text: str, today: dt.date, born: bool) -> tuple[int, bool]:
    """The year, and whether its century is in doubt: "45" of a birth is 1945, "12" may be either."""
    year = int(text)
    if len(text) > 2:
        return year, False
    century = today.year // 100 * 100
    if not born:
        return century + year, False
    return (century - 100 + year, False) if century + year > today.year else (century + year, True)


def _with_month(text: str, today: dt.date, born: bool) -> ReadDate | None:
    """ "3 mars 1990", "Mar 3, 1990", "٣ آذار ١٩٩٠", "03MAR1990": the month is a word."""
    parts = [part for part in re.findall(r"\d+|[^\W\d_]+", fold(text)) if part]
    # words that are of several parts: "كانون الثاني"
    joined = " ".join(part for part in parts if not part.isdecimal())
    month = next((MONTHS[word] for word in (joined, *joined.split()) if word in MONTHS), None)
    if month is None:
        return None
    numbers = [part for part in parts if part.isdecimal()]
    if len(numbers) < 2:
        year = int(numbers[0]) if numbers and len(numbers[0]) == 4 else None
        return ReadDate(year=year, problem="" if year else "unread")
    first, second = numbers[:2]
    if len(first) > 2:
        first, second = second, first
    year, doubt = _year(second, today, born)
    return ReadDate(problem="century") if doubt else _made(year, month, int(first), today, born)


def _made(year: int, month: int, day: int, today: dt.date, born: bool) -> ReadDate:
    if year in _OTHER_CALENDAR:
        return ReadDate(problem="calendar")
    try:
        return _checked(dt.date(year, month, day), today, born)
    except ValueError:
        return ReadDate(problem="impossible")


def _checked(day: dt.date, today: dt.date, born: bool) -> ReadDate:
    if day.year not in _YEARS:
        return ReadDate(problem="impossible")
    if born and day > today:
        return ReadDate(problem="future")
    return ReadDate(day=day, year=day.year)


def read_time(cell: Cell) -> dt.time | None:
    """A time of day: 14:05, 14h05, 1405, 2:05 pm, a fraction of a day as spreadsheets keep it; None else."""
    if isinstance(cell, dt.datetime):
        return cell.time().replace(second=0, microsecond=0) if cell.time() != dt.time() else None
    if isinstance(cell, dt.time):
        return cell.replace(second=0, microsecond=0)
    if isinstance(cell, dt.timedelta):
        cell = cell.total_seconds() / 86_400
    if isinstance(cell, float) and 0 < cell < 1:
        minutes = round(cell * 1440)
        return dt.time(minutes // 60, minutes % 60) if minutes < 1440 else None
    text = digits(text_of(cell)).lower()
    match = re.search(r"(?<!\d)(\d{1,2})\s*[:h.ч]\s*(\d{2})(?!\d)", text) or re.fullmatch(r"(\d{2})(\d{2})h?", text)
    if not match:
        return None
    hour, minute = int(match[1]), int(match[2])
    if re.search(r"p\.?\s?m|مساء|م$", text) and hour < 12:
        hour += 12
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


# ---- words, names, numbers


def _words(table: Mapping[str, str]) -> dict[str, str]:
    return {plain(word): code for code, several in table.items() for word in several.split("|")}


_GENDERS, _RELATIONS, _TITLES = _words(GENDERS), _words(RELATIONS), _words(TITLES)


@lru_cache(maxsize=2048)
def read_gender(text: str) -> str:
    """ "female", "male", "other", or "" for a word that nobody knows."""
    return _GENDERS.get(plain(text), "")


@lru_cache(maxsize=2048)
def read_relation(text: str) -> str:
    """How somebody is related to the head, by the codes of `cases.models.Relation`; "" for an unknown word."""
    said = plain(text)
    if said in _RELATIONS:
        return _RELATIONS[said]
    return next((_RELATIONS[part] for part in said.split() if part in _RELATIONS), "")


@lru_cache(maxsize=1024)
def read_language(text: str) -> str:
    """A BCP 47 tag, or ""."""
    return next((tag for part in re.split(r"[,;/+&]", text) if (tag := from_name(part)) and part.strip()), "")


def read_name(text: str) -> tuple[str, str, str]:
    """A name as it is said (given names first), the family name if the form tells it, and the gender a title tells.

    "HADDAD, Nour" and "HADDAD/NOUR MRS" are turned round; capitals throughout are made readable.
    """
    said = text_of(text).replace("<", " ").strip(" ,;/")
    family = ""
    for sign in ("/", ",", "،"):
        before, found, after = said.partition(sign)
        if found and before.strip() and after.strip():
            family, said = before.strip(), after.strip()
            break
    words = said.split()
    gender = ""
    for place in (0, -1):
        if len(words) > 1 and plain(words[place]) in _TITLES:
            gender = gender or _TITLES[plain(words.pop(place))]
    if family:
        said = f"{_readable(' '.join(words))} {_readable(family)}"
    else:
        said = _readable(" ".join(words))
    return said, _readable(family), gender if gender != "unknown" else ""


def _readable(name: str) -> str:
    """A name in capitals throughout is typed by a machine; any other is left as it came."""
    letters = [char for char in name if char.isalpha()]
    if len(letters) < 3 or not all(char.isupper() for char in letters if char.isupper() or char.islower()):
        return name
    if not any(char.isupper() for char in letters):  # a script without capitals
        return name
    return re.sub(r"[^\W\d_]+", lambda word: word[0][:1] + word[0][1:].lower(), name)


def ending(text: str) -> str:
    """The last four letters and digits of a document's number: all of it that is ever kept."""
    signs = [char for char in digits(unicodedata.normalize("NFKC", text)).upper() if char.isalnum()]
    return "".join(signs)[-END:] if len(signs) >= END + 2 else ""


_NUMBER = re.compile(r"(?=(?:[A-Z]*\d){6})(?=[A-Z0-9 -]*$)[A-Z]{0,3}[ -]?[A-Z0-9][A-Z0-9 -]{5,20}")


def looks_like_document(text: str) -> bool:
    """Could this be the number of a passport or card? One to three letters and at least six digits, or nine digits
    and more without a sign of a telephone."""
    said = digits(text_of(text)).upper()
    if not said or said[0] in "+0(" or not _NUMBER.fullmatch(said):
        return False
    return any(char.isalpha() for char in said) or sum(char.isdecimal() for char in said) >= 9


def shortened(grid: Grid, layout: Layout | None) -> list[list[Cell]]:
    """The grid without any document's number: in its column, and wherever else nobody knows a column and it looks
    like one, only its end is left, behind three dots. Cells become texts, numbers, days or nothing."""
    fields = layout.fields if layout else ()
    first = layout.header + 1 if layout else 0
    return [
        [
            _short(cell, fields[column] if column < len(fields) else "") if at >= first else cell
            for column, cell in enumerate(row)
        ]
        for at, row in enumerate(grid)
    ]


def _short(cell: Cell, name: str) -> Cell:
    if name not in ("document", "") or cell is None or isinstance(cell, dt.date | dt.time):
        return cell
    said = text_of(cell)
    if name == "document" and not said.startswith("…"):
        return f"…{ending(said)}"
    return f"…{ending(said)}" if looks_like_document(said) else cell


# ---- rows


def read(grid: Grid, layout: Layout, *, today: dt.date, defaults: Mapping[str, Any] | None = None) -> list[Arriving]:
    """The people of a list, in order; empty rows and rows that repeat the header are nobody.

    defaults: what holds for all when the list does not say: expected_on, expected_time, flight, place.
    """
    columns = {name: place for place, name in enumerate(layout.fields) if name}
    header = [text_of(cell) for cell in layout.headings]
    found = []
    for at in range(layout.header + 1, min(len(grid), layout.header + 1 + MOST_ROWS)):
        cells = {name: grid[at][place] for name, place in columns.items() if place < len(grid[at])}
        said = [text_of(cell) for cell in grid[at]]
        if not any(said[place] for place in columns.values() if place < len(said)):
            continue
        if said[: len(header)] == header[: len(said)] or _is_remark(said, cells):
            continue
        found.append(_person(at + 1, cells, layout.order, today, defaults or {}))
    return _with_twins(found)


def _is_remark(said: list[str], cells: Mapping[str, Cell]) -> bool:
    """A total or a signature below the list: one long cell or "Total: 12", and no name beside it."""
    filled = [text for text in said if text]
    if len(filled) > 2 or not filled:
        return False
    if plain(filled[0]) in ("total", "totaux", "المجموع", "всего", "итого", "разом", "усього"):
        return True
    return len(filled) == 1 and (
        len(filled[0]) > 60 or bool(re.match(r"\s*(?:\*|total\b|signature\b)", filled[0], re.I))
    )


def _person(
    number: int, cells: Mapping[str, Cell], order: str, today: dt.date, defaults: Mapping[str, Any]
) -> Arriving:
    problems: list[Problem] = []
    given, family = _named(cells)
    name, latin, surname, titled = _names(cells, given, family)
    if not any(char.isalpha() for char in name):
        problems.append(Problem("no_name", "name"))
        name = ""
    gender = _told(cells, "gender", read_gender, "unknown_word", problems) or titled
    relation = _told(cells, "relation", read_relation, "unknown_word", problems)
    language = _told(cells, "language", read_language, "unknown_word", problems)
    born = read_date(cells.get("birth_date"), order, today=today, born=True)
    if born.problem:
        problems.append(Problem(f"date_{born.problem}", "birth_date"))
    year = born.year if born.year else _birth_year(cells, today, problems)
    due = read_date(cells.get("expected_on"), order, today=today)
    if due.problem or (due.year and not due.day):
        problems.append(Problem(f"date_{due.problem or 'unread'}", "expected_on"))
    hour = read_time(cells.get("expected_time")) or read_time(cells.get("expected_on"))
    if hour is None and text_of(cells.get("expected_time")):
        problems.append(Problem("time_unread", "expected_time"))
    return Arriving(
        number=number, name=name, name_latin=latin, family=surname, gender=gender, birth_date=born.day,
        birth_year=year, relation=relation, language=language, phone=_phone(cells.get("phone")),
        document_end=_end(cells.get("document")), case=_case(cells.get("case")),
        address=text_of(cells.get("address")), expected_on=due.day or defaults.get("expected_on"),
        expected_time=hour or (None if due.day else defaults.get("expected_time")),
        flight=_flight(cells.get("flight")) or defaults.get("flight", ""),
        place=text_of(cells.get("place"))[:120] or defaults.get("place", ""), problems=tuple(problems),
    )  # fmt: skip


def _named(cells: Mapping[str, Cell]) -> tuple[str, str]:
    return _readable(text_of(cells.get("given"))), _readable(text_of(cells.get("family")))


def _names(cells: Mapping[str, Cell], given: str, family: str) -> tuple[str, str, str, str]:
    """The name as the person says it (in their own script if the list has it), in Latin letters, family name, title."""
    whole, surname, titled = read_name(text_of(cells.get("name")))
    parts = " ".join(filter(None, (given, family)))
    # "Name" beside "First name" is the family name
    if given and whole and not family and not set(plain(given).split()) <= set(plain(whole).split()):
        parts, surname, whole = f"{given} {whole}", whole, ""
    written = whole or parts
    local = read_name(text_of(cells.get("name_local")))[0]
    name = local or written
    latin = written if local and names.romanize(written) == written.strip() else ""
    if not latin:
        romanized = names.romanize(name)
        latin = "" if romanized == name.strip() else romanized
    return name[:200], latin[:200], family or surname, titled


def _told(cells: Mapping[str, Cell], name: str, reader: Any, problem: str, problems: list[Problem]) -> str:
    said = text_of(cells.get(name))
    found: str = reader(said) if said else ""
    if said and not found:
        problems.append(Problem(problem, name))
    return found


def _birth_year(cells: Mapping[str, Cell], today: dt.date, problems: list[Problem]) -> int | None:
    said = digits(text_of(cells.get("birth_year")))
    if said.isdecimal() and int(said) in _YEARS and int(said) <= today.year:
        return int(said)
    age = digits(text_of(cells.get("age")))
    match = re.match(r"(\d{1,3})(?!\d)", age)
    if match and int(match[1]) <= 120:
        months = re.search(r"mois|month|mes|شهر|мес|міс", age.lower())
        return today.year - (0 if months else int(match[1]))
    if said or age:
        problems.append(Problem("date_unread", "birth_year" if said else "age"))
    return None


def _phone(cell: Cell) -> str:
    said = digits(text_of(cell))
    return said[:40] if sum(char.isdecimal() for char in said) >= 7 else ""


def _end(cell: Cell) -> str:
    said = text_of(cell)
    return said.lstrip("…") if said.startswith("…") else ending(said)


def _case(cell: Cell) -> str:
    """A case or family number as it is compared: no case of letters, no separators."""
    return "".join(char for char in digits(text_of(cell)).upper() if char.isalnum())[:40]


def _flight(cell: Cell) -> str:
    return "".join(text_of(cell).upper().split())[:20]


def _with_twins(rows: list[Arriving]) -> list[Arriving]:
    """Rows that say the same person twice: the later one says so."""
    seen: dict[Any, int] = {}
    found = []
    for row in rows:
        key = (names.fold(row.name), row.birth_date or row.birth_year, row.case, row.document_end)
        twin = row.name and (row.birth_date or row.document_end) and key in seen
        found.append(replace(row, problems=(*row.problems, Problem("twin", "name"))) if twin else row)
        seen.setdefault(key, row.number)
    return found


# ---- households


@dataclass(frozen=True, slots=True)
class Group:
    """Rows (their places in the list) that seem to be one household, head first, and what says so.

    basis: "case" (the list says it), "relation" (a head followed by relatives), "address", "phone" or "flight"
    (a family name and this), "alone".
    """

    members: tuple[int, ...]
    basis: str


def households(rows: Sequence[Arriving]) -> list[Group]:
    """Every row in exactly one group. Only "case" is what the list says; the others are for a person to look at."""
    groups: list[Group] = []
    rest: list[int] = []
    by_case: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.case:
            by_case[row.case].append(place)
        else:
            rest.append(place)
    groups += [Group(_head_first(rows, members), "case") for members in by_case.values()]
    runs, rest = _runs(rows, rest)
    groups += [Group(_head_first(rows, members), "relation") for members in runs]
    for basis in ("address", "phone", "flight"):
        shared, rest = _by_family(rows, rest, basis)
        groups += [Group(_head_first(rows, members), basis) for members in shared]
    groups += [Group((place,), "alone") for place in rest]
    return sorted(groups, key=lambda group: min(group.members))


def _runs(rows: Sequence[Arriving], places: list[int]) -> tuple[list[list[int]], list[int]]:
    """A head, then the rows directly below whose relation is another one."""
    runs: list[list[int]] = []
    rest: list[int] = []
    last = -2
    for place in places:
        relation = rows[place].relation
        if relation == "head":
            runs.append([place])
        elif relation and runs and last == place - 1 and runs[-1][-1] == last:
            runs[-1].append(place)
        else:
            rest.append(place)
        last = place
    return [run for run in runs if len(run) > 1], sorted(rest + [run[0] for run in runs if len(run) == 1])


def _by_family(rows: Sequence[Arriving], places: list[int], basis: str) -> tuple[list[list[int]], list[int]]:
    """Rows of one family name (as it is heard) with the same address, telephone, or flight on the same day."""
    kept: dict[Any, list[int]] = defaultdict(list)
    for place in places:
        row = rows[place]
        heard = names.skeleton(row.family or row.name.split()[-1]) if row.name else ""
        said: Any = plain_key(getattr(row, basis))
        if heard and said:
            kept[(heard, said, row.expected_on) if basis == "flight" else (heard, said)].append(place)
    found = [members for members in kept.values() if len(members) > 1 and len(members) <= 15]
    taken = {place for members in found for place in members}
    return found, [place for place in places if place not in taken]


def plain_key(text: str) -> str:
    """Letters and digits by which two writings of an address or a number are compared."""
    return "".join(char for char in fold(digits(text)) if char.isalnum())


def _head_first(rows: Sequence[Arriving], members: Sequence[int]) -> tuple[int, ...]:
    """Who the list calls the head; else the oldest who is not somebody's child; else the first."""

    def rank(place: int) -> tuple[int, int, int]:
        row = rows[place]
        relation = {"head": 0, "": 1, "spouse": 2}.get(row.relation, 3)
        return relation, row.birth_year or 3000 if relation else 0, place

    head = min(members, key=rank)
    return (head, *(place for place in members if place != head))


def relation_of(row: Arriving, *, head: bool, today: dt.date) -> str:
    """What a member of a proposed household is to its head: as said; a minor without a word is a child; else other."""
    if head:
        return "head"
    if row.relation and row.relation != "head":
        return row.relation
    return "child" if row.birth_year and today.year - row.birth_year < 18 else "other"


# ---- likely duplicates


@dataclass(frozen=True, slots=True)
class Known:
    """What an existing person is compared by."""

    names: tuple[str, ...]
    birth_date: dt.date | None = None
    birth_year: int | None = None
    document: bool = False


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike a row and a person are: 0..1, and why, by code."""

    score: float
    why: tuple[str, ...] = field(default=())


LIKELY = 0.6  # from here on a person decides


def likeness(row: Arriving, known: Known) -> Likeness:
    """Whether a row may be a person who is there already. It proposes; it never decides.

    Names count by how they are heard, in any script; a different year of birth speaks against, a swapped day and
    month does not; the end of the same document speaks for.
    """
    born = _born_alike(row, known)
    if born < 0 and not known.document:  # other years: the names alone would not make them one, and are not compared
        return Likeness(0.0)
    alike = _names_alike(row, known.names)
    why = ["name"] if alike >= names.SAME else []
    if born >= 0.9:
        why.append("birth_date")
    elif born >= 0.5:
        why.append("birth_year")
    if known.document:
        why.append("document")
    score = 0.62 * alike + (0.3 * born if born >= 0 else -0.35) + (0.3 if known.document else 0.0)
    if alike < 0.45:
        score = min(score, 0.3)
    return Likeness(max(0.0, min(1.0, round(score, 3))), tuple(why))


def _names_alike(row: Arriving, others: Sequence[str]) -> float:
    """The name of a row, else in Latin letters; asked the other way too, for a person known by two of the three names
    that a passport has. What is as alike as can be is not asked again."""
    alike = names.score(row.name, others)
    if alike < 0.9 and row.name_latin:
        alike = max(alike, names.score(row.name_latin, others))
    if alike < 0.9:
        words = len(row.name.split())
        turned = (names.score(other, [row.name]) for other in others if 1 < len(other.split()) < words)
        alike = max(alike, max(turned, default=0.0) * 0.97)
    return alike


def _born_alike(row: Arriving, known: Known) -> float:
    """1 the same day, 0.9 day and month swapped, 0.6 the same year, 0.4 not known, 0.2 a year apart, -1 other years."""
    if row.birth_date and known.birth_date:
        if row.birth_date == known.birth_date:
            return 1.0
        one, other = row.birth_date, known.birth_date
        if one.year == other.year and (one.day, one.month) == (other.month, other.day):
            return 0.9
    ours = row.birth_date.year if row.birth_date else row.birth_year
    theirs = known.birth_date.year if known.birth_date else known.birth_year
    if not ours or not theirs:
        return 0.4
    if ours == theirs:
        return 0.3 if row.birth_date and known.birth_date else 0.6
    return 0.2 if abs(ours - theirs) == 1 else -1.0
