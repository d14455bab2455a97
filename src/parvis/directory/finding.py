"""The search page's question, read from an address and written back to it, and the answer as the page shows it.

Reading is forgiving: a parameter that says nothing is as if it were not there, so that no old or shared link breaks.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from parvis.places.models import Borough

PER_PAGE = 20
LAST_PAGE = 500
MOST_POINTS = 500
MOST_CHOSEN = 20


class Need(NamedTuple):
    """What people ask for most: an icon, what it is called, and the words that ask for it."""

    icon: str
    label: Any
    words: Any


NEEDS = (
    Need("book", _("Learn the language"), _("language course")),
    Need("home", _("Find a home"), _("housing")),
    Need("work", _("Find work"), _("job search")),
    Need("school", _("School and children"), _("school")),
    Need("health", _("See a doctor"), _("health")),
    Need("law", _("Know my rights"), _("legal advice")),
    Need("paper", _("Papers and residence"), _("immigration papers")),
    Need("speech", _("An interpreter"), _("interpreter")),
    Need("food", _("Food and clothes"), _("food bank")),
    Need("people", _("Meet people"), _("meet people")),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the reader wants. Field order is the order in addresses."""

    text: str = ""
    near_text: str = ""
    point: tuple[float, float] | None = None  # latitude, longitude, given by the device
    boroughs: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    open_now: bool = False
    free: bool = False
    wheelchair: bool = False
    exact: bool = False  # do not correct typing errors
    everything: bool = False  # no question, all listings
    page: int = 1

    @property
    def at_text(self) -> str:
        return f"{self.point[0]:.3f},{self.point[1]:.3f}" if self.point else ""

    @property
    def narrowed(self) -> int:
        """How many filters are in use."""
        chosen = len(self.boroughs) + len(self.languages) + len(self.audiences)
        return chosen + sum((self.open_now, self.free, self.wheelchair, bool(self.near_text or self.point)))

    @property
    def asked(self) -> bool:
        """Whether there is anything to answer."""
        return bool(self.text or self.narrowed or self.everything)

    def encoded(self, **changes: Any) -> str:
        """The question as a query string, with these fields changed (None = as if never said); nothing empty."""
        asked = replace(self, **{key: _NEVER[key] if value is None else value for key, value in changes.items()})
        pairs: list[tuple[str, str]] = []
        for name, parameter in _PARAMETERS.items():
            value = getattr(asked, name)
            if value == _NEVER[name]:
                continue
            if name == "point":
                pairs.append((parameter, asked.at_text))
            elif isinstance(value, tuple):
                pairs += [(parameter, one) for one in value]
            else:
                pairs.append((parameter, "1" if value is True else str(value)))
        return urlencode(pairs)


_NEVER = {field.name: field.default for field in fields(Question)}
_PARAMETERS = {
    "text": "q", "near_text": "near", "point": "at", "boroughs": "borough", "languages": "language",
    "audiences": "audience", "open_now": "open", "free": "free", "wheelchair": "wheelchair", "exact": "exact",
    "everything": "all", "page": "page",
}  # fmt: skip


def read(asked: QueryDict) -> Question:
    """The question that an address asks. Never fails."""

    def words(name: str, longest: int) -> str:
        return " ".join("".join(sign if sign.isprintable() else " " for sign in asked.get(name, "")[:longest]).split())

    def many(name: str) -> tuple[str, ...]:
        chosen = dict.fromkeys(value[:80] for value in asked.getlist(name) if value and value.isprintable())
        return tuple(chosen)[:MOST_CHOSEN]

    return Question(
        text=words("q", 200),
        near_text=words("near", 80),
        point=_point(asked.get("at", "")),
        boroughs=many("borough"),
        languages=many("language"),
        audiences=many("audience"),
        open_now=bool(asked.get("open")),
        free=bool(asked.get("free")),
        wheelchair=bool(asked.get("wheelchair")),
        exact=bool(asked.get("exact")),
        everything=bool(asked.get("all")),
        page=_page(asked.get("page", "")),
    )


def _page(text: str) -> int:
    try:
        return min(max(1, int(text[:6])), LAST_PAGE)
    except ValueError:
        return 1


def _point(text: str) -> tuple[float, float] | None:
    try:
        latitude, longitude = (float(part) for part in text[:40].split(","))
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return latitude, longitude


def areas() -> dict[str, Any]:
    """The city's boroughs as a GeoJSON FeatureCollection."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": geometry}
            for code, name, geometry in Borough.objects.values_list("code", "name", "geometry")
        ],
    }
