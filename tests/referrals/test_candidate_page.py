"""Services for a person's need, as the agent reads them."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from parvis.cases.models.profile import Domain
from parvis.core import eligibility
from parvis.demo.loader import load
from parvis.directory.models import TaxonomyTerm
from parvis.places.models import Borough
from parvis.referrals import candidates, needs, reasons
from tests.accounts.people import open_account, signed_in
from tests.appointments.story import people
from tests.cases.story import AMINA, YOUSSEF, opened, partner


@pytest.fixture
def alice(city: Any) -> Any:
    load("montreal", services=200, on=dt.date(2026, 11, 20))
    return open_account("alice", "agent")


def test_a_page_with_reasons_and_only_for_who_keeps_the_file(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    url = reverse("referrals:candidates", args=[people(home, alice)[0].pk])
    page = signed_in(alice).get(url, {"domain": "housing", "times": "evening"})
    lines = page.context["lines"]
    assert page.status_code == 200 and lines and all(line["conditions"] or line["points"] for line in lines)
    assert escape(lines[0]["name"].text) in page.content.decode()
    for strange in ("?domain=x&times=y&page=z", "?page=99999999", "?page=0"):
        assert signed_in(alice).get(url + strange).status_code == 200
    _organization, worker = partner("Maison")
    assert signed_in(worker).get(url).status_code == 404
    assert signed_in(alice).post(url).status_code == 405


def test_a_domain_has_its_terms_and_every_code_its_words(alice: Any) -> None:
    known = set(TaxonomyTerm.objects.values_list("code", flat=True))
    assert set(needs.TERMS) == set(Domain.values)
    assert {code for codes in needs.TERMS.values() for code in codes} <= known
    assert set(reasons.POINTS) == set(candidates.POINTS)
    for low, high, wording in ((18, None, "18"), (None, 30, "30"), (5, 12, "5–12")):
        (reason,) = eligibility.judge(eligibility.Conditions(low, high), eligibility.Facts()).reasons
        assert wording in reasons.worded(reason)


def test_an_address_says_its_borough_by_name(alice: Any) -> None:
    """As forms and lists write it; where it is unknown, nobody is refused for it."""
    area = Borough.objects.order_by("code").first()
    assert area is not None and area.name != area.code
    assert needs._borough(area.name) == needs._borough(area.name.upper()) == needs._borough(area.code) == area.code
    assert needs._borough("") == needs._borough("Quartier des Écluses") == ""
