"""The API's addresses for Django: its page for people, and the API itself where no front stands before Django."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt

from parvis.api import openapi
from parvis.api.answers import PREFIX, answer, base


@csrf_exempt  # changes nothing and reads no cookie
@login_not_required
def hsds(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """GET, HEAD, POST, OPTIONS: the HSDS API."""
    found = answer(request.META, request.city, lambda: request.body)  # type: ignore[attr-defined]
    response: HttpResponseBase
    if isinstance(found.body, bytes):
        response = HttpResponse(found.body, status=found.status)
    else:
        response = StreamingHttpResponse(found.body, status=found.status)
    response.headers.pop("Content-Type", None)
    for name, value in found.headers:
        response.headers[name] = value
    return response


@login_not_required
def guide(request: HttpRequest) -> HttpResponse:
    """GET: the way to the API's page in the reader's language."""
    response = HttpResponseRedirect(f"/{get_language_from_request(request)}{PREFIX}/docs")
    response["Vary"] = "Accept-Language, Cookie"
    return response


@login_not_required
def docs(request: HttpRequest) -> HttpResponse:
    """GET: how to use the API, for people."""
    return render(request, "api/docs.html", {"lists": openapi.lists(), "address": base(request.META) + PREFIX})
