"""The public pages as a server answers them: what they show, in which language, with how many queries."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from parvis.cities.middleware import hosts
from parvis.core.hours import State
from parvis.directory import finding, published
from parvis.directory.finding import Question, read
from parvis.directory.templatetags import public as sentences
from tests.e2e.town import Town, build


@pytest.fixture
def town(city: Any) -> Town:
    """The browser tests' town in the test's own transaction."""
    made = Town("http://montreal.localhost", city)
    build(made)
    return made


@pytest.fixture
def ask(town: Town) -> Callable[..., Any]:
    client = Client(HTTP_HOST="montreal.localhost")

    def get(path: str = "", language: str = "fr", **headers: str) -> Any:
        return client.get(f"/{language}/{path}", headers=headers or None)

    return get


class Reader(HTMLParser):
    """What a page says, and the tags it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def words(answer: Any) -> str:
    """What a reader reads: the page without its tags."""
    return " ".join(" ".join(Reader(answer.content.decode()).said).split())


def names(answer: Any) -> list[str]:
    return [re.sub("<.*?>", "", name) for name in re.findall(r"<h3><a [^>]*>(.*?)</a></h3>", answer.content.decode())]


# -- search -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question", ["cours de français", "دروس اللغة", "curso de frances", "French course", "cours de francias"]
)
def test_the_same_services_in_any_language_and_with_a_typing_error(ask: Any, question: str) -> None:
    answer = ask(f"?q={question}")
    assert answer.status_code == 200
    assert "Cours de français du soir" in names(answer)[:3]


@pytest.mark.parametrize("question", ["avocat", "abogado", "محام", "lawyer", "avocta"])
def test_an_arabic_word_finds_what_is_described_in_french(ask: Any, question: str) -> None:
    assert "Conseil juridique" in names(ask(f"?q={question}"))[:3]


def test_each_filter_narrows_and_the_counts_are_right(ask: Any, town: Town) -> None:
    everything = ask("?all=1").context["total"]
    for query in ("free=1", "wheelchair=1", "open=1", "language=ar", "borough=anjou", "audience=women"):
        narrowed = ask(f"?{query}").context
        assert 0 < narrowed["total"] < everything, query
    for facet in ask("?q=cours").context["facets"]:
        for option in facet.options:
            assert ask(f"?q=cours&{facet.name}={option.value}").context["total"] == option.count, option


def test_a_chosen_value_does_not_hide_the_others(ask: Any) -> None:
    facets = {facet.name: facet for facet in ask("?borough=anjou").context["facets"]}
    assert len(facets["borough"].options) > 5
    assert [option.value for option in facets["borough"].options if option.checked] == ["anjou"]


def test_near_a_postal_code_or_a_neighbourhood_or_the_device(ask: Any) -> None:
    for query in ("near=H2X 1Y4", "near=h2x", "near=Villeray", "near=VILLERAY", "at=45.53,-73.6"):
        context = ask(f"?q=cours&{query}").context
        distances = [hit.distance for hit in context["hits"]]
        assert distances and distances == sorted(distances), query
        assert not context["near_unknown"]
    unknown = ask("?q=cours&near=Nulle-Part-Ville")
    assert unknown.context["near_unknown"] and unknown.context["total"] == ask("?q=cours").context["total"]
    assert "Nulle-Part-Ville" in words(unknown)


def test_far_from_everything_the_nearest_is_still_an_answer(ask: Any) -> None:
    assert ask("?q=cours&at=45.40,-74.20").context["total"] > 0


def test_nothing_found_helps(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts.find("montreal.localhost"), "office_phone", "+1 514 555-0100")
    answer = ask("?q=zzqqxx&free=1")
    assert answer.context["total"] == 0
    assert "+1 514 555-0100" in words(answer).split("Nothing found")[-1]
    assert 'href="?q=zzqqxx"' in answer.content.decode()


def test_pages_of_results_hold_everything_once(ask: Any) -> None:
    first = ask("?all=1")
    seen = [
        hit.id for page in range(1, first.context["pages"] + 1) for hit in ask(f"?all=1&page={page}").context["hits"]
    ]
    assert len(seen) == len(set(seen)) == first.context["total"]
    assert ask("?all=1&page=400").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["page=abc", "page=-1", "page=0", "at=x", "at=1,2,3", "at=200,5", "at=nan,nan", "borough=%00", "q=%00%ff",
     "audience='--", "language=<script>", "q=" + "a" * 5000, "near=%00", "audience=" + str(uuid.UUID(int=7)),
     "q=&&&|!:*'", "q=(" * 50],
)  # fmt: skip
def test_no_address_breaks_the_page(ask: Any, query: str) -> None:
    answer = ask(f"?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode()


def test_a_question_survives_its_address() -> None:
    from django.http import QueryDict

    question = Question(
        text="école & “droit”",
        near_text="H2X 1Y4",
        boroughs=("anjou", "lasalle"),
        languages=("ar",),
        open_now=True,
        page=3,
    )
    assert read(QueryDict(question.encoded())) == question
    assert Question().encoded() == ""
    assert read(QueryDict(question.encoded(page=None, boroughs=None))).page == 1


def test_htmx_gets_the_answer_alone_and_a_clean_address(ask: Any) -> None:
    answer = ask("?q=cours&near=&at=", **{"HX-Request": "true"})
    assert answer["HX-Replace-Url"] == "/fr/?q=cours"
    assert " ".join(answer.content.decode().split()).startswith('<div class="page answer" id="answer"')
    assert "HX-Request" in answer["Vary"]


def test_the_map_gets_points_and_boroughs(ask: Any) -> None:
    points = json.loads(ask("points.json?q=cours").content)["points"]
    assert len(points) == ask("?q=cours").context["total"]
    assert all(len(point["at"]) == 2 and point["url"].startswith("/fr/") for point in points)
    areas = json.loads(ask("boroughs.json").content)
    assert len(areas["features"]) == 19


def test_a_page_of_results_costs_a_fixed_number_of_queries(ask: Any) -> None:
    ask("?q=cours")
    with CaptureQueriesContext(
        connection,
    ) as few:
        ask("?q=Cours de français du soir · du Port")
    with CaptureQueriesContext(connection) as many:
        ask("?q=cours français")
    assert len(many) <= len(few) + 3 and len(many) <= 25


# -- a service ----------------------------------------------------------------------------------------------------


def test_a_service_tells_all_that_a_reader_needs(ask: Any, town: Town) -> None:
    text = words(ask(f"services/{town.ids['service']}/"))
    for said in (
        "Cours de français du soir", "Maison des Deux Rives", "100, rue des Trois-Ormes", "Métro Les Tilleuls",
        "Rampe à l'entrée", "514 555-0199", "Pièce d'identité", "Preuve d'adresse", "Toute personne arrivée",
        "Appelez ou passez", "Gratuit, le matériel aussi.", "Deux semaines", "Tigrigna sur demande",
        "Pas de cours le 24 juin.",
        "18:00–21:00", "09:00–12:00", "Fête de quartier", "Tout Montréal", "Alice Exemple", "alice@example.org",
    ):  # fmt: skip
        assert said in text, said


def test_a_service_leads_to_its_organization(ask: Any, town: Town) -> None:
    links = [has.get("href") for tag, has in Reader(ask(f"services/{town.ids['service']}/").content.decode()).tags]
    assert links.count(f"/fr/organizations/{town.ids['organization']}/") == 2  # where you are, and under the name


def test_many_places_are_folded_after_the_fifth(ask: Any, town: Town) -> None:
    from django.utils import timezone

    from parvis.directory import documents, models

    for number in range(6):
        location = models.Location.objects.create(name=f"Salle {number}", changed_at=timezone.now())
        models.ServiceAtLocation.objects.create(
            service_id=town.ids["bare service"], location=location, changed_at=timezone.now()
        )
    documents.refresh(service_ids=[town.ids["bare service"]])
    html = ask(f"services/{town.ids['bare service']}/").content.decode()
    shown, folded = html.split('<details class="fold"')
    assert shown.count('class="card place"') == 5 and folded.count('class="card place"') == 2


def test_confirmed_says_when_and_by_whom_and_never_says_never(ask: Any, town: Town) -> None:
    with translation.override("en"):
        assert "Confirmed 12 days ago by Maison des Deux Rives" in words(ask(f"services/{town.ids['service']}/", "en"))
        assert "Never confirmed yet" in words(ask(f"services/{town.ids['bare service']}/", "en"))


def test_texts_say_where_they_come_from(ask: Any, town: Town) -> None:
    path = f"services/{town.ids['service']}/"
    arabic, english, french = (ask(path, language) for language in ("ar", "en", "fr"))
    assert "دروس مسائية" in words(arabic) and 'dir="rtl"' in arabic.content.decode()
    assert arabic.context["origins"] == {"machine", "source"}
    assert "Evening French course" in words(english) and "machine" not in english.context["origins"]
    assert not french.context["origins"] & {"machine", "source", "stale"}
    assert '<div lang="fr" dir="ltr"><p>Appelez' in arabic.content.decode()


def test_what_is_gone_says_so_and_what_has_moved_leads_on(ask: Any, town: Town) -> None:
    merged = ask(f"services/{town.ids['merged service']}/")
    assert (merged.status_code, merged["Location"]) == (301, f"/fr/services/{town.ids['service']}/")
    assert ask(f"services/{town.ids['unlisted service']}/").status_code == 410
    assert ask(f"services/{uuid.uuid4()}/").status_code == 404
    assert ask("services/not-an-id/").status_code == 404


def test_what_somebody_wrote_is_text_and_never_a_page(ask: Any, town: Town) -> None:
    answer = ask(f"services/{town.ids['hostile service']}/")
    html = answer.content.decode()
    assert "<script>document" not in html and "<img src=x" not in html
    assert "javascript:" not in html.split("<main")[1].split("</main")[0]


def test_no_page_has_inline_script_or_style_and_all_have_one_h1(ask: Any, town: Town) -> None:
    paths = [
        "", "?q=cours", "?q=zzqqxx", f"services/{town.ids['service']}/", f"services/{town.ids['service']}/wrong/",
        f"organizations/{town.ids['organization']}/", "about/", "accessibility/", "privacy/", "kit/",
    ]  # fmt: skip
    for path in paths:
        for language in ("fr", "ar"):
            answer = ask(path, language)
            html = answer.content.decode()
            assert answer.status_code == 200, path
            tags = Reader(html).tags
            assert not [(tag, name) for tag, has in tags for name in has if name == "style" or name.startswith("on")]
            assert all(has.get("src") and has.get("nonce") for tag, has in tags if tag == "script"), path
            assert not [tag for tag, _has in tags if tag == "style"]
            assert not [has for tag, has in tags if tag == "a" and not has.get("href")], path
            assert [tag for tag, _has in tags].count("h1") == 1, path
            assert 'hreflang="es"' in html and dict(tags)["html"]["lang"] == language


def test_a_service_page_costs_few_queries(ask: Any, town: Town) -> None:
    ask(f"services/{town.ids['service']}/")
    with CaptureQueriesContext(connection) as queries:
        ask(f"services/{town.ids['service']}/")
    assert len(queries) <= 16, [query["sql"][:90] for query in queries]


def test_organizations_with_and_without_services(ask: Any, town: Town) -> None:
    answer = ask(f"organizations/{town.ids['organization']}/")
    assert {"Cours de français du soir", "Conseil juridique", "Trouver un logement"} <= set(names(answer))
    assert "&lt;b&gt;Gras&lt;/b&gt; &amp; cie" in answer.content.decode()
    assert ask(f"organizations/{town.ids['organization without service']}/").status_code == 200


def test_another_city_has_none_of_it(town: Town, other_city: Any) -> None:
    client = Client(HTTP_HOST="geneve.localhost")
    assert client.get(f"/fr/services/{town.ids['service']}/").status_code == 404
    assert client.get("/fr/?q=cours").context["total"] == 0


# -- sentences ----------------------------------------------------------------------------------------------------


def test_opening_is_said_as_people_say_it() -> None:
    from django.utils import timezone

    now = timezone.localtime()
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    with translation.override("en"):
        assert sentences.opening(State("always")) == "Always open"
        assert sentences.opening(None).startswith("Hours not known")
        assert sentences.opening(State("open", until=morning)) == "Open until 9 a.m."
        assert (
            sentences.opening(State("opens", opens=morning + dt.timedelta(days=1)))
            == "Closed, opens tomorrow at 9 a.m."
        )
        later = morning + dt.timedelta(days=3)
        assert sentences.opening(State("opens", opens=later)) == f"Closed, opens on {later:%A} at 9 a.m."


def test_the_friendliest_of_several_places_counts() -> None:
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    states = [
        State("closed"),
        State("opens", opens=noon),
        State("open", until=noon),
        State("open", until=noon.replace(hour=18)),
    ]
    best = published.best_state(states)
    assert best is not None and best.until == noon.replace(hour=18)
    assert published.best_state([]) is None and published.best_state([None, State("unknown")]).kind == "unknown"


def test_distances_are_round() -> None:
    with translation.override("en"):
        said = [sentences.distance(metres) for metres in (None, 3, 340, 949, 2440, 23_400)]
    assert said == ["", "50 m", "350 m", "950 m", "2.4 km", "23 km"]


def test_only_web_addresses_are_followed() -> None:
    assert sentences.safe_link("https://a.example.org/x") == "https://a.example.org/x"
    assert sentences.safe_link("www.example.org") == "https://www.example.org"
    assert [
        sentences.safe_link(bad) for bad in ("javascript:alert(1)", "data:text/html,x", "", "not a link", "ftp://x.y")
    ] == [""] * 5
    assert sentences.telephone("+1 (514) 555-0101") == "+15145550101"


def test_every_need_finds_words() -> None:
    assert len(finding.NEEDS) == 10 and all(str(need.words) and str(need.label) for need in finding.NEEDS)
