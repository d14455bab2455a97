"""The protocol's editor: a draft with its faults, publishing, rolling back, what it would do, its file."""

from typing import Any

import pytest
from click.testing import CliRunner
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from parvis.accounts.rules import Denied
from parvis.cases.actions.moves import Conflict, Refused
from parvis.core import protocol as core
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.plans import editing, versions
from parvis.plans.models import Plan, ProtocolVersion, Step, VersionState
from parvis.plans.protocol_forms import _FAULTS, StepForm, worded
from parvis.site.commands.protocol import check, show
from tests.accounts.people import open_account, signed_in
from tests.cases.story import opened


@pytest.fixture
def carol(city: Any) -> Any:
    return open_account("carol", "coordinator")


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def url(name: str, *args: Any, language: str = "en") -> str:
    with translation.override(language):
        return reverse(f"plans:{name}", args=args)


def row(code: str, /, **more: Any) -> dict[str, Any]:
    return {**(editing.row_of(editing.shown().data, code) or {}), **more}


def posted(code: str, /, **more: Any) -> dict[str, Any]:
    """What the step's form sends when nothing is touched but `more`."""
    version = editing.shown()
    form = StepForm(whole=version.data, row=editing.row_of(version.data, code))
    values = {name: form[name].value() for name in form.fields}
    sent = {name: "" if value is None else value for name, value in values.items() if value is not False}
    return {**sent, **more}


def test_the_form_loses_nothing(city: Any) -> None:
    whole = editing.shown().data
    for each in whole["steps"]:
        form = StepForm(posted(each["code"]), whole=whole, row=each)
        assert form.is_valid(), (each["code"], form.errors)
        found = form.as_row()
        changed = {**whole, "steps": [found if one is each else one for one in whole["steps"]]}
        assert core.read(changed).by_code[each["code"]] == core.read(whole).by_code[each["code"]]


def test_every_fault_has_its_words() -> None:
    assert _FAULTS.keys() == core.FAULTS.keys()
    for code, names in core.FAULTS.items():
        assert worded(core.Fault("A1", "days", code, {name: ["x"] for name in names}))


def test_a_change_is_published_and_rolled_back(carol: Any) -> None:
    first = versions.current()
    draft = editing.save_step(row("G44", days=12), by=carol, code="G44")
    assert (draft.number, draft.state) == (first.number + 1, VersionState.DRAFT)
    assert versions.current().pk == first.pk  # nothing yet
    published = editing.publish(by=carol, note="school in twelve days", edits=draft.edits)
    assert versions.of(versions.current().pk).by_code["G44"].days == 12
    back = editing.roll_back(first.pk, by=carol)
    assert back.number == published.number + 1 and versions.of(versions.current().pk).by_code["G44"].days == 10
    with pytest.raises(IntegrityError), transaction.atomic():
        ProtocolVersion.objects.filter(pk=published.pk).update(data={})


def test_a_draft_with_a_fault_is_not_published(carol: Any) -> None:
    editing.save_step(row("G30", needs=["G31"]), by=carol, code="G30")
    with pytest.raises(Refused):
        editing.publish(by=carol, note="")
    draft = editing.draft()
    assert draft is not None and draft.state == VersionState.DRAFT
    assert {fault.code for fault in core.faults(draft.data)} == {"cycle", "impossible_date"}


def test_two_who_write_at_once(carol: Any) -> None:
    seen = editing.save_step(row("G44", days=12), by=carol, code="G44").edits
    editing.save_step(row("G45", days=31), by=carol, code="G45", edits=seen)
    with pytest.raises(Conflict):
        editing.drop_step("G51", by=carol, edits=seen)
    with pytest.raises(Refused):
        editing.save_step(row("G44", code="G45"), by=carol, code="G44")


def test_who_may_not(alice: Any) -> None:
    for deed in (
        lambda: editing.save_step(row("G44", days=1), by=alice, code="G44"),
        lambda: editing.drop_step("G44", by=alice),
        lambda: editing.discard(by=alice),
        lambda: editing.roll_back(versions.current().pk, by=alice),
        lambda: editing.ask_effect(by=alice),
        lambda: editing.publish(by=alice, note=""),
    ):
        with pytest.raises((Denied, Refused)):
            deed()
    assert editing.draft() is None


def test_what_it_would_do_is_told_and_taken_back(carol: Any, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # the installation sees files on the worker's connection alone: here an agent of the office stands for it
    monkeypatch.setattr(editing, "acting_as_system", lambda: acting(alice))
    with acting(alice):
        home = opened(alice)
        before = list(Step.objects.filter(household=home).order_by("pk").values_list("pk", "due_on", "version"))
        stands = Plan.objects.get(household=home).protocol_id
    draft = editing.drop_step("Q25", by=carol)
    editing.save_step(row("Q47", days=60), by=carol, code="Q47")
    found = editing.measure(str(draft.pk))
    assert found["households"] >= 1 and found["retired"] >= 1 and found["moved"] >= 1
    assert {one["step"] for one in found["examples"]} == {"Q25", "Q47"}
    effect = editing.effect()
    assert effect is not None and effect["state"] == "done"
    with acting(alice):
        assert before == list(Step.objects.filter(household=home).order_by("pk").values_list("pk", "due_on", "version"))
        assert Plan.objects.get(household=home).protocol_id == stands
    assert not ProtocolVersion.objects.filter(number=2_000_000_000).exists()


def test_a_citys_file_comes_in_and_goes_out(carol: Any) -> None:
    text = 'extends = "generic"\ncode = "geneva"\nedition = "1"\ntitle = {en = "Geneva", fr = "Genève"}\n'
    editing.take_file(text + '[calendar]\ncountry = "CH"\nsubdivision = "GE"\n', by=carol)
    draft = editing.draft()
    assert draft is not None and draft.data["code"] == "geneva"
    assert core.as_json(core.parse(core.to_toml(draft.data))) == draft.data
    for wrong in ("=", 'extends = "../x"', text + '[[steps]]\ncode = "G30"\ndrop = true\n'):
        with pytest.raises(Refused):
            editing.take_file(wrong, by=carol)


# ---- pages


def test_the_pages(carol: Any) -> None:
    client = signed_in(carol)
    page = client.get(url("protocol"), {"q": "metro"}).content.decode()
    assert "G24" in page and "G25" not in page and "Q30" not in page
    saved = client.post(url("protocol-step", "G24"), posted("G24", days="9"))
    assert saved.status_code == 302
    draft = editing.draft()
    assert draft is not None
    assert client.post(url("protocol-step", "G24"), posted("G24", days="x")).status_code == 422
    assert client.post(url("protocol-step", "G24"), posted("G24", edits="99")).status_code == 409
    bad = posted("G24", needs="G12 ZZ9", edits=str(editing.shown().edits))
    assert client.post(url("protocol-step", "G24"), bad).status_code == 302
    page = client.get(url("protocol")).content.decode()
    assert "It names a step that there is not: ZZ9" in page and 'value="publish"' not in page
    refused = client.post(url("protocol"), {"do": "publish", "note": "no"})
    assert refused.status_code == 422 and editing.draft() is not None
    assert client.post(url("protocol"), {"do": "discard"}).status_code == 302 and editing.draft() is None
    assert client.post(url("protocol-new"), posted("G24", code="C1")).status_code == 302
    assert client.post(url("protocol"), {"do": "publish", "note": ""}).status_code == 422  # words are asked for
    edits = str(editing.shown().edits)
    assert client.post(url("protocol"), {"do": "publish", "note": "C1", "edits": edits}).status_code == 302
    assert "C1" in versions.of(versions.current().pk).by_code
    first = ProtocolVersion.objects.order_by("number").first()
    assert client.post(url("protocol-history"), {"version": str(first.pk)}).status_code == 302
    assert client.post(url("protocol-history"), {"version": "no"}).status_code == 404
    assert "C1" not in versions.of(versions.current().pk).by_code
    file = client.get(url("protocol-file", first.number))
    assert core.as_json(core.parse(file.content.decode())) == first.data


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_pages_speak(carol: Any, language: str) -> None:
    client = signed_in(carol)
    page = client.get(url("protocol", language=language)).content.decode()
    assert "Les accueillir" in page if language == "fr" else 'dir="rtl"' in page
    assert client.get(url("protocol-step", "Q30", language=language)).status_code == 200
    assert client.get(url("protocol-history", language=language)).status_code == 200


def test_an_agent_reads_and_changes_nothing(alice: Any) -> None:
    client = signed_in(alice)
    assert 'value="effect"' not in client.get(url("protocol")).content.decode()
    assert client.get(url("protocol-step", "G24")).status_code == 200
    assert client.post(url("protocol-step", "G24"), posted("G24", days="9")).status_code == 403
    assert client.post(url("protocol"), {"do": "discard"}).status_code == 403
    assert editing.draft() is None


# ---- the command


def test_the_command(tmp_path: Any) -> None:
    run = CliRunner()
    whole = run.invoke(show, ["quebec"]).output
    path = tmp_path / "own.toml"
    path.write_text(whole, "utf-8")
    found = run.invoke(check, [str(path)])
    assert found.exit_code == 0 and "85 steps, 8 legal deadlines" in found.output
    path.write_text(whole.replace('needs = ["G12"]', 'needs = ["G63"]', 1), "utf-8")
    found = run.invoke(check, [str(path)])
    assert found.exit_code == 1 and "impossible_date (need=G63" in found.output
    path.write_text("= ?", "utf-8")
    assert run.invoke(check, [str(path)]).exit_code == 1


def test_nobody_offers_a_version_whose_effect_nobody_has_seen(carol: Any) -> None:
    client = signed_in(carol)
    assert client.post(url("protocol"), {"do": "offer"}).status_code == 422
    version = editing.shown()
    client.post(url("protocol"), {"do": "effect", "most": "3"})
    seen = editing.effect()
    assert seen is not None and (seen["state"], seen["most"]) == ("waiting", 3)
    assert client.post(url("protocol"), {"do": "offer"}).status_code == 422  # asked for, and not there yet
    cache.set(editing._place(), seen | {"state": "done", "edits": version.edits, "households": 3}, 60)
    assert "Put these 3 plans on this version" in client.get(url("protocol")).content.decode()
    assert client.post(url("protocol"), {"do": "offer"}).status_code == 302
    found = Event.objects.get(code="plans.version.taken")
    assert found.after["most"] == 3
