"""Interpreters to book, by date; and the hours in which appointments are given."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from parvis.accounts.rules import require
from parvis.appointments import actions, queries, rules
from parvis.appointments.forms import AnswerForm, HoursForm, said
from parvis.cases import queries as cases
from parvis.cases.desk import UNPROCESSABLE, at_desk


@at_desk(rules.may_see_calendar)
def interpreters(request: HttpRequest) -> HttpResponse:
    """Appointments to come for which an interpreter is to be found, asked, or told that it is off."""
    lines = queries.to_interpret(request.user)
    here = queries.zone()
    page = {"lines": [{"line": each, "when": said(each.appointment.starts_at, here)} for each in lines]}
    return render(request, "appointments/interpreters.html", page)


@at_desk(rules.may_see_calendar)
def answer(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What an interpreter said: one click. Only POST."""
    found = queries.booking(request.user, pk)
    require(cases.may_write(request.user, found.person_id), "appointments.interpreter", found.appointment.household)
    if request.method != "POST":
        raise Http404
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return render(request, "appointments/interpreters.html", {"lines": [], "form": form}, status=UNPROCESSABLE)
    given = form.cleaned_data
    who = given["interpreter"] if "interpreter" in request.POST else None
    agency = queries.agency(given["organization"], who or "")
    actions.answer(found, given["state"], interpreter=who, organization=agency, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("Saved."))
    if request.POST.get("back") == "appointment":
        return redirect("appointments:appointment", pk=found.appointment_id)
    return redirect("appointments:interpreters")


@at_desk(rules.may_set_hours)
def hours(request: HttpRequest) -> HttpResponse:
    """When appointments are given: one's own hours, and for who runs the office, the office's."""
    office = rules.may_set_office_hours(request.user) and (
        request.GET.get("of") == "office" or not rules.may_see_calendar(request.user)
    )
    user = None if office else request.user
    form = HoursForm(request.POST or None, week=queries.hours(user))  # type: ignore[arg-type]
    page = {"form": form, "office": office, "own": queries.has_hours(user)}  # type: ignore[arg-type]
    if request.method != "POST":
        return render(request, "appointments/hours.html", page)
    if request.POST.get("do") == "usual":
        actions.set_hours(user, {}, by=request.user)  # type: ignore[arg-type]
    elif form.is_valid():
        actions.set_hours(user, form.cleaned_data["week"], by=request.user)  # type: ignore[arg-type]
    else:
        return render(request, "appointments/hours.html", page, status=UNPROCESSABLE)
    messages.success(request, _("Saved."))
    return redirect(request.get_full_path())
