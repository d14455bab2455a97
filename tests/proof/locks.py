"""Taking off one of the two locks, so that the other is seen to hold alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from parvis.accounts import rules as accounts_rules
from parvis.cases import consents, queries, rules
from parvis.cases.models import Access, Consent, HouseholdMember
from parvis.cases.models.base import OFFICE
from parvis.cases.policies import person_models
from parvis.core.access import EVERYTHING, DataClass
from tests.conftest import _use
from tests.proof.world import World


def tables() -> list[str]:
    """Every table of the people's files, and every other with rows about a person."""
    files = [model._meta.db_table for model in apps.get_app_config("cases").get_models()]
    return list(dict.fromkeys([*files, *(model._meta.db_table for model in person_models())]))


@contextmanager
def row_security(on: bool) -> Iterator[None]:
    """Switch row-level security of the present city, as the owner, and back again."""
    if on:
        yield
        return
    _all_tables("DISABLE")
    try:
        yield
    finally:
        _all_tables("ENABLE")


def _all_tables(verb: str) -> None:
    as_owner(connection.tenant, *(f"ALTER TABLE {table} {verb} ROW LEVEL SECURITY" for table in tables()))


class AllSight(queries.Sight):
    """What somebody sees for whom the code asks nothing: all classes of whoever is named."""

    def __init__(self, viewer: Any, persons: Any = (), *, household: Any = None) -> None:
        super().__init__(viewer, persons, household=household)
        named = list(persons)
        if household is not None:
            named += HouseholdMember.objects.filter(household_id=household).values_list("person_id", flat=True)
        self.classes = dict.fromkeys(named, EVERYTHING.value)
        self.writes = set(named)

    def sees(self, person: Any, wanted: DataClass) -> bool:
        return True

    def who(self, wanted: DataClass) -> list[Any]:
        return list(self.classes)

    def rows(self, model: Any) -> Any:
        return model.objects.filter(person_id__in=list(self.classes))

    def read(
        self, model: Any, more: str = "true", order: str = "created_at", values: Any = (), *, with_account: str = ""
    ) -> Any:  # fmt: skip
        asked = f"person_id = ANY(%s) AND ({more})"
        return queries.fetched(model, asked, order, [list(self.classes), *values], with_account)


def without_the_code(patch: pytest.MonkeyPatch, world: World) -> None:
    """Every check of the people's files in Python says yes: what is left is the database."""
    everybody = [OFFICE, *(house.pk for house in world.houses.values())]
    yes: dict[Any, Any] = {
        rules.grantees: lambda viewer: everybody,
        rules.holders: lambda viewer: everybody,
        queries.granted: lambda viewer, wanted=None, *, writes=False: Access.objects.all(),
        queries.denied: lambda viewer: [],
        queries.classes_of: lambda viewer, person: (EVERYTHING, True),
        queries.Sight: AllSight,
        consents._readable: lambda viewer, persons: Consent.objects.filter(person_id__in=list(persons)),
        accounts_rules.require: lambda allowed, action, obj=None: None,
    }
    for module in _modules():
        for name, value in list(vars(module).items()):
            if name.startswith("may_") and callable(value):
                patch.setattr(module, name, lambda *args, **more: True)
            elif _known(value) in yes:
                patch.setattr(module, name, yes[_known(value)])


def _known(value: Any) -> Any:
    return value if callable(value) and getattr(value, "__hash__", None) else None


def _modules() -> list[Any]:
    """Every module of the apps that have rows about people, and of those that show them."""
    rooms = {model.__module__.split(".")[1] for model in person_models()} | {"cases", "welcome"}
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.split(".")[:2] in [["parvis", room] for room in rooms]
    ]


def as_owner(city: Any, *statements: str, role: str = "app") -> None:
    """Run statements in the city as the owner; the present connection is `role`'s afterwards."""
    database = connection.settings_dict["NAME"]
    _use("owner", database)
    connection.set_tenant(city)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    _use(role, database)
    connection.set_tenant(city)
