"""`parvis user add`."""

import sys

import click

from parvis.site.boot import boot

OFFICE = ["agent", "coordinator", "director", "administrator", "privacy"]
PARTNER = ["worker", "manager"]


@click.command()
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", type=click.Choice([*OFFICE, *PARTNER]), required=True)
@click.option("--organization", default="", help="Id of the organization (for workers and managers).")
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--language", default="", help="Language of the messages to this person (fr, en, ar, es).")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; without it the person signs in by a code sent by mail.",
)
def add(email: str, name: str, role: str, organization: str, schema: str, language: str, password_stdin: bool) -> None:
    """Open an account for EMAIL. Prints the account's id."""
    if role in PARTNER and not organization:
        raise click.UsageError(f"a {role} works for an organization: name it with --organization")
    if role in OFFICE and organization:
        raise click.UsageError(f"--organization does not go with the role {role}")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    boot("app")
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import connection, transaction
    from django.utils.translation import override

    from parvis.accounts.actions import Refused, add_user
    from parvis.accounts.models import User
    from parvis.cities.models import City
    from parvis.cities.queries import city
    from parvis.orgs.actions import add_member
    from parvis.orgs.models import Organization

    try:
        connection.set_tenant(city(schema))
    except City.DoesNotExist:
        raise click.UsageError(f"there is no city {schema}" if schema else "there is no city yet") from None
    with override("en"):
        try:
            validate_email(email)
            if password is not None:
                validate_password(password, User(email=email, name=name))
        except ValidationError as error:
            raise click.UsageError(" ".join(error.messages)) from None
        found = None
        if organization:
            try:
                found = Organization.objects.get(pk=organization)
            except (Organization.DoesNotExist, ValidationError):
                raise click.UsageError(f"there is no organization {organization}") from None
        try:
            with transaction.atomic():
                user = add_user(
                    email, name=name, role=role if role in OFFICE else "", password=password, by="command line",
                    language=language,
                )  # fmt: skip
                if found is not None:
                    add_member(user, found, role, by="command line")
        except Refused as refused:
            click.echo(f"parvis: {refused.message}", err=True)
            sys.exit(1)
    click.echo(str(user.pk))
