"""The HSDS API as HTTP: which address, which method, which status. Knows WSGI's environ and nothing of Django's layers.

`answer(environ, city, body)` is called by the front (parvis.api.front), which stands before Django's middleware,
and by the Django view of the same addresses (for tests and other servers).
"""

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from django.conf import settings
from isal import isal_zlib

from parvis import __version__
from parvis.api import openapi, queries
from parvis.api.parameters import (
    LISTS,
    MOST_BODY,
    Lists,
    OrganizationDetail,
    Refused,
    Tombstones,
    read,
    refused,
)
from parvis.core import hsds

PREFIX = "/hsds/v3"
Headers = list[tuple[str, str]]
Environ = dict[str, Any]

_KINDS = {hsds.ENTITIES[kind].plural: kind for kind in hsds.RESOURCES}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REASONS = {
    200: "OK", 204: "No Content", 301: "Moved Permanently", 304: "Not Modified", 404: "Not Found",
    405: "Method Not Allowed", 410: "Gone", 413: "Content Too Large", 422: "Unprocessable Content",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_JSON = "application/json"
_NDJSON = "application/x-ndjson"
#: Everybody may read, from any page, and keep what was read as long as they ask whether it still holds.
_COMMON: Headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link, Allow"),
    ("Cache-Control", "public, no-cache"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
]
_PREFLIGHT: Headers = [
    ("Access-Control-Allow-Headers", "Accept, Content-Type, If-Modified-Since, If-None-Match"),
    ("Access-Control-Max-Age", "86400"),
]
#: Below so many bytes compression saves no packet.
_WORTH_COMPRESSING = 1200
_LEVEL = 2  # of ISA-L's 0 to 3: as small as zlib's 1 to 6, five times as fast


@dataclass(slots=True)
class Answer:
    """What goes back. `body` is bytes, or an iterator of bytes for a stream."""

    status: int
    body: bytes | Iterator[bytes] = b""
    content_type: str = _JSON
    etag: str = ""
    modified: str = ""
    headers: Headers = field(default_factory=list)

    @property
    def line(self) -> str:
        return f"{self.status} {_REASONS[self.status]}"


class Problem(Exception):
    """An answer other than the one that was asked for."""

    def __init__(
        self, status: int, loc: Iterable[str], message: str, kind: str, headers: Headers | None = None
    ) -> None:
        super().__init__(message)
        self.answer = Answer(
            status, orjson.dumps({"detail": [{"loc": list(loc), "msg": message, "type": kind}]}), headers=headers or []
        )


def answer(environ: Environ, city: Any, body: Callable[[], bytes]) -> Answer:
    """Answer one request about `city`. Never raises: a failure of ours is a JSON 500 or 503, and is logged."""
    try:
        found = _route(environ, city, body)
    except Problem as problem:
        found = problem.answer
    except Refused as error:
        found = Answer(error.status, orjson.dumps({"detail": error.detail}))
    except queries.Unavailable:
        found = Problem(503, ["server"], "the database does not answer; try again soon", "unavailable").answer
        found.headers.append(("Retry-After", "5"))
    return _finish(found, environ)


# ---- routing


def _route(environ: Environ, city: Any, body: Callable[[], bytes]) -> Answer:
    path = environ.get("PATH_INFO", "")[len(PREFIX) :].strip("/")
    first, _, rest = path.partition("/")
    method = environ.get("REQUEST_METHOD", "GET")
    if first in _KINDS and not rest:
        _allow(method, "GET", "HEAD", "POST", "OPTIONS")
        return _empty(method, "GET, HEAD, POST, OPTIONS") or _list(environ, city, _KINDS[first], method, body)
    known = path in ("", "openapi.json", "tombstones") or (first in _KINDS and "/" not in rest)
    if not known:
        raise Problem(404, ["path"], f"nothing has the address {PREFIX}/{path[:200]}", "not_found")
    _allow(method, "GET", "HEAD", "OPTIONS")
    nothing = _empty(method, "GET, HEAD, OPTIONS")
    if nothing:
        return nothing
    if path == "":
        return _tagged(Answer(200, orjson.dumps(_about(environ, city))))
    if path == "openapi.json":
        return _tagged(Answer(200, openapi.document(base(environ), city.name)))
    if path == "tombstones":
        params = read(Tombstones, environ.get("QUERY_STRING", ""))
        return _tagged(_enveloped(queries.with_city(city, lambda: queries.tombstones(params)), params))
    return _detail(environ, city, _KINDS[first], rest)


def _allow(method: str, *methods: str) -> None:
    if method not in methods:
        raise Problem(
            405, ["method"], f"{method[:20]} is not one of {', '.join(methods)}", "method_not_allowed",
            [("Allow", ", ".join(methods))],
        )  # fmt: skip


def _empty(method: str, allowed: str) -> Answer | None:
    """The answer to OPTIONS, which is the same for every address that exists."""
    if method != "OPTIONS":
        return None
    return Answer(204, headers=[("Allow", allowed), ("Access-Control-Allow-Methods", allowed), *_PREFLIGHT])


def base(environ: Environ) -> str:
    """Scheme and host of the request."""
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "localhost")
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", host):
        host = "localhost"
    return f"{scheme(environ)}://{host}"


def scheme(environ: Environ) -> str:
    """http or https, as the reader sees it."""
    forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "") if settings.PRODUCTION else ""
    return "https" if "https" in (forwarded, environ.get("wsgi.url_scheme")) else "http"


def _about(environ: Environ, city: Any) -> dict[str, Any]:
    origin = base(environ)
    publisher = {"name": city.name, "identifier": f"{origin}/", "website": f"{origin}/"}
    if city.office_email:
        publisher["email"] = city.office_email
    return {
        "version": settings.HSDS_VERSION,
        "profile": hsds.PROFILE_URI.format(version=settings.HSDS_VERSION),
        "openapi_url": f"{origin}{PREFIX}/openapi.json",
        "description": f"Community services for newcomers in {city.name}: what there is, where, when and for whom.",
        "publisher": publisher | {"additional_websites": [f"{origin}{PREFIX}/docs"]},
    }


# ---- lists


def _list(environ: Environ, city: Any, kind: str, method: str, body: Callable[[], bytes]) -> Answer:
    params = read(
        LISTS[kind],
        environ.get("QUERY_STRING", ""),
        _limited(environ, body) if method == "POST" else b"",
        environ.get("CONTENT_TYPE", ""),
    )
    if params.format == "ndjson":
        return _streamed(environ, city, kind, params)
    if "HTTP_IF_NONE_MATCH" in environ and method != "POST" and not params.search:
        number, modified = queries.with_city(city, queries.revision)
        tag = _list_tag(kind, params, number)
        if _matches(environ["HTTP_IF_NONE_MATCH"], tag):
            return Answer(304, etag=tag, modified=modified)
    page = queries.with_city(city, lambda: queries.page(kind, params))
    found = _enveloped(page, params)
    if page.revision:
        found.etag, found.modified = _list_tag(kind, params, page.revision), page.modified
        return found
    return _tagged(found)


def _limited(environ: Environ, body: Callable[[], bytes]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > MOST_BODY:
        raise refused(["body"], f"at most {MOST_BODY} bytes", "too_long", 413)
    return body()


def _list_tag(kind: str, params: Lists, revision: str) -> str:
    asked = repr((kind, params.__dict__, __version__))
    return f'"{revision}-{hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()}"'


_TRUTH = {True: b"true", False: b"false"}


def _enveloped(page: queries.Page, params: Lists) -> Answer:
    """A page in its envelope: all seven facts about it, always."""
    pages, number = -(-page.total // params.limit), params.page
    return Answer(
        200,
        b'{"total_items":%d,"total_pages":%d,"page_number":%d,"size":%d,"first_page":%b,"last_page":%b,"empty":%b,'
        b'"contents":[%b]}'
        % (
            page.total, pages, number, page.size, _TRUTH[number == 1], _TRUTH[number >= pages],
            _TRUTH[page.size == 0], page.contents,
        ),
    )  # fmt: skip


def _streamed(environ: Environ, city: Any, kind: str, params: Lists) -> Answer:
    if environ.get("REQUEST_METHOD") == "HEAD":
        return Answer(200, b"", _NDJSON)
    chunks = queries.with_city(city, lambda: queries.stream(kind, params))
    if not _gzip(environ):
        return Answer(200, chunks, _NDJSON)
    return Answer(200, _compressed(chunks), _NDJSON, headers=[("Content-Encoding", "gzip")])


def _compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, 31)
    for chunk in chunks:
        packed = packer.compress(chunk)
        if packed:
            yield packed
    yield packer.flush()


# ---- one document


def _detail(environ: Environ, city: Any, kind: str, text: str) -> Answer:
    if not _UUID.fullmatch(text):
        raise Problem(404, ["path", "id"], f"{text[:60]} is not an identifier (a UUID)", "not_found")
    object_id = uuid.UUID(text)
    full_service = False
    if kind == "organization":
        full_service = read(OrganizationDetail, environ.get("QUERY_STRING", "")).full_service
    found = queries.with_city(city, lambda: queries.document(kind, object_id, full_service))
    if found is not None:
        whole = Answer(200, found.text, etag=f'"{found.digest}"', modified=found.modified)
        return whole if found.digest else _tagged(whole)
    gone = queries.with_city(city, lambda: queries.gone(kind, object_id))
    if gone is None:
        raise Problem(404, ["path", "id"], f"there is no {kind} {object_id}", "not_found")
    if gone.into:
        address = f"{PREFIX}/{hsds.ENTITIES[kind].plural}/{gone.into}"
        raise Problem(301, ["path", "id"], f"merged into {gone.into}", "merged", [("Location", address)])
    raise Problem(410, ["path", "id"], f"no longer published since {gone.day} ({gone.reason})", "gone")


# ---- what all answers share


def _tagged(found: Answer) -> Answer:
    """With an ETag made of its bytes."""
    assert isinstance(found.body, bytes)
    # of the usual digests the one that processors have instructions for
    found.etag = f'"{hashlib.sha256(found.body).hexdigest()[:24]}"'
    return found


def _matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names this representation, compressed or not."""
    core = tag.strip('"')
    asked = {each.strip().removeprefix("W/").strip('"').removesuffix("-gzip") for each in header.split(",")}
    return "*" in asked or core in asked


def _gzip(environ: Environ) -> bool:
    for part in environ.get("HTTP_ACCEPT_ENCODING", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False


def _finish(found: Answer, environ: Environ) -> Answer:
    """Conditions, compression, length and common headers."""
    method = environ.get("REQUEST_METHOD", "GET")
    if found.status == 200 and method in ("GET", "HEAD") and _unchanged(found, environ):
        found = Answer(304, etag=found.etag, modified=found.modified)
    headers = [*_COMMON, *found.headers]
    if found.status not in (204, 304):
        headers.append(("Content-Type", found.content_type))
    if isinstance(found.body, bytes) and found.status not in (204, 304):
        if len(found.body) >= _WORTH_COMPRESSING and _gzip(environ):
            found.body = isal_zlib.compress(found.body, _LEVEL, 31)
            headers.append(("Content-Encoding", "gzip"))
            if found.etag:  # a strong tag is of these very bytes
                found.etag = f'{found.etag[:-1]}-gzip"'
        headers.append(("Content-Length", str(len(found.body))))
        if method == "HEAD":
            found.body = b""
    if found.etag:
        headers.append(("ETag", found.etag))
    if found.modified:
        headers.append(("Last-Modified", found.modified))
    found.headers = headers
    return found


def _unchanged(found: Answer, environ: Environ) -> bool:
    if "HTTP_IF_NONE_MATCH" in environ:
        return bool(found.etag) and _matches(environ["HTTP_IF_NONE_MATCH"], found.etag)
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not (since and found.modified):
        return False
    try:
        return parsedate_to_datetime(found.modified) <= parsedate_to_datetime(since).replace(tzinfo=dt.UTC)
    except (TypeError, ValueError):
        return False
