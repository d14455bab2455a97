"""Writing to somebody: a template or one's own words, looked at first, then sent."""

import uuid
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parvis.accounts.rules import require
from parvis.cases import queries as cases
from parvis.cases.desk import UNPROCESSABLE, at_desk, looked, the_person
from parvis.cases.models import Person
from parvis.kit.asked import keys
from parvis.kit.models import Delivery
from parvis.messaging import actions, queries, wordings
from parvis.messaging.forms import WriteForm, offered
from parvis.messaging.templates import Template

#: how many can be written to at once from a list
MOST = 200


def _template(request: HttpRequest) -> Template:
    asked = request.POST.get("template") or request.GET.get("template", "")
    by_code = {each.code: each for each in offered()}
    return by_code.get(asked) or by_code[wordings.CALL]


@at_desk()
def write(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """To a person, and if wished to those who live with them."""
    person = the_person(request, pk)
    require(cases.may_write(request.user, person.pk), "messaging.message.written", person)
    people = queries.with_home(request.user, person)
    looked(request, cases.Sight(request.user, [each.pk for each in people]))
    return _write(request, people, {"person": person, "heading": _("Write a message")}, chosen=[person])


@at_desk()
def write_many(request: HttpRequest) -> HttpResponse:
    """To the people chosen in a list (`person` repeated, in the query or the form), or to one's own caseload, all or
    those of a language; counted and looked at before."""
    asked = [*request.GET.getlist("person"), *request.POST.getlist("people")]
    if not asked and "language" in request.GET:
        people = queries.caseload(request.user, language=request.GET["language"], most=MOST)
    else:
        people = queries.writable(request.user, keys(asked)[:MOST])
    if not people:
        own = queries.caseload(request.user, most=10 * MOST)
        by_language = Counter(queries.base(each.language) for each in own if each.language)
        shown = {"heading": _("Write to several people"), "total": len(own), "languages": sorted(by_language.items())}
        return render(request, "messaging/nobody.html", shown)
    looked(request, cases.Sight(request.user, [each.pk for each in people]))
    return _write(request, people, {"heading": _("Write to several people"), "most": MOST}, chosen=people)


def _write(request: HttpRequest, people: list[Person], shown: dict[str, Any], *, chosen: list[Person]) -> HttpResponse:
    found = _template(request)
    initial = {"people": [str(each.pk) for each in chosen]}
    form = WriteForm(request.POST or None, chosen=found, people=people, initial=initial)
    shown |= {"form": form, "template": found, "templates": offered(), "people": people}
    if request.method != "POST":
        return render(request, "messaging/write.html", shown)
    if not form.is_valid():
        return render(request, "messaging/write.html", shown, status=UNPROCESSABLE)
    wanted = form.cleaned_data.get("people", [str(people[0].pk)])
    to = [each for each in people if str(each.pk) in wanted]
    how = {
        "context": form.context(),
        "channel": form.cleaned_data["channel"] or None,
        "urgent": form.cleaned_data["urgent"],
    }
    if request.POST.get("do") == "send":
        return _send(request, to, found, how)
    drafts = [(each, actions.draft(each, found.code, by=request.user, **how)) for each in to]  # type: ignore[arg-type]
    leaving = [one for one in drafts if not one[1].way.reason]
    given = [(name, value) for name in form.fields for value in request.POST.getlist(name)]
    shown |= {
        "drafts": drafts,
        "leaving": len(leaving),
        "staying": len(drafts) - len(leaving),
        "given": given,
        "mark": uuid.uuid4(),
    }
    return render(request, "messaging/preview.html", shown)


def _send(request: HttpRequest, to: list[Person], found: Template, how: dict[str, Any]) -> HttpResponse:
    # one form is one sending: pressed twice, sent once
    mark = request.POST.get("mark", "")[:36]
    sent = [
        actions.send(each, found.code, by=request.user, key=f"desk:{mark}:{each.pk}" if mark else "", **how)
        for each in to
    ]
    refused = [message for message in sent if message.delivery == Delivery.REFUSED]
    if len(sent) > len(refused):
        number = len(sent) - len(refused)
        messages.success(
            request,
            ngettext("%(n)s message is on its way.", "%(n)s messages are on their way.", number) % {"n": number},
        )
    for message in refused[:3]:
        messages.warning(request, f"{message.person.name}: {message.get_reason_display()}")
    if len(to) == 1:
        return redirect("messaging:person", pk=to[0].pk)
    return redirect("messaging:list")
