"""A person's page: each section is filled, corrected, ended; two editors meet; attachments wait for their scan."""

import datetime as dt
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from parvis.cases import queries
from parvis.cases.actions import profile
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.models import (
    Address,
    Attachment,
    Background,
    ContactPoint,
    Finding,
    ImmigrationStatus,
    Note,
    PaperSeen,
    Person,
    PersonName,
    SpokenLanguage,
)
from parvis.cases.showing import sections
from parvis.cases.vault import Vault
from parvis.core.access import EVERYTHING, DataClass
from parvis.kit import uploads
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.places.models import Borough
from tests.accounts.people import open_account, signed_in
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner, share


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def amina(alice: Any) -> Person:
    opened(alice, AMINA, YOUSSEF)
    with acting(alice):
        return Person.objects.get(name=AMINA.name)


def page(desk: Any, person: Person, path: str = "", status: int = 200) -> str:
    answer = desk.get(f"/en/files/people/{person.pk}/{path}")
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def send(desk: Any, person: Person, path: str, **data: Any) -> Any:
    """Send a form; `confirm`: yes to what follows from it (a new status changes the plan)."""
    return desk.post(f"/en/files/people/{person.pk}/{path}", {"confirm": "1"} | data)


FORMS = {
    "status": {"stream": "claimant", "since": "2026-10-01", "expires_on": "2026-12-15"},
    "address": {"kind": "home", "text": "12, rue des Trois-Ormes", "since": "2026-10-01"},
    "contact": {"system": "phone", "value": "514 555-0142", "safe_to_call": "on", "safe_times": "mornings"},
    "language": {"language": "ti", "level": "b1", "dialect": "Asmara", "reads": "on"},
    "name": {"use": "old", "text": "أمينة القديمة"},
    "background": {"kind": "diploma", "title": "Pharmacist", "country": "SY", "recognition": "asked"},
    "need": {"domain": "housing", "kind": "need", "level": "urgent", "text": "A roof"},
    "paper": {"kind": "passport", "seen_on": "2026-11-01", "expires_on": "2026-11-10"},
}
SHOWN = {
    "status": ["Asylum claimant", "expires soon"], "address": ["12, rue des Trois-Ormes"],
    "contact": ["+15145550142", "only: mornings"], "language": ["Asmara", "B1"],
    "name": ["أمينة القديمة", "Former name"],
    "background": ["Pharmacist", "Syria", "Recognition asked for"], "need": ["A roof", "Need · Urgent"],
    "paper": ["Passport", "expired"],
}  # fmt: skip


@pytest.mark.parametrize("slug", FORMS)
def test_each_section_takes_a_row_and_shows_it(alice: Any, amina: Person, slug: str) -> None:
    desk = signed_in(alice)
    assert "Save" in page(desk, amina, f"part/{slug}/new/")
    wrong = dict.fromkeys(FORMS[slug], "")
    assert send(desk, amina, f"part/{slug}/new/", **wrong).status_code == 422
    before = page(desk, amina)
    assert send(desk, amina, f"part/{slug}/new/", **FORMS[slug]).status_code == 302
    after = page(desk, amina)
    for word in SHOWN[slug]:
        assert word in after, word
    assert SHOWN[slug][0] not in before
    row = re.search(rf"part/{slug}/([0-9a-f-]{{36}})/", after.split(SHOWN[slug][0])[1])
    assert row
    assert "Save" in page(desk, amina, f"part/{slug}/{row[1]}/")
    with acting(alice):
        event = Event.objects.filter(object_id=amina.pk).order_by("-id").first()
        assert event and event.code.endswith(".added")
        told = str(event.after)
        for value in ("claimant", "Ormes", "5550142", "Pharmacist", "A roof", "passport"):
            assert value not in told, "names of fields, never values"


def test_sealed_columns_hold_no_readable_text(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    for slug in ("status", "address", "contact", "need", "paper"):
        assert send(desk, amina, f"part/{slug}/new/", **FORMS[slug]).status_code == 302
    with acting(alice):
        sealed = {
            ImmigrationStatus: "stream", Address: "text", ContactPoint: "value", Finding: "text", PaperSeen: "kind",
        }  # fmt: skip
        for model, column in sealed.items():
            row = model.objects.get(person=amina)
            plain = Vault([amina.pk]).open(row, column).encode()
            assert plain and plain not in bytes(getattr(row, column))
        assert [f.person for f in queries.search(alice, "514-555-0142")] == [amina], "found by the blind index"
        assert queries.search(alice, "514-555-0143") == []


def test_a_new_status_ends_the_one_before(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    send(desk, amina, "part/status/new/", stream="claimant", since="2026-01-10")
    send(desk, amina, "part/status/new/", stream="recognised", since="2026-09-01")
    with acting(alice):
        rows = {Vault([amina.pk]).open(row, "stream"): row.until for row in ImmigrationStatus.objects.all()}
        assert rows == {"claimant": dt.date(2026, 9, 1), "recognised": None}
    early = send(desk, amina, "part/status/new/", stream="temporary", since="2020-01-01")
    assert early.status_code == 422


def test_the_boroughs_of_the_city_are_a_choice(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    free = FORMS["address"] | {"borough": "Somewhere"}
    assert send(desk, amina, "part/address/new/", **free).status_code == 302, "the control: no boroughs are known"
    Borough.objects.create(code="verdun", name="Verdun", geometry={}, latitude=45.4, longitude=-73.5)
    assert send(desk, amina, "part/address/new/", **free | {"since": "2026-11-02"}).status_code == 422
    known = free | {"borough": "Verdun", "since": "2026-11-02"}
    assert send(desk, amina, "part/address/new/", **known).status_code == 302


def test_an_address_for_the_whole_household_and_one_that_must_not_be_found(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    send(desk, amina, "part/address/new/", **FORMS["address"], whole="on")
    with acting(alice):
        assert Address.objects.filter(until=None).count() == 2
    hidden = FORMS["address"] | {"hidden": "on", "borough": "Verdun", "since": "2026-11-01", "text": "Secret 7"}
    send(desk, amina, "part/address/new/", **hidden)
    with acting(alice):
        now = Address.objects.get(person=amina, until=None)
        assert now.row_class == DataClass.HIDDEN_ADDRESS and now.borough == ""
    assert "hidden address" in page(desk, amina)
    dora = signed_in(open_account("dora", "agent"))
    assert "Secret 7" not in page(dora, amina) and "hidden address" not in page(dora, amina)
    answer = send(dora, amina, "part/address/new/", **FORMS["address"])
    assert answer.status_code == 422 and "protected address" in answer.content.decode()


def test_who_they_are_is_edited_and_two_editors_meet(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    form = {"name": "ليلى منصور", "gender": "female", "birth_date": "1991-04-02", "language": "ar", "was": "1"}
    assert send(desk, amina, "edit/", **form).status_code == 302
    with acting(alice):
        amina.refresh_from_db()
        assert amina.name_latin and amina.birth_year == 1991 and amina.version == 2
        assert [f.person for f in queries.search(alice, "layla mansour")] == [amina]
        assert amina not in [f.person for f in queries.search(alice, "amina hassan")], (
            "the old name is out of the index"
        )
        made = amina.name_latin
    late = send(desk, amina, "edit/", **form | {"name": "Leila", "name_latin": "Leila"})
    said = late.content.decode()
    assert late.status_code == 409 and "ليلى منصور" in said and "Leila" in said and 'value="2"' in said
    with acting(alice):
        assert Person.objects.get(pk=amina.pk).name == "ليلى منصور", "never a silent overwrite"
    again = form | {"name": "Лейла", "name_latin": made, "was": "2"}
    assert send(desk, amina, "edit/", **again).status_code == 302
    with acting(alice):
        assert Person.objects.get(pk=amina.pk).name_latin not in ("", made), (
            "what was made from the old name is made anew"
        )


def test_two_editors_of_one_row(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    send(desk, amina, "part/contact/new/", **FORMS["contact"])
    with acting(alice):
        row = ContactPoint.objects.get()
    was = profile.mark(row)
    path = f"part/contact/{row.pk}/"
    assert send(desk, amina, path, **FORMS["contact"] | {"safe_times": "evenings"}, was=was).status_code == 302
    late = send(desk, amina, path, **FORMS["contact"] | {"safe_times": "never"}, was=was)
    assert late.status_code == 409
    assert "evenings" in late.content.decode() and "never" in late.content.decode()
    with acting(alice):
        assert ContactPoint.objects.get().safe_times == "evenings"
        with pytest.raises(Conflict):
            profile.end(row, TODAY, was=was, by=alice)
        row.refresh_from_db()
        profile.end(row, TODAY, was=profile.mark(row), by=alice)
    assert "line" in page(desk, amina)
    with acting(alice):
        assert ContactPoint.objects.get().ended_on == TODAY


ENDING = {
    "name": (PersonName, {"use": "nickname", "text": "Um Youssef"}),
    "language": (SpokenLanguage, {"language": "tr", "level": "b1"}),
    "background": (Background, {"kind": "diploma", "title": "Nurse", "country": "SY"}),
    "paper": (PaperSeen, {"kind": "passport", "seen_on": "2026-01-05"}),
}


@pytest.mark.parametrize("slug", ENDING)
def test_what_no_longer_holds_is_ended_stays_in_the_history_and_can_hold_again(
    slug: str, alice: Any, amina: Person
) -> None:
    desk = signed_in(alice)
    model, form = ENDING[slug]
    assert send(desk, amina, f"part/{slug}/new/", **form).status_code == 302
    with acting(alice):
        row = model.objects.filter(person=amina).latest("created_at")
        shown = {section.code: section.facts for section in sections(alice, amina, EVERYTHING.value)}
    path, was = f"part/{slug}/{row.pk}/", profile.mark(row)
    assert send(desk, amina, path, **{"end": "1", "end-on": str(TODAY), "was": was}).status_code == 302
    with acting(alice):
        row.refresh_from_db()
        less = {section.code: section.facts for section in sections(alice, amina, EVERYTHING.value)}
        assert row.ended_on == TODAY
        assert less != shown, "a partner and the person no longer read it as true"
    assert 'class="was"' in page(desk, amina), "the desk still sees it, marked"
    assert send(desk, amina, path, again="1", was=was).status_code == 409, "somebody else has ended it meanwhile"
    assert send(desk, amina, path, again="1", was=profile.mark(row)).status_code == 302
    with acting(alice):
        row.refresh_from_db()
        assert row.ended_on is None
        assert {section.code: section.facts for section in sections(alice, amina, EVERYTHING.value)} == shown


def test_an_end_is_not_taken_back_once_another_row_has_taken_its_place(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    send(desk, amina, "part/language/new/", language="tr", level="a1")
    with acting(alice):
        row = SpokenLanguage.objects.get(person=amina, language="tr")
        profile.end(row, TODAY, was=profile.mark(row), by=alice)
        row.refresh_from_db()
    assert send(desk, amina, "part/language/new/", language="tr", level="b2").status_code == 302
    refused = send(desk, amina, f"part/language/{row.pk}/", again="1", was=profile.mark(row))
    assert refused.status_code == 422
    assert "taken its place" in refused.content.decode()


def test_a_need_is_replaced_and_health_is_of_its_own_class(alice: Any, amina: Person) -> None:
    with acting(alice):
        need = profile.add(Finding, amina, {"domain": "health", "kind": "need", "level": "low", "text": "x"}, by=alice)
        assert need.row_class == DataClass.HEALTH
        profile.change(need, {"domain": "health", "kind": "need", "level": "urgent", "text": "y"},
                       was=profile.mark(Finding.objects.get()), by=alice)  # fmt: skip
        assert sorted(f.level for f in Finding.objects.filter(ended_on=None)) == ["urgent"]
        assert Finding.objects.count() == 2
        language = SpokenLanguage.objects.get(person=amina)
        with pytest.raises(Refused):
            profile.add(SpokenLanguage, amina, {"language": language.language, "level": "a1"}, by=alice)
        assert PersonName.objects.count() == 0
    desk = signed_in(alice)
    assert "bar-need bar-3" in page(desk, amina)


def test_notes_are_corrected_by_another_note(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    assert send(desk, amina, "notes/new/", kind="general", text="").status_code == 422
    assert send(desk, amina, "notes/new/", kind="general", text="First words").status_code == 302
    with acting(alice):
        first = Note.objects.get()
    assert send(desk, amina, f"notes/{first.pk}/", text="Better words").status_code == 302
    shown = page(desk, amina)
    assert "Better words" in shown and "First words" not in shown and "corrected" in shown
    late = send(desk, amina, f"notes/{first.pk}/", text="Other words")
    assert late.status_code == 409 and "Better words" in late.content.decode()
    with acting(alice):
        second = Note.objects.get(replaces=first)
    assert "First words" in page(desk, amina, f"notes/{second.pk}/")


def test_a_confidential_note_is_for_author_lead_and_backup(alice: Any, amina: Person) -> None:
    dora, eva = open_account("dora", "agent"), open_account("eva", "agent")
    with acting(dora):
        profile.write_note(amina, "confidential", "Between us", by=dora)
    assert "Between us" in page(signed_in(alice), amina), "alice leads the file"
    assert "Between us" in page(signed_in(dora), amina)
    assert "Between us" not in page(signed_in(eva), amina)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "PNG")
    return out.getvalue()


def test_an_attachment_is_judged_sealed_and_only_downloaded(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    bad = SimpleUploadedFile("paper.pdf", b"MZ\x90\x00 a program", "application/pdf")
    assert send(desk, amina, "files/new/", file=bad, row_class=DataClass.DOCUMENTS.value).status_code == 422
    good = SimpleUploadedFile("carte.png", picture(), "image/png")
    assert send(desk, amina, "files/new/", file=good, row_class=DataClass.HEALTH.value).status_code == 302
    with acting(alice):
        kept = Attachment.objects.get()
        assert kept.state == "clean" and b"PNG" not in bytes(kept.content)
    assert "carte.png" in page(desk, amina)
    answer = desk.get(f"/en/files/people/{amina.pk}/files/{kept.pk}/")
    assert answer["Content-Disposition"].startswith("attachment;") and answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(b"\x89PNG")
    house, bob = partner("bob")
    agree(house)
    share(amina, house, by=alice, classes=int(DataClass.IDENTITY | DataClass.DOCUMENTS))
    other = signed_in(bob)
    assert other.get(f"/en/files/people/{amina.pk}/files/{kept.pk}/").status_code == 404, "health was not agreed"
    assert "carte.png" not in page(other, amina)


def test_an_attachment_waits_for_its_scan(alice: Any, amina: Person, settings: Any, monkeypatch: Any) -> None:
    settings.CLAMAV_URL = "tcp://127.0.0.1:1"
    desk = signed_in(alice)
    good = SimpleUploadedFile("carte.png", picture(), "image/png")
    assert send(desk, amina, "files/new/", file=good, row_class=DataClass.DOCUMENTS.value).status_code == 302
    with acting(alice):
        kept = Attachment.objects.get()
        assert kept.state == "waiting"
        url = f"/en/files/people/{amina.pk}/files/{kept.pk}/"
        assert desk.get(url).status_code == 409
        assert profile.scan(kept) == "waiting", "nobody answers: it goes on waiting"
        monkeypatch.setattr(uploads.Scanner, "scan", lambda self, data: uploads.Infected("Test"))
        assert profile.scan(kept) == "refused"
        assert desk.get(url).status_code == 404
    send(desk, amina, "files/new/", file=SimpleUploadedFile("b.png", picture()), row_class=DataClass.DOCUMENTS.value)
    with acting(alice):
        other = Attachment.objects.get(state="waiting")
        monkeypatch.setattr(uploads.Scanner, "scan", lambda self, data: uploads.Clean())
        assert profile.scan(other) == "clean"
    assert desk.get(f"/en/files/people/{amina.pk}/files/{other.pk}/").status_code == 200


def test_a_partner_reads_and_never_writes(alice: Any, amina: Person) -> None:
    house, bob = partner("bob")
    agree(house)
    share(amina, house, by=alice, classes=int(DataClass.IDENTITY | DataClass.CONTACT))
    signed = signed_in(alice)
    send(signed, amina, "part/contact/new/", **FORMS["contact"])
    desk = signed_in(bob)
    shown = page(desk, amina)
    assert "+15145550142" in shown and "New number" not in shown
    for path in ("edit/", "part/contact/new/", "notes/new/", "files/new/", "history/", "seen/"):
        page(desk, amina, path, status=403)


def test_the_history_names_fields_and_never_values(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    send(desk, amina, "edit/", name="ليلى", gender="female", was="1")
    told = page(desk, amina, "history/")
    assert "Who they are: corrected" in told and "In Latin letters" in told
    with acting(alice):
        for event in Event.objects.filter(object_id=amina.pk):
            assert "ليلى" not in str(event.after)


def test_a_row_is_reached_through_its_own_person_alone(alice: Any, amina: Person) -> None:
    desk = signed_in(alice)
    with acting(alice):
        youssef = Person.objects.get(name=YOUSSEF.name)
        row = profile.add(PersonName, youssef, {"use": "nickname", "text": "Jo"}, by=alice)
        note = profile.write_note(youssef, "general", "x", by=alice)
    page(desk, youssef, f"part/name/{row.pk}/")
    page(desk, youssef, f"notes/{note.pk}/")
    page(desk, amina, f"part/name/{row.pk}/", status=404)
    page(desk, amina, f"notes/{note.pk}/", status=404)
    page(desk, youssef, f"part/address/{row.pk}/", status=404)
    page(desk, amina, "part/secret/new/", status=404)


def test_a_look_says_why_its_viewer_may_see_the_file(alice: Any, amina: Person) -> None:
    charlie = open_account("charlie", "agent")
    page(signed_in(charlie), amina)
    page(signed_in(alice), amina)
    seen = page(signed_in(alice), amina, "seen/")
    assert "Lead or backup worker" in seen, "Alice opened the file"
    assert "The organization that holds the file" in seen, "Charlie is of the office"
