"""What a plan costs in the pure core: ten thousand households' plans derived on one core, nothing else done.

`parvis bench` calls `derived`; alone: `python -m parvis.site.bench.plans`.
"""

import random
import time
from collections.abc import Callable
from datetime import date, timedelta

from parvis.core.plan import Facts, Held, Member, Plan, State, derive
from parvis.core.protocol import Stream, shipped, shipped_data
from parvis.core.protocol import read as read_protocol
from parvis.site.bench.rounds import Line, at_least
from parvis.site.boot import collect_seldom

HOUSEHOLDS = 10_000
LOT = 500  # as plans are counted after a change of the protocol
LEAST = 2_000  # plans a second, issue 4
ON = date(2026, 11, 23)
#: how many members households have, and how often each stream comes
SIZES = (1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8)
STREAMS = (*[Stream.CLAIMANT] * 6, *[Stream.RESETTLED] * 3, *[Stream.SPONSORED] * 3, Stream.RECOGNISED,
           *[Stream.PR_OTHER] * 3, *[Stream.TEMPORARY] * 2, Stream.UNKNOWN)  # fmt: skip


def households(number: int = HOUSEHOLDS, seed: int = 1) -> list[Facts]:
    """Invented households: families with up to three generations; some of two statuses, some opened late."""
    chance = random.Random(seed)  # noqa: S311
    return [_household(chance, index) for index in range(number)]


def _household(chance: random.Random, index: int) -> Facts:
    arrival = ON - timedelta(chance.randrange(-20, 900))
    stream = chance.choice(STREAMS)
    anchors = {"claim": arrival + timedelta(3), "recognised": arrival + timedelta(400)}
    members = []
    for place in range(chance.choice(SIZES)):
        born = date(chance.randrange(1945, 2004) if place < 2 else chance.randrange(2004, 2026), 1, 1)
        own = stream if chance.random() < 0.95 else chance.choice(STREAMS)
        members.append(Member(f"{index}-{place}", own, born + timedelta(chance.randrange(300)), anchors=anchors))
    contact = arrival + timedelta(chance.choice((-10, -10, 0, 0, 0, 2, 30)))
    return Facts(ON, tuple(members), {"arrival": arrival, "first_contact": contact})


def lived(plan: Plan) -> list[Held]:
    """The same plan as it is held: what was due is done, one in seven late."""
    held = []
    for place, row in enumerate(plan.steps):
        if row.due_on is not None and row.due_on < ON:
            done_on = row.due_on + timedelta(5 if place % 7 == 0 else 0)
            held.append(Held(row.code, row.member, State.DONE, row.due_on, done_on=done_on))
        else:
            held.append(Held(row.code, row.member, row.state, row.due_on))
    return held


def derived(say: Callable[[str], None] = lambda text: None) -> list[Line]:
    """Plans a second of this process's CPU time: new ones, with nothing worked out before; then lived-in ones."""
    say("ten thousand plans")
    collect_seldom()  # as in every process of ours
    protocol, facts = read_protocol(shipped_data()), households()
    shipped()  # the calendar library is loaded
    first = second = 0.0
    rows = 0
    for begin in range(0, HOUSEHOLDS, LOT):
        lot = facts[begin : begin + LOT]
        start = time.process_time()
        plans = [derive(protocol, each) for each in lot]
        first += time.process_time() - start
        rows += sum(len(plan.steps) for plan in plans)
        held = [lived(plan) for plan in plans]
        start = time.process_time()
        for each, kept in zip(lot, held, strict=True):
            derive(protocol, each, kept)
        second += time.process_time() - start
    new, again = HOUSEHOLDS / first, HOUSEHOLDS / second
    against = f"{HOUSEHOLDS} households, {rows / HOUSEHOLDS:.0f} steps each, CPU of one core"
    return [
        at_least("plans: derived anew", round(new), LEAST, "/s", against),
        at_least("plans: derived again, with what was done", round(again), LEAST, "/s", against),
    ]


if __name__ == "__main__":
    for line in derived():
        print(line.name, line.value, line.unit, line.budget, line.against, "ok" if line.ok else "TOO SLOW")  # noqa: T201
