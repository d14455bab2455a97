"""Translating at the desk: how far it is, what remains, and an object's texts side by side."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from parvis.core import language as tongues
from parvis.directory import actions, queries, rules, wording
from parvis.directory.forms import RenderingForm
from parvis.directory.views.desk import PER_PAGE, about, at_desk, find_object, named, targets
from parvis.orgs.models import VersionedRow


@require_GET
def words_home(request: HttpRequest) -> HttpResponse:
    """How far the translations are, language by language."""
    at_desk(request)
    progress = queries.translation_progress(request.user, targets())
    rows = [
        {"code": code, "name": named(code), "total": sum(states.values()), **states}
        for code, states in progress.items()
    ]
    return render(request, "directory/desk/words_home.html", {"rows": rows})


@require_GET
def words_list(request: HttpRequest, language: str) -> HttpResponse:
    """The texts that want a translation, a new one, or a reader."""
    at_desk(request)
    if language not in targets():
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
        "language_name": named(language),
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
    obj = find_object(request, kind, object_id)
    if not rules.may_translate(request.user, obj):
        raise PermissionDenied
    if language not in targets() or kind not in queries.TRANSLATED:
        raise Http404
    texts = queries.texts_of(obj)
    states = queries.translations([text for _field, text in texts], language)
    texts = [(field, text) for field, text in texts if text in states]
    spoken = queries.languages_of(states)
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
        source = spoken[text]
        rows.append({"label": wording.label(field), "text": text, "state": state, "form": form, "source": source,
                     "source_name": named(source), "source_direction": tongues.direction(source)})  # fmt: skip
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
    context = about(
        request, obj, rows=rows, moved=moved, language_code=language, language_name=named(language),
        language_direction=tongues.direction(language),
        others=[
            {"text": named(code), "url": reverse("directory:desk-words", args=[kind, obj.pk, code]),
             "current": code == language}
            for code in targets()
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
