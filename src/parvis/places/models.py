"""Boroughs and an offline gazetteer: enough geography to find what is near without asking anyone outside."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Borough(models.Model):
    """A part of the city. `geometry` is a GeoJSON Polygon or MultiPolygon, longitude first, degrees WGS 84."""

    not_personal = "geography"

    code = models.SlugField(primary_key=True, max_length=80)
    name = models.CharField(max_length=120)
    geometry = models.JSONField()
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        ordering = ["name"]


class Spot(models.Model):
    """A named point: the beginning of a postal code, a neighbourhood, a metro station. `folded` is looked up."""

    not_personal = "geography"

    name = models.CharField(max_length=120)
    folded = models.CharField(max_length=120, db_index=True)
    kind = models.CharField(max_length=20)
    boroughs = ArrayField(models.CharField(max_length=80), default=list)
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "folded"], name="places_one_spot")]
