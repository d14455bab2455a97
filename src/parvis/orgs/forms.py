"""Forms about memberships."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from parvis.orgs.models import PartnerRole


class InviteMemberForm(forms.Form):
    """Whom to invite to an organization, and as what."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput({"dir": "ltr"}))
    name = forms.CharField(label=_("Name"), max_length=120, required=False, widget=forms.TextInput({"dir": "auto"}))
    role = forms.ChoiceField(label=_("Role"))
    language = forms.ChoiceField(label=_("Language of the invitation"))

    def __init__(self, *args: Any, city: Any, roles: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        spoken = [pair for pair in settings.LANGUAGES if pair[0] in city.languages]
        self.fields["language"].choices = spoken or settings.LANGUAGES  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    """What a program may read, and how long."""

    name = forms.CharField(
        label=_("What is it for?"), max_length=80, help_text=_("For instance the name of the program that asks."),
        widget=forms.TextInput({"dir": "auto"}),
    )  # fmt: skip
    classes = forms.MultipleChoiceField(
        label=_("What it may read, of people who agreed to it"), widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=_("How long"), coerce=int, choices=[(30, _("30 days")), (90, _("90 days")), (365, _("one year"))]
    )

    def __init__(self, *args: Any, classes: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["classes"].choices = classes  # type: ignore[attr-defined]


class MemberRoleForm(forms.Form):
    """The role of a member."""

    role = forms.ChoiceField(label=_("Role"), choices=PartnerRole.choices)
