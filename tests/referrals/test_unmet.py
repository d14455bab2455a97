"""A need for which nothing is found is written down, counts, and ends when a service is asked."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from parvis.accounts.rules import Denied
from parvis.cases.models import Address
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.places.models import Borough
from parvis.referrals import actions
from parvis.referrals.models import Referral, Unmet, UnmetNeed
from tests.accounts.people import signed_in
from tests.referrals.test_actions import Story


@pytest.fixture
def story(city: Any) -> Story:
    return Story()


def rows(story: Story, viewer: Any = None) -> list[UnmetNeed]:
    with acting(viewer or story.alice), transaction.atomic():
        return list(UnmetNeed.objects.order_by("at"))


def lives(story: Story, **more: Any) -> Borough:
    area = Borough.objects.order_by("code").first()
    if area is None:
        area = Borough.objects.create(code="a", name="Arrondissement A", geometry={}, latitude=0, longitude=0)
    said = {"borough": area.name, **more}
    with acting(story.alice), transaction.atomic():
        home = Address(person=story.amina, since=dt.date(2026, 1, 1), **said)
        Vault([story.amina.pk]).put(home, text="1, rue des Ormes")
        home.save(force_insert=True)
    return area


def test_it_is_written_down_and_ends_when_a_service_is_asked(story: Story) -> None:
    area, alice = lives(story), signed_in(story.alice)
    page = alice.get(reverse("referrals:candidates", args=[story.amina.pk]), {"domain": "language"})
    assert page.context["ranking"].nothing_fits and page.context["unmet"]["reason"].value() == Unmet.NOTHING
    address = reverse("referrals:unmet", args=[story.amina.pk])
    assert alice.post(address, {"domain": "language", "reason": ""}).status_code == 422 and not rows(story)
    assert alice.post(address, {"domain": "language", "reason": "nothing"}).status_code == 302
    assert alice.post(address, {"domain": "language", "reason": "full"}).status_code == 302
    (found,) = rows(story)  # said twice, it is one need with the newer reason
    assert (found.reason, found.language, found.borough, found.over_at) == ("full", "ar", area.code, None)
    page = alice.get(reverse("cases:household", args=[found.household_id])).content.decode()
    assert reverse("referrals:unmet-over", args=[found.pk]) in page
    sent = story.send()
    assert rows(story)[0].over_at is not None and sent.borough == area.code
    page = alice.get(reverse("cases:household", args=[found.household_id])).content.decode()
    assert reverse("referrals:unmet-over", args=[found.pk]) not in page
    with acting(story.alice), transaction.atomic():
        assert Event.objects.filter(code="referrals.unmet").count() == 2


def test_it_is_closed_by_hand_and_only_by_who_keeps_the_file(story: Story) -> None:
    with pytest.raises(Denied), acting(story.bob), transaction.atomic():
        actions.note_unmet(story.amina, "health", "full", by=story.bob)
    with acting(story.alice), transaction.atomic():
        actions.note_unmet(story.amina, "health", "full", by=story.alice)
    (found,) = rows(story)
    assert found.row_class == DataClass.HEALTH and rows(story, story.bob) == []
    over = reverse("referrals:unmet-over", args=[found.pk])
    assert signed_in(story.bob).post(over).status_code == 404 and rows(story)[0].over_at is None
    assert signed_in(story.alice).post(over).status_code == 302 and rows(story)[0].over_at is not None
    assert signed_in(story.alice).post(over).status_code == 404


def test_a_hidden_address_has_no_borough_in_any_figure(story: Story) -> None:
    lives(story, hidden=True, borough="", row_class=DataClass.HIDDEN_ADDRESS.value)
    with acting(story.alice), transaction.atomic():
        actions.note_unmet(story.amina, "housing", "full", by=story.alice)
    story.send()
    with acting(story.alice), transaction.atomic():
        assert rows(story)[0].borough == "" and Referral.objects.get().borough == ""
