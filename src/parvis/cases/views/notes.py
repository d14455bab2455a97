"""Notes: written, read, corrected by a note that replaces another."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.cases import glance
from parvis.cases.actions import profile as actions
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk
from parvis.cases.models import Note
from parvis.cases.profile_forms import NoteForm
from parvis.cases.views.person import page, the_profile


@at_desk()
def new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A new note about a person."""
    profile = the_profile(request, pk, "cases.note.added")
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        actions.write_note(profile.person, given["kind"], given["text"], by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The note is kept."))
        return redirect(reverse("cases:person", args=[pk]) + "#notes")
    shown = page(profile, form=form, heading=_("New note"))
    return render(request, "cases/row.html", shown, status=UNPROCESSABLE if form.is_bound else 200)


@at_desk()
def correct(request: HttpRequest, pk: uuid.UUID, row: uuid.UUID) -> HttpResponse:
    """A note that replaces another: what was written first stays and can be read here."""
    profile = the_profile(request, pk, "cases.note.changed")
    old = glance.row(profile, Note, row)
    text = profile.vault.open(old, "text")
    form = NoteForm(request.POST or None, initial={"text": text, "kind": old.kind})
    del form.fields["kind"]
    older = _older(profile, old)
    shown = page(profile, form=form, heading=_("Correct a note"), old=old, old_text=text, older=older)
    if request.method != "POST":
        return render(request, "cases/note.html", shown)
    if not form.is_valid():
        return render(request, "cases/note.html", shown, status=UNPROCESSABLE)
    try:
        actions.write_note(
            profile.person,
            old.kind,
            form.cleaned_data["text"],
            by=request.user,
            replaces=old,  # type: ignore[arg-type]
        )
    except Conflict as conflict:
        theirs = {"theirs": conflict.now, "theirs_text": profile.vault.open(conflict.now, "text")}
        return render(request, "cases/note.html", shown | theirs, status=CONFLICT)
    except Refused as why:
        form.add_error(None, str(why))
        return render(request, "cases/note.html", shown, status=CONFLICT)
    messages.success(request, _("The note is corrected; the first version stays in the history."))
    return redirect(reverse("cases:person", args=[pk]) + "#notes")


def _older(profile: glance.Profile, note: Note) -> list[tuple[Note, str]]:
    """The versions before this one, the latest first."""
    rows = {row.pk: row for row in profile.rows(Note).select_related("author")}
    found: list[tuple[Note, str]] = []
    key = note.replaces_id
    while key in rows:
        found.append((rows[key], profile.vault.open(rows[key], "text")))
        key = rows[key].replaces_id
    return found
