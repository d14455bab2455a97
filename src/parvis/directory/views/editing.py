"""The forms of the desk: edit, hours, preview as the public will see it, and two editors at once."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.history import actor
from parvis.core.hours import Hours, from_hsds
from parvis.directory import actions, facts, queries, rules, timetable, wording
from parvis.directory.drafts import Draft, unseal
from parvis.directory.facts import KINDS, Facts, kind_of
from parvis.directory.forms import Editor
from parvis.directory.models import Taxonomy
from parvis.directory.schedule_forms import ScheduleForm
from parvis.directory.templatetags.public import opening
from parvis.directory.views.desk import PUBLIC, about, find_mine, find_object, has_hours, url_of
from parvis.orgs import rules as orgs
from parvis.orgs.models import Organization, VersionedRow

# -- the form -----------------------------------------------------------------------------------------------------


def new_organization(request: HttpRequest) -> HttpResponse:
    """A new organization, by the office."""
    if not orgs.may_add_organization(request.user):
        raise PermissionDenied
    return _edit(request, "organization", None, None)


def new_taxonomy(request: HttpRequest) -> HttpResponse:
    """A new taxonomy, by the office."""
    if not rules.may_edit(request.user, Taxonomy()):
        raise PermissionDenied
    return _edit(request, "taxonomy", None, None)


#: kind of something new -> kind of what it belongs to
_OWNERS = {
    "service": "organization", "location": "organization", "program": "organization", "taxonomy_term": "taxonomy"
}  # fmt: skip


def new(request: HttpRequest, kind: str, owner_id: uuid.UUID) -> HttpResponse:
    """A new service, place or programme of an organization, or a new term of a taxonomy."""
    if kind not in _OWNERS:
        raise PermissionDenied
    owner = find_object(request, _OWNERS[kind], owner_id)
    may = orgs.may_edit_service(request.user, owner) if isinstance(owner, Organization) else False
    if not (may or (isinstance(owner, Taxonomy) and rules.may_edit(request.user, owner))):
        raise PermissionDenied
    return _edit(request, kind, None, owner)


def edit(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The form of one object: read, preview, publish; a conflict is shown and never overwritten."""
    obj = find_mine(request, kind, object_id)
    return _edit(request, kind, obj, getattr(obj, "taxonomy" if kind == "taxonomy_term" else "organization", None))


def _blank(kind: str) -> Facts:
    """The facts of something that is not there yet."""
    made = KINDS[kind].model()
    found: Facts = {column.attname: facts.plain(getattr(made, column.attname)) for column in KINDS[kind].fields}
    return found | {part.name: [] for part in KINDS[kind].parts} | {"listed": True}


def _editor(
    kind: str, obj: VersionedRow | None, owner: VersionedRow | None, read: Facts, data: QueryDict | None = None
) -> Editor:
    choices = {}
    organization = owner if isinstance(owner, Organization) else None
    if kind == "service":
        choices = {"programs": queries.programs(organization)}
    elif kind == "taxonomy_term":
        choices = {"above": queries.broader_terms(owner, obj)}  # type: ignore[arg-type]
    return Editor(kind, read, organization_id=organization.pk if organization else None, data=data, choices=choices)


def _edit(request: HttpRequest, kind: str, obj: VersionedRow | None, owner: VersionedRow | None) -> HttpResponse:
    if request.method != "POST":
        read = _start(request, kind, obj)
        return _form(request, obj, owner, _editor(kind, obj, owner, read.base), read)
    if "draft" in request.POST:
        return _go_on(request, kind, obj, owner)
    read = _read(request, kind, obj)
    editor = _editor(kind, obj, owner, read.base, request.POST)
    if editor.adding:
        return _form(request, obj, owner, editor, read)
    if not editor.is_valid():
        return _form(request, obj, owner, editor, read, status=422)
    draft = read.with_changes(editor.changes(), reason=request.POST.get("reason", "").strip()[:500])
    return _decide(request, draft, obj, owner)


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
    owner: VersionedRow | None,
    editor: Editor,
    read: Draft,
    status: int = 200,
) -> HttpResponse:
    kind = read.kind
    titles = {
        "organization": _("New organization"),
        "service": _("New service"),
        "location": _("New place"),
        "program": _("New programme"),
        "taxonomy": _("New taxonomy"),
        "taxonomy_term": _("New subject"),
    }
    known = about(request, obj) if obj else {"kind": kind, "title": titles[kind], "trail": []}
    if obj is None and owner is not None:
        known["trail"] = [{"text": queries.title(owner), "url": url_of("desk-object", owner)}]
    context = {
        **known,
        "editor": editor,
        "base": read.with_changes({}).seal(),
        "reason": read.reason or request.POST.get("reason", ""),
        "new": obj is None,
        "terms": sorted(set(editor.terms.values())),
        "added": next((form for rows in editor.groups.values() for form in rows.forms if form.added), None),
        "back": known.get("url") or (url_of("desk-object", owner) if owner else reverse("directory:desk")),
    }
    return render(request, "directory/desk/edit.html", context, status=status)


def _go_on(request: HttpRequest, kind: str, obj: VersionedRow | None, owner: VersionedRow | None) -> HttpResponse:
    """A later step: from the preview or from the page of a conflict."""
    try:
        draft = unseal(request.POST["draft"], kind=kind, object_id=obj.pk if obj else None, by=request.user)
    except (BadSignature, TypeError, ValueError):
        messages.error(request, _("This page is too old. Please start again."))
        return redirect(request.path)
    if request.POST.get("act") == "back":
        return _back(request, draft, obj, owner)
    if obj and "choose" in request.POST:
        return _chosen(request, draft, obj, owner)
    return _decide(request, draft, obj, owner, act=request.POST.get("act", "save"))


def _back(request: HttpRequest, draft: Draft, obj: VersionedRow | None, owner: VersionedRow | None) -> HttpResponse:
    """From the preview to the form, with everything that was written."""
    if draft.part == "hours" and obj:
        table = timetable.read((draft.base | draft.changes)["schedules"])
        return _hours_form(request, obj, ScheduleForm(table), draft)
    return _form(request, obj, owner, _editor(draft.kind, obj, owner, draft.base | draft.changes), draft)


def _decide(
    request: HttpRequest,
    draft: Draft,
    obj: VersionedRow | None,
    owner: VersionedRow | None,
    act: str | None = None,
) -> HttpResponse:
    """Preview, conflict or publication of a draft."""
    act = act or request.POST.get("act", "save")
    if obj is not None and obj.version != draft.version:
        return _conflict(request, draft, obj)
    if act == "preview":
        return _preview(request, draft, obj, owner)
    if obj is not None and not draft.changes:
        messages.info(request, _("Nothing was changed."))
        return redirect(url_of("desk-object", obj))
    try:
        done = _write(draft, obj, owner, by=request.user)
    except actions.Conflict:
        return _conflict(request, draft, queries.find(request.user, draft.kind, obj.pk))  # type: ignore[union-attr]
    if queries.is_listed(done):
        messages.success(request, _("Published. Thank you."))
    else:
        messages.success(request, _("Saved. It is not public yet: somebody who may publish will look at it."))
    return redirect(url_of("desk-object", done))


def _write(draft: Draft, obj: VersionedRow | None, owner: VersionedRow | None, *, by: Any) -> VersionedRow:
    changes, reason = draft.changes, draft.reason
    if obj is not None:
        return actions.edit(obj, by=by, changes=changes, reason=reason, expected_version=draft.version)
    if draft.kind == "organization":
        return actions.create_organization(by=by, changes=changes, reason=reason)
    if draft.kind == "taxonomy":
        return actions.create_taxonomy(by=by, changes=changes, reason=reason)
    create: Any = _CREATE[draft.kind]
    return create(owner, by=by, changes=changes, reason=reason)  # type: ignore[no-any-return]


_CREATE = {
    "service": actions.create_service, "location": actions.create_location, "program": actions.create_program,
    "taxonomy_term": actions.create_term,
}  # fmt: skip


# -- preview ------------------------------------------------------------------------------------------------------


def _preview(request: HttpRequest, draft: Draft, obj: VersionedRow | None, owner: VersionedRow | None) -> HttpResponse:
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
            done = _write(draft, obj, owner, by=request.user)
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
        return _back(request, draft, obj, owner)


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
    context = about(
        request,
        obj,
        rows=rows,
        draft=draft.upon(obj.version).seal(),
        action=request.path,
        events=[
            {"at": event.at, "by": actor(event), "title": wording.deed(event.code)}
            for event in queries.since(obj, draft.version)
        ],
        unchosen=status == 422,
    )
    return render(request, "directory/desk/conflict.html", context, status=status)


def _chosen(request: HttpRequest, draft: Draft, obj: VersionedRow, owner: VersionedRow | None) -> HttpResponse:
    """The page of a conflict comes back with a choice for each fact."""
    if obj.version != draft.version:
        return _conflict(request, draft, obj)
    choices = {key: request.POST.get(f"keep-{key}") for key in draft.changes}
    present = facts.read(obj)
    if any(choices[key] not in ("mine", "theirs") and draft.changes[key] != present.get(key) for key in choices):
        return _conflict(request, draft, obj, status=422)
    kept = {key: value for key, value in draft.changes.items() if choices[key] != "theirs"}
    return _decide(request, draft.with_changes(kept, reason=draft.reason), obj, owner, act="save")


# -- hours --------------------------------------------------------------------------------------------------------


def hours(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """The schedule editor of a service, a place, or a service at a place."""
    if kind in KINDS and not has_hours(kind):
        raise Http404
    obj = find_mine(request, kind, object_id)
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
    context = about(
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
        back=url_of("desk-object", obj),
    )
    return render(request, "directory/desk/hours.html", context, status=status)
