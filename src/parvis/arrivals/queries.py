"""Reading lists, the board and how the office works today. First argument: the viewer."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from parvis.arrivals.models import Arrival, ImportProgress, Intake, Manifest, ManifestRow, MappingProfile, Surge
from parvis.arrivals.staging import Staging
from parvis.cases import rules as cases
from parvis.cases.models import Household, HouseholdMember, Person
from parvis.cases.queries import fetched, granted
from parvis.cases.vault import Vault
from parvis.core import manifest as lists
from parvis.core.access import DataClass
from parvis.kit.sealing import Unreadable

#: rows of which a person must decide before the list is imported
UNDECIDED = Q(decision="") & (~Q(candidates=[]) | Q(problems__contains=[["twin", "name"]]))


# -- lists ------------------------------------------------------------------------------------------------------------


def manifests(viewer: Any) -> QuerySet[Manifest]:
    found = Manifest.objects.filter(holder_id__in=cases.holders(viewer)).exclude(state=Manifest.State.DISCARDED)
    return found.select_related("by").defer("cells").order_by("-created_at")


def manifest(viewer: Any, pk: uuid.UUID) -> Manifest:
    """One list, or 404: the same for "not there" and "not yours"."""
    found = manifests(viewer).select_related("asked_by", "profile").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def profiles(viewer: Any) -> QuerySet[MappingProfile]:
    return MappingProfile.objects.filter(holder_id__in=cases.holders(viewer)).order_by("name")


def last_group(manifest: Manifest) -> int:
    return int(manifest.rows.aggregate(last=Max("group"))["last"] or 0)


@dataclass
class Line:
    """A row of a list as a page shows it."""

    row: ManifestRow
    person: lists.Arriving
    relation: str = ""
    candidates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def problems(self) -> tuple[lists.Problem, ...]:
        return self.person.problems


@dataclass
class Home:
    """A proposed household: its number in the list, why it is one, and its rows, head first."""

    number: int
    basis: str
    lines: list[Line]


PER_PAGE = 40  # households


def homes(manifest: Manifest, *, page: int = 1, only: str = "") -> tuple[list[Home], int]:
    """A page of proposed households and how many pages there are. `only`: "problems" or "decide"."""
    rows = manifest.rows.all()
    if only == "problems":
        rows = rows.exclude(problems=[])
    elif only == "decide":
        rows = rows.filter(~Q(candidates=[]) | Q(problems__contains=[["twin", "name"]]))
    groups = sorted(set(rows.values_list("group", flat=True)))
    chosen = groups[(page - 1) * PER_PAGE : page * PER_PAGE]
    found: dict[int, Home] = {}
    lines = _lines(manifest, manifest.rows.filter(group__in=chosen).order_by("group", "place"))
    for line in lines:
        home = found.setdefault(line.row.group, Home(line.row.group, line.row.basis, []))
        home.lines.append(line)
    return list(found.values()), max(1, -(-len(groups) // PER_PAGE))


def _lines(manifest: Manifest, rows: Iterable[ManifestRow]) -> list[Line]:
    try:
        staging: Staging | None = Staging(manifest)
    except Unreadable:
        staging = None
    today = timezone.localdate()
    found = []
    for row in rows:
        person = staging.person(row) if staging else lists.Arriving(row.number)
        relation = lists.relation_of(person, head=row.place == 0, today=today)
        found.append(Line(row, person, relation))
    return found


def to_decide(viewer: Any, manifest: Manifest, *, page: int = 1, size: int = 20) -> tuple[list[Line], int]:
    """Rows with likely duplicates, with these people beside them as far as the viewer may see each."""
    wanted = manifest.rows.filter(~Q(candidates=[]) | Q(problems__contains=[["twin", "name"]]))
    total = wanted.count()
    lines = _lines(manifest, wanted.order_by("number")[(page - 1) * size : page * size])
    ids = {uuid.UUID(one[0]) for line in lines for one in line.row.candidates}
    seen = set(granted(viewer, DataClass.IDENTITY).filter(person_id__in=ids).values_list("person_id", flat=True))
    people = Person.objects.in_bulk(seen)
    homes = {
        member.person_id: member.household
        for member in HouseholdMember.objects.filter(person_id__in=seen, until=None).select_related("household")
    }
    vault = Vault(people)
    for line in lines:
        for key, score, why in line.row.candidates:
            person = people.get(uuid.UUID(key))
            if person is not None:
                line.candidates.append(
                    {"person": person, "score": round(score * 100), "why": why, "home": homes.get(person.pk),
                     "birth_date": vault.open_date(person, "birth_date"),
                     "chosen": line.row.same_as == person.pk}
                )  # fmt: skip
    return lines, max(1, -(-total // size))


def tally(manifest: Manifest) -> dict[str, int]:
    """What a list holds, or what became of it."""
    rows = manifest.rows.all()
    outcomes = Counter(rows.exclude(outcome="").values_list("outcome", flat=True))
    return {
        "rows": rows.count(),
        "households": rows.values("group").distinct().count(),
        "problems": rows.exclude(problems=[]).count(),
        "undecided": rows.filter(UNDECIDED).count(),
        "likely": rows.exclude(candidates=[]).count(),
        **{code: outcomes.get(code, 0) for code in ("created", "joined", "skipped", "refused")},
    }


@dataclass(frozen=True)
class Ended:
    """Where a row ended: its number in the file, how, why, and the file it is in as far as the viewer may see it."""

    number: int
    outcome: str
    why: str
    problems: tuple[lists.Problem, ...]
    person: Person | None
    household: Household | None
    name: str


def ends(viewer: Any, manifest: Manifest, *, page: int = 0, size: int = 100) -> list[Ended]:
    """How the rows ended, in their order; all of them when `page` is 0."""
    rows = manifest.rows.order_by("number")
    if page:
        rows = rows[(page - 1) * size : page * size]
    kept = list(rows)
    seen = set(
        granted(viewer, DataClass.IDENTITY)
        .filter(person_id__in=[row.became for row in kept if row.became])
        .values_list("person_id", flat=True)
    )
    people = Person.objects.only("name", "name_latin").in_bulk(seen)
    houses = Household.objects.in_bulk({row.household for row in kept if row.household and row.became in seen})
    return [
        Ended(
            line.row.number, line.row.outcome, line.row.why, line.problems,
            people.get(line.row.became) if line.row.became else None,
            houses.get(line.row.household) if line.row.household else None,
            line.person.name,
        )
        for line in _lines(manifest, kept)
    ]  # fmt: skip


def progress(manifest: Manifest) -> ImportProgress | None:
    return ImportProgress.objects.filter(pk=manifest.pk).first()


def manifests_over(now: dt.datetime, days: int) -> QuerySet[Manifest]:
    """Lists kept long enough: so many days after they ended, or came and were left lying."""
    over = now - dt.timedelta(days=days)
    return Manifest.objects.filter(
        Q(ended_at__lt=over) | Q(ended_at=None, created_at__lt=over, state=Manifest.State.READ)
    ).order_by("pk")


# -- the board --------------------------------------------------------------------------------------------------------


def arrivals(viewer: Any, since: dt.datetime, until: dt.datetime, *, place: str = "") -> list[Arrival]:
    """Who arrives between two moments, as far as the viewer may see who they are. One query, by index."""
    seen = granted(viewer, DataClass.HOUSEHOLD)
    found = Arrival.objects.filter(
        expected_at__gte=since, expected_at__lt=until, person_id__in=seen.values("person_id")
    )
    if place:
        found = found.filter(place=place)
    return list(found.select_related("person", "household", "met_by").order_by("expected_at", "place", "household_id"))


def arrival(viewer: Any, pk: uuid.UUID) -> Arrival:
    """One arrival, or 404."""
    found = Arrival.objects.select_related("person", "household").filter(pk=pk).first()
    if found is None or not granted(viewer, DataClass.HOUSEHOLD).filter(person_id=found.person_id).exists():
        raise Http404
    return found


def of_household(household: uuid.UUID, persons: Iterable[uuid.UUID]) -> Arrival | None:
    """The latest arrival of a household that counts, if its head is among the persons whom the viewer may see."""
    counts = "household_id = %s AND person_id = ANY(%s) AND state <> %s"
    values = [household, list(persons), Arrival.State.CANCELLED.value]
    return next(iter(fetched(Arrival, counts, "expected_at DESC LIMIT 1", values)), None)


def day(on: dt.date, days: int = 1) -> tuple[dt.datetime, dt.datetime]:
    """The moments at which a local day begins and ends (`days`: that many days)."""
    zone = timezone.get_current_timezone()
    return (
        dt.datetime.combine(on, dt.time(), zone),
        dt.datetime.combine(on + dt.timedelta(days=days), dt.time(), zone),
    )


# -- the desk ---------------------------------------------------------------------------------------------------------


def surge() -> Surge | None:
    """The surge that holds now, or None. It names nobody: everybody may know how the office works today."""
    return next(iter(fetched(Surge, "ended_at IS NULL", "begun_at LIMIT 1", [], "begun_by")), None)


def unfinished(household: uuid.UUID, persons: Iterable[uuid.UUID]) -> Intake | None:
    """The short intake of a household of which the rest is still to be asked, with who received them."""
    short = "household_id = %s AND person_id = ANY(%s) AND completed_at IS NULL"
    return next(iter(fetched(Intake, short, "at LIMIT 1", [household, list(persons)], "by")), None)


def intake(household: uuid.UUID) -> Intake:
    """The short intake of a household that the viewer has been shown, or 404."""
    found = Intake.objects.filter(household_id=household).select_related("household").first()
    if found is None:
        raise Http404
    return found


def short_files(viewer: Any, size: int = 50) -> list[Intake]:
    """Files opened by the short intake of which the rest is still to be asked, the oldest first."""
    seen = granted(viewer, DataClass.HOUSEHOLD, writes=True).values("person_id")
    found = Intake.objects.filter(completed_at=None, person_id__in=seen, household__state="open")
    return list(found.select_related("person", "household", "by").order_by("at")[:size])
