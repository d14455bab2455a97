"""`parvis plans`: work on all plans of a city."""

import click

from parvis.site.commands.office import choose_city, open_office


@click.command("rederive")
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--latest", is_flag=True, help="Put every plan on the latest published version of the protocol first.")
def rederive(schema: str, latest: bool) -> None:
    """Count all open plans anew: after the calendar, the law or the protocol changed.

    What is done, set by hand or said not to apply stays. Stopped in the middle, it can be run again.
    """
    open_office("worker")
    choose_city(schema)
    from rich.console import Console
    from rich.progress import Progress

    from parvis.kit.acting import acting_as_system
    from parvis.plans import actions, versions

    with Progress(console=Console(stderr=True), transient=True) as bar, acting_as_system():
        task = bar.add_task("households", total=None)
        totals = actions.rederive_all(
            version=versions.current() if latest else None,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    click.echo(
        "{households} plans counted, {changed} changed: {added} steps added, {retired} retired, {moved} moved".format(
            **totals
        )
    )
