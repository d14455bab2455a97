"""Rounds: organizations are asked, reminded, telephoned; who never answers is doubted in public, then hidden."""

import datetime as dt
import secrets
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from parvis.accounts.rules import require
from parvis.directory import actions as directory
from parvis.directory import merging
from parvis.directory.holding import BY_LINK
from parvis.directory.models import Service
from parvis.ledger import actions as ledger
from parvis.network import notices, queries, rules
from parvis.network.models import ENDS, Alike, Review, ReviewLink, Rhythm, Stage
from parvis.orgs.models import Organization, VersionedRow

#: the machine that keeps the rounds going, in the ledger
_BY = "rounds"
#: how long the link in a mail opens its page
OPEN_FOR = dt.timedelta(days=14)
#: links to one review that somebody may ask for again, a day: each is a mail to the organization
MOST_RENEWALS = 3
#: organizations that one pass of the sweep begins to ask: mail servers and telephones have their pace
AT_ONCE = 20


class NotOpen(Exception):
    """The review has ended."""


class TooMany(Exception):
    """Links enough for a day."""


def begin(organization: Organization, *, by: Any) -> Review:
    """Ask an organization about its listings: by mail, or, without an address, by telephone. One round at a time: a
    second call returns the first's. Raises Denied."""
    require(rules.keeps_network(by), "network.review.began", organization)
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        there = Review.objects.filter(organization=organization, ended_at=None).first()
        if there is not None:
            return there
        to = _address(organization)
        now = timezone.now()
        review = Review.objects.create(
            organization=organization, sent_to=to, stage=Stage.ASKED if to else Stage.CALL, began_at=now, stage_at=now,
            by=by if hasattr(by, "pk") else None,
        )  # fmt: skip
        if to:
            _send(review, again=False)
        _told(review, "began", by)
    return review


def _address(organization: Organization) -> str:
    for text in (organization.email, *(one.email for one in organization.services.order_by("name"))):
        try:
            validate_email(text.strip())
        except ValidationError:
            continue
        return text.strip()
    return ""


def _send(review: Review, *, again: bool) -> None:
    key = secrets.token_urlsafe(24)
    ReviewLink.objects.create(review=review, key_hash=queries.hashed(key), expires_at=timezone.now() + OPEN_FOR)
    notices.ask(review, key, again=again)


def _told(review: Review, what: str, by: Any, **more: Any) -> None:
    told = {"stage": review.stage, "organization": str(review.organization_id), **more}
    ledger.record(f"network.review.{what}", review, by=by, after=told)


def _hold(review: Review) -> Review:
    held = Review.objects.select_for_update(of=("self",)).select_related("organization").get(pk=review.pk)
    if held.ended_at is not None:
        raise NotOpen
    return held


def _end(review: Review, stage: str) -> None:
    review.stage, review.stage_at = stage, timezone.now()
    review.ended_at = review.stage_at
    review.save(update_fields=["stage", "stage_at", "ended_at"])


# -- the organization answers -------------------------------------------------------------------------------------


def saw(review: Review) -> None:
    """Somebody opened the page: the office knows that the mail arrived."""
    with transaction.atomic():
        if Review.objects.filter(pk=review.pk, seen_at=None, ended_at=None).update(seen_at=timezone.now()):
            _told(review, "seen", BY_LINK)


def still_true(review: Review, *, by: Any, means: str) -> None:
    """Everything that is listed of the organization is true: confirmed, the round ends. Raises Denied, NotOpen."""
    require(by == BY_LINK or rules.keeps_network(by), "network.review.answered", review)
    with transaction.atomic():
        held = _hold(review)
        for obj in _asked_about(held.organization):
            directory.confirm(obj, by=by, means=means)
        _end(held, Stage.ANSWERED)
        _told(held, "answered", by, means=means)


def _asked_about(organization: Organization) -> list[VersionedRow]:
    return [organization, *queries.listed_services(organization)]


def correct(review: Review, obj: VersionedRow, changes: dict[str, Any]) -> None:
    """The organization's people correct a listing on the page of their link. Raises NotOpen, and as `edit` does."""
    with transaction.atomic():
        held = _hold(review)
        owner = obj.pk if isinstance(obj, Organization) else obj.organization_id if isinstance(obj, Service) else None
        require(owner == held.organization_id, "network.review.corrected", obj)
        directory.edit(obj, by=BY_LINK, changes=changes)


def renew(review: Review) -> None:
    """A new link, to the organization's own address alone. Raises NotOpen, TooMany."""
    with transaction.atomic():
        held = _hold(review)
        since = timezone.now() + OPEN_FOR - dt.timedelta(days=1)
        if not held.sent_to or held.links.filter(expires_at__gte=since).count() >= MOST_RENEWALS:
            raise TooMany
        _send(held, again=True)
        _told(held, "renewed", BY_LINK)


# -- the office ---------------------------------------------------------------------------------------------------


def called(review: Review, *, by: Any) -> None:
    """Somebody telephoned and nobody answered. Raises Denied, NotOpen."""
    require(rules.keeps_network(by), "network.review.called", review)
    with transaction.atomic():
        held = _hold(review)
        held.calls, held.called_at = held.calls + 1, timezone.now()
        held.save(update_fields=["calls", "called_at"])
        _told(held, "called", by, calls=held.calls)


def stop(review: Review, *, by: Any) -> None:
    """End a round without an answer; a doubt stays until somebody confirms. Raises Denied, NotOpen."""
    require(rules.keeps_network(by), "network.review.stopped", review)
    with transaction.atomic():
        held = _hold(review)
        _end(held, Stage.STOPPED)
        _told(held, "stopped", by)


def set_rhythm(values: dict[str, Any], *, by: Any) -> Rhythm:
    """Set the rhythm. Raises Denied, IntegrityError (stages that are not in their order)."""
    require(rules.keeps_network(by), "network.rhythm.set")
    with transaction.atomic():
        found = Rhythm.objects.select_for_update().filter(number=1).first() or Rhythm()
        before = {name: getattr(found, name) for name in values}
        for name, value in values.items():
            setattr(found, name, value)
        found.save()
        ledger.record("network.rhythm.set", found, by=by, before=before, after=values)
    return found


def not_the_same(pair: Alike, *, by: Any) -> None:
    """Two listings only look alike: they are not proposed again. Raises Denied."""
    require(rules.keeps_network(by), "network.alike.decided", pair)
    with transaction.atomic():
        if Alike.objects.filter(pk=pair.pk, decided_at=None).update(decided_at=timezone.now()):
            told = {"one": str(pair.one), "other": str(pair.other), "same": False}
            ledger.record("network.alike.decided", pair, by=by, after=told)


def join(pair: Alike, keep: VersionedRow, lose: VersionedRow, *, take: list[str], by: Any) -> None:
    """Merge one of the pair into the other; pairs of the one that is lost end. Raises as `directory.merging.merge`."""
    require(rules.keeps_network(by), "network.alike.decided", pair)
    with transaction.atomic():
        merging.merge(keep, lose, take=take, by=by)
        Alike.objects.filter(Q(one=lose.pk) | Q(other=lose.pk), decided_at=None).delete()


# -- the clock ----------------------------------------------------------------------------------------------------


def pursue(now: dt.datetime) -> None:
    """The sweep: bring each open review to the stage that its age asks for, and begin rounds when the office lets it.

    Each stage lasts as long as the rhythm says, also after days in which no worker ran: nobody is hidden who was not
    reminded, to be telephoned and doubted for as long before.
    """
    rhythm = queries.rhythm()
    for key in Review.objects.filter(ended_at=None).order_by("began_at").values_list("pk", flat=True):
        _pursue(key, now, rhythm)
    if rhythm.on:
        for key, _name, _number in queries.to_ask(_BY, timezone.localdate(now), AT_ONCE):
            begin(Organization.objects.get(pk=key), by=_BY)


def _pursue(key: uuid.UUID, now: dt.datetime, rhythm: Rhythm) -> None:
    with transaction.atomic():
        held = Review.objects.select_for_update(of=("self",), skip_locked=True).select_related("organization")
        review = held.filter(pk=key, ended_at=None).first()
        if review is None:
            return
        stage = after(Stage(review.stage), (now - review.stage_at).days, rhythm)
        if stage is None:
            return
        review.stage, review.stage_at = stage, now
        if stage in (Stage.REMINDED, Stage.REMINDED_AGAIN):
            _send(review, again=True)
        elif stage == Stage.DOUBTED:
            for obj in _asked_about(review.organization):
                directory.doubt(obj, by=_BY, reason="network.review")
        elif stage == Stage.HIDDEN:
            directory.never_list(review.organization, by=_BY, reason="network.review")
        review.ended_at = now if stage in ENDS else None
        review.save(update_fields=["stage", "stage_at", "ended_at"])
        _told(review, "moved", _BY)


def after(stage: Stage, days: int, rhythm: Rhythm) -> Stage | None:
    """The stage that follows one that has lasted so many days; None while its time has not come."""
    order = {
        Stage.ASKED: (Stage.REMINDED, rhythm.remind),
        Stage.REMINDED: (Stage.REMINDED_AGAIN, rhythm.remind_again - rhythm.remind),
        Stage.REMINDED_AGAIN: (Stage.CALL, rhythm.call - rhythm.remind_again),
        Stage.CALL: (Stage.DOUBTED, rhythm.doubt - rhythm.call),
        Stage.DOUBTED: (Stage.HIDDEN, rhythm.hide - rhythm.doubt),
    }
    follows = order.get(stage)
    return follows[0] if follows and days >= follows[1] else None
