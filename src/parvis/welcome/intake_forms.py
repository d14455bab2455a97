"""The short intake of a desk without network: one screen, and only the name is needed."""

from django import forms
from django.utils.translation import gettext_lazy as _

from parvis.cases.entry_forms import HeadForm

MOST_OTHERS = 29


class ShortIntakeForm(HeadForm):
    """The head of the household in short; who came along is a name a line, completed later."""

    field_order = ["name", "anonymous", "language", "interpreter", "others", "tonight", "urgent", "phone"]
    relation = gender = birth_date = birth_year = interpreter_gender = message = address = None  # type: ignore[assignment]
    others = forms.CharField(
        label=_("Who is with them?"),
        help_text=_("A name a line. How they are related can come later."),
        max_length=3000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    def clean_others(self) -> list[str]:
        names = [line.strip()[:200] for line in self.cleaned_data["others"].splitlines() if line.strip()]
        if len(names) > MOST_OTHERS:
            raise forms.ValidationError(_("A household has thirty people at most."))
        return names

    def clean_gender(self) -> str:  # the field is not here
        return ""


class SwitchForm(forms.Form):
    """Work without network: on or off, and how long a browser may keep what it has."""

    on = forms.BooleanField(label=_("Agents may work without network"), required=False)
    hours = forms.IntegerField(
        label=_("Hours until a browser forgets the day's list"), min_value=1, max_value=12, initial=12
    )
