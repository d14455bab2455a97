"""Today at 100,000 people: the page beside its own statements sent by hand, and how many they are.

The bench's people have no plan: steps are put in by SQL, five of each household, spread over days and workers.
"""

from collections.abc import Callable
from pathlib import Path

import psutil

from parvis.site.bench.meter import Subject, costs
from parvis.site.bench.people import Statement, _People, _signed_in, recorded
from parvis.site.bench.rounds import CITY, Line, at_most

TIMES = 60
PATHS = {"mine": "/en/welcome/", "team": "/en/welcome/?whose=team", "office": "/en/welcome/?whose=office"}
#: the whole page, once who looks has been told; and with the session
MOST_QUERIES = 15

#: a protocol version to hang on, a plan for each open household, and five open steps of each
SEED = """
    INSERT INTO plans_protocolversion (id, number, state, data, note, edits, created_at, changed_at, published_at)
    SELECT gen_random_uuid(), coalesce(max(number), 0) + 1, 'published',
        '{"steps": [{"code": "B1", "title": {"en": "Bench", "fr": "Banc"}}]}', '', 1, now(), now(), now()
    FROM plans_protocolversion;
    INSERT INTO plans_plan (id, person_id, created_at, household_id, protocol_id, first_contact_on, given,
                            given_language, derived_at)
    SELECT gen_random_uuid(), m.person_id, now(), h.id,
        (SELECT id FROM plans_protocolversion ORDER BY number DESC LIMIT 1), h.opened_on, 0, '', now()
    FROM cases_household h
    JOIN cases_householdmember m ON m.household_id = h.id AND m.until IS NULL AND m.relation = 'head'
    WHERE h.state = 'open' ON CONFLICT DO NOTHING;
    INSERT INTO plans_step (id, person_id, created_at, row_class, household_id, code, scope, kind, owner_role, state,
        due_on, falls_on, responsible_user_id, responsible_org, assigned, by_hand, pinned, why, version, changed_at)
    SELECT gen_random_uuid(), m.person_id, now(), %(class)s, h.id, 'B' || n, 'household',
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
    """Ratios of Today's three days, in the bench's city. Django is set up as the app role.

    folder: PARVIS_HOME of the bench. app: URL of the app role.
    """
    from django.db import connection

    from parvis.cities.queries import city

    connection.set_tenant(city(CITY))
    bench = _People(folder, app, postmaster, say)
    try:
        return _days(bench, say)
    finally:
        bench.close()
        connection.close()


def _days(bench: _People, say: Callable[[str], None]) -> list[Line]:
    from parvis.accounts.models import User
    from parvis.core.access import DataClass
    from parvis.kit.acting import acting

    say("steps for the bench's households")
    with bench.bare.transaction():
        bench.bare.execute(f"SET LOCAL search_path = {CITY}, public")
        for statement in SEED.split(";\n"):
            if statement.strip():
                bench.bare.execute(statement, {"class": DataClass.PLAN.value})
    user = User.objects.get(email="agent@example.org")
    client = _signed_in(user)
    lines = []
    for whose, path in PATHS.items():
        say(f"today: {whose}")

        def ask(path: str = path) -> int:
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
                    Subject(lambda n: ask(), lambda: [psutil.Process()], TIMES),
                    Subject(lambda n, sent=sent: bench._send(bench.locked, sent), lambda: [psutil.Process()], TIMES),
                ],
                bench.postmaster,
            )
        told = f"{page.cpu:.1f} ms (application {page.application:.1f}) against {least.cpu:.1f} ms, {page.size} bytes"
        lines += [
            at_most(f"today, {whose}: to its raw SQL", page.cpu / least.cpu, 3, "x", told),
            at_most(f"today, {whose}: queries", len(statements), MOST_QUERIES, "", "of them all, whatever the size"),
        ]
    return lines
