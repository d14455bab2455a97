"""What a day is made of: steps that are due, who arrives, who waits for an answer. First argument: the viewer.

However large the office is, a page asks a fixed number of questions: one finds the keys of all sections, one counts
them (up to `MOST`), and one each names the people, the titles and what is written by hand. Every question starts from
an index by day and looks each row's person up in the access projection.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import get_language

from parvis.accounts.models import User
from parvis.cases import queries, rules
from parvis.cases.models import Person
from parvis.cases.models.base import OFFICE
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.plans import versions
from parvis.plans.models import Step

#: whose day: steps one is responsible for; those of everybody who shares files with one; all
WHOSE = ("mine", "team", "office")
#: how many days before it a legal deadline is shown
LEGAL_DAYS = 5
PER_SECTION = 20
#: of what is overdue, so many lines are open; two more or above are folded: today stays in sight
OPEN_LINES = 6
#: beyond this many a section says "more than", and stops counting
MOST = 1000


@dataclass(frozen=True)
class Line:
    """One line of a section: about whom, what, when."""

    section: str
    pk: uuid.UUID
    person: uuid.UUID | None
    household: uuid.UUID
    reference: str
    at: dt.datetime | dt.date | None
    #: of the row: what catches two who change it at once
    version: int
    more: dict[str, Any]
    #: the household's version, when the row's is another
    home: int = 0
    name: str = ""
    title: str = ""


@dataclass
class Section:
    """One heading of the page. `count`: up to MOST."""

    code: str
    lines: list[Line] = field(default_factory=list)
    count: int = 0
    number: int = 1

    @property
    def pages(self) -> int:
        return -(-self.count // PER_SECTION)


#: {see}: the viewer may see the row's class of this person's data. {whose}: whose day it is
_SEE = """(p.person_id <> ALL (%(denied)s::uuid[]) AND EXISTS (
    SELECT FROM cases_access a WHERE a.person_id = p.person_id AND a.grantee_id = ANY (%(grantees)s::uuid[])
        AND a.valid_from <= %(now)s AND a.valid_until > %(now)s AND a.classes & {classes} <> 0 OFFSET 0))"""
_STEP = f"""
    SELECT p.id, p.person_id, p.household_id, p.due_on::timestamptz AS at, p.version,
        jsonb_build_object('due', p.due_on, 'code', p.code, 'kind', p.kind, 'by_hand', p.by_hand,
                           'responsible', p.responsible_user_id, 'pinned', p.pinned) AS more
    FROM plans_step p WHERE p.state = 'open' AND {{when}} AND {{whose}} AND {_SEE.format(classes="p.row_class")}
    ORDER BY p.due_on, p.id
"""
_STEP_WHOSE = {"mine": "p.responsible_user_id = %(me)s", "team": "p.responsible_user_id = ANY (%(team)s::uuid[])",
               "office": "true"}  # fmt: skip
_HOME_WHOSE = {
    "mine": "(h.lead_worker_id = %(me)s OR h.backup_worker_id = %(me)s)",
    "team": "(h.lead_worker_id = ANY (%(team)s::uuid[]) OR h.backup_worker_id = ANY (%(team)s::uuid[]))",
    "office": "h.holder_id = %(office)s",
}
_APPOINTMENT_WHOSE = {"mine": "p.worker_id = %(me)s", "team": "p.worker_id = ANY (%(team)s::uuid[])", "office": "true"}


def sections(whose: str) -> dict[str, str]:
    """Section -> the SELECT of all its lines (id, person, household, at, version, more), in order."""
    home, step = _HOME_WHOSE[whose], _STEP_WHOSE[whose]
    return {
        # a legal deadline stands here alone, whether it is late, today or soon
        "legal": _STEP.format(when="p.kind = 'legal' AND p.due_on <= %(soon)s", whose=step),
        "overdue": _STEP.format(when="p.kind = 'target' AND p.due_on < %(today)s", whose=step),
        "due": _STEP.format(when="p.kind = 'target' AND p.due_on = %(today)s", whose=step),
        "arrivals": f"""
            SELECT p.id, p.person_id, p.household_id, p.expected_at AS at, p.version,
                jsonb_build_object('flight', p.flight, 'place', p.place, 'people', p.people, 'timed', p.timed) AS more
            FROM arrivals_arrival p JOIN cases_household h ON h.id = p.household_id
            WHERE p.state = 'expected' AND p.expected_at < %(night)s AND p.expected_at > %(long_ago)s AND {home}
                AND {_SEE.format(classes=DataClass.HOUSEHOLD.value)}
            ORDER BY p.expected_at, p.id""",
        "appointments": f"""
            SELECT p.id, p.person_id, p.household_id, p.starts_at AS at, p.sequence AS version,
                jsonb_build_object('kind', p.kind, 'purpose', p.purpose, 'worker', p.worker_id) AS more
            FROM appointments_appointment p
            WHERE p.state IN ('booked', 'arrived') AND p.starts_at >= %(morning)s AND p.starts_at < %(night)s
                AND {_APPOINTMENT_WHOSE[whose]} AND {_SEE.format(classes="p.row_class")}
            ORDER BY p.starts_at, p.id""",
        "unanswered": f"""
            SELECT p.id, p.person_id, h.id AS household_id, p.created_at AS at, 1 AS version,
                jsonb_build_object('template', p.template, 'delivery', p.delivery, 'reason', p.reason,
                                   'channel', p.channel) AS more
            FROM messaging_message p
            JOIN cases_householdmember m ON m.person_id = p.person_id AND m.until IS NULL
            JOIN cases_household h ON h.id = m.household_id
            WHERE p.delivery IN ('failed', 'unknown') AND p.created_at > %(lately)s AND {home}
                AND {_SEE.format(classes="p.row_class")}
            ORDER BY p.created_at DESC, p.id""",
        "undated": f"""
            SELECT h.id, p.person_id, h.id AS household_id, h.changed_at AS at, h.version, '{{}}'::jsonb AS more
            FROM cases_household h
            JOIN cases_householdmember p ON p.household_id = h.id AND p.until IS NULL AND p.relation = 'head'
            WHERE h.state = 'open' AND h.next_contact_on IS NULL AND {home}
                AND {_SEE.format(classes=DataClass.HOUSEHOLD.value)}
            ORDER BY h.changed_at DESC, h.id""",
    }  # fmt: skip


def day(viewer: User, whose: str, pages: dict[str, int] | None = None, only: str = "") -> list[Section]:
    """The sections of a day. `pages`: section -> page from 1. `only`: this section alone."""
    asked = _asked(viewer, whose)
    wanted = {code: text for code, text in sections(whose).items() if only in ("", code)}
    found = {code: Section(code, number=max(1, (pages or {}).get(code, 1))) for code in wanted}
    drawn = " UNION ALL ".join(
        f"(SELECT '{code}' AS section, x.* FROM ({text} LIMIT {PER_SECTION}"
        f" OFFSET {(found[code].number - 1) * PER_SECTION}) AS x)" for code, text in wanted.items()
    )  # fmt: skip
    counted = ", ".join(f"(SELECT count(*) FROM ({text} LIMIT {MOST}) AS x)" for text in wanted.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT x.section, x.id, x.person_id, x.household_id, h.reference, x.at, x.version, x.more, h.version"
            f" FROM ({drawn}) AS x JOIN cases_household h ON h.id = x.household_id", asked
        )  # fmt: skip
        rows = cursor.fetchall()
        cursor.execute(f"SELECT {counted}", asked)
        for section, count in zip(found.values(), cursor.fetchone(), strict=True):
            section.count = count
    lines = [Line(*row[:7], json.loads(row[7]) if isinstance(row[7], str) else row[7], row[8]) for row in rows]
    for line in named(viewer, lines):
        found[line.section].lines.append(line)
    for section in found.values():
        late_first = section.code in ("unanswered", "undated")
        section.lines.sort(key=lambda line: (line.at, line.pk), reverse=late_first)
    return list(found.values())


def _asked(viewer: User, whose: str) -> dict[str, Any]:
    """Values of the questions."""
    today = timezone.localdate()
    morning = timezone.make_aware(dt.datetime.combine(today, dt.time()))
    return {
        "grantees": rules.grantees(viewer), "denied": queries.denied(viewer), "now": timezone.now(), "me": viewer.pk,
        "office": OFFICE, "today": today, "soon": today + dt.timedelta(days=LEGAL_DAYS), "morning": morning,
        "night": morning + dt.timedelta(days=1), "long_ago": morning - dt.timedelta(days=30),
        "lately": morning - dt.timedelta(days=30), "team": _team(viewer) if whose == "team" else [],
    }  # fmt: skip


def _team(viewer: User) -> list[uuid.UUID]:
    """Everybody who shares an open file with the viewer, and the viewer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(ARRAY[lead_worker_id, backup_worker_id]) FROM cases_household"
            " WHERE state = 'open' AND (lead_worker_id = %s OR backup_worker_id = %s)",
            [viewer.pk, viewer.pk],
        )
        return [*{row[0] for row in cursor.fetchall() if row[0]} | {viewer.pk}]


def named(viewer: User, lines: Sequence[Line]) -> list[Line]:
    """The lines with the names that the viewer may see and the titles of their steps."""
    sight = queries.Sight(viewer, {line.person for line in lines if line.person})
    names = dict(Person.objects.filter(pk__in=sight.who(DataClass.IDENTITY)).values_list("pk", "name"))
    titles = _titles(lines)
    return [
        replace(line, name=names.get(line.person, ""), title=titles.get(line.pk, ""))
        for line in lines  # type: ignore[arg-type]
    ]


def _titles(lines: Iterable[Line]) -> dict[uuid.UUID, str]:
    """Titles of steps in the reader's language, from the protocol that each plan stands on."""
    steps = [line for line in lines if "by_hand" in line.more]
    told: dict[uuid.UUID, str] = {}
    if steps:
        language = get_language() or "fr"
        with connection.cursor() as cursor:
            cursor.execute(_TITLES, {"homes": [line.household for line in steps],
                                     "codes": list({line.more["code"] for line in steps})})  # fmt: skip
            known = {(home, code): _texts(title) for home, code, title in cursor.fetchall()}
        for line in steps:
            texts = known.get((line.household, line.more["code"]))
            told[line.pk] = versions.said(line.more["code"], texts, language) if texts else line.more["code"]
    own = [line.pk for line in steps if line.more["by_hand"]]
    if own:
        written = list(Step.objects.filter(pk__in=own))
        vault = Vault([step.person_id for step in written])
        told |= {step.pk: vault.open(step, "title") for step in written}
    return told


_TITLES = """
    SELECT p.household_id, s->>'code', s->'title' FROM plans_plan p
    JOIN plans_protocolversion v ON v.id = p.protocol_id
    CROSS JOIN LATERAL jsonb_array_elements(v.data->'steps') AS s
    WHERE p.household_id = ANY (%(homes)s::uuid[]) AND s->>'code' = ANY (%(codes)s)
"""


def _texts(value: Any) -> dict[str, str]:
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {"fr": str(found)}
