"""Finding a file, and opening one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.cases import queries, rules
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.forms import FindForm, HeadForm, MemberFormSet
from parvis.cases.models.access import Basis
from parvis.cases.views.desk import UNPROCESSABLE, at_desk

PER_PAGE = 50


@at_desk()
def find(request: HttpRequest) -> HttpResponse:
    """People of one's own organization, those shared with it, and search over both."""
    form = FindForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    basis = request.GET.get("show", Basis.OWN)
    if basis not in Basis.values:
        basis = Basis.OWN
    number = max(1, int(page)) if (page := request.GET.get("page", "")).isdecimal() else 1
    counts = queries.counts(request.user)
    total = sum(counts.get(basis, {}).values())
    found = (
        queries.search(request.user, text)
        if text
        else queries.page(request.user, basis=basis, offset=(number - 1) * PER_PAGE, size=PER_PAGE)
    )
    shown = {
        "form": form,
        "text": text,
        "found": found,
        "basis": basis,
        "tabs": [
            {
                "text": Basis(code).label,
                "url": f"?show={code}",
                "current": code == basis and not text,
                "count": sum(numbers.values()),
            }
            for code, numbers in sorted(counts.items())
        ],
        "number": number,
        "pages": -(-total // PER_PAGE),
        "may_open": bool(rules.holders(request.user)),
    }
    return render(request, "cases/find.html", shown, status=200 if form.is_valid() else UNPROCESSABLE)


@at_desk()
def new(request: HttpRequest) -> HttpResponse:
    """Open a file in one screen: the head, and whoever came along."""
    head = HeadForm(request.POST or None, prefix="head")
    members = MemberFormSet(request.POST or None, prefix="members")
    if request.method == "POST" and "more" not in request.POST and head.is_valid() and members.is_valid():
        household = people.open_household(
            NewHousehold(
                holder=rules.holders(request.user)[0],
                members=[_new(head.cleaned_data), *(_new(one) for one in members.cleaned_data if one.get("name"))],
                opened_on=timezone.localdate(),
            ),
            by=request.user,  # type: ignore[arg-type]
        )
        messages.success(request, _("The file %(reference)s is open.") % {"reference": household.reference})
        return redirect("cases:household", pk=household.pk)
    failed = request.method == "POST" and "more" not in request.POST
    return render(
        request, "cases/new.html", {"head": head, "members": members}, status=UNPROCESSABLE if failed else 200
    )


def _new(given: dict[str, object]) -> NewPerson:
    fields = {name: given[name] for name in NewPerson.__dataclass_fields__ if given.get(name)}
    return NewPerson(**fields)  # type: ignore[arg-type]
