"""One step: why it is there and why on that day; done, taken back, not applying, another day, another responsible."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from parvis.cases import queries as files
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, looked, writer
from parvis.kit.asked import keys
from parvis.plans import actions, queries, shown, wording
from parvis.plans.forms import AssignForm, DoneForm, PinForm, ReasonForm
from parvis.plans.models import Kind, Scope, State, Step


@at_desk()
def step(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Everything about a step, and what can be done with it. What moves others is shown before it is saved."""
    found, sight = queries.step(request.user, pk)
    looked(request, sight)
    if request.method != "POST":
        return render(request, "plans/step.html", _page(request, found, sight))
    writer(sight, found.person, f"plans.step.{request.POST.get('do', '')[:20]}")
    change, form, key = _change(request, found)
    if change is None:
        return render(request, "plans/step.html", _page(request, found, sight, **{key: form}), status=UNPROCESSABLE)
    try:
        moved = [] if "confirm" in request.POST else shown.lines_of(actions.preview(change))
        if moved:
            page = _page(request, found, sight, lines=moved, given=_given(request))
            return render(request, "plans/preview.html", page)
        change()
    except Refused as why:
        messages.error(request, str(why))
        return render(request, "plans/step.html", _page(request, found, sight), status=UNPROCESSABLE)
    except Conflict as conflict:
        messages.error(request, _("Somebody else changed this step meanwhile: look at it again."))
        return render(
            request,
            "plans/step.html",
            _page(request, queries.step(request.user, conflict.now.pk)[0], sight),
            status=CONFLICT,
        )
    messages.success(request, _("Saved. It can be taken back on the step's own page."))
    return redirect(_next(request, found))


def _change(request: HttpRequest, found: Step) -> tuple[Any, Any, str]:
    """What the reader asks for as a function; None with a form that says what is wrong."""
    do, by, version = request.POST.get("do", ""), request.user, _version(request)
    if do in ("undo", "unpin"):
        deed = {"undo": actions.undo, "unpin": actions.unpin}[do]
        return (lambda: deed(found, by=by, version=version)), None, ""  # type: ignore[arg-type]
    form: Any
    if do == "done":
        form, key = DoneForm(request.POST if "on" in request.POST else {**request.POST.dict(), "on": _today()}), "done"
        if form.is_valid():
            given = {"evidence": form.cleaned_data["evidence"], "on": form.cleaned_data["on"]}
            return (lambda: actions.complete(found, by=by, version=version, **given)), form, key  # type: ignore[arg-type]
    elif do == "not_applicable":
        form, key = ReasonForm(request.POST), "not_applicable"
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            return (lambda: actions.not_applicable(found, by=by, reason=reason, version=version)), form, key  # type: ignore[arg-type]
    elif do == "pin":
        form, key = PinForm(request.POST), "pin"
        if form.is_valid():
            return (lambda: actions.pin(found, by=by, version=version, **form.cleaned_data)), form, key  # type: ignore[arg-type]
    else:
        form, key = AssignForm(request.POST, choices=_choices(found)), "assign"
        if form.is_valid():
            chosen = _chosen(form.cleaned_data["who"], found)
            return (lambda: actions.assign(found, by=by, version=version, **chosen)), form, key  # type: ignore[arg-type]
    return None, form, key


def _today() -> str:
    return str(DoneForm().fields["on"].initial())  # type: ignore[operator]


def _version(request: HttpRequest) -> int | None:
    told = request.POST.get("version", "")
    return int(told) if told.isdecimal() else None


def _given(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "confirm")]


def _next(request: HttpRequest, found: Step) -> str:
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        return wanted
    return reverse("cases:household", args=[found.household_id]) + "#plan"


def _choices(found: Step) -> list[tuple[str, Any]]:
    """The lead worker by default, a colleague, or an organization with an agreement to work together."""
    workers = files.workers(found.household.holder_id)
    return [
        ("", _("The file's lead worker")),
        *((f"u{user.pk}", str(user)) for user in workers),
        *((f"o{each.pk}", each.name) for each in queries.partners()),
    ]


def _chosen(who: str, found: Step) -> dict[str, Any]:
    if who.startswith("u"):
        return {"user": files.workers(found.household.holder_id).get(pk=who[1:])}
    return {"organization": uuid.UUID(who[1:])} if who.startswith("o") else {}


def _page(request: HttpRequest, found: Step, sight: files.Sight, **more: Any) -> dict[str, Any]:
    language = get_language() or "fr"
    plan = queries.plan_of(request.user, found.household)
    titles = queries.titles_of(plan, language)
    writes = found.person_id in sight.writes
    known = queries.versions.of(plan.protocol_id).by_code.get(found.code) if plan else None
    names = queries.responsible_names([found])
    page = {
        "step": found,
        "household": found.household,
        "person": found.person if found.scope != Scope.HOUSEHOLD else None,
        "heading": titles(found.code),
        "why": wording.reasons(found.why, titles),
        "known": known,
        "done_when": queries.versions.say(known.done_when, language, "fr", "en") if known else "",
        "owner": wording.OWNERS.get(found.owner_role, found.owner_role),
        "responsible": names.get(found.responsible_user_id or found.responsible_org, _("The office")),
        "evidence": queries.opened(found, "evidence"),
        "reason": queries.opened(found, "reason"),
        "writes": writes,
        "open": found.state == State.OPEN,
        "legal": found.kind == Kind.LEGAL,
        "next": request.GET.get("next", ""),
        "done": DoneForm(),
        "not_applicable": ReasonForm(),
        "pin": PinForm(),
        "assign": AssignForm(choices=_choices(found)) if writes else None,
    }
    return page | more


@at_desk()
@require_POST
def several(request: HttpRequest) -> HttpResponse:
    """Many steps done at once, of several households."""
    chosen = queries.steps(request.user, keys(request.POST.getlist("step")))
    try:
        number = actions.complete_many(chosen, by=request.user, evidence=request.POST.get("evidence", ""))  # type: ignore[arg-type]
    except Refused as why:
        messages.error(request, str(why))
    else:
        said = ngettext("One step is done.", "%(n)s steps are done.", number) % {"n": number}
        messages.success(request, said)
    wanted = request.POST.get("next", "")
    safe = wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return redirect(wanted if safe else reverse("cases:find"))
