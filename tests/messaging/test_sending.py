"""Writing to somebody: which way, in which language, when, and why not."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.cases.models import ContactPoint, Person
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.messaging import actions, hours, queries, rules, templates, wordings
from parvis.messaging.models import Manners, Message, OptOut
from parvis.messaging.templates import Wording, register, wording_problems
from tests.accounts.people import open_account
from tests.cases.story import agree, partner, share
from tests.messaging.story import add_contact, reachable

QUIET = (dt.time(20), dt.time(8))
MONTREAL = ZoneInfo("America/Toronto")


@pytest.fixture
def alice(city: Any) -> Iterator[Any]:
    user = open_account("alice", "agent")
    with acting(user):
        Manners.objects.create(quiet_from=dt.time(0), quiet_until=dt.time(0))  # no quiet: the clock decides no test
        yield user


def at(hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, 23, hour, minute, tzinfo=MONTREAL)


def text_of(message: Message, by: Any) -> str:
    return queries.one(by, message.pk).text


# -- hours -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("18:00-20:00", [(dt.time(18), dt.time(20))]),
        ("9h à 12h, 18h-20h30", [(dt.time(9), dt.time(12)), (dt.time(18), dt.time(20, 30))]),
        ("14 to 16", [(dt.time(14), dt.time(16))]),
        ("mornings only", None),
        ("18:00-20:00 when he is at work", None),
        ("25:00-26:00", None),
        ("", None),
    ],
)
def test_safe_times_are_read_or_left_to_people(text: str, found: Any) -> None:
    assert hours.windows(text) == found


def test_a_message_waits_for_the_morning_and_an_urgent_one_does_not() -> None:
    night, morning = at(23), (at(8) + dt.timedelta(days=1)).astimezone(dt.UTC)
    assert hours.leaves_at(night, MONTREAL, quiet=QUIET) == morning
    assert hours.leaves_at(at(3), MONTREAL, quiet=QUIET) == at(8)
    assert hours.leaves_at(at(12), MONTREAL, quiet=QUIET) == at(12)
    assert hours.leaves_at(night, MONTREAL, quiet=QUIET, urgent=True) == night


def test_safe_hours_come_before_urgency_and_before_the_quiet() -> None:
    safe = [(dt.time(21), dt.time(22))]
    assert hours.leaves_at(at(12), MONTREAL, quiet=QUIET, safe=safe, urgent=True) == at(21)
    assert hours.leaves_at(at(21, 30), MONTREAL, quiet=QUIET, safe=safe) == at(21, 30)
    assert hours.leaves_at(at(22), MONTREAL, quiet=QUIET, safe=safe) == at(21) + dt.timedelta(days=1)


def test_the_morning_is_the_citys_also_when_the_clocks_change() -> None:
    night = dt.datetime(2026, 10, 31, 23, tzinfo=MONTREAL)  # summer time ends before the morning
    morning = hours.leaves_at(night, MONTREAL, quiet=QUIET)
    assert morning == dt.datetime(2026, 11, 1, 13, tzinfo=dt.UTC)
    assert morning - night.astimezone(dt.UTC) == dt.timedelta(hours=10)


# -- words -------------------------------------------------------------------------------------------------------------


def test_what_every_app_registered_is_fit_for_a_locked_telephone() -> None:
    for each in templates.templates():
        assert set(templates.LANGUAGES) <= set(each.wordings)
        for wording in each.wordings.values():
            assert wording_problems(wording) == []


def test_a_wording_that_tells_too_much_is_refused() -> None:
    good = {tag: Wording("A message", "Come {when}") for tag in templates.LANGUAGES}
    register("test.good", "Good", good)
    try:
        for bad in (
            good | {"fr": Wording("Un message", "Votre demande d’asile, {when}")},
            good | {"ar": Wording("رسالة", "موعدك في المستشفى {when}")},
            good | {"es": Wording("Un mensaje", "Sin lugar")},  # lacks a placeholder
            good | {"en": Wording("A message", "{when}" + "x" * 400)},
            {tag: wording for tag, wording in good.items() if tag != "ti"},
        ):
            with pytest.raises(ValueError, match=r"test\.bad"):
                register("test.bad", "Bad", bad)
        with pytest.raises(ValueError, match="locked telephone"):
            register("test.bad", "Bad", good, data_class=DataClass.HEALTH)
        assert not templates.telling("Saludos cordiales, pase a revisar su visado")  # parts of words say nothing
    finally:
        templates._templates.pop("test.good")


@pytest.mark.parametrize(
    ("text", "wants"),
    [("STOP", "stop"), (" Arrêt. ", "stop"), ("قف", "stop"), ("إيقاف", "stop"), ("parar", "stop"), ("Start", "start"),
     ("Please stop by tomorrow", ""), ("", ""), ("ابدأ", "start")],
)  # fmt: skip
def test_a_reply_of_one_word_decides(text: str, wants: str) -> None:
    assert wordings.answer(text) == wants


# -- sending -----------------------------------------------------------------------------------------------------------


def test_a_message_is_written_in_the_persons_language_and_sealed(alice: Any) -> None:
    person = reachable(alice)
    when = timezone.now() + dt.timedelta(days=1)
    message = actions.send(person, "messaging.come", by=alice, context={"when": when})
    assert (message.delivery, message.channel, message.language) == ("waiting", "sms", "ar")
    text = text_of(message, alice)
    assert "نرجو الحضور" in text and f"{when.astimezone(MONTREAL):%H:%M}" in text and "قف" in text
    assert text.encode() not in bytes(message.text)
    again = actions.send(person, wordings.CALL, by=alice)
    assert "قف" not in text_of(again, alice), "only the first tells how to stop"


def test_another_language_than_ours_is_written_to_in_the_citys(alice: Any) -> None:
    person = reachable(alice)
    Person.objects.filter(pk=person.pk).update(language="prs")
    person.refresh_from_db()
    assert actions.send(person, wordings.CALL, by=alice).language == "fr"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, ""),
        ({"safe_to_leave_message": False}, "not_safe"),
        ({"safe_to_call": False}, "not_safe"),
        ({"safe_times": "mornings only"}, "safe_times"),
        ({"safe_times": "00:00-24:00"}, ""),
        ({"ended_on": dt.date(2020, 1, 1)}, "no_contact"),
    ],
)
def test_what_is_not_safe_is_not_sent_and_says_why(alice: Any, more: dict[str, Any], reason: str) -> None:
    message = actions.send(reachable(alice, **more), wordings.CALL, by=alice)
    assert message.reason == reason and message.delivery == ("refused" if reason else "waiting")


def test_a_telephone_is_not_a_number_for_text_messages(alice: Any) -> None:
    assert actions.send(reachable(alice, "phone"), wordings.CALL, by=alice).reason == "no_contact"


def test_another_way_is_taken_when_the_first_is_shut(alice: Any) -> None:
    person = reachable(alice, preferred=True)
    add_contact(person, "email", "amina@example.org")
    assert actions.send(person, wordings.CALL, by=alice).channel == "sms"
    waiting = actions.send(person, wordings.CALL, by=alice)
    assert actions.opt_out(person, "sms", OptOut.How.DESK, by=alice)
    waiting.refresh_from_db()
    assert (waiting.delivery, waiting.reason) == ("refused", "opted_out"), "what waits is not sent either"
    assert actions.send(person, wordings.CALL, by=alice).channel == "email"
    assert actions.send(person, wordings.CALL, by=alice, channel="sms").reason == "opted_out"
    assert actions.opt_in(person, "sms", by=alice)
    assert actions.send(person, wordings.CALL, by=alice).channel == "sms"


def test_whoever_died_or_moved_away_is_not_written_to(alice: Any) -> None:
    person = reachable(alice)
    person.state = "deceased"
    assert actions.send(person, wordings.CALL, by=alice).reason == "not_here"


def test_one_key_has_one_living_message(alice: Any) -> None:
    person = reachable(alice)
    first = actions.send(person, wordings.CALL, by=alice, key="appointment:1:day-before")
    assert actions.send(person, wordings.CALL, by=alice, key="appointment:1:day-before").pk == first.pk
    assert actions.send(person, wordings.CALL, by=alice).pk != first.pk  # the control: without a key
    assert actions.cancel_key("appointment:1", by=alice) == 1
    assert actions.cancel_key("appointment:1", by=alice) == 0
    second = actions.send(person, wordings.CALL, by=alice, key="appointment:1:day-before")
    assert second.pk != first.pk
    assert actions.cancel_key("appointment:1:day", by=alice) == 0, "a key is no beginning of another"


def test_reminders_wait_for_their_time(alice: Any) -> None:
    soon = timezone.now() + dt.timedelta(days=3)
    message = actions.send(reachable(alice), wordings.CALL, by=alice, not_before=soon)
    assert message.next_attempt_at == soon


def test_a_placeholder_without_a_value_is_a_mistake_of_the_sender(alice: Any) -> None:
    with pytest.raises(KeyError):
        actions.send(reachable(alice), "messaging.come", by=alice)
    with pytest.raises(KeyError):
        actions.send(reachable(alice), "no.such.template", by=alice)
    assert not Message.objects.exists()


def test_the_ledger_tells_keys_and_never_words(alice: Any) -> None:
    person = reachable(alice)
    message = actions.send(person, wordings.FREE, by=alice, context={"text": "Une phrase reconnaissable"})
    actions.cancel(message, by=alice)
    events = list(Event.objects.filter(object_id=person.pk, code__startswith="messaging").order_by("pk"))
    assert [event.code for event in events] == ["messaging.message.written", "messaging.message.cancelled"]
    assert "reconnaissable" not in str([event.after for event in events])
    assert events[0].after == {"message": str(message.pk), "channel": "sms"}


def test_nobody_writes_for_another_house(alice: Any) -> None:
    person = reachable(alice)
    organization, bob = partner("bob")
    agree(organization)
    share(person, organization, by=alice, classes=DataClass.IDENTITY | DataClass.CONTACT)
    with acting(bob), pytest.raises(Denied):
        actions.send(person, wordings.CALL, by=bob)


def test_a_message_is_seen_with_the_class_of_what_it_tells(alice: Any) -> None:
    person = reachable(alice)
    organization, bob = partner("bob")
    agree(organization)
    share(person, organization, by=alice, classes=DataClass.IDENTITY | DataClass.CONTACT)
    told = {tag: Wording("A message", "Your plan") for tag in templates.LANGUAGES}
    register("test.plan", "Plan", told, data_class=DataClass.PLAN)
    try:
        plan = actions.send(person, "test.plan", by=alice)
        call = actions.send(person, wordings.CALL, by=alice)
    finally:
        templates._templates.pop("test.plan")
    assert {each.pk for each in queries.visible(alice)} == {plan.pk, call.pk}
    with acting(bob):
        assert {each.pk for each in Message.objects.all()} == {call.pk}, "the database's lock"
        assert {each.pk for each in queries.visible(bob)} == {call.pk}, "the code's own"
        assert queries.page(bob, "waiting") == [call]
    with acting(open_account("carla", "coordinator")):
        assert not Message.objects.exists()


def test_what_was_refused_is_sent_again_once_it_is_safe(alice: Any) -> None:
    person = reachable(alice, safe_to_leave_message=False)
    message = actions.send(person, wordings.CALL, by=alice)
    still = actions.send_again(message, by=alice)
    assert still is not None and still.reason == "not_safe"
    ContactPoint.objects.update(safe_to_leave_message=True)
    again = actions.send_again(message, by=alice)
    assert again is not None and (again.delivery, again.reason) == ("waiting", "")
    assert actions.send_again(message, by=alice) is None, "it waits already"


def test_safe_times_in_words_are_somebodys_to_judge(alice: Any) -> None:
    message = actions.send(reachable(alice, safe_times="mornings only"), wordings.CALL, by=alice)
    again = actions.send_again(message, by=alice, at_chosen_time=True)
    assert again is not None and again.delivery == "waiting" and again.at_chosen_time


def test_a_draft_is_what_would_be_sent_and_keeps_nothing(alice: Any) -> None:
    person = reachable(alice)
    draft = actions.draft(person, wordings.CALL, by=alice, context={})
    assert not Message.objects.exists()
    sent = actions.send(person, wordings.CALL, by=alice)
    assert text_of(sent, alice) == draft.wording.text
    assert (draft.language, draft.way.channel) == (sent.language, sent.channel)


def test_the_quiet_hours_are_the_administrators(alice: Any) -> None:
    with pytest.raises(Denied):
        actions.set_manners(dt.time(21), dt.time(7), by=alice)
    ada = open_account("ada", "administrator")
    with acting(ada):
        actions.set_manners(dt.time(21), dt.time(7), by=ada)
    assert rules.quiet() == (dt.time(21), dt.time(7)) and Manners.objects.count() == 1


def test_a_token_says_nothing_and_is_ours() -> None:
    from parvis.messaging import notices

    pk = uuid.uuid4()
    assert notices.message_of(notices.token(pk)) == pk
    assert notices.message_of(notices.token(pk)[:-1] + "x") is None
