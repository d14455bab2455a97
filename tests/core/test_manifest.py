"""Lists of arriving people, read by the core: headers, dates, names, households, likeness; properties by hypothesis."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.core import manifest as m
from parvis.core.manifest_words import COLUMNS, GENDERS, RELATIONS

TODAY = dt.date(2026, 11, 23)
DAYS = st.dates(dt.date(1900, 1, 1), TODAY)
SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९")


def test_every_heading_of_the_tables_is_what_it_says() -> None:
    seen: dict[str, str] = {}
    for name, several in COLUMNS.items():
        for heading in several.split("|"):
            assert seen.setdefault(m.plain(heading), name) == name, f"{heading} is in two tables"
            assert m.recognize(heading) == name and m.recognize(f"  {heading.upper()}: ") == name
    assert len(seen) > 300
    for table, read in ((GENDERS, m.read_gender), (RELATIONS, m.read_relation)):
        for code, several in table.items():
            assert {read(word) for word in several.split("|")} == {code}, code


@pytest.mark.parametrize(
    ("heading", "name"),
    [("Date de naissance (jj/mm/aaaa)", "birth_date"), ("Vol / Flight", "flight"), ("Famliy name", "family"),
     ("Passport No.", "document"), ("الجنس", "gender"), ("Remarques", ""), ("", ""), ("Prix du billet", ""),
     ("Nom du chien", "")],
)  # fmt: skip
def test_headings_with_something_beside_or_a_typo(heading: str, name: str) -> None:
    assert m.recognize(heading) == name


@settings(max_examples=60, deadline=None)
@given(st.permutations(["name", "birth_date", "gender", "flight", "case"]), st.integers(0, 12), st.data())
def test_the_header_is_found_wherever_it_stands_in_any_order_and_language(
    order: list[str], above: int, data: st.DataObject
) -> None:
    headings = [data.draw(st.sampled_from(COLUMNS[name].split("|"))) for name in order]
    values = {"name": "Nour Haddad", "birth_date": "1990-03-01", "gender": "F", "flight": "PX 1", "case": "A-1"}
    grid: list[list[Any]] = [["Liste", None, None, None, None] for _ in range(above)]
    grid += [headings, [values[name] for name in order]]
    layout = m.find_layout(grid)
    assert layout is not None and layout.header == above and layout.fields == tuple(order)
    person = m.read(grid, layout, today=TODAY)[0]
    assert (person.name, person.birth_date, person.gender, person.flight, person.case) == (
        "Nour Haddad", dt.date(1990, 3, 1), "female", "PX1", "A1",
    )  # fmt: skip


WRITTEN = [
    lambda day: day.isoformat(), lambda day: day.strftime("%Y/%m/%d"), lambda day: day.strftime("%Y%m%d"),
    lambda day: f"{day.day} {['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre'][day.month - 1]} {day.year}",  # noqa: E501
    lambda day: day.strftime("%b %d, %Y"), lambda day: (day - dt.date(1899, 12, 30)).days if day.year > 1910 else day,
    lambda day: dt.datetime.combine(day, dt.time()), lambda day: day,
]  # fmt: skip


@given(DAYS, st.sampled_from(WRITTEN), st.sampled_from(SCRIPTS))
def test_a_day_that_can_be_read_one_way_is_read_so(day: dt.date, write: Any, script: str) -> None:
    written = write(day)
    if isinstance(written, str):
        written = written.translate(str.maketrans("0123456789", script))
    assert m.read_date(written, today=TODAY, born=True).day == day


@given(DAYS, st.sampled_from(["/", ".", "-", " "]))
def test_day_and_month_are_never_guessed(day: dt.date, sign: str) -> None:
    european, american = (f"{a:02}{sign}{b:02}{sign}{day.year}" for a, b in
                          ((day.day, day.month), (day.month, day.day)))  # fmt: skip
    for written, order in ((european, "dmy"), (american, "mdy")):
        assert m.read_date(written, order, today=TODAY, born=True).day == day
        alone = m.read_date(written, today=TODAY, born=True)
        if day.day > 12 or day.day == day.month:
            assert alone.day == day
        else:
            assert alone.day is None and alone.problem == "ambiguous" and alone.year == day.year


@given(st.lists(DAYS, min_size=1, max_size=30))
def test_a_column_proves_its_order_by_one_date_and_two_orders_prove_nothing(days: list[dt.date]) -> None:
    european = [day.strftime("%d/%m/%Y") for day in days]
    assert m.day_order(european) == ("dmy" if any(day.day > 12 for day in days) else "")
    assert m.day_order([*european, "12/31/1999", "31/12/1999"]) == ""


@pytest.mark.parametrize(
    ("written", "problem"),
    [("31/02/1990", "impossible"), ("1370/05/12", "calendar"), ("bientôt", "unread"), ("2031-01-01", "future"),
     ("03/04/1990", "ambiguous"), ("13/02/12", "century"), ("0000-00-00", "impossible"), ("45/13/1990", "impossible")],
)  # fmt: skip
def test_what_is_no_certain_date_says_why(written: str, problem: str) -> None:
    found = m.read_date(written, today=TODAY, born=True)
    assert found.day is None and found.problem == problem


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.none(), st.dates(), st.times(), st.booleans()))
def test_no_cell_is_too_strange(cell: Any) -> None:
    found = m.read_date(cell, today=TODAY, born=True)
    assert found.day is None or found.day <= TODAY
    m.read_time(cell)
    m.text_of(cell)
    m.recognize(m.text_of(cell))


CELLS = st.one_of(st.none(), st.text(max_size=20), st.integers(-9, 10**10), st.floats(allow_nan=True), st.dates())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=7), max_size=20), st.sampled_from(["dmy", "mdy", ""]))
def test_any_grid_is_read_every_row_once_and_again_the_same(below: list[list[Any]], order: str) -> None:
    grid: list[list[Any]] = [["Nom", "DDN", "Sexe", "Dossier", "Vol", "Arrivée le", "Passeport"], *below]
    layout = m.find_layout(grid)
    assert layout is not None
    layout = replace(layout, order=order)
    people = m.read(grid, layout, today=TODAY)
    assert people == m.read(grid, layout, today=TODAY)
    numbers = [person.number for person in people]
    assert numbers == sorted(set(numbers)) and len(people) <= len(below)
    assert all(person.name or person.refused for person in people)
    groups = m.households(people)
    assert sorted(place for group in groups for place in group.members) == list(range(len(people)))
    assert all(len(person.document_end) <= m.END for person in people)


@given(st.from_regex(r"[A-Z]{1,2}[0-9]{7,9}", fullmatch=True))
def test_of_a_papers_number_only_the_end_is_kept(number: str) -> None:
    grid = [
        ["Nom", "Passeport", "Divers"],
        ["Nour Haddad", number, number],
        ["Sami Haddad", f"{number[:2]} {number[2:]}", 5],
    ]
    layout = m.find_layout(grid)
    kept = m.shortened(grid, layout)
    assert number not in str(kept) and number[2:] not in str(kept)
    assert "Nour Haddad" in str(kept), "the control: names are kept"
    assert layout is not None
    assert [p.document_end for p in m.read(kept, layout, today=TODAY)] == [number[-4:]] * 2
    assert m.shortened(kept, layout) == kept


def test_telephones_and_flights_are_no_papers() -> None:
    for written in ("514 555-0123", "+1 514 555 0123", "PX 870", "2026-11-24", "H2X 1Y4", "0612345678"):
        assert not m.looks_like_document(written), written
    assert m.looks_like_document("AB1234567") and m.looks_like_document("123456789012")


def test_merged_cells_say_the_familys_number_for_all_of_it() -> None:
    grid = [["Dossier", "Nom"], ["G-1", "Nour Haddad"], [None, "Sami Haddad"], ["G-2", "Lina Haddad"]]
    assert [len(g.members) for g in _groups(m.unmerged(grid, [((1, 0), (2, 0))]))] == [2, 1]
    assert [len(g.members) for g in _groups(grid)] == [1, 1, 1], "the control: without merges nobody knows"


def _groups(grid: Any) -> list[m.Group]:
    layout = m.find_layout(grid)
    assert layout is not None
    return m.households(m.read(grid, layout, today=TODAY))


def test_a_header_of_two_rows_and_a_total_below() -> None:
    grid = [["Identité", None, "DDN"], ["Nom de famille", "Prénom", None], ["HADDAD", "Nour", "1990-01-01"],
            ["Total: 1", None, None]]  # fmt: skip
    layout = m.find_layout(grid)
    assert layout is not None and layout.header == 1 and layout.fields == ("family", "given", "birth_date")
    assert [p.name for p in m.read(grid, layout, today=TODAY)] == ["Nour Haddad"]


@pytest.mark.parametrize(
    ("written", "name", "gender"),
    [("HADDAD/NOUR MRS", "Nour Haddad", "female"), ("AL-HASSAN, Ömer", "Ömer Al-Hassan", ""),
     ("Mme Fatou Diop", "Fatou Diop", "female"), ("محمد الأحمد", "محمد الأحمد", ""),
     ("КОВАЛЕНКО ОЛЕНА", "Коваленко Олена", ""),
     ("Marie de la Tour", "Marie de la Tour", "")],
)  # fmt: skip
def test_names_as_machines_write_them(written: str, name: str, gender: str) -> None:
    found, _family, told = m.read_name(written)
    assert (found, told) == (name, gender)


def test_households_without_a_number_are_proposed_and_say_why() -> None:
    def person(number: int, name: str, **more: Any) -> m.Arriving:
        return m.Arriving(number, name=name, family=name.split()[-1], **more)

    rows = [
        person(1, "Nour Haddad", relation="head"), person(2, "Sami Haddad", relation="child"),
        person(3, "Omar Saleh", address="12, rue des Ormes"), person(4, "عمر صالح", address="12 rue des Ormes."),
        person(5, "Li Wei", flight="PX1", expected_on=TODAY), person(6, "Ana Ruiz", flight="PX1", expected_on=TODAY),
    ]  # fmt: skip
    assert [(g.basis, g.members) for g in m.households(rows)] == [
        ("relation", (0, 1)), ("address", (2, 3)), ("alone", (4,)), ("alone", (5,)),
    ]  # fmt: skip


AMINA = m.Known(("آمنة الحسن", "Amina al-Hassan"), dt.date(1990, 3, 1), 1990)


@pytest.mark.parametrize(
    ("row", "likely"),
    [
        (m.Arriving(1, "Amina Alhassan", birth_date=dt.date(1990, 3, 1), birth_year=1990), True),
        (m.Arriving(1, "Aminah El Hassan", birth_date=dt.date(1990, 1, 3), birth_year=1990), True),
        (m.Arriving(1, "Amina Al-Hassan"), True),
        (m.Arriving(1, "Amina Al-Hassan", birth_year=1960), False),
        (m.Arriving(1, "Karim Al-Hassan", birth_date=dt.date(1988, 3, 1), birth_year=1988), False),
        (m.Arriving(1, "Svitlana Boyko", birth_date=dt.date(1990, 3, 1), birth_year=1990), False),
    ],
)
def test_who_may_be_somebody_who_is_there_already(row: m.Arriving, likely: bool) -> None:
    assert (m.likeness(row, AMINA).score >= m.LIKELY) is likely


@given(st.text(max_size=30), st.one_of(st.none(), st.integers(1900, 2026)), st.booleans())
def test_likeness_is_a_share_and_a_document_never_speaks_against(name: str, year: int | None, document: bool) -> None:
    row = m.Arriving(1, name or "x", birth_year=year)
    one, other = (m.likeness(row, replace(AMINA, document=each)).score for each in (False, True))
    assert 0 <= one <= other <= 1
