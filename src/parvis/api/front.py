"""The API's place in the web server: before Django's middleware, which it has no use for (no session, no page)."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from parvis.api.answers import PREFIX, Answer, Problem, answer, scheme
from parvis.api.lending import lent
from parvis.cities.middleware import hosts
from parvis.cities.models import City

log = logging.getLogger("parvis.api")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def front(application: Application) -> Application:
    """A WSGI application that answers the API itself and leaves the rest, and pages about the API, to `application`."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or not takes(path, environ):
            return application(environ, start_response)
        with lent():
            found = _answered(environ)
        if found is None:
            return application(environ, start_response)
        start_response(found.line, found.headers)
        return [found.body] if isinstance(found.body, bytes) else found.body

    return serve


def _answered(environ: dict[str, Any]) -> Answer | None:
    """The answer; None if no city has this host name, which Django says."""
    try:
        city = city_of(environ)
    except DatabaseError:
        log.exception("no city could be found")
        return Problem(503, ["server"], "the database does not answer; try again soon", "unavailable").answer
    if city is None:
        return None
    try:
        return answer(environ, city, lambda: _body(environ))
    except Exception:
        log.exception("%s %s", environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
        return Problem(500, ["server"], "this is our fault, and it has been noted", "internal").answer


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def takes(path: str, environ: dict[str, Any]) -> bool:
    """Whether an address under the prefix is the API's: not its pages for people, nor what must be moved to https."""
    rest = path[len(PREFIX) :]
    if rest and not rest.startswith("/"):
        return False
    if rest.strip("/") == "docs":
        return False
    return not settings.SECURE_SSL_REDIRECT or scheme(environ) == "https"


def city_of(environ: dict[str, Any]) -> City | None:
    """The city of the request's host name."""
    header = environ.get("HTTP_HOST", "")
    try:
        return hosts.named(header)
    except DatabaseError:  # a connection that the database has closed meanwhile
        connection.close()
        return hosts.named(header)
