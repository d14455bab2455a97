"""Reading organizations and who works for them."""

import datetime as dt
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from parvis.accounts.keys import key_hash
from parvis.ledger.models import Event
from parvis.ledger.queries import history
from parvis.orgs.models import ApiToken, Membership, MembershipOffer, Organization
from parvis.orgs.rules import may_see_members, partner_roles


def organizations_of(viewer: Any) -> list[Organization]:
    """The organizations that the viewer works for, by name."""
    return list(Organization.objects.filter(pk__in=partner_roles(viewer)).order_by("name"))


def organization(viewer: Any, pk: Any) -> Organization:
    """One organization. Raises Organization.DoesNotExist. The caller's rule decides what the viewer may do to it."""
    return Organization.objects.get(pk=pk)


def members(viewer: Any, of: Organization) -> QuerySet[Membership]:
    """The present members of an organization, managers first. Needs rules.may_see_members."""
    return of.memberships.filter(until=None).select_related("user").order_by("role", "user__name")


def tokens(viewer: Any, of: Organization) -> list[ApiToken]:
    """Keys of programs that work for members of an organization, and those that ended lately, the newest first. Needs
    rules.may_see_tokens."""
    lately = timezone.now() - dt.timedelta(days=90)
    found = ApiToken.objects.filter(membership__organization=of, expires_at__gt=lately)
    return list(found.select_related("membership__user").order_by("-created_at"))


def token_of(key: str) -> ApiToken | None:
    """The living token of this key."""
    living = ApiToken.objects.filter(
        key_hash=key_hash(key), revoked_at=None, expires_at__gt=timezone.now(), membership__until=None,
        membership__user__is_active=True,
    )  # fmt: skip
    return living.select_related("membership__user", "membership__organization").first()


def offers(viewer: Any, of: Organization) -> QuerySet[MembershipOffer]:
    """Invitations to an organization that wait for an answer. Needs rules.may_see_members."""
    return (
        of.membership_offers.filter(
            invitation__accepted_at=None,
            invitation__revoked_at=None,
            invitation__expires_at__gt=timezone.now(),
        )
        .select_related("invitation", "invitation__invited_by")
        .order_by("invitation__email")
    )


def history_of_people(viewer: Any, of: Organization) -> list[Event]:
    """Who joined and left an organization and who was invited to it, newest first. Needs rules.may_see_members."""
    events = [event for event in history(viewer, of.pk, limit=500) if event.code.startswith("orgs.member.")]
    for key in of.membership_offers.values_list("invitation", flat=True):
        events += history(viewer, key)
    return sorted(events, key=lambda event: -event.pk)[:200]


def organizations_with_members(viewer: Any, *, text: str = "") -> QuerySet[Organization] | None:
    """The organizations whose members the viewer may see, with `people` (how many); None when there can be none."""
    own = [pk for pk in partner_roles(viewer) if may_see_members(viewer, pk)]
    everywhere = may_see_members(viewer, None)
    if not own and not everywhere:
        return None
    found = Organization.objects.annotate(people=Count("memberships", filter=Q(memberships__until=None)))
    if not everywhere:
        found = found.filter(pk__in=own)
    if text:
        found = found.filter(name__icontains=text)
    return found.order_by("name", "pk")
