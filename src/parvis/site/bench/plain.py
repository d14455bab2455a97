"""The yardstick: the same answers as any Django office would serve them, from the ORM with prefetches.

Only for `parvis bench`, which serves it by parvis.site.bench.peer.
"""

import datetime as dt
import decimal
import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import path

from parvis.core import hsds
from parvis.directory.documents import COLUMNS
from parvis.directory.models import Attribute, Service

#: What a whole service shows, each with one query.
_PLACES = ("contacts", "phones", "schedules")
PREFETCHED = (
    "phones__languages", "schedules", "service_areas", "languages", "funding", "cost_options", "required_documents",
    "contacts__phones", "capacities__unit", "additional_urls",
    *(f"service_at_locations__{name}" for name in _PLACES),
    *(f"service_at_locations__location__{name}" for name in (
        "languages", "addresses", "contacts__phones", "accessibility", "phones", "schedules",
    )),
    *(f"organization__{name}" for name in (
        "additional_websites", "funding", "contacts__phones", "phones", "programs", "organization_identifiers",
    )),
    *(f"organization__locations__{name}" for name in (
        "languages", "addresses", "contacts__phones", "accessibility", "phones", "schedules",
    )),
)  # fmt: skip


def direct(entity: str, obj: Any) -> dict[str, Any]:
    """An object's own fields, without those that have no value."""
    found = {}
    for field in hsds.ENTITIES[entity].fields:
        name = COLUMNS.get((entity, field.name), field.name)
        value = getattr(obj, name, None)
        if value is None or value == "":
            continue
        if isinstance(value, dt.time):
            value = value.strftime("%H:%M")
        elif isinstance(value, (uuid.UUID, dt.date, dt.datetime)):
            value = value.isoformat() if not isinstance(value, uuid.UUID) else str(value)
        elif isinstance(value, decimal.Decimal):
            value = float(value)
        found[field.name] = value
    return found


def whole(entity: str, obj: Any) -> dict[str, Any]:
    """An object with all that was prefetched for it."""
    found = direct(entity, obj)
    there = getattr(obj, "_prefetched_objects_cache", {})
    for one in hsds.ENTITIES[entity].ones:
        if one.name in obj._state.fields_cache and getattr(obj, one.name) is not None:
            found[one.name] = whole(one.entity, getattr(obj, one.name))
    for many in hsds.ENTITIES[entity].manys:
        if many.name in there:
            parts = [whole(many.entity, part) for part in getattr(obj, many.name).all()]
            if parts:
                found[many.name] = parts
    return found


def attributes(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for each in Attribute.objects.filter(link_id__in=ids).select_related("taxonomy_term__taxonomy"):
        shown = direct("attribute", each)
        if each.taxonomy_term:
            shown["taxonomy_term"] = direct("taxonomy_term", each.taxonomy_term)
            if each.taxonomy_term.taxonomy:
                shown["taxonomy_term"]["taxonomy_detail"] = direct("taxonomy", each.taxonomy_term.taxonomy)
        found.setdefault(each.link_id, []).append(shown)
    return found


def page(request: HttpRequest) -> JsonResponse:
    """A page of 25 services, in short or whole (`full`), all or those in which every word stands (`search`)."""
    services = Service.objects.select_related("organization", "program").order_by("pk")
    for word in request.GET.get("search", "").split():
        services = services.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(organization__name__icontains=word)
        )
    full = "full" in request.GET
    if full:
        services = services.prefetch_related(*PREFETCHED)
    found = Paginator(services, 25).get_page(request.GET.get("page", 1))
    contents = []
    said = attributes([service.pk for service in found]) if full else {}
    for service in found:
        if full:
            contents.append(whole("service", service) | {"attributes": said.get(service.pk, [])})
            continue
        shown = direct("service", service)
        for name in ("organization", "program"):
            if getattr(service, name):
                shown[name] = direct(name, getattr(service, name))
        contents.append(shown)
    pages = found.paginator.num_pages
    return JsonResponse(
        {
            "total_items": found.paginator.count, "total_pages": pages, "page_number": found.number,
            "size": len(contents), "first_page": found.number == 1, "last_page": found.number == pages,
            "empty": not contents, "contents": contents,
        }
    )  # fmt: skip


def detail(request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
    """One service, whole."""
    service = Service.objects.select_related("organization", "program").prefetch_related(*PREFETCHED).get(pk=pk)
    return JsonResponse(whole("service", service) | {"attributes": attributes([pk]).get(pk, [])})


urlpatterns = [path("services", page), path("services/<uuid:pk>", detail)]
