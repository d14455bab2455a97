"""What is asked about a step and a plan."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.plans.actions import LONGEST_EVIDENCE


def _date(**more: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


class DoneForm(forms.Form):
    on = _date(label=_("Done on"), initial=timezone.localdate)
    evidence = forms.CharField(
        label=_("How is it known?"), required=False, max_length=LONGEST_EVIDENCE,
        help_text=_("A date, a name, “seen”. Never a social insurance, card or file number."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why does it not apply?"), max_length=LONGEST_EVIDENCE)


class PinForm(forms.Form):
    on = _date(label=_("New day"))
    reason = forms.CharField(label=_("Why another day?"), max_length=LONGEST_EVIDENCE)


class AssignForm(forms.Form):
    who = forms.ChoiceField(label=_("Responsible"), required=False)

    def __init__(self, *args: Any, choices: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = choices  # type: ignore[attr-defined]


class DaysForm(forms.Form):
    arrival_on = _date(label=_("Arrival"), required=False)
    lease_on = _date(label=_("Lease begins"), required=False)
    support_end_on = _date(label=_("Support ends"), required=False)
