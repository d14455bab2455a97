"""What every page about people begins with: one transaction, in which the database knows for whom it works."""

import logging
import uuid
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from parvis.accounts.rules import require
from parvis.cases import queries, rules
from parvis.cases.models import Household, Person
from parvis.core.access import DataClass, names
from parvis.kit.sealing import Unreadable
from parvis.ledger.actions import seen

View = Callable[..., HttpResponse]
UNPROCESSABLE = 422
CONFLICT = 409
GONE = 410

log = logging.getLogger(__name__)


def at_desk(allowed: Callable[[Any], bool] = rules.may_see_files) -> Callable[[View], View]:
    """For viewers of whom `allowed(viewer)` holds; others are refused, and the refusal is noted.

    The whole view is one transaction: the security context lives in it, and half a write never stays. Rows whose key
    is gone (erased, and back with an old backup) are said to be so.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(allowed(request.user), f"cases.{view.__name__}")
            try:
                with transaction.atomic():
                    return view(request, *args, **kwargs)
            except Unreadable:
                log.exception("sealed words without their key")
                return render(request, "cases/unreadable.html", status=GONE)

        return shown

    return decorate


def the_household(request: HttpRequest, pk: uuid.UUID) -> Household:
    """The household of the address; 404 when it is not there or not for this viewer."""
    return queries.household(request.user, pk)


def the_person(request: HttpRequest, pk: uuid.UUID) -> Person:
    """The person of the address; 404 when they are not there or not for this viewer."""
    return queries.person(request.user, pk)


def looked(request: HttpRequest, sight: queries.Sight, wanted: Iterable[uuid.UUID] | None = None) -> None:
    """Tell the ledger of whom this page shows something, which classes of data, and why the viewer may see them: once
    an hour for each person."""
    alike: dict[tuple[int, str], list[uuid.UUID]] = {}
    for person in sight.classes if wanted is None else wanted:
        alike.setdefault((sight.classes[person], sight.bases.get(person, "")), []).append(person)
    for (classes, basis), persons in alike.items():
        shown = [name for name in names(classes) if name != DataClass.PLAN.name.lower()]  # type: ignore[union-attr]
        seen(persons, by=request.user, of=Person, fields=shown, reason=str(basis))


def writer(sight: queries.Sight, person: Person, action: str) -> None:
    """Only for who keeps the person's file. Raises Denied."""
    require(person.pk in sight.writes, action, person)
