"""The newcomer's own page: what is kept of them, with whom it is shared, who looked at it."""

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from parvis.cases import consents, panels
from parvis.cases.actions import sharing
from parvis.cases.models.sharing import Channel
from parvis.cases.showing import sections
from parvis.core.access import SELF


@transaction.atomic
def me(request: HttpRequest) -> HttpResponse:
    """One page, short enough for a small telephone: everything about oneself, and every way to say no."""
    person = consents.own(request.user)
    if person is None:
        return render(request, "cases/me/nobody.html")
    told = consents.of_person(request.user, person.pk)
    page = {
        "person": person,
        "sections": [one for one in sections(request.user, person, SELF) if one.facts],
        "consents": [one for one in told if one.state in (consents.State.IN_FORCE, consents.State.NO_AGREEMENT)],
        "over": [one for one in told if one.state in (consents.State.EXPIRED, consents.State.WITHDRAWN)],
        "looks": consents.looks(request.user, person.pk),
        "panels": panels.shown_own(request, person),
    }
    return render(request, "cases/me/me.html", page)


@transaction.atomic
def withdraw(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a consent back, by oneself: it is asked once whether one is sure, and never why."""
    person = consents.own(request.user)
    told = consents.one(request.user, pk)
    if person is None or told.consent.person_id != person.pk:
        raise Http404
    if request.method == "POST":
        try:
            sharing.withdraw(told.consent, channel=Channel.LINK, by=request.user)  # type: ignore[arg-type]
        except sharing.Wrong as wrong:
            messages.error(request, str(wrong.message))
        else:
            messages.success(request, _("Taken back. It is closed already."))
        return redirect("cases:me")
    return render(request, "cases/me/withdraw.html", {"told": told, "person": person})
