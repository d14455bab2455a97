import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core import language, vocabulary


@pytest.mark.parametrize(
    ("given_tag", "canonical"),
    [
        ("FR_ca", "fr-CA"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("spa", "es"),
        ("iw", "he"),
        ("es-419", "es-419"),
        ("sr-latn", "sr-Latn"),
    ],
)
def test_tags_are_written_in_one_way(given_tag: str, canonical: str) -> None:
    assert language.normalise(given_tag) == canonical
    assert language.normalise(canonical) == canonical


@pytest.mark.parametrize("text", ["", "x", "French language", "fr-", "-fr", "français", "fr--CA", "a" * 200, "\0"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a language tag"):
        language.parse(text)


def test_fallback_shortens_then_tries_the_defaults_once() -> None:
    assert language.fallback("fr-CA", "en", "fr") == ("fr-CA", "fr", "en")
    assert language.fallback("zh-Hant-HK") == ("zh-Hant-HK", "zh-Hant", "zh")
    assert language.fallback("nonsense!", "ar") == ("ar",)


def test_best_serves_the_nearest_language_that_there_is() -> None:
    assert language.best("fr-CA", ["en", "fr"]) == "fr"
    assert language.best("fr", ["en", "fr-CA"]) == "fr-CA"
    assert language.best("uk", ["fr", "en"], "en", "fr") == "en"
    assert language.best("uk", ["fr"], "en") is None


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        ("ar", "rtl"),
        ("fa-AF", "rtl"),
        ("ur", "rtl"),
        ("fr", "ltr"),
        ("pa", "ltr"),
        ("pa-Arab", "rtl"),
        ("ar-Latn", "ltr"),
        ("?", "ltr"),
    ],
)
def test_direction(tag: str, direction: str) -> None:
    assert language.direction(tag) == direction


def test_names_of_languages() -> None:
    assert [language.own_name(tag) for tag in ("fr", "en", "ar", "es", "ht")] == [
        "Français", "English", "العربية", "Español", "Kreyòl ayisyen",
    ]  # fmt: skip
    assert language.name("ar", "fr") == "arabe"
    assert language.name("zh-Hant", "fr") == "chinois traditionnel"
    assert language.name("qqx", "fr") == "qqx"


@pytest.mark.parametrize(
    ("written", "tag"),
    [("Spanish", "es"), ("espagnol", "es"), ("Español", "es"), ("العربية", "ar"), ("fr-CA", "fr-CA"),
     ("créole haïtien", "ht"),
     ("Mandarin", "zh"), ("ARABE", "ar"), ("Klingonish", None), ("", None)],
)  # fmt: skip
def test_a_language_is_known_by_its_names(written: str, tag: str | None) -> None:
    assert language.from_name(written) == tag


def test_folding_takes_away_case_accents_and_letter_variants() -> None:
    assert language.fold("Éducation à l’ÉCOLE, cœur") == "education a l'ecole, coeur"
    assert language.fold("أُسْرَة") == language.fold("اسره")
    assert language.fold("مـــدرسة") == language.fold("مدرسه")
    assert language.fold("E\u0301cole") == "ecole"
    assert language.fold("٢٠٢٦") == "2026"


SAME = [
    "abogado abogada abogados abogadas ABOGADO",
    "école écoles ECOLE ecole l'école d’écoles",
    "hôpital hôpitaux hopital",
    "familial familiale familiaux familiales",
    "family families",
    "garderie garderies",
    "employé employée employés employées",
    "travailleur travailleuse travailleurs travailleuses",
    "animateur animatrice animatrices",
    "house houses housing",
    "class classes",
    "mujer mujeres",
    "luz luces",
    "child children children's",
    "life lives",
    "travail travaux",
    "bureau bureaux",
    "niño niña niños niñas",
    "لغة اللغة لغات اللغات واللغة باللغة",
    "درس دروس الدروس والدروس",
    "لاجئ لاجئون لاجئين اللاجئين",
    "محامي محام محامون المحامي والمحامين",
    "طفل أطفال الأطفال للأطفال",
    "مدرسة مدارس المدارس",
    "مجانا مجاني مجانية",
    "C.L.S.C. CLSC clsc",
]


@pytest.mark.parametrize("forms", SAME)
def test_forms_of_one_word_have_one_stem(forms: str) -> None:
    stems = [language.tokens(form) for form in forms.split()]
    assert all(len(found) == 1 for found in stems), stems
    assert len({found[0] for found in stems}) == 1, stems


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("école", "église"),
        ("avocat", "avocette"),
        ("cours", "course"),
        ("soin", "soir"),
        ("محامي", "محاسب"),
        ("job", "joie"),
    ],
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert language.tokens(one) != language.tokens(other)


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Je cherche une école pour mes enfants", ["ecole", "enfants"]),
        ("ecole pour mes enfants", ["ecole", "enfants"]),
        ("J'ai besoin d'aide pour trouver un logement", ["logement"]),
        ("aide alimentaire", ["aide", "alimentaire"]),
        ("I need help with housing", ["housing"]),
        ("necesito un abogado", ["abogado"]),
        ("أحتاج إلى محامي", ["محامي"]),
        ("أحتاج مساعدة في تعلم اللغة", ["تعلم", "اللغه"]),
        ("sans papiers", ["sans", "papiers"]),
        ("je cherche", ["cherche"]),
        ("cours cours COURS", ["cours"]),
        ("the of de la", []),
        ("", []),
    ],
)
def test_a_question_keeps_what_it_asks_for(question: str, kept: list[str]) -> None:
    assert [word.typed for word in language.asked(question)] == kept


def test_words_of_scripts_without_spaces_are_pairs_of_characters() -> None:
    assert language.tokens("中文学校") == ["中文", "文学", "学校"]
    assert set(language.tokens("学校")) <= set(language.tokens("中文学校"))


def test_a_question_is_bounded() -> None:
    assert len(language.asked(" ".join(f"mot{number}" for number in range(100_000)))) == language.MOST_WORDS
    assert all(len(word.stem) <= language.LONGEST for word in language.asked("a" * 10_000))


def test_ways_of_asking_are_not_stop_words() -> None:
    # a stop word never reaches the index, so it must not hide in a service's name
    assert not language.STOP & {"aide", "help", "ayuda", "sans", "car", "main"}
    assert not set(vocabulary.HELP.split()) & language.STOP


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = language.fold(text)
    assert language.fold(once) == once


@given(st.text())
def test_any_text_gives_clean_tokens(text: str) -> None:
    for token in language.tokens(text):
        assert token
        assert "\0" not in token
        assert not set(token) & set(" '.")
        assert len(token) <= language.LONGEST


@given(st.text())
def test_composed_and_decomposed_texts_have_the_same_tokens(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert language.tokens(composed) == language.tokens(unicodedata.normalize("NFD", composed))
