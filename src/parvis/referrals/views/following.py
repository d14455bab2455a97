"""Lists of referrals and one of them: what waits for whom, what was said, what can be said now."""

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk
from parvis.core.referral import Overdue, Party
from parvis.ledger.actions import seen
from parvis.orgs.rules import is_partner
from parvis.referrals import actions, links, queries, rules, wording
from parvis.referrals.actions import Word
from parvis.referrals.forms import PlacesForm, WordForm
from parvis.referrals.models import Referral, State, Way

PAGE = 50


@at_desk(rules.may_see_referrals)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """What one's organization was asked, or what one follows: by the nearest clock."""
    sides = [("received", _("Sent to us"))] if is_partner(request.user) else []
    sides.append(("sent", _("Sent by us")))
    side = request.GET.get("side", "")
    side = side if side in [code for code, _name in sides] else sides[0][0]
    show = request.GET.get("show", "")
    show = show if show in queries.SHOWS else "waiting"
    counts = queries.counts(request.user, side)
    asked = request.GET.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked[:5]) < 10_000 else 1
    found = queries.listed(request.user, show, side=side, offset=(number - 1) * PAGE, size=PAGE)
    _looked(request, [line.referral for line in found if line.person])
    page = {
        "lines": found, "side": side, "show": show, "heading": _("Referrals"), "page": number,
        "sides": [{"text": name, "url": f"?side={code}&show={show}", "current": code == side} for code, name in sides],
        "tabs": [
            {"text": wording.SHOWS[code], "url": f"?side={side}&show={code}", "current": code == show,
             "count": counts[code]}
            for code in queries.SHOWS
        ],
        "pages": max(1, -(-counts[show] // PAGE)), "late": wording.OVERDUE,
    }  # fmt: skip
    return render(request, "referrals/inbox.html", page)


@at_desk(rules.may_see_referrals)
@require_safe
def referral(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One referral, whole. A recipient who opens it has seen it."""
    found = queries.one(request.user, pk)
    if found.state == State.SENT and Party.RECIPIENT in queries.parties(request.user, found):
        found = actions.say(found, Word(State.SEEN), by=request.user, party=Party.RECIPIENT)  # type: ignore[arg-type]
    return render(request, "referrals/referral.html", _page(request, found))


@at_desk(rules.may_see_referrals)
def say(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer, ask, withdraw, end: one form each, on the referral's page and in the lists."""
    found = queries.one(request.user, pk)
    if request.method != "POST":
        return redirect("referrals:referral", pk=pk)
    state = request.POST.get("state", "")
    telephone, heard = request.POST.get("way") == Way.TELEPHONE, request.POST.get("way") == Way.PERSON
    party = Party.PERSON if heard else _party(request, found, state, telephone)
    form = WordForm(request.POST, state=state, telephone=telephone)
    if not form.is_valid():
        return render(request, "referrals/referral.html", _page(request, found, wrong=form), status=UNPROCESSABLE)
    given = form.cleaned_data
    word = Word(
        state, given.get("reason", ""), given["text"], given.get("appointment_at"), given.get("spoken_with", "")
    )
    way = Way.TELEPHONE if telephone else Way.PERSON if heard else Way.USER
    version = request.POST.get("version", "")
    try:
        actions.say(
            found, word, by=request.user, party=party, way=way, version=int(version) if version.isdecimal() else None
        )  # type: ignore[arg-type]
    except Refused as why:
        messages.error(request, str(why))
        return render(request, "referrals/referral.html", _page(request, found, wrong=form), status=UNPROCESSABLE)
    except Conflict:
        messages.error(request, _("Somebody said something meanwhile: look at it again."))
        found = queries.one(request.user, pk)
        return render(request, "referrals/referral.html", _page(request, found), status=CONFLICT)
    messages.success(request, _("Noted: %(state)s.") % {"state": State(state).label})
    return redirect("referrals:referral", pk=pk)


@at_desk(rules.may_see_referrals)
@require_POST
def send_link(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Mail them a link by which they answer without an account."""
    found = queries.one(request.user, pk)
    try:
        to = actions.send_link(found, by=request.user)  # type: ignore[arg-type]
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, _("A link is on its way to %(address)s.") % {"address": to})
    return redirect("referrals:referral", pk=pk)


@transaction.atomic
def own(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The person's own word, from their own page: did it help?"""
    found = queries.one(request.user, pk)
    if Party.PERSON not in queries.parties(request.user, found):
        raise Http404
    if request.method == "POST":
        state = State.CONFIRMED if request.POST.get("helped") == "yes" else State.DISPUTED
        try:
            actions.say(found, Word(state), by=request.user, party=Party.PERSON, way=Way.PERSON)  # type: ignore[arg-type]
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, _("Thank you. The office sees what you said."))
    return redirect("cases:me")


@at_desk(rules.may_see_referrals)
def places(request: HttpRequest, service: uuid.UUID) -> HttpResponse:
    """How many a service can take: one field."""
    found = queries.a_service(service)
    if found is None or not rules.may_say_places(request.user, found.organization_id):
        raise Http404
    intake = queries.intake(found.pk)
    form = PlacesForm(request.POST or None, initial={"offered": intake.offered, "waitlist": intake.waitlist})
    if request.method == "POST" and form.is_valid():
        try:
            actions.say_places(found, **form.cleaned_data, by=request.user)  # type: ignore[arg-type]
        except Refused as why:
            form.add_error("offered", str(why))
        else:
            messages.success(request, _("Noted. Nobody was named."))
            return redirect("referrals:inbox")
    page = {"service": found, "form": form, "intake": intake, "heading": _("Places")}
    return render(request, "referrals/places.html", page, status=UNPROCESSABLE if form.errors else 200)


def _party(request: HttpRequest, found: Referral, state: str, telephone: bool) -> Party:
    """On whose behalf this is said: the one of the viewer's sides from which it can be."""
    if telephone:
        return Party.RECIPIENT
    mine = queries.parties(request.user, found)
    for party in Party:
        if party in mine and state in queries.ways_on(found, party):
            return party
    return next(iter(mine & {Party.SENDER, Party.RECIPIENT}), Party.SENDER)


def _looked(request: HttpRequest, found: list[Referral]) -> None:
    """The names on a page were looked at."""
    if found:
        seen([row.person_id for row in found], by=request.user, of=Referral._meta.get_field("person").related_model,
             fields=["identity"])  # fmt: skip


def _page(request: HttpRequest, found: Referral, wrong: WordForm | None = None) -> dict[str, Any]:
    told = queries.story(request.user, found)
    if told.line.person:
        _looked(request, [found])
    mine = queries.parties(request.user, found)
    offers, typed = [], []
    for party in (Party.RECIPIENT, Party.SENDER):
        if party in mine:
            offers += [offer(state, wrong) for state in offered(found, party)]
    if Party.SENDER in mine and Party.RECIPIENT not in mine:
        typed = [offer(state, wrong, telephone=True) for state in offered(found, Party.RECIPIENT)]
    return {
        "referral": found, "told": told, "line": told.line, "heading": _("Referral"), "offers": offers, "typed": typed,
        "sender": Party.SENDER in mine, "recipient": Party.RECIPIENT in mine,
        "household": found.household if Party.SENDER in mine else None,
        "person": told.line.person if Party.SENDER in mine else None,
        "late": [wording.OVERDUE[each] for each in Overdue if each & found.overdue], "clocks": wording.clocks(found),
        "ended": found.ended_at is not None,
        "link_to": links.address(found.organization) if Party.SENDER in mine and found.ended_at is None else "",
        "heard": queries.ways_on(found, Party.PERSON) if Party.SENDER in mine else [],
        "tone": wording.TONES.get(found.state, ""),
    }  # fmt: skip


def offered(found: Referral, party: Party) -> list[State]:
    """What may follow; that a recipient has seen it is said by their looking."""
    return [state for state in queries.ways_on(found, party) if state != State.SEEN or party is Party.SENDER]


def offer(state: State, wrong: WordForm | None, *, telephone: bool = False) -> dict[str, Any]:
    """A state that may follow, its button and its form; the one that was wrong keeps what was typed."""
    mine = wrong is not None and wrong["state"].value() == state and ("spoken_with" in wrong.fields) == telephone
    form = wrong if mine else WordForm(state=state, telephone=telephone)
    return {"state": state, "deed": wording.DEED.get(state, state.label), "form": form, "open": mine,
            "icon": wording.ICONS.get(state, "forward")}  # fmt: skip
