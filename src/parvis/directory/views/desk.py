"""The desk: where coordinators and the organizations' own people keep the directory true."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from parvis.accounts.history import actor
from parvis.accounts.history import told as told_to_people
from parvis.core import language as tongues
from parvis.directory import actions, corrections, facts, queries, rules, wording
from parvis.directory.facts import KINDS, kind_of
from parvis.directory.forms import AnswerForm, ConfirmForm, ReasonForm
from parvis.directory.models import Taxonomy
from parvis.directory.views import public
from parvis.orgs import rules as orgs
from parvis.orgs.models import Organization, VersionedRow

PER_PAGE = 25
#: kinds that have a page of their own in public, and how it is made
PUBLIC = {"service": public.service_context, "organization": public.organization_context}


def at_desk(request: HttpRequest) -> None:
    if not rules.may_see_desk(request.user):
        raise PermissionDenied


def find_object(request: HttpRequest, kind: str, object_id: uuid.UUID) -> VersionedRow:
    """The object of the address; 404 when there is none or its page is not this person's."""
    at_desk(request)
    if kind not in KINDS:
        raise Http404
    try:
        return queries.find(request.user, kind, object_id)
    except ObjectDoesNotExist:
        raise Http404 from None


def find_mine(request: HttpRequest, kind: str, object_id: uuid.UUID) -> VersionedRow:
    """The same for those who may edit it; PermissionDenied for others."""
    obj = find_object(request, kind, object_id)
    if not rules.may_edit(request.user, obj):
        raise PermissionDenied
    return obj


def page_of(request: HttpRequest, rows: Any, size: int = PER_PAGE) -> Any:
    return Paginator(rows, size).get_page(request.GET.get("page"))


def url_of(name: str, obj: VersionedRow) -> str:
    return reverse(f"directory:{name}", args=[kind_of(obj), obj.pk])


def _trail(obj: VersionedRow) -> list[dict[str, str]]:
    """Where an object stands: the desk, its organization, (its service,) itself."""
    above: list[VersionedRow] = []
    kind = kind_of(obj)
    if kind == "service_at_location":
        above = [obj.service.organization, obj.service]  # type: ignore[attr-defined]
    elif kind in ("taxonomy", "taxonomy_term"):
        above = [obj.taxonomy] if kind == "taxonomy_term" else []  # type: ignore[attr-defined]
    elif kind != "organization" and obj.organization is not None:  # type: ignore[attr-defined]
        above = [obj.organization]  # type: ignore[attr-defined]
    trail = [{"text": queries.title(one), "url": url_of("desk-object", one)} for one in above if one is not None]
    if kind in ("taxonomy", "taxonomy_term"):
        trail = [{"text": _("Taxonomies"), "url": reverse("directory:desk-taxonomies")}, *trail]
    return trail


def about(request: HttpRequest, obj: VersionedRow, **more: Any) -> dict[str, Any]:
    """What every page about an object knows."""
    kind = kind_of(obj)
    return {
        "object": obj,
        "kind": kind,
        "kind_label": wording.KINDS[kind],
        "title": queries.title(obj) or wording.KINDS[kind],
        "trail": _trail(obj),
        "url": url_of("desk-object", obj),
        "public_url": reverse(f"directory:{kind}", args=[obj.pk]) if kind in PUBLIC else "",
        **more,
    }


def targets() -> list[str]:
    """The languages that content is translated into here; the city's first only when texts are in another."""
    city = connection.tenant
    first = [city.default_language] if queries.has_texts_beside(city.default_language) else []
    return [*first, *(code for code in city.languages if code != city.default_language)]


def named(code: str) -> str:
    return tongues.name(code, get_language() or "fr")


# -- home and lists -----------------------------------------------------------------------------------------------


def _lists(request: HttpRequest) -> list[dict[str, Any]]:
    """The lists of services that need somebody, with what they mean."""
    titles = {
        "unconfirmed": (_("To confirm again"), _("Nobody has confirmed them for six months.")),
        "never": (_("Never confirmed"), _("Nobody has ever said that they are true.")),
        "missing": (_("No longer listed by their source"), _("An import did not find them again.")),
        "unlisted": (_("Not in the public directory"), _("Taken out, or waiting to be published.")),
    }
    return [{"show": show, "title": titles[show][0], "help": titles[show][1]} for show in queries.CARE]


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What needs care, and the organizations of this desk."""
    at_desk(request)
    text = request.GET.get("q", "")[:100]
    counts = queries.counts(request.user)
    languages = targets()
    progress = queries.translation_progress(request.user, languages) if languages else {}
    context = {
        "counts": counts,
        "lists": [{**one, "count": counts[one["show"]]} for one in _lists(request)],
        "stale": sum(states["stale"] for states in progress.values()),
        "network": rules.sees_network(request.user),
        "organizations": page_of(request, queries.organizations(request.user, text)),
        "may_add": orgs.may_add_organization(request.user),
        "may_see_reports": orgs.may_see_reports(request.user),
        "may_see_taxonomies": orgs.may_see_history(request.user),
        "may_see_members": orgs.may_see_any_members(request.user),
        "may_manage_users": orgs.may_manage_users(request.user),
        "q": text,
    }
    return render(request, "directory/desk/home.html", context)


@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """Services of the desk: all of them, or those that need somebody."""
    at_desk(request)
    show = request.GET.get("show", "")
    if show not in queries.CARE:
        show = ""
    text = request.GET.get("q", "")[:100]
    counts = queries.counts(request.user)
    here = reverse("directory:desk-services")
    tabs = [{"text": _("All"), "url": here, "current": not show, "count": counts["services"]}]
    tabs += [
        {"text": one["title"], "url": f"{here}?show={one['show']}", "current": one["show"] == show,
         "count": counts[one["show"]]}
        for one in _lists(request)
    ]  # fmt: skip
    context = {
        "tabs": tabs,
        "show": show,
        "help": next((one["help"] for one in _lists(request) if one["show"] == show), ""),
        "services": page_of(request, queries.services(request.user, show, text)),
        "q": text,
    }
    return render(request, "directory/desk/services.html", context)


@require_GET
def one(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """An object at the desk: what is published, what can be done, what belongs to it."""
    obj = find_object(request, kind, object_id)
    user = request.user
    if not (rules.may_see_history(user, obj) or rules.may_edit(user, obj)):
        raise PermissionDenied
    read = facts.read(obj)
    names = queries.names(wording.ids(read))
    own = [
        {"label": wording.label(name), "lines": lines}
        for name, value in read.items()
        if name not in ("listed", "name") and (lines := wording.lines(name, value, names))
    ]
    context = about(
        request,
        obj,
        facts=own,
        listed=read["listed"],
        confirmed=queries.last_confirmation(obj),
        confirm_form=ConfirmForm(initial={"means": "phone" if rules.sees_network(user) else "self"}),
        may_edit=rules.may_edit(user, obj),
        may_publish=rules.may_publish(user, obj) and kind != "service_at_location",
        may_confirm=rules.may_confirm(user, obj) and kind in ("organization", "service"),
        may_translate=rules.may_translate(user, obj),
        may_see_history=rules.may_see_history(user, obj),
        has_hours=has_hours(kind),
        children=_children(request, obj),
        targets=targets(),
    )
    if isinstance(obj, Taxonomy):
        text = request.GET.get("q", "")[:100]
        context |= {"terms": page_of(request, queries.taxonomy_terms(user, obj, text), 100), "q": text}
    return render(request, "directory/desk/object.html", context)


def has_hours(kind: str) -> bool:
    """Whether such things have opening hours of their own."""
    return any(part.name == "schedules" for part in KINDS[kind].parts)


def _children(request: HttpRequest, obj: VersionedRow) -> list[dict[str, Any]]:
    """What belongs to an object and has a page of its own."""
    if isinstance(obj, Organization):
        may_add = orgs.may_edit_service(request.user, obj)
        groups = [
            (_("Services"), "services", "service", _("New service")),
            (_("Places"), "locations", "location", _("New place")),
            (_("Programmes"), "programs", "program", _("New programme")),
        ]
        return [
            {"title": title, "rows": [_child(row) for row in queries.children(obj, name)], "new": new,
             "new_url": reverse("directory:desk-new", args=[kind, obj.pk]) if may_add else ""}
            for title, name, kind, new in groups
        ]  # fmt: skip
    if kind_of(obj) in ("service", "location"):
        rows = queries.children(obj, "service_at_locations")
        return [{"title": _("Services at places"), "rows": [_child(row) for row in rows]}]
    return []


def _child(row: VersionedRow) -> dict[str, str]:
    title = queries.title(row) or _("Without a name")
    hours = url_of("desk-hours", row) if has_hours(kind_of(row)) else ""
    return {"title": title, "url": url_of("desk-object", row), "hours": hours}


@require_GET
def taxonomies(request: HttpRequest) -> HttpResponse:
    """The taxonomies, and their terms by name."""
    if not orgs.may_see_history(request.user):
        raise PermissionDenied
    text = request.GET.get("q", "")[:100]
    context = {
        "taxonomies": queries.taxonomies(request.user),
        "terms": page_of(request, queries.taxonomy_terms(request.user, text=text), 100),
        "may_add": rules.may_edit(request.user, Taxonomy()),
        "q": text,
    }
    return render(request, "directory/desk/taxonomies.html", context)


# -- in and out of the directory, confirmations -------------------------------------------------------------------


@require_POST
def confirm(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """ "All of this is true": by whom and how."""
    obj = find_object(request, kind, object_id)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say how you made sure."))
        return redirect(url_of("desk-object", obj))
    actions.confirm(obj, by=request.user, means=form.cleaned_data["means"])
    messages.success(request, _("Thank you: readers now see that it was confirmed today."))
    return redirect(url_of("desk-object", obj))


def unlist(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Take an object out of the public directory: a page that asks why."""
    obj = find_object(request, kind, object_id)
    if not rules.may_publish(request.user, obj) or kind == "service_at_location":
        raise PermissionDenied
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        actions.unlist(obj, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Taken out of the public directory. You can bring it back at any time."))
        return redirect(url_of("desk-object", obj))
    context = about(
        request, obj, form=form, count=len(queries.children(obj, "services")) if kind == "organization" else 0
    )
    return render(request, "directory/desk/unlist.html", context, status=422 if form.errors else 200)


@require_POST
def publish(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Put an object (back) into the public directory."""
    obj = find_object(request, kind, object_id)
    actions.publish(obj, by=request.user)
    messages.success(request, _("It is in the public directory."))
    return redirect(url_of("desk-object", obj))


# -- history ------------------------------------------------------------------------------------------------------


@require_GET
def history(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """What was done to an object: who, what, when, why, before and after."""
    if kind not in KINDS:
        return _other_history(request, kind, object_id)
    obj = find_object(request, kind, object_id)
    if not rules.may_see_history(request.user, obj):
        raise PermissionDenied
    events = queries.history(request.user, obj)
    rows = _events(events, obj if rules.may_edit(request.user, obj) else None)
    people = ""
    if isinstance(obj, Organization) and orgs.may_see_members(request.user, obj):
        people = reverse("orgs:history", args=[obj.pk])
    return render(request, "directory/desk/history.html", about(request, obj, events=rows, people_url=people))


def _other_history(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The history of something without a page at the desk, for those who may see every history."""
    if not orgs.may_see_history(request.user):
        raise PermissionDenied
    events = queries.history_of(request.user, kind, object_id)
    if not events:
        raise Http404
    context = {"title": wording.label(kind), "events": _events(events, None), "trail": []}
    return render(request, "directory/desk/history.html", context)


def _events(events: list[Any], undoable: VersionedRow | None) -> list[dict[str, Any]]:
    """Events as the page tells them; undoable: the object whose changes this person may take back."""
    names = queries.names(set().union(*(wording.ids(e.before) | wording.ids(e.after) for e in events)))

    def undo_url(event: Any) -> str:
        if undoable is None or not actions.can_undo(event):
            return ""
        return reverse("directory:desk-undo", args=[kind_of(undoable), undoable.pk, event.pk])

    return told_to_people(events, title=wording.deed, changes=lambda event: told(event, names), undo=undo_url)


def told(event: Any, names: dict[str, str]) -> list[Any]:
    """The changes of an event in words."""
    deed = event.code.rpartition(".")[2]
    if deed == "translated":
        before, after = event.before or {}, event.after or {}
        language = tongues.name(after.get("language", ""), get_language() or "fr")
        return [{"label": f"{after.get('text', '')} ({language})", "before": [before.get("rendering") or "—"],
                 "after": [after.get("rendering") or "—"]}]  # fmt: skip
    if deed == "confirmed":
        after = event.after or {}
        return [{"label": after.get("by_name", ""), "before": [],
                 "after": wording.lines("means", after.get("means"), names)}]  # fmt: skip
    return wording.changes(event.before, event.after, names)


def undo(request: HttpRequest, kind: str, object_id: uuid.UUID, event_id: int) -> HttpResponse:
    """Take a change back; when later changes touched the same facts, say so and ask again."""
    obj = find_mine(request, kind, object_id)
    try:
        event = queries.event(request.user, obj, event_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    names = queries.names(wording.ids(event.before) | wording.ids(event.after))
    context = about(
        request, obj, event={"at": event.at, "by": actor(event), "title": wording.deed(event.code)},
        changes=told(event, names),
    )  # fmt: skip
    status = 200
    if request.method == "POST":
        try:
            actions.undo(
                event, by=request.user, anyway="anyway" in request.POST, reason=request.POST.get("reason", "")[:500]
            )
        except actions.ChangedSince as later:
            context |= {"later": [wording.label(name) for name in later.names]}
            status = 409
        except actions.CannotUndo:
            messages.info(request, _("There is nothing to undo: it is already as it was before."))
            return redirect(url_of("desk-history", obj))
        else:
            messages.success(request, _("The change is undone."))
            return redirect(url_of("desk-history", obj))
    return render(request, "directory/desk/undo.html", context, status=status)


# -- corrections and imports --------------------------------------------------------------------------------------


@require_GET
def corrections_list(request: HttpRequest) -> HttpResponse:
    """What readers say is wrong."""
    at_desk(request)
    answered = request.GET.get("show") == "answered"
    page = page_of(request, queries.corrections(request.user, answered=answered))
    names = queries.about(list(page))
    here = reverse("directory:desk-corrections")
    context = {
        "tabs": [
            {"text": _("Waiting"), "url": here, "current": not answered},
            {"text": _("Answered"), "url": f"{here}?show=answered", "current": answered},
        ],
        "page": page,
        "rows": [{"correction": row, "name": names.get(row.object_id, "—")} for row in page],
        "answered": answered,
    }
    return render(request, "directory/desk/corrections.html", context)


def correction(request: HttpRequest, correction_id: uuid.UUID) -> HttpResponse:
    """One correction: what was said, about what, and the answer."""
    at_desk(request)
    found = queries.correction(request.user, correction_id)
    if found is None:
        raise Http404
    form = AnswerForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                corrections.answer_correction(found, by=request.user, **form.cleaned_data)
            except corrections.AlreadyAnswered:
                messages.error(request, _("Somebody else answered first."))
            else:
                messages.success(request, _("The answer is on its way."))
            return redirect("directory:desk-corrections")
        status = 422
    obj = queries.find(request.user, found.object_type, found.object_id) if found.object_type in KINDS else None
    context = {
        "correction": found,
        "form": form,
        "name": queries.title(obj) if obj else "—",
        "object_url": url_of("desk-object", obj) if obj else "",
        "open": found.state in corrections.OPEN,
        "may_answer": orgs.may_answer_correction(request.user, corrections.organization_of(found)),
    }
    return render(request, "directory/desk/correction.html", context, status=status)


@require_GET
def imports(request: HttpRequest) -> HttpResponse:
    """Imports, newest first."""
    if not orgs.may_see_reports(request.user):
        raise PermissionDenied
    return render(request, "directory/desk/imports.html", {"page": page_of(request, queries.import_runs(request.user))})


@require_GET
def import_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One import and its report."""
    if not orgs.may_see_reports(request.user):
        raise PermissionDenied
    found = queries.import_runs(request.user).filter(pk=run_id).first()
    if found is None:
        raise Http404
    findings = page_of(request, found.report.get("findings") or [], 100)
    findings.object_list = [wording.finding(one) for one in findings.object_list]
    said = wording.language_said(found.report)
    context = {"run": found, "report": found.report, "findings": findings, "language_said": said}
    return render(request, "directory/desk/import.html", context)
