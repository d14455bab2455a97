"""The one form that the public fills in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class CorrectionForm(forms.Form):
    """What is wrong about a listing, and perhaps where to send the answer."""

    message = forms.CharField(
        label=_("What is wrong?"),
        max_length=4000,
        min_length=5,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        help_text=_("In any language."),
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        required=False,
        help_text=_("Only if you want the answer by mail. You can also read it at a link that we show you next."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    # People do not see this field; programs that fill in everything do.
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "correction_%s")
        super().__init__(*args, **kwargs)

    @property
    def is_trapped(self) -> bool:
        """Whether the field that people do not see was filled in."""
        return bool(self.data.get("website"))
