"""What the API sends: each public object's HSDS document, rendered once, in the transaction that changed it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Document(models.Model):
    """One rendered object. `item` is its form in lists, `whole` its form alone; both JSON texts without nulls."""

    not_personal = "published facts, rendered"

    kind = models.CharField(
        max_length=20
    )  # service, organization, service_at_location, taxonomy, taxonomy_term
    object_id = models.UUIDField(default=uuid.uuid4)
    item = models.TextField()
    whole = models.TextField()
    modified = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    taxonomy_ids = ArrayField(models.UUIDField(), default=list)
    term_ids = ArrayField(models.UUIDField(), default=list)
    postcode = models.CharField(max_length=40, blank=True, default="")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="directory_one_document")]


class Revision(models.Model):
    """One row: how many times the directory has changed. Caches and ETags of lists hang on it."""

    not_personal = "a counter"

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=1)
    at = models.DateTimeField(auto_now=True)


class Tombstone(models.Model):
    """A public object that is gone, or has become another (`merged_into`): its id goes on answering."""

    not_personal = "identifiers"

    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=20)  # deleted, merged, unlisted
    merged_into = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="directory_one_tombstone")]
