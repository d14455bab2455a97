"""The short intake: one screen at the desk, and only a name (or a sign) is needed. Other apps may ask the same."""

import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.arrivals.actions.desk import Received
from parvis.cases.actions.people import NewPerson
from parvis.cases.entry_forms import language_choices
from parvis.cases.models import Address
from parvis.cases.models.people import Relation
from parvis.cases.models.profile import Domain

#: what can't wait, in the words of a desk: code -> (domain of the need, words)
NEEDS: dict[str, tuple[str, Any]] = {
    "medicine": (Domain.HEALTH, _("Needs medicine or a doctor today")),
    "pregnant": (Domain.HEALTH, _("Pregnant")),
    "baby": (Domain.HEALTH, _("Baby under one year")),
    "disability": (Domain.HEALTH, _("Disability or can't walk far")),
    "minor": (Domain.RIGHTS, _("Minor without parents")),
    "violence": (Domain.SAFETY, _("Violence or in danger")),
    "shelter": (Domain.HOUSING, _("Nowhere to sleep tonight")),
    "food": (Domain.STABILITY, _("Food or warm clothes")),
}

TONIGHT = [("", _("Not said")), *((k.value, k.label) for k in Address.Kind if k != Address.Kind.MAIL)]
MOST_OTHERS = 30


class IntakeForm(forms.Form):
    """The person at the desk. `sent_as` is made with the page, so that a second click opens no second file."""

    sent_as = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    name = forms.CharField(
        label=_("Name, as the person says it"), max_length=200, widget=forms.TextInput({"dir": "auto"})
    )
    anonymous = forms.BooleanField(
        label=_("The person does not want to be named"),
        help_text=_("Write a sign by which you will know each other, such as “green coat”."),
        required=False,
    )
    language = forms.ChoiceField(label=_("Language"), choices=language_choices, required=False)
    interpreter = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    tonight = forms.ChoiceField(
        label=_("Where do you sleep tonight?"), choices=TONIGHT, required=False, widget=forms.RadioSelect
    )
    needs = forms.MultipleChoiceField(
        label=_("What can't wait?"),
        choices=[(code, words) for code, (_domain, words) in NEEDS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class WithForm(forms.Form):
    """Somebody who is with them; an empty line is nobody."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False, widget=forms.TextInput({"dir": "auto"}))
    relation = forms.ChoiceField(
        label=_("Relation"),
        choices=[(r.value, r.label) for r in Relation if r != Relation.HEAD],
        initial=Relation.CHILD,
        required=False,
    )
    age = forms.IntegerField(label=_("Age"), required=False, min_value=0, max_value=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty_permitted = True

    def has_changed(self) -> bool:
        return bool(self["name"].data or self["age"].data)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("age") is not None and not given.get("name"):
            self.add_error("name", _("Write a name, or a sign such as “the boy in red”."))
        return given


WithFormSet = forms.formset_factory(WithForm, extra=3, max_num=MOST_OTHERS, absolute_max=MOST_OTHERS)


def received(head: IntakeForm, others: Any) -> Received:
    """What two valid forms say."""
    given = head.cleaned_data
    year = timezone.localdate().year
    members = [
        NewPerson(
            name=given["name"], anonymous=given["anonymous"], language=given["language"],
            interpreter=given["interpreter"],
            needs=[(NEEDS[code][0], str(NEEDS[code][1])) for code in given["needs"]],
        )
    ]  # fmt: skip
    members += [
        NewPerson(
            name=one["name"], relation=one["relation"] or Relation.OTHER,
            birth_year=year - one["age"] if one.get("age") is not None else None, anonymous=given["anonymous"],
        )
        for one in others.cleaned_data
        if one.get("name")
    ]  # fmt: skip
    return Received(members=members, lodging=given["tonight"], sent_as=given["sent_as"])
