"""Links by which whoever was asked answers one referral without an account.

A key is random and kept as a hash; it opens one referral (`policies`: the database gives a link's holder that row and
what it shares, nothing else), for eight days, and a new one goes to the organization's own address alone.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases.actions.moves import Refused
from parvis.core import referral as core
from parvis.kit.acting import acting_by_link
from parvis.ledger.actions import Entry, record_many
from parvis.orgs.models import Membership, Organization
from parvis.referrals import notices
from parvis.referrals.models import Referral, ReferralLink

#: how long a link opens its referral
OPEN_FOR = dt.timedelta(days=8)
#: links to one referral, a day, after which its holder gets no new one: each is a mail
MOST_RENEWALS = 3
#: who holds a link, in the ledger
BY_LINK = "referral link"
_SHARING = [each.value for each in core.SHARING]


_NO_ADDRESS = _("This organization has no e-mail address: telephone them, and write down what they say.")
_OVER = _("This referral is over: there is nothing to answer.")


class TooMany(Exception):
    """Links enough for a day."""


@dataclass(frozen=True)
class Opened:
    """Where a link has come to. It names nobody."""

    referral: uuid.UUID
    person: uuid.UUID
    household: uuid.UUID | None
    row_class: int
    organization: uuid.UUID
    service: uuid.UUID
    state: str
    ended_at: dt.datetime | None
    expires_at: dt.datetime
    recent: int

    @property
    def is_over(self) -> bool:
        """It was answered to its end, or ended otherwise: this link opens nothing any more."""
        return self.state not in _SHARING

    @property
    def is_open(self) -> bool:
        return not self.is_over and timezone.now() < self.expires_at


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def opened(key: str) -> Opened | None:
    """What this key leads to; None for a key that nobody was sent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM referrals_link(%s)", [hashed(key)])
        row = cursor.fetchone()
    return Opened(*row) if row else None


def address(organization: Organization) -> str:
    """The organization's own address, or that of one of its services; "" when it has none to write to."""
    for text in (organization.email, *organization.services.order_by("name").values_list("email", flat=True)):
        try:
            validate_email(text.strip())
        except ValidationError:
            continue
        return str(text.strip())
    return ""


def has_members(organization: uuid.UUID) -> bool:
    """Does anybody sign in for it?"""
    return Membership.objects.filter(organization=organization, until=None, user__is_active=True).exists()


@transaction.atomic
def send(found: Referral, *, by: Any) -> str:
    """Mail a link to whoever was asked; returns the address. Raises Refused: no address, or nothing to answer."""
    to = address(found.organization)
    if not to:
        raise Refused(_NO_ADDRESS)
    if found.state not in _SHARING:
        raise Refused(_OVER)
    key = _keep(found.person_id, found.pk)
    notices.ask(found.organization, found.service, to, key, urgent=found.urgent)
    _told(found.person_id, found.household_id, found.pk, by)
    return to


def announce(found: Referral, *, by: Any) -> None:
    """A referral waits for somebody who doesn't sign in: a link goes to them, if they have an address."""
    if not has_members(found.organization_id) and address(found.organization):
        send(found, by=by)


@transaction.atomic
def renew(key: str) -> None:
    """A new link, to the organization's own address. Raises TooMany; Refused when it is over or without an address."""
    found = opened(key)
    if found is None or found.is_over:
        raise Refused(_OVER)
    organization = Organization.objects.get(pk=found.organization)
    to = address(organization)
    if not to:
        raise Refused(_NO_ADDRESS)
    if found.recent >= MOST_RENEWALS:
        raise TooMany
    with acting_by_link(hashed(key)):
        fresh = _keep(found.person, found.referral)
        notices.ask(organization, organization.services.get(pk=found.service), to, fresh, again=True)
        _told(found.person, found.household, found.referral, BY_LINK)


def _keep(person: uuid.UUID, referral: uuid.UUID) -> str:
    key, now = secrets.token_urlsafe(24), timezone.now()
    row = ReferralLink(
        person_id=person, referral_id=referral, key_hash=hashed(key), made_at=now, expires_at=now + OPEN_FOR
    )
    row.save(force_insert=True)
    return key


def _told(person: uuid.UUID, household: uuid.UUID | None, referral: uuid.UUID, by: Any) -> None:
    about = ("cases.household", household) if household else ("cases.person", person)
    record_many([Entry("referrals.link.sent", *about, None, {"referral": referral})], by=by)
