"""What the public reads of one service or organization: its published document, in the reader's language.

The page is made of the same rendered HSDS document as the API's answer, plus what HSDS has no word for: opening
state, who confirmed it, in which language each text is.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from parvis.core import language as tongues
from parvis.core.hours import Day, Hours, Rule, State
from parvis.directory.models import Document, Doubt, Listing, Schedule, Service, Tombstone, Verification
from parvis.orgs.models import Organization
from parvis.places.models import Borough
from parvis.words.queries import Shown, render

#: Fields that hold words for people: shown in the reader's language when a translation exists.
SAID = frozenset({
    "name", "alternate_name", "description", "application_process", "fees_description", "wait_time", "accreditations",
    "licenses", "eligibility_description", "interpretation_services", "alert", "transportation", "details", "document",
    "amount_description", "option", "note", "title", "department", "attention", "label",
})  # fmt: skip
#: Objects whose `name` is a name and not a sentence: never translated.
NAMES = frozenset({"languages", "unit", "contacts", "organization_identifiers"})
#: Texts long enough to carry a mark of their own; what they are in is said at the top of the page.
_BLOCKS = ("description", "application_process", "fees_description", "eligibility_description", "wait_time", "alert")

#: How many days ahead a page says what is other than usual, and how many spells at most.
LOOK_AHEAD, MOST_SPELLS = 42, 6

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gone:
    """What stood at an identifier: `merged_into` says what it has become, if it did."""

    reason: str
    at: dt.datetime
    merged_into: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    at: dt.datetime
    by: str
    means: str


@dataclass(frozen=True, slots=True)
class Spell:
    """Days in a row, `first` to `last`, that are other than usual in the same way: as `day` is."""

    first: dt.date
    last: dt.date
    day: Day


@dataclass(slots=True)
class Place:
    """One location of a service or organization, with what holds there."""

    location: Json
    description: Shown | None = None
    phones: list[Json] = field(default_factory=list)
    contacts: list[Json] = field(default_factory=list)
    hours: Hours | None = None
    state: State | None = None
    week: list[Day] = field(default_factory=list)
    coming: list[Spell] = field(default_factory=list)  # days of the next weeks that are other than usual
    notes: list[str] = field(default_factory=list)  # what is said beside the usual hours

    @property
    def addresses(self) -> list[Json]:
        return self.location.get("addresses", [])

    @property
    def title(self) -> str:
        """What the place is called in a word: its name, else its street."""
        name = self.location.get("name")
        return str(name.text if isinstance(name, Shown) else name or next((a["address_1"] for a in self.addresses), ""))

    @property
    def has_point(self) -> bool:
        return self.location.get("latitude") is not None and self.location.get("longitude") is not None


@dataclass(slots=True)
class Published:
    """A service or an organization as its page shows it."""

    kind: str
    id: uuid.UUID
    data: Json
    places: list[Place]
    own: Place  # what the service says of itself, without a place
    state: State | None
    confirmed: Confirmed | None
    boroughs: list[str]
    origins: frozenset[str]  # of the texts on the page: source, human, machine, reviewed, stale
    services: list[Json] = field(default_factory=list)
    terms: list[Shown] = field(default_factory=list)
    missing_since: dt.datetime | None = None
    doubted_since: dt.datetime | None = None  # nobody answers for it any more
    parts: list[tuple[str, dt.datetime]] = field(default_factory=list)  # kinds of facts confirmed later than the whole


def gone(kind: str, object_id: uuid.UUID) -> Gone | None:
    """What became of an identifier that answers no more."""
    stone = Tombstone.objects.filter(kind=kind, object_id=object_id).first()
    return Gone(stone.reason, stone.at, stone.merged_into) if stone else None


def service(object_id: uuid.UUID, *, language: str, now: dt.datetime | None = None) -> Published | None:
    """A published service, or None. Six queries whatever its size."""
    data = _document("service", object_id)
    if data is None:
        return None
    links = data.get("service_at_locations", [])
    rows = list(
        Schedule.objects.filter(missing_since=None).filter(
            Q(service=object_id)
            | Q(service_at_location__in=[link["id"] for link in links])
            | Q(location__in=[link["location"]["id"] for link in links if "location" in link])
        )
    )
    origins = _say(data, language)
    zone, now = _zone(), now or timezone.now()
    own_rows = [row for row in rows if row.service_id == object_id]
    places = []
    for link in links:
        location = link.get("location")
        if not location:
            continue
        here = (
            [row for row in rows if str(row.service_at_location_id) == link["id"]]
            or own_rows
            or [row for row in rows if str(row.location_id) == location["id"]]
        )
        place = Place(
            location,
            link.get("description"),
            phones=[*link.get("phones", []), *location.get("phones", [])],
            contacts=[*link.get("contacts", []), *location.get("contacts", [])],
        )
        _open(place, here, zone, now)
        places.append(place)
    for capacity in data.get("capacities", []):
        capacity["counted_at"] = dt.datetime.fromisoformat(capacity["updated"]) if capacity.get("updated") else None
    own = Place({}, phones=data.get("phones", []), contacts=data.get("contacts", []))
    if not any(place.hours for place in places):
        _open(own, own_rows, zone, now)
    return Published(
        "service",
        object_id,
        data,
        places,
        own,
        best_state([place.state for place in [*places, own]]),
        _confirmed("service", object_id, data),
        _boroughs(object_id),
        origins,
        terms=_terms(data),
        missing_since=_missing_since(Service, object_id),
        doubted_since=_doubted_since("service", object_id),
        parts=_parts("service", object_id),
    )


def organization(object_id: uuid.UUID, *, language: str, now: dt.datetime | None = None) -> Published | None:
    """A published organization with its services (short), or None."""
    data = _document("organization", object_id)
    if data is None:
        return None
    items = Document.objects.filter(kind="service", organization_id=object_id).values_list("item", flat=True)
    services = [json.loads(item) for item in items]
    rows = list(
        Schedule.objects.filter(
            missing_since=None, location__in=[location["id"] for location in data.get("locations", [])]
        )
    )
    origins = _say({"organization": data, "services": services}, language)
    zone, now = _zone(), now or timezone.now()
    places = []
    for location in data.get("locations", []):
        place = Place(location, phones=location.get("phones", []), contacts=location.get("contacts", []))
        _open(place, [row for row in rows if str(row.location_id) == location["id"]], zone, now)
        places.append(place)
    services.sort(key=lambda item: str(item["name"].text).casefold())
    return Published(
        "organization",
        object_id,
        data,
        places,
        Place({}, phones=data.get("phones", []), contacts=data.get("contacts", [])),
        None,
        _confirmed("organization", object_id, data),
        _boroughs(object_id),
        origins,
        services=services,
        terms=_terms(data),
        missing_since=_missing_since(Organization, object_id),
        doubted_since=_doubted_since("organization", object_id),
    )


def best_state(states: Iterable[State | None]) -> State | None:
    """The friendliest of several opening states: open somewhere beats opening soon beats closed."""
    order = ("always", "open", "opens", "closed", "unknown")
    known = [state for state in states if state is not None]
    if not known:
        return None
    kind = min((state.kind for state in known), key=order.index)
    same = [state for state in known if state.kind == kind]
    if kind == "open":
        return max(same, key=lambda state: state.until or dt.datetime.min.replace(tzinfo=dt.UTC))
    if kind == "opens":
        return min(same, key=lambda state: state.opens or dt.datetime.max.replace(tzinfo=dt.UTC))
    return same[0]


def is_free(data: Json) -> bool | None:
    """Whether a service costs nothing: True, False, or None when nobody says."""
    amounts = [option.get("amount") for option in data.get("cost_options", [])]
    if amounts:
        return all(amount is not None and float(amount) == 0 for amount in amounts)
    return None


def spoken_in(data: Json) -> list[str]:
    """Codes of the languages that a service is given in, each once, in the order of the document."""
    codes: dict[str, None] = {}
    for one in data.get("languages", []):
        code = one.get("code") or tongues.from_name(str(one.get("name", ""))) or str(one.get("name", ""))
        if code:
            codes.setdefault(code)
    return list(codes)


def name_of(kind: str, object_id: uuid.UUID, *, language: str) -> Shown | None:
    """What a published object is called, for pages about it; None when it is not published."""
    text = Document.objects.filter(kind=kind, object_id=object_id).values_list("item", flat=True).first()
    if text is None:
        return None
    name = json.loads(text)["name"]
    return render([name], language)[name]


def _terms(data: Json) -> list[Shown]:
    """The names of the taxonomy terms of a document, each once."""
    names = [one["taxonomy_term"]["name"] for one in data.get("attributes", []) if "taxonomy_term" in one]
    return list({name.text: name for name in names}.values())


def _missing_since(model: type[Service] | type[Organization], object_id: uuid.UUID) -> dt.datetime | None:
    return model.objects.filter(pk=object_id).values_list("missing_since", flat=True).first()


def _document(kind: str, object_id: uuid.UUID) -> Json | None:
    text = Document.objects.filter(kind=kind, object_id=object_id).values_list("whole", flat=True).first()
    return json.loads(text) if text else None


def _zone() -> ZoneInfo:
    return timezone.get_current_timezone()  # type: ignore[return-value]


def _open(place: Place, rows: list[Schedule], zone: ZoneInfo, now: dt.datetime) -> None:
    if not rows:
        return
    place.hours = hours = Hours.of(rows, zone)
    today = now.astimezone(zone).date()
    monday = today - dt.timedelta(days=today.weekday())
    first = today
    if any(not rule.closed for rule in hours.rules):
        place.state, place.week = hours.state(now), hours.week(monday)
        first = monday + dt.timedelta(days=7)  # what is other than usual this week is in its table
        usual = [rule for rule in hours.rules if rule.freq and not rule.closed]
        place.notes = list(
            dict.fromkeys(rule.description for rule in usual if rule.description and _holds(rule, today))
        )
    days = hours.days(first, today + dt.timedelta(days=LOOK_AHEAD))
    place.coming = _spells(day for day in days if day.because is not None)[:MOST_SPELLS]


def _holds(rule: Rule, today: dt.date) -> bool:
    """Whether a row is not over: a summer's note is not for the winter."""
    return not any(end is not None and end < today for end in (rule.until, rule.valid_to))


def _spells(days: Iterable[Day]) -> list[Spell]:
    """Unusual days, those in a row and alike put together."""
    found: list[Spell] = []
    for day in days:
        last = found[-1] if found else None
        if last and day.date - last.last == dt.timedelta(days=1) and _alike(day, last.day):
            found[-1] = Spell(last.first, day.date, last.day)
        else:
            found.append(Spell(day.date, day.date, day))
    return found


def _alike(one: Day, other: Day) -> bool:
    return (one.because, one.sessions, one.cut) == (other.because, other.sessions, other.cut)


def _confirmed(kind: str, object_id: uuid.UUID, data: Json) -> Confirmed | None:
    last = Verification.objects.filter(object_type=kind, object_id=object_id, about="").order_by("-at").first()
    if last is not None:
        return Confirmed(last.at, last.by_name, last.means)
    assured = data.get("assured_date")
    if assured:
        # The source's own word: a day, without who. Noon, so that no time zone moves it to another day.
        day = dt.datetime.combine(dt.date.fromisoformat(assured[:10]), dt.time(12), tzinfo=_zone())
        return Confirmed(day, "", "source")
    return None


def _doubted_since(kind: str, object_id: uuid.UUID) -> dt.datetime | None:
    return Doubt.objects.filter(object_type=kind, object_id=object_id).values_list("since", flat=True).first()


def _parts(kind: str, object_id: uuid.UUID) -> list[tuple[str, dt.datetime]]:
    """Kinds of facts with a confirmation of their own, the newest of each that is newer than that of the whole."""
    found: dict[str, dt.datetime] = {}
    rows = Verification.objects.filter(object_type=kind, object_id=object_id).order_by("-at")
    for about, at in rows.values_list("about", "at")[:50]:
        if not about:
            break
        found.setdefault(about, at)
    return list(found.items())


def _boroughs(object_id: uuid.UUID) -> list[str]:
    codes = Listing.objects.filter(object_id=object_id).values_list("boroughs", flat=True).first()
    return list(Borough.objects.filter(code__in=codes or []).values_list("name", flat=True))


# -- languages ----------------------------------------------------------------------------------------------------


def _walk(data: Any, inside: str = "") -> Iterator[tuple[Json, str]]:
    """Every (object, key) whose value is words for people."""
    if isinstance(data, list):
        for one in data:
            yield from _walk(one, inside)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == "metadata":  # the history of a listing is not on its page
                continue
            if isinstance(value, str):
                if key in SAID and value and not (inside in NAMES and key == "name"):
                    yield data, key
            else:
                yield from _walk(value, key)


def _say(data: Json, language: str) -> frozenset[str]:
    """Put every text of the document into the reader's language, in one query; returns where the texts come from."""
    spots = list(_walk(data))
    shown = render({holder[key] for holder, key in spots}, language)
    origins = set()
    for holder, key in spots:
        said = shown[holder[key]]
        holder[key] = said
        if key in _BLOCKS and tongues.parse(said.language).language != tongues.parse(language).language:
            origins.add("source")
        elif said.stale:
            origins.add("stale")
        elif key in _BLOCKS:
            origins.add(said.origin if said.origin != "source" else "own")
    return frozenset(origins)
