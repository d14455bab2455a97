"""`parvis import arrivals`: a list of arriving people, read, decided and imported without a browser."""

import sys
import uuid
from pathlib import Path
from typing import Any

import click

from parvis.site.commands.office import choose_city, open_office


@click.command("arrivals")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--as", "email", default="", help="The account that imports; left out: the only active agent.")
@click.option("--profile", default="", help="A saved mapping of columns; left out: the one that knows the headings.")
@click.option("--decide", type=click.Choice(["ask", "same", "another", "skip"]), default="ask", show_default=True,
              help="Rows that may be people who have a file: stop and name them, or take all as the likeliest person, "
              "as new people, or leave them out.")  # fmt: skip
@click.option("--expected-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day, when the list has none.")
@click.option("--place", default="", help="Place of arrival, when the list has none.")
@click.option("--dry-run", is_flag=True, help="Read and compare; create nothing.")
def import_arrivals(
    file: str, schema: str, email: str, profile: str, decide: str, expected_on: Any, place: str, dry_run: bool
) -> None:
    """Import FILE (XLSX or CSV), a list of people who will arrive: all of it, or nothing.

    Prints where every row ended: row, outcome, file, why. The same file twice creates nothing. Exit status 1 when
    rows wait for a decision or the list can't be read.
    """
    open_office("worker")
    choose_city(schema)
    from django.core.exceptions import ValidationError

    from parvis.accounts.actions import Refused
    from parvis.accounts.rules import Denied

    defaults = {"expected_on": expected_on.date().isoformat() if expected_on else "", "place": place}
    try:
        by = _who(email)
        _import(Path(file), by, profile, decide, {k: v for k, v in defaults.items() if v}, dry_run)
    except ValidationError as refused:
        _stop("; ".join(refused.messages))
    except Refused as refused:
        _stop(str(refused.message))
    except Denied:
        _stop(f"{email or by.email} may not import lists")


def _stop(sentence: str) -> None:
    click.echo(f"parvis: {sentence}", err=True)
    sys.exit(1)


def _who(email: str) -> Any:
    """The account that acts. Raises UsageError."""
    from parvis.accounts.models import Role, User

    if email:
        found = User.objects.filter(email=email.lower(), is_active=True).first()
        if found is None:
            raise click.UsageError(f"there is no active account {email}")
        return found
    agents = list(User.objects.filter(office_role=Role.AGENT, is_active=True)[:2])
    if len(agents) != 1:
        raise click.UsageError("say who imports: --as EMAIL")
    return agents[0]


def _import(file: Path, by: Any, profile: str, decide: str, defaults: dict[str, str], dry_run: bool) -> None:
    from django.db import transaction

    from parvis.accounts.actions import Refused
    from parvis.arrivals import queries
    from parvis.arrivals.actions import importing, manifests
    from parvis.arrivals.models import Manifest
    from parvis.arrivals.reading import read
    from parvis.cases import rules
    from parvis.kit.acting import acting

    sheet = read(file.read_bytes(), name=file.name)
    with acting(by), transaction.atomic():
        holders = rules.holders(by)
        if not holders:
            raise Refused(f"{by.email} keeps no files of people")
        manifest, new = manifests.bring(sheet, holder=holders[0], by=by, profile=profile, defaults=defaults)
        counts = queries.tally(manifest)
        click.echo(f"list\t{manifest.pk}\t{counts['rows']} rows\t{counts['households']} households")
        if manifest.state == Manifest.State.IMPORTED:
            click.echo("this list was imported already: nothing was created")
            return
        if not new:
            click.echo("this list was read already: going on with it")
        waiting = list(manifest.rows.filter(queries.UNDECIDED).order_by("number"))
        if decide != "ask" and waiting and not dry_run:
            manifests.decide(
                manifest, {row.pk: _decision(row, decide) for row in waiting}, by=by
            )  # fmt: skip
            waiting = []
        for row in waiting:
            likely = f"{round(row.candidates[0][1] * 100)}% like {row.candidates[0][0]}" if row.candidates else "twin"
            click.echo(f"undecided\t{row.number}\t{likely}")
        if dry_run:
            transaction.set_rollback(True)
            return
        if not waiting and manifest.state == Manifest.State.READ:
            importing.ask(manifest, by=by, queue=False)
    if waiting:
        _stop(f"{len(waiting)} rows wait for a decision: decide in the browser, or with --decide")
    from parvis.kit.jobs import alone

    with alone(f"{_schema()}:arrivals:{manifest.pk}") as mine:
        if not mine:
            _stop("the worker is importing this list")
        with _bar() as say, acting(by):
            counts = importing.run(manifest, by=by, say=say)
    with acting(by), transaction.atomic():
        for one in queries.ends(by, manifest):
            reference = one.household.reference if one.household else ""
            why = " ".join([one.why, *(f"{each.field}:{each.code}" for each in one.problems)]).strip()
            click.echo(f"{one.number}\t{one.outcome}\t{reference}\t{why}")
    click.echo("\t".join(f"{name} {number}" for name, number in sorted(counts.items())))


def _schema() -> str:
    from django.db import connection

    return str(connection.schema_name)


def _decision(row: Any, decide: str) -> tuple[str, uuid.UUID | None]:
    """A row that repeats an earlier one is never the same as somebody else: it is left out, or somebody new."""
    if decide == "same":
        return ("same", uuid.UUID(row.candidates[0][0])) if row.candidates else ("skip", None)
    return decide, None


def _bar() -> Any:
    """A progress bar on standard error."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("reading", total=None)
            yield lambda step, done, total: bar.update(task, description=step, completed=done, total=total or None)

    return shown()
