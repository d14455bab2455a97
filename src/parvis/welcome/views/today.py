"""Today: what an agent's day is made of."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from parvis.welcome import offline
from parvis.welcome.views.away import for_agents


@for_agents
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    return render(request, "welcome/today.html", {"offline_hours": offline.hours()})


@for_agents
@require_GET
def kept(request: HttpRequest) -> HttpResponse:
    """The day's list for a browser that may keep it, sealed."""
    steps: list[dict[str, Any]] = []
    return JsonResponse({"steps": steps})
