"""What a person's need asks of a service, as far as the viewer may know the person."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from parvis.cases.glance import Profile
from parvis.cases.models import Address, HouseholdMember, ImmigrationStatus, Person, SpokenLanguage
from parvis.cases.models.people import Relation
from parvis.cases.models.profile import Domain, Level
from parvis.core.access import DataClass
from parvis.core.eligibility import Facts
from parvis.core.language import fold
from parvis.directory.models import TaxonomyTerm
from parvis.places.models import Borough
from parvis.referrals.candidates import Times, Wanted

#: domain of integration -> codes of the directory's terms; where it has none of them, every service is looked at
TERMS: dict[str, Sequence[str]] = {
    Domain.WORK: ("work",),
    Domain.HOUSING: ("housing", "temporary-lodging"),
    Domain.EDUCATION: ("school",),
    Domain.HEALTH: ("health",),
    Domain.LEISURE: ("sport-leisure", "culture-libraries"),
    Domain.BONDS: ("family", "cultural-associations"),
    Domain.BRIDGES: ("twinning", "conversation", "volunteering"),
    Domain.LINKS: ("arrival",),
    Domain.LANGUAGE: ("language",),
    Domain.CULTURE: ("culture-libraries", "information-sessions"),
    Domain.DIGITAL: ("digital-skills", "internet-access"),
    Domain.SAFETY: ("violence", "crisis"),
    Domain.STABILITY: ("money", "food", "goods"),
    Domain.RIGHTS: ("legal",),
}
#: from this level on a language is enough to be served in
ENOUGH = (Level.B1, Level.B2, Level.C1, Level.C2, Level.NATIVE)


def wanted(profile: Profile, domain: str, times: Times = "") -> Wanted:
    """The need of a person in a domain. What the viewer may not see is not known."""
    terms = TaxonomyTerm.objects.filter(code__in=TERMS.get(domain, ()), missing_since=None)
    return Wanted(
        key_of(profile.person, domain),
        tuple(terms.values_list("pk", flat=True)),
        facts(profile),
        languages(profile),
        times,
    )


def key_of(person: Person, domain: str) -> uuid.UUID:
    """The person's need in a domain: one key for all that asks for the same, and for the order of services."""
    return key(person.pk, domain)


def key(person: uuid.UUID, domain: str) -> uuid.UUID:
    return uuid.uuid5(person, domain)


def languages(profile: Profile) -> tuple[str, ...]:
    """Primary tags of the languages that they speak well enough, the one they are written to in first."""
    held = profile.rows(SpokenLanguage).filter(level__in=ENOUGH, ended_on=None)
    spoken = [row.language for row in held.order_by("created_at")]
    tags = [tag.split("-")[0].lower() for tag in (profile.person.language, *spoken) if tag]
    return tuple(dict.fromkeys(tags))


def facts(profile: Profile) -> Facts:
    """What eligibility asks, from the classes of data that the viewer may see."""
    person, age = profile.person, profile.age
    # of whom only the year of birth is known: this year's birthday may be to come
    youngest = age if age is None or profile.birth_date else max(0, age - 1)
    status = profile.rows(ImmigrationStatus).filter(until=None).first()
    home = _home(profile.rows(Address))
    gender = "" if person.gender == "unknown" else person.gender
    stream = profile.vault.open(status, "stream") if status else ""
    borough = _borough(home.borough) if home else ""
    return Facts(youngest, age, gender, stream, borough, _with_children(profile))


def _home(rows: QuerySet[Address]) -> Address | None:
    return rows.filter(until=None, hidden=False).exclude(kind=Address.Kind.MAIL).first()


def borough_of(person: Person) -> str:
    """The code of the borough where a person lives, for figures; "" when it is not known, hidden, or not theirs to see
    who asks (the database's own lock)."""
    home = _home(Address.objects.filter(person=person))
    return _borough(home.borough) if home else ""


def _borough(text: str) -> str:
    """The code of a borough as an address says it: mostly its name, typed or chosen. "" when it is no borough's."""
    said = fold(text)
    return next(
        (code for code, name in Borough.objects.values_list("code", "name") if said and said in (code, fold(name))), ""
    )


def _with_children(profile: Profile) -> bool | None:
    """True when there are children in the household; who lives alone as far as is known may have some elsewhere."""
    if profile.member is None or not profile.sees(DataClass.HOUSEHOLD):
        return None
    here = HouseholdMember.objects.filter(household=profile.member.household_id, until=None)
    return True if here.filter(relation__in=[Relation.CHILD, Relation.WARD]).exists() else None


def ways(chosen: Any) -> str:
    """A domain's code, or that of the first one: an address may say anything."""
    return str(chosen) if chosen in Domain.values else str(Domain.values[0])
