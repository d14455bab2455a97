"""Forms of the sections of a person's page. A field is called as the column it fills."""

import datetime as dt
from typing import Any

from babel import Locale
from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from parvis.cases import contact
from parvis.cases.entry_forms import language_choices
from parvis.cases.models import Address, Background, ContactPoint, Finding, PaperSeen
from parvis.cases.models.people import Gender, NameUse
from parvis.cases.models.profile import Domain, Level, NoteKind, Stream
from parvis.core.access import DataClass
from parvis.places.queries import borough_names


def day(label: Any, *, required: bool = False, help_text: Any = "", **more: Any) -> forms.DateField:
    """A date as browsers ask for it."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, help_text=help_text, widget=widget, **more)


def past(value: dt.date | None) -> dt.date | None:
    """A day that has come. Raises ValidationError."""
    if value and value > timezone.localdate():
        raise forms.ValidationError(_("This day is in the future."))
    return value


def country_choices() -> list[tuple[str, str]]:
    """(code, name in the reader's language), by name."""
    names = Locale.parse((get_language() or "fr").split("-")[0]).territories
    known = [(code, str(name)) for code, name in names.items() if len(code) == 2 and code.isalpha() and code != "ZZ"]
    return [("", "—"), *sorted(known, key=lambda pair: pair[1])]


class IdentityForm(forms.Form):
    """Who the person is."""

    name = forms.CharField(
        label=_("Name, as the person says it"), max_length=200, widget=forms.TextInput({"dir": "auto"})
    )
    name_latin = forms.CharField(
        label=_("In Latin letters"), max_length=200, required=False,
        help_text=_("As on the papers, if they say it. Left empty, it is made from the name."),
    )  # fmt: skip
    gender = forms.ChoiceField(label=_("Gender"), choices=Gender.choices, initial=Gender.UNKNOWN)
    birth_date = day(_("Date of birth"), validators=[past])
    birth_year = forms.IntegerField(
        label=_("Year of birth, when the day is not known"), required=False, min_value=1890, max_value=2200
    )
    language = forms.ChoiceField(
        label=_("Language to write to the person in"), choices=language_choices, required=False
    )
    interpreter = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    interpreter_gender = forms.ChoiceField(
        label=_("Gender of the interpreter, if it matters"),
        choices=[("", "—"), *((g.value, g.label) for g in (Gender.FEMALE, Gender.MALE))],
        required=False,
    )


class NameForm(forms.Form):
    use = forms.ChoiceField(label=_("Which name"), choices=NameUse.choices)
    text = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput({"dir": "auto"}))


class SpokenForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=lambda: language_choices()[1:])
    level = forms.ChoiceField(label=_("Level"), choices=Level.choices, initial=Level.NATIVE)
    dialect = forms.CharField(
        label=_("Dialect or way of speaking"), max_length=80, required=False,
        help_text=_("It chooses the interpreter."),
    )  # fmt: skip
    reads = forms.BooleanField(label=_("Reads it"), required=False, initial=True)


class StatusForm(forms.Form):
    stream = forms.ChoiceField(label=_("Stream"), choices=Stream.choices)
    detail = forms.CharField(label=_("Status in more words"), max_length=200, required=False)
    since = day(_("Since"), required=True, initial=timezone.localdate)
    expires_on = day(_("Expires on"), help_text=_("So that it is renewed in time."))


class AddressForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind of lodging"), choices=Address.Kind.choices)
    text = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.Textarea({"rows": 2, "dir": "auto"})
    )
    borough = forms.CharField(label=_("Borough or neighbourhood"), max_length=80, required=False)
    hidden = forms.BooleanField(
        label=_("This address must not be found"), required=False,
        help_text=_("Only the lead and backup worker see it. It is never shared, whatever the person agrees to."),
    )  # fmt: skip
    since = day(_("Since"), required=True, initial=timezone.localdate, validators=[past])
    whole = forms.BooleanField(label=_("The whole household lives there"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The city's boroughs are a choice, with what was written before they were; elsewhere a text."""
        super().__init__(*args, **kwargs)
        names = [name for name in borough_names() if len(name) <= 80]
        written = self.initial.get("borough", "")
        if names:
            known = dict.fromkeys(["", *names, written])
            self.fields["borough"] = forms.ChoiceField(
                label=_("Borough or neighbourhood"), required=False, choices=[(name, name or "—") for name in known]
            )


class ContactForm(forms.Form):
    system = forms.ChoiceField(label=_("How"), choices=ContactPoint.System.choices)
    value = forms.CharField(label=_("Number or address"), max_length=200, widget=forms.TextInput({"dir": "ltr"}))
    preferred = forms.BooleanField(label=_("The best way to reach the person"), required=False)
    safe_to_call = forms.BooleanField(label=_("It is safe to call or write here"), required=False, initial=True)
    safe_to_leave_message = forms.BooleanField(label=_("A message may be left"), required=False)
    safe_times = forms.CharField(
        label=_("When it is safe"), max_length=120, required=False, help_text=_("For instance: mornings only.")
    )
    shared_with = forms.CharField(label=_("Who else hears or reads it"), max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        system, value = given.get("system"), given.get("value", "")
        if system == "email":
            try:
                forms.EmailField().clean(value)
            except forms.ValidationError as error:
                self.add_error("value", error)
        elif system in ("phone", "sms", "whatsapp", "signal") and value and contact.index_of(value) is None:
            self.add_error("value", _("This is not a telephone number."))
        return given


class BackgroundForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=Background.Kind.choices)
    title = forms.CharField(label=_("What"), max_length=200, widget=forms.TextInput({"dir": "auto"}))
    country = forms.ChoiceField(label=_("Country"), choices=country_choices, required=False)
    since_year = forms.IntegerField(label=_("From (year)"), required=False, min_value=1900, max_value=2200)
    until_year = forms.IntegerField(label=_("To (year)"), required=False, min_value=1900, max_value=2200)
    recognition = forms.ChoiceField(
        label=_("Recognition of the diploma"), choices=Background.Recognition.choices, required=False
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since_year"), given.get("until_year")
        if since and until and until < since:
            self.add_error("until_year", _("It can't end before it began."))
        return given


class FindingForm(forms.Form):
    domain = forms.ChoiceField(label=_("Domain"), choices=Domain.choices)
    kind = forms.ChoiceField(label=_("Strength or need"), choices=Finding.Kind.choices, widget=forms.RadioSelect)
    level = forms.ChoiceField(
        label=_("If it is a need: how soon"), choices=[("", "—"), *Finding.Level.choices], required=False
    )
    text = forms.CharField(
        label=_("In their words"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3, "dir": "auto"})
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("kind") == Finding.Kind.STRENGTH:
            given["level"] = ""
        elif given.get("kind") == Finding.Kind.NEED and not given.get("level"):
            given["level"] = Finding.Level.MEDIUM
        return given


class PaperForm(forms.Form):
    kind = forms.ChoiceField(label=_("Paper"), choices=PaperSeen.Kind.choices)
    seen_on = day(_("Seen on"), required=True, initial=timezone.localdate, validators=[past])
    expires_on = day(_("Expires on"))


class NoteForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind of note"), choices=NoteKind.choices, widget=forms.RadioSelect,
                             initial=NoteKind.GENERAL)  # fmt: skip
    text = forms.CharField(
        label=_("Note"), max_length=20_000, widget=forms.Textarea({"rows": 8, "dir": "auto"}),
        help_text=_("What was said and done, so that a colleague can go on. It is signed and dated."),
    )  # fmt: skip


class AttachmentForm(forms.Form):
    file = forms.FileField(
        label=_("File"), help_text=_("PDF, picture, DOCX, XLSX, ODT or text, up to 10 MB."), max_length=255
    )
    row_class = forms.TypedChoiceField(
        label=_("What it is about"),
        coerce=int,
        choices=[
            (DataClass.DOCUMENTS.value, _("Papers and documents")),
            (DataClass.HEALTH.value, _("Health")),
            (DataClass.VIOLENCE.value, _("Family and violence")),
        ],
    )


class EndForm(forms.Form):
    """Since when a row no longer holds."""

    on = day(_("Since when no longer"), required=True, initial=timezone.localdate, validators=[past])
