"""Words for codes of a list."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template

from parvis.arrivals import queries, wording
from parvis.arrivals.models import Surge
from parvis.cases.models.people import Relation
from parvis.core.manifest import Problem

register = template.Library()


@register.simple_tag
def present_surge() -> Surge | None:
    """The surge that holds now, on pages of other apps that open a file."""
    return queries.surge()


@register.filter
def basis(code: str) -> str:
    """Why rows are proposed as one household."""
    return str(wording.BASES.get(code, ""))


@register.filter
def relation(code: str) -> str:
    return str(Relation(code).label) if code in Relation.values else ""


@register.filter
def problem(one: Problem) -> str:
    return wording.problem(one)


@register.filter
def reasons(codes: Iterable[str]) -> list[str]:
    return wording.reasons(codes)


@register.filter
def at(values: Sequence[Any], place: int) -> Any:
    """One of several, by its place."""
    return values[place] if place < len(values) else ""
