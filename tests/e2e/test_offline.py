"""The desk without network in a real browser: what is written there arrives once, and lies nowhere in clear."""

import os
import re
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from parvis.accounts.models import Session
from parvis.cases.models import Household, Person
from parvis.kit.acting import acting
from parvis.plans.models import Step
from parvis.welcome import offline
from parvis.welcome.models import Receipt
from tests.accounts.people import PASSWORD, open_account
from tests.cases.story import NewPerson, opened
from tests.e2e.conftest import environment, start, watch
from tests.e2e.town import Town

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here awaits
Visit = Callable[..., BrowserContext]


@pytest.fixture
def alice(in_town: Town) -> Any:
    mark = uuid.uuid4().hex[:6]
    offline.switch(True, 12, by=open_account(f"admin{mark}", "administrator"))
    return open_account(f"alice{mark}", "agent")


def enter(page: Page, town: Town, who: Any, path: str = "account/login/") -> None:
    """Sign in; Today, where it leads, makes the browser ready to work without network."""
    page.goto(town.page(path, "en"))
    page.fill("input[name=login]", who.email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    page.wait_for_load_state()  # its scripts have run


def leave(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()


def make_ready(page: Page) -> None:
    page.evaluate("async () => { await parvisDesk.ready; await navigator.serviceWorker.ready; }")


def write_down(page: Page, name: str, *others: str) -> None:
    page.get_by_label("Name, as the person says it").fill(name)
    for number, other in enumerate(others):
        page.fill(f"[name=with-{number}-name]", other)
    page.get_by_label("Nowhere to sleep tonight").check()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("[data-rows]")).to_contain_text(name)


def arrived(by: Any, name: str) -> int:
    with acting(by), transaction.atomic():
        return Person.objects.filter(name=name).count()


#: everything in this origin's IndexedDB as text: strings, and buffers in every byte
DUMP = """async () => {
  const found = [];
  const tell = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer || value);
      found.push(new TextDecoder("utf-8").decode(bytes), new TextDecoder("utf-16le").decode(bytes));
    } else if (value instanceof CryptoKey) { found.push("key, extractable: " + value.extractable); }
    else if (value && typeof value === "object") {
      Object.entries(value).forEach(([k, v]) => { found.push(k); tell(v); });
    }
    else { found.push(String(value)); }
  };
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of base.objectStoreNames) {
      const rows = await new Promise((done) => {
        const r = base.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      found.push("store " + store); rows.forEach(tell);
    }
    base.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const asked of await cache.keys()) found.push(asked.url, await (await cache.match(asked)).text());
  }
  for (const kept of [localStorage, sessionStorage]) found.push(JSON.stringify(kept));
  return found.join("\\n");
}"""


def test_what_is_written_without_network_arrives_once_and_lies_nowhere_in_clear(
    town: Town, alice: Any, visit: Visit
) -> None:
    context = visit()
    page = context.new_page()
    enter(page, town, alice)
    make_ready(page)
    context.set_offline(True)
    page.goto(town.page("welcome/", "en"))  # served by the browser itself
    expect(page.get_by_role("heading", level=1)).to_have_text("The desk without network")
    names = [f"آمنة {alice.pk.hex[:5]}", f"Ruxandra {alice.pk.hex[:5]}"]
    write_down(page, names[0], "يوسف", "Karim")
    expect(page.locator("[data-desk]")).to_contain_text("Not sent yet 1")
    page.close()

    page = context.new_page()  # the browser was closed and opened again
    page.goto(town.page("welcome/", "en"))
    expect(page.locator("[data-rows]")).to_contain_text(names[0])
    write_down(page, names[1])
    expect(page.locator("[data-desk]")).to_contain_text("Not sent yet 2")
    lying = page.evaluate(DUMP)
    assert "store queue" in lying and "key, extractable: false" in lying and town.page("welcome/away/", "en") in lying
    for name in (*names, "يوسف", "Karim", "shelter", alice.email):
        assert name not in lying.replace('value="shelter"', ""), name
    # the control: the same dump finds a name that does lie in clear
    page.evaluate("name => new Promise(done => { const r = indexedDB.open('careless', 1);"
                  " r.onupgradeneeded = () => r.result.createObjectStore('s').put(new TextEncoder().encode(name), 1);"
                  " r.onsuccess = () => { r.result.close(); done(); } })", names[1])  # fmt: skip
    assert names[1] in page.evaluate(DUMP)
    assert arrived(alice, names[0]) == 0

    context.set_offline(False)
    expect(page.locator("[data-desk]")).to_be_hidden(timeout=20_000)
    for name in names:
        assert arrived(alice, name) == 1
    with acting(alice), transaction.atomic():
        home = Household.objects.get(members__person__name=names[0])
        assert home.members.count() == 3 and home.lead_worker == alice
    assert Receipt.objects.filter(user=alice).count() == 2


def test_an_answer_that_is_lost_doubles_nothing(town: Town, alice: Any, visit: Visit) -> None:
    """The write is done and its answer never comes: it is sent again, and found done."""
    page = visit().new_page()
    enter(page, town, alice)
    make_ready(page)
    page.goto(town.page("welcome/away/", "en"))
    # the browser sends, the office does it, and the answer is lost on its way; the second time it comes
    page.evaluate("""() => {
        const real = window.fetch;
        window.statuses = [];
        window.fetch = async (url, how) => {
            const answer = await real(url, how);
            if (String(url).endsWith('/send/')) {
                window.statuses.push(answer.status);
                if (window.statuses.length === 1) throw new TypeError('lost');
            }
            return answer;
        };
    }""")
    name = f"Perdue {alice.pk.hex[:5]}"
    write_down(page, name)
    while not page.evaluate("window.statuses.length"):
        page.wait_for_timeout(50)
    page.evaluate("parvisDesk.send()")
    expect(page.locator("[data-desk]")).to_be_hidden(timeout=20_000)
    assert page.evaluate("window.statuses") == [200, 200] and arrived(alice, name) == 1
    # the control: under another key the same words are another household
    page.evaluate("name => parvisDesk.add('intake', {name})", name)
    expect(page.locator("[data-desk]")).to_be_hidden(timeout=20_000)
    assert arrived(alice, name) == 2


@contextmanager
def a_server_to_kill() -> Iterator[tuple[int, Callable[[], None], Callable[[], None]]]:
    """A web server of the test's own: its port, how it is killed with all its workers, how it comes back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = environment()
    lives: list[subprocess.Popen[bytes]] = []

    def come() -> None:
        lives.append(start(env, port))

    def kill() -> None:
        import psutil

        for each in psutil.Process(lives[-1].pid).children(recursive=True):
            each.send_signal(signal.SIGKILL)
        lives[-1].kill()
        lives[-1].wait(10)

    come()
    try:
        yield port, kill, come
    finally:
        if lives[-1].poll() is None:
            kill()


def test_a_server_killed_while_it_receives_doubles_and_loses_nothing(town: Town, alice: Any, visit: Visit) -> None:
    with a_server_to_kill() as (port, kill, come):
        there = Town(f"http://{town.city.schema_name}.localhost:{port}", town.city)
        page = visit().new_page()
        page.set_default_timeout(30_000)
        enter(page, there, alice)
        make_ready(page)
        page.goto(there.page("welcome/away/", "en"))
        mark = alice.pk.hex[:5]
        page.context.set_offline(True)
        for number in range(25):
            page.evaluate("name => parvisDesk.add('intake', {name})", f"Foule {mark} {number}")
        expect(page.locator("[data-count]")).to_have_text("25")
        page.context.set_offline(False)
        killed = 0
        for _ in range(3):
            before = Receipt.objects.filter(user=alice).count()
            deadline = time.monotonic() + 20
            while Receipt.objects.filter(user=alice).count() < before + 2 and time.monotonic() < deadline:
                page.evaluate("void parvisDesk.send()")
                time.sleep(0.02)
            kill()
            killed += 1
            come()
        page.evaluate("parvisDesk.send()")
        expect(page.locator("[data-desk]")).to_be_hidden(timeout=40_000)
        with acting(alice), transaction.atomic():
            names = [p.name for p in Person.objects.filter(name__startswith=f"Foule {mark}")]
        assert killed == 3 and sorted(names) == sorted(f"Foule {mark} {number}" for number in range(25))


def test_a_session_that_ended_meanwhile_keeps_the_queue_until_one_signs_in_again(
    town: Town, alice: Any, visit: Visit
) -> None:
    context = visit()
    page = context.new_page()
    enter(page, town, alice)
    make_ready(page)
    context.set_offline(True)
    page.goto(town.page("welcome/", "en"))
    name = f"Patiente {alice.pk.hex[:5]}"
    write_down(page, name)
    Session.objects.filter(user=alice).delete()
    context.set_offline(False)
    expect(page.locator("[data-desk]")).to_contain_text("Sign in again", timeout=20_000)
    assert arrived(alice, name) == 0
    # another agent at this computer sees that something waits, opens nothing and sends nothing
    bob = open_account(f"bob{alice.pk.hex[:6]}", "agent")
    enter(page, town, bob)
    expect(page.locator("[data-desk]")).to_contain_text("Somebody else wrote these")
    assert page.evaluate("async () => (await parvisDesk.waiting()).length") == 0
    leave(page)
    page.goto(town.page("account/login/", "en"))
    expect(page.locator("[data-desk]")).to_contain_text("Not sent yet 1")
    assert arrived(alice, name) == 0
    enter(page, town, alice)
    for _ in range(80):  # the band is hidden before the page has counted, too: only the books say that it is sent
        if arrived(alice, name):
            break
        page.wait_for_timeout(250)
    assert arrived(alice, name) == 1
    expect(page.locator("[data-desk]")).to_be_hidden(timeout=20_000)


def test_signing_out_leaves_neither_list_nor_key(town: Town, alice: Any, visit: Visit) -> None:
    page = visit().new_page()
    enter(page, town, alice)
    make_ready(page)
    held = "async () => (await indexedDB.databases()).length && parvisDesk.list().then(Boolean)"
    assert page.evaluate(held) is True  # the control
    leave(page)
    page.goto(town.page("account/login/", "en"))
    assert page.evaluate(held) is False
    assert "key, extractable" not in page.evaluate(DUMP)


def test_an_office_that_has_not_turned_it_on_leaves_nothing_in_the_browser(
    town: Town, alice: Any, visit: Visit
) -> None:
    offline.switch(False, 12, by=open_account(f"off{alice.pk.hex[:6]}", "administrator"))
    page = visit().new_page()
    enter(page, town, alice)
    page.evaluate("parvisDesk.ready")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0
    assert page.evaluate("parvisDesk.add('intake', {name: 'Nobody'})") == ""
    assert "key, extractable" not in page.evaluate(DUMP)


@pytest.fixture
def step(alice: Any) -> Step:
    """A household of Alice's with one step that is due today."""
    home = opened(alice, NewPerson(f"Amina {alice.pk.hex[:5]}"))
    with acting(alice), transaction.atomic():
        found = Step.objects.filter(household=home, kind="target", state="open").order_by("code").first()
        assert found is not None
        Step.objects.filter(household=home, kind="target").exclude(pk=found.pk).update(due_on=None)
        Step.objects.filter(pk=found.pk).update(due_on=timezone.localdate())
    return found


def now(step: Step, by: Any) -> Step:
    with acting(by), transaction.atomic():
        return Step.objects.select_related("done_by").get(pk=step.pk)


def test_a_step_is_completed_without_network_and_a_conflict_is_the_persons_to_decide(
    town: Town, alice: Any, step: Step, visit: Visit
) -> None:
    context = visit()
    page = context.new_page()
    enter(page, town, alice)
    make_ready(page)
    context.set_offline(True)
    page.goto(town.page("welcome/", "en"))
    line = page.locator("[data-steps] li")
    expect(line).to_contain_text(f"Amina {alice.pk.hex[:5]}")
    assert f"Amina {alice.pk.hex[:5]}" not in page.evaluate(DUMP)
    line.get_by_label("Evidence").fill("Reçu 12")
    line.get_by_role("button", name="Done").click()
    expect(page.locator("[data-rows]")).to_contain_text("Step completed")
    expect(line).to_have_count(0)
    with acting(alice), transaction.atomic():  # meanwhile the household has changed
        Household.objects.filter(pk=step.household_id).update(version=F("version") + 1)
    context.set_offline(False)
    expect(page.locator("[data-rows]")).to_contain_text("was changed meanwhile", timeout=20_000)
    expect(page.locator("[data-desk]")).to_contain_text("wait for your decision")
    assert now(step, alice).state == "open"
    page.get_by_role("button", name="Do it all the same").click()
    expect(page.locator("[data-desk]")).to_be_hidden(timeout=20_000)
    assert now(step, alice).state == "done" and now(step, alice).done_by == alice


def test_the_day_by_the_keyboard(town: Town, alice: Any, step: Step, visit: Visit) -> None:
    page = visit().new_page()
    wrong = watch(page)
    enter(page, town, alice)
    expect(page.get_by_text("Keys:")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("Vu avec elle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take back what was just completed")).to_be_visible()
    assert now(step, alice).state == "done"
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Take back what was just completed")).to_have_count(0)
    assert now(step, alice).state == "open"
    for _ in range(9):  # to the line of the step, which may stand behind overdue ones
        page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.get_by_role("group", name="The chosen steps")).to_be_visible()
    assert not wrong


def test_the_header_is_one_row_on_a_telephone_and_its_menu_needs_no_script(
    town: Town, alice: Any, visit: Visit
) -> None:
    page = visit(width=360, javascript=False).new_page()
    enter(page, town, alice)
    box = page.locator(".masthead").bounding_box()
    assert box is not None and box["height"] < 90
    menu = page.locator(".menus")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(menu.get_by_role("link", name="Today")).to_be_visible()
    menu.get_by_role("link", name="Case files").click()
    expect(page).to_have_url(re.compile(r"/en/files/"))
