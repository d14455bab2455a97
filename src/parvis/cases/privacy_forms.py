"""Forms of people's rights and of the registers."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases import registers
from parvis.cases.actions.rights import OTHER, RECTIFIABLE
from parvis.cases.consents import CLASS_WORDS, DELICATE, ORDINARY
from parvis.cases.models.rights import RequestChannel, RequestKind, RequestState
from parvis.core.access import DataClass

YES_NO = [("yes", _("Yes")), ("no", _("No"))]


def day(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    """A day that is not in the future."""
    field = forms.DateField(
        label=label, required=required, help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    field.validators.append(_not_later)
    return field


def _not_later(value: dt.date) -> None:
    if value > timezone.localdate():
        raise forms.ValidationError(_("This day is in the future."))


def words(label: Any, *, required: bool = True, most: int = 1000, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=most, help_text=help_text, widget=forms.Textarea({"rows": 3})
    )


class ClassesField(forms.TypedMultipleChoiceField):
    """Classes of data; gives their sum."""

    def __init__(self, *, every: bool, **more: Any) -> None:
        offered = list(DataClass) if every else [*ORDINARY, *DELICATE]
        super().__init__(
            choices=[(str(one.value), CLASS_WORDS[one]) for one in offered], coerce=int,
            widget=forms.CheckboxSelectMultiple, **more,
        )  # fmt: skip

    def clean(self, value: Any) -> int:
        return sum(super().clean(value))


class GlassForm(forms.Form):
    """Emergency access: the reference that the person or their paper says, and why."""

    reference = forms.CharField(
        label=_("Reference of the file"), max_length=12,
        help_text=_("The person knows it, or it is on their paper."),
        widget=forms.TextInput({"autocomplete": "off", "dir": "ltr"}),
    )  # fmt: skip
    reason = words(_("Why the file must be opened now"), most=500)


class ReviewForm(forms.Form):
    """Was an emergency access right?"""

    justified = forms.ChoiceField(
        label=_("Was it justified?"),
        choices=[("yes", _("Justified")), ("no", _("Not justified"))],
        widget=forms.RadioSelect,
    )
    words = words(_("In words"), most=500)


class ReferencesField(forms.CharField):
    """File references, one a line; gives the ids of the heads of these households."""

    def __init__(self, viewer: Any, **more: Any) -> None:
        super().__init__(widget=forms.Textarea({"rows": 2, "dir": "ltr"}), required=False, **more)
        self.viewer = viewer

    def clean(self, value: Any) -> list[uuid.UUID]:
        found: list[uuid.UUID] = []
        for reference in super().clean(value).split():
            person = registers.by_reference(self.viewer, reference)
            if person is None:
                raise forms.ValidationError(
                    _("There is no file with the reference %(reference)s."), params={"reference": reference}
                )
            found.append(person)
        return found


class IncidentForm(forms.Form):
    """One line of the register of incidents."""

    what = words(_("What happened"), most=2000, help_text=_("Without names."))
    happened_on = day(_("When it happened, if known"), required=False)
    found_on = day(_("When it was found"))
    persons_count = forms.IntegerField(label=_("How many persons are concerned"), required=False, min_value=0)
    classes = ClassesField(every=True, label=_("Which data"), required=False)
    serious = forms.TypedChoiceField(
        label=_("Is there a risk of serious injury?"), required=False, widget=forms.RadioSelect,
        choices=[("", _("Not judged yet")), *YES_NO],
        coerce=lambda value: {"yes": True, "no": False}.get(value), empty_value=None,
    )  # fmt: skip
    risk = words(_("Why"), required=False)
    authority_told_on = day(_("The authority was told on"), required=False)
    persons_told_on = day(_("The persons were told on"), required=False)
    measures = words(_("What was done so that it does not happen again"), required=False, most=2000)
    closed_on = day(_("Closed on"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, initial=1)

    def __init__(self, *args: Any, viewer: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["references"] = ReferencesField(
            viewer, label=_("References of the files concerned"), help_text=_("One a line.")
        )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        happened, found = given.get("happened_on"), given.get("found_on")
        if happened and found and happened > found:
            self.add_error("happened_on", _("It can’t be found before it happens."))
        if given.get("closed_on"):
            if given.get("serious") is None:
                self.add_error("serious", _("Judge the risk before you close."))
            elif given["serious"] and not given.get("authority_told_on"):
                self.add_error("authority_told_on", _("The authority must be told before this is closed."))
        return given


class RequestForm(forms.Form):
    """A request about one's data arrives."""

    kind = forms.ChoiceField(label=_("What is asked for"), choices=RequestKind.choices, widget=forms.RadioSelect)
    received_on = day(_("Received on"), help_text=_("The delay counts from this day."))
    channel = forms.ChoiceField(
        label=_("How"), choices=[pair for pair in RequestChannel.choices if pair[0] != RequestChannel.ACCOUNT]
    )
    reference = forms.CharField(
        label=_("Reference of the file"), max_length=12, required=False, widget=forms.TextInput({"dir": "ltr"})
    )
    asked_by = forms.CharField(
        label=_("Who asks, when it is not the person"), max_length=200, required=False,
        help_text=_("A parent, a representative; or the name of somebody who has no file."),
    )  # fmt: skip
    asked = words(_("What was asked, in their words"), required=False)
    person: uuid.UUID | None = None

    def __init__(self, *args: Any, viewer: Any, given: uuid.UUID | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.viewer, self.person = viewer, given
        if given:
            del self.fields["reference"]

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"].strip()
        if reference:
            self.person = registers.by_reference(self.viewer, reference)
            if self.person is None:
                raise forms.ValidationError(_("No file can be opened with this reference."))
        return reference

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if "reference" in given and not given["reference"] and not given.get("asked_by"):
            self.add_error("asked_by", _("Say who asks, or give the reference of a file."))
        return given


class OwnRequestForm(forms.Form):
    """The newcomer asks, from their own page."""

    kind = forms.ChoiceField(label=_("What do you ask for?"), choices=RequestKind.choices, widget=forms.RadioSelect)
    asked = words(_("In your words"), required=False)


class IdentityForm(forms.Form):
    how = forms.CharField(
        label=_("How you know that it is the person"), max_length=200, help_text=_("For instance: passport seen.")
    )


class AnswerForm(forms.Form):
    state = forms.ChoiceField(
        label=_("Answer"), widget=forms.RadioSelect,
        choices=[pair for pair in RequestState.choices if pair[0] != RequestState.OPEN],
    )  # fmt: skip
    words = words(_("What was given or said"))


FIELDS = {
    "name": _("Name"),
    "name_latin": _("In Latin letters"),
    "gender": _("Gender"),
    "birth_date": _("Date of birth"),
    "birth_year": _("Year of birth"),
    "language": _("Language"),
    "interpreter": _("Needs an interpreter"),
    OTHER: _("Something else"),
}


class CorrectionForm(forms.Form):
    field = forms.ChoiceField(
        label=_("What is wrong"), choices=[(name, FIELDS[name]) for name in (*RECTIFIABLE, OTHER)]
    )
    wanted = words(
        _("What it should say"), help_text=_("A date as 1990-03-01; for yes or no: yes, no; a language by its code.")
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect, choices=[("yes", _("Accepted")), ("no", _("Refused"))]
    )
    words = words(_("Why"), required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("decision") == "no" and not given.get("words", "").strip():
            self.add_error("words", _("Say why."))
        return given


class StatementForm(forms.Form):
    words = words(_("The person’s own statement"))


class DisclosureForm(forms.Form):
    """Data for an authority."""

    recipient = forms.CharField(label=_("To which authority"), max_length=200)
    classes = ClassesField(every=False, label=_("Which data"))
    purpose = words(_("What for"), most=500)
    legal_basis = forms.CharField(label=_("The law, order or warrant that they name"), max_length=200)
