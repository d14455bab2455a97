"""Who answers for a file, when somebody is next spoken to, who may open it, and whether it is open."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.cases import queries
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.actions.people import index_names
from parvis.cases.actions.profile import write_note
from parvis.cases.models import Denial, Household, HouseholdMember, NamedAccess, Person
from parvis.cases.models.people import HouseholdState, Relation
from parvis.ledger.actions import Entry, record, record_many


def _locked(household: Household, action: str, by: User, version: int | None = None) -> Household:
    """The household's row, to be changed by `by`. Raises Denied, Conflict."""
    require(queries.may_write_household(by, household), action, household)
    now = Household.objects.select_for_update().get(pk=household.pk)
    if version is not None and now.version != version:
        raise Conflict(now)
    now.version += 1
    return now


@transaction.atomic
def assign(
    household: Household, *, lead: User | None, backup: User | None, next_contact_on: dt.date | None, version: int,
    by: User,
) -> Household:  # fmt: skip
    """Say who answers for a file and when its people are next spoken to. Raises Denied, Conflict, Refused."""
    now = _locked(household, "cases.household.assigned", by, version)
    if lead is not None and lead == backup:
        raise Refused(_("Lead and backup must be two people."))
    if now.restricted and lead is None:
        raise Refused(_("A restricted file needs a lead worker: nobody else could open it."))
    given = {"lead_worker_id": lead and lead.pk, "backup_worker_id": backup and backup.pk,
             "next_contact_on": next_contact_on}  # fmt: skip
    changed = sorted(name.removesuffix("_id") for name, value in given.items() if getattr(now, name) != value)
    if not changed:
        return now
    for name, value in given.items():
        setattr(now, name, value)
    now.save()
    record("cases.household.assigned", now, by=by, after={"fields": changed})
    return now


@transaction.atomic
def hand_over(households: Sequence[Household], to: User, note: str, *, stay: bool, by: User) -> int:
    """Another lead worker for some files, with a note for them on each head; `stay`: the present lead is backup.

    Returns how many files changed hands. Raises Denied.
    """
    entries = []
    for household in sorted(households, key=lambda each: each.pk):
        now = _locked(household, "cases.household.handed_over", by)
        if now.lead_worker_id == to.pk:
            continue
        head = HouseholdMember.objects.filter(household=now, until=None, relation=Relation.HEAD).first()
        told = {"lead": to.pk, "before": now.lead_worker_id}
        if note.strip() and head is not None:
            told["note"] = write_note(head.person, "general", note, by=by).pk
        if stay:
            now.backup_worker_id = now.lead_worker_id
        elif now.backup_worker_id == to.pk:
            now.backup_worker_id = None
        now.lead_worker = to
        now.save()
        told = {key: value for key, value in told.items() if value}
        entries.append(Entry("cases.household.handed_over", "cases.household", now.pk, None, told))
    return record_many(entries, by=by)


@transaction.atomic
def close(household: Household, *, version: int, by: User) -> Household:
    """The office follows these people no longer; they can come back any day. Raises Denied, Conflict, Refused."""
    now = _locked(household, "cases.household.closed", by, version)
    if now.state != HouseholdState.OPEN:
        raise Refused(_("This file is not open."))
    now.state, now.closed_on, now.next_contact_on = HouseholdState.CLOSED, timezone.localdate(), None
    now.save()
    record("cases.household.closed", now, by=by)
    return now


@transaction.atomic
def reopen(household: Household, *, version: int, by: User) -> Household:
    """Follow these people again. Raises Denied, Conflict, Refused."""
    now = _locked(household, "cases.household.reopened", by, version)
    if now.state == HouseholdState.OPEN:
        raise Refused(_("This file is open."))
    if not now.members.filter(until=None, person__state="present").exists():
        back = list(Person.objects.filter(householdmembers__household=now, householdmembers__until=None))
        if not back:
            raise Refused(_("Nobody is left in this household."))
        for person in back:
            if person.state in ("moved", "left"):
                person.state, person.state_on, person.version = "present", timezone.localdate(), person.version + 1
                person.save(update_fields=["state", "state_on", "version", "changed_at"])
    now.state, now.closed_on = HouseholdState.OPEN, None
    now.save()
    record("cases.household.reopened", now, by=by)
    return now


# -- who may open it --------------------------------------------------------------------------------------------------


@transaction.atomic
def restrict(household: Household, restricted: bool, *, version: int, by: User) -> Household:
    """From now on only lead, backup and named workers see the file; or everybody of the organization again.

    Raises Denied, Conflict, Refused (only the two who answer for a file restrict it).
    """
    now = _locked(household, "cases.household.restricted", by, version)
    if by.pk not in (now.lead_worker_id, now.backup_worker_id):
        raise Refused(_("Only the lead or the backup worker restricts a file, or opens it to all."))
    people = list(Person.objects.filter(householdmembers__household=now, householdmembers__until=None))
    now.restricted = restricted
    now.save()
    for person in people:
        person.restricted = restricted
        index_names(person)
        person.save(update_fields=["restricted", "changed_at"])
    record("cases.household.restricted" if restricted else "cases.household.unrestricted", now, by=by)
    return now


@transaction.atomic
def name_worker(household: Household, user: User, until: dt.datetime | None, *, by: User) -> None:
    """Let one more account see a restricted file. Raises Denied."""
    now = _locked(household, "cases.household.named", by)
    for person in _people(now):
        if not NamedAccess.objects.filter(person_id=person, user=user, ended_at=None).exists():
            NamedAccess.objects.create(person_id=person, user=user, until=until, named_by=by)
    now.save()
    record("cases.household.named", now, by=by, after={"account": user.pk})


@transaction.atomic
def end_naming(household: Household, user: User, *, by: User) -> None:
    """An account no longer sees a restricted file by name. Raises Denied."""
    now = _locked(household, "cases.household.unnamed", by)
    now.save()
    for row in NamedAccess.objects.filter(person_id__in=_people(now), user=user, ended_at=None):
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
    record("cases.household.unnamed", now, by=by, after={"account": user.pk})


@transaction.atomic
def deny(household: Household, person: Person, user: User, *, by: User) -> None:
    """This account must never see this person nor who lives with them. Raises Denied, Refused."""
    _locked(household, "cases.household.denied", by)
    if user == by:
        raise Refused(_("You can't shut yourself out."))
    if user.pk in (household.lead_worker_id, household.backup_worker_id):
        raise Refused(_("This account answers for the file: choose another lead or backup first."))
    if Denial.objects.filter(person=person, user=user, ended_at=None).exists():
        raise Refused(_("This account is shut out already."))
    Denial.objects.create(person=person, user=user, denied_by=by)
    record("cases.person.shut_out", person, by=by, after={"account": user.pk})


@transaction.atomic
def end_denial(household: Household, denial: Denial, *, by: User) -> None:
    """The account may see the person again, if anything else lets it. Raises Denied."""
    _locked(household, "cases.household.denied", by)
    denial.ended_at = timezone.now()
    denial.save(update_fields=["ended_at"])
    record("cases.person.let_in", denial.person, by=by, after={"account": denial.user_id})


def _people(household: Household) -> list[object]:
    return list(household.members.filter(until=None).values_list("person_id", flat=True))
