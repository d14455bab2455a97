"""Referrals as an agent and an organization live with them."""

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from parvis.cases.actions import sharing
from parvis.cases.models import Consent
from parvis.kit.acting import acting
from parvis.referrals.models import Referral, ServiceIntake, State
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA
from tests.referrals.test_actions import Story


@pytest.fixture
def story(city: Any) -> Story:
    return Story()


def address(story: Story, service: Any = None) -> str:
    return reverse("referrals:new", args=[story.amina.pk, (service or story.service).pk])


def filled(story: Story, client: Any, **more: Any) -> dict[str, Any]:
    """The form as it is shown, sent back."""
    page = client.get(address(story), {"domain": "language"})
    shown = page.context
    form = shown["form"]
    given = {name: form[name].value() for name in form.fields}
    missing = [name for name in given if name != "given_by" and f'name="{name}"' not in page.content.decode()]
    assert not missing, "every field is on the page"
    given = {name: value for name, value in given.items() if value not in (None, False)}
    return {**given, "shown": shown["text"].fingerprint, "send": "1", **more}


def rows(story: Story) -> list[Referral]:
    with acting(story.alice), transaction.atomic():
        return list(Referral.objects.order_by("created_at"))


def test_an_agent_refers_and_the_organization_accepts(story: Story) -> None:
    alice, bob = signed_in(story.alice), signed_in(story.bob)
    page = alice.get(address(story), {"domain": "language"})
    assert page.status_code == 200 and [code for code, _name in page.context["form"].fields["how"].choices] == [
        "ask", "unnamed",
    ]  # fmt: skip
    sent = alice.post(address(story), filled(story, alice, text="Lundi soir", urgent="on"))
    (found,) = rows(story)
    assert sent.status_code == 302 and found.urgent and found.classes == 5 and found.state == State.SENT
    page = bob.get(reverse("referrals:inbox"))
    assert AMINA.name in page.content.decode() and page.context["lines"][0].referral.pk == found.pk
    assert AMINA.name not in signed_in(story.charlie).get(reverse("referrals:inbox")).content.decode()
    page = bob.get(reverse("referrals:referral", args=[found.pk]))
    assert "Lundi soir" in page.content.decode() and rows(story)[0].state == State.SEEN
    assert [offer["state"] for offer in page.context["offers"]][:1] == [State.ACCEPTED]
    say = reverse("referrals:say", args=[found.pk])
    assert bob.post(say, {"state": "declined", "version": "2"}).status_code == 422
    assert bob.post(say, {"state": "accepted", "version": "1"}).status_code == 409
    assert bob.post(say, {"state": "accepted", "version": "2"}).status_code == 302
    assert rows(story)[0].state == State.ACCEPTED
    page = alice.get(reverse("cases:household", args=[found.household_id]))
    assert reverse("referrals:referral", args=[found.pk]) in page.content.decode()
    for path in (reverse("referrals:referral", args=[found.pk]), say):
        assert signed_in(story.charlie).get(path).status_code in (404, 405)
        assert signed_in(story.charlie).post(path, {"state": "declined"}).status_code in (404, 405)


def test_without_a_consent_and_by_telephone(story: Story) -> None:
    alice = signed_in(story.alice)
    assert alice.post(address(story), filled(story, alice, how="unnamed")).status_code == 302
    (found,) = rows(story)
    with acting(story.alice), transaction.atomic():
        assert found.consent is None and not Consent.objects.exists()
    page = signed_in(story.bob).get(reverse("referrals:inbox"))
    assert AMINA.name not in page.content.decode() and page.context["lines"][0].who == ""
    say = reverse("referrals:say", args=[found.pk])
    told = {"state": "waitlisted", "reason": "no_capacity", "way": "telephone"}
    assert alice.post(say, told).status_code == 422, "with whom?"
    assert alice.post(say, {**told, "spoken_with": "Mme Roy"}).status_code == 302
    page = alice.get(reverse("referrals:referral", args=[found.pk]))
    assert "Mme Roy" in page.content.decode() and page.context["line"].position == 1


def test_no_agreement_no_name(story: Story) -> None:
    page = signed_in(story.alice).get(address(story, story.second))
    assert [code for code, _name in page.context["form"].fields["how"].choices] == ["unnamed"]
    assert signed_in(story.bob).get(address(story)).status_code == 404


def test_a_text_that_was_not_shown_is_not_agreed_to(story: Story) -> None:
    alice = signed_in(story.alice)
    given = filled(story, alice, classes=["contact", "background"])
    assert alice.post(address(story), given).status_code == 422 and rows(story) == []


def test_places_are_one_field(story: Story) -> None:
    path = reverse("referrals:places", args=[story.service.pk])
    assert signed_in(story.bob).post(path, {"offered": "3", "waitlist": "on"}).status_code == 302
    assert ServiceIntake.objects.get(service=story.service).offered == 3
    assert signed_in(story.charlie).post(path, {"offered": "9"}).status_code == 404
    assert signed_in(story.bob).post(path, {"offered": "-1"}).status_code == 422


def test_whether_it_helped_is_asked_of_the_person(story: Story) -> None:
    """By themselves, on their own page; or by the worker, who writes down what they say."""
    found = story.send()
    for state in (State.STARTED, State.SERVED) if story.say(found, State.ACCEPTED) else ():
        story.say(found, state)
    newcomer = open_account("amina")
    with acting(story.alice), transaction.atomic():
        sharing.link_account(story.amina, newcomer, by=story.alice)
    own = reverse("referrals:own", args=[found.pk])
    assert own in signed_in(newcomer).get(reverse("cases:me")).content.decode()
    assert signed_in(story.bob).post(own, {"helped": "yes"}).status_code == 404
    assert signed_in(newcomer).post(own, {"helped": "no"}).status_code == 302
    assert (rows(story)[0].state, rows(story)[0].outcome) == (State.DISPUTED, State.SERVED)
    alice, say = signed_in(story.alice), reverse("referrals:say", args=[found.pk])
    page = alice.get(reverse("referrals:referral", args=[found.pk]))
    assert [state.value for state in page.context["heard"]] == ["confirmed_by_client"]
    heard = {"state": "confirmed_by_client", "way": "newcomer"}
    assert signed_in(story.bob).post(say, heard).status_code == 403
    assert alice.post(say, heard).status_code == 302 and rows(story)[0].helped is True
