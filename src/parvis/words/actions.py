"""Writing translations: one, many at once, and the thread from a text to the one that replaced it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from parvis.core.language import normalise
from parvis.words.models import Origin, Phrase, Rendering
from parvis.words.rules import digest, worth_saying

#: one translation in bulk: text, its language, target language, rendering, origin ("" is human)
LoadRow = tuple[str, str, str, str, str]


def present(text: str, language: str) -> str:
    """What `text` is in `language` now; empty when nobody has said it."""
    found = Rendering.objects.filter(phrase=digest(text), language=normalise(language)).values_list("text", flat=True)
    return found.first() or ""


def _phrase(text: str, language: str) -> Phrase:
    phrase, _ = Phrase.objects.get_or_create(digest=digest(text), defaults={"text": text, "language": language})
    return phrase


@transaction.atomic
def say(
    text: str,
    language: str,
    rendering: str,
    *,
    by: Any,
    origin: str = Origin.HUMAN,
    source_language: str = "",
) -> str | None:
    """Write what `text` is in `language`; an empty `rendering` takes the translation away.

    Returns what was said before (None when nothing was). Raises ValueError when `language` is no BCP 47 tag or
    `origin` is unknown. The ledger and the search index are the business of the app whose text it is: call
    `directory.actions.translate` from a page.
    """
    target, said = normalise(language), rendering.strip()
    if origin not in Origin.values:
        raise ValueError(f"unknown origin: {origin}")
    phrase = _phrase(text, source_language or connection.tenant.default_language)
    former = Rendering.objects.select_for_update().filter(phrase=phrase, language=target).first()
    before = former.text if former else None
    if said:
        Rendering.objects.update_or_create(
            phrase=phrase,
            language=target,
            defaults={
                "text": said,
                "origin": origin,
                "by": by if hasattr(by, "pk") else None,
                "at": timezone.now(),
            },
        )
    elif former:
        former.delete()
    return before


@transaction.atomic
def load(rows: Iterable[LoadRow], *, replace: bool = False) -> int:
    """Write many translations at once; returns how many. Those that exist stay, unless `replace`."""
    now = timezone.now()
    phrases: dict[bytes, Phrase] = {}
    renderings: dict[tuple[bytes, str], Rendering] = {}
    for text, source, language, said, origin in rows:
        if not (worth_saying(text) and said.strip()):
            continue
        key, target = digest(text), normalise(language)
        phrases[key] = Phrase(digest=key, language=normalise(source), text=text)
        renderings[key, target] = Rendering(
            phrase_id=key, language=target, text=said.strip(), origin=origin or Origin.HUMAN, at=now
        )
    if not renderings:
        return 0
    Phrase.objects.bulk_create(phrases.values(), ignore_conflicts=True, batch_size=2000)
    before = 0 if replace else Rendering.objects.count()
    if replace:
        Rendering.objects.bulk_create(
            renderings.values(),
            update_conflicts=True,
            unique_fields=["phrase", "language"],
            update_fields=["text", "origin", "at"],
            batch_size=2000,
        )
        written = len(renderings)
    else:
        Rendering.objects.bulk_create(renderings.values(), ignore_conflicts=True, batch_size=2000)
        written = Rendering.objects.count() - before
    return written


def speak(used: str, parameters: Mapping[str, Any], language: str) -> int:
    """Say in which language texts are written; returns of how many that was not known, or known otherwise.

    used: SQL giving (object_type, object_id, field, text), written by us, with `parameters` as its %(name)s.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO words_phrase (digest, language, text)
                SELECT DISTINCT ON (text) sha256(convert_to(text, 'UTF8')), %(language)s, text
                FROM ({used}) used(object_type, object_id, field, text) WHERE text ~ '[[:alpha:]]'
                ON CONFLICT (digest) DO UPDATE SET language = excluded.language
                WHERE words_phrase.language <> excluded.language""",
            {**parameters, "language": normalise(language)},
        )
        return cursor.rowcount


def replaced(texts: Mapping[str, str]) -> None:
    """Tell that texts were edited: {former text: new text}. Older renderings are then shown with a notice.

    Only texts that were translated leave a thread; the caller holds the transaction. A thread never closes into a
    circle: a text that comes back keeps the renderings it had.
    """
    pairs = {digest(old): new for old, new in texts.items() if old != new and worth_saying(old) and worth_saying(new)}
    if not pairs:
        return
    known = {bytes(p.digest): p for p in Phrase.objects.filter(digest__in=[*pairs, *map(digest, pairs.values())])}
    for old, new in pairs.items():
        if old not in known:
            continue
        key = digest(new)
        if key not in known:
            known[key] = Phrase.objects.create(digest=key, language=known[old].language, text=new, follows_id=old)
        elif known[key].follows_id is None and key not in _ancestors(old):
            known[key].follows_id = old
            known[key].save(update_fields=["follows"])


def _ancestors(key: bytes) -> set[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE up(digest, follows) AS (
                 SELECT digest, follows_id FROM words_phrase WHERE digest = %s
                 UNION SELECT p.digest, p.follows_id FROM words_phrase p JOIN up ON p.digest = up.follows)
               SELECT digest FROM up""",
            [key],
        )
        return {bytes(row[0]) for row in cursor.fetchall()}
