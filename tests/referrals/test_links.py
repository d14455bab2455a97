"""An organization answers one referral by a link in its mail: no account, one referral, eight days."""

import datetime as dt
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.cases.actions import sharing
from parvis.cases.actions.moves import Refused
from parvis.cases.models import Consent, Person
from parvis.cases.rules import Holder
from parvis.core.referral import Party
from parvis.kit import outbox
from parvis.kit.acting import acting, acting_by_link
from parvis.ledger.models import Event
from parvis.orgs.models import Membership, Organization
from parvis.referrals import actions, links
from parvis.referrals.actions import Asked, Word
from parvis.referrals.models import Reason, Referral, ReferralChange, ReferralLink, State, Way
from tests.accounts.people import signed_in
from tests.cases.story import AMINA
from tests.messaging.story import MailServer, mail_server
from tests.referrals.test_actions import Story


@pytest.fixture
def post(settings: Any) -> Iterator[MailServer]:
    with mail_server() as (server, url):
        settings.MAIL_URL = url
        settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"
        yield server


@pytest.fixture
def story(city: Any, post: MailServer) -> Story:
    """Nobody signs in for Alice's recipient: it has an address."""
    found = Story()
    Organization.objects.filter(pk=found.house.pk).update(email="ormes@example.org")
    found.house.refresh_from_db()
    Membership.objects.filter(organization=found.house).update(until=timezone.now())
    found.service.refresh_from_db()
    return found


def mails(post: MailServer) -> list[Any]:
    """What the server has, once the worker has carried everything out."""
    while outbox.relay(timezone.now()):
        pass
    return [message_from_bytes(content, policy=default) for _to, content in post.received]


def path(post: MailServer) -> str:
    """The page that the last mail leads to."""
    found = re.search(r"https?://[^/]+(/\S+/referrals/link/\S+/)", mails(post)[-1].get_content())
    return found.group(1)  # type: ignore[union-attr]


def visitor() -> Client:
    return Client(headers={"host": "montreal.localhost"}, enforce_csrf_checks=True)


def opened(where: str) -> str:
    """The page after the click that opens it."""
    assert visitor().post(where, {"state": "seen", "version": "1"}).status_code == 302
    return visitor().get(where).content.decode()


def test_a_partner_answers_by_link_and_leaves_the_same_trace(story: Story, post: MailServer) -> None:
    found = story.send(text="Lundi soir")
    (mail,) = mails(post)
    assert mail["To"] == "ormes@example.org" and mail["Auto-Submitted"] == "auto-generated"
    assert AMINA.name not in mail.as_string() and "Lundi" not in mail.get_content()
    where = path(post)
    key = where.split("/")[-2]
    with acting(story.alice), transaction.atomic():
        assert ReferralLink.objects.get().key_hash == links.hashed(key) != key
    page = visitor().get(where)
    assert page.status_code == 200 and AMINA.name not in page.content.decode(), "programs open links by themselves"
    assert page["Referrer-Policy"] == "no-referrer" and "noindex" in page["X-Robots-Tag"]
    assert "no-store" in page["Cache-Control"] and story.now(found).state == State.SENT
    shown = opened(where)
    assert AMINA.name in shown and "Lundi soir" in shown and story.now(found).state == State.SEEN
    assert visitor().post(where, {"state": "declined"}).status_code == 422, "why?"
    assert visitor().post(where, {"state": "withdrawn", "reason": "moved"}).status_code == 409, "not theirs to say"
    assert visitor().post(where, {"state": "accepted", "version": "1"}).status_code == 409
    for state, more in (
        ("needs_info", {"text": "Quel jour ?"}), ("waitlisted", {"reason": "no_capacity"}), ("accepted", {}),
        ("started", {}), ("partly_served", {"reason": "funds"}),
    ):  # fmt: skip
        assert visitor().post(where, {"state": state, **more}).status_code == 302, state
    now = story.now(found)
    assert now.state == State.PARTLY_SERVED and now.seen_at and now.answered_at and now.started_at
    with acting(story.alice), transaction.atomic():
        rows = ReferralChange.objects.filter(referral=found, way=Way.LINK)
        said = list(rows.order_by("at", "created_at").values_list("after", flat=True))
        assert {row.speaks_for for row in rows} == {story.house.pk} and not any(row.user_id for row in rows)
        told = Event.objects.filter(code__startswith="referrals.", actor_label=links.BY_LINK)
        assert set(told.values_list("code", flat=True)) == {f"referrals.{state}" for state in said}
        looks = Event.objects.filter(object_id=story.amina.pk, actor_label=links.BY_LINK)
        assert looks.exists(), "that they read it stands in the ledger"
    assert said == ["seen", "needs_info", "waitlisted", "accepted", "started", "partly_served"]
    over = visitor().get(where)
    assert over.status_code == 410 and AMINA.name not in over.content.decode()
    assert visitor().post(where, {"state": "started"}).status_code == 409


def test_a_link_opens_one_referral_and_nothing_beside_it(story: Story, post: MailServer) -> None:
    """In the database, without the code's lock."""
    found = story.send()
    key = links.hashed(path(post).split("/")[-2])
    with acting(story.alice), transaction.atomic():
        other = actions.send(story.amina, Asked(story.second, "language"), by=story.alice)
        everybody = Person.objects.count()
    with acting_by_link(key), transaction.atomic():
        assert [one.pk for one in Referral.objects.all()] == [found.pk]
        assert [one.name for one in Person.objects.all()] == [AMINA.name] and everybody > 1
        assert not ReferralLink.objects.exists() and not Consent.objects.exists()
        assert not ReferralChange.objects.exclude(referral=found).exists()
        assert not Referral.objects.filter(pk=other.pk).update(state="seen")
        with pytest.raises((Denied, Referral.DoesNotExist)):
            actions.say(other, Word(State.SEEN), by=Holder(found.pk), party=Party.RECIPIENT, way=Way.LINK)
    with (
        pytest.raises(ProgrammingError, match="context"),
        transaction.atomic(),
        acting_by_link(links.hashed("guessed")),
    ):
        Referral.objects.exists()
    assert visitor().get("/fr/referrals/link/guessed/").status_code == 404


def test_an_expired_link_is_renewed_to_the_organizations_own_address_alone(
    story: Story, post: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(links, "OPEN_FOR", dt.timedelta(hours=-1))
        found = story.send()
    old = path(post)
    assert visitor().get(old).status_code == 410 and visitor().post(old, {"state": "seen"}).status_code == 409
    with acting_by_link(links.hashed(old.split("/")[-2])), transaction.atomic():
        assert not Referral.objects.exists() and not Person.objects.exists()
    for _again in range(5):
        assert visitor().post(old + "new/").status_code == 302
    got = mails(post)
    assert len(got) == links.MOST_RENEWALS and {one["To"] for one in got} == {"ormes@example.org"}
    assert AMINA.name in opened(path(post)) and story.now(found).state == State.SEEN


def test_a_withdrawn_referral_says_so_and_is_not_renewed(story: Story, post: MailServer) -> None:
    found = story.send()
    where = path(post)
    assert AMINA.name in opened(where), "the control"
    with acting(story.alice), transaction.atomic():
        sharing.withdraw(Consent.objects.get(), by=story.alice, channel="spoken")
    page = visitor().get(where)
    assert page.status_code == 410 and AMINA.name not in page.content.decode()
    assert story.now(found).state == State.WITHDRAWN
    assert visitor().post(where + "new/").status_code == 302 and len(mails(post)) == 1


def test_the_desk_mails_a_link_to_those_who_do_sign_in_too(story: Story, post: MailServer) -> None:
    Membership.objects.filter(organization=story.house).update(until=None)
    found = story.send()
    assert mails(post) == [], "they have an inbox"
    send = f"/fr/referrals/{found.pk}/link/"
    assert signed_in(story.charlie).post(send).status_code == 404
    assert signed_in(story.bob).post(send).status_code == 403
    assert signed_in(story.alice).post(send).status_code == 302 and AMINA.name in opened(path(post))
    story.say(found, State.DECLINED, Reason.TOO_FAR)
    with acting(story.alice), transaction.atomic(), pytest.raises(Refused):
        actions.send_link(story.now(found), by=story.alice)


def test_a_referral_without_a_name_names_nobody_by_link(story: Story, post: MailServer) -> None:
    with acting(story.alice), transaction.atomic():
        actions.send(story.amina, Asked(story.service, "language", text="Lundi"), by=story.alice)
    page = opened(path(post))
    assert AMINA.name not in page and "Lundi" not in page
