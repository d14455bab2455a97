"""The office's protocol: its steps, one step's form, what it would do, publishing, history, its file."""

import uuid
from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from parvis.accounts.rules import require
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import UNPROCESSABLE
from parvis.core import protocol as core
from parvis.core.language import fold
from parvis.plans import editing, rules, tasks, versions, wording
from parvis.plans.models import Kind, ProtocolVersion, VersionState
from parvis.plans.protocol_forms import FileForm, PublishForm, StepForm, worded


def _faults(data: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for fault in core.faults(data):
        found[fault.step].append(worded(fault))
    return found


def _said(row: dict[str, Any]) -> str:
    """A step's title in the reader's language."""
    texts = row.get("title")
    code = str(row.get("code", ""))
    return versions.said(code, texts, get_language() or "fr") if isinstance(texts, dict) else code


def _lines(version: ProtocolVersion, query: str) -> list[dict[str, Any]]:
    faults, wanted = _faults(version.data), fold(query).split()
    lines = []
    for row in version.data.get("steps", ()):
        code = str(row.get("code", ""))
        texts = [code, _said(row), *(str(text) for text in (row.get("title") or {}).values())]
        if not all(word in fold(" ".join(texts)) for word in wanted):
            continue
        lines.append(
            {
                "code": code,
                "title": _said(row),
                "days": row.get("days"),
                "legal": row.get("kind") == Kind.LEGAL,
                "anchor": wording.anchor(str(row.get("anchor", ""))),
                "faults": faults.get(code, []),
                "owner": wording.OWNERS.get(str(row.get("owner")), ""),
                "check": row.get("confidence") in (core.Confidence.TITLE, core.Confidence.KNOWLEDGE),
            }
        )
    return lines


def _home(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    version, query = editing.shown(), request.GET.get("q", "").strip()[:100]
    faults = _faults(version.data)
    page = {
        "version": version, "is_draft": version.state == VersionState.DRAFT, "lines": _lines(version, query),
        "query": query, "faults": sum(map(len, faults.values())), "whole_faults": faults.get("", []),
        "keeps": rules.may_keep_protocol(request.user), "effect": _effect(version),
        "publish": PublishForm(), "file": FileForm(), "taking": tasks.progress(),
    }  # fmt: skip
    return render(request, "plans/protocol/home.html", page | more, status=status)


def _effect(version: ProtocolVersion) -> dict[str, Any] | None:
    found = editing.effect()
    if found is None or found.get("number") != version.number:
        return None
    examples = []
    for one in found.get("examples", ()):
        row = editing.row_of(version.data, one["step"])
        days = {name: wording.day(one[name]) for name in ("before", "after")}
        examples.append({**one, **days, "title": _said(row) if row else one["step"]})
    stale = found.get("state") == "done" and found.get("edits") != version.edits
    return {**found, "examples": examples, "stale": stale}


def home(request: HttpRequest) -> HttpResponse:
    """The steps, searchable; for keepers also what is done with the whole."""
    require(rules.may_see_protocol(request.user), "plans.protocol.seen")
    if request.method != "POST":
        return _home(request)
    require(rules.may_keep_protocol(request.user), "plans.protocol.changed")
    by: Any = request.user
    do, edits = request.POST.get("do", ""), _number(request, "edits")
    try:
        if do == "publish":
            form = PublishForm(request.POST)
            if not form.is_valid():
                return _home(request, status=UNPROCESSABLE, publish=form)
            version = editing.publish(by=by, note=form.cleaned_data["note"], edits=edits)
            messages.success(request, _("Version %(number)s is published.") % {"number": version.number})
        elif do == "effect":
            editing.ask_effect(by=by, most=_number(request, "most") or 0)
        elif do == "discard":
            editing.discard(by=by)
        elif do == "offer":
            version, most = editing.offered(by=by)
            tasks.ask(version, by=by, most=most)
            messages.success(request, _("The open plans are being put on this version."))
        elif do == "file":
            form_ = FileForm(request.POST, request.FILES)
            if not form_.is_valid():
                return _home(request, status=UNPROCESSABLE, file=form_)
            editing.take_file(_text(form_.cleaned_data["file"]), by=by)
    except Refused as no:
        messages.error(request, str(no))
        return _home(request, status=UNPROCESSABLE)
    except Conflict:
        messages.error(request, _("Somebody changed the draft meanwhile. Look again."))
        return _home(request, status=409)
    return redirect("plans:protocol")


def _text(file: Any) -> str:
    if file.size > editing.LONGEST_FILE:
        raise Refused(_("The file is too large."))
    try:
        return str(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused(_("The file is not a text in UTF-8.")) from None


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def step(request: HttpRequest, code: str = "") -> HttpResponse:
    """One step's form. What is saved goes into the draft, with its faults if it has some."""
    require(rules.may_see_protocol(request.user), "plans.protocol.seen")
    keeps = rules.may_keep_protocol(request.user)
    version = editing.shown()
    row = editing.row_of(version.data, code) if code else None
    if code and row is None:
        raise Http404
    if not code or request.method == "POST":
        require(keeps, "plans.protocol.changed")
    is_draft = version.state == VersionState.DRAFT
    form = StepForm(request.POST or None, whole=version.data, row=row)
    status = 200
    if request.method == "POST":
        by: Any = request.user
        try:
            if request.POST.get("do") == "drop":
                editing.drop_step(code, by=by, edits=_number(request, "edits"))
                return redirect("plans:protocol")
            status = UNPROCESSABLE
            if form.is_valid():
                found = form.as_row()
                editing.save_step(found, by=by, code=code, edits=_number(request, "edits"))
                return redirect("plans:protocol-step", code=found["code"])
        except Refused as no:
            form.add_error(None, str(no))
        except Conflict:
            form.add_error(None, _("Somebody changed the draft meanwhile. Look again."))
            status = 409
    page = {
        "form": form, "code": code, "title": _said(row) if row else _("New step"), "version": version, "keeps": keeps,
        "is_draft": is_draft, "faults": _faults(version.data).get(code, []) if code else [],
    }  # fmt: skip
    return render(request, "plans/protocol/step.html", page, status=status)


def history(request: HttpRequest) -> HttpResponse:
    """Every version; an earlier one can be published again."""
    require(rules.may_see_protocol(request.user), "plans.protocol.seen")
    if request.method == "POST":
        require(rules.may_keep_protocol(request.user), "plans.protocol.rolled_back")
        try:
            pk = uuid.UUID(request.POST.get("version", ""))
            found = editing.roll_back(pk, by=request.user)  # type: ignore[arg-type]
        except (ValueError, ProtocolVersion.DoesNotExist):
            raise Http404 from None
        except Refused as no:
            messages.error(request, str(no))
            return _history(request, UNPROCESSABLE)
        messages.success(request, _("Version %(number)s is published.") % {"number": found.number})
        return redirect("plans:protocol-history")
    return _history(request)


def _history(request: HttpRequest, status: int = 200) -> HttpResponse:
    editing.shown()  # a new city's first version is made
    found = editing.history()
    current = next((one.pk for one in found if one.state == VersionState.PUBLISHED), None)
    page = {"versions": found, "current": current, "keeps": rules.may_keep_protocol(request.user)}
    return render(request, "plans/protocol/history.html", page, status=status)


def file(request: HttpRequest, number: int) -> HttpResponse:
    """A version as a TOML file, for another city or another tool."""
    require(rules.may_see_protocol(request.user), "plans.protocol.seen")
    version = get_object_or_404(ProtocolVersion, number=number)
    answer = HttpResponse(core.to_toml(version.data), content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="protocol-{version.number}.toml"'
    return answer
