"""Reading the installation's cities (in the public schema)."""

from django.db import connection
from django_tenants.utils import get_public_schema_name, schema_context

from parvis.cities.models import City, Domain


def cities() -> list[City]:
    """Every city, the default one first."""
    with schema_context(get_public_schema_name()):
        return list(City.objects.order_by("-is_default", "schema_name"))


def city(schema_name: str = "") -> City:
    """The city of that schema, or the default one. Raises City.DoesNotExist."""
    with schema_context(get_public_schema_name()):
        if schema_name:
            return City.objects.get(schema_name=schema_name)
        return City.objects.get(is_default=True)


def cities_by_host() -> tuple[dict[str, City], City | None]:
    """Host name -> city, and the default city."""
    previous = connection.tenant
    connection.set_schema_to_public()
    try:
        found = {d.domain.lower(): d.tenant for d in Domain.objects.select_related("tenant")}
        default = City.objects.filter(is_default=True).first()
    finally:
        connection.set_tenant(previous)
    return found, default


def domains(of: City) -> list[str]:
    """The host names of a city, the main one first."""
    with schema_context(get_public_schema_name()):
        return list(Domain.objects.filter(tenant=of).order_by("-is_primary", "domain").values_list("domain", flat=True))
