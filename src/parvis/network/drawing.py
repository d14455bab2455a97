"""The city's boroughs as an SVG that the server draws: it prints, it needs no script, and a table says the same."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH = 720.0
STEPS = 4


def step(count: int | None, most: int) -> str:
    """The class of an area: none, hidden, or one of four shades."""
    if count is None:
        return "gap-hidden"
    return f"gap-{math.ceil(STEPS * count / most)}" if most and count else "gap-0"


def areas(rows: Sequence[tuple[str, str, Any, str, str]], title: str) -> SafeString:
    """rows: (address, name with its figure, GeoJSON geometry in degrees, class, code). Empty without any area."""
    drawn = [(row, _rings(row[2])) for row in rows]
    points = [point for _row, rings in drawn for ring in rings for point in ring]
    if not points:
        return SafeString("")
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    flat = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / (((east - west) * flat) or 1)

    def place(lon: float, lat: float) -> str:
        return f"{(lon - west) * flat * scale:.1f} {(north - lat) * scale:.1f}"

    shapes = [(row[0], row[3], row[1], _path(rings, place)) for row, rings in drawn]
    return format_html(
        '<svg class="gap-map" viewBox="-4 -4 {} {}" role="group" aria-label="{}">{}</svg>',
        f"{WIDTH + 8:.0f}", f"{(north - south) * scale + 8:.0f}", title,
        format_html_join("", '<a href="{}"><path class="{}" d="{}"><title>{}</title></path></a>',
                         ((url, kind, path, name) for url, kind, name, path in shapes)),
    )  # fmt: skip


def _rings(geometry: Any) -> list[list[tuple[float, float]]]:
    found = (geometry or {}).get("coordinates", [])
    polygons = found if (geometry or {}).get("type") == "MultiPolygon" else [found]
    return [[(point[0], point[1]) for point in ring] for polygon in polygons for ring in polygon]


def _path(rings: list[list[tuple[float, float]]], place: Callable[[float, float], str]) -> str:
    return "".join("M" + "L".join(place(*point) for point in ring) + "Z" for ring in rings)
