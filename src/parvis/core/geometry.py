"""Points and polygons on a small piece of the earth: enough to say which part of a city a point is in."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

METRES_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6,371 km

Position = Sequence[float]  # longitude, latitude (RFC 7946)


def in_ring(ring: Sequence[Position], longitude: float, latitude: float) -> bool:
    """True when the point is inside a closed ring: a ray to the east crosses its sides an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def contains(geometry: Mapping[str, Any], longitude: float, latitude: float) -> bool:
    """True when a GeoJSON Polygon or MultiPolygon holds the point (WGS 84 degrees); holes are outside."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return any(
        in_ring(outer, longitude, latitude) and not any(in_ring(hole, longitude, latitude) for hole in holes)
        for outer, *holes in polygons
    )


def distance(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """Metres between two points of one city, as on a flat map: under 0.1 % wrong at 50 km."""
    east = (longitude2 - longitude1) * cos(radians((latitude1 + latitude2) / 2))
    return hypot(east, latitude2 - latitude1) * METRES_PER_DEGREE


def centre(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """A point (longitude, latitude) inside the geometry's largest part: its centroid, or the middle of its widest
    span at the centroid's latitude when the centroid falls outside.
    """
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    ring = max((polygon[0] for polygon in polygons), key=lambda points: abs(_centroid(points)[2]))
    longitude, latitude, _ = _centroid(ring)
    if in_ring(ring, longitude, latitude):
        return longitude, latitude
    crossings = sorted(
        (x2 - x1) * (latitude - y1) / (y2 - y1) + x1
        for (x1, y1), (x2, y2) in pairwise(ring)
        if (y1 > latitude) != (y2 > latitude)
    )
    spans = [(east - west, (west + east) / 2) for west, east in zip(crossings[::2], crossings[1::2], strict=True)]
    return max(spans)[1], latitude


def _centroid(ring: Sequence[Position]) -> tuple[float, float, float]:
    """Longitude, latitude and twice the signed area (square degrees) of a closed ring."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in pairwise(ring):
        cross = x1 * y2 - x2 * y1
        area += cross
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    return x / (3 * area), y / (3 * area), area
