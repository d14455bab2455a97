"""What every page about people begins with: one transaction, in which the database knows for whom it works."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from parvis.accounts.rules import require
from parvis.cases import queries, rules
from parvis.cases.models import Household, Person

View = Callable[..., HttpResponse]
UNPROCESSABLE = 422


def at_desk(allowed: Callable[[Any], bool] = rules.may_see_files) -> Callable[[View], View]:
    """For viewers of whom `allowed(viewer)` holds; others are refused, and the refusal is noted.

    The whole view is one transaction: the security context lives in it, and half a write never stays.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(allowed(request.user), f"cases.{view.__name__}")
            with transaction.atomic():
                return view(request, *args, **kwargs)

        return shown

    return decorate


def the_household(request: HttpRequest, pk: uuid.UUID) -> Household:
    """The household of the address; 404 when it is not there or not for this viewer."""
    return queries.household(request.user, pk)


def the_person(request: HttpRequest, pk: uuid.UUID) -> Person:
    """The person of the address; 404 when they are not there or not for this viewer."""
    return queries.person(request.user, pk)
