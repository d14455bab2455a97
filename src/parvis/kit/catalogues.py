"""Translation catalogues of the interface: gathering msgids, checking that none lacks a translation, compiling.

Done with Babel, so that a fresh machine needs no gettext tools. Catalogues: `locale/<language>/LC_MESSAGES/django.po`.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parent.parent
LOCALE = PACKAGE / "locale"
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_": None,
    "__": None,  # gettext_lazy beside gettext, in modules that need both
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def compile_all() -> list[Path]:
    """Write the .mo beside each .po that is newer. Returns the files written."""
    written = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file)
        draft = io.BytesIO()
        write_mo(draft, catalog)
        target.write_bytes(draft.getvalue())
        written.append(target)
    return written


@dataclass(frozen=True)
class Found:
    """One translatable sentence: id (or singular and plural), context, and where it stands ("path:line")."""

    ids: tuple[str, ...]
    context: str | None
    place: str


def sentences() -> Iterator[Found]:
    """Every msgid in the package's Python and templates."""
    from django.utils.translation.template import templatize

    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix not in (".py", ".html", ".txt") or not path.is_file():
            continue
        if path.suffix != ".py" and "templates" not in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # templatize blanks out the rest of the page but keeps its indentation, which Python would read
            text = "\n".join(line.lstrip() for line in templatize(text, origin=str(path)).splitlines())
        name = path.relative_to(PACKAGE.parent).as_posix()
        for line, function, messages, _ in extract_python(io.BytesIO(text.encode()), list(KEYWORDS), [], {}):
            spec = KEYWORDS.get(function or "")
            parts = list(messages) if isinstance(messages, (tuple, list)) else [messages]
            context = None
            if spec and isinstance(spec[0], tuple):
                context, parts = parts[0], parts[1:]
            count = 2 if function and function.startswith(("n", "np")) else 1
            ids = tuple(part for part in parts[:count] if isinstance(part, str) and part)
            if len(ids) == count:
                yield Found(ids, context, f"{name}:{line}")


def update(language: str) -> Catalog:
    """Bring one catalogue up to date with the sources: new msgids are added empty, unused ones leave."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    old = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=language)
    fresh = Catalog(locale=language, project="Parvis", charset="utf-8", fuzzy=False)
    fresh.header_comment = "# Parvis, interface in %s. AGPL-3.0-or-later." % language  # noqa: UP031
    for found in sorted(set(sentences()), key=lambda f: (f.ids, f.context or "", f.place)):
        key = found.ids if len(found.ids) == 2 else found.ids[0]
        known = old.get(found.ids[0], found.context)
        string = known.string if known and known.string else ""
        if len(found.ids) == 2 and not isinstance(string, (tuple, list)):
            string = ("",) * fresh.num_plurals
        fresh.add(key, string, context=found.context, locations=[(found.place.split(":")[0], 0)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, fresh, sort_output=True, include_lineno=False, omit_header=False, ignore_obsolete=True, width=110
        )
    return fresh


def missing(language: str) -> list[str]:
    """msgids that this language does not say, with the place where each stands."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    catalog = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
    lacking = []
    for found in sentences():
        message = catalog.get(found.ids[0], found.context)
        strings = [] if message is None else [message.string] if isinstance(message.string, str) else message.string
        if message is None or message.fuzzy or not strings or not all(strings):
            lacking.append(f"{found.place}: {found.ids[0]}")
    return lacking
