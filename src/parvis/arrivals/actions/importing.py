"""A list becomes files: all of it in one transaction, or nothing. A task, with its progress beside the transaction.

A worker that is killed leaves nothing behind; the sweep takes the import up again. Whoever asked for it is who acts.
"""

import datetime as dt
import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import Denied
from parvis.arrivals import queries
from parvis.arrivals.actions.board import announced, tell_plans
from parvis.arrivals.actions.manifests import held, paper_index
from parvis.arrivals.models import Arrival, ImportProgress, Manifest, ManifestRow, PaperEnd
from parvis.arrivals.staging import Staging
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson, Opened
from parvis.cases.models import Household, HouseholdMember
from parvis.cases.queries import granted
from parvis.core import manifest as lists
from parvis.core.access import DataClass
from parvis.kit.acting import acting, acting_as_system
from parvis.kit.jobs import alone, enqueue
from parvis.ledger.actions import Entry, record, record_many
from parvis.plans.deriving import arriving

log = logging.getLogger("parvis.arrivals")

MOST_ATTEMPTS = 3
OUTCOME, DECISION = ManifestRow.Outcome, ManifestRow.Decision

Say = Callable[[str, int, int], None]


# -- asking -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask(manifest: Manifest, *, by: User, version: int | None = None, queue: bool = True) -> None:
    """Have a list imported by the worker. Raises Denied, Refused while rows wait for a person's decision."""
    now = held(manifest, by, version, "arrivals.manifest.asked")
    undecided = now.rows.filter(queries.UNDECIDED).count()
    if undecided:
        raise Refused(_("Of some rows nobody has said whether they are somebody who has a file: decide these first."))
    if not now.rows.exists():
        raise Refused(_("This list is empty."))
    now.state, now.asked_by, now.asked_at = Manifest.State.IMPORTING, by, timezone.now()
    now.version += 1
    now.save(update_fields=["state", "asked_by", "asked_at", "version"])
    ImportProgress.objects.update_or_create(
        pk=now.pk,
        defaults={"step": "", "done": 0, "total": now.rows.count(), "attempts": 0, "changed_at": timezone.now()},
    )
    if queue:
        enqueue(import_task, manifest=str(now.pk))
    record("arrivals.manifest.asked", now, by=by)


def import_task(manifest: str) -> None:
    """The task, and what the sweep calls: import one list unless somebody is at it, or it is done."""
    with alone(f"{connection.schema_name}:arrivals:{manifest}") as mine:
        if not mine:
            return
        with acting_as_system(), transaction.atomic():
            found = Manifest.objects.select_related("asked_by").get(pk=manifest)
        by = found.asked_by
        if found.state != Manifest.State.IMPORTING or by is None:
            return
        progress = _Beside(found)
        if progress.attempt() > MOST_ATTEMPTS:
            _back(found, by)
            return
        try:
            with acting(by):
                run(found, by=by, say=progress.say)
        except (Refused, Denied) as refused:
            log.warning("list %s was not imported: %s", manifest, refused)
            _back(found, by)


@transaction.atomic
def _back(manifest: Manifest, by: User) -> None:
    """What could not be imported is to be looked at again."""
    with acting_as_system():
        now = Manifest.objects.select_for_update().get(pk=manifest.pk)
        now.state = Manifest.State.READ
        now.save(update_fields=["state"])
        record("arrivals.manifest.failed", now, by=by)


def take_up(now: dt.datetime) -> None:
    """The sweep: imports whose worker died are begun again. What is being imported holds its lock."""
    with acting_as_system(), transaction.atomic():
        waiting = Manifest.objects.filter(
            state=Manifest.State.IMPORTING, asked_at__lt=now - dt.timedelta(seconds=30)
        ).values_list("pk", flat=True)
        keys = [str(key) for key in waiting]
    for key in keys:
        import_task(key)


class _Beside:
    """Progress on a connection of its own, so that it is seen before the import's transaction ends."""

    def __init__(self, manifest: Manifest) -> None:
        self.key = manifest.pk
        self.schema = connection.schema_name

    def _write(self, statement: str, values: Sequence[Any]) -> Any:
        with connection.Database.connect(**connection.get_connection_params()) as other:
            other.execute(f'SET search_path = "{self.schema}", public')
            return other.execute(statement, values).fetchone()

    def attempt(self) -> int:
        row = self._write(
            "UPDATE arrivals_importprogress SET attempts = attempts + 1, done = 0, changed_at = now() WHERE id = %s"
            " RETURNING attempts",
            [self.key],
        )
        return int(row[0]) if row else 1

    def say(self, step: str, done: int, total: int) -> None:
        self._write(
            "UPDATE arrivals_importprogress SET step = %s, done = %s, total = %s, changed_at = now() WHERE id = %s"
            " RETURNING 1",
            [step, done, total, self.key],
        )


def _silent(step: str, done: int, total: int) -> None:
    pass


# -- doing ------------------------------------------------------------------------------------------------------------


@dataclass
class _Home:
    """A household of the list: rows that become new people, and rows that are somebody already."""

    new: list[tuple[ManifestRow, lists.Arriving]] = field(default_factory=list)
    known: list[tuple[ManifestRow, lists.Arriving]] = field(default_factory=list)


@transaction.atomic
def run(manifest: Manifest, *, by: User, say: Say = _silent) -> dict[str, int]:
    """Import a list that was asked for; returns how its rows ended. All or nothing.

    Raises Refused when it is not (or no longer) to be imported, Denied.
    """
    now = Manifest.objects.select_for_update().get(pk=manifest.pk)
    if now.state != Manifest.State.IMPORTING:
        raise Refused(_("This list is no longer being prepared."))
    today = timezone.localdate()
    staging = Staging(now)
    rows = list(now.rows.order_by("group", "place"))
    say("reading", 0, len(rows))
    homes = _sorted_out(rows, staging, by)
    households = _of_known(homes)
    creating = [home for home in homes if home.new and not home.known]
    say("people", 0, len(rows))
    opened = people.open_households(
        [_new_household(now, home, today) for home in creating], by=by, tell=False,
        progress=lambda done: say("people", done, len(rows)),
    )  # fmt: skip
    entries: list[Entry] = list(people.opening_events(opened))
    expected: list[tuple[Household, uuid.UUID, list[lists.Arriving]]] = []
    ends: list[PaperEnd] = []
    for home, one in zip(creating, opened, strict=True):
        _created(home.new, one, ends)
        expected.append((one.household, one.people[0].pk, [person for _, person in home.new]))
    for home in homes:
        if home.known:
            entries += _joined(now, home, households, expected, ends, by, today)
    PaperEnd.objects.bulk_create(ends, batch_size=2000)
    say("arrivals", len(rows), len(rows))
    arrivals, told = announced(expected, now)
    say("ledger", len(rows), len(rows))
    _store_ends(rows)
    counts = dict(Counter(row.outcome for row in rows))
    now.state, now.counts, now.cells, now.ended_at = Manifest.State.IMPORTED, counts, None, timezone.now()
    now.version += 1
    now.save()
    entries += told
    entries.append(Entry("arrivals.manifest.imported", "arrivals.manifest", now.pk, None, counts))
    with arriving({each.household_id: timezone.localdate(each.expected_at) for each in arrivals}):
        record_many(entries, by=by)
    tell_plans(arrivals, by=by)  # of those who had a plan before
    return counts


def _sorted_out(rows: Sequence[ManifestRow], staging: Staging, by: User) -> list[_Home]:
    """Where each row goes; rows that end here have their outcome."""
    same = {row.same_as for row in rows if row.decision == DECISION.SAME}
    writable = set(
        granted(by, DataClass.IDENTITY, writes=True).filter(person_id__in=same).values_list("person_id", flat=True)
    )
    homes: dict[int, _Home] = defaultdict(_Home)
    for row in rows:
        person = staging.person(row)
        if row.decision == DECISION.SKIP:
            row.outcome, row.why = OUTCOME.SKIPPED, "not_wanted"
        elif person.refused:
            row.outcome, row.why = OUTCOME.REFUSED, person.refused
        elif row.decision == DECISION.SAME and row.same_as not in writable:
            row.outcome, row.why = OUTCOME.REFUSED, "hidden"
        elif row.decision == DECISION.SAME:
            homes[row.group].known.append((row, person))
        else:
            homes[row.group].new.append((row, person))
    return list(homes.values())


def _of_known(homes: Iterable[_Home]) -> dict[uuid.UUID, Household]:
    """The present household of everybody whom the list names and who was there already."""
    persons = [row.same_as for home in homes for row, _ in home.known]
    return {
        member.person_id: member.household
        for member in HouseholdMember.objects.filter(person_id__in=persons, until=None).select_related("household")
    }


def _new_household(manifest: Manifest, home: _Home, today: dt.date) -> NewHousehold:
    members = [
        _new_person(person, manifest, lists.relation_of(person, head=place == 0, today=today))
        for place, (_, person) in enumerate(home.new)
    ]
    address = next((person.address for _, person in home.new if person.address), "")
    return NewHousehold(
        holder=manifest.holder_id, members=members, opened_on=today, more={"lead_worker": None},
        address=address, lodging=manifest.defaults.get("lodging", "hotel") if address else "",
    )  # fmt: skip


def _new_person(person: lists.Arriving, manifest: Manifest, relation: str) -> NewPerson:
    return NewPerson(
        name=person.name, name_latin=person.name_latin, relation=relation, gender=person.gender or "unknown",
        birth_date=person.birth_date, birth_year=person.birth_year, language=person.language, phone=person.phone,
        stream=manifest.defaults.get("stream", ""),
    )  # fmt: skip


def _created(members: Sequence[tuple[ManifestRow, lists.Arriving]], one: Opened, ends: list[PaperEnd]) -> None:
    for (row, person), made in zip(members, one.people, strict=True):
        row.outcome, row.became, row.household = OUTCOME.CREATED, made.pk, one.household.pk
        _keep_end(row, person, ends)


def _keep_end(row: ManifestRow, person: lists.Arriving, ends: list[PaperEnd]) -> None:
    if person.document_end and row.became:
        ends.append(PaperEnd(person_id=row.became, end=paper_index(row.holder_id, person.document_end)))


def _joined(
    manifest: Manifest,
    home: _Home,
    households: dict[uuid.UUID, Household],
    expected: list[tuple[Household, uuid.UUID, list[lists.Arriving]]],
    ends: list[PaperEnd],
    by: User,
    today: dt.date,
) -> list[Entry]:
    """People who are there already stay where they are; who comes with them joins the household of the first."""
    entries = []
    of_rows: dict[uuid.UUID, list[lists.Arriving]] = defaultdict(list)
    for row, person in home.known:
        living = households.get(row.same_as) if row.same_as else None
        row.outcome, row.became, row.household = OUTCOME.JOINED, row.same_as, living.pk if living else None
        _keep_end(row, person, ends)
        if living:
            of_rows[living.pk].append(person)
        entries.append(Entry("arrivals.row.joined", "cases.person", row.same_as, None, {"list": manifest.pk}))  # type: ignore[arg-type]
    living = next((households[row.same_as] for row, _ in home.known if row.same_as in households), None)
    if living is None:  # somebody without a household: who came along founds one
        if home.new:
            opened = people.open_households([_new_household(manifest, home, today)], by=by, tell=False)
            _created(home.new, opened[0], ends)
            entries += people.opening_events(opened)
            expected.append((opened[0].household, opened[0].people[0].pk, [person for _, person in home.new]))
        return entries
    if home.new:
        inside = NewHousehold(holder=living.holder_id, members=[], opened_on=today)
        more = [
            (living, _new_person(person, manifest, lists.relation_of(person, head=False, today=today)), inside)
            for _, person in home.new
        ]
        made = people.add_people(more, by)
        _created(home.new, Opened(living, made), ends)
        of_rows[living.pk] += [person for _, person in home.new]
        entries.append(Entry("cases.household.added", "cases.household", living.pk, None, {"members": len(made)}))
        entries += [
            Entry("cases.person.opened", "cases.person", one.pk, None, {"household": living.pk}) for one in made
        ]
    heads = dict(
        HouseholdMember.objects.filter(household__in=of_rows, until=None, relation="head").values_list(
            "household_id", "person_id"
        )
    )
    known = {each.pk: each for each in households.values()}
    expected += [(known[key], heads[key], persons) for key, persons in of_rows.items() if key in heads]
    return entries


_ENDED = """
    UPDATE arrivals_manifestrow AS r SET outcome = e.outcome, why = e.why, became = e.became, household = e.household,
        content = CASE WHEN e.outcome IN ('created', 'joined') THEN NULL ELSE r.content END
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::uuid[]) AS e (id, outcome, why, became, household)
    WHERE r.id = e.id
"""


def _store_ends(rows: Sequence[ManifestRow]) -> None:
    """Where every row ended. What is in a file now is no longer kept in the list."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ENDED,
            [
                [row.pk for row in rows],
                [row.outcome for row in rows],
                [row.why for row in rows],
                [row.became for row in rows],
                [row.household for row in rows],
            ],
        )


# -- forgetting -------------------------------------------------------------------------------------------------------


def forget(found: Any) -> int:
    """The purge of lists: rows, cells and key. Files that came of them stay."""
    keys = list(found.values_list("pk", flat=True))
    ManifestRow.objects.filter(manifest__in=keys).delete()
    Arrival.objects.filter(manifest__in=keys).update(manifest=None)
    ImportProgress.objects.filter(pk__in=keys).delete()
    Manifest.objects.filter(pk__in=keys).delete()
    return len(keys)
