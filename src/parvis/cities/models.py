"""The cities of this installation: one PostgreSQL schema each."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class City(TenantMixin):
    """A city: its schema, its name, its languages (the first is its default) and its time zone."""

    not_personal = "facts about a city"

    name = models.CharField(max_length=120)
    languages = ArrayField(models.CharField(max_length=12), default=list)
    timezone = models.CharField(max_length=60, default="America/Toronto")
    country = models.CharField(max_length=2, default="CA")
    office_phone = models.CharField(max_length=40, blank=True)
    office_email = models.EmailField(blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    # The schema is created by cities.actions.add_city, as the owner role.
    auto_create_schema = False

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="cities_one_default"
            ),
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=r"^[a-z][a-z0-9_]{1,40}$"), name="cities_schema_name"
            ),
        ]

    @property
    def default_language(self) -> str:
        """BCP 47 tag of the language a page has when nobody asked for another."""
        return self.languages[0] if self.languages else "fr"


class Domain(DomainMixin):
    """A host name that leads to a city."""

    not_personal = "host names"


class Beat(models.Model):
    """The background worker's sign of life: /readyz looks at it."""

    not_personal = "a clock"

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()
