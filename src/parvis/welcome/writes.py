"""The kinds of writes that a desk without network can make, each by the action that the pages use."""

from typing import Any

from parvis.accounts.models import User
from parvis.cases import rules
from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models.people import Relation
from parvis.welcome.intake_forms import ShortIntakeForm
from parvis.welcome.offline import Refused, Write, kind


@kind("intake")
def intake(write: Write, by: User) -> dict[str, Any]:
    """A household at the desk. Its file was opened on the day on which it was written down."""
    form = ShortIntakeForm(dict(write.data))
    if not form.is_valid():
        raise Refused(" ".join(f"{form[name].label}: {' '.join(said)}" for name, said in form.errors.items()))
    given = form.cleaned_data
    head = {name: given[name] for name in ("name", "anonymous", "language", "interpreter", "urgent", "phone")}
    household = people.open_household(
        NewHousehold(
            holder=rules.holders(by)[0],
            members=[NewPerson(**head), *(NewPerson(name, relation=Relation.RELATIVE) for name in given["others"])],
            opened_on=write.day,
            lodging=given["tonight"],
        ),
        by=by,
    )
    return {"household": str(household.pk), "reference": household.reference}
