"""The rules of the house that a machine can hold: see docs/architecture.md."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models

from parvis.cases.datamap import lines, ours, problems
from parvis.kit.models import Personal
from parvis.kit.sealing import SealedField

SRC = Path(__file__).parents[2] / "src" / "parvis"
OURS = ours()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_personal_field_has_a_purpose_a_class_and_a_retention(model: type[models.Model]) -> None:
    assert not problems(model)


class _Meta:
    """What `problems` asks of a model that is not one."""

    def __init__(self, *fields: models.Field[Any, Any]) -> None:
        self.concrete_fields = fields

    def get_fields(self) -> tuple[models.Field[Any, Any], ...]:
        return self.concrete_fields


GOOD = Personal("to reach the person", "case", "contact")
CARELESS = {
    "says nothing of personal data": {},
    "phone: without a purpose": {"phone": GOOD._replace(purpose=" ")},
    "phone: without a retention class": {"phone": GOOD._replace(retention="for ever")},
    "phone: of no class of data": {"phone": GOOD._replace(data_class="")},
    "mobile: there is no such field": {"phone": GOOD, "mobile": GOOD},
    "note: sealed and not declared": {"phone": GOOD},
    "note: not declared": {"phone": GOOD},
}


@pytest.mark.parametrize("problem", CARELESS)
def test_a_careless_model_is_found(problem: str) -> None:
    """The control: models that never were, each with one thing left out."""
    fields = [models.CharField(name="phone"), SealedField(name="note")]
    for field in fields:
        field.set_attributes_from_name(field.name)
    careless = type("Careless", (), {"personal": CARELESS[problem], "_meta": _Meta(*fields)})
    assert problem in problems(careless)
    good = {"phone": GOOD, "note": GOOD}
    assert not problems(type("Careful", (), {"personal": good, "_meta": _Meta(*fields)}))


def test_the_data_map_tells_of_every_personal_field() -> None:
    told = {(line.table, line.column.removesuffix("_id")) for line in lines()}
    declared = {
        (model._meta.db_table, field.removesuffix("_id")) for model in OURS for field in getattr(model, "personal", {})
    }
    assert told == declared and len(told) > 100
    assert all(line.who and line.purpose for line in lines())
    by_name = {(line.table, line.column): line for line in lines()}
    assert by_name["cases_contactpoint", "value"].sealed and not by_name["cases_person", "name"].sealed
    assert "request" not in by_name["cases_note", "text"].who
    assert "organizations" not in by_name["cases_address", "hidden"].who


#: names that nearly always mean a person: a model may not wave them through with `not_personal` alone
PERSON_WORDS = {"email", "phone", "birth_date", "first_name", "last_name", "ip", "ip_address", "user_agent", "password"}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_field_named_like_a_person_is_declared(model: type[models.Model]) -> None:
    undeclared = {
        field.name
        for field in model._meta.concrete_fields
        if not field.is_relation and field.name in PERSON_WORDS and field.name not in getattr(model, "personal", {})
    }
    assert not undeclared


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_foreign_key_says_what_happens_on_deletion(model: type[models.Model]) -> None:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            assert field.remote_field.on_delete is not models.DO_NOTHING, field


def test_the_app_role_owns_nothing(city: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
                       " WHERE rolname = current_user")  # fmt: skip
        user, *rights = cursor.fetchone()
        assert user == "parvis_app" and not any(rights)
        cursor.execute(
            "SELECT count(*) FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE r.rolname = current_user"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = 'parvis_owner'")
        assert cursor.fetchone()[0] > 40  # the control: the question finds tables when they are somebody's


#: physical directions, which are wrong for half of our readers
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)(?:-\w+)?|left|right|border-(?:top|bottom)-(?:left|right)-radius)"
    r"\s*:|text-align\s*:\s*(?:left|right)|float\s*:\s*(?:left|right)|clear\s*:\s*(?:left|right)"
)


def physical_directions(css: str) -> list[str]:
    return PHYSICAL.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.S))


def test_css_has_logical_directions_only() -> None:
    sheets = list(SRC.rglob("static/**/*.css"))
    assert sheets
    for sheet in sheets:
        assert not physical_directions(sheet.read_text()), sheet
    for wrong in ("a{margin-left:1px}", "a{ text-align: right }", "a{left:0}", "a{float : left}"):
        assert physical_directions(wrong), wrong


TEMPLATES = sorted(SRC.rglob("templates/**/*.html"))
#: what may stand untranslated: names, codes, symbols
UNTRANSLATED = re.compile(r"^(?:[\W\d_]*|Parvis|HSDS|JSON|CSV|API|ndjson|QR|OpenAPI|PDF|ID|UUID|GeoJSON|km|h)*$", re.I)
TAGS = re.compile(
    r"\{%\s*blocktrans(?:late)?\b.*?%\}.*?\{%\s*endblocktrans(?:late)?\s*%\}"
    r"|\{%\s*comment\s*.*?endcomment\s*%\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}",
    re.S,
)
SPOKEN_ATTRIBUTES = {"alt", "title", "placeholder", "aria-label", "aria-description", "label", "summary"}
CODE = {"script", "style", "code", "pre", "kbd", "samp"}


class Sentences(HTMLParser):
    """Text and spoken attributes of a template once every Django tag is taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []  # open elements whose text is code, or a sample in a language it names

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        sample = tag != "html" and bool((given.get("lang") or "").strip())
        if (self.silent and tag == self.silent[-1]) or sample or tag in CODE:
            self.silent.append(tag)
        for name, value in given.items():
            if value and name in SPOKEN_ATTRIBUTES and not sample:
                self.found.append(value)
        if tag == "meta" and given.get("name") == "description":
            self.found.append(given.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def untranslated(template: str) -> list[str]:
    parser = Sentences()
    # the block `width` of kit/base.html holds a class and no sentence
    template = re.sub(r"{% block width %}[a-z -]*{% endblock %}", "", template)
    parser.feed(TAGS.sub(" ", template))
    return [" ".join(text.split()) for text in parser.found if not UNTRANSLATED.match(text.strip())]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_every_template_string_is_translatable(path: Path) -> None:
    assert not untranslated(path.read_text())


def test_an_untranslated_string_is_found() -> None:
    assert untranslated("<p>Welcome</p>") == ["Welcome"]
    assert untranslated('<img alt="A house">') == ["A house"]
    assert not untranslated("<p>{% translate 'Welcome' %} · Parvis</p>")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_no_inline_script_or_style(path: Path) -> None:
    text = TAGS.sub("x", path.read_text())
    assert not re.search(r"\son\w+\s*=", text), "an event handler in an attribute"
    assert not re.search(r"\sstyle\s*=", text), "a style attribute"
    assert "<style" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, script


def test_views_never_ask_the_tables_themselves() -> None:
    for path in [*SRC.rglob("views.py"), *SRC.rglob("views/*.py")]:
        assert ".objects" not in path.read_text() or path.parent.name == "site", path


def test_no_word_for_a_drawer_of_odds_and_ends() -> None:
    odd = {"utils", "helpers", "helper", "manager", "managers", "misc", "common", "tools"}
    assert not [path for path in SRC.rglob("*.py") if path.stem in odd]


@pytest.mark.parametrize("language", ["fr", "ar", "es"])
def test_every_sentence_of_the_interface_is_said_in(language: str) -> None:
    from parvis.kit.catalogues import missing

    assert not missing(language)


def test_catalogues_keep_their_placeholders() -> None:
    """A translation that drops or misspells %(name)s breaks the page: compare them, msgid by msgid."""
    from babel.messages.pofile import read_po

    wrong = []
    for path in (SRC / "locale").glob("*/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            catalog = read_po(file)
        for message in catalog:
            if not message.id:
                continue
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            wanted = {name for part in ids for name in re.findall(r"%\((\w+)\)", part)}
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            for string in strings:
                names = set(re.findall(r"%\((\w+)\)", string or ""))
                # a plural form may say its number in a word (Arabic's dual does)
                if string and not (names <= wanted and (names == wanted or len(strings) > 1)):
                    wrong.append(f"{path.parent.parent.name}: {ids[0]}")
    assert not wrong
