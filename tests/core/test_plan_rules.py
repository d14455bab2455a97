"""The rules of the plan as properties, over the shipped protocol and any household. Each property has a control: a
broken derivation that it must refuse.
"""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.core import plan as core
from parvis.core.calendar import Calendar
from parvis.core.plan import REASONS, Facts, Held, Member, Plan, State, derive, difference
from parvis.core.protocol import Kind, Scope, Stream, as_json, read, shipped, shipped_data

ON = date(2026, 11, 23)
P = shipped()
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

days = st.dates(date(2024, 1, 1), date(2027, 6, 30))


@st.composite
def members(draw, index):
    stream = draw(st.sampled_from(list(Stream)))
    anchors = {name: draw(days) for name in ("claim", "recognised", "residence") if draw(st.booleans())}
    born = draw(st.none() | st.dates(date(1950, 1, 1), ON))
    return Member(f"m{index}", stream, born, draw(st.none() | st.integers(1950, 2026)), draw(st.booleans()), anchors)


@st.composite
def facts(draw):
    anchors = {"arrival": draw(days), "first_contact": draw(days)}
    anchors |= {name: draw(days) for name in ("lease", "support_end") if draw(st.booleans())}
    return Facts(ON, tuple(draw(members(index)) for index in range(draw(st.integers(1, 5)))), anchors)


@st.composite
def lived(draw):
    """A household's facts, and its plan after some steps were done, pinned or said not to apply."""
    found = draw(facts())
    held = holding(derive(P, found))
    for index in draw(st.lists(st.integers(0, len(held) - 1), max_size=8, unique=True)):
        due = held[index].due_on or ON
        moved = due + timedelta(draw(st.integers(-20, 60)))
        kind = draw(st.sampled_from(["done", "pinned", "not"]))
        legal = P.by_code[held[index].code].kind is Kind.LEGAL
        if kind == "done":
            held[index] = replace(held[index], state=State.DONE, done_on=moved)
        elif kind == "pinned" and not legal:
            held[index] = replace(held[index], pinned=True, due_on=moved)
        elif kind == "not":
            held[index] = replace(held[index], state=State.NOT_APPLICABLE)
    return found, held


def holding(plan: Plan) -> list[Held]:
    return [Held(row.code, row.member, row.state, row.due_on) for row in plan.steps]


def needed(plan: Plan, row):
    """The rows that a row waits for, worked out anew and simply."""
    for code in row.step.needs:
        rows = {each.member: each for each in plan.steps if each.code == code}
        if row.member in rows:
            yield rows[row.member]
        elif "" in rows:
            yield rows[""]
        elif row.member == "" or {row.step.scope, P.by_code[code].scope} == {Scope.ADULT, Scope.CHILD}:
            yield from rows.values()


# ---- the properties: each raises AssertionError


def needs_come_first(plan: Plan) -> None:
    for row in plan.steps:
        if row.state is not State.OPEN or row.due_on is None or row.step is None:
            continue
        for need in needed(plan, row):
            if need.state is State.OPEN and need.due_on is not None and row.due_on < need.due_on:
                fixed = row.step.kind is Kind.LEGAL or row.trace.pinned
                assert fixed and any(reason.code == "need_is_later" for reason in row.why), (row.code, need.code)
            assert (
                need.state is not State.OPEN
                or need.due_on is not None
                or row.step.kind is Kind.LEGAL
                or row.trace.pinned
            )


def legal_days_stay(before: Plan, after: Plan) -> None:
    later = after.by_key()
    for row in before.steps:
        if row.step.kind is Kind.LEGAL and row.key in later and later[row.key].state is State.OPEN:
            assert later[row.key].due_on == row.due_on, row.code


def open_days_only(plan: Plan, calendar: Calendar) -> None:
    for row in plan.steps:
        if row.due_on and row.state is State.OPEN and not row.trace.pinned:
            raw = date.fromordinal(row.trace.raw)
            rolled = calendar.last_open(raw) if row.step.kind is Kind.LEGAL else calendar.next_open(raw)
            assert calendar.is_open(row.due_on) and row.due_on == rolled, row.code


def what_was_done_stays(held: list[Held], plan: Plan) -> None:
    rows = plan.by_key()
    for one in held:
        if one.state in (State.DONE, State.NOT_APPLICABLE):
            assert (
                one.key in rows
                and rows[one.key].state is one.state
                and rows[one.key].due_on == (one.due_on or rows[one.key].due_on)
            )


def what_was_pinned_stays(held: list[Held], plan: Plan, there: set[str]) -> None:
    rows = plan.by_key()
    for one in held:
        if one.pinned and one.state is State.OPEN and one.member in there:
            assert rows[one.key].due_on == one.due_on and rows[one.key].state is State.OPEN


def same(one: Plan, other: Plan) -> None:
    assert [(row.key, row.state, row.due_on) for row in one.steps] == [
        (row.key, row.state, row.due_on) for row in other.steps
    ]


def fails(check, *given_) -> None:
    with pytest.raises(AssertionError):
        check(*given_)


def shifted(plan: Plan, code: str, by: int) -> Plan:
    """A broken plan: one step's day is moved."""
    return Plan(
        tuple(
            row._replace(due_on=row.due_on + timedelta(by)) if row.code == code and row.due_on else row
            for row in plan.steps
        )
    )


PLAIN = Facts(
    ON,
    (
        Member("a", Stream.RESETTLED, date(1988, 5, 1)),
        Member("b", Stream.CLAIMANT, date(1990, 5, 1), anchors={"claim": date(2026, 11, 2)}),
        Member("c", Stream.RESETTLED, date(2016, 5, 1)),
    ),
    {"arrival": date(2026, 11, 2), "first_contact": date(2026, 10, 20)},
)


# ---- rule 1 and 9


@many
@given(lived())
def test_no_step_before_one_it_needs(case):
    found, held = case
    needs_come_first(derive(P, found))
    needs_come_first(derive(P, found, held))


def test_control_needs():
    plan = derive(P, PLAIN)
    needs_come_first(plan)
    fails(needs_come_first, shifted(plan, "G30", 40))


@many
@given(facts())
def test_a_need_that_does_not_apply_counts_as_met(found):
    """Rule 1: in a household without it, the day is that of a protocol that never asked for it."""
    plan = derive(P, found)
    there = {row.code for row in plan.steps}
    data = as_json(shipped_data())
    data["steps"] = [
        {**row, "needs": [code for code in row.get("needs", []) if code in there],
         "covered_by": [code for code in row.get("covered_by", []) if code in there]}
        for row in data["steps"] if row["code"] in there
    ]  # fmt: skip
    if data["steps"]:
        same(Plan(tuple(sorted(plan.steps))), Plan(tuple(sorted(derive(read(data), found).steps))))


# ---- rule 2


@many
@given(lived(), st.integers(0, 400))
def test_legal_days_never_move(case, late):
    found, held = case
    plain = derive(P, found)
    legal_days_stay(plain, derive(P, found, held))
    later = {**found.anchors, "first_contact": found.anchors["first_contact"] + timedelta(late)}
    legal_days_stay(plain, derive(P, replace(found, anchors=later)))
    pinned = [replace(one, pinned=True, due_on=ON + timedelta(900)) for one in holding(plain)]
    legal_days_stay(plain, derive(P, found, pinned))


def test_control_legal():
    plan = derive(P, PLAIN)
    assert plan.by_key()["Q30", "b"].due_on == date(2026, 11, 17)
    fails(legal_days_stay, plan, shifted(plan, "Q30", 1))


@many
@given(facts())
def test_a_file_opened_late_gets_its_grace(found):
    """Rule 2, and that a file opened in time gets none."""
    contact = found.anchors["first_contact"]
    for row in derive(P, found).steps:
        if row.step.kind is Kind.TARGET and row.due_on and row.trace.anchor:
            plain = date.fromordinal(row.trace.base) + timedelta(row.step.days)
            late = contact > min(date.fromordinal(row.trace.base), plain)
            assert row.due_on >= (max(plain, contact + timedelta(row.step.grace)) if late else plain)
            if not row.step.needs:
                expected = max(plain, contact + timedelta(row.step.grace)) if late else plain
                assert row.due_on == P.calendar.next_open(expected)


def test_an_overdue_legal_day_is_shown_as_it_is():
    late = replace(PLAIN, anchors={**PLAIN.anchors, "first_contact": date(2027, 2, 1)})
    rows = derive(P, late).by_key()
    assert rows["Q30", "b"].due_on == date(2026, 11, 17)
    assert [reason.code for reason in rows["Q30", "b"].why_then] == ["anchor", "legal", "need_is_later"]
    assert rows["Q32", ""].due_on == date(2027, 2, 2)  # at once, not in a week


# ---- rule 3


@many
@given(lived(), st.sampled_from(list(Stream)))
def test_a_change_of_status_keeps_what_is_done_and_pinned(case, stream):
    found, held = case
    changed = replace(found, members=tuple(replace(member, stream=stream) for member in found.members))
    plan = derive(P, changed, held)
    what_was_done_stays(held, plan)
    what_was_pinned_stays(held, plan, {member.key for member in found.members} | {""})
    told = difference(P, changed, held, plan)
    gone = {one.key for one in held if one.state is State.OPEN} - plan.by_key().keys()
    assert {(change.step, change.member) for change in told.retired} == gone
    assert all(change.because for change in (*told.added, *told.retired, *told.moved))


def test_control_status():
    held = [replace(one, state=State.DONE, done_on=ON) for one in holding(derive(P, PLAIN)) if one.code == "Q30"]
    without = derive(P, replace(PLAIN, members=(replace(PLAIN.members[1], stream=Stream.RECOGNISED),)))
    fails(what_was_done_stays, held, without)
    pinned = [Held("Q30", "b", due_on=ON, pinned=True)]
    fails(what_was_pinned_stays, pinned, shifted(derive(P, PLAIN), "Q30", 3), {"b"})


def test_recognised_after_years_is_not_late_on_the_first_day():
    anchors = {"claim": date(2024, 5, 1), "recognised": date(2026, 11, 20)}
    days_ = {"arrival": date(2024, 5, 1), "first_contact": date(2024, 5, 2)}
    before = Facts(ON, (Member("a", Stream.CLAIMANT, date(1990, 1, 1), anchors=anchors),), days_)
    held = holding(derive(P, before))
    after = replace(before, members=(replace(before.members[0], stream=Stream.RECOGNISED),))
    plan = derive(P, after, held)
    told = difference(P, after, held, plan)
    due = {change.step: change.after for change in told.added}
    assert due["Q02"] == date(2026, 11, 25) and due["Q34"] == date(2026, 11, 30)
    assert min(day for day in due.values() if day) >= date(2026, 11, 20)
    assert {"Q30", "Q31", "Q32"} <= {change.step for change in told.retired}
    assert next(change for change in told.retired if change.step == "Q30").because[0].code == "stream_changed"
    assert due["Q27"] is None  # waits for permanent residence, and says so
    assert [reason.code for reason in plan.by_key()["Q27", "a"].why_then] == ["waits"]


def test_who_is_insured_is_not_asked_again():
    done = Held("Q02", "a", State.DONE, ON, done_on=ON)
    person = Member("a", Stream.PR_OTHER, date(1990, 1, 1))
    household = Facts(ON, (person,), PLAIN.anchors)
    assert ("Q03", "a") in derive(P, household).by_key()
    assert ("Q03", "a") not in derive(P, household, [done]).by_key()


# ---- rule 4


def after_late(held: list[Held], before: Plan, after: Plan, code: str) -> None:
    """Only open, unpinned targets that depend on the late one moved, and never backwards."""
    behind = {code}
    for step in P.steps:
        if behind & set(step.needs):
            behind.add(step.code)
    rows = after.by_key()
    for row in before.steps:
        new = rows[row.key]
        if new.due_on != row.due_on:
            assert row.code in behind - {code} and row.step.kind is Kind.TARGET
            assert row.state is State.OPEN and not row.trace.pinned and new.due_on > row.due_on


@many
@given(lived(), st.data(), st.integers(1, 90))
def test_late_completion_moves_only_what_depends(case, data, late):
    found, held = case
    before = derive(P, found, held)
    open_ = [row for row in before.steps if row.state is State.OPEN and row.due_on]
    if not open_:
        return
    chosen = data.draw(st.sampled_from(open_))
    now = [one for one in held if one.key != chosen.key] + [
        Held(chosen.code, chosen.member, State.DONE, chosen.due_on, done_on=chosen.due_on + timedelta(late),
             pinned=chosen.trace.pinned)
    ]  # fmt: skip
    after = derive(P, found, now)
    covered = {step.code for step in P.steps if chosen.code in step.covered_by}
    before = Plan(tuple(row for row in before.steps if row.code not in covered))
    after_late(now, before, after, chosen.code)


@many
@given(lived(), st.data())
def test_done_on_its_day_moves_nothing(case, data):
    found, held = case
    before = derive(P, found, held)
    open_ = [
        row for row in before.steps if row.state is State.OPEN and row.due_on and row.code not in ("Q01", "Q02", "Q21")
    ]
    if not open_:
        return
    chosen = data.draw(st.sampled_from(open_))
    done = Held(
        chosen.code, chosen.member, State.DONE, chosen.due_on, done_on=chosen.due_on, pinned=chosen.trace.pinned
    )
    after = derive(P, found, [one for one in held if one.key != chosen.key] + [done]).by_key()
    assert {row.key: row.due_on for row in before.steps} == {row.key: after[row.key].due_on for row in before.steps}


def test_control_late():
    before = derive(P, PLAIN)
    fails(after_late, [], before, shifted(before, "Q42", 5), "G10")  # legal
    fails(after_late, [], before, shifted(before, "G20", -1), "G10")  # backwards
    fails(after_late, [], before, shifted(before, "Q25", 5), "G10")  # does not depend


def test_a_second_delay_over_a_weekend_brings_nothing_forward():
    """A step done late, and then what it needed done a day, two days... late too: nothing comes earlier."""
    plan = derive(P, PLAIN)
    held = holding(plan)
    tried = 0

    def when_done(days: dict[tuple[str, str], date]) -> Plan:
        done = [replace(one, state=State.DONE, done_on=days[one.key]) if one.key in days else one for one in held]
        return derive(P, PLAIN, done)

    pairs = [(row, need) for row in plan.steps for need in needed(plan, row) if row.due_on and need.due_on]
    for row, need in pairs:
        for late in (1, 3, 4, 5):
            own = {row.key: row.due_on + timedelta(late)}
            plans = [when_done(own)] + [when_done({**own, need.key: need.due_on + timedelta(by)}) for by in (1, 2, 4)]
            for before, after in pairwise(plans):
                rows = after.by_key()
                for each in before.steps:
                    if each.due_on and each.state is State.OPEN and each.key in rows and each.key != need.key:
                        tried += 1
                        assert rows[each.key].due_on >= each.due_on, (need.code, row.code, late, each.code)
    assert tried > 1000


def test_late_by_nine_days():
    held = [replace(one, state=State.DONE, done_on=date(2026, 11, 11)) if one.code == "G10" else one
            for one in holding(derive(P, PLAIN))]  # fmt: skip
    plan = derive(P, PLAIN, held)
    rows = plan.by_key()
    assert rows["G30", ""].due_on == date(2026, 11, 16)  # a week after the arrival's ninth day
    assert rows["G54", ""].due_on == derive(P, PLAIN).by_key()["G54", ""].due_on  # a milestone
    late = next(reason for reason in rows["G30", ""].why if reason.code == "late_need")
    assert late.given == {"step": "G22", "days": 9}
    moved = {change.step for change in difference(P, PLAIN, held, plan).moved}
    assert "G30" in moved and "Q25" not in moved and "Q42" not in moved


# ---- rule 5


@many
@given(lived())
def test_closed_days(case):
    found, held = case
    open_days_only(derive(P, found, held), P.calendar)


def test_control_calendar():
    fails(open_days_only, derive(P, PLAIN, calendar=Calendar(weekend=(0,))), P.calendar)


# ---- the same again


@many
@given(lived(), st.randoms())
def test_deterministic_and_idempotent(case, chance):
    found, held = case
    plan = derive(P, found, held)
    mixed, people = list(held), list(found.members)
    chance.shuffle(mixed)
    chance.shuffle(people)
    same(plan, derive(P, replace(found, members=tuple(people)), mixed))
    again = [
        Held(row.code, row.member, row.state, row.due_on, row.trace.pinned, row.trace.done_on) for row in plan.steps
    ]
    pinned_done = {one.key for one in held if one.pinned and one.state is State.DONE}
    again = [replace(one, pinned=one.pinned or one.key in pinned_done) for one in again]
    same(plan, derive(P, found, again))
    assert not difference(P, found, again, plan)


def test_control_idempotent():
    plan = derive(P, PLAIN)
    fails(same, plan, shifted(plan, "G30", 1))
    assert difference(P, PLAIN, holding(shifted(plan, "G30", 1)), plan)


# ---- rule 8, reasons, who is asked what


@many
@given(lived())
def test_every_step_says_why(case):
    found, held = case
    for row in derive(P, found, held).steps:
        codes = [reason.code for reason in row.why]
        assert row.why_there and row.why_then and set(codes) <= set(REASONS)
        for reason in row.why:
            assert set(reason.given) == set(REASONS[reason.code]) and reason.as_dict()["code"] == reason.code
        if row.due_on is None:
            assert "waits" in codes or "waits_for" in codes or row.state is not State.OPEN
        if row.step:
            assert row.step.owner


def test_each_member_by_age_and_stream():
    rows = derive(P, PLAIN).by_key()
    assert ("Q16", "c") in rows and ("Q16", "a") not in rows
    assert ("Q30", "b") in rows and ("Q30", "a") not in rows
    assert ("Q24", "c") not in rows and ("G44", "c") in rows and ("Q08", "c") not in rows


def test_taxes_are_due_on_the_next_years_april():
    assert derive(P, PLAIN).by_key()["Q40", "a"].due_on == date(2027, 4, 30)
    early = replace(PLAIN, anchors={"arrival": date(2027, 2, 1)})
    assert derive(P, early).by_key()["Q40", "a"].due_on == date(2028, 4, 28)  # 30 April 2028 is a Sunday


def test_a_child_who_grows_up_counts_from_that_day():
    teen = Member("a", Stream.RESETTLED, date(2007, 3, 2))
    plan = derive(
        P, Facts(date(2025, 3, 10), (teen,), {"arrival": date(2024, 1, 8), "first_contact": date(2024, 1, 8)})
    )
    row = plan.by_key()["Q08", "a"]
    assert row.due_on == date(2025, 3, 10) and "from_age" in {reason.code for reason in row.why}


def test_a_member_who_left_takes_the_steps_along():
    held = holding(derive(P, PLAIN))
    held[0] = replace(held[0], state=State.DONE, done_on=ON)
    alone = replace(PLAIN, members=PLAIN.members[:1])
    told = difference(P, alone, held, derive(P, alone, held))
    assert {change.because[0].code for change in told.retired if change.member == "c"} == {"member_left"}


def test_what_was_added_by_hand_is_left_alone():
    own = Held("H1", "", State.OPEN, ON, by_hand=True)
    row = derive(P, PLAIN, [own]).by_key()["H1", ""]
    assert row.step is None and row.due_on == ON and row.why_there[0].code == "by_hand"
    assert not difference(P, PLAIN, [own, *holding(derive(P, PLAIN))], derive(P, PLAIN, [own]))


def test_nobody_is_owed_nothing():
    assert derive(P, Facts(ON, ())).steps == ()


def test_shapes_are_forgotten_before_they_are_too_many(monkeypatch):
    core._compiled(P).shapes.clear()  # other tests have filled it
    monkeypatch.setattr(core, "MOST_SHAPES", 2)
    for year in (1980, 2010, 2016, 2024):
        derive(P, Facts(ON, (Member("a", Stream.RESETTLED, date(year, 1, 1)),), PLAIN.anchors))
    assert len(core._compiled(P).shapes) <= 2
