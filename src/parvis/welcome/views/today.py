"""Today: what an agent's day is made of, and what is done to its steps: one, or several at once."""

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from parvis.appointments.models import Kind as Place
from parvis.appointments.models import Purpose
from parvis.arrivals import queries as arrivals
from parvis.cases import queries
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk
from parvis.cases.models import Person
from parvis.cases.models.base import OFFICE
from parvis.kit.models import Delivery
from parvis.ledger.actions import seen
from parvis.messaging.models import Message
from parvis.welcome import day, offline, rules, steps

WHOSE = {"mine": __("Mine"), "team": __("My team"), "office": __("The whole office")}
TITLES = {
    "legal": __("Legal deadlines: late, or within five days"), "overdue": __("Overdue"), "due": __("Due today"),
    "appointments": __("Today’s appointments"), "arrivals": __("Arrivals"),
    "unanswered": __("Messages that did not arrive"),
    "undated": __("Files with no next date"),
}  # fmt: skip
OF_STEPS = ("legal", "overdue", "due")


@at_desk(rules.may_see_today)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """The page on which an agent's day begins."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    whose = request.GET.get("whose", "mine")
    whose = whose if whose in WHOSE else "mine"
    pages = {code: int(asked) for code in TITLES if (asked := request.GET.get(code, "")).isdecimal() and len(asked) < 5}
    found = day.day(request.user, whose, pages)  # type: ignore[arg-type]
    lines = [line for section in found for line in section.lines]
    seen({line.person for line in lines if line.name}, by=request.user, of=Person, fields=["identity"])
    order = list(TITLES)
    shown = {
        "sections": [_shown(section) for section in sorted(found, key=lambda each: order.index(each.code))],
        "empty": not any(section.count for section in found),
        "whose": whose,
        "tabs": [{"text": words, "url": f"?whose={code}", "current": code == whose} for code, words in WHOSE.items()],
        "workers": queries.workers(OFFICE),
        "back": request.get_full_path(),
        "done": request.GET.get("done", ""),
        "most": day.MOST,
        "today": timezone.localdate(),
        "offline_hours": offline.hours(),
        "uses_htmx": True,
        "surge": arrivals.surge(),
    }
    return render(request, "welcome/today.html", shown | more, status=status)


def _shown(section: day.Section) -> dict[str, Any]:
    lines = [_line(line) for line in section.lines]
    folds = section.code == "overdue" and section.number == 1 and len(lines) > day.OPEN_LINES + 1
    return {
        "code": section.code,
        "title": TITLES[section.code],
        "count": section.count if section.count < day.MOST else f"{day.MOST}+",
        "number": section.number,
        "pages": section.pages,
        "steps": section.code in OF_STEPS,
        "lines": lines[: day.OPEN_LINES] if folds else lines,
        "folded": lines[day.OPEN_LINES :] if folds else [],
    }


def _line(line: day.Line) -> dict[str, Any]:
    told = {"line": line, "url": reverse("cases:household", args=[line.household]), "name": line.name, "words": ""}
    more = line.more
    if line.section in OF_STEPS:
        due = parse_date(more["due"])
        late = (timezone.localdate() - due).days if due else 0
        return told | {"title": line.title, "due": due, "late": late, "legal": more["kind"] == "legal"}
    if line.section == "arrivals":
        words = " · ".join(filter(None, (more["flight"], more["place"])))
        url = reverse("arrivals:board")
        return told | {"at": line.at, "timed": more["timed"], "words": words, "people": more["people"], "url": url}
    if line.section == "appointments":
        words = f"{Purpose(more['purpose']).label} · {Place(more['kind']).label}"
        url = reverse("appointments:appointment", args=[line.pk])
        return told | {"at": line.at, "timed": True, "words": words, "url": url}
    if line.section == "unanswered":
        why = Message.Reason(more["reason"]).label if more["reason"] else Delivery(more["delivery"]).label
        return told | {"at": line.at, "words": str(why), "url": reverse("messaging:message", args=[line.pk])}
    return told | {"url": reverse("cases:assign", args=[line.household]), "words": _("Choose the next date")}


# -- doing ------------------------------------------------------------------------------------------------------------


@at_desk(rules.may_see_today)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """One step by its own button, or the chosen ones: completed, opened again, moved, assigned. Then the page again."""
    one = request.POST.get("one", "")
    found = steps.visible(request.user, _keys([one] if one else request.POST.getlist("step")))  # type: ignore[arg-type]
    if not found:
        messages.warning(request, _("Choose the steps first."))
        return _back(request)
    by: Any = request.user
    if request.POST.get("do") == "write" and not one:
        return _write(request, found)
    try:
        if request.POST.get("do") == "undo":
            said = ngettext(
                "%(count)d step is open again.", "%(count)d steps are open again.", steps.undo(found, by=by)
            )
        elif one or request.POST.get("do", "complete") == "complete":
            evidence = request.POST.get(f"evidence-{one}" if one else "evidence", "")
            count = steps.complete(found, by=by, evidence=evidence)
            messages.success(request, ngettext("%(count)d step completed.", "%(count)d steps completed.", count)
                             % {"count": count})  # fmt: skip
            return _back(request, done=",".join(str(step.pk) for step in found[:40]))
        elif request.POST.get("do") == "move":
            said = _move(request, found)
        else:
            said = _assign(request, found)
    except Refused as why:
        messages.error(request, str(why))
        return _again(request, UNPROCESSABLE)
    except Conflict:
        messages.error(request, _("Somebody else changed this step meanwhile. Look again."))
        return _again(request, CONFLICT)
    messages.success(request, said % {"count": len(found)})
    return _back(request)


def _write(request: HttpRequest, found: list[Any]) -> HttpResponse:
    """To the heads of these households: what leaves is chosen and looked at on the page of messages."""
    heads = steps.heads(found)
    if not heads:
        messages.warning(request, _("Nobody of these can be written to."))
        return _back(request)
    to = reverse("messaging:write-many") + "?" + urlencode({"person": heads}, doseq=True)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Redirect": to})
    return redirect(to)


def _move(request: HttpRequest, found: list[Any]) -> str:
    try:
        chosen = parse_date(request.POST.get("on", ""))
    except ValueError:
        chosen = None
    if chosen is None or chosen < timezone.localdate() or chosen > timezone.localdate() + dt.timedelta(days=3653):
        raise Refused(_("Choose a day to come."))
    count = steps.move(found, chosen, request.POST.get("reason", ""), by=request.user)  # type: ignore[arg-type]
    return ngettext("%(count)d step moved.", "%(count)d steps moved.", count)


def _assign(request: HttpRequest, found: list[Any]) -> str:
    to = queries.workers(OFFICE).filter(pk__in=_keys([request.POST.get("to", "")])).first()
    if to is None:
        raise Refused(_("Choose who takes them."))
    count = steps.assign(found, to, by=request.user)  # type: ignore[arg-type]
    return ngettext("%(count)d step assigned.", "%(count)d steps assigned.", count)


def _keys(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts:
        for part in text.split(","):
            try:
                found.append(uuid.UUID(part))
            except ValueError:
                continue
    return found


def _query(request: HttpRequest, **more: str) -> dict[str, str]:
    """What the page showed: whose day, and which page of each section."""
    return {name: request.POST[name] for name in ("whose", *TITLES) if name in request.POST} | more


def _back(request: HttpRequest, **more: str) -> HttpResponse:
    query = urlencode(_query(request, **more))
    return redirect(reverse("welcome:today") + (f"?{query}" if query else ""))


def _again(request: HttpRequest, status: int) -> HttpResponse:
    """The page as it was, with what is wrong; what was written stays."""
    request.GET = request.GET.copy()
    request.GET.update(_query(request))
    return _page(request, status, kept=request.POST, chosen=request.POST.getlist("step"))


# -- without network --------------------------------------------------------------------------------------------------

#: most steps that a browser keeps
MOST_KEPT = 100


@at_desk(rules.may_see_today)
@require_GET
def kept(request: HttpRequest) -> HttpResponse:
    """The day's own list for a browser that may keep it, sealed: what is late and due, with what to call it by."""
    if not offline.hours():
        return JsonResponse({"steps": []})
    lines: list[day.Line] = []
    for code in OF_STEPS:
        for number in range(1, MOST_KEPT // day.PER_SECTION // len(OF_STEPS) + 2):
            found = day.day(request.user, "mine", {code: number}, only=code)[0]  # type: ignore[arg-type]
            lines += found.lines
            if number >= found.pages:
                break
    seen({line.person for line in lines if line.name}, by=request.user, of=Person, fields=["identity"])
    return JsonResponse({"steps": [
        {"step": str(line.pk), "version": line.version, "home": line.home, "title": line.title, "name": line.name,
         "reference": line.reference, "due_words": _day(line.more["due"])}
        for line in lines[:MOST_KEPT]
    ]})  # fmt: skip


def _day(text: str) -> str:
    found = parse_date(text)
    return date_format(found, "DATE_FORMAT") if found else ""
