"""The desk: where coordinators and the organizations' own people keep the directory true."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.core.signing import BadSignature
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from parvis.core import language as tongues
from parvis.core.hours import Hours, from_hsds
from parvis.directory import actions, corrections, facts, queries, rules, timetable, wording
from parvis.directory.drafts import Draft, unseal
from parvis.directory.facts import KINDS, Facts, kind_of
from parvis.directory.forms import AnswerForm, ConfirmForm, Editor, ReasonForm, RenderingForm
from parvis.directory.schedule_forms import ScheduleForm
from parvis.directory.templatetags.public import opening
from parvis.directory.views import public
from parvis.orgs import rules as orgs
from parvis.orgs.models import Organization, VersionedRow

PER_PAGE = 25
#: kinds that have a page of their own in public, and how it is made
PUBLIC = {"service": public.service_context, "organization": public.organization_context}


def _at_desk(request: HttpRequest) -> None:
    if not rules.may_see_desk(request.user):
        raise PermissionDenied


def _object(request: HttpRequest, kind: str, object_id: uuid.UUID) -> VersionedRow:
    """The object of the address; 404 when there is none or its page is not this person's."""
    _at_desk(request)
    if kind not in KINDS:
        raise Http404
    try:
        return queries.find(request.user, kind, object_id)
    except ObjectDoesNotExist:
        raise Http404 from None


def _mine(request: HttpRequest, kind: str, object_id: uuid.UUID) -> VersionedRow:
    """The same for those who may edit it; PermissionDenied for others."""
    obj = _object(request, kind, object_id)
    if not rules.may_edit(request.user, obj):
        raise PermissionDenied
    return obj


def _page(request: HttpRequest, rows: Any, size: int = PER_PAGE) -> Any:
    return Paginator(rows, size).get_page(request.GET.get("page"))


def _url(name: str, obj: VersionedRow) -> str:
    return reverse(f"directory:{name}", args=[kind_of(obj), obj.pk])


def _trail(obj: VersionedRow) -> list[dict[str, str]]:
    """Where an object stands: the desk, its organization, (its service,) itself."""
    above: list[VersionedRow] = []
    if kind_of(obj) == "service_at_location":
        above = [obj.service.organization, obj.service]  # type: ignore[attr-defined]
    elif kind_of(obj) != "organization" and obj.organization is not None:  # type: ignore[attr-defined]
        above = [obj.organization]  # type: ignore[attr-defined]
    return [{"text": queries.title(one), "url": _url("desk-object", one)} for one in above if one is not None]


def _about(request: HttpRequest, obj: VersionedRow, **more: Any) -> dict[str, Any]:
    """What every page about an object knows."""
    kind = kind_of(obj)
    return {
        "object": obj,
        "kind": kind,
        "kind_label": wording.KINDS[kind],
        "title": queries.title(obj) or wording.KINDS[kind],
        "trail": _trail(obj),
        "url": _url("desk-object", obj),
        "public_url": reverse(f"directory:{kind}", args=[obj.pk]) if kind in PUBLIC else "",
        **more,
    }


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
    _at_desk(request)
    text = request.GET.get("q", "")[:100]
    counts = queries.counts(request.user)
    languages = _targets()
    progress = queries.translation_progress(request.user, languages) if languages else {}
    context = {
        "counts": counts,
        "lists": [{**one, "count": counts[one["show"]]} for one in _lists(request)],
        "stale": sum(states["stale"] for states in progress.values()),
        "network": rules.sees_network(request.user),
        "organizations": _page(request, queries.organizations(request.user, text)),
        "may_add": orgs.may_add_organization(request.user),
        "may_see_reports": orgs.may_see_reports(request.user),
        "q": text,
    }
    return render(request, "directory/desk/home.html", context)


@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """Services of the desk: all of them, or those that need somebody."""
    _at_desk(request)
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
        "services": _page(request, queries.services(request.user, show, text)),
        "q": text,
    }
    return render(request, "directory/desk/services.html", context)


@require_GET
def one(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """An object at the desk: what is published, what can be done, what belongs to it."""
    obj = _object(request, kind, object_id)
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
    context = _about(
        request,
        obj,
        facts=own,
        listed=read["listed"],
        confirmed=queries.last_confirmation(obj),
        confirm_form=ConfirmForm(initial={"means": "phone" if rules.sees_network(user) else "self"}),
        may_edit=rules.may_edit(user, obj),
        may_publish=rules.may_publish(user, obj) and kind in ("organization", "service"),
        may_confirm=rules.may_confirm(user, obj) and kind in ("organization", "service"),
        may_translate=rules.may_translate(user, obj),
        may_see_history=rules.may_see_history(user, obj),
        has_hours=kind != "organization",
        children=_children(obj),
        targets=_targets(),
    )
    if isinstance(obj, Organization):
        context["may_add"] = orgs.may_edit_service(user, obj)
    return render(request, "directory/desk/object.html", context)


def _children(obj: VersionedRow) -> list[dict[str, Any]]:
    """What belongs to an object and has a page of its own."""
    groups: list[tuple[str, Sequence[VersionedRow]]] = []
    if isinstance(obj, Organization):
        groups = [(_("Services"), queries.children(obj, "services")), (_("Places"), queries.children(obj, "locations"))]
    elif kind_of(obj) in ("service", "location"):
        groups = [(_("Services at places"), queries.children(obj, "service_at_locations"))]
    return [
        {"title": title, "rows": [{"title": queries.title(row) or _("Without a name"), "url": _url("desk-object", row),
                                   "hours": _url("desk-hours", row)} for row in rows]}
        for title, rows in groups
    ]  # fmt: skip


# -- the form -----------------------------------------------------------------------------------------------------


def new_organization(request: HttpRequest) -> HttpResponse:
    """A new organization, by the office."""
    if not orgs.may_add_organization(request.user):
        raise PermissionDenied
    return _edit(request, "organization", None, None)


def new(request: HttpRequest, kind: str, organization_id: uuid.UUID) -> HttpResponse:
    """A new service or place of an organization."""
    organization = _object(request, "organization", organization_id)
    if kind not in ("service", "location") or not orgs.may_edit_service(request.user, organization):  # type: ignore[arg-type]
        raise PermissionDenied
    return _edit(request, kind, None, organization)  # type: ignore[arg-type]


def edit(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The form of one object: read, preview, publish; a conflict is shown and never overwritten."""
    obj = _mine(request, kind, object_id)
    return _edit(request, kind, obj, getattr(obj, "organization", None))


def _blank(kind: str) -> Facts:
    """The facts of something that is not there yet."""
    made = KINDS[kind].model()
    found: Facts = {column.attname: facts.plain(getattr(made, column.attname)) for column in KINDS[kind].fields}
    return found | {part.name: [] for part in KINDS[kind].parts} | {"listed": True}


def _editor(kind: str, organization: Organization | None, read: Facts, data: QueryDict | None = None) -> Editor:
    owner = organization.pk if organization else None
    programs = queries.programs(organization) if kind == "service" else []
    return Editor(kind, read, organization_id=owner, data=data, programs=programs)


def _edit(request: HttpRequest, kind: str, obj: VersionedRow | None, organization: Organization | None) -> HttpResponse:
    if request.method != "POST":
        read = _start(request, kind, obj)
        return _form(request, obj, organization, _editor(kind, organization, read.base), read)
    if "draft" in request.POST:
        return _go_on(request, kind, obj, organization)
    read = _read(request, kind, obj)
    editor = _editor(kind, organization, read.base, request.POST)
    if editor.adding:
        return _form(request, obj, organization, editor, read)
    if not editor.is_valid():
        return _form(request, obj, organization, editor, read, status=422)
    draft = read.with_changes(editor.changes(), reason=request.POST.get("reason", "").strip()[:500])
    return _decide(request, draft, obj, organization)


def _start(request: HttpRequest, kind: str, obj: VersionedRow | None, part: str = "") -> Draft:
    """What somebody reads when they open a form: a draft without changes."""
    base = facts.read(obj) if obj else _blank(kind)
    return Draft(kind, str(obj.pk) if obj else "", obj.version if obj else 0, {}, str(request.user.pk), base, part)


def _read(request: HttpRequest, kind: str, obj: VersionedRow | None, part: str = "") -> Draft:
    """What somebody had read when they sent their form. A form from elsewhere is measured against what is there."""
    try:
        return unseal(request.POST["base"], kind=kind, object_id=obj.pk if obj else None, by=request.user)
    except (BadSignature, KeyError, TypeError, ValueError):
        return _start(request, kind, obj, part)


def _form(
    request: HttpRequest,
    obj: VersionedRow | None,
    organization: Organization | None,
    editor: Editor,
    read: Draft,
    status: int = 200,
) -> HttpResponse:
    kind = read.kind
    titles = {
        "organization": _("New organization"),
        "service": _("New service"),
        "location": _("New place"),
    }
    about = _about(request, obj) if obj else {"kind": kind, "title": titles[kind], "trail": []}
    if obj is None and organization is not None:
        about["trail"] = [{"text": organization.name, "url": _url("desk-object", organization)}]
    context = {
        **about,
        "editor": editor,
        "base": read.with_changes({}).seal(),
        "reason": read.reason or request.POST.get("reason", ""),
        "new": obj is None,
        "terms": sorted(set(editor.terms.values())),
        "added": next((form for rows in editor.groups.values() for form in rows.forms if form.added), None),
        "back": about.get("url") or (_url("desk-object", organization) if organization else reverse("directory:desk")),
    }
    return render(request, "directory/desk/edit.html", context, status=status)


def _go_on(
    request: HttpRequest, kind: str, obj: VersionedRow | None, organization: Organization | None
) -> HttpResponse:
    """A later step: from the preview or from the page of a conflict."""
    try:
        draft = unseal(request.POST["draft"], kind=kind, object_id=obj.pk if obj else None, by=request.user)
    except (BadSignature, TypeError, ValueError):
        messages.error(request, _("This page is too old. Please start again."))
        return redirect(request.path)
    if request.POST.get("act") == "back":
        return _back(request, draft, obj, organization)
    if obj and "choose" in request.POST:
        return _chosen(request, draft, obj, organization)
    return _decide(request, draft, obj, organization, act=request.POST.get("act", "save"))


def _back(
    request: HttpRequest, draft: Draft, obj: VersionedRow | None, organization: Organization | None
) -> HttpResponse:
    """From the preview to the form, with everything that was written."""
    if draft.part == "hours" and obj:
        table = timetable.read((draft.base | draft.changes)["schedules"])
        return _hours_form(request, obj, ScheduleForm(table), draft)
    return _form(request, obj, organization, _editor(draft.kind, organization, draft.base | draft.changes), draft)


def _decide(
    request: HttpRequest,
    draft: Draft,
    obj: VersionedRow | None,
    organization: Organization | None,
    act: str | None = None,
) -> HttpResponse:
    """Preview, conflict or publication of a draft."""
    act = act or request.POST.get("act", "save")
    if obj is not None and obj.version != draft.version:
        return _conflict(request, draft, obj)
    if act == "preview":
        return _preview(request, draft, obj, organization)
    if obj is not None and not draft.changes:
        messages.info(request, _("Nothing was changed."))
        return redirect(_url("desk-object", obj))
    try:
        done = _write(draft, obj, organization, by=request.user)
    except actions.Conflict:
        return _conflict(request, draft, queries.find(request.user, draft.kind, obj.pk))  # type: ignore[union-attr]
    if queries.is_listed(done):
        messages.success(request, _("Published. Thank you."))
    else:
        messages.success(request, _("Saved. It is not public yet: somebody who may publish will look at it."))
    return redirect(_url("desk-object", done))


def _write(draft: Draft, obj: VersionedRow | None, organization: Organization | None, *, by: Any) -> VersionedRow:
    changes, reason = draft.changes, draft.reason
    if obj is not None:
        return actions.edit(obj, by=by, changes=changes, reason=reason, expected_version=draft.version)
    if draft.kind == "organization":
        return actions.create_organization(by=by, changes=changes, reason=reason)
    if draft.kind == "service" and organization is not None:
        return actions.create_service(organization, by=by, changes=changes, reason=reason)
    return actions.create_location(organization, by=by, changes=changes, reason=reason)


# -- preview ------------------------------------------------------------------------------------------------------


def _preview(
    request: HttpRequest, draft: Draft, obj: VersionedRow | None, organization: Organization | None
) -> HttpResponse:
    """The public page as it will look, made by really writing and then taking everything back."""
    names = queries.names(wording.ids(draft.changes) | wording.ids(draft.base))
    before = {key: draft.base.get(key) for key in draft.changes}
    context: dict[str, Any] = {
        "draft": draft.seal(),
        "changes": wording.changes(before, draft.changes, names),
        "action": request.path,
        "kind": draft.kind,
        "new": obj is None,
    }
    try:
        with transaction.atomic():
            done = _write(draft, obj, organization, by=request.user)
            actions.as_if_listed(done)
            shown = _shown(done)
            page = PUBLIC[kind_of(shown)](request, shown.pk) if shown is not None else None
            # Rendered here, while what it shows is there.
            template = (
                f"directory/desk/preview_{kind_of(shown)}.html" if page and shown else "directory/desk/preview.html"
            )
            response = render(request, template, {**(page or {}), **context})
            transaction.set_rollback(True)
            return response
    except DatabaseError:
        messages.error(request, _("These values do not fit together. Please check them."))
        return _back(request, draft, obj, organization)


def _shown(obj: VersionedRow) -> VersionedRow | None:
    """The object whose public page shows `obj`."""
    if kind_of(obj) in PUBLIC:
        return obj
    if kind_of(obj) == "service_at_location":
        return obj.service  # type: ignore[attr-defined,no-any-return]
    return getattr(obj, "organization", None)


# -- two editors at once ------------------------------------------------------------------------------------------


def _conflict(request: HttpRequest, draft: Draft, obj: VersionedRow, *, status: int = 409) -> HttpResponse:
    """Both versions side by side; for each fact that both changed, a person chooses."""
    present = facts.read(obj)
    theirs = {key: value for key, value in present.items() if value != draft.base.get(key)}
    names = queries.names(wording.ids(draft.changes) | wording.ids(present))
    rows = []
    for key in {**draft.changes, **theirs}:
        if key in draft.changes and draft.changes[key] == present.get(key):
            continue  # both wrote the same
        rows.append(
            {
                "name": key,
                "label": wording.label(key),
                "theirs": wording.lines(key, present.get(key), names),
                "mine": wording.lines(key, draft.changes[key], names) if key in draft.changes else None,
                "both": key in theirs and key in draft.changes,
                "chosen": request.POST.get(f"keep-{key}", "" if key in theirs else "mine"),
            }
        )
    context = _about(
        request,
        obj,
        rows=rows,
        draft=draft.upon(obj.version).seal(),
        action=request.path,
        events=[
            {"at": event.at, "by": _actor(event), "title": wording.deed(event.code)}
            for event in queries.since(obj, draft.version)
        ],
        unchosen=status == 422,
    )
    return render(request, "directory/desk/conflict.html", context, status=status)


def _chosen(request: HttpRequest, draft: Draft, obj: VersionedRow, organization: Organization | None) -> HttpResponse:
    """The page of a conflict comes back with a choice for each fact."""
    if obj.version != draft.version:
        return _conflict(request, draft, obj)
    choices = {key: request.POST.get(f"keep-{key}") for key in draft.changes}
    present = facts.read(obj)
    if any(choices[key] not in ("mine", "theirs") and draft.changes[key] != present.get(key) for key in choices):
        return _conflict(request, draft, obj, status=422)
    kept = {key: value for key, value in draft.changes.items() if choices[key] != "theirs"}
    return _decide(request, draft.with_changes(kept, reason=draft.reason), obj, organization, act="save")


def _actor(event: Any) -> str:
    if event.actor is not None:
        return str(event.actor)
    return event.actor_label or _("somebody")


# -- hours --------------------------------------------------------------------------------------------------------


def hours(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The schedule editor of a service, a place, or a service at a place."""
    if kind == "organization":
        raise Http404
    obj = _mine(request, kind, object_id)
    if request.method != "POST":
        read = _start(request, kind, obj, "hours")
        return _hours_form(request, obj, ScheduleForm(timetable.read(read.base["schedules"])), read)
    if "draft" in request.POST:
        return _go_on(request, kind, obj, None)
    read = _read(request, kind, obj, "hours")
    form = ScheduleForm(timetable.read(read.base["schedules"]), request.POST)
    if form.adding:
        return _hours_form(request, obj, form, read)
    valid = form.is_valid()
    if request.headers.get("HX-Request") == "true":
        return _words_of(request, form, valid)
    if not valid:
        return _hours_form(request, obj, form, read, status=422)
    if request.POST.get("act") == "check":
        return _hours_form(request, obj, form, read, table=form.table())
    rows = timetable.rows(form.table(), read.base["schedules"])
    changes = {"schedules": rows} if rows != read.base["schedules"] else {}
    reason = request.POST.get("reason", "").strip()[:500]
    return _decide(request, read.with_changes(changes, reason=reason), obj, None)


def _said(table: timetable.Timetable) -> dict[str, Any]:
    """A timetable in sentences, and what a passer-by would read now."""
    rows = [from_hsds(row) for row in timetable.rows(table)]
    hours = Hours.of(rows, timezone.get_current_timezone())  # type: ignore[arg-type]
    return {"lines": wording.timetable(table), "now": opening(hours.state(timezone.now())) if rows else ""}


def _words_of(request: HttpRequest, form: ScheduleForm, valid: bool) -> HttpResponse:
    """The part of the page that says the hours in words, while somebody types."""
    context = {"said": _said(form.table()) if valid else None, "wrong": not valid}
    return render(request, "directory/desk/hours_words.html", context)


def _hours_form(
    request: HttpRequest,
    obj: VersionedRow,
    form: ScheduleForm,
    read: Draft,
    *,
    status: int = 200,
    table: timetable.Timetable | None = None,
) -> HttpResponse:
    if table is None and form.data is None:
        table = form.before
    context = _about(
        request,
        obj,
        form=form,
        base=read.with_changes({}).seal(),
        reason=read.reason or request.POST.get("reason", ""),
        from_label=_("From"),
        until_label=_("Until"),
        said=_said(table) if table is not None else None,
        wrong=status == 422,
        uses_htmx=True,
        back=_url("desk-object", obj),
    )
    return render(request, "directory/desk/hours.html", context, status=status)


# -- in and out of the directory, confirmations -------------------------------------------------------------------


@require_POST
def confirm(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """ "All of this is true": by whom and how."""
    obj = _object(request, kind, object_id)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say how you made sure."))
        return redirect(_url("desk-object", obj))
    actions.confirm(obj, by=request.user, means=form.cleaned_data["means"])
    messages.success(request, _("Thank you: readers now see that it was confirmed today."))
    return redirect(_url("desk-object", obj))


def unlist(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Take an object out of the public directory: a page that asks why."""
    obj = _object(request, kind, object_id)
    if not rules.may_publish(request.user, obj) or kind not in ("organization", "service"):
        raise PermissionDenied
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        actions.unlist(obj, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Taken out of the public directory. You can bring it back at any time."))
        return redirect(_url("desk-object", obj))
    context = _about(
        request, obj, form=form, count=len(queries.children(obj, "services")) if kind == "organization" else 0
    )
    return render(request, "directory/desk/unlist.html", context, status=422 if form.errors else 200)


@require_POST
def publish(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Put an object (back) into the public directory."""
    obj = _object(request, kind, object_id)
    actions.publish(obj, by=request.user)
    messages.success(request, _("It is in the public directory."))
    return redirect(_url("desk-object", obj))


# -- history ------------------------------------------------------------------------------------------------------


@require_GET
def history(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """What was done to an object: who, what, when, why, before and after."""
    obj = _object(request, kind, object_id)
    if not rules.may_see_history(request.user, obj):
        raise PermissionDenied
    events = queries.history(request.user, obj)
    names = queries.names(set().union(*(wording.ids(e.before) | wording.ids(e.after) for e in events)))
    may_edit = rules.may_edit(request.user, obj)
    rows = [
        {
            "id": event.pk,
            "at": event.at,
            "by": _actor(event),
            "title": wording.deed(event.code),
            "reason": event.reason,
            "changes": _told(event, names),
            "can_undo": may_edit and actions.can_undo(event),
        }
        for event in events
    ]
    return render(request, "directory/desk/history.html", _about(request, obj, events=rows))


def _told(event: Any, names: dict[str, str]) -> list[Any]:
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
    obj = _mine(request, kind, object_id)
    try:
        event = queries.event(request.user, obj, event_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    names = queries.names(wording.ids(event.before) | wording.ids(event.after))
    context = _about(
        request, obj, event={"at": event.at, "by": _actor(event), "title": wording.deed(event.code)},
        changes=_told(event, names),
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
            return redirect(_url("desk-history", obj))
        else:
            messages.success(request, _("The change is undone."))
            return redirect(_url("desk-history", obj))
    return render(request, "directory/desk/undo.html", context, status=status)


# -- words --------------------------------------------------------------------------------------------------------


def _targets() -> list[str]:
    """The languages that content is translated into here."""
    city = connection.tenant
    return [code for code in city.languages if code != city.default_language]


def _named(code: str) -> str:
    return tongues.name(code, get_language() or "fr")


@require_GET
def words_home(request: HttpRequest) -> HttpResponse:
    """How far the translations are, language by language."""
    _at_desk(request)
    progress = queries.translation_progress(request.user, _targets())
    rows = [
        {"code": code, "name": _named(code), "total": sum(states.values()), **states}
        for code, states in progress.items()
    ]
    return render(request, "directory/desk/words_home.html", {"rows": rows})


@require_GET
def words_list(request: HttpRequest, language: str) -> HttpResponse:
    """The texts that want a translation, a new one, or a reader."""
    _at_desk(request)
    if language not in _targets():
        raise Http404
    show = request.GET.get("show", "missing")
    titles = {"missing": _("Missing"), "stale": _("Out of date"), "machine": _("Made by a machine")}
    if show not in titles:
        show = "missing"
    page = max(1, min(500, int(request.GET["page"]) if request.GET.get("page", "").isdigit() else 1))
    progress = queries.translation_progress(request.user, [language])[language]
    tasks, total = queries.translation_work(request.user, language, [show], page=page)  # type: ignore[list-item]
    here = reverse("directory:desk-words-list", args=[language])
    context = {
        "language_code": language,
        "language_name": _named(language),
        "tabs": [
            {"text": text, "url": f"{here}?show={state}", "current": state == show, "count": progress[state]}  # type: ignore[literal-required,index]
            for state, text in titles.items()
        ],
        "tasks": [
            {"field": wording.label(task.field), "text": task.text, "rendering": task.rendering,
             "url": reverse("directory:desk-words", args=[task.object_type, task.object_id, language])}
            for task in tasks
        ],
        "page": page,
        "pages": -(-total // PER_PAGE),
        "total": total,
        "progress": progress,
        "all": sum(progress.values()),
    }  # fmt: skip
    return render(request, "directory/desk/words_list.html", context)


def words(request: HttpRequest, kind: str, object_id: uuid.UUID, language: str) -> HttpResponse:
    """The texts of one object side by side with what they are in another language."""
    obj = _object(request, kind, object_id)
    if not rules.may_translate(request.user, obj):
        raise PermissionDenied
    if language not in _targets() or kind not in queries.TRANSLATED:
        raise Http404
    texts = queries.texts_of(obj)
    states = queries.translations([text for _field, text in texts], language)
    data = request.POST if request.method == "POST" else None
    rows, moved = [], []
    for number, (field, text) in enumerate(texts):
        state, shown = states[text]
        form = RenderingForm(
            data if data is not None and data.get(f"t{number}-text") == text else None,
            prefix=f"t{number}",
            language=language,
            long=len(text) > 70,
            initial={"text": text, "rendering": shown.text if shown else ""},
        )
        if data is not None and not form.is_bound and data.get(f"t{number}-rendering"):
            moved.append(wording.label(field))
        rows.append({"label": wording.label(field), "text": text, "state": state, "form": form})
    status = 200
    if data is not None:
        if all(row["form"].is_valid() for row in rows if row["form"].is_bound) and not moved:
            count = _save_words(request, obj, language, rows)
            messages.success(
                request,
                ngettext("%(count)d translation saved.", "%(count)d translations saved.", count) % {"count": count},
            )
            return redirect(request.get_full_path())
        status = 409 if moved else 422
    source = connection.tenant.default_language
    context = _about(
        request, obj, rows=rows, moved=moved, language_code=language, language_name=_named(language),
        language_direction=tongues.direction(language), source_code=source, source_name=_named(source),
        source_direction=tongues.direction(source),
        others=[
            {"text": _named(code), "url": reverse("directory:desk-words", args=[kind, obj.pk, code]),
             "current": code == language}
            for code in _targets()
        ],
    )  # fmt: skip
    return render(request, "directory/desk/words.html", context, status=status)


def _save_words(request: HttpRequest, obj: VersionedRow, language: str, rows: list[dict[str, Any]]) -> int:
    """Write what was changed, and what was read and found right. How many."""
    count = 0
    with transaction.atomic():
        for row in rows:
            form = row["form"]
            said = form.cleaned_data["rendering"].strip() if form.is_bound else ""
            reviewed = form.is_bound and form.cleaned_data["reviewed"]
            if not form.is_bound or not ("rendering" in form.changed_data or (reviewed and said)):
                continue
            if not said and row["state"] in ("missing", "stale"):
                continue
            untouched = "rendering" not in form.changed_data
            origin = "reviewed" if untouched and row["state"] == "machine" else "human"
            actions.translate(obj, row["text"], language, said, by=request.user, origin=origin)
            count += 1
    return count


# -- corrections and imports --------------------------------------------------------------------------------------


@require_GET
def corrections_list(request: HttpRequest) -> HttpResponse:
    """What readers say is wrong."""
    _at_desk(request)
    answered = request.GET.get("show") == "answered"
    page = _page(request, queries.corrections(request.user, answered=answered))
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
    _at_desk(request)
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
    about = queries.find(request.user, found.object_type, found.object_id) if found.object_type in KINDS else None
    context = {
        "correction": found,
        "form": form,
        "name": queries.title(about) if about else "—",
        "object_url": _url("desk-object", about) if about else "",
        "open": found.state in corrections.OPEN,
        "may_answer": orgs.may_answer_correction(request.user, corrections.organization_of(found)),
    }
    return render(request, "directory/desk/correction.html", context, status=status)


@require_GET
def imports(request: HttpRequest) -> HttpResponse:
    """Imports, newest first."""
    if not orgs.may_see_reports(request.user):
        raise PermissionDenied
    return render(request, "directory/desk/imports.html", {"page": _page(request, queries.import_runs(request.user))})


@require_GET
def import_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One import and its report."""
    if not orgs.may_see_reports(request.user):
        raise PermissionDenied
    found = queries.import_runs(request.user).filter(pk=run_id).first()
    if found is None:
        raise Http404
    findings = _page(request, found.report.get("findings") or [], 100)
    context = {"run": found, "report": found.report, "findings": findings}
    return render(request, "directory/desk/import.html", context)
