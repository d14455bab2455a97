"""Today, a household's page with its plan, and the director's picture: each page beside its own statements sent by
hand, and how many they are.

The bench's people have no plan: steps are put in by SQL, five of each household, spread over days and workers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from parvis.site.bench.meter import Subject, costs
from parvis.site.bench.people import ASKED, Statement, _People, _signed_in, recorded
from parvis.site.bench.rounds import CITY, Line, at_most

TIMES = 60
PATHS = {
    "agent@example.org": {
        "today, mine": "/en/welcome/",
        "today, team": "/en/welcome/?whose=team",
        "today, office": "/en/welcome/?whose=office",
    },
    "director@example.org": {
        "the office's picture, four weeks": "/en/welcome/picture/",
        "the office's picture, a year": "/en/welcome/picture/?period=year",
    },
}
#: the whole page, once who looks has been told; and with the session
MOST_QUERIES = 15

#: a protocol version to hang on, a plan for each open household, and five open steps of each
SEED = """
    INSERT INTO plans_protocolversion (id, number, state, data, note, edits, created_at, changed_at, published_at)
    SELECT gen_random_uuid(), coalesce(max(number), 0) + 1, 'published',
        %(protocol)s::jsonb, '', 1, now(), now(), now()
    FROM plans_protocolversion;
    INSERT INTO plans_plan (id, person_id, created_at, household_id, protocol_id, first_contact_on, given,
                            given_language, derived_at)
    SELECT gen_random_uuid(), m.person_id, now(), h.id,
        (SELECT id FROM plans_protocolversion ORDER BY number DESC LIMIT 1), h.opened_on, 0, '', now()
    FROM cases_household h
    JOIN cases_householdmember m ON m.household_id = h.id AND m.until IS NULL AND m.relation = 'head'
    WHERE h.state = 'open' ON CONFLICT DO NOTHING;
    UPDATE plans_plan SET protocol_id = (SELECT id FROM plans_protocolversion ORDER BY number DESC LIMIT 1);
    INSERT INTO plans_step (id, person_id, created_at, row_class, household_id, code, scope, kind, owner_role, state,
        due_on, falls_on, responsible_user_id, responsible_org, assigned, by_hand, pinned, why, version, changed_at)
    SELECT gen_random_uuid(), m.person_id, now(), %(class)s, h.id, (%(codes)s::text[])[n], 'household',
        CASE WHEN n = 5 THEN 'legal' ELSE 'target' END, 'caseworker', 'open',
        current_date + (abs(hashtext(h.id::text)) + n * 17) %% 90 - 20,
        current_date + (abs(hashtext(h.id::text)) + n * 17) %% 90 - 20,
        h.lead_worker_id, CASE WHEN h.lead_worker_id IS NULL THEN h.holder_id END, false, false, false, '[]', 1, now()
    FROM cases_household h CROSS JOIN generate_series(1, 5) AS n
    JOIN cases_householdmember m ON m.household_id = h.id AND m.until IS NULL AND m.relation = 'head'
    WHERE h.state = 'open' ON CONFLICT DO NOTHING;
    ANALYZE plans_step; ANALYZE plans_plan;
"""


def welcome(folder: Path, app: str, postmaster: int, say: Callable[[str], None]) -> list[Line]:
    """Ratios of these pages in the bench's city. Django is set up as the app role.

    folder: PARVIS_HOME of the bench. app: URL of the app role.
    """
    from django.db import connection

    from parvis.cities.queries import city

    connection.set_tenant(city(CITY))
    bench = _People(folder, app, postmaster, say)
    try:
        return _pages(bench, say)
    finally:
        bench.close()
        connection.close()


def _pages(bench: _People, say: Callable[[str], None]) -> list[Line]:
    from django.urls import reverse

    from parvis.accounts.models import User
    from parvis.core.access import DataClass
    from parvis.core.protocol import as_json, shipped_data

    say("steps for the bench's households")
    given = {"class": DataClass.PLAN.value, "codes": ["G20", "G21", "G31", "G32", "Q40"],
             "protocol": json.dumps(as_json(shipped_data("quebec")))}  # fmt: skip
    with bench.bare.transaction():
        bench.bare.execute(f"SET LOCAL search_path = {CITY}, public")
        for statement in SEED.split(";\n"):
            if statement.strip():
                bench.bare.execute(statement, given)
    lines = []
    for email, paths in PATHS.items():
        user = User.objects.get(email=email)
        client = _signed_in(user)
        for name, path in paths.items():
            say(name)
            lines += _beside(bench, user, client, name, path)
    agent = bench._asked("agent@example.org")
    homes = {size: [reverse("cases:household", args=[home]) for home in agent.homes[size][:ASKED]] for size in (1, 6)}
    say("household page with its plan")
    bench.page("household page with its plan", agent.user, _signed_in(agent.user), homes[6], homes[1][0])
    return [*lines, *bench.lines]


def _beside(bench: _People, user: Any, client: Any, name: str, path: str) -> list[Line]:
    """One page beside its statements, and how many these are."""
    from parvis.kit.acting import acting

    def ask(number: int = 0) -> int:
        reply = client.get(path)
        if reply.status_code != 200:
            raise RuntimeError(f"{path}: {reply.status_code}")
        return len(reply.content)

    ask()  # who looked is told once an hour
    with recorded() as statements:
        ask()
    sent: list[Statement] = [
        each for each in statements if each[0].lstrip("( \n").upper().startswith(("SELECT", "WITH"))
    ]
    with acting(user), bench._open(bench.locked, user):
        page, least = costs(
            [
                Subject(ask, lambda: [psutil.Process()], TIMES),
                Subject(lambda n: bench._send(bench.locked, sent), lambda: [psutil.Process()], TIMES),
            ],
            bench.postmaster,
        )
    told = f"{page.cpu:.1f} ms (application {page.application:.1f}) against {least.cpu:.1f} ms, {page.size} bytes"
    return [
        at_most(f"{name}: to its raw SQL", page.cpu / least.cpu, 3, "x", told),
        at_most(f"{name}: queries", len(statements), MOST_QUERIES, "", "of them all, whatever the size"),
    ]
