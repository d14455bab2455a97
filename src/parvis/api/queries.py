"""Reading rendered documents: one prepared statement a request, bytes out.

Statements name the city's schema and are made of constants only; what a reader gives travels beside them.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connection, connections
from django.utils import timezone

from parvis.api.lending import lent
from parvis.api.parameters import Lists, ServiceAtLocations, Services, TaxonomyTerms, Tombstones
from parvis.core import hsds, language
from parvis.directory import search
from parvis.directory.documents import postcode
from parvis.directory.listings import quoted
from parvis.kit.prepared import Cell, rows, schema

T = TypeVar("T")
#: Rows of one chunk of a stream.
CHUNK = {"whole": 200, "item": 1000, "minimal": 5000}
_KNOWN_COUNTS = 4096
_DAY = 1440
_EARTH = 6_371_000  # metres, mean radius
_LAST_CHARACTER = "\U0010fffd"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: `contents` are JSON objects with commas between. `revision` is "" when it is not known."""

    total: int
    size: int
    contents: bytes
    revision: str = ""
    modified: str = ""  # HTTP date


@dataclass(frozen=True, slots=True)
class Document:
    """One whole document. `digest` (hexadecimal) changes whenever its text does; "" when it is not known."""

    text: bytes
    modified: str  # HTTP date
    digest: str


@dataclass(frozen=True, slots=True)
class Gone:
    """What stood at an identifier; `into` is what it has become."""

    reason: str
    day: str  # ISO
    into: str  # an identifier, or ""


class Unavailable(Exception):
    """The database does not answer."""


def with_city(city: Any, read: Callable[[], T]) -> T:
    """Call `read` with the thread's connection on this city; once more if the connection had died meanwhile."""
    held = connections[DEFAULT_DB_ALIAS]  # once, and not through the proxy each time: it is slow
    for attempt in (1, 2):
        try:
            if held.schema_name != city.schema_name:
                held.set_tenant(city)
            return read()
        except (DatabaseError, psycopg.Error) as error:
            if held.in_atomic_block or not _lost(error):
                raise
            held.close()
            if attempt == 2:
                raise Unavailable(str(error)) from None
    raise AssertionError


def _lost(error: Exception) -> bool:
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError))


def table(name: str) -> str:
    """A table of the active city, with its schema."""
    return f"{schema()}.directory_{name}"


# ---- forms of a document


def form(kind: str, params: Any) -> str:
    """Which form is asked for: "minimal", "item" or "whole"."""
    asked = vars(params)
    if asked.get("minimal"):
        return "minimal"
    if asked.get("full") or asked.get("full_service"):
        return "whole"
    return "item" if kind in ("service", "organization", "service_at_location") else "whole"


def expression(kind: str, shape: str, documents: str, full_service: bool = False) -> str:
    """SQL of a document's text in that form, on `d`, which is of the table `documents`."""
    if shape == "minimal":
        return (
            '\'{"id":"\' || d.object_id || \'","last_modified":"\' ||'
            " split_part(split_part(d.item, '\"last_modified\":\"', 2), '\"', 1) || '\"}'"
        )
    if shape == "whole" and kind == "service_at_location":
        # its service as its own document has it, up to its list of places
        return (
            "(SELECT left(d.whole, -1) || ',\"service\":' ||"
            " split_part(s.whole, ',\"service_at_locations\":[', 1) || '}}'"
            f" FROM {documents} s WHERE s.kind = 'service' AND s.object_id = d.service_id)"
        )
    if shape == "whole" and kind == "organization" and full_service:
        return (
            "CASE strpos(d.whole, ',\"services\":[') WHEN 0 THEN d.whole ELSE"
            " split_part(d.whole, ',\"services\":[', 1) || ',\"services\":[' ||"
            f" (SELECT string_agg(s.whole, ',' ORDER BY s.object_id) FROM {documents} s"
            "  WHERE s.kind = 'service' AND s.organization_id = d.object_id) || ']}' END"
        )
    return f"d.{shape}"


# ---- conditions


class Conditions:
    """SQL on `d` (directory_document), all of which must hold, and its values."""

    def __init__(self) -> None:
        self.sql: list[str] = []
        self.values: list[Any] = []

    def add(self, sql: str, *values: Any) -> None:
        self.sql.append(sql)
        self.values += values


def conditions(kind: str, params: Lists, *, searched: bool = True) -> Conditions:
    """What the parameters ask of a document. `searched=False` leaves the words out."""
    asks, given = Conditions(), vars(params)
    for column, name in (("term_ids", "taxonomy_term_id"), ("taxonomy_ids", "taxonomy_id")):
        values = given.get(name)
        if values:
            asks.add(f"d.{column} @> %s::uuid[]", list(values))
    for column in ("organization_id", "parent_id"):
        for value in given.get(column, ()):
            asks.add(f"d.{column} = %s", value)
    if isinstance(params, (Services, ServiceAtLocations)) and params.modified_after is not None:
        asks.add("d.modified >= %s", params.modified_after)
    if isinstance(params, TaxonomyTerms) and params.top_only:
        asks.add("d.parent_id IS NULL")
    if isinstance(params, Services):
        _people_and_hours(asks, params)
    if isinstance(params, ServiceAtLocations) and params.postcode is not None:
        _near(asks, params.postcode, params.proximity)
    if searched and params.search:
        _words(asks, kind, params.search)
    return asks


def _people_and_hours(asks: Conditions, params: Services) -> None:
    if params.minimum_age is not None:
        asks.add("(d.maximum_age IS NULL OR d.maximum_age >= %s)", params.minimum_age)
    if params.maximum_age is not None:
        asks.add("(d.minimum_age IS NULL OR d.minimum_age <= %s)", params.maximum_age)
    if not (params.day or params.start_time is not None or params.end_time is not None):
        return
    start = params.start_time or 0
    end = _DAY if params.end_time is None else params.end_time
    end = start + 1 if end == start else end + _DAY if end < start else end  # a minute; past midnight
    for group in [[day] for day in params.day] or [hsds.WEEKDAYS]:
        firsts = [hsds.WEEKDAYS.index(day) * _DAY for day in group]
        window = ",".join(f"[{first + start},{first + end})" for first in firsts)
        asks.add("d.open_minutes && %s::int4multirange", f"{{{window}{_monday(firsts, end)}}}")


def _monday(firsts: Sequence[int], end: int) -> str:
    """What of Sunday's window is already Monday."""
    return f",[0,{end - _DAY})" if end > _DAY and 6 * _DAY in firsts else ""


def _near(asks: Conditions, text: str, metres: float | None) -> None:
    code = postcode(text)
    if metres is None:
        # an exact code, or the beginning of one ("H2X"), as the address is written
        asks.add("d.postcode >= %s AND d.postcode < %s AND d.postcode <> ''", code, code + _LAST_CHARACTER)
        if not code:
            asks.add("false")
        return
    point = locate(code)
    if point is None:
        asks.add("false")
        return
    latitude, longitude = point
    tall = metres / 111_195
    asks.add("d.latitude BETWEEN %s AND %s", latitude - tall, latitude + tall)
    asks.add(
        "%s * acos(least(1.0, sin(radians(%s)) * sin(radians(d.latitude)) + cos(radians(%s))"
        " * cos(radians(d.latitude)) * cos(radians(d.longitude - %s)))) <= %s",
        _EARTH, latitude, latitude, longitude, metres,
    )  # fmt: skip


def locate(code: str) -> tuple[float, float] | None:
    """The middle of a postal code (letters and digits): of its addresses here, else of what the gazetteer knows."""
    if not code:
        return None
    found = rows(
        f"SELECT avg(latitude), avg(longitude) FROM {table('document')}"
        " WHERE kind = 'service_at_location' AND postcode >= %s AND postcode < %s AND latitude IS NOT NULL"
        " HAVING count(*) > 0",
        [code, code + _LAST_CHARACTER],
    ) or rows(
        f"SELECT latitude, longitude FROM {table('document').replace('directory_document', 'places_spot')}"
        " WHERE replace(folded, ' ', '') = ANY(string_to_array(%s, ' ')) ORDER BY length(folded) DESC LIMIT 1",
        [" ".join(code[:length].lower() for length in range(len(code), 2, -1))],
    )
    return (float(found[0][0] or 0), float(found[0][1] or 0)) if found else None


def _words(asks: Conditions, kind: str, text: str) -> None:
    if kind in ("taxonomy", "taxonomy_term"):
        said = language.asked(text)
        if said:
            asks.add("d.words @@ %s::tsquery", "&".join(f"{quoted(word.stem)}:*" for word in said))
        return
    query = search.matching(text)
    if query is not None:
        owner = "service_id" if kind == "service_at_location" else "object_id"
        asks.add(
            f"EXISTS (SELECT 1 FROM {table('listing')} l WHERE l.object_id = d.{owner} AND l.words @@ %s::tsquery)",
            query,
        )


# ---- lists


class _Latest:
    """What was computed for a revision of a city's directory, the latest used; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[Any, tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> tuple[str, Any] | None:
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def keep(self, key: Any, revision: str, value: Any) -> None:
        with self._lock:
            self._known[key] = (revision, value)
            self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)


#: (schema, kind) -> all identifiers in order, 16 bytes each: a page's first one, whatever its number.
_orders = _Latest(64)
#: (schema, kind, conditions) -> how many.
_counts = _Latest(_KNOWN_COUNTS)

_HTTP_DATE = "to_char({} AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS \"GMT\"')"
_REVISION = f"r.number || '-' || r.xmin::text, {_HTTP_DATE.format('r.at')}"


def revision() -> tuple[str, str]:
    """(revision of the active city's directory, its HTTP date)."""
    number, modified = rows(f"SELECT {_REVISION} FROM {table('revision')} r")[0]
    return _said(number), _said(modified)


def _said(cell: Cell) -> str:
    return (cell or b"").decode()


def page(kind: str, params: Lists) -> Page:
    """One page of a list."""
    limit, offset = params.limit, params.offset
    text = expression(kind, form(kind, params), table("document"), bool(vars(params).get("full_service")))
    if params.search and kind in ("service", "organization"):
        found = _searched(kind, params, text, limit, offset)
        if found is not None:
            return found
    asks = conditions(kind, params)
    if not asks.sql:
        return _walked(kind, text, limit, offset)
    return _filtered(kind, text, asks, limit, offset)


def _walked(kind: str, text: str, limit: int, offset: int) -> Page:
    """A page of everything. The order of identifiers is remembered, so that page 700 is as near as page 1."""
    key = (connection.schema_name, kind)
    documents = table("document")
    known = _orders.get(key)
    for _ in range(3):
        start = known[1][offset * 16 : offset * 16 + 16] if known else b""
        statement = (
            f"SELECT {_REVISION}, (SELECT string_agg(t, ',') FROM (SELECT {text} AS t"
            f" FROM {documents} d WHERE d.kind = '{kind}' AND d.object_id >= %s ORDER BY d.object_id LIMIT %s) page)"
            f" FROM {table('revision')} r"
        )
        # past the end, or nothing known yet: no rows, but the revision
        number, modified, contents = rows(statement, [uuid.UUID(bytes=start or b"\xff" * 16), limit if start else 0])[0]
        if known and known[0] == _said(number):
            total = len(known[1]) // 16
            return Page(total, max(0, min(limit, total - offset)), contents or b"", known[0], _said(modified))
        number, _modified, ids = rows(
            f"SELECT {_REVISION}, (SELECT string_agg(replace(d.object_id::text, '-', ''), '' ORDER BY d.object_id)"
            f" FROM {documents} d WHERE d.kind = '{kind}') FROM {table('revision')} r"
        )[0]
        known = (_said(number), bytes.fromhex(_said(ids)))
        _orders.keep(key, *known)
    raise Unavailable("the directory changes faster than it can be read")


def _filtered(kind: str, text: str, asks: Conditions, limit: int, offset: int) -> Page:
    where = " AND ".join([f"d.kind = '{kind}'", *asks.sql])
    key = (connection.schema_name, kind, where, repr(asks.values))
    known = _counts.get(key)
    source = f"{table('document')} d WHERE {where}"
    select = (
        f"SELECT {_REVISION}, (SELECT string_agg(t, ',') FROM (SELECT {text} AS t"
        f" FROM {source} ORDER BY d.object_id LIMIT %s OFFSET %s) page)"
    )
    values = [*asks.values, limit, offset]
    for counted in (known is not None, False):
        count = "" if counted else f", (SELECT count(*) FROM {source})"
        more = [] if counted else asks.values
        number, modified, contents, *total = rows(f"{select}{count} FROM {table('revision')} r", [*values, *more])[0]
        if not counted:
            known = (_said(number), int(total[0] or 0))
            _counts.keep(key, *known)
        if known and known[0] == _said(number):
            break
    assert known is not None
    return Page(known[1], max(0, min(limit, known[1] - offset)), contents or b"", known[0], _said(modified))


def _searched(kind: Any, params: Any, text: str, limit: int, offset: int) -> Page | None:
    """Best answers first, by the same search as the public page's; None if the words ask for nothing."""
    asks = conditions(kind, params, searched=False)
    extra = (" AND ".join(asks.sql), asks.values) if asks.sql else None
    filters, now = search.Filters(kind=kind), timezone.now()
    shape: Any = text.removeprefix("d.")
    if shape in ("item", "whole"):
        page = search.documents(params.search, shape, filters=filters, now=now, limit=limit, offset=offset, extra=extra)
        return Page(*page) if page is not None else None
    if not language.asked(params.search):
        return None
    found = search.search(None, params.search, filters=filters, now=now, limit=limit, offset=offset, extra=extra)
    contents = rows(
        f"SELECT string_agg({text}, ',' ORDER BY asked.place)"
        f" FROM unnest(%s::uuid[]) WITH ORDINALITY asked(id, place) JOIN {table('document')} d"
        f" ON d.kind = '{kind}' AND d.object_id = asked.id",
        [[hit.id for hit in found.hits]],
    )[0][0]
    return Page(found.total, len(found.hits), contents or b"")


def stream(kind: str, params: Lists) -> Iterator[bytes]:
    """Everything that the parameters ask for, one JSON object a line, in chunks read one after the other.

    No transaction stays open between chunks, however slowly a reader reads; a row that changes meanwhile comes once.
    """
    shape = form(kind, params)
    text = expression(kind, shape, table("document"), bool(vars(params).get("full_service")))
    asks = conditions(kind, params)
    limit = CHUNK[shape]
    where = " AND ".join([f"d.kind = '{kind}'", *asks.sql])
    statement = (
        f"SELECT string_agg(t, E'\\n'), count(*), (array_agg(object_id))[count(*)]"
        f" FROM (SELECT d.object_id, {text} AS t FROM {table('document')} d"
        f" WHERE {where} AND d.object_id > %s ORDER BY d.object_id LIMIT %s) chunk"
    )
    city = connection.tenant

    def chunks() -> Iterator[bytes]:
        number, last = limit, str(uuid.UUID(int=0))
        while number == limit:
            values = [*asks.values, last, limit]
            with lent():  # for one chunk: a reader may be slow
                contents, count, end = with_city(city, lambda: rows(statement, values))[0]  # noqa: B023
            number, last = int(count or 0), _said(end)
            if contents:
                yield contents + b"\n"

    return chunks()


# ---- one document


def document(kind: str, object_id: uuid.UUID, full_service: bool = False) -> Document | None:
    """The whole document, or None."""
    found = rows(_one(table("document"), kind, full_service), [object_id])
    return Document(found[0][0] or b"", _said(found[0][1]), _said(found[0][2])) if found else None


@lru_cache(maxsize=1000)
def _one(documents: str, kind: str, full_service: bool) -> str:
    text = expression(kind, "whole", documents, full_service)
    # the digest is of this row: it says nothing of a text that is put together from several
    digest = "d.digest" if text == "d.whole" else "NULL"
    return (
        f"SELECT {text}, {_HTTP_DATE.format('d.modified')}, {digest}"
        f" FROM {documents} d WHERE d.kind = '{kind}' AND d.object_id = %s"
    )


def gone(kind: str, object_id: uuid.UUID) -> Gone | None:
    """What became of an identifier that answers no more."""
    found = rows(
        f"SELECT reason, (at AT TIME ZONE 'UTC')::date, merged_into FROM {table('tombstone')}"
        " WHERE kind = %s AND object_id = %s",
        [kind, object_id],
    )
    return Gone(*map(_said, found[0])) if found else None


_STONE = (
    "json_strip_nulls(json_build_object('id', t.object_id, 'type', t.kind, 'reason', t.reason,"
    " 'at', to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'merged_into', t.merged_into))::text"
)


def tombstones(params: Tombstones) -> Page:
    """What is gone, the latest last, so that a reader can go on from the last one it knows."""
    where, values = ["true"], list[Any]()
    if params.since is not None:
        where.append("t.at >= %s")
        values.append(params.since)
    if params.type is not None:
        where.append("t.kind = %s")
        values.append(params.type)
    source = f"{table('tombstone')} t WHERE {' AND '.join(where)}"
    limit, offset = params.limit, params.offset
    found, contents = rows(
        f"SELECT (SELECT count(*) FROM {source}), (SELECT string_agg(x, ',')"
        f" FROM (SELECT {_STONE} AS x FROM {source} ORDER BY t.at, t.kind, t.object_id LIMIT %s OFFSET %s) page)",
        [*values, *values, limit, offset],
    )[0]
    total = int(found or 0)
    return Page(total, max(0, min(limit, total - offset)), contents or b"")
