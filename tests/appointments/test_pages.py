"""The pages: booked on one screen, seen in the calendar, kindly refused; who may."""

import datetime as dt
import html
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from parvis.appointments import actions, queries
from parvis.appointments.models import Appointment, InterpreterBooking
from parvis.cases.actions.moves import Refused
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.plans.models import Step
from tests.accounts.people import open_account, signed_in
from tests.appointments.story import ARABIC, MONTREAL, booked, days, people
from tests.cases.story import AMINA, YOUSSEF, NewPerson, agree, opened, partner, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def form(home: Any, by: Any, **more: Any) -> dict[str, Any]:
    return {
        "people": [str(people(home, by)[0].pk)], "purpose": "follow_up", "kind": "office", "worker": str(by.pk),
        "minutes": "45", **more,
    }  # fmt: skip


def test_one_screen_with_free_times_and_the_interpreter_they_need(alice: Any) -> None:
    home = opened(alice, NewPerson("آمنة", language="ar-SY", interpreter=True, interpreter_gender="female"), YOUSSEF)
    desk = signed_in(alice)
    url = reverse("appointments:new", args=[home.pk])
    page = desk.get(url)
    first = page.context["free"][0]
    assert page.context["form"]["language"].value() == "ar-SY" and page.context["form"]["interpreter"].value() is True
    assert page.context["form"]["gender"].value() == "female"
    given = form(home, alice, slot=first.isoformat(), interpreter="on", language="ar-SY", gender="female", mode="phone")
    done = desk.post(url, given)
    assert done.status_code == 302
    with acting(alice), transaction.atomic():
        made = Appointment.objects.get()
        assert made.starts_at == first and done["Location"] == reverse("appointments:appointment", args=[made.pk])
        assert InterpreterBooking.objects.get().state == "needed"
    taken = desk.post(url, given)
    assert taken.status_code == 422 and "آمنة" in taken.content.decode(), "who is there already is shown"
    assert len(taken.context["others"]) == 4
    listed = desk.get(reverse("appointments:interpreters"))
    (line,) = listed.context["lines"]
    booking = line["line"].interpreting
    desk.post(reverse("appointments:interpreter", args=[booking.pk]), {"state": "confirmed", "interpreter": "Rim"})
    assert desk.get(reverse("appointments:interpreters")).context["lines"] == []


@time_machine.travel(dt.datetime(2026, 10, 30, 12, tzinfo=dt.UTC), tick=False)
def test_wall_times_on_the_days_the_clocks_change(alice: Any) -> None:
    home = opened(alice)
    desk = signed_in(alice)
    url = reverse("appointments:new", args=[home.pk])
    before = desk.post(url, form(home, alice, day="2026-10-31", at="10:00"))
    after = desk.post(url, form(home, alice, day="2026-11-02", at="10:00"))
    assert before.status_code == after.status_code == 302
    with acting(alice), transaction.atomic():
        found = list(Appointment.objects.order_by("starts_at").values_list("starts_at", flat=True))
    assert [each.astimezone(MONTREAL).hour for each in found] == [10, 10]
    assert [each.hour for each in found] == [14, 15]
    twice = desk.post(url, form(home, alice, day="2026-11-01", at="01:30", show="1")).content.decode()
    assert "UTC-0400" in twice
    never = desk.post(url, form(home, alice, day="2027-03-14", at="02:30"))
    assert never.status_code == 422 and never.context["form"].errors["at"]


def test_the_calendar_shows_days_of_the_city(alice: Any) -> None:
    home = opened(alice)
    late = dt.datetime(2026, 11, 24, 22, 30, tzinfo=MONTREAL)  # the next day in UTC
    booked(home, alice, late)
    desk = signed_in(alice)
    url = reverse("appointments:calendar")
    for view in ("day", "week", "month"):
        page = desk.get(url, {"view": view, "on": "2026-11-24"})
        found = {each["day"]: len(each["lines"]) for each in page.context["days"] if each["lines"]}
        assert found == {dt.date(2026, 11, 24): 1}, view
    assert desk.get(url, {"view": "x", "on": "13-13", "show": "?"}).status_code == 200


def test_mine_my_teams_and_all(alice: Any) -> None:
    bob, carol = open_account("bob", "agent"), open_account("carol", "agent")
    mine, other = opened(alice), opened(carol)
    booked(mine, alice, days(1))
    booked(mine, alice, days(2), worker=bob)
    booked(other, carol, days(3))
    with acting(alice), transaction.atomic():
        count = {show: queries.between(alice, days(0), days(9), show).count() for show in queries.SHOWS}
        assert count == {"mine": 1, "team": 2, "all": 3}
    _, stranger = partner("dora")
    with acting(stranger), transaction.atomic():
        assert queries.between(stranger, days(0), days(9), "all").count() == 0


def test_the_calendar_asks_the_same_however_many_there_are(alice: Any) -> None:
    home = opened(alice)
    asked = []
    for number in range(1, 9):
        booked(home, alice, days(number / 10), interpreting=ARABIC, minutes=30)
        if number in (1, 8):
            with (
                acting(alice),
                transaction.atomic(),
                CaptureQueriesContext(
                    connection,
                ) as seen,
            ):
                queries.shown(alice, queries.between(alice, days(0), days(9), "all"))
            asked.append(len(seen))
    assert asked[0] == asked[1] <= 9, asked


def test_what_became_of_it_with_one_click_and_back(alice: Any) -> None:
    home = opened(alice)
    made = booked(home, alice, timezone.now() + dt.timedelta(hours=1))
    desk = signed_in(alice)
    url, step = (reverse(f"appointments:{name}", args=[made.pk]) for name in ("appointment", "step"))
    assert desk.post(step, {"do": "missed", "sequence": "0"}).status_code == 302
    page = desk.get(url)
    assert reverse("appointments:move", args=[made.pk]) in page.content.decode()
    assert desk.post(step, {"do": "done", "sequence": "0"}).status_code == 302  # somebody else was first: told
    assert desk.get(url).context["appointment"].state == "missed"
    desk.post(step, {"do": "undone", "sequence": "1"})
    assert desk.get(url).context["appointment"].state == "booked"
    assert desk.post(reverse("appointments:cancel", args=[made.pk]), {}).status_code == 422
    desk.post(reverse("appointments:cancel", args=[made.pk]), {"reason": "family"})
    assert desk.get(url).context["appointment"].state == "cancelled"
    told = desk.get(reverse("cases:history", args=[home.pk])).content.decode()
    assert "appointments." not in told, "every event has its words"


def test_the_household_and_the_newcomer_see_the_next_one(alice: Any) -> None:
    from parvis.cases.actions import sharing

    home = opened(alice)
    made = booked(home, alice, days(2))
    page = signed_in(alice).get(reverse("cases:household", args=[home.pk])).content.decode()
    assert reverse("appointments:appointment", args=[made.pk]) in page
    amina = open_account("amina")
    with acting(alice), transaction.atomic():
        sharing.link_account(people(home, alice)[0], amina, by=alice)
    own = signed_in(amina)
    assert (
        f'datetime="{made.starts_at.astimezone(MONTREAL).isoformat()}"' in own.get(reverse("cases:me")).content.decode()
    )
    assert own.get(reverse("appointments:appointment", args=[made.pk])).status_code == 403
    with acting(alice), transaction.atomic():
        actions.step(made, "cancelled", reason="worker", by=alice)
    assert "my-appointments" not in own.get(reverse("cases:me")).content.decode()


def test_not_yours_is_not_there(alice: Any) -> None:
    home = opened(alice, AMINA)
    made = booked(home, alice)
    _, bob = partner("bob")
    theirs = signed_in(bob)
    for name, pk in (
        ("appointment", made.pk),
        ("move", made.pk),
        ("cancel", made.pk),
        ("household", home.pk),
        ("new", home.pk),
    ):
        assert theirs.get(reverse(f"appointments:{name}", args=[pk])).status_code == 404, name
    assert theirs.post(reverse("appointments:step", args=[made.pk]), {"do": "done"}).status_code == 404


def test_hours_are_said_in_words_and_kept(alice: Any) -> None:
    desk = signed_in(alice)
    url = reverse("appointments:hours")
    assert desk.post(url, {"day1": "9h-12h, 13:00-16:30", "day2": "10-11"}).status_code == 302
    assert queries.hours(alice) == {
        1: [(dt.time(9), dt.time(12)), (dt.time(13), dt.time(16, 30))], 2: [(dt.time(10), dt.time(11))],
    }  # fmt: skip
    for wrong in ("9-8", "9-12, 11-13", "25-26", "morning"):
        assert desk.post(url, {"day1": wrong}).status_code == 422, wrong
    desk.post(url, {"do": "usual"})
    assert not queries.has_hours(alice)
    chief = signed_in(open_account("chief", "coordinator"))
    assert chief.post(url, {"day3": "8-20"}).status_code == 302
    assert queries.hours(alice) == {3: [(dt.time(8), dt.time(20))]}, "the office's, where a worker has none"


# -- the step that it is about ----------------------------------------------------------------------------------------


def test_an_appointment_is_about_a_step_and_offers_to_complete_it(alice: Any) -> None:
    home, other = opened(alice), opened(alice, NewPerson("Ruxandra"))
    desk, new = signed_in(alice), reverse("appointments:new", args=[home.pk])
    with acting(alice), transaction.atomic():
        step = Step.objects.filter(household=home, kind="target", state="open").order_by("due_on").first()
        theirs = Step.objects.filter(household=other).first()
    assert step is not None and theirs is not None
    soon = (timezone.now() + dt.timedelta(hours=2)).astimezone(MONTREAL)
    given = form(home, alice, day=f"{soon:%Y-%m-%d}", at=f"{soon:%H:%M}")
    wrong = desk.post(new, given | {"for_step": str(theirs.pk)})
    assert wrong.status_code == 422 and wrong.context["form"].errors["for_step"]
    page = desk.post(new, given | {"for_step": str(step.pk)}, follow=True).content.decode()
    title = html.unescape(page).split(str(step.pk))[1].split("<bdi>")[1].split("</bdi>")[0]
    assert title and title != step.code and "its-step" not in page, "nothing is offered before it took place"
    household = html.unescape(desk.get(reverse("cases:household", args=[home.pk])).content.decode())
    assert title in household.split('id="next-appointment"')[1].split("</section>")[0]
    with acting(alice), transaction.atomic():
        made = Appointment.objects.get()
        assert made.for_step_id == step.pk
    one = reverse("appointments:appointment", args=[made.pk])
    assert (
        "its-step"
        in desk.post(reverse("appointments:step", args=[made.pk]), {"do": "done"}, follow=True).content.decode()
    )
    told = {"do": "done", "on": f"{timezone.localdate()}", "evidence": "Vu ensemble", "version": step.version,
            "next": one, "confirm": "1"}  # fmt: skip
    back = desk.post(reverse("plans:step", args=[step.pk]), told)
    assert back.status_code == 302 and back["Location"] == one
    with acting(alice), transaction.atomic():
        assert Step.objects.get(pk=step.pk).state == "done"
    after = desk.get(one).content.decode()
    assert "its-step" not in after and title in html.unescape(after)


def test_who_may_not_see_the_step_sees_no_word_of_it(alice: Any) -> None:
    home = opened(alice)
    with acting(alice), transaction.atomic():
        step = Step.objects.filter(household=home, state="open").first()
    made = booked(home, alice, for_step=step)
    organization, dora = partner("dora")
    agree(organization)
    with acting(alice), transaction.atomic():
        Step.objects.filter(pk=step.pk).update(row_class=DataClass.HEALTH)
    classes = DataClass.IDENTITY | DataClass.HOUSEHOLD | DataClass.PLAN
    share(people(home, alice)[0], organization, by=alice, classes=classes.value)
    for viewer, sees in ((alice, True), (dora, False)):
        with acting(viewer), transaction.atomic():
            line = queries.with_step(viewer, queries.Shown(queries.one(viewer, made.pk)))
            assert bool(line.step_title) is sees, viewer
    other = opened(alice, NewPerson("Ruxandra"))
    with pytest.raises(Refused):
        booked(other, alice, days(4), for_step=step)
    desk, url = signed_in(alice), reverse("appointments:step", args=[made.pk])
    assert desk.post(url, {"do": "change", "change-for_step": "", "change-note": "Papiers"}).status_code == 302
    with acting(alice), transaction.atomic():
        assert Appointment.objects.get(pk=made.pk).for_step_id is None
