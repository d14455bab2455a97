"""`parvis datamap`, `purge`, `erase` and `keys`: people's data as the installation sees them."""

import csv
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from parvis.site.boot import boot
from parvis.site.commands.office import choose_city, open_office


@click.command()
@click.option("--csv", "form", flag_value="csv", help="As CSV, for a spreadsheet.")
@click.option("--json", "form", flag_value="json", help="As JSON, with the policies of the database.")
def datamap(form: str | None) -> None:
    """Print every personal field: purpose, class, retention, sealed or not, and who may see it."""
    boot()
    from parvis.cases.datamap import Line, document, lines

    if form == "json":
        click.echo(json.dumps(document(), indent=1, ensure_ascii=False))
        return
    headings = [field.name for field in fields(Line)]
    rows = [astuple(line) for line in lines()]
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([headings, *rows])
        return
    for row in [headings, *rows]:
        click.echo("\t".join("" if cell is None else str(cell) for cell in row))


def _cities(schema: str) -> list[Any]:
    from parvis.cities.queries import cities

    return [choose_city(schema)] if schema else cities()


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count; forget nothing.")
@click.option("--city", "schema", default="", help="Only this city (its schema).")
def purge(dry_run: bool, schema: str) -> None:
    """Forget what was kept long enough, as the nightly sweep does. Prints city, what, how many."""
    open_office("worker")
    from django.utils import timezone

    from parvis.cases.actions.erasing import purge as forget
    from parvis.kit.jobs import in_city

    for found in _cities(schema):
        with in_city(found.schema_name):
            for words, count in forget(timezone.now(), dry_run=dry_run).items():
                click.echo(f"{found.schema_name}\t{words}\t{count}")


@click.command()
@click.argument("persons", type=click.UUID, nargs=-1, required=True)
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="After a restore: pass over who is not there or forgotten already.")
def erase(persons: tuple[uuid.UUID, ...], schema: str, yes: bool, again: bool) -> None:
    """Forget PERSONS (ids) for ever: the data key, the names, everything kept as long as the file."""
    open_office("worker")
    city = choose_city(schema)
    from django.db import transaction

    from parvis.accounts.actions import Refused
    from parvis.cases.actions.erasing import erase as forget
    from parvis.cases.models import Person
    from parvis.cases.models.rights import ErasureCause
    from parvis.kit.acting import acting_as_system

    if not yes:
        click.confirm(f"Forget {len(persons)} person(s) of {city.schema_name} for ever?", abort=True, err=True)
    for person in persons:
        try:
            with acting_as_system(), transaction.atomic():
                forget(person, ErasureCause.COMMAND, head_too=again)
        except (Person.DoesNotExist, Refused) as error:
            if again:
                continue
            reason = error.message if isinstance(error, Refused) else f"is not in {city.schema_name}"
            raise click.ClickException(f"{person}: {reason}") from None
        click.echo(f"{person}\tforgotten")


# -- keys --------------------------------------------------------------------------------------------------------------


def _schemas() -> list[str]:
    from parvis.cities.queries import cities

    return [city.schema_name for city in cities()]


@contextmanager
def _ours() -> Iterator[None]:
    """Keys that come from the environment are changed there."""
    from parvis.kit.server import KeysAreGiven

    try:
        yield
    except KeysAreGiven:
        raise click.ClickException(
            "the keys come from PARVIS_KEYS: add the new version there (`1:old 2:new`), restart, then rotate"
        ) from None


@click.command("list")
def keys_list() -> None:
    """Print each version of the key-encryption key, how many data keys it wraps, and which wraps new ones."""
    open_office("worker")
    from parvis.cases.actions.keys import used

    counts = used(_schemas())
    for version, rows in sorted(counts.items()):
        click.echo(f"{version}\t{rows}{'' if version < max(counts) else chr(9) + 'newest'}")


@click.command("rotate")
def keys_rotate() -> None:
    """Make a new version and wrap every data key with it, while the office works; finishes an interrupted rotation."""
    open_office("worker")
    from django_tenants.utils import schema_context

    from parvis.cases.actions import keys

    schemas = _schemas()
    with _ours():
        version, waiting = keys.begin_rotation(schemas)
    done = 0
    with Progress(console=Console(stderr=True), transient=True) as bar:
        step = bar.add_task(f"version {version}", total=waiting)
        for schema in schemas:
            with schema_context(schema):
                done += keys.rewrap(version, told=lambda count: bar.advance(step, count))
    click.echo(f"{version}\t{done} data keys wrapped anew")


@click.command("retire")
@click.argument("version", type=int)
def keys_retire(version: int) -> None:
    """Forget an old VERSION for ever, once nothing is wrapped with it."""
    open_office("worker")
    from parvis.cases.actions import keys

    try:
        with _ours():
            keys.retire(version, _schemas())
    except KeyError:
        raise click.ClickException(f"there is no version {version}") from None
    except keys.InUse as use:
        reason = f"still wraps {use.rows} data keys: `parvis keys rotate`" if use.rows else "is the newest one"
        raise click.ClickException(f"version {version} {reason}") from None
    click.echo(f"{version}\tretired")
