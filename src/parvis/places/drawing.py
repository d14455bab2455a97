"""From the hand-drawn arcs of a city (`data/<city>.toml`) to its GeoJSON (`data/<city>.geojson`).

`python -m parvis.places.drawing` draws every city again; a test checks that the committed files are what it
writes.
Coordinates are WGS 84 degrees, longitude first, as RFC 7946 wants them; outer rings run anticlockwise.
"""

import json
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

NOT_CLOSED = "the arcs of {code} do not close: no arc goes on from {end}"
Point = tuple[float, float]


def read_arcs(drawing: dict[str, Any]) -> dict[str, list[Point]]:
    """Arc name -> its points (longitude, latitude), from a parsed drawing file."""
    arcs: dict[str, list[Point]] = {}
    for name, text in drawing["arcs"].items():
        pairs = [pair.split() for pair in text.split(",")]
        arcs[name] = [(float(longitude), float(latitude)) for longitude, latitude in pairs]
    return arcs


def join_arcs(code: str, arcs: list[list[Point]]) -> list[Point]:
    """One closed, anticlockwise ring of arcs in any order and direction; ValueError when they do not close."""
    first, *rest = arcs
    ring = list(first)
    while rest:
        end = ring[-1]
        following = next((arc for arc in rest if end in (arc[0], arc[-1])), None)
        if following is None:
            raise ValueError(NOT_CLOSED.format(code=code, end=end))
        rest.remove(following)
        ring += (following if following[0] == end else following[::-1])[1:]
    if ring[0] != ring[-1]:
        raise ValueError(NOT_CLOSED.format(code=code, end=ring[-1]))
    twice_area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))
    return ring if twice_area > 0 else ring[::-1]


def draw(city: str) -> dict[str, Any]:
    """The GeoJSON FeatureCollection of one city: properties `code` and `name`, (Multi)Polygon geometry."""
    drawing = tomllib.loads((DATA / f"{city}.toml").read_text(encoding="utf-8"))
    arcs = read_arcs(drawing)
    features = []
    for area in drawing["areas"]:
        polygons = [[join_arcs(area["code"], [arcs[name] for name in names])] for names in area["rings"]]
        one = len(polygons) == 1
        geometry = {
            "type": "Polygon" if one else "MultiPolygon",
            "coordinates": polygons[0] if one else polygons,
        }
        properties = {"code": area["code"], "name": area["name"]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def to_text(collection: dict[str, Any]) -> str:
    """The committed form: one feature a line, so that a changed border shows as one changed line."""
    features = ",\n".join(
        json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in collection["features"]
    )
    return f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n'


def main() -> None:
    """Draw every city that has a drawing file."""
    for source in sorted(DATA.glob("*.toml")):
        target = source.with_suffix(".geojson")
        target.write_text(to_text(draw(source.stem)), encoding="utf-8")
        sys.stdout.write(f"{target.name}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
