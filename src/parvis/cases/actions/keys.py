"""Changing the key that wraps all data keys, while the office works. The worker role's, as the system.

Rows say by which version they are wrapped, so an interrupted rotation goes on where it stopped. What is sealed is
never touched: only the 60 bytes of each person's data key are written anew.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django_tenants.utils import schema_context

from parvis.cases.models import PersonKey
from parvis.cases.vault import hold_versions
from parvis.kit import sealing
from parvis.kit.acting import acting_as_system

BATCH = 500
_REWRAP = """
    UPDATE cases_personkey AS k SET version = %s, wrapped = new.wrapped
    FROM unnest(%s::uuid[], %s::bytea[]) AS new(id, wrapped) WHERE k.id = new.id
"""


class InUse(Exception):
    """This version still wraps data keys (`rows`), or is the one that wraps new ones (0)."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def used(schemas: Sequence[str]) -> dict[int, int]:
    """How many data keys each version wraps, versions that wrap none included."""
    found: Counter[int] = Counter(dict.fromkeys(sealing.key_versions(), 0))
    for schema in schemas:
        # in a transaction that is open already, the context is said again for each city
        with schema_context(schema), acting_as_system(), transaction.atomic():
            rows = PersonKey.objects.order_by().values_list("version").annotate(rows=Count("pk"))
            found.update(dict(rows))
    return dict(found)


def begin_rotation(schemas: Sequence[str]) -> tuple[int, int]:
    """The version to wrap with, and how many data keys wait for it: a new version, unless a rotation is unfinished."""
    counts = used(schemas)
    newest = max(sealing.key_versions())
    waiting = sum(rows for version, rows in counts.items() if version != newest)
    if not waiting:
        newest = settings.KEY_ENCRYPTION_KEYS.add()
        waiting = sum(counts.values())
    return newest, waiting


def rewrap(version: int, *, told: Callable[[int], None] = lambda done: None, batch: int = BATCH) -> int:
    """Wrap every older data key of the present city with `version`; each batch is a transaction. Returns how many."""
    done = 0
    while count := _rewrap_some(version, batch):
        done += count
        told(count)
    return done


def _rewrap_some(version: int, most: int) -> int:
    with acting_as_system(), transaction.atomic():
        older = PersonKey.objects.filter(version__lt=version).order_by("pk").select_for_update()
        ids, wrapped = [], []
        for row in older[:most]:
            key = sealing.unwrap(row.version, bytes(row.wrapped), row.person_id)
            ids.append(row.pk)
            wrapped.append(sealing.wrap(key, row.person_id, version)[1])
        if ids:
            with connection.cursor() as cursor:
                cursor.execute(_REWRAP, [version, ids, wrapped])
        return len(ids)


def retire(version: int, schemas: Sequence[str]) -> None:
    """Forget an old version, once nothing is wrapped with it. Raises InUse, KeyError for an unknown version."""
    if version not in settings.KEY_ENCRYPTION_KEYS:
        raise KeyError(version)
    with transaction.atomic():
        hold_versions(alone=True)
        counts = used(schemas)
        if counts[version] or version == max(counts):
            raise InUse(counts[version])
        settings.KEY_ENCRYPTION_KEYS.drop(version)
