"""The worker that a test kills: imports one list as the task does, and stops at a step so that it can be killed there.

`python -m tests.arrivals.killed CITY LIST STEP`; it says the step's name on standard output when it is reached.
"""

import sys
import time
from typing import Any


def main(city: str, manifest: str, stop_at: str) -> None:
    from parvis.site.boot import boot

    boot("worker")
    from parvis.arrivals.actions import importing
    from parvis.kit.jobs import in_city

    said = importing._Beside.say

    def say(self: Any, step: str, done: int, total: int) -> None:
        said(self, step, done, total)
        if step == stop_at and (done or step != "people"):
            print(step, flush=True)
            time.sleep(600)

    importing._Beside.say = say  # type: ignore[method-assign]
    with in_city(city):
        importing.import_task(manifest)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
