"""A real browser before the real server: granian, compressed static files, a town of its own in the test database."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from psycopg.conninfo import make_conninfo

from tests.conftest import URLS, _use, clock
from tests.e2e.town import Town, build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)


def environment() -> dict[str, str]:
    """What a web server over the tests' database is started with."""
    name = connection.settings_dict["NAME"]
    dsns = {f"PARVIS_{role}_DSN": make_conninfo(getattr(URLS, role.lower()), dbname=name) for role in ("APP", "PUBLIC")}
    env = {**os.environ, **dsns, "LOG_LEVEL": "ERROR"}
    env.pop("PARVIS_DSN", None)
    return env


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[int]:
    """The port of a web server over the tests' database, as `parvis run` starts it."""
    from parvis.kit.catalogues import compile_all

    compile_all()
    env = environment()
    dsns = {name for name in env if name.startswith("PARVIS_") and name.endswith("_DSN")}
    collected = subprocess.run(
        [sys.executable, "-m", "parvis", "manage", "collectstatic", "--noinput", "--verbosity", "0"],
        env={key: value for key, value in env.items() if key not in dsns},
        capture_output=True,
        text=True,
    )
    assert collected.returncode == 0, collected.stderr
    with serving(env) as port:
        yield port


@contextlib.contextmanager
def serving(env: dict[str, str], port: int = 0) -> Iterator[int]:
    """A web server on a port of its own (or this one), until the block ends; a test may have killed it before."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    process = start(env, port)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def start(env: dict[str, str], port: int) -> "subprocess.Popen[bytes]":
    """Start a web server and wait until it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
         "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "error",
         "parvis.site.wsgi:application"],
        env=env,
    )  # fmt: skip
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        assert process.poll() is None, "the web server ended"
        time.sleep(0.1)
    return process


@pytest.fixture(scope="session")
def town(server: int, django_db_blocker: Any) -> Iterator[Town]:
    """A city of the browser tests' own, filled and committed; dropped afterwards."""

    from parvis.cities.actions import add_city
    from parvis.cities.middleware import hosts

    name, database = f"e{uuid.uuid4().hex[:10]}", connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        _use("owner", database)
        city = add_city(
            name,
            name="Montréal",
            domains=[f"{name}.localhost"],
            languages=["fr", "en", "ar", "es"],
            roles=URLS.roles(),
        )
        city.office_phone, city.office_email = "+1 514 555-0100", "accueil@example.org"
        city.save(update_fields=["office_phone", "office_email"])
        _use("app", database)
        hosts.forget()
        connection.set_tenant(city)
        made = Town(f"http://{name}.localhost:{server}", city)
        with clock(city):
            build(made)
        connection.set_schema_to_public()
    # The server learns of a new host name within five seconds.
    time.sleep(5.2)
    yield made
    with django_db_blocker.unblock():
        _use("owner", database)
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')
            cursor.execute("DELETE FROM cities_domain WHERE tenant_id = %s", [city.pk])
            cursor.execute("DELETE FROM cities_city WHERE id = %s", [city.pk])
        _use("app", database)
        hosts.forget()


@pytest.fixture
def in_town(town: Town, django_db_blocker: Any) -> Iterator[Town]:
    """The town with its database open to the test (what it writes is committed)."""
    with django_db_blocker.unblock():
        connection.set_tenant(town.city)
        with clock(town.city):
            yield town
        connection.set_schema_to_public()
        connection.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    # Playwright keeps an event loop in this thread; the tests' own queries beside it are not asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a fresh profile: `visit(width=360, scheme="dark", javascript=False, locale="fr")`. Closed afterwards."""
    opened: list[BrowserContext] = []

    def new(
        width: int = 1280, scheme: str = "light", javascript: bool = True, locale: str = "fr", **more: Any
    ) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            locale=locale,
            **more,
        )
        context.set_default_timeout(10_000)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()


@pytest.fixture
def page(visit: Callable[..., BrowserContext]) -> Page:
    """A page that fails the test when a script throws or the content policy refuses something."""
    opened = visit().new_page()
    watch(opened)
    return opened


def watch(page: Page) -> list[str]:
    """Collect what goes wrong on a page: thrown errors, refused or failed loads."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 500 else None)
    return wrong
