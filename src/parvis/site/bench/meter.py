"""CPU time and memory of processes, as the kernel counts them."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MILLION = 1_000_000


def tree(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def spent(processes: Iterable[psutil.Process]) -> float:
    """Seconds of CPU that these processes and their ended children have used: to the nanosecond on Linux (children to
    the tick), else to the tick. PostgreSQL's helpers for one query are such children."""
    return sum(_each(processes).values())


def _each(processes: Iterable[psutil.Process]) -> dict[psutil.Process, float]:
    """`spent`, of each process that is still there."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            times = process.cpu_times()
            total = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            if sys.platform == "linux":
                for task in Path(f"/proc/{process.pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0]) / 1e9
            else:
                total += times.user + times.system
            found[process] = total
    return found


def memory(processes: Iterable[psutil.Process]) -> float:
    """Megabytes that these processes hold together; what they share is counted once where the system says so (PSS)."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            full = process.memory_full_info()
            total += getattr(full, "pss", 0) or full.uss
    return total / MILLION


@dataclass(frozen=True)
class Cost:
    """Of one request, on average: milliseconds of CPU (application and database) and of waiting, and bytes."""

    application: float
    database: float
    wall: float
    size: int

    @property
    def cpu(self) -> float:
        return self.application + self.database


@dataclass(frozen=True)
class Subject:
    """Something that answers: `ask(number)` returns a size in bytes, `workers` names the processes beside PostgreSQL's
    that do the work, `times` is how often it is asked in all."""

    ask: Callable[[int], int]
    workers: Callable[[], list[psutil.Process]]
    times: int


ROUNDS = 6
_AGAIN = 5


def costs(subjects: Sequence[Subject], postmaster: int) -> list[Cost]:
    """What each subject costs. They take turns, and each one's best turn counts: what else the machine does is not
    theirs. The first turn, half as long, only warms up. Every other turn goes the other way round: who asks a question
    first pays for PostgreSQL's reading, and who asks it after him does not.
    """
    best: list[Cost | None] = [None] * len(subjects)
    for turn in range(ROUNDS + 1):
        order = range(len(subjects)) if turn % 2 else range(len(subjects) - 1, -1, -1)
        for place, subject in [(each, subjects[each]) for each in order]:
            times = max(3, subject.times // ROUNDS // (1 if turn else 2))
            found = _turn(subject, postmaster, turn * subject.times // ROUNDS, times)
            held = best[place]
            if turn and (held is None or found.cpu < held.cpu):
                best[place] = found
    return [each for each in best if each is not None]


def _turn(subject: Subject, postmaster: int, first: int, times: int) -> Cost:
    """One turn; once more when a process that was there before it has ended in it: all its life is then counted in its
    parent's ticks (10 ms), and the difference may be far too small or too large."""
    for _ in range(_AGAIN):
        app, base = _each(subject.workers()), _each(tree(postmaster))
        started, size = time.perf_counter(), 0
        for number in range(first, first + times):
            size += subject.ask(number)
        wall = time.perf_counter() - started
        # a backend born in this turn is new to the list, and all that it spent was spent in this turn
        app_after, base_after = _each(subject.workers()), _each(tree(postmaster))
        if app.keys() <= app_after.keys() and base.keys() <= base_after.keys():
            break
    used = sum(app_after.values()) - sum(app.values()), sum(base_after.values()) - sum(base.values())
    return Cost(used[0] / times * 1e3, used[1] / times * 1e3, wall / times * 1e3, size // times)
