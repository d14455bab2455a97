"""`parvis bench`: the promises of speed, measured beside what they are promised against."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

from parvis.site.boot import boot, home


@click.command()
@click.option("--services", default=20_000, show_default=True, type=click.IntRange(200, 1_000_000))
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(0, 5_000_000),
              help="Invented people in the bench's city; 0: nothing about people is measured.")  # fmt: skip
@click.option("--keep/--no-keep", default=True, help="Keep the bench's database for the next time.")
def bench(services: int, people: int, keep: bool) -> None:
    """Measure CPU per request, streaming, import, memory and start-up in a database of the bench's own.

    Prints one table and writes bench.json under PARVIS_HOME. A missed budget is printed as missed; the exit status
    is 0 as long as everything could be measured.
    """
    from rich.console import Console

    results = home() / "bench.json"
    folder = results.parent / "bench"
    folder.mkdir(exist_ok=True)
    for name in ("DATABASE_URL", "APP_DATABASE_URL", "PARVIS_APP_DSN", "PARVIS_DSN"):
        os.environ.pop(name, None)
    os.environ["PARVIS_HOME"] = str(folder)
    console = Console(stderr=True)
    with console.status("starting") as status:
        lines = measure(folder, services, people, status.update)
    results.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n")
    show(lines)
    click.echo(f"{results}", err=True)
    if not keep:
        import shutil

        shutil.rmtree(folder)


def measure(folder: Path, services: int, number: int, say: Callable[[str], None]) -> list[dict[str, object]]:
    """Fill the database if it is new, run all rounds, and give the lines of the table."""
    from parvis.site.bench import arrivals, candidates, ledger, people, plans, rounds, welcome

    env = dict(os.environ)
    say(f"a demo of {services} services and {number} people (the first time only: minutes)")
    subprocess.run([sys.executable, "-m", "parvis", "demo", "--services", str(services), "--people", str(number)],
                   env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    port, other = rounds.free_port(), rounds.free_port()
    # Nothing else holds the database open: what starts now starts as a second `make run` does.
    with rounds.served(rounds.parvis(port), port, "/hsds/v3/services", env) as ours:
        urls = boot("app")
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        found = rounds.Rounds(folder, urls.app, postmaster, say)
        say("the installation at rest")
        found.installation(ours)
        env_app = {**env, "PARVIS_APP_DSN": urls.app}
        with rounds.served(rounds.plain(other), other, "/services", env_app) as peer:
            found.requests(ours, peer)
            found.whole_lists(ours, peer)
        found.stream(ours)
        found.raw.close()
    found.lines += candidates.candidates(urls.app, postmaster, say)
    if number:
        found.lines += people.people(folder, urls.app, postmaster, say)
    if number:
        found.lines += welcome.welcome(folder, urls.app, postmaster, say)
    found.lines += plans.derived(say)
    # the worker is gone: its sweeps would visit the cities that are measured here
    owner = boot("owner").owner
    names = ("bench_import", "bench_copy", "bench_ledger", arrivals.NAME)
    for name in names:
        _drop(owner, name)
    try:
        found.lines += rounds.import_against_copy(folder, env, owner, services, postmaster, say)
        rounds._city("bench_ledger", env)
        found.lines += ledger.append_against_insert("bench_ledger", env, owner, urls.app, say)
        if number:
            rounds._city(arrivals.NAME, env)
            found.lines += arrivals.import_against_copy(folder, env, postmaster, say)
    finally:
        for name in names:
            _drop(owner, name)
    return [line.as_dict() for line in found.lines]


def _drop(owner: str, schema: str) -> None:
    """Take away a city that only the bench knows."""
    import psycopg

    with psycopg.connect(owner) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        connection.execute(
            "DELETE FROM cities_domain WHERE tenant_id IN (SELECT id FROM cities_city WHERE schema_name = %s)", [schema]
        )
        connection.execute("DELETE FROM cities_city WHERE schema_name = %s", [schema])


def show(lines: list[dict[str, object]]) -> None:
    """The table on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "value", "against", "budget", "", title="Parvis, measured")
    for line in lines:
        verdict = {True: "kept", False: "MISSED", None: ""}[line["ok"]]  # type: ignore[index]
        table.add_row(
            str(line["name"]), f"{line['value']} {line['unit']}", str(line["against"]), str(line["budget"]), verdict
        )
    Console(width=140).print(table)
