"""The desk without network: its page, its service worker, and what the browser and the office tell each other."""

import base64
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from parvis.accounts.rules import require
from parvis.arrivals.intake_forms import IntakeForm, WithFormSet
from parvis.welcome import offline, rules
from parvis.welcome.switch_forms import SwitchForm
from parvis.welcome.writes import WITH

CONFLICT, UNPROCESSABLE = 409, 422
View = Callable[..., HttpResponse]


def for_agents(view: View) -> View:
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(rules.may_see_today(request.user), f"welcome.{view.__name__}")
        return view(request, *args, **kwargs)

    return shown


def _kept_page() -> dict[str, Any]:
    """`shell`: the page is drawn for whoever opens it later, and names nobody."""
    return {"form": IntakeForm(), "others": WithFormSet(prefix=WITH), "shell": True}


@for_agents
@require_GET
def away(request: HttpRequest) -> HttpResponse:
    """The page that a browser keeps: the short intake, and room for what it opens itself. It names nobody."""
    return render(request, "welcome/away.html", _kept_page())


ASSETS = (
    "kit/kit.css", "kit/kit.js", "kit/icons.svg", "kit/mark.svg", "cases/cases.css", "accounts/history.css",
    "arrivals/arrivals.css", "welcome/welcome.css", "welcome/desk.js", "welcome/away.js",
)  # fmt: skip


@for_agents
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker of this language's pages under welcome/ and of no other. It keeps a page that names nobody."""
    page = reverse("welcome:away")
    asked = {"page": page, "today": reverse("welcome:today"), "assets": [static(path) for path in ASSETS]}
    drawn = render_to_string("welcome/away.html", _kept_page())
    kept = hashlib.sha256((json.dumps(asked) + drawn).encode()).hexdigest()[:12]
    script = render_to_string("welcome/worker.js", {"asked": json.dumps(asked | {"kept": kept})})
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@for_agents
@require_POST
def key(request: HttpRequest) -> HttpResponse:
    """The key with which this browser seals what it keeps for this account, while the office wants it; what is sealed
    already can be opened to be sent, whether the office still wants it or not."""
    try:
        salt = base64.b64decode(request.POST.get("salt", ""), validate=True)
    except ValueError:
        salt = b""
    if len(salt) != 16:
        return JsonResponse({"state": "refused"}, status=UNPROCESSABLE)
    hours = offline.hours()
    if not hours and not request.POST.get("waiting"):
        return JsonResponse({"state": "off"}, status=UNPROCESSABLE)
    until = timezone.now() + dt.timedelta(hours=hours or 1)
    made = base64.b64encode(offline.key_for(request.user, salt)).decode()  # type: ignore[arg-type]
    return JsonResponse({"key": made, "until": int(until.timestamp() * 1000), "account": str(request.user.pk)})


@for_agents
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """One write that a browser kept. 200: it is done, or was; 409: the person decides; 422: it can't be done so."""
    try:
        asked = json.loads(request.body)
        write = offline.Write(
            uuid.UUID(asked["key"]), str(asked["kind"]), dict(asked["data"]), _moment(asked["made_at"]),
            str(asked.get("decision", "")),
        )  # fmt: skip
        account = uuid.UUID(asked["account"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return JsonResponse({"state": "refused", "words": _("This entry can't be read.")}, status=UNPROCESSABLE)
    if account != request.user.pk:  # another person signed in at this desk: not theirs to send
        return JsonResponse({"state": "other"}, status=403)
    try:
        answer = offline.take(write, by=request.user)  # type: ignore[arg-type]
    except offline.Conflict as found:
        said = {"state": "conflict", "words": found.words, "choices": found.choices}
        return JsonResponse(said, status=CONFLICT)
    except offline.Refused as found:
        return JsonResponse({"state": "refused", "words": found.words}, status=UNPROCESSABLE)
    return JsonResponse({"state": "done", **answer})


def _moment(text: str) -> dt.datetime:
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise ValueError(text)
    return found


def switch(request: HttpRequest) -> HttpResponse:
    """The office decides whether its agents' browsers may keep the day's work."""
    require(rules.may_switch_offline(request.user), "welcome.offline.switched")
    row = offline.present()
    form = SwitchForm(request.POST or None, initial={"on": row.on, "hours": row.hours})
    if request.method == "POST" and form.is_valid():
        offline.switch(form.cleaned_data["on"], form.cleaned_data["hours"], by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Saved."))
        return redirect("welcome:offline")
    failed = request.method == "POST"
    return render(request, "welcome/offline.html", {"form": form, "row": row}, status=UNPROCESSABLE if failed else 200)
