"""The short intake, and surge mode: what the desk does when many come at once."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import require
from parvis.arrivals import queries, rules
from parvis.arrivals.models import Intake, Surge
from parvis.cases import rules as cases
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import Household
from parvis.cases.queries import may_write
from parvis.ledger.actions import Entry, record, record_many


@dataclass(frozen=True)
class Received:
    """What a short intake asks. `members`: head first. `sent_as`: chosen by the sender; the same twice is once."""

    members: Sequence[NewPerson]
    lodging: str = ""
    sent_as: uuid.UUID = field(default_factory=uuid.uuid4)
    #: the day on which it was written down, when it could not be sent at once
    on: dt.date | None = None


@transaction.atomic
def receive(received: Received, *, by: User) -> tuple[Household, bool]:
    """Open a file by the short intake. Returns it, and whether it is new. Raises Denied."""
    again = Intake.objects.filter(sent_as=received.sent_as).select_related("household").first()
    if again is not None:
        return again.household, False
    require(rules.may_receive(by), "arrivals.intake.taken")
    day = received.on or timezone.localdate()
    new = NewHousehold(holder=cases.holders(by)[0], members=received.members, opened_on=day, lodging=received.lodging)
    opened = people.open_households([new], by=by, tell=False)
    home = opened[0].household
    surge = queries.surge()
    Intake.objects.create(
        person=opened[0].people[0], household=home, at=timezone.now(), by=by, surge=surge, sent_as=received.sent_as
    )
    told = Entry("arrivals.intake.taken", "cases.household", home.pk, None, {"surge": surge.pk} if surge else {})
    record_many([*people.opening_events(opened), told], by=by)
    return home, True


@transaction.atomic
def complete(intake: Intake, *, by: User) -> None:
    """The rest was asked. Raises Denied."""
    require(may_write(by, intake.person_id), "arrivals.intake.completed", intake.household)
    now = Intake.objects.select_for_update().get(pk=intake.pk)
    if now.completed_at is None:
        now.completed_at = timezone.now()
        now.save(update_fields=["completed_at"])
        record("arrivals.intake.completed", now.household, by=by)


@transaction.atomic
def begin_surge(reason: str, *, by: User) -> Surge:
    """From now on only the short intake is asked, and dates are openly not promised. Raises Denied, Refused."""
    require(rules.may_switch_surge(by), "arrivals.surge.begun")
    if queries.surge() is not None:
        raise Refused(_("Surge mode is on already."))
    made = Surge.objects.create(begun_at=timezone.now(), begun_by=by, reason=reason.strip()[:200])
    record("arrivals.surge.begun", made, by=by, reason=made.reason)
    return made


@transaction.atomic
def end_surge(*, by: User) -> None:
    """The office works as usual again. Raises Denied."""
    require(rules.may_switch_surge(by), "arrivals.surge.ended")
    now = Surge.objects.select_for_update().filter(ended_at=None).first()
    if now is not None:
        now.ended_at, now.ended_by = timezone.now(), by
        now.save(update_fields=["ended_at", "ended_by"])
        record("arrivals.surge.ended", now, by=by)
