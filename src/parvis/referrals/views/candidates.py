"""Services for a person's need: which, in what order, and why."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_POST, require_safe

from parvis.cases.desk import UNPROCESSABLE, at_desk, looked
from parvis.cases.glance import Profile
from parvis.cases.models.profile import Domain
from parvis.cases.views.person import the_profile
from parvis.directory.finding import called
from parvis.referrals import actions, needs, queries, reasons
from parvis.referrals.candidates import PAGE, Candidate, Ranking, rank
from parvis.referrals.models import Unmet
from parvis.words.queries import render as said

TIMES = [
    ("any", __("At any time")), ("morning", __("In the morning")), ("afternoon", __("In the afternoon")),
    ("evening", __("In the evening")), ("weekend", __("At the weekend")),
]  # fmt: skip
LAST_PAGE = 400


class NeedForm(forms.Form):
    """What is looked for."""

    domain = forms.ChoiceField(label=__("Need"), choices=Domain.choices)
    times = forms.ChoiceField(label=__("When"), choices=TIMES)


class UnmetForm(forms.Form):
    """That nothing fits, and why."""

    domain = forms.ChoiceField(label=__("Need"), choices=Domain.choices, widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=__("Why nothing fits"), choices=[("", "—"), *Unmet.choices])


@at_desk()
@require_safe
def candidates(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Services for a need of a person whose file the viewer keeps. It writes nothing."""
    profile = the_profile(request, pk, "referrals.candidates")
    looked(request, profile.sight)
    return _shown(request, profile)


@at_desk()
@require_POST
def unmet(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Nothing fits: it is written down, and counts."""
    profile = the_profile(request, pk, "referrals.unmet")
    form = UnmetForm(request.POST)
    if not form.is_valid():
        return _shown(request, profile, form)
    made = actions.note_unmet(
        profile.person, form.cleaned_data["domain"], form.cleaned_data["reason"], by=request.user  # type: ignore[arg-type]
    )  # fmt: skip
    messages.success(request, _("Written down. It counts in what the city lacks, and ends when a service is asked."))
    if made.household_id:
        return redirect("cases:household", pk=made.household_id)
    return redirect("referrals:candidates", pk=pk)


@at_desk()
@require_POST
def over(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """It is no longer looked for."""
    found = queries.an_unmet_need(request.user, pk)
    actions.close_unmet(found, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("No longer looked for."))
    if found.household_id:
        return redirect("cases:household", pk=found.household_id)
    return redirect("referrals:candidates", pk=found.person_id)


def _shown(request: HttpRequest, profile: Profile, wrong: UnmetForm | None = None) -> HttpResponse:
    times = next((code for code, _name in TIMES if code == request.GET.get("times")), "any")
    wished: Any = "" if times == "any" else times
    domain = needs.ways(wrong["domain"].value() if wrong else request.GET.get("domain"))
    asked = request.GET.get("page", "")
    number = min(int(asked), LAST_PAGE) if asked.isascii() and asked.isdigit() and int(asked[:6]) else 1
    found = rank(request.user, needs.wanted(profile, domain, wished), timezone.now(), offset=(number - 1) * PAGE)
    total = sum(found.totals.values())
    shown = {
        "person": profile.person, "household": profile.member.household if profile.member else None,
        "heading": _("Services for a need"), "form": NeedForm(initial={"domain": domain, "times": times}),
        "lines": _lines(found.candidates), "ranking": found, "total": total, "page": number,
        "pages": min(-(-total // PAGE), LAST_PAGE), "domain": Domain(domain).label, "domain_code": domain,
        "unmet": wrong or UnmetForm(initial={"domain": domain, "reason": _likely(found)}),
        "counts": [(reasons.ANSWERS[answer], count) for answer, count in found.totals.items()],
    }  # fmt: skip
    return render(request, "referrals/candidates.html", shown, status=UNPROCESSABLE if wrong else 200)


def _likely(found: Ranking) -> str:
    """Why nothing fits, as far as the list tells."""
    if not sum(found.totals.values()):
        return Unmet.NOTHING
    return Unmet.NOT_ELIGIBLE if found.nothing_fits else ""


def _lines(found: tuple[Candidate, ...]) -> list[dict[str, Any]]:
    language = get_language() or "fr"
    texts = said({text for one in found for text in (one.name, one.organization_name, one.wait_time)}, language)
    return [
        {
            "one": one,
            "name": texts[one.name],
            "organization": texts.get(one.organization_name),
            "wait": texts.get(one.wait_time),
            "answer": reasons.ANSWERS[one.verdict.answer],
            "conditions": [(reason.answer.value, reasons.worded(reason)) for reason in one.verdict.reasons],
            "points": [(reasons.POINTS[code], f"{worth:+d}") for code, worth in one.points],
            "speaks": [called(tag, language) for tag in one.speaks],
        }
        for one in found
    ]
