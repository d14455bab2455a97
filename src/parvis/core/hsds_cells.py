"""Cleaning one cell: a text, number, date, time, phone, address of the web... from a stranger's file.

A cleaner never raises. What it changed or dropped, it says in `notes`; an importer turns notes into its report.
"""

import datetime as dt
import html
import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from urllib.parse import quote

import babel
import nh3
import phonenumbers
from dateutil import parser as dates

LONG, SHORT, ADDRESS = 100_000, 500, 2_000  # most characters of a text, of a name, of a web address

# Fields that are labels, not prose: short, on one line.
LABELS = frozenset(
    [
        "name",
        "alternate_name",
        "code",
        "title",
        "department",
        "number",
        "type",
        "label",
        "identifier",
        "identifier_type",
        "identifier_scheme",
        "tax_id",
        "tax_status",
        "legal_status",
        "external_identifier",
        "external_identifier_type",
        "city",
        "region",
        "state_province",
        "postal_code",
        "country",
        "currency",
        "scheme",
        "version",
        "language",
        "taxonomy",
        "link_type",
        "link_entity",
        "resource_type",
        "last_action_type",
        "field_name",
        "character_set",
        "byday",
        "byweekno",
        "bymonthday",
        "byyearday",
        "wkst",
        "freq",
        "address_1",
        "address_2",
        "group",
    ]
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ANY_UUID = re.compile(
    r"\{?(?:urn:uuid:)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?", re.I
)

# One look at a text decides whether anything in it may need cleaning; nearly every text passes.
_SUSPECT = re.compile("^['=+\\-@\t\r\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f<&ÂÃâÐÑØÙÅÄ\ud800-\udfff]")
_LINES = re.compile("[\n\r\t\x0b\x0c\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&(?:[a-zA-Z]{2,8}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_WRAPPED = re.compile(r"<((?:https?://|mailto:)?[^\s<>]+@?[^\s<>]*\.[^\s<>/]{2,}[^\s<>]*)>")
_BREAKS = re.compile(r"<\s*(?:br\s*/?|/p|/div|/h[1-6]|/tr|/ul|/ol|/table|/blockquote)\s*>", re.I)
_PARAGRAPH = re.compile(r"<\s*p(?:\s[^>]*)?>", re.I)
_ITEM = re.compile(r"<\s*li(?:\s[^>]*)?>", re.I)
_ITEM_END = re.compile(r"<\s*/\s*li\s*>", re.I)
_ESCAPED_CELL = re.compile(r"^'+[=+\-@\t\r\n]")
_FORMULA = re.compile(r"^\s*(?:[=@]|[+\-](?=[^\s\d])|[+\-](?=\d).*[A-Za-z(!|])")
_RULES = frozenset(("byday", "byweekno", "bymonthday", "byyearday"))  # where a leading minus means "last"
_NUMBER_LIKE = re.compile(r"^[+\-]?[\d\s().,/\-]*$")

# UTF-8 that was read as Windows-1252 (or Latin-1): "Ã©" for "é", "â€™" for "’".
_TAIL = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_MOJIBAKE = re.compile(f"(?:Ã{_TAIL}|Â{_TAIL}|â[€‚„†ˆ‰™\x80-\x8b]{_TAIL}|(?:[ÐÑØÙÄÅ]{_TAIL}){{2,}}|Å[“’¸¡])+")
_TO_BYTE = {
    bytes([byte]).decode("cp1252"): byte for byte in range(0x80, 0x100) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


class Cleaner:
    """Cleans cells and collects what it did in `notes`: (field, code, what was there).

    sheet: the cells come from a spreadsheet file, where a leading `=` is a formula and a leading `'` an escape.
    loose: the file is of an old shape: blanks around texts are cut without a word.
    region: two-letter country in whose manner a phone number without `+` is read, or "".
    """

    def __init__(self, *, sheet: bool, loose: bool, region: str = "") -> None:
        self.sheet, self.loose, self.region = sheet, loose, region
        self.notes: list[tuple[str, str, str]] = []
        #: by kind of field, what a cell that needs no cleaning looks like
        self.fine: dict[str, Callable[[str], object]] = {
            "text": _FINE_TEXT.fullmatch,
            "label": _FINE_LABEL.fullmatch,
            "uri": _WEB.fullmatch,
            "email": _EMAIL.fullmatch,
            "number": _PLAIN.fullmatch,
            "time": _TIME.fullmatch,
        }
        self.by_kind: dict[str, Callable[[str, str], str | None]] = {
            "text": self.text,
            "uri": self.uri,
            "email": self.email,
            "number": self.number,
            "date": self.date,
            "time": self.time,
            "datetime": self.datetime,
            "boolean": self.boolean,
            "json": self.synonyms,
        }

    def note(self, field: str, code: str, was: str) -> None:
        self.notes.append((field, code, was[:300]))

    def text(self, field: str, value: str) -> str | None:
        """Plain text: no markup, no control characters, no formula, right encoding, of a sane length."""
        if _SUSPECT.search(value):
            value = self._cleaned(field, value)
        if self.loose:
            value = value.strip()
        label = field in LABELS
        if label:
            value = value.strip()
            if _LINES.search(value):
                self.note(field, "line_breaks", value)
                value = " ".join(value.split())
        if len(value) > (SHORT if label else LONG):
            self.note(field, "too_long", value)
            value = value[: SHORT if label else LONG].rstrip()
        return value if value and not value.isspace() else None

    def _cleaned(self, field: str, value: str) -> str:
        was = value
        if self.sheet and _ESCAPED_CELL.match(value):
            return self._plain(field, value[1:], was[1:])
        value = self._plain(field, value, was)
        if self.sheet and field not in _RULES and _FORMULA.match(value) and not _NUMBER_LIKE.match(value):
            stripped = value.lstrip("=+-@\t\r ")
            self.note(field, "formula", was)
            return stripped
        return value

    def _plain(self, field: str, value: str, was: str) -> str:
        value = fix_mojibake(value)
        if value != was:
            self.note(field, "mojibake", was)
        if _MARKUP.search(value):
            plain = without_markup(value)
            if plain != value:
                self.note(field, "markup", was)
                value = plain
        if _CONTROL.search(value):
            self.note(field, "control_characters", was)
            value = _CONTROL.sub("", value)
        return value

    def uri(self, field: str, value: str) -> str | None:
        """An http(s) address; others that browsers act on (javascript:, data:) are dropped."""
        value = (self.text(field, value) or "").strip()
        if not value:
            return None
        if _WEB.fullmatch(value):
            return value
        was = value
        words = value.split()
        value = words[0] if _WEB.fullmatch(words[0]) and "." in words[0] else "".join(words)
        if re.match(r"(?i)https?:/*[^/]", value):
            value = re.sub(r"(?i)^(https?):/*", lambda match: match[1].lower() + "://", value)
        elif re.match(r"(?i)[a-z][a-z0-9+.\-]*:(?!\d+(?:/|$))", value):
            if re.match(r"(?i)(mailto|tel|geo|urn|ftp|doi|info):\S+$", value):
                return value[:ADDRESS]
            self.note(field, "bad_address", was)
            return None
        elif re.match(r"(?i)(?:[\w\-]+\.)+[a-z]{2,}(?:[:/?#]|$)", value):
            value = "https://" + value
        else:
            self.note(field, "bad_address", was)
            return None
        try:
            value = quote(value, safe="%/:=&?~#+!$,;'@()*[]")
        except UnicodeEncodeError:
            value = ""
        if len(value) > ADDRESS or not _WEB.fullmatch(value):
            self.note(field, "bad_address", was)
            return None
        self.note(field, "address_completed", was)
        return value

    def email(self, field: str, value: str) -> str | None:
        """One e-mail address."""
        if _EMAIL.fullmatch(value) and len(value) <= 254:
            return value
        was, text = value, self.text(field, value) or ""
        found = _EMAIL.findall(re.sub(r"(?i)mailto:|[<>()\[\]\"']", " ", text))
        found = [one for one in found if len(one) <= 254]
        if not found:
            if text.strip():
                self.note(field, "bad_email", was)
            return None
        if text.strip() != found[0]:
            self.note(field, "first_email_kept" if len(found) > 1 else "email_cleaned", was)
        return str(found[0])

    def number(self, field: str, value: str) -> str | None:
        """A number as its plain digits: no exponent, no thousands separators, at most 15 digits."""
        if _PLAIN.fullmatch(value):
            return value
        was, value = value, value.strip().strip("'\"")
        if not value:
            return None
        text = value
        if field == "extension" and (digits := re.sub(r"\D", "", value)):
            text = digits
        elif match := re.fullmatch(r"[$€£]?\s*(-?\d{1,3}(?:[ ,\u00a0]\d{3})+(?:\.\d+)?)", text):
            text = re.sub(r"[ ,\u00a0]", "", match[1])
        elif match := re.fullmatch(r"(-?\d+),(\d{1,8})", text):
            text = f"{match[1]}.{match[2]}"
        elif match := re.fullmatch(r"[$€£]\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*[$€£%]", text):
            text = match[1] or match[2]
        elif field == "year_incorporated" and (match := re.search(r"\b(1[0-9]|2[0-9])\d\d\b", text)):
            text = match[0]
        try:
            found = Decimal(text)
        except InvalidOperation:
            self.note(field, "bad_number", was)
            return None
        if not found.is_finite() or found.adjusted() > 14:
            self.note(field, "bad_number", was)
            return None
        try:
            plain = format(found if found.adjusted() > -16 else Decimal(0), "f")
        except (ValueError, MemoryError):
            plain = ""
        whole, dot, part = plain.partition(".")
        part = part[:15].rstrip("0")
        sign = "-" if whole.startswith("-") else ""
        result = sign + (whole.lstrip("-+").lstrip("0") or "0") + (f".{part}" if dot and part else "")
        if not _PLAIN.fullmatch(result):
            self.note(field, "bad_number", was)
            return None
        if result != was:
            self.note(field, "number_form", was)
        return result

    def date(self, field: str, value: str) -> str | None:
        """A date as YYYY-MM-DD. Years before 1000 (used by some for "every year") are refused as dates."""
        if _DATE.fullmatch(value):
            try:
                found = dt.date.fromisoformat(value)
            except ValueError:
                self.note(field, "bad_date", value)
                return None
            if found.year >= 1000:
                return value
            self.note(field, "bad_date", value)
            return None
        text = value.strip().strip("'\"")
        if not text:
            return None
        try:
            if match := re.match(r"(\d{4}-\d\d-\d\d)[T ]", text):
                found = dt.date.fromisoformat(match[1])
            elif len(text) > 40 or not re.search(r"\d", text) or re.search(r"\b00\d\d\b", text):
                raise ValueError
            else:
                found = dates.parse(text, default=dt.datetime(1, 1, 1)).date()
                other = dates.parse(text, default=dt.datetime(2, 2, 2)).date()
                if found != other:  # the text does not say day, month and year
                    raise ValueError
        except (ValueError, OverflowError, TypeError, AttributeError, RecursionError):
            found = dt.date(1, 1, 1)
        if found.year < 1000:
            self.note(field, "bad_date", value)
            return None
        self.note(field, "date_form", value)
        return found.isoformat()

    def datetime(self, field: str, value: str) -> str | None:
        """A moment as ISO 8601 with an offset; without one it is taken as UTC."""
        text = value.strip().strip("'\"")
        if not text:
            return None
        try:
            if not re.match(r"\d{4}-\d\d-\d\d", text):
                if len(text) > 60 or not re.search(r"\d{4}", text):
                    raise ValueError
                found = dates.parse(text)
                self.note(field, "date_form", value)
            else:
                found = dt.datetime.fromisoformat(text)
            if found.tzinfo is None:
                found = found.replace(tzinfo=dt.UTC)
            found = found.astimezone(dt.UTC)
        except (ValueError, OverflowError, TypeError, AttributeError, RecursionError):
            self.note(field, "bad_date", value)
            return None
        if found.year < 1000:
            self.note(field, "bad_date", value)
            return None
        return found.isoformat()

    def time(self, field: str, value: str) -> str | None:
        """A wall time as HH:MM, 00:00 to 23:59 (24:00 is the 00:00 that ends the day)."""
        if _TIME.fullmatch(value):
            return value
        text = value.strip().strip("'\"")
        if not text:
            return None
        found = read_time(text)
        if found is None:
            self.note(field, "bad_time", value)
            return None
        if not re.fullmatch(re.escape(found) + r"(:00(\.0+)?)?", text):
            self.note(field, "time_form", value)
        return found

    def boolean(self, field: str, value: str) -> str | None:
        """`true` or `false`."""
        text = value.strip().lower()
        if text in ("true", "t", "yes", "y", "1"):
            return "true"
        if text in ("false", "f", "no", "n", "0"):
            return "false"
        if text:
            self.note(field, "bad_boolean", value)
        return None

    def synonyms(self, field: str, value: str) -> str | None:
        """A JSON object of lists of words by language, its keys in order."""
        try:
            said = json.loads(value)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not all(
            isinstance(words, list) and all(isinstance(word, str) for word in words) for words in said.values()
        ):
            self.note(field, "several_values", value)
            return None
        kept = {
            tag[:35]: [clean for word in said[tag] if (clean := self.text("name", word))]
            for tag in sorted(said)
            if re.fullmatch(r"[A-Za-z0-9\-]{2,35}", tag)
        }
        return json.dumps(kept, ensure_ascii=False) if kept else None

    def choice(self, field: str, value: str, allowed: tuple[str, ...]) -> str | None:
        """One of `allowed`, forgiving case, blanks and underscores."""
        if value in allowed:
            return value
        text = re.sub(r"[\s_\-]+", " ", value.strip().strip("'\"").lower())
        for one in allowed:
            if one.lower() == text:
                self.note(field, "choice_form", value)
                return one
        return None

    def country(self, field: str, value: str) -> str | None:
        """A country as two capital letters, from its code or its name in English, French, Spanish or Arabic."""
        if re.fullmatch(r"[A-Z]{2}", value):
            return value
        text = self.text(field, value) or ""
        found = country_code(text.strip())
        if found:
            self.note(field, "country_form", value)
        elif text.strip():
            self.note(field, "bad_country", value)
        return found or None

    def phone(self, field: str, value: str) -> tuple[str | None, str | None]:
        """(number, extension): in international form when it is a real number of the region, else as it was."""
        if re.fullmatch(r"\+[1-9][\d \-.()]{5,20}", value):
            return value, None
        text = " ".join((self.text(field, value) or "").strip().strip("'\"").split())
        text = re.sub(r"(?i)^(?:phone|tel|telephone|téléphone|fax|no|number|n°|num|[\s:.#])+\s*", "", text) or text
        if not re.search(r"\d", text):
            return (None, None)
        extension = None
        if match := re.search(r"(?i)[\s,;]*(?:ext(?:ension)?|poste|x|#)[\s.:]*(\d{1,9})\s*$", text):
            if match.start() and re.search(r"\d", text[: match.start()]):
                extension, text = match[1], text[: match.start()].strip()
            elif match.start() == 0:
                self.note(field, "phone_only_extension", value)
                return text, match[1]
        elif match := re.fullmatch(r"x(\d{1,9})", text):
            return text, match[1]
        found = _international(text, self.region)
        if found and found != value:
            self.note(field, "phone_form", value)
            return found, extension
        if text != value:
            self.note(field, "phone_cleaned", value)
        return text[:SHORT], extension


_WEB = re.compile(r"https?://[A-Za-z0-9](?:[A-Za-z0-9\-._~%@:\[\]]*)(?:[/?#][!-;=?-~]*)?")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&*+/=?^_`{|}~\-]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)+"
)
_PLAIN = re.compile(r"0|-?(?:[1-9]\d{0,14}|0(?=\.))(?:\.\d{0,14}[1-9])?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


_STRANGE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f<&ÂÃâÐÑØÙÅÄ\ud800-\udfff"
_FINE_TEXT = re.compile(f"[^\\s'=+\\-@{_STRANGE}](?:[^{_STRANGE}]{{0,5000}}[^\\s{_STRANGE}])?")
_FINE_LABEL = re.compile(
    f"[^\\s'=+\\-@{_STRANGE}](?:[^\n\r\t\u2028\u2029{_STRANGE}]{{0,{SHORT - 2}}}[^\\s{_STRANGE}])?"
)


@lru_cache(maxsize=20_000)
def _international(text: str, region: str) -> str:
    if len(text) > 40 or (not region and not text.startswith("+")):
        return ""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def fix_mojibake(value: str) -> str:
    """Texts in UTF-8 that somebody read as Windows-1252, read right: `CafÃ©` -> `Café`. Up to twice over."""
    for _ in range(2):
        fixed = _MOJIBAKE.sub(_redecode, value)
        if fixed == value:
            break
        value = fixed
    if re.search("[\x80-\x9f]", value):  # Windows-1252 read as Latin-1
        value = "".join(_windows_quote(char) if "\x80" <= char <= "\x9f" else char for char in value)
    return value


def _windows_quote(char: str) -> str:
    try:
        return bytes([ord(char)]).decode("cp1252")
    except UnicodeDecodeError:
        return char


def _redecode(match: re.Match[str]) -> str:
    raw = bytes(_TO_BYTE.get(char, ord(char) & 0xFF) for char in match[0])
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return match[0]


def without_markup(value: str) -> str:
    """HTML as plain text: paragraphs and list items keep their lines, scripts and tags are gone."""
    for _ in range(3):
        value = _WRAPPED.sub(r"\1", value)
        value = _BREAKS.sub("\n", value)
        value = _PARAGRAPH.sub("\n\n", value)
        value = _ITEM.sub("\n- ", value)
        value = _ITEM_END.sub("", value)
        value = html.unescape(nh3.clean(value, tags=set(), attributes={}))
        if not _MARKUP.search(value):
            break
    else:
        value = re.sub(r"<(?=[a-zA-Z/!?])", "< ", value)
    value = value.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.strip() for line in value.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


_CLOCK = re.compile(
    r"(?i)(\d{1,2})(?:\s*[:h.]\s*(\d{2}))?(?::(\d{2})(?:\.\d+)?)?\s*h?\s*(a\.?m\.?|p\.?m\.?|noon|midnight)?\s*"
    r"(Z|[+\-]\d{1,2}(?::?\d{2})?)?"
)


def read_time(text: str) -> str | None:
    """A wall time out of `9:00am`, `09:00:00`, `3pm`, `9 h 30`, `noon`, `750` (minutes of the day); else None."""
    text = text.strip()
    if text.lower() in ("noon", "midi"):
        return "12:00"
    if text.lower() in ("midnight", "minuit"):
        return "00:00"
    if re.fullmatch(r"\d{3,4}", text):
        minutes = int(text)
        return f"{minutes // 60:02}:{minutes % 60:02}" if minutes < 1440 else None
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[4] or "").lower()[:1]
    if (
        half
        and match[4].lower() not in ("noon", "midnight")
        and not 1 <= hour <= 12
        and not (half == "p" and hour < 24)
    ):
        return None
    if half == "p" and hour < 12:
        hour += 12
    elif half in ("a", "m") and hour == 12:
        hour = 0
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        return None
    return f"{hour:02}:{minute:02}"


_DAYS = {
    "MO": "monday mon mo lundi lun lunes m",
    "TU": "tuesday tues tue tu mardi mar martes",
    "WE": "wednesday wednes wed we wendesday weds mercredi mer miercoles mie",
    "TH": "thursday thurs thur thu th jeudi jeu jueves jue",
    "FR": "friday fri fr vendredi ven viernes vie",
    "SA": "saturday sat sa samedi sam sabado sab",
    "SU": "sunday sun su dimanche dim domingo dom",
}
_DAY = {word: code for code, words in _DAYS.items() for word in words.split()}
_DAY |= {word + "s": code for word, code in list(_DAY.items()) if len(word) > 3}
_NTH = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5,
    "last": -1, "premier": 1, "deuxieme": 2, "troisieme": 3, "quatrieme": 4, "dernier": -1,
}  # fmt: skip
_ORDER = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def fold(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def read_days(text: str) -> tuple[str, str, str, str] | None:
    """Days of the week in words as (freq, interval, byday, what is left over), None when they say no day.

    `Monday - Friday` -> ("WEEKLY", "", "MO,TU,WE,TH,FR", ""); `2nd & 4th Saturday` -> ("MONTHLY", "", "2SA,4SA", "").
    """
    if re.fullmatch(r"(?:-?\d?(?:MO|TU|WE|TH|FR|SA|SU))(?:\s*,\s*-?\d?(?:MO|TU|WE|TH|FR|SA|SU))*", text.strip()):
        byday = re.sub(r"\s", "", text)
        return ("MONTHLY" if re.search(r"\d", byday) else "WEEKLY"), "", byday, ""
    plain = fold(text.strip())
    if plain in ("24-7", "24/7", "daily", "every day", "everyday", "7 days a week", "all week"):
        return "WEEKLY", "", ",".join(_ORDER), ""
    if plain in ("weekdays", "business days"):
        return "WEEKLY", "", ",".join(_ORDER[:5]), ""
    if plain in ("weekends", "weekend"):
        return "WEEKLY", "", "SA,SU", ""
    if re.fullmatch(r"[1-7](?:\s*,\s*[1-7])*", plain):
        return "WEEKLY", "", ",".join(_ORDER[int(d) - 1] for d in re.findall(r"\d", plain)), ""
    remark = " ".join(re.findall(r"\([^)]*\)", text))
    plain = re.sub(r"\([^)]*\)", " ", plain)
    interval = ""
    if re.search(r"every (other|second|2nd) ", plain):
        interval = "2"
        plain = re.sub(r"every (other|second|2nd) ", " ", plain)
    plain = re.sub(r"\b(?:of )?(?:every|each|the|per) (?:month|week)\b|\bof\b|\bevery\b|\beach\b|\bon\b", " ", plain)
    days: list[str] = []
    nths: list[int] = []
    span = False
    for word in re.findall(r"[a-z0-9]+|[-–—]|to\b", plain):
        if word in ("-", "–", "—", "to", "through", "thru"):
            span = bool(days)
        elif word in _NTH:
            nths.append(_NTH[word])
        elif word in _DAY:
            day = _DAY[word]
            if span:
                at = (_ORDER.index(days[-1]) + 1) % 7
                while _ORDER[at] != day and len(days) < 14:
                    days.append(_ORDER[at])
                    at = (at + 1) % 7
            days.append(day)
            span = False
        elif word not in ("and", "et", "y", "to"):
            return None
    if not days:
        return None
    if nths:
        return "MONTHLY", "", ",".join(f"{nth}{day}" for day in dict.fromkeys(days) for nth in nths), remark
    return "WEEKLY", interval, ",".join(day for day in _ORDER if day in days), remark


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for locale in ("en", "fr", "es", "ar"):
        for code, name in babel.Locale(locale).languages.items():
            if "_" not in code:
                names.setdefault(fold(name), code)
    for code in list(babel.Locale("en").languages):
        if "_" in code:
            continue
        try:
            own = babel.Locale.parse(code).get_display_name(code)
        except (babel.UnknownLocaleError, ValueError):
            continue
        if own:
            names.setdefault(fold(own), code)
    names |= {"mandarin": "zh", "cantonese": "yue", "taiwanese": "nan", "farsi": "fa", "tagalog": "tl", "creole": "ht"}
    names |= {"asl": "ase", "american sign language": "ase", "lsq": "fcs", "haitian creole": "ht", "filipino": "fil"}
    return names


_THREE = {
    "eng": "en", "fra": "fr", "fre": "fr", "spa": "es", "ara": "ar", "deu": "de", "ger": "de", "por": "pt", "ita": "it",
    "rus": "ru", "zho": "zh", "chi": "zh", "urd": "ur", "fas": "fa", "per": "fa", "pol": "pl", "ukr": "uk", "vie": "vi",
    "hin": "hi", "ben": "bn", "pan": "pa", "tam": "ta", "tur": "tr", "ron": "ro", "rum": "ro", "kor": "ko", "jpn": "ja",
    "amh": "am", "som": "so", "hat": "ht", "swa": "sw", "tir": "ti", "prs": "fa", "pus": "ps",
}  # fmt: skip


@lru_cache(maxsize=4096)
def read_language(text: str) -> tuple[str, str] | None:
    """(name in English, ISO code) of a language said by code or by name; None when nobody knows it."""
    plain = fold(text.strip())
    if not plain:
        return None
    code = _language_names().get(plain, "")
    tag = plain.replace("_", "-").split("-")[0]
    if not code and re.fullmatch(r"[a-z]{2,3}", tag):
        tag = _THREE.get(tag, tag)
        code = tag if tag in babel.Locale("en").languages else ""
    if not code:
        return None
    return str(babel.Locale("en").languages.get(code, text.strip())), code


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """Two capital letters of a country said by code or name, "" when unknown."""
    territories = babel.Locale("en").territories
    if re.fullmatch(r"[A-Za-z]{2}", text) and text.upper() in territories:
        return "GB" if text.upper() == "UK" else text.upper()
    plain = fold(text).replace(".", "")
    special = {
        "usa": "US",
        "united states of america": "US",
        "etats-unis": "US",
        "uk": "GB",
        "can": "CA",
        "england": "GB",
    }
    if plain in special:
        return special[plain]
    for locale in ("en", "fr", "es", "ar"):
        for code, name in babel.Locale(locale).territories.items():
            if len(code) == 2 and fold(name) == plain:
                return str(code)
    return ""
