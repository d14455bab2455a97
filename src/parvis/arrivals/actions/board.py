"""Arrivals: announced, met or not, cancelled, and each of these taken back."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.arrivals.models import Arrival, Manifest
from parvis.cases.models import Household, HouseholdMember
from parvis.cases.queries import may_write
from parvis.core.manifest import Arriving
from parvis.kit.writing import update_rows
from parvis.ledger.actions import Entry, record_many
from parvis.plans import actions as plans

STATE = Arrival.State
NOON = dt.time(12)


def moment(on: dt.date, at: dt.time | None) -> dt.datetime:
    """The local moment of an arrival; of one without an hour, noon of its day."""
    return dt.datetime.combine(on, at or NOON, timezone.get_current_timezone())


def announced(
    expected: Sequence[tuple[Household, uuid.UUID, Sequence[Arriving]]], manifest: Manifest
) -> tuple[list[Arrival], list[Entry]]:
    """Write arrivals of a list's households (with their head, and who of the list is in each), and what the ledger is
    told. One that was expected already is corrected: the newest list is right. The earliest day of a household counts.
    """
    dated = [
        (home, head, sorted((one for one in persons if one.expected_on), key=_when), len(persons))
        for home, head, persons in expected
    ]
    known = {
        arrival.household_id: arrival
        for arrival in Arrival.objects.filter(household__in=[home for home, *_ in dated], state=STATE.EXPECTED)
    }
    made, kept, entries = [], [], []
    for home, head, persons, count in dated:
        if not persons:
            continue
        first = persons[0]
        given: dict[str, Any] = {
            "expected_at": moment(first.expected_on, first.expected_time),  # type: ignore[arg-type]
            "timed": first.expected_time is not None,
            "flight": first.flight, "place": first.place, "manifest": manifest,
        }  # fmt: skip
        arrival = known.get(home.pk)
        if arrival is None:
            made.append(Arrival(person_id=head, household=home, people=count, **given))
        else:
            for column, value in given.items():
                setattr(arrival, column, value)
            arrival.version += 1
            kept.append(arrival)
        entries.append(Entry("arrivals.expected", "cases.household", home.pk, None, {"list": manifest.pk}))
    Arrival.objects.bulk_create(made, batch_size=2000)
    update_rows(kept, ["expected_at", "timed", "flight", "place", "manifest", "version"])
    return [*made, *kept], entries


def _when(one: Arriving) -> tuple[dt.date, dt.time]:
    return one.expected_on or dt.date.max, one.expected_time or dt.time.max


def tell_plans(arrivals: Iterable[Arrival], *, by: User) -> None:
    """The plan's dates count from the arrival."""
    days = {each.household_id: timezone.localdate(each.met_at or each.expected_at) for each in arrivals}
    plans.arrived_many(days, by=by)


@transaction.atomic
def expect(
    household: Household,
    on: dt.date,
    at: dt.time | None = None,
    *,
    flight: str = "",
    place: str = "",
    by: User,
) -> Arrival:
    """Announce the arrival of a household that has a file. Raises Denied, Refused while one is expected."""
    head = HouseholdMember.objects.filter(household=household, until=None, relation="head").first()
    require(head is not None and may_write(by, head.person_id), "arrivals.expected", household)
    assert head is not None
    if Arrival.objects.filter(household=household, state=STATE.EXPECTED).exists():
        raise Refused(_("This household is expected already."))
    arrival = Arrival.objects.create(
        person_id=head.person_id, household=household, expected_at=moment(on, at), timed=at is not None,
        flight=flight.strip().upper()[:20], place=place.strip()[:120],
        people=household.members.filter(until=None).count(),
    )  # fmt: skip
    record_many([Entry("arrivals.expected", "cases.household", household.pk)], by=by)
    tell_plans([arrival], by=by)
    return arrival


#: what may become of an arrival, from what -> event
CHANGES = {
    STATE.MET: "arrivals.met", STATE.NOT_MET: "arrivals.not_met", STATE.CANCELLED: "arrivals.cancelled",
    STATE.EXPECTED: "arrivals.reset",
}  # fmt: skip


@transaction.atomic
def change(arrival: Arrival, state: str, *, by: User) -> Arrival:
    """Say that they were met, not met, don't come, or (the undo) are expected after all. The same twice is once.

    Raises Denied.
    """
    require(may_write(by, arrival.person_id), CHANGES[STATE(state)], arrival.household)
    now = Arrival.objects.select_for_update().select_related("household").get(pk=arrival.pk)
    if now.state == state:
        return now
    before = {"state": now.state}
    now.state = state
    met = state == STATE.MET
    now.met_at, now.met_by = (timezone.now(), by) if met else (None, None)
    now.version += 1
    now.save()
    record_many([Entry(CHANGES[STATE(state)], "cases.household", now.household_id, before, {"state": state})], by=by)
    if met or before["state"] == STATE.MET:
        tell_plans([now], by=by)
    return now
