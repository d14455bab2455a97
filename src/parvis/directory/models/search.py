"""The search index: one narrow row per thing a person may look for."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Listing(models.Model):
    """One searchable service or organization, with everything a filter asks."""

    not_personal = "published facts, folded for search"

    object_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20)  # service or organization
    organization_id = models.UUIDField(null=True)
    name = models.TextField()
    words = SearchVectorField()
    term_ids = ArrayField(models.UUIDField(), default=list)
    languages = ArrayField(models.CharField(max_length=12), default=list)
    audiences = ArrayField(models.CharField(max_length=40), default=list)
    boroughs = ArrayField(models.CharField(max_length=80), default=list)
    is_free = models.BooleanField(default=False)
    wheelchair = models.BooleanField(default=False)
    latitudes = ArrayField(models.FloatField(), default=list)
    longitudes = ArrayField(models.FloatField(), default=list)
    # open_times tstzmultirange is added by SQL in the migration: Django has no field for it

    class Meta:
        indexes = [GinIndex(fields=["words"], name="directory_listing_words")]


class Lexeme(models.Model):
    """A folded word that the index knows, and in how many listings it stands: for typing errors and suggestions."""

    not_personal = "words"

    word = models.CharField(primary_key=True, max_length=80)
    listings = models.IntegerField(default=0)

    class Meta:
        indexes = [GinIndex(fields=["word"], name="directory_lexeme_trigrams", opclasses=["gin_trgm_ops"])]
