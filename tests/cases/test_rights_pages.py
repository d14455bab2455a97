"""The screens of people's rights, walked through as each role does; without JavaScript, in French and Arabic."""

import datetime as dt
import re
import time
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.utils import timezone

from parvis.cases.actions import rights
from parvis.cases.models import BreakGlass, DataRequest, Disclosure, Incident, Person
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, opened, partner


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def paul(city: Any) -> Any:
    return open_account("paul", "privacy")


def person_of(alice: Any) -> Person:
    with acting(alice):
        return Person.objects.get(name=AMINA.name)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def age_proofs(browser: Client, seconds: float, **more: Any) -> None:
    """Make the proofs of this session older; `more` is added to each (method="mfa")."""
    session = browser.session
    records = [record | {"at": time.time() - seconds} | more for record in session[AUTHENTICATION_METHODS_SESSION_KEY]]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session.save()


def test_an_emergency_is_opened_reviewed_and_ended(alice: Any, paul: Any) -> None:
    home = opened(alice, restricted=True)
    dora = open_account("dora", "agent")
    desk = signed_in(dora)
    assert desk.get(f"/fr/files/{home.pk}/").status_code == 404
    assert desk.get("/fr/files/privacy/emergency/").status_code == 200
    assert desk.post("/fr/files/privacy/emergency/", {"reference": "NOBODY", "reason": "x"}).status_code == 422
    answer = desk.post("/fr/files/privacy/emergency/", {"reference": home.reference, "reason": "Hôpital"})
    assert answer.status_code == 302 and answer["Location"] == f"/fr/files/{home.pk}/"
    opened_page = text_of(desk.get(answer["Location"]))
    assert AMINA.name in opened_page and "/end/" in opened_page, "the banner stands on the file itself"
    banner = text_of(desk.get("/fr/files/privacy/"))
    ending = re.search(r'action="(/fr/files/privacy/emergency/[^"]+/end/)"', banner)
    assert ending is not None
    office = signed_in(paul)
    page = text_of(office.get("/ar/files/privacy/emergencies/"))
    assert "Hôpital" in page and AMINA.name not in page and 'dir="rtl"' in page
    with acting(dora):
        glass = BreakGlass.objects.get()
    review = f"/fr/files/privacy/emergencies/{glass.pk}/"
    assert office.post(review, {"justified": "yes"}).status_code == 422
    assert office.post(review, {"justified": "yes", "words": "Confirmé"}).status_code == 302
    assert "Confirmé" in text_of(office.get(review))
    assert desk.post(ending.group(1)).status_code == 302
    assert "/end/" not in text_of(desk.get("/fr/files/privacy/"))
    assert signed_in(open_account("eva", "agent")).post(ending.group(1)).status_code == 404


def test_an_emergency_asks_again_who_one_is(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = signed_in(alice)
    form = "/fr/files/privacy/emergency/"
    assert desk.get(form).status_code == 200, "the control: just signed in"
    age_proofs(desk, 600)
    assert "/prove/?next=" in desk.get(form)["Location"]
    assert desk.post(form, {}).status_code == 422, "who opened the form in time has time to write"
    age_proofs(desk, 1000)
    assert "/prove/?next=" in desk.post(form, {})["Location"]
    # with a second factor, a password is not enough however fresh
    monkeypatch.setattr("parvis.cases.views.privacy.has_second_factor", lambda user: True)
    age_proofs(desk, 1)
    assert "/prove/second/?next=" in desk.get(form)["Location"]
    age_proofs(desk, 1, method="mfa")
    assert desk.get(form).status_code == 200


def test_an_incident_is_reported_completed_and_closed(alice: Any, paul: Any) -> None:
    desk, office = signed_in(alice), signed_in(paul)
    today = timezone.localdate().isoformat()
    new = "/fr/files/privacy/incidents/new/"
    assert desk.post(new, {"what": "", "found_on": today}).status_code == 422
    later = (timezone.localdate() + dt.timedelta(days=2)).isoformat()
    assert desk.post(new, {"what": "Perdu", "found_on": later}).status_code == 422
    assert desk.post(new, {"what": "=Téléphone perdu", "found_on": today, "classes": ["4"]}).status_code == 302
    assert desk.get("/fr/files/privacy/incidents/").status_code == 403
    with acting(paul):
        found = Incident.objects.get()
    url = f"/fr/files/privacy/incidents/{found.pk}/"
    assert "=Téléphone perdu" in text_of(office.get(url))
    kept = {"what": found.what, "found_on": today, "classes": ["4", "32"], "version": 1, "serious": "yes"}
    assert office.post(url, kept | {"closed_on": today}).status_code == 422, "told to the authority first"
    assert office.post(url, kept | {"references": "ZZZZZZ"}).status_code == 422
    home = opened(alice)
    done = kept | {"authority_told_on": today, "closed_on": today, "references": home.reference}
    assert office.post(url, done).status_code == 302
    assert office.post(url, done | {"what": "autre"}).status_code == 409
    with acting(paul):
        found.refresh_from_db()
        assert found.classes == DataClass.CONTACT | DataClass.STATUS and found.closed_on
        assert found.concerned.count() == 1
    table = office.get("/fr/files/privacy/incidents/file/")
    assert "'=Téléphone perdu" in table.content.decode("utf-8-sig") and "attachment" in table["Content-Disposition"]


def test_a_request_from_its_arrival_to_its_answer(alice: Any, paul: Any) -> None:
    home = opened(alice)
    desk, office = signed_in(alice), signed_in(paul)
    today = timezone.localdate().isoformat()
    new = "/fr/files/privacy/requests/new/"
    wanted = {"kind": "portability", "received_on": today, "channel": "letter", "reference": home.reference}
    assert office.post(new, wanted | {"reference": "NOBODY"}).status_code == 422
    assert office.post(new, wanted | {"reference": ""}).status_code == 422
    answer = office.post(new, wanted)
    assert answer.status_code == 302
    url = answer["Location"]
    page = text_of(office.get(url))
    assert AMINA.name not in page and "export-zip" not in page
    assert office.post(url, {"do": "export-zip"}).status_code in (404, 422)
    assert AMINA.name in text_of(desk.get(url))
    assert desk.post(url, {"do": "identity", "identity-how": "Passeport vu"}).status_code == 302
    page = text_of(office.get(url))
    assert AMINA.name in page and "export-zip" in page
    shown = office.post(url, {"do": "link"})
    link = re.search(r"http://testserver(/fr/files/privacy/parcel/[^<\s]+)", text_of(shown))
    assert shown.status_code == 200 and link is not None
    stranger = Client()
    assert stranger.get(link.group(1)).status_code == 200
    taken = stranger.post(link.group(1))
    assert taken["Content-Type"] == "application/zip" and taken.content[:2] == b"PK"
    assert stranger.get(link.group(1)).status_code == 410 and stranger.post(link.group(1)).status_code == 410
    assert office.post(url, {"do": "export-json"})["Content-Type"] == "application/json"
    assert office.post(url, {"do": "answer", "answer-state": "answered"}).status_code == 422
    assert office.post(url, {"do": "answer", "answer-state": "answered", "answer-words": "Remis"}).status_code == 302
    assert AMINA.name not in text_of(office.get(url)), "answered: the officer's sight is over"
    assert "Remis" in text_of(office.get(url))
    assert url.split("/")[-2] in text_of(office.get("/fr/files/privacy/requests/?show=closed"))
    _, bob = partner("bob")
    assert signed_in(bob).get(url).status_code == 404


def test_a_correction_on_the_page(alice: Any) -> None:
    opened(alice)
    desk = signed_in(alice)
    new = f"/fr/files/privacy/requests/new/?person={person_of(alice).pk}"
    today = timezone.localdate().isoformat()
    url = desk.post(new, {"kind": "rectification", "received_on": today, "channel": "in_person"})["Location"]
    wanted = {"do": "correct", "correct-field": "birth_date", "correct-wanted": "1991-04-02"}
    assert desk.post(url, wanted).status_code == 302
    assert "1990-03-01" in text_of(desk.get(url)) and "1991-04-02" in text_of(desk.get(url))
    assert desk.post(url, {"do": "decide", "decide-decision": "no"}).status_code == 422
    assert desk.post(url, {"do": "decide", "decide-decision": "yes"}).status_code == 302
    assert desk.post(url, {"do": "apply"}).status_code == 302
    with acting(alice):
        assert Person.objects.get().birth_year == 1991


def test_data_for_an_authority_on_the_pages(alice: Any, paul: Any) -> None:
    opened(alice)
    person = person_of(alice)
    desk, office = signed_in(alice), signed_in(paul)
    new = f"/fr/files/privacy/person/{person.pk}/authority/"
    assert desk.post(new, {"recipient": "Tribunal"}).status_code == 422
    wanted = {"recipient": "Tribunal", "classes": ["1"], "purpose": "Ordonnance", "legal_basis": "A-2.1, art. 59"}
    url = desk.post(new, wanted)["Location"]
    assert desk.post(url, {"do": "file"}).status_code == 422
    assert "Tribunal" in text_of(office.get("/fr/files/privacy/communications/"))
    assert office.post(url, {"do": "decide", "decision": "no"}).status_code == 422
    assert office.post(url, {"do": "decide", "decision": "yes"}).status_code == 302
    assert desk.post(url, {"do": "file"}).content[:2] == b"PK"
    mine = f"/fr/files/privacy/person/{person.pk}/communications/"
    assert "Tribunal" in text_of(desk.get(mine))
    assert "Tribunal" in desk.get(mine + "?form=csv").content.decode("utf-8-sig")
    assert str(person.pk) in office.get("/fr/files/privacy/communications/file/").content.decode("utf-8-sig")
    _, bob = partner("bob")
    assert signed_in(bob).get(url).status_code == 404 and signed_in(bob).get(mine).status_code == 404


def test_the_newcomers_own_page(alice: Any) -> None:
    opened(alice)
    own = open_account("amina")
    assert "export" not in text_of(signed_in(own).get("/ar/files/privacy/mine/"))
    with acting(alice):
        Person.objects.update(user=own)
    browser = signed_in(own)
    page = text_of(browser.get("/ar/files/privacy/mine/"))
    assert 'value="zip"' in page
    assert AMINA.name in text_of(browser.post("/ar/files/privacy/mine/", {"form": "html"}))
    assert browser.post("/ar/files/privacy/mine/", {"kind": "wrong"}).status_code == 422
    assert browser.post("/ar/files/privacy/mine/", {"kind": "erasure", "asked": "الرجاء"}).status_code == 302
    with acting(alice):
        asked = DataRequest.objects.get()
        assert asked.kind == "erasure" and asked.channel == "account" and asked.asked == "الرجاء"
        assert Disclosure.objects.get().basis == "export"
    assert "الرجاء" in text_of(signed_in(alice).get(f"/fr/files/privacy/requests/{asked.pk}/"))


def test_nothing_is_sent_without_a_session_and_pages_stay_out_of_caches(alice: Any) -> None:
    opened(alice)
    with acting(alice):
        key = rights.make_link(person_of(alice), by=alice)
    stranger = Client()
    assert "/login/" in stranger.get("/fr/files/privacy/")["Location"]
    taken = stranger.post(f"/fr/files/privacy/parcel/{key}/")
    assert "no-store" in taken["Cache-Control"] and taken["Referrer-Policy"] == "no-referrer"
    assert AMINA.name not in taken["Content-Disposition"]
