"""The banner of an emergency access: on every page as long as it lasts."""

from typing import Any

from django import template
from django.db import connection

from parvis.cases import registers

register = template.Library()


@register.inclusion_tag("cases/privacy/banner.html", takes_context=True)
def glass_banner(context: template.Context) -> dict[str, Any]:
    """Says until when an emergency access lasts, and ends it. Nothing for who holds none."""
    request = context.get("request")
    # a page that is rendered outside a transaction reads nothing about people
    held = registers.open_glass(request.user) if request is not None and connection.in_atomic_block else None
    return {"glass": held, "request": request, "csrf_token": context.get("csrf_token")}


@register.simple_tag
def happenings() -> dict[str, tuple[Any, Any, str]]:
    """What can happen to a household: code -> name, a sentence that helps to choose, an icon."""
    from parvis.cases.views.household import HAPPENINGS

    return HAPPENINGS
