"""`parvis ledger verify`."""

import click
from rich.console import Console
from rich.progress import Progress

from parvis.site.commands.office import choose_city, open_office


@click.command()
@click.option("--city", "schema", default="", help="Only this city (its schema).")
def verify(schema: str) -> None:
    """Walk every chain of the ledger; exit 1 when a row was changed, removed or re-ordered."""
    open_office()
    from django_tenants.utils import schema_context

    from parvis.cities.queries import cities
    from parvis.ledger.models import Event
    from parvis.ledger.queries import Break
    from parvis.ledger.queries import verify as walk

    wanted = [choose_city(schema)] if schema else cities()
    broken = 0
    for found in wanted:
        with schema_context(found.schema_name), Progress(console=Console(stderr=True), transient=True) as bar:
            step = bar.add_task(found.schema_name, total=Event.objects.count())
            read, broken_before = 0, broken
            for item in walk(lambda read, step=step, bar=bar: bar.update(step, completed=read)):
                if isinstance(item, Break):
                    broken += 1
                    click.echo(f"{found.schema_name}\tchain {item.chain}\tevent {item.position}\t{item.problem}")
                else:
                    read = item
        click.echo(f"{found.schema_name}\t{read} events\t{'BROKEN' if broken > broken_before else 'whole'}")
    raise SystemExit(1 if broken else 0)
