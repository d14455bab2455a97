"""The geography that ships with Parvis: boroughs and well-known points of a city, read from `data/`."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from parvis.core.geometry import centre

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the city: its GeoJSON geometry and a point inside it, for its label."""

    code: str
    name: str
    geometry: dict[str, Any]
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Place:
    """A named point. `kind` is postal, neighbourhood, metro, station or stop; the first borough is the one it is in."""

    kind: str
    name: str
    boroughs: tuple[str, ...]
    latitude: float
    longitude: float


def has(city: str) -> bool:
    """True when Parvis ships the geography of this city."""
    return (DATA / f"{city}.geojson").is_file()


@cache
def areas(city: str) -> tuple[Area, ...]:
    """The boroughs of a city, in the order of its file. FileNotFoundError when there is no such file."""
    collection = json.loads((DATA / f"{city}.geojson").read_text(encoding="utf-8"))
    found = []
    for feature in collection["features"]:
        longitude, latitude = centre(feature["geometry"])
        found.append(
            Area(
                feature["properties"]["code"],
                feature["properties"]["name"],
                feature["geometry"],
                round(latitude, 5),
                round(longitude, 5),
            )
        )
    return tuple(found)


@cache
def places(city: str) -> tuple[Place, ...]:
    """The gazetteer of a city. FileNotFoundError when there is no such file."""
    return tuple(_read(city))


def _read(city: str) -> Iterator[Place]:
    with (DATA / f"{city}.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield Place(
                row["kind"],
                row["name"],
                tuple(row["boroughs"].split()),
                float(row["latitude"]),
                float(row["longitude"]),
            )
