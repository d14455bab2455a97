"""What a browser sends arrives once; the office's switch; whose key opens what."""

import base64
import datetime as dt
import json
import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.cases.models import Finding, Household, Person
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.welcome import offline
from parvis.welcome.models import Receipt
from tests.accounts.people import open_account, signed_in

SEND, KEY, PAGE = "/en/welcome/send/", "/en/welcome/key/", "/en/welcome/away/"


def written(by: Any, name: str = "آمنة", **more: Any) -> dict[str, Any]:
    """What a browser sends of a short intake."""
    data = {"name": name, "language": "ar", "tonight": "shelter", "needs": ["shelter", "medicine"],
            "with-TOTAL_FORMS": "3", "with-INITIAL_FORMS": "0", "with-0-name": "Youssef", "with-0-relation": "child",
            "with-0-age": "7", "with-1-name": "Karim", "with-1-relation": "spouse", "with-2-name": "",
            **more}  # fmt: skip
    return {"key": str(uuid.uuid4()), "account": str(by.pk), "kind": "intake", "data": data,
            "made_at": timezone.now().isoformat()}  # fmt: skip


def send(client: Any, entry: dict[str, Any]) -> Any:
    return client.post(SEND, json.dumps(entry), content_type="application/json")


def count(by: Any) -> tuple[int, int]:
    with acting(by), transaction.atomic():
        return Household.objects.count(), Person.objects.count()


def test_an_intake_arrives_once_and_a_replay_gets_the_first_answer(city: Any) -> None:
    alice = open_account("alice", "agent")
    client, entry = signed_in(alice), written(alice)
    first = send(client, entry).json()
    assert first["state"] == "done" and "again" not in first and count(alice) == (1, 3)
    assert send(client, entry).json() == {**first, "again": True} and count(alice) == (1, 3)
    with acting(alice):
        home = Household.objects.get()
        assert str(home.pk) == first["household"] and home.lead_worker == alice
        assert set(Finding.objects.values_list("domain", flat=True)) == {"housing", "health"}
    # the control: another key is another household
    assert send(client, entry | {"key": str(uuid.uuid4())}).status_code == 200 and count(alice) == (2, 6)


def test_the_same_key_of_two_accounts_is_two_writes(city: Any) -> None:
    alice, bob = open_account("alice", "agent"), open_account("bob", "agent")
    entry = written(alice)
    assert send(signed_in(alice), entry).status_code == 200
    assert send(signed_in(bob), entry | {"account": str(bob.pk)}).status_code == 200
    assert count(alice)[0] == 2


def test_what_is_refused_claims_nothing(city: Any) -> None:
    alice = open_account("alice", "agent")
    client, entry = signed_in(alice), written(alice)
    wrong = entry | {"data": entry["data"] | {"name": "  "}}
    assert send(client, wrong).status_code == 422 and count(alice) == (0, 0) and not Receipt.objects.exists()
    assert send(client, entry).json()["state"] == "done"
    old = (timezone.now() - dt.timedelta(days=31)).isoformat()
    late = (timezone.now() + dt.timedelta(days=1)).isoformat()
    for broken in ({"made_at": old}, {"made_at": late}, {"made_at": "yesterday"}, {"kind": "erase"}, {"data": 3},
                   {"key": "x"}, {"account": None}):  # fmt: skip
        assert send(client, entry | {"key": str(uuid.uuid4())} | broken).status_code == 422, broken
    assert client.post(SEND, b"\xff", content_type="application/json").status_code == 422
    assert count(alice)[0] == 1


def test_what_fails_in_the_middle_leaves_no_receipt(city: Any, monkeypatch: Any) -> None:
    """The receipt and the write are one transaction."""
    alice = open_account("alice", "agent")
    entry = written(alice)
    write = offline.Write(uuid.UUID(entry["key"]), "intake", entry["data"], timezone.now())
    monkeypatch.setattr("parvis.arrivals.actions.desk.record_many", lambda *a, **k: 1 / 0)
    with acting(alice), pytest.raises(ZeroDivisionError):
        offline.take(write, by=alice)
    assert not Receipt.objects.exists() and count(alice) == (0, 0)
    monkeypatch.undo()
    with acting(alice):
        assert "again" not in offline.take(write, by=alice)


def test_the_day_is_that_on_which_it_was_written(city: Any) -> None:
    alice = open_account("alice", "agent")
    entry = written(alice) | {"made_at": (timezone.now() - dt.timedelta(days=2)).isoformat()}
    send(signed_in(alice), entry)
    with acting(alice):
        assert Household.objects.get().opened_on == (timezone.localtime() - dt.timedelta(days=2)).date()


def test_two_senders_of_one_key_at_once_make_one_household(fresh_city: Any) -> None:
    alice = open_account("alice", "agent")
    entry = written(alice)
    write = offline.Write(uuid.UUID(entry["key"]), "intake", entry["data"], timezone.now())
    answers: list[dict[str, Any]] = []
    ready = threading.Barrier(4)

    def one() -> None:
        connection.set_tenant(fresh_city)
        try:
            ready.wait(10)
            with acting(alice):
                answers.append(offline.take(write, by=alice))
        finally:
            connection.close()

    senders = [threading.Thread(target=one) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(answers) == 4 and len({answer["household"] for answer in answers}) == 1
    assert sum("again" in answer for answer in answers) == 3 and count(alice)[0] == 1


def test_another_account_does_not_send_what_is_not_theirs(city: Any) -> None:
    alice, bob = open_account("alice", "agent"), open_account("bob", "agent")
    assert send(signed_in(bob), written(alice)).status_code == 403 and count(bob) == (0, 0)
    assert send(signed_in(open_account("dora", "director")), written(alice)).status_code == 403


def key(client: Any, salt: bytes = b"s" * 16, **more: str) -> Any:
    return client.post(KEY, {"salt": base64.b64encode(salt).decode(), **more})


def test_the_key_is_one_accounts_in_one_browser_while_the_office_wants_it(city: Any) -> None:
    alice, bob, admin = (open_account(*who) for who in (("alice", "agent"), ("bob", "agent"), ("ada", "administrator")))
    client = signed_in(alice)
    assert key(client).status_code == 422  # off until somebody turns it on
    waiting = key(client, waiting="1").json()["key"]  # what is sealed already can be sent all the same
    offline.switch(True, 6, by=admin)
    mine = key(client).json()
    assert mine["key"] == waiting and len(base64.b64decode(waiting)) == 32
    assert 5.9 * 3600 < mine["until"] / 1000 - timezone.now().timestamp() <= 6 * 3600
    others = {key(client, b"t" * 16).json()["key"], key(signed_in(bob)).json()["key"]}
    assert len(others | {waiting}) == 3
    assert key(client, b"short").status_code == 422
    assert key(signed_in(open_account("dora", "director"))).status_code == 403


def test_the_switch_is_the_administrators_and_told_to_the_ledger(city: Any) -> None:
    admin, alice = open_account("ada", "administrator"), open_account("alice", "agent")
    assert offline.hours() == 0
    page = signed_in(admin)
    assert page.post("/en/welcome/offline/", {"on": "on", "hours": "13"}).status_code == 422
    assert page.post("/en/welcome/offline/", {"on": "on", "hours": "8"}).status_code == 302
    assert offline.hours() == 8
    event = Event.objects.get(code="welcome.offline.switched")
    assert event.actor_id == admin.pk and event.after == {"on": True, "hours": 8} and event.before["on"] is False
    offline.switch(True, 8, by=admin)  # nothing changed: nothing told
    assert Event.objects.filter(code="welcome.offline.switched").count() == 1
    with pytest.raises(Denied):
        offline.switch(False, by=alice)


def test_what_a_browser_keeps_of_the_page_names_nobody(city: Any) -> None:
    alice = open_account("alice", "agent")
    client = signed_in(alice)
    entry = written(alice, "Ruxandra Kept")
    send(client, entry)
    page = client.get(PAGE).content.decode()
    for secret in ("Ruxandra", str(alice.pk), alice.email, alice.name):
        assert secret not in page, secret
    assert "data-intake" in page and "Ruxandra" in client.get("/en/files/").content.decode()  # the control
    script = client.get("/en/welcome/worker.js")
    assert script["Content-Type"].startswith("text/javascript") and '"/en/welcome/away/"' in script.content.decode()
    assert "Service-Worker-Allowed" not in script  # its own folder, and no other


def test_receipts_are_forgotten_after_what_may_be_sent(city: Any) -> None:
    alice = open_account("alice", "agent")
    send(signed_in(alice), written(alice))
    assert offline.forget(timezone.now()) == 0
    assert offline.forget(timezone.now() + dt.timedelta(days=32)) == 1
