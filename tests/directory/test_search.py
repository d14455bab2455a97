import datetime as dt
import itertools
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from parvis.directory import search as engine
from parvis.directory.models import (
    Accessibility,
    Attribute,
    CostOption,
    Language,
    Lexeme,
    Listing,
    Location,
    Schedule,
    Service,
    ServiceAtLocation,
    Taxonomy,
    TaxonomyTerm,
    Tombstone,
)
from parvis.directory.search import Filters, Near, facets, matching, points, refresh, search
from parvis.orgs.models import Organization
from parvis.words.actions import load

MONTREAL = ZoneInfo("America/Toronto")
NOW = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)  # a Monday, 10:00 in Montréal
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def organization(name: str, **fields: Any) -> Organization:
    return Organization.objects.create(name=name, changed_at=LONG_AGO, **fields)


def service(name: str, of: Organization | None = None, terms: tuple[TaxonomyTerm, ...] = (), **fields: Any) -> Service:
    made = Service.objects.create(name=name, organization=of, changed_at=LONG_AGO, **fields)
    for term in terms:
        Attribute.objects.create(link_id=made.pk, link_entity="service", taxonomy_term=term)
    return made


def place(of: Service, latitude: float, longitude: float, borough: str = "", **fields: Any) -> Location:
    location = Location.objects.create(
        latitude=latitude, longitude=longitude, borough=borough, changed_at=LONG_AGO, **fields
    )
    ServiceAtLocation.objects.create(service=of, location=location, changed_at=LONG_AGO)
    return location


def found(text: str = "", **filters: Any) -> list[str]:
    return [hit.name for hit in search(None, text, filters=Filters(**filters), now=NOW, limit=200).hits]


@pytest.fixture
def town(city: Any) -> dict[str, Any]:
    """Four services in French, a taxonomy in four languages, two organizations."""
    needs = Taxonomy.objects.create(name="Besoins", description="x", changed_at=LONG_AGO)
    learning = TaxonomyTerm.objects.create(name="Apprendre", code="learn", taxonomy=needs, changed_at=LONG_AGO)
    french = TaxonomyTerm.objects.create(
        name="Francisation", code="french", taxonomy=needs, parent=learning, changed_at=LONG_AGO,
        synonyms={"fr": ["cours de français"], "ar": ["دروس اللغة الفرنسية"], "es": ["clases de francés"]},
    )  # fmt: skip
    law = TaxonomyTerm.objects.create(
        name="Aide juridique", code="law", taxonomy=needs, changed_at=LONG_AGO,
        synonyms={"fr": ["avocat"], "es": ["abogado"], "ar": ["محامي"]},
    )  # fmt: skip
    school = TaxonomyTerm.objects.create(name="École primaire", code="school", taxonomy=needs, changed_at=LONG_AGO)
    load([("Aide juridique", "fr", "en", "Legal aid", "human"), ("Apprendre", "fr", "ar", "تعلم", "human")])
    alpha = organization("Maison Alpha", description="Un lieu d'accueil pour tous.")
    beta = organization("Atelier Bêta")
    made = {
        "parler": service("Parler ensemble", alpha, (french,), description="Deux soirs par semaine."),
        "droits": service("Vos droits", beta, (law,), description="Consultation gratuite, sans rendez-vous."),
        "inscription": service("Inscrire ses enfants à l'école", alpha, (school,), description="On vous accompagne."),
        "repas": service("Repas chauds", beta, description="Un repas, et parfois un cours de cuisine."),
    }
    refresh(now=NOW)
    return {**made, "alpha": alpha, "beta": beta, "french": french, "learning": learning, "law": law, "needs": needs}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("cours de français", "Parler ensemble"),
        ("COURS DE FRANCAIS", "Parler ensemble"),
        ("je cherche un cours de francais", "Parler ensemble"),
        ("ecole pour mes enfants", "Inscrire ses enfants à l'école"),
        ("Écoles pour un enfant", "Inscrire ses enfants à l'école"),
        ("دروس اللغة", "Parler ensemble"),
        ("أحتاج إلى محامٍ", "Vos droits"),
        ("والمحامين", "Vos droits"),
        ("abogado", "Vos droits"),
        ("necesito abogados", "Vos droits"),
        ("legal aid", "Vos droits"),
        ("I need a free legal consultation", "Vos droits"),
        ("clases de frances", "Parler ensemble"),
        ("تعلم", "Parler ensemble"),  # the broader term's translation
        ("repas", "Repas chauds"),
    ],
)
def test_a_question_in_ones_own_words_finds_the_service(town: Any, question: str, first: str) -> None:
    assert found(question)[0] == first


def test_all_words_are_needed_if_any_listing_has_them(town: Any) -> None:
    assert found("cours cuisine") == ["Repas chauds"]
    assert found("cours de français") == ["Parler ensemble"]
    result = search(None, "repas avocat", now=NOW)
    assert result.partial
    assert {hit.name for hit in result.hits} == {"Repas chauds", "Vos droits"}
    assert not search(None, "cours cuisine", now=NOW).partial


def test_a_filter_only_takes_away(town: Any) -> None:
    for text in ("cours cuisine", "repas avocat", "avocat", "cours", ""):
        whole = set(found(text, kind="service"))
        for filters in ({"term_ids": (town["law"].pk,)}, {"organization_id": town["beta"].pk}, {"free": True}):
            assert set(found(text, kind="service", **filters)) <= whole
    assert found("cours cuisine", term_ids=(town["french"].pk,)) == []


def test_a_typing_error_is_corrected_and_said(town: Any) -> None:
    result = search(None, "abogdo ", now=NOW)
    assert [hit.name for hit in result.hits] == ["Vos droits"]
    assert result.corrected == "abogado"
    assert [(word.typed, word.used, word.how) for word in result.words] == [("abogdo", "abogado", "corrected")]
    assert search(None, "cours de frnaçais", now=NOW).corrected == "cours français"
    assert search(None, "abogado", now=NOW).corrected == ""


@pytest.mark.parametrize("wrong", ["abogdo", "abogadoo", "avogado", "aobgado", "abogaod", "juridiqe", "jurridique"])
def test_usual_typing_errors(town: Any, wrong: str) -> None:
    assert found(wrong) == ["Vos droits"]


def test_two_letters_swapped_in_a_short_word(town: Any) -> None:
    assert search(None, "cuors ", now=NOW).corrected == "cours"


def test_services_stand_before_organizations(town: Any) -> None:
    everything = [hit.kind for hit in search(None, "", now=NOW, limit=50).hits]
    assert everything == sorted(everything, reverse=True)
    assert set(everything) == {"service", "organization"}


def test_what_nobody_wrote_finds_nothing(town: Any) -> None:
    for question in ("xqzjkw", "12345678", "xqzjkw wqpzz"):
        result = search(None, question, now=NOW)
        assert result.total == 0
        assert not result.hits
        assert {word.how for word in result.words} == {"unknown"}
    assert found("repas xqzjkw") == ["Repas chauds"]


def test_the_last_word_may_be_unfinished(town: Any) -> None:
    assert found("avoc") == ["Vos droits"]
    assert search(None, "avoc", now=NOW).words[0].how == "beginning"
    assert search(None, "avoc ", now=NOW).words[0].how != "beginning"


def test_names_come_before_taxonomy_before_descriptions(city: Any) -> None:
    needs = Taxonomy.objects.create(name="Besoins", changed_at=LONG_AGO)
    term = TaxonomyTerm.objects.create(name="Logement", taxonomy=needs, changed_at=LONG_AGO)
    service("A", description="Trouver un logement")
    service("B", terms=(term,))
    service("Z logement")
    refresh(now=NOW)
    hits = search(None, "logements", now=NOW).hits
    assert [(hit.name, hit.level) for hit in hits] == [("Z logement", 0), ("B", 1), ("A", 2)]


def test_order_and_paging_are_stable_whether_weighed_or_not(city: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    term = TaxonomyTerm.objects.create(name="Cours", changed_at=LONG_AGO)
    for number in range(60):
        name = "Cours du soir" if number % 3 == 0 else "Atelier"
        service(name, terms=(term,) if number % 2 else (), description="" if number % 2 else "un cours de plus")
    refresh(now=NOW)
    whole: dict[int, list[uuid.UUID]] = {}
    for weighed in (engine.WEIGHED, 5):
        monkeypatch.setattr(engine, "WEIGHED", weighed)
        everything = [hit.id for hit in search(None, "cours", now=NOW, limit=500).hits]
        assert len(set(everything)) == 60
        for size in (1, 7, 25, 59, 60, 61):
            pages = itertools.chain.from_iterable(
                (hit.id for hit in search(None, "cours", now=NOW, limit=size, offset=offset).hits)
                for offset in range(0, 62, size)
            )
            assert list(pages) == everything
        whole[weighed] = everything
    names = {hit.id: hit.name for hit in search(None, "cours", now=NOW, limit=500).hits}
    for everything in whole.values():
        assert [names[key] for key in everything[:20]] == ["Cours du soir"] * 20


def test_without_a_question_everything_by_name(town: Any) -> None:
    services = ["Inscrire ses enfants à l'école", "Parler ensemble", "Repas chauds", "Vos droits"]
    assert found() == [*services, "Atelier Bêta", "Maison Alpha"]
    assert search(None, "   ", now=NOW).total == 6
    assert search(None, "le la de", now=NOW).total == 6
    assert found("", kind="organization") == ["Atelier Bêta", "Maison Alpha"]


def test_an_organization_without_services_is_found(city: Any) -> None:
    organization("Cercle Gamma", description="Entraide de quartier")
    refresh(now=NOW)
    assert found("gamma") == found("entraide") == ["Cercle Gamma"]


def test_filters(town: Any) -> None:
    place(town["repas"], 45.5, -73.6, "rosemont")
    ramp = place(town["droits"], 45.6, -73.6, "verdun")
    Accessibility.objects.create(location=ramp, description="Accessible en fauteuil roulant")
    stairs = place(town["parler"], 45.5, -73.6, "rosemont")
    Accessibility.objects.create(location=stairs, description="Not wheelchair accessible")
    Language.objects.create(service=town["droits"], name="Arabic")
    Language.objects.create(service=town["repas"], code="fr-CA")
    CostOption.objects.create(service=town["repas"], amount=0)
    CostOption.objects.create(service=town["parler"], amount=20, option="free for members")
    women = TaxonomyTerm.objects.create(name="Femmes", code="women", changed_at=LONG_AGO)
    Attribute.objects.create(
        link_id=town["droits"].pk, link_entity="service", taxonomy_term=women, link_type="audience"
    )
    refresh([town[name].pk for name in ("repas", "droits", "parler")], now=NOW)
    only = {"kind": "service"}
    assert found(**only, boroughs=("verdun",)) == ["Vos droits"]
    assert found(**only, boroughs=("rosemont", "verdun")) == ["Parler ensemble", "Repas chauds", "Vos droits"]
    assert found(**only, languages=("ar",)) == ["Vos droits"]
    assert found(**only, languages=("fr",)) == ["Repas chauds"]
    assert found(**only, free=True) == ["Repas chauds"]
    assert found(**only, wheelchair=True) == ["Vos droits"]
    assert found(**only, audiences=("women",)) == ["Vos droits"]
    assert found(term_ids=(town["learning"].pk,)) == ["Parler ensemble"]
    assert found(exact_term_ids=(town["learning"].pk,)) == []
    assert found(exact_term_ids=(town["french"].pk,)) == ["Parler ensemble"]
    assert len(found(taxonomy_ids=(town["needs"].pk,))) == 3
    assert found(organization_id=town["beta"].pk, kind="service") == ["Repas chauds", "Vos droits"]
    assert found("repas", boroughs=("verdun",)) == []
    assert found(**only, boroughs=("verdun",), languages=("ar",), wheelchair=True) == ["Vos droits"]
    assert found(term_ids=(uuid.uuid4(),)) == []
    assert found("arabe") == found("arabic") == found("العربية") != []
    counted = facets(None, filters=Filters(kind="service"), now=NOW)
    assert counted.boroughs == {"rosemont": 2, "verdun": 1}
    assert counted.languages == {"ar": 1, "fr": 1, "fr-CA": 1}
    assert counted.audiences == {"women": 1}
    assert (counted.free, counted.wheelchair, counted.total) == (1, 1, 4)


def test_near_me(town: Any) -> None:
    place(town["repas"], 45.5017, -73.5673)
    place(town["droits"], 45.5088, -73.5617)  # about 900 m away
    place(town["parler"], 45.60, -73.5673)  # about 11 km away
    place(town["parler"], 48.0, -73.5673)
    refresh(now=NOW)
    result = search(None, now=NOW, filters=Filters(near=Near(45.5017, -73.5673, 3), kind="service"))
    assert [hit.name for hit in result.hits] == ["Repas chauds", "Vos droits"]
    assert result.hits[0].distance == pytest.approx(0, abs=0.01)
    assert result.hits[1].distance == pytest.approx(0.903, abs=0.02)
    assert found(near=Near(45.5017, -73.5673, 20), kind="service")[-1] == "Parler ensemble"
    assert len(points(None, "francisation", now=NOW)) == 2
    for wrong in ((91, 0, 1), (0, 181, 1), (0, 0, 0), (0, 0, 1e9), (float("nan"), 0, 1)):
        with pytest.raises(ValueError, match="between"):
            Near(*wrong)


def test_open_now(town: Any) -> None:
    Schedule.objects.create(
        service=town["repas"], freq="WEEKLY", byday="MO", opens_at=dt.time(9), closes_at=dt.time(12)
    )
    Schedule.objects.create(
        service=town["droits"], freq="WEEKLY", byday="TU", opens_at=dt.time(9), closes_at=dt.time(12)
    )
    spot = place(town["parler"], 45.5, -73.6)
    Schedule.objects.create(location=spot, freq="WEEKLY", byday="MO", opens_at=dt.time(8), closes_at=dt.time(20))
    refresh(now=NOW)

    def open_at(moment: dt.datetime) -> list[str]:
        filters = Filters(open_now=True, kind="service")
        return [hit.name for hit in search(None, now=moment, filters=filters).hits]

    assert open_at(NOW) == ["Parler ensemble", "Repas chauds"]
    assert open_at(NOW + dt.timedelta(hours=3)) == ["Parler ensemble"]
    assert open_at(NOW + dt.timedelta(days=1)) == ["Vos droits"]
    assert facets(None, now=NOW, filters=Filters(kind="service")).open_now == 2
    hit = search(None, "repas", now=NOW).hits[0]
    assert hit.open_until == dt.datetime(2026, 11, 23, 12, 0, tzinfo=MONTREAL)
    Schedule.objects.create(service=town["repas"], dtstart=dt.date(2026, 11, 23), closed=True)
    refresh([town["repas"].pk], now=NOW)
    assert open_at(NOW) == ["Parler ensemble"]


def test_the_nightly_sweep_moves_the_window(town: Any) -> None:
    Schedule.objects.create(
        service=town["repas"], freq="WEEKLY", byday="MO", opens_at=dt.time(9), closes_at=dt.time(12)
    )
    refresh(now=NOW)
    later = NOW + dt.timedelta(days=28)
    assert not search(None, now=later, filters=Filters(open_now=True)).hits
    assert engine.refresh_open_times(later) == 1
    assert [hit.name for hit in search(None, now=later, filters=Filters(open_now=True)).hits] == ["Repas chauds"]
    assert engine.refresh_open_times(later) == 0


def test_a_change_is_found_at_once_and_what_is_gone_is_not(town: Any) -> None:
    repas = town["repas"]
    repas.name, repas.description = "Soupe populaire", ""
    repas.save()
    assert refresh([repas.pk], now=NOW) == 1
    assert found("soupe") == ["Soupe populaire"]
    assert found("chauds ") == []
    Tombstone.objects.create(kind="service", object_id=repas.pk, at=NOW, reason="unlisted")
    refresh([repas.pk], now=NOW)
    assert found("soupe ") == []
    Tombstone.objects.all().delete()
    refresh([repas.pk], now=NOW)
    assert found("soupe") == ["Soupe populaire"]
    key = repas.pk
    repas.delete()
    refresh([key], now=NOW)
    assert found("soupe ") == []


def test_small_refreshes_leave_the_index_as_a_whole_one_makes_it(town: Any) -> None:
    def index() -> tuple[Any, Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT object_id, words::text, facets, open_times::text"
                " FROM directory_listing JOIN directory_opening USING (object_id) ORDER BY 1"
            )
            listings = cursor.fetchall()
        return listings, dict(Lexeme.objects.values_list("word", "listings"))

    town["alpha"].name = "Maison Omega"
    town["alpha"].save()
    town["law"].synonyms = {"en": ["attorney"]}
    town["law"].save()
    spot = place(town["repas"], 45.5, -73.6, "rosemont")
    Location.objects.filter(pk=spot.pk).update(name="Sous-sol")
    refresh(organization_ids=[town["alpha"].pk], now=NOW)
    refresh(term_ids=[town["law"].pk], now=NOW)
    refresh(location_ids=[spot.pk], now=NOW)
    assert found("attorney") == ["Vos droits"]
    assert "Parler ensemble" in found("omega")
    by_steps = index()
    assert refresh(now=NOW) == 0
    Listing.objects.all().delete()
    Lexeme.objects.all().delete()
    assert refresh(now=NOW) == 6
    assert index() == by_steps
    assert all(listings > 0 for listings in by_steps[1].values())


def test_refreshing_twice_writes_once(town: Any) -> None:
    assert refresh(now=NOW) == 0
    assert refresh([town["repas"].pk], now=NOW) == 0
    assert refresh([], now=NOW) == 0


def test_counts_follow_the_directory_and_not_what_was_rolled_back(town: Any) -> None:
    assert search(None, "repas", now=NOW).total == 1
    with transaction.atomic():
        refresh([service("Repas de fête").pk], now=NOW)
        assert search(None, "repas", now=NOW).total == 2
        transaction.set_rollback(True)
    refresh([service("Petit bal").pk], now=NOW)
    assert search(None, "repas", now=NOW).total == 1


def test_inactive_services_come_last_among_equals(city: Any) -> None:
    service("Aaa dentiste", status="inactive")
    service("Zzz dentiste")
    refresh(now=NOW)
    assert found("dentiste") == ["Zzz dentiste", "Aaa dentiste"]


def test_two_cities_do_not_see_each_other(town: Any, other_city: Any) -> None:
    assert found("repas") == ["Repas chauds"]
    connection.set_tenant(other_city)
    assert found("repas") == []
    service("Repas du lac")
    refresh(now=NOW)
    assert found("repas") == ["Repas du lac"]
    connection.set_tenant(type(other_city).objects.get(schema_name="montreal"))
    assert found("repas") == ["Repas chauds"]


HOSTILE = [
    "\0", "'", "''';--", "repas'); DROP TABLE directory_listing;--", "repas & | ! <-> :*", "a:*", "\\", "%_%", "((((",
    '"', "🍲", "\u202erepas", "repas" * 3000, "x" * 10_000, "' " * 5000, "=k=service", "Arepas", "%s %(x)s {0}",
    "\ud800",
    "ا" * 5000, "\t\n\r", "<script>alert(1)</script>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_questions_are_only_questions(town: Any, text: str) -> None:
    for question in (text, f"{text} repas", f"repas {text}"):
        result = search(None, question, now=NOW)
        assert result.total >= 0
        facets(None, question, now=NOW)
        points(None, question, now=NOW)
        matching(question)
    found(boroughs=(text,), languages=(text,), audiences=(text,), term_ids=(text,), organization_id=text or None)
    assert Listing.objects.count() == 6


def test_hostile_texts_are_indexed_as_words(city: Any) -> None:
    for text in HOSTILE:
        if text not in ("\0", "\ud800"):  # PostgreSQL has no such text
            service(f"Nom {text}"[:5000], description=text)
    refresh(now=NOW)
    assert search(None, "nom", now=NOW, limit=100).total == len(HOSTILE) - 2
    assert refresh(now=NOW) == 0


def test_a_filter_word_cannot_be_typed(town: Any) -> None:
    assert found("=k=service ") == found("service ")
    assert not Lexeme.objects.filter(word__startswith="=").exists()
    assert not Lexeme.objects.filter(word__regex="^[AB]").exists()


def test_documents_and_one_more_condition_in_the_same_query(town: Any) -> None:
    from parvis.directory.models import Document

    for name in ("repas", "droits"):
        Document.objects.create(
            kind="service", object_id=town[name].pk, item=f'{{"id":"{name}"}}', whole="{}", modified=NOW
        )
    result = search(None, "repas", now=NOW, documents="item")
    assert [hit.document for hit in result.hits] == ['{"id":"repas"}']
    later = ("d.modified > %s", [NOW])
    assert search(None, "", now=NOW, extra=later).total == 0
    assert search(None, "", now=NOW, extra=("d.modified >= %s", [NOW])).total == 2


def test_a_tsquery_to_compose(town: Any) -> None:
    def count(text: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM directory_listing WHERE words @@ %s::tsquery", [matching(text)])
            return int(cursor.fetchone()[0])

    assert matching("") is None
    assert count("cours de français") == 1
    assert count("xqzjkw") == 0


def test_a_search_costs_few_queries(town: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        search(None, "cours de français", now=NOW)
    with django_assert_max_num_queries(2):
        search(None, "cours de français", now=NOW)  # its count is remembered
    with django_assert_max_num_queries(4):
        search(None, "abogdo ", now=NOW)


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"offset": -1}])
def test_impossible_pages(town: Any, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        search(None, "", now=NOW, **wrong)
