"""A list is read, its columns corrected, its rows decided and put together: everything before anybody gets a file."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.arrivals import queries, rules
from parvis.arrivals.models import Manifest, ManifestRow, MappingProfile
from parvis.arrivals.reading import Sheet
from parvis.arrivals.staging import Staging
from parvis.cases.models import Person
from parvis.cases.queries import granted
from parvis.cases.vault import Vault
from parvis.core import manifest as lists
from parvis.core import names
from parvis.core.access import DataClass
from parvis.kit.sealing import blind
from parvis.kit.writing import update_rows
from parvis.ledger.actions import record

MOST_CANDIDATES = 20  # looked at, of one row
MOST_SHOWN = 3


# -- reading ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def bring(
    sheet: Sheet, *, holder: uuid.UUID, by: User, defaults: Mapping[str, Any] | None = None, profile: str = ""
) -> tuple[Manifest, bool]:
    """Take a list in. Returns it, and whether it is new: the same file is the same list, and changes nothing.

    defaults: what holds for all rows (see `core.manifest.read`; dates as ISO texts). profile: the name of a mapping;
    left out, one that knows these headings is used. Raises Denied, Refused (no header, no such profile).
    """
    require(rules.may_keep(by, holder), "arrivals.manifest.brought")
    with connection.cursor() as cursor:  # two people with one file: the second finds what the first has read
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{holder}{sheet.digest}"])
    known = Manifest.objects.filter(holder_id=holder, digest=sheet.digest).exclude(state=Manifest.State.DISCARDED)
    if found := known.first():
        return found, False
    layout = lists.find_layout(sheet.cells)
    kept = _profile(holder, profile, layout, sheet.cells)
    if layout is None and kept is None:
        raise Refused(_("No row of this list has headings that say “name” and something else: add them and try again."))
    layout = lists.with_order(layout or lists.Layout(0, (), ()), sheet.cells)
    if kept:
        layout = _by_profile(layout, kept)
    made = Manifest(holder_id=holder, digest=sheet.digest, name=sheet.name, by=by, profile=kept)
    made.layout, made.defaults = asdict(layout), dict(defaults or {})
    staging = Staging.begin(made)
    cells = lists.shortened(sheet.cells, layout)
    staging.put_cells(made, cells)
    made.save(force_insert=True)
    count = _stage(made, staging, cells, layout)
    record("arrivals.manifest.brought", made, by=by, after={"rows": count})
    return made, True


def layout_of(manifest: Manifest) -> lists.Layout:
    kept = manifest.layout
    return lists.Layout(kept["header"], tuple(kept["fields"]), tuple(kept["headings"]), kept["order"])


def _profile(
    holder: uuid.UUID, name: str, layout: lists.Layout | None, cells: Sequence[Sequence[Any]]
) -> MappingProfile | None:
    of_holder = MappingProfile.objects.filter(holder_id=holder)
    if name:
        found = of_holder.filter(name=name).first()
        if found is None:
            raise Refused(_("There is no profile of this name."))
        return found
    headings = {lists.plain(each) for each in layout.headings} - {""} if layout else set()
    return next(
        (each for each in of_holder.order_by("-saved_at") if headings and headings == set(each.headings) - {""}), None
    )


def _by_profile(layout: lists.Layout, profile: MappingProfile) -> lists.Layout:
    mapping = {
        column: profile.headings[lists.plain(heading)]
        for column, heading in enumerate(layout.headings)
        if lists.plain(heading) in profile.headings
    }
    return lists.remapped(layout, mapping, order=profile.day_order or layout.order)


@transaction.atomic
def remap(
    manifest: Manifest,
    mapping: Mapping[int, str],
    *,
    order: str,
    defaults: Mapping[str, Any],
    version: int,
    by: User,
    save_as: str = "",
) -> Manifest:
    """Read the list anew with corrected columns; `save_as`: keep the mapping under this name for the next list.

    Decisions stay with rows that are as likely as before to be the same people. Raises Denied, Refused.
    """
    now = held(manifest, by, version, "arrivals.manifest.remapped")
    layout = lists.remapped(layout_of(now), mapping, order=order)
    if not layout.has_names:
        raise Refused(_("One column must hold the name."))
    twice = [name for name in set(layout.fields) - {""} if layout.fields.count(name) > 1]
    if twice:
        raise Refused(_("Two columns can't be the same thing: leave one of them out."))
    staging = Staging(now)
    cells = lists.shortened(staging.cells(now), layout)  # what is a paper's number now is cut now
    staging.put_cells(now, cells)
    now.layout, now.defaults = asdict(layout), dict(defaults)
    if save_as.strip():
        now.profile = _save_profile(now.holder_id, save_as.strip()[:80], layout, by)
    now.version += 1
    now.save()
    decided = {row.number: row for row in now.rows.exclude(decision="")}
    count = _stage(now, staging, cells, layout, decided)
    record("arrivals.manifest.remapped", now, by=by, after={"rows": count, "profile": bool(save_as.strip())})
    return now


def _save_profile(holder: uuid.UUID, name: str, layout: lists.Layout, by: User) -> MappingProfile:
    headings = {
        lists.plain(heading): known
        for heading, known in zip(layout.headings, layout.fields, strict=True)
        if lists.plain(heading)
    }
    found, _made = MappingProfile.objects.update_or_create(
        holder_id=holder, name=name, defaults={"headings": headings, "day_order": layout.order, "by": by}
    )
    return found


def held(manifest: Manifest, by: User, version: int | None, action: str) -> Manifest:
    """The list, locked, if it may still be worked on. Raises Denied, Refused."""
    require(rules.may_keep(by, manifest.holder_id), action, manifest)
    now = Manifest.objects.select_for_update().get(pk=manifest.pk)
    if now.state != Manifest.State.READ:
        raise Refused(_("This list is no longer being prepared."))
    if version is not None and now.version != version:
        raise Refused(_("Somebody else changed this list meanwhile: look at it again."))
    return now


def defaults_of(manifest: Manifest) -> dict[str, Any]:
    """What holds for all rows, as the core reads it."""
    found = dict(manifest.defaults)
    if found.get("expected_on"):
        found["expected_on"] = dt.date.fromisoformat(found["expected_on"])
    if found.get("expected_time"):
        found["expected_time"] = dt.time.fromisoformat(found["expected_time"])
    return {name: value for name, value in found.items() if value}


def _stage(
    manifest: Manifest,
    staging: Staging,
    cells: Sequence[Sequence[Any]],
    layout: lists.Layout,
    decided: Mapping[int, ManifestRow] | None = None,
) -> int:
    """Write the rows anew: people, problems, households and likely duplicates. Returns how many."""
    ManifestRow.objects.filter(manifest=manifest).delete()
    people = lists.read(cells, layout, today=timezone.localdate(), defaults=defaults_of(manifest))
    likely = likely_duplicates(people, manifest.holder_id)
    rows = []
    for number, group in enumerate(lists.households(people), 1):
        for place, index in enumerate(group.members):
            person = people[index]
            row = ManifestRow(
                holder_id=manifest.holder_id, manifest=manifest, number=person.number, group=number, place=place,
                basis=group.basis, problems=[[each.code, each.field] for each in person.problems],
                candidates=likely.get(index, []),
            )  # fmt: skip
            before = (decided or {}).get(person.number)
            if before and before.candidates == row.candidates:
                row.decision, row.same_as = before.decision, before.same_as
            rows.append(staging.put_row(row, person))
    ManifestRow.objects.bulk_create(rows, batch_size=2000)
    return len(rows)


# -- likely duplicates ------------------------------------------------------------------------------------------------

#: For each row the people who share a pair of names, a name and the year of birth, or the end of a paper: by index,
#: never by comparing everybody with everybody
LIKELY = """
    SELECT place, person_id::text, sum(hits) FROM (
        SELECT asked.place, t.person_id, 1 AS hits
        FROM unnest(%(places)s::int[], %(tokens)s::bigint[]) AS asked (place, token)
        JOIN cases_searchtoken t ON t.grantee_id = %(holder)s AND t.token = asked.token
        UNION ALL
        SELECT asked.place, p.person_id, 4
        FROM unnest(%(with_paper)s::int[], %(ends)s::bigint[]) AS asked (place, token)
        JOIN arrivals_paperend p ON p."end" = asked.token
    ) AS found GROUP BY place, person_id ORDER BY place, sum(hits) DESC
"""


def paper_index(holder: uuid.UUID, end: str) -> int:
    return blind(f"paper|{holder}", end)


def asked_tokens(people: Sequence[lists.Arriving], holder: uuid.UUID) -> dict[str, Any]:
    """The parameters of LIKELY for rows of a list."""
    known: dict[str, int] = {}
    asked: dict[str, Any] = {"places": [], "tokens": [], "with_paper": [], "ends": [], "holder": holder}
    for place, row in enumerate(people):
        if not row.name:
            continue
        for token in names.blocks([row.name, row.name_latin] if row.name_latin else [row.name], row.birth_year):
            if token not in known:
                known[token] = blind(f"name|{holder}", token)
            asked["places"].append(place)
            asked["tokens"].append(known[token])
        if row.document_end:
            asked["with_paper"].append(place)
            asked["ends"].append(paper_index(holder, row.document_end))
    return asked


def likely_duplicates(people: Sequence[lists.Arriving], holder: uuid.UUID) -> dict[int, list[Any]]:
    """By place in the list: who of the holder's people a row may be, as [person id, likeness, reasons]."""
    with connection.cursor() as cursor:
        cursor.execute(LIKELY, asked_tokens(people, holder))
        found: dict[int, list[str]] = defaultdict(list)
        for place, person, _hits in cursor.fetchall():
            if len(found[place]) < MOST_CANDIDATES:
                found[place].append(person)
        wanted = {person for persons in found.values() for person in persons}
        ends: dict[str, set[int]] = defaultdict(set)
        cursor.execute(
            'SELECT person_id::text, "end" FROM arrivals_paperend WHERE person_id = ANY(%s::uuid[])', [list(wanted)]
        )
        for person, end in cursor.fetchall():
            ends[person].add(end)
    known = _known(wanted)
    alike: dict[int, list[Any]] = defaultdict(list)
    by_person: dict[str, list[int]] = defaultdict(list)
    for place, persons in found.items():
        for person in persons:
            by_person[person].append(place)
    for person, places in by_person.items():  # the names of each are heard once
        one, papers = known.get(person), ends.get(person)
        for place in places if one else ():
            row = people[place]
            same = bool(papers and row.document_end) and paper_index(holder, row.document_end) in papers
            likeness = lists.likeness(row, replace(one, document=True) if same else one)
            if likeness.score >= lists.LIKELY:
                alike[place].append([person, likeness.score, list(likeness.why)])
    return {
        place: sorted(alike[place], key=lambda each: (-each[1], each[0]))[:MOST_SHOWN]
        for place in found if alike[place]
    }  # fmt: skip


_COMPARED = """
    SELECT p.id::text, p.name, p.name_latin, p.birth_year, p.birth_date IS NOT NULL,
        (SELECT array_agg(n.text ORDER BY n.created_at, n.id) FROM cases_personname n WHERE n.person_id = p.id)
    FROM cases_person p WHERE p.id = ANY(%s::uuid[]) AND p.state <> 'mistake'
"""


def _known(wanted: Iterable[str]) -> dict[str, lists.Known]:
    """What people are compared by, of those whom the database shows to whoever acts."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARED, [list(wanted)])
        rows = cursor.fetchall()
    dated = Person.objects.filter(pk__in=[row[0] for row in rows if row[4]]).only("birth_date", "holder_id")
    vault = Vault([person.pk for person in dated])
    born = {str(person.pk): vault.open_date(person, "birth_date") for person in dated}
    return {
        pk: lists.Known(tuple(filter(None, [name, latin, *(others or ())])), born.get(pk), year)
        for pk, name, latin, year, _dated, others in rows
    }


# -- decisions --------------------------------------------------------------------------------------------------------


@transaction.atomic
def decide(
    manifest: Manifest, decisions: Mapping[uuid.UUID, tuple[str, uuid.UUID | None]], *, by: User
) -> int:  # fmt: skip
    """Say of rows whether each is the same person (and who), another, or to be left out. Returns how many changed.

    Raises Denied, Refused for a person whom the account may not write about.
    """
    now = held(manifest, by, None, "arrivals.manifest.decided")
    rows = list(now.rows.select_for_update().filter(pk__in=decisions))
    persons = {person for what, person in decisions.values() if what == ManifestRow.Decision.SAME and person}
    writable = set(
        granted(by, DataClass.IDENTITY, writes=True).filter(person_id__in=persons).values_list("person_id", flat=True)
    )
    if persons - writable:
        raise Refused(_("One of these files is not for you to write in."))
    changed = 0
    for row in rows:
        what, person = decisions[row.pk]
        if what == ManifestRow.Decision.SAME and person is None:
            raise Refused(_("Say who the same person is."))
        same_as = person if what == ManifestRow.Decision.SAME else None
        if (row.decision, row.same_as) != (what, same_as):
            row.decision, row.same_as = what, same_as
            row.save(update_fields=["decision", "same_as"])
            changed += 1
    if changed:
        record("arrivals.manifest.decided", now, by=by, after={"rows": changed})
    return changed


@transaction.atomic
def decide_all(manifest: Manifest, rows: QuerySet[ManifestRow], *, what: str = "another", by: User) -> int:
    """The same decision ("another" or "skip") for many rows at once. Raises Denied, Refused."""
    now = held(manifest, by, None, "arrivals.manifest.decided")
    keys = list(rows.filter(manifest=now).values_list("pk", flat=True))  # asked first: joined, each row looked at all
    changed = ManifestRow.objects.filter(pk__in=keys).update(decision=what, same_as=None)
    if changed:
        record("arrivals.manifest.decided", now, by=by, after={"rows": changed})
    return changed


@transaction.atomic
def regroup(manifest: Manifest, numbers: Sequence[int], *, apart: bool, by: User) -> None:
    """Put rows (by their number) together into one household, or `apart`: each into one of its own.

    Raises Denied, Refused.
    """
    now = held(manifest, by, None, "arrivals.manifest.regrouped")
    rows = list(now.rows.select_for_update().filter(number__in=numbers).order_by("group", "place"))
    if not rows or (len(rows) < 2 and not apart):
        raise Refused(_("Choose the rows first."))
    last = queries.last_group(now)
    for place, row in enumerate(rows):
        row.group, row.place, row.basis = (last + 1 + place, 0, "hand") if apart else (last + 1, place, "hand")
    update_rows(rows, ["group", "place", "basis"])
    record("arrivals.manifest.regrouped", now, by=by, after={"rows": len(rows), "apart": apart})


@transaction.atomic
def discard(manifest: Manifest, *, by: User) -> None:
    """Set a list aside: it is forgotten at once. Raises Denied, Refused."""
    now = held(manifest, by, None, "arrivals.manifest.discarded")
    ManifestRow.objects.filter(manifest=now).delete()
    now.state, now.cells, now.key, now.ended_at = Manifest.State.DISCARDED, None, None, timezone.now()
    now.save()
    record("arrivals.manifest.discarded", now, by=by)
