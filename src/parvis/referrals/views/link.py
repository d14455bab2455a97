"""The page that an organization opens by the link in its mail. Nobody signs in: the key is the secret.

The page sends its address nowhere (no referrer), so browsers send no origin with its forms either; they need none, the
key in their address is known to nobody else.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from parvis.cases import queries as cases
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE
from parvis.cases.models import Person
from parvis.cases.rules import Holder
from parvis.cases.showing import sections
from parvis.core.access import DataClass
from parvis.core.referral import Party
from parvis.kit.acting import acting_by_link
from parvis.ledger.actions import seen
from parvis.referrals import actions, links, queries, wording
from parvis.referrals.actions import Word
from parvis.referrals.forms import WordForm
from parvis.referrals.models import Referral, State, Way
from parvis.referrals.views.following import offer, offered

GONE = 410
View = Callable[..., HttpResponse]


def _outside(view: View) -> View:
    """A page for whoever holds the key: found by nobody, kept by nobody, told to nobody."""

    @csrf_exempt
    @never_cache
    @login_not_required
    @wraps(view)
    def answered(request: HttpRequest, key: str) -> HttpResponse:
        response = view(request, key)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return answered


@_outside
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, key: str) -> HttpResponse:
    """One referral: opened by a click (mail programs open links by themselves), then answered."""
    found = links.opened(key)
    if found is None:
        raise Http404
    if not found.is_open:
        return _closed(request, key, found, 409 if request.method == "POST" else GONE)
    with acting_by_link(links.hashed(key)), transaction.atomic():
        holder = Holder(found.referral)
        return (_said if request.method == "POST" else _shown)(request, key, holder, queries.by_link(holder))


@_outside
@require_POST
def renew(request: HttpRequest, key: str) -> HttpResponse:
    """A new link to the organization's own address."""
    found = links.opened(key)
    if found is None:
        raise Http404
    if not found.is_over and not found.is_open:
        try:
            links.renew(key)
            messages.success(request, _("A new link is on its way to your organization’s own address."))
        except links.TooMany:
            messages.error(
                request, _("Enough links were sent today. Look into your organization’s mail, or call the office.")
            )
        except Refused as why:
            messages.error(request, str(why))
    return redirect("referrals:link", key=key)


def _closed(request: HttpRequest, key: str, found: links.Opened, status: int) -> HttpResponse:
    page = {"key": key, "found": found, "service": queries.a_service(found.service),
            "label": State(found.state).label}  # fmt: skip
    return render(request, "referrals/link_closed.html", page, status=status)


def _said(request: HttpRequest, key: str, holder: Holder, row: Referral) -> HttpResponse:
    state, version = request.POST.get("state", ""), request.POST.get("version", "")
    if state not in [each.value for each in queries.ways_on(row, Party.RECIPIENT)]:
        return _shown(request, key, holder, row, status=CONFLICT if state in State.values else UNPROCESSABLE)
    form = WordForm(request.POST, state=state)
    if not form.is_valid():
        return _shown(request, key, holder, row, wrong=form, status=UNPROCESSABLE)
    given = form.cleaned_data
    word = Word(state, given.get("reason", ""), given["text"], given.get("appointment_at"))
    expected = int(version) if version.isdecimal() and len(version) < 9 else None
    try:
        actions.say(row, word, by=holder, party=Party.RECIPIENT, way=Way.LINK, version=expected)
    except Refused as why:
        messages.error(request, str(why))
        return _shown(request, key, holder, row, wrong=form, status=UNPROCESSABLE)
    except Conflict as now:
        messages.error(request, _("Somebody said something meanwhile: look at it again."))
        return _shown(request, key, holder, now.now, status=CONFLICT)
    if state != State.SEEN:
        messages.success(request, _("Noted: %(state)s.") % {"state": State(state).label})
    return redirect("referrals:link", key=key)


def _shown(
    request: HttpRequest, key: str, holder: Holder, row: Referral, wrong: WordForm | None = None, status: int = 200
) -> HttpResponse:
    page: dict[str, Any] = {
        "key": key, "link": reverse("referrals:link", args=[key]), "referral": row,
        "tone": wording.TONES.get(row.state, ""), "clocks": wording.clocks(row),
    }  # fmt: skip
    if row.state != State.SENT or wrong is not None:
        told = queries.story(holder, row)
        page |= {"told": told, "sections": _facts(holder, row, told.line.person)}
        page["offers"] = [offer(state, wrong) for state in offered(row, Party.RECIPIENT)]
    return render(request, "referrals/link.html", page, status=status)


def _facts(holder: Holder, row: Referral, person: Person | None) -> list[Any]:
    """What the referral shares of the person, and the trace that somebody read it."""
    if person is None:
        return []
    classes, _writes = cases.classes_of(holder, person.pk)
    known = [str(member.name).lower() for member in DataClass if member & classes]
    seen([person.pk], by=links.BY_LINK, of=Person, fields=known)
    return sections(holder, person, classes.value, company=[person.pk])
