"""The pages: written, looked at, sent, cancelled; the gateway's signed reports and replies; the link below a mail."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from django_tenants.utils import schema_context

from parvis.cases import contact
from parvis.cases.actions import erasing
from parvis.cases.models import Household
from parvis.cases.policies import person_models
from parvis.kit.acting import acting
from parvis.kit.models import OutboxPeer
from parvis.messaging import actions, leaving, notices, wordings
from parvis.messaging.gateway import signature
from parvis.messaging.models import Manners, Message, OptOut
from tests.accounts.people import open_account
from tests.messaging.story import TOKEN, add_contact, reachable


@pytest.fixture
def alice(city: Any) -> Iterator[Any]:
    user = open_account("alice", "agent")
    with acting(user):
        Manners.objects.create(quiet_from=dt.time(0), quiet_until=dt.time(0))
        yield user


@pytest.fixture
def desk(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_a_message_is_looked_at_before_it_is_sent_and_sent_once(desk: Client, alice: Any) -> None:
    person = reachable(alice)
    url = f"/fr/messages/write/{person.pk}/"
    form = {"template": wordings.FREE, "text": "Votre carte est arrivée."}
    # alone of his household who can be written to? Youssef is not in it: one person, no choice
    preview = desk.post(url, form)
    page = preview.content.decode()
    assert preview.status_code == 200 and "Votre carte est arrivée." in page and not Message.objects.exists()
    hidden = dict(re.findall(r'name="([a-z]+)" value="([^"]*)"', page))
    send = form | {"do": "send", "mark": hidden["mark"]}
    assert desk.post(url, send).status_code == 302
    assert desk.post(url, send).status_code == 302
    assert Message.objects.count() == 1, "one form is one sending"
    assert "Votre carte est arrivée." in desk.get(f"/fr/messages/person/{person.pk}/").content.decode()
    assert "Votre carte" not in desk.get("/fr/messages/").content.decode(), "a list shows no words"


def test_what_says_too_much_is_refused(desk: Client, alice: Any) -> None:
    person = reachable(alice)
    answer = desk.post(f"/fr/messages/write/{person.pk}/", {"template": wordings.FREE, "text": "Votre demande d’asile"})
    assert answer.status_code == 422 and "asile" in answer.content.decode()


def test_several_are_counted_before(desk: Client, alice: Any) -> None:
    people = [reachable(alice), reachable(alice, safe_to_leave_message=False)]
    asked = "&".join(f"person={each.pk}" for each in people)
    keys = [str(each.pk) for each in people]
    preview = desk.post(f"/fr/messages/write/?{asked}", {"template": wordings.CALL, "people": keys})
    shown = preview.context
    assert (shown["leaving"], shown["staying"]) == (1, 1)
    desk.post(f"/fr/messages/write/?{asked}", {"template": wordings.CALL, "people": keys, "do": "send", "mark": "m"})
    assert sorted(Message.objects.values_list("delivery", flat=True)) == ["refused", "waiting"]


def test_ones_own_caseload_is_written_to_by_language(desk: Client, alice: Any) -> None:
    mine, others = reachable(alice), reachable(alice)  # who opens a file answers for it
    Household.objects.filter(members__person=others).update(lead_worker=None)
    assert desk.get("/fr/messages/write/").context["languages"] == [("ar", 1)]
    form = desk.get("/fr/messages/write/?language=ar").context["people"]
    assert [each.pk for each in form] == [mine.pk]
    assert "languages" in desk.get("/fr/messages/write/?language=es").context, "nobody speaks it: back to the choice"
    url = "/fr/messages/write/?language=ar"
    desk.post(url, {"template": wordings.CALL, "people": [str(mine.pk)], "do": "send", "mark": "m"})
    assert Message.objects.get().person_id == mine.pk


def test_cancelled_and_sent_again_on_the_page(desk: Client, alice: Any) -> None:
    message = actions.send(reachable(alice), wordings.CALL, by=alice)
    url = f"/fr/messages/{message.pk}/"
    assert desk.post(url, {"do": "cancel"}).status_code == 302
    message.refresh_from_db()
    assert message.delivery == "cancelled"
    desk.post(url, {"do": "again"})
    message.refresh_from_db()
    assert message.delivery == "waiting"
    assert desk.post(url, {"do": "nonsense"}).status_code == 422


def test_a_failing_peer_is_shown_to_the_office(desk: Client, alice: Any) -> None:
    assert "failing-peer" not in desk.get("/fr/messages/").content.decode()
    OutboxPeer.objects.create(name="sms", failures=5, failing_since=timezone.now(), last_error="failing-peer",
                              open_until=timezone.now() + dt.timedelta(hours=1))  # fmt: skip
    assert "failing-peer" in desk.get("/fr/messages/").content.decode()
    assert desk.post("/fr/messages/peers/sms/").status_code == 302
    assert OutboxPeer.objects.get().open_until is None


def test_a_person_wants_no_more(desk: Client, alice: Any) -> None:
    person = reachable(alice)
    desk.post(f"/fr/messages/person/{person.pk}/", {"channel": "sms", "do": "out"})
    assert OptOut.objects.get().how == "desk"
    desk.post(f"/fr/messages/person/{person.pk}/", {"channel": "sms", "do": "in"})
    assert OptOut.objects.get().until is not None


# -- from outside ------------------------------------------------------------------------------------------------------


def queued() -> list[dict[str, Any]]:
    with schema_context("public"):
        return [one.args_kwargs["args"][2] for one in DBTaskResult.objects.order_by("enqueued_at")]


@pytest.fixture
def gateway(settings: Any) -> None:
    settings.SMS_URL = f"https://AC1:{TOKEN}@gateway.example.org/2010-04-01?from=%2B15145550100"


def posted(path: str, form: dict[str, str], *, signed: str = "") -> Any:
    said = signed or signature(f"http://testserver{path}", form, TOKEN)
    return Client().post(path, form, headers={"X-Twilio-Signature": said})


def test_a_report_is_passed_on_only_when_the_gateway_signed_it(alice: Any, gateway: None) -> None:
    message = actions.send(reachable(alice), wordings.CALL, by=alice)
    path, form = f"/fr/messages/sms/report/{message.pk}/", {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert posted(path, form, signed="x").status_code == 404 and queued() == []
    assert posted(path, form | {"MessageStatus": "failed"}, signed=signature(path, form, TOKEN)).status_code == 404
    assert posted(path, form).status_code == 204
    assert queued() == [{"message": str(message.pk), "name": "SM1", "status": "delivered", "code": ""}]


def test_without_a_gateway_nobody_reports(alice: Any, settings: Any) -> None:
    settings.SMS_URL = ""
    path = "/fr/messages/sms/reply/"
    assert Client().post(path, {"Body": "STOP"}, headers={"X-Twilio-Signature": ""}).status_code == 404


def test_a_reply_of_stop_is_passed_on_without_number_or_words(alice: Any, gateway: None) -> None:
    person = reachable(alice)
    answer = posted("/fr/messages/sms/reply/", {"From": "+15145550142", "Body": "قف", "MessageSid": "SM2"})
    assert answer.status_code == 200 and "<Message>" not in answer.content.decode()
    (task,) = queued()
    assert task == {"number": contact.index("sms", "+15145550142"), "wants": "stop"}
    kept, leaving.acting_as_system = leaving.acting_as_system, _as_alice  # type: ignore[assignment]
    try:
        leaving.reply(**task)
    finally:
        leaving.acting_as_system = kept
    assert OptOut.objects.get().person_id == person.pk and OptOut.objects.get().how == "reply"


class _as_alice:
    def __enter__(self) -> None: ...
    def __exit__(self, *args: Any) -> None: ...


def test_another_reply_is_answered_with_a_number_to_call(alice: Any, gateway: None) -> None:
    connection.tenant.office_phone = "514 555-0100"
    path, form = "/fr/messages/sms/reply/", {"From": "+15145550142", "Body": "Je ne peux pas venir"}
    assert posted(path, form).status_code == 200 and queued() == []


def test_the_link_below_a_mail_asks_first(alice: Any) -> None:
    person = reachable(alice, "email", "amina@example.org")
    message = actions.send(person, wordings.CALL, by=alice)
    path = f"/fr/messages/stop/{notices.token(message.pk)}/"
    stranger = Client()
    assert stranger.get(path).status_code == 200 and queued() == [], "a machine that follows links changes nothing"
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert queued() == [{"message": str(message.pk)}]
    assert stranger.post(path[:-3] + "x/").status_code == 404


# -- forgetting --------------------------------------------------------------------------------------------------------


def test_words_are_emptied_after_a_year_and_rows_go_with_the_person(alice: Any) -> None:
    person = reachable(alice)
    message = actions.send(person, wordings.CALL, by=alice)
    now = timezone.now()
    assert not leaving.texts_over(now + dt.timedelta(days=800)).exists(), "what waits is not over"
    actions.cancel(message, by=alice)
    assert not leaving.texts_over(now + dt.timedelta(days=364)).exists()
    assert leaving.empty_texts(leaving.texts_over(now + dt.timedelta(days=366))) == 1
    message.refresh_from_db()
    assert message.text is None and message.subject is None
    assert not actions.may_be_sent_again(message)
    assert {Message, OptOut} <= set(erasing.forgettable()) <= set(person_models())
    assert "texts of messages" in [words for words, _, _ in erasing.PURGES]


def test_a_household_shows_its_last_messages(desk: Client, alice: Any) -> None:
    person = reachable(alice)
    actions.send(person, wordings.CALL, by=alice)
    add_contact(person, "email", "amina@example.org")
    home = person.householdmembers.get().household_id
    assert f"/messages/write/{person.pk}/" in desk.get(f"/fr/files/{home}/").content.decode()
