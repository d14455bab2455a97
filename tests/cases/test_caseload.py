"""Who answers for a file: caseload, handing over, restricting, shutting out, closing."""

import datetime as dt
import re
from typing import Any

import pytest

from parvis.cases import glance, queries
from parvis.cases.actions import caseload
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.models import Household, Note, Person
from parvis.cases.vault import Vault
from parvis.kit.acting import acting
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, opened, partner, seen_by


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def dora(city: Any) -> Any:
    return open_account("dora", "agent")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def listed(viewer: Any, show: str) -> set[str]:
    with acting(viewer):
        return {each.reference for each in glance.caseload(viewer, show)}


def test_lists_by_who_answers(alice: Any, dora: Any) -> None:
    mine, hers = opened(alice), opened(dora)
    with acting(alice):
        caseload.assign(mine, lead=None, backup=None, next_contact_on=TODAY, version=1, by=alice)
    assert listed(alice, "mine") == set()
    assert listed(dora, "mine") == {hers.reference}
    assert listed(alice, "nobody") == {mine.reference} == listed(dora, "nobody")
    assert listed(alice, "team") == {mine.reference, hers.reference}
    assert listed(dora, "due") == {mine.reference}
    _, bob = partner("bob")
    assert listed(bob, "team") == set()
    assert mine.reference in text(signed_in(alice).get("/en/files/caseload/?show=nobody"))


def test_a_hand_over_takes_several_files_with_a_note(alice: Any, dora: Any) -> None:
    homes = [opened(alice), opened(alice)]
    desk = signed_in(alice)
    form = {"file": [str(home.pk) for home in homes], "to": str(dora.pk), "note": "Call on Monday", "stay": "on"}
    assert desk.get("/en/files/caseload/hand-over/").status_code == 302, "nothing chosen"
    assert desk.post("/en/files/caseload/hand-over/", form | {"to": ""}).status_code == 422
    assert desk.post("/en/files/caseload/hand-over/", form).status_code == 302
    with acting(dora):
        for home in Household.objects.all():
            assert (home.lead_worker, home.backup_worker) == (dora, alice)
        notes = list(Note.objects.all())
        assert {Vault([note.person_id]).open(note, "text") for note in notes} == {"Call on Monday"} and len(notes) == 2
    assert listed(dora, "mine") == {home.reference for home in homes}


def test_files_of_others_are_left_out_of_a_hand_over(alice: Any, dora: Any) -> None:
    secret = opened(alice, restricted=True)
    answer = signed_in(dora).get(f"/en/files/caseload/hand-over/?file={secret.pk}")
    assert answer.status_code == 302
    assert signed_in(alice).get(f"/en/files/caseload/hand-over/?file={secret.pk}").status_code == 200


def test_two_editors_of_the_workers(alice: Any, dora: Any) -> None:
    home = opened(alice)
    desk, url = signed_in(alice), f"/en/files/{home.pk}/workers/"
    assert desk.get(url).status_code == 200
    form = {"lead": str(dora.pk), "backup": "", "next_contact_on": "2026-12-01", "version": "1"}
    assert desk.post(url, form).status_code == 302
    late = desk.post(url, form | {"lead": str(alice.pk)})
    assert late.status_code == 409 and "Dora" in text(late)
    assert desk.post(url, form | {"backup": str(dora.pk), "version": "2"}).status_code == 422
    with acting(alice):
        assert Household.objects.get().lead_worker == dora
        with pytest.raises(Conflict):
            caseload.assign(home, lead=alice, backup=None, next_contact_on=None, version=1, by=alice)


def test_a_restricted_file_is_seen_by_name_alone(alice: Any, dora: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    eva = open_account("eva", "agent")
    desk, url = signed_in(alice), f"/en/files/{home.pk}/access/"
    with acting(dora), pytest.raises(Refused):
        caseload.restrict(home, True, version=1, by=dora)
    assert desk.post(url, {"do": "restrict", "version": "1"}).status_code == 302
    assert seen_by(dora) == [] and listed(dora, "team") == set()
    assert len(seen_by(alice)) == 2
    with acting(alice):
        assert len(queries.search(alice, "amina hassan")) >= 1
    with acting(dora):
        assert queries.search(dora, "amina hassan") == []
    assert desk.post(url, {"do": "name", "name-account": str(dora.pk)}).status_code == 302
    assert len(seen_by(dora)) == 2 and seen_by(eva) == []
    assert listed(dora, "team") == {home.reference}
    assert desk.post(url, {"do": "unname", "account": str(dora.pk)}).status_code == 302
    assert seen_by(dora) == []
    with acting(alice):
        version = Household.objects.get().version
    assert desk.post(url, {"do": "unrestrict", "version": str(version)}).status_code == 302
    assert len(seen_by(eva)) == 2


def test_an_account_is_shut_out_before_anything_else(alice: Any, dora: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    desk, url = signed_in(alice), f"/en/files/{home.pk}/access/"
    with acting(alice):
        amina = Person.objects.get(name=AMINA.name)
    form = {"do": "deny", "deny-person": str(amina.pk), "deny-email": dora.email}
    assert desk.post(url, form | {"deny-email": "nobody@example.org"}).status_code == 422
    assert desk.post(url, form | {"deny-email": alice.email}).status_code == 422, "nobody shuts themselves out"
    assert len(seen_by(dora)) == 2, "the control"
    assert desk.post(url, form).status_code == 302
    assert seen_by(dora) == [] and listed(dora, "team") == set()
    assert signed_in(dora).get(f"/en/files/{home.pk}/").status_code == 404
    denial = re.search(r'name="denial" value="([^"]+)"', text(desk.get(url)))
    assert denial
    assert desk.post(url, {"do": "undeny", "denial": denial[1]}).status_code == 302
    assert len(seen_by(dora)) == 2


def test_a_file_is_closed_and_opened_again(alice: Any) -> None:
    home = opened(alice)
    desk, url = signed_in(alice), f"/en/files/{home.pk}/close/"
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"version": "7"}).status_code == 409
    assert desk.post(url, {"version": "1"}).status_code == 302
    assert listed(alice, "mine") == set()
    with acting(alice):
        closed = Household.objects.get()
        assert closed.state == "closed" and closed.closed_on is not None
    assert desk.get(f"/en/files/{home.pk}/change/birth/").status_code == 200
    assert desk.post(url, {"version": str(closed.version)}).status_code == 302
    assert listed(alice, "mine") == {home.reference}


def test_the_next_contact_is_due_a_week_before(alice: Any) -> None:
    near, far = opened(alice), opened(alice)
    with acting(alice):
        soon = dt.date.today() + dt.timedelta(days=5)
        caseload.assign(near, lead=alice, backup=None, next_contact_on=soon, version=1, by=alice)
        later = dt.date.today() + dt.timedelta(days=50)
        caseload.assign(far, lead=alice, backup=None, next_contact_on=later, version=1, by=alice)
    assert listed(alice, "due") == {near.reference}
