"""The API's addresses for Django: its page for people, and the API itself where no front stands before Django."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from parvis.api import openapi
from parvis.api.answers import PREFIX, answer, base
from parvis.cases import consents
from parvis.cases.showing import sections
from parvis.core.access import DataClass, names
from parvis.ledger.actions import seen
from parvis.orgs.actions import note_use


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


@require_GET
def shared(request: HttpRequest) -> HttpResponse:
    """GET: people who are shared with the token's organization, newest file first, 20 a page (`?page=2`): of each what
    was agreed, as far as the token's classes go."""
    token = request.token  # type: ignore[attr-defined]  # api.bearer
    number = max(1, int(asked)) if (asked := request.GET.get("page", "1")).isdecimal() else 1
    scope = DataClass(token.classes)
    people = []
    with transaction.atomic():
        found = consents.shared(request.user, offset=(number - 1) * PER_PAGE, size=PER_PAGE + 1)
        for each in found[:PER_PAGE]:
            classes = each.classes & scope
            if not classes:
                continue
            seen(each.person, by=request.user, reason=f"API: {token.name}", fields=names(classes))
            people.append(_person(request.user, each, classes))
        note_use(token)
    following = f"{request.path}?page={number + 1}" if len(found) > PER_PAGE else None
    return JsonResponse({"people": people, "next": following})


PER_PAGE = 20


def _person(viewer: Any, each: consents.Shared, classes: DataClass) -> dict[str, Any]:
    return {
        "id": each.person.pk,
        "classes": names(classes),
        "agreed_until": each.last_day,
        "sections": [
            {
                "class": section.code,
                "facts": [{"label": one.label, "value": one.value, "note": one.note} for one in section.facts],
            }
            for section in sections(viewer, each.person, classes)
        ],
    }


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
