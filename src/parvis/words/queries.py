"""Reading translations of content: what a page shows, what search indexes, what remains to be done."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection

from parvis.core.language import fallback
from parvis.words.models import Origin, Phrase, Rendering
from parvis.words.rules import digest, worth_saying

State = Literal["missing", "stale", "machine", "done"]
#: How many edits back an older rendering is still better than the source.
REACH = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as a reader gets it. `origin`: source, human, machine or reviewed; `stale`: says an older version.

    `assumed`: nobody has said in which language the text is; `language` is then the city's.
    """

    text: str
    language: str
    origin: str
    stale: bool = False
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One text of one object, in one language: `state`, and the rendering it has (perhaps an older one's)."""

    object_type: str
    object_id: Any
    field: str
    text: str
    state: State
    rendering: str = ""


_LINES = """
WITH RECURSIVE line(asked, digest, follows, language, depth) AS (
    SELECT digest, digest, follows_id, language, 0 FROM words_phrase WHERE digest = ANY(%(digests)s)
    UNION ALL
    SELECT line.asked, p.digest, p.follows_id, line.language, line.depth + 1
    FROM line JOIN words_phrase p ON p.digest = line.follows WHERE line.depth < %(reach)s
)
SELECT line.asked, line.language, line.depth, r.language, r.text, r.origin
FROM line LEFT JOIN words_rendering r ON r.phrase_id = line.digest AND r.language = ANY(%(chain)s)
"""


def render(texts: Iterable[str], language: str, chain: Sequence[str] | None = None) -> dict[str, Shown]:
    """Each text in the reader's language, in one query.

    language: BCP 47 tag of the reader. chain: tags that serve them, best first (default: the tag and its shorter
    forms). The answer has every text asked for: its rendering (origin says whether a machine made it), else that of
    the text it replaced (`stale`), else itself with origin "source".
    """
    wanted = {text for text in texts if text}
    tags = tuple(chain) if chain else fallback(language)
    source = _default_language()
    shown = {text: Shown(text, source, "source", assumed=True) for text in wanted}
    by_digest = {digest(text): text for text in wanted if worth_saying(text)}
    if not by_digest:
        return shown
    own: dict[bytes, str] = {}
    best: dict[bytes, tuple[tuple[bool, int, int], Shown]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LINES, {"digests": list(by_digest), "reach": REACH, "chain": list(tags)})
        for asked, spoken, depth, target, text, origin in cursor.fetchall():
            key = bytes(asked)
            own[key] = spoken
            if target is None:
                continue
            rank = (depth > 0, tags.index(target) if depth == 0 else depth, tags.index(target))
            if key not in best or rank < best[key][0]:
                best[key] = (rank, Shown(text, target, origin, stale=depth > 0))
    for key, spoken in own.items():
        text = by_digest[key]
        shown[text] = Shown(text, spoken, "source")
        # A text that already is in one of the reader's languages is not replaced by a rendering.
        if key in best and spoken not in tags:
            shown[text] = best[key][1]
    return shown


def languages(texts: Iterable[str]) -> dict[str, str]:
    """In which language each of these texts is written: where nobody has said, the city's first."""
    by_digest = {digest(text): text for text in texts if text}
    known = Phrase.objects.filter(digest__in=list(by_digest)).values_list("digest", "language")
    return dict.fromkeys(by_digest.values(), _default_language()) | {by_digest[bytes(k)]: said for k, said in known}


def has_others(language: str) -> bool:
    """Whether some text is known to be in another language than this."""
    return Phrase.objects.exclude(language=language).exists()


def spoken(texts: Iterable[str]) -> dict[str, list[Shown]]:
    """Every current rendering of each text in every language, in one query: what search indexes."""
    by_digest = {digest(text): text for text in texts if text}
    found: dict[str, list[Shown]] = defaultdict(list)
    rows = Rendering.objects.filter(phrase__in=list(by_digest)).order_by("language")
    for key, language, text, origin in rows.values_list("phrase_id", "language", "text", "origin"):
        found[by_digest[bytes(key)]].append(Shown(text, language, origin))
    return dict(found)


# Equal texts are one piece of work, so they are made one before anything is computed about them.
_WORK = """
WITH RECURSIVE used(object_type, object_id, field, text) AS NOT MATERIALIZED ({used}),
asked AS MATERIALIZED (
    SELECT text, sha256(convert_to(text, 'UTF8')) AS digest FROM (SELECT DISTINCT text FROM used) each
    WHERE text ~ '[[:alpha:]]'
),
line(asked, digest, follows, depth) AS (
    SELECT p.digest, p.digest, p.follows_id, 0 FROM words_phrase p JOIN asked a ON a.digest = p.digest
    UNION ALL
    SELECT line.asked, p.digest, p.follows_id, line.depth + 1
    FROM line JOIN words_phrase p ON p.digest = line.follows WHERE line.depth < {reach}
),
known AS (
    SELECT DISTINCT ON (line.asked, r.language) line.asked, r.language, r.text, r.origin, line.depth
    FROM line JOIN words_rendering r ON r.phrase_id = line.digest AND r.language = ANY(%(languages)s)
    ORDER BY line.asked, r.language, line.depth
),
state AS (
    SELECT a.text, l.language, k.text AS rendering,
        CASE WHEN k.asked IS NULL THEN 'missing' WHEN k.depth > 0 THEN 'stale'
             WHEN k.origin = '{machine}' THEN 'machine' ELSE 'done' END AS state
    FROM asked a CROSS JOIN unnest(%(languages)s::text[]) AS l(language)
    LEFT JOIN words_phrase p ON p.digest = a.digest
    LEFT JOIN known k ON k.asked = a.digest AND k.language = l.language
    WHERE l.language <> coalesce(p.language, %(source)s)
)
"""


def _work(used: str) -> str:
    return _WORK.format(used=used, reach=REACH, machine=Origin.MACHINE.value)


def progress(used: str, parameters: dict[str, Any], languages: Sequence[str]) -> dict[str, dict[State, int]]:
    """How many texts are in which state, for each language.

    used: SQL giving (object_type, object_id, field, text), written by us, with `parameters` as its %(name)s.
    Equal texts count once: they are translated once.
    """
    counts: dict[str, dict[State, int]] = {
        language: {"missing": 0, "stale": 0, "machine": 0, "done": 0} for language in languages
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _work(used) + "SELECT language, state, count(*) FROM state GROUP BY language, state",
            {**parameters, "languages": list(languages), "source": _default_language()},
        )
        for language, state, count in cursor.fetchall():
            counts[language][state] = count
    return counts


def worklist(
    used: str,
    parameters: dict[str, Any],
    language: str,
    states: Sequence[State],
    *,
    offset: int = 0,
    limit: int = 25,
) -> tuple[list[Task], int]:
    """Texts in one of these states in their order, each with its first object, and how many there are in all."""
    with connection.cursor() as cursor:
        cursor.execute(
            _work(used)
            + """, page AS MATERIALIZED (
                   SELECT text, state, coalesce(rendering, '') AS rendering, count(*) OVER () AS total FROM state
                   WHERE state = ANY(%(states)s) ORDER BY text LIMIT %(limit)s OFFSET %(offset)s)
               SELECT DISTINCT ON (page.text) u.object_type, u.object_id, u.field, page.text, page.state,
                   page.rendering, page.total
               FROM page JOIN used u ON u.text = page.text
               ORDER BY page.text, u.object_type, u.object_id, u.field""",
            {
                **parameters,
                "languages": [language],
                "source": _default_language(),
                "states": list(states),
                "limit": limit,
                "offset": offset,
            },
        )
        rows = cursor.fetchall()
    return [Task(*row[:6]) for row in rows], rows[0][6] if rows else 0


def states(texts: Iterable[str], language: str) -> dict[str, tuple[State, Shown | None]]:
    """Each text's state in a language, and the rendering it has: for the side-by-side screen. One query.

    A text that is written in this language has none: it is not in the answer.
    """
    found: dict[str, tuple[State, Shown | None]] = {}
    for text, shown in render(texts, language, (language,)).items():
        if shown.origin == "source" and shown.language == language:
            continue
        if shown.origin == "source":
            found[text] = ("missing", None)
        elif shown.stale:
            found[text] = ("stale", shown)
        elif shown.origin == Origin.MACHINE:
            found[text] = ("machine", shown)
        else:
            found[text] = ("done", shown)
    return found


def _default_language() -> str:
    return getattr(connection.tenant, "default_language", "fr")
