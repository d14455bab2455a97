"""Who works for an organization: lists, invitations, ends."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_POST

from parvis.accounts import queries as accounts
from parvis.accounts.history import ACCOUNTS, Words, told
from parvis.accounts.rules import require
from parvis.accounts.views import UNPROCESSABLE, link_in
from parvis.core.access import names, parse
from parvis.orgs import actions, queries
from parvis.orgs.forms import InviteMemberForm, MemberRoleForm, TokenForm
from parvis.orgs.models import Membership, MembershipOffer, Organization, PartnerRole
from parvis.orgs.rules import may_invite, may_make_token, may_see_members, may_see_tokens


def teams(request: HttpRequest) -> HttpResponse:
    """The organizations whose members the viewer may see."""
    text = request.GET.get("q", "").strip()
    found = queries.organizations_with_members(request.user, text=text)
    require(found is not None, "orgs.members.read")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "orgs/teams.html", {"page": page, "text": text})


def members(request: HttpRequest, pk: Any) -> HttpResponse:
    """The members of one organization and the invitations that wait; the form invites."""
    organization = _organization(request, pk)
    roles = [(r.value, r.label) for r in PartnerRole if may_invite(request.user, r.value, organization)]
    city = request.city  # type: ignore[attr-defined]
    form = InviteMemberForm(request.POST or None, city=city, roles=roles, initial={"language": city.default_language})
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        url = link_in(request, wanted["language"])
        email, role = wanted.pop("email"), wanted.pop("role")
        actions.invite_member(email, organization, role, by=request.user, url=url, city=city.name, **wanted)
        messages.success(request, _("The invitation is on its way."))
        return redirect("orgs:members", pk=organization.pk)
    shown = {
        "organization": organization,
        "members": [
            (member, member.user_id == request.user.pk or may_invite(request.user, member.role, organization))
            for member in queries.members(request.user, organization)
        ],
        "offers": [
            (offer, may_invite(request.user, offer.role, organization))
            for offer in queries.offers(request.user, organization)
        ],
        "form": form,
        "may_change_roles": may_invite(request.user, PartnerRole.MANAGER, organization),
        "roles": PartnerRole.choices,
        "may_see_tokens": may_see_tokens(request.user, organization),
    }
    return render(request, "orgs/members.html", shown, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def member(request: HttpRequest, pk: Any, member: Any) -> HttpResponse:
    """Change a member's role, or end the membership."""
    organization = _organization(request, pk)
    found = organization.memberships.filter(pk=member, until=None).select_related("user", "organization").first()
    if found is None:
        raise Http404
    _act_on(request, found)
    return redirect("orgs:members", pk=organization.pk)


def _act_on(request: HttpRequest, found: Membership) -> None:
    form = MemberRoleForm(request.POST)
    if request.POST.get("do") == "role":
        if form.is_valid():
            actions.change_member_role(found, form.cleaned_data["role"], by=request.user)
            messages.success(request, _("Saved."))
        return
    actions.end_member(found, by=request.user)
    messages.success(request, _("The membership has ended."))


@require_POST
def offer(request: HttpRequest, pk: Any, offer: Any) -> HttpResponse:
    """Send an organization's invitation again, or end it."""
    organization = _organization(request, pk)
    found: MembershipOffer | None = queries.offers(request.user, organization).filter(pk=offer).first()
    if found is None:
        raise Http404
    try:
        if request.POST.get("do") == "resend":
            url = link_in(request, found.invitation.language)
            actions.resend_offer(found, by=request.user, url=url, city=request.city.name)  # type: ignore[attr-defined]
            messages.success(request, _("The invitation is on its way."))
        else:
            actions.revoke_offer(found, by=request.user)
            messages.success(request, _("The invitation has ended."))
    except actions.Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("orgs:members", pk=organization.pk)


def tokens(request: HttpRequest, pk: Any) -> HttpResponse:
    """Keys for programs: the manager makes their own and sees it once; the manager and the administrator end any."""
    organization = _with_tokens(request, pk)
    own = may_make_token(request.user, organization)
    form = TokenForm(request.POST or None, classes=list(CLASS_NAMES.items())) if own else None
    key = ""
    if request.method == "POST":
        require(own, "orgs.token.made", organization)
    if form is not None and form.is_valid():
        given = form.cleaned_data
        made = actions.make_token(
            organization, given["name"], parse(given["classes"]), days=given["days"], by=request.user
        )
        key = made[1]
        form = TokenForm(classes=list(CLASS_NAMES.items()))
    shown = {
        "organization": organization,
        "tokens": [
            (one, [CLASS_NAMES[code] for code in names(one.classes)])
            for one in queries.tokens(request.user, organization)
        ],
        "form": form,
        "key": key,
        "now": timezone.now(),
        "address": request.build_absolute_uri(reverse("partners-shared")),
    }
    return render(request, "orgs/tokens.html", shown, status=UNPROCESSABLE if form and form.errors else 200)


@require_POST
def token(request: HttpRequest, pk: Any, token: Any) -> HttpResponse:
    """End a token."""
    organization = _with_tokens(request, pk)
    found = next((one for one in queries.tokens(request.user, organization) if one.pk == token), None)
    if found is None:
        raise Http404
    actions.revoke_token(found, by=request.user)
    messages.success(request, _("The key no longer opens anything."))
    return redirect("orgs:tokens", pk=organization.pk)


def _with_tokens(request: HttpRequest, pk: Any) -> Organization:
    try:
        organization = queries.organization(request.user, pk)
    except Organization.DoesNotExist:
        raise Http404 from None
    require(may_see_tokens(request.user, organization), "orgs.tokens.read", organization)
    return organization


#: what a key may open, in words; the classes of data that consent can name
CLASS_NAMES = {
    "identity": __("Names, languages, year of birth"), "household": __("Who they live with"),
    "contact": __("Telephone, e-mail, address"), "background": __("Schooling, work, diplomas"),
    "needs": __("Strengths and needs"), "status": __("Immigration status"), "health": __("Health"),
    "violence": __("Family and violence"), "notes": __("Workers’ notes"), "documents": __("Papers and attachments"),
    "plan": __("Plan and steps"),
}  # fmt: skip

_DEEDS = {
    **ACCOUNTS.deeds,
    "orgs.member.added": __("Joined the organization"),
    "orgs.member.role_changed": __("Role changed"),
    "orgs.member.ended": __("Membership ended"),
    "orgs.member.invited": __("Invited"),
    "orgs.token.made": __("Key for a program made"),
    "orgs.token.revoked": __("Key for a program ended"),
}


def history(request: HttpRequest, pk: Any) -> HttpResponse:
    """Who joined and left an organization, who was invited, and by whom."""
    organization = _organization(request, pk)
    events = queries.history_of_people(request.user, organization)
    names = accounts.names({one for event in events for one in _people_in(event)})

    def about(event: Any) -> str:
        return ", ".join(dict.fromkeys(names[one] for one in _people_in(event) if one in names))

    words = Words(_DEEDS, {"role": __("Role")}, {"role": lambda role: str(dict(PartnerRole.choices).get(role, role))})
    shown = {
        "events": told(events, title=words.title, changes=words.changes, about=about),
        "title": organization.name,
        "url": reverse("orgs:members", args=[organization.pk]),
        "above": _("Members of organizations"),
        "above_url": reverse("orgs:teams"),
    }
    return render(request, "accounts/history.html", shown)


def _people_in(event: Any) -> list[str]:
    """Ids of the accounts and invitations that an event is about."""
    facts = {**(event.before or {}), **(event.after or {})}
    own = [str(event.object_id)] if event.object_type == "accounts.invitation" else []
    return [*own, *(str(facts[name]) for name in ("user", "invitation") if facts.get(name))]


def _organization(request: HttpRequest, pk: Any) -> Organization:
    try:
        organization = queries.organization(request.user, pk)
    except Organization.DoesNotExist:
        raise Http404 from None
    require(may_see_members(request.user, organization), "orgs.members.read", organization)
    return organization
