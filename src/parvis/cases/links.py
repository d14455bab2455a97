"""Links of a person's page that lead to higher apps: cases know none of them by name."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class PersonLink:
    """`url_name` takes the person's id (`pk`). Shown to whoever keeps the person's file."""

    label: str | Promise
    url_name: str
    icon: str


_links: dict[str, PersonLink] = {}


def register(link: PersonLink) -> None:
    """Called from an app's `apps.py`. Registering an address twice replaces the first."""
    _links[link.url_name] = link


def of_person(pk: Any) -> list[dict[str, Any]]:
    """Label, address and icon of each."""
    return [
        {"label": link.label, "url": reverse(link.url_name, args=[pk]), "icon": link.icon} for link in _links.values()
    ]
