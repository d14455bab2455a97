"""The search page's question, read from an address and written back to it, and the answer as the page shows it.

Reading is forgiving: a parameter that says nothing is as if it were not there, so that no old or shared link breaks.
"""

import datetime as dt
import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from parvis.core import language as tongues
from parvis.core.hours import State
from parvis.directory import search
from parvis.directory.listings import fact
from parvis.directory.models import TaxonomyTerm
from parvis.directory.search import Filters, Hit, Near, Results
from parvis.places import queries as places
from parvis.places.models import Borough
from parvis.words.queries import Shown, render

PER_PAGE = 20
LAST_PAGE = 500
MOST_POINTS = 500
MOST_CHOSEN = 20
LINE = 170  # characters of a description in a list
NEAR, FAR = 5.0, 60.0  # kilometres
ALWAYS = dt.timedelta(days=7)  # open for longer than this is "always open"


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
    "audiences": "audience", "open_now": "open", "free": "free", "wheelchair": "wheelchair", 
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


# -- the answer ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One result as a card shows it."""

    kind: str
    id: uuid.UUID
    url: str
    name: Shown
    organization: Shown | None
    line: Shown | None
    state: State | None
    distance: float | None  # metres
    boroughs: list[str]
    languages: list[str]
    free: bool
    wheelchair: bool


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int
    checked: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its values: `name` is its parameter in addresses."""

    name: str
    label: str
    options: list[Option]
    shown: str = ":25"  # how many of them the home page shows, as a slice


class Applied(NamedTuple):
    """A filter in use, and the question without it."""

    label: str
    without: str


def answer(viewer: Any, question: Question, *, language: str, now: dt.datetime) -> dict[str, Any]:
    """Everything that the search page shows of a question: template context."""
    names = dict(Borough.objects.values_list("code", "name"))
    context: dict[str, Any] = {"question": question, "needs": NEEDS, "near_unknown": False}
    if not question.asked:
        return context | {"facets": _facets(viewer, question, Filters(kind="service"), names, language, now)}
    filters, known = _filters(question)
    results = _results(viewer, question, filters, now)
    if filters.near and not results.total:
        # Nothing within a walk or a short ride: the nearest in the whole region is still an answer.
        filters = replace(filters, near=replace(filters.near, kilometres=FAR))
        results = _results(viewer, question, filters, now)
    facets = _facets(viewer, question, filters, names, language, now)
    return context | {
        "near_unknown": not known,
        "total": results.total,
        "hits": _cards(results.hits, names, language, now),
        "page": question.page,
        "pages": min(math.ceil(results.total / PER_PAGE), LAST_PAGE),
        "corrected": results.corrected,
        "partial": results.partial,
        "unknown": [word.typed for word in results.words if word.how == "unknown"],
        "facets": facets,
        "has_facets": any(facet.options for facet in facets),
        "applied": _applied(question, facets),
        "without_filters": Question(text=question.text, everything=not question.text).encoded(),
    }


def points(viewer: Any, question: Question, *, language: str, now: dt.datetime) -> list[dict[str, Any]]:
    """The places of the results for the map: name, address of the page, [latitude, longitude]."""
    filters, _known = _filters(question)
    found = search.points(viewer, question.text, filters=filters, now=now, limit=MOST_POINTS)
    said = render({point.name for point in found}, language)
    return [
        {
            "name": said[point.name].text,
            "url": reverse(f"directory:{point.kind}", args=[point.id]),
            "at": [point.latitude, point.longitude],
        }
        for point in found
    ]


def areas() -> dict[str, Any]:
    """The city's boroughs as a GeoJSON FeatureCollection."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": geometry}
            for code, name, geometry in Borough.objects.values_list("code", "name", "geometry")
        ],
    }


def _filters(question: Question) -> tuple[Filters, bool]:
    """The filters for the index, and whether the place in words was understood."""
    point = question.point
    if point is None and question.near_text:
        point = places.named(question.near_text)
    filters = Filters(
        boroughs=question.boroughs,
        languages=question.languages,
        audiences=question.audiences,
        open_now=question.open_now,
        free=question.free,
        wheelchair=question.wheelchair,
        near=Near(*point, kilometres=NEAR) if point else None,
    )
    return filters, point is not None or not question.near_text


def _results(viewer: Any, question: Question, filters: Filters, now: dt.datetime) -> Results:
    return search.search(
        viewer,
        question.text,
        filters=filters,
        now=now,
        limit=PER_PAGE,
        offset=(question.page - 1) * PER_PAGE,
        documents="item",
    )


_ABOUT = """
SELECT l.object_id, l.facets, (SELECT min(lower(r)) FROM unnest(o.open_times) r WHERE lower(r) > %s),
    coalesce(isempty(o.open_times), true)
FROM directory_listing l LEFT JOIN directory_opening o ON o.object_id = l.object_id WHERE l.object_id = ANY(%s)
"""


def _cards(hits: Iterable[Hit], names: Mapping[str, str], language: str, now: dt.datetime) -> list[Found]:
    hits = list(hits)
    items = {hit.id: json.loads(hit.document) for hit in hits}
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT, [now, list(items)])
        about = {key: (facts.split("\n"), opens, unknown) for key, facts, opens, unknown in cursor.fetchall()}
    texts = {text for item in items.values() for text in (item["name"], item.get("description", ""))}
    texts |= {item["organization"]["name"] for item in items.values() if "organization" in item}
    said = render(texts, language)
    cards = []
    for hit in hits:
        item = items[hit.id]
        facts, opens, unknown = about.get(hit.id, ([], None, True))
        organization = item.get("organization", {}).get("name")
        cards.append(
            Found(
                kind=hit.kind,
                id=hit.id,
                url=reverse(f"directory:{hit.kind}", args=[hit.id]),
                name=said[item["name"]],
                organization=said[organization] if organization else None,
                line=_line(said[item["description"]]) if item.get("description") else None,
                state=_state(hit, opens, unknown, now),
                distance=None if hit.distance is None else hit.distance * 1000,
                boroughs=[names.get(code, code) for code in _values(facts, "b")],
                languages=_values(facts, "l"),
                free=fact("f") in facts,
                wheelchair=fact("w") in facts,
            )
        )
    return cards


def _values(facts: Iterable[str], code: str) -> list[str]:
    start = f"={code}="
    return [one[len(start) :] for one in facts if one.startswith(start)]


def _line(text: Shown) -> Shown:
    """The beginning of a description, as one line."""
    line = " ".join(text.text.split())
    return replace(text, text=line if len(line) <= LINE else line[: line.rfind(" ", 0, LINE)] + "…")


def _state(hit: Hit, opens: dt.datetime | None, unknown: bool, now: dt.datetime) -> State | None:
    """What the index knows of the coming days, as the same sentence as on the service's own page."""
    if hit.kind != "service":
        return None
    if hit.open_until is not None:
        if hit.open_until - now > ALWAYS:
            return State("always")
        return State("open", until=hit.open_until)
    if opens is not None:
        return State("opens", opens=opens)
    return State("unknown" if unknown else "closed")


def _facets(
    viewer: Any,
    question: Question,
    filters: Filters,
    names: Mapping[str, str],
    language: str,
    now: dt.datetime,
) -> list[Facet]:
    """The filters with how many results each value would have; what is chosen does not narrow its own filter."""

    def counted(name: str) -> dict[str, int]:
        other = replace(filters, **{name: ()}) if getattr(filters, name) else filters
        found = search.facets(viewer, question.text, filters=other, now=now, open_now=False)
        counts: dict[str, int] = getattr(found, name)
        return counts

    found = []
    for parameter, name, label in (
        ("borough", "boroughs", _("Borough")),
        ("language", "languages", _("Language spoken")),
        ("audience", "audiences", _("For whom")),
    ):
        counts, chosen = counted(name), getattr(question, name)
        values = [*counts, *(value for value in chosen if value not in counts)]
        if name == "boroughs":
            labels = dict(names)
        elif name == "languages":
            labels = {code: called(code, language) for code in values}
        else:
            labels = _audiences(values, language)
        options = [
            Option(value, labels[value], counts.get(value, 0), value in chosen) for value in values if value in labels
        ]
        if name == "boroughs":
            options.sort(key=lambda option: tongues.fold(option.label))
        options.sort(key=lambda option: not option.checked)
        found.append(Facet(parameter, str(label), options, shown=":25" if name == "boroughs" else ":11"))
    return found


def called(code: str, language: str) -> str:
    """A language in the reader's words, else in its own."""
    name = tongues.name(code, language)
    return name if name != code else tongues.own_name(code)


def _audiences(codes: Iterable[str], language: str) -> dict[str, str]:
    """Audience code (a term's code, or its id) -> its name for the reader."""
    codes = list(codes)
    if not codes:
        return {}
    terms = TaxonomyTerm.objects.filter(Q(code__in=codes) | Q(pk__in=[code for code in codes if _is_id(code)]))
    by_code = {key: term.name for term in terms for key in (term.code, str(term.pk)) if key}
    said = render(set(by_code.values()), language)
    return {code: said[by_code[code]].text for code in codes if code in by_code}


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _applied(question: Question, facets: Iterable[Facet]) -> list[Applied]:
    """The filters in use, each with the address that takes it away."""
    found = []
    if question.near_text or question.point:
        label = question.near_text or _("near me")
        found.append(Applied(str(label), question.encoded(near_text=None, point=None, page=None)))
    for name, label in (("open_now", _("Open now")), ("free", _("Free")), ("wheelchair", _("Wheelchair access"))):
        if getattr(question, name):
            found.append(Applied(str(label), question.encoded(**{name: None}, page=None)))
    fields_of = {"borough": "boroughs", "language": "languages", "audience": "audiences"}
    for facet in facets:
        name = fields_of[facet.name]
        for option in facet.options:
            if option.checked:
                rest = tuple(value for value in getattr(question, name) if value != option.value)
                found.append(Applied(option.label, question.encoded(**{name: rest}, page=None)))
    # Taking the last filter away from a question without words leaves everything, not the empty page.
    return [one if one.without else Applied(one.label, "all=1") for one in found]
