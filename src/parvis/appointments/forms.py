"""Forms of appointments: booked on one screen, moved, cancelled; hours; interpreters."""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.appointments.models import BookingState, Kind, Mode, Purpose, Reason
from parvis.cases.entry_forms import language_choices
from parvis.cases.models.people import Gender
from parvis.core import slots
from parvis.core.language import own_name
from parvis.plans.models import Step

MINUTES = (15, 30, 45, 60, 90, 120, 180)


def said(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Day and time of the city, as its people say them; with the distance to UTC where a clock shows it twice."""
    here = instant.astimezone(zone)
    text = f"{date_format(here, 'l')} {date_format(here, 'DATE_FORMAT')}, {date_format(here, 'TIME_FORMAT')}"
    return f"{text} (UTC{here:%z})" if slots.happens_twice(instant, zone) else text


class TimeForm(forms.Form):
    """With whom, how long and when: a free time that is offered, or another day and time."""

    worker = forms.ChoiceField(label=_("With"))
    minutes = forms.TypedChoiceField(
        label=_("How long"), coerce=int, initial=45,
        # when the form is made: "%" would fix the words in the language in which this file was read
        choices=lambda: [(number, _("%(n)d minutes") % {"n": number}) for number in MINUTES],
    )  # fmt: skip
    slot = forms.ChoiceField(label=_("Free times"), required=False, widget=forms.RadioSelect)
    day = forms.DateField(
        label=_("Another day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    at = forms.TimeField(label=_("Time"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    sequence = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, workers: Iterable[User], free: Sequence[dt.datetime], zone: ZoneInfo, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.workers = {str(user.pk): user for user in workers}
        self.fields["worker"].choices = [(key, str(user)) for key, user in self.workers.items()]  # type: ignore[attr-defined]
        self.fields["slot"].choices = [  # type: ignore[attr-defined]
            *((each.isoformat(), said(each, zone)) for each in free),
            ("", _("Another time:")),
        ]

    def clean_worker(self) -> User:
        return self.workers[self.cleaned_data["worker"]]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "slot" in self.errors:  # taken since it was offered, or of another worker
            del self._errors["slot"]
            raw = str(self.data.get(self.add_prefix("slot"), ""))
            try:
                given["slot"] = dt.datetime.fromisoformat(raw).isoformat()
            except ValueError:
                given["slot"] = ""
        if given.get("slot"):
            given["starts_at"] = dt.datetime.fromisoformat(given["slot"])
        elif given.get("day") and given.get("at"):
            instant = slots.at(given["day"], given["at"], self.zone)
            if instant is None:
                self.add_error("at", _("There is no such time on that day: the clocks go forward."))
            else:
                given["starts_at"] = instant
        elif "day" not in self.errors and "at" not in self.errors:
            self.add_error("slot", _("Choose a free time, or say another day and time."))
        return given


class BookForm(TimeForm):
    """A new appointment of a household, on one screen."""

    field_order = ["people", "purpose", "for_step", "kind", "worker", "minutes", "slot", "day", "at", "place", "note"]
    people = forms.MultipleChoiceField(label=_("Who takes part"), widget=forms.CheckboxSelectMultiple)
    purpose = forms.ChoiceField(label=_("What for"), choices=Purpose.choices, initial=Purpose.FOLLOW_UP)
    kind = forms.ChoiceField(label=_("How"), choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.OFFICE)
    for_step = forms.ChoiceField(label=_("For this step of the plan"), required=False)
    place = forms.CharField(
        label=_("Place, room or link"), max_length=200, required=False, widget=forms.TextInput({"dir": "auto"})
    )
    note = forms.CharField(
        label=_("Note for whoever receives them"), max_length=1000, required=False,
        widget=forms.Textarea({"rows": 2, "dir": "auto"}),
    )  # fmt: skip
    interpreter = forms.BooleanField(label=_("An interpreter is needed"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    dialect = forms.CharField(label=_("Dialect or way of speaking"), max_length=80, required=False)
    gender = forms.ChoiceField(
        label=_("Gender of the interpreter, if it matters"), required=False,
        choices=[("", "—"), (Gender.FEMALE, Gender.FEMALE.label), (Gender.MALE, Gender.MALE.label)],
    )  # fmt: skip
    mode = forms.ChoiceField(label=_("How they interpret"), choices=Mode.choices, required=False)

    def __init__(
        self, *args: Any, people: Sequence[tuple[str, str]], languages: Iterable[str] = (),
        steps: Sequence[tuple[Step, str]] = (), **kwargs: Any,
    ) -> None:  # fmt: skip
        """`languages`: BCP 47 tags that they speak; they come first, also those that no list has ("ar-SY").
        `steps`: what the appointment can be about."""
        super().__init__(*args, **kwargs)
        self.steps = _offer(self.fields["for_step"], steps)
        self.fields["people"].choices = people  # type: ignore[attr-defined]
        spoken = {tag: own_name(tag) for tag in languages if tag}
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            ("", "—"), *spoken.items(), *(pair for pair in language_choices() if pair[0] and pair[0] not in spoken)
        ]  # fmt: skip

    def clean_for_step(self) -> Step | None:
        return self.steps.get(self.cleaned_data["for_step"])

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("interpreter") and not given.get("language"):
            self.add_error("language", _("Which language?"))
        return given


class CancelForm(forms.Form):
    """Why an appointment does not take place."""

    reason = forms.ChoiceField(
        label=_("Why"), choices=[pair for pair in Reason.choices if pair[0]], widget=forms.RadioSelect
    )
    sequence = forms.IntegerField(required=False, widget=forms.HiddenInput)


def _offer(field: Any, steps: Sequence[tuple[Step, str]]) -> dict[str, Step]:
    """The steps as the field's choices; by key."""
    field.choices = [("", "—"), *((str(step.pk), words) for step, words in steps)]
    return {str(step.pk): step for step, _ in steps}


class ChangeForm(forms.Form):
    """Place, note and step."""

    for_step = forms.ChoiceField(label=_("For this step of the plan"), required=False)

    place = BookForm.base_fields["place"]
    note = BookForm.base_fields["note"]
    sequence = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, steps: Sequence[tuple[Step, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps = _offer(self.fields["for_step"], steps)

    def clean_for_step(self) -> Step | None:
        return self.steps.get(self.cleaned_data["for_step"])


class AnswerForm(forms.Form):
    """What an interpreter, or their agency, said."""

    interpreter = forms.CharField(label=_("Interpreter or agency"), max_length=120, required=False)
    organization = forms.UUIDField(required=False)
    state = forms.ChoiceField(label=_("State"), choices=BookingState.choices)


_SPAN = re.compile(r"\s*(\d{1,2})(?:[:hH.](\d{2})?)?\s*[-–—]\s*(\d{1,2})(?:[:hH.](\d{2})?)?\s*")


class HoursForm(forms.Form):
    """A week of working hours, a line for each day: "9:00-12:00, 13:00-16:30"."""

    def __init__(self, *args: Any, week: slots.Week | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(1, 8):
            spans = (week or {}).get(number, ())
            self.fields[f"day{number}"] = forms.CharField(
                label=WEEKDAYS[number - 1], required=False, max_length=80,
                initial=", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans),
                widget=forms.TextInput({"dir": "ltr", "placeholder": "09:00-12:00, 13:00-16:30"}),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        week: dict[int, list[tuple[dt.time, dt.time]]] = {}
        for number in range(1, 8):
            try:
                week[number] = _spans(given.get(f"day{number}", ""))
            except ValueError:
                self.add_error(f"day{number}", _("Say it as 09:00-12:00, 13:00-16:30; nothing for a free day."))
        given["week"] = {day: spans for day, spans in week.items() if spans}
        return given


def _spans(text: str) -> list[tuple[dt.time, dt.time]]:
    """Spans of a day in order, none over another. Raises ValueError."""
    found = []
    for part in text.split(",") if text.strip() else []:
        match = _SPAN.fullmatch(part)
        if not match:
            raise ValueError(part)
        hours = [int(group or 0) for group in match.groups()]
        found.append((dt.time(hours[0], hours[1]), dt.time(hours[2], hours[3])))
    found.sort()
    if any(closes <= opens for opens, closes in found):
        raise ValueError(text)
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(found)):
        raise ValueError(text)
    return found
