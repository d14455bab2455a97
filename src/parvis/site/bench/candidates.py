"""Services ranked for one need over the whole directory, beside the same statement sent by hand.

`parvis bench` calls `candidates`; alone, in an installation that is filled: `python -m parvis.site.bench.candidates`.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import psutil

from parvis.site.bench.meter import Subject, costs
from parvis.site.bench.rounds import CITY, Line, at_most

TIMES = 60
MOST = 3  # times its raw SQL, issue 5


def candidates(app: str, postmaster: int, say: Callable[[str], None] = lambda text: None) -> list[Line]:
    """Ratios for a need that every service answers, and for one of an ordinary kind. Django is set up as the app role.

    app: URL of the app role. postmaster: process id of the database.
    """
    import psycopg
    from django.db import connection

    from parvis.cities.queries import city
    from parvis.core.eligibility import Facts
    from parvis.directory.models import TaxonomyTerm
    from parvis.places.models import Borough
    from parvis.referrals.candidates import Wanted

    connection.set_tenant(city(CITY))
    known = Facts(
        34, 35, "female", "claimant", Borough.objects.order_by("code").values_list("code", flat=True)[0], True
    )
    term = TaxonomyTerm.objects.filter(code="housing").values_list("pk", flat=True).first()
    needs = {"every service": Wanted(uuid.UUID(int=1), (), known, ("ar", "fr"), "evening")}
    if term:
        needs["one kind"] = Wanted(uuid.UUID(int=1), (term,), known, ("ar", "fr"), "evening")
    try:
        with psycopg.connect(app, autocommit=True) as bare:
            bare.execute(f"SET search_path = {CITY}, public")
            return [_line(name, wanted, bare, postmaster, say) for name, wanted in needs.items()]
    finally:
        connection.close()


def _line(name: str, wanted: Any, bare: Any, postmaster: int, say: Callable[[str], None]) -> Line:
    from django.db import connection

    from parvis.referrals.candidates import rank

    say(f"candidates: {name}")
    now = dt.datetime.now(dt.UTC)
    sent: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        found = rank(None, wanted, now)
    total = sum(found.totals.values())

    def ours(number: int) -> int:
        return len(rank(None, wanted, now).candidates)

    def by_hand(number: int) -> int:
        return sum(len(bare.execute(sql, params).fetchall()) for sql, params in sent)

    workers = psutil.Process()
    page, least = costs(
        [Subject(ours, lambda: [workers], TIMES), Subject(by_hand, lambda: [workers], TIMES)], postmaster
    )
    told = f"{page.cpu:.1f} ms (application {page.application:.1f}) against {least.cpu:.1f} ms, {total} services"
    return at_most(f"candidates, {name}: to its raw SQL", page.cpu / least.cpu, MOST, "x", told)


if __name__ == "__main__":
    from parvis.site.boot import boot, home

    urls = boot("app")
    server = int((home() / "postgres" / "postmaster.pid").read_text().split()[0])
    for line in candidates(urls.app, server):
        print(line.name, line.value, line.unit, line.budget, line.against, "ok" if line.ok else "TOO SLOW")  # noqa: T201
