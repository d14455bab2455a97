"""Services for a person's need: which, in what order, and why."""

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_safe

from parvis.cases.desk import at_desk, looked
from parvis.cases.models.profile import Domain
from parvis.cases.views.person import the_profile
from parvis.directory.finding import called
from parvis.referrals import needs, reasons
from parvis.referrals.candidates import PAGE, Candidate, rank
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


@at_desk()
@require_safe
def candidates(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Services for a need of a person whose file the viewer keeps. It writes nothing."""
    profile = the_profile(request, pk, "referrals.candidates")
    looked(request, profile.sight)
    times = next((code for code, _name in TIMES if code == request.GET.get("times")), "any")
    wished: Any = "" if times == "any" else times
    domain = needs.ways(request.GET.get("domain"))
    asked = request.GET.get("page", "")
    number = min(int(asked), LAST_PAGE) if asked.isascii() and asked.isdigit() and int(asked[:6]) else 1
    found = rank(request.user, needs.wanted(profile, domain, wished), timezone.now(), offset=(number - 1) * PAGE)
    total = sum(found.totals.values())
    shown = {
        "person": profile.person, "household": profile.member.household if profile.member else None,
        "heading": _("Services for a need"), "form": NeedForm(initial={"domain": domain, "times": times}),
        "lines": _lines(found.candidates), "ranking": found, "total": total, "page": number,
        "pages": min(-(-total // PAGE), LAST_PAGE), "domain": Domain(domain).label, "domain_code": domain,
        "counts": [(reasons.ANSWERS[answer], count) for answer, count in found.totals.items()],
    }  # fmt: skip
    return render(request, "referrals/candidates.html", shown)


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
