"""People who can be written to, and peers on loopback that take, refuse, hang, or die with a message in their hands."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from django.db import transaction

from parvis.cases import contact
from parvis.cases.models import ContactPoint, Person
from parvis.cases.vault import Vault
from parvis.kit.acting import acting
from tests.cases.story import opened

TOKEN = "token-of-the-gateway"


def reachable(by: Any, system: str = "sms", value: str = "+15145550142", **more: Any) -> Person:
    """The head of a new household, with a contact at which a message may be left."""
    home = opened(by)
    with acting(by), transaction.atomic():
        person = home.members.get(relation="head").person
        add_contact(person, system, value, **more)
    return person


def add_contact(person: Person, system: str, value: str, **more: Any) -> ContactPoint:
    given = {"safe_to_leave_message": True, **more}
    row = ContactPoint(person=person, system=system, value_index=contact.index(system, value), **given)
    Vault([person.pk]).put(row, value=value).save()
    return row


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Hold:
    """Lets a peer keep its answer to one message, so that whoever sent it can be killed in between."""

    def __init__(self) -> None:
        self.at = 0
        self.held = threading.Event()

    def holds(self, taken: int) -> bool:
        """Is this the one? Then whoever waits for `held` is told."""
        if not self.at or taken < self.at:
            return False
        self.at = 0
        self.held.set()
        return True

    def wait_for(self, taken: int) -> bool:
        """Keep the answer to that message; True once it was taken."""
        self.held.clear()
        self.at = taken
        return self.held.wait(30)


class MailServer:
    """`mood`: "take", "later" (451), "never" (550), "hang" and "die" after the text: before its answer."""

    def __init__(self) -> None:
        self.mood = "take"
        self.received: list[tuple[list[str], bytes]] = []
        self.hold = Hold()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.mood == "later":
            return "451 later"
        if self.mood == "never":
            return "550 no such box"
        self.received.append((list(envelope.rcpt_tos), envelope.content))
        if self.hold.holds(len(self.received)):
            await asyncio.sleep(3)
        if self.mood == "die":
            server.transport.abort()
        return "250 taken"

    @property
    def ids(self) -> list[str]:
        from email import message_from_bytes

        return [message_from_bytes(content)["Message-ID"] for _, content in self.received]


@contextmanager
def mail_server() -> Iterator[tuple[MailServer, str]]:
    handler = MailServer()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


class SmsServer(ThreadingHTTPServer):
    """A gateway on loopback. `mood`: "take", a status ("500", "429", "401", "400"), "hang", "die" (takes it, says
    nothing), "lost" (takes nothing, says nothing), "twice" (takes it twice over), "slow"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Gateway)
        self.mood = "take"
        self.taken: list[dict[str, str]] = []
        self.asked = self.listed = 0
        self.lists = True
        self.lock = threading.Lock()
        self.hold = Hold()

    @property
    def url(self) -> str:
        return f"http://AC1:{TOKEN}@127.0.0.1:{self.server_address[1]}/2010-04-01?from=%2B15145550100"

    def take(self, form: dict[str, str]) -> dict[str, Any]:
        with self.lock:
            sid = f"SM{len(self.taken):032d}"
            self.taken.append(form | {"sid": sid})
        return {"sid": sid, "status": "queued", "to": form["To"], "body": form["Body"]}

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Gateway(BaseHTTPRequestHandler):
    server: SmsServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        self.server.asked += 1
        mood = self.server.mood
        if mood == "take":
            return self._say(201, self.server.take(form))
        if mood == "slow":
            said = self.server.take(form)
            time.sleep(3 if self.server.hold.holds(len(self.server.taken)) else 0.01)
            return self._say(201, said)
        if mood == "twice":
            self.server.take(form)
            return self._say(201, self.server.take(form))
        if mood == "die":
            self.server.take(form)
            return self._hang_up()
        if mood == "lost":
            return self._hang_up()
        if mood == "hang":
            time.sleep(3)
            return self._hang_up()
        more = {"Retry-After": "120"} if mood == "429" else {}
        return self._say(int(mood), {"code": 21211, "message": "mood"}, more)

    def do_GET(self) -> None:
        self.server.listed += 1
        if not self.server.lists:
            return self._say(503, {})
        asked = parse_qs(urlsplit(self.path).query)
        found = [
            {"sid": one["sid"], "to": one["To"], "body": one["Body"]}
            for one in reversed(self.server.taken)
            if one["To"] == asked["To"][0]
        ]
        return self._say(200, {"messages": found, "next_page_uri": None})

    def _say(self, status: int, said: dict[str, Any], more: dict[str, str] | None = None) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def sms_server() -> Iterator[SmsServer]:
    server = SmsServer()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
