"""The office's messages: what waits, what left, what did not and why; one message; those of a person."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_POST

from parvis.cases import queries as cases
from parvis.cases.desk import UNPROCESSABLE, at_desk, looked, the_person
from parvis.kit.models import Delivery
from parvis.messaging import actions, queries, rules, words
from parvis.messaging.forms import MannersForm
from parvis.messaging.models import Channel, Message, OptOut
from parvis.messaging.templates import name_of

SIZE = 50
TABS = {
    "trouble": (__("To look at"), "warning"),
    "waiting": (__("Waiting"), "clock"),
    "sent": (__("Sent"), "check"),
    "cancelled": (__("Cancelled"), "close"),
}
TONES = {
    Delivery.WAITING: "info", Delivery.SENDING: "info", Delivery.SENT: "good", Delivery.FAILED: "bad",
    Delivery.REFUSED: "warn", Delivery.UNKNOWN: "warn", Delivery.CANCELLED: "",
}  # fmt: skip


def line(message: Message) -> dict[str, Any]:
    """What a list says of one message."""
    return {
        "message": message,
        "what": name_of(message.template),
        "tone": TONES[Delivery(message.delivery)],
        "icon": "mail" if message.channel == Channel.EMAIL else "phone",
        "may_cancel": message.delivery == Delivery.WAITING,
        "may_again": actions.may_be_sent_again(message),
    }


def peers(request: HttpRequest) -> list[dict[str, Any]]:
    """Servers that take nothing at present, as the warning tells of them."""
    return [{"peer": each, "name": words.PEERS.get(each.name, each.name)} for each in queries.failing(request.user)]


@at_desk()
def messages_list(request: HttpRequest) -> HttpResponse:
    """The messages of everybody whom the viewer may see, list by list."""
    counts = queries.counts(request.user)
    usual = "trouble" if counts["trouble"] else "waiting"
    show = request.GET.get("show", "")
    show = show if show in TABS else usual
    number = int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdecimal() else 1
    pages = max(1, -(-counts[show] // SIZE))
    number = min(max(number, 1), pages)
    found = queries.page(request.user, show, offset=(number - 1) * SIZE, size=SIZE)
    looked(request, cases.Sight(request.user, {message.person_id for message in found}))
    tabs = [
        {"text": text, "icon": icon, "url": f"?show={name}", "count": counts[name], "current": name == show}
        for name, (text, icon) in TABS.items()
    ]
    shown = {
        "tabs": tabs, "show": show, "lines": [line(message) for message in found], "number": number, "pages": pages,
        "peers": peers(request), "quiet": rules.quiet(), "may_set": rules.may_set_manners(request.user),
    }  # fmt: skip
    return render(request, "messaging/list.html", shown)


@at_desk()
def person(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The messages to one person, and whether they want any."""
    found = the_person(request, pk)
    sight = cases.Sight(request.user, [found.pk])
    if request.method == "POST":
        return _wants(request, found)
    looked(request, sight)
    out = {each.channel: each for each in queries.opt_outs(request.user, found.pk)}
    shown = {
        "person": found,
        "heading": _("Messages"),
        "lines": [line(told.message) | {"told": told} for told in queries.of_person(request.user, found.pk)],
        "writes": found.pk in sight.writes,
        "channels": [{"code": code, "name": name, "out": out.get(code)} for code, name in Channel.choices],
        "peers": peers(request),
    }
    return render(request, "messaging/person.html", shown)


def _wants(request: HttpRequest, found: Any) -> HttpResponse:
    channel = request.POST.get("channel", "")
    if channel in Channel.values and request.POST.get("do") == "out":
        actions.opt_out(found, channel, OptOut.How.DESK, by=request.user)
        messages.success(request, _("Nothing is sent to this person this way any more."))
    elif channel in Channel.values and request.POST.get("do") == "in":
        actions.opt_in(found, channel, by=request.user)
        messages.success(request, _("This person can be written to again."))
    else:
        return HttpResponse(status=UNPROCESSABLE)
    return redirect("messaging:person", pk=found.pk)


@at_desk()
def message(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One message as it left or will leave; to cancel it, or to send it again."""
    told = queries.one(request.user, pk)
    found = told.message
    sight = cases.Sight(request.user, [found.person_id])
    if request.method == "POST":
        return _decide(request, found)
    looked(request, sight)
    state = line(found)
    shown = state | {
        "state": state,
        "told": told,
        "person": found.person,
        "heading": _("Message"),
        "writes": found.person_id in sight.writes,
        "in_doubt": found.delivery == Delivery.UNKNOWN,
        "peers": peers(request),
    }
    return render(request, "messaging/message.html", shown)


def _decide(request: HttpRequest, found: Message) -> HttpResponse:
    do, by = request.POST.get("do"), request.user
    if do == "cancel":
        done, said = actions.cancel(found, by=by), _("The message is cancelled.")
    elif do in ("again", "now"):
        again = actions.send_again(found, by=by, at_chosen_time=do == "now")  # type: ignore[arg-type]
        if again is not None and again.delivery == Delivery.REFUSED:
            messages.warning(request, again.get_reason_display())
            return redirect("messaging:message", pk=found.pk)
        done, said = again is not None, _("The message is sent again.")
    elif do == "arrived":
        done, said = actions.note_arrived(found, by=by), _("It is noted that the message arrived.")  # type: ignore[arg-type]
    else:
        return HttpResponse(status=UNPROCESSABLE)
    if done:
        messages.success(request, said)
    else:
        messages.warning(request, _("Something else became of this message meanwhile: look again."))
    return redirect((request.POST.get("next") == "list" and "messaging:list") or found_url(found))


def found_url(found: Message) -> str:
    return reverse("messaging:message", args=[found.pk])


@at_desk(rules.is_office)
def manners(request: HttpRequest) -> HttpResponse:
    """The quiet hours: seen by the office, set by its administrators."""
    may_set = rules.may_set_manners(request.user)
    form = MannersForm(request.POST or None, initial=MannersForm.of_city())
    if request.method == "POST":
        if form.is_valid():
            actions.set_manners(**form.cleaned_data, by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("The quiet hours are set."))
            return redirect("messaging:manners")
        if not may_set:
            actions.require(False, "messaging.manners.set")
    shown = {"form": form, "may_set": may_set, "quiet": rules.quiet(), "peers": peers(request)}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "messaging/manners.html", shown, status=status)


@require_POST
@at_desk(rules.is_office)
def peer(request: HttpRequest, name: str) -> HttpResponse:
    """Try a server at once that was left alone."""
    actions.try_peer(name, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("It is tried again within seconds."))
    return redirect("messaging:list" if cases.rules.may_see_files(request.user) else "messaging:manners")
