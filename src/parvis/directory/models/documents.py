"""What the API sends: each public object's HSDS document, rendered once, in the transaction that changed it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Document(models.Model):
    """One rendered object. `item` is its form in lists, `whole` its form alone; both JSON texts without nulls.

    A service_at_location's `whole` lacks its `service`: the reader puts that service's own document in (half the
    disk, half the writing). All others are complete. The other columns are what the API's filters ask.
    """

    not_personal = "published facts, rendered"

    kind = models.CharField(max_length=20)  # service, organization, service_at_location, taxonomy, taxonomy_term
    object_id = models.UUIDField(default=uuid.uuid4)
    item = models.TextField()
    whole = models.TextField()
    digest = models.CharField(max_length=32, default="")  # of item and whole: what has not changed is not written
    modified = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    service_id = models.UUIDField(null=True)
    parent_id = models.UUIDField(null=True)
    taxonomy_ids = ArrayField(models.UUIDField(), default=list)
    term_ids = ArrayField(models.UUIDField(), default=list)
    postcode = models.CharField(max_length=40, blank=True, default="")  # letters and digits only, upper case
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    minimum_age = models.FloatField(null=True)
    maximum_age = models.FloatField(null=True)
    words = SearchVectorField(null=True)  # of taxonomies and terms; services and organizations have a Listing
    # open_minutes int4multirange (minutes since Monday 0:00 when it is regularly open) is added by SQL

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="directory_one_document")]
        indexes = [
            GinIndex(fields=["term_ids"], name="directory_document_terms"),
            models.Index(fields=["organization_id", "kind"], name="directory_document_of"),
            models.Index(fields=["service_id"], name="directory_document_service"),
            models.Index(fields=["kind", "modified"], name="directory_document_modified"),
        ]


class Revision(models.Model):
    """One row: how many times the directory has changed. Caches and ETags of lists hang on it.

    `rendering` names the rules that the documents were rendered by; other rules mean rendering everything again.
    """

    not_personal = "a counter"

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=1)
    at = models.DateTimeField(auto_now=True)
    rendering = models.CharField(max_length=40, blank=True, default="")


class Tombstone(models.Model):
    """A public object that is gone, or has become another (`merged_into`): its id goes on answering.

    A row that still exists but has a tombstone `unlisted` or `merged` is not published.
    """

    not_personal = "identifiers"

    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=20)  # deleted, merged, unlisted
    merged_into = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="directory_one_tombstone")]
        indexes = [models.Index(fields=["at"], name="directory_tombstone_at")]
