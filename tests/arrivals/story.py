"""Alice receives; lists are made by the demo or written by hand."""

import csv
import datetime as dt
import io
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from parvis.arrivals import queries
from parvis.arrivals.actions import importing, manifests
from parvis.arrivals.models import Manifest
from parvis.arrivals.reading import read
from parvis.cases.models.base import OFFICE
from parvis.demo.manifest import Somebody, workbook
from parvis.kit.acting import acting

ON = dt.date(2026, 11, 24)
#: a small list that a ministry might send: two families by case number, somebody alone, somebody without a name
HEADINGS = [
    "Case no",
    "Relation",
    "Full name",
    "Date of birth",
    "Sex",
    "Passport No.",
    "Flight",
    "Arrival date",
    "Time",
]
SMALL = [
    ["A1", "PA", "آمنة الحسن", "1990-03-01", "F", "N12345678", "PX 870", "2026-11-24", "14:05"],
    ["A1", "Son", "Youssef al-Hassan", "2015", "M", "N12345679", "PX 870", "2026-11-24", "14:05"],
    ["B2", "PA", "Олена Коваленко", "13/02/1988", "Ж", "FK998877", "QV 77", "2026-11-25", "19:25"],
    ["", "", "Lamine Ndiaye", "05/04/1991", "M", "", "PX 16", "2026-11-24", ""],
    ["", "", "", "2001-01-01", "M", "", "PX 16", "2026-11-24", ""],
]


def as_csv(rows: Sequence[Sequence[Any]], headings: Sequence[str] = HEADINGS, *, separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([headings, *rows])
    return out.getvalue()


def small(rows: Sequence[Sequence[Any]] = SMALL) -> bytes:
    return as_csv(rows).encode()


def large(number: int = 300, known: Sequence[Somebody] = ()) -> bytes:
    return workbook(number, on=ON, known=known)


def brought(by: Any, data: bytes, name: str = "list.csv", holder: uuid.UUID = OFFICE, **more: Any) -> Manifest:
    with acting(by), transaction.atomic():
        return manifests.bring(read(data, name=name), holder=holder, by=by, **more)[0]


def imported(by: Any, manifest: Manifest, *, decide: str = "another") -> dict[str, int]:
    """Decide what is undecided, then import as the worker would."""
    with acting(by), transaction.atomic():
        waiting = manifest.rows.filter(queries.UNDECIDED)
        manifests.decide(
            manifest,
            {row.pk: (decide, uuid.UUID(row.candidates[0][0]) if decide == "same" else None) for row in waiting},
            by=by,
        )
        importing.ask(manifest, by=by, queue=False)
        return importing.run(manifest, by=by)
