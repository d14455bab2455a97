"""The search index: one narrow row per thing a person may look for, and the words that it knows."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Listing(models.Model):
    """One searchable service or organization, with everything that a filter asks.

    `words` holds stems with their weight (A names, B taxonomy, C organization, D the rest), the same stems with the
    letter A or B before them (so that "in a name" is an index lookup), and the facts that filters ask, which begin
    with "=" (see parvis.directory.listings).
    """

    not_personal = "published facts, folded for search"

    object_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20)  # service or organization
    organization_id = models.UUIDField(null=True)
    sort_name = models.CharField(max_length=80, db_collation="C")  # folded name, after its rank
    south = models.FloatField(null=True)  # the box around its points, degrees
    north = models.FloatField(null=True)
    west = models.FloatField(null=True)
    east = models.FloatField(null=True)
    facets = models.TextField(blank=True, default="", db_collation="C")  # what is counted beside results
    name = models.TextField()
    boroughs = ArrayField(models.CharField(max_length=80), default=list)
    latitudes = ArrayField(models.FloatField(), default=list)
    longitudes = ArrayField(models.FloatField(), default=list)
    digest = models.BinaryField(max_length=16)  # of all the columns: an equal row is not written again
    words = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["words"], name="directory_listing_words"),
            models.Index(fields=["sort_name", "object_id"], name="directory_listing_order"),
        ]


class Opening(models.Model):
    """When a listing is open in the coming days; apart from it, because every night moves all of them.

    `open_times tstzmultirange` is added by SQL in the migration: Django has no field for it.
    """

    not_personal = "published facts, computed"

    object_id = models.UUIDField(primary_key=True, default=uuid.uuid4)


class Lexeme(models.Model):
    """A stem that the index knows, in how many listings it stands, and how it is mostly written."""

    not_personal = "words"

    word = models.CharField(primary_key=True, max_length=80, db_collation="C")
    listings = models.IntegerField(default=0)
    spelling = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        indexes = [GinIndex(fields=["word"], name="directory_lexeme_trigrams", opclasses=["gin_trgm_ops"])]
