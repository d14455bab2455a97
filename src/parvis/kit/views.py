"""The component gallery, and the pages for when something is not as it should be."""

import datetime as dt
import re

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.kit.forms import SampleForm


@login_not_required
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component with its states; what a designer or a developer looks at before drawing anything new."""
    now = timezone.now()
    context = {
        "icons": sprite(),
        "colours": COLOURS,
        "form": SampleForm(initial={"name": "Alice", "language": "fr"}),
        "wrong": SampleForm({"email": "alice", "language": "fr"}, auto_id="wrong_%s"),
        "tabs": [
            {"text": _("List"), "url": "?tab=list#tabs", "icon": "list", "current": request.GET.get("tab") != "map"},
            {"text": _("Map"), "url": "?tab=map#tabs", "icon": "map", "current": request.GET.get("tab") == "map"},
        ],
        "headings": [_("Name"), _("Language"), _("Open")],
        "rows": [
            ["Maison des Deux Rives", "Français, العربية", _("Monday")],
            ["Atelier du Port", "Français, Español", _("Tuesday")],
        ],
        "events": [
            {"at": now, "title": _("Confirmed"), "by": "Alice", "now": True},
            {"at": now - dt.timedelta(days=12), "title": _("Changed"), "by": "Bob", "text": _("Opening hours")},
        ],
    }
    return render(request, "kit/gallery.html", context)


COLOURS = [
    "paper", "surface", "sunken", "ink", "ink-soft", "line", "line-strong", "brand", "brand-tint", "dusk", "lamp",
    "lamp-tint", "good", "warn", "bad", "info",
]  # fmt: skip


def sprite() -> list[str]:
    """Names of the icons, as the sprite has them."""
    path = finders.find("kit/icons.svg")
    if not isinstance(path, str):
        return []
    with open(path, encoding="utf-8") as file:
        return re.findall(r'<symbol id="([a-z]+)"', file.read())
