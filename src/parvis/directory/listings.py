"""Writing the search index: one listing for each published service and organization, and the words that it knows.

A listing's `words` are a tsvector of
- stems with their weight: A names, B taxonomy labels and everyday words (the terms' own and those of broader terms),
  C organization and programme, D all the rest; each text also in every language that it has been translated to, so
  that a word finds what was described in another language. Stems of A and B begin with that letter: "in a name" is
  then an index lookup and not a look at each row, and a word is looked up as "avocat", "Aavocat" and "Bavocat";
- what filters ask, after "=" (see `fact`).
"""

import datetime as dt
import hashlib
import itertools
import json
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.string import TextLoader

from parvis.core import language
from parvis.core.hours import Hours, Rule, UnclearRow, from_hsds, read
from parvis.directory.documents import without_collector
from parvis.words.queries import spoken

Ids = Collection[uuid.UUID | str] | None

#: How far ahead opening times are written; the nightly sweep moves the window.
WINDOW = dt.timedelta(days=10)
#: Listings above this number are written as a bulk: whole index pages at a time.
BULK = 500
#: Characters of one text that are indexed: a description longer than this is an accident.
LONGEST_TEXT = 20_000
#: PostgreSQL refuses a tsvector above 1 MB; a directory's listing has some hundred words.
MOST_WORDS = 4000

#: What stands before a stem of each weight.
TIERS = {"A": "A", "B": "B", "C": "", "D": ""}

_FREE = frozenset(language.tokens("free gratuit gratuite gratis libre مجاني مجانا none aucun ninguno"))
_AUDIENCE = frozenset(
    language.fold(name) for name in ("audience", "audiences", "public", "publics", "pour qui", "for whom")
)
_WHEELCHAIR = tuple(language.fold(word) for word in ("wheelchair", "fauteuil", "silla de ruedas", "كرسي متحرك"))
_NOT = frozenset(language.fold(word) for word in ("no", "not", "non", "pas", "sin", "without", "sans", "غير", "لا"))


def fact(code: str, value: object = "") -> str:
    """The lexeme of something that filters ask.

    Codes: k kind, l language spoken, b borough, a audience, t term, u term or a narrower one, x taxonomy,
    o organization, f free, w wheelchair.
    """
    return f"={code}={value}" if value != "" else f"={code}"


def quoted(lexeme: str) -> str:
    """A lexeme as PostgreSQL reads it inside a tsvector or tsquery."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


@dataclass(slots=True)
class _Listing:
    """What is gathered about one object before it is written."""

    kind: str
    id: str
    organization: str | None
    name: str
    active: bool = True
    texts: dict[str, list[str]] = field(default_factory=lambda: {"A": [], "D": []})  # its own, by weight
    shared: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: {"B": set(), "C": set(), "D": set()})
    stems: dict[str, list[str]] = field(default_factory=dict)
    facts: set[str] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    boroughs: set[str] = field(default_factory=set)
    audiences: set[str] = field(default_factory=set)
    points: set[tuple[float, float]] = field(default_factory=set)
    ranges: set[str] = field(default_factory=set)
    free: bool = False
    wheelchair: bool = False

    @property
    def rank(self) -> str:
        """The first letter of the sort name: a service, then who gives it, then what is shut."""
        return "2" if not self.active else "0" if self.kind == "service" else "1"


def refresh(
    service_ids: Ids = None,
    organization_ids: Ids = None,
    *,
    location_ids: Ids = None,
    term_ids: Ids = None,
    now: dt.datetime | None = None,
) -> int:
    """Write the listings of these objects again, and of those that they show in; all None = everything.

    Returns how many listings changed (written, rewritten or removed). Runs in the caller's transaction and holds the
    city's revision, as `documents.refresh` does, so that writers of one city take turns.
    """
    given = (service_ids, organization_ids, location_ids, term_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        _begin(cursor)
        scope = None if all(ids is None for ids in given) else _spread(cursor, *given)
        if scope is not None and not (scope[0] or scope[1]):
            return 0
        with without_collector():
            changed = _write(cursor, scope, _Gathering(cursor, scope, now or timezone.now()))
        if changed:
            _bump(cursor)
    return changed


def refresh_open_times(now: dt.datetime) -> int:
    """Sweep: move every listing's opening times to the window that begins today. Returns how many changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        _begin(cursor)
        gathered = _Gathering(cursor, None, now, times_only=True)
        changed = _write_times(cursor, gathered.listings.values())
        if changed:
            _bump(cursor)
    return len(changed)


def _begin(cursor: Any) -> None:
    """Hold the revision; and get identifiers as texts, which as keys of dictionaries are far faster than UUIDs."""
    cursor.cursor.adapters.register_loader("uuid", TextLoader)
    cursor.execute("SELECT 1 FROM directory_revision WHERE id = 1 FOR UPDATE")


def _bump(cursor: Any) -> None:
    """Say that the directory has changed: what was remembered of it no longer holds."""
    cursor.execute("UPDATE directory_revision SET number = number + 1, at = clock_timestamp() WHERE id = 1")


def _spread(cursor: Any, services: Ids, organizations: Ids, locations: Ids, terms: Ids) -> tuple[list[str], list[str]]:
    """From touched rows to the ids of services and organizations whose listings show them."""
    service_ids, organization_ids = {str(i) for i in services or ()}, {str(i) for i in organizations or ()}
    if locations:
        cursor.execute(
            "SELECT service_id::text FROM directory_serviceatlocation WHERE location_id = ANY(%s::uuid[])",
            [[str(i) for i in locations]],
        )
        service_ids |= {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT organization_id::text FROM directory_location"
            " WHERE id = ANY(%s::uuid[]) AND organization_id IS NOT NULL",
            [[str(i) for i in locations]],
        )
        organization_ids |= {row[0] for row in cursor.fetchall()}
    if terms:
        cursor.execute(
            "WITH RECURSIVE below(id) AS (SELECT id FROM directory_taxonomyterm WHERE id = ANY(%s::uuid[])"
            " UNION SELECT t.id FROM directory_taxonomyterm t JOIN below b ON t.parent_id = b.id)"
            " SELECT DISTINCT a.link_entity, a.link_id::text FROM directory_attribute a"
            " JOIN below b ON b.id = a.taxonomy_term_id WHERE a.link_entity IN ('service', 'organization')",
            [[str(i) for i in terms]],
        )
        for entity, object_id in cursor.fetchall():
            (service_ids if entity == "service" else organization_ids).add(object_id)
    if organization_ids:  # its name stands in its services' listings
        cursor.execute(
            "SELECT id::text FROM directory_service WHERE organization_id = ANY(%s::uuid[])", [list(organization_ids)]
        )
        service_ids |= {row[0] for row in cursor.fetchall()}
    if service_ids:  # its places and languages stand in its organization's
        cursor.execute(
            "SELECT DISTINCT organization_id::text FROM directory_service WHERE id = ANY(%s::uuid[])"
            " AND organization_id IS NOT NULL",
            [list(service_ids)],
        )
        organization_ids |= {row[0] for row in cursor.fetchall()}
    return sorted(service_ids), sorted(organization_ids)


class _Gathering:
    """Reads everything that the listings of a scope are made of: a dozen queries whatever its size."""

    def __init__(
        self,
        cursor: Any,
        scope: tuple[Sequence[str], Sequence[str]] | None,
        now: dt.datetime,
        *,
        times_only: bool = False,
    ) -> None:
        self.cursor = cursor
        self.scope = scope
        self.zone = ZoneInfo(getattr(connection.tenant, "timezone", "") or "UTC")
        self.today = now.astimezone(self.zone).date()
        self.listings: dict[str, _Listing] = {}
        self.spelled: Counter[str] = Counter()  # pieces of names and labels, to choose how a word is shown
        self.indexed = _Indexed()
        self._ranges: dict[tuple[int, ...], list[str]] = {}  # by the identities of rules, which _rules keeps
        self._rules: dict[str, Rule | None] = {}
        self._stems: dict[tuple[str, ...], list[str]] = {}
        self._renderings: Mapping[str, Sequence[str]] = {}
        self._organizations()
        self._services()
        self._places(times_only)
        if times_only:
            return
        self._languages()
        self._costs()
        self._more_texts()
        self._terms()
        self._read_renderings()

    def fill(self, listing: _Listing) -> None:
        """Fold a listing's texts. Done one by one while they are written: PostgreSQL works on the one before."""
        stems = listing.stems
        stems["A"] = self.stems(listing.texts["A"])
        self.spelled.update(" ".join(listing.texts["A"]).split())
        stems["D"] = self.stems(listing.texts["D"])
        for weight, some in listing.shared.items():
            stems.setdefault(weight, []).extend(itertools.chain.from_iterable(map(self.shared_stems, sorted(some))))

    def rows(self, sql: str, scope: int, column: str) -> list[tuple[Any, ...]]:
        """Rows of a query; `column` is limited to the scope's services (0) or organizations (1)."""
        if self.scope is None:
            self.cursor.execute(sql.format("true"))
        else:
            self.cursor.execute(sql.format(f"{column} = ANY(%s::uuid[])"), [list(self.scope[scope])])
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found

    def stems(self, texts: Iterable[str]) -> list[str]:
        """The stems of texts and of their renderings, each once, in order."""
        chunks: list[str] = []
        for text in texts:
            if text:
                chunks += text[:LONGEST_TEXT].split()
                for said in self._renderings.get(text, ()):
                    chunks += said[:LONGEST_TEXT].split()
        return list(dict.fromkeys(itertools.chain.from_iterable(map(self.indexed.__getitem__, chunks))))[:MOST_WORDS]

    def shared_stems(self, texts: tuple[str, ...]) -> list[str]:
        """The same for texts that many listings share: computed once."""
        known = self._stems.get(texts)
        if known is None:
            known = self._stems[texts] = self.stems(texts)
            self.spelled.update(" ".join(texts).split())
        return known

    def _organizations(self) -> None:
        sql = (
            "SELECT o.id, o.name, o.alternate_name, o.description FROM orgs_organization o WHERE {}"
            " AND NOT EXISTS (SELECT 1 FROM directory_tombstone t WHERE t.kind = 'organization'"
            " AND t.object_id = o.id AND t.reason <> 'deleted')"
        )
        for key, name, alternate, description in self.rows(sql, 1, "o.id"):
            listing = _Listing("organization", key, key, name)
            listing.texts["A"] += [name, alternate]
            listing.texts["D"].append(description)
            self.listings[key] = listing

    def _services(self) -> None:
        sql = (
            "SELECT s.id, s.organization_id, s.status, s.name, s.alternate_name, s.fees,"
            " o.name, o.alternate_name, p.name, p.alternate_name, s.description, s.eligibility_description,"
            " s.application_process, s.fees_description, s.interpretation_services, s.accreditations, s.fees"
            " FROM directory_service s LEFT JOIN orgs_organization o ON o.id = s.organization_id"
            " LEFT JOIN directory_program p ON p.id = s.program_id WHERE {}"
            " AND NOT EXISTS (SELECT 1 FROM directory_tombstone t WHERE t.kind = 'service'"
            " AND t.object_id = s.id AND t.reason <> 'deleted')"
        )
        for key, organization, status, name, alternate, fees, *texts in self.rows(sql, 0, "s.id"):
            listing = _Listing("service", key, organization, name, active=status not in ("inactive", "defunct"))
            listing.texts["A"] += [name, alternate]
            listing.shared["C"].add(tuple(text for text in texts[:4] if text))
            listing.texts["D"] += texts[4:]
            listing.free = _says_free(fees) or _says_free(texts[7], start=True)
            self.listings[key] = listing

    def _both(self, service: str | None, organization: str | None) -> list[_Listing]:
        """The listings of a service and of its organization, if they are in the scope."""
        found = (self.listings.get(key) for key in (service, organization) if key is not None)
        return [listing for listing in found if listing is not None]

    def _places(self, times_only: bool) -> None:
        """Where a service is given: points, boroughs, wheelchairs and opening times."""
        by_link: dict[str, dict[str, list[Rule]]] = {
            link: defaultdict(list) for link in ("service", "location", "at_location")
        }
        for *links, said in self._schedules():
            rule = self._rule(said)
            if rule is None:
                continue
            for link, key in zip(by_link, links, strict=True):
                if key is not None:
                    by_link[link][key].append(rule)
        placed: set[str] = set()
        sql = (
            "SELECT sl.id, sl.service_id, s.organization_id, sl.location_id FROM directory_serviceatlocation sl"
            " JOIN directory_service s ON s.id = sl.service_id WHERE {}"
        )
        if self.scope is None:
            links = self.rows(sql, 0, "")
        else:
            links = self.rows(sql, 0, "sl.service_id") + self.rows(sql, 1, "s.organization_id")
        places: list[tuple[str, str | None, str | None]] = []
        for link, service, organization, location in links:
            places.append((location, service, organization))
            listing = self.listings.get(service)
            if listing is not None:
                rules = (
                    by_link["at_location"].get(link)
                    or by_link["service"].get(service)
                    or by_link["location"].get(location)
                )
                if rules:
                    listing.ranges.update(self._open(tuple(rules)))
                    placed.add(service)
        for service, rules in by_link["service"].items():
            if service not in placed and service in self.listings:
                self.listings[service].ranges.update(self._open(tuple(rules)))
        owned = self.rows("SELECT l.id, l.organization_id FROM directory_location l"
                          " WHERE {} AND l.organization_id IS NOT NULL",
                          1, "l.organization_id")  # fmt: skip
        for location, organization in owned:
            places.append((location, None, organization))
            if organization in self.listings and location in by_link["location"]:
                self.listings[organization].ranges.update(self._open(tuple(by_link["location"][location])))
        if not times_only:
            self._where(places)

    def _schedules(self) -> list[tuple[Any, ...]]:
        """(service, location, service at location, what the row says in one text) of each schedule in the scope."""
        said = ", ".join(f"coalesce({name}::text, '')" for name in _SCHEDULE)
        sql = (
            f"SELECT service_id, location_id, service_at_location_id, concat_ws(E'\\x1f', {said})"
            " FROM directory_schedule WHERE missing_since IS NULL"
        )
        values: list[Any] = []
        if self.scope is not None:
            sql += (
                " AND (service_id = ANY(%s::uuid[])"
                " OR service_at_location_id IN (SELECT id FROM directory_serviceatlocation"
                " WHERE service_id = ANY(%s::uuid[]))"
                " OR location_id IN (SELECT location_id FROM directory_serviceatlocation"
                " WHERE service_id = ANY(%s::uuid[]))"
                " OR location_id IN (SELECT id FROM directory_location WHERE organization_id = ANY(%s::uuid[])))"
            )
            values = [*[list(self.scope[0])] * 3, list(self.scope[1])]
        self.cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found

    def _rule(self, said: str) -> Rule | None:
        """What a schedule says, read; most rows say what many others do."""
        if said not in self._rules:
            schedule: dict[str, Any] = dict(zip(_SCHEDULE, said.split("\x1f"), strict=True))
            schedule["closed"] = schedule["closed"] == "true"
            schedule["group"] = schedule.pop('"group"')
            try:
                self._rules[said] = read(from_hsds(schedule))
            except UnclearRow:
                self._rules[said] = None
        return self._rules[said]

    def _open(self, rules: tuple[Rule, ...]) -> list[str]:
        key = tuple(map(id, rules))
        known = self._ranges.get(key)
        if known is None:
            spans = Hours(rules, self.zone).spans(self.today, self.today + WINDOW)
            known = self._ranges[key] = [f"[{start.isoformat()},{end.isoformat()})" for start, end in spans]
        return known

    def _where(self, places: list[tuple[str, str | None, str | None]]) -> None:
        by_location: dict[str, list[_Listing]] = defaultdict(list)
        for location, service, organization in places:
            by_location[location] += self._both(service, organization)
        self.cursor.execute("SELECT code, name FROM places_borough")
        boroughs = dict(self.cursor.fetchall())
        ids = list(by_location)
        self.cursor.execute(
            "SELECT l.id, l.latitude, l.longitude, l.borough, l.name, l.alternate_name,"
            " (SELECT string_agg(concat_ws(' ', a.address_1, a.city), ' ') FROM directory_address a"
            " WHERE a.location_id = l.id AND a.missing_since IS NULL)"
            " FROM directory_location l WHERE l.id = ANY(%s::uuid[])",
            [ids],
        )
        for key, latitude, longitude, borough, *texts in self.cursor.fetchall():
            said = tuple(text for text in (*texts, boroughs.get(borough, borough)) if text)
            for listing in by_location[key]:
                listing.shared["D"].add(said)
                if latitude is not None and longitude is not None:
                    listing.points.add((latitude, longitude))
                if borough:
                    listing.boroughs.add(borough)
        self.cursor.execute(
            "SELECT location_id, description || ' ' || details FROM directory_accessibility"
            " WHERE missing_since IS NULL AND location_id = ANY(%s::uuid[])",
            [ids],
        )
        for key, text in self.cursor.fetchall():
            if _says_wheelchair(text):
                for listing in by_location[key]:
                    listing.wheelchair = True
        self.cursor.execute(
            "SELECT location_id, code, name FROM directory_language WHERE missing_since IS NULL"
            " AND location_id = ANY(%s::uuid[])",
            [ids],
        )
        for key, code, name in self.cursor.fetchall():
            for listing in by_location[key]:
                listing.languages.update(_tags(code, name))

    def _languages(self) -> None:
        sql = (
            "SELECT g.service_id, s.organization_id, g.code, g.name FROM directory_language g"
            " JOIN directory_service s ON s.id = g.service_id WHERE {} AND g.missing_since IS NULL"
        )
        if self.scope is None:
            found = self.rows(sql, 0, "")
        else:
            found = self.rows(sql, 0, "g.service_id") + self.rows(sql, 1, "s.organization_id")
        for service, organization, code, name in found:
            for listing in self._both(service, organization):
                listing.languages.update(_tags(code, name))
        readers = list(getattr(connection.tenant, "languages", None) or ["en"])
        names: dict[str, tuple[str, ...]] = {}
        for listing in self.listings.values():
            for tag in listing.languages:
                if tag not in names:
                    names[tag] = tuple(language.name(tag, reader) for reader in readers)
                listing.shared["D"].add(names[tag])

    def _costs(self) -> None:
        sql = (
            "SELECT c.service_id, bool_or(c.amount = 0), bool_or(c.amount > 0), string_agg(c.option, ' ')"
            " FROM directory_costoption c WHERE {} AND c.missing_since IS NULL GROUP BY 1"
        )
        for service, nothing, something, options in self.rows(sql, 0, "c.service_id"):
            if service in self.listings:
                listing = self.listings[service]
                listing.free = not something and bool(nothing or _says_free(options) or listing.free)

    def _more_texts(self) -> None:
        for sql, column in (
            ("SELECT r.service_id, r.document FROM directory_requireddocument r", "r.service_id"),
            ("SELECT r.service_id, r.name FROM directory_servicearea r", "r.service_id"),
            ("SELECT r.service_id, r.amount_description FROM directory_costoption r", "r.service_id"),
        ):
            for service, text in self.rows(f"{sql} WHERE {{}} AND r.missing_since IS NULL", 0, column):
                if service in self.listings:
                    self.listings[service].texts["D"].append(text)

    def _read_renderings(self) -> None:
        if self.scope is None or len(self.listings) > BULK:
            self.cursor.execute(
                "SELECT p.text, array_agg(r.text) FROM words_phrase p JOIN words_rendering r ON r.phrase_id = p.digest"
                " GROUP BY p.digest"
            )
            self._renderings = dict(self.cursor.fetchall())
            return
        texts = {text for listing in self.listings.values() for some in listing.texts.values() for text in some}
        texts |= {
            text
            for listing in self.listings.values()
            for bundles in listing.shared.values()
            for some in bundles
            for text in some
        }
        self._renderings = {text: [shown.text for shown in found] for text, found in spoken(texts).items()}

    def _terms(self) -> None:
        """Taxonomy: labels and everyday words of each term and of the broader ones."""
        self.cursor.execute(
            "SELECT t.id, t.parent_id, t.taxonomy_id, t.code, t.name, t.synonyms, coalesce(x.name, t.taxonomy_name)"
            " FROM directory_taxonomyterm t LEFT JOIN directory_taxonomy x ON x.id = t.taxonomy_id"
        )
        terms = {row[0]: row for row in self.cursor.fetchall()}
        known: dict[str, tuple[frozenset[tuple[str, ...]], frozenset[str]]] = {}

        def read_term(key: str) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
            """(labels and everyday words, facts) of a term with all that is above it."""
            if key not in known:
                said: set[tuple[str, ...]] = set()
                facts = {fact("t", key)}
                above, seen = key, set[str]()
                while above in terms and above not in seen:
                    seen.add(above)
                    _, parent, taxonomy, _, name, synonyms, _ = terms[above]
                    facts.add(fact("u", above))
                    if taxonomy:
                        facts.add(fact("x", taxonomy))
                    said.add((name, *synonyms_of(synonyms)))
                    above = parent
                known[key] = (frozenset(said), frozenset(facts))
            return known[key]

        sql = (
            "SELECT a.link_id, a.taxonomy_term_id, a.link_type, a.value FROM directory_attribute a"
            " WHERE {} AND a.missing_since IS NULL AND a.link_entity = '%s'"
        )
        for number, entity in enumerate(("service", "organization")):
            for key, term, link_type, value in self.rows(sql.replace("%s", entity), number, "a.link_id"):
                listing = self.listings.get(key)
                if listing is None:
                    continue
                if term not in terms:
                    listing.texts["D"].append(value)
                    continue
                said, facts = read_term(term)
                listing.shared["B"] |= said
                listing.facts |= facts
                if link_type == "audience" or language.fold(terms[term][6] or "") in _AUDIENCE:
                    listing.audiences.add(terms[term][3] or str(term))


# what opening times are computed from; free texts are left out
_SCHEDULE = (
    "valid_from", "valid_to", "dtstart", "until", "count", "wkst", "freq", "interval", "byday", "byweekno",
    "bymonthday", "opens_at", "closes_at", "closed", '"group"',
)  # fmt: skip


class _Indexed(dict[str, tuple[str, ...]]):
    """Piece of text -> the stems under which its words are found. A plain dictionary is the fastest memory."""

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        stems = [stem for _, stem in language.read(chunk[:200]) if stem]
        found = tuple(dict.fromkeys(each for stem in stems for each in (stem, *language.variants(stem))))
        self[chunk] = found
        return found


def synonyms_of(synonyms: Any) -> Iterator[str]:
    """The everyday words in `TaxonomyTerm.synonyms` ({language: [word, ...]}), also as the text that SQL gives."""
    if isinstance(synonyms, str):
        synonyms = json.loads(synonyms)
    for some in synonyms.values() if isinstance(synonyms, dict) else ():
        yield from (each for each in some if isinstance(each, str)) if isinstance(some, list) else ()


@lru_cache(maxsize=4096)
def _tags(code: str, name: str) -> frozenset[str]:
    """The tags of a language row: "fr-CA" also counts as "fr"."""
    tag = language.from_name(code) if code else None
    tag = tag or language.from_name(name)
    return frozenset({tag, tag.split("-")[0]} if tag else ())


@lru_cache(maxsize=4096)
def _says_free(text: str | None, *, start: bool = False) -> bool:
    """Whether a text about fees says that there are none; `start`: only if it begins by saying so."""
    if not text:
        return False
    words = language.tokens(text)
    return words[:1] != [] and words[0] in _FREE if start else len(words) <= 3 and bool(_FREE & set(words))


def _says_wheelchair(text: str) -> bool:
    folded = language.fold(text)
    return any(word in folded for word in _WHEELCHAIR) and not _NOT & set(language.words(folded))


def _multirange(listing: _Listing) -> str:
    # PostgreSQL orders and merges the ranges itself
    return "{" + ",".join(sorted(listing.ranges)) + "}"


def _line(listing: _Listing) -> tuple[str, bytes, Collection[str]]:
    """A listing as a line of COPY without digest and opening times, its digest, and its stems."""
    facts = {fact("k", listing.kind), *listing.facts}
    if listing.organization:
        facts.add(fact("o", listing.organization))
    counted = {fact("l", tag) for tag in listing.languages}
    counted |= {fact("b", borough) for borough in listing.boroughs}
    counted |= {fact("a", audience) for audience in listing.audiences}
    if listing.free:
        counted.add(fact("f"))
    if listing.wheelchair:
        counted.add(fact("w"))
    stems = listing.stems
    # a word that stands twice keeps its greatest weight: PostgreSQL sees to it
    vector = []
    for weight, tier in TIERS.items():
        if stems.get(weight):
            vector.append(tier + f":1{weight} {tier}".join(stems[weight]) + f":1{weight}")
    vector += [quoted(each).replace("\\", "\\\\") for each in sorted(facts | counted)]
    points = sorted(listing.points)
    latitudes, longitudes = [point[0] for point in points], [point[1] for point in points]
    line = "\t".join(
        (
            listing.id,
            listing.kind,
            listing.organization or "\\N",
            _cell(listing.rank + language.fold(listing.name)[:70]),
            *(map(repr, (min(latitudes), max(latitudes), min(longitudes), max(longitudes))) if points else _NO_BOX),
            "\\n".join(map(_cell, sorted(counted))),
            _cell(listing.name),
            _cell(_array(map(_quoted_item, sorted(listing.boroughs)))),
            _array(map(repr, latitudes)),
            _array(map(repr, longitudes)),
            " ".join(vector),
        )
    )
    return line, hashlib.blake2b(line.encode(), digest_size=16).digest(), set().union(*stems.values())


_NO_BOX = ("\\N",) * 4


def _array(items: Iterable[str]) -> str:
    return f"{{{','.join(items)}}}"


def _quoted_item(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SPECIAL = re.compile(r"[\\\t\n\r\0]").search
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})


def _cell(text: str) -> str:
    """A text as COPY reads it."""
    return text.translate(_ESCAPES) if _SPECIAL(text) else text


_COPY = (
    "COPY directory_listing (object_id, kind, organization_id, sort_name, south, north, west, east, facets, name,"
    " boroughs, latitudes, longitudes, words, digest) FROM STDIN"
)


def _write(cursor: Any, scope: tuple[Sequence[str], Sequence[str]] | None, gathered: _Gathering) -> int:
    everything = scope is None
    where, values = ("", []) if scope is None else (" WHERE object_id = ANY(%s::uuid[])", [[*scope[0], *scope[1]]])
    cursor.execute(f"SELECT object_id, digest FROM directory_listing{where}", values)
    former = {key: bytes(digest) for key, digest in cursor.fetchall()}
    same: set[str] = set()
    written: set[str] = set()
    counts: Counter[str] = Counter()  # how many more listings have each word

    def changed() -> Iterator[str]:
        # neighbours in the list are neighbours on disk
        for listing in sorted(gathered.listings.values(), key=lambda each: (language.fold(each.name), each.id)):
            gathered.fill(listing)
            line, digest, stems = _line(listing)
            differs = former.get(listing.id) != digest
            if differs or everything:
                counts.update(stems)
            if differs:
                written.add(listing.id)
                yield f"{line}\t\\\\x{digest.hex()}\n"
            else:
                same.add(listing.id)

    # a first filling streams, what replaces former rows waits until those are gone
    lines = changed() if not former else list(changed())
    leaving = [key for key in former if key not in same]
    before: dict[str, int] = {}
    if leaving and not everything:
        cursor.execute(
            "SELECT ltrim(w.lexeme, 'AB'), count(DISTINCT object_id) FROM directory_listing, unnest(words) w"
            " WHERE object_id = ANY(%s::uuid[]) AND w.weights IS NOT NULL GROUP BY 1",
            [leaving],
        )
        before = dict(cursor.fetchall())
    if leaving:
        cursor.execute("DELETE FROM directory_listing WHERE object_id = ANY(%s::uuid[])", [leaving])
    _copy(cursor, lines, bulk=everything or len(gathered.listings) > BULK)
    if everything:
        cursor.execute("SELECT word, listings FROM directory_lexeme")
        before = dict(cursor.fetchall())
    counts.subtract(before)
    _write_words(cursor, counts, gathered)
    gone = {key for key in leaving if key not in gathered.listings}
    moved = _write_times(cursor, gathered.listings.values(), gone)
    return len(written | gone | moved)


def _copy(cursor: Any, lines: Iterable[str], *, bulk: bool) -> None:
    """Add listings. The index's list of pending entries is emptied at the end, or each search would walk it."""
    lines = iter(lines)
    held = next(lines, None)
    if held is None:
        return
    if bulk:
        cursor.execute("SET LOCAL gin_pending_list_limit = '4MB'")
        with cursor.copy(_COPY) as copy:
            for some in iter(lambda: list(itertools.islice(lines, 100)), []):
                copy.write(held + "".join(some[:-1]))
                held = some[-1]
    cursor.execute("SET LOCAL gin_pending_list_limit = '64kB'")
    with cursor.copy(_COPY) as copy:
        for line in itertools.chain([held], lines):
            copy.write(line)
    cursor.execute("SET LOCAL gin_pending_list_limit TO DEFAULT")


def _write_words(cursor: Any, counts: Counter[str], gathered: _Gathering) -> None:
    changes = {word: change for word, change in counts.items() if change}
    if not changes:
        return
    spellings: dict[str, str] = {}
    frequent = (chunk for chunk, _ in gathered.spelled.most_common())
    for chunk in itertools.chain(frequent, sorted(gathered.indexed, key=lambda each: (len(each), each))):
        for part, stem in language.read(chunk[:200]):
            if stem in changes and stem not in spellings:
                spellings[stem] = language.spelling(chunk, part)[:80]
    ordered = sorted(changes)
    last = len(ordered) - 1 if len(ordered) > BULK else 0
    for some, limit in ((ordered[:last], "4MB"), (ordered[last:], "64kB")):  # as in _copy
        cursor.execute(f"SET LOCAL gin_pending_list_limit = '{limit}'")
        cursor.execute(
            "INSERT INTO directory_lexeme (word, listings, spelling)"
            " SELECT * FROM unnest(%s::text[], %s::int[], %s::text[])"
            " ON CONFLICT (word) DO UPDATE SET listings = directory_lexeme.listings + excluded.listings",
            [some, [changes[word] for word in some], [spellings.get(word, word) for word in some]],
        )
    cursor.execute("SET LOCAL gin_pending_list_limit TO DEFAULT")
    lost = [word for word in ordered if changes[word] < 0]
    if lost:
        cursor.execute("DELETE FROM directory_lexeme WHERE word = ANY(%s) AND listings <= 0", [lost])


def _write_times(cursor: Any, listings: Collection[_Listing], gone: Collection[str] = ()) -> set[str]:
    """Write when these listings are open; returns the ids of those for which that has changed."""
    if gone:
        cursor.execute("DELETE FROM directory_opening WHERE object_id = ANY(%s::uuid[])", [list(gone)])
    cursor.execute(
        "INSERT INTO directory_opening AS o (object_id, open_times)"
        " SELECT t.id, t.times::tstzmultirange FROM unnest(%s::uuid[], %s::text[]) AS t(id, times)"
        " ON CONFLICT (object_id) DO UPDATE SET open_times = excluded.open_times"
        " WHERE o.open_times <> excluded.open_times RETURNING object_id",
        [[each.id for each in listings], [_multirange(each) for each in listings]],
    )
    return {row[0] for row in cursor.fetchall()}
