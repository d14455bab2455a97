"""What every page knows: the city, the languages it can be read in, and its own address in each."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_bidi, get_language_info


def page(request: HttpRequest) -> dict[str, Any]:
    """Template context: `city`, `language`, `direction`, `languages` [{code, name, direction, url, current}].

    The languages are those of the city that also have an interface; each is called by its own name.
    """
    language = get_language() or settings.LANGUAGE_CODE
    city = getattr(request, "city", None)
    known = dict(settings.LANGUAGES)
    spoken = [code for code in (getattr(city, "languages", None) or known) if code in known]
    return {
        "city": city,
        "language": language,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "languages": [
            {
                "code": code,
                "name": known[code],
                "direction": "rtl" if get_language_info(code)["bidi"] else "ltr",
                "url": in_language(request, code),
                "current": code == language,
            }
            for code in spoken
        ],
        "demo": not settings.PRODUCTION,
    }


def in_language(request: HttpRequest, code: str) -> str:
    """The address of the same page in another language: the first part of a path is the language, the rest stays.

    A path without a language (an error page outside the pages) leads home.
    """
    parts = request.path.split("/", 2)
    if len(parts) < 3 or parts[1] not in dict(settings.LANGUAGES):
        return f"/{code}/"
    query = urlsplit(request.get_full_path()).query
    return f"/{code}/{parts[2]}" + (f"?{query}" if query else "")
