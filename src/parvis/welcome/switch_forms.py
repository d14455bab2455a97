"""The office's switch of work without network."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SwitchForm(forms.Form):
    """Work without network: on or off, and how long a browser may keep what it has."""

    on = forms.BooleanField(label=_("Agents may work without network"), required=False)
    hours = forms.IntegerField(
        label=_("Hours until a browser forgets the day's list"), min_value=1, max_value=12, initial=12
    )
