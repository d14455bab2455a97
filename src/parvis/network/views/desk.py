"""The coordinator's pages: what is weak, who is asked, what sources say otherwise, what never comes back."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from parvis.core.freshness import KINDS
from parvis.directory import actions as directory
from parvis.directory import facts, merging
from parvis.directory import queries as listed
from parvis.directory import wording as words
from parvis.network import actions, queries, rules
from parvis.network.forms import PeriodsForm, RhythmForm
from parvis.network.models import Stage
from parvis.network.wording import FIXES, REASONS, SHARED

PAGE = 25
View = Callable[..., HttpResponse]


def keeps(view: View) -> View:
    """For those who keep the network."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.keeps_network(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))


@keeps
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The network at a glance, each morning."""
    today = timezone.localdate()
    weak_ones = queries.weak(request.user, today)
    reviews = list(queries.open_reviews(request.user))
    late = sum(any(each.code in ("never", "overdue") for each in one.quality.reasons) for one in weak_ones)
    cards = [
        (_("To confirm"), late, reverse("network:weak") + "?only=late", _("Listings of which something is overdue.")),
        (_("Weak listings"), len(weak_ones), reverse("network:weak"), _("Each reason with its fix beside it.")),
        (_("Organizations being asked"), len(reviews), reverse("network:rounds"), _("By a link, without an account.")),
        (
            _("To telephone"), sum(one.stage in (Stage.CALL, Stage.DOUBTED) for one in reviews),
            reverse("network:rounds") + "?show=call", _("They did not answer by mail, or have no address."),
        ),
        (
            _("Sources say otherwise"), listed.conflicts(request.user).count(), reverse("network:conflicts"),
            _("An import brought something else than people said."),
        ),
        (
            _("Listed twice"), queries.alike(request.user).count(), reverse("network:alike"),
            _("Pairs that may be one thing."),
        ),
        (
            _("Messages of readers"), listed.corrections(request.user).count(), reverse("directory:desk-corrections"),
            _("Somebody says that something is wrong."),
        ),
        (
            _("Never to be listed"), listed.never_listed(request.user).count(), reverse("network:never"),
            _("Imports do not bring them back."),
        ),
    ]  # fmt: skip
    return render(request, "network/home.html", {"cards": cards, "trail": [], "gaps": rules.may_see_gaps(request.user)})


@keeps
@require_safe
def weak(request: HttpRequest) -> HttpResponse:
    """Listings by their quality, the weakest first, each reason with its fix."""
    found = queries.weak(request.user, timezone.localdate())
    only = request.GET.get("only", "")
    codes = {"never", "overdue"} if only == "late" else {only} & set(REASONS)
    if codes:
        found = [one for one in found if codes & {reason.code for reason in one.quality.reasons}]
    page = _page(request, found)
    page.object_list = [{"one": one, "reasons": [_reason(one, each) for each in one.quality.reasons]} for one in page]
    shown = {"page": page, "total": len(found), "only": only, "choices": [*REASONS.items()], "trail": _trail()}
    return render(request, "network/weak.html", shown)


def _reason(one: queries.Weak, reason: Any) -> dict[str, Any]:
    name = {"edit": "desk-edit", "hours": "desk-hours"}.get(reason.fix, "desk-object")
    return {
        "text": REASONS[reason.code], "about": words.ABOUT.get(reason.kind, ""), "since": reason.since,
        "fix": FIXES[reason.fix], "url": reverse(f"directory:{name}", args=["service", one.id]),
    }  # fmt: skip


def _trail() -> list[dict[str, str]]:
    return [{"text": _("Network"), "url": reverse("network:home")}]


# -- rounds -------------------------------------------------------------------------------------------------------


@keeps
@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """Who is being asked, who is to be telephoned, whom to ask next, how rounds ended."""
    show = request.GET.get("show", "")
    here = reverse("network:rounds")
    tabs = [
        {"text": text, "url": f"{here}?show={code}" if code else here, "current": show == code}
        for code, text in (
            ("", _("Being asked")), ("call", _("To telephone")), ("next", _("To ask next")), ("ended", _("Ended")),
        )
    ]  # fmt: skip
    shown: dict[str, Any] = {"tabs": tabs, "show": show, "trail": _trail()}
    if show == "next":
        shown["page"] = _page(request, queries.to_ask(request.user, timezone.localdate()))
    elif show == "ended":
        shown["page"] = _page(request, queries.ended_reviews(request.user))
    else:
        rows = queries.open_reviews(request.user)
        shown["page"] = _page(request, rows.filter(stage__in=[Stage.CALL, Stage.DOUBTED]) if show == "call" else rows)
        for one in shown["page"] if show == "call" else ():
            one.phones = queries.phones(one.organization)
    return render(request, "network/rounds.html", shown)


@keeps
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Ask the chosen organizations."""
    number = 0
    for organization in queries.organizations(request.user, request.POST.getlist("organization")):
        actions.begin(organization, by=request.user)
        number += 1
    if not number:
        messages.error(request, _("Choose whom to ask."))
        return redirect(reverse("network:rounds") + "?show=next")
    messages.success(request, _("Organizations being asked: %(number)s") % {"number": number})
    return redirect("network:rounds")


@keeps
@require_POST
def move(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What the desk did with one review: confirmed by telephone, nobody answered, stopped."""
    found = queries.review(request.user, pk)
    if found is None:
        raise Http404
    back = reverse("network:rounds") + ("?show=call" if found.stage in (Stage.CALL, Stage.DOUBTED) else "")
    try:
        if request.POST.get("do") == "true":
            actions.still_true(found, by=request.user, means="phone")
            messages.success(request, _("Thank you: readers now see that it was confirmed today."))
        elif request.POST.get("do") == "called":
            actions.called(found, by=request.user)
            messages.success(request, _("Noted: nobody answered."))
        elif request.POST.get("do") == "stop":
            actions.stop(found, by=request.user)
            messages.success(request, _("This round is stopped."))
        else:
            return HttpResponse(status=422)
    except actions.NotOpen:
        messages.info(request, _("This round had ended already."))
    return redirect(back)


# -- sources ------------------------------------------------------------------------------------------------------


@keeps
@require_safe
def conflicts(request: HttpRequest) -> HttpResponse:
    """What sources say otherwise, field by field."""
    page = _page(request, listed.conflicts(request.user))
    ids = {str(one.owner_id) for one in page}
    names = queries.names(ids)
    page.object_list = [
        {
            "one": one, "name": names.get(str(one.owner_id)) or words.KINDS[one.kind], "label": words.label(one.field),
            "part": words.KINDS.get(one.entity) or words.label(one.entity),
            "ours": words.lines(one.field, one.ours, {}), "theirs": words.lines(one.field, one.theirs, {}),
        }
        for one in page
    ]  # fmt: skip
    return render(request, "network/conflicts.html", {"page": page, "trail": _trail()})


@keeps
@require_POST
def decide(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the source's word, or keep ours."""
    found = listed.conflicts(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    if request.POST.get("take") not in ("yes", "no"):
        return HttpResponse(status=422)
    try:
        done = directory.decide(found, take=request.POST["take"] == "yes", by=request.user)
        said = _("Decided.") if done else _("Somebody else has decided it already.")
        messages.success(request, said)
    except (directory.CannotTake, ValueError, ValidationError, IntegrityError):
        messages.error(request, _("This can't be written as it stands: edit the listing by hand, then keep yours."))
    return redirect("network:conflicts")


@keeps
def never(request: HttpRequest) -> HttpResponse:
    """What imports may not bring back; forgetting one lets them."""
    if request.method == "POST":
        entry = listed.never_listed(request.user).filter(pk=_uuid(request.POST.get("entry", ""))).first()
        if entry is None:
            raise Http404
        directory.forgive(entry, by=request.user)
        messages.success(request, _("Forgotten: an import may list it again."))
        return redirect("network:never")
    return render(
        request, "network/never.html", {"page": _page(request, listed.never_listed(request.user)), "trail": _trail()}
    )


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


# -- listed twice -------------------------------------------------------------------------------------------------


@keeps
@require_safe
def alike(request: HttpRequest) -> HttpResponse:
    """Pairs that may be one thing."""
    page = _page(request, queries.alike(request.user))
    names = queries.names({str(key) for one in page for key in (one.one, one.other)})
    page.object_list = [
        {
            "pair": one, "one": names.get(str(one.one), "—"), "other": names.get(str(one.other), "—"),
            "kind": words.KINDS[one.kind], "percent": round(one.name * 100),
            "reasons": [SHARED[code] for code in one.reasons.split(",") if code in SHARED],
        }
        for one in page
    ]  # fmt: skip
    return render(request, "network/alike.html", {"page": page, "trail": _trail()})


@keeps
def pair(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Two listings side by side: one is kept, and takes of the other what is chosen."""
    found = queries.alike(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    try:
        one = listed.find(request.user, found.kind, found.one)
        other = listed.find(request.user, found.kind, found.other)
    except ObjectDoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        return _joined(request, found, one, other)
    keep, lose = (other, one) if request.GET.get("keep") == "other" else (one, other)
    ours, theirs = facts.read(keep), facts.read(lose)
    ids = listed.names(words.ids(ours) | words.ids(theirs))
    lines = [
        {"name": name, "label": words.label(name), "ours": words.lines(name, ours[name], ids),
         "theirs": words.lines(name, value, ids), "rows": isinstance(value, list), "empty": not ours[name]}
        for name, value in theirs.items()
        if name not in ("listed", "source") and (value or ours[name]) and value != ours[name]
    ]  # fmt: skip
    shown = {
        "pair": found, "keep": keep, "lose": lose, "kept": "other" if keep is other else "one",
        "lines": [line for line in lines if line["ours"] or line["theirs"]],
        "kind": words.KINDS[found.kind],
        "trail": [*_trail(), {"text": _("Listed twice"), "url": reverse("network:alike")}],
    }  # fmt: skip
    return render(request, "network/pair.html", shown)


def _joined(request: HttpRequest, found: Any, one: Any, other: Any) -> HttpResponse:
    if request.POST.get("do") == "apart":
        actions.not_the_same(found, by=request.user)
        messages.success(request, _("Noted: they are not the same."))
        return redirect("network:alike")
    if request.POST.get("keep") not in ("one", "other"):
        return HttpResponse(status=422)
    keep, lose = (one, other) if request.POST["keep"] == "one" else (other, one)
    try:
        actions.join(found, keep, lose, take=request.POST.getlist("take"), by=request.user)
    except KeyError:
        return HttpResponse(status=422)
    except merging.CannotMerge:
        messages.error(request, _("One of the two is no longer listed."))
        return redirect("network:alike")
    messages.success(request, _("Joined. The former address leads to the one that is kept; you can undo it here."))
    return redirect("network:unmerge", kind=found.kind, object_id=lose.pk)


@keeps
def unmerge(request: HttpRequest, kind: str, object_id: uuid.UUID) -> HttpResponse:
    """Take a merge back."""
    if kind not in merging.MERGEABLE:
        raise Http404
    try:
        found = listed.find(request.user, kind, object_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    if not merging.can_unmerge(found):
        raise Http404
    if request.method == "POST":
        left = merging.unmerge(found, by=request.user)
        messages.success(request, _("Two listings again, as before."))
        if left:
            said = ", ".join(words.label(name) for name in left)
            messages.info(request, _("Changed since, and left as it is: %(facts)s") % {"facts": said})
        return redirect("directory:desk-object", kind, object_id)
    return render(request, "network/unmerge.html", {"object": found, "kind": kind, "trail": _trail()})


@keeps
def rhythm(request: HttpRequest) -> HttpResponse:
    """How often facts must be confirmed, and how fast a round goes."""
    present = queries.rhythm()
    names = list(RhythmForm.base_fields)
    sent = request.POST if request.method == "POST" else None
    periods = PeriodsForm(sent, prefix="period", initial=dict(listed.periods()))
    stages = RhythmForm(sent, prefix="stage", initial={name: getattr(present, name) for name in names})
    if sent is not None and periods.is_valid() and stages.is_valid():
        for kind in KINDS:
            directory.set_period(kind, periods.cleaned_data[kind], by=request.user)
        actions.set_rhythm({name: stages.cleaned_data[name] for name in names}, by=request.user)
        messages.success(request, _("Saved."))
        return redirect("network:rhythm")
    status = 422 if sent is not None else 200
    return render(
        request, "network/rhythm.html", {"periods": periods, "stages": stages, "trail": _trail()}, status=status
    )
