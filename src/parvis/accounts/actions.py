"""Every write to accounts: rule, row, ledger event, one transaction."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from parvis.accounts import lockout, notices, queries
from parvis.accounts.keys import key_hash, new_key
from parvis.accounts.models import OFFICE_ROLES, Invitation, Role, Session, User
from parvis.accounts.rules import may_manage_users, require
from parvis.ledger.actions import record

INVITATION_LASTS = dt.timedelta(days=7)
#: how long a closed account and an answered invitation are remembered
KEPT = dt.timedelta(days=730)
FORGOTTEN = "@forgotten.invalid"


class Refused(ValueError):
    """The write can't be done as asked; the message is a sentence for the person."""

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message


def language_known(tag: str) -> str:
    """`tag` when the interface speaks it, else the installation's default language."""
    return tag if tag in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


@transaction.atomic
def add_user(
    email: str, *, name: str, role: str = "", password: str | None = None, by: Any, verified: bool = True,
    language: str = "",
) -> User:  # fmt: skip
    """Open an account. `role` is an office role, or "" for a partner (then `orgs.actions.add_member`).

    `password` None: sign-in by code only. `by` is a User or the name of a machine. Raises Refused when the address
    has an account already or the role is unknown.
    """
    require(may_manage_users(by), "accounts.user.added")
    if role and role not in OFFICE_ROLES:
        raise Refused(f"{role!r} is not an office role")
    if User.objects.filter(email__iexact=email).exists():
        raise Refused(notices.address_taken())
    return _open(email, name=name, role=role, password=password, by=by, verified=verified, language=language)


def _open(email: str, *, name: str, role: str, password: str | None, by: Any, verified: bool, language: str) -> User:
    user = User.objects.create_user(
        email, password, name=name, office_role=role, language=language_known(language) if language else ""
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    record("accounts.user.added", user, by=by, after={"office_role": role, "password": password is not None})
    return user


@transaction.atomic
def edit_self(user: User, *, name: str, language: str) -> None:
    """A person changes how they are called and the language they are written to."""
    changed = [
        field
        for field, value in (("name", name), ("language", language_known(language)))
        if getattr(user, field) != value
    ]
    user.name, user.language = name, language_known(language)
    user.save(update_fields=["name", "language"])
    if changed:
        record("accounts.user.edited", user, by=user, after={"fields": changed})


@transaction.atomic
def change_role(user: User, role: str, *, by: Any) -> None:
    """Give an office role, or take it away (""). Nobody changes their own, and one administrator always stays."""
    require(may_manage_users(by), "accounts.user.role_changed", user)
    if role and role not in OFFICE_ROLES:
        raise Refused(f"{role!r} is not an office role")
    user = User.objects.select_for_update().get(pk=user.pk)
    if role == user.office_role:
        return
    _not_oneself(user, by)
    _keep_one_administrator(user)
    before, user.office_role = user.office_role, role
    user.save(update_fields=["office_role"])
    end_sessions(user)
    record("accounts.user.role_changed", user, by=by, before={"office_role": before}, after={"office_role": role})


@transaction.atomic
def suspend(user: User, *, by: Any, reason: str = "") -> None:
    """Close an account at once: every session ends, and nothing signs in any more."""
    require(may_manage_users(by), "accounts.user.suspended", user)
    user = User.objects.select_for_update().get(pk=user.pk)
    _not_oneself(user, by)
    _keep_one_administrator(user)
    if not user.is_active:
        return
    user.is_active, user.closed_at = False, timezone.now()
    user.save(update_fields=["is_active", "closed_at"])
    ended = end_sessions(user)
    record("accounts.user.suspended", user, by=by, after={"sessions_ended": ended}, reason=reason)


@transaction.atomic
def restore(user: User, *, by: Any) -> None:
    """Open a suspended account again."""
    require(may_manage_users(by), "accounts.user.restored", user)
    if user.email.endswith(FORGOTTEN):
        raise Refused(notices.account_forgotten())
    if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True, closed_at=None):
        record("accounts.user.restored", user, by=by)


@transaction.atomic
def unlock(user: User, *, by: Any) -> None:
    """Let a locked-out person try again now."""
    require(may_manage_users(by), "accounts.user.unlocked", user)
    lockout.forgive(lockout.account_key(user.email))
    record("accounts.user.unlocked", user, by=by)


@transaction.atomic
def reset_second_factor(user: User, *, by: Any) -> None:
    """Remove every second factor of somebody who lost theirs; they set one up at the next sign-in."""
    require(may_manage_users(by), "accounts.second_factor.reset", user)
    removed = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    record("accounts.second_factor.reset", user, by=by, before={"types": removed})


def _not_oneself(user: User, by: Any) -> None:
    if isinstance(by, User) and by.pk == user.pk:
        raise Refused(notices.not_oneself())


def _keep_one_administrator(user: User) -> None:
    if user.office_role != Role.ADMINISTRATOR or not user.is_active:
        return
    others = User.objects.select_for_update().filter(office_role=Role.ADMINISTRATOR, is_active=True)
    if not others.exclude(pk=user.pk).exists():
        raise Refused(notices.last_administrator())


def end_sessions(user: User, *, but: str = "") -> int:
    """End the user's sessions, save the one whose key hash is `but`. Returns how many."""
    deleted, _ = Session.objects.filter(user=user).exclude(key_hash=but).delete()
    return deleted


@transaction.atomic
def end_own_session(user: User, session_id: Any) -> bool:
    """End one of one's own sessions. False when there is no such session (any more)."""
    deleted, _ = user.sessions.filter(pk=session_id).delete()
    if deleted:
        record("accounts.session.ended", user, by=user)
    return bool(deleted)


@transaction.atomic
def end_other_sessions(user: User, *, but: str) -> int:
    """End all one's sessions save the present one (its key hash). Returns how many."""
    ended = end_sessions(user, but=but)
    record("accounts.session.ended", user, by=user, after={"sessions_ended": ended})
    return ended


@transaction.atomic
def set_password(user: User, password: str, *, present_session: str = "") -> None:
    """A new password ends every other session and every lock-out of the account."""
    user.set_password(password)
    user.save(update_fields=["password"])
    ended = end_sessions(user, but=present_session)
    lockout.forgive(lockout.account_key(user.email))
    record("accounts.user.password_changed", user, by=user, after={"sessions_ended": ended})


@transaction.atomic
def note_sign_in(user: User, *, method: str) -> None:
    """The ledger learns of a sign-in ("password", "code", "passkey", ...)."""
    record("accounts.user.signed_in", user, by=user, after={"method": method})


@contextmanager
def second_factors_noted(user: User) -> Iterator[None]:
    """What is added to or taken from the user's second factors inside, the ledger learns in the same transaction."""
    with transaction.atomic():
        before = queries.second_factors(user)
        yield
        after = queries.second_factors(user)
        for key in after.keys() - before.keys():
            record("accounts.second_factor.added", user, by=user, after={"type": after[key]})
        for key in before.keys() - after.keys():
            record("accounts.second_factor.removed", user, by=user, before={"type": before[key]})


@transaction.atomic
def note_denied(user: User | None, *, action: str, object_type: str = "", object_id: Any = None) -> None:
    """A refused attempt, in a transaction of its own: the attempt's own has been rolled back."""
    if user is not None:
        after = {"action": action, "object_type": object_type, "object_id": str(object_id or "")}
        record("accounts.denied", user, by=user, after=after)


# -- invitations --------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(
    email: str, *, role: str = "", by: Any, url: Any, city: str, name: str = "", language: str = "",
    organization: str = "", allowed: bool | None = None,
) -> Invitation:  # fmt: skip
    """Write an invitation and its mail. `url(key)` gives the link's address; `city` the name people know.

    Office roles need may_manage_users; orgs.actions passes `allowed` after its own rule for partners, and the
    organization's name. Older open invitations of the address for the same thing end.
    """
    require(may_manage_users(by) if allowed is None else allowed, "accounts.invitation.sent")
    now = timezone.now()
    key = new_key()
    if role:
        _open_invitations().filter(email__iexact=email, office_role=role).update(revoked_at=now)
    invitation = Invitation.objects.create(
        email=email.lower(), name=name, language=language_known(language), office_role=role,
        key_hash=key_hash(key), invited_by=by if isinstance(by, User) else None,
        created_at=now, expires_at=now + INVITATION_LASTS,
    )  # fmt: skip
    record("accounts.invitation.sent", invitation, by=by, after={"office_role": role})
    notices.invitation(invitation, url=url(key), city=city, organization=organization).send()
    return invitation


def _open_invitations() -> Any:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None)


@transaction.atomic
def resend(
    invitation: Invitation, *, by: Any, url: Any, city: str, organization: str = "", allowed: bool | None = None
) -> None:
    """A new link and seven new days; the older link stops working."""
    require(may_manage_users(by) if allowed is None else allowed, "accounts.invitation.sent_again", invitation)
    invitation = _open_invitations().select_for_update().filter(pk=invitation.pk).first()
    if invitation is None:
        raise Refused(notices.invitation_over())
    key = new_key()
    invitation.key_hash = key_hash(key)
    invitation.expires_at = timezone.now() + INVITATION_LASTS
    invitation.save(update_fields=["key_hash", "expires_at"])
    record("accounts.invitation.sent_again", invitation, by=by)
    notices.invitation(invitation, url=url(key), city=city, organization=organization).send()


@transaction.atomic
def revoke(invitation: Invitation, *, by: Any, allowed: bool | None = None) -> None:
    """End an invitation that nobody has accepted."""
    require(may_manage_users(by) if allowed is None else allowed, "accounts.invitation.revoked", invitation)
    if not _open_invitations().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        raise Refused(notices.invitation_over())
    record("accounts.invitation.revoked", invitation, by=by)


@transaction.atomic
def accept(key: str, *, name: str = "", language: str = "", password: str = "", user: User | None = None) -> User:
    """Use an invitation's key, once. A new person gives name and password; one with an account is `user`, signed in.

    Higher apps give what they offered by subscribing to "accounts.invitation.accepted". Raises Refused when the key
    is unknown, used, revoked or too old, or when the address belongs to somebody else than `user`.
    """
    found = _open_invitations().select_for_update().filter(key_hash=key_hash(key), expires_at__gt=timezone.now())
    invitation = found.first()
    if invitation is None:
        raise Refused(notices.invitation_over())
    holder = User.objects.filter(email__iexact=invitation.email).first()
    if holder is None:
        holder = _open(
            invitation.email, name=name, role=invitation.office_role, password=password, by="invitation",
            verified=True, language=language or invitation.language,
        )  # fmt: skip
    elif user is None or holder.pk != user.pk or not holder.is_active:
        raise Refused(notices.address_taken())
    elif invitation.office_role and invitation.office_role != holder.office_role:
        before, holder.office_role = holder.office_role, invitation.office_role
        holder.save(update_fields=["office_role"])
        record("accounts.user.role_changed", holder, by=invitation.invited_by or "invitation",
               before={"office_role": before}, after={"office_role": holder.office_role})  # fmt: skip
    invitation.accepted_at, invitation.accepted_by = timezone.now(), holder
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    record("accounts.invitation.accepted", invitation, by=holder)
    return holder


def forget(now: dt.datetime) -> int:
    """The sweep: ended sessions, cold counters, old invitations, accounts that were closed two years ago."""
    gone, _ = Session.objects.filter(expires_at__lte=now).delete()
    gone += lockout.forget(now)
    old, _ = Invitation.objects.filter(expires_at__lt=now - KEPT, accepted_at=None).delete()
    Invitation.objects.filter(expires_at__lt=now - KEPT).exclude(email="").update(email="", name="")
    closed = User.objects.filter(closed_at__lt=now - KEPT).exclude(email__endswith=FORGOTTEN)
    for user in closed:
        _forget_person(user)
        gone += 1
    return gone + old


@transaction.atomic
def _forget_person(user: User) -> None:
    """The row stays, because the ledger points to it; nothing in it tells who it was."""
    user.email, user.name, user.language = f"{user.pk.hex}{FORGOTTEN}", "", ""
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    record("accounts.user.forgotten", user, by="sweep")
