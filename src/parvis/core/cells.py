"""Cells of a CSV file that a spreadsheet will open: none of them is taken for a formula."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

#: what a spreadsheet may take for the beginning of a formula or of a new cell
_DANGEROUS = frozenset("=+-@\t\r\0|")
#: a plain number, or a telephone number in E.164
_HARMLESS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?|\+[1-9][0-9]{6,14}", re.ASCII)


def safe_cell(text: str) -> str:
    """`text` with an apostrophe before it when its first visible character, normalized, could begin a formula."""
    if _HARMLESS.fullmatch(text):
        return text
    for sign in unicodedata.normalize("NFKC", text):
        if sign in _DANGEROUS:
            return f"'{text}"
        if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Cc", "Mn"):
            break
    return text


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file in UTF-8 with a mark that makes every spreadsheet read it as such. None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(one) for one in headings])
    for row in rows:
        writer.writerow(["" if cell is None else safe_cell(str(cell)) for cell in row])
    return out.getvalue().encode("utf-8-sig")
