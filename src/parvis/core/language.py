"""Languages: tags (BCP 47), names, direction, fallback, and the folding of words for search.

Everything here is pure and deterministic. The same folding is applied to what is indexed and to what is
asked, and it does not depend on the language of either: a newcomer types Spanish on the French page, and
a service written in French carries Arabic synonyms.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError

from parvis.core import vocabulary

Direction = Literal["ltr", "rtl"]

# ---- tags

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}|[a-z]{5,8})(?:-[a-z]{3}(?![a-z0-9]))*"
    r"(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?:-(?:[0-9a-wyz](?:-[a-z0-9]{2,8})+))*(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
_PREFERRED = dict(pair.split("<") for pair in vocabulary.PREFERRED_CODES.split())
_RTL_LANGUAGES = frozenset(vocabulary.RTL_LANGUAGES.split())
_RTL_SCRIPTS = frozenset(vocabulary.RTL_SCRIPTS.split())
# Own names that the locale data lacks, of languages met in every newcomers' office.
_OWN_NAMES = {
    "ht": "Kreyòl ayisyen",
    "prs": "دری",
    "tl": "Tagalog",
    "arc": "ܐܪܡܝܐ",
    "rom": "Romani",
    "pap": "Papiamentu",
    "hmn": "Hmoob",
    "quc": "K’iche’",
    "nah": "Nāhuatl",
    "rhg": "Ruáingga",
    "ny": "Chichewa",
    "kri": "Krio",
    "fcs": "Langue des signes québécoise",
}
# Languages that the locale data lists under another tag.
_LISTED_AS = {"prs": "fa_AF"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A language tag in its canonical case: `Tag("fr", region="CA")`, shown as `fr-CA`."""

    language: str
    script: str = ""
    region: str = ""
    variants: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join(part for part in (self.language, self.script, self.region, *self.variants) if part)


@lru_cache(maxsize=1024)
def parse(text: str) -> Tag:
    """Read a BCP 47 tag; `_` is accepted for `-`, case is free, extensions are dropped.

    Raises ValueError when the text is no tag ("French", "", "x").
    """
    match = _TAG.fullmatch(text.strip().replace("_", "-"))
    if match is None:
        raise ValueError(f"not a language tag: {text[:40]!r}")
    code = match["language"].lower()
    return Tag(
        _PREFERRED.get(code, code),
        (match["script"] or "").title(),
        (match["region"] or "").upper(),
        tuple(part.lower() for part in match["variants"].split("-") if part),
    )


def normalise(text: str) -> str:
    """The canonical form of a tag: `normalise("FR_ca") == "fr-CA"`. Raises ValueError as `parse` does."""
    return str(parse(text))


def fallback(wanted: str, *defaults: str) -> tuple[str, ...]:
    """The tags to try in order, each shortened from its end (RFC 4647, lookup), without repetition.

    `fallback("fr-CA", "en") == ("fr-CA", "fr", "en")`. Text that is no tag is passed over.
    """
    chain: dict[str, None] = {}
    for text in (wanted, *defaults):
        try:
            parts = normalise(text).split("-")
        except ValueError:
            continue
        for end in range(len(parts), 0, -1):
            chain.setdefault("-".join(parts[:end]))
    return tuple(chain)


def best(wanted: str, available: Iterable[str], *defaults: str) -> str | None:
    """The available tag that serves a reader of `wanted` best, else of the defaults in turn; None if none
    does.

    A reader of "fr" is served by "fr-CA" when there is no plain "fr".
    """
    offered = {normalise(tag): tag for tag in available}
    for tag in fallback(wanted, *defaults):
        if tag in offered:
            return offered[tag]
        for other, original in offered.items():
            if other.startswith(f"{tag}-"):
                return original
    return None


@lru_cache(maxsize=1024)
def direction(tag: str) -> Direction:
    """The reading direction of a language: "rtl" for ar, fa, he, ur...; the script decides when it is
    given.
    """
    try:
        parsed = parse(tag)
    except ValueError:
        return "ltr"
    if parsed.script:
        return "rtl" if parsed.script in _RTL_SCRIPTS else "ltr"
    return "rtl" if parsed.language in _RTL_LANGUAGES else "ltr"


@lru_cache(maxsize=64)
def _locale(tag: str) -> Locale | None:
    for candidate in fallback(tag):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


@lru_cache(maxsize=4096)
def name(tag: str, reader: str = "en") -> str:
    """What the language is called in the reader's language ("ar", "fr" -> "arabe"); the tag itself if
    unknown.
    """
    try:
        parsed = parse(tag)
    except ValueError:
        return tag
    code = _LISTED_AS.get(parsed.language, parsed.language)
    for locale in (_locale(reader), _locale("en")):
        if locale is not None:
            for part in (f"_{parsed.script}", f"_{parsed.region}", ""):
                found = locale.languages.get(code + part)
                if found:
                    return str(found)
    return str(parsed)


@lru_cache(maxsize=1024)
def own_name(tag: str) -> str:
    """What a language calls itself, with a capital where its script has one ("fr" -> "Français")."""
    try:
        code = parse(tag).language
    except ValueError:
        return tag
    found = _OWN_NAMES.get(code)
    if found is None:
        locale = _locale(tag)
        found = str(locale.languages.get(code, "")) if locale is not None else ""
    found = found or name(tag)
    return found[:1].upper() + found[1:]


@lru_cache(maxsize=1)
def _codes_by_name() -> dict[str, str]:
    codes: dict[str, str] = {}
    for reader in ("en", "fr", "es", "ar", "pt", "de", "it"):
        for code in map(str, Locale(reader).languages):
            if "_" not in code and len(code) <= 3:
                codes.setdefault(fold(name(code, reader)), _PREFERRED.get(code, code))
    for code in vocabulary.OFTEN_SPOKEN.split():
        codes.setdefault(fold(own_name(code)), code)
    for code, label in _OWN_NAMES.items():
        codes.setdefault(fold(label), code)
    for pair in vocabulary.OTHER_NAMES.split(", "):
        label, code = pair.split("<")
        codes[label] = code
    return codes


def from_name(text: str) -> str | None:
    """The tag for a language given as a tag or by its name in one of several languages, else None.

    `from_name("Spanish") == from_name("espagnol") == from_name("Español") == from_name("spa") == "es"`.
    """
    text = text.strip()
    code = _known_code(text)
    # a code is told from a name without the table of names, which takes long to make
    if code is not None and (len(text) == 2 or "-" in text or text.lower() in _PREFERRED):
        return code
    return _codes_by_name().get(fold(text), code)


def _known_code(text: str) -> str | None:
    try:
        tag = parse(text)
    except ValueError:
        return None
    return str(tag) if tag.language in Locale("en").languages or tag.language in _OWN_NAMES else None


# ---- folding

# Combining marks are accents only in some classes: vowel signs of Thai or the voicing marks of kana are
# letters.
_MARKS = "".join(
    chr(point)
    for point in range(0x0300, 0xFE30)
    if unicodedata.combining(chr(point)) in {1, 7} | set(range(10, 37)) | set(range(200, 241))
)
_FOLDS = str.maketrans(
    {
        "œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "ħ": "h", "þ": "th", "ŋ": "n",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "＇": "'", "\u00ad": None, "\u200b": None,
        "\u200c": None, "\u200d": None, "\u200e": None, "\u200f": None, "\u2060": None, "\ufeff": None,
        "\0": " ",
        "ٱ": "ا", "ٲ": "ا", "ٳ": "ا", "ة": "ه", "ۃ": "ه", "ۀ": "ه", "ى": "ي", "ی": "ي", "ے": "ي", "ک": "ك",
        "ہ": "ه", "ھ": "ه", "ـ": None,
    }
    | {chr(0x0660 + digit): str(digit) for digit in range(10)}
    | {chr(0x06F0 + digit): str(digit) for digit in range(10)}
    | dict.fromkeys(_MARKS)
)  # fmt: skip


def fold(text: str) -> str:
    """The text without case, accents, ligatures, Arabic vowel marks and letter variants; words stay in place.

    `fold("Éducation à l’ÉCOLE") == "education a l'ecole"`, `fold("أُسرة") == "اسره"`.
    """
    if text.isascii():
        return text.lower().replace("\0", " ").replace("`", "'")
    text = text.replace("´", "'")  # which would decompose into a space and an accent
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", decomposed.translate(_FOLDS))


STOP = frozenset(fold(vocabulary.STOP).split())
_ASKING = frozenset(fold(vocabulary.ASKING).split())
_HELP = frozenset(fold(vocabulary.HELP).split())
_HELP_TOWARDS = frozenset(fold(vocabulary.HELP_TOWARDS).split())

# A word: letters and digits and, inside it, the accents and vowel signs that are written as marks.
# Acronyms with points ("C.L.S.C.") are one word, apostrophes stay inside until `_split`.
_SIGNS = (
    "\u00ad\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
    "\u0eb1-\u0ecd\u0f71-\u0fbc\u102b-\u103e\u17b4-\u17d3\u3099\u309a"
)
_WORD = re.compile(
    r"(?:[^\W\d_]\.){2,}[^\W\d_]?(?!\w)|"
    rf"[^\W_]+(?:[{_SIGNS}]+[^\W_]*)*(?:['’‘ʼ´`＇][^\W_]+(?:[{_SIGNS}]+[^\W_]*)*)*"
)
# Scripts written without spaces: a run becomes pairs of characters.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)"
)
_ELISIONS = frozenset(vocabulary.ELISIONS.split())
LONGEST = 40  # characters kept of a word: none is longer in a directory, and an index entry must be bounded


def _forms(table: str) -> dict[str, str]:
    return dict(fold(pair).split("<") for pair in table.split())


_IRREGULAR = _forms(vocabulary.IRREGULAR)
_ARABIC_PLURALS = _forms(vocabulary.ARABIC_PLURALS)
_LAST = {"y": "i", "v": "f", "z": "c"}  # family/families, life/lives, luz/luces


def _stem_latin(word: str) -> str:
    """Plural, gender and a few endings of French, English and Spanish in one set of rules.

    One set for three languages, since nobody says which language a question is in. It may join two words of
    different meaning; it must not part two forms of one word.
    """
    if len(word) < 3:
        return word
    if len(word) == 3:
        return word[:-1] + _LAST.get(word[-1], word[-1])
    if word.endswith("x"):
        if word.endswith("aux") and not word.endswith("eaux") and len(word) > 5:
            word = word[:-3] + "al"
        else:
            word = word[:-1]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 6:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > 5 and not word.endswith("eed"):
        word = word[:-2]
    if word.endswith("trice") and len(word) > 7:
        word = word[:-5] + "teu"
    elif word.endswith("euse") and len(word) > 5:
        word = word[:-2]
    elif word.endswith("eur") and len(word) > 4:
        word = word[:-1]
    while len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 4 and word[-1] in "ao":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou0123456789":
        word = word[:-1]
    if len(word) > 4 and word.endswith("ail"):
        word = word[:-3] + "al"
    return word[:-1] + _LAST.get(word[-1], word[-1])


# each with the number of letters that must remain
_ARABIC_ENDINGS = (("ات", 2), ("ون", 3), ("ين", 3), ("ها", 3), ("هم", 3), ("ه", 2), ("ي", 3), ("ا", 4))
_ARTICLES = ("وال", "بال", "كال", "فال", "ولل", "لل", "ال")


def _stem_arabic(word: str) -> str:
    """Without article and conjunction before, feminine, plural and adjective endings after; usual broken
    plurals.
    """
    word = _ARABIC_PLURALS.get(word, word)
    for _ in range(3):
        before = word
        for article in _ARTICLES:
            if word.startswith(article) and len(word) - len(article) >= (2 if article == "ال" else 3):
                word = word[len(article) :]
                break
        word = _ARABIC_PLURALS.get(word, word)
        if word.startswith("و") and len(word) > 4:
            word = _ARABIC_PLURALS.get(word[1:], word[1:])
        if word == before:
            break
    for _ in range(3):
        for ending, least in _ARABIC_ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= least:
                word = word[: -len(ending)]
                break
        else:
            break
    return word


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The form under which a folded word is indexed; "" for a word that says nothing (a stop word)."""
    if word in STOP:
        return ""
    word = word[:LONGEST]
    if "a" <= word[0] <= "z":
        return _IRREGULAR.get(word) or _stem_latin(word)
    if "\u0620" <= word[0] <= "\u06d3":
        return _stem_arabic(word)
    return word


def _split(word: str) -> tuple[str, ...]:
    """The plain words inside a folded one: elision, possessive, and pairs in scripts without spaces."""
    if "." in word:
        return (word.replace(".", ""),)
    if "'" in word:
        head, *tail = word.split("'")
        if head in _ELISIONS:
            return tuple(tail)
        return (head, *(part for part in tail if part not in {"s", "t", "re", "ll", "ve", "d", "m"}))
    if not _UNSPACED.search(word):
        return (word,)
    parts: list[str] = []
    for run in _UNSPACED.split(word):
        if _UNSPACED.match(run):
            parts.extend(run[start : start + 2] for start in range(max(1, len(run) - 1)))
        elif run:
            parts.append(run)
    return tuple(parts)


@lru_cache(maxsize=200_000)
def _read(chunk: str) -> tuple[tuple[str, str], ...]:
    # folding can make several words of one sign ("½" is 1 and 2), so words are looked for once more
    found = [
        part for word in _WORD.findall(chunk) for each in _WORD.findall(fold(word)) for part in _split(each) if part
    ]
    return tuple((part, stem(part)) for part in found)


def read(chunk: str) -> tuple[tuple[str, str], ...]:
    """(folded word, stem) of each word in a text; the stem is "" for stop words.

    Fast on what `str.split` gives: short pieces are remembered, as most words come again and again.
    """
    return _read(chunk) if len(chunk) <= LONGEST else _read.__wrapped__(chunk)


def spelling(chunk: str, part: str) -> str:
    """How to show a folded word of a piece of text: with its accents if they can be told ("l'École," -> "école")."""
    for word in _WORD.findall(chunk):
        shown: str = word.lower().replace("’", "'").rpartition("'")[2]
        if fold(shown) == part:
            return shown
    return part


def words(text: str) -> list[str]:
    """The folded words of a text in order, split at elisions ("l'école" -> "ecole"), stop words included."""
    return [part for chunk in text.split() for part, _ in read(chunk)]


def tokens(text: str) -> list[str]:
    """The stems of a text in order, without stop words: what is indexed and what is looked for.

    `tokens("Les cours de français") == tokens("cours francais")`.
    """
    return [found for chunk in text.split() for _, found in read(chunk) if found]


@lru_cache(maxsize=50_000)
def variants(stemmed: str) -> tuple[str, ...]:
    """Other stems that an Arabic word may stand for: the same without a one-letter preposition (ل ب ف ك)."""
    if len(stemmed) > 3 and stemmed[0] in "لبفك":
        return (stemmed[1:],)
    return ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One word of a question: as it was typed (folded) and its stem."""

    typed: str
    stem: str


MOST_WORDS = 12  # of one question; the rest of a longer one is not read


def asked(question: str) -> tuple[Asked, ...]:
    """What a question asks for: its words without stop words and ways of asking, each once, in order.

    `asked("Je cherche une école pour mes enfants")` is école and enfants. When nothing else is left, ways
    of asking are words like others; a question of stop words alone is empty. At most 500 characters and
    12 words are read.
    """
    said = words(question[:500])
    kept = [word for position, word in enumerate(said) if not _is_asking(said, position)]
    found: dict[str, Asked] = {}
    for word in kept if any(stem(word) for word in kept) else said:
        stemmed = stem(word)
        if stemmed and len(found) < MOST_WORDS:
            found.setdefault(stemmed, Asked(word, stemmed))
    return tuple(found.values())


def _is_asking(said: Sequence[str], position: int) -> bool:
    word = said[position]
    if word in _ASKING:
        return True
    if word not in _HELP:
        return False
    follows = said[position + 1] if position + 1 < len(said) else ""
    # "besoin d'aide": the preposition between the two is a stop word
    before = next((other for other in reversed(said[:position]) if other not in STOP), "")
    return follows in _HELP_TOWARDS or before in _ASKING
