"""Small things that people meet: prices as they are written, whom to call, one account of an import's files."""

from typing import Any

import pytest
from django.utils import timezone

from parvis.directory import facts, models
from tests.directory.paper import form
from tests.directory.story import Story, tell


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


@pytest.mark.parametrize(("language", "shown"), [("fr", "1234,50"), ("en", "1234.50"), ("es", "1234,50")])
def test_a_price_is_shown_and_taken_as_it_is_written(story: Story, language: str, shown: str) -> None:
    models.CostOption.objects.create(service=story.course, amount="1234.50", currency="CAD")
    models.CostOption.objects.create(service=story.course, amount="0", currency="CAD", option="Enfants")
    client = story.client(story.alice)
    url = f"/{language}/desk/service/{story.course.pk}/edit/"
    data = form(client.get(url))
    prices = {data["cost_options-0-amount"], data["cost_options-1-amount"]}
    assert prices == {shown, shown.replace("1234", "0").replace("50", "00")}
    number = next(n for n in (0, 1) if data[f"cost_options-{n}-amount"] == shown)
    changed = data | {f"cost_options-{number}-amount": shown.replace("50", "75"), "act": "save"}
    assert client.post(url, changed).status_code == 302
    assert {row["amount"] for row in facts.read(story.course)["cost_options"]} == {"1234.75", "0.00"}


def test_nobody_is_told_to_call_where_there_is_no_number(story: Story) -> None:
    client = story.client(None)
    url = f"/en/services/{story.course.pk}/"
    assert "call before you go" in client.get(url).content.decode()
    edit = f"/en/desk/service/{story.course.pk}/edit/"
    charlie = story.client(story.charlie)
    data = form(charlie.get(edit)) | {"phones-0-remove": "on", "status": "temporarily closed", "act": "save"}
    assert charlie.post(edit, data).status_code == 302
    page = client.get(url).content.decode()
    assert "call before you go" not in page.lower()
    assert "Never confirmed yet: ask before you go." in page and "Ask before you go." in page


def test_pages_of_a_city_without_telephone_name_none(story: Story, city: Any) -> None:
    for path in ("about/", "privacy/", "accessibility/", "?q=introuvable"):
        page = story.client(None).get(f"/en/{path}").content.decode()
        assert "tel:" not in page and "mailto:" not in page, path
    type(city).objects.filter(pk=city.pk).update(office_phone="514 555-0100", office_email="accueil@example.org")
    from parvis.cities.middleware import hosts

    hosts.forget()
    try:
        for path in ("about/", "privacy/", "accessibility/", "?q=introuvable"):
            page = story.client(None).get(f"/en/{path}").content.decode()
            assert page.count("tel:") >= 2 and "mailto:accueil@example.org" in page, path
    finally:
        hosts.forget()


def test_a_desk_report_tells_all_that_the_written_one_tells(story: Story) -> None:
    report = {
        "source": "réseau", "totals": dict.fromkeys(("read", "written", "merged", "repaired", "refused", "added"), 3),
        "files": [{"file": "a.csv", "read": 3, "written": 3, "merged": 0, "refused": 0, "repaired": 3, "added": 3}],
        "ignored_files": [{"file": "b.csv", "why": "not a table of HSDS"}],
        "columns_without_place": [{"file": "a.csv", "column": "mood", "values": 7, "examples": []}],
        "columns_as_terms": [{"file": "a.csv", "column": "keywords", "values": 5}],
        "language": "es", "language_from": "file", "findings_total": 1,
        "findings": [{"file": "a.csv", "line": 2, "field": "name", "problem": "markup", "sentence": "x",
                      "was": "<b>Été", "done": "repaired", "row": "1,<b>Été"}],
    }  # fmt: skip
    now = timezone.now()
    run = models.ImportRun.objects.create(source="réseau", path="x", started_at=now, ended_at=now, report=report)
    page = " ".join(story.client(story.charlie).get(f"/en/desk/imports/{run.pk}/").content.decode().split())
    for said in ("not a table of HSDS", "mood", "7 values not kept", "keywords", "5 values", "Spanish", "&lt;b&gt;Été"):
        assert said in page, said
    old = {key: report[key] for key in ("source", "totals", "files", "findings")}
    models.ImportRun.objects.filter(pk=run.pk).update(report=old)  # written before there were languages and terms
    assert story.client(story.charlie).get(f"/en/desk/imports/{run.pk}/").status_code == 200


def test_the_desk_leads_to_members_and_accounts_whoever_may_see_them(story: Story) -> None:
    charlie, alice, bob = (story.client(user).get("/en/desk/").content.decode() for user in
                           (story.charlie, story.alice, story.bob))  # fmt: skip
    assert 'href="/en/members/"' in charlie and 'href="/en/people/"' not in charlie
    assert 'href="/en/members/"' in alice and 'href="/en/members/"' not in bob
    type(story.charlie).objects.filter(pk=story.charlie.pk).update(office_role="administrator")
    assert 'href="/en/people/"' in story.client(story.charlie).get("/en/desk/").content.decode()
