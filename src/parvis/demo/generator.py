"""The rows of a demo city: HSDS 3.2 rows, invented, the same bytes for the same city and seed.

`generate("montreal", seed=1, services=400)` yields `(entity, row)`: `entity` is a name of `parvis.core.hsds.ENTITIES`
and `row` a dict of its direct fields, absent ones left out; a schedule that closes has `closed: True` besides. Parents
come before children. Three kinds of rows are Parvis's own, and come after the rows they speak of:

- `("synonyms", {"taxonomy_term_id", "synonyms": {language: [words]}})`
- `("rendering", {"text", "source_language", "language", "rendering", "origin"})`, once for each text and language

There is no clock: every date is counted from `LAST_DAY`. Each organization is drawn from a generator of its own and
from what stands before it, so asking for more services adds at the end and changes nothing of what was there.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from hashlib import sha1
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from parvis.core.geometry import METRES_PER_DEGREE, contains, distance
from parvis.demo import content
from parvis.demo.cities import (
    CITIES,
    FIRST_NAMES,
    LANGUAGE_NAMES,
    LAST_NAMES,
    SYLLABLES,
    DemoCity,
)
from parvis.demo.content import LANGUAGES, Content, Profile, Said, Term
from parvis.places import gazetteer
from parvis.places.gazetteer import Area, Place

NAMESPACE = uuid5(NAMESPACE_URL, "https://parvis.example.org/demo")
LAST_DAY = date(2026, 6, 30)  # of the facts: nothing in the demo was changed after it
HOLIDAY_YEARS = (2026, 2027, 2028)
POSTAL_LETTERS = "ABCEGHJKLMNPRSTVWXYZ"

Row = tuple[str, dict[str, Any]]

COURSES = {
    "french-courses", "conversation", "literacy", "english-courses", "adult-education", "vocational-training",
    "digital-skills", "citizenship", "drop-in-childcare",
}  # fmt: skip
DAY_AND_NIGHT = {"crisis", "violence", "temporary-lodging", "unaccompanied-minors"}
MONTHLY = {
    "information-sessions", "family-mediation", "dental-vision", "cultural-associations", "winter-kit", "banking",
}  # fmt: skip
AT_WEEKENDS = {"sport-leisure", "children-activities", "twinning", "culture-libraries", "homework-help"}
MEALS = {"community-meals", "food-bank", "clothing", "baby-supplies", "community-kitchens", "furniture"}
SHARE_FREE = {
    "english-courses": 0.4, "driving-licence": 0.2, "childcare": 0.35, "dental-vision": 0.2, "sport-leisure": 0.55,
    "furniture": 0.4, "translation": 0.1, "vocational-training": 0.6, "temporary-lodging": 0.7, "community-meals": 0.6,
    "children-activities": 0.4, "entrepreneurship": 0.6, "immigration-paperwork": 0.7,
}  # fmt: skip
#: What a need asks to see, as numbers of lines of `documents`.
PAPERS = {
    "school-enrolment": (4, 5, 6), "childcare": (4, 6), "tenant-rights": (3, 9), "housing-search": (0, 2),
    "social-housing": (0, 1, 9), "medical-care": (0, 2, 6), "health-insurance": (1, 2), "taxes": (0, 10), "benefits":
    (0, 1, 9), "job-search": (8,), "diploma-recognition": (7, 8), "food-bank": (1, 11), "immigration-paperwork": (2, 9),
    "refugee-claim": (2, 9), "legal-aid": (0, 9), "vocational-training": (7, 8), "french-courses": (0, 2),
}  # fmt: skip
STATUS_GROUPS = ("refugees", "asylum-seekers", "permanent-residents", "temporary-workers", "students")
AUDIENCES = {
    "women": "women-only", "violence": "women-only", "youth": "youth-only", "unaccompanied-minors": "youth-only",
    "seniors": "seniors-only", "parenting": "families", "childcare": "families", "drop-in-childcare": "families",
    "children-activities": "families", "homework-help": "families", "school-enrolment": "families", "perinatal":
    "families", "baby-supplies": "families", "school-mediation": "families", "refugee-claim": "asylum-seekers",
    "no-status": "undocumented", "trauma-care": "refugees",
}  # fmt: skip
AGES = {"youth-only": (12, 30), "seniors-only": (55, None)}
#: Which unit of `units` a need's capacity is counted in.
CAPACITY_UNITS = {
    "temporary-lodging": 1, "emergency-shelter": 1, "violence": 1, "food-bank": 3, "legal-aid": 2, "medical-care": 2,
}  # fmt: skip


def identifier(space: UUID, name: str) -> str:
    """`str(uuid5(space, name))`, three times as fast: a large demo has half a million of them."""
    number = int.from_bytes(sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    number = number & ~(0xF000 << 64) & ~(0xC000 << 48) | (5 << 76) | (0x8000 << 48)
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def slug(text: str) -> str:
    """An ASCII name for an address on the web: `"Maison de l'Aube"` -> `"maison-de-l-aube"`."""
    from parvis.core.language import fold

    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in fold(text)).split())


def join(*parts: Said, by: str = " ") -> Said:
    """Whole sentences, one after the other, in each language."""
    return tuple(by.join(texts) for texts in zip(*parts, strict=True))


@dataclass(slots=True)
class Site:
    """A location that services can be given at; `building` is its name when it has one of its own."""

    id: str
    area: Area
    virtual: bool
    building: Said | None = None


@dataclass(slots=True)
class _City:
    """One run: the city, its geography and texts, and what has been said so far."""

    city: DemoCity
    space: UUID
    words: Content
    areas: tuple[Area, ...]
    postal: dict[str, list[Place]]
    stops: list[Place]
    spoken_texts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    offered: Counter[str] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    renderings: list[Row] = field(default_factory=list)

    def id(self, *parts: object) -> str:
        return identifier(self.space, "/".join(map(str, parts)))

    def add(self, entity: str, **fields: Any) -> str:
        """Keep a row, without its empty fields; give back its id."""
        row = {name: value for name, value in fields.items() if value is not None and value != ""}
        self.rows.append((entity, row))
        return str(row["id"])

    def say(self, text: Said) -> str:
        """The text in the source language; its renderings are kept the first time it is said."""
        source = text[0]
        if source not in self.spoken_texts:
            self.spoken_texts.add(source)
            # About one text in nine was put by a machine and is still to be read by a person.
            origin = "machine" if sum(source.encode()) % 9 == 0 else "human"
            for language, rendering in zip(LANGUAGES[1:], text[1:], strict=True):
                if language in self.city.languages and rendering != source:
                    entry = {
                        "text": source,
                        "source_language": LANGUAGES[0],
                        "language": language,
                        "rendering": rendering,
                        "origin": origin,
                    }
                    self.renderings.append(("rendering", entry))
        return source

    def flush(self) -> Iterator[Row]:
        yield from self.rows
        yield from self.renderings
        self.rows.clear()
        self.renderings.clear()


def generate(city: str, *, seed: int = 1, services: int | None = None) -> Iterator[Row]:
    """The rows of a demo city, parents first. `services` is how many (the city's own number when None).

    Raises KeyError for a city that is no demo city and ValueError for a negative number.
    """
    demo = CITIES[city]
    wanted = demo.services if services is None else services
    if wanted < 0:
        raise ValueError("services: a number of at least 0")
    run = _City(
        city=demo,
        space=identifier_space(city, seed),
        words=content.read(),
        areas=gazetteer.areas(city),
        postal=_postal(city),
        stops=[place for place in gazetteer.places(city) if place.kind in ("metro", "station", "stop")],
    )
    _taxonomies(run)
    _units(run)
    yield from run.flush()
    number = made = 0
    while made < wanted:
        rng = Random(f"{city}/{seed}/organization/{number}")  # noqa: S311 - a demo holds no secret
        made += _organization(run, rng, number, wanted - made)
        yield from run.flush()
        number += 1


def identifier_space(city: str, seed: int) -> UUID:
    """The namespace of a city's ids."""
    return uuid5(NAMESPACE, f"{city}/{seed}")


@cache
def _postal(city: str) -> dict[str, list[Place]]:
    """Borough code -> the beginnings of postal codes whose point is in it."""
    found: dict[str, list[Place]] = {}
    for place in gazetteer.places(city):
        if place.kind == "postal":
            found.setdefault(place.boroughs[0], []).append(place)
    return found


# ----------------------------------------------------------------------------------------------------- taxonomies


def _taxonomies(run: _City) -> None:
    titles = {
        "needs": (
            "Besoins des nouveaux arrivants", "Needs of newcomers", "احتياجات الوافدين الجدد",
            "Necesidades de los recién llegados",
        ),
        "audiences": ("Pour qui", "For whom", "لمن", "Para quién"),
    }  # fmt: skip
    notes = {
        "needs": (
            "Ce que cherchent les personnes qui arrivent, dit avec leurs mots.",
            "What people who arrive are looking for, in their own words.",
            "ما يبحث عنه القادمون بكلماتهم.",
            "Lo que buscan las personas que llegan, dicho con sus palabras.",
        ),
        "audiences": (
            "À qui un service s'adresse.",
            "Whom a service is for.",
            "الفئة التي تتوجه إليها الخدمة.",
            "A quién se dirige un servicio.",
        ),
    }
    for name, terms in (("needs", run.words.needs), ("audiences", run.words.audiences)):
        taxonomy = run.add(
            "taxonomy",
            id=run.id("taxonomy", name),
            name=run.say(titles[name]),
            description=run.say(notes[name]),
            uri=f"https://parvis.example.org/taxonomies/{name}",
            version="1",
        )
        for term in sorted(terms, key=lambda term: bool(term.under)):
            _term(run, term, name, taxonomy, titles[name][0])


def _term(run: _City, term: Term, name: str, taxonomy: str, title: str) -> None:
    term_id = run.add(
        "taxonomy_term",
        id=run.id("taxonomy_term", name, term.code),
        code=term.code,
        name=run.say(term.label),
        description=run.say(term.description),
        parent_id=run.id("taxonomy_term", name, term.under) if term.under else None,
        taxonomy=title,
        language=LANGUAGES[0],
        taxonomy_id=taxonomy,
        term_uri=f"https://parvis.example.org/taxonomies/{name}/{term.code}",
    )
    run.renderings.append(("synonyms", {"taxonomy_term_id": term_id, "synonyms": term.synonyms}))


def _units(run: _City) -> None:
    for number, unit in enumerate(run.words.phrases["units"]):
        run.add("unit", id=run.id("unit", number), name=run.say(unit))


# --------------------------------------------------------------------------------------------------- organizations


def _area(run: _City, rng: Random, number: int) -> Area:
    """Every borough has an organization before any has two; then the populous ones have more."""
    if number < len(run.areas):
        return run.areas[number * 7 % len(run.areas)]
    weights = [run.city.weights.get(area.code, 1) for area in run.areas]
    return rng.choices(run.areas, weights)[0]


def _building(rng: Random) -> str:
    """An invented proper name: a long tail of rare words, as real directories have."""
    return "".join(rng.choice(part) for part in SYLLABLES)


def _organization_name(run: _City, rng: Random, profile: Profile, area: Area) -> Said:
    """A name that no organization of the city has yet; the first emblems are the most common."""
    weights = [1 / (rank + 3) for rank in range(len(run.words.emblems))]
    for _ in range(6):
        form = rng.choice(profile.forms)
        emblem = rng.choices(run.words.emblems, weights)[0]
        name = tuple(pattern.format(word) for pattern, word in zip(form, emblem, strict=True))
        if name[0] not in run.names:
            break
    else:
        name = join(name, (area.name,) * 4, by=" – ")
        while name[0] in run.names:
            name = join(name, (_building(rng),) * 4)
    run.names.add(name[0])
    return name


def _phone(run: _City, rng: Random) -> str:
    last = rng.randrange(100)
    if run.city.country == "CH":
        return f"+41 22 555 01 {last:02d}"
    return f"+1 {rng.choice(('514', '514', '438'))}-555-01{last:02d}"


def _organization(run: _City, rng: Random, number: int, left: int) -> int:
    """One organization with its locations and services (at most `left`); how many services it has."""
    words = run.words
    if number < len(words.profiles):
        profile = words.profiles[number]  # so that even a small city has one of each kind
    else:
        profile = rng.choices(words.profiles, [profile.weight for profile in words.profiles])[0]
    area = _area(run, rng, number)
    name = _organization_name(run, rng, profile, area)
    host = f"{slug(name[0])}.example.org"
    year = rng.randint(1968, 2023)
    founded = (f"Depuis {year}.", f"Since {year}.", f"منذ عام {year}.", f"Desde {year}.")
    me = run.add(
        "organization",
        id=run.id("organization", number),
        name=run.say(name),
        alternate_name="".join(word[0] for word in name[0].replace("'", " ").split() if word[0].isupper())
        if rng.random() < 0.15
        else None,
        description=run.say(join(profile.about, founded)),
        email=f"info@{host}",
        website=f"https://{host}/",
        legal_status="Organisme à but non lucratif",
        year_incorporated=year,
    )
    run.add("phone", id=run.id("phone", "organization", number), organization_id=me, number=_phone(run, rng),
            extension=None, type="voice", description=run.say(words.phrases["phones"][0]))  # fmt: skip
    run.add("attribute", id=run.id("attribute", "organization", number), link_id=me, link_entity="organization",
            link_type="need", taxonomy_term_id=run.id("taxonomy_term", "needs", profile.needs[0]))  # fmt: skip
    _organization_extras(run, rng, number, me, host)
    program = None
    if profile.code in ("newcomers", "family", "employment") and rng.random() < 0.5:
        program = run.add("program", id=run.id("program", number), organization_id=me,
                          name=run.say(rng.choice(words.phrases["programs"])),
                          description=run.say(words.phrases["program_about"][0]))  # fmt: skip
    sites = [_location(run, rng, number, 0, me, area, name, _pavilion(rng) if rng.random() < 0.3 else None)]
    if rng.random() < 0.3:
        sites.append(_location(run, rng, number, 1, me, rng.choice(run.areas), name, _pavilion(rng)))
    count = min(left, rng.choices((1, 2, 3, 4, 5, 6), (18, 30, 26, 15, 8, 3))[0])
    picked: list[str] = []
    for index in range(count):
        choices = [need for need in profile.needs if need not in picked] or list(profile.needs)
        missing = [need for need in choices if not run.offered[need]]  # nothing that people look for is nowhere
        need = profile.needs[0] if index == 0 else rng.choice(missing or choices)
        picked.append(need)
        _service(run, rng, f"{number}/{index}", need, me, program, host, sites)
    return count


def _organization_extras(run: _City, rng: Random, number: int, me: str, host: str) -> None:
    """What only some organizations publish: a contact, funding, a register number, another web page."""
    phrases = run.words.phrases
    if rng.random() < 0.45:
        person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
        contact = run.add("contact", id=run.id("contact", number), organization_id=me, name=person,
                          title=run.say(rng.choice(phrases["titles"])),
                          email=f"{slug(person.split()[0])}@{host}")  # fmt: skip
        run.add("phone", id=run.id("phone", "contact", number), contact_id=contact, number=_phone(run, rng),
                extension=rng.randint(100, 499), type="voice")  # fmt: skip
    if rng.random() < 0.4:
        run.add("funding", id=run.id("funding", number), organization_id=me,
                source=run.say(rng.choice(phrases["funding"])))  # fmt: skip
    if rng.random() < 0.3:
        run.add("organization_identifier", id=run.id("identifier", number), organization_id=me,
                identifier_scheme="PARVIS-DEMO", identifier_type="Registre de démonstration",
                identifier=f"DEMO-{number:06d}")  # fmt: skip
    if rng.random() < 0.25:
        run.add("url", id=run.id("url", number), organization_id=me, label="Calendrier",
                url=f"https://{host}/calendrier")  # fmt: skip


def _pavilion(rng: Random) -> Said:
    name = _building(rng)
    return (f"Pavillon {name}", f"{name} Pavilion", f"جناح {name}", f"Pabellón {name}")


# ------------------------------------------------------------------------------------------------------ locations


def _point(run: _City, rng: Random, area: Area) -> tuple[Place | None, float, float]:
    """A point (longitude, latitude) in the borough, near the middle of one of its postal districts."""
    districts = run.postal.get(area.code)
    for _ in range(40):
        district = rng.choice(districts) if districts else None
        near = district or area
        north, east = rng.gauss(0, 450), rng.gauss(0, 450)
        latitude = round(near.latitude + north / METRES_PER_DEGREE, 6)
        longitude = round(near.longitude + east / (METRES_PER_DEGREE * 0.7), 6)
        if contains(area.geometry, longitude, latitude):
            return district, longitude, latitude
    return (districts[0] if districts else None), area.longitude, area.latitude


def _postcode(run: _City, rng: Random, district: Place | None) -> str:
    if run.city.country == "CH":
        return district.name if district else "1200"
    start = district.name if district else "H2Y"
    return f"{start} {rng.randrange(1, 10)}{rng.choice(POSTAL_LETTERS)}{rng.randrange(1, 10)}"


def _way(run: _City, rng: Random, longitude: float, latitude: float) -> Said:
    """How to get there: the nearest stop when one can walk to it, else a bus."""
    stop = min(run.stops, key=lambda stop: distance(longitude, latitude, stop.longitude, stop.latitude))
    metres = distance(longitude, latitude, stop.longitude, stop.latitude)
    if metres > 1500:
        line = rng.randint(11, 249)
        return (f"Autobus {line}", f"Bus {line}", f"الباص {line}", f"Autobús {line}")
    minutes = max(2, round(metres / 70))
    walk = "دقائق" if 3 <= minutes <= 10 else "دقيقتان" if minutes == 2 else "دقيقة"
    spell = walk if minutes == 2 else f"{minutes} {walk}"
    kind = {
        "metro": ("Métro", "Metro", "مترو", "Metro"),
        "station": ("Gare", "Station", "محطة", "Estación"),
        "stop": ("Arrêt", "Stop", "موقف", "Parada"),
    }[stop.kind]
    return (
        f"{kind[0]} {stop.name}, {minutes} minutes à pied",
        f"{kind[1]} {stop.name}, {minutes} minutes on foot",
        f"{kind[2]} {stop.name}\u200f، {spell} مشيًا",
        f"{kind[3]} {stop.name}, a {minutes} minutos a pie",
    )


def _location(
    run: _City, rng: Random, number: int, index: int, owner: str, area: Area, name: Said, building: Said | None
) -> Site:
    """A location with its address, accessibility and closures."""
    phrases = run.words.phrases
    key = f"{number}/{index}"
    if index and rng.random() < 0.35:
        online = ("Rencontres en ligne", "Online meetings", "لقاءات عبر الإنترنت", "Encuentros en línea")
        me = run.add("location", id=run.id("location", key), location_type="virtual", organization_id=owner,
                     name=run.say(online), url=f"https://visio.example.org/{number}")  # fmt: skip
        return Site(me, area, True)
    district, longitude, latitude = _point(run, rng, area)
    me = run.add(
        "location",
        id=run.id("location", key),
        location_type="physical",
        organization_id=owner,
        name=run.say(building or name),
        transportation=run.say(_way(run, rng, longitude, latitude)),
        latitude=latitude,
        longitude=longitude,
    )
    street, door = rng.choice(run.city.streets), rng.randint(10, 9890)
    run.add(
        "address",
        id=run.id("address", key),
        location_id=me,
        address_1=f"{street} {door % 120 + 1}" if run.city.country == "CH" else f"{door}, {street}",
        address_2=f"Bureau {rng.randint(100, 420)}" if rng.random() < 0.25 else None,
        city=run.city.name,
        region=area.name,
        state_province=run.city.state_province,
        postal_code=_postcode(run, rng, district),
        country=run.city.country,
        address_type="physical",
    )
    rolls = rng.random() < 0.68
    for order, text in enumerate(
        (
            rng.choice(phrases["wheelchair"] if rolls else phrases["no_wheelchair"]),
            *rng.sample(phrases["accessibility"], rng.choice((0, 0, 1, 2))),
        )
    ):
        if order or rolls or rng.random() < 0.5:
            run.add("accessibility", id=run.id("accessibility", key, order), location_id=me,
                    description=run.say(text))  # fmt: skip
    _closures(run, rng, key, me)
    return Site(me, area, False, building)


def _closures(run: _City, rng: Random, key: str, location: str) -> None:
    """Public holidays for half of the locations, the long holidays for a few."""
    phrases = run.words.phrases["closures"]

    def close(first: date, last: date, text: Said) -> None:
        run.add("schedule", id=run.id("schedule", "closure", key, first), location_id=location, closed=True,
                valid_from=first.isoformat(), valid_to=last.isoformat(), description=run.say(text))  # fmt: skip

    if rng.random() < 0.5:
        for year in HOLIDAY_YEARS:
            for day in run.city.holidays:
                close(date.fromisoformat(f"{year}-{day}"), date.fromisoformat(f"{year}-{day}"), phrases[0])
    elif rng.random() < 0.5:
        for year in HOLIDAY_YEARS:
            close(date(year, 12, 20), date(year + 1, 1, 4), phrases[1])
            if rng.random() < 0.4:
                close(date(year, 7, 18), date(year, 8, 2), phrases[2])


# ------------------------------------------------------------------------------------------------------- services


def _audiences(need: str, rng: Random) -> list[str]:
    """Codes of the audiences of a service; the first one says what ages it is for."""
    fixed = AUDIENCES.get(need)
    if fixed:
        return list(dict.fromkeys((fixed, rng.choice(STATUS_GROUPS)))) if rng.random() < 0.15 else [fixed]
    if rng.random() < 0.55:
        return ["everyone", "undocumented"] if rng.random() < 0.25 else ["everyone"]
    return rng.sample(STATUS_GROUPS, rng.choice((1, 2, 2, 3)))


def _service_name(run: _City, rng: Random, name: Said, need: str, site: Site) -> Said:
    """The offer's name, alone or with what tells it from others of the same name."""
    draw = rng.random()
    if draw < 0.2 and not site.virtual and need not in DAY_AND_NIGHT:
        return join(name, (site.area.name,) * 4, by=" – ")
    if draw < 0.3 and need in COURSES:
        return join(name, rng.choice(run.words.phrases["qualifiers"]), by=" – ")
    if draw < 0.6 and site.building:
        return join(name, site.building, by=" – ")
    return name


def _service(
    run: _City, rng: Random, key: str, need: str, owner: str, program: str | None, host: str, sites: list[Site]
) -> None:
    """One service with everything that hangs on it."""
    phrases = run.words.phrases
    offers = run.words.offers[need]
    offer = offers[run.offered[need] % len(offers)]
    run.offered[need] += 1
    here = sites if len(sites) > 1 and rng.random() < 0.35 else [rng.choice(sites)]
    audiences = _audiences(need, rng)
    group = phrases["group_details"] if need in COURSES | AT_WEEKENDS | MONTHLY else ()
    details = rng.sample((*phrases["details"], *group), rng.choice((0, 1, 1, 2)))
    status = rng.choices(("active", "temporarily closed", "inactive", "defunct"), (920, 35, 25, 20))[0]
    alert = phrases["alerts"][0] if status == "temporarily closed" else None
    if alert is None and rng.random() < 0.03:
        alert = rng.choice(phrases["alerts"][1:])
    is_free = rng.random() < SHARE_FREE.get(need, 0.86)
    fee = phrases["free"][0] if is_free else rng.choice(phrases["fees"])
    ages = AGES.get(audiences[0], (5, 12) if need == "children-activities" else (None, None))
    changed = LAST_DAY - timedelta(days=min(900, int(rng.expovariate(1 / 160))))
    assured = changed + timedelta(days=rng.randint(0, (LAST_DAY - changed).days)) if rng.random() < 0.6 else None
    me = run.add(
        "service",
        id=run.id("service", key),
        organization_id=owner,
        program_id=program if rng.random() < 0.5 else None,
        name=run.say(_service_name(run, rng, offer.name, need, here[0])),
        description=run.say(join(offer.about, *details)),
        url=f"https://{host}/{need}" if rng.random() < 0.5 else None,
        email=f"{need}@{host}" if rng.random() < 0.4 else None,
        status=status,
        interpretation_services=run.say(rng.choice(phrases["interpretations"])) if rng.random() < 0.35 else None,
        application_process=run.say(rng.choice(phrases["applications"])),
        fees_description=run.say(fee),
        wait_time=run.say(rng.choices(phrases["waits"], (45, 25, 15, 10, 5))[0]) if rng.random() < 0.6 else None,
        eligibility_description=run.say(join(*(run.words.eligibility[code] for code in audiences))),
        minimum_age=ages[0],
        maximum_age=ages[1],
        assured_date=assured.isoformat() if assured else None,
        assurer_email=f"info@{host}" if assured else None,
        alert=run.say(alert) if alert else None,
        last_modified=f"{changed.isoformat()}T{rng.randint(12, 21):02d}:{rng.randint(0, 59):02d}:00Z",
    )
    for code in dict.fromkeys((need, *_related(run, need, rng))):
        run.add("attribute", id=run.id("attribute", key, "need", code), link_id=me, link_entity="service",
                link_type="need", taxonomy_term_id=run.id("taxonomy_term", "needs", code))  # fmt: skip
    for code in audiences:
        run.add("attribute", id=run.id("attribute", key, "audience", code), link_id=me, link_entity="service",
                link_type="audience", taxonomy_term_id=run.id("taxonomy_term", "audiences", code))  # fmt: skip
    _languages(run, rng, key, me)
    _costs(run, rng, key, me, is_free, fee)
    for number in PAPERS.get(need, ()):
        if rng.random() < 0.8 and "undocumented" not in audiences:
            run.add("required_document", id=run.id("required_document", key, number), service_id=me,
                    document=run.say(phrases["documents"][number]))  # fmt: skip
    _places(run, rng, key, me, need, here)
    _service_extras(run, rng, key, me, need, host, fee)


def _related(run: _City, need: str, rng: Random) -> list[str]:
    """Now and then a second need of the same family."""
    if rng.random() > 0.12:
        return []
    family = next(term.under for term in run.words.needs if term.code == need)
    return [rng.choice([term.code for term in run.words.needs if term.under == family])]


def _languages(run: _City, rng: Random, key: str, service: str) -> None:
    spoken = ["fr", *(code for code, share in run.city.spoken.items() if rng.random() < share)]
    for code in spoken:
        run.add("language", id=run.id("language", key, code), service_id=service, name=LANGUAGE_NAMES[code],
                code=code)  # fmt: skip


def _costs(run: _City, rng: Random, key: str, service: str, is_free: bool, fee: Said) -> None:
    if is_free:
        if rng.random() < 0.6:
            run.add("cost_option", id=run.id("cost_option", key, 0), service_id=service, option=run.say(fee),
                    amount=0, currency=run.city.currency)  # fmt: skip
        return
    amount = rng.choice((2, 3, 5, 10, 15, 20, 25, 40, 60))
    run.add("cost_option", id=run.id("cost_option", key, 0), service_id=service, option=run.say(fee), amount=amount,
            currency=run.city.currency)  # fmt: skip
    if rng.random() < 0.4:
        text = run.say(rng.choice(run.words.phrases["reductions"]))
        run.add("cost_option", id=run.id("cost_option", key, 1), service_id=service, option=text, amount=0,
                currency=run.city.currency)  # fmt: skip


def _places(run: _City, rng: Random, key: str, service: str, need: str, here: list[Site]) -> None:
    """Where the service is given, when, and for whose neighbourhood."""
    hours = _hours(run, rng, need)
    by_place = len(here) > 1
    for number, site in enumerate(here):
        link = run.add("service_at_location", id=run.id("service_at_location", key, number), service_id=service,
                       location_id=site.id)  # fmt: skip
        if by_place:
            for index, row in enumerate(_hours(run, rng, need)):
                run.add("schedule", id=run.id("schedule", key, number, index), service_at_location_id=link, **row)
            if rng.random() < 0.5:
                run.add("phone", id=run.id("phone", key, number), service_at_location_id=link,
                        number=_phone(run, rng), extension=rng.randint(100, 499), type="voice")  # fmt: skip
    if not by_place:
        for index, row in enumerate(hours):
            run.add("schedule", id=run.id("schedule", key, index), service_id=service, **row)
    if need in ("crisis", "translation", "interpretation") or rng.random() < 0.4:
        names = [run.city.name]
    else:
        home = here[0].area
        near = sorted(run.areas, key=lambda area: distance(
            home.longitude, home.latitude, area.longitude, area.latitude))  # fmt: skip
        names = [area.name for area in near[: rng.choice((1, 1, 2, 3))]]
    for number, name in enumerate(names):
        run.add("service_area", id=run.id("service_area", key, number), service_id=service, name=name)


def _service_extras(run: _City, rng: Random, key: str, service: str, need: str, host: str, fee: Said) -> None:
    """What only some services publish: a phone, a person, places left, a dated change."""
    phrases = run.words.phrases
    if need == "crisis" or rng.random() < 0.5:
        phone = run.add("phone", id=run.id("phone", "service", key), service_id=service, number=_phone(run, rng),
                        extension=rng.randint(100, 499) if rng.random() < 0.5 else None, type="voice",
                        description=run.say(phrases["phones"][2 if need == "crisis" else 1]))  # fmt: skip
        if rng.random() < 0.2:
            code = rng.choice(("en", "ar"))
            run.add("language", id=run.id("language", "phone", key), phone_id=phone, name=LANGUAGE_NAMES[code],
                    code=code)  # fmt: skip
    if rng.random() < 0.18:
        person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
        run.add("contact", id=run.id("contact", "service", key), service_id=service, name=person,
                title=run.say(rng.choice(phrases["titles"])), email=f"{slug(person.split()[0])}@{host}")  # fmt: skip
    if need in COURSES or need in CAPACITY_UNITS or rng.random() < 0.08:
        maximum = rng.choice((8, 12, 15, 20, 24, 40))
        updated = LAST_DAY - timedelta(days=rng.randint(0, 45))
        run.add("service_capacity", id=run.id("service_capacity", key), service_id=service,
                unit_id=run.id("unit", CAPACITY_UNITS.get(need, 0)), available=rng.randint(0, maximum),
                maximum=maximum, updated=f"{updated.isoformat()}T14:00:00Z")  # fmt: skip
    if rng.random() < 0.1:
        changed = LAST_DAY - timedelta(days=rng.randint(1, 400))
        run.add("metadata", id=run.id("metadata", key), resource_id=service, resource_type="service",
                last_action_date=changed.isoformat(), last_action_type="update", field_name="fees_description",
                previous_value="À confirmer", replacement_value=fee[0], updated_by=f"info@{host}")  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- hours


def _hours(run: _City, rng: Random, need: str) -> list[dict[str, Any]]:
    """Schedule rows (without id and parent) that suit what is offered."""
    texts = run.words.phrases["hours"]
    zone = run.city.offset

    def weekly(days: str, opens: str, closes: str, text: int, **more: Any) -> dict[str, Any]:
        return {"freq": "WEEKLY", "byday": days, "opens_at": opens, "closes_at": closes, "timezone": zone,
                "description": run.say(texts[text]), **more}  # fmt: skip

    if need in DAY_AND_NIGHT:
        return [weekly("MO,TU,WE,TH,FR,SA,SU", "00:00", "23:59", 7)]
    if need == "emergency-shelter":
        return [weekly("MO,TU,WE,TH,FR,SA,SU", rng.choice(("17:00", "19:00")), "08:00", 7)]
    if need in COURSES:
        return _course_hours(run, rng, weekly)
    if need in MONTHLY:
        return [
            {"freq": "MONTHLY", "byday": rng.choice(("1TU", "2WE", "3TH", "1SA", "-1MO")), "opens_at": opens,
             "closes_at": closes, "timezone": zone, "description": run.say(texts[4])}
            for opens, closes in [rng.choice((("18:00", "20:00"), ("10:00", "12:00"), ("13:30", "16:00")))]
        ]  # fmt: skip
    if need in AT_WEEKENDS:
        rows = [weekly(rng.choice(("SA", "SU", "SA,SU")), rng.choice(("09:00", "10:00", "13:00")), "16:00", 3)]
        if rng.random() < 0.5:
            rows.append(weekly(rng.choice(("MO,WE", "TU,TH", "FR")), "15:30", "18:00", 0))
        return rows
    if need in MEALS:
        rows = [weekly(rng.choice(("TU", "WE", "TH", "TU,FR", "MO,TU,WE,TH,FR")), "11:30", "13:30", 0)]
        if rng.random() < 0.25:
            rows.append(weekly("SA", "10:00", "12:00", 3, interval=2, dtstart="2026-01-10"))
            rows[-1]["description"] = run.say(texts[5])
        return rows
    return _office_hours(run, rng, weekly)


def _course_hours(run: _City, rng: Random, weekly: Any) -> list[dict[str, Any]]:
    days, opens, closes, text = rng.choice(
        (
            ("MO,TU,WE,TH,FR", "08:30", "13:30", 0),
            ("MO,WE", "18:00", "20:30", 2),
            ("TU,TH", "18:30", "21:00", 2),
            ("TU,TH", "09:30", "12:00", 0),
            ("SA", "09:30", "12:30", 3),
            ("SU", "13:00", "16:00", 3),
        )
    )
    if rng.random() < 0.5:
        return [weekly(days, opens, closes, text)]
    return [
        weekly(days, opens, closes, text, valid_from=f"{year}-09-08", valid_to=f"{year + 1}-06-18")
        for year in (2025, 2026, 2027)
    ]


def _office_hours(run: _City, rng: Random, weekly: Any) -> list[dict[str, Any]]:
    opens, closes = rng.choice((("09:00", "17:00"), ("08:30", "16:30"), ("09:00", "16:00"), ("10:00", "18:00")))
    if rng.random() < 0.3:
        rows = [weekly("MO,TU,WE,TH", opens, "12:00", 1), weekly("MO,TU,WE,TH", "13:00", closes, 1)]
    else:
        rows = [weekly("MO,TU,WE,TH,FR", opens, closes, 1)]
    draw = rng.random()
    if draw < 0.22:
        rows.append(weekly(rng.choice(("TU", "WE", "TH")), "18:00", "20:30", 2))
    elif draw < 0.36:
        rows.append(weekly("SA", "10:00", "14:00", 3))
    elif draw < 0.4:
        text = run.say(run.words.phrases["hours"][6])
        rows.append({"dtstart": "2026-12-05", "until": "2026-12-05", "opens_at": "10:00", "closes_at": "16:00",
                     "timezone": run.city.offset, "description": text, "group": "events"})  # fmt: skip
    return rows
