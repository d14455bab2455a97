"""A few referrals of the demo's agent, one in every state that a visitor should see, most to the demo partner."""

import datetime as dt
import uuid
from random import Random

from django.db import connection
from django.utils import timezone

from parvis.cases import consent_texts
from parvis.cases.models import Consent, ConsentRecipient
from parvis.cases.models.base import OFFICE
from parvis.core.access import DataClass
from parvis.core.referral import State
from parvis.referrals import needs, queries
from parvis.referrals.actions import set_clocks
from parvis.referrals.models import Referral, ReferralChange, ServiceIntake, Way

#: state -> how many days ago it was sent, its reason, whether it is urgent
TOLD: tuple[tuple[State, int, str, bool], ...] = (
    (State.SENT, 0, "", True), (State.SENT, 1, "", False), (State.SEEN, 2, "", False), (State.NEEDS_INFO, 3, "", False),
    (State.WAITLISTED, 9, "no_capacity", False), (State.ACCEPTED, 4, "", False), (State.STARTED, 20, "", False),
    (State.SERVED, 30, "", False), (State.CONFIRMED, 45, "", False), (State.DECLINED, 12, "language", False),
    (State.EXPIRED, 40, "silence", False),
)  # fmt: skip
CLASSES = DataClass.IDENTITY | DataClass.CONTACT

_PEOPLE = """
    SELECT h.id, p.id, p.language, p.interpreter FROM cases_household h
    JOIN cases_householdmember m ON m.household_id = h.id AND m.relation = 'head' AND m.until IS NULL
    JOIN cases_person p ON p.id = m.person_id
    WHERE h.holder_id = %s AND h.state = 'open' AND NOT h.restricted
    ORDER BY h.lead_worker_id = %s DESC NULLS LAST, h.opened_on DESC, h.id OFFSET 3 LIMIT %s
"""
_SERVICES = """
    SELECT s.id, s.organization_id FROM directory_service s
    JOIN cases_agreement g ON g.organization_id = s.organization_id
    LEFT JOIN orgs_membership m ON m.organization_id = s.organization_id AND m.until IS NULL
    LEFT JOIN accounts_user u ON u.id = m.user_id AND u.email = 'worker@example.org'
    WHERE s.status = 'active' AND s.missing_since IS NULL
    GROUP BY s.id ORDER BY count(u.id) DESC, s.id LIMIT 3
"""


def load_referrals(now: dt.datetime | None = None, *, seed: int = 1) -> int:
    """Refer people of the active city's agent; returns how many. Nothing when somebody is referred already.

    Inside the transaction in which the tables about people are unlocked (`demo.people`).
    """
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_user WHERE email = 'agent@example.org' AND office_role = 'agent'")
        agent = cursor.fetchone()
        cursor.execute(_SERVICES)
        services = cursor.fetchall()
        if Referral.objects.exists() or agent is None or not services:
            return 0
        cursor.execute(_PEOPLE, [OFFICE, agent[0], len(TOLD)])
        heads = cursor.fetchall()
    draw, time = Random(f"{seed}/referrals"), queries.working_time()  # noqa: S311 - a demo holds no secret
    ServiceIntake.objects.bulk_create(
        ServiceIntake(service_id=service, offered=12, taken=2, said_at=now) for service, _organization in services
    )
    for number, ((home, head, language, interpreter), told) in enumerate(zip(heads, TOLD, strict=False)):
        state, days, reason, urgent = told
        service, organization = services[number % len(services)]
        sent = now - dt.timedelta(days=days, hours=2)
        consent = Consent(
            id=_key(draw), person_id=head, purpose="referral", classes=CLASSES.value, given_at=sent,
            until=sent + dt.timedelta(days=365), text_version=consent_texts.versions()[0], text_language="fr",
            channel="screen", recorded_by_id=agent[0], by_referral=True,
        )  # fmt: skip
        Consent.objects.bulk_create([consent])
        ConsentRecipient.objects.bulk_create(
            [ConsentRecipient(id=_key(draw), person_id=head, consent=consent, organization_id=organization)]
        )
        made = Referral(
            id=_key(draw), person_id=head, household_id=home, need=needs.key(head, "language"), domain="language",
            service_id=service, organization_id=organization, sender_id=OFFICE, sent_by_id=agent[0], consent=consent,
            classes=CLASSES.value, state=state, reason=reason, urgent=urgent, language=language.split("-")[0],
            interpreter=interpreter, sent_at=sent,
        )  # fmt: skip
        _lived(made, State(state), sent)
        set_clocks(made, time)
        Referral.objects.bulk_create([made])
        ReferralChange.objects.bulk_create(_said(draw, made, State(state), reason, sent))
    return len(heads)


def _key(draw: Random) -> uuid.UUID:
    return uuid.UUID(int=draw.getrandbits(128), version=4)


def _lived(made: Referral, state: State, sent: dt.datetime) -> None:
    """The dates of what has happened by now."""
    day = dt.timedelta(days=1)
    if state not in (State.SENT, State.EXPIRED):
        made.seen_at = sent + day / 4
    if state in (State.WAITLISTED, State.ACCEPTED, State.STARTED, State.SERVED, State.CONFIRMED):
        made.answered_at = sent + day
        made.waitlisted_at = sent + day if state is State.WAITLISTED else None
    if state in (State.STARTED, State.SERVED, State.CONFIRMED):
        made.contacted_at = made.started_at = sent + 3 * day
    if state in (State.SERVED, State.CONFIRMED):
        made.outcome = State.SERVED.value
    if state is State.CONFIRMED:
        made.helped, made.helped_at = True, sent + 25 * day
    if state in (State.SERVED, State.CONFIRMED, State.DECLINED, State.EXPIRED):
        made.ended_at = sent + 2 * day if state is State.DECLINED else sent + 20 * day


def _said(draw: Random, made: Referral, state: State, reason: str, sent: dt.datetime) -> list[ReferralChange]:
    told = [("", State.SENT, "", Way.USER, OFFICE, sent)]
    if state is not State.SENT:
        way = {State.EXPIRED: Way.SYSTEM, State.CONFIRMED: Way.PERSON}.get(state, Way.USER)
        name = None if way != Way.USER else made.organization_id
        told.append((State.SENT, state, reason, way, name, made.ended_at or made.answered_at or sent))
    return [
        ReferralChange(
            id=_key(draw), person_id=made.person_id, referral=made, before=before, after=after, reason=why, way=way,
            speaks_for=name, at=at,
        )
        for before, after, why, way, name, at in told
    ]  # fmt: skip
