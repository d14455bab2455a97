"""The arrivals board, and one arrival: met, not met, cancelled, expected after all."""

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.accounts.actions import Refused
from parvis.accounts.rules import require
from parvis.arrivals import queries, rules
from parvis.arrivals.actions import board as actions
from parvis.arrivals.forms import ExpectForm
from parvis.arrivals.models import Arrival
from parvis.cases.desk import UNPROCESSABLE, at_desk, looked, the_household
from parvis.cases.queries import Sight, may_write_household

STATE = Arrival.State
SHOWS = {"today": __("Today"), "tomorrow": __("Tomorrow"), "week": __("Seven days")}


@at_desk(rules.may_receive)
def board(request: HttpRequest) -> HttpResponse:
    """Who arrives when and where, met or not."""
    show = request.GET.get("show", "today")
    show = show if show in SHOWS else "today"
    today = timezone.localdate()
    first = today + dt.timedelta(days=show == "tomorrow")
    days = 7 if show == "week" else 1
    everything = queries.arrivals(request.user, *queries.day(first, days))
    places = sorted({each.place for each in everything if each.place})
    asked = request.GET.get("place", "")
    place = asked if asked in places else ""
    found = [each for each in everything if not place or each.place == place]
    sight = Sight(request.user, [each.person_id for each in found])
    looked(request, sight)
    counted = [each for each in found if each.state != STATE.CANCELLED]
    late = timezone.now() - dt.timedelta(minutes=30)
    shown = {
        "show": show, "place": place, "places": places, "first": first, "surge": queries.surge(),
        "tabs": [
            {"text": label, "url": f"?show={code}", "current": code == show} for code, label in SHOWS.items()
        ],
        "days": _by_day(found, sight.writes, late),
        "people": sum(each.people for each in counted),
        "met": sum(each.people for each in counted if each.state == STATE.MET),
        "late": sum(each.state == STATE.EXPECTED and each.timed and each.expected_at < late for each in counted),
        "households": len(counted),
        "plot": plot_days(counted, first) if show == "week" else plot_hours(counted),
        "here": request.get_full_path(),
    }  # fmt: skip
    return render(request, "arrivals/board.html", shown)


def _by_day(found: list[Arrival], writes: set[uuid.UUID], late: dt.datetime) -> list[dict[str, Any]]:
    days: dict[dt.date, list[dict[str, Any]]] = {}
    for each in found:
        waiting = each.state == STATE.EXPECTED
        days.setdefault(timezone.localdate(each.expected_at), []).append(
            {"arrival": each, "may": each.person_id in writes, "waiting": waiting,
             "late": waiting and each.timed and each.expected_at < late}
        )  # fmt: skip
    return [{"day": day, "lines": lines} for day, lines in sorted(days.items())]


# -- the picture ------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, FLOOR = 720, 150, 124


@dataclass(frozen=True)
class Bar:
    """One bar of the picture: where it stands, what is expected (all) and met, in units of the drawing."""

    x: float
    width: float
    middle: float
    top: float
    height: float
    met_top: float
    met_height: float
    label: str
    said: str
    count: int


@dataclass(frozen=True)
class Plot:
    """A picture of people by hour or day; `said` is all of it in words."""

    bars: list[Bar]
    said: str


def plot_hours(found: list[Arrival]) -> Plot:
    """By hour, from the first to the last that has somebody, eight hours at least. Without an hour: not drawn."""
    timed = [each for each in found if each.timed]
    hours = [timezone.localtime(each.expected_at).hour for each in timed]
    first = min([*hours, 8])
    last = max([*hours, first + 9])
    expected: Counter[int] = Counter()
    met: Counter[int] = Counter()
    for each, hour in zip(timed, hours, strict=True):
        expected[hour] += each.people
        met[hour] += each.people if each.state == STATE.MET else 0
    return _drawn([(f"{hour:02}", expected[hour], met[hour]) for hour in range(first, last + 1)])


def plot_days(found: list[Arrival], first: dt.date) -> Plot:
    expected: Counter[dt.date] = Counter()
    met: Counter[dt.date] = Counter()
    for each in found:
        on = timezone.localdate(each.expected_at)
        expected[on] += each.people
        met[on] += each.people if each.state == STATE.MET else 0
    days = [first + dt.timedelta(days=number) for number in range(7)]
    return _drawn([(formats.date_format(day, "D j"), expected[day], met[day]) for day in days])


def _drawn(values: list[tuple[str, int, int]]) -> Plot:
    """Bars along the reading direction."""
    most = max([count for _, count, _ in values] + [1])
    step = WIDTH / len(values)
    bars = []
    for number, (label, count, met) in enumerate(values):
        x = WIDTH - (number + 1) * step if get_language_bidi() else number * step
        height, met_height = (count * (FLOOR - 22) / most, met * (FLOOR - 22) / most)
        said = _("%(when)s: %(count)d expected, %(met)d met") % {"when": label, "count": count, "met": met}
        bars.append(
            Bar(round(x + step * 0.14, 1), round(step * 0.72, 1), round(x + step / 2, 1), round(FLOOR - height, 1),
                round(height, 1), round(FLOOR - met_height, 1), round(met_height, 1), label, said, count)
        )  # fmt: skip
    return Plot(bars, "; ".join(bar.said for bar in bars if bar.count) or _("Nobody is expected."))


# -- one --------------------------------------------------------------------------------------------------------------

#: slug of the address -> state
TO = {"met": STATE.MET, "not-met": STATE.NOT_MET, "cancelled": STATE.CANCELLED, "expected": STATE.EXPECTED}
SAID = {
    STATE.MET: __("Met."), STATE.NOT_MET: __("Noted: not met."), STATE.CANCELLED: __("Cancelled."),
    STATE.EXPECTED: __("Expected again."),
}  # fmt: skip


@at_desk(rules.may_receive)
def change(request: HttpRequest, pk: uuid.UUID, what: str) -> HttpResponse:
    """One click at the airport; the same button's neighbour takes it back."""
    if what not in TO:
        raise Http404
    found = queries.arrival(request.user, pk)
    if request.method == "POST":
        actions.change(found, TO[what], by=request.user)  # type: ignore[arg-type]
        messages.success(request, str(SAID[TO[what]]))
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}) and back.startswith("/"):
        return redirect(f"{back}#arrival-{found.pk}")
    return redirect("arrivals:board")


@at_desk(rules.may_receive)
def expect(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Announce the arrival of a household that has a file."""
    household = the_household(request, pk)
    require(may_write_household(request.user, household), "arrivals.expected", household)
    form = ExpectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.expect(household, given["on"], given["at"], flight=given["flight"], place=given["place"],
                           by=request.user)  # type: ignore[arg-type]  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, _("The arrival is on the board."))
            return redirect("cases:household", pk=pk)
    shown = {"household": household, "form": form}
    return render(request, "arrivals/expect.html", shown, status=UNPROCESSABLE if form.errors else 200)
