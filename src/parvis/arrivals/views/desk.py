"""The short intake, what remains to be asked, and the switch of surge mode."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from parvis.accounts.actions import Refused
from parvis.accounts.rules import require
from parvis.arrivals import queries, rules
from parvis.arrivals.actions import desk
from parvis.arrivals.forms import SurgeForm
from parvis.arrivals.intake_forms import MOST_OTHERS, IntakeForm, WithFormSet, received
from parvis.cases.desk import UNPROCESSABLE, at_desk, the_household


@at_desk(rules.may_receive)
def intake(request: HttpRequest) -> HttpResponse:
    """One screen, one POST: a file with what can't wait. The plan is derived in the same transaction."""
    more = "more" in request.POST
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and more:
        count = data.get("with-TOTAL_FORMS", "")
        data["with-TOTAL_FORMS"] = str(min(MOST_OTHERS, (int(count) if count.isdecimal() else 0) + 3))
    form = IntakeForm(data)
    others = WithFormSet(data, prefix="with")
    if data is not None and not more and form.is_valid() and others.is_valid():
        household, new = desk.receive(received(form, others), by=request.user)  # type: ignore[arg-type]
        said = _("The file %(reference)s is open.") if new else _("The file %(reference)s was open already.")
        messages.success(request, said % {"reference": household.reference})
        return redirect("cases:household", pk=household.pk)
    shown = {
        "form": form, "others": others, "more": more, "surge": queries.surge(),
        "waiting": queries.short_files(request.user, 20),
    }  # fmt: skip
    failed = data is not None and not more
    return render(request, "arrivals/intake.html", shown, status=UNPROCESSABLE if failed else 200)


@at_desk(rules.may_receive)
def complete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The rest of a short intake was asked."""
    household = the_household(request, pk)
    found = queries.intake(household.pk)
    if request.method == "POST":
        desk.complete(found, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The file is no longer marked as short."))
    return redirect("cases:household", pk=pk)


def surge(request: HttpRequest) -> HttpResponse:
    """How the office works today; who may, turns surge mode on or off."""
    require(rules.may_see_surge(request.user), "arrivals.surge")
    form = SurgeForm(request.POST if "begin" in request.POST else None)
    if request.method == "POST":
        try:
            if "end" in request.POST:
                desk.end_surge(by=request.user)  # type: ignore[arg-type]
                messages.success(request, _("Surge mode is off."))
                return redirect("arrivals:surge")
            if form.is_valid():
                desk.begin_surge(form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]
                messages.success(request, _("Surge mode is on."))
                return redirect("arrivals:surge")
        except Refused as refused:
            form.add_error(None, refused.message)
    shown = {"form": form, "surge": queries.surge(), "may_switch": rules.may_switch_surge(request.user)}
    return render(request, "arrivals/surge.html", shown, status=UNPROCESSABLE if form.errors else 200)
