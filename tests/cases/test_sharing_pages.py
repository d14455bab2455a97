"""The screens of consent: what is asked, shown, recorded and taken back; what a partner and the person see."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from parvis.cases.actions import sharing
from parvis.cases.models import Agreement, Consent, Finding, Household, Person
from parvis.directory import documents
from parvis.directory.models import Service
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.orgs.models import Organization
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, share
from tests.cases.test_sharing import give, person


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def home(alice: Any) -> Household:
    return opened(alice, AMINA, YOUSSEF)


def at(name: str, *args: Any) -> str:
    with translation.override("en"):
        return reverse(f"cases:{name}", args=args)


def shown(page: str) -> str:
    """The fingerprint of the text that stands on a page."""
    found = re.search(r'name="shown" value="(\w+)"', page)
    assert found
    return found[1]


def asked(home: Household, organization: Organization, **more: Any) -> dict[str, Any]:
    """What an agent fills in for Amina."""
    return {
        "persons": [str(person(home, by=home.lead_worker).pk)], "organizations": [str(organization.pk)],
        "purpose": "referral", "classes": ["contact"], "text_language": "ar", "channel": "screen", **more,
    }  # fmt: skip


def test_the_text_is_shown_in_the_persons_language_before_anything_is_recorded(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    _other, charlie = partner("charlie")
    agree(house)
    desk, url = signed_in(alice), at("consent-new", home.pk)
    page = desk.get(url).content.decode()
    assert '<article class="sheet" lang="ar" dir="rtl"' in re.sub(r"\s+", " ", page)
    assert "هل تسمحون لنا بمشاركة معلوماتكم؟" in page and AMINA.name in page
    assert "no agreement in force" not in page
    found = desk.post(url, asked(home, house) | {"find": "1", "q": "charlie"}).content.decode()
    assert "no agreement in force" in found and "disabled" in found, "shown, greyed, with the reason"
    form = asked(home, house, sensitive=["health"])
    wrong = desk.post(url, form | {"give": "1", "shown": shown(page)})
    assert wrong.status_code == 422 and "has changed since it was shown" in wrong.content.decode()
    text = desk.post(url, form, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text and "الصحة" in text and "Maison bob" in text
    wrong = desk.post(url, form | {"give": "1", "shown": shown(text)})
    assert wrong.status_code == 422 and "Ask for each sensitive line" in wrong.content.decode()
    with acting(alice):
        assert not Consent.objects.exists()
    done = desk.post(url, form | {"give": "1", "shown": shown(text), "express": "on"})
    assert done.status_code == 302
    with acting(alice):
        (given,) = Consent.objects.all()
    assert (given.classes, given.text_language, given.express) == (1 | 4 | 64, "ar", True)
    listed = desk.get(done["Location"]).content.decode()
    assert "In force" in listed and "Maison bob" in listed
    paper = desk.get(at("consent-paper", given.pk)).content.decode()
    assert "الصحة" in paper and "<svg" in paper and AMINA.name in paper
    preview = desk.get(at("seen-as", given.person_id, house.pk)).content.decode()
    assert "Health" in preview and "Household and family ties" not in preview
    # the partner, and another
    there, elsewhere = signed_in(bob), signed_in(charlie)
    assert AMINA.name in there.get(at("shared")).content.decode()
    seen = there.get(at("shared-person", given.person_id)).content.decode()
    assert "Telephone, e-mail, address" in seen and YOUSSEF.name not in seen and "Why we see this" in seen
    for browser in (there, elsewhere):
        for address in (at("consents", given.person_id), at("consent-paper", given.pk),
                        at("consent-withdraw", given.pk), at("seen-as", given.person_id, house.pk),
                        at("account", given.person_id)):  # fmt: skip
            assert browser.get(address).status_code == 404, address
            assert browser.post(address).status_code == 404, address
    assert elsewhere.get(at("shared-person", given.person_id)).status_code == 404
    assert AMINA.name not in elsewhere.get(at("shared")).content.decode()
    # two clicks, and the open session of the partner sees nothing in its next request
    assert "Take back now" in desk.get(at("consent-withdraw", given.pk)).content.decode()
    assert desk.post(at("consent-withdraw", given.pk), {"channel": "screen"}).status_code == 302
    assert there.get(at("shared-person", given.person_id)).status_code == 404
    assert AMINA.name not in there.get(at("shared")).content.decode()
    assert AMINA.name not in there.get("/en/files/?q=amina").content.decode()
    assert desk.post(at("consent-withdraw", given.pk), {"channel": "screen"}).status_code == 422


def test_a_consent_on_a_text_of_another_system_is_listed_and_has_no_paper(alice: Any, home: Household) -> None:
    house, _bob = partner("bob")
    agree(house)
    old = share(person(home, by=alice), house, by=alice)
    desk = signed_in(alice)
    page = desk.get(at("consents", old.person_id)).content.decode()
    assert "Maison bob" in page and at("consent-paper", old.pk) not in page
    assert desk.get(at("consent-paper", old.pk)).status_code == 404


def test_a_paper_to_sign_holds_the_text_and_records_nothing(alice: Any, home: Household) -> None:
    house, _bob = partner("bob")
    agree(house)
    form = asked(home, house, text_language="es") | {"print": "1"}
    page = signed_in(alice).post(at("consent-new", home.pk), form).content.decode()
    assert 'lang="es" dir="ltr"' in re.sub(r"\s+", " ", page) and "Firma" in page and "<svg" in page
    with acting(alice):
        assert not Consent.objects.exists()


def test_a_language_without_a_text_is_read_by_an_interpreter(alice: Any) -> None:
    home = opened(alice, type(AMINA)("ሰላም", language="ti"))
    desk = signed_in(alice)
    page = desk.get(at("consent-new", home.pk)).content.decode()
    assert "an interpreter reads this one" in page and 'lang="en"' in page
    assert "an interpreter reads" not in desk.get(at("consent-new", opened(alice).pk)).content.decode()


def test_for_a_child_the_parent_is_asked_for_on_the_screen(alice: Any, home: Household) -> None:
    house, _bob = partner("bob")
    agree(house)
    amina, child = person(home, by=alice), person(home, YOUSSEF.name, by=alice)
    desk, url = signed_in(alice), at("consent-new", home.pk)
    form = asked(home, house, persons=[str(amina.pk), str(child.pk)])
    text = desk.post(url, form, headers={"HX-Request": "true"}).content.decode()
    wrong = desk.post(url, form | {"give": "1", "shown": shown(text)})
    assert wrong.status_code == 422 and "Below fourteen years" in wrong.content.decode()
    form["given_by"] = str(amina.pk)
    text = desk.post(url, form, headers={"HX-Request": "true"}).content.decode()
    assert "يعطي الإذن" in text
    assert desk.post(url, form | {"give": "1", "shown": shown(text)}).status_code == 302
    with acting(alice):
        assert Consent.objects.count() == 2


def test_with_everything_refused_the_whole_path_is_open(alice: Any, city: Any) -> None:
    """A file is opened, a need noted, services found: a no to every organization stops nothing."""
    house, bob = partner("bob")
    agree(house)
    now = house.changed_at
    service = Service.objects.create(organization=house, name="Cours de français du soir", changed_at=now)
    documents.refresh(service_ids=[service.pk], organization_ids=[house.pk])
    desk = signed_in(alice)
    opening = desk.post("/en/files/new/", {
        "head-name": AMINA.name, "head-language": "ar", "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0",
    })  # fmt: skip
    assert opening.status_code == 302, opening.content.decode()
    with acting(alice):
        home = Household.objects.get()
        amina = Person.objects.get()
    for _time in range(2):  # a no may be said again
        said = desk.post(at("consent-new", home.pk), {"persons": [str(amina.pk)], "refuse": "1",
                                                      "organizations": [str(house.pk)]})  # fmt: skip
        assert said.status_code == 302
    assert "Said no" in desk.get(said["Location"]).content.decode()
    with acting(alice):
        Finding.objects.create(person=amina, domain="language", kind="need", level="urgent", noted_on=TODAY, by=alice)
        assert Finding.objects.get().level == "urgent"
    assert desk.get(at("household", home.pk)).status_code == 200
    assert AMINA.name in desk.get("/en/files/?q=amina").content.decode()
    with translation.override("en"):
        public = reverse("directory:service", kwargs={"object_id": service.pk})
    assert "Cours de français du soir" in desk.get(public).content.decode(), "the service is there for her all the same"
    with acting(alice):
        assert Event.objects.filter(code="cases.consent.refused").count() == 2
    # the control: what was refused is closed, and a yes would have opened it
    there = signed_in(bob)
    assert AMINA.name not in there.get(at("shared")).content.decode()
    give(amina, house, by=alice)
    assert AMINA.name in there.get(at("shared")).content.decode()


def test_agreements_are_kept_by_the_administrator_and_the_privacy_officer(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    give_to = person(home, by=alice)
    office, url = signed_in(open_account("paul", "privacy")), at("agreements")
    assert "No agreement yet" in office.get(url).content.decode()
    assert "Maison bob" in office.get(f"{url}?q=bob").content.decode()
    wrong = office.post(url, {"q": "bob", "organization": str(house.pk), "since": "2026-05-01", "until": "2026-04-01"})
    assert wrong.status_code == 422 and "end before it begins" in wrong.content.decode()
    made = office.post(url, {"q": "bob", "organization": str(house.pk), "since": "2026-05-01", "reference": "A-12"})
    assert made.status_code == 302
    page = office.get(url).content.decode()
    assert "In force" in page and "A-12" in page
    give(give_to, house, by=alice)
    there = signed_in(bob)
    assert there.get(at("shared-person", give_to.pk)).status_code == 200
    with acting(alice):
        held = Agreement.objects.get()
    assert office.post(at("agreement-end", held.pk), {"reason": ""}).status_code == 302
    assert there.get(at("shared-person", give_to.pk)).status_code == 404
    assert "No agreement in force" in signed_in(alice).get(at("consents", give_to.pk)).content.decode()


def test_a_newcomer_is_invited_sees_their_file_and_takes_a_consent_back(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    amina = person(home, by=alice)
    given = give(amina, house, by=alice)
    there = signed_in(bob)
    there.get(at("shared-person", amina.pk))
    desk = signed_in(alice)
    assert desk.post(at("account", amina.pk), {"invite": "1", "email": "no"}).status_code == 422
    mail.outbox.clear()
    sent = desk.post(at("account", amina.pk), {"invite": "1", "email": "amina@example.org", "language": "ar"})
    assert sent.status_code == 302 and "waits" in desk.get(sent["Location"]).content.decode()
    body = letter()
    assert AMINA.name not in body, "the message names nobody"
    link = re.search(r"https?://[^/\s]+(/ar/account/invitation/\S+)", body)
    assert link
    own = Client()
    joined = own.post(link[1], {"name": "آمنة", "language": "ar", "password": "une grande maison bleue"})
    assert joined.status_code == 302
    page = own.get("/ar/files/me/").content.decode()
    assert AMINA.name in page and 'dir="rtl"' in page and "Maison bob" in page
    assert "Bob" in page, "who has looked at the file"
    assert own.get("/en/files/").status_code == 403
    assert own.get(at("consents", amina.pk)).status_code == 403
    assert own.get(at("me-withdraw", given.pk)).status_code == 200
    stranger = signed_in(open_account("eve"))
    assert stranger.get(at("me-withdraw", given.pk)).status_code == 404
    assert stranger.post(at("me-withdraw", given.pk)).status_code == 404
    assert "No file is linked" in stranger.get(at("me")).content.decode()
    assert there.get(at("shared-person", amina.pk)).status_code == 200
    assert own.post(at("me-withdraw", given.pk)).status_code == 302
    assert there.get(at("shared-person", amina.pk)).status_code == 404
    with acting(alice):
        amina.refresh_from_db()
        sharing.unlink_account(amina, by=alice)
    assert "No file is linked" in own.get(at("me")).content.decode()


def letter() -> str:
    """The newest message that waits to leave."""
    from email import message_from_bytes, policy

    from parvis.kit.models import OutboxMail

    newest = OutboxMail.objects.order_by("-created_at").first()
    if newest is None:
        return str(mail.outbox[-1].body)
    body = message_from_bytes(bytes(newest.message), policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())
