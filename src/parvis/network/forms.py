"""Forms of the upkeep: the office's rhythm, and what an organization corrects on its page."""

from itertools import pairwise
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parvis.core.freshness import KINDS
from parvis.directory.wording import ABOUT


class PeriodsForm(forms.Form):
    """Months for each kind of facts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in KINDS:
            self.fields[kind] = forms.IntegerField(label=ABOUT[kind], min_value=1, max_value=60)


class RhythmForm(forms.Form):
    """Days after the first mail; each stage comes after the one before."""

    on = forms.BooleanField(label=_("Ask by itself what must be confirmed again"), required=False)
    remind = forms.IntegerField(label=_("First reminder"), min_value=1, max_value=365)
    remind_again = forms.IntegerField(label=_("Second reminder"), min_value=1, max_value=365)
    call = forms.IntegerField(label=_("On the list of telephone calls"), min_value=1, max_value=365)
    doubt = forms.IntegerField(label=_("“Unconfirmed” in public"), min_value=1, max_value=365)
    hide = forms.IntegerField(label=_("Taken out of the directory"), min_value=1, max_value=730)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        days = [found.get(name) for name in ("remind", "remind_again", "call", "doubt", "hide")]
        if None not in days and any(one >= other for one, other in pairwise(days)):  # type: ignore[operator]
            raise forms.ValidationError(_("Each stage must come after the one before."))
        return found


class ListingForm(forms.Form):
    """What an organization's people may correct by their link: what readers need first."""

    name = forms.CharField(label=_("Name"), max_length=300)
    description = forms.CharField(
        label=_("Description"), max_length=6000, required=False, widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"})
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "tel"}),
    )
    email = forms.EmailField(label=_("E-mail"), required=False)
    site = forms.URLField(label=_("Website"), required=False, assume_scheme="https")


class WrongForm(forms.Form):
    """Anything else, in their words."""

    message = forms.CharField(
        label=_("What else is wrong?"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=_("Opening hours, places, prices: the office corrects it for you."),
    )  # fmt: skip
