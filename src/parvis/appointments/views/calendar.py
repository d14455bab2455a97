"""The calendar: a day, a week, a month; mine, my team's, all that I may see."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.appointments import queries, rules
from parvis.cases.desk import at_desk

SHOWS = {"mine": __("Mine"), "team": __("My team"), "all": __("All")}
VIEWS = {"day": __("Day"), "week": __("Week"), "month": __("Month")}


@at_desk(rules.may_see_calendar)
def calendar(request: HttpRequest) -> HttpResponse:
    """Appointments of a day, a week or a month, each day in the city's own time."""
    view = _one_of(request.GET.get("view"), VIEWS, "week")
    show = _one_of(request.GET.get("show"), SHOWS, "mine")
    on = _day(request.GET.get("on"))
    first, last = span(view, on)
    here = queries.zone()
    since, until = (dt.datetime.combine(day, dt.time(), tzinfo=here) for day in (first, last + dt.timedelta(days=1)))
    lines = queries.shown(request.user, queries.between(request.user, since, until, show))
    by_day: dict[dt.date, list[queries.Shown]] = {}
    for line in lines:
        by_day.setdefault(line.appointment.starts_at.astimezone(here).date(), []).append(line)
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    closed, today = queries.closed(days), timezone.localdate()
    shown_days = [
        {"day": day, "lines": by_day.get(day, []), "today": day == today, "closed": day in closed,
         "weekend": day.isoweekday() > 5, "other": view == "month" and day.month != on.month}
        for day in days
    ]  # fmt: skip
    if view == "week":  # a weekend on which nothing is needs no room
        shown_days = [each for each in shown_days if not each["weekend"] or each["lines"] or each["today"]]

    def link(**more: Any) -> str:
        asked = {"view": view, "show": show, "on": f"{on:%Y-%m-%d}", **more}
        return "?" + "&".join(f"{name}={value}" for name, value in asked.items())

    page = {
        "view": view, "show": show, "on": on, "days": shown_days, "heading": _heading(view, first, last, on),
        "weeks": [shown_days[number : number + 7] for number in range(0, len(shown_days), 7)],
        "number": len(lines), "weekdays": days[:7],
        "shows": [{"text": text, "url": link(show=code), "current": code == show} for code, text in SHOWS.items()],
        "views": [{"text": text, "url": link(view=code), "current": code == view, "key": code[0]}
                  for code, text in VIEWS.items()],
        "before": link(on=f"{_step(view, on, -1):%Y-%m-%d}"), "after": link(on=f"{_step(view, on, 1):%Y-%m-%d}"),
        "now": link(on=f"{today:%Y-%m-%d}"),
        "waiting": sum(line.waits_for_interpreter for line in lines),
    }  # fmt: skip
    return render(request, "appointments/calendar.html", page)


def _one_of(asked: str | None, known: dict[str, Any], usual: str) -> str:
    return asked if asked in known else usual


def _day(text: str | None) -> dt.date:
    try:
        found = dt.date.fromisoformat(text or "")
    except ValueError:
        return timezone.localdate()
    return found if 1990 < found.year < 2200 else timezone.localdate()


def span(view: str, on: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of what a view shows; weeks begin on Monday."""
    if view == "day":
        return on, on
    first = on if view == "week" else on.replace(day=1)
    last = on if view == "week" else _step("month", on.replace(day=1), 1) - dt.timedelta(days=1)
    return (first - dt.timedelta(days=first.weekday()), last + dt.timedelta(days=6 - last.weekday()))


def _step(view: str, on: dt.date, number: int) -> dt.date:
    if view != "month":
        return on + dt.timedelta(days=number * (7 if view == "week" else 1))
    month = on.year * 12 + on.month - 1 + number
    return dt.date(month // 12, month % 12 + 1, 1)


def _heading(view: str, first: dt.date, last: dt.date, on: dt.date) -> str:
    if view == "day":
        return f"{date_format(on, 'l')} {date_format(on, 'DATE_FORMAT')}"
    if view == "month":
        return date_format(on, "YEAR_MONTH_FORMAT")
    return _("%(first)s to %(last)s") % {"first": date_format(first, "DATE_FORMAT"),
                                         "last": date_format(last, "DATE_FORMAT")}  # fmt: skip
