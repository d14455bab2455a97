"""Many rows written in one statement are the rows that Django would have written."""

from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from parvis.kit.acting import acting
from parvis.kit.writing import update_rows
from parvis.plans.deriving import _COUNTED
from parvis.plans.models import Step
from tests.accounts.people import open_account
from tests.cases.story import NewPerson, opened

NAMES = [*_COUNTED, "version", "changed_at"]


def _changed(steps: list[Step]) -> list[Step]:
    for number, step in enumerate(steps):
        step.why = [{"code": "x", "text": 'a "word", and {more} of it', "n": number}]
        step.evidence = bytes([number % 256, 0, 255, 34, 92])
        step.title = None if number % 2 else b"sealed"
        step.version = number + 2
    return steps


def _rows(steps: list[Step]) -> list[tuple[Any, ...]]:
    values = [(pk, *map(_plain, rest)) for pk, *rest in Step.objects.filter(pk__in=[s.pk for s in steps])
              .order_by("pk").values_list("pk", *NAMES)]  # fmt: skip
    assert len(values) == len(steps)
    return values


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_rows_are_written_as_django_writes_them_in_one_statement(city: Any) -> None:
    alice = open_account("alice", "agent")
    home = opened(alice, NewPerson("Amina"))
    with acting(alice), transaction.atomic():
        steps = list(Step.objects.filter(household=home, state="open").order_by("pk"))
        before = _rows(steps)
        assert len(steps) > 10
        point = transaction.savepoint()
        Step.objects.bulk_update(_changed(steps), NAMES)
        by_django = _rows(steps)
        transaction.savepoint_rollback(point)
        assert _rows(steps) == before != by_django  # the control
        with CaptureQueriesContext(
            connection,
        ) as said:
            update_rows(_changed(steps), NAMES)
        assert len(said) == 1
        assert _rows(steps) == by_django
        update_rows([], NAMES)
