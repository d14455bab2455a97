"""One step of the protocol as a form: what the office may change, and what the core says is wrong with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.profile import Stream as StreamWords
from parvis.core.access import DataClass, names
from parvis.core.protocol import ALL_STREAMS, ANCHORS, LONGEST, LONGEST_TEXT, Confidence, Fault
from parvis.plans.models import Kind, Scope
from parvis.plans.wording import OWNERS, anchor

CONFIDENCE = {
    "S": _("A primary source was read"),
    "S2": _("A secondary source was read"),
    "T": _("Only a title is known: to be checked"),
    "K": _("General knowledge: to be checked"),
    "own": _("Our own proposal"),
}
_FAULTS = {
    "missing": _("This is missing."),
    "unknown_field": _("Nobody knows what this is."),
    "wrong_type": _("This has the wrong form."),
    "unknown_value": _("There is no such value: %(value)s"),
    "out_of_range": _("Between %(at_least)s and %(at_most)s, please."),
    "twice": _("This code is there twice."),
    "no_steps": _("There is no step at all."),
    "language_missing": _("The text is missing in this language: %(language)s"),
    "too_long": _("At most %(at_most)s characters."),
    "no_such_calendar": _("There is no calendar for %(value)s."),
    "unknown_step": _("It names a step that there is not: %(need)s"),
    "unknown_anchor": _("There is no such day to count from: %(value)s"),
    "anchor_never": _("Nobody of these streams has the day from which it counts: %(streams)s"),
    "cycle": _("These steps wait for each other: %(steps)s"),
    "impossible_date": _("It is due on day %(days)s, before %(need)s that it needs, due on day %(need_days)s."),
    "need_never": _("No household of its streams has the step that it needs: %(need)s"),
    "alert_not_legal": _("Alerts are for legal deadlines."),
    "legal_holds": _("A legal deadline never moves: nothing has to hold it."),
    "no_such_file": _("There is no such protocol to stand on: %(value)s"),
}


def worded(fault: Fault) -> str:
    """A fault as a sentence."""
    given = {
        name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in fault.given.items()
    }
    return str(_FAULTS[fault.code]) % given


def _numbers(text: str, name: str) -> list[int]:
    try:
        return [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise forms.ValidationError({name: _now("Whole numbers, please, with spaces between them.")}) from None


class StepForm(forms.Form):
    """`data`: the protocol's; `row`: the step's, or None for a new one."""

    code = forms.RegexField(r"^[A-Z]{1,3}[0-9]{1,4}$", label=_("Code"), help_text=_("Letters and digits: C12"))
    scope = forms.ChoiceField(label=_("For whom"), choices=Scope.choices)
    streams = forms.MultipleChoiceField(
        label=_("Streams"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[choice for choice in StreamWords.choices if choice[0] in ALL_STREAMS],
        help_text=_("None ticked means everybody."),
    )  # fmt: skip
    age_least = forms.IntegerField(label=_("From which age"), required=False, min_value=0, max_value=130)
    age_most = forms.IntegerField(label=_("Up to which age"), required=False, min_value=0, max_value=130)
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices)
    anchor = forms.ChoiceField(label=_("Counted from"))
    days = forms.IntegerField(label=_("Days"), min_value=-LONGEST, max_value=LONGEST)
    grace = forms.IntegerField(
        label=_("Days after the first contact, in a file opened late"), required=False, min_value=0, max_value=LONGEST
    )
    holds = forms.BooleanField(label=_("It keeps its day when one that it needs is late"), required=False)
    alerts = forms.CharField(
        label=_("Alerts, in days before a legal deadline"), required=False, max_length=60, help_text="30 14 7"
    )
    needs = forms.CharField(
        label=_("Needs these steps first"), required=False, max_length=200, help_text=_("Codes with spaces between")
    )
    covered_by = forms.CharField(
        label=_("Not asked when one of these is done"), required=False, max_length=200,
        help_text=_("Codes with spaces between"),
    )  # fmt: skip
    owner = forms.ChoiceField(label=_("Who answers for it"), choices=OWNERS.items())
    data = forms.ChoiceField(
        label=_("Class of data"), help_text=_("Who may see the step: a health visit is seen by who may see health.")
    )
    sources = forms.CharField(label=_("Sources, one a line"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)
    confidence = forms.ChoiceField(label=_("How sure we are"), choices=CONFIDENCE.items())
    checked_on = forms.DateField(
        label=_("Checked on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, whole: Mapping[str, Any], row: Mapping[str, Any] | None, **kwargs: Any) -> None:
        self.row = dict(row or {})
        self.languages = [str(one) for one in whole.get("languages", ())]
        kwargs.setdefault("initial", _initial(self.row, whole, self.languages))
        super().__init__(*args, **kwargs)
        for name in ("title", "done_when"):
            label = _("Title") if name == "title" else _("Done when")
            for language in self.languages:
                self.fields[f"{name}_{language}"] = forms.CharField(
                    label=f"{label} ({language})", max_length=LONGEST_TEXT, widget=forms.TextInput({"lang": language})
                )
        choose: Any = self.fields
        choose["anchor"].choices = [(one, anchor(one)) for one in (*ANCHORS, *whole.get("days", {}))]
        choose["data"].choices = [(one, one) for each in DataClass for one in names(each.value)]

    @property
    def texts(self) -> list[Any]:
        return [self[f"{name}_{language}"] for name in ("title", "done_when") for language in self.languages]

    @property
    def rest(self) -> list[Any]:
        return [self[name] for name in self.base_fields]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        least, most = found.get("age_least"), found.get("age_most")
        if (least is None) != (most is None):
            self.add_error("age_most", _now("Give both ages, or none."))
        found["alerts"] = _numbers(found.get("alerts", ""), "alerts")
        return found

    def as_row(self) -> dict[str, Any]:
        """The step as the protocol's data; what the form does not show stays."""
        said = self.cleaned_data
        row = dict(self.row)
        plain = ("code", "scope", "kind", "anchor", "days", "owner", "data", "confidence")
        row |= {name: said[name] for name in plain}
        for name in ("title", "done_when"):
            ours = {language: said[f"{name}_{language}"] for language in self.languages}
            row[name] = {**row.get(name, {}), **ours}
        optional: dict[str, Any] = {
            "streams": said["streams"],
            "ages": [said["age_least"], said["age_most"]] if said["age_least"] is not None else None,
            "grace": said["grace"],
            "holds": said["holds"],
            "alerts": said["alerts"],
            "needs": said["needs"].upper().replace(",", " ").split(),
            "covered_by": said["covered_by"].upper().replace(",", " ").split(),
            "checked_on": said["checked_on"].isoformat() if said["checked_on"] else None,
        }
        for name, value in optional.items():
            if value is None or value is False or value == []:
                row.pop(name, None)
            else:
                row[name] = value
        row["sources"] = [line.strip() for line in said["sources"].splitlines() if line.strip()]
        return row


def _initial(row: Mapping[str, Any], whole: Mapping[str, Any], languages: Iterable[str]) -> dict[str, Any]:
    ages = row.get("ages") or [None, None]
    streams = row.get("streams", [])
    found = {
        **{name: row.get(name) for name in ("code", "scope", "days", "grace", "owner")},
        "streams": [] if streams == "all" else streams,
        "kind": row.get("kind", Kind.TARGET),
        "anchor": row.get("anchor", "arrival"),
        "age_least": ages[0],
        "age_most": ages[-1],
        "holds": row.get("holds", False),
        "data": row.get("data", "plan"),
        "confidence": row.get("confidence", Confidence.KNOWLEDGE.value),
        "checked_on": row.get("checked_on") or whole.get("checked_on"),
        "sources": "\n".join(row.get("sources", ())),
    }
    found |= {name: " ".join(map(str, row.get(name, ()))) for name in ("alerts", "needs", "covered_by")}
    for name in ("title", "done_when"):
        texts = row.get(name) if isinstance(row.get(name), Mapping) else {}
        found |= {f"{name}_{language}": texts.get(language, "") for language in languages}  # type: ignore[union-attr]
    return found


class FileForm(forms.Form):
    file = forms.FileField(label=_("A protocol’s file (TOML)"))


class PublishForm(forms.Form):
    note = forms.CharField(
        label=_("What is new, for the agents"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
