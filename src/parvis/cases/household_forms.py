"""Forms of what happens to a household, of who answers for it and who may open it."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.cases.entry_forms import PersonForm
from parvis.cases.models import HouseholdMember
from parvis.cases.models.people import Relation
from parvis.cases.profile_forms import day, past

#: what somebody can be to a head; the head is chosen elsewhere
RELATIONS = [(r.value, r.label) for r in Relation if r != Relation.HEAD]
#: what can happen -> which fields its form has
CHANGES = {
    "join": ("relation",),
    "add": (),
    "birth": (),
    "split": ("people", "head", "new_head"),
    "head": ("head",),
    "relation": ("person", "relation"),
    "death": ("person", "new_head"),
    "moved": ("people", "new_head"),
    "left": ("people", "new_head"),
    "mistake": ("person", "new_head"),
}


class ChangeForm(forms.Form):
    """Who is concerned by something that happened, and when. Its fields depend on what it is."""

    on = day(_("When"), required=True, initial=timezone.localdate, validators=[past])

    def __init__(self, *args: Any, what: str, members: Sequence[HouseholdMember], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        who = [(str(row.person_id), row.person.name) for row in members]
        wanted = CHANGES[what]
        made: dict[str, forms.Field] = {}
        if "people" in wanted:
            made["people"] = forms.MultipleChoiceField(label=_("Who"), choices=who, widget=forms.CheckboxSelectMultiple)
        if "person" in wanted:
            made["person"] = forms.ChoiceField(label=_("Who"), choices=who, widget=forms.RadioSelect)
        if "head" in wanted:
            label = _("Head of the new household") if what == "split" else _("New head of household")
            made["head"] = forms.ChoiceField(label=label, choices=who, widget=forms.RadioSelect)
        if "relation" in wanted:
            made["relation"] = forms.ChoiceField(label=_("Relation to the head of household"), choices=RELATIONS)
        if "new_head" in wanted and len(who) > 2:
            made["new_head"] = forms.ChoiceField(
                label=_("If the head leaves: who is the head of those who stay"),
                choices=[("", "—"), *who],
                required=False,
            )
        self.fields = made | self.fields

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in ("person", "head", "new_head"):
            if name in given:
                given[name] = uuid.UUID(given[name]) if given[name] else None
        if "people" in given:
            given["people"] = [uuid.UUID(key) for key in given["people"]]
        return given


class ArrivalForm(PersonForm):
    """Somebody new in a household: they arrive, or they are born (`born`: the day of birth is the day)."""

    on = day(_("When"), required=True, initial=timezone.localdate, validators=[past])

    def __init__(self, *args: Any, born: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.born = born
        if born:
            del self.fields["birth_year"]
            del self.fields["on"]
            self.fields["birth_date"].required = True
            self.fields["name"].help_text = _("A name can be given later: “Baby of Amina” will do.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.born:
            given["on"] = given.get("birth_date")
        return given


def account_choices(accounts: Iterable[User], nobody: Any = "—") -> list[tuple[str, str]]:
    return [("", nobody), *((str(user.pk), str(user)) for user in accounts)]


class AssignForm(forms.Form):
    """Who answers for a file, and the next contact."""

    lead = forms.ChoiceField(label=_("Lead worker"), required=False)
    backup = forms.ChoiceField(label=_("Backup worker"), required=False)
    next_contact_on = day(_("Next contact on"))

    def __init__(self, *args: Any, accounts: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(user.pk): user for user in accounts}
        for name in ("lead", "backup"):
            self.fields[name].choices = account_choices(self.accounts.values())  # type: ignore[attr-defined]

    def clean_lead(self) -> User | None:
        return self.accounts.get(self.cleaned_data["lead"])

    def clean_backup(self) -> User | None:
        return self.accounts.get(self.cleaned_data["backup"])


class HandOverForm(forms.Form):
    """Files go to another lead worker, with what they should know."""

    to = forms.ChoiceField(label=_("New lead worker"))
    note = forms.CharField(
        label=_("Handover note"), max_length=5000, required=False, widget=forms.Textarea({"rows": 5, "dir": "auto"}),
        help_text=_("It is kept as a note on the head of each household."),
    )  # fmt: skip
    stay = forms.BooleanField(label=_("The present lead stays as backup"), required=False, initial=True)

    def __init__(self, *args: Any, accounts: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(user.pk): user for user in accounts}
        self.fields["to"].choices = account_choices(self.accounts.values())  # type: ignore[attr-defined]

    def clean_to(self) -> User:
        return self.accounts[self.cleaned_data["to"]]


class NamedForm(forms.Form):
    """One more account for a restricted file."""

    account = forms.ChoiceField(label=_("Who"))
    until = day(_("Until"), help_text=_("Empty: until it is ended."))

    def __init__(self, *args: Any, accounts: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(user.pk): user for user in accounts}
        self.fields["account"].choices = account_choices(self.accounts.values())  # type: ignore[attr-defined]

    def clean_account(self) -> User:
        return self.accounts[self.cleaned_data["account"]]


class DenialForm(forms.Form):
    """An account that must never see a person."""

    person = forms.ChoiceField(label=_("Who must not be seen"))
    email = forms.EmailField(label=_("E-mail of the account that is shut out"))

    def __init__(self, *args: Any, members: Sequence[HouseholdMember], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [(str(row.person_id), row.person.name) for row in members]  # type: ignore[attr-defined]

    def clean_person(self) -> uuid.UUID:
        return uuid.UUID(self.cleaned_data["person"])
