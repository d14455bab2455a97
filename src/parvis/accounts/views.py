"""Signing in, one's own account, and the accounts of a city."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from parvis.accounts import actions, forms, lockout, queries
from parvis.accounts.history import ACCOUNTS, told
from parvis.accounts.models import Invitation, Role, User
from parvis.accounts.rules import may_manage_users, require
from parvis.kit.navigation import landing

View = Callable[..., HttpResponse]
UNPROCESSABLE = 422


def refuses_with_422(view: View) -> View:
    """allauth answers a wrong form with 200; everywhere here it is 422."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        data = getattr(response, "context_data", None) or {}
        posted = [data.get(name) for name in ("form", "verify_form", "webauthn_form")]
        if request.method == "POST" and any(form is not None and form.errors for form in posted):
            response.status_code = UNPROCESSABLE
        return response

    return shown


def notes_second_factors(view: View) -> View:
    """What a page of allauth adds or removes goes into the ledger, in the same transaction."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with actions.second_factors_noted(request.user):  # type: ignore[arg-type]
            return view(request, *args, **kwargs)

    return shown


# -- one's own account --------------------------------------------------------------------------------------------


def home(request: HttpRequest) -> HttpResponse:
    """Name and language, password, second factor, sessions."""
    user: User = request.user  # type: ignore[assignment]
    known = {"name": user.name, "language": user.language or translation.get_language()}
    form = forms.SelfForm(request.POST or None, initial=known, city=request.city)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        actions.edit_self(user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("account_home")
    shown = {
        "form": form,
        "sessions": queries.sessions_of(user),
        "present": request.session.hash,  # type: ignore[attr-defined]
        "protected": queries.has_second_factor(user),
        "advised": user.office_role != "",
        "memberships": queries.memberships_of(user),
    }
    return render(request, "accounts/home.html", shown, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions (`session`), or all but this one."""
    user: User = request.user  # type: ignore[assignment]
    chosen = request.POST.get("session", "")
    try:
        if chosen:
            ended = actions.end_own_session(user, chosen)
        else:
            ended = bool(actions.end_other_sessions(user, but=request.session.hash))  # type: ignore[attr-defined]
    except ValidationError:
        raise Http404 from None
    if ended:
        messages.success(request, _("The session has ended."))
    return redirect("account_home")


# -- people (administrators) --------------------------------------------------------------------------------------


def people(request: HttpRequest) -> HttpResponse:
    """The accounts of the city, and the invitations that wait."""
    require(may_manage_users(request.user), "accounts.people.read")
    form = forms.PeopleFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = queries.users(
        request.user, text=asked.get("q", ""), role=asked.get("role", ""), state=asked.get("state", "")
    )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    shown = {"form": form, "page": page, "invitations": queries.office_invitations(request.user)}
    return render(request, "accounts/people.html", shown)


def person(request: HttpRequest, pk: Any) -> HttpResponse:
    """One account: its role, its state, and what an administrator may do to it."""
    require(may_manage_users(request.user), "accounts.people.read")
    try:
        user = queries.user(request.user, pk)
    except User.DoesNotExist:
        raise Http404 from None
    role = forms.RoleForm(request.POST if "role" in request.POST else None, initial={"role": user.office_role})
    reason = forms.ReasonForm(request.POST if "reason" in request.POST else None)
    problem = ""
    if request.method == "POST":
        try:
            if _act(request, user, role, reason):
                messages.success(request, _("Saved."))
                return redirect("account_person", pk=user.pk)
        except actions.Refused as refused:
            problem = str(refused.message)
    shown = {
        "person": user,
        "role": role,
        "reason": reason,
        "problem": problem,
        "sessions": queries.sessions_of(user),
        "locked_until": lockout.locked_until(user.email, timezone.now()),
    }
    return render(request, "accounts/person.html", shown, status=UNPROCESSABLE if request.method == "POST" else 200)


def _act(request: HttpRequest, user: User, role: forms.RoleForm, reason: forms.ReasonForm) -> bool:
    """Do what the button said. False when its form is wrong."""
    what = request.POST.get("do", "")
    if what == "role" and role.is_valid():
        actions.change_role(user, role.cleaned_data["role"], by=request.user)
    elif what == "suspend" and reason.is_valid():
        actions.suspend(user, by=request.user, reason=reason.cleaned_data["reason"])
    elif what == "restore":
        actions.restore(user, by=request.user)
    elif what == "unlock":
        actions.unlock(user, by=request.user)
    elif what == "reset_second_factor":
        actions.reset_second_factor(user, by=request.user)
    else:
        return False
    return True


def person_history(request: HttpRequest, pk: Any) -> HttpResponse:
    """What was done to an account, and with it."""
    require(may_manage_users(request.user), "accounts.people.read")
    try:
        user = queries.user(request.user, pk)
    except User.DoesNotExist:
        raise Http404 from None
    events = queries.history_of(request.user, user)
    return _history(request, events, str(user), reverse("account_person", args=[user.pk]))


def invitation_history(request: HttpRequest, pk: Any) -> HttpResponse:
    """What became of an invitation to the office."""
    require(may_manage_users(request.user), "accounts.people.read")
    try:
        found = queries.office_invitation(request.user, pk)
    except Invitation.DoesNotExist:
        raise Http404 from None
    holder = reverse("account_person", args=[found.accepted_by_id]) if found.accepted_by_id else ""
    return _history(request, queries.history_of_invitation(request.user, found), found.name or found.email, holder)


def _history(request: HttpRequest, events: list[Any], title: str, url: str) -> HttpResponse:
    shown = {
        "events": told(events, title=ACCOUNTS.title, changes=ACCOUNTS.changes),
        "title": title,
        "url": url,
        "above": _("People who sign in"),
        "above_url": reverse("account_people"),
    }
    return render(request, "accounts/history.html", shown)


# -- invitations --------------------------------------------------------------------------------------------------


def link_in(request: HttpRequest, language: str) -> Callable[[str], str]:
    """How the link of an invitation is written: on this host, in the invited person's language."""

    def url(key: str) -> str:
        with translation.override(actions.language_known(language)):
            return request.build_absolute_uri(reverse("account_invitation", args=[key]))

    return url


def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to the office."""
    require(may_manage_users(request.user), "accounts.invitation.sent")
    city = request.city  # type: ignore[attr-defined]
    form = forms.InviteForm(
        request.POST or None, city=city, roles=[(r.value, r.label) for r in Role if r.value],
        initial={"language": city.default_language},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        actions.invite(**wanted, by=request.user, url=link_in(request, wanted["language"]), city=city.name)
        messages.success(request, _("The invitation is on its way."))
        return redirect("account_people")
    return render(request, "accounts/invite.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def invitation_act(request: HttpRequest, pk: Any) -> HttpResponse:
    """Send an invitation to the office again, or end it."""
    require(may_manage_users(request.user), "accounts.invitation.revoked")
    try:
        found = queries.office_invitation(request.user, pk)
    except Invitation.DoesNotExist:
        raise Http404 from None
    try:
        if request.POST.get("do") == "resend":
            city = request.city.name  # type: ignore[attr-defined]
            actions.resend(found, by=request.user, url=link_in(request, found.language), city=city)
            messages.success(request, _("The invitation is on its way."))
        else:
            actions.revoke(found, by=request.user)
            messages.success(request, _("The invitation has ended."))
    except actions.Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("account_people")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """The page behind the link of an invitation: choose a name and a password, or join with the account one has."""
    found = queries.invitation_for(key, timezone.now())
    if found is None:
        return render(request, "accounts/invitation_over.html", status=410)
    holder = queries.holder(found.email)
    if holder is not None:
        return _join(request, key, found, holder)
    form = forms.WelcomeForm(
        request.POST or None, email=found.email, city=request.city,  # type: ignore[attr-defined]
        initial={"name": found.name, "language": found.language},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept(key, **form.cleaned_data)
        except actions.Refused:
            return render(request, "accounts/invitation_over.html", status=410)
        get_adapter().login(request, user)
        actions.note_sign_in(user, method="invitation")
        messages.success(request, _("Welcome. Your account is open."))
        return redirect(landing(request) or "account_home")
    shown = {"form": form, "invitation": found}
    return render(request, "accounts/invitation.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _join(request: HttpRequest, key: str, found: Any, holder: User) -> HttpResponse:
    """Somebody who has an account already accepts with it."""
    own = request.user.is_authenticated and request.user.pk == holder.pk
    if request.method == "POST" and own:
        try:
            actions.accept(key, user=holder)
        except actions.Refused:
            return render(request, "accounts/invitation_over.html", status=410)
        messages.success(request, _("You have accepted the invitation."))
        return redirect("account_home")
    return render(request, "accounts/invitation_join.html", {"invitation": found, "own": own})
