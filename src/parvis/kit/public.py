"""Open pages read through the public role: a hole in one of them can't reach people, whatever it lets in."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest

ALIAS = "public"
#: parts of addresses that somebody opens by a secret of their own
PERSONAL = (
    "/account/", "/corrections/", "/appointments/feed/", "/network/review/", "/referrals/link/", "/api/partners/",
    "/readyz",
)  # fmt: skip


def is_for_everybody(request: HttpRequest) -> bool:
    """Somebody without a session reads what is published; signing in and following one's own message are not that."""
    return (
        request.method in ("GET", "HEAD")
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and not any(part in request.path_info for part in PERSONAL)
    )


@contextmanager
def as_public() -> Iterator[None]:
    """In this block, this thread's default connection is the public role's; all code uses it without knowing.

    Nothing happens where no such connection is configured (a command, a test).
    """
    if ALIAS not in connections.settings:
        yield
        return
    own, public = connections[DEFAULT_DB_ALIAS], connections[ALIAS]
    public.set_tenant(own.tenant) if getattr(own, "tenant", None) else public.set_schema_to_public()
    connections[DEFAULT_DB_ALIAS] = public
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = own
