"""Forms of referrals: what is sent, what is said of it, how many places there are."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parvis.cases.actions.sharing import Terms, is_minor
from parvis.cases.forms_sharing import ConsentForm
from parvis.cases.models import HouseholdMember, Person
from parvis.cases.models.profile import Domain
from parvis.cases.models.sharing import Purpose
from parvis.core.referral import NEEDS_REASON, REASONS
from parvis.core.referral import State as Code
from parvis.orgs.models import Organization
from parvis.referrals.models import Reason, State

#: how a name may leave: by a consent given now, by one that is in force; or not at all
ASK, HELD, UNNAMED = "ask", "held", "unnamed"


class ReferralForm(ConsentForm):
    """A referral and, when a name is to leave with it, the person's consent to exactly that."""

    domain = forms.ChoiceField(label=_("Need"), choices=Domain.choices)
    urgent = forms.BooleanField(
        label=_("Urgent"), required=False,
        help_text=_("Safety, no shelter, medication, a legal deadline: they must look at it within hours."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("What they need to know"), required=False, max_length=2000,
        widget=forms.Textarea({"rows": 3, "dir": "auto"}),
        help_text=_("As little as possible: they see it with the name alone."),
    )  # fmt: skip
    how = forms.ChoiceField(label=_("With a name?"), widget=forms.RadioSelect)

    field_order = ("domain", "urgent", "text", "how")

    def __init__(
        self, *args: Any, person: Person, organization: Organization, agreed: bool, held: bool, needed: Sequence[str],
        members: Sequence[HouseholdMember], languages: Sequence[str], **kwargs: Any,
    ) -> None:  # fmt: skip
        self.person, self.organization = person, organization
        super().__init__(*args, members=members, languages=languages, chosen=[person.pk], **kwargs)
        for name in ("persons", "q", "organizations", "until"):
            del self.fields[name]
        self.fields["purpose"].widget = forms.HiddenInput()
        self.fields["purpose"].initial = Purpose.REFERRAL
        self.fields["purpose"].required = False
        self.fields["classes"].initial = list(needed)
        ways: list[tuple[str, Any]] = []
        if held:
            ways.append((HELD, _("Yes: their consent in force covers it")))
        if agreed:
            ways.append((ASK, _("Yes: the person agrees now, for this referral alone")))
        ways.append((UNNAMED, _("No: without a name, they say first whether they have a place")))
        self.fields["how"].choices = ways
        self.fields["how"].initial = ways[0][0]
        if self["how"].value() != ASK:
            for name in ("text_language", "channel"):
                self.fields[name].required = False
        self.asks = agreed
        self.any_minor = is_minor(person, timezone.localdate())

    def chosen_persons(self) -> list[Person]:
        return [self.person]

    def chosen_organizations(self) -> list[Any]:
        return [self.organization]

    def last_day(self) -> dt.date | None:
        return None

    def shows(self) -> Any:
        self.fields["until"] = forms.DateField(required=False)
        try:
            return super().shows()
        finally:
            del self.fields["until"]
            self._bound_fields_cache.pop("until", None)

    def terms(self) -> Terms:
        self.cleaned_data |= {"until": None, "purpose": Purpose.REFERRAL}
        given = super().terms()
        return Terms(**{**vars(given), "by_referral": True})


class WordForm(forms.Form):
    """What is said of a referral: a state with its reason, in words where the list has none."""

    state = forms.CharField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=_("Why"), required=False)
    text = forms.CharField(
        label=_("In words, where needed"), required=False, max_length=1000, widget=forms.TextInput({"dir": "auto"})
    )
    appointment_at = forms.DateTimeField(
        label=_("Appointment"), required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    spoken_with = forms.CharField(
        label=_("With whom you spoke"), required=False, max_length=120, widget=forms.TextInput({"dir": "auto"})
    )

    def __init__(self, *args: Any, state: str, telephone: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, auto_id=f"id_{state}{'_phone' if telephone else ''}_%s", **kwargs)
        self.fields["state"].initial = state
        reasons = REASONS.get(Code(state), ())
        if reasons:
            labels = dict(Reason.choices)
            needed = Code(state) in NEEDS_REASON
            first = [("", "—")]
            self.fields["reason"].choices = first + [(each.value, labels[each.value]) for each in reasons]
            self.fields["reason"].required = needed
        else:
            del self.fields["reason"]
        if state != State.ACCEPTED:
            del self.fields["appointment_at"]
        if telephone:
            self.fields["spoken_with"].required = True
        else:
            del self.fields["spoken_with"]

    def clean_appointment_at(self) -> dt.datetime | None:
        at: dt.datetime | None = self.cleaned_data["appointment_at"]
        if at is not None and at < timezone.now() - dt.timedelta(days=1):
            raise forms.ValidationError(_("This day is past: choose one to come."))
        return at


class PlacesForm(forms.Form):
    """How many a service can take in all."""

    offered = forms.IntegerField(
        label=_("Places in all"), required=False, min_value=0, max_value=100_000,
        help_text=_("Empty: nobody counts them. It names nobody."),
    )  # fmt: skip
    waitlist = forms.BooleanField(label=_("There is a waiting list"), required=False)
