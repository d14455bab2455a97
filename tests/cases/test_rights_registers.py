"""Emergency access, incidents, requests, corrections, what leaves: judged by rules and by the database."""

import datetime as dt
import io
import json
import uuid
import zipfile
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import ProgrammingError, transaction
from django.utils import timezone

from parvis.accounts.actions import Refused
from parvis.accounts.rules import Denied
from parvis.cases import exporting, queries, registers
from parvis.cases.actions import rights
from parvis.cases.actions.moves import Conflict
from parvis.cases.models import (
    BreakGlass,
    ContactPoint,
    DataRequest,
    Disclosure,
    DisclosureApproval,
    ExportLink,
    IdentityCheck,
    Incident,
    Note,
    Person,
)
from parvis.cases.models.rights import DAYS_TO_ANSWER, RequestKind
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.core.cells import safe_cell
from parvis.kit.acting import acting, acting_as_nobody
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.cases.story import AMINA, agree, opened, partner, seen_by, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def paul(city: Any) -> Any:
    return open_account("paul", "privacy", language="en")


def amina(by: Any) -> Person:
    with acting(by):
        return Person.objects.get(name=AMINA.name)


def sent() -> list[str]:
    return [f"To: {', '.join(one.to)}\n{one.subject}\n{one.body}" for one in mail.outbox]


# -- emergency access --------------------------------------------------------------------------------------------------


def restricted(by: Any) -> Any:
    return opened(by, restricted=True)


def test_the_glass_opens_one_file_for_four_hours_and_the_officer_is_told(alice: Any, paul: Any) -> None:
    home = restricted(alice)
    dora = open_account("dora", "agent")
    assert seen_by(dora) == [], "the control: a restricted file is not hers"
    with acting(dora):
        glass = rights.break_glass(home.reference.lower(), "Hospital on the telephone", by=dora)
        assert registers.open_glass(dora) == glass
        assert glass.until - glass.at == dt.timedelta(hours=4)
        person = Person.objects.get()
        assert Vault([person.pk]).open(person, "birth_date") == "1990-03-01"
        assert Person.objects.update(name="x") == 0, "read only"
        with pytest.raises(Refused):
            rights.break_glass(home.reference, "again", by=dora)
    message = sent()[-1]
    assert "To: paul@example.org" in message and "Amina" not in message and home.reference not in message
    assert AMINA.name not in message and "restricted" not in message
    with acting(paul):
        assert [found.pk for found in registers.glasses(paul)] == [glass.pk]
        assert Person.objects.count() == 0, "who reviews sees no file"
    with acting(dora):
        rights.end_glass(glass, by=dora)
        assert registers.open_glass(dora) is None
        assert not queries.granted(dora).exists(), "the database's own clock stands still in a test: see the next one"
    with acting(alice):
        codes = list(Event.objects.filter(object_id=person.pk).values_list("code", flat=True))
        assert "cases.glass.opened" in codes and "cases.glass.ended" in codes
        assert not any("Hospital" in json.dumps(event.after) for event in Event.objects.exclude(after=None))


def test_the_glass_closes_by_itself(alice: Any, paul: Any) -> None:
    home = restricted(alice)
    dora = open_account("dora", "agent")
    with acting(dora):
        glass = rights.break_glass(home.reference, "Hospital", by=dora)
        now = timezone.now()
        BreakGlass.objects.filter(pk=glass.pk).update(at=now - dt.timedelta(hours=5), until=now - dt.timedelta(hours=1))
        assert registers.open_glass(dora) is None
    assert seen_by(dora) == []


def test_no_glass_for_others_for_nothing_or_against_a_denial(alice: Any, paul: Any) -> None:
    home = restricted(alice)
    _, bob = partner("bob")
    for nobody in (bob, paul, open_account("carl", "coordinator")):
        with acting(nobody), pytest.raises(Denied):
            rights.break_glass(home.reference, "curious", by=nobody)
    dora = open_account("dora", "agent")
    with acting(dora):
        for reference, reason in (("ZZZZZZ", "why"), (home.reference, "  ")):
            with pytest.raises(Refused):
                rights.break_glass(reference, reason, by=dora)
        with pytest.raises(ProgrammingError, match="row-level"), transaction.atomic():  # another's name, and too long
            now = timezone.now()
            BreakGlass.objects.create(
                person_id=amina(alice).pk, user=dora, reason="x", at=now, until=now + dt.timedelta(hours=9)
            )
    from parvis.cases.models import Denial

    with acting(alice):
        Denial.objects.create(person=amina(alice), user=dora, denied_by=alice)
    with acting(dora), pytest.raises(Refused):
        rights.break_glass(home.reference, "my cousin", by=dora)


def test_a_review_has_two_working_days_and_another_judge(alice: Any, paul: Any) -> None:
    friday = dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC)
    assert registers.review_due(friday) == dt.date(2026, 11, 24)
    assert registers.review_due(friday + dt.timedelta(days=4)) == dt.date(2026, 11, 26)
    before_christmas = dt.datetime(2026, 12, 24, 15, 0, tzinfo=dt.UTC)  # Friday is a holiday
    assert registers.review_due(before_christmas) == dt.date(2026, 12, 29)
    home = restricted(alice)
    dora = open_account("dora", "agent")
    with acting(dora):
        glass = rights.break_glass(home.reference, "Hospital", by=dora)
        with pytest.raises(Denied):
            rights.review_glass(glass, justified=True, words="fine", by=dora)
    assert not registers.is_overdue(glass)
    with time_machine.travel(timezone.now() + dt.timedelta(days=6), tick=False):
        assert registers.is_overdue(glass)
    with acting(paul):
        rights.review_glass(glass, justified=False, words="The lead was there", by=paul)
        with pytest.raises(Refused):
            rights.review_glass(glass, justified=True, words="", by=paul)
        reviewed = registers.glass(paul, glass.pk)
    assert reviewed.justified is False and reviewed.review == "The lead was there"
    with time_machine.travel(timezone.now() + dt.timedelta(days=6), tick=False):
        assert not registers.is_overdue(reviewed)


# -- incidents ---------------------------------------------------------------------------------------------------------

LOST: dict[str, Any] = {"what": "A telephone was lost on a bus", "found_on": dt.date(2026, 11, 20),
                        "classes": DataClass.CONTACT.value}  # fmt: skip


def test_anybody_of_the_office_reports_and_the_officer_keeps_the_register(alice: Any, paul: Any) -> None:
    with acting(alice):
        incident = rights.report_incident(LOST, by=alice)
        assert list(registers.incidents(alice)) == [incident]
        assert Incident.objects.update(what="nothing") == 0
        with pytest.raises(Denied):
            rights.edit_incident(incident, {"what": "nothing"}, version=1, by=alice)
    assert "telephone" not in sent()[-1] and "paul@example.org" in sent()[-1]
    carl = open_account("carl", "coordinator")
    with acting(carl):
        assert not registers.incidents(carl) and not Incident.objects.exists()
    with acting(paul):
        told = {"serious": True, "authority_told_on": dt.date(2026, 11, 21), "persons_count": 12}
        rights.edit_incident(incident, told, version=1, by=paul)
        with pytest.raises(Conflict):
            rights.edit_incident(incident, {"what": "other"}, version=1, by=paul)
        events = registers.incident_history(paul, incident)
    assert [event.code for event in events] == ["cases.incident.edited", "cases.incident.reported"]
    assert events[0].after["persons_count"] == 12 and "telephone" not in json.dumps(events[1].after)
    _, bob = partner("bob")
    with acting(bob), pytest.raises(Denied):
        rights.report_incident(LOST, by=bob)


# -- requests ----------------------------------------------------------------------------------------------------------


def asked(by: Any, person: Person | None, kind: str = "portability", on: dt.date | None = None) -> DataRequest:
    with acting(by):
        return rights.receive(
            kind, received_on=on or timezone.localdate(), channel="in_person", person=person.pk if person else None,
            by=by,
        )  # fmt: skip


def test_each_request_has_its_clock(alice: Any) -> None:
    opened(alice)
    day = dt.date(2026, 11, 23)
    due = {kind: asked(alice, amina(alice), kind, day).due_on for kind in RequestKind.values}
    assert due["access"] == due["portability"] == due["rectification"] == dt.date(2026, 12, 13)
    assert due["erasure"] == dt.date(2026, 12, 23)
    assert set(DAYS_TO_ANSWER) == set(RequestKind)


def test_the_handler_sees_the_file_only_after_somebody_else_knew_the_person(alice: Any, paul: Any) -> None:
    opened(alice)
    person = amina(alice)
    request = asked(paul, person)
    assert seen_by(paul) == []
    with acting(paul):
        with pytest.raises(Denied):
            rights.check_identity(request, "I know them", by=paul)
        with pytest.raises(ProgrammingError, match="row-level"), transaction.atomic():  # nor past the code
            IdentityCheck.objects.create(person=person, request=request, how="I say so", checked_by=paul)
        with pytest.raises(Refused):
            rights.answer(request, "answered", "sent", by=paul)
    with acting(alice):
        rights.check_identity(request, "passport", by=alice)
    assert seen_by(paul) == [AMINA.name]
    other = open_account("piotr", "privacy")
    assert seen_by(other) == [], "the handler's alone"
    with acting(paul):
        assert Person.objects.update(name="x") == 0
        rights.answer(request, "answered", "Handed over", by=paul)
        with pytest.raises(Refused):
            rights.answer(request, "refused", "again", by=paul)
    assert seen_by(paul) == []


def test_requests_of_strangers_are_the_officers(alice: Any, paul: Any) -> None:
    with acting(paul):
        stranger = rights.receive(
            "access", received_on=timezone.localdate(), channel="letter", asked_by="Somebody", by=paul
        )
        rights.answer(stranger, "answered", "We keep nothing about you", by=paul)
    with acting(alice):
        assert not registers.requests(alice, closed=True)
        with pytest.raises(Denied):
            rights.receive("access", received_on=timezone.localdate(), channel="letter", by=alice)
    opened(alice)
    _, bob = partner("bob")
    with acting(bob), pytest.raises(Denied):
        rights.receive("access", received_on=timezone.localdate(), channel="letter", person=amina(alice).pk, by=bob)


def test_reminders_come_at_ten_and_three_days_and_daily_when_late(alice: Any, paul: Any) -> None:
    opened(alice)
    day = dt.date(2026, 11, 1)
    request = asked(alice, amina(alice), "access", day)
    told = []
    for after in range(24):
        noon = dt.datetime(2026, 11, 1, 17, tzinfo=dt.UTC) + dt.timedelta(days=after)
        with acting(paul), time_machine.travel(noon, tick=False):
            for _ in range(2):  # twice a day changes nothing
                if rights.remind(noon):
                    told.append(after)
    assert told == [10, 17, 21, 22, 23]
    assert len(sent()) == 5 and "1 request is late" in sent()[-1]
    with acting(paul), time_machine.travel(dt.datetime(2026, 11, 5, tzinfo=dt.UTC), tick=False):
        rights.extend(request, by=paul)
        with pytest.raises(Refused):
            rights.extend(request, by=paul)
    with acting(paul):
        assert DataRequest.objects.get().due_on == dt.date(2026, 12, 1)
        rights.take(request, by=paul)


# -- corrections -------------------------------------------------------------------------------------------------------


def test_a_correction_is_accepted_and_written_or_refused_with_a_statement(alice: Any, paul: Any) -> None:
    opened(alice)
    person = amina(alice)
    request = asked(alice, person, "rectification")
    with acting(alice):
        row = rights.propose_correction(request, "birth_date", "1991-04-02", by=alice)
        assert Vault([person.pk]).open(row, "old") == "1990-03-01"
        assert b"1991" not in bytes(row.wanted)
        with pytest.raises(Refused):
            rights.done(row, by=alice)
        rights.apply(rights.decide(row, accepted=True, reason="", by=alice), by=alice)
        now = Person.objects.get(pk=person.pk)
        assert Vault([person.pk]).open(now, "birth_date") == "1991-04-02" and now.birth_year == 1991
        second = rights.propose_correction(
            asked(alice, person, "rectification"), "other", "I never said that", by=alice
        )
        with pytest.raises(ValueError, match="why"):
            rights.decide(second, accepted=False, reason="", by=alice)
        with pytest.raises(Refused):
            rights.disagree(second, "too early", by=alice)
        second = rights.decide(second, accepted=False, reason="Said before a witness", by=alice)
        rights.disagree(second, "It is not true", by=alice)
        assert Vault([person.pk]).open(second, "disagreement") == "It is not true"
        third = rights.propose_correction(asked(alice, person, "rectification"), "birth_date", "spring", by=alice)
        with pytest.raises(Refused):
            rights.apply(rights.decide(third, accepted=True, reason="", by=alice), by=alice)
    _, bob = partner("bob")
    with acting(bob), pytest.raises(Denied):
        rights.decide(second, accepted=True, reason="", by=bob)
    with acting(paul):
        assert registers.rectification(paul, request) == row


# -- the export --------------------------------------------------------------------------------------------------------


def furnished(by: Any) -> Person:
    """Amina, with a telephone that begins like a formula, a shared note and a confidential one."""
    opened(by)
    person = amina(by)
    with acting(by):
        vault = Vault([person.pk])
        point = ContactPoint(person=person, system="other", value_index=1, safe_times="=1+1")
        vault.put(point, value="+15145550142").save(force_insert=True)
        for kind, row_class in (("general", DataClass.NOTES), ("confidential", DataClass.CONFIDENTIAL)):
            note = Note(person=person, kind=kind, row_class=row_class.value, author=by)
            vault.put(note, text=f"SECRET-{kind}").save(force_insert=True)
    return person


def test_the_export_holds_what_the_person_may_have_and_nothing_else(alice: Any) -> None:
    person = furnished(alice)
    with acting(alice):
        data = json.loads(rights.export(person, "json", by=alice).content)
        page = rights.export(person, "html", by=alice).content.decode()
        archive = zipfile.ZipFile(io.BytesIO(rights.export(person, "csv", by=alice).content))
        whole = zipfile.ZipFile(io.BytesIO(rights.export(person, "zip", by=alice).content))
    assert data["tables"]["person"][0]["birth_date"] == "1990-03-01"
    assert data["tables"]["contactpoint"][0]["value"] == "+15145550142"
    assert AMINA.name in page and 'dir="rtl"' in page and 'lang="ar"' in page
    cells = archive.read("contactpoint.csv").decode("utf-8-sig")
    assert "'=1+1" in cells and ",+15145550142," in cells
    assert {"data.json", "data.html", "tables/person.csv"} <= set(whole.namelist())
    everything = json.dumps(data) + page + "".join(whole.read(name).decode() for name in whole.namelist())
    assert "SECRET-" not in everything
    with acting(alice):
        rows = exporting.tables(alice, person, DataClass.NOTES)
    assert rows["note"][0]["text"] == "SECRET-general", "the control: the note is there to be found"
    with acting(alice):
        assert Event.objects.filter(code="cases.person.exported", object_id=person.pk).count() == 4
        assert Disclosure.objects.filter(basis="export").count() == 4


def test_who_does_not_see_everything_makes_no_partial_export(alice: Any, paul: Any) -> None:
    person = furnished(alice)
    dora = open_account("dora", "agent")  # an agent, but not the lead: no hidden address
    house, bob = partner("bob")
    agree(house)
    share(person, house, by=alice, classes=1)
    for somebody in (dora, bob, paul):
        with acting(somebody), pytest.raises(Refused):
            rights.export(person, "json", by=somebody)
    request = asked(paul, person)
    with acting(alice):
        rights.check_identity(request, "passport", by=alice)
    with acting(paul):
        assert rights.export(person, "json", by=paul, request=request).content


def test_the_newcomer_takes_their_own(alice: Any) -> None:
    person = furnished(alice)
    own = open_account("amina")
    with acting(alice):
        Person.objects.filter(pk=person.pk).update(user=own)
    with acting(own):
        person = Person.objects.get()
        assert json.loads(rights.export(person, "json", by=own).content)["tables"]["person"][0]["name"] == AMINA.name
        request = rights.receive("access", received_on=timezone.localdate(), channel="letter", person=person.pk, by=own)
        assert request.channel == "account" and request.identity_check.how == "account"
        assert [line.kind for line in registers.communications(own)]


def test_a_link_works_once_and_only_with_its_key(alice: Any) -> None:
    person = furnished(alice)
    with acting(alice):
        key = rights.make_link(person, by=alice)
        kept = ExportLink.objects.get()
        assert key not in kept.key_hash and bytes(kept.parcel)[:2] != b"PK" and b"data.json" not in bytes(kept.parcel)
    with acting_as_nobody():
        assert rights.link_waits(key) and not rights.link_waits("x")
        assert rights.take_link("x") is None
        taken = rights.take_link(key)
        assert taken is not None and "data.json" in zipfile.ZipFile(io.BytesIO(taken.content)).namelist()
        assert rights.take_link(key) is None and not rights.link_waits(key)
    with acting(alice):
        assert ExportLink.objects.get().parcel is None
        late = rights.make_link(person, by=alice)
        ExportLink.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    with acting_as_nobody():
        assert rights.take_link(late) is None


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-2+3", "@A1", "\tx", "\rx", "\0x", "|x", " =1", "\u200b=1", "＝1", "\ufeff@x", "\n=1"]
)
def test_a_cell_that_could_be_a_formula_is_only_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["12", "-3.5", "+4,2", "+15145550142", "a=1", "", "آمنة", "2026-11-23"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


# -- communications ----------------------------------------------------------------------------------------------------


def test_data_for_an_authority_needs_two_people(alice: Any, paul: Any) -> None:
    person = furnished(alice)
    with acting(alice):
        row = rights.ask_disclosure(
            person, recipient="Court", classes=5, purpose="order", legal_basis="A-2.1 s. 59", by=alice
        )
        with pytest.raises(Refused):
            rights.hand_over(row, "json", by=alice)
        with pytest.raises(Denied):
            rights.decide_disclosure(row, approved=True, words="", by=alice)
        with pytest.raises(ProgrammingError, match="row-level"), transaction.atomic():
            DisclosureApproval.objects.create(person=person, disclosure=row, approved=True, by=alice, at=timezone.now())
        assert registers.communications(alice, person.pk)[0].state == "waiting"
    with acting(paul):
        own = rights.ask_disclosure(person, recipient="Court", classes=1, purpose="x", legal_basis="y", by=paul)
        with pytest.raises(Refused):
            rights.decide_disclosure(own, approved=True, words="", by=paul)
        with pytest.raises(ProgrammingError, match="row-level"), transaction.atomic():
            DisclosureApproval.objects.create(person=person, disclosure=own, approved=True, by=paul, at=timezone.now())
        assert [found.pk for found in registers.waiting_disclosures(paul)] == [row.pk, own.pk]
        rights.decide_disclosure(row, approved=True, words="", by=paul)
    with acting(alice):
        row = registers.disclosure(alice, row.pk)
        data = json.loads(rights.hand_over(row, "json", by=alice).content)
    assert data["classes"] == ["identity", "contact"] and set(data["tables"]) <= {
        "person", "contactpoint", "spokenlanguage", "personname", "address", "consent", "consentrecipient",
    }  # fmt: skip


def test_the_register_says_all_and_each_reader_sees_theirs(alice: Any, paul: Any) -> None:
    person = furnished(alice)
    house, bob = partner("bob")
    agree(house)
    share(person, house, by=alice, classes=5)
    with acting(alice):
        rights.export(person, "json", by=alice)
        assert {line.to for line in registers.communications(alice, person.pk)} >= {"Maison bob"}
    with acting(paul):
        lines = registers.communications(paul)
        assert {line.to for line in lines} >= {"Maison bob"} and len(lines) == 2
        assert not registers.communications(paul, uuid.uuid4())
        assert registers.counts(paul)["requests"] == 0
    with acting(bob):
        assert not registers.communications(bob)


def test_nothing_of_this_is_mailed_with_a_name(alice: Any, paul: Any) -> None:
    person = furnished(alice)
    with acting(alice):
        rights.ask_disclosure(person, recipient="Court", classes=5, purpose="order", legal_basis="law", by=alice)
    assert sent() and not any(word in message for message in sent() for word in (AMINA.name, "Amina", "Court"))
