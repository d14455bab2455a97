"""`parvis city add|list`."""

import click

from parvis.site.boot import boot
from parvis.site.commands.office import open_office


@click.command()
@click.argument("schema")
@click.option("--name", required=True, help="The city's name as people read it.")
@click.option("--domain", "domains", multiple=True, required=True, help="Host name (several times for several).")
@click.option("--languages", default="fr,en", show_default=True, help="BCP 47 tags, the default language first.")
@click.option("--timezone", default="America/Toronto", show_default=True, help="IANA name.")
@click.option("--country", default="CA", show_default=True, help="Two letters.")
@click.option("--phone", default="", help="The office's telephone, shown to readers who find nothing.")
@click.option("--email", default="", help="The office's e-mail, shown likewise.")
def add(
    schema: str,
    name: str,
    domains: tuple[str, ...],
    languages: str,
    timezone: str,
    country: str,
    phone: str,
    email: str,
) -> None:
    """Add a city: SCHEMA is its short name (a-z, 0-9, _)."""
    urls = boot("owner")

    from parvis.cities.actions import CityRefused, add_city, migrate_all

    roles = urls.roles()
    try:
        migrate_all(roles)
        tags = [tag.strip() for tag in languages.split(",") if tag.strip()]
        city = add_city(
            schema, name=name, domains=domains, languages=tags, timezone=timezone, country=country.upper(),
            office_phone=phone, office_email=email,
            roles=roles, progress=lambda line: click.echo(line, err=True),
        )  # fmt: skip
    except CityRefused as refused:
        raise click.UsageError(str(refused)) from None
    click.echo(f"{city.schema_name}\t{city.name}\t{','.join(city.languages)}\t{' '.join(domains)}")


@click.command(name="list")
def list_() -> None:
    """List the cities: schema, name, languages, host names."""
    open_office()
    from parvis.cities.queries import cities, domains

    for city in cities():
        click.echo(f"{city.schema_name}\t{city.name}\t{','.join(city.languages)}\t{' '.join(domains(city))}")
