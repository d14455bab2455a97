"""Searching the directory: a question in a person's own words, filters, and what was found, in a stable order.

A question's words are folded to stems (parvis.core.language.asked). A word that the index knows is looked up as it is;
the last one, perhaps still being typed, also as a beginning; a word that nobody wrote is replaced by the nearest that
the index knows. All words must be found; if no listing has them all, those that have most of them are the answer.

The order is: all words in the name; all in the name or the taxonomy; one in the name; one in the taxonomy; elsewhere.
Each of these levels is one index lookup, so a word that half of the directory has costs no more than the page shown.
When few are found they are weighed one by one, rare words above common ones. Services stand before organizations, then
names decide between equals.

Writing the index is `refresh` and `refresh_open_times` (parvis.directory.listings).
"""

import datetime as dt
import itertools
import math
import threading
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from django.db import connection
from rapidfuzz.distance import OSA

from parvis.core import language as tongues
from parvis.core.language import Asked, asked
from parvis.directory.listings import fact, quoted, refresh, refresh_open_times
from parvis.kit.prepared import Cell, rows, schema

__all__ = [
    "Facets", "Filters", "Hit", "Near", "Point", "Results", "Word",
    "documents", "facets", "matching", "points", "refresh", "refresh_open_times", "search",
]  # fmt: skip

#: Above so many results they are not weighed one by one, only sorted by level and name.
WEIGHED = 400
#: Words of a question that must be found; of a longer one the rarest.
MOST_GROUPS = 8
#: Weights of D, C, B and A words when results are weighed.
WEIGHTS = "{0.05, 0.2, 0.6, 1.0}"
EARTH = 6371.0  # km, mean radius
MOST_KILOMETRES = 500.0

How = Literal["exact", "beginning", "corrected", "unknown"]
Kind = Literal["service", "organization"]


@dataclass(frozen=True, slots=True)
class Near:
    """Within `kilometres` of a point (degrees, WGS 84). Raises ValueError on impossible coordinates."""

    latitude: float
    longitude: float
    kilometres: float = 3.0

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("a point needs a latitude between -90 and 90 and a longitude between -180 and 180")
        if not 0 < self.kilometres <= MOST_KILOMETRES:
            raise ValueError(f"a distance is between 0 and {MOST_KILOMETRES:g} km")


@dataclass(frozen=True, slots=True)
class Filters:
    """What results must be. Filters add up; several values of one filter are alternatives.

    languages: BCP 47 tags spoken there; boroughs: codes; audiences: codes; term_ids: taxonomy terms, a broader term
    finds the narrower ones; exact_term_ids: without them (HSDS `taxonomy_term_id`).
    """

    kind: Kind | None = None
    boroughs: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    term_ids: tuple[uuid.UUID | str, ...] = ()
    exact_term_ids: tuple[uuid.UUID | str, ...] = ()
    taxonomy_ids: tuple[uuid.UUID | str, ...] = ()
    organization_id: uuid.UUID | str | None = None
    open_now: bool = False
    free: bool = False
    wheelchair: bool = False
    near: Near | None = None

    def facts(self, *, kind: bool = True) -> list[str]:
        """The filters that are lexemes of the index, as parts of a tsquery; `kind=False` leaves the kind out."""
        groups = [
            [fact("k", self.kind)] if self.kind and kind else [],
            [fact("b", each) for each in self.boroughs],
            [fact("l", each) for each in self.languages],
            [fact("a", each) for each in self.audiences],
            [fact("u", each) for each in self.term_ids],
            [fact("t", each) for each in self.exact_term_ids],
            [fact("x", each) for each in self.taxonomy_ids],
            [fact("o", self.organization_id)] if self.organization_id else [],
            [fact("f")] if self.free else [],
            [fact("w")] if self.wheelchair else [],
        ]
        return [_any(quoted(_clean(each)[:100]) for each in group) for group in groups if group]


@dataclass(frozen=True, slots=True)
class Word:
    """What became of one word of the question: `used` is what was looked for, as the directory writes it."""

    typed: str
    used: str
    how: How


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. `distance` in km (only with `near`); `open_until` if it is open now; `document` if asked for."""

    kind: Kind
    id: uuid.UUID
    name: str
    level: int  # 0 all words in the name, 1 in the name or the taxonomy, more: elsewhere; 0 without a question
    distance: float | None = None
    open_until: dt.datetime | None = None
    document: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results. `total` counts them all.

    words: what each word of the question became. partial: no listing has all the words, these have most.
    corrected: the question as it was answered if a word was corrected, else "".
    """

    hits: tuple[Hit, ...]
    total: int
    words: tuple[Word, ...] = ()
    partial: bool = False
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class Facets:
    """How many results have each value, over all pages: code -> count, most frequent first."""

    boroughs: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    audiences: dict[str, int] = field(default_factory=dict)
    free: int = 0
    wheelchair: int = 0
    open_now: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    kind: Kind
    id: uuid.UUID
    name: str
    latitude: float
    longitude: float


# ---- what a question becomes

_TIERS = ("A", "B", "")  # what may stand before a stem in the index


@dataclass(frozen=True, slots=True)
class _Question:
    """A question, understood: for each word the alternatives to look for, as lexemes (`*` after a beginning)."""

    groups: tuple[tuple[str, ...], ...] = ()
    weights: tuple[float, ...] = ()  # of the groups: a rare word says more
    words: tuple[Word, ...] = ()
    nothing: bool = False  # words were asked for and the index knows none
    level: int = 0  # how many of the groups must be found (0 = all)
    most: int = 0  # no more listings than this have all the words

    def query(self, tiers: str = "", need: int = 0) -> str:
        """The tsquery for `need` of the groups (0 = as many as the question says), in these tiers (letters)."""
        parts = [_group(group, tiers or _TIERS) for group in self.groups]
        need = need or self.level or len(parts)
        if need >= len(parts):
            return _all(parts)
        return _any(_all(some) for some in itertools.combinations(parts, need))


def _lexeme(lexeme: str) -> str:
    return f"{quoted(lexeme[:-1])}:*" if lexeme.endswith("*") else quoted(lexeme)


def _group(group: Sequence[str], tiers: Sequence[str] = _TIERS) -> str:
    """The tsquery that finds one of these lexemes in one of these tiers."""
    return _any([_lexeme(f"{tier}{each}") for tier in tiers for each in group])


def _any(parts: Any) -> str:
    found = list(parts)
    return found[0] if len(found) == 1 else f"({'|'.join(found)})"


def _all(parts: Any) -> str:
    return "&".join(parts)


def _clean(text: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no half of a surrogate pair (JSON may bring one)."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()


_Revision = tuple[Any, ...]
_Known = dict[str, tuple[int, str]]  # word of the index -> (in how many listings, as the directory writes it)
_LookedUp = tuple[_Revision, _Known]


def _wanted(said: Sequence[Asked]) -> list[str]:
    """Words of the index to look up: those that were asked for, and their variants after them."""
    return list(dict.fromkeys([*[word.stem for word in said], *(v for w in said for v in tongues.variants(w.stem))]))


def _places(number: int) -> str:
    """One place for each value, and not an array, whose length a plan can't know: it would be planned each time."""
    return ", ".join(["%s"] * number) or "NULL"


def _revision(found: Sequence[tuple[Cell, ...]]) -> _Revision:
    """The directory's revision, from rows that end with its number and xmin."""
    # xmin: the transaction that wrote the number; a number that was rolled back is not taken for its successor
    return (connection.schema_name, *(found[0][-2:] if found else (b"0", b"")))


def _look_up(said: Sequence[Asked]) -> _LookedUp:
    wanted, here = _wanted(said), schema()
    found = rows(
        "SELECT l.word, l.listings, l.spelling, r.number, r.xmin::text"
        f" FROM {here}.directory_revision r LEFT JOIN {here}.directory_lexeme l ON l.word IN ({_places(len(wanted))})",
        wanted,
    )
    return _revision(found), {
        word.decode(): (int(listings or 0), (spelling or b"").decode())
        for word, listings, spelling, _, _ in found
        if word is not None
    }


def _understand(cursor: Any, text: str, looked_up: _LookedUp | None = None) -> tuple[_Revision, _Question]:
    """(the directory's revision, the question): one query when every word is known, none if they were looked up."""
    said = asked(text)
    revision, known = looked_up or _look_up(said)
    groups: list[tuple[str, ...]] = []
    weights: list[float] = []
    words: list[Word] = []
    numbers: list[int] = []
    typing = bool(said) and text[-1:].isalnum()
    for number, word in enumerate(said):
        found, how, listings, spelling = _find(cursor, revision, word, known, typing and number == len(said) - 1)
        words.append(Word(word.typed, spelling or word.typed, how))
        if found:
            groups.append(found)
            numbers.append(listings)
            weights.append(1 / math.log(2 + listings))
    if len(groups) > MOST_GROUPS:
        rarest = sorted(range(len(groups)), key=lambda each: -weights[each])[:MOST_GROUPS]
        groups, weights = [groups[each] for each in rarest], [weights[each] for each in rarest]
    nothing, most = bool(said) and not groups, min(numbers, default=0)
    return revision, _Question(tuple(groups), tuple(weights), tuple(words), nothing=nothing, most=most)


def _find(
    cursor: Any, revision: Hashable, word: Asked, known: _Known, typing: bool
) -> tuple[tuple[str, ...], How, int, str]:
    """(lexemes to look for, how they were found, in how many listings, how the directory writes it)."""
    for stem in (word.stem, *tongues.variants(word.stem)):
        if stem in known:
            return (stem,), "exact", known[stem][0], word.typed
    if typing and len(word.typed) >= (3 if word.typed.isascii() else 2):
        for beginning in dict.fromkeys((word.typed[: tongues.LONGEST], word.stem)):
            cursor.execute(
                "SELECT sum(listings) FROM (SELECT listings FROM directory_lexeme"
                " WHERE word >= %s AND word < %s LIMIT 1000) AS beginning",
                [beginning, beginning + "\U0010fffd"],
            )
            total = cursor.fetchone()[0]
            if total:
                return (f"{beginning}*",), "beginning", total, word.typed
    nearest: tuple[str, int, str] | None = _memory.get((revision, word, "nearest"), lambda: _nearest(cursor, word))
    if nearest is not None:
        return (nearest[0],), "corrected", nearest[1], nearest[2]
    return (), "unknown", 0, ""


def _nearest(cursor: Any, word: Asked) -> tuple[str, int, str] | None:
    """The word of the index that was most likely meant: few letters differ, and the more frequent of two equals."""
    least = min(len(word.typed), len(word.stem))
    if least < 3 or word.typed.isdigit():
        return None
    allowed = 1 if least < 7 else 2
    size = len(word.stem)
    # With one error a beginning or an end of the word is intact, with two one of three parts is: index lookups.
    parts = [word.stem[: size // 2] + "%", "%" + word.stem[size // 2 :]]
    if allowed > 1:
        third = size // 3
        parts = [word.stem[:third] + "%", f"%{word.stem[third : size - third]}%", "%" + word.stem[size - third :]]
    likely = " OR ".join("word LIKE %s" for _ in parts)
    # A swap in the middle of a short word leaves nothing intact but its first letter, and too few trigrams.
    lookups = [(f"({likely})", parts), ("word %% %s", [word.stem])] + [("word LIKE %s", [word.stem[0] + "%"])] * (
        size < 7
    )
    for condition, values in lookups:
        cursor.execute(
            f"SELECT word, listings, spelling FROM directory_lexeme WHERE {condition}"
            " AND length(word) BETWEEN %s AND %s",
            [*values, size - 2, size + 2],
        )
        best = _best(word, allowed, cursor.fetchall())
        if best:
            return best
    return None


def _best(word: Asked, allowed: int, candidates: list[tuple[str, int, str]]) -> tuple[str, int, str] | None:
    best: tuple[tuple[int, bool, int, str], tuple[str, int, str]] | None = None
    for stem, listings, spelling in candidates:
        distance = min(
            OSA.distance(word.stem, stem, score_cutoff=allowed),
            OSA.distance(word.typed, tongues.fold(spelling), score_cutoff=allowed),
        )
        if distance > allowed:
            continue
        # people rarely mistake the first letter
        rank = (distance, stem[0] != word.stem[0], -listings, stem)
        if best is None or rank < best[0]:
            best = (rank, (stem, listings, spelling))
    return best[1] if best else None


# ---- what is remembered between requests


class _Memory:
    """Counts that hold as long as the directory does not change, the latest used ones. Safe between threads."""

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, key: Hashable) -> bool:
        return key in self._known

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        value = compute()
        with self._lock:
            self._known[key] = value
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return value


_memory = _Memory()

# ---- searching


@dataclass(frozen=True, slots=True)
class _Where:
    """Conditions beside the words: SQL on `l` (directory_listing) and `d` (directory_document)."""

    facts: tuple[str, ...]
    sql: tuple[str, ...]
    values: tuple[Any, ...]
    documents: bool
    minute: int  # conditions that depend on the time hold for a minute
    schema: str

    def condition(self, query: str) -> tuple[str, list[Any]]:
        words = "&".join(part for part in (f"({query})" if query else "", *self.facts) if part)
        parts = ["l.words @@ %s::tsquery"] if words else []
        return " AND ".join([*parts, *self.sql]) or "true", [*([words] if words else []), *self.values]

    def among(self, condition: str) -> str:
        """The listings that a condition finds, to be put in order. Found first and ordered then (OFFSET 0): walking
        the index of names until enough of them match is far slower, and the planner can't tell."""
        fence = " OFFSET 0" if "@@" in condition else ""
        return f"SELECT l.* FROM {self.table} WHERE {condition}{fence}"

    @property
    def table(self) -> str:
        join = f" JOIN {self.schema}.directory_document d ON d.kind = l.kind AND d.object_id = l.object_id"
        return f"{self.schema}.directory_listing l" + (join if self.documents else "")


# The spherical law of cosines; most listings have one point, for which no set is made.
_ARC = (
    "{earth} * acos(least(1.0, sin(radians({north})) * sin(radians({south})) + cos(radians({north}))"
    " * cos(radians({south})) * cos(radians({east} - ({west})))))"
)


_OPEN = "l.object_id IN (SELECT o.object_id FROM {here}.directory_opening o WHERE o.open_times @> %s::timestamptz)"


def _distance(near: Near) -> str:
    """SQL: kilometres from a point to the nearest point of `l`. Holds only numbers that `Near` has checked."""
    here = {"earth": EARTH, "north": repr(float(near.latitude)), "west": repr(float(near.longitude))}
    one, many = (_ARC.format(**here, south=f"{p}{lat}", east=f"{p}{lon}") for p, lat, lon in (
        ("l.", "south", "west"), ("p.", "latitude", "longitude"),
    ))  # fmt: skip
    return (
        f"(CASE WHEN l.south = l.north AND l.west = l.east THEN {one} ELSE (SELECT min({many})"
        " FROM unnest(l.latitudes, l.longitudes) AS p(latitude, longitude)) END)"
    )


def _where(filters: Filters, now: dt.datetime, extra: tuple[str, Sequence[Any]] | None, *, few: bool = False) -> _Where:
    """few: the words alone leave few listings. Most listings are services: asking each of the few whether it is one
    costs less than the index's long list of them."""
    sql: list[str] = []
    values: list[Any] = []
    here = schema()
    sifted = few and filters.kind == "service"
    if sifted:
        sql.append("l.kind = 'service'")
    near = filters.near
    if near:
        tall = math.degrees(near.kilometres / EARTH)
        wide = tall / max(0.01, math.cos(math.radians(min(89.0, abs(near.latitude) + tall))))
        sql.append("l.south <= %s AND l.north >= %s AND l.west <= %s AND l.east >= %s")
        values += [near.latitude + tall, near.latitude - tall, near.longitude + wide, near.longitude - wide]
        sql.append(f"{_distance(near)} <= %s")
        values.append(near.kilometres)
    if filters.open_now:
        sql.append(_OPEN.format(here=here))
        values.append(now)
    if extra:
        sql.append(f"({extra[0]})")
        values += extra[1]
    minute = int(now.timestamp() // 60) if filters.open_now else 0
    facts = tuple(filters.facts(kind=not sifted))
    return _Where(facts, tuple(sql), tuple(values), bool(extra), minute, here)


def search(
    viewer: Any,
    text: str = "",
    *,
    language: str = "fr",
    filters: Filters | None = None,
    now: dt.datetime,
    limit: int = 25,
    offset: int = 0,
    documents: Literal["", "item", "whole"] = "",
    extra: tuple[str, Sequence[Any]] | None = None,
) -> Results:
    """One page of what a question finds, in a total and stable order.

    viewer: who asks; the index holds only what everybody may read, so anybody (None included). text: the question in
    any language; without words, everything that passes the filters, by name. documents: give each hit its rendered
    JSON in the same query. extra: one more condition, SQL written by us on `d` (directory_document) and its values.
    Raises ValueError for a negative limit or offset.
    """
    if limit < 0 or offset < 0:
        raise ValueError("limit and offset are not negative")
    with connection.cursor() as cursor:
        return _Search(cursor, text, filters or Filters(), now, extra).page(limit, offset, documents)


def documents(
    text: str,
    shape: Literal["item", "whole"],
    *,
    filters: Filters,
    now: dt.datetime,
    limit: int,
    offset: int,
    extra: tuple[str, Sequence[Any]] | None = None,
) -> tuple[int, int, bytes] | None:
    """The documents of the page that `search` gives: (total, size of the page, JSON objects with commas between).

    None if the text asks for nothing. When the index knows all its words and few listings have one of them, one
    query looks the words up and brings the documents.
    """
    text = _clean(text)
    said = asked(text)
    if not said:
        return None
    looked_up, page = None, None
    if limit and not filters.near and (len(said) == 1 or len(_wanted(said)) <= MOST_GROUPS):
        looked_up, page = _at_once(said, shape, filters, _where(filters, now, extra, few=True), limit, offset)
    if page is not None:
        return page
    with connection.cursor() as cursor:
        asks = _Search(cursor, text, filters, now, extra, looked_up)
        few = asks.few(shape, limit, offset)
        if few is not None:
            return few
        found = asks.page(limit, offset, shape)
        return found.total, len(found.hits), ",".join([hit.document for hit in found.hits]).encode()


_Page = tuple[int, int, bytes]


def _at_once(
    said: Sequence[Asked], shape: str, filters: Filters, where: _Where, limit: int, offset: int
) -> tuple[_LookedUp | None, _Page | None]:
    """The page, if the index knows all the words and few listings have one of them; else, of several words, what it
    knows of them."""
    groups = [_group((word.stem,)) for word in said]
    condition, values = where.condition(_all(groups))
    if len(groups) == 1:
        return None, _one_word(groups[0], where, condition, values, shape, filters.kind, limit, offset)
    wanted = _wanted(said)
    asks = _asking(where.schema, where.table, condition, shape, filters.kind, len(groups), len(wanted), WEIGHED)
    found = rows(asks, [*wanted, *groups, *values, limit, offset])
    page = _joined(found)
    if page is not None or not found:
        return None, page
    known = {
        word: (int(listings), (found[0][3 + 2 * number] or b"").decode())
        for number, word in enumerate(wanted)
        if (listings := found[0][2 + 2 * number]) is not None
    }
    return (_revision(found), known), None


def _one_word(
    group: str, where: _Where, condition: str, values: list[Any], shape: str, kind: Kind | None, limit: int, offset: int
) -> _Page | None:
    """The page of a question of one word, unless more listings have it than are weighed, or none has.

    What it finds, the index knows: the word need not be looked up. That a word is common is remembered (and no harm
    is done where it has become rare since: the longer way gives the same page).
    """
    common = (where.schema, group, "common")
    if _memory.knows(common):
        return None
    found = rows(
        _asking_one(where.schema, where.table, condition, shape, kind, WEIGHED), [group, *values, limit, offset]
    )
    if found and int(found[0][0] or 0) > WEIGHED:
        _memory.get(common, lambda: True)
        return None
    return _joined(found)


@lru_cache(maxsize=1000)
def _asking_one(here: str, table: str, condition: str, shape: str, kind: Kind | None, most: int) -> str:
    """SQL of `_one_word`: (total, at most one more than `most`; document)."""
    few = f"(SELECT l.* FROM {table} WHERE {condition} LIMIT {most + 1}) l"
    return _page_of_few(here, few, "true", _weighing(["1"], kind), shape)


@lru_cache(maxsize=1000)
def _asking(
    here: str, table: str, condition: str, shape: str, kind: Kind | None, groups: int, wanted: int, most: int
) -> str:
    """SQL of `_at_once`, for so many words wanted, of which so many must be found in one listing: (total, document,
    what the index knows of each word, revision)."""
    numbers = range(wanted)
    looked = "".join(f" LEFT JOIN {here}.directory_lexeme k{n} ON k{n}.word = %s" for n in numbers)
    # asked once, before anything else: where it does not hold, no listing is looked at
    few = " AND ".join(f"k{n}.listings IS NOT NULL" for n in range(groups))
    few += f" AND least({', '.join(f'k{n}.listings' for n in range(groups))}) <= {most}"
    rank = _weighing([f"(1 / ln(2 + k{n}.listings::float8))" for n in range(groups)], kind)
    page = _page_of_few(here, table, f"{few} AND {condition}", rank, shape)
    known = "".join(f", k{n}.listings, k{n}.spelling" for n in numbers)
    return (
        f"SELECT page.total, page.document{known}, r.number, r.xmin::text"
        f" FROM {here}.directory_revision r{looked} LEFT JOIN LATERAL ({page}) page ON true"
    )


def _page_of_few(here: str, table: str, condition: str, rank: str, shape: str) -> str:
    """SQL: a page of what a condition finds, weighed one by one: (total, document)."""
    return (
        f"SELECT found.total, (SELECT d.{shape} FROM {here}.directory_document d"
        "  WHERE d.kind = found.kind AND d.object_id = found.object_id) AS document"
        f" FROM (SELECT l.kind, l.object_id, l.sort_name, {rank} AS rank, count(*) OVER () AS total"
        f"  FROM {table} WHERE {condition}) found"
        " ORDER BY found.rank DESC, found.sort_name, found.object_id LIMIT %s OFFSET %s"
    )


def _joined(found: Sequence[tuple[Cell, ...]]) -> _Page | None:
    """The page that rows of `_page_of_few` are; None if there is nothing on it."""
    documents = [row[1] for row in found if row[1] is not None]
    return (int(found[0][0] or 0), len(documents), b",".join(documents)) if documents else None


def _weighing(worths: Sequence[str], kind: Kind | None) -> str:
    """SQL by which results are weighed one by one: `worths`, SQL too, is what each group counts for, which of one
    alone changes nothing."""
    each = f"ts_rank('{WEIGHTS}', l.words, %s::tsquery)"
    weight = "+".join(f"{each} * {worth}" for worth in worths) if len(worths) > 1 else each if worths else "0"
    # people come for a service; its organization follows, unless the question names it
    return f"({weight})" if kind else f"({weight}) * CASE l.kind WHEN 'service' THEN 1 ELSE 0.7 END"


class _Search:
    def __init__(
        self,
        cursor: Any,
        text: str,
        filters: Filters,
        now: dt.datetime,
        extra: tuple[str, Sequence[Any]] | None,
        looked_up: _LookedUp | None = None,
    ) -> None:
        self.cursor = cursor
        self.filters = filters
        self.now = now
        self.revision, self.question = _understand(cursor, _clean(text), looked_up)
        self.extra = extra
        self.where = _where(filters, now, extra)
        self.key = self._key(self.where)

    def _key(self, where: _Where) -> Hashable:
        """What a count hangs on. Not the instant: what is open now is counted for a minute."""
        held = tuple(value for value in where.values if value is not self.now)
        return self.revision, where.facts, where.sql, repr(held), where.minute

    def count(self, query: str, where: _Where | None = None) -> int:
        """How many listings a tsquery and the filters (or other conditions) find."""
        where = where or self.where

        def compute() -> int:
            condition, values = where.condition(query)
            return int(rows(f"SELECT count(*) FROM {where.table} WHERE {condition}", values)[0][0] or 0)

        found: int = _memory.get((self._key(where), query), compute)
        return found

    def settle(self) -> int:
        """How many results there are. If no listing has all the words, settles for those that have most of them.

        Filters don't count in this: with one more filter, results are always some of those without it.
        """
        question = self.question
        if question.nothing:
            return 0
        number = len(question.groups)
        anywhere = _where(Filters(kind=self.filters.kind), self.now, None)
        while number > 1 and not self.count(question.query(need=number), anywhere):
            number -= 1
        if number < len(question.groups):
            self.question = replace(question, level=number)
        return self.count(self.question.query())

    def page(self, limit: int, offset: int, documents: str) -> Results:
        total = self.settle()
        question = self.question
        hits: list[Hit] = []
        if total > offset and limit:
            if not question.groups and not self.filters.near:
                hits = self._rows("0", [], "l.sort_name, l.object_id", [], question.query(), limit, offset, documents)
            elif total <= WEIGHED or self.filters.near:
                hits = self._weighed(limit, offset, documents)
            else:
                hits = self._by_level(limit, offset, documents)
        return Results(
            tuple(hits), total, question.words, partial=bool(question.level), corrected=_corrected(question.words)
        )

    def _levels(self) -> list[str]:
        """The tsqueries of the levels, each excluding those above it."""
        question = self.question
        queries = [question.query("A"), question.query("AB")]
        if len(question.groups) > 1:
            queries += [f"({question.query()})&({question.query(tier, need=1)})" for tier in ("A", "AB")]
        else:
            queries[1] = question.query("B")
        levels = []
        for number, query in enumerate([*queries, question.query()]):
            excluded = "".join(f"&!({each})" for each in queries[:number])
            levels.append(f"({query}){excluded}")
        return levels

    def _by_level(self, limit: int, offset: int, documents: str) -> list[Hit]:
        hits: list[Hit] = []
        for number, query in enumerate(self._levels()):
            if offset:  # a later page: levels before it are only counted
                found = self.count(query)
                if found <= offset:
                    offset -= found
                    continue
            order, most = "l.sort_name, l.object_id", limit - len(hits)
            hits += self._rows(str(number), [], order, [], query, most, offset, documents)
            offset = 0
            if len(hits) >= limit:
                break
        return hits

    def _weighed(self, limit: int, offset: int, documents: str) -> list[Hit]:
        question = self.question
        level, levels = "0", list[Any]()
        if question.groups:
            level = "CASE WHEN l.words @@ %s::tsquery THEN 0 WHEN l.words @@ %s::tsquery THEN 1 ELSE 2 END"
            levels = [question.query("A"), question.query("AB")]
        order, values = self._by_weight()
        if self.filters.near:
            # what is named by the question first, and then what is near
            strong = "(NOT l.words @@ %s::tsquery), " if question.groups else ""
            order = f"{strong}{_distance(self.filters.near)}, l.sort_name, l.object_id"
            values = [question.query("AB", need=1)] if strong else []
        return self._rows(level, levels, order, values, question.query(), limit, offset, documents)

    def _by_weight(self) -> tuple[str, list[Any]]:
        """The order of results that are weighed one by one, and its values."""
        rank, values = self._rank()
        return f"{rank} DESC, l.sort_name, l.object_id", values

    def _rank(self) -> tuple[str, list[Any]]:
        groups, weights = [_group(group) for group in self.question.groups], self.question.weights
        rank = _weighing(["%s::float8" for _ in groups], self.filters.kind)
        if len(groups) < 2:
            return rank, groups
        return rank, [value for pair in zip(groups, weights, strict=True) for value in pair]

    def few(self, shape: str, limit: int, offset: int) -> _Page | None:
        """The page, with one query; None if it must be sought level by level, or with fewer words."""
        question = self.question
        if not 0 < question.most <= WEIGHED or self.filters.near or not limit:
            return None
        where = _where(self.filters, self.now, self.extra, few=True)
        condition, values = where.condition(question.query())
        rank, ranked = self._rank()
        page = _page_of_few(where.schema, where.table, condition, rank, shape)
        return _joined(rows(page, [*ranked, *values, limit, offset]))

    def _rows(
        self,
        level: str,
        levels: list[Any],
        order: str,
        order_values: list[Any],
        query: str,
        limit: int,
        offset: int,
        documents: str,
    ) -> list[Hit]:
        condition, values = self.where.condition(query)
        near = self.filters.near
        distance = _distance(near) if near else "NULL::float8"
        # the page first, and only then what costs: ranges, distances and documents of 25 rows, not of all
        self.cursor.execute(
            f"SELECT l.kind, l.object_id, l.name, page.level, {distance},"
            " (SELECT upper(r) FROM directory_opening o, unnest(o.open_times) r"
            " WHERE o.object_id = l.object_id AND r @> %s::timestamptz),"
            f" {f'd.{documents}' if documents else repr('')}"
            " FROM (SELECT found.*, row_number() OVER () AS place"
            f" FROM (SELECT l.object_id, {level} AS level FROM ({self.where.among(condition)}) l"
            f" ORDER BY {order} LIMIT %s OFFSET %s) found) page"
            " JOIN directory_listing l ON l.object_id = page.object_id"
            + (" JOIN directory_document d ON d.kind = l.kind AND d.object_id = l.object_id" if documents else "")
            + " ORDER BY page.place",
            [self.now, *levels, *values, *order_values, limit, offset],
        )
        return [Hit(*row) for row in self.cursor.fetchall()]


def _corrected(words: Sequence[Word]) -> str:
    if not any(word.how == "corrected" for word in words):
        return ""
    return " ".join(word.used for word in words if word.how != "unknown")


def facets(
    viewer: Any, text: str = "", *, filters: Filters | None = None, now: dt.datetime, open_now: bool = True
) -> Facets:
    """How many of all the results have each value of each filter; remembered until the directory changes.

    open_now: also count those that are open now (remembered for one minute).
    """
    with connection.cursor() as cursor:
        found = _Search(cursor, text, filters or Filters(), now, None)
        total = found.settle()
        if not total:
            return Facets()
        query = found.question.query()

        def compute() -> Facets:
            condition, values = found.where.condition(query)
            # one text, counted here: grouping thousands of distinct texts takes PostgreSQL five times as long
            cursor.execute(f"SELECT string_agg(l.facets, E'\\n') FROM {found.where.table} WHERE {condition}", values)
            counts = Counter((cursor.fetchone()[0] or "").split("\n"))
            ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))

            def of(code: str) -> dict[str, int]:
                return {each[3:]: number for each, number in ordered if each.startswith(f"={code}=")}

            return Facets(of("b"), of("l"), of("a"), counts[fact("f")], counts[fact("w")], 0, total)

        def compute_open() -> int:
            condition, values = found.where.condition(query)
            cursor.execute(
                f"SELECT count(*) FROM {found.where.table} WHERE {condition}"
                f" AND {_OPEN.format(here=found.where.schema)}",
                [*values, now],
            )
            number: int = cursor.fetchone()[0]
            return number

        counted: Facets = _memory.get((found.key, query, "facets"), compute)
        if not open_now:
            return counted
        minute = int(now.timestamp() // 60)
        number = _memory.get((found.key, query, "open", minute), compute_open)
        return Facets(
            counted.boroughs, counted.languages, counted.audiences, counted.free, counted.wheelchair, number, total
        )


def points(
    viewer: Any, text: str = "", *, filters: Filters | None = None, now: dt.datetime, limit: int = 2000
) -> list[Point]:
    """Where the results are, for a map: one point per place, at most `limit` listings, in name order."""
    with connection.cursor() as cursor:
        found = _Search(cursor, text, filters or Filters(), now, None)
        if not found.settle():
            return []
        condition, values = found.where.condition(found.question.query())
        cursor.execute(
            f"SELECT l.kind, l.object_id, l.name, l.latitudes, l.longitudes FROM ({found.where.among(condition)}) l"
            " WHERE l.south IS NOT NULL ORDER BY l.sort_name, l.object_id LIMIT %s",
            [*values, limit],
        )
        return [
            Point(kind, key, name, latitude, longitude)
            for kind, key, name, latitudes, longitudes in cursor.fetchall()
            for latitude, longitude in zip(latitudes, longitudes, strict=True)
        ]


def matching(text: str, kind: Kind | None = None) -> str | None:
    """The tsquery of a question, to compose with other conditions in one query; None if it asks for nothing.

    `EXISTS (SELECT 1 FROM directory_listing l WHERE l.object_id = x.service_id AND l.words @@ %s::tsquery)`.
    It settles for most of the words as `search` does among all listings of that kind. A question of which the index
    knows no word gives a tsquery that finds nothing.
    """
    with connection.cursor() as cursor:
        found = _Search(cursor, text, Filters(kind=kind), dt.datetime.now(dt.UTC), None)
        if found.question.nothing:
            return quoted("=nothing")
        if not found.question.groups:
            return None
        found.settle()
        return found.question.query()
