"""Lists of arriving people: brought, looked at, corrected, decided, imported, reported."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext

from parvis.accounts.actions import Refused
from parvis.arrivals import queries, rules, wording
from parvis.arrivals.actions import importing, manifests
from parvis.arrivals.forms import BringForm, ColumnsForm
from parvis.arrivals.models import Manifest, ManifestRow
from parvis.arrivals.reading import read
from parvis.cases import rules as cases
from parvis.cases.desk import UNPROCESSABLE, at_desk
from parvis.core.cells import csv_file
from parvis.kit.uploads import safe_disposition

DECISION = ManifestRow.Decision
#: rows of which one form decides
PER_PAGE = 20


@at_desk(rules.may_receive)
def lists(request: HttpRequest) -> HttpResponse:
    """All lists, and the form that brings one."""
    form = BringForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            sheet = read(file.read(), name=file.name)
            made, new = manifests.bring(
                sheet,
                holder=cases.holders(request.user)[0],
                by=request.user,  # type: ignore[arg-type]
                defaults=form.defaults(),
            )
        except (ValidationError, Refused) as refused:
            form.add_error("file", refused.messages if isinstance(refused, ValidationError) else refused.message)
        else:
            if not new:
                messages.info(request, _("This list is here already: nothing was created a second time."))
            return redirect("arrivals:report" if made.state == Manifest.State.IMPORTED else "arrivals:list", pk=made.pk)
    shown = {"form": form, "manifests": queries.manifests(request.user)[:50]}
    return render(request, "arrivals/lists.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _prepared(request: HttpRequest, pk: uuid.UUID) -> tuple[Manifest, HttpResponse | None]:
    """The list, and where to go instead when it is no longer being prepared."""
    found = queries.manifest(request.user, pk)
    if found.state == Manifest.State.IMPORTING:
        return found, redirect("arrivals:progress", pk=pk)
    if found.state == Manifest.State.IMPORTED:
        return found, redirect("arrivals:report", pk=pk)
    return found, None


TABS = {"": __("Households"), "problems": __("Problems")}


@at_desk(rules.may_receive)
def preview(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The proposed households, row by row with their problems; what remains to be done before the import."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere:
        return elsewhere
    return _preview(request, found)


def _preview(request: HttpRequest, found: Manifest, refused: str = "") -> HttpResponse:
    only = request.GET.get("show", "")
    only = only if only in TABS else ""
    page = _page(request)
    homes, pages = queries.homes(found, page=page, only=only)
    counts = queries.tally(found)
    tabs = [
        {"text": label, "url": f"?show={code}" if code else "?", "current": code == only,
         "count": counts["problems"] if code else counts["households"]}
        for code, label in TABS.items()
    ]  # fmt: skip
    shown = {
        "manifest": found, "homes": homes, "counts": counts, "tabs": tabs, "only": only, "number": page,
        "pages": pages, "refused": refused, "unread": _unread(found),
    }  # fmt: skip
    return render(request, "arrivals/list.html", shown, status=UNPROCESSABLE if refused else 200)


def _unread(found: Manifest) -> list[str]:
    """Headings that nobody knew."""
    pairs = zip(found.layout["headings"], found.layout["fields"], strict=True)
    return [heading for heading, known in pairs if heading and not known]


def _page(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return max(1, int(given)) if given.isdecimal() and len(given) < 6 else 1


@at_desk(rules.may_receive)
def columns(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What each column is, corrected by a person, and kept for the next list."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere:
        return elsewhere
    form = ColumnsForm(request.POST or None, manifest=found)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            manifests.remap(
                found, form.mapping(), order=given["order"], defaults=form.defaults(), version=given["version"],
                save_as=given["save_as"], by=request.user,  # type: ignore[arg-type]
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, _("The list was read again."))
            return redirect("arrivals:list", pk=pk)
    shown = {"manifest": found, "form": form, "samples": _samples(found)}
    return render(request, "arrivals/columns.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _samples(found: Manifest) -> list[str]:
    """What stands in the first filled cell of each column."""
    from parvis.arrivals.staging import Staging
    from parvis.core.manifest import text_of

    cells = Staging(found).cells(found)[found.layout["header"] + 1 :]
    return [
        next((text_of(row[column])[:40] for row in cells if column < len(row) and text_of(row[column])), "")
        for column in range(len(found.layout["headings"]))
    ]


@at_desk(rules.may_receive)
def decide(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Likely duplicates side by side: for each row a person says the same, another, or leave out."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere:
        return elsewhere
    page = _page(request)
    lines, pages = queries.to_decide(request.user, found, page=page, size=PER_PAGE)
    refused = ""
    if request.method == "POST":
        decisions = _decisions(request, lines)
        try:
            changed = manifests.decide(found, decisions, by=request.user)  # type: ignore[arg-type]
        except Refused as error:
            refused = str(error.message)
        else:
            messages.success(
                request, ngettext("%(count)d decision kept.", "%(count)d decisions kept.", changed) % {"count": changed}
            )
            if page < pages:
                return redirect(f"{request.path}?page={page + 1}")
            return redirect("arrivals:list", pk=pk)
    shown = {
        "manifest": found, "lines": lines, "number": page, "pages": pages, "refused": refused,
        "undecided": queries.tally(found)["undecided"],
    }  # fmt: skip
    return render(request, "arrivals/decide.html", shown, status=UNPROCESSABLE if refused else 200)


def _decisions(request: HttpRequest, lines: list[queries.Line]) -> dict[uuid.UUID, tuple[str, uuid.UUID | None]]:
    """What was chosen for the rows of this page: "another", "skip", or the id of the same person."""
    found: dict[uuid.UUID, tuple[str, uuid.UUID | None]] = {}
    for line in lines:
        said = request.POST.get(f"row-{line.row.number}", "")
        if said in (DECISION.ANOTHER, DECISION.SKIP):
            found[line.row.pk] = (said, None)
        elif said:
            same = next((each["person"].pk for each in line.candidates if str(each["person"].pk) == said), None)
            if same:
                found[line.row.pk] = (DECISION.SAME, same)
    return found


@at_desk(rules.may_receive)
def group(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put chosen rows together into one household, or apart."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere or request.method != "POST":
        return elsewhere or redirect("arrivals:list", pk=pk)
    numbers = [int(one) for one in request.POST.getlist("row") if one.isdecimal() and len(one) < 8]
    try:
        manifests.regroup(found, numbers, apart=request.POST.get("do") == "apart", by=request.user)  # type: ignore[arg-type]
    except Refused as refused:
        return _preview(request, found, str(refused.message))
    messages.success(request, _("The households were changed."))
    return redirect("arrivals:list", pk=pk)


@at_desk(rules.may_receive)
def begin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Have the list imported."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere or request.method != "POST":
        return elsewhere or redirect("arrivals:list", pk=pk)
    version = request.POST.get("version", "")
    try:
        importing.ask(found, by=request.user, version=int(version) if version.isdecimal() else None)  # type: ignore[arg-type]
    except Refused as refused:
        return _preview(request, found, str(refused.message))
    return redirect("arrivals:progress", pk=pk)


@at_desk(rules.may_receive)
def discard(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Set the list aside, after asking."""
    found, elsewhere = _prepared(request, pk)
    if elsewhere:
        return elsewhere
    if request.method == "POST":
        manifests.discard(found, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The list was set aside and forgotten."))
        return redirect("arrivals:lists")
    return render(request, "arrivals/discard.html", {"manifest": found})


@at_desk(rules.may_receive)
def progress(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How far the import is: asked again by htmx, or by the page itself without JavaScript."""
    found = queries.manifest(request.user, pk)
    if found.state == Manifest.State.IMPORTED:
        if request.htmx:  # type: ignore[attr-defined]
            answer = HttpResponse(status=204)
            answer["HX-Redirect"] = request.path.replace("/progress/", "/report/")
            return answer
        return redirect("arrivals:report", pk=pk)
    if found.state == Manifest.State.READ:
        return redirect("arrivals:list", pk=pk)
    beside = queries.progress(found)
    shown: dict[str, Any] = {
        "manifest": found, "progress": beside, "step": wording.STEPS.get(beside.step if beside else "", ""),
        "uses_htmx": True,
    }  # fmt: skip
    part = bool(request.htmx)  # type: ignore[attr-defined]
    answer = render(request, "arrivals/progress_part.html" if part else "arrivals/progress.html", shown)
    if not part:
        answer["Refresh"] = "5"  # a page without JavaScript asks again by itself
    return answer


@at_desk(rules.may_receive)
def report(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Where every row of an imported list ended."""
    found = queries.manifest(request.user, pk)
    if found.state != Manifest.State.IMPORTED:
        return redirect("arrivals:list", pk=pk)
    counts = queries.tally(found)
    page = _page(request)
    shown = {
        "manifest": found, "counts": counts, "number": page, "pages": max(1, -(-counts["rows"] // 100)),
        "rows": [
            {"row": one, "outcome": ManifestRow.Outcome(one.outcome).label if one.outcome else "",
             "why": wording.PROBLEMS.get(one.why, ""), "problems": [wording.problem(each) for each in one.problems]}
            for one in queries.ends(request.user, found, page=page)
        ],
    }  # fmt: skip
    return render(request, "arrivals/report.html", shown)


@at_desk(rules.may_receive)
def report_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same for a spreadsheet: numbers and references, no names."""
    found = queries.manifest(request.user, pk)
    if found.state != Manifest.State.IMPORTED:
        return redirect("arrivals:list", pk=pk)
    data = csv_file(
        [_("Row"), _("What became of it"), _("Why"), _("File"), _("To look at")],
        (
            [
                one.number,
                ManifestRow.Outcome(one.outcome).label if one.outcome else "",
                wording.PROBLEMS.get(one.why, ""),
                one.household.reference if one.household else "",
                " ".join(wording.problem(each) for each in one.problems),
            ]
            for one in queries.ends(request.user, found)
        ),
    )
    answer = HttpResponse(data, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = safe_disposition(f"{found.name.rsplit('.', 1)[0]}-{found.digest[:6]}.csv")
    answer["Cache-Control"] = "private, no-store"
    return answer
