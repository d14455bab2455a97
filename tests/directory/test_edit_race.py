"""Many editors at the same instant, each with a connection of their own: one wins, nobody is overwritten unseen."""

import threading
from typing import Any

from django.db import connection

from parvis.directory import actions, facts, models
from parvis.ledger.models import Event
from parvis.ledger.queries import verify
from tests.directory.story import tell


def _together(city: Any, acts: list[Any]) -> list[str]:
    """Run all at once; what each came to."""
    outcomes = [""] * len(acts)
    start = threading.Barrier(len(acts))

    def run(number: int) -> None:
        try:
            connection.set_tenant(city)
            start.wait(30)
            acts[number]()
            outcomes[number] = "written"
        except Exception as problem:
            outcomes[number] = type(problem).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_of_ten_editors_of_one_version_one_writes(fresh_city: Any) -> None:
    story = tell()
    course = models.Service.objects.get(pk=story.course.pk)

    def edit(number: int) -> Any:
        return lambda: actions.edit(course, by=story.charlie, changes={"name": f"Nom {number}"}, expected_version=1)

    outcomes = _together(fresh_city, [edit(number) for number in range(10)])
    assert sorted(outcomes) == ["Conflict"] * 9 + ["written"]
    course.refresh_from_db()
    assert course.version == 2 and course.name == f"Nom {outcomes.index('written')}"
    assert Event.objects.filter(object_id=course.pk).count() == 1


def test_writers_of_different_things_lose_nothing_and_leave_the_ledger_whole(fresh_city: Any) -> None:
    story = tell()
    course, place, house = story.course, story.place, story.house

    def write(number: int) -> Any:
        obj = (course, place, house, story.workshop)[number % 4]
        return lambda: actions.edit(obj, by=story.charlie, changes={"alternate_name": f"Nom {number}"})

    outcomes = _together(fresh_city, [write(number) for number in range(12)])
    assert outcomes == ["written"] * 12
    for obj in (course, place, house, story.workshop):
        row = type(obj)._default_manager.get(pk=obj.pk)
        assert row.version == 4 and facts.read(row)["alternate_name"].startswith("Nom")
    # the control: verify reads every event, and the last thing it gives is their number
    *breaks, read = verify()
    assert not breaks and read == Event.objects.count() >= 12
