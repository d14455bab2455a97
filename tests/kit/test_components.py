"""What the components render: labels tied to controls, errors said in words, nothing unescaped."""

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from parvis.kit import navigation
from parvis.kit.context import in_language
from parvis.kit.templatetags.kit import ago


def draw(source: str, path: str = "/fr/", **context: object) -> str:
    """The HTML without what the formatter of templates puts between and inside tags."""
    request = RequestFactory().get(path)
    html = Template("{% load kit %}" + source).render(Context({"request": request, **context}))
    html = re.sub(r"\s+", " ", html)
    return re.sub(r"(?<=>) | (?=<|>)", "", html)


class Sample(forms.Form):
    name = forms.CharField(label="Nom", help_text="Le vôtre")
    days = forms.MultipleChoiceField(
        choices=[("MO", "lundi")], widget=forms.CheckboxSelectMultiple, required=False, label="Jours"
    )
    agree = forms.BooleanField(label="Lu")


def test_field_ties_label_help_and_error_to_its_control():
    html = draw("{% field form.name %}", form=Sample({}))
    assert '<label for="id_name">Nom' in html
    assert 'id="id_name_helptext"' in html and 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html
    described = html.split('aria-describedby="')[1].split('"')[0].split()
    assert set(described) == {"id_name_helptext", "id_name_error"}


def test_group_of_choices_is_a_fieldset_and_a_single_one_is_not():
    assert "<legend>Jours" in draw("{% field form.days %}", form=Sample())
    html = draw("{% field form.agree %}", form=Sample())
    assert "<fieldset" not in html and html.index("<input") < html.index("Lu")


def test_error_summary_leads_to_each_field_and_is_silent_when_all_is_well():
    html = draw("{% error_summary form %}", form=Sample({"days": ["XX"]}))
    assert 'href="#id_name"' in html and 'href="#id_agree"' in html and 'role="alert"' in html
    assert draw("{% error_summary form %}", form=Sample()).strip() == ""
    assert draw("{% error_summary form %}", form=Sample({"name": "A", "agree": "on"})).strip() == ""


@pytest.mark.parametrize(
    "source",
    [
        '{% badge evil tone="good" %}', '{% button evil %}', '{% card evil href="/x/" %}{{ evil }}{% endcard %}',
        "{% alert evil %}{{ evil }}{% endalert %}", "{% empty evil %}{{ evil }}{% endempty %}",
        "{% fold evil %}{{ evil }}{% endfold %}", "{% fieldset evil %}{{ evil }}{% endfieldset %}",
        '{% dialog "d" evil %}{{ evil }}{% enddialog %}', "{% breadcrumbs evil '/' evil %}", "{% stat evil evil %}",
        "{% progress evil 1 2 %}", "{% steps 1 evil %}", "{% icon 'pin' label=evil %}",
    ],
)  # fmt: skip
def test_no_component_lets_html_through(source: str):
    html = draw(source, evil='<script>x</script>"')
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "style=" not in html and " on" + "click" not in html


def test_pagination_keeps_the_question_and_marks_where_one_is():
    html = draw("{% pagination 4 12 %}", path="/fr/?q=cours&page=4&borough=a&borough=b")
    assert "?q=cours&amp;page=5&amp;borough=a&amp;borough=b" in html
    assert html.count("aria-current") == 1
    assert 'rel="prev"' in html and 'rel="next"' in html
    assert draw("{% pagination 1 1 %}").strip() == ""


def test_table_cells_know_their_heading():
    html = draw("{% table headings rows %}", headings=["Nom", "Jour"], rows=[["A", "lundi"]])
    assert '<th scope="row">A</th>' in html and '<td data-label="Jour">lundi</td>' in html


def test_ago_counts_whole_days_of_the_city():
    now = timezone.now()
    with translation.override("en"):
        assert ago(now) == "today"
        assert ago(timezone.localdate() - dt.timedelta(days=1)) == "yesterday"
        assert ago(now - dt.timedelta(days=12)) == "12 days ago"
        assert ago(now - dt.timedelta(days=200)) == "6 months ago"
        assert ago(now - dt.timedelta(days=1200)) == "3 years ago"
        assert ago(None) == ""


def test_the_same_page_in_another_language():
    factory = RequestFactory()
    assert in_language(factory.get("/fr/services/1/?q=a&page=2"), "ar") == "/ar/services/1/?q=a&page=2"
    assert in_language(factory.get("/fr/"), "en") == "/en/"
    assert in_language(factory.get("/fr/?q=a"), "en") == "/en/?q=a"
    assert in_language(factory.get("/hsds/v3/?x=1"), "en") == "/en/"


def test_a_link_is_shown_to_those_it_is_for_and_registered_once(settings):
    request = RequestFactory().get("/fr/kit/")
    request.user = SimpleNamespace(is_authenticated=False)
    before = dict(navigation._links)
    try:
        navigation.register("footer", navigation.Link("Gallery", "kit", order=1))
        navigation.register("footer", navigation.Link("Galerie", "kit", order=1))
        navigation.register("footer", navigation.Link("Secret", "health", shown=navigation.signed_in))
        with translation.override("fr"):
            shown = navigation.links("footer", request)
        mine = [link for link in shown if link["label"] in ("Gallery", "Galerie", "Secret")]
        assert [(link["label"], link["url"], link["current"]) for link in mine] == [("Galerie", "/fr/kit/", "page")]
    finally:
        navigation._links.update(before)
