"""Forms of lists, arrivals and surge mode."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parvis.arrivals.models import Manifest
from parvis.arrivals.wording import FIELDS
from parvis.cases.models.profile import Stream

ORDERS = [("", _("As the file tells")), ("dmy", _("Day first (31/12)")), ("mdy", _("Month first (12/31)"))]


class DefaultsForm(forms.Form):
    """What holds for everybody of a list when the list does not say."""

    stream = forms.ChoiceField(
        label=_("Immigration stream"), choices=[("", _("Not said")), *Stream.choices[:-1]], required=False
    )
    expected_on = forms.DateField(
        label=_("Date of arrival"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    expected_time = forms.TimeField(
        label=_("Hour of arrival"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    flight = forms.CharField(label=_("Flight"), max_length=20, required=False)
    place = forms.CharField(label=_("Place of arrival"), max_length=120, required=False)

    def defaults(self) -> dict[str, str]:
        """As they are kept with the list: texts."""
        found = {}
        for name in ("stream", "expected_on", "expected_time", "flight", "place"):
            value = self.cleaned_data.get(name)
            if value:
                found[name] = value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
        return found


class BringForm(DefaultsForm):
    """The file, and what holds for all of it."""

    field_order = ["file"]
    file = forms.FileField(
        label=_("The list: XLSX or CSV"),
        help_text=_("In any order and language. Numbers of papers are not kept, only their last four signs."),
        widget=forms.FileInput({"accept": ".xlsx,.csv,.txt,.tsv"}),
    )


class ColumnsForm(DefaultsForm):
    """What each column of a list is."""

    def __init__(self, *args: Any, manifest: Manifest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns: list[str] = []
        choices = [("", _("Not read")), *FIELDS.items()]
        for number, heading in enumerate(manifest.layout["headings"]):
            name = f"column-{number}"
            self.fields[name] = forms.ChoiceField(
                label=heading or _("Column %(number)s") % {"number": number + 1},
                choices=choices, required=False, initial=manifest.layout["fields"][number],
            )  # fmt: skip
            self.columns.append(name)
        self.fields["order"] = forms.ChoiceField(
            label=_("Dates of the list"), choices=ORDERS, required=False, initial=manifest.layout["order"]
        )
        self.fields["save_as"] = forms.CharField(
            label=_("Keep these columns for the next list, under the name"), max_length=80, required=False
        )
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=manifest.version)
        for name, value in manifest.defaults.items():
            if name in self.fields:
                self.fields[name].initial = value

    def mapping(self) -> dict[int, str]:
        return {number: self.cleaned_data[name] for number, name in enumerate(self.columns)}

    def column_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.columns]


class ExpectForm(forms.Form):
    """When and where a household that has a file will arrive."""

    on = forms.DateField(label=_("Date of arrival"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    at = forms.TimeField(
        label=_("Hour of arrival"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    flight = forms.CharField(label=_("Flight"), max_length=20, required=False)
    place = forms.CharField(label=_("Place of arrival"), max_length=120, required=False)


class SurgeForm(forms.Form):
    """Why the office works otherwise from now on."""

    reason = forms.CharField(
        label=_("Why"), max_length=200, help_text=_("Everybody at the office reads it. No name of a person.")
    )
