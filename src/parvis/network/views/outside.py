"""The page that an organization opens by the link in its mail. Nobody signs in; the key is the secret."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from parvis.directory import corrections, facts, wording
from parvis.directory.facts import kind_of
from parvis.directory.holding import BY_LINK
from parvis.network import actions, queries
from parvis.network.forms import ListingForm, WrongForm
from parvis.network.models import Review, ReviewLink

#: what is shown of each listing, in this order
SHOWN = {
    "organization": ("description", "phones", "email", "website"),
    "service": ("description", "phones", "email", "url", "schedules", "fees_description", "eligibility_description"),
}
#: form field -> column, by kind
COLUMNS = {
    "organization": {"name": "name", "description": "description", "email": "email", "site": "website"},
    "service": {"name": "name", "description": "description", "email": "email", "site": "url"},
}


def _found(key: str) -> ReviewLink:
    found = queries.link(key)
    if found is None:
        raise Http404
    return found


def _state(found: ReviewLink) -> str:
    """ "open", or why not: "expired", or the review's end."""
    if found.review.ended_at is not None:
        return found.review.stage
    return "open" if found.expires_at > timezone.now() else "expired"


def _closed(request: HttpRequest, key: str, found: ReviewLink, status: int = 410) -> HttpResponse:
    shown = {"key": key, "state": _state(found), "review": found.review}
    return render(request, "network/closed.html", shown, status=status)


@never_cache
@login_not_required
@require_safe
def review(request: HttpRequest, key: str) -> HttpResponse:
    """Everything that is published of the organization: still true, or to be corrected here."""
    found = _found(key)
    if _state(found) != "open":
        return _closed(request, key, found)
    actions.saw(found.review)
    organization = found.review.organization
    listings = [_listing(obj) for obj in (organization, *queries.listed_services(organization))]
    shown = {"key": key, "organization": organization, "listings": listings, "until": found.expires_at}
    return render(request, "network/review.html", shown)


def _listing(obj: Any) -> dict[str, Any]:
    kind = kind_of(obj)
    read = facts.read(obj)
    lines = [(wording.label(name), wording.lines(name, read.get(name), {})) for name in SHOWN[kind]]
    return {"kind": kind, "id": obj.pk, "name": obj.name, "facts": [(label, said) for label, said in lines if said]}


@never_cache
@login_not_required
@require_POST
def still_true(request: HttpRequest, key: str) -> HttpResponse:
    """One click: everything is true."""
    found = _found(key)
    if _state(found) != "open":
        return _closed(request, key, found, 409)
    try:
        actions.still_true(found.review, by=BY_LINK, means="self")
    except actions.NotOpen:
        return _closed(request, key, _found(key), 409)
    return redirect("network:review", key=key)


@never_cache
@login_not_required
@require_POST
def renew(request: HttpRequest, key: str) -> HttpResponse:
    """A new link to the organization's own address."""
    found = _found(key)
    if _state(found) != "expired":
        return redirect("network:review", key=key)
    try:
        actions.renew(found.review)
        messages.success(request, _("A new link is on its way to your organization’s own address."))
    except actions.TooMany:
        messages.error(
            request, _("Enough links were sent today. Look into your organization’s mail, or call the office.")
        )
    except actions.NotOpen:
        pass
    return redirect("network:review", key=key)


def _object(found: ReviewLink, kind: str, object_id: uuid.UUID) -> Any:
    organization = found.review.organization
    several = (
        [organization] if kind == "organization" else queries.listed_services(organization) if kind == "service" else []
    )
    one = next((obj for obj in several if obj.pk == object_id), None)
    if one is None:
        raise Http404
    return one


@never_cache
@login_not_required
def correct(request: HttpRequest, key: str, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Correct one listing."""
    found = _found(key)
    if _state(found) != "open":
        return _closed(request, key, found, 409)
    obj = _object(found, kind, object_id)
    initial, phones = _present(kind, obj)
    form = ListingForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        changes: dict[str, Any] = {
            column: said[name] for name, column in COLUMNS[kind].items() if said[name] != initial[name]
        }
        if said["phone"] != initial["phone"]:
            changes["phones"] = _phones(phones, said["phone"])
        try:
            actions.correct(found.review, obj, changes)
        except actions.NotOpen:
            return _closed(request, key, _found(key), 409)
        messages.success(request, _("Corrected: readers see it at once."))
        return redirect("network:review", key=key)
    shown = {"key": key, "kind": kind, "object": obj, "form": form, "wrong": WrongForm()}
    return render(request, "network/correct.html", shown, status=422 if form.errors else 200)


def _present(kind: str, obj: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The form's values as they are published, and the telephone rows."""
    read = facts.read(obj)
    initial = {name: read[column] for name, column in COLUMNS[kind].items()}
    return initial | {"phone": read["phones"][0]["number"] if read["phones"] else ""}, read["phones"]


def _phones(rows: list[dict[str, Any]], number: str) -> list[dict[str, Any]]:
    """The first number changed, added or taken away; others stay."""
    if not number:
        return rows[1:]
    return [{**rows[0], "number": number}, *rows[1:]] if rows else [{"number": number, "type": "voice"}]


@never_cache
@login_not_required
@require_POST
def wrong(request: HttpRequest, key: str, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Anything else, in their own words: a reader's correction, answered by the office."""
    found = _found(key)
    if _state(found) != "open":
        return _closed(request, key, found, 409)
    obj = _object(found, kind, object_id)
    form = WrongForm(request.POST)
    if not form.is_valid():
        shown = {
            "key": key,
            "kind": kind,
            "object": obj,
            "form": ListingForm(initial=_present(kind, obj)[0]),
            "wrong": form,
        }
        return render(request, "network/correct.html", shown, status=422)
    try:
        corrections.send_correction(kind, obj.pk, message=form.cleaned_data["message"], address=_sender(found.review))
        messages.success(request, _("Thank you. The office reads it and corrects the listing."))
    except corrections.TooMany:
        messages.error(request, _("That was a lot in one hour. Try again later, or call the office."))
    return redirect("network:review", key=key)


def _sender(review: Review) -> str:
    """Under what name this link's messages are counted."""
    return f"review:{review.pk}"
