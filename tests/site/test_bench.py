"""What the bench says is worth something only if its yardsticks give the same answers and its arithmetic is right."""

import csv
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from parvis.core import hsds
from parvis.demo.loader import load
from parvis.directory.models import Document, Service
from parvis.site.bench import meter, plain
from parvis.site.bench.meter import Subject, _turn, costs, memory, spent, tree
from parvis.site.bench.rounds import at_least, at_most, write_package


def without(value: Any, *names: str) -> Any:
    """The same in any order, without these names at any depth."""
    if isinstance(value, dict):
        return {key: without(inner, *names) for key, inner in value.items() if key not in names and inner != []}
    if isinstance(value, list):
        return sorted((without(each, *names) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def test_the_plain_peer_gives_the_same_answer(city: Any) -> None:
    load("montreal", services=40)
    compared = 0
    for service in Service.objects.select_related("organization", "program").prefetch_related(*plain.PREFETCHED):
        document = json.loads(Document.objects.get(kind="service", object_id=service.pk).whole)
        said = plain.whole("service", service) | {"attributes": plain.attributes([service.pk]).get(service.pk, [])}
        # what the plain peer leaves out is to its advantage
        left = ("metadata", "last_modified", "timezone", "updated", "country", "description")
        ours, theirs = without(document, *left), without(said, *left)
        for nested in ("organization", "service_at_locations"):
            for each in (ours, theirs):
                each[nested] = without(each.get(nested), "attributes")
        assert ours == theirs
        compared += 1
    assert compared == 40


def test_cpu_is_counted_where_it_is_spent() -> None:
    me = psutil.Process()

    def work(_: int) -> int:
        end = time.process_time() + 0.004
        while time.process_time() < end:
            pass
        return 5

    def rest(_: int) -> int:
        time.sleep(0.004)
        return 7

    busy, idle = costs([Subject(work, lambda: [me], 20), Subject(rest, lambda: [me], 20)], postmaster=0)
    assert 3.5 < busy.application < 8 and busy.size == 5
    assert idle.application < 1.5 and idle.wall >= 4 and idle.size == 7
    assert spent(tree(me.pid)) > 0.05
    assert memory([me]) > 10


def test_who_asks_first_changes_from_turn_to_turn() -> None:
    asked: list[str] = []

    def subject(name: str) -> Subject:
        def ask(_: int) -> int:
            asked.append(name)
            return 1

        return Subject(ask, list, 6 * meter.ROUNDS)

    first, last = subject("first"), subject("last")
    costs([first, last], postmaster=0)
    turns = [name for number, name in enumerate(asked) if number == 0 or asked[number - 1] != name]
    # two turns in a row of the same subject are one here: the last of a turn begins the next
    assert turns == ["last", "first", "last", "first", "last", "first", "last", "first"][: len(turns)]
    assert len(turns) == meter.ROUNDS + 2
    assert asked.count("first") == asked.count("last")


def test_a_turn_in_which_a_process_ended_is_taken_again() -> None:
    lives = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    there = [psutil.Process(each.pid) for each in lives]
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        if len(asked) == 2:
            lives[0].kill()
            lives[0].wait()
        return 1

    try:
        _turn(Subject(ask, lambda: [each for each in there if each.is_running()], 1), 0, 5, 3)
        assert asked == [5, 6, 7] * 2
        _turn(Subject(ask, lambda: there[1:], 1), 0, 5, 3)  # nobody ended: once
        assert asked == [5, 6, 7] * 3
    finally:
        lives[1].kill()
        lives[1].wait()


def test_a_missed_budget_is_said() -> None:
    assert (at_most("x", 2.9, 3, "x", "").ok, at_most("x", 3.1, 3, "x", "").ok) == (True, False)
    assert (at_least("x", 8.1, 8, "x", "").ok, at_least("x", 7.9, 8, "x", "").ok) == (True, False)
    assert at_most("x", 1, 3, "x", "y").as_dict().keys() == {"name", "value", "unit", "against", "budget", "ok"}


def test_the_package_that_is_imported_is_hsds(tmp_path: Path) -> None:
    number = write_package(tmp_path, 30)
    read = 0
    for file in tmp_path.iterdir():
        entity = hsds.BY_FILE[file.name]
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert rows and tuple(rows[0]) == entity.names
        read += len(rows)
    assert read == number > 300
