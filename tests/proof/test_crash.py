"""kill -9 of the processes that write and of PostgreSQL itself: what was acknowledged is there, once, and told once."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.accounts.people import open_account
from tests.conftest import ROOT, URLS

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")
_HIDDEN = ("PARVIS_DSN", "DJANGO_SETTINGS_MODULE", "PARVIS_POSTGRES", "PYTEST_XDIST_WORKER", "SECRET_KEY",
           "PARVIS_CONTEXT_KEY", "PARVIS_BLIND_KEY")  # fmt: skip


class Office:
    """An installation on a home of its own, and the processes that write in it."""

    def __init__(self, home: Path, city: str = "", dsns: dict[str, str] | None = None, password: str = "") -> None:
        """`city` with the URLs of its roles: one that is there already, and whose PostgreSQL is not ours to kill."""
        self.home = home
        kept = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
        self.env = {**kept, "PARVIS_HOME": str(home), "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        self.acknowledged: list[str] = []
        self.writers: list[subprocess.Popen[str]] = []
        self.kills: dict[str, int] = {"writers": 0, "databases": 0}
        self.began = 0
        self.keeper: subprocess.Popen[str] | None = None
        if dsns:
            self.env |= dsns | {"PROOF_CITY": city}
        else:
            self.run("prepare", password)
            self.keeper = self._keep()

    def run(self, *what: str) -> str:
        done = subprocess.run([sys.executable, "-m", "tests.proof.crash", *what], env=self.env, cwd=ROOT,
                              capture_output=True, text=True, timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def _keep(self) -> "subprocess.Popen[str]":
        keeper = subprocess.Popen([sys.executable, "-m", "tests.proof.crash", "keep"], env=self.env, cwd=ROOT,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert keeper.stdout
        self.env |= json.loads(keeper.stdout.readline())
        return keeper

    def write(self, way: str, number: int) -> None:
        for _ in range(number):
            self._writer(way)

    def _writer(self, way: str) -> None:
        process = subprocess.Popen([sys.executable, "-m", "tests.proof.crash", "write", way], env=self.env, cwd=ROOT,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        self.writers.append(process)

        def listen() -> None:
            assert process.stdout
            for line in process.stdout:
                if line.strip() == "began":
                    self.began += 1
                elif len(line) == 33:  # the last line of a killed process may be cut
                    self.acknowledged.append(line.strip())

        threading.Thread(target=listen, daemon=True).start()

    def kill_writer(self, way: str) -> None:
        victim = self.writers.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.kills["writers"] += 1
        self._writer(way)

    def kill_database(self) -> None:
        master = psutil.Process(int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0]))
        children = master.children(recursive=True)
        for each in [master, *children]:
            each.send_signal(signal.SIGKILL)
        psutil.wait_procs([master, *children], timeout=30)
        self.kills["databases"] += 1
        self._let_go()
        self.keeper = self._keep()

    def _let_go(self) -> None:
        if self.keeper:
            self.keeper.send_signal(signal.SIGKILL)
            self.keeper.wait()

    def end_writers(self) -> None:
        for process in self.writers:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.writers = []
        time.sleep(1)  # what they told is read

    def stop(self) -> None:
        self.end_writers()
        if self.keeper is None:
            return
        if self.keeper.stdin:
            self.keeper.stdin.close()
        try:
            self.keeper.wait(30)
        finally:
            pid = self.home / "postgres" / "postmaster.pid"
            if pid.exists():
                master = psutil.Process(int(pid.read_text().splitlines()[0]))
                master.send_signal(signal.SIGINT)
                master.wait(30)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "var")
    yield made
    made.stop()


def until(true: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the writers got nowhere"
        time.sleep(0.05)


def _storm(office: Office, way: str, writers: int, wanted: int, kills: int) -> dict[str, Any]:
    """Let them write until `wanted` writes are acknowledged, with kills spread over it; then count."""
    chance = random.Random(7)
    office.write(way, writers)
    for number in range(1, kills + 1):
        until(lambda number=number: len(office.acknowledged) >= wanted * number // (kills + 1))
        time.sleep(chance.random() / 10)
        if number % 3 == 0 and office.keeper:
            office.kill_database()
        else:
            office.kill_writer(way)
    until(lambda: len(office.acknowledged) >= wanted)
    office.end_writers()
    told: dict[str, Any] = json.loads(office.run("check").splitlines()[-1])
    return told


def _nothing_is_lost(office: Office, figure: Figure, writers: int, wanted: int, kills: int) -> None:
    told = _storm(office, "after", writers, wanted, kills)
    lost = [mark for mark in office.acknowledged if mark not in told["marks"]]
    doubled = [mark for mark, number in told["marks"].items() if number > 1]
    figure(acknowledged=len(office.acknowledged), **office.kills, lost=len(lost), doubled=len(doubled),
           households=told["households"], breaks_of_the_ledger=len(told["breaks"]))  # fmt: skip
    assert office.kills["writers"] and office.kills["databases"]
    assert not lost and not doubled and not told["breaks"]
    assert told["untold"] == told["told_of_nothing"] == told["told_twice"] == 0
    assert told["households"] == len(told["marks"]) == told["keys"] == told["own"], "nothing is half there"


@pytest.mark.long
def test_nothing_acknowledged_is_lost_or_doubled(office: Office, figure: Figure) -> None:
    _nothing_is_lost(office, figure, writers=4, wanted=4000, kills=24)


@pytest.mark.long
def test_who_acknowledges_before_the_commit_loses(office: Office, figure: Figure) -> None:
    """The control."""
    told = _storm(office, "before", writers=4, wanted=600, kills=24)
    lost = [mark for mark in office.acknowledged if mark not in told["marks"]]
    figure(acknowledged=len(office.acknowledged), **office.kills, lost=len(lost))
    assert lost


def test_a_few_writes_survive_a_few_kills(proof_city: Any, figure: Figure, django_db_blocker: Any) -> None:
    """In the tests' own PostgreSQL, which nobody kills: only who writes."""
    with django_db_blocker.unblock():
        connection.set_tenant(proof_city)
        open_account("crash", "agent", password=None)
        database = connection.settings_dict["NAME"]
        connection.close()
    dsns = {f"PARVIS_{name.upper()}_DSN": make_conninfo(getattr(URLS, name), dbname=database)
             for name in URLS.roles()._fields}  # fmt: skip
    office = Office(Path(os.environ["PARVIS_HOME"]), proof_city.schema_name, dsns)
    try:
        told = _storm(office, "after", writers=2, wanted=12, kills=2)
    finally:
        office.stop()
    lost = set(office.acknowledged) - set(told["marks"])
    figure(acknowledged=len(office.acknowledged), kills=office.kills["writers"], lost=len(lost),
           doubled=told["households"] - len(told["marks"]), breaks_of_the_ledger=len(told["breaks"]))  # fmt: skip
    assert not lost and not told["breaks"] and max(told["marks"].values()) == 1
    assert told["households"] == len(told["marks"]) == told["keys"] == told["own"]
