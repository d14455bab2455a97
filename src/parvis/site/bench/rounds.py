"""What is measured, against what, and what was promised."""

import csv
import gzip
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import orjson
import psutil
import psycopg

from parvis.site.bench.meter import Subject, costs, memory, spent, tree

CITY = "montreal"
HOST = "montreal.localhost"
REQUESTS = 960
SLOW_REQUESTS = 60  # of what costs a hundred times more
#: The better of two peers, measured elsewhere beside an earlier Parvis, in ms of CPU (issue 2, section 7).
PEERS = {"list": 39.0, "detail": 6.0, "search": 145.0}
MISTYPED = {"français": "francias", "juridique": "juriqique", "logement": "logmeent", "emploi": "empoli",
            "alimentaire": "alimentiare"}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One figure: `ok` says whether it is within `budget`; None where nothing was promised."""

    name: str
    value: float
    unit: str
    against: str = ""
    budget: str = ""
    ok: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def at_most(name: str, value: float, most: float, unit: str, against: str) -> Line:
    return Line(name, round(value, 3), unit, against, f"<= {most:g} {unit}", value <= most)


def at_least(name: str, value: float, least: float, unit: str, against: str) -> Line:
    return Line(name, round(value, 3), unit, against, f">= {least:g} {unit}", value >= least)


# ---- servers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A web server under measure."""

    process: subprocess.Popen[bytes]
    port: int
    ready_after: float  # seconds

    def web(self) -> list[psutil.Process]:
        """The processes that answer requests: the web server's, without the worker."""
        return [each for each in tree(self.process.pid) if "granian" in " ".join(_command(each))]

    def client(self) -> "Client":
        return Client(self.port)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


class Client:
    """One connection that stays open, as a directory's reader keeps it."""

    def __init__(self, port: int, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Host": HOST, **headers}

    def get(self, path: str) -> bytes:
        self.connection.request("GET", path, headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {body[:300]!r}")
        return body


@contextmanager
def served(command: list[str], port: int, path: str, env: dict[str, str]) -> Iterator[Server]:
    """Run a server until the block ends; it is ready when `path` answers 200."""
    started = time.perf_counter()
    with Path(env["PARVIS_HOME"], "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
    try:
        while True:
            try:
                Client(port).get(path)
                break
            except (OSError, http.client.HTTPException, RuntimeError):
                if process.poll() is not None or time.perf_counter() - started > 120:
                    raise RuntimeError(f"the server did not start: {' '.join(command)}") from None
                time.sleep(0.05)
        yield Server(process, port, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def parvis(port: int) -> list[str]:
    return [sys.executable, "-m", "parvis", "run", "--no-demo", "--port", str(port)]


def plain(port: int) -> list[str]:
    return [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
            "--blocking-threads", "8", "--no-ws", "--log-level", "error",
            "parvis.site.bench.peer:application"]  # fmt: skip


# ---- what is asked


@dataclass
class Questions:
    """Pages, identifiers and words, different each time, so that no cache is what is measured."""

    ids: list[str]
    rare: list[str]
    seed: int = 7

    def pages(self, first: int, last: int) -> list[int]:
        chosen = random.Random(self.seed)  # noqa: S311
        return [chosen.randint(first, last) for _ in range(REQUESTS * 2)]

    def details(self) -> list[str]:
        return random.Random(self.seed).choices(self.ids, k=REQUESTS * 2)  # noqa: S311

    def common(self) -> list[tuple[str, int]]:
        chosen = random.Random(self.seed)  # noqa: S311
        return [(chosen.choice(list(MISTYPED)), chosen.randint(1, 8)) for _ in range(REQUESTS * 2)]

    def typos(self) -> list[tuple[str, int]]:
        return [(MISTYPED[word], page) for word, page in self.common()]


def over(client: Client, paths: list[str]) -> Callable[[int], int]:
    return lambda number: len(client.get(paths[number % len(paths)]))


# ---- the rounds


class Rounds:
    """All measurements of one run, on one database."""

    def __init__(self, folder: Path, dsn: str, postmaster: int, say: Callable[[str], None]) -> None:
        self.folder, self.dsn, self.postmaster, self.say = folder, dsn, postmaster, say
        self.lines: list[Line] = []
        self.raw = psycopg.connect(dsn, autocommit=True, prepare_threshold=1)
        self.schema = CITY

    def rows(self, statement: str, values: Any) -> int:
        """Fetch rows by plain psycopg, prepared; returns the bytes of their first columns."""
        return sum(len(row[0]) for row in self.raw.execute(statement, values).fetchall())

    def questions(self) -> Questions:
        documents = f"{self.schema}.directory_document"
        found = self.raw.execute(
            f"SELECT object_id::text, item::json->>'name' FROM {documents} WHERE kind = 'service' ORDER BY object_id"
        ).fetchall()
        lexemes = self.raw.execute(
            f"SELECT spelling FROM {self.schema}.directory_lexeme WHERE listings BETWEEN 2 AND 12"
            " AND length(word) > 4 AND word ~ '^[a-z]+$' ORDER BY md5(word) LIMIT 1500"
        ).fetchall()
        return Questions([row[0] for row in found], [row[0] for row in lexemes])

    def requests(self, ours: Server, peer: Server) -> None:
        """Lists, details and searches, over HTTP, beside raw SQL and the plain Django peer."""
        asks = self.questions()
        table = f"{self.schema}.directory_document"
        page = f"SELECT item FROM {table} WHERE kind = 'service' ORDER BY object_id LIMIT 25 OFFSET %s"
        one = f"SELECT whole FROM {table} WHERE kind = 'service' AND object_id = %s"
        for name, numbers in {"list of 25": asks.pages(1, 40), "page 700": asks.pages(690, 710)}.items():
            starts = [[(number - 1) * 25] for number in numbers]
            paths = [f"services?page={number}" for number in numbers]
            self._compare(name, "list", ours, peer, paths, page, starts)
        ids = asks.details()
        self._compare(
            "detail", "detail", ours, peer, [f"services/{each}" for each in ids], one, [[each] for each in ids]
        )
        listing = f"{self.schema}.directory_listing"
        match = f"{listing} l WHERE l.kind = 'service' AND l.words @@ %s::tsquery"
        page = (
            f"SELECT d.item, (SELECT count(*) FROM {match}) FROM (SELECT l.object_id FROM {match}"
            f" ORDER BY l.sort_name, l.object_id LIMIT 25 OFFSET %s) found"
            f" JOIN {table} d ON d.kind = 'service' AND d.object_id = found.object_id"
        )
        for name, said in {
            "search, common word": asks.common(),
            "search, rare word": [(word, 1) for word in asks.rare],
            "search, typing error": asks.typos(),
        }.items():
            paths = [f"services?search={quote(word)}&page={number}" for word, number in said]
            known = {word: self._understood(word) for word, _ in said}
            values = [[known[word], known[word], (number - 1) * 25] for word, number in said]
            self._compare(name, "search", ours, peer, paths, page, values)
            self._fetching(name, ours, paths)

    def _understood(self, text: str) -> str:
        """The tsquery that a question becomes, so that raw SQL need not understand it."""
        from django.db import connection

        from parvis.cities.queries import city
        from parvis.directory.search import matching

        if connection.schema_name != CITY:
            connection.set_tenant(city(CITY))
        return matching(text) or "'=nothing'"

    def _fetching(self, name: str, ours: Server, paths: list[str]) -> None:
        """For comparison: what it costs only to fetch what was found, by its identifiers."""
        statement = f"SELECT item FROM {self.schema}.directory_document WHERE kind = 'service' AND object_id = ANY(%s)"
        found = [self._found(ours, path) for path in paths[: REQUESTS // 4]]
        bare = Subject(lambda n: self.rows(statement, [found[n % len(found)]]), lambda: [psutil.Process()], REQUESTS)
        (least,) = costs([bare], self.postmaster)
        self.lines.append(
            Line(f"{name}: fetching alone", round(least.cpu, 3), "ms", "the same rows by identifier, nothing searched")
        )

    def _found(self, ours: Server, path: str) -> list[str]:
        return [each["id"] for each in orjson.loads(ours.client().get(f"/hsds/v3/{path}"))["contents"]]

    def _compare(
        self, name: str, kind: str, ours: Server, peer: Server, paths: list[str], statement: str, values: list[Any]
    ) -> None:
        """One question to us, to PostgreSQL by hand, and to the plain Django peer; in turns."""
        self.say(name)
        own, least, other = costs(
            [
                Subject(over(ours.client(), [f"/hsds/v3/{path}" for path in paths]), ours.web, REQUESTS),
                Subject(lambda n: self.rows(statement, values[n % len(values)]), lambda: [psutil.Process()], REQUESTS),
                Subject(over(peer.client(), [f"/{path}" for path in paths]), peer.web, SLOW_REQUESTS),
            ],
            self.postmaster,
        )
        split = f"application {own.application:.2f} + database {own.database:.2f}; {own.size} bytes"
        self.lines += [
            Line(f"{name}: CPU", round(own.cpu, 3), "ms", split),
            at_most(f"{name}: to raw SQL", own.cpu / least.cpu, 3, "x", f"{least.cpu:.3f} ms for the same bytes"),
            at_least(f"{name}: ORM to ours", other.cpu / own.cpu, 8, "x", f"plain Django {other.cpu:.2f} ms"),
            at_least(
                f"{name}: peer to ours", PEERS[kind] / own.cpu, 3 if kind == "detail" else 10, "x",
                f"the better of two peers, {PEERS[kind]:g} ms elsewhere",
            ),
        ]  # fmt: skip

    def whole_lists(self, ours: Server, peer: Server) -> None:
        """A page of 25 whole services."""
        self.say("25 whole services")
        paths = [f"services?full=true&page={number}" for number in self.questions().pages(1, 700)]
        own, other = costs(
            [
                Subject(over(ours.client(), [f"/hsds/v3/{path}" for path in paths]), ours.web, REQUESTS // 2),
                Subject(over(peer.client(), [f"/{path}" for path in paths]), peer.web, SLOW_REQUESTS // 2),
            ],
            self.postmaster,
        )
        self.lines += [
            Line("25 whole services: CPU", round(own.cpu, 3), "ms", f"{own.size} bytes"),
            at_least("25 whole services: ORM to ours", other.cpu / own.cpu, 8, "x", f"plain Django {other.cpu:.1f} ms"),
        ]

    def stream(self, ours: Server) -> None:
        """Everything as ndjson, compressed: beside reading the same bytes from a file and compressing them."""
        self.say("ndjson of everything")
        path = "/hsds/v3/services?full=true&format=ndjson"
        before = memory(ours.web())
        most, size, seconds, used = before, 0, [], []
        for _ in range(3):
            client = Client(ours.port, **{"Accept-Encoding": "gzip"})
            app, base = spent(ours.web()), spent(tree(self.postmaster))
            started = time.perf_counter()
            client.connection.request("GET", path, headers=client.headers)
            reply = client.connection.getresponse()
            packed, chunks = 0, 0
            while chunk := reply.read(1 << 16):
                packed += len(chunk)
                chunks += 1
                if chunks % 40 == 0:
                    most = max(most, memory(ours.web()))
            seconds.append(time.perf_counter() - started)
            used.append(spent(ours.web()) - app + spent(tree(self.postmaster)) - base)
        body = Client(ours.port).get(path)
        size = len(body)
        file = self.folder / "services.ndjson"
        file.write_bytes(body)
        started, cpu = time.perf_counter(), time.process_time()
        with file.open("rb") as source, gzip.open(self.folder / "services.ndjson.gz", "wb", 6) as target:
            while block := source.read(1 << 20):
                target.write(block)
        disk, disk_cpu = time.perf_counter() - started, time.process_time() - cpu
        records = body.count(b"\n")
        self.lines += [
            Line("ndjson of everything", round(min(seconds), 2), "s", f"{records} whole services, {size / 1e6:.0f} MB"),
            at_most("ndjson: CPU to disk and gzip", min(used) / disk_cpu, 2, "x", f"gzip -6 {disk_cpu:.2f} s of CPU"),
            at_most("ndjson: time to disk and gzip", min(seconds) / disk, 2, "x", f"read + gzip -6 {disk:.2f} s"),
            at_most("ndjson: memory grows by", max(0.0, most - before), 32, "MB", f"{before:.0f} MB before"),
        ]

    def installation(self, ours: Server) -> None:
        """What the whole installation holds while nobody asks, and how long a second start takes."""
        time.sleep(5)
        everything = {each.pid: each for each in [*tree(ours.process.pid), *tree(self.postmaster)]}
        self.lines += [
            Line("idle memory of the installation", round(memory(everything.values()), 1), "MB",
                 "web, worker, supervisor and PostgreSQL"),
            Line("start-up of a second `make run`", round(ours.ready_after, 2), "s", "until a list is answered"),
        ]  # fmt: skip


# ---- import


def write_package(folder: Path, services: int) -> int:
    """The demo's rows as an HSDS Tabular Data Package (a folder of CSV files). Returns how many rows."""
    from parvis.core import hsds
    from parvis.demo.generator import generate

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {}
    opened = []
    number = 0
    for entity, row in generate(CITY, services=services):
        if entity not in hsds.ENTITIES:
            continue
        if entity not in files:
            file = (folder / hsds.ENTITIES[entity].file).open("w", newline="", encoding="utf-8")
            opened.append(file)
            files[entity] = csv.DictWriter(file, hsds.ENTITIES[entity].names, extrasaction="ignore")
            files[entity].writeheader()
        files[entity].writerow({key: "" if value is None else value for key, value in row.items()})
        number += 1
    for file in opened:
        file.close()
    return number


def import_against_copy(
    folder: Path, env: dict[str, str], owner: str, services: int, postmaster: int, say: Callable[[str], None]
) -> list[Line]:
    """`parvis import hsds` of a package into an empty city, beside COPYing the rows it wrote into the same tables."""
    say("writing an HSDS package")
    package = folder / "package"
    rows = write_package(package, services)
    for name in ("bench_import", "bench_copy"):
        _city(name, env)
    say("importing it")
    base = spent(tree(postmaster))
    usage = _children()
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "parvis", "import", "hsds", str(package), "--city", "bench_import", "--source", "bench"],
        env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wall = time.perf_counter() - started
    cpu = _children() - usage + spent(tree(postmaster)) - base
    say("copying the same rows")
    tables = _written()
    entities, others = tables[: -len(BESIDE)], tables[-len(BESIDE) :]
    held = _copied_out(owner, folder / "copied", tables)
    alone = _copied_in(owner, postmaster, {name: held[name] for name in entities}, tables)
    # the yardstick swings by a third from run to run: the middle of three
    rounds = [_copied_in(owner, postmaster, held, tables) for _ in range(3)]
    whole = replace(rounds[0], wall=median(each.wall for each in rounds), cpu=median(each.cpu for each in rounds))
    shutil.rmtree(folder / "copied")
    beside = f"{whole.rows} rows with what is made of them {whole.wall:.2f} s"
    of_entities = f"{alone.rows} rows {alone.wall:.2f} s, without {len(others)} tables that are made of them"
    return [
        Line("import of the package", round(wall, 2), "s", f"{rows} rows, {cpu:.1f} s of CPU"),
        at_most("import: time to COPY of all it writes", wall / whole.wall, 3, "x", beside),
        at_most("import: CPU to COPY of all it writes", cpu / whole.cpu, 3, "x", f"{whole.cpu:.2f} s of CPU"),
        Line("import: time to COPY of the entity rows alone", round(wall / alone.wall, 3), "x", of_entities),
        Line(
            "import: CPU to COPY of the entity rows alone", round(cpu / alone.cpu, 3), "x", f"{alone.cpu:.2f} s of CPU"
        ),
    ]


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _city(name: str, env: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "parvis", "city", "add", name, "--name", name, "--domain", f"{name}.localhost"],
        env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


#: What an import leaves behind beside the rows of the package.
BESIDE = (
    "directory_document", "directory_listing", "directory_opening", "directory_lexeme", "directory_sourcerow",
    "ledger_event",
)  # fmt: skip


def _written() -> list[str]:
    """Every table into which an import writes rows: parents first, BESIDE last."""
    from parvis.core import hsds
    from parvis.directory.documents import MODELS, table

    return [*(table(entity) for entity in hsds.LOAD_ORDER if entity in MODELS), *BESIDE]


@dataclass(frozen=True)
class _Copied:
    rows: int
    wall: float  # seconds
    cpu: float  # seconds, of this process and PostgreSQL


def _copied_out(owner: str, folder: Path, tables: list[str]) -> dict[str, Path]:
    """What the import has left in these tables, each in a file as COPY reads it."""
    folder.mkdir(exist_ok=True)
    files = {name: folder / name for name in tables}
    with psycopg.connect(owner) as connection:
        connection.execute("ALTER TABLE bench_import.ledger_event NO FORCE ROW LEVEL SECURITY")  # its owner reads it
        for name, file in files.items():
            with file.open("wb") as out, connection.cursor().copy(f"COPY bench_import.{name} TO STDOUT") as copy:
                for block in copy:
                    out.write(block)
    return files


def _copied_in(owner: str, postmaster: int, files: dict[str, Path], tables: list[str]) -> _Copied:
    """COPY files into the tables of another city, emptied before, with all their constraints and indexes."""
    with psycopg.connect(owner) as connection:
        # the ledger refuses to be emptied, even in a city that only the bench knows
        connection.execute("ALTER TABLE bench_copy.ledger_event DISABLE TRIGGER ledger_event_no_truncate")
        # COPY is refused under row-level security; this city is the bench's own
        connection.execute("ALTER TABLE bench_copy.ledger_event DISABLE ROW LEVEL SECURITY")
        connection.execute(f"TRUNCATE {', '.join(f'bench_copy.{name}' for name in tables)} CASCADE")
        connection.commit()
        base, cpu, started, rows = spent(tree(postmaster)), time.process_time(), time.perf_counter(), 0
        # in one transaction: deferred constraints are checked at its end, as in an import
        with connection.cursor() as cursor:
            for name, file in files.items():
                with file.open("rb") as lines, cursor.copy(f"COPY bench_copy.{name} FROM STDIN") as copy:
                    while block := lines.read(1 << 18):
                        copy.write(block)
                rows += cursor.rowcount
        connection.commit()
        wall = time.perf_counter() - started
        return _Copied(rows, wall, time.process_time() - cpu + spent(tree(postmaster)) - base)
