"""The page of a household: who they are, what is urgent, what comes next; and what happens to it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.accounts.rules import require
from parvis.cases import consequences, glance, panels, queries, wording
from parvis.cases.actions import moves
from parvis.cases.actions.moves import Conflict, Move, Refused
from parvis.cases.actions.people import NewPerson
from parvis.cases.consents import reason_to_see
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, looked, the_household
from parvis.cases.glance import Glance
from parvis.cases.household_forms import CHANGES, RELATIONS, ArrivalForm, ChangeForm
from parvis.cases.models import Household
from parvis.cases.models.people import HouseholdState, Relation
from parvis.kit.asked import key
from parvis.ledger.queries import lookers

#: what can happen to a household -> its name, a sentence that helps to choose, an icon
HAPPENINGS: dict[str, tuple[Any, Any, str]] = {
    "birth": (__("A child is born"), __("The child gets a file of their own and lives with the head."), "child"),
    "add": (__("Somebody arrives"), __("A person without a file comes to live with them."), "plus"),
    "join": (__("Somebody known joins"), __("A person whose file exists comes to live with them."), "people"),
    "split": (__("The household splits"), __("Some leave and found a household of their own."), "share"),
    "head": (__("Another head of household"), __("Everybody's relation is told anew."), "person"),
    "relation": (__("A relation is other than noted"), __("For instance: a niece, not a daughter."), "link"),
    "moved": (__("Moved away"), __("Some or all no longer live here and are in the city."), "bus"),
    "left": (__("Left the city"), __("Some or all went to another city or country."), "out"),
    "death": (__("A death"), __("Somebody of the household has died."), "flag"),
    "mistake": (__("Entered by mistake"), __("A person who is not one of them, or is there twice."), "trash"),
}


@at_desk()
def household(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A household at a glance, as far as the viewer may see each person."""
    seen = glance.household(request.user, the_household(request, pk))
    looked(request, seen.sight, [card.person.pk for card in seen.cards])
    more = {"happenings": HAPPENINGS if seen.writes else {}, "panels": panels.shown(request, seen)}
    return render(request, "cases/household.html", page(seen, **more))


def page(seen: Glance, **more: Any) -> dict[str, Any]:
    """What every page below a household's shows."""
    cards = seen.cards
    return {
        "household": seen.household,
        "glance": seen,
        "cards": cards,
        "members": [card.person for card in cards],
        "head": cards[0].person if cards else None,
        "writes": seen.writes,
        "open": seen.household.state == HouseholdState.OPEN,
        "due": glance.expiry(seen.household.next_contact_on) == "past",
    } | more


# -- what happens to it -----------------------------------------------------------------------------------------------


@at_desk()
def change(request: HttpRequest, pk: uuid.UUID, what: str) -> HttpResponse:
    """Something happened: a form, then what will change, then it is done. Each step works without JavaScript."""
    if what not in HAPPENINGS:
        raise Http404
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    require(seen.writes, f"cases.household.{what}", found)
    form = _form(request, what, seen)
    shown = page(
        seen, form=form, what=what, heading=HAPPENINGS[what][0], help=HAPPENINGS[what][1], q=_asked(request),
        candidates=_candidates(request, seen) if what == "join" else [], chosen=_chosen(request),
    )  # fmt: skip
    if request.method != "POST" or "back" in request.POST:
        return render(request, "cases/change.html", shown)
    if not form.is_valid():
        return render(request, "cases/change.html", shown, status=UNPROCESSABLE)
    try:
        move = _move(request, what, seen, form.cleaned_data)
    except Refused as why:
        form.add_error(None, str(why))
        return render(request, "cases/change.html", shown, status=UNPROCESSABLE)
    version = _version(request, found)
    if "confirm" not in request.POST or version != found.version:
        return _preview(request, shown, move, stale=version != found.version)
    try:
        done = moves.carry_out(move, by=request.user, version=version)  # type: ignore[arg-type]
    except Conflict:
        return _preview(request, shown, move, stale=True)
    messages.success(request, _("Done. It stands in the history, where it can be taken back."))
    return redirect("cases:household", pk=done.pk if queries.may_write_household(request.user, done) else pk)


def _version(request: HttpRequest, found: Household) -> int:
    told = request.POST.get("version", "")
    return int(told) if told.isdecimal() else found.version


def _preview(request: HttpRequest, shown: dict[str, Any], move: Move, *, stale: bool) -> HttpResponse:
    """What will change. `stale`: somebody else changed the household since: both are shown, nothing is done."""
    events = moves_since(request, move.household) if stale else []
    relations = [
        {"person": begin.person, "name": f"relation-{begin.person.pk}", "relation": str(begin.relation)}
        for begin in move.begins
        if begin.person and begin.relation != Relation.HEAD and move.what not in ("joined", "related")
    ]
    follows = [] if stale else _follows(request, move)
    more = {"lines": wording.move(move), "follows": follows, "stale": stale, "events": events, "relations": relations,
            "choices": RELATIONS}  # fmt: skip
    return render(request, "cases/preview.html", shown | more, status=CONFLICT if stale else 200)


def _follows(request: HttpRequest, move: Move) -> list[wording.Line]:
    """What else it will do; nothing when somebody was quicker: that is told when it is carried out."""
    by, version = request.user, move.household.version
    try:
        return consequences.of(lambda: moves.carry_out(move, by=by, version=version))  # type: ignore[arg-type]
    except Conflict:
        return []


def moves_since(request: HttpRequest, found: Household) -> list[dict[str, Any]]:
    """The last things that happened to a household, for whoever was overtaken."""
    events = [event for event in glance.history(request.user, found.pk, limit=10) if not event.code.endswith(".seen")]
    return wording.told(events[:3])


def _form(request: HttpRequest, what: str, seen: Glance) -> Any:
    data = request.POST if request.method == "POST" else None
    if what in ("add", "birth"):
        return ArrivalForm(data, born=what == "birth")
    return ChangeForm(data, what=what, members=[card.member for card in seen.cards if card.member])


def _asked(request: HttpRequest) -> str:
    return str(request.POST.get("q") or request.GET.get("q") or "")[:200]


def _chosen(request: HttpRequest) -> str:
    return str(request.POST.get("known") or request.GET.get("known") or "")


def _candidates(request: HttpRequest, seen: Glance) -> list[queries.Found]:
    """People whose files may be changed and who are not here yet."""
    found = queries.search(request.user, _asked(request), size=12)
    here = {card.person.pk for card in seen.cards}
    writable = queries.Sight(request.user, [each.person.pk for each in found]).writes
    return [each for each in found if each.person.pk in writable - here]


def _move(request: HttpRequest, what: str, seen: Glance, given: dict[str, Any]) -> Move:
    found, on = seen.household, given["on"]
    said = {
        who: value
        for name, value in request.POST.items()
        if name.startswith("relation-") and value in Relation.values and (who := key(name.removeprefix("relation-")))
    }
    if what in ("add", "birth"):
        fields = {name: given[name] for name in NewPerson.__dataclass_fields__ if given.get(name)}
        return moves.add(found, NewPerson(**fields), on, born=what == "birth")
    if what == "join":
        joining = key(_chosen(request))
        if joining is None:
            raise Refused(_("Choose who joins."))
        person = queries.person(request.user, joining)
        return moves.join(request.user, found, person, given["relation"], on)
    if what == "split":
        return moves.split(found, given["people"], given["head"], on, said, given.get("new_head"))
    if what == "head":
        return moves.change_head(found, given["head"], on, said)
    if what == "relation":
        return moves.relate(found, given["person"], given["relation"], on)
    who = given["people"] if "people" in CHANGES[what] else [given["person"]]
    state = {"death": "deceased"}.get(what, what)
    return moves.leave(found, who, state, on, new_head=given.get("new_head"), relations=said)


# -- history ----------------------------------------------------------------------------------------------------------


@at_desk()
def story(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What was done to a household and in its people's files, for who keeps them."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    require(seen.writes, "cases.household.history", found)
    events = glance.events_of_household(request.user, seen)
    back = moves.undone(events)
    names = {card.person.pk: card.person.name for card in seen.cards}
    names |= {row.person_id: row.person.name for row in seen.former}

    def undo(event: Any) -> str:
        told = event.after or {}
        if event.code not in moves.UNDOABLE or "people" not in told or event.pk in back or event.object_id != found.pk:
            return ""
        return reverse("cases:undo", args=[found.pk, event.pk])

    told = wording.told(events, undo=undo, about=lambda event: names.get(event.object_id, ""), back=back)
    return render(request, "cases/history.html", page(seen, events=told))


@at_desk()
def undo(request: HttpRequest, pk: uuid.UUID, event: int) -> HttpResponse:
    """Take something back: what will change, then it is done; or why it can't be."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    require(seen.writes, "cases.household.undone", found)
    what = glance.event(found, event)
    shown = page(seen, event=wording.told([what])[0])
    try:
        move = moves.undo(what, found)
    except Refused as why:
        return render(request, "cases/undo.html", shown | {"refused": str(why)}, status=CONFLICT)
    version = _version(request, found)
    shown |= {"lines": wording.move(move), "follows": _follows(request, move), "stale": version != found.version}
    if request.method != "POST" or shown["stale"]:
        return render(request, "cases/undo.html", shown, status=CONFLICT if shown["stale"] else 200)
    try:
        moves.carry_out(move, by=request.user, version=version)  # type: ignore[arg-type]
    except Conflict:
        return render(request, "cases/undo.html", shown | {"stale": True}, status=CONFLICT)
    messages.success(request, _("It is taken back."))
    return redirect("cases:household", pk=pk)


@at_desk()
def lookers_of(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who has seen this file: each look at each person of the household, for who keeps the file."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    require(seen.writes, "cases.household.seen", found)
    looks = [(card.person, look) for card in seen.cards for look in lookers(card.person.pk)]
    looks.sort(key=lambda pair: pair[1].when, reverse=True)
    lines = [
        {"at": look.when, "by": str(look.who or look.label), "person": person, "why": reason_to_see(look.why),
         "what": wording.classes(look.fields)}
        for person, look in looks[:300]
    ]  # fmt: skip
    return render(request, "cases/seen.html", page(seen, looks=lines))
