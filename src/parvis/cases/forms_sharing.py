"""Forms of consent, its withdrawal, agreements, and a person's own sign-in."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases import consent_texts
from parvis.cases.actions.sharing import USUAL, Terms, Wrong, is_minor
from parvis.cases.consents import CLASS_WORDS, DELICATE, ORDINARY, organizations
from parvis.cases.models import Consent, HouseholdMember, Person
from parvis.cases.models.sharing import Channel, Purpose
from parvis.core.access import DataClass, names, parse
from parvis.core.language import own_name

#: how somebody who sits at a desk can agree; their own link is theirs alone
AT_DESK = [Channel.SCREEN, Channel.SIGNED, Channel.SPOKEN]


def _codes(members: Sequence[DataClass]) -> list[tuple[str, Any]]:
    return [(names(member)[0], CLASS_WORDS[member]) for member in members]


class ConsentForm(forms.Form):
    """Who agrees to share what with whom. `text_language` and `shown` say which words stood on the screen."""

    persons = forms.MultipleChoiceField(label=_("Who agrees"), widget=forms.CheckboxSelectMultiple)
    given_by = forms.ChoiceField(
        label=_("Parent or guardian who agrees for the children"), required=False,
        help_text=_("Needed below fourteen years; from fourteen on, a young person may agree alone."),
    )  # fmt: skip
    q = forms.CharField(label=_("Find an organization by name"), max_length=120, required=False)
    organizations = forms.MultipleChoiceField(
        label=_("With which organizations"), widget=forms.CheckboxSelectMultiple, required=False
    )
    purpose = forms.ChoiceField(
        label=_("What for"), choices=Purpose.choices, widget=forms.RadioSelect, initial=Purpose.REFERRAL
    )
    classes = forms.MultipleChoiceField(
        label=_("What is shared"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("The name, birth, gender and languages are always shared: without them nobody is recognized."),
        choices=_codes([member for member in ORDINARY if member != DataClass.IDENTITY]),
    )  # fmt: skip
    sensitive = forms.MultipleChoiceField(
        label=_("Sensitive: ask for each line by itself"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=_codes(DELICATE),
    )  # fmt: skip
    express = forms.BooleanField(label=_("I asked for each sensitive line, and the person said yes"), required=False)
    until = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Twelve months from today, unless the person wants otherwise."),
    )  # fmt: skip
    text_language = forms.ChoiceField(label=_("Language of the text"))
    channel = forms.ChoiceField(
        label=_("How the person agrees"), choices=[(c.value, c.label) for c in AT_DESK], widget=forms.RadioSelect,
        initial=Channel.SCREEN,
    )  # fmt: skip
    witness = forms.CharField(
        label=_("Witness, such as the interpreter"), max_length=120, required=False,
        help_text=_("Needed when the person agrees aloud."), widget=forms.TextInput({"dir": "auto"}),
    )  # fmt: skip
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, members: Sequence[HouseholdMember], languages: Sequence[str],
        chosen: Sequence[uuid.UUID] = (), **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.members = {str(member.person.pk): member.person for member in members}
        day = timezone.localdate()
        self.fields["persons"].choices = [(pk, person.name) for pk, person in self.members.items()]
        self.fields["persons"].initial = [str(pk) for pk in chosen] or list(self.members)[:1]
        adults = [(pk, person.name) for pk, person in self.members.items() if not is_minor(person, day)]
        self.fields["given_by"].choices = [("", "—"), *adults]
        self.any_minor = len(adults) < len(self.members)
        self.fields["until"].initial = day + USUAL
        written = consent_texts.languages()
        best = consent_texts.for_reader(languages)
        self.fields["text_language"].choices = [(tag, own_name(tag)) for tag in written]
        self.fields["text_language"].initial = best.language if best else written[0]
        #: the first of the person's languages, when there is no text in it: somebody reads it to them
        self.read_aloud = languages[0] if languages and not consent_texts.for_reader(languages[:1]) else ""
        self.offered = organizations(self["q"].value() or "", chosen=self["organizations"].value() or ())
        self.fields["organizations"].choices = [
            (str(each.organization.pk), each.organization.name) for each in self.offered
        ]

    def lines(self) -> list[dict[str, Any]]:
        """The organizations as they are shown: those without an agreement can't be chosen."""
        chosen = {str(pk) for pk in self["organizations"].value() or ()}
        return [
            {
                "id": f"organization-{each.organization.pk}",
                "value": str(each.organization.pk),
                "name": each.organization.name,
                "agreed": each.agreed,
                "chosen": each.agreed and str(each.organization.pk) in chosen,
            }
            for each in self.offered
        ]

    def chosen_organizations(self) -> list[Any]:
        chosen = {str(pk) for pk in self["organizations"].value() or ()}
        return [each.organization for each in self.offered if str(each.organization.pk) in chosen]

    def chosen_persons(self) -> list[Person]:
        wanted = set(self["persons"].value() or ())
        return [person for pk, person in self.members.items() if pk in wanted]

    def parent(self) -> Person | None:
        return self.members.get(self["given_by"].value() or "")

    def chosen_classes(self) -> DataClass:
        known = {code for code, _word in (*_codes(ORDINARY), *_codes(DELICATE))}
        ticked = [*(self["classes"].value() or ()), *(self["sensitive"].value() or ())]
        return DataClass.IDENTITY | parse([code for code in ticked if code in known])

    def last_day(self) -> dt.date | None:
        """The last day as far as it can be read: the text is shown while one still types."""
        value = self["until"].value()
        try:
            return value if isinstance(value, dt.date) else dt.date.fromisoformat(value or "")
        except ValueError:
            return None

    def shows(self) -> consent_texts.Shown:
        """The text filled with what is chosen so far, in the language chosen for it."""
        language = self["text_language"].value()
        if language not in consent_texts.languages():
            language = consent_texts.languages()[0]
        persons, parent, day = self.chosen_persons(), self.parent(), timezone.localdate()
        return consent_texts.filled(
            consent_texts.text(consent_texts.versions()[0], language),
            consent_texts.Filled(
                persons=[person.name for person in persons],
                organizations=[each.name for each in self.chosen_organizations()],
                classes=self.chosen_classes(),
                purpose=self["purpose"].value() or "",
                last_day=self.last_day() or (None if self["until"].value() else day + USUAL),
                parent=parent.name if parent else "",
                children=[person.name for person in persons if is_minor(person, day)],
            ),
        )

    def terms(self) -> Terms:
        """What was chosen, for the action. Only of a form whose fields are valid."""
        given = self.cleaned_data
        last: dt.date | None = given["until"]
        return Terms(
            organizations=self.chosen_organizations(),
            classes=self.chosen_classes(),
            purpose=given["purpose"],
            text_version=consent_texts.versions()[0],
            text_language=given["text_language"],
            channel=given["channel"],
            until=_end_of(last) if last else None,
            witness=given["witness"],
            express=given["express"],
        )

    def blame(self, wrong: Wrong) -> None:
        """Put the problems that the action found beside their fields."""
        for field, problem in wrong.problems.items():
            self.add_error(field if field in self.fields else None, str(problem))


def _end_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))


class WithdrawForm(forms.Form):
    """How a person took a consent back, at a desk; nobody asks why, it is noted when they say."""

    channel = forms.ChoiceField(
        label=_("How the person said so"), choices=[(c.value, c.label) for c in AT_DESK], initial=Channel.SCREEN,
        widget=forms.RadioSelect,
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why, if they wish to say"), max_length=200, required=False, widget=forms.TextInput({"dir": "auto"})
    )


class AgreementForm(forms.Form):
    """A data-sharing agreement with an organization."""

    organization = forms.ChoiceField(label=_("Organization"))
    since = forms.DateField(label=_("First day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(
        label=_("Last day, if there is one"), required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    reference = forms.CharField(label=_("Reference of the paper"), max_length=80, required=False)

    def __init__(self, *args: Any, text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self["organization"].value()
        self.offered = organizations(text, chosen=[chosen] if chosen else (), size=40) if text or chosen else []
        self.fields["organization"].choices = [(str(o.organization.pk), o.organization.name) for o in self.offered]
        self.fields["since"].initial = timezone.localdate()

    def chosen(self) -> Any:
        wanted = self.cleaned_data["organization"]
        return next(o.organization for o in self.offered if str(o.organization.pk) == wanted)

    blame = ConsentForm.blame


class EndForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class AccountForm(forms.Form):
    """Where to write to a person so that they open their own sign-in."""

    email = forms.EmailField(
        label=_("The person’s own e-mail address"), widget=forms.EmailInput({"dir": "ltr"}),
        help_text=_("Ask whether somebody else reads it: whoever opens the message can see the file."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language of the message"))

    def __init__(self, *args: Any, languages: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = languages

    blame = ConsentForm.blame


def shown_of(consent: Consent, organizations: Sequence[str], last_day: dt.date) -> consent_texts.Shown:
    """The page that was shown when this consent was given, from what it keeps."""
    parent = consent.given_by.name if consent.given_by else ""
    return consent_texts.filled(
        consent_texts.text(consent.text_version, consent.text_language),
        consent_texts.Filled(
            persons=[consent.person.name], organizations=organizations, classes=consent.classes,
            purpose=consent.purpose, last_day=last_day, parent=parent, children=[consent.person.name] if parent else (),
        ),
    )  # fmt: skip
