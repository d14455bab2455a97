"""How a command opens the office: database there, tables there, city chosen; or one sentence saying what to do."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from parvis.kit.server import Urls
from parvis.site.boot import CannotStart, boot

if TYPE_CHECKING:
    from parvis.cities.models import City


def open_office(role: str = "app") -> Urls:
    """Like `boot`, and sure that the tables are there. Raises CannotStart on a new database."""
    urls = boot(role)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.cities_city')")
        if not cursor.fetchone()[0]:
            raise CannotStart("this database is new: start with `parvis run` (demo cities) or `parvis city add`")
    return urls


def choose_city(schema: str = "") -> "City":
    """The city called `schema`, or the default one, made active. Raises UsageError when there is none."""
    from django.db import connection
    from django.utils import timezone

    from parvis.cities.models import City
    from parvis.cities.queries import city

    try:
        found = city(schema)
    except City.DoesNotExist:
        raise click.UsageError(
            f"there is no city «{schema}»; `parvis city list` names them"
            if schema
            else "there is no city yet: `parvis city add`"
        ) from None
    connection.set_tenant(found)
    timezone.activate(ZoneInfo(found.timezone))
    return found
