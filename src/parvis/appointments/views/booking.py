"""One appointment: booked on one screen, seen, moved, cancelled, taken back."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.appointments import actions, queries, rules
from parvis.appointments.forms import BookForm, CancelForm, ChangeForm, TimeForm, said
from parvis.appointments.models import Appointment, Mode, State
from parvis.cases import glance
from parvis.cases import queries as cases
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, looked, the_household
from parvis.cases.models import Household, SpokenLanguage
from parvis.cases.models.people import Gender
from parvis.plans.models import State as Doing


def _minutes(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and 5 <= int(text) <= 600 else 45


def _worker(request: HttpRequest, household: Household, workers: list[User]) -> User:
    """Of whom free times are shown: who was chosen, else who answers for the file, else whoever asks."""
    asked = request.POST.get("worker") or request.GET.get("worker") or ""
    wanted = [asked, str(household.lead_worker_id or ""), str(request.user.pk)]
    by_key = {str(user.pk): user for user in workers}
    return next((by_key[key] for key in wanted if key in by_key), workers[0])


@at_desk(rules.may_see_calendar)
def new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Book an appointment for people of a household: one screen, with free times of the worker."""
    found = the_household(request, pk)
    seen = glance.household(request.user, found)
    writable = [card.person for card in seen.cards if card.person.pk in seen.sight.writes]
    require(bool(writable), "appointments.booked", found)
    spoken = [tag for card in seen.cards for tag in (card.person.language, *(row.language for row in card.languages))]
    workers = list(cases.workers(found.holder_id))
    worker = _worker(request, found, workers)
    free = queries.free(worker, _minutes(request.POST.get("minutes") or request.GET.get("minutes")))
    steps = queries.steps_of(seen.sight, found, {each.pk: each.name for each in writable})
    form = BookForm(
        request.POST or None, people=[(str(each.pk), each.name) for each in writable], steps=steps,
        languages=spoken, workers=workers, free=free,
        zone=queries.zone(),
        initial={**_first(writable[0], seen, worker, free), "for_step": request.GET.get("for_step", "")},
    )  # fmt: skip
    shown = {"household": found, "form": form, "heading": _("New appointment"), "worker": worker,
             "hidden": seen.hidden_address, "free": free}  # fmt: skip
    if request.method != "POST":
        return render(request, "appointments/new.html", shown)
    if "show" in request.POST:
        return render(request, "appointments/new.html", shown | {"form": _unjudged(form), "preview": _preview(form)})
    if not form.is_valid():
        return render(request, "appointments/new.html", shown, status=UNPROCESSABLE)
    given = form.cleaned_data
    people = {str(each.pk): each for each in writable}
    wanted = actions.Wanted(
        people=[people[key] for key in given["people"]], worker=given["worker"], starts_at=given["starts_at"],
        minutes=given["minutes"], kind=given["kind"], purpose=given["purpose"], place=given["place"],
        note=given["note"], for_step=given["for_step"],
        interpreting=actions.Interpreting(given["language"], given["dialect"], given["gender"],
                                          given["mode"] or Mode.IN_PERSON) if given["interpreter"] else None,
    )  # fmt: skip
    try:
        made = actions.book(found, wanted, by=request.user)  # type: ignore[arg-type]
    except Refused as why:
        form.add_error("slot", str(why))
        more = (
            _clash(request, wanted.worker, wanted.starts_at, wanted.minutes) if isinstance(why, actions.Taken) else {}
        )
        return render(request, "appointments/new.html", shown | more, status=UNPROCESSABLE)
    messages.success(request, _("Booked: %(when)s.") % {"when": said(made.starts_at, queries.zone())})
    return redirect("appointments:appointment", pk=made.pk)


def _first(person: Any, seen: glance.Glance, worker: User, free: list[Any]) -> dict[str, Any]:
    """What the form says before anybody has typed: the head comes, in their language."""
    spoken = next((card.languages for card in seen.cards if card.person.pk == person.pk), [])
    language = _spoken(person.language, spoken)
    return {
        "people": [str(person.pk)], "worker": str(worker.pk), "slot": free[0].isoformat() if free else "",
        "interpreter": person.interpreter, "language": person.language or (language.language if language else ""),
        "dialect": language.dialect if language else "",
        "gender": person.interpreter_gender if person.interpreter_gender in (Gender.FEMALE, Gender.MALE) else "",
    }  # fmt: skip


def _spoken(tag: str, spoken: list[SpokenLanguage]) -> SpokenLanguage | None:
    """The language in which the person is interpreted: the one they are written to in, else their first."""
    own = [row for row in spoken if row.language == tag] or [row for row in spoken if row.level == "native"]
    return next(iter(own), None)


def _unjudged(form: TimeForm) -> TimeForm:
    """The form as it was typed, without a word of what is missing."""
    form.is_valid()
    form._errors = {}  # type: ignore[assignment]
    return form


def _preview(form: TimeForm) -> str:
    """What was typed as another day and time, as the city's clocks say it."""
    starts_at = getattr(form, "cleaned_data", {}).get("starts_at")
    return said(starts_at, form.zone) if starts_at else ""


def _clash(request: HttpRequest, worker: User, starts_at: Any, minutes: int) -> dict[str, Any]:
    """What stands there already, as far as the viewer may know, and the next free times from that day on."""
    end = starts_at + dt.timedelta(minutes=minutes)
    theirs = queries.visible(request.user).filter(
        worker=worker, state__in=["booked", "arrived"], starts_at__lt=end, ends_at__gt=starts_at
    )
    found = queries.shown(request.user, theirs.select_related("household", "worker"))
    day = starts_at.astimezone(queries.zone()).date()
    others = [said(each, queries.zone()) for each in queries.free(worker, minutes, since=day, most=4)]
    return {"clash": found, "clashes": True, "others": others}


# -- one --------------------------------------------------------------------------------------------------------------


def _one(request: HttpRequest, pk: uuid.UUID) -> tuple[Appointment, queries.Shown, bool]:
    found = queries.one(request.user, pk)
    line = queries.with_step(request.user, queries.shown(request.user, [found], sealed=True)[0])
    return found, line, cases.may_write(request.user, found.person_id)


def _page(line: queries.Shown, writes: bool, **more: Any) -> dict[str, Any]:
    found = line.appointment
    return {
        "line": line, "appointment": found, "household": found.household, "writes": writes,
        "when": said(found.starts_at, queries.zone()),
        "offers_step": writes and found.state == State.DONE and line.step is not None and line.step.state == Doing.OPEN,
        "held_on": found.starts_at.astimezone(queries.zone()).date(), **more,
    }  # fmt: skip


def _change(request: HttpRequest, line: queries.Shown, given: Any = None) -> ChangeForm:
    """The form of place, note and step; a step that is done already stays among the choices."""
    found = line.appointment
    sight = cases.Sight(request.user, household=found.household_id)
    names = {person.pk: person.name for person in line.people}
    steps = queries.steps_of(sight, found.household, names)
    if line.step is not None and line.step.pk not in {step.pk for step, _ in steps}:
        steps = [(line.step, line.step_title), *steps]
    initial = {"place": line.place, "note": line.note, "sequence": found.sequence,
               "for_step": str(found.for_step_id or "")}  # fmt: skip
    return ChangeForm(given, steps=steps, initial=initial, prefix="change")


@at_desk(rules.may_see_calendar)
def appointment(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One appointment, and what became of it: each with one click, each can be taken back."""
    found, line, writes = _one(request, pk)
    looked(request, cases.Sight(request.user, [found.person_id]))
    change = _change(request, line) if writes else None
    return render(request, "appointments/appointment.html", _page(line, writes, change=change))


@at_desk(rules.may_see_calendar)
def step(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One of the buttons: arrived, done, missed, undone; or another place and note. Only POST."""
    found, line, writes = _one(request, pk)
    require(writes, "appointments.changed", found.household)
    do = request.POST.get("do", "")
    if request.method != "POST" or (do not in actions.STEPS and do != "change") or do == "cancelled":
        raise Http404
    told = request.POST.get("sequence", request.POST.get("change-sequence", ""))
    sequence = int(told) if told.isdecimal() else None
    try:
        if do == "change":
            form = _change(request, line, request.POST)
            if not form.is_valid():
                page = _page(line, writes, change=form)
                return render(request, "appointments/appointment.html", page, status=UNPROCESSABLE)
            given = form.cleaned_data
            actions.rewrite(
                found, given["place"], given["note"], for_step=given["for_step"],
                by=request.user, sequence=sequence,  # type: ignore[arg-type]
            )  # fmt: skip
        else:
            actions.step(found, do, by=request.user, sequence=sequence)  # type: ignore[arg-type]
    except Conflict:
        messages.warning(request, _("Somebody else has changed this appointment meanwhile: this is how it stands now."))
        return redirect("appointments:appointment", pk=pk)
    except Refused as why:
        change = _change(request, line)
        return render(
            request, "appointments/appointment.html", _page(line, writes, change=change, refused=str(why)),
            status=CONFLICT,
        )  # fmt: skip
    messages.success(request, _("Saved."))
    return redirect(_next(request) or reverse("appointments:appointment", args=[pk]))


def _next(request: HttpRequest) -> str:
    """Back to the calendar, where the button was there."""
    asked = request.POST.get("next", "")
    return asked if asked.startswith(reverse("appointments:calendar")) and "//" not in asked else ""


@at_desk(rules.may_see_calendar)
def move(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another time or worker."""
    found, line, writes = _one(request, pk)
    require(writes, "appointments.moved", found.household)
    workers = list(cases.workers(found.household.holder_id))
    worker = _worker(request, found.household, workers)
    if not request.POST and "worker" not in request.GET and found.worker in workers:
        worker = found.worker
    minutes = _minutes(request.POST.get("minutes") or str(found.minutes))
    free = queries.free(worker, minutes, but=found if found.worker_id == worker.pk and found.is_open else None)
    initial = {"worker": str(worker.pk), "minutes": found.minutes, "sequence": found.sequence,
               "slot": free[0].isoformat() if free else ""}  # fmt: skip
    form = TimeForm(request.POST or None, workers=workers, free=free, zone=queries.zone(), initial=initial)
    page = _page(line, writes, form=form, heading=_("Move the appointment"), worker=worker)
    if request.method != "POST":
        return render(request, "appointments/move.html", page)
    if "show" in request.POST:
        return render(request, "appointments/move.html", page | {"form": _unjudged(form), "preview": _preview(form)})
    if not form.is_valid():
        return render(request, "appointments/move.html", page, status=UNPROCESSABLE)
    given = form.cleaned_data
    try:
        now = actions.move(
            found, given["starts_at"], minutes=given["minutes"], worker=given["worker"],
            sequence=given["sequence"], by=request.user,  # type: ignore[arg-type]
        )  # fmt: skip
    except Conflict:
        return render(request, "appointments/move.html", page | {"stale": True}, status=CONFLICT)
    except Refused as why:
        form.add_error("slot", str(why))
        more = (
            _clash(request, given["worker"], given["starts_at"], given["minutes"])
            if isinstance(why, actions.Taken) else {}
        )  # fmt: skip
        return render(request, "appointments/move.html", page | more, status=UNPROCESSABLE)
    messages.success(request, _("Moved: %(when)s.") % {"when": said(now.starts_at, queries.zone())})
    return redirect("appointments:appointment", pk=pk)


@at_desk(rules.may_see_calendar)
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """It does not take place: why."""
    found, line, writes = _one(request, pk)
    require(writes, "appointments.cancelled", found.household)
    form = CancelForm(request.POST or None, initial={"sequence": found.sequence})
    page = _page(line, writes, form=form, heading=_("Cancel the appointment"))
    if request.method != "POST":
        return render(request, "appointments/cancel.html", page)
    if not form.is_valid():
        return render(request, "appointments/cancel.html", page, status=UNPROCESSABLE)
    given = form.cleaned_data
    try:
        actions.step(found, "cancelled", reason=given["reason"], sequence=given["sequence"], by=request.user)  # type: ignore[arg-type]
    except Conflict:
        return render(request, "appointments/cancel.html", page | {"stale": True}, status=CONFLICT)
    except Refused as why:
        form.add_error(None, str(why))
        return render(request, "appointments/cancel.html", page, status=CONFLICT)
    messages.success(request, _("Cancelled. It can be taken back here."))
    return redirect("appointments:appointment", pk=pk)
