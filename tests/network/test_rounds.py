"""Organizations are asked by a link: still true, corrected there, or silent until nobody reads them any more."""

import datetime as dt
import re
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.directory import actions as directory
from parvis.directory.holding import BY_LINK
from parvis.directory.models import Correction, Document, DoNotList, Doubt, Verification
from parvis.kit.models import OutboxMail
from parvis.ledger.models import Event
from parvis.network import actions, queries
from parvis.network.models import Review, ReviewLink, Rhythm, Stage
from tests.accounts.people import open_account
from tests.directory.story import Story, tell


@pytest.fixture
def story(city: Any, settings: Any) -> Story:
    settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"
    found = tell()
    directory.edit(found.house, by=found.charlie, changes={"email": "ormes@example.org"})
    return found


def mails() -> list[Any]:
    rows = OutboxMail.objects.order_by("created_at", "pk")
    return [message_from_bytes(bytes(row.message), policy=policy.default) for row in rows]


def address(number: int = -1) -> str:
    """The path of the page that a mail leads to."""
    return re.search(r"https?://[^/]+(/\S+/network/review/\S+/)", mails()[number].get_content()).group(1)  # type: ignore[union-attr]


def visitor() -> Client:
    return Client(headers={"host": "montreal.localhost"})


def older(review: Review, days: int) -> None:
    Review.objects.filter(pk=review.pk).update(stage_at=timezone.now() - dt.timedelta(days=days))


def test_one_click_confirms_everything_and_the_link_says_so_afterwards(story: Story) -> None:
    review = actions.begin(story.house, by=story.charlie)
    assert actions.begin(story.house, by=story.charlie) == review and len(mails()) == 1
    assert mails()[0]["To"] == "ormes@example.org"
    key = address().split("/")[-2]
    assert key not in ReviewLink.objects.get().key_hash
    page = visitor().get(address())
    assert page.status_code == 200 and "Cours de français" in page.content.decode()
    assert 'content="noindex"' in page.content.decode() and "no-store" in page["Cache-Control"]
    review.refresh_from_db()
    assert review.seen_at and review.stage == Stage.ASKED  # opening is not answering
    assert visitor().get(address() + "true/").status_code == 405 and not Verification.objects.exists()
    assert visitor().post(address() + "true/").status_code == 302
    review.refresh_from_db()
    assert review.stage == Stage.ANSWERED
    assert set(Verification.objects.values_list("object_id", "by_name", "means")) == {
        (story.house.pk, "Maison des Ormes", "self"), (story.course.pk, "Maison des Ormes", "self"),
    }  # fmt: skip
    assert visitor().get(address()).status_code == 410
    assert visitor().post(address() + "true/").status_code == 409 and Verification.objects.count() == 2
    assert Event.objects.filter(code="network.review.answered", actor=None, actor_label=BY_LINK).count() == 1


def test_they_correct_it_there_and_the_history_says_who(story: Story) -> None:
    actions.begin(story.house, by=story.charlie)
    where = f"{address()}service/{story.course.pk}/"
    assert visitor().get(where).status_code == 200
    form = {"name": "Cours du soir", "description": "Deux soirs", "phone": "+1 514 555-0177", "email": "", "site": ""}
    assert visitor().post(where, {**form, "name": ""}).status_code == 422
    assert visitor().post(where, form).status_code == 302
    document = Document.objects.get(kind="service", object_id=story.course.pk).whole
    assert "Cours du soir" in document and "555-0177" in document and "555-0101" not in document
    assert Event.objects.filter(code="service.edited", actor_label=BY_LINK).count() == 1
    assert visitor().post(where + "wrong/", {"message": ""}).status_code == 422
    assert visitor().post(where + "wrong/", {"message": "Fermé le lundi"}).status_code == 302
    assert Correction.objects.get().object_id == story.course.pk


def test_a_link_opens_one_organization_alone(story: Story) -> None:
    actions.begin(story.house, by=story.charlie)
    assert visitor().get(f"{address()}organization/{story.house.pk}/").status_code == 200  # control
    assert visitor().get(f"{address()}organization/{story.workshop.pk}/").status_code == 404
    assert visitor().get(f"{address()}location/{story.place.pk}/").status_code == 404
    assert visitor().get("/fr/network/review/unknown/").status_code == 404
    with pytest.raises(Denied):
        actions.correct(Review.objects.get(), story.workshop, {"name": "Pris"})


def test_an_expired_link_is_renewed_to_the_organizations_own_address_only(story: Story) -> None:
    review = actions.begin(story.house, by=story.charlie)
    old = address()
    ReviewLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert visitor().get(old).status_code == 410 and visitor().post(old + "true/").status_code == 409
    for _again in range(5):
        assert visitor().post(old + "new/").status_code == 302
    assert len(mails()) == 1 + actions.MOST_RENEWALS and {one["To"] for one in mails()} == {"ormes@example.org"}
    assert visitor().get(address()).status_code == 200
    actions.stop(review, by=story.charlie)
    assert visitor().get(address()).status_code == 410


def test_silence_is_reminded_telephoned_doubted_and_hidden_each_in_its_time(story: Story) -> None:
    review = actions.begin(story.house, by=story.charlie)
    seen = []
    for days in (6, 7, 6, 7, 7, 13, 14, 59, 60):
        older(review, days)
        actions.pursue(timezone.now())
        actions.pursue(timezone.now())  # idempotent: a stage has just begun
        review.refresh_from_db()
        seen.append(review.stage)
        if review.stage == Stage.DOUBTED:
            assert "Unconfirmed" in visitor().get(f"/en/services/{story.course.pk}/").content.decode()
    assert seen == ["asked", "reminded", "reminded", "again", "call", "call", "doubted", "doubted", "hidden"]
    assert len(mails()) == 3 and len({address(number) for number in range(3)}) == 3
    assert Doubt.objects.count() == 2
    assert not Document.objects.filter(object_id__in=[story.house.pk, story.course.pk]).exists()
    assert DoNotList.objects.get().object_id == story.house.pk
    assert Document.objects.filter(object_id=story.workshop.pk).exists()  # control: who was not asked


def test_a_worker_that_was_away_for_months_skips_no_stage(story: Story) -> None:
    review = actions.begin(story.house, by=story.charlie)
    Review.objects.update(
        began_at=timezone.now() - dt.timedelta(days=200), stage_at=timezone.now() - dt.timedelta(days=200)
    )
    for _pass in range(5):
        actions.pursue(timezone.now())
    review.refresh_from_db()
    assert review.stage == Stage.REMINDED


def test_without_an_address_it_is_telephoned_and_the_answer_ends_the_doubt(story: Story) -> None:
    review = actions.begin(story.workshop, by=story.charlie)
    assert review.stage == Stage.CALL and not mails()
    browser = story.client(story.charlie)
    move = f"/fr/network/rounds/{review.pk}/"
    assert browser.post(move, {"do": "called"}).status_code == 302
    older(review, 14)
    actions.pursue(timezone.now())
    assert Doubt.objects.filter(object_id=story.workshop.pk).exists()
    assert "Atelier du Port" in browser.get("/fr/network/rounds/?show=call").content.decode()
    assert browser.post(move, {"do": "what"}).status_code == 422
    assert browser.post(move, {"do": "true"}).status_code == 302
    review.refresh_from_db()
    assert review.calls == 1 and review.stage == Stage.ANSWERED and not Doubt.objects.exists()


def test_rounds_begin_by_themselves_only_when_the_office_says_so(story: Story) -> None:
    actions.pursue(timezone.now())
    assert not Review.objects.exists()
    actions.set_rhythm({"on": True}, by=story.charlie)
    actions.pursue(timezone.now())
    assert {one.organization_id for one in Review.objects.all()} == {story.house.pk}  # the workshop lists no service
    actions.still_true(Review.objects.get(), by=story.charlie, means="phone")
    actions.pursue(timezone.now())
    assert Review.objects.count() == 1
    assert Rhythm.objects.count() == 1


def test_the_desks_pages(story: Story) -> None:
    browser = story.client(story.charlie)
    assert [name for _key, name, _number in queries.to_ask(story.charlie, timezone.localdate())] == ["Maison des Ormes"]
    weak = browser.get("/fr/network/weak/").content.decode()
    assert "Cours de français" in weak and f"/fr/desk/service/{story.course.pk}/hours/" in weak
    assert "Maison des Ormes" in browser.get("/fr/network/rounds/?show=next").content.decode()
    assert browser.post("/fr/network/rounds/begin/", {"organization": [str(story.house.pk), "x"]}).status_code == 302
    assert Review.objects.get().organization_id == story.house.pk
    for page in ("", "rounds/", "rounds/?show=ended", "conflicts/", "never/", "rhythm/", "weak/?only=late"):
        assert browser.get(f"/fr/network/{page}").status_code == 200, page
    whole = {"period-hours": 2, "period-phone": 6, "period-address": 12, "period-rest": 12, "stage-remind": 5,
             "stage-remind_again": 9, "stage-call": 12, "stage-doubt": 20, "stage-hide": 50}  # fmt: skip
    assert browser.post("/fr/network/rhythm/", {**whole, "stage-call": 9}).status_code == 422
    assert browser.post("/fr/network/rhythm/", whole).status_code == 302
    assert queries.rhythm().call == 12 and not queries.rhythm().on
    with pytest.raises(Denied):
        actions.begin(story.house, by=open_account("alma", "agent"))
    directory.confirm(story.course, by=story.charlie, means="visit")
    late = {each.code for one in queries.weak(story.charlie, timezone.localdate()) for each in one.quality.reasons}
    assert "never" not in late and "no_hours" in late
