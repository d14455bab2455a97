"""Forms of the people's files."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases import contact
from parvis.cases.models import Address
from parvis.cases.models.people import Gender, Relation
from parvis.cases.models.profile import Domain
from parvis.core import language

#: languages that newcomers speak most often here come first in the list; any BCP 47 tag can be chosen
LANGUAGES = [
    "ar", "ti", "fa-AF", "ps", "uk", "ru", "es", "fr", "en", "ht", "sw", "so", "am", "ku", "tr", "ur", "bn", "hi", "pa",
    "zh", "vi", "pt", "ro", "ln", "rw", "wo", "ff", "my", "ne", "fa",
]  # fmt: skip


def language_choices() -> list[tuple[str, str]]:
    """(tag, own name) of each language, in the order above; the first line is "not said"."""
    return [("", "—"), *((tag, language.own_name(tag)) for tag in LANGUAGES)]


#: what can be urgent at the first conversation
URGENT = (Domain.HOUSING, Domain.HEALTH, Domain.SAFETY, Domain.RIGHTS, Domain.EDUCATION, Domain.WORK)


class PersonForm(forms.Form):
    """One person of a household at the first conversation: only the name is needed."""

    name = forms.CharField(
        label=_("Name, as the person says it"), max_length=200, widget=forms.TextInput({"dir": "auto"})
    )
    relation = forms.ChoiceField(
        label=_("Relation to the head of household"),
        choices=[(r.value, r.label) for r in Relation if r != Relation.HEAD],
        initial=Relation.CHILD,
    )
    gender = forms.ChoiceField(label=_("Gender"), choices=Gender.choices, initial=Gender.UNKNOWN, required=False)
    birth_date = forms.DateField(
        label=_("Date of birth"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    birth_year = forms.IntegerField(
        label=_("Year of birth, when the day is not known"), required=False, min_value=1890, max_value=2200
    )

    def clean_birth_date(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["birth_date"]
        if day and day > timezone.localdate():
            raise forms.ValidationError(_("This day is in the future."))
        return day

    def clean_gender(self) -> str:
        return self.cleaned_data["gender"] or Gender.UNKNOWN


class HeadForm(PersonForm):
    """The head of a new household, with how to be understood and reached."""

    field_order = [
        "name", "anonymous", "language", "interpreter", "interpreter_gender", "phone", "message", "tonight", "address",
        "urgent",
    ]  # fmt: skip
    relation = None  # type: ignore[assignment]
    anonymous = forms.BooleanField(
        label=_("The person does not want to be named"),
        help_text=_("Write a sign by which you will know each other, such as “green coat”."),
        required=False,
    )
    language = forms.ChoiceField(label=_("Language"), choices=language_choices, required=False)
    interpreter = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    interpreter_gender = forms.ChoiceField(
        label=_("Gender of the interpreter, if it matters"),
        choices=[("", "—"), *((g.value, g.label) for g in (Gender.FEMALE, Gender.MALE))],
        required=False,
    )
    phone = forms.CharField(
        label=_("Telephone"), max_length=40, required=False, widget=forms.TextInput({"type": "tel", "dir": "ltr"})
    )
    message = forms.BooleanField(
        label=_("A message may be left"), required=False, help_text=_("Ask: somebody else may hear it.")
    )
    tonight = forms.ChoiceField(
        label=_("Where do they sleep tonight?"),
        choices=[("", "—"), *((k.value, k.label) for k in Address.Kind if k != Address.Kind.MAIL)],
        required=False,
    )
    address = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.TextInput({"dir": "auto"})
    )
    urgent = forms.MultipleChoiceField(
        label=_("What can't wait?"),
        choices=[(domain.value, domain.label) for domain in URGENT],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_phone(self) -> str:
        number: str = self.cleaned_data["phone"]
        if number and contact.index_of(number) is None:
            raise forms.ValidationError(_("This is not a telephone number."))
        return number


class MemberForm(PersonForm):
    """One more member; an empty line is nobody."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty_permitted = True
        self.use_required_attribute = False

    def has_changed(self) -> bool:
        # the relation is chosen before anybody types: alone it makes no member
        return any(self[name].data for name in ("name", "birth_date", "birth_year"))


MemberFormSet = forms.formset_factory(MemberForm, extra=2, max_num=30, absolute_max=30)


class FindForm(forms.Form):
    """The one box of the list."""

    q = forms.CharField(
        label=_("Name in any spelling, telephone, e-mail or file reference"), max_length=200, required=False
    )
