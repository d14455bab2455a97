"""Rule 9 and the shapes: a protocol that breaks one is refused with the step named. The shipped one keeps them all."""

import copy
import csv
import json
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.core import protocol as module
from parvis.core.calendar import Calendar, NoSuchCalendar
from parvis.core.protocol import (
    ALL_STREAMS,
    FAULTS,
    SHIPPED,
    BadProtocol,
    Confidence,
    DataClass,
    Kind,
    Scope,
    Stream,
    as_json,
    faults,
    overlay,
    parse,
    read,
    say,
    shipped,
    shipped_data,
    to_toml,
)


def step(code, **more):
    words = {"en": f"Do {code}", "fr": f"Faire {code}"}
    plain = {"title": words, "done_when": words, "scope": "household", "anchor": "arrival", "days": 0}
    return {"code": code, **plain, "owner": "lead_worker", "sources": ["own"], "confidence": "own", **more}


def protocol(*steps, **more):
    return {"code": "test", "edition": "1", "title": {"en": "T", "fr": "T"}, "languages": ["en", "fr"],
            "steps": list(steps), **more}  # fmt: skip


def told(data):
    return [(fault.step, fault.code) for fault in faults(data)]


# ---- what ships


@pytest.mark.parametrize("code", SHIPPED)
def test_the_shipped_protocols_have_no_fault(code):
    assert faults(shipped_data(code)) == ()
    assert {"fr", "en"} <= set(shipped(code).languages)


def test_the_shipped_protocol_is_whole():
    quebec = shipped("quebec")
    assert len(quebec.steps) == 85
    assert {one.code for one in quebec.legal} == {"Q16", "Q27", "Q29", "Q30", "Q31", "Q40", "Q42", "Q45"}
    assert all(one.alerts for one in quebec.legal)
    assert all(one.checked_on and one.sources and one.title["fr"] and one.done_when["en"] for one in quebec.steps)
    assert {one.code for one in quebec.steps if one.to_be_checked} >= {"G06", "Q23", "G40"}
    assert quebec.by_code["Q16"].ages == (6, 16)
    assert all(one.data_class is not DataClass.PLAN for one in quebec.steps if one.streams == {Stream.CLAIMANT})
    assert quebec.by_code["G49"].covered_by == ("Q21",) and quebec.by_code["G49"].days == 30  # patched, not replaced


#: where the shipped protocol leaves the list that it began from, each told at the top of its file: (code, column)
LEFT = {
    ("G51", "depends_on"), ("Q26", "streams"), ("Q27", "streams"),
    ("Q26", "anchor"), ("Q27", "anchor"), ("Q48", "anchor"), ("Q49", "anchor"),
}  # fmt: skip
#: steps that count from another day for some streams
OTHERWISE = {"Q02", "Q06", "Q11", "Q13", "Q19", "Q21", "Q22"}


def test_every_step_of_the_list_that_it_began_from_is_there_as_it_was(shared):
    with (shared / "protocol.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    quebec = shipped("quebec")
    assert [row["code"] for row in rows] and {row["code"] for row in rows} == set(quebec.by_code)
    assert len(rows) == len(quebec.steps) == 85
    differ = {(row["code"], column) for row in rows for column, (listed, ours) in _both(row, quebec).items()
              if listed != ours}  # fmt: skip
    assert differ == LEFT
    assert {step.code for step in quebec.steps if step.anchors} == OTHERWISE
    assert [step.code for step in quebec.steps if not step.sources or not step.checked_on] == []
    told = Path(module.__file__).parent / "data/protocols"
    notes = "".join(
        (told / f"{name}.toml").read_text(encoding="utf-8").split("code =")[0] for name in ("generic", "quebec")
    )
    assert [code for code in {code for code, _ in LEFT} | OTHERWISE if code not in notes] == []
    moved = dict(rows[0], due_days="-9", depends_on="G02")  # the control
    assert {column for column, (one, other) in _both(moved, quebec).items() if one != other} == {
        "due_days",
        "depends_on",
    }


def _both(row, quebec):
    """What the list says of a step, and what we say, by column."""
    step = quebec.by_code[row["code"]]
    everyone = {stream.value for stream in ALL_STREAMS}
    return {
        "scope": (row["scope"], step.scope.value),
        "streams": (everyone if row["streams"] == "all" else set(row["streams"].split(",")),
                    {stream.value for stream in step.streams}),
        "anchor": (row["anchor"], step.anchor),
        "due_days": (int(row["due_days"]), step.days),
        "kind": (row["kind"], step.kind.value),
        "depends_on": (set(row["depends_on"].split()), set(step.needs)),
        "conf": (row["conf"], step.confidence.value),
    }  # fmt: skip


def test_what_checklists_get_wrong():
    steps = shipped().by_code
    assert (steps["Q21"].days, steps["Q22"].days) == (30, 90)
    assert Stream.CLAIMANT not in steps["Q01"].streams | steps["Q02"].streams | steps["Q03"].streams
    assert Stream.RESETTLED not in steps["Q03"].streams


def test_no_step_asks_for_a_number():
    for one in shipped().steps:
        for text in one.done_when.values():
            assert not ("number" in text and "never" not in text) or one.code == "G04", (one.code, text)


def test_order_puts_needs_first():
    seen = set()
    for one in shipped().steps:
        assert seen >= set(one.needs)
        seen.add(one.code)


def test_it_comes_back_from_toml_and_json_the_same():
    data = shipped_data()
    assert parse(to_toml(data)) == data
    assert read(json.loads(json.dumps(as_json(data)))).steps == shipped().steps


@given(st.recursive(st.text() | st.integers(-9, 9) | st.booleans(), lambda inner: st.lists(inner, max_size=3)))
def test_any_value_survives_toml(value):
    assert tomllib.loads(to_toml({"a": value, "b c": {"d'\"": value}})) == {"a": value, "b c": {"d'\"": value}}


# ---- rule 9


def test_a_cycle_is_refused_with_its_steps():
    ring = protocol(step("A1", needs=["A3"]), step("A2", needs=["A1"]), step("A3", needs=["A2"]), step("A4"))
    with pytest.raises(BadProtocol, match="A1: needs: cycle") as refused:
        read(ring)
    [fault] = refused.value.faults
    assert set(fault.given["steps"]) == {"A1", "A2", "A3"}
    assert read(protocol(step("A1"), step("A2", needs=["A1"]), step("A3", needs=["A2"])))  # control


@given(st.integers(2, 12), st.data())
def test_every_cycle_is_found(size, data):
    codes = [f"A{n}" for n in range(size)]
    needs = {
        code: set(data.draw(st.lists(st.sampled_from(codes[:n]), max_size=3))) for n, code in enumerate(codes) if n
    }
    straight = protocol(*(step(code, needs=sorted(needs.get(code, ()))) for code in codes))
    assert faults(straight) == ()
    first, last = data.draw(st.lists(st.sampled_from(codes), min_size=2, max_size=2, unique=True).map(sorted))
    bent = copy.deepcopy(straight)
    rows = {row["code"]: row for row in bent["steps"]}
    rows[last]["needs"].append(first)
    rows[first]["needs"].append(last)
    assert "cycle" in {code for _, code in told(bent)}


@pytest.mark.parametrize("days, refused", [(3, True), (5, False), (9, False)])
def test_a_step_due_before_one_it_needs_is_refused(days, refused):
    data = protocol(step("A1", days=5), step("A2", days=days, needs=["A1"]))
    assert told(data) == ([("A2", "impossible_date")] if refused else [])


def test_impossible_through_another_anchor():
    anchors = {"residence": {"else": "arrival", "streams": ["sponsored"]}}
    late = step("A1", days=9, streams=["sponsored"])
    data = protocol(late, step("A2", anchor="residence", days=5, streams=["sponsored"], needs=["A1"]), anchors=anchors)
    assert told(data) == [("A2", "impossible_date")]
    data["steps"][1]["days"] = 9
    assert told(data) == []


def test_a_need_that_nobody_of_the_stream_has_is_refused():
    data = protocol(step("A1", streams=["claimant"]), step("A2", streams=["resettled"], needs=["A1"]))
    assert told(data) == [("A2", "need_never")]
    data["steps"][0]["streams"] = ["claimant", "resettled"]
    assert told(data) == []
    small, big = step("A1", scope="child", ages=[0, 5]), step("A2", scope="child", ages=[6, 16], needs=["A1"])
    assert told(protocol(small, big)) == [("A2", "need_never")]


def test_an_anchor_that_nobody_of_the_stream_has_is_refused():
    """The list that ours began from had a sponsored refugee wait for the day of being recognised."""
    data = protocol(step("A1", anchor="recognised", streams=["sponsored", "recognised"]))
    assert told(data) == [("A1", "anchor_never")]
    data["steps"][0]["anchors"] = {"sponsored": "arrival"}
    assert told(data) == []


@pytest.mark.parametrize(
    "change, code",
    [
        ({"needs": ["ZZ9"]}, "unknown_step"),
        ({"anchor": "easter"}, "unknown_anchor"),
        ({"title": {"en": "only"}}, "language_missing"),
        ({"days": "5"}, "wrong_type"),
        ({"days": 99999}, "out_of_range"),
        ({"owner": ["lead_worker", "host"]}, "unknown_value"),  # rule 8: exactly one
        ({"owner": None}, "missing"),
        ({"kind": "wish"}, "unknown_value"),
        ({"streams": []}, "missing"),
        ({"streams": ["martian"]}, "unknown_value"),
        ({"alerts": [5]}, "alert_not_legal"),
        ({"kind": "legal", "holds": True}, "legal_holds"),
        ({"ages": [16, 6]}, "out_of_range"),
        ({"sources": []}, "missing"),
        ({"colour": "red"}, "unknown_field"),
        ({"data": "secrets"}, "unknown_value"),
        ({"checked_on": "yesterday"}, "wrong_type"),
        ({"title": "one"}, "wrong_type"),
        ({"title": {"en": "x" * 401, "fr": "x"}}, "too_long"),
    ],
)
def test_shapes(change, code):
    assert ("A1", code) in told(protocol(step("A1", **change)))
    assert code in FAULTS


@pytest.mark.parametrize(
    "more, code",
    [
        ({"steps": []}, "no_steps"),
        ({"calendar": {"country": "CA", "subdivision": "QQ"}}, "no_such_calendar"),
        ({"calendar": {"weekend": [0, 1, 2, 3, 4, 5, 6]}}, "out_of_range"),
        ({"anchors": {"lease": {"else": "claim"}}}, "unknown_anchor"),
        ({"days": {"x": {"month": 2, "day": 29}}}, "out_of_range"),
        ({"languages": []}, "missing"),
    ],
)
def test_shapes_of_the_whole(more, code):
    assert ("", code) in told({**protocol(step("A1")), **more})


def test_twice_the_same_code():
    assert ("A1", "twice") in told(protocol(step("A1"), step("A1")))


@given(st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
@settings(max_examples=25, deadline=None)
def test_nonsense_is_refused_and_never_crashes(rubbish):
    assert faults(rubbish)
    assert faults(
        protocol({**step("A1"), **{key: value for key, value in rubbish.items() if key not in step("A1")}, "x": 1})
    )
    for name in step("A1", streams=[], ages=[], grace=1, holds=True, needs=[], kind="legal", anchors={}, helpers=[]):
        for value in [*rubbish.values(), None, {}, [None], 3.5]:
            faults(protocol({**step("A1"), name: value}))


# ---- a city's own


def test_a_city_stands_on_the_generic_file():
    own = parse("""
        extends = "generic"
        code = "elsewhere"
        edition = "1"
        title = {en = "Elsewhere", fr = "Ailleurs"}
        [calendar]
        country = "CH"
        subdivision = "GE"
        closed = [2026-12-31]
        [[steps]]
        code = "G44"
        days = 12
        [[steps]]
        code = "G51"
        drop = true
    """)
    city = read(own)
    assert city.by_code["G44"].days == 12 and city.by_code["G44"].scope is Scope.CHILD
    assert "G51" not in city.by_code
    assert city.calendar.why_closed(date(2026, 9, 10)) == "holiday"  # Jeûne genevois
    assert city.calendar.why_closed(date(2026, 12, 31)) == "closed"
    with pytest.raises(BadProtocol, match="no_such_file"):
        parse('extends = "../../etc/passwd"')


def test_dropping_what_others_need_is_refused():
    data = overlay(shipped_data("generic"), {"steps": [{"code": "G30", "drop": True}]})
    assert {one for one, code in told(data) if code == "unknown_step"} == {"G31", "G40", "G44"}


def test_texts_in_the_best_language():
    texts = {"en": "yes", "fr": "oui"}
    assert say(texts, "fr-ca", "en") == "oui" and say(texts, "ar", "en") == "yes" and say(texts, "ar") == "yes"


def test_confidence_to_be_checked():
    doubtful = {one.confidence for one in shipped().steps if one.to_be_checked}
    assert doubtful == {Confidence.TITLE, Confidence.KNOWLEDGE}


# ---- calendar


def test_quebec_holidays():
    calendar = shipped().calendar
    assert calendar.why_closed(date(2026, 6, 24)) == "holiday"
    assert Calendar("CA", "ON").is_open(date(2026, 6, 24))  # control: another province
    assert calendar.next_open(date(2026, 6, 24)) == date(2026, 6, 25)
    assert calendar.last_open(date(2026, 6, 24)) == date(2026, 6, 23)
    assert calendar.last_open(date(2026, 12, 25)) == date(2026, 12, 24)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_rolling(day):
    calendar = shipped().calendar
    ahead, back = calendar.next_open(day), calendar.last_open(day)
    assert back <= day <= ahead and calendar.is_open(ahead) and calendar.is_open(back)
    assert all(not calendar.is_open(back + timedelta(n)) for n in range(1, (ahead - back).days))
    assert (ahead == day) == calendar.is_open(day)


def test_a_calendar_that_there_is_not():
    with pytest.raises(NoSuchCalendar):
        Calendar("XX")
    with pytest.raises(NoSuchCalendar):
        Calendar("CA", "XX")


def test_an_office_that_opens_on_a_holiday():
    day = date(2026, 6, 24)
    assert Calendar("CA", "QC", opened=frozenset({day})).is_open(day)


def test_legal_is_a_kind_of_its_own():
    assert {one.kind for one in shipped().steps} == {Kind.TARGET, Kind.LEGAL}
