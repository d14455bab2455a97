"""What is weak in the directory, and how far each round has come."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from parvis.core.freshness import KINDS, Listing, Quality, quality
from parvis.directory import queries as directory
from parvis.directory.models import Phone, Service
from parvis.network import rules
from parvis.network.models import ENDS, Alike, Review, ReviewLink, Rhythm
from parvis.orgs.models import Organization


def rhythm() -> Rhythm:
    """The office's rhythm, or the one that holds until it has set its own."""
    return Rhythm.objects.filter(number=1).first() or Rhythm()


# -- quality ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weak:
    """A service, and what is weak about its listing."""

    id: Any
    name: str
    organization_id: Any
    organization: str
    quality: Quality


_LISTINGS = """
    WITH place AS (
        SELECT service_id, id AS link, location_id FROM directory_serviceatlocation WHERE missing_since IS NULL
    ), called AS (
        SELECT service_id, service_at_location_id, location_id, organization_id FROM directory_phone
        WHERE missing_since IS NULL
    ), phoned AS (
        SELECT service_id FROM called WHERE service_id IS NOT NULL
        UNION SELECT p.service_id FROM called c JOIN place p ON p.link = c.service_at_location_id
        UNION SELECT p.service_id FROM called c JOIN place p ON p.location_id = c.location_id
        UNION SELECT s.id FROM called c JOIN directory_service s ON s.organization_id = c.organization_id
    ), hour AS (
        SELECT service_id, service_at_location_id, location_id FROM directory_schedule WHERE missing_since IS NULL
    ), timed AS (
        SELECT service_id FROM hour WHERE service_id IS NOT NULL
        UNION SELECT p.service_id FROM hour h JOIN place p ON p.link = h.service_at_location_id
        UNION SELECT p.service_id FROM hour h JOIN place p ON p.location_id = h.location_id
    ), addressed AS (
        SELECT DISTINCT p.service_id FROM place p JOIN directory_address a ON a.location_id = p.location_id
        WHERE a.missing_since IS NULL
    ), pointed AS (
        SELECT DISTINCT p.service_id FROM place p JOIN directory_location l ON l.id = p.location_id
        WHERE l.latitude IS NOT NULL
    ), spoken AS (
        SELECT service_id FROM directory_language WHERE service_id IS NOT NULL AND missing_since IS NULL
        UNION SELECT p.service_id FROM directory_language g JOIN place p ON p.location_id = g.location_id
    ), classed AS (
        SELECT link_id AS service_id FROM directory_attribute WHERE link_entity = 'service' AND missing_since IS NULL
    ), priced AS (
        SELECT service_id FROM directory_costoption WHERE missing_since IS NULL
    ), said AS (
        SELECT object_id, max(at) FILTER (WHERE about IN ('', 'hours')) AS hours,
            max(at) FILTER (WHERE about IN ('', 'phone')) AS phone,
            max(at) FILTER (WHERE about IN ('', 'address')) AS address,
            max(at) FILTER (WHERE about IN ('', 'rest')) AS rest
        FROM directory_verification WHERE object_type = 'service' GROUP BY object_id
    )
    SELECT s.id, s.name, o.id, coalesce(o.name, ''), s.description, s.eligibility_description,
        s.id IN (SELECT service_id FROM phoned), s.email <> '' OR coalesce(o.email, '') <> '',
        s.id IN (SELECT service_id FROM timed), s.id IN (SELECT service_id FROM place),
        s.id IN (SELECT service_id FROM addressed), s.id IN (SELECT service_id FROM pointed),
        s.id IN (SELECT service_id FROM spoken), s.id IN (SELECT service_id FROM classed),
        s.id IN (SELECT service_id FROM priced) OR s.fees_description <> '' OR s.fees <> '',
        s.missing_since IS NOT NULL, s.assured_date, v.hours, v.phone, v.address, v.rest
    FROM directory_service s LEFT JOIN orgs_organization o ON o.id = s.organization_id
    LEFT JOIN said v ON v.object_id = s.id
    WHERE NOT EXISTS (SELECT 1 FROM directory_tombstone t WHERE t.kind = 'service' AND t.object_id = s.id)
"""


def weak(viewer: Any, today: dt.date) -> list[Weak]:
    """Every listed service that is not perfect, the weakest first. One statement, whatever their number."""
    if not rules.keeps_network(viewer):
        return []
    periods = directory.periods()
    with connection.cursor() as cursor:
        cursor.execute(_LISTINGS)
        rows = cursor.fetchall()
    found = []
    for row in rows:
        judged = quality(_listing(row), today, periods)
        if judged.reasons:
            found.append(Weak(row[0], row[1], row[2], row[3], judged))
    found.sort(key=lambda one: (one.quality.score, one.name, str(one.id)))
    return found


def _listing(row: tuple[Any, ...]) -> Listing:
    assured = row[16]
    verified: Mapping[str, dt.date | None] = {
        kind: max((day for day in (timezone.localdate(at) if at else None, assured) if day), default=None)
        for kind, at in zip(KINDS, row[17:21], strict=True)
    }
    return Listing(
        name=row[1], description=row[4], eligibility=row[5], phones=row[6], emails=row[7], schedules=row[8],
        places=row[9], addresses=row[10], points=row[11], languages=row[12], terms=row[13], fees=row[14],
        missing=row[15], verified=verified,
    )  # fmt: skip


# -- rounds -------------------------------------------------------------------------------------------------------


def open_reviews(viewer: Any) -> QuerySet[Review]:
    """Reviews without an end, the oldest first."""
    rows = Review.objects.filter(ended_at=None).select_related("organization", "by").order_by("began_at", "pk")
    return rows if rules.keeps_network(viewer) else rows.none()


def review(viewer: Any, pk: Any) -> Review | None:
    return open_reviews(viewer).filter(pk=pk).first()


def ended_reviews(viewer: Any) -> QuerySet[Review]:
    rows = Review.objects.exclude(ended_at=None).select_related("organization", "by").order_by("-ended_at")
    return rows if rules.keeps_network(viewer) else rows.none()


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def link(key: str) -> ReviewLink | None:
    """The link that this key opens, whatever its state; None for a key that nobody was sent."""
    return ReviewLink.objects.select_related("review__organization").filter(key_hash=hashed(key)).first()


def listed_services(organization: Organization) -> list[Service]:
    """What the public reads of an organization's services, by name."""
    return [one for one in organization.services.order_by("name", "pk") if directory.is_listed(one)]


def to_ask(viewer: Any, today: dt.date, most: int = 200) -> list[tuple[Any, str, int]]:
    """(id, name, listings to confirm) of organizations that nobody is asking and of which something is overdue, the
    ones with most first. Not again before the shortest period after a round's end."""
    counted: dict[Any, list[Any]] = {}
    for one in weak(viewer, today):
        if one.organization_id and any(reason.code in ("never", "overdue") for reason in one.quality.reasons):
            counted.setdefault(one.organization_id, [one.organization, 0])[1] += 1
    since = timezone.now() - dt.timedelta(days=30 * min(directory.periods().values()))
    lately = Review.objects.filter(organization_id__in=list(counted))
    asked = set(lately.filter(ended_at=None).values_list("organization_id", flat=True))
    asked |= set(lately.filter(ended_at__gte=since, stage__in=ENDS).values_list("organization_id", flat=True))
    rows = [(key, name, number) for key, (name, number) in counted.items() if key not in asked]
    return sorted(rows, key=lambda row: (-row[2], row[1], str(row[0])))[:most]


def organizations(viewer: Any, ids: list[str]) -> list[Organization]:
    """The organizations of these ids, at most a hundred."""
    if not rules.keeps_network(viewer):
        return []
    wanted = []
    for text in ids[:100]:
        try:
            wanted.append(uuid.UUID(text))
        except ValueError:
            continue
    return list(Organization.objects.filter(pk__in=wanted).order_by("name"))


def phones(organization: Organization) -> list[str]:
    """By which numbers an organization is called: its own, then its services'."""
    rows = Phone.objects.filter(missing_since=None).exclude(number="")
    own = rows.filter(organization=organization).values_list("number", flat=True)
    services = (
        rows.filter(service__organization=organization).order_by("service__name").values_list("number", flat=True)
    )
    return list(dict.fromkeys([*own, *services]))[:3]


def names(ids: set[str]) -> dict[str, str]:
    """What organizations, services and places are called."""
    found = directory.names(ids)
    return found | {str(key): name for key, name in Service.objects.filter(pk__in=ids).values_list("pk", "name")}


def alike(viewer: Any) -> QuerySet[Alike]:
    """Pairs that nobody has decided, those that share most first."""
    rows = Alike.objects.filter(decided_at=None).annotate(shared=Length("reasons")).order_by("-name", "-shared", "pk")
    return rows if rules.keeps_network(viewer) else rows.none()
