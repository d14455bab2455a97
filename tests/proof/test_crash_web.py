"""kill -9 of the web server itself and of PostgreSQL under a stream of requests; and what their logs say of people.

The server is granian as `parvis run` starts it, its clients are browsers' likes that send a form and wait for the
answer: an answered form is there once, whatever was killed before or after; nothing is there twice.
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from psycopg.conninfo import make_conninfo

from tests.accounts.people import PASSWORD, open_account
from tests.conftest import ROOT, URLS
from tests.proof.test_crash import Office, until

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")
#: in every form, and so in what the server handles when it is killed; the number as a person types it and as it is kept
PHONE, STREET = "514 555-0173", "17, rue du Canari-Zquxx"
CANARIES = (PHONE, "+15145550173", "5145550173", "Canari-Zquxx", "zquxxamina")


class Web:
    """The web server of an installation: granian with its workers, its standard output and error in one file."""

    def __init__(self, env: dict[str, str], log: Path, host: str = "127.0.0.1") -> None:
        self.env, self.log, self.host = env, log, host
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def collect(self) -> None:
        """The static files, as `parvis run` collects them before it serves."""
        env = {name: value for name, value in self.env.items() if name not in ("PARVIS_APP_DSN", "PARVIS_PUBLIC_DSN")}
        done = subprocess.run(
            [sys.executable, "-m", "parvis", "manage", "collectstatic", "--noinput", "--verbosity", "0"],
            env=env, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]

    def start(self) -> None:
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1", "--blocking-threads", "8", "--backlog", "1024", "--no-ws", "--respawn-failed-workers",
            "parvis.site.wsgi:application",
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        until(self.is_open, 120)

    def revive(self) -> None:
        """As `parvis run` does: granian itself gives up when its workers die one right after the other."""
        if self.process is not None and self.process.poll() is not None:
            self.stop()
            self.start()

    def is_open(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def kill(self) -> None:
        """Everything at once: the server and its workers."""
        self.stop()
        self.kills += 1

    def kill_worker(self) -> None:
        """Only the process that handles requests; the server starts another by itself."""
        assert self.process
        with contextlib.suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.process.pid).children(recursive=True):
                each.kill()
        self.kills += 1

    def stop(self) -> None:
        """The server and what it has started: a worker outlives a server that was killed, on its port."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Clients:
    """Browsers' likes, each with a session, that open one household after the other until they are stopped."""

    def __init__(self, web: Web, number: int, account: str) -> None:
        self.web, self.account = web, account
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.failed: Counter[str] = Counter()
        self.stopped = threading.Event()
        self.cookies = self._sign_in()
        self.threads = [threading.Thread(target=self._write, daemon=True) for _ in range(number)]

    def _client(self) -> httpx.Client:
        address = f"http://127.0.0.1:{self.web.port}"
        return httpx.Client(base_url=address, headers={"Host": self.web.host}, timeout=20, trust_env=False)

    def _sign_in(self) -> dict[str, str]:
        with self._client() as client:
            token = self._token(client.get("/en/account/login/"))
            given = {"login": f"{self.account}@example.org", "password": PASSWORD, "csrfmiddlewaretoken": token}
            cookies = {cookie.name: str(cookie.value) for cookie in client.cookies.jar}
            answer = client.post("/en/account/login/", data=given, headers={"Cookie": _said(cookies)})
            assert answer.status_code == 302, answer.text[:2000]
            cookies |= {cookie.name: str(cookie.value) for cookie in answer.cookies.jar}
            page = client.get("/en/files/new/", headers={"Cookie": _said(cookies)})
            assert page.status_code == 200, page.headers
            cookies |= {cookie.name: str(cookie.value) for cookie in page.cookies.jar}
            return cookies

    @staticmethod
    def _token(answer: httpx.Response) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)
        assert found, answer.text[:2000]
        return found[1]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def _write(self) -> None:
        client = self._client()
        while not self.stopped.is_set():
            mark = uuid.uuid4().hex
            self.sent.append(mark)
            form = {
                "head-name": f"{mark} Zquxxamina", "head-phone": PHONE, "head-address": STREET, "head-tonight": "hotel",
                "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0",
                "csrfmiddlewaretoken": self.cookies["csrftoken"],
            }  # fmt: skip
            try:
                answer = client.post("/en/files/new/", data=form, headers={"Cookie": _said(self.cookies)})
            except httpx.HTTPError:
                self.failed["no answer"] += 1
                client.close()
                client = self._client()
                time.sleep(0.05)
                continue
            if answer.status_code == 302 and "/files/" in answer.headers["Location"]:
                self.acknowledged.append(mark)
            else:
                self.failed[str(answer.status_code)] += 1
                time.sleep(0.05)
        client.close()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)


def _said(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _storm(office: Office, web: Web, figure: Figure, *, clients: int, wanted: int, kills: int) -> None:
    """Let them write until `wanted` forms are answered, with kills spread over it; then count, and read the logs."""
    chance = random.Random(11)
    web.collect()
    web.start()
    writing = Clients(web, clients, office.env.get("PROOF_ACCOUNT", "crash"))
    writing.start()
    databases = 0
    try:
        for number in range(1, kills + 1):
            _reach(writing, web, wanted * number // (kills + 1))
            time.sleep(chance.random() / 10)
            if number % 3 == 0 and office.keeper:
                office.kill_database()
                databases += 1
            elif number % 3 == 1:
                web.kill()
                web.start()
            else:
                web.kill_worker()
        _reach(writing, web, wanted)
    finally:
        writing.stop()
    told: dict[str, Any] = json.loads(office.run("check", "name").splitlines()[-1])
    there = {text.split()[0]: number for text, number in told["marks"].items()}
    lost = [mark for mark in writing.acknowledged if mark not in there]
    doubled = [mark for mark, number in there.items() if number > 1]
    unsent = [mark for mark in writing.sent if mark not in there]
    figure(
        answered=len(writing.acknowledged), web_kills=web.kills, database_kills=databases,
        unanswered=writing.failed.total(), lost=len(lost), doubled=len(doubled),
        households=told["households"], breaks_of_the_ledger=len(told["breaks"]),
    )  # fmt: skip
    assert not lost and not doubled and not told["breaks"]
    assert told["untold"] == told["told_of_nothing"] == told["told_twice"] == 0
    assert told["households"] == len(there) == told["keys"] == told["own"], "nothing is half there"
    assert unsent, "the control: who counts what was sent as done has lost some"


def _reach(writing: Clients, web: Web, number: int) -> None:
    """Wait until so many forms are answered."""
    end = time.monotonic() + 120
    while len(writing.acknowledged) < number:
        web.revive()
        assert time.monotonic() < end, (
            f"{len(writing.acknowledged)} answered, {writing.failed}; {web.log.read_text()[-2000:]}"
        )
        time.sleep(0.05)


def _in(logs: list[Path], *marks: str) -> list[str]:
    """Lines of these files in which a canary stands, folded."""
    wanted = [mark.lower() for mark in (*CANARIES, *marks)]
    return [
        f"{path.name}: {line[:200]}"
        for path in logs
        for line in path.read_text(errors="replace").lower().splitlines()
        if any(mark in line for mark in wanted)
    ]


def _logs_say_nobody(logs: list[Path], figure: Figure) -> None:
    size = sum(path.stat().st_size for path in logs)
    found = _in(logs)
    figure(logs=len(logs), bytes=size, lines_with_a_name_or_number=len(found))
    assert size, "there is something to search"
    assert not found, found[:5]
    planted = logs[0].with_name("planted.log")
    planted.write_bytes(logs[0].read_bytes() + b"ERROR somebody called +1 5145550173\n")
    assert _in([planted]), "the control: a planted line is found"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "var", password=PASSWORD)
    yield made
    made.stop()


@pytest.mark.long
def test_no_answered_form_is_lost_when_the_server_or_its_database_is_killed(office: Office, figure: Figure) -> None:
    web = Web(office.env, office.home / "web.log")
    try:
        _storm(office, web, figure, clients=6, wanted=300, kills=18)
        _broken(office)
        _logs_say_nobody([web.log, office.home / "postgres" / "log"], figure)
    finally:
        web.stop()


def _broken(office: Office) -> None:
    """Statements that fail with a name in them: what PostgreSQL would write down of them."""
    with psycopg.connect(office.env["PARVIS_APP_DSN"], autocommit=True) as held:
        for statement in (
            "SELECT * FROM nowhere WHERE name = 'Zquxxamina'",
            "SELECT 'Zquxxamina'::int",
        ):
            with pytest.raises(psycopg.Error):
                held.execute(statement)
        with pytest.raises(psycopg.Error):
            held.execute("SELECT %s::int", [PHONE])
        backend = held.info.backend_pid
        timer = threading.Timer(1, os.kill, (backend, signal.SIGKILL))  # as a system without memory left does
        timer.start()
        with pytest.raises(psycopg.Error):
            held.execute("SELECT pg_sleep(9), 'Zquxxamina'")
    time.sleep(1)


def test_a_few_answered_forms_survive_a_few_kills_of_the_server(
    proof_city: Any, figure: Figure, django_db_blocker: Any, tmp_path: Path
) -> None:
    """In the tests' own PostgreSQL, which nobody kills: only the web server."""
    with django_db_blocker.unblock():
        connection.set_tenant(proof_city)
        with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
            open_account("crashweb", "agent")  # the server knows no weaker one
        database = connection.settings_dict["NAME"]
        connection.close()
    dsns = {f"PARVIS_{name.upper()}_DSN": make_conninfo(getattr(URLS, name), dbname=database)
             for name in URLS.roles()._fields}  # fmt: skip
    office = Office(Path(os.environ["PARVIS_HOME"]), proof_city.schema_name, dsns)
    office.env["PROOF_ACCOUNT"] = "crashweb"
    web = Web(office.env, tmp_path / "web.log", host=f"{proof_city.schema_name}.localhost")
    try:
        _storm(office, web, figure, clients=3, wanted=30, kills=3)
        web.log.write_bytes(web.log.read_bytes() or b"\n")
        _logs_say_nobody([web.log], figure)
    finally:
        web.stop()
