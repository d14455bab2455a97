"""The page of a household: who they are, who may see them, what comes next."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from parvis.cases import queries
from parvis.cases.views.desk import at_desk, the_household


@at_desk()
def household(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who is in the household, as far as the viewer may see each."""
    found = the_household(request, pk)
    shown = {
        "household": found,
        "members": queries.members(request.user, found),
        "former": queries.members(request.user, found, ended=True),
    }
    return render(request, "cases/household.html", shown)
