"""`parvis run` as a whole, on a home of its own: it serves, survives the death of its parts, leaves nothing behind."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run")]


class Office:
    """A running `parvis run`."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        hidden = ("PARVIS_DSN", "DJANGO_SETTINGS_MODULE", "PARVIS_POSTGRES", "PYTEST_XDIST_WORKER")
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        self.log = (home.parent / "run.log").open("w+")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "parvis", "run", "--port", str(self.port)],
            env={**env, "PARVIS_HOME": str(home)}, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        until(lambda: self.said("Ctrl-C stops everything"), 180, self.text)
        self.seconds = time.monotonic() - self.started

    def text(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def said(self, words: str) -> bool:
        assert self.process.poll() is None, self.text()
        return words in self.text()

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)


def until(true: Callable[[], Any], seconds: float, say: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, say()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office") / "var"


@pytest.fixture(scope="module")
def office(home: Path) -> Iterator[Office]:
    running = Office(home)
    yield running
    running.stop()


def test_it_serves_and_says_how_to_sign_in(office: Office) -> None:
    assert office.get("/healthz") == (200, b'{"status": "ok"}')
    until(lambda: office.get("/readyz")[0] == 200, 20)
    assert json.loads(office.get("/readyz")[1]) == {"status": "ok", "database": "ok", "worker": "ok"}
    text = office.text()
    for role in ("agent@", "coordinator@", "director@", "administrator@", "worker@", "manager@"):
        assert role in text
    assert f":{office.port}/" in text and "geneve.localhost" in text
    status, page = office.get("/fr/")
    assert status == 200 and b'lang="fr"' in page
    assert office.get("/hsds/v3/services")[0] == 200


def test_dead_parts_are_started_again(office: Office) -> None:
    def the(name: str) -> list[psutil.Process]:
        found = []
        for child in office.children():
            with contextlib.suppress(psutil.Error):  # it may die while it is looked at
                if name in " ".join(child.cmdline()):
                    found.append(child)
        return found

    for name in ("granian", "parvis worker"):
        (first, *_) = the(name)
        first.kill()
        until(lambda name=name, first=first: any(p.pid != first.pid for p in the(name)), 20, office.text)
    until(lambda: office.get("/healthz")[0] == 200, 20)


def test_nothing_is_left_behind_and_a_second_start_is_quick(office: Office, home: Path) -> None:
    before = office.children()
    users = home / "postgres" / ".handle_pids.json"  # as a command leaves it that was killed with -9
    users.write_text(json.dumps([*json.loads(users.read_text()), 2**22 - 1]))
    office.stop()
    assert office.process.returncode == 0
    until(lambda: not [child for child in before if child.is_running() and child.status() != "zombie"], 15)
    assert not (home / "postgres" / "postmaster.pid").exists()
    again = Office(home)
    try:
        assert again.get("/healthz")[0] == 200
        assert not re.search(r"tables of|Traceback", again.text())  # nothing to migrate, nothing to load again
    finally:
        again.stop()


def test_secrets_are_the_owners_alone(home: Path) -> None:
    assert (home / "secrets.json").stat().st_mode & 0o077 == 0
