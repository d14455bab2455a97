"""Peers on loopback that take, refuse, fail, hang, answer twice or die: nothing is lost, nothing is sent twice."""

import datetime as dt
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from django.utils import timezone

from parvis.cases.models import ContactPoint
from parvis.kit import outbox
from parvis.kit.acting import acting
from parvis.kit.models import OutboxMail, OutboxPeer
from parvis.messaging import actions, gateway, leaving, wordings
from parvis.messaging.models import Manners, Message, OptOut
from tests.accounts.people import open_account
from tests.kit.test_outbox import send as send_account_mail
from tests.messaging.story import MailServer, SmsServer, mail_server, reachable, sms_server

SOON = dt.timedelta(minutes=1)
LATER = outbox.LEASE + SOON


@pytest.fixture
def alice(city: Any) -> Iterator[Any]:
    user = open_account("alice", "agent")
    with acting(user):
        Manners.objects.create(quiet_from=dt.time(0), quiet_until=dt.time(0))
        yield user


@pytest.fixture
def sms(settings: Any) -> Iterator[SmsServer]:
    with sms_server() as server:
        settings.SMS_URL = server.url
        yield server


@pytest.fixture
def post(settings: Any) -> Iterator[MailServer]:
    with mail_server() as (server, url):
        settings.MAIL_URL = url
        settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"
        yield server


def written(by: Any, system: str = "sms", value: str = "+15145550142", **more: Any) -> Message:
    return actions.send(reachable(by, system, value), wordings.CALL, by=by, **more)


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


# -- taken -------------------------------------------------------------------------------------------------------------


def test_a_text_message_leaves_once(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    now = timezone.now()
    assert outbox.relay(now) == 1 and outbox.relay(now) == 0
    (taken,) = sms.taken
    assert taken["To"] == "+15145550142" and "نرجو" in taken["Body"]
    assert taken["StatusCallback"].endswith(f"/messages/sms/report/{message.pk}/")
    now_it_is = fresh(message)
    assert (now_it_is.delivery, now_it_is.provider_id) == ("sent", taken["sid"])


def test_a_mail_leaves_once_with_its_own_id_and_a_way_out(alice: Any, post: MailServer) -> None:
    message = written(alice, "email", "amina@example.org")
    assert outbox.relay(timezone.now()) == 1 and outbox.relay(timezone.now()) == 0
    ((to, content),) = post.received
    mail: Any = message_from_bytes(content, policy=default)
    assert to == ["amina@example.org"] and mail["Message-ID"] == f"<{message.pk}@example.org>"
    assert "/messages/stop/" in mail["List-Unsubscribe"] and "نرجو" in mail.get_content()
    assert fresh(message).delivery == "sent"


def test_what_waits_for_its_time_does_not_leave(alice: Any, sms: SmsServer) -> None:
    now = timezone.now()
    reminder = written(alice, not_before=now + dt.timedelta(days=2), not_after=now + dt.timedelta(days=3))
    assert outbox.relay(now + dt.timedelta(days=1)) == 0 and not sms.taken
    assert outbox.relay(now + dt.timedelta(days=4)) == 0 and not sms.taken  # the worker was away for its whole time
    assert (fresh(reminder).delivery, fresh(reminder).reason) == ("cancelled", "too_late")


def test_quiet_hours_are_asked_again_when_it_leaves(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    Manners.objects.update(quiet_from=dt.time(0), quiet_until=dt.time(23, 59))
    now = timezone.now().replace(hour=17, minute=0)  # noon in Montréal
    assert outbox.relay(max(now, timezone.now())) == 0 and not sms.taken
    assert fresh(message).delivery == "waiting" and fresh(message).attempts == 0
    urgent = written(alice, urgent=True)
    assert outbox.relay(timezone.now()) == 1 and fresh(urgent).delivery == "sent"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"safe_to_leave_message": False}, "not_safe"), ({"ended_on": dt.date(2020, 1, 1)}, "gone"),
     ({"safe_times": "never mind"}, "safe_times")],
)  # fmt: skip
def test_a_contact_that_changed_while_it_waited(alice: Any, sms: SmsServer, change: Any, reason: str) -> None:
    message = written(alice)
    ContactPoint.objects.update(**change)
    assert outbox.relay(timezone.now()) == 0 and not sms.taken
    assert (fresh(message).delivery, fresh(message).reason) == ("refused", reason)


# -- refused, failing, hanging -----------------------------------------------------------------------------------------


def test_a_server_error_is_asked_about_and_tried_again(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "500", timezone.now()
    assert outbox.relay(now) == 0 and fresh(message).delivery == "sending"
    sms.mood = "take"
    assert outbox.relay(now + SOON) == 0 and sms.listed == 1  # it has nothing of ours: back in the queue
    assert fresh(message).delivery == "waiting"
    assert outbox.relay(now + 2 * SOON) == 1 and len(sms.taken) == 1


def test_too_many_requests_wait_as_long_as_asked(alice: Any, sms: SmsServer) -> None:
    message, other = written(alice), written(alice, value="+15145550143")
    sms.mood, now = "429", timezone.now()
    assert outbox.relay(now) == 0 and sms.asked == 1, "the second is not even tried"
    sms.mood = "take"
    assert outbox.relay(now + dt.timedelta(seconds=119)) == 0 and sms.asked == 1
    assert outbox.relay(now + dt.timedelta(seconds=121)) == 2
    assert {fresh(message).delivery, fresh(other).delivery} == {"sent"}


def test_a_number_that_does_not_exist_is_no_fault_of_the_gateway(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood = "400"
    assert outbox.relay(timezone.now()) == 0
    assert (fresh(message).delivery, fresh(message).reason) == ("failed", "peer")
    assert not outbox.failing() and OutboxPeer.objects.get(name="sms").failures == 0


def test_a_wrong_password_blames_no_message(alice: Any, sms: SmsServer) -> None:
    messages = [written(alice, value=f"+1514555010{n}") for n in range(5)]
    sms.mood, now = "401", timezone.now()
    outbox.relay(now)
    assert sms.asked == outbox.FAILURES, "then its circuit is open"
    assert {fresh(each).delivery for each in messages} == {"waiting"}
    (peer,) = outbox.failing()
    assert peer.name == "sms" and peer.failing_since == now
    sms.mood = "take"
    outbox.try_now("sms")
    assert outbox.relay(now) == 2 and not outbox.failing()  # those that were not tried yet
    assert outbox.relay(now + SOON) == 3


def test_a_gateway_that_is_away_does_not_stop_mail(
    alice: Any, post: MailServer, settings: Any, monkeypatch: Any
) -> None:
    settings.SMS_URL = "http://AC1:t@127.0.0.1:9/2010-04-01?from=%2B15145550100"
    text, mail = written(alice), written(alice, "email", "amina@example.org")
    assert outbox.relay(timezone.now()) == 1
    assert (fresh(text).delivery, fresh(mail).delivery) == ("waiting", "sent")
    assert "Connect" in fresh(text).last_error


def test_a_gateway_that_hangs_is_asked_later(alice: Any, sms: SmsServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(gateway, "TIMEOUT", 0.3)
    message = written(alice)
    sms.mood, now = "hang", timezone.now()
    assert outbox.relay(now) == 0
    assert fresh(message).delivery == "sending" and "Timeout" in fresh(message).last_error
    sms.mood, sms.lists = "take", False
    assert outbox.relay(now + SOON) == 0 and fresh(message).delivery == "sending", "no answer, no second message"
    sms.lists = True
    assert outbox.relay(now + 3 * SOON) == 0 and fresh(message).delivery == "waiting"
    assert outbox.relay(now + 5 * SOON) == 1 and len(sms.taken) == 1


def test_a_gateway_that_says_nothing_for_a_day_is_a_question_for_people(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "lost", timezone.now()
    outbox.relay(now)
    sms.lists = False
    outbox.relay(now + SOON)
    assert fresh(message).delivery == "sending"
    outbox.relay(now + outbox.MOST_DOUBT + LATER)
    assert fresh(message).delivery == "unknown"
    sms.mood = "take"
    assert outbox.relay(now + 2 * outbox.MOST_DOUBT) == 0 and not sms.taken, "nobody sends it by itself"
    assert actions.send_again(fresh(message), by=alice) and outbox.relay(now + 2 * outbox.MOST_DOUBT) == 1


def test_a_gateway_that_dies_after_taking_it_is_asked(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "die", timezone.now()
    assert outbox.relay(now) == 0 and len(sms.taken) == 1
    assert outbox.relay(now + SOON) == 1
    assert (fresh(message).delivery, fresh(message).provider_id) == ("sent", sms.taken[0]["sid"])
    assert outbox.relay(now + LATER) == 0 and len(sms.taken) == 1


def test_control_who_does_not_ask_sends_twice(alice: Any, sms: SmsServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(gateway.HttpGateway, "find", lambda self, text: None)
    written(alice)
    sms.mood, now = "die", timezone.now()
    outbox.relay(now)
    sms.mood = "take"
    outbox.relay(now + SOON)
    outbox.relay(now + 3 * SOON)
    assert len(sms.taken) == 2


def test_the_same_words_to_the_same_number_are_two_messages(alice: Any, sms: SmsServer) -> None:
    """Two who share a telephone are called alike: the one that left is not taken for the one that did not."""
    first, second = written(alice), written(alice)
    now = timezone.now()
    outbox.relay(now, most=1)
    assert len(sms.taken) == 1
    sms.mood = "lost"
    outbox.relay(now)
    sms.mood = "take"
    outbox.relay(now + SOON)  # asked: the gateway has one such text, and it is the first's
    outbox.relay(now + 3 * SOON)
    assert len(sms.taken) == 2
    assert {fresh(first).provider_id, fresh(second).provider_id} == {one["sid"] for one in sms.taken}


def test_a_gateway_that_takes_it_twice_is_one_message_in_our_books(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "twice", timezone.now()
    assert outbox.relay(now) == 1
    first, second = sms.taken
    for name in (first["sid"], second["sid"], second["sid"]):
        tell(message, name, "delivered")
    assert fresh(message).delivery == "sent" and fresh(message).provider_id == second["sid"]
    assert outbox.relay(now + LATER) == 0 and len(sms.taken) == 2


def tell(message: Message, name: str, status: str, code: str = "") -> None:
    """What the worker does with a report, here as Alice: the test's connection is not the worker's."""
    leaving.acting_as_system, kept = _nobody_else, leaving.acting_as_system  # type: ignore[assignment]
    try:
        leaving.report(str(message.pk), name, status, code)
    finally:
        leaving.acting_as_system = kept


class _nobody_else:
    def __enter__(self) -> None: ...
    def __exit__(self, *args: Any) -> None: ...


def test_a_report_comes_before_the_answer_and_settles_it(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "die", timezone.now()
    outbox.relay(now)
    tell(message, sms.taken[0]["sid"], "sent")
    assert fresh(message).delivery == "sent"
    assert outbox.relay(now + LATER) == 0 and sms.listed == 0 and len(sms.taken) == 1
    tell(message, "SMforged", "failed")
    assert fresh(message).delivery == "sent", "another name is not this message's"
    tell(message, sms.taken[0]["sid"], "undelivered", "30003")
    assert (fresh(message).delivery, fresh(message).last_error) == ("failed", "undelivered 30003")


# -- SMTP --------------------------------------------------------------------------------------------------------------


def test_a_box_that_is_not_there_is_said_and_not_tried_again(alice: Any, post: MailServer) -> None:
    message = written(alice, "email", "nobody@example.org")
    post.mood, now = "never", timezone.now()
    assert outbox.relay(now) == 0 and fresh(message).delivery == "failed" and "550" in fresh(message).last_error
    post.mood = "take"
    assert outbox.relay(now + LATER) == 0 and not post.received


def test_a_server_that_says_later_gets_it_later(alice: Any, post: MailServer) -> None:
    message = written(alice, "email", "amina@example.org")
    post.mood, now = "later", timezone.now()
    assert outbox.relay(now) == 0 and fresh(message).delivery == "waiting"
    post.mood = "take"
    assert outbox.relay(now) == 0
    assert outbox.relay(now + SOON) == 1 and post.ids == [f"<{message.pk}@example.org>"]


def test_a_server_that_dies_with_a_mail_leaves_a_question(alice: Any, post: MailServer) -> None:
    """SMTP knows no question "did you take it?": of a newcomer's message somebody decides."""
    message = written(alice, "email", "amina@example.org")
    post.mood, now = "die", timezone.now()
    assert outbox.relay(now) == 0 and len(post.received) == 1
    post.mood = "take"
    assert outbox.relay(now + SOON) == 0
    assert fresh(message).delivery == "unknown"
    assert outbox.relay(now + LATER) == 0 and len(post.received) == 1
    assert actions.note_arrived(fresh(message), by=alice) and fresh(message).delivery == "sent"
    assert not actions.note_arrived(fresh(message), by=alice)


def test_control_an_accounts_mail_is_sent_again_with_its_id(alice: Any, post: MailServer) -> None:
    send_account_mail()
    post.mood, now = "die", timezone.now()
    outbox.relay(now)
    post.mood = "take"
    outbox.relay(now + SOON)
    outbox.relay(now + 3 * SOON)
    assert len(post.received) == 2 and len(set(post.ids)) == 1
    assert OutboxMail.objects.get().delivery == "sent"


def test_a_worker_that_dies_before_the_text_was_handed_over_asks_nobody(alice: Any, post: MailServer) -> None:
    message = written(alice, "email", "amina@example.org")
    now = timezone.now()
    Message.objects.update(delivery="sending", attempts=1, next_attempt_at=now + outbox.LEASE)
    assert outbox.relay(now) == 0 and not post.received  # its lease holds
    assert outbox.relay(now + LATER) == 0 and fresh(message).delivery == "waiting"
    assert outbox.relay(now + 2 * LATER) == 1 and len(post.received) == 1


def test_what_nobody_takes_for_days_fails_and_says_so(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    sms.mood, now = "401", timezone.now()
    began = now
    while fresh(message).delivery == "waiting" and now < began + dt.timedelta(days=10):
        outbox.try_now("sms")
        now = max(now, fresh(message).next_attempt_at)
        outbox.relay(now)
    assert (fresh(message).delivery, fresh(message).reason) == ("failed", "long_tried")
    assert dt.timedelta(days=2) < now - began < dt.timedelta(days=5)


def test_an_opt_out_comes_in_time_also_for_what_waits(alice: Any, sms: SmsServer) -> None:
    message = written(alice)
    actions.opt_out(message.person, "sms", OptOut.How.DESK, by=alice)
    assert outbox.relay(timezone.now()) == 0 and not sms.taken
