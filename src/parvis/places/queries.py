"""Reading the geography: what a person means when they write a place."""

import re

from parvis.core.geometry import contains
from parvis.core.language import fold
from parvis.places.models import Borough, Spot

_CANADIAN = re.compile(r"[a-z]\d[a-z](?:\d[a-z]\d)?")


def named(text: str) -> tuple[float, float] | None:
    """The point (latitude, longitude) of a postal code, neighbourhood, station or borough as people write it.

    Case, accents, hyphens and spaces are free; the whole name is looked for first, then one that begins so. None
    when nothing has that name.
    """
    folded = " ".join(fold(text).split())
    if not folded:
        return None
    compact = re.sub(r"[\s-]", "", folded)
    wanted = {folded, folded.replace(" ", "-"), folded.replace("-", " "), compact}
    if _CANADIAN.fullmatch(compact):
        wanted.add(compact[:3])
    spot = Spot.objects.filter(folded__in=wanted).order_by("kind", "folded").first()
    if spot is not None:
        return spot.latitude, spot.longitude
    boroughs = {fold(area.name).replace("-", " "): area for area in Borough.objects.defer("geometry")}
    plain = folded.replace("-", " ")
    area = boroughs.get(plain)
    if area is not None:
        return area.latitude, area.longitude
    if len(plain) < 3:
        return None
    spot = Spot.objects.filter(folded__startswith=folded).order_by("folded").first()
    if spot is not None:
        return spot.latitude, spot.longitude
    area = next((boroughs[name] for name in sorted(boroughs) if name.startswith(plain)), None)
    return (area.latitude, area.longitude) if area else None


def borough_names() -> list[str]:
    """The city's boroughs by name; none where no map of them is known."""
    return list(Borough.objects.order_by("name").values_list("name", flat=True))


def borough_at(latitude: float | None, longitude: float | None) -> str:
    """The code of the borough that a point (degrees, WGS 84) is in; "" when it is in none, or there is no point."""
    if latitude is None or longitude is None:
        return ""
    for code, geometry in Borough.objects.values_list("code", "geometry"):
        if contains(geometry, longitude, latitude):
            return str(code)
    return ""
