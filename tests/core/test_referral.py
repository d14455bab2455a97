"""Referrals as rules: which state follows, on whose word; reasons; clocks; each with a broken variant that is found."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core import referral as r
from parvis.core.calendar import Calendar
from parvis.core.referral import Clock, Party, Span, State, Unit, WorkingTime
from parvis.core.slots import USUAL

ZONE = ZoneInfo("America/Toronto")
QUEBEC = Calendar("CA", "QC")
TIME = WorkingTime(USUAL, lambda day: QUEBEC.why_closed(day) in ("holiday", "closed"), ZONE)
moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 1), timezones=st.just(dt.UTC))
spans = st.builds(Span, st.integers(1, 40), st.sampled_from(Unit))


def local(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=ZONE).astimezone(dt.UTC)  # type: ignore[misc,arg-type]


def test_every_state_but_the_last_ones_leads_somewhere() -> None:
    assert {state for state in State if not r.TRANSITIONS.get(state)} == set(r.FINAL)
    reached, waiting = {State.DRAFT}, [State.DRAFT]
    while waiting:
        new = set(r.TRANSITIONS.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    assert reached == set(State)
    assert set(r.TASK_STATUS) == set(State)


@given(st.lists(st.tuples(st.sampled_from(State), st.sampled_from(Party)), max_size=30))
def test_whatever_is_tried_nobody_else_answers_and_the_end_is_the_end(tries: list[tuple[State, Party]]) -> None:
    state = State.DRAFT
    for after, party in tries:
        way = r.path(state, after, party)
        if not way:
            continue
        assert state not in r.FINAL and way[-1] == after
        if after is State.ACCEPTED:
            assert party is Party.RECIPIENT
        if after in (State.CONFIRMED, State.DISPUTED):
            assert party is Party.PERSON and state in (*r.OUTCOMES, State.DISPUTED)
        if after is State.EXPIRED:
            assert party is Party.SYSTEM and state in r.ASKED
        state = after


def test_an_answer_says_that_it_was_seen() -> None:
    assert r.path(State.SENT, State.ACCEPTED, Party.RECIPIENT) == [State.SEEN, State.ACCEPTED]
    assert r.path(State.ACCEPTED, State.SERVED, Party.RECIPIENT) == [State.STARTED, State.SERVED]
    assert r.path(State.SENT, State.ACCEPTED, Party.SENDER) == []
    assert r.path(State.SENT, State.SERVED, Party.RECIPIENT) == []


@pytest.mark.parametrize(
    ("state", "reason", "text", "problem"),
    [
        (State.DECLINED, "", "", "missing"),
        (State.DECLINED, "no_show", "", "unknown"),
        (State.DECLINED, "other", " ", "text"),
        (State.DECLINED, "other", "flood", ""),
        (State.WITHDRAWN, "consent", "", ""),
        (State.ACCEPTED, "", "", ""),
        (State.ACCEPTED, "too_far", "", "unknown"),
    ],
)
def test_reasons(state: State, reason: str, text: str, problem: str) -> None:
    assert r.reason_problem(state, reason, text) == problem


def test_clocks_of_a_friday_evening() -> None:
    friday = local(2026, 11, 20, 15, 30)  # an hour is left of the week
    assert r.due(friday, Span(4, Unit.WORKING_HOURS), TIME) == local(2026, 11, 23, 12)
    assert r.due(friday, Span(2, Unit.WORKING_DAYS), TIME) == local(2026, 11, 24, 16, 30)
    assert r.due(local(2026, 12, 24, 15, 30), Span(4, Unit.WORKING_HOURS), TIME) == local(2026, 12, 28, 12)
    # thirty days on is Christmas Day, closed, then a weekend
    assert r.due(local(2026, 11, 25, 10), Span(30, Unit.DAYS), TIME) == local(2026, 12, 28, 16, 30)


def _keeps_the_promise(
    due: Callable[[dt.datetime, Span, WorkingTime], dt.datetime], start: dt.datetime, span: Span
) -> bool:
    end = due(start, span, TIME)
    day = end.astimezone(ZONE).date()
    return end > start and TIME.works(day) and due(start + dt.timedelta(hours=5), span, TIME) >= end


@given(moments, spans)
def test_a_clock_ends_later_on_a_working_day_and_never_runs_back(start: dt.datetime, span: Span) -> None:
    assert _keeps_the_promise(r.due, start, span)


def test_a_clock_that_knows_no_weekend_is_found() -> None:
    """The control: hours counted by the wall."""
    naive = lambda start, span, time: start + dt.timedelta(hours=span.amount)  # noqa: E731
    assert not _keeps_the_promise(naive, local(2026, 11, 20, 22), Span(4, Unit.WORKING_HOURS))


@given(st.sampled_from(State), st.booleans(), moments, st.booleans(), st.integers(0, 15))
def test_what_is_due_next(state: State, urgent: bool, at: dt.datetime, contacted: bool, overdue: int) -> None:
    running = r.clocks(state, urgent, sent=at, answered=at, contacted=contacted, time=TIME)
    assert set(running) <= set(r.RUNNING.get(state, ()))
    assert not (contacted and Clock.CONTACT in running)
    found = r.next_due(running, overdue)
    if found:
        assert not r.is_overdue(found[0], overdue)
        assert all(found[1] <= when for clock, when in running.items() if not r.is_overdue(clock, overdue))
    else:
        assert all(r.is_overdue(clock, overdue) for clock in running)


def test_the_four_values_of_capacity() -> None:
    assert r.capacity(None, 90, 0, waitlist=True, assessment=False) == "has-capacity"
    assert r.capacity(3, 2, 1, waitlist=False, assessment=True) == "no-capacity"
    assert r.capacity(3, 2, 1, waitlist=True, assessment=False) == "no-capacity-waitlist"
    assert r.capacity(3, 1, 1, waitlist=True, assessment=True) == "additional-assessment-required"


def test_what_the_person_says_does_not_complete_a_failed_task() -> None:
    assert r.task_status(State.CONFIRMED, State.NOT_SERVED) == "failed"
    assert r.task_status(State.CONFIRMED, State.SERVED) == "completed"
