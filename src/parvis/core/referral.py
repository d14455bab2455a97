"""Referrals: states, who leads from one to another, coded reasons, clocks in working time, and what FHIR calls it all.

    draft ─> sent ─> seen ─> accepted ─> started ─> served | partly_served | not_served ─> confirmed | disputed
                       └──> waitlisted, needs_info, declined, rerouted
    besides: withdrawn and expired until there is an outcome, entered_in_error until it is confirmed

"Accepted" and "served" are not "helped": the provider's outcome and the person's own word are two facts.
Sources: Gravity SDOH closed-loop referrals (FHIR Task and its statusReason); the office's clocks.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from zoneinfo import ZoneInfo

from parvis.core.slots import Week


class State(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    SEEN = "seen"
    WAITLISTED = "waitlisted"
    NEEDS_INFO = "needs_info"
    ACCEPTED = "accepted"
    STARTED = "started"
    DECLINED = "declined"
    REROUTED = "rerouted"
    SERVED = "served"
    PARTLY_SERVED = "partly_served"
    NOT_SERVED = "not_served"
    CONFIRMED = "confirmed_by_client"
    DISPUTED = "disputed_by_client"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    MISTAKE = "entered_in_error"


class Party(StrEnum):
    """On whose behalf a state is left: whatever way they speak (account, link, telephone)."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    PERSON = "person"
    SYSTEM = "system"


S, P = State, Party
#: not answered yet
ASKED = (S.SENT, S.SEEN, S.NEEDS_INFO)
#: what is shared with the recipient is shared in these, and in no other
SHARING = (*ASKED, S.WAITLISTED, S.ACCEPTED, S.STARTED)
#: one person has one of these at a time with one service
ACTIVE = (S.DRAFT, *SHARING)
OUTCOMES = (S.SERVED, S.PARTLY_SERVED, S.NOT_SERVED)
#: ended so that the need is as it was: what was attached goes
BADLY = (S.DECLINED, S.REROUTED, S.WITHDRAWN, S.EXPIRED, S.MISTAKE)
#: nothing follows
FINAL = (S.CONFIRMED, *BADLY)

_ANSWERS = {
    S.ACCEPTED: {P.RECIPIENT}, S.WAITLISTED: {P.RECIPIENT}, S.NEEDS_INFO: {P.RECIPIENT},
    S.DECLINED: {P.RECIPIENT}, S.REROUTED: {P.RECIPIENT, P.SENDER},
}  # fmt: skip
_ENDS = {S.WITHDRAWN: {P.SENDER, P.PERSON, P.SYSTEM}, S.MISTAKE: {P.SENDER}}
_OUTCOMES = {state: {P.RECIPIENT, P.SENDER} for state in OUTCOMES}
_WORDS = {S.CONFIRMED: {P.PERSON}, S.DISPUTED: {P.PERSON}}
#: state -> state that follows -> who may say so
TRANSITIONS: Mapping[State, Mapping[State, frozenset[Party]]] = {
    state: {after: frozenset(who) for after, who in following.items()}
    for state, following in {
        S.DRAFT: {S.SENT: {P.SENDER, P.SYSTEM}, **_ENDS},
        S.SENT: {S.SEEN: {P.RECIPIENT}, S.REROUTED: {P.SENDER}, S.EXPIRED: {P.SYSTEM}, **_ENDS},
        S.SEEN: {**_ANSWERS, S.EXPIRED: {P.SYSTEM}, **_ENDS},
        S.NEEDS_INFO: {**_ANSWERS, S.SEEN: {P.SENDER}, S.EXPIRED: {P.SYSTEM}, **_ENDS} | {S.NEEDS_INFO: {P.RECIPIENT}},
        S.WAITLISTED: {**_ANSWERS, **_ENDS},
        S.ACCEPTED: {S.STARTED: {P.RECIPIENT}, S.NOT_SERVED: {P.RECIPIENT, P.SENDER}, S.REROUTED: {P.RECIPIENT},
                     **_ENDS},
        S.STARTED: {**_OUTCOMES, **_ENDS},
        **{outcome: {**_WORDS, S.MISTAKE: {P.SENDER}} for outcome in OUTCOMES},
        # what the person denies, the provider may say anew, and the person may yet agree
        S.DISPUTED: {**{state: {P.RECIPIENT} for state in OUTCOMES}, S.CONFIRMED: {P.PERSON}, S.MISTAKE: {P.SENDER}},
    }.items()
}  # fmt: skip
#: ways through a state that nobody needs to stop at: answering says that it was seen, an outcome that it began
THROUGH: Mapping[State, tuple[tuple[State, ...], State]] = {
    S.SENT: ((S.ACCEPTED, S.WAITLISTED, S.NEEDS_INFO, S.DECLINED), S.SEEN),
    S.ACCEPTED: ((S.SERVED, S.PARTLY_SERVED), S.STARTED),
}


def may(before: State, after: State, party: Party) -> bool:
    """Does this state follow that one, on the word of `party`?"""
    return party in TRANSITIONS.get(before, {}).get(after, frozenset())


def path(before: State, after: State, party: Party) -> list[State]:
    """The states to go through, `after` last; empty when there is no way for this party."""
    if may(before, after, party):
        return [after]
    through = THROUGH.get(before)
    if through and after in through[0] and party is P.RECIPIENT and may(through[1], after, party):
        return [through[1], after]
    return []


# -- reasons ----------------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why a state was left. One list, so that a figure by reason means the same everywhere."""

    NO_CAPACITY = "no_capacity"
    NOT_ELIGIBLE = "not_eligible"
    LANGUAGE = "language"
    TOO_FAR = "too_far"
    NOT_REACHED = "not_reached"
    NOT_INTERESTED = "not_interested"
    DUPLICATE = "duplicate"
    CLOSED = "closed"
    FUNDS = "funds"
    NO_SHOW = "no_show"
    ASSESSMENT = "assessment"
    CONSENT = "consent"
    ELSEWHERE = "elsewhere"
    MOVED = "moved"
    WRONG_SERVICE = "wrong_service"
    SILENCE = "silence"
    OTHER = "other"


R = Reason
#: state -> its reasons; a state that is not here has none
REASONS: Mapping[State, tuple[Reason, ...]] = {
    S.DECLINED: (R.NO_CAPACITY, R.NOT_ELIGIBLE, R.LANGUAGE, R.TOO_FAR, R.NOT_REACHED, R.NOT_INTERESTED, R.DUPLICATE,
                 R.CLOSED, R.OTHER),
    S.WAITLISTED: (R.NO_CAPACITY, R.LANGUAGE, R.ASSESSMENT, R.OTHER),
    S.NOT_SERVED: (R.NO_SHOW, R.NOT_REACHED, R.FUNDS, R.NOT_ELIGIBLE, R.NO_CAPACITY, R.NOT_INTERESTED, R.MOVED,
                   R.CLOSED, R.OTHER),
    S.PARTLY_SERVED: (R.NO_SHOW, R.FUNDS, R.NOT_ELIGIBLE, R.NO_CAPACITY, R.NOT_INTERESTED, R.MOVED, R.OTHER),
    S.WITHDRAWN: (R.NOT_INTERESTED, R.CONSENT, R.ELSEWHERE, R.MOVED, R.WRONG_SERVICE, R.DUPLICATE, R.OTHER),
    S.REROUTED: (R.WRONG_SERVICE, R.NO_CAPACITY, R.LANGUAGE, R.TOO_FAR, R.OTHER),
    S.EXPIRED: (R.SILENCE,),
}  # fmt: skip
#: nobody reaches one of these without saying why
NEEDS_REASON = (S.DECLINED, S.WAITLISTED, S.NOT_SERVED, S.WITHDRAWN)


def reason_problem(state: State, reason: str, text: str = "") -> str:
    """What is wrong with a reason for a state: "" | "missing" | "unknown" | "text" (other needs words of its own)."""
    if not reason:
        return "missing" if state in NEEDS_REASON else ""
    if reason not in REASONS.get(state, ()):
        return "unknown"
    return "text" if reason == R.OTHER and not text.strip() else ""


# -- clocks -----------------------------------------------------------------------------------------------------------


class Clock(StrEnum):
    SEEN = "seen"
    DECISION = "decision"
    CONTACT = "contact"
    OUTCOME = "outcome"
    EXPIRY = "expiry"


class Overdue(IntFlag):
    """Which clocks have run out: what the database keeps."""

    SEEN = 1
    DECISION = 2
    CONTACT = 4
    OUTCOME = 8


class Unit(StrEnum):
    WORKING_HOURS = "working_hours"
    WORKING_DAYS = "working_days"
    DAYS = "days"


@dataclass(frozen=True)
class Span:
    """So many hours or days, of working time or by the calendar."""

    amount: int
    unit: Unit


#: (clock, urgent) -> how long: what the office has not changed
SPANS: Mapping[tuple[Clock, bool], Span] = {
    (Clock.SEEN, True): Span(4, Unit.WORKING_HOURS),
    (Clock.SEEN, False): Span(2, Unit.WORKING_DAYS),
    (Clock.DECISION, True): Span(1, Unit.WORKING_DAYS),
    (Clock.DECISION, False): Span(5, Unit.WORKING_DAYS),
    (Clock.CONTACT, True): Span(2, Unit.WORKING_DAYS),
    (Clock.CONTACT, False): Span(15, Unit.WORKING_DAYS),
    (Clock.OUTCOME, True): Span(5, Unit.WORKING_DAYS),
    (Clock.OUTCOME, False): Span(30, Unit.DAYS),
    (Clock.EXPIRY, True): Span(3, Unit.WORKING_DAYS),
    (Clock.EXPIRY, False): Span(30, Unit.DAYS),
}
#: which clocks run in which state. Waiting with a place on the list is an answer: it is looked at as outcomes are.
RUNNING: Mapping[State, tuple[Clock, ...]] = {
    S.SENT: (Clock.SEEN, Clock.DECISION, Clock.EXPIRY),
    S.SEEN: (Clock.DECISION, Clock.EXPIRY),
    S.NEEDS_INFO: (Clock.EXPIRY,),
    S.WAITLISTED: (Clock.OUTCOME,),
    S.ACCEPTED: (Clock.CONTACT, Clock.OUTCOME),
    S.STARTED: (Clock.OUTCOME,),
}
#: from which moment a clock counts: "sent", or "answered" (accepted, or put on the list)
SINCE: Mapping[Clock, str] = {
    Clock.SEEN: "sent", Clock.DECISION: "sent", Clock.EXPIRY: "sent", Clock.CONTACT: "answered",
    Clock.OUTCOME: "answered",
}  # fmt: skip
#: a search for an open moment goes no further than this
_LONGEST = 400  # days


@dataclass(frozen=True)
class WorkingTime:
    """When an office works: the hours of its week, the days on which it is closed, and its time zone."""

    week: Week
    is_closed: Callable[[dt.date], bool]
    zone: ZoneInfo

    def spans(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """The working spans (UTC) of a day, in order; none on a closed one."""
        if self.is_closed(day):
            return []
        told = []
        for opens, closes in self.week.get(day.isoweekday(), ()):
            start, end = (
                dt.datetime.combine(day, clock, tzinfo=self.zone).astimezone(dt.UTC) for clock in (opens, closes)
            )
            if start < end:  # the hour that spring leaves out
                told.append((start, end))
        return sorted(told)

    def works(self, day: dt.date) -> bool:
        return bool(self.spans(day))


def due(start: dt.datetime, span: Span, time: WorkingTime) -> dt.datetime:
    """When `span` after `start` is over (UTC). Working hours count while the office works; of working days, and of
    days by the calendar, the last one counts to its end; one that is closed rolls to the next that is not.

    An office that never works has no working time: its spans count as calendar days.
    """
    here = start.astimezone(time.zone)
    if span.unit is Unit.WORKING_HOURS:
        left = dt.timedelta(hours=span.amount)
        for ahead in range(_LONGEST):
            for opens, closes in time.spans(here.date() + dt.timedelta(days=ahead)):
                since = max(opens, start)
                if since >= closes:
                    continue
                if closes - since >= left:
                    return (since + left).astimezone(dt.UTC)
                left -= closes - since
        return start + dt.timedelta(hours=span.amount)
    if span.unit is Unit.WORKING_DAYS:
        counted = 0
        for ahead in range(1, _LONGEST):
            spans = time.spans(here.date() + dt.timedelta(days=ahead))
            counted += bool(spans)
            if spans and counted == span.amount:
                return spans[-1][1]
        return start + dt.timedelta(days=span.amount)
    day = here.date() + dt.timedelta(days=span.amount)
    for _ahead in range(_LONGEST):
        if spans := time.spans(day):
            return spans[-1][1]
        day += dt.timedelta(days=1)
    return start + dt.timedelta(days=span.amount)


def clocks(
    state: State, urgent: bool, *, sent: dt.datetime | None, answered: dt.datetime | None, contacted: bool,
    time: WorkingTime, spans: Mapping[tuple[Clock, bool], Span] = SPANS,
) -> dict[Clock, dt.datetime]:  # fmt: skip
    """The clocks that run in a state and when each is over."""
    since = {"sent": sent, "answered": answered}
    found = {}
    for clock in RUNNING.get(state, ()):
        start = since[SINCE[clock]]
        if start is not None and not (clock is Clock.CONTACT and contacted):
            found[clock] = due(start, spans.get((clock, urgent), SPANS[clock, urgent]), time)
    return found


def next_due(running: Mapping[Clock, dt.datetime], overdue: int = 0) -> tuple[Clock, dt.datetime] | None:
    """The first clock that has not run out yet; None when nothing is waited for."""
    waiting = [(when, clock) for clock, when in running.items() if not is_overdue(clock, overdue)]
    return min(waiting)[::-1] if waiting else None


def is_overdue(clock: Clock, overdue: int) -> bool:
    return clock is not Clock.EXPIRY and bool(overdue & Overdue[clock.name])


# -- capacity ---------------------------------------------------------------------------------------------------------


class Capacity(StrEnum):
    """The four values of the Gravity closed loop."""

    HAS = "has-capacity"
    NONE = "no-capacity"
    WAITLIST = "no-capacity-waitlist"
    ASSESSMENT = "additional-assessment-required"


def capacity(offered: int | None, taken: int, held: int, *, waitlist: bool, assessment: bool) -> Capacity:
    """What a service says of its places. `offered` None: nobody counts them, there are some."""
    if offered is not None and taken + held >= offered:
        return Capacity.WAITLIST if waitlist else Capacity.NONE
    return Capacity.ASSESSMENT if assessment else Capacity.HAS


# -- FHIR -------------------------------------------------------------------------------------------------------------

#: FHIR R4 Task.status as the Gravity closed loop uses it; `businessStatus` carries our state, so that nothing is lost
TASK_STATUS: Mapping[State, str] = {
    S.DRAFT: "draft",
    S.SENT: "requested",
    S.SEEN: "requested",
    S.WAITLISTED: "on-hold",
    S.NEEDS_INFO: "on-hold",
    S.ACCEPTED: "accepted",
    S.STARTED: "in-progress",
    S.DECLINED: "rejected",
    S.REROUTED: "rejected",
    S.SERVED: "completed",
    S.PARTLY_SERVED: "completed",
    S.NOT_SERVED: "failed",
    S.CONFIRMED: "completed",
    S.DISPUTED: "completed",
    S.WITHDRAWN: "cancelled",
    S.EXPIRED: "cancelled",
    S.MISTAKE: "entered-in-error",
}


def task_status(state: State, outcome: str = "") -> str:
    """Task.status; what the person said of an outcome does not make a failed task a completed one."""
    if state in (S.CONFIRMED, S.DISPUTED) and outcome:
        return TASK_STATUS[State(outcome)]
    return TASK_STATUS[state]


#: what a recipient's Task.status says without a businessStatus
STATE_OF_TASK: Mapping[str, State] = {
    "received": S.SEEN,
    "accepted": S.ACCEPTED,
    "rejected": S.DECLINED,
    "in-progress": S.STARTED,
    "on-hold": S.WAITLISTED,
    "completed": S.SERVED,
    "failed": S.NOT_SERVED,
    "cancelled": S.WITHDRAWN,
    "entered-in-error": S.MISTAKE,
}
