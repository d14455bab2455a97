"""All open plans counted anew, by the worker: how far it has come."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from parvis.accounts.rules import require
from parvis.plans import rules, tasks, versions


def rederive(request: HttpRequest) -> HttpResponse:
    """Ask for it, and watch it; the page asks again by itself while it runs."""
    require(rules.may_keep_protocol(request.user), "plans.rederived")
    if request.method == "POST":
        number = request.POST.get("number", "")
        tasks.ask(versions.published(int(number)) if number.isdecimal() else None, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("It is asked for: the worker counts all open plans anew."))
        return redirect("plans:rederive")
    shown = {"progress": tasks.progress(), "current": versions.current()}
    return render(request, "plans/rederive.html", shown)
