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
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            times = process.cpu_times()
            total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            if sys.platform == "linux":
                for task in Path(f"/proc/{process.pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0]) / 1e9
            else:
                total += times.user + times.system
    return total


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


ROUNDS = 4


def costs(subjects: Sequence[Subject], postmaster: int) -> list[Cost]:
    """What each subject costs. They take turns, and each one's best turn counts: what else the machine does is not
    theirs. The first turn, half as long, only warms up."""
    best: list[Cost | None] = [None] * len(subjects)
    for turn in range(ROUNDS + 1):
        for place, subject in enumerate(subjects):
            times = max(3, subject.times // ROUNDS // (1 if turn else 2))
            found = _turn(subject, postmaster, turn * subject.times // ROUNDS, times)
            held = best[place]
            if turn and (held is None or found.cpu < held.cpu):
                best[place] = found
    return [each for each in best if each is not None]


def _turn(subject: Subject, postmaster: int, first: int, times: int) -> Cost:
    workers, database = subject.workers(), tree(postmaster)
    app, base = spent(workers), spent(database)
    started, size = time.perf_counter(), 0
    for number in range(first, first + times):
        size += subject.ask(number)
    wall = time.perf_counter() - started
    # a backend born in this turn is new to the list, and all that it spent was spent in this turn
    app, base = spent(subject.workers()) - app, spent(tree(postmaster)) - base
    return Cost(app / times * 1e3, base / times * 1e3, wall / times * 1e3, size // times)
