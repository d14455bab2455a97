"""Commands about the database itself."""

import click

from parvis.site.boot import boot


@click.command()
def migrate() -> None:
    """Bring every city's tables up to date (as the owner role)."""
    prepare()
    click.echo("up to date")


def prepare(quiet: bool = True) -> None:
    """Migrate everything and renew the grants. Sets Django up as the owner role."""
    urls = boot("owner")

    from parvis.cities.actions import migrate_all

    migrate_all(urls.roles(), None if quiet else lambda name: click.echo(name, err=True))


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Django's own commands, as the owner role (for developers)."""
    boot("owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["parvis manage", *arguments])
