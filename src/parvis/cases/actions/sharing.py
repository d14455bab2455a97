"""What a person decides about sharing: consent, withdrawal, refusal; agreements; and the person's own sign-in.

Every function is one transaction and its events. `by` is the account that acts: whoever keeps the file, or the person.
Events carry keys, never what was agreed: that is in the rows, which are added to and never changed.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parvis.accounts import actions as accounts
from parvis.accounts.actions import Refused
from parvis.accounts.models import Invitation, User
from parvis.accounts.rules import require
from parvis.cases import consent_texts, consents, queries, rules
from parvis.cases.models import (
    AccountOffer,
    Agreement,
    Consent,
    ConsentRecipient,
    HouseholdMember,
    Person,
    Withdrawal,
)
from parvis.cases.models.people import PersonState
from parvis.cases.models.sharing import Channel, Purpose
from parvis.cases.vault import Vault
from parvis.core.access import EVERYTHING, SENSITIVE, SHAREABLE, DataClass
from parvis.kit.acting import acting
from parvis.ledger.actions import Entry, record_many
from parvis.orgs.models import Organization

#: how long a consent lasts unless something else was agreed, and at most
USUAL = dt.timedelta(days=365)
LONGEST = dt.timedelta(days=3 * 366)
#: Québec: below this age the holder of parental authority consents, from it on the minor may (A-2.1 s. 53.1)
OWN_CONSENT_AT = 14
ADULT_AT = 18


class Wrong(Refused):
    """What was asked can't be written; `problems`: field -> sentence for the person, "" for the whole."""

    def __init__(self, problems: dict[str, Promise | str]) -> None:
        super().__init__(next(iter(problems.values())))
        self.problems = problems


@dataclass(frozen=True)
class Terms:
    """What is agreed. `until`: the first moment at which it no longer holds; None: in twelve months."""

    organizations: Sequence[Organization]
    classes: int
    purpose: str
    text_version: str
    text_language: str
    channel: str
    until: dt.datetime | None = None
    witness: str = ""
    express: bool = False
    #: for a referral alone: it opens nothing by itself, and what it opens ends with the referral
    by_referral: bool = False


def problems_of(terms: Terms, now: dt.datetime) -> dict[str, Promise | str]:
    """What the database would refuse, in words, by field; and what an office would regret."""
    found: dict[str, Promise | str] = {}
    if not terms.organizations:
        found["organizations"] = _("Choose at least one organization.")
    elif without := _without_agreement(terms.organizations):
        found["organizations"] = _("There is no agreement in force with %(names)s: nothing can be shared with it.") % {
            "names": ", ".join(without)
        }
    if terms.classes & ~EVERYTHING.value or not terms.classes & DataClass.IDENTITY:
        found["classes"] = _("Choose what is shared from the list; the name is always part of it.")
    elif terms.classes & ~SHAREABLE.value:
        found["classes"] = _("A hidden address and confidential notes are never shared.")
    if terms.classes & SENSITIVE and not terms.express:
        found["express"] = _("Ask for each sensitive line by itself, and tick this when the person said yes to each.")
    if terms.purpose not in Purpose.values:
        found["purpose"] = _("Choose what it is for.")
    if terms.until is not None and terms.until <= now:
        found["until"] = _("This day is past: choose one to come.")
    elif terms.until is not None and terms.until > now + LONGEST:
        found["until"] = _("Three years is the longest. After that, ask again.")
    if terms.channel not in Channel.values:
        found["channel"] = _("Say how the person agreed.")
    if terms.channel == Channel.SPOKEN and not terms.witness.strip():
        found["witness"] = _("A spoken consent needs the name of a witness, such as the interpreter.")
    if (terms.text_version, terms.text_language) not in {
        (version, tag) for version in consent_texts.versions() for tag in consent_texts.languages(version)
    }:
        found["text_language"] = _("Choose the language in which the text was shown.")
    return found


def _without_agreement(organizations: Sequence[Organization]) -> list[str]:
    held = consents.with_agreement(one.pk for one in organizations)
    return [one.name for one in organizations if one.pk not in held]


# -- consent -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def give_consents(
    persons: Sequence[Person], terms: Terms, *, by: User, given_by: Person | None = None
) -> list[Consent]:  # fmt: skip
    """Record that each of these persons agrees to the same; `given_by`: the parent who agrees for the children.

    Raises Denied for who may not decide with them, Wrong with every problem.
    """
    for person in persons:
        require(consents.may_decide(by, person.pk), "cases.consent.given", person)
    now = timezone.now()
    problems = problems_of(terms, now)
    if not persons:
        problems["persons"] = _("Choose who agrees.")
    problems |= _problems_of_persons(persons, given_by)
    if problems:
        raise Wrong(problems)
    return _write(persons, terms, by=by, given_by=given_by, now=now)


def give_consent(person: Person, terms: Terms, *, by: User, given_by: Person | None = None) -> Consent:
    """Record that one person agrees. Raises as `give_consents`."""
    return give_consents([person], terms, by=by, given_by=given_by)[0]


def _write(
    persons: Sequence[Person], terms: Terms, *, by: User, given_by: Person | None, now: dt.datetime
) -> list[Consent]:  # fmt: skip
    made = []
    for person in persons:
        consent = Consent.objects.create(
            person=person,
            purpose=terms.purpose,
            classes=int(terms.classes),
            given_at=now,
            until=terms.until or now + USUAL,
            text_version=terms.text_version,
            text_language=terms.text_language,
            channel=terms.channel,
            witness=terms.witness.strip(),
            express=terms.express and bool(terms.classes & SENSITIVE),
            by_referral=terms.by_referral,
            given_by=given_by if given_by and is_minor(person, timezone.localdate(now)) else None,
            recorded_by=by,
        )
        ConsentRecipient.objects.bulk_create(
            ConsentRecipient(person=person, consent=consent, organization=one) for one in terms.organizations
        )
        made.append(consent)
    record_many([_entry("cases.consent.given", one.person_id, {"consent": one.pk}) for one in made], by=by)
    return made


def _problems_of_persons(persons: Sequence[Person], given_by: Person | None) -> dict[str, Promise | str]:
    today = timezone.localdate()
    if any(person.state in (PersonState.DECEASED, PersonState.MISTAKE) for person in persons):
        return {"persons": _("Nobody can agree for a person who has died or was entered by mistake.")}
    minors = [person for person in persons if is_minor(person, today)]
    if any(needs_parent(person, today) for person in minors) and given_by is None:
        return {"given_by": _("Below fourteen years, a parent or guardian agrees: choose who.")}
    if given_by is None or not minors:
        return {}
    if is_minor(given_by, today):
        return {"given_by": _("A minor can't agree for somebody else.")}
    if given_by.state == PersonState.DECEASED or not _live_together([*minors, given_by]):
        return {"given_by": _("Choose an adult who is in the same household.")}
    return {}


def _live_together(persons: Sequence[Person]) -> bool:
    homes = HouseholdMember.objects.filter(person__in=persons, until=None).values_list("household_id", flat=True)
    return len(homes) == len({person.pk for person in persons}) and len(set(homes)) == 1


def needs_parent(person: Person, today: dt.date) -> bool:
    """Must somebody else agree for this person? When only a year is known, who may be below fourteen is."""
    age = _age(person, today)
    return age is not None and age < OWN_CONSENT_AT


def is_minor(person: Person, today: dt.date) -> bool:
    age = _age(person, today)
    return age is not None and age < ADULT_AT


def _age(person: Person, today: dt.date) -> int | None:
    """Whole years, at least; None when nothing is known."""
    if person.birth_year is None:
        return None
    born = Vault([person.pk]).open_date(person, "birth_date") if person.birth_date else None
    had_birthday = born is not None and (today.month, today.day) >= (born.month, born.day)
    return today.year - person.birth_year - (0 if had_birthday else 1)


@transaction.atomic
def withdraw(consent: Consent, *, channel: str, by: User, reason: str = "") -> Withdrawal:
    """Take a consent back: it opens nothing from the next request on. Raises Denied, Wrong when it is back already."""
    require(consents.may_decide(by, consent.person_id), "cases.consent.withdrawn", consent)
    if channel not in Channel.values:
        raise Wrong({"channel": _("Say how the person said so.")})
    try:
        with transaction.atomic():
            made = Withdrawal.objects.create(
                person_id=consent.person_id, consent=consent, at=timezone.now(), channel=channel,
                reason=reason.strip(), recorded_by=by,
            )  # fmt: skip
    except IntegrityError:
        raise Wrong({"": _("This consent has been withdrawn already.")}) from None
    record_many([_entry("cases.consent.withdrawn", consent.person_id, {"consent": consent.pk})], by=by)
    return made


@transaction.atomic
def refuse(persons: Sequence[Person], organizations: Sequence[Organization], *, by: User) -> None:
    """Note that persons said no to sharing with these organizations, or with anybody. Nothing else changes by it."""
    for person in persons:
        require(consents.may_decide(by, person.pk), "cases.consent.refused", person)
    if not persons:
        raise Wrong({"persons": _("Choose who said no.")})
    about = {"organizations": [one.pk for one in organizations]}
    record_many([_entry("cases.consent.refused", person.pk, about) for person in persons], by=by)


def _entry(code: str, person: Any, after: dict[str, Any]) -> Entry:
    return Entry(code, "cases.person", person, None, after)


# -- agreements --------------------------------------------------------------------------------------------------------


@transaction.atomic
def agree(
    organization: Organization, *, since: dt.date, until: dt.date | None = None, reference: str = "", by: User
) -> Agreement:  # fmt: skip
    """Note a data-sharing agreement with an organization. Raises Denied, Wrong (dates, one in force already)."""
    require(rules.may_keep_agreements(by), "cases.agreement.made", organization)
    if until is not None and until < since:
        raise Wrong({"until": _("The agreement would end before it begins.")})
    # the organization's row is where two writers of its agreements wait for each other
    Organization.objects.select_for_update().get(pk=organization.pk)
    for other in Agreement.objects.filter(organization=organization):
        last = min((day for day in (other.until, _day_before(other.ended_on)) if day), default=None)
        if (last is None or last >= since) and (until is None or until >= other.since):
            raise Wrong({"since": _("Another agreement with this organization holds at that time: end it first.")})
    made = Agreement.objects.create(organization=organization, since=since, until=until, reference=reference.strip())
    record_many([Entry("cases.agreement.made", "cases.agreement", made.pk, None, _of(organization))], by=by)
    return made


@transaction.atomic
def end_agreement(agreement: Agreement, *, by: User, reason: str = "") -> None:
    """End an agreement now: what consents opened to the organization closes with the next request."""
    require(rules.may_keep_agreements(by), "cases.agreement.ended", agreement)
    agreement = Agreement.objects.select_for_update().get(pk=agreement.pk)
    if agreement.ended_on is not None and agreement.ended_on <= consents.today():
        raise Wrong({"": _("This agreement has ended already.")})
    agreement.ended_on = max(consents.today(), agreement.since)
    agreement.save(update_fields=["ended_on"])
    after = _of_key(agreement.organization_id)
    record_many([Entry("cases.agreement.ended", "cases.agreement", agreement.pk, None, after, reason)], by=by)


def _day_before(day: dt.date | None) -> dt.date | None:
    return day - dt.timedelta(days=1) if day else None


def _of(organization: Organization) -> dict[str, Any]:
    return _of_key(organization.pk)


def _of_key(organization: Any) -> dict[str, Any]:
    return {"organization": organization}


# -- the person's own sign-in ------------------------------------------------------------------------------------------


@transaction.atomic
def link_account(person: Person, user: User, *, by: User) -> None:
    """From now on `user` is this person and sees their own file. Raises Denied, Wrong (an account of the office...)."""
    require(queries.may_write(by, person.pk), "cases.person.account_linked", person)
    if user.office_role or user.pk == by.pk:
        raise Wrong({"email": _("This is an account of the office: it can't be the person's own.")})
    if Person.objects.filter(user=user).exclude(pk=person.pk).exists():
        raise Wrong({"email": _("This account belongs to another person already.")})
    try:
        with transaction.atomic():
            linked = Person.objects.filter(pk=person.pk, user=None).update(user=user, version=F("version") + 1)
    except IntegrityError:  # of a person whom this viewer can't see
        raise Wrong({"email": _("This account belongs to another person already.")}) from None
    if not linked:
        raise Wrong({"email": _("This person has a sign-in already.")})
    record_many([_entry("cases.person.account_linked", person.pk, {"user": user.pk})], by=by)


@transaction.atomic
def unlink_account(person: Person, *, by: User) -> None:
    """The account no longer shows this file: it was the wrong one, or somebody else holds the telephone."""
    require(queries.may_write(by, person.pk), "cases.person.account_unlinked", person)
    user = person.user_id
    if user and Person.objects.filter(pk=person.pk, user=user).update(user=None, version=F("version") + 1):
        record_many([_entry("cases.person.account_unlinked", person.pk, {"user": user})], by=by)


@transaction.atomic
def invite_person(
    person: Person, email: str, *, by: User, url: Callable[[str], str], city: str, language: str = ""
) -> Invitation:  # fmt: skip
    """Write to a person so that they open their own sign-in. The mail names nobody. Older open invitations end."""
    require(queries.may_write(by, person.pk), "cases.person.account_offered", person)
    if person.user_id:
        raise Wrong({"email": _("This person has a sign-in already.")})
    waiting = consents.waiting_offer(by, person.pk)
    if waiting:
        accounts.revoke(waiting.invitation, by=by, allowed=True)
    invitation = accounts.invite(email, by=by, url=url, city=city, language=language, allowed=True)
    AccountOffer.objects.create(person=person, invitation=invitation)
    record_many([_entry("cases.person.account_offered", person.pk, {"invitation": invitation.pk})], by=by)
    return invitation


def link_who_accepted(entry: Entry) -> None:
    """Subscriber of "accounts.invitation.accepted": the newcomer's account is linked, in the name of who invited them.

    Nobody acts on the page of an invitation. If who invited has left the office or lost the file meanwhile, the
    account opens without a link, and somebody who keeps the file invites anew.
    """
    invitation = Invitation.objects.select_related("invited_by", "accepted_by").get(pk=entry.object_id)
    by, user = invitation.invited_by, invitation.accepted_by
    if invitation.office_role or by is None or user is None or not rules.may_see_files(by):
        return
    try:
        with acting(by), transaction.atomic():
            offer = AccountOffer.objects.filter(invitation=invitation).select_related("person").first()
            if offer is not None and queries.may_write(by, offer.person_id):
                link_account(offer.person, user, by=by)
    except (DatabaseError, Refused):
        return
