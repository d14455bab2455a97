"""Every write to memberships: rule, row, ledger event, one transaction."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from parvis.accounts import actions as accounts
from parvis.accounts.actions import Refused
from parvis.accounts.keys import key_hash, new_key
from parvis.accounts.models import Invitation, User
from parvis.accounts.rules import Denied, require
from parvis.core.access import SHAREABLE, DataClass, names
from parvis.ledger.actions import Entry, record
from parvis.orgs.models import ApiToken, Membership, MembershipOffer, Organization, PartnerRole
from parvis.orgs.rules import forget_roles, may_invite, may_make_token, may_see_members, may_see_tokens


@transaction.atomic
def add_member(user: User, organization: Organization, role: str, by: Any) -> Membership:
    """Let `user` act for `organization` as "worker" or "manager". A present membership changes its role."""
    require(may_invite(by, role, organization), "orgs.member.added", organization)
    return _join(user, organization, role, by)


def _join(user: User, organization: Organization, role: str, by: Any) -> Membership:
    if role not in PartnerRole.values:
        raise Refused(f"{role!r} is not a partner role")
    present = Membership.objects.select_for_update().filter(user=user, organization=organization, until=None)
    membership = present.first()
    before = membership.role if membership else ""
    if membership is None:
        membership = Membership.objects.create(user=user, organization=organization, role=role)
    elif before != role:
        membership.role = role
        membership.save(update_fields=["role"])
    else:
        return membership
    forget_roles(user)
    record(
        "orgs.member.added" if not before else "orgs.member.role_changed", organization, by=by,
        before={"role": before} if before else None, after={"user": user.pk, "role": role},
    )  # fmt: skip
    return membership


@transaction.atomic
def change_member_role(membership: Membership, role: str, *, by: Any) -> None:
    """Make a worker a manager or the reverse. A manager may do it to neither: the office decides who manages."""
    require(may_invite(by, PartnerRole.MANAGER, membership.organization_id), "orgs.member.role_changed", membership)
    _join(membership.user, membership.organization, role, by)


@transaction.atomic
def end_member(membership: Membership, *, by: Any) -> None:
    """End a membership. A manager may end workers' and their own; the office anybody's."""
    own = isinstance(by, User) and membership.user_id == by.pk
    allowed = may_see_members(by, membership.organization_id) and (
        own or may_invite(by, membership.role, membership.organization_id)
    )
    require(allowed, "orgs.member.ended", membership)
    ended = Membership.objects.filter(pk=membership.pk, until=None).update(until=timezone.now())
    if ended:
        forget_roles(membership.user)
        record(
            "orgs.member.ended", membership.organization, by=by,
            before={"user": membership.user_id, "role": membership.role},
        )  # fmt: skip


@transaction.atomic
def invite_member(
    email: str, organization: Organization, role: str, *, by: Any, url: Any, city: str, name: str = "",
    language: str = "",
) -> Invitation:  # fmt: skip
    """Invite somebody to act for an organization. Older open invitations of the address to it end."""
    allowed = may_invite(by, role, organization)
    require(allowed, "orgs.member.invited", organization)
    Invitation.objects.filter(
        email__iexact=email, membership_offer__organization=organization, accepted_at=None, revoked_at=None
    ).update(revoked_at=timezone.now())
    invitation = accounts.invite(
        email, by=by, url=url, city=city, name=name, language=language, organization=organization.name,
        allowed=allowed,
    )  # fmt: skip
    MembershipOffer.objects.create(invitation=invitation, organization=organization, role=role)
    record("orgs.member.invited", organization, by=by, after={"invitation": invitation.pk, "role": role})
    return invitation


@transaction.atomic
def make_token(
    organization: Organization, name: str, classes: DataClass, *, days: int, by: User
) -> tuple[ApiToken, str]:
    """A key for a program that asks in the name of `by`. Returns the row, and the key: it is shown once."""
    require(isinstance(by, User) and may_make_token(by, organization), "orgs.token.made", organization)
    membership = Membership.objects.get(user=by, organization=organization, until=None)
    key = f"parvis_{new_key()}"
    token = ApiToken.objects.create(
        membership=membership, name=name.strip(), classes=(classes & SHAREABLE).value, key_hash=key_hash(key),
        expires_at=timezone.now() + dt.timedelta(days=min(days, LONGEST_TOKEN)),
    )  # fmt: skip
    record("orgs.token.made", organization, by=by, after={"user": by.pk, "token": token.pk, "classes": names(classes)})
    return token, key


LONGEST_TOKEN = 365  # days


@transaction.atomic
def revoke_token(token: ApiToken, *, by: Any) -> None:
    """End a token at once: the next request with it is refused."""
    organization = token.membership.organization
    require(may_see_tokens(by, organization), "orgs.token.revoked", organization)
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record("orgs.token.revoked", organization, by=by, before={"user": token.membership.user_id, "token": token.pk})


def note_use(token: ApiToken) -> None:
    """Remember that a token was used, once an hour."""
    now = timezone.now()
    if token.used_at is None or token.used_at < now - dt.timedelta(hours=1):
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)


def resend_offer(offer: MembershipOffer, *, by: Any, url: Any, city: str) -> None:
    """Send an organization's invitation again."""
    accounts.resend(
        offer.invitation, by=by, url=url, city=city, organization=offer.organization.name,
        allowed=may_invite(by, offer.role, offer.organization_id),
    )  # fmt: skip


def revoke_offer(offer: MembershipOffer, *, by: Any) -> None:
    """End an organization's invitation."""
    accounts.revoke(offer.invitation, by=by, allowed=may_invite(by, offer.role, offer.organization_id))


def give_what_was_offered(entry: Entry) -> None:
    """Subscriber of "accounts.invitation.accepted": the person joins the organization that invited them."""
    offer = MembershipOffer.objects.filter(invitation_id=entry.object_id).first()
    if offer is not None:
        invitation = offer.invitation
        _join(invitation.accepted_by, offer.organization, offer.role, invitation.invited_by or "invitation")


__all__ = ["Denied", "Refused", "add_member", "change_member_role", "end_member", "give_what_was_offered",
           "invite_member", "make_token", "note_use", "resend_offer", "revoke_offer", "revoke_token"]  # fmt: skip
