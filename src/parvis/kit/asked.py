"""What an address or a form names: keys that anybody may have typed, so that each is judged before it is used."""

import uuid
from collections.abc import Iterable


def key(text: object) -> uuid.UUID | None:
    """The key that a text is, or None."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def keys(texts: Iterable[object]) -> list[uuid.UUID]:
    """The keys among some texts, each once, in their order; what is none is left out."""
    return list(dict.fromkeys(found for text in texts if (found := key(text))))
