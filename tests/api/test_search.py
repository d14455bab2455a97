"""The API's searches give what the public page's search gives, in its order, with as few queries as the words allow."""

import itertools
import re
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from parvis.directory import search as engine
from parvis.directory.models import Lexeme
from tests.api.conftest import Town


@pytest.fixture
def asked(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the search sends past Django's cursor."""
    connection.set_tenant(town.city)
    sent: list[str] = []
    real = engine.rows

    def counted(statement: str, values: Any = ()) -> Any:
        sent.append(statement)
        return real(statement, values)

    monkeypatch.setattr(engine, "rows", counted)
    return sent


def rare(town: Town, number: int) -> list[str]:
    """Words that few listings have, which are their own stems: nothing has to be corrected."""
    connection.set_tenant(town.city)
    words = Lexeme.objects.filter(listings__range=(2, 12), word__regex="^[a-z]{5,}$").order_by("word")
    return [each for each in words.values_list("word", flat=True) if [w.stem for w in engine.asked(each)] == [each]][
        :number
    ]


def both(text: str, kind: Any, limit: int, offset: int) -> tuple[Any, Any]:
    """(what the API's documents are, what the public page's search gives), as (total, names in order)."""
    filters, now = engine.Filters(kind=kind), timezone.now()
    page = engine.documents(text, "item", filters=filters, now=now, limit=limit, offset=offset)
    assert page is not None
    found = engine.search(None, text, filters=filters, now=now, limit=limit, offset=offset, documents="item")
    return page, (found.total, len(found.hits), ",".join(hit.document for hit in found.hits).encode())


@pytest.mark.parametrize("kind", ["service", "organization", None])
def test_documents_come_in_the_order_of_the_public_search(town: Town, kind: Any) -> None:
    words = rare(town, 25)
    assert len(words) == 25
    several = [f"{one} {other}" for one, other in itertools.pairwise(words)]
    together = 0
    for text in [
        *words,
        *several,
        "français",
        "aide juridique",
        "logement emploi",
        "juriqique",
        "xqzjkw",
        words[0] + " xqzjkw",
    ]:
        for limit, offset in ((25, 0), (2, 0), (2, 1), (1, 3), (5, 400)):
            ours, theirs = both(text, kind, limit, offset)
            assert ours == theirs, (text, limit, offset)
            together += bool(ours[1])
    assert together > 100 or kind == "organization"


def test_words_that_few_listings_have_take_one_statement(town: Town, asked: list[str]) -> None:
    (word,) = rare(town, 1)
    filters, now = engine.Filters(kind="service"), timezone.now()

    def statements(text: str) -> int:
        asked.clear()
        engine.documents(text, "item", filters=filters, now=now, limit=25, offset=0)
        return len(asked)

    assert statements(word) == 1
    with connection.cursor() as cursor:  # what else the first listing that has it says
        cursor.execute(
            "SELECT tsvector_to_array(words) FROM directory_listing WHERE kind = 'service' AND words @@ %s::tsquery"
            " LIMIT 1",
            [engine._group((word,))],
        )
        stems = set(rare(town, 10_000)) & set(cursor.fetchone()[0]) - {word}
    pair = f"{word} {min(stems)}"
    assert statements(pair) == 1
    assert statements("xqzjkw") >= 1
    asked.clear()
    assert engine.documents("de la", "item", filters=filters, now=now, limit=25, offset=0) is None
    assert asked == []  # a question that asks for nothing asks nothing of the database


def test_a_common_word_is_not_weighed_listing_by_listing(
    town: Town, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes one statement for a rare word gives up early for a common one, and is not tried again."""
    monkeypatch.setattr(engine, "WEIGHED", 3)
    filters, now = engine.Filters(kind="service"), timezone.now()
    expected = engine.search(None, "francais", filters=filters, now=now, limit=25, documents="item")
    assert expected.total > 25
    asked.clear()

    def page() -> object:
        return engine.documents("francais", "item", filters=filters, now=now, limit=25, offset=0)

    assert page() == (expected.total, 25, ",".join(hit.document for hit in expected.hits).encode())
    first = asked[0]
    assert "LIMIT 4)" in first
    group = engine._group((engine.asked("francais")[0].stem,))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {first}", [group, group, 25, 0])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert re.search(r"Limit \(actual rows=4(\.00)? ", plan), plan
    asked.clear()
    assert page() == (expected.total, 25, ",".join(hit.document for hit in expected.hits).encode())
    assert first not in asked


def test_a_list_without_real_words_is_the_whole_list(town: Town) -> None:
    everything = town.get("/services").json()["total_items"]
    assert town.get("/services", search="de la").json()["total_items"] == everything > 25
    assert town.get("/services", search="de la", minimal="true").json()["total_items"] == everything
    assert town.get("/services", search="xqzjkw").json()["total_items"] == 0
