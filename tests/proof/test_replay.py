"""Every request of one worker's session, made again by others: they get what they would get for a thing that is not
there, and never a word of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client

from parvis.cities.middleware import hosts
from tests.proof.reading import found, readable
from tests.proof.world import World, may_read

Figure = Callable[..., None]
Request = tuple[str, str, tuple[tuple[str, str], ...]]
pytestmark = pytest.mark.xdist_group("proof")

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: not followed: leaving, and what is not about people
_NOT = re.compile(r"/(logout|kit|hsds|static|account|search|desk)\b|^/(en|fr|ar|es)?/?$")


@pytest.fixture
def browsers(world: World) -> Iterator[Callable[[str], Client]]:
    hosts.forget()

    def browser(viewer: str) -> Client:
        client = Client(raise_request_exception=False, headers={"host": f"{connection.schema_name}.localhost"})
        if viewer in world.users:
            client.force_login(world.users[viewer])
        return client

    yield browser


def crawled(client: Client, start: list[str], most: int) -> dict[Request, Any]:
    """Requests that a session makes when every link is followed and every form is sent, with what was answered.

    What a form writes is undone, so that the walk ends.
    """
    waiting: list[Request] = [("GET", url, ()) for url in start]
    done: dict[Request, Any] = {}
    shapes: Counter[str] = Counter()
    while waiting and len(done) < most:
        request = waiting.pop(0)
        shape = request[0] + _ID.sub("*", request[1]) + str([name for name, _value in request[2]])
        if request in done or shapes[shape] >= 6:
            continue
        shapes[shape] += 1
        answer = done[request] = made(client, request)
        if answer.status_code == 302:
            waiting.append(("GET", answer["Location"], ()))
        elif answer.get("Content-Type", "").startswith("text/html"):
            waiting += [each for each in asked_of(request[1], answer.content.decode()) if not _NOT.search(each[1])]
    return done


def made(client: Client, request: Request) -> Any:
    method, url, form = request
    block = transaction.atomic()
    block._from_testcase = True  # refusals are noted in it, and undone
    with block:
        data: dict[str, list[str]] = {}
        for name, value in form:
            data.setdefault(name, []).append(value)
        answer = client.post(url, data) if method == "POST" else client.get(url)
        if answer.streaming:
            answer.content = b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    return answer


def asked_of(base: str, page: str) -> Iterator[Request]:
    """The requests that a page offers: its links, and its forms as they stand."""
    for link in re.findall(r'<a\b[^>]*\bhref="([^"#]+)', page):
        url = _joined(base, unescape(link))
        if url:
            yield "GET", url, ()
    for head, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", page, re.DOTALL):
        told = dict(re.findall(r'([\w-]+)="([^"]*)"', head))
        url = _joined(base, unescape(told.get("action", ""))) or base
        sent = [(name, value) for name, value in _fields(inside) if name != "csrfmiddlewaretoken"]
        if told.get("method", "get").lower() == "post":
            yield "POST", url, tuple(sorted(sent))


def _joined(base: str, link: str) -> str:
    if link.startswith("?"):
        return urlsplit(base).path + link
    parts = urlsplit(link)
    return "" if parts.scheme or parts.netloc or not link.startswith("/") else link


def _fields(form: str) -> Iterator[tuple[str, str]]:
    for tag in re.findall(r"<(?:input|button)\b[^>]*>", form):
        named = {key: unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if "name" in named and (named.get("type") not in ("checkbox", "radio") or " checked" in tag):
            yield named["name"], named.get("value", "")
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"([^>]*)>', inside)
        chosen = [value for value, more in options if " selected" in more] or [value for value, _more in options[:1]]
        yield from ((name, unescape(value)) for value in chosen)
    for name, inside in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        yield name, unescape(inside).strip() or "Essai"


#: what differs in any two answers
_DIFFERS = re.compile(r'csrfmiddlewaretoken" value="\w+"|nonce-[^\s;"\']+|nonce="[^"]+"|csrftoken=\w+')


def replayed(world: World, whose: str, others: tuple[str, ...], browsers: Any, most: int) -> tuple[Counter[str], Any]:
    count: Counter[str] = Counter()
    wrong = []
    walk = crawled(browsers(whose), ["/en/files/", "/en/files/shared/", "/en/files/caseload/"], most)
    count["requests"] = len(walk)
    clients = {other: browsers(other) for other in others}
    nothing: dict[tuple[str, str, str], Any] = {}
    for request, theirs in walk.items():
        secret = {canary.text for canary in found(world, readable(theirs), said="")}
        count["with_words"] += bool(secret)
        for other, client in clients.items():
            count["replays"] += 1
            answer = made(client, request)
            text = readable(answer)
            leaked = [each for each in found(world, text, said=str(request)) if not may_read(other, each)]
            wrong += [f"{other} {request[0]} {request[1]}: {each.where} of {each.thing}" for each in leaked]
            keys = _ID.findall(request[1])
            if not keys or not all(_hidden(world, other, key) for key in keys):
                continue
            count["hidden"] += 1
            if answer.status_code == 200:
                wrong.append(f"{other} {request[0]} {request[1]}: 200")
            shape = (other, request[0], _ID.sub("0" * 8 + "-0000-4000-8000-" + "0" * 12, request[1]))
            if shape not in nothing:
                nothing[shape] = made(client, (request[0], shape[2], request[2]))
            bytes_of = [_DIFFERS.sub("", _ID.sub("", readable(each))) for each in (answer, nothing[shape])]
            if answer.status_code != nothing[shape].status_code or bytes_of[0] != bytes_of[1]:
                wrong.append(f"{other} {request[0]} {request[1]}: told apart from what is not there")
    return count, wrong


def _hidden(world: World, viewer: str, key: str) -> bool:
    canary = next((each for pk, each in world.ids.items() if str(pk) == key), None)
    return canary is not None and not may_read(viewer, canary)


def test_one_workers_requests_are_nothing_for_others(world: World, browsers: Any, figure: Figure) -> None:
    count, wrong = replayed(world, "worker_a", ("worker_d", "visitor"), browsers, 60)
    figure(**count, wrong=len(wrong))
    assert not wrong, "\n".join(wrong)
    assert count["hidden"] > 10 and count["with_words"] > 10


@pytest.mark.long
def test_everybodys_requests_are_nothing_for_others(world: World, browsers: Any, figure: Figure) -> None:
    total: Counter[str] = Counter()
    for whose in ("worker_a", "lead", "newcomer", "privacy"):
        count, wrong = replayed(world, whose, ("worker_d", "visitor", "director", "another_newcomer"), browsers, 400)
        total += count
        assert not wrong, "\n".join(wrong)
    figure(**total, wrong=0)


def test_the_replay_notices_a_door_left_open(
    world: World, browsers: Any, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with both locks off others read what is somebody's."""
    from tests.proof.locks import row_security, without_the_code

    with row_security(False), monkeypatch.context() as patched:
        without_the_code(patched, world)
        _, wrong = replayed(world, "worker_a", ("worker_d",), browsers, 6)
    figure(wrong=len(wrong))
    assert wrong
