"""kill -9 of a real worker, again and again, while hundreds of messages leave: the peers' books against ours."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from parvis.kit.acting import acting
from parvis.messaging import actions, wordings
from parvis.messaging.models import Manners, Message
from tests.accounts.people import open_account
from tests.cases.test_rights_keys import as_app
from tests.messaging.story import mail_server, reachable, sms_server
from tests.site.test_commands import everybody

MANY = 200
KILLS = 8


@pytest.fixture
def town(fresh_city: Any, django_db_blocker: Any) -> Iterator[Any]:
    with django_db_blocker.unblock():
        connection.set_tenant(fresh_city)
        yield fresh_city
        as_app()


def worker(city: str, **more: str) -> subprocess.Popen[str]:
    """A worker of the installation, with the test's database and keys, once it has begun."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PARVIS_DSN", "DATABASE_URL")}
    env = kept | everybody(connection.settings_dict["NAME"]) | more
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.messaging.crash", city], env=env, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None and started.stdout.readline() == "began\n"
    return started


def written(alice: Any, system: str, number: int) -> None:
    Manners.objects.create(quiet_from="00:00", quiet_until="00:00")
    value = "+15145550142" if system == "sms" else "amina@example.org"
    person = reachable(alice, system, value)
    with acting(alice), transaction.atomic():
        for each in range(number):
            actions.send(person, wordings.FREE, by=alice, context={"text": f"Message {each}."})


def killed_until_done(
    city: Any, alice: Any, peer: Any, taken: Callable[[], int], *, ends: tuple[str, ...], **env: str
) -> int:
    """Kill the worker, by turns at a random moment and while the peer has taken a message and not answered yet; then
    let one finish. Returns how often it was killed at its work."""
    dice, killed = random.Random(7), 0
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        running = worker(city.schema_name, **env)
        try:
            if killed % 2 and killed < KILLS:
                time.sleep(dice.uniform(0.1, 0.9))
            elif killed < KILLS:
                assert peer.hold.wait_for(taken() + dice.randrange(1, 20)), "nothing was sent"
            else:
                while left(alice, ends) and time.monotonic() < deadline:
                    assert running.poll() is None, "the worker stopped by itself"
                    time.sleep(0.2)
            assert running.poll() is None, "the worker stopped by itself"
        finally:
            running.kill()
            running.wait()
        if not left(alice, ends):
            return killed
        killed += 1
    raise AssertionError(f"{left(alice, ends)} messages have no end")


def left(alice: Any, ends: tuple[str, ...]) -> int:
    with acting(alice), transaction.atomic():
        return Message.objects.exclude(delivery__in=ends).count()


@pytest.mark.slow
@pytest.mark.parametrize("forgets", [False, True], ids=["asks", "control: does not ask"])
def test_text_messages_are_sent_exactly_once(town: Any, forgets: bool) -> None:
    alice = open_account("alice", "agent")
    with sms_server() as gateway:
        gateway.mood = "slow"  # takes it, and answers a while later: a kill falls in between
        env = {"SMS_URL": gateway.url, "MAIL_URL": ""} | ({"PROOF_FORGETS": "1"} if forgets else {})
        written(alice, "sms", MANY)
        killed = killed_until_done(town, alice, gateway, lambda: len(gateway.taken), ends=("sent",), **env)
        bodies = Counter(one["Body"] for one in gateway.taken)
        with acting(alice), transaction.atomic():
            ours = list(Message.objects.values_list("provider_id", flat=True))
    assert killed >= 3 and len(bodies) == MANY, "every one arrived"
    twice = sum(count - 1 for count in bodies.values())
    if forgets:
        assert twice > 0, "the control: this way of killing is seen"
    else:
        assert twice == 0
        assert len(set(ours)) == MANY and set(ours) == {one["sid"] for one in gateway.taken}


@pytest.mark.slow
def test_mails_are_sent_at_most_once_and_what_is_in_doubt_says_so(town: Any) -> None:
    alice = open_account("alice", "agent")
    with mail_server() as (server, url):
        written(alice, "email", MANY)
        killed = killed_until_done(
            town, alice, server, lambda: len(server.received), ends=("sent", "unknown"), MAIL_URL=url, SMS_URL=""
        )
        ids = Counter(server.ids)
        with acting(alice), transaction.atomic():
            sent = {
                f"<{pk}@example.org>" for pk in Message.objects.filter(delivery="sent").values_list("pk", flat=True)
            }
            doubt = Message.objects.filter(delivery="unknown").count()
    assert killed >= 3 and max(ids.values()) == 1, "no mail twice"
    assert sent <= set(ids), "what our books call sent was taken"
    assert MANY - len(sent) == doubt, "whatever may not have left is in doubt, and stands there to be asked about"
    assert 1 <= doubt <= killed


def test_the_installations_mail_address_is_the_tests() -> None:
    assert settings.DEFAULT_FROM_EMAIL.endswith("@example.org")
