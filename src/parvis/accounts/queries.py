"""Reading accounts."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from parvis.accounts.keys import key_hash
from parvis.accounts.models import Invitation, Session, User
from parvis.ledger.models import Event
from parvis.ledger.queries import history

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def has_second_factor(user: User) -> bool:
    """Has this person an authenticator app or a passkey (recovery codes alone are none)?"""
    return Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists()


def second_factors(user: User) -> dict[int, str]:
    """Key -> type ("totp", "webauthn", "recovery_codes") of everything that proves who this person is."""
    return dict(Authenticator.objects.filter(user=user).values_list("pk", "type"))


def sessions_of(user: User) -> list[Session]:
    """A person's living sessions, the latest seen first."""
    return list(user.sessions.filter(expires_at__gt=timezone.now()).order_by("-seen_at"))


def memberships_of(user: User) -> list[Any]:
    """For whom a person works at present (rows of a higher app, reached through the user)."""
    return list(user.memberships.filter(until=None).select_related("organization").order_by("organization__name"))


def users(viewer: Any, *, text: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """Accounts whose name or address holds `text`. Needs rules.may_manage_users.

    `role`: an office role or "partner"; `state`: "active" or "suspended". Each has `protected` (a second factor).
    """
    found = User.objects.order_by("name", "email").prefetch_related("memberships__organization")
    found = found.annotate(protected=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)))
    for word in text.split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    if role == "partner":
        found = found.filter(office_role="")
    elif role:
        found = found.filter(office_role=role)
    if state:
        found = found.filter(is_active=state == "active")
    return found


def user(viewer: Any, pk: Any) -> User:
    """One account. Raises User.DoesNotExist. Needs rules.may_manage_users."""
    return users(viewer).get(pk=pk)


def history_of(viewer: Any, found: User) -> list[Event]:
    """What was done to an account, with the invitations that it answered, newest first. Needs may_manage_users."""
    events = history(viewer, found.pk)
    for key in Invitation.objects.filter(accepted_by=found).values_list("pk", flat=True):
        events += history(viewer, key)
    return sorted(events, key=lambda event: -event.pk)


def history_of_invitation(viewer: Any, found: Invitation) -> list[Event]:
    """What became of an invitation, newest first. The caller's rule decides whether `viewer` may read it."""
    return history(viewer, found.pk)


def names(ids: Iterable[Any]) -> dict[str, str]:
    """What these accounts and invitations are called, by id: a person's name or the address invited."""
    wanted = list(ids)
    found = {str(user.pk): str(user) for user in User.objects.filter(pk__in=wanted)}
    return found | {str(one.pk): one.name or one.email for one in Invitation.objects.filter(pk__in=wanted)}


def office_invitations(viewer: Any) -> list[Invitation]:
    """Invitations to the office that wait for an answer. Needs rules.may_manage_users."""
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None).exclude(office_role="")
    return list(waiting.filter(expires_at__gt=timezone.now()).select_related("invited_by").order_by("-created_at"))


def office_invitation(viewer: Any, pk: Any) -> Invitation:
    """One invitation to the office. Raises Invitation.DoesNotExist."""
    return Invitation.objects.exclude(office_role="").get(pk=pk)


def invitation_for(key: str, now: dt.datetime) -> Invitation | None:
    """The invitation that this key of a link opens, if it can still be used."""
    return Invitation.objects.filter(
        key_hash=key_hash(key), accepted_at=None, revoked_at=None, expires_at__gt=now
    ).first()


def holder(email: str) -> User | None:
    """Who has the account of this address."""
    return User.objects.filter(email__iexact=email).first()
