"""A household's plan: its days, giving it to the family, its paper; the path when somebody is in danger."""

import uuid
from typing import Any

from django.contrib import messages
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from parvis.accounts.rules import require
from parvis.cases import consents, glance
from parvis.cases.actions.moves import Refused
from parvis.cases.desk import UNPROCESSABLE, at_desk, looked, the_household
from parvis.cases.models import Household, Person
from parvis.cases.queries import Sight
from parvis.plans import actions, paper, queries, shown
from parvis.plans.dangers import dangers
from parvis.plans.forms import DaysForm


@at_desk()
def plan(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The whole plan with its drawing; its days; given to the family and agreed."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    panel = shown.household_panel(request, seen)
    if panel is None:
        raise Http404
    looked(request, seen.sight, [card.person.pk for card in seen.cards])
    page = {
        "household": found, "panel": panel, "writes": seen.writes, "heading": _("The plan"),
        "form": DaysForm(initial=_days(panel["plan"])), "papers": paper.LANGUAGES,
        "language": _language(seen.cards[0].person if seen.cards else None),
    }  # fmt: skip
    if request.method == "POST":
        require(seen.writes, "plans.plan.changed", found)
        return _post(request, found, page)
    return render(request, "plans/plan.html", page)


def _post(request: HttpRequest, found: Household, page: dict[str, Any]) -> HttpResponse:
    do, by = request.POST.get("do", ""), request.user
    try:
        if do == "give":
            actions.give(found, language=request.POST.get("language", "")[:20], by=by)  # type: ignore[arg-type]
        elif do == "agree":
            actions.agree(found, by=by)  # type: ignore[arg-type]
        else:
            form = DaysForm(request.POST)
            page["form"] = form
            if not form.is_valid():
                return render(request, "plans/plan.html", page, status=UNPROCESSABLE)

            def change() -> Any:
                return actions.set_days(found, form.cleaned_data, by=by)  # type: ignore[arg-type]

            lines = [] if "confirm" in request.POST else shown.lines_of(actions.preview(change))
            if lines:
                given = [(name, value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"]
                return render(request, "plans/preview.html", page | {"lines": lines, "given": given})
            change()
    except Refused as why:
        messages.error(request, str(why))
        return render(request, "plans/plan.html", page, status=UNPROCESSABLE)
    messages.success(request, _("Saved."))
    return redirect("plans:plan", pk=found.pk)


def _days(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in DaysForm.base_fields} if found else {}


def _language(head: Person | None) -> str:
    """The language of the family's paper: the head's, if we can write it."""
    wanted = (head.language if head else "").partition("-")[0]
    return wanted if wanted in paper.LANGUAGES else get_language() or "fr"


@at_desk()
def print_plan(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The plan as a PDF, in the language asked for, large if wanted."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    people = {card.person.pk: card.person for card in seen.cards}
    looked(request, seen.sight, people)
    head = seen.cards[0].person if seen.cards else None
    return _paper(request, seen.sight, found, people, head)


@transaction.atomic
def print_own(request: HttpRequest) -> HttpResponse:
    """The newcomer's own plan on paper."""
    person = consents.own(request.user)
    home = queries.own_home(person)
    sight = Sight(request.user, household=home.pk)
    return _paper(request, sight, home, queries.persons(sight), person)


def _paper(
    request: HttpRequest, sight: Sight, found: Household, people: dict[uuid.UUID, Person], head: Person | None
) -> HttpResponse:
    language = request.GET.get("language", "") or _language(head)
    if language not in paper.LANGUAGES:
        raise Http404
    board = queries.board(sight, found, people, language)
    if board is None:
        raise Http404
    link = request.build_absolute_uri(f"/{language if language in ('fr', 'en', 'ar', 'es') else 'fr'}/files/me")
    city = connection.tenant
    content = paper.pdf(
        board, language=language, large="large" in request.GET, link=link, who=paper.printed(head),
        office=str(getattr(city, "name", "")), telephone=str(getattr(city, "office_phone", "")),
    )  # fmt: skip
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{found.reference}-{language}.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer


@at_desk()
def danger(request: HttpRequest, pk: uuid.UUID, code: str) -> HttpResponse:
    """What to do now: whom to call, what the law asks, and where to write it down afterwards."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    require(seen.writes, "plans.danger", found)
    known = dangers(getattr(connection.tenant, "country", ""), get_language() or "fr")
    chosen = next((each for each in known if each.code == code), None)
    if chosen is None:
        raise Http404
    page = {"household": found, "danger": chosen, "heading": chosen.title, "cards": seen.cards}
    return render(request, "plans/danger.html", page)
