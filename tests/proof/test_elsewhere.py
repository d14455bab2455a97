"""Nobody's words stand where nobody looks for them: pages that are not about people, the open API, error pages."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from parvis.cities.middleware import hosts
from tests.house.access import LINES, nothing
from tests.proof.reading import found, readable, words
from tests.proof.world import VIEWERS, World, may_read

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")

HSDS = ("", "services", "organizations", "locations", "service_at_locations", "taxonomies", "taxonomy_terms")


@pytest.fixture
def browsers(world: World) -> Iterator[dict[str, Client]]:
    hosts.forget()
    made = {}
    for viewer in VIEWERS:
        host = {"host": f"{connection.schema_name}.localhost"}
        made[viewer] = Client(raise_request_exception=False, headers=host)
        if viewer in world.users:
            made[viewer].force_login(world.users[viewer])
    with translation.override("en"):
        yield made


def pages() -> list[str]:
    """Addresses without arguments, of all apps but the people's files."""
    plain = [name for name, line in LINES.items() if line.args is nothing and line.method == "GET"]
    return [reverse(name) for name in plain if not name.startswith("cases:") and "logout" not in name]


def test_no_other_page_holds_a_word_of_a_file(world: World, browsers: dict[str, Client], figure: Figure) -> None:
    asked, wrong = 0, []
    urls = [*pages(), *(f"/hsds/{name}" for name in HSDS), "/nowhere/", "/en/files/nowhere/"]
    for number, url in enumerate(urls):
        # each page is asked by everybody who may be told apart, in turn; the visitor asks for all
        for viewer in {"visitor", VIEWERS[number % len(VIEWERS)], VIEWERS[(number * 7 + 3) % len(VIEWERS)]}:
            with transaction.atomic():
                text = readable(browsers[viewer].get(url))
                transaction.set_rollback(True)
            asked += 1
            wrong += [f"{viewer} {url}: {each.where}" for each in found(world, text) if not may_read(viewer, each)]
    figure(addresses=len(urls), requests=asked, wrong=len(wrong))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("debug", [False, True], ids=["as it runs", "the control: while debugging"])
def test_an_error_page_tells_nothing(
    world: World, browsers: dict[str, Client], settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A view that breaks with a person's file in its hands."""
    thing = world.of("never")

    def breaks(viewer: Any, pk: Any) -> Any:
        opened = thing.people[0].name
        raise RuntimeError(len(opened))

    monkeypatch.setattr("parvis.cases.desk.queries.household", breaks)
    settings.DEBUG = debug
    with caplog.at_level(logging.INFO):
        answer = browsers["worker_d"].get(f"/en/files/{thing.household.pk}/")
    told = found(world, readable(answer), said=str(thing.household.pk))
    assert answer.status_code == 500 and bool(told) == debug
    assert caplog.records and not [canary for line in caplog.text.splitlines() for canary in words(world, line)]
