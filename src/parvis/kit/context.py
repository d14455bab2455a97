"""What every page knows: the city, the languages it can be read in, and its own address in each."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.translation import get_language, get_language_bidi


def page(request: HttpRequest) -> dict[str, Any]:
    """Template context: `city`, `language`, `direction` ("ltr"/"rtl"), `languages` [{code, name, url, current}]."""
    here = request.get_full_path()
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "city": getattr(request, "city", None),
        "language": language,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "languages": [
            {"code": code, "name": name, "url": translate_url(here, code), "current": code == language}
            for code, name in settings.LANGUAGES
        ],
        "demo": not settings.PRODUCTION,
    }
