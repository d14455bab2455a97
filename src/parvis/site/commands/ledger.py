"""`parvis ledger verify` and `parvis ledger anchor`."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from parvis.site.commands.office import choose_city, open_office


@click.command()
@click.option("--city", "schema", default="", help="Only this city (its schema).")
@click.option(
    "--anchors", "file", is_flag=False, flag_value="default", default=None, metavar="[FILE]",
    help="Compare with the signed anchors too: those under PARVIS_HOME, or in this file (or folder of <city>.jsonl).",
)  # fmt: skip
@click.option("--key", "keys", multiple=True, help="A public key to believe beside this installation's own.")
def verify(schema: str, file: str | None, keys: tuple[str, ...]) -> None:
    """Walk every chain of the ledger; exit 1 when a row was changed, removed or re-ordered.

    With --anchors, also when the whole was rewritten so that it fits in itself.
    """
    open_office("worker")
    from django_tenants.utils import schema_context

    from parvis.cities.queries import cities
    from parvis.ledger import anchors
    from parvis.ledger.models import Event
    from parvis.ledger.queries import Note
    from parvis.ledger.queries import verify as walk

    given = Path(file) if file not in (None, "default") else None
    if given and not given.exists():
        raise click.UsageError(f"there is no {given}")
    if given and given.is_file() and not schema:
        schema = anchors.city_of(given)
    wanted = [choose_city(schema)] if schema else cities()
    believed = frozenset({anchors.public_key(), *keys}) if file else frozenset()
    broken = 0
    for found in wanted:
        name = found.schema_name
        held = None if file is None else given if given and given.is_file() else anchors.file_of(name, given)
        with schema_context(name), Progress(console=Console(stderr=True), transient=True) as bar:
            step = bar.add_task(name, total=Event.objects.count())
            read, broken_before = 0, broken
            for item in walk(lambda read, step=step, bar=bar: bar.update(step, completed=read), file=held,
                             keys=believed):  # fmt: skip
                if isinstance(item, int):
                    read = item
                elif isinstance(item, Note):
                    click.echo(f"{name}\tnote\t-\t{item.text}")
                else:
                    broken += 1
                    click.echo(f"{name}\t{item.place}\t{item.problem}")
        click.echo(f"{name}\t{read} events\t{'BROKEN' if broken > broken_before else 'whole'}")
    raise SystemExit(1 if broken else 0)


@click.command()
@click.option("--city", "schema", default="", help="Only this city (its schema).")
@click.option("--restored", default="", metavar="REASON",
              help="The database was put back from a backup: set aside the anchors made after the backup.")  # fmt: skip
def anchor(schema: str, restored: str) -> None:
    """Sign the ends of the ledger's chains now, and write them outside the database."""
    open_office("worker")
    from django.utils import timezone

    from parvis.cities.queries import cities
    from parvis.kit.jobs import in_city
    from parvis.ledger import anchors
    from parvis.ledger.actions import anchor as make

    if restored and not schema:
        raise click.UsageError("--restored needs --city: say which city was put back")
    for name in [choose_city(schema).schema_name] if schema else [city.schema_name for city in cities()]:
        with in_city(name):
            number = make(timezone.now(), always=True, restored=restored)
        click.echo(f"{name}\tanchor {number}\t{anchors.file_of(name)}")
    click.echo(f"public key\t{anchors.public_key()}")
