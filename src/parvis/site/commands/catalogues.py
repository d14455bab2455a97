"""`parvis catalogues`: bring the interface's catalogues up to date with the sources, and say what is missing."""

import click

from parvis.site.boot import boot


@click.command()
@click.option("--check", is_flag=True, help="Only look; exit 1 when a sentence is not translated.")
def catalogues(check: bool) -> None:
    """Gather msgids into locale/<language>/LC_MESSAGES/django.po."""
    boot("app")
    from django.conf import settings

    from parvis.kit.catalogues import compile_all, missing, update

    lacking = 0
    for code, _ in settings.LANGUAGES:
        if not check:
            update(code)
        for line in missing(code) if code != "en" else []:
            lacking += 1
            click.echo(f"{code} {line}")
    compile_all()
    if check and lacking:
        raise SystemExit(1)
