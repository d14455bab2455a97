"""A file as a grid of cells: XLSX by calamine, CSV in whatever encoding and separator it came. The only door to both.

A file is judged by `kit.uploads` before anything opens it: size, zip bombs, macros, programs.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mode
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from parvis.core import manifest
from parvis.kit import uploads

#: encodings without a mark that lists come in, tried in this order; the first of equals is taken
ENCODINGS = ("cp1252", "cp1256", "cp1251")
SEPARATORS = ",;\t|"
MOST_CELLS = manifest.MOST_ROWS * manifest.MOST_COLUMNS


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a file. `digest`: SHA-256 of its bytes, in hexadecimal."""

    digest: str
    name: str
    cells: list[list[Any]]


def read(data: bytes, *, name: str, largest: int = uploads.LARGEST) -> Sheet:
    """The sheet of a file that holds the list. Raises ValidationError (or uploads.UploadRefused) with what to do."""
    digest = hashlib.sha256(data).hexdigest()
    if data[:4] == b"PK\x03\x04":
        examined = uploads.examine(data, name=name, largest=largest)
        if examined.media_type != uploads.XLSX:
            raise ValidationError(_("This is no list of people: send the list as XLSX or CSV."))
        cells = _workbook(examined.data)
        name = examined.name
    else:
        name = f"{name.rsplit('.', 1)[0]}.csv"
        _judged_raw(data, name, largest)
        text = decoded(data)
        # judged again as what it will be read as: a table in UTF-8, which may be longer
        examined = uploads.examine(text.encode("utf-8", "replace"), name=name, largest=largest * 3)
        if examined.media_type != uploads.CSV:
            raise ValidationError(_("This is no list of people: send the list as XLSX or CSV."))
        cells = table(text)
        name = examined.name
    if not any(manifest.text_of(cell) for row in cells for cell in row):
        raise ValidationError(_("This list is empty."))
    if len(cells) > manifest.MOST_ROWS + manifest.HEADER_WITHIN:
        raise ValidationError(
            _("This list has more than %(most)s rows: send it in several parts.") % {"most": manifest.MOST_ROWS}
        )
    return Sheet(digest, name, [row[: manifest.MOST_COLUMNS] for row in cells])


def _judged_raw(data: bytes, name: str, largest: int) -> None:
    """Refuse what is too large, a program or another document; a text in another encoding is for `decoded`."""
    try:
        uploads.examine(data, name=name, largest=largest)
    except uploads.UploadRefused as refused:
        if refused.code not in ("encoding", "kind"):
            raise


def _workbook(data: bytes) -> list[list[Any]]:
    """The sheet in which most columns are recognized; the first one when none is."""
    best: tuple[int, list[list[Any]]] = (-1, [])
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for sheet_name in book.sheet_names[:20]:
            sheet = book.get_sheet_by_name(sheet_name)
            if sheet.height * sheet.width > MOST_CELLS:
                continue
            rows = [[None if cell == "" else cell for cell in row] for row in sheet.to_python(skip_empty_area=False)]
            cells = manifest.unmerged(rows, _merges(sheet))
            layout = manifest.find_layout(cells)
            known = sum(bool(each) for each in layout.fields) if layout else 0
            if known > best[0]:
                best = (known, cells)
    except (CalamineError, OSError, ValueError) as error:
        raise ValidationError(_("This workbook can't be opened: save it again, or as CSV, and send that.")) from error
    return best[1]


def _merges(sheet: Any) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(sheet.merged_cell_ranges or ())


def decoded(data: bytes) -> str:
    """A text in the encoding that makes sense of it: by its mark, UTF-8 if it is that, else the one in which most
    headings are recognized and fewest words look like another script's."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data[:2000]:  # UTF-16 without its mark
        even = data[:2000:2].count(0) > data[1:2000:2].count(0)
        return data.decode("utf-16-be" if even else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    return max((data.decode(encoding, "replace") for encoding in ENCODINGS), key=_sense)


def _sense(text: str) -> int:
    sample = text[:20_000]
    layout = manifest.find_layout(table(sample))
    known = sum(bool(each) for each in layout.fields) if layout else 0
    odd = sum(map(_odd, re.findall(r"[^\W\d_]{2,}", sample)[:2000]))
    return known * 50 - odd


def _odd(word: str) -> bool:
    """Letters of two scripts in one word, capitals after small letters, or more accents than a language has."""
    scripts = {unicodedata.name(char, "?").split(" ")[0] for char in word}
    strange = sum(not char.isascii() for char in word) > len(word) / 2 and "LATIN" in scripts
    return len(scripts) > 1 or strange or bool(re.search(r"[a-zа-я][A-ZА-Я][a-zа-я]?[A-ZА-Я]", word))


def table(text: str) -> list[list[str | None]]:
    """The rows of a CSV text, by the separator that cuts its rows most evenly."""
    text = text.replace("\0", "")
    if text[:4].lower() == "sep=" and len(text) > 5:  # what a spreadsheet writes for itself
        return _cut(text.partition("\n")[2], text[4])
    return max((_cut(text, separator) for separator in SEPARATORS), key=_evenness)


def _cut(text: str, separator: str) -> list[list[str | None]]:
    csv.field_size_limit(1_000_000)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [[cell or None for cell in row] for row in _bounded(lines)]
    except csv.Error:
        return []


def _bounded(lines: Iterable[list[str]]) -> Iterable[list[str]]:
    for number, row in enumerate(lines):
        if number > manifest.MOST_ROWS + manifest.HEADER_WITHIN:
            return
        yield row


def _evenness(rows: list[list[str | None]]) -> tuple[int, int]:
    widths = [len(row) for row in rows[:200] if any(row)]
    usual = mode(widths) if widths else 0
    return (widths.count(usual) if usual > 1 else 0), usual
