"""Calendar feeds: made and ended at the desk; read by calendar programmes, by a secret address alone."""

import hashlib
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parvis.accounts.rules import require
from parvis.appointments import actions, ics, queries, rules
from parvis.appointments.models import Kind, State
from parvis.cases import glance
from parvis.cases.desk import at_desk, looked, the_household
from parvis.kit.acting import acting


@at_desk(rules.may_see_calendar)
def mine(request: HttpRequest) -> HttpResponse:
    """One's own appointments in one's own calendar programme: the address is shown once."""
    if request.method == "POST":
        if request.POST.get("do") == "close":
            actions.close_worker_feed(by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("The address leads nowhere any more."))
            return redirect("appointments:feeds")
        key = actions.open_worker_feed(by=request.user)  # type: ignore[arg-type]
        return render(request, "appointments/feed.html", {"address": _address(request, "w", key)})
    return render(request, "appointments/feed.html", {"feed": queries.feed_of(request.user)})  # type: ignore[arg-type]


@at_desk(rules.may_see_calendar)
def household(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """All appointments of a household, and the family's own calendar."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    looked(request, seen.sight, [card.person.pk for card in seen.cards])
    page = {"household": found, "lines": queries.of_household(request.user, found), "writes": seen.writes,
            "head": seen.cards[0].person if seen.cards else None}  # fmt: skip
    if request.method == "POST":
        require(seen.writes and bool(seen.cards), "appointments.feed.opened", found)
        if request.POST.get("do") == "close":
            actions.close_household_feed(found.pk, by=request.user)
            messages.success(request, _("The address leads nowhere any more."))
            return redirect("appointments:household", pk=pk)
        head = seen.cards[0].person
        key = actions.open_household_feed(found, head, by=request.user)  # type: ignore[arg-type]
        page["address"] = _address(request, "h", key, head.language)
    page["feed"] = queries.household_feed(found) if seen.writes else None
    return render(request, "appointments/household.html", page)


def _address(request: HttpRequest, whose: str, key: str, language: str = "") -> str:
    """The full address of a feed, in its reader's language where the pages have it."""
    tag = language.split("-")[0]
    with translation.override(tag if translation.check_for_language(tag) and tag else translation.get_language()):
        return request.build_absolute_uri(reverse("appointments:feed", args=[whose, key]))


@login_not_required
@require_safe
def feed(request: HttpRequest, whose: str, key: str) -> HttpResponse:
    """What a calendar programme reads. Whoever holds the address reads times; names and reasons need a sign-in."""
    content = (_of_worker if whose == "w" else _of_household)(request, actions.hash_of(key))
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response: HttpResponse
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    if tag in asked or f"W/{tag}" in asked or "*" in asked:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=ics.MEDIA_TYPE)
        response["Content-Disposition"] = 'inline; filename="parvis.ics"'
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _of_worker(request: HttpRequest, key_hash: str) -> bytes:
    """As that worker, who sees what they may see at this moment: nothing when they have left."""
    user = queries.worker_feed(key_hash)
    if user is None:
        raise Http404
    with acting(user, purpose="calendar"), transaction.atomic():
        if not rules.may_see_calendar(user):
            raise Http404
        found = queries.for_feed(user)
    host = request.get_host().split(":")[0]
    lines = [
        ics.Line(
            f"{each.pk}@{host}", each.starts_at, each.ends_at,
            f"{Kind(each.kind).label} · {each.household.reference}", each.sequence, each.changed_at,
            cancelled=each.state == State.CANCELLED,
            url=request.build_absolute_uri(reverse("appointments:appointment", args=[each.pk])),
        )
        for each in found
    ]  # fmt: skip
    return ics.calendar(_("Appointments"), lines)


def _of_household(request: HttpRequest, key_hash: str) -> bytes:
    """For nobody: the database's function gives times and ways alone."""
    found = queries.household_entries(key_hash)
    if found is None:
        raise Http404
    city = request.city  # type: ignore[attr-defined]
    host = request.get_host().split(":")[0]
    lines = [
        ics.Line(
            f"{each.pk}@{host}", each.starts_at, each.ends_at, _("Appointment"), each.sequence, each.changed_at,
            cancelled=each.state == State.CANCELLED, where=str(Kind(each.kind).label) if each.kind != Kind.ELSEWHERE
            else "",
        )
        for each in found[1]
    ]  # fmt: skip
    return ics.calendar(_("Appointments, %(city)s") % {"city": city.name}, lines)
