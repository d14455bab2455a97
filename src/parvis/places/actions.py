"""Writing the geography of a city: once, from what ships with Parvis."""

from django.db import transaction

from parvis.core.language import fold
from parvis.places import gazetteer
from parvis.places.models import Borough, Spot


@transaction.atomic
def load_geography(code: str) -> int:
    """Write the boroughs and well-known points of the city `code` in the active city; returns how many were new.

    What is there stays as it is, so an office may move a label or name a borough otherwise. Public geography is in
    no ledger. Raises FileNotFoundError when Parvis ships nothing for `code`.
    """
    before = Borough.objects.count() + Spot.objects.count()
    Borough.objects.bulk_create(
        [
            Borough(
                code=area.code,
                name=area.name,
                geometry=area.geometry,
                latitude=area.latitude,
                longitude=area.longitude,
            )
            for area in gazetteer.areas(code)
        ],
        ignore_conflicts=True,
    )
    Spot.objects.bulk_create(
        [
            Spot(
                name=place.name,
                folded=fold(place.name),
                kind=place.kind,
                boroughs=list(place.boroughs),
                latitude=place.latitude,
                longitude=place.longitude,
            )
            for place in gazetteer.places(code)
        ],
        ignore_conflicts=True,
    )
    return Borough.objects.count() + Spot.objects.count() - before
