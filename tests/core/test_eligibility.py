"""Does a service take a person: conditions beside facts, each with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.eligibility import AUDIENCES, EVERYONE, RANK, Answer, Conditions, Facts, judge

YES, ASK, NO = Answer.YES, Answer.ASK, Answer.NO
WOMAN = Facts(34, 34, "female", "claimant", "verdun", True)


def said(asked: Conditions, known: Facts) -> tuple[str, list[str]]:
    verdict = judge(asked, known)
    return verdict.answer, [reason.code for reason in verdict.reasons]


def test_nothing_asked_is_a_yes_without_a_reason() -> None:
    assert said(Conditions(), Facts()) == (YES, [])


@pytest.mark.parametrize(
    ("low", "high", "youngest", "oldest", "answer", "code"),
    [
        (18, None, 18, 18, YES, "age_fits"),
        (18, None, 17, 17, NO, "age_too_young"),
        (None, 30, 30, 30, YES, "age_fits"),  # completed years: still thirty the day before 31
        (None, 30, 31, 31, NO, "age_too_old"),
        (18, 30, 17, 18, ASK, "age_borderline"),  # only the year of birth is known
        (18, 30, 30, 31, ASK, "age_borderline"),
        (18, 30, None, None, ASK, "age_unknown"),
        (0.5, None, 0, 0, NO, "age_too_young"),
    ],
)
def test_age(low: float, high: float, youngest: int, oldest: int, answer: str, code: str) -> None:
    assert said(Conditions(low, high), Facts(youngest, oldest)) == (answer, [code])


@pytest.mark.parametrize(
    ("audiences", "stream", "answer"),
    [
        ("asylum-seekers", "claimant", YES),
        ("asylum-seekers", "resettled", NO),
        ("refugees asylum-seekers", "resettled", YES),  # one of them is enough
        ("permanent-residents", "recognised", ASK),
        ("temporary-workers", "temporary", ASK),  # which permit?
        ("students", "claimant", NO),
        ("refugees", "", ASK),
        ("refugees", "unknown", ASK),
        ("everyone", "", YES),
        ("undocumented", "temporary", YES),  # nobody is asked about status there
        ("undocumented asylum-seekers", "pr_other", YES),
    ],
)
def test_status(audiences: str, stream: str, answer: str) -> None:
    assert judge(Conditions(audiences=frozenset(audiences.split())), Facts(stream=stream)).answer == answer


def test_kinds_add_up_and_the_worst_reason_stands_first() -> None:
    asked = Conditions(18, None, frozenset({"women-only", "refugees"}), frozenset({"verdun", "lachine"}))
    answer, reasons = said(asked, WOMAN)
    assert (answer, reasons[0]) == (NO, "status_differs")
    assert set(reasons[1:]) == {"age_fits", "gender_fits", "area_fits"}


def test_everyone_of_one_gender_is_not_everyone() -> None:
    asked = Conditions(audiences=frozenset({"everyone", "women-only"}))
    assert judge(asked, Facts(gender="male")).answer == NO


@pytest.mark.parametrize(
    ("areas", "unclear", "borough", "answer"),
    [
        ({"verdun"}, False, "verdun", YES),
        ({"verdun"}, False, "lachine", NO),
        ({"verdun"}, True, "lachine", ASK),  # "Quartier des Écluses" may be in it
        (set(), True, "lachine", ASK),
        ({"verdun"}, False, "", ASK),  # a hidden address has no borough
        (None, False, "", YES),
    ],
)
def test_area(areas: set[str] | None, unclear: bool, borough: str, answer: str) -> None:
    asked = Conditions(areas=None if areas is None else frozenset(areas), unclear_areas=unclear)
    assert judge(asked, Facts(borough=borough)).answer == answer


def test_what_only_words_say_is_asked_and_what_nobody_knows_too() -> None:
    assert said(Conditions(words=True), WOMAN) == (ASK, ["words"])
    assert said(Conditions(audiences=frozenset({"left-handed"})), WOMAN) == (ASK, ["audience_unclear"])
    assert said(Conditions(audiences=frozenset({"youth-only"})), WOMAN) == (ASK, ["age_in_words"])


_FACTS = st.builds(
    Facts,
    youngest=st.none(),
    oldest=st.none(),
    gender=st.sampled_from(["", "female", "male", "other", "unknown"]),
    stream=st.sampled_from(
        ["", "unknown", "resettled", "sponsored", "claimant", "recognised", "pr_other", "temporary"]
    ),
    borough=st.sampled_from(["", "verdun"]),
    with_children=st.sampled_from([None, True, False]),
)


@given(st.frozensets(st.sampled_from([*AUDIENCES, *EVERYONE])), _FACTS)
def test_not_knowing_is_never_a_no(audiences: frozenset[str], known: Facts) -> None:
    """Who says nothing of themselves is refused nowhere: at worst somebody asks."""
    asked = Conditions(5, 12, audiences)
    assert judge(asked, Facts()).answer != NO
    verdict = judge(asked, known)
    assert RANK[verdict.answer] == max((RANK[reason.answer] for reason in verdict.reasons), default=0)
