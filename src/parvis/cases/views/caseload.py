"""Who answers for which file: the caseload, handing over, restricting, closing."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext

from parvis.accounts.queries import holder as account_of
from parvis.accounts.rules import require
from parvis.cases import glance, queries
from parvis.cases.actions import caseload as actions
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, the_household
from parvis.cases.household_forms import AssignForm, DenialForm, HandOverForm, NamedForm
from parvis.cases.models import Household
from parvis.cases.views.household import moves_since, page
from parvis.kit.asked import keys

PER_PAGE = 50
TABS = {
    "mine": __("My files"), "due": __("Next contact due"), "team": __("My team"), "nobody": __("Without a lead worker"),
}  # fmt: skip


@at_desk()
def caseload(request: HttpRequest) -> HttpResponse:
    """Files by who answers for them; several can be handed over at once."""
    show = request.GET.get("show", "mine")
    show = show if show in TABS else "mine"
    number = max(1, int(asked)) if (asked := request.GET.get("page", "")).isdecimal() else 1
    counts = {code: glance.count(glance.caseload(request.user, code)) for code in TABS}
    found = glance.caseload(request.user, show)
    lines = glance.lines(found, request.user, show, (number - 1) * PER_PAGE, PER_PAGE)
    shown = {
        "tabs": [
            {"text": text, "url": f"?show={code}", "current": code == show, "count": _counted(counts[code])}
            for code, text in TABS.items()
        ],
        "show": show,
        "lines": [{"household": each, "due": _due(each)} for each in lines],
        "number": number,
        "pages": -(-counts[show] // PER_PAGE),
    }
    return render(request, "cases/caseload.html", shown)


def _counted(number: int) -> str:
    return f"{number}" if number < glance.MOST_COUNTED else f"{number}+"


def _due(each: Household) -> str:
    on = each.next_contact_on
    today = timezone.localdate()
    return "" if on is None else "past" if on < today else "soon" if on <= today + dt.timedelta(days=7) else "later"


@at_desk()
def hand_over(request: HttpRequest) -> HttpResponse:
    """One or several files go to another lead worker."""
    files = glance.picked(request.user, keys(request.GET.getlist("file") + request.POST.getlist("file")))
    if not files:
        messages.warning(request, _("Choose the files that change hands."))
        return redirect("cases:caseload")
    accounts = list(queries.workers(files[0].holder_id))
    form = HandOverForm(request.POST or None, accounts=accounts)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        done = actions.hand_over(files, given["to"], given["note"], stay=given["stay"], by=request.user)  # type: ignore[arg-type]
        said = ngettext("%(count)d file handed over to %(name)s.", "%(count)d files handed over to %(name)s.", done)
        messages.success(request, said % {"count": done, "name": given["to"]})
        return redirect("cases:caseload")
    shown = {"form": form, "files": files}
    return render(request, "cases/hand_over.html", shown, status=UNPROCESSABLE if form.is_bound else 200)


def _keeper(request: HttpRequest, pk: uuid.UUID, action: str) -> glance.Glance:
    """The household of the address, for who may change it."""
    seen = glance.household(request.user, the_household(request, pk))
    require(seen.writes, f"cases.household.{action}", seen.household)
    return seen


@at_desk()
def assign(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Lead, backup, next contact."""
    seen = _keeper(request, pk, "assigned")
    found = seen.household
    accounts = list(queries.workers(found.holder_id))
    now = {"lead": str(found.lead_worker_id or ""), "backup": str(found.backup_worker_id or ""),
           "next_contact_on": found.next_contact_on}  # fmt: skip
    form = AssignForm(request.POST or None, initial=now, accounts=accounts)
    shown = page(seen, form=form, heading=_("Workers and next contact"), version=found.version)
    if request.method != "POST":
        return render(request, "cases/assign.html", shown)
    if not form.is_valid():
        return render(request, "cases/assign.html", shown | {"version": _told(request)}, status=UNPROCESSABLE)
    try:
        actions.assign(found, **form.cleaned_data, version=_told(request), by=request.user)  # type: ignore[arg-type]
    except Refused as why:
        form.add_error(None, str(why))
        return render(request, "cases/assign.html", shown, status=UNPROCESSABLE)
    except Conflict:
        stale = {"stale": True, "events": moves_since(request, found)}
        return render(request, "cases/assign.html", shown | stale, status=CONFLICT)
    messages.success(request, _("Saved."))
    return redirect("cases:household", pk=pk)


def _told(request: HttpRequest) -> int:
    said = request.POST.get("version", "")
    return int(said) if said.isdecimal() else 0


@at_desk()
def close(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Close a file, or open it again: a page that says what it means, then it is done."""
    seen = _keeper(request, pk, "closed")
    found = seen.household
    is_open = found.state == "open"
    shown = page(seen, version=found.version, closing=is_open)
    if request.method != "POST":
        return render(request, "cases/close.html", shown)
    try:
        (actions.close if is_open else actions.reopen)(found, version=_told(request), by=request.user)  # type: ignore[arg-type]
    except Conflict:
        return render(request, "cases/close.html", shown | {"stale": True}, status=CONFLICT)
    except Refused as why:
        return render(request, "cases/close.html", shown | {"refused": str(why)}, status=UNPROCESSABLE)
    messages.success(request, _("The file is closed.") if is_open else _("The file is open again."))
    return redirect("cases:household", pk=pk)


@at_desk()
def access(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who may open the file: everybody of the organization or named people only; who is shut out."""
    seen = _keeper(request, pk, "access")
    found = seen.household
    accounts = [user for user in queries.workers(found.holder_id)
                if user.pk not in (found.lead_worker_id, found.backup_worker_id)]  # fmt: skip
    do = request.POST.get("do", "")
    names = NamedForm(request.POST if do == "name" else None, prefix="name", accounts=accounts)
    denials = DenialForm(
        request.POST if do == "deny" else None,
        prefix="deny",
        members=[card.member for card in seen.cards if card.member],
    )
    shown = page(
        seen, names=names, shut=denials, named=glance.named(found), denials=glance.denials(found),
        version=found.version, answers=request.user.pk in (found.lead_worker_id, found.backup_worker_id),
    )  # fmt: skip
    if request.method != "POST":
        return render(request, "cases/access.html", shown)
    try:
        done = _access(request, do, seen, shown)
    except Refused as why:
        return render(request, "cases/access.html", shown | {"refused": str(why)}, status=UNPROCESSABLE)
    except Conflict:
        return render(request, "cases/access.html", shown | {"stale": True}, status=CONFLICT)
    if not done:
        return render(request, "cases/access.html", shown, status=UNPROCESSABLE)
    messages.success(request, _("Saved."))
    return redirect("cases:access", pk=pk)


def _access(request: HttpRequest, do: str, seen: glance.Glance, shown: dict[str, Any]) -> bool:
    """One of the page's forms. False when it is not filled in well."""
    found, by = seen.household, request.user
    if do in ("restrict", "unrestrict"):
        actions.restrict(found, do == "restrict", version=_told(request), by=by)  # type: ignore[arg-type]
        return True
    if do == "name":
        form = shown["names"]
        if not form.is_valid():
            return False
        until = form.cleaned_data["until"]
        end = until and timezone.make_aware(dt.datetime.combine(until + dt.timedelta(days=1), dt.time()))
        actions.name_worker(found, form.cleaned_data["account"], end, by=by)  # type: ignore[arg-type]
        return True
    if do == "unname":
        row = next((each for each in shown["named"] if str(each.user_id) == request.POST.get("account")), None)
        if row is not None:
            actions.end_naming(found, row.user, by=by)  # type: ignore[arg-type]
        return row is not None
    if do == "deny":
        return _deny(seen, shown["shut"], by)
    if do == "undeny":
        row = next((each for each in shown["denials"] if str(each.pk) == request.POST.get("denial")), None)
        if row is not None:
            actions.end_denial(found, row, by=by)  # type: ignore[arg-type]
        return row is not None
    return False


def _deny(seen: glance.Glance, form: DenialForm, by: Any) -> bool:
    if not form.is_valid():
        return False
    user = account_of(form.cleaned_data["email"])
    if user is None:
        form.add_error("email", _("No account has this address."))
        return False
    person = next(card.person for card in seen.cards if card.person.pk == form.cleaned_data["person"])
    actions.deny(seen.household, person, user, by=by)
    return True
