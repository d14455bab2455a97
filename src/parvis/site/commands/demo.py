"""`parvis demo`: fill a city with invented organizations, services and people."""

import click

from parvis.site.boot import CannotStart, boot

STEPS = {
    "services": "services",
    "documents": "rendering documents",
    "search": "indexing for search",
    "ledger": "writing the ledger",
    "people": "people",
    "access": "who may see whom",
    "indexes": "indexing people",
    "statistics": "counting people",
}


@click.group(invoke_without_command=True)
@click.option("--city", "schema", default="", help="The city's schema; the demo's own cities when left out.")
@click.option(
    "--services",
    type=click.IntRange(min=0, max=1_000_000),
    default=None,
    help="How many services (400 in Montréal, 60 in Genève).",
)
@click.option(
    "--people",
    type=click.IntRange(min=0, max=5_000_000),
    default=None,
    help="How many people, at least (195; whole households). Readers wait while they are written.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, other people.")
@click.pass_context
def demo(context: click.Context, schema: str, services: int | None, people: int | None, seed: int) -> None:
    """Fill the demo cities, or one city, with invented organizations, services and people.

    Without --city, the cities montreal and geneve are made if they are missing, and --services and --people count
    for montreal. The same command twice changes nothing; a larger number adds some. A city that is no demo city is
    given Montréal's services and map.
    """
    if context.invoked_subcommand:
        return
    urls = boot("owner")
    from django.db import connection
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from parvis.cities.actions import migrate_all
    from parvis.cities.models import City
    from parvis.cities.queries import city as find
    from parvis.demo.cities import CITIES, MONTREAL
    from parvis.demo.loader import OlderDemo, load, load_demo
    from parvis.demo.people import ORDINARY, load_people

    roles = urls.roles()
    migrate_all(roles)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("services", total=None)

        def progress(step: str, done: int, total: int) -> None:
            bar.update(task, description=STEPS.get(step, step), completed=done, total=total or None)

        try:
            if schema:
                connection.set_tenant(find(schema))
                code = schema if schema in CITIES else MONTREAL.code
                told = {schema: load(code, services=services, seed=seed, progress=progress)}
                number = ORDINARY if people is None else people
                told[schema] |= load_people(code, roles=roles, people=number, seed=seed, progress=progress)
            else:
                told = load_demo(roles=roles, services=services, people=people, seed=seed, progress=progress)
        except City.DoesNotExist:
            raise click.UsageError(f"there is no city «{schema}»; `parvis city list` names them") from None
        except OlderDemo as error:
            raise CannotStart(str(error)) from None
    for name, written in told.items():
        click.echo(
            f"{name}: {written.get('organization', 0)} organizations, {written.get('service', 0)} services, "
            f"{written.get('location', 0)} locations, {written.get('person', 0)} people added, "
            f"{sum(written.values())} rows in all"
            if written
            else f"{name}: nothing to add"
        )


@demo.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
@click.option("--rows", type=click.IntRange(1, 20_000), default=300, show_default=True, help="How many people.")
@click.option("--city", "schema", default="", help="A few of this city's people stand in the list; default city.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, other people.")
def manifest(file: str, rows: int, schema: str, seed: int) -> None:
    """Write an invented list of arriving people to FILE (XLSX), to be imported: mixed scripts, dates and merged cells.

    A few of the city's invented people stand in it, so that there is something to decide.
    """
    from pathlib import Path

    from parvis.site.commands.office import choose_city, open_office

    open_office("worker")
    choose_city(schema)
    from django.db import transaction
    from django.utils import timezone

    from parvis.cases.models import Person
    from parvis.cases.models.base import OFFICE
    from parvis.cases.vault import Vault
    from parvis.demo.manifest import Somebody, workbook
    from parvis.kit.acting import acting_as_system

    with acting_as_system(), transaction.atomic():
        people = list(Person.objects.filter(holder_id=OFFICE, restricted=False, state="present").order_by("pk")[:8])
        vault = Vault([person.pk for person in people])
        known = [Somebody(person.name, vault.open_date(person, "birth_date")) for person in people]
    Path(file).write_bytes(workbook(rows, seed=seed, on=timezone.localdate(), known=known))
    click.echo(f"{file}\t{rows} people, {len(known)} of them known")
