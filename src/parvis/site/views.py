"""The installation's own addresses: the way to one's language, and how the machine is."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.utils.translation import get_language_from_request

from parvis.cities.models import Beat


@login_not_required
def language_home(request: HttpRequest) -> HttpResponse:
    """`/` leads to the reader's language: their choice, else their browser's, else French."""
    response = HttpResponseRedirect(f"/{get_language_from_request(request)}/")
    response["Vary"] = "Accept-Language, Cookie"
    return response


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers and the worker gave a sign of life in the last 30 seconds; else 503 and which of them."""
    state = {"database": "ok", "worker": "ok"}
    try:
        connection.set_schema_to_public()
        beat = Beat.objects.filter(name="worker").first()
        if beat is None or timezone.now() - beat.at > dt.timedelta(seconds=30):
            state["worker"] = "no sign of life for 30 seconds"
    except DatabaseError:
        state = {"database": "does not answer", "worker": "unknown"}
        connection.close()
    fine = all(value == "ok" for value in state.values())
    return JsonResponse({"status": "ok" if fine else "not ready", **state}, status=200 if fine else 503)


@login_not_required
def robots(request: HttpRequest) -> HttpResponse:
    """Public pages may be indexed; account and correction links may not."""
    parts = ("account", "corrections", "desk", "members", "people")
    hidden = [f"/{code}/{part}/" for code, _ in settings.LANGUAGES for part in parts]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in hidden)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
