"""The demo's words and shapes: files that a person edits, so each says clearly what is wrong with it."""

import csv
import json
from itertools import pairwise

import pytest

from parvis.core.geometry import centre, contains, distance
from parvis.demo import content
from parvis.demo.cities import CITIES
from parvis.places import drawing, gazetteer

BOROUGHS = 19


def test_there_are_enough_needs_and_each_is_said_in_four_languages() -> None:
    words = content.read()
    assert 70 <= len(words.needs) <= 95
    assert {term.code for term in words.audiences} >= {"everyone", "refugees", "asylum-seekers", "undocumented"}
    assert set(words.offers) == {term.code for term in words.needs if term.under}
    arabic = [letter for term in words.needs for letter in term.label[2]]
    assert sum("\u0600" <= letter <= "\u06ff" or letter == " " for letter in arabic) / len(arabic) > 0.98


@pytest.mark.parametrize(
    "asked, language, need",
    [
        ("francisation", "fr", "french-courses"),
        ("école pour mes enfants", "fr", "school-enrolment"),
        ("دروس اللغة", "ar", "french-courses"),
        ("محامي", "ar", "legal-aid"),
        ("abogado", "es", "legal-aid"),
        ("job", "en", "job-search"),
    ],
)
def test_everyday_words_lead_to_their_need(asked: str, language: str, need: str) -> None:
    term = next(term for term in content.read().needs if term.code == need)
    assert asked in term.synonyms[language]


def test_a_text_that_lacks_a_language_is_refused_with_its_place() -> None:
    with pytest.raises(content.BadContent, match=r"phrases\.toml waits: 4 languages wanted"):
        content.said(["un", "one", "واحد"], "phrases.toml waits")
    with pytest.raises(content.BadContent, match="is not a text"):
        content.said(["un", "one", " ", "uno"], "phrases.toml waits")


def test_the_committed_map_is_what_its_drawing_gives() -> None:
    for city in CITIES:
        path = drawing.DATA / f"{city}.geojson"
        assert path.read_text(encoding="utf-8") == drawing.to_text(drawing.draw(city))
        assert path.stat().st_size < 40_000


def test_montreal_has_its_nineteen_boroughs_and_neighbours_share_their_borders() -> None:
    areas = gazetteer.areas("montreal")
    assert len(areas) == BOROUGHS
    assert all(area.code.isascii() and area.code == area.code.lower() for area in areas)
    sides: dict[frozenset[tuple[float, float]], int] = {}
    for area in areas:
        shapes = area.geometry["coordinates"]
        for polygon in shapes if area.geometry["type"] == "MultiPolygon" else [shapes]:
            for start, end in pairwise(polygon[0]):
                side = frozenset((tuple(start), tuple(end)))
                sides[side] = sides.get(side, 0) + 1
    assert max(sides.values()) == 2  # a side belongs to one borough (shore) or to two (border), never to three
    assert sum(count == 2 for count in sides.values()) > 140


@pytest.mark.parametrize(
    "longitude, latitude, borough",
    [
        (-73.5617, 45.5151, "ville-marie"),  # Berri
        (-73.5817, 45.5244, "plateau-mont-royal"),
        (-73.6236, 45.4968, "cote-des-neiges-notre-dame-de-grace"),
        (-73.5517, 45.5541, "mercier-hochelaga-maisonneuve"),
        (-73.6287, 45.5431, "villeray-saint-michel-parc-extension"),
        (-73.5490, 45.4580, "verdun"),  # the island is part of it
        (-73.6000, 45.4850, ""),  # Westmount is another city
        (-73.6450, 45.6500, ""),  # Laval
    ],
)
def test_well_known_places_are_in_their_borough(longitude: float, latitude: float, borough: str) -> None:
    found = [a.code for a in gazetteer.areas("montreal") if contains(a.geometry, longitude, latitude)]
    assert found == ([borough] if borough else [])


@pytest.mark.parametrize("city", CITIES)
def test_every_gazetteer_point_is_in_the_borough_that_it_names_first(city: str) -> None:
    shapes = {area.code: area.geometry for area in gazetteer.areas(city)}
    for place in gazetteer.places(city):
        assert contains(shapes[place.boroughs[0]], place.longitude, place.latitude), place
        assert set(place.boroughs) <= set(shapes)
    with (gazetteer.DATA / f"{city}.csv").open(encoding="utf-8") as lines:
        assert sum(1 for _ in csv.DictReader(lines)) == len(gazetteer.places(city))


@pytest.mark.parametrize("city", CITIES)
def test_the_label_of_a_borough_stands_inside_it(city: str) -> None:
    for area in gazetteer.areas(city):
        assert contains(area.geometry, area.longitude, area.latitude), area.code


def test_a_hole_is_outside_and_a_bent_shape_has_its_centre_inside() -> None:
    square = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    hole = [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    ring = {"type": "Polygon", "coordinates": [square, hole]}
    assert contains(ring, 0.5, 2) and not contains(ring, 2, 2) and not contains(ring, 5, 2)
    bent = [[0, 0], [9, 0], [9, 9], [8, 9], [8, 1], [0, 1], [0, 0]]
    longitude, latitude = centre({"type": "Polygon", "coordinates": [bent]})
    assert contains({"type": "Polygon", "coordinates": [bent]}, longitude, latitude)


def test_distance_is_in_metres() -> None:
    assert distance(-73.5617, 45.5151, -73.5517, 45.5541) == pytest.approx(4406, abs=15)
    assert distance(6.14, 46.2, 6.14, 46.2) == 0


def test_geojson_is_longitude_first() -> None:
    collection = json.loads((drawing.DATA / "montreal.geojson").read_text(encoding="utf-8"))
    longitude, latitude = collection["features"][0]["geometry"]["coordinates"][0][0]
    assert -74 < longitude < -73 and 45 < latitude < 46
