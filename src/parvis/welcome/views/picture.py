"""The office's picture: plots and tables for the director, without anybody in them."""

import csv
import datetime as dt
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language_bidi, pgettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_GET

from parvis.accounts.rules import require
from parvis.core import privacy
from parvis.kit.dates import short_day
from parvis.welcome import drawing, queries, rules

#: period -> its words, how many weeks, by what
PERIODS = {
    "month": (__("Four weeks, by day"), 4, "day"),
    "quarter": (__("Thirteen weeks"), 13, "week"),
    "year": (__("A year"), 52, "week"),
}


@require_GET
def picture(request: HttpRequest) -> HttpResponse:
    """Figures of a period; `form=csv` gives the same as a file."""
    require(rules.may_see_picture(request.user), "welcome.picture")
    asked = request.GET.get("period", "month")
    period = asked if asked in PERIODS else "month"
    _words, weeks, step = PERIODS[period]
    today = timezone.localdate()
    with transaction.atomic():
        found = queries.picture(request.user, today - dt.timedelta(weeks=weeks - 1), today, step)
    plots = [_plot(found, *each) for each in plots_of()]
    if request.GET.get("form") == "csv":
        return _csv(found, plots)
    shown = {
        "found": found,
        "plots": plots,
        "stats": [{"label": words, "value": told(count)} for words, count in _stats(found)],
        "caseloads": _caseloads(found),
        "period": period,
        "tabs": [
            {"text": words, "url": f"?period={code}", "current": code == period}
            for code, (words, _weeks, _step) in PERIODS.items()
        ],
        "minimum": privacy.MINIMUM,
    }
    return render(request, "welcome/picture.html", shown)


def _met() -> list[tuple[str, str, str]]:
    return [
        ("met", _("On time"), "plot-1"), ("late", _("Done late"), "plot-2"), ("open", _("Still open"), "plot-3"),
    ]  # fmt: skip


def plots_of() -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """(measure, title, parts as (code, words, class of the plot))."""
    return [
        ("arrivals", _("People who arrived"), [("", _("People"), "plot-1")]),
        ("plans", _("Steps of plans, by the week they were due"), _met()),
        ("legal", _("Legal deadlines, by the week they fell on"), _met()),
    ]


def _stats(found: queries.Picture) -> list[tuple[str, int | None]]:
    """Figures of today, each alone."""
    now = found.parts("now")
    return [
        (_("Open files"), found.one("files")),
        (_("Steps due today"), now.get("due", 0)),
        (_("Overdue steps"), now.get("overdue", 0)),
        (_("Legal deadlines in five days"), now.get("legal", 0)),
        (_("Files with no next date"), found.one("undated")),
    ]


def told(count: int | None) -> str:
    """A figure as it is written: hidden ones say so."""
    return _("fewer than %(count)d") % {"count": privacy.MINIMUM} if count is None else str(count)


def _in_cell(count: int | None) -> str:
    return pgettext("a figure that is not shown", "hidden") if count is None else str(count)


def _plot(found: queries.Picture, measure: str, title: str, parts: list[tuple[str, str, str]]) -> dict[str, Any]:
    columns = [(words, kind, found.series(measure, code)) for code, words, kind in parts]
    buckets = found.buckets(measure)
    bars = [
        drawing.Bar(short_day(bucket), [(kind, cells[place].count) for _, kind, cells in columns])
        for place, bucket in enumerate(buckets)
    ]
    counted = sum(cell.count or 0 for _, _, cells in columns for cell in cells)
    hidden = sum(cell.count is None for _, _, cells in columns for cell in cells)
    shares = None
    if len(columns) > 1:
        first, *rest = ([cell.count for cell in cells] for _, _, cells in columns)
        shares = privacy.share(sum(count or 0 for count in first), sum(count or 0 for each in rest for count in each))
    return {
        "code": measure,
        "title": title,
        "svg": drawing.bars(bars, title, rtl=get_language_bidi()),
        "legend": [(words, kind) for words, kind, _ in columns],
        "headings": [
            _("Week of") if found.step == "week" or measure != "arrivals" else _("Day"),
            *(words for words, _, _ in columns),
        ],
        "rows": [
            [date_format(bucket, "SHORT_DATE_FORMAT"), *(_in_cell(cells[place].count) for _, _, cells in columns)]
            for place, bucket in enumerate(buckets)
        ],
        "days": buckets,
        "columns": columns,
        "counted": counted,
        "hidden": hidden,
        "share": shares,
    }


def _caseloads(found: queries.Picture) -> list[tuple[str, str]]:
    parts = found.parts("caseload")
    bands = {"none": _("No lead worker"), **queries.BANDS}
    return [(words, _in_cell(parts.get(code, 0))) for code, words in bands.items()]


def _csv(found: queries.Picture, plots: list[dict[str, Any]]) -> HttpResponse:
    """One line a figure: what, when, which part, how many (empty: hidden)."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="picture.csv"'
    lines = csv.writer(response)
    lines.writerow(["measure", "from", "part", "count"])
    for plot in plots:
        for words, _kind, cells in plot["columns"]:
            for day, cell in zip(plot["days"], cells, strict=True):
                lines.writerow([plot["title"], day.isoformat(), words, "" if cell.count is None else cell.count])
    for words, count in _caseloads(found):
        lines.writerow(
            [_("Open files by how many their lead worker has"), "", words, count if count.isdecimal() else ""]
        )
    return response
