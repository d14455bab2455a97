"""When facts must be confirmed again, and what is weak about a listing."""

import datetime as dt

from parvis.core.freshness import CHECKS, KINDS, PERIODS, Listing, add_months, due, overdue, quality

TODAY = dt.date(2026, 11, 23)


def whole(**other: object) -> Listing:
    """A listing with nothing to say against it."""
    values = {
        "name": "Cours de français",
        "description": "Deux soirs par semaine, pour adultes, sans frais et sans rendez-vous.",
        "eligibility": "Adultes", "phones": 1, "schedules": 1, "places": 1, "addresses": 1, "points": 1, "languages": 1,
        "terms": 1, "fees": 1, "verified": dict.fromkeys(KINDS, TODAY),
    }  # fmt: skip
    return Listing(**{**values, **other})  # type: ignore[arg-type]


def test_months_end_where_the_shorter_month_ends() -> None:
    assert add_months(dt.date(2026, 11, 30), 3) == dt.date(2027, 2, 28)
    assert add_months(dt.date(2027, 11, 30), 3) == dt.date(2028, 2, 29)
    assert add_months(dt.date(2026, 12, 1), 1) == dt.date(2027, 1, 1)
    assert due(None, 3) is None


def test_each_kind_of_facts_has_its_clock() -> None:
    assert PERIODS["hours"] == 3 and PERIODS["phone"] == 6 and PERIODS["address"] == 12
    for kind in KINDS:
        last = add_months(TODAY, -PERIODS[kind])
        told = {**dict.fromkeys(KINDS, TODAY), kind: last}
        (reason,) = overdue(whole(verified=told), TODAY)
        assert (reason.kind, reason.code, reason.since) == (kind, "overdue", TODAY)
        assert not overdue(whole(verified={**told, kind: last + dt.timedelta(days=1)}), TODAY)
    assert [each.kind for each in overdue(whole(verified={}), TODAY)] == list(KINDS)
    assert not [each for each in overdue(whole(verified={}, schedules=0), TODAY) if each.kind == "hours"]


def test_what_is_whole_has_a_hundred_and_each_check_finds_something() -> None:
    assert quality(whole(), TODAY).score == 100 and quality(whole(), TODAY).reasons == ()
    nothing = Listing(missing=True)
    assert all(check(nothing) or check(whole(addresses=0)) or check(whole(points=0)) for check in CHECKS)
    weak = quality(nothing, TODAY)
    assert weak.score < 20 and weak.reasons[0].code == "no_contact"
    assert quality(whole(phones=0, emails=1), TODAY).reasons[0].code == "no_phone"
    assert quality(whole(description="Court"), TODAY).reasons[0].code == "short_description"
