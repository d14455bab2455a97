"""A reader says that something is wrong, and sees what becomes of it."""

import datetime as dt
import hashlib
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from parvis.accounts.actions import add_user
from parvis.accounts.rules import Denied
from parvis.directory import corrections, documents, models, search
from parvis.directory.models.upkeep import Correction
from parvis.ledger.queries import history
from parvis.orgs.models import Organization


@pytest.fixture
def service(city: Any) -> models.Service:
    """A published service."""
    cache.clear()
    now = timezone.now()
    organization = Organization.objects.create(name="Maison des Deux Rives", changed_at=now)
    made = models.Service.objects.create(organization=organization, name="Cours du soir", changed_at=now)
    documents.refresh(everything=True)
    search.refresh()
    return made


@pytest.fixture
def client() -> Client:
    return Client(HTTP_HOST="montreal.localhost")


def send(service: models.Service, **more: Any) -> tuple[Correction, str]:
    return corrections.send_correction("service", service.pk, message="Le numéro ne répond pas.", **more)


def person(email: str, role: str = "") -> Any:
    return add_user(email, name=email.partition("@")[0].title(), role=role, password=None, by="test")


def test_only_the_hash_of_the_secret_is_kept(service: models.Service) -> None:
    correction, token = send(service)
    assert len(token) >= 30
    assert bytes(correction.token_hash) == hashlib.sha256(token.encode()).digest()
    assert corrections.follow(token) == correction
    assert corrections.follow(token + "x") is None and corrections.follow("") is None
    values = Correction.objects.filter(pk=correction.pk).values().get()
    assert not any(token in str(value) for value in values.values())


def test_what_a_person_wrote_stays_out_of_the_ledger(service: models.Service) -> None:
    correction, _token = send(service, email="charlie@example.org")
    events = list(history(None, correction.pk))
    assert [event.code for event in events] == ["correction.received"]
    said = f"{events[0].before} {events[0].after} {events[0].reason}"
    assert "répond" not in said and "charlie" not in said and str(service.pk) in said


def test_a_coordinator_answers_once_and_the_sender_is_told(service: models.Service, mailoutbox: list[Any]) -> None:
    alice = person("alice@example.org", "coordinator")
    correction, token = send(service, email="charlie@example.org", language="fr", link="http://x.example.org/{token}/")
    assert [mail.to for mail in mailoutbox] == [["charlie@example.org"]]
    assert f"http://x.example.org/{token}/" in mailoutbox[0].body and "répond pas" not in mailoutbox[0].body
    corrections.answer_correction(correction, by=alice, state="in_progress")
    assert len(mailoutbox) == 1
    answered = corrections.answer_correction(correction, by=alice, state="accepted", answer="Numéro corrigé.")
    assert (answered.state, answered.answered_by) == ("accepted", alice)
    assert len(mailoutbox) == 2 and "Numéro corrigé." in mailoutbox[1].body
    with pytest.raises(corrections.AlreadyAnswered):
        corrections.answer_correction(correction, by=alice, state="declined", answer="Non.")
    codes = [event.code for event in history(None, correction.pk)]
    assert codes == ["correction.answered", "correction.answered", "correction.received"]


def test_a_refusal_needs_its_reason_and_states_are_known(service: models.Service) -> None:
    alice = person("alice@example.org", "coordinator")
    correction, _token = send(service)
    for state, answer in (("declined", "  "), ("received", "x"), ("nonsense", "x")):
        with pytest.raises(ValueError, match=r"refusal|unknown"):
            corrections.answer_correction(correction, by=alice, state=state, answer=answer)
    correction.refresh_from_db()
    assert correction.state == "received"


@pytest.mark.parametrize("role", ["", "agent", "director"])
def test_others_do_not_answer(service: models.Service, role: str) -> None:
    bob = person("bob@example.org", role)
    correction, _token = send(service)
    with pytest.raises(Denied):
        corrections.answer_correction(correction, by=bob, state="accepted")


def test_who_sees_what_waits(service: models.Service) -> None:
    from parvis.orgs.actions import add_member

    correction, _token = send(service)
    alice, bob, charlie = person("alice@example.org", "agent"), person("bob@example.org"), person("c@example.org")
    other = Organization.objects.create(name="Autre", changed_at=timezone.now())
    add_member(bob, service.organization, "worker", by="test")
    add_member(charlie, other, "manager", by="test")
    assert corrections.waiting(alice) == [correction]
    assert corrections.waiting(bob) == [correction]
    assert corrections.waiting(charlie) == [] and corrections.waiting(None) == []
    corrections.answer_correction(correction, by=person("d@example.org", "coordinator"), state="accepted")
    assert corrections.waiting(alice) == []


def test_one_address_may_not_flood(service: models.Service) -> None:
    for _number in range(corrections.MOST_AN_HOUR):
        send(service, address="192.0.2.7")
    with pytest.raises(corrections.TooMany):
        send(service, address="192.0.2.7")
    send(service, address="192.0.2.8")
    assert not any("192.0.2" in str(value) for row in Correction.objects.values() for value in row.values())


def test_answered_words_are_forgotten_after_a_year(service: models.Service) -> None:
    alice = person("alice@example.org", "coordinator")
    now = timezone.now()
    old, _one = send(service)
    corrections.answer_correction(old, by=alice, state="accepted", now=now - dt.timedelta(days=366))
    recent, _two = send(service)
    corrections.answer_correction(recent, by=alice, state="accepted", now=now - dt.timedelta(days=300))
    waiting, _three = send(service, now=now - dt.timedelta(days=900))
    assert corrections.forget(now) == 1
    assert set(Correction.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}


# -- by the pages -------------------------------------------------------------------------------------------------


def test_the_form_leads_to_a_link_that_tells_its_fate(service: models.Service, client: Client) -> None:
    page = f"/fr/services/{service.pk}/wrong/"
    assert client.get(page).status_code == 200
    answer = client.post(page, {"message": "La porte était fermée mardi.", "email": ""})
    assert answer.status_code == 302
    followed = client.get(answer["Location"])
    text = followed.content.decode()
    assert followed.status_code == 200 and "La porte était fermée mardi." in text
    assert followed["Referrer-Policy"] == "no-referrer" and "no-store" in followed["Cache-Control"]
    corrections.answer_correction(
        Correction.objects.get(),
        by=person("alice@example.org", "coordinator"),
        state="declined",
        answer="C'était férié.",
    )
    assert "C&#x27;était férié." in client.get(answer["Location"]).content.decode()
    assert client.get("/fr/corrections/not-a-secret/").status_code == 404


def test_a_bad_form_is_422_and_says_where(service: models.Service, client: Client) -> None:
    answer = client.post(f"/fr/services/{service.pk}/wrong/", {"message": "", "email": "charlie"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#correction_message"' in text and 'href="#correction_email"' in text
    assert Correction.objects.count() == 0


def test_a_program_that_fills_everything_is_thanked_and_ignored(service: models.Service, client: Client) -> None:
    answer = client.post(
        f"/fr/services/{service.pk}/wrong/", {"message": "acheter", "website": "https://x.example.org"}
    )
    assert answer.status_code == 302
    assert Correction.objects.count() == 0


def test_the_eleventh_message_of_an_hour_is_refused_kindly(service: models.Service, client: Client) -> None:
    page = f"/fr/services/{service.pk}/wrong/"
    for number in range(corrections.MOST_AN_HOUR):
        assert client.post(page, {"message": f"Message {number}"}).status_code == 302
    assert client.post(page, {"message": "Encore"}).status_code == 422
    assert Correction.objects.count() == corrections.MOST_AN_HOUR


def test_nothing_to_correct_where_nothing_is_listed(city: Any, client: Client) -> None:
    assert client.get(f"/fr/services/{uuid.uuid4()}/wrong/").status_code == 404
    assert client.post(f"/fr/organizations/{uuid.uuid4()}/wrong/", {"message": "Bonjour"}).status_code == 404
