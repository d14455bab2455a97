"""“Something is wrong here”: a reader's word about a listing, and the answer that its sender can see.

The sender needs no account: the secret in a link is the key, and only its SHA-256 is kept.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any

from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from parvis.accounts.rules import require
from parvis.directory.models import Service
from parvis.directory.models.upkeep import Correction, CorrectionState
from parvis.ledger import actions as ledger
from parvis.orgs import rules

OPEN = (CorrectionState.RECEIVED, CorrectionState.IN_PROGRESS)
CLOSED = (CorrectionState.ACCEPTED, CorrectionState.DECLINED)
#: What one address may send in one hour: enough for a class that checks the directory, too little for a machine.
MOST_AN_HOUR = 10
KEPT = dt.timedelta(days=365)


class TooMany(Exception):
    """This address has sent too much in the last hour."""


class AlreadyAnswered(Exception):
    """Another answer was given first; it stands."""


# -- queries ------------------------------------------------------------------------------------------------------


def follow(token: str) -> Correction | None:
    """The correction that this secret opens, or None."""
    return Correction.objects.filter(token_hash=_digest(token)).first()


def waiting(viewer: Any, *, limit: int = 100) -> list[Correction]:
    """Corrections without a final answer that this person may see, oldest first."""
    rows = Correction.objects.filter(state__in=OPEN).order_by("received_at", "id")
    if not rules.may_see_corrections(viewer):
        organizations = list(rules.partner_roles(viewer))
        rows = rows.filter(
            Q(object_type="organization", object_id__in=organizations)
            | Q(
                object_type="service",
                object_id__in=Service.objects.filter(organization__in=organizations).values("pk"),
            )
        )
    return [row for row in rows[:limit] if rules.may_see_corrections(viewer, organization_of(row))]


def organization_of(correction: Correction) -> uuid.UUID | None:
    """The organization whose listing a correction is about; None when the listing is gone."""
    if correction.object_type == "organization":
        return correction.object_id
    return Service.objects.filter(pk=correction.object_id).values_list("organization_id", flat=True).first()


# -- actions ------------------------------------------------------------------------------------------------------


def send_correction(
    object_type: str,
    object_id: uuid.UUID,
    *,
    message: str,
    email: str = "",
    language: str = "",
    address: str = "",
    link: str = "{token}",
    now: dt.datetime | None = None,
) -> tuple[Correction, str]:
    """Keep what a reader says about a listing. Returns the row and the secret of its link, which is kept nowhere.

    object_type: "service" or "organization". address: the sender's network address, only counted, never stored.
    link: the address of the following page with "{token}" in it, written into the mail. Raises TooMany.
    """
    if address and not _within_limit(address):
        raise TooMany
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        correction = Correction.objects.create(
            object_type=object_type,
            object_id=object_id,
            message=message.strip()[:4000],
            email=email,
            language=language,
            token_hash=_digest(token),
            received_at=now or timezone.now(),
        )
        if email:
            with translation.override(language or None):
                send_mail(
                    _("We received your message"),
                    _(
                        "Thank you. Somebody of the office will read what you wrote and check it.\n\n"
                        "Follow what becomes of it here:\n%(link)s\n\n"
                        "If you did not write to us, you need do nothing."
                    )
                    % {"link": link.replace("{token}", token)},
                    None,
                    [email],
                )
        # The message itself stays out of the ledger, which keeps longer than a person's words may be kept.
        ledger.record(
            "correction.received",
            correction,
            after={"object_type": object_type, "object_id": str(object_id), "state": correction.state},
        )
    return correction, token


def answer_correction(
    correction: Correction,
    *,
    by: Any,
    state: str,
    answer: str = "",
    now: dt.datetime | None = None,
) -> Correction:
    """Say what became of a correction: "in_progress", "accepted" or "declined", with words that its sender reads.

    A refusal needs its reason. Raises Denied, AlreadyAnswered, ValueError (unknown state, refusal without reason).
    """
    require(rules.may_answer_correction(by, organization_of(correction)), "correction.answered", correction)
    if state not in (CorrectionState.IN_PROGRESS, *CLOSED):
        raise ValueError(f"unknown state: {state}")
    answer = answer.strip()
    if state == CorrectionState.DECLINED and not answer:
        raise ValueError("a refusal needs its reason")
    with transaction.atomic():
        fresh = Correction.objects.select_for_update().get(pk=correction.pk)
        if fresh.state in CLOSED:
            raise AlreadyAnswered
        before = {"state": fresh.state, "answer": fresh.answer}
        fresh.state, fresh.answer = state, answer
        fresh.answered_at, fresh.answered_by = now or timezone.now(), by
        fresh.save(update_fields=["state", "answer", "answered_at", "answered_by"])
        if fresh.email and state in CLOSED:
            with translation.override(fresh.language or None):
                subject, text = _answer_mail(state, answer)
                send_mail(subject, text, None, [fresh.email])
        ledger.record("correction.answered", fresh, by=by, before=before, after={"state": state, "answer": answer})
    return fresh


def forget(now: dt.datetime) -> int:
    """Delete corrections a year after their answer (retention class "correction"). Returns how many."""
    deleted, _by_model = Correction.objects.filter(state__in=CLOSED, answered_at__lt=now - KEPT).delete()
    return deleted


def _answer_mail(state: str, answer: str) -> tuple[str, str]:
    if state == CorrectionState.ACCEPTED:
        text = _("Thank you. We corrected the listing.")
    else:
        text = _("Thank you. We checked the listing and left it as it is.")
    return _("Your message about a listing"), text + (f"\n\n{answer}" if answer else "")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _within_limit(address: str) -> bool:
    key = "corrections:" + salted_hmac("corrections", address, algorithm="sha256").hexdigest()[:32]
    sent = cache.get(key, 0)
    if sent >= MOST_AN_HOUR:
        return False
    cache.set(key, sent + 1, 3600)
    return True
