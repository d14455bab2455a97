"""The kinds of writes that a desk without network can make, each by the action that the pages use."""

import uuid
from dataclasses import replace
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from parvis.accounts.models import User
from parvis.arrivals.actions import desk
from parvis.arrivals.intake_forms import IntakeForm, WithFormSet, received
from parvis.cases.actions import moves
from parvis.plans import actions as plans
from parvis.plans.models import State
from parvis.welcome import steps
from parvis.welcome.offline import Conflict, Refused, Write, kind

#: the prefix of the lines about who came along
WITH = "with"


@kind("intake")
def intake(write: Write, by: User) -> dict[str, Any]:
    """A household at the desk. Its file was opened on the day on which it was written down."""
    data = dict(write.data)
    # a key is one account's: another account's write under the same one is another write
    form = IntakeForm(data | {"sent_as": str(uuid.uuid5(by.pk, str(write.key)))})
    others = WithFormSet({f"{WITH}-TOTAL_FORMS": "0", f"{WITH}-INITIAL_FORMS": "0", **data}, prefix=WITH)
    if not form.is_valid() or not others.is_valid():
        raise Refused(_wrong(form, *others))
    household, _new = desk.receive(replace(received(form, others), on=write.day), by=by)
    return {"household": str(household.pk), "reference": household.reference}


def _wrong(*forms: Any) -> str:
    """What is wrong in these forms, in one sentence a field."""
    return " ".join(
        f"{form[name].label}: {' '.join(said)}" if name in form.fields else " ".join(said)
        for form in forms
        for name, said in form.errors.items()
    )


@kind("complete")
def complete(write: Write, by: User) -> dict[str, Any]:
    """A step was completed at the desk. What changed meanwhile is for the person to judge."""
    try:
        key = uuid.UUID(str(write.data["step"]))
    except (KeyError, ValueError):
        raise Refused(_("This entry can't be read.")) from None
    step = next(iter(steps.visible(by, [key])), None)
    if step is None:
        raise Refused(_("This step is not there any more, or not for you."))
    if step.state == State.DONE and step.done_by_id == by.pk:
        return {"household": str(step.household_id)}
    if step.state == State.DONE:
        told = {"name": step.done_by or "—", "day": date_format(step.done_on, "DATE_FORMAT") if step.done_on else ""}
        raise Conflict(_("%(name)s has completed this step meanwhile, on %(day)s.") % told)
    if step.state != State.OPEN:
        raise Conflict(_("Meanwhile this step is no longer asked of this household."))
    seen = (write.data.get("version"), write.data.get("home"))
    if write.decision != "mine" and seen != (step.version, step.household.version):
        raise Conflict(_("The household or this step was changed meanwhile: look before you complete it."),
                       ("mine", "drop"))  # fmt: skip
    try:
        plans.complete(step, by=by, evidence=str(write.data.get("evidence", "")), on=write.day)
    except moves.Refused as why:
        raise Refused(str(why)) from why
    return {"household": str(step.household_id)}
