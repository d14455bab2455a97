"""What the proofs share: their figures, printed at the end of the run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from parvis.cities.middleware import hosts
from tests.conftest import _use, committed_city
from tests.proof.world import World

_FIGURES: list[str] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`figure(requests=120, leaks=0)`: kept with the name of the test, printed when all is done."""

    def tell(**numbers: Any) -> None:
        told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in numbers.items())
        request.node.user_properties.append(("figure", f"{request.node.name}: {told}"))

    return tell


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With several workers the reports come from them: so figures travel in the reports."""
    if report.when == "teardown":
        _FIGURES.extend(text for name, text in report.user_properties if name == "figure")


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _FIGURES:
        terminalreporter.section("proofs")
        for text in _FIGURES:
            terminalreporter.line(text)


@pytest.fixture(scope="session")
def proof_city(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """One city, really committed to, for all proofs that need no city of their own: making one takes seconds."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):  # nobody signs in here
        yield from committed_city(django_db_blocker)


@pytest.fixture(scope="session")
def made(proof_city: Any, django_db_blocker: Any) -> World:
    with django_db_blocker.unblock():
        hosts.forget()
        connection.set_tenant(proof_city)
        world = World()
        database = connection.settings_dict["NAME"]
        _use("worker", database)
        connection.set_tenant(proof_city)
        world.delete()
        _use("app", database)
        return world


@pytest.fixture
def world(made: World, proof_city: Any, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        connection.set_tenant(proof_city)
        yield made
        connection.close()
        connection.set_schema_to_public()
