"""The links of every page. A higher app adds its own from its `apps.py`: the kit knows no page by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from django.http import HttpRequest
from django.urls import get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language

#: "landing": where somebody's day begins when it is not where everybody's does; "opening": other ways to open a file
Place = Literal["header", "user", "footer", "landing", "opening"]


def everyone(request: HttpRequest) -> bool:
    return True


def signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated)


def signed_out(request: HttpRequest) -> bool:
    return not signed_in(request)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: a translated label, the name of a URL without arguments, an icon of the sprite, and who sees it.

    `posts` makes it a button of a small form (signing out must not be a GET).
    """

    label: str | Promise
    url_name: str
    icon: str = ""
    shown: Callable[[HttpRequest], bool] = everyone
    order: int = 50
    posts: bool = False


_links: dict[Place, list[Link]] = {"header": [], "user": [], "footer": [], "landing": [], "opening": []}


def register(place: Place, *links: Link) -> None:
    """Add links to a place of every page. Registering the same URL twice in one place replaces the first."""
    names = {link.url_name for link in links}
    _links[place] = sorted(
        [link for link in _links[place] if link.url_name not in names] + list(links),
        key=lambda link: link.order,
    )


def links(place: Place, request: HttpRequest) -> list[dict[str, object]]:
    """The links that this request may see, resolved: label, url, icon, current ("page", "true" or ""), posts."""
    path = getattr(request, "path", "")
    language = get_language()
    shown = [(link, _address(link.url_name, language, get_urlconf())) for link in _links[place] if link.shown(request)]
    # the nearest one above the page: a list's own link, not also the link of the list's parent
    above = max((url for _, url in shown if url.count("/") > 2 and path.startswith(url)), key=len, default="")
    return [
        {
            "label": link.label,
            "url": url,
            "icon": link.icon,
            "current": "page" if url == path else "true" if url == above else "",
            "posts": link.posts,
        }
        for link, url in shown
    ]


@lru_cache(maxsize=1000)  # a page asks for twenty, and they are the same on every page of a language
def _address(url_name: str, language: str | None, urlconf: str | None) -> str:
    return reverse(url_name)


@dataclass(frozen=True, slots=True)
class Band:
    """What an app shows under the header of every page: a template, and to whom. It must cost no question."""

    code: str
    template: str
    shown: Callable[[HttpRequest], bool] = everyone


_bands: dict[str, Band] = {}


def register_band(band: Band) -> None:
    """Registering a code twice replaces the first."""
    _bands[band.code] = band


def bands(request: HttpRequest) -> list[str]:
    """Templates of the bands that this request may see."""
    return [band.template for band in _bands.values() if band.shown(request)]


def landing(request: HttpRequest) -> str:
    """The address at which this person's day begins, or "" for where everybody's does."""
    return next((str(link["url"]) for link in links("landing", request)), "")
