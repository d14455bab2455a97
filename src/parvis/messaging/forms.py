"""Forms of writing to somebody, and of the quiet hours."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases.models import Person
from parvis.messaging import rules
from parvis.messaging.models import Channel
from parvis.messaging.templates import LONGEST, Template, telling, templates

#: the fields of a placeholder: what it is called, and whether it is a moment
WORDS: dict[str, Any] = {"when": _("When"), "where": _("Where"), "text": _("Your words")}
#: placeholders that are a day and a time
MOMENTS = ("when",)


def offered() -> list[Template]:
    """Templates that a worker fills by hand: those of which every placeholder has a field."""
    return [each for each in templates() if set(each.asks) <= set(WORDS)]


class WriteForm(forms.Form):
    """A template's placeholders, to whom, and how. `chosen`: the template; `people`: who may be written to."""

    def __init__(self, *args: Any, chosen: Template, people: Sequence[Person] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = chosen
        if len(people) > 1:
            self.fields["people"] = forms.MultipleChoiceField(
                label=_("To"),
                choices=[(str(each.pk), each.name) for each in people],
                widget=forms.CheckboxSelectMultiple,
            )
        for name in chosen.asks:
            self.fields[name] = self._field(name)
        self.fields["channel"] = forms.ChoiceField(
            label=_("How"), choices=[("", _("As the person prefers")), *Channel.choices], required=False
        )
        self.fields["urgent"] = forms.BooleanField(
            label=_("Urgent: also in the quiet hours"), required=False, help_text=_("It stands in the file.")
        )

    @staticmethod
    def _field(name: str) -> forms.Field:
        if name in MOMENTS:
            widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            return forms.DateTimeField(label=WORDS[name], widget=widget)
        if name == "text":
            widget = forms.Textarea(attrs={"rows": 4, "dir": "auto", "maxlength": LONGEST})
            return forms.CharField(
                label=WORDS[name], widget=widget, max_length=LONGEST,
                help_text=_("In the person’s language. Others may read it on a locked telephone: no status, no health, "
                            "no names."),
            )  # fmt: skip
        return forms.CharField(label=WORDS[name], max_length=120)

    def clean_when(self) -> dt.datetime:
        when: dt.datetime = self.cleaned_data["when"]
        if when < timezone.now():
            raise forms.ValidationError(_("This moment is over."))
        return when

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if found := telling(text):
            raise forms.ValidationError(_("This word says too much for a message: %(word)s"), params={"word": found[0]})
        return text

    def context(self) -> dict[str, Any]:
        """The values of the placeholders."""
        return {name: self.cleaned_data[name] for name in self.chosen.asks}


class MannersForm(forms.Form):
    quiet_from = forms.TimeField(
        label=_("No messages from"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(label=_("until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))

    @staticmethod
    def of_city() -> dict[str, dt.time]:
        found = rules.manners()
        return {"quiet_from": found.quiet_from, "quiet_until": found.quiet_until}
