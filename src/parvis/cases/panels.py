"""What higher apps add to the household page: cases know no plan, no appointment and no message by name.

A panel is registered in its app's `apps.py`. Its `load` runs in the page's transaction, after the page has found what
the viewer may see, and asks a fixed number of questions; returning None leaves the panel out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest

from parvis.cases.glance import Glance

#: "top": under the name, before everything; "main": below who lives here; "side": beside it
Place = Literal["top", "main", "side"]
Load = Callable[[HttpRequest, Glance], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of the household page: its template gets `panel` (what `load` returned) beside the page's context."""

    code: str
    template: str
    load: Load
    order: int = 50


_panels: dict[Place, list[Panel]] = {"top": [], "main": [], "side": []}


def register(place: Place, *panels: Panel) -> None:
    """Add panels to a place of the household page. Registering a code twice replaces the first."""
    codes = {panel.code for panel in panels}
    kept = [panel for panel in _panels[place] if panel.code not in codes]
    _panels[place] = sorted([*kept, *panels], key=lambda panel: panel.order)


def shown(request: HttpRequest, seen: Glance) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """The panels of each place for this viewer: pairs of template and what it shows."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for place, panels in _panels.items():
        loaded = [(panel.template, panel.load(request, seen)) for panel in panels]
        found[place] = [(template, shows) for template, shows in loaded if shows is not None]
    return found


# -- the newcomer's own page ------------------------------------------------------------------------------------------

OwnLoad = Callable[[HttpRequest, Any], dict[str, Any] | None]
_own: dict[str, tuple[str, OwnLoad]] = {}


def register_own(code: str, template: str, load: OwnLoad) -> None:
    """Add a piece to the newcomer's own page; `load` gets the request and the Person."""
    _own[code] = (template, load)


def shown_own(request: HttpRequest, person: Any) -> list[tuple[str, dict[str, Any]]]:
    """Pairs of template and what it shows."""
    loaded = [(template, load(request, person)) for template, load in _own.values()]
    return [(template, shows) for template, shows in loaded if shows is not None]
