"""The public pages: search, service, organization, and a word about what is wrong."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from parvis.directory import corrections, finding, published, wording
from parvis.directory.models.upkeep import CorrectionState
from parvis.directory.public_forms import CorrectionForm


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


# -- search -------------------------------------------------------------------------------------------------------


@login_not_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The home of a city: one box in one's own words. htmx asks the same address for the answer alone."""
    question = finding.read(request.GET)
    context = finding.answer(request.user, question, language=_language(), now=timezone.now())
    context |= {
        "uses_htmx": True,
        "points_url": reverse("directory:points") + "?" + question.encoded(page=None),
    }
    part = bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    response = render(request, f"directory/public/{'answer' if part else 'search'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    if part:
        query = question.encoded()
        response["HX-Replace-Url"] = request.path + (f"?{query}" if query else "")
    return response


@login_not_required
@require_GET
def points(request: HttpRequest) -> HttpResponse:
    """The places of the results for the map: name, address of the page, [latitude, longitude]."""
    question = finding.read(request.GET)
    found = finding.points(request.user, question, language=_language(), now=timezone.now())
    return JsonResponse({"points": found})


@login_not_required
@require_GET
def boroughs(request: HttpRequest) -> HttpResponse:
    """The city's boroughs as GeoJSON: the ground of the map."""
    response = JsonResponse(finding.areas(), content_type="application/geo+json")
    response["Cache-Control"] = "public, max-age=3600"
    return response


# -- one service, one organization --------------------------------------------------------------------------------


def service_context(request: HttpRequest, object_id: uuid.UUID) -> dict[str, Any] | None:
    """What `directory/public/service.html` shows of a service; None when it is not published."""
    return _context(request, published.service(object_id, language=_language()))


def organization_context(request: HttpRequest, object_id: uuid.UUID) -> dict[str, Any] | None:
    """What `directory/public/organization.html` shows of an organization; None when it is not published."""
    return _context(request, published.organization(object_id, language=_language()))


def _context(request: HttpRequest, page: published.Published | None) -> dict[str, Any] | None:
    if page is None:
        return None
    phones = page.own.phones + [phone for place in page.places for phone in place.phones]
    path = reverse(f"directory:{page.kind}", args=[page.id])
    return {
        "id": page.id,
        "data": page.data,
        "places": page.places,
        "own": page.own,
        "state": page.state,
        "confirmed": page.confirmed,
        "doubted_since": page.doubted_since,
        "parts": [(wording.ABOUT[about], at) for about, at in page.parts if about in wording.ABOUT],
        "boroughs": page.boroughs,
        "origins": page.origins,
        "missing_since": page.missing_since,
        "services": page.services,
        "terms": page.terms,
        "tongues": published.spoken_in(page.data),
        "free": published.is_free(page.data),
        "mapped": any(place.has_point for place in page.places),
        "first_phone": next((phone for phone in phones if phone.get("type") != "fax"), None),
        "address": request.build_absolute_uri(path),
        "today": timezone.localdate(),
    }


@login_not_required
@require_safe
def service(request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
    """The page of a service; an id that has become another redirects, one no longer listed says so."""
    context = service_context(request, object_id)
    if context is None:
        return _gone(request, "service", object_id)
    return render(request, "directory/public/service.html", context)


@login_not_required
@require_safe
def organization(request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
    """The page of an organization with its services."""
    context = organization_context(request, object_id)
    if context is None:
        return _gone(request, "organization", object_id)
    return render(request, "directory/public/organization.html", context)


def _gone(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    gone = published.gone(kind, object_id)
    if gone is None:
        raise Http404
    if gone.merged_into is not None:
        return HttpResponsePermanentRedirect(reverse(f"directory:{kind}", args=[gone.merged_into]))
    return render(request, "directory/public/gone.html", {"gone": gone}, status=410)


# -- something is wrong here --------------------------------------------------------------------------------------


@login_not_required
def wrong(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The form for what is wrong; its answer is a link that only its sender knows."""
    name = published.name_of(kind, object_id, language=_language())
    if name is None:
        raise Http404
    form = CorrectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_trapped:
        return redirect(f"directory:{kind}", object_id)
    if request.method == "POST" and form.is_valid():
        try:
            _correction, token = corrections.send_correction(
                kind,
                object_id,
                message=form.cleaned_data["message"],
                email=form.cleaned_data["email"],
                language=_language(),
                address=_network_address(request),
                link=request.build_absolute_uri(reverse("directory:correction", args=["{token}"])).replace(
                    "%7Btoken%7D", "{token}"
                ),
            )
        except corrections.TooMany:
            form.add_error(
                None, _("Too many messages from here in the last hour. Please try later, or call the office.")
            )
        else:
            messages.success(request, _("Thank you. Your message has arrived."))
            return redirect("directory:correction", token)
    context = {"form": form, "name": name, "back": reverse(f"directory:{kind}", args=[object_id])}
    return render(request, "directory/public/wrong.html", context, status=422 if form.errors else 200)


@login_not_required
@require_safe
@never_cache
def correction(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a message, for whoever holds its secret."""
    found = corrections.follow(token)
    if found is None:
        raise Http404
    name = published.name_of(found.object_type, found.object_id, language=_language())
    events: list[dict[str, Any]] = [{"at": found.received_at, "title": _("Received")}]
    if found.answered_at is not None:
        titles = {
            CorrectionState.IN_PROGRESS: _("Being looked at"),
            CorrectionState.ACCEPTED: _("Corrected"),
            CorrectionState.DECLINED: _("Left as it is"),
        }
        events.insert(0, {"at": found.answered_at, "title": titles[CorrectionState(found.state)], "now": True})
    steps = {CorrectionState.RECEIVED: 1, CorrectionState.IN_PROGRESS: 2}
    response = render(
        request,
        "directory/public/correction.html",
        {
            "correction": found,
            "name": name,
            "back": reverse(f"directory:{found.object_type}", args=[found.object_id]) if name else "",
            "step": steps.get(CorrectionState(found.state), 3),
            "events": events,
            "address": request.build_absolute_uri(),
        },
    )
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _network_address(request: HttpRequest) -> str:
    """Who asks, as far as the network tells: behind the proxy of a production site, what the proxy says."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.PRODUCTION else ""
    return (forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", ""))[:60]


# -- pages about the pages ----------------------------------------------------------------------------------------


@login_not_required
@require_safe
def text_page(request: HttpRequest, name: str) -> HttpResponse:
    """About, accessibility, privacy: short and honest."""
    return render(request, f"directory/public/{name}.html")
