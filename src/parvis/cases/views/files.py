"""Finding a file, and opening one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.cases import queries, rules
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.desk import UNPROCESSABLE, at_desk
from parvis.cases.entry_forms import FindForm, HeadForm, MemberFormSet
from parvis.cases.models.access import Basis

PER_PAGE = 50


#: lists of people: why the viewer sees them -> what the list is called
TABS = {
    Basis.LEAD: __("My files"), Basis.OWN: __("Everybody's files"), Basis.CONSENT: __("Shared with us"),
    Basis.NAMED: __("Restricted files"), Basis.BREAK_GLASS: __("Emergency access"),
}  # fmt: skip


@at_desk()
def find(request: HttpRequest) -> HttpResponse:
    """People by why the viewer sees them, and search over all of them. htmx asks the same address for the answer."""
    form = FindForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    counts = queries.counts(request.user)
    asked = request.GET.get("show", "")
    basis = asked if asked in TABS else next((code for code in TABS if counts.get(code)), Basis.OWN)
    number = max(1, int(page)) if (page := request.GET.get("page", "")).isdecimal() else 1
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
            {"text": label, "url": f"?show={code}", "current": code == basis and not text, "count": total}
            for code, label in TABS.items()
            if (total := sum(counts.get(code, {}).values())) or code in (Basis.LEAD, Basis.OWN)
        ],
        "number": number,
        "pages": -(-sum(counts.get(basis, {}).values()) // PER_PAGE),
        "may_open": bool(rules.holders(request.user)),
        "uses_htmx": True,
    }
    part = bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    page_name = "cases/found.html" if part else "cases/find.html"
    return render(request, page_name, shown, status=200 if form.is_valid() else UNPROCESSABLE)


@at_desk()
def new(request: HttpRequest) -> HttpResponse:
    """Open a file in one screen: the head, where they sleep, what can't wait, and whoever came along."""
    more = "more" in request.POST
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and more:
        count = data.get("members-TOTAL_FORMS", "")
        data["members-TOTAL_FORMS"] = str(min(30, (int(count) if count.isdecimal() else 0) + 2))
    head = HeadForm(data, prefix="head")
    members = MemberFormSet(data, prefix="members")
    if request.method == "POST" and not more and head.is_valid() and members.is_valid():
        given = head.cleaned_data
        household = people.open_household(
            NewHousehold(
                holder=rules.holders(request.user)[0],
                members=[_new(given), *(_new(one) for one in members.cleaned_data if one.get("name"))],
                opened_on=timezone.localdate(),
                lodging=given["tonight"],
                address=given["address"],
            ),
            by=request.user,  # type: ignore[arg-type]
        )
        messages.success(request, _("The file %(reference)s is open.") % {"reference": household.reference})
        return redirect("cases:household", pk=household.pk)
    failed = request.method == "POST" and not more
    shown = {"head": head, "members": members, "more": more}
    return render(request, "cases/new.html", shown, status=UNPROCESSABLE if failed else 200)


def _new(given: dict[str, object]) -> NewPerson:
    fields = {name: given[name] for name in NewPerson.__dataclass_fields__ if given.get(name)}
    return NewPerson(**fields)  # type: ignore[arg-type]
