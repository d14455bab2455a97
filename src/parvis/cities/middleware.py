"""Which city a request is for, by its host name. Runs first: nothing is read before the schema is known."""

import threading
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone

from parvis.cities.models import City
from parvis.cities.queries import cities_by_host
from parvis.kit.public import as_public, is_for_everybody

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class Hosts:
    """The host names of all cities, kept a few seconds so that a request needs no query for them."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._by_host: dict[str, City] = {}
        self._default: City | None = None

    def find(self, host: str) -> City | None:
        """The city of this host name (no port, lower case); on loopback any city's server shows its default city."""
        if time.monotonic() - self._read_at > self.seconds:
            with self._lock:
                self._by_host, self._default = cities_by_host()
                self._read_at = time.monotonic()
        city = self._by_host.get(host)
        if city is None and host in LOOPBACK:
            return self._default
        return city

    def named(self, header: str) -> City | None:
        """The city that a Host header leads to, whatever its port and case; None when no city answers there."""
        host = header.lower()
        return self.find(host if host.endswith("]") else host.rsplit(":", 1)[0])

    def forget(self) -> None:
        self._read_at = float("-inf")


hosts = Hosts()


class CityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in ("/healthz", "/readyz"):
            return self.get_response(request)
        city = hosts.named(request._get_raw_host())  # type: ignore[attr-defined]  # held against our own domains
        if city is None:
            return HttpResponseNotFound("No city answers at this address.\n", content_type="text/plain")
        request.city = city  # type: ignore[attr-defined]
        connection.set_tenant(city)
        timezone.activate(ZoneInfo(city.timezone))
        if is_for_everybody(request):
            with as_public():
                return self.get_response(request)
        return self.get_response(request)
