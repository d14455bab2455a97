"""Forms of the component gallery: every kind of field, in every state."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    """One field of each kind. Never saved."""

    name = forms.CharField(label=_("Name"), max_length=80)
    email = forms.EmailField(label=_("E-mail"), required=False, help_text=_("Only to answer you."))
    message = forms.CharField(label=_("Message"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=[("fr", "Français"), ("ar", "العربية")])
    days = forms.MultipleChoiceField(
        label=_("Days"),
        choices=[("MO", _("Monday")), ("TU", _("Tuesday")), ("WE", _("Wednesday"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    answer = forms.ChoiceField(
        label=_("Answer"), choices=[("yes", _("Yes")), ("no", _("No"))], widget=forms.RadioSelect
    )
    agree = forms.BooleanField(label=_("I have read this"))
