"""The gap map: what was asked and not found, where, in which language. Nobody is in it (`policies`)."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from parvis.accounts.rules import require
from parvis.directory.listings import fact
from parvis.directory.models import Listing, Service, TaxonomyTerm
from parvis.network import rules
from parvis.network.policies import CUTS
from parvis.places.models import Borough
from parvis.referrals.needs import TERMS


@dataclass(frozen=True)
class Gap:
    """Figures of one cell; None: hidden. Days are whole ones, on average, None where too few stand behind them."""

    domain: str
    language: str
    borough: str
    week: dt.date | None
    asked: int | None
    accepted: int | None
    full: int | None
    waiting: int | None
    unmet: int | None
    waited: int | None
    stayed: int | None


@dataclass(frozen=True)
class Asked:
    """Which weeks, and of what: "" is everything."""

    since: dt.date
    until: dt.date
    domain: str = ""
    language: str = ""
    borough: str = ""

    @property
    def days(self) -> int:
        """Days of the whole weeks that are counted."""
        first = self.since - dt.timedelta(days=self.since.weekday())
        return (self.until + dt.timedelta(days=7 - self.until.weekday()) - first).days


def _ask(viewer: Any, asked: Asked, *, crossed: bool) -> list[tuple[int, Gap]]:
    require(rules.may_see_gaps(viewer), "network.gaps")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM network_gaps(%s, %s, %s, %s, %s, %s) ORDER BY unmet DESC NULLS LAST, 2, 3, 4, 5",
            [asked.since, asked.until, crossed, asked.domain, asked.language, asked.borough],
        )
        return [(cut, Gap(domain or "", language or "", borough or "", *rest))
                for cut, domain, language, borough, *rest in cursor.fetchall()]  # fmt: skip


def gaps(viewer: Any, asked: Asked) -> dict[str, list[Gap]]:
    """The whole, and the same by need, language, borough and week: one statement. Raises Denied."""
    names = {bits: name for name, bits in CUTS.items()}
    found: dict[str, list[Gap]] = {name: [] for name in CUTS}
    for cut, gap in _ask(viewer, asked, crossed=False):
        found[names[cut]].append(gap)
    found["week"].sort(key=lambda gap: gap.week or dt.date.min)
    return found


def cells(viewer: Any, asked: Asked) -> list[Gap]:
    """Every cell of need, language, borough and week. Raises Denied."""
    return [gap for _cut, gap in _ask(viewer, asked, crossed=True)]


def one_more_place(gap: Gap, days: int) -> int | None:
    """How many of those turned down for want of a place one more place would have served in `days`: as often as it
    would have become free again, and no more than there were. None: not enough is known."""
    if not gap.full:
        return gap.full
    return min(gap.full, max(1, days // gap.stayed) if gap.stayed else 1)


def boroughs() -> list[tuple[str, str, Any]]:
    """(code, name, GeoJSON geometry) of the city's own."""
    return list(Borough.objects.order_by("name").values_list("code", "name", "geometry"))


# -- what hangs on one ------------------------------------------------------------------------------------------------


@dataclass
class Single:
    """The only organization that gives a kind of help in a language. `interpreted`: services of the same kind, of
    others, that offer an interpreter."""

    domain: str
    language: str
    service: Any
    name: str
    organization: str
    interpreted: int


@dataclass
class _Kind:
    speaking: dict[str, dict[Any, Any]] = field(default_factory=lambda: defaultdict(dict))
    interpreted: dict[Any, Any] = field(default_factory=dict)


def singles(viewer: Any, languages: set[str] | None = None) -> list[Single]:
    """Where one organization alone helps in a language: three statements, whatever the directory's size."""
    require(rules.may_see_gaps(viewer), "network.singles")
    terms = dict(TaxonomyTerm.objects.filter(missing_since=None).exclude(code="").values_list("code", "pk"))
    domains = {
        domain: {fact("u", terms[code]) for code in codes if code in terms} for domain, codes in TERMS.items()
    }  # fmt: skip
    services = {
        row["pk"]: row
        for row in Service.objects.filter(missing_since=None, status__in=["active", ""]).values(
            "pk", "name", "organization_id", "organization__name", "interpretation_services"
        )
    }
    start = fact("l", "x")[:-1]
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    for pk, facets in Listing.objects.filter(object_id__in=list(services)).values_list("object_id", "facets"):
        facts, row = set(facets.split("\n")), services[pk]
        for domain, wanted in domains.items():
            if not facts & wanted:
                continue
            for each in facts:
                if each.startswith(start):
                    kinds[domain].speaking[each.removeprefix(start)].setdefault(row["organization_id"], row)
            if row["interpretation_services"]:
                kinds[domain].interpreted[pk] = row["organization_id"]
    return [
        Single(domain, language, row["pk"], row["name"], row["organization__name"] or "",
               sum(other != row["organization_id"] for other in kind.interpreted.values()))
        for domain, kind in kinds.items()
        for language, by in sorted(kind.speaking.items())
        if len(by) == 1 and (languages is None or language in languages)
        for row in by.values()
    ]  # fmt: skip
