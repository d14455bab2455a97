"""From a file to files: what is read, decided, put together and imported, and where every row ends."""

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts.actions import Refused
from parvis.accounts.rules import Denied
from parvis.arrivals import queries
from parvis.arrivals.actions import importing, manifests
from parvis.arrivals.models import Arrival, Manifest, ManifestRow, PaperEnd
from parvis.arrivals.reading import read
from parvis.arrivals.staging import Staging
from parvis.cases.models import Household, HouseholdMember, Person
from parvis.demo.manifest import Somebody
from parvis.kit.acting import acting
from parvis.kit.sealing import Unreadable
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.arrivals import story
from tests.cases.story import AMINA, NewPerson, opened, partner


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


def people_of(alice: Any, manifest: Manifest) -> dict[int, Any]:
    with acting(alice), transaction.atomic():
        staging = Staging(manifest)
        return {row.number: staging.person(row) for row in manifest.rows.all()}


def test_a_list_becomes_households_people_and_arrivals(alice: Any) -> None:
    manifest = story.brought(alice, story.small())
    counts = story.imported(alice, manifest)
    assert counts == {"created": 4, "refused": 1}
    with acting(alice), transaction.atomic():
        homes = {home.reference: home for home in Household.objects.all()}
        assert len(homes) == 3 and all(home.lead_worker_id is None for home in homes.values())
        amina = Person.objects.get(name="آمنة الحسن")
        youssef = Person.objects.get(name="Youssef al-Hassan")
        of = {m.person_id: m for m in HouseholdMember.objects.all()}
        assert of[amina.pk].household_id == of[youssef.pk].household_id
        assert (of[amina.pk].relation, of[youssef.pk].relation) == ("head", "child")
        olena = Person.objects.get(name="Олена Коваленко")
        assert (olena.gender, olena.birth_year, olena.name_latin) == ("female", 1988, "Olena Kovalenko")
        arrivals = Arrival.objects.order_by("expected_at")
        assert [(a.flight, a.people, a.timed) for a in arrivals] == [
            ("PX16", 1, False), ("PX870", 2, True), ("QV77", 1, True),
        ]  # fmt: skip
        local = timezone.localtime(arrivals[1].expected_at)
        assert (local.date(), local.hour, local.minute) == (story.ON, 14, 5)
        # of a paper's number only a keyed hash of the end is left, and of the list only what was refused
        assert PaperEnd.objects.count() == 3
        now = Manifest.objects.get(pk=manifest.pk)
        assert now.cells is None and now.state == "imported"
        assert set(ManifestRow.objects.exclude(content=None).values_list("outcome", flat=True)) == {"refused"}
        assert Event.objects.filter(code="cases.household.opened").count() == 3
        assert Event.objects.get(code="arrivals.manifest.imported").after == {"created": 4, "refused": 1}


def test_no_number_of_a_paper_is_kept_wherever_it_stands(alice: Any) -> None:
    rows = [[*row[:5], "", *row[6:], row[5]] for row in story.SMALL]
    data = story.as_csv(rows, [*story.HEADINGS, "Something"]).encode()
    manifest = story.brought(alice, data)
    with acting(alice), transaction.atomic():
        now = Manifest.objects.get(pk=manifest.pk)
        cells = str(Staging(now).cells(now))
        assert "12345678" not in cells and "…5678" in cells
        assert "Lamine" in cells, "the control: other cells are there"
        column = len(story.HEADINGS)
        manifests.remap(now, {5: "", column: "document"}, order="dmy", defaults={}, version=1, by=alice)
    assert people_of(alice, manifest)[2].document_end == "5678"


def test_the_same_file_twice_creates_nothing(alice: Any) -> None:
    first = story.brought(alice, story.small())
    story.imported(alice, first)
    with acting(alice), transaction.atomic():
        before = (Person.objects.count(), Arrival.objects.count(), Manifest.objects.count())
        again, new = manifests.bring(read(story.small(), name="other.csv"), holder=first.holder_id, by=alice)
        assert (again.pk, new) == (first.pk, False)
        with pytest.raises(Refused):
            importing.ask(again, by=alice)
        with pytest.raises(Refused):
            importing.run(again, by=alice)
        assert (Person.objects.count(), Arrival.objects.count(), Manifest.objects.count()) == before
        # the control: another file is another list, and everybody in it is found again
        other, new = manifests.bring(read(story.small() + b"\n", name="x.csv"), holder=first.holder_id, by=alice)
        assert new and other.rows.exclude(candidates=[]).count() == 4


def test_likely_duplicates_are_found_across_scripts_and_wait_for_a_person(alice: Any) -> None:
    home = opened(alice, AMINA, NewPerson("Nobody Else", relation="sibling", birth_year=1970))
    row = ["", "", "Amina Alhassan", "1990-03-01", "F", "", "PX 1", "2026-11-24", ""]
    other = ["", "", "Amina Alhassan", "1961-03-01", "F", "", "PX 1", "2026-11-24", ""]
    manifest = story.brought(alice, story.small([row, other]))
    with acting(alice), transaction.atomic():
        amina = Person.objects.get(name=AMINA.name)
        by_number = {each.number: each for each in manifest.rows.all()}
        assert [each[0] for each in by_number[2].candidates] == [str(amina.pk)]
        assert "birth_date" in by_number[2].candidates[0][2]
        assert by_number[3].candidates == [], "the control: another year is another person"
        with pytest.raises(Refused):
            importing.ask(manifest, by=alice, queue=False)
    counts = story.imported(alice, manifest, decide="same")
    assert counts == {"joined": 1, "created": 1}
    with acting(alice), transaction.atomic():
        assert Person.objects.count() == 3
        assert Arrival.objects.get(household=home).person_id == amina.pk
        told = Event.objects.filter(code="arrivals.row.joined", object_id=amina.pk)
        assert told.count() == 1


def test_who_comes_with_somebody_known_joins_their_household(alice: Any) -> None:
    home = opened(alice, AMINA)
    rows = [
        ["A1", "PA", "Amina Alhassan", "1990-03-01", "F", "", "PX 1", "2026-11-24", ""],
        ["A1", "Daughter", "Salma Alhassan", "2019-05-05", "F", "", "PX 1", "2026-11-24", ""],
    ]
    story.imported(alice, story.brought(alice, story.small(rows)), decide="same")
    with acting(alice), transaction.atomic():
        names = {m.person.name: m.relation for m in home.members.select_related("person")}
        assert names == {AMINA.name: "head", "Salma Alhassan": "child"} and Household.objects.count() == 1


def test_the_end_of_a_paper_finds_a_person_whose_name_is_spelled_otherwise(alice: Any) -> None:
    first = ["", "", "Tesfay Berhane", "1985-01-02", "M", "EP1234567", "", "", ""]
    story.imported(alice, story.brought(alice, story.small([first])))
    second = ["", "", "Tesfai Birhane Kidane", "1985", "M", "ep 123-4567", "", "", ""]
    manifest = story.brought(alice, story.small([second]))
    with acting(alice), transaction.atomic():
        assert "document" in manifest.rows.get().candidates[0][2]


def test_households_are_proposed_and_a_person_regroups(alice: Any) -> None:
    manifest = story.brought(alice, story.large())
    with acting(alice), transaction.atomic():
        counts = queries.tally(manifest)
        assert counts["rows"] == 300 and 60 <= counts["households"] <= 110
        assert 0 < counts["problems"] < 60
        assert set(manifest.rows.values_list("basis", flat=True)) <= {"case"}, "merged case numbers are repeated"
        some = list(manifest.rows.order_by("number").values_list("number", flat=True)[:7])
        manifests.regroup(manifest, some, apart=False, by=alice)
        assert manifest.rows.filter(number__in=some).values("group").distinct().count() == 1
        manifests.regroup(manifest, some[:2], apart=True, by=alice)
        assert manifest.rows.filter(number__in=some).values("group").distinct().count() == 3
        with pytest.raises(Refused):
            manifests.regroup(manifest, [999_999], apart=False, by=alice)


def test_every_row_of_a_large_list_ends_somewhere(alice: Any) -> None:
    opened(alice, AMINA)
    known = [Somebody(AMINA.name, AMINA.birth_date)]
    manifest = story.brought(alice, story.large(known=known), "list.xlsx")
    with acting(alice), transaction.atomic():
        likely = [row for row in manifest.rows.all() if row.candidates]
        assert len(likely) == 1 and likely[0].candidates[0][1] > 0.8
    counts = story.imported(alice, manifest, decide="same")
    assert sum(counts.values()) == 300 and counts["joined"] == 1
    with acting(alice), transaction.atomic():
        ends = queries.ends(alice, Manifest.objects.get(pk=manifest.pk))
        assert len(ends) == 300 and all(one.outcome for one in ends)
        assert all(one.person and one.household for one in ends if one.outcome in ("created", "joined"))
        assert Person.objects.count() == 1 + counts["created"]


def test_a_mapping_is_corrected_and_kept_for_the_next_list(alice: Any) -> None:
    headings = ["Wer", "Wann geboren", "Flug"]
    data = story.as_csv([["Anna Muster", "04/05/1990", "PX 1"]], ["Name", "Wann geboren", "Flight"]).encode()
    manifest = story.brought(alice, data)
    assert people_of(alice, manifest)[2].birth_date is None
    with acting(alice), transaction.atomic():
        manifests.remap(manifest, {1: "birth_date"}, order="mdy", defaults={"place": "YUL"}, version=1, by=alice,
                        save_as="Muster")  # fmt: skip
    read_again = people_of(alice, manifest)[2]
    assert str(read_again.birth_date) == "1990-04-05" and read_again.place == "YUL"
    with acting(alice), transaction.atomic():
        with pytest.raises(Refused):  # somebody who looked at the first reading
            manifests.remap(manifest, {1: ""}, order="", defaults={}, version=1, by=alice)
        with pytest.raises(Refused):
            manifests.bring(read(story.as_csv([["A"]], headings).encode(), name="y.csv"), holder=manifest.holder_id,
                            by=alice)  # fmt: skip
    second = story.brought(alice, data.replace(b"Anna", b"Berta"))
    assert second.profile is not None and str(people_of(alice, second)[2].birth_date) == "1990-04-05"


def test_a_list_is_its_holders_by_both_locks(alice: Any, settings: Any) -> None:
    manifest = story.brought(alice, story.small())
    _house, bob = partner("bob")
    director = open_account("dora", "director")
    for other in (bob, director):
        with acting(other), transaction.atomic():
            assert not Manifest.objects.exists() and not ManifestRow.objects.exists()
            assert not queries.manifests(other).exists()
    with acting(alice), transaction.atomic():
        assert Manifest.objects.count() == 1, "the control"
    with pytest.raises(Denied), acting(bob), transaction.atomic():
        manifests.discard(manifest, by=bob)


def test_a_list_set_aside_is_forgotten(alice: Any) -> None:
    manifest = story.brought(alice, story.small())
    with acting(alice), transaction.atomic():
        manifests.discard(manifest, by=alice)
        now = Manifest.objects.get(pk=manifest.pk)
        assert not now.rows.exists() and now.cells is None
        with pytest.raises(Unreadable):
            Staging(now)
        again, new = manifests.bring(read(story.small(), name="x.csv"), holder=now.holder_id, by=alice)
        assert new and again.rows.count() == 5


def test_a_failure_in_the_middle_leaves_nothing(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = story.brought(alice, story.small())

    def broken(rows: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(importing, "_store_ends", broken)
    with pytest.raises(RuntimeError):
        story.imported(alice, manifest)
    with acting(alice), transaction.atomic():
        assert not Person.objects.exists() and not Arrival.objects.exists()
    monkeypatch.undo()
    assert story.imported(alice, manifest)["created"] == 4


def test_the_search_for_duplicates_is_by_index_and_of_few(alice: Any) -> None:
    for number in range(6):
        opened(alice, NewPerson(f"Mohammed Somebody{number}", birth_year=1950 + number))
    manifest = story.brought(alice, story.small([["", "", "Mohammed Somebody3", "1953", "M", "", "", "", ""]]))
    with acting(alice), transaction.atomic():
        people = list(people_of(alice, manifest).values())
        with connection.cursor() as cursor:
            asked = manifests.asked_tokens(people, manifest.holder_id)
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {manifests.LIKELY}", asked)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "cases_token_find" in plan or "cases_searchtoken_pkey" in plan, plan
            assert "Seq Scan on cases_searchtoken" not in plan
        assert len(manifest.rows.get().candidates) == 1


TEXT = story.as_csv(
    [["محمد الأحمد", "١٩٩٠/٠٣/٠١", "ذكر"], ["ليلى", "1992", "أنثى"]], ["الاسم الكامل", "تاريخ الميلاد", "الجنس"]
)
CYRILLIC = story.as_csv([["Олена Коваленко", "13.02.1988"]], ["Прізвище та ім'я", "Дата народження"], separator=";")
FRENCH = story.as_csv([["Éloïse Béranger", "13/02/1988"]], ["Nom complet", "Né(e) le"], separator="\t")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TEXT, "utf-8"), (TEXT, "utf-8-sig"), (TEXT, "utf-16"), (TEXT, "utf-16-le"), (CYRILLIC, "cp1251"),
     (FRENCH, "cp1252"), (FRENCH, "utf-8"), (TEXT.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")), "cp1256")],
)  # fmt: skip
def test_texts_are_read_in_the_encoding_and_separator_they_came_in(text: str, encoding: str) -> None:
    sheet = read(text.encode(encoding), name="list.csv")
    assert sheet.cells[1][0] in ("محمد الأحمد", "Олена Коваленко", "Éloïse Béranger")
    assert len(sheet.cells[1]) >= 2


@pytest.mark.parametrize(
    "data", [b"", b"MZ\x90\x00", b"%PDF-1.7 name,date", b"<html><body>name,birth</body>", b"name,date\n" * 2_000_000]
)
def test_what_is_no_list_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        read(data, name="list.csv")
    assert str(refused.value.messages[0])


def test_a_bomb_is_refused() -> None:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 80_000_000)
    with pytest.raises(ValidationError):
        read(out.getvalue(), name="list.xlsx")


def test_uuid_of_nobody_is_not_joined(alice: Any) -> None:
    manifest = story.brought(alice, story.small())
    with acting(alice), transaction.atomic(), pytest.raises(Refused):
        manifests.decide(manifest, {manifest.rows.first().pk: ("same", uuid.uuid4())}, by=alice)
