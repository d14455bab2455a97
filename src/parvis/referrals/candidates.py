"""Services for one need, in the order in which a worker looks at them, each with its reasons. Nothing is chosen here.

One statement judges and orders every service of the need; `core.eligibility` then gives the reasons of the page that is
shown, and tests hold the two to one another. The score is a sum of `POINTS` that a reader can add up: "why this one,
why not that one" is the difference of two sums (`differences`). Among equals the order is the need's own (`need` is
hashed with the service), so that no service stands first for everybody.

Journeys are estimates without any network: from the middle of the borough where the person lives, by the straight line
and a detour. A hidden address has no borough here.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection

from parvis.core import eligibility
from parvis.core.eligibility import AUDIENCES, EVERYONE, Answer, Conditions, Facts, Verdict
from parvis.core.geometry import METRES_PER_DEGREE
from parvis.core.slots import at
from parvis.directory.listings import fact, quoted
from parvis.places.models import Borough

Times = Literal["", "morning", "afternoon", "evening", "weekend"]

#: what each reason is worth. Bands, not decimals: equals are to be equal.
POINTS = {
    "eligible": 30, "speaks": 20, "interpreter": 10, "on_foot": 15, "near": 10, "in_town": 4, "fits_times": 8,
    "room": 15, "full": -15, "closed_now": -40,
}  # fmt: skip
#: straight-line metres up to which each band of distance reaches: twenty minutes on foot, half an hour, an hour's ride
BANDS = (("on_foot", 1_150), ("near", 4_600), ("in_town", 11_500))
DETOUR = 1.3  # a street is longer than a straight line
ON_FOOT, RIDING, WAITING = 75.0, 300.0, 10  # metres a minute, the same, minutes to stop and wait
#: a number of free places that is older says nothing
FRESH_CAPACITY = dt.timedelta(days=30)
PAGE = 25


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a need asks. `terms`: taxonomy terms, a broader one finds the narrower ones; none: every service.

    languages: primary BCP 47 tags that the person speaks well; borough: where they live ("" not known); need: what the
    order among equals hangs on.
    """

    need: uuid.UUID
    terms: tuple[uuid.UUID, ...] = ()
    known: Facts = field(default_factory=Facts)
    languages: tuple[str, ...] = ()
    times: Times = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One service, judged for one need. `points`: (code of POINTS, what it is worth), which add up to `score`.

    speaks: those of the person's languages that are spoken there; metres: straight line to its nearest place, None when
    one of the two is not known; available: free places, None when nobody said so lately.
    """

    service: uuid.UUID
    organization: uuid.UUID | None
    name: str
    organization_name: str
    verdict: Verdict
    speaks: tuple[str, ...]
    interpreter: bool
    metres: float | None
    fits_times: bool | None
    available: float | None
    wait_time: str
    points: tuple[tuple[str, int], ...]

    @property
    def score(self) -> int:
        return sum(worth for _, worth in self.points)

    @property
    def minutes_on_foot(self) -> int | None:
        return None if self.metres is None else round(self.metres * DETOUR / ON_FOOT)

    @property
    def minutes_riding(self) -> int | None:
        return None if self.metres is None else round(WAITING + self.metres * DETOUR / RIDING)


@dataclass(frozen=True, slots=True)
class Ranking:
    """A page of candidates; `totals`: how many services of the need answer yes, ask and no."""

    candidates: tuple[Candidate, ...]
    totals: dict[Answer, int]

    @property
    def nothing_fits(self) -> bool:
        """No service of this need may be asked: what a worker then records is an unmet need."""
        return not self.totals[Answer.YES] and not self.totals[Answer.ASK]


def rank(
    viewer: Any, wanted: Wanted, now: dt.datetime, *, only: Collection[uuid.UUID] | None = None, offset: int = 0,
    size: int = PAGE,
) -> Ranking:  # fmt: skip
    """Services of a need, those that refuse the person last. Published facts alone; `viewer` is asked nothing here.

    `only`: of these services, to explain one that the worker missed.
    """
    areas = {name: code for code, name in Borough.objects.values_list("code", "name")}
    city = str(getattr(connection.tenant, "name", ""))
    values = _values(wanted, now, areas, city) | {"offset": offset, "size": size}
    values["only"] = None if only is None else list(only)
    with connection.cursor() as cursor:
        cursor.execute(_RANK, values)
        rows = cursor.fetchall()
    counts = rows[0][-3:] if rows else _counts(values) if offset else (0, 0, 0)
    totals = dict(zip((Answer.YES, Answer.ASK, Answer.NO), counts, strict=True))
    return Ranking(tuple(_candidate(wanted, row, areas, city) for row in rows), totals)


def differences(one: Candidate, other: Candidate) -> list[tuple[str, int]]:
    """Why `one` stands before or behind `other`: each reason in which they differ, with what it is worth."""
    mine, theirs = dict(one.points), dict(other.points)
    found = [(code, mine.get(code, 0) - theirs.get(code, 0)) for code in {**mine, **theirs}]
    return sorted(((code, worth) for code, worth in found if worth), key=lambda pair: -abs(pair[1]))


# -- what the statement is asked --------------------------------------------------------------------------------------


def _values(wanted: Wanted, now: dt.datetime, areas: dict[str, str], city: str) -> dict[str, Any]:
    known = wanted.known
    values: dict[str, Any] = {
        "need": str(wanted.need), "now": now, "fresh": now - FRESH_CAPACITY, "lon": None, "lat": None, "scale": 1.0,
        "words": "&".join([quoted(fact("k", "service")), _any_term(wanted.terms)]) if wanted.terms
        else quoted(fact("k", "service")),
        "youngest": known.youngest, "oldest": known.oldest, "borough": known.borough, "city": city,
        "here": [name for name, code in areas.items() if code == known.borough] if known.borough else [],
        "areas": list(areas), "everyone": [fact("a", code) for code in EVERYONE],
        "ages": [fact("a", code) for code in eligibility.AGES],
        "coded": [fact("a", code) for code in {*AUDIENCES, *EVERYONE, *eligibility.AGES}],
        "languages": [fact("l", tag) for tag in wanted.languages],
        "times": _times(wanted.times, now), "asks_times": bool(wanted.times),
        **{f"band_{code}": reach for code, reach in BANDS}, **{f"p_{code}": worth for code, worth in POINTS.items()},
    }  # fmt: skip
    for kind in eligibility.KINDS:
        codes = eligibility.of_kind(kind)
        values[f"{kind}_all"] = [fact("a", code) for code in codes]
        for answer in (Answer.YES, Answer.ASK):
            held = [code for code in codes if eligibility.belongs(code, known) is answer]
            values[f"{kind}_{answer}"] = [fact("a", code) for code in held]
    home = Borough.objects.filter(code=known.borough).values_list("longitude", "latitude").first()
    if home and known.borough:
        values["lon"], values["lat"] = home
    return values


def _any_term(terms: Sequence[uuid.UUID]) -> str:
    return f"({'|'.join(quoted(fact('u', term)) for term in terms)})"


_PARTS: dict[str, tuple[dt.time, dt.time]] = {
    "morning": (dt.time(8), dt.time(12)), "afternoon": (dt.time(13), dt.time(17)),
    "evening": (dt.time(17, 30), dt.time(21)), "weekend": (dt.time(9), dt.time(17)),
}  # fmt: skip


def _times(times: Times, now: dt.datetime) -> str:
    """The wished part of each of the coming seven days, as PostgreSQL writes a multirange of instants."""
    if not times:
        return "{}"
    zone = ZoneInfo(getattr(connection.tenant, "timezone", "") or "UTC")
    today = now.astimezone(zone).date()
    days = [today + dt.timedelta(days=number) for number in range(1, 8)]
    wished = [day for day in days if (day.weekday() >= 5) == (times == "weekend")]
    opens, closes = _PARTS[times]
    spans = [(at(day, opens, zone), at(day, closes, zone)) for day in wished]
    return "{" + ",".join(f"[{a.isoformat()},{b.isoformat()})" for a, b in spans if a and b) + "}"


def _counts(values: dict[str, Any]) -> tuple[int, int, int]:
    """The totals of a page behind the last one."""
    with connection.cursor() as cursor:
        cursor.execute(_RANK, values | {"offset": 0, "size": 1})
        row = cursor.fetchone()
    return row[-3:] if row else (0, 0, 0)


# Kinds of audience: a service that names none of a kind asks nothing of it; of those that it names one is enough.
_KIND = """CASE WHEN NOT facts && %({kind}_all)s::text[] OR facts && %({kind}_yes)s::text[] THEN 0
        WHEN facts && %({kind}_ask)s::text[] THEN 1 ELSE 2 END"""

# `l.facets` and not `l.words`: a few short lines beside hundreds of stems. Names are read for the page alone.
_RANK = f"""
    WITH found AS MATERIALIZED (
        SELECT l.object_id, l.organization_id, l.latitudes, l.longitudes,
            string_to_array(l.facets, chr(10)) AS facts
        FROM directory_listing l
        WHERE l.words @@ %(words)s::tsquery AND l.sort_name < '1'
            AND (%(only)s::uuid[] IS NULL OR l.object_id = ANY(%(only)s::uuid[]))
    ), area AS (
        SELECT service_id, bool_or(name = ANY(%(here)s::text[]) OR name = %(city)s) AS inside,
            bool_or(name = %(city)s) AS everywhere, bool_and(name = ANY(%(areas)s::text[])) AS clear,
            array_agg(name) AS names
        FROM directory_servicearea WHERE missing_since IS NULL AND service_id IS NOT NULL GROUP BY service_id
    ), room AS (
        SELECT DISTINCT ON (service_id) service_id, available FROM directory_servicecapacity
        WHERE missing_since IS NULL AND updated >= %(fresh)s ORDER BY service_id, updated DESC
    ), judged AS (
        SELECT f.*, s.minimum_age, s.maximum_age, s.status = 'temporarily closed' AS shut, area.names, room.available,
            s.interpretation_services <> '' AS interpreted,
            s.eligibility_description <> '' AND s.minimum_age IS NULL AND s.maximum_age IS NULL
                AND position('=a=' in array_to_string(facts, ' ')) = 0 AS in_words,
            facts && %(languages)s::text[] AS speaks,
            CASE WHEN %(asks_times)s THEN coalesce(o.open_times && %(times)s::tstzmultirange, false) END AS fits,
            (SELECT min(sqrt(((p.lon - %(lon)s::float) * cos(radians((p.lat + %(lat)s::float) / 2))) ^ 2
                + (p.lat - %(lat)s::float) ^ 2)) * {METRES_PER_DEGREE}
                FROM unnest(f.latitudes, f.longitudes) AS p(lat, lon)) AS metres,
            greatest(
                CASE WHEN s.minimum_age IS NULL AND s.maximum_age IS NULL
                        THEN (facts && %(ages)s::text[])::int
                    WHEN %(youngest)s::int IS NULL OR %(oldest)s::int IS NULL THEN 1
                    WHEN %(oldest)s::int < s.minimum_age OR %(youngest)s::int > s.maximum_age THEN 2
                    WHEN %(youngest)s::int < s.minimum_age OR %(oldest)s::int > s.maximum_age THEN 1 ELSE 0 END,
                CASE WHEN facts && %(everyone)s::text[] THEN 0 ELSE {_KIND.format(kind="status")} END,
                {_KIND.format(kind="gender")},
                {_KIND.format(kind="family")},
                EXISTS (SELECT FROM unnest(facts) AS each
                    WHERE starts_with(each, '=a=') AND each <> ALL(%(coded)s::text[]))::int,
                CASE WHEN area.service_id IS NULL OR area.inside THEN 0
                    WHEN NOT area.clear OR %(borough)s = '' THEN 1 ELSE 2 END
            ) AS coded
        FROM found f JOIN directory_service s ON s.id = f.object_id
        LEFT JOIN directory_opening o ON o.object_id = f.object_id
        LEFT JOIN area ON area.service_id = f.object_id
        LEFT JOIN room ON room.service_id = f.object_id
    ), scored AS (
        SELECT *, greatest(coded, in_words::int) AS answer FROM judged
    ), page AS (
        SELECT *, (answer = 0)::int * %(p_eligible)s
            + CASE WHEN speaks THEN %(p_speaks)s WHEN interpreted THEN %(p_interpreter)s ELSE 0 END
            + CASE WHEN metres <= %(band_on_foot)s THEN %(p_on_foot)s WHEN metres <= %(band_near)s THEN %(p_near)s
                WHEN metres <= %(band_in_town)s THEN %(p_in_town)s ELSE 0 END
            + coalesce(fits, false)::int * %(p_fits_times)s
            + CASE WHEN available > 0 THEN %(p_room)s WHEN available = 0 THEN %(p_full)s ELSE 0 END
            + shut::int * %(p_closed_now)s AS score,
            count(*) FILTER (WHERE answer = 0) OVER () AS yes, count(*) FILTER (WHERE answer = 1) OVER () AS ask,
            count(*) FILTER (WHERE answer = 2) OVER () AS no
        FROM scored
        ORDER BY answer = 2, score DESC, md5(object_id::text || %(need)s), object_id
        LIMIT %(size)s OFFSET %(offset)s
    )
    SELECT page.object_id, page.organization_id, s.name, coalesce(g.name, ''), page.minimum_age, page.maximum_age,
        page.facts, page.names, page.in_words, page.interpreted, page.metres, page.fits, page.available, s.wait_time,
        page.shut, page.yes, page.ask, page.no
    FROM page JOIN directory_service s ON s.id = page.object_id
    LEFT JOIN orgs_organization g ON g.id = page.organization_id
    ORDER BY page.answer = 2, page.score DESC, md5(page.object_id::text || %(need)s), page.object_id
"""


# -- what comes back --------------------------------------------------------------------------------------------------


def _candidate(wanted: Wanted, row: tuple[Any, ...], areas: dict[str, str], city: str) -> Candidate:
    (service, organization, name, by, low, high, facts, names, in_words, interpreted, metres, fits, available, wait,
     shut, *_) = row  # fmt: skip
    asked = Conditions(low, high, frozenset(_values_of(facts, "a")), *_areas(names, areas, city), words=in_words)
    verdict = eligibility.judge(asked, wanted.known)
    spoken = set(_values_of(facts, "l"))
    speaks = tuple(tag for tag in wanted.languages if tag in spoken)
    codes = [
        "eligible" if verdict.answer is Answer.YES else "",
        "speaks" if speaks else "interpreter" if interpreted else "",
        next((code for code, reach in BANDS if metres is not None and metres <= reach), ""),
        "fits_times" if fits else "",
        "" if available is None else "room" if available > 0 else "full",
        "closed_now" if shut else "",
    ]
    return Candidate(
        service, organization, name, by, verdict, speaks, interpreted, metres, fits, available, wait,
        tuple((code, POINTS[code]) for code in codes if code),
    )  # fmt: skip


def _values_of(facts: Sequence[str], code: str) -> list[str]:
    start = fact(code, "x")[:-1]
    return [each[len(start) :] for each in facts if each.startswith(start)]


def _areas(names: list[str] | None, areas: dict[str, str], city: str) -> tuple[frozenset[str] | None, bool]:
    """(borough codes, whether some name is no borough's); the whole city is no condition."""
    if names is None or city in names:
        return None, False
    codes = frozenset(areas[name] for name in names if name in areas)
    return codes, any(name not in areas for name in names)
