"""`parvis run`: everything in the foreground, one Ctrl-C to stop. And the worker it starts."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click

from parvis.site.boot import CannotStart, home


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", envvar="WEB_WORKERS", default=1, show_default=True, type=click.IntRange(1, 64),
              help="Web processes.")  # fmt: skip
@click.option("--demo/--no-demo", default=True, help="Fill a new database with the two demo cities.")
def run(host: str, port: int, workers: int, demo: bool) -> None:
    """Serve: database, migrations, demo cities if the database is new, web server and background worker."""
    folder = home()
    free_port(host, port)
    # The supervisor itself stays small: what needs Django runs in processes of their own.
    from parvis.kit.server import DatabaseUnavailable, Roles, databases

    try:
        urls = databases(folder)
    except DatabaseUnavailable as error:
        raise CannotStart(str(error)) from None
    prepared = subprocess.run([sys.executable, "-m", "parvis", "prepare", "--demo" if demo else "--no-demo"])
    if prepared.returncode:
        raise SystemExit(prepared.returncode)
    given = {"DATABASE_URL", *(f"{name.upper()}_DATABASE_URL" for name in Roles._fields)}
    env = {name: value for name, value in os.environ.items() if name not in given} | {"PARVIS_HOME": str(folder)}
    web = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "8", "--backlog", "1024", "--no-ws",
        "--respawn-failed-workers", "--log-level", "error", "parvis.site.wsgi:application",
    ]  # fmt: skip
    worker = [sys.executable, "-m", "parvis", "worker"]
    children = [
        Child("web", web, env | urls.handed_down("app", "public")),
        Child("worker", worker, env | urls.handed_down("worker")),
    ]
    stop = threading.Event()

    def stopping(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, stopping)
    signal.signal(signal.SIGTERM, stopping)
    for child in children:
        child.start()
    try:
        if wait_until_open(host, port, children[0], stop):
            subprocess.run([sys.executable, "-m", "parvis", "welcome", "--host", host, "--port", str(port)])
        while not stop.wait(0.5):
            for child in children:
                child.revive()
    finally:
        click.echo("\nparvis: stopping", err=True)
        for child in children:
            child.stop()


def free_port(host: str, port: int) -> None:
    """Raise CannotStart when another program listens on host:port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} can't be used ({error.strerror}): stop what uses it or set PORT to another"
            ) from None


def wait_until_open(host: str, port: int, web: "Child", stop: threading.Event) -> bool:
    """Wait, at most a minute, until the web server takes connections."""
    target = "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104
    for _ in range(600):
        if stop.is_set():
            return False
        with contextlib.suppress(OSError), socket.create_connection((target, port), timeout=1):
            return True
        web.revive()
        time.sleep(0.1)
    raise CannotStart("the web server did not start; its messages are above")


@dataclass
class Child:
    """A process that is started again when it dies, and that dies with its parent."""

    name: str
    command: list[str]
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which stops its children in order.
        self.process = subprocess.Popen(self.command, env=self.env, start_new_session=True, preexec_fn=die_with_parent)

    def revive(self) -> None:
        """Start it again if it died; give up after five deaths in a minute."""
        if self.process is None or self.process.poll() is None:
            return
        self.sweep()
        now = time.monotonic()
        self.deaths = [at for at in self.deaths if now - at < 60] + [now]
        if len(self.deaths) > 5:
            raise CannotStart(f"the {self.name} process died {len(self.deaths)} times in a minute: see above")
        click.echo(f"parvis: the {self.name} process ended ({self.process.returncode}); starting it again", err=True)
        time.sleep(min(2.0, 0.2 * len(self.deaths)))
        self.start()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(2)
        self.sweep()

    def sweep(self) -> None:
        """End what it started itself: a web server that was killed leaves its workers on the port."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def die_with_parent() -> None:
    """Ask Linux for SIGTERM when the supervisor is killed; elsewhere the children simply stay until stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@click.command()
def worker() -> None:
    """The background worker: queue, sweeps, sign of life."""
    from parvis.site.boot import boot

    boot("worker")
    from django.utils import timezone

    from parvis.cities.models import Beat
    from parvis.cities.queries import cities
    from parvis.kit import jobs

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def beat() -> None:
        from django_tenants.utils import get_public_schema_name, schema_context

        with schema_context(get_public_schema_name()):
            Beat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})

    jobs.work(lambda: [city.schema_name for city in cities()], beat, stop=stop)


@click.command()
@click.option("--demo/--no-demo", default=True)
def prepare(demo: bool) -> None:
    """What `run` does before it serves: tables, static files, catalogues, demo cities."""
    from parvis.site.boot import boot

    urls = boot("owner")
    from django.core.management import call_command

    from parvis.cities.actions import migrate_all
    from parvis.cities.queries import cities
    from parvis.kit.catalogues import compile_all

    compile_all()
    roles = urls.roles()
    migrate_all(roles, lambda name: click.echo(f"parvis: tables of {name}", err=True))
    collect_static(call_command)
    if demo and not cities():
        from parvis.demo.loader import load_demo

        load_demo(roles=roles)


def collect_static(call_command: object) -> None:
    """Copy and compress static files into PARVIS_HOME, unless nothing has changed since the last time."""
    import hashlib

    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}".encode())
    mark = Path(settings.STATIC_ROOT) / ".fingerprint"
    if mark.exists() and mark.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)  # type: ignore[operator]
    mark.write_text(digest.hexdigest())


@click.command()
@click.option("--host", required=True)
@click.option("--port", required=True, type=int)
def welcome(host: str, port: int) -> None:
    """Print where the cities are and, in the demo, how to sign in."""
    from parvis.site.boot import boot

    boot("app")
    from django.conf import settings

    from parvis.cities.queries import cities, domains

    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    click.echo(f"\nParvis serves http://{'localhost' if shown == '127.0.0.1' else shown}:{port}/")
    for city in cities():
        names = [f"http://{name}:{port}/" for name in domains(city)]
        click.echo(f"  {city.name}: {'  '.join(names)}{'  (default)' if city.is_default else ''}")
    if not settings.PRODUCTION:
        from parvis.demo.loader import sign_ins

        for line in sign_ins():
            click.echo(f"  {line}")
    click.echo("Ctrl-C stops everything.", err=True)
