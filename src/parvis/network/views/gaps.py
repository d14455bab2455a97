"""What the city lacks: a map, tables, a file; and what hangs on one organization alone."""

import csv
import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_safe

from parvis.accounts.rules import require
from parvis.cases.models.profile import Domain
from parvis.core.privacy import MINIMUM
from parvis.directory.finding import called
from parvis.network import drawing, gaps, rules
from parvis.network.gaps import Asked, Gap

PERIODS = {"quarter": (__("Thirteen weeks"), 13), "month": (__("Four weeks"), 4), "year": (__("A year"), 52)}
PAGE = 25


@require_safe
def gap_map(request: HttpRequest) -> HttpResponse:
    """Figures of a period; `form=csv` gives every cell as a file."""
    require(rules.may_see_gaps(request.user), "network.gaps")
    areas = gaps.boroughs()
    names = {code: name for code, name, _geometry in areas}
    asked, period = _asked(request, names)
    with transaction.atomic():
        if request.GET.get("form") == "csv":
            return _csv(gaps.cells(request.user, asked), names)
        found = gaps.gaps(request.user, asked)
    whole = next(iter(found["whole"]), None)
    by = {gap.borough: gap for gap in found["borough"]}
    most = max((gap.unmet or 0 for gap in by.values()), default=0)
    rows = []
    for code, name, geometry in areas:
        unmet = by[code].unmet if code in by else 0
        rows.append(
            (_link(request, borough=code), f"{name} : {cell(unmet)}", geometry, drawing.step(unmet, most), code)
        )
    languages = {gap.language for gap in found["language"] if gap.language} | {asked.language} - {""}
    tongue = get_language() or "fr"
    shown = {
        "whole": [(words, cell(getattr(whole, name, 0))) for name, words in _measures()],
        "map": drawing.areas(rows, _("Unmet needs by borough")), "asked": asked, "minimum": MINIMUM,
        "headings": [str(words) for _name, words in _measures()],
        "tables": [_table(name, title, found[name], asked, names) for name, title in _tables()],
        "periods": [(code, words, code == period) for code, (words, _weeks) in PERIODS.items()],
        "domains": Domain.choices, "boroughs": names.items(),
        "languages": sorted(((code, called(code, tongue)) for code in languages), key=lambda pair: pair[1]),
        "csv": _link(request, form="csv"), "keeps": rules.keeps_network(request.user),
    }  # fmt: skip
    return render(request, "network/gaps.html", shown)


@require_safe
def singles(request: HttpRequest) -> HttpResponse:
    """What one organization alone gives in a language, with what may be done about it."""
    require(rules.may_see_gaps(request.user), "network.singles")
    tongue, domains = get_language() or "fr", dict(Domain.choices)
    found = gaps.singles(request.user)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    page.object_list = [
        {"one": one, "domain": domains[one.domain], "language": called(one.language, tongue)} for one in page
    ]
    return render(request, "network/singles.html", {"page": page, "total": len(found)})


def cell(count: int | None) -> str:
    """A figure as it is written; a hidden one says so."""
    return pgettext("a figure that is not shown", "hidden") if count is None else str(count)


def _asked(request: HttpRequest, names: dict[str, str]) -> tuple[Asked, str]:
    wished = request.GET.get("period", "")
    period = wished if wished in PERIODS else "quarter"
    today = timezone.localdate()
    domain, language, borough = (request.GET.get(name, "") for name in ("domain", "language", "borough"))
    known = language if language.isascii() and language.isalpha() and len(language) < 9 else ""
    since = today - dt.timedelta(weeks=PERIODS[period][1] - 1)
    return Asked(
        since, today, domain if domain in Domain.values else "", known, borough if borough in names else ""
    ), period


def _link(request: HttpRequest, **more: str) -> str:
    kept = {name: request.GET[name] for name in ("period", "domain", "language", "borough") if request.GET.get(name)}
    return "?" + urlencode(kept | more)


def _measures() -> list[tuple[str, str]]:
    return [
        ("asked", _("Needs asked")), ("accepted", _("Accepted")), ("full", _("No free place")),
        ("waiting", pgettext("gaps", "Waiting")), ("unmet", _("Unmet")), ("waited", _("Days to a yes")),
    ]  # fmt: skip


def _tables() -> list[tuple[str, str]]:
    return [
        ("domain", _("By need")),
        ("language", _("By language")),
        ("borough", _("By borough")),
        ("week", _("By week")),
    ]


def _table(name: str, title: str, rows: list[Gap], asked: Asked, names: dict[str, str]) -> dict[str, Any]:
    headings = [title, *(words for _name, words in _measures())]
    lines = [[_name_of(name, gap, names), *_line(gap)] for gap in rows]
    if name == "domain":
        headings.append(_("One more place would have served"))
        for line, gap in zip(lines, rows, strict=True):
            line.append(cell(gaps.one_more_place(gap, asked.days)))
    return {"code": name, "title": title, "headings": headings, "rows": lines}


def _line(gap: Gap) -> list[str]:
    counts = [cell(getattr(gap, name)) for name, _words in _measures()[:-1]]
    return [*counts, "—" if gap.waited is None else str(gap.waited)]


def _name_of(name: str, gap: Gap, names: dict[str, str]) -> str:
    if name == "week":
        return date_format(gap.week, "SHORT_DATE_FORMAT") if gap.week else "—"
    code = getattr(gap, name)
    if not code:
        return _("Not known")
    if name == "domain":
        return str(dict(Domain.choices).get(code, code))
    return called(code, get_language() or "fr") if name == "language" else names.get(code, code)


def _csv(cells: list[Gap], names: dict[str, str]) -> HttpResponse:
    """One line a cell; an empty figure is hidden."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="gaps.csv"'
    lines = csv.writer(response)
    lines.writerow(["need", "language", "borough", "week", "asked", "accepted", "no_place", "waiting", "unmet", "days"])
    for one in cells:
        figures = (one.asked, one.accepted, one.full, one.waiting, one.unmet, one.waited)
        lines.writerow(
            [one.domain, one.language, one.borough, one.week, *("" if each is None else each for each in figures)]
        )
    return response
