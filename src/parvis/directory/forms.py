"""The desk's forms: one page per object, its rows beneath; adding a row needs no JavaScript.

A form speaks in facts (`parvis.directory.facts`): it is filled from them, and says which of them are to change. What
was not touched is never judged and never rewritten: an old web address that no longer passes does not stop a person
from correcting a telephone number.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import phonenumbers
from babel import Locale
from babel.numbers import get_territory_currencies
from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.core import language as tongues
from parvis.core.language import fold
from parvis.directory import queries
from parvis.directory import timetable as tt
from parvis.directory.facts import KINDS, Facts, plain
from parvis.directory.wording import Means, PhoneType, PlaceType, Status, label

#: more rows of a kind than this are not shown at once in one form
MOST_ROWS = 200
#: languages offered first: those met most in an office that receives newcomers
COMMON = [
    "fr", "en", "ar", "es", "ht", "pt", "uk", "ru", "fa", "prs", "ps", "ur", "hi", "pa", "bn", "ta", "ne", "zh",
    "yue", "vi", "tl", "ko", "ja", "tr", "ku", "so", "ti", "am", "sw", "ln", "rw", "wo", "ff", "bm", "ro", "pl",
    "it", "el", "sq", "hy", "ka", "he", "de", "fcs", "ase",
]  # fmt: skip


class FactsForm(forms.Form):
    """A form whose fields are facts by name; labels come from the desk's words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = field.label or label(name)
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs.setdefault("rows", 4)
            if not isinstance(field.widget, forms.CheckboxInput | forms.HiddenInput):
                field.widget.attrs.setdefault("dir", "auto")

    def __getitem__(self, name: str) -> Any:
        """The bound field; what a source wrote outside of our choices is offered too, so that it is not lost."""
        field = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            there = str(self.get_initial_for_field(field, name) or "")
            if there and there not in {str(value) for value, _label in field.choices}:
                field.choices = [*field.choices, (there, there)]
        return super().__getitem__(name)

    @property
    def known(self) -> bool:
        """Whether this is about something that was there before."""
        return bool(self.initial.get("name"))

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name in [*self._errors] if self.known else ():
            if name in self.fields and self._untouched(name):
                del self._errors[name]
                self.cleaned_data[name] = self.get_initial_for_field(self.fields[name], name)

    def _untouched(self, name: str) -> bool:
        """Whether a field came back as it went out; what cannot be read counts as changed for Django, not for us."""
        out, back = self.get_initial_for_field(self.fields[name], name), self[name].data
        return name not in self.changed_data or str(back or "").strip() == str(out or "").strip()

    def facts(self) -> Facts:
        """What the person changed, as facts. Only after is_valid()."""
        return {
            name: plain(self.cleaned_data[name])
            for name in self.changed_data
            if name in self.cleaned_data and name in self.fields
        }

    def clean_between(self, low: str, high: str, problem: str | Promise) -> None:
        first, last = self.cleaned_data.get(low), self.cleaned_data.get(high)
        if first is not None and last is not None and first > last:
            self.add_error(high, str(problem))


def words(*, rows: int = 0, **kwargs: Any) -> forms.CharField:
    """A text: a line, or `rows` lines."""
    if rows:
        kwargs["widget"] = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(required=kwargs.pop("required", False), max_length=20_000 if rows else 500, **kwargs)


def web(**kwargs: Any) -> forms.URLField:
    return forms.URLField(
        required=kwargs.pop("required", False),
        assume_scheme="https",
        max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "dir": "ltr", "spellcheck": "false"}),
        **kwargs,
    )


def mail() -> forms.EmailField:
    return forms.EmailField(required=False, widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "off"}))


class NumberField(forms.FloatField):
    """A number as people write it: ten places are 10, not 10.0."""

    def prepare_value(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) and value.is_integer() else value


def number(low: float | None = None, high: float | None = None, **kwargs: Any) -> forms.FloatField:
    return NumberField(
        required=kwargs.pop("required", False), min_value=low, max_value=high,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr"}), localize=True, **kwargs,
    )  # fmt: skip


def day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


def choice(choices: Any, **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(required=kwargs.pop("required", False), choices=choices, **kwargs)


def telephone(text: str) -> str:
    """A number as the world writes it, from what people type in this city. Raises ValidationError."""
    country = connection.tenant.country
    try:
        found = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        found = None
    if found is None or not phonenumbers.is_possible_number(found):
        raise ValidationError(_("This is no telephone number. Example: %(example)s") % {"example": _example(country)})
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _example(country: str) -> str:
    if country in ("CA", "US"):
        return "514 555-0123"
    found = phonenumbers.example_number(country)
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.NATIONAL) if found else "+41 22 555 01 23"


# -- one form for each kind ---------------------------------------------------------------------------------------


class OrganizationForm(FactsForm):
    name = words(required=True)
    alternate_name = words()
    description = words(rows=5, required=True, help_text=__("What it does and for whom, in plain words."))
    email = mail()
    website = web()
    year_incorporated = forms.IntegerField(
        required=False, min_value=1000, max_value=2999, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    legal_status = words()
    tax_status = words()
    tax_id = words()
    logo = web()
    uri = web()


class ServiceForm(FactsForm):
    name = words(required=True, help_text=__("What people get: “French course for beginners”, “Food basket”."))
    alternate_name = words()
    description = words(rows=5)
    status = choice(Status.choices, required=True)
    alert = words(rows=2, help_text=__("For something passing: “Closed this week because of works”."))
    url = web()
    email = mail()
    program_id = choice((), label=__("Programme"))
    eligibility_description = words(rows=3)
    minimum_age = number(0, 150)
    maximum_age = number(0, 150)
    interpretation_services = words()
    fees_description = words(rows=2, help_text=__("Write “free” when it is."))
    application_process = words(
        rows=3, help_text=__("Just come, telephone, write, be sent by somebody: say it step by step.")
    )
    wait_time = words()
    accreditations = words()
    licenses = words()

    def __init__(self, *args: Any, programs: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if programs:
            self.fields["program_id"].choices = [("", "—"), *programs]  # type: ignore[attr-defined]
        else:
            del self.fields["program_id"]

    def clean(self) -> None:
        self.clean_between("minimum_age", "maximum_age", __("The second age must not be below the first."))


class LocationForm(FactsForm):
    location_type = choice(PlaceType.choices, required=True)
    name = words(help_text=__("What is written on the door, if there is a name."))
    alternate_name = words()
    description = words(rows=3)
    transportation = words(rows=2, help_text=__("Metro, bus, where the door is."))
    url = web()
    latitude = number(-90, 90, help_text=__("For the map: between -90 and 90, for instance 45.5231"))
    longitude = number(-180, 180)

    def clean(self) -> None:
        if (self.cleaned_data.get("latitude") is None) != (self.cleaned_data.get("longitude") is None):
            self.add_error("longitude", _("Give both latitude and longitude, or neither."))


class ServiceAtLocationForm(FactsForm):
    description = words(rows=3, help_text=__("What is different at this place: floor, door, group."))


# -- one form for each kind of row --------------------------------------------------------------------------------


class ProgramForm(FactsForm):
    name = words(required=True)
    alternate_name = words()
    description = words(rows=4, help_text=__("What its services have in common."))


class TaxonomyForm(FactsForm):
    name = words(required=True)
    description = words(rows=3, required=True, help_text=__("What it classifies, and who looks after it."))
    taxonomy_version = words()
    uri = web()


class TermForm(FactsForm):
    """A term of a taxonomy; its everyday words stand in one field for each language."""

    SYNONYMS = "synonyms_in_"
    name = words(required=True)
    parent_id = choice(())
    description = words(rows=2)
    code = words(label=__("Code"))
    language = choice((), help_text=__("In which language the name is written, if it is not the city's."))
    term_uri = web()

    def __init__(self, *args: Any, above: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        initial = kwargs.get("initial") or {}
        self.synonyms: dict[str, list[str]] = dict(initial.get("synonyms") or {})
        said = {f"{self.SYNONYMS}{code}": "\n".join(some) for code, some in self.synonyms.items()}
        super().__init__(*args, **{**kwargs, "initial": {**initial, **said}})
        reader = get_language() or "fr"
        own = dict.fromkeys([*connection.tenant.languages, *self.synonyms])
        for code in own:
            self.fields[f"{self.SYNONYMS}{code}"] = forms.CharField(
                required=False, max_length=5000, label=tongues.name(code, reader),
                widget=forms.Textarea(attrs={"rows": 3, "lang": code, "dir": tongues.direction(code)}),
            )  # fmt: skip
        self.fields["parent_id"].choices = [("", "—"), *above]  # type: ignore[attr-defined]
        self.fields["language"].choices = [("", "—"), *((code, tongues.name(code, reader)) for code in own)]  # type: ignore[attr-defined]

    def facts(self) -> Facts:
        said = super().facts()
        changed = {name: said.pop(name) for name in [*said] if name.startswith(self.SYNONYMS)}
        if changed:
            heard = {name.removeprefix(self.SYNONYMS): _each(text) for name, text in changed.items()}
            said["synonyms"] = {code: some for code, some in {**self.synonyms, **heard}.items() if some}
        return said


def _each(text: str) -> list[str]:
    """The words of a field with one on each line (commas part them too), each once."""
    parts = re.split(r"[\n,;،؛]", text)
    return list(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))


class RowForm(FactsForm):
    """One row. `id` says which; `remove` takes it away. A new row left empty is no row."""

    #: the fact under which such rows stand
    part: ClassVar[str] = ""
    #: just added by the person: where the page goes on
    added = False
    id = forms.CharField(required=False, widget=forms.HiddenInput)
    remove = forms.BooleanField(required=False, label=__("Remove"))

    def __init__(self, *args: Any, row: Facts | None = None, **kwargs: Any) -> None:
        self.row = row or {}
        kwargs["initial"] = {**self.filled(self.row), **(kwargs.get("initial") or {})}
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.order_fields([*[name for name in self.fields if name not in ("id", "remove")], "id", "remove"])

    @classmethod
    def filled(cls, row: Facts) -> Facts:
        """What the fields show of a row."""
        return row

    @property
    def known(self) -> bool:
        return bool(self.row)

    @property
    def shown(self) -> list[Any]:
        """The fields that a person fills in."""
        return [self[name] for name in self.fields if name not in ("id", "remove")]

    @property
    def removed(self) -> bool:
        return bool(self.data.get(self.add_prefix("remove"))) if self.is_bound else False

    @property
    def blank(self) -> bool:
        """A new row in which nothing was written."""
        return not self.row and not (set(self.changed_data) - {"id", "remove"})

    def said(self) -> Facts:
        """The row as it shall be: what it was, with what the person changed."""
        return {**self.row, **{name: value for name, value in self.facts().items() if name not in ("id", "remove")}}


class PhoneRow(RowForm):
    part = "phones"
    number = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"type": "tel", "dir": "ltr", "autocomplete": "off"})
    )
    extension = forms.IntegerField(
        required=False, min_value=0, max_value=10**9, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    type = choice([("", "—"), *PhoneType.choices])
    description = words(help_text=__("“Reception”, “Emergencies at night”"))

    def clean_number(self) -> str:
        return telephone(self.cleaned_data["number"])


class ContactRow(RowForm):
    """A contact, and their first telephone number; further numbers stay as they are."""

    part = "contacts"
    name = words()
    title = words()
    department = words()
    email = mail()
    phone = forms.CharField(required=False, max_length=60, widget=forms.TextInput(attrs={"type": "tel", "dir": "ltr"}))

    @classmethod
    def filled(cls, row: Facts) -> Facts:
        phones = row.get("phones") or []
        return {**row, "phone": phones[0]["number"] if phones else ""}

    def clean_phone(self) -> str:
        return telephone(self.cleaned_data["phone"]) if self.cleaned_data["phone"] else ""

    def said(self) -> Facts:
        said = super().said()
        if "phone" in said:
            first, *others = said.get("phones") or [{}]
            typed = said.pop("phone")
            said["phones"] = [*([{**first, "number": typed}] if typed else []), *others]
        return said


class LanguageRow(RowForm):
    part = "languages"
    code = choice((), required=True, label=__("Language"))
    note = words(help_text=__("“Tuesdays only”, “with an interpreter”"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = str(self.row.get("code") or tongues.from_name(str(self.row.get("name") or "")) or "")
        codes = [*COMMON, *([known] if known and known not in COMMON else [])]
        reader = get_language() or "fr"
        named = sorted(((code, tongues.name(code, reader)) for code in codes), key=lambda pair: fold(pair[1]))
        self.fields["code"].choices = [("", "—"), *named]  # type: ignore[attr-defined]

    @classmethod
    def filled(cls, row: Facts) -> Facts:
        return {**row, "code": row.get("code") or tongues.from_name(str(row.get("name") or "")) or ""}

    def said(self) -> Facts:
        said = super().said()
        if said.get("code") and ("code" in self.changed_data or not said.get("name")):
            said["name"] = tongues.name(said.get("code") or "", connection.tenant.default_language)
        return said


def _currency() -> str:
    return (get_territory_currencies(connection.tenant.country) or ["CAD"])[-1]


class CostRow(RowForm):
    part = "cost_options"
    option = words(help_text=__("“Adults”, “Registration, once”"))
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=2, localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr"}), help_text=__("0 when it is free"),
    )  # fmt: skip
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$", required=False, widget=forms.TextInput(attrs={"dir": "ltr", "size": 4}),
        error_messages={"invalid": __("Three letters, for instance CAD or CHF.")},
    )  # fmt: skip
    amount_description = words()
    valid_from = day()
    valid_to = day()

    @classmethod
    def filled(cls, row: Facts) -> Facts:
        amount = row.get("amount")
        return {**row, "amount": amount and Decimal(amount)} if row else {"currency": _currency()}

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> None:
        self.clean_between("valid_from", "valid_to", __("The last day must not be before the first."))

    def said(self) -> Facts:
        said = super().said()
        if said.get("amount") is not None:
            said.setdefault("currency", _currency())
        return said


class DocumentRow(RowForm):
    part = "required_documents"
    document = words(required=True, help_text=__("One paper on each line: “Proof of address”"))
    uri = web(label=__("Web page"))


class AreaRow(RowForm):
    part = "service_areas"
    name = words(help_text=__("“Verdun”, “The whole island”"))
    description = words()

    def clean(self) -> None:
        if not (self.cleaned_data.get("name") or self.cleaned_data.get("description")) and not self.errors:
            self.add_error("name", _("Name the area, or remove this row."))


class CapacityRow(RowForm):
    part = "capacities"
    unit = words(required=True, help_text=__("“places”, “beds”, “baskets a week”"))
    available = number(0, required=True)
    maximum = number(0)
    description = words()

    def __init__(self, *args: Any, units: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row:
            self.initial["unit"] = (units or {}).get(str(self.row.get("unit_id")), "")

    def clean(self) -> None:
        self.clean_between("available", "maximum", __("There cannot be more free places than places."))


class UrlRow(RowForm):
    part = "additional_urls"
    label = words()
    url = web(required=True)


class WebsiteRow(UrlRow):
    part = "additional_websites"


class FundingRow(RowForm):
    part = "funding"
    source_name = words(required=True)


class IdentifierRow(RowForm):
    part = "organization_identifiers"
    identifier_type = words(required=True, help_text=__("“Registraire des entreprises”"))
    identifier = words(required=True)
    identifier_scheme = words()


class AddressRow(RowForm):
    part = "addresses"
    address_1 = words(required=True)
    address_2 = words()
    postal_code = words()
    city = words(required=True)
    state_province = words()
    country = choice((), required=True)
    address_type = choice(PlaceType.choices, required=True)
    attention = words()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Locale.parse((get_language() or "fr").replace("-", "_")).territories
        own = connection.tenant.country
        rest = sorted(
            ((code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code != own),
            key=lambda pair: fold(pair[1]),
        )
        self.fields["country"].choices = [(own, names.get(own, own)), *rest]  # type: ignore[attr-defined]

    @classmethod
    def filled(cls, row: Facts) -> Facts:
        return row or {"country": connection.tenant.country, "city": connection.tenant.name}

    @property
    def blank(self) -> bool:
        return not self.row and not any(
            self.data.get(self.add_prefix(name)) for name in ("address_1", "address_2", "postal_code", "attention")
        )

    def clean_postal_code(self) -> str:
        said = str(self.cleaned_data["postal_code"]).strip()
        return said.upper() if said.isascii() else said

    def said(self) -> Facts:
        if self.row:
            return super().said()
        # A new address says all that HSDS asks for, also what was proposed and left as it was.
        given = {name: plain(value) for name, value in self.cleaned_data.items() if name not in ("id", "remove")}
        return {"region": "", **given}


class AccessibilityRow(RowForm):
    part = "accessibility"
    description = words(required=True, help_text=__("“Wheelchair access”, “Lift”, “Steps at the entrance”"))
    details = words()
    url = web()


class TermRow(RowForm):
    """A subject out of the taxonomies, found by its name."""

    part = "attributes"
    link_type: ClassVar[str] = ""
    term = forms.CharField(max_length=300, widget=forms.TextInput(attrs={"list": "terms", "autocomplete": "off"}))

    def __init__(self, *args: Any, terms: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        self.terms = terms or {}  # id -> name
        super().__init__(*args, **kwargs)
        known = self.terms.get(str(self.row.get("taxonomy_term_id")))
        if self.row:
            self.initial["term"] = known or self.row.get("label") or self.row.get("value") or ""

    def clean_term(self) -> str:
        said = fold(self.cleaned_data["term"].strip())
        for key, name in self.terms.items():
            if fold(name) == said:
                return key
        raise ValidationError(_("No subject has this name. Choose one of the list."))

    def said(self) -> Facts:
        said = {**self.row}
        if "term" in self.changed_data:
            said |= {"taxonomy_term_id": self.cleaned_data["term"], "label": "", "value": ""}
        return said if self.row else {"link_type": self.link_type, **said}


class AudienceRow(TermRow):
    link_type = "audience"
    term = forms.CharField(
        max_length=300, label=__("For whom"), widget=forms.TextInput(attrs={"list": "terms", "autocomplete": "off"})
    )


class PlaceRow(RowForm):
    """A place where a service is given."""

    part = "service_at_locations"
    location_id = choice((), required=True)
    description = words(help_text=__("What is different at this place: floor, door, group."))

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location_id"].choices = [("", "—"), *places]  # type: ignore[attr-defined]


# -- a page of forms ----------------------------------------------------------------------------------------------


def _raw(form_class: Callable[..., forms.Form], data: QueryDict, prefix: str, **options: Any) -> forms.Form:
    """The form as the person has it now, not judged: for a page that only gets one more row."""
    form = form_class(prefix=prefix, **options)
    for name, field in form.fields.items():
        form.initial[name] = field.widget.value_from_datadict(data, {}, form.add_prefix(name))
    return form


class Rows:
    """The rows of one part in a form: those that there are, those that the person added."""

    def __init__(
        self,
        form_class: type[RowForm],
        rows: list[Facts],
        *,
        data: QueryDict | None,
        judged: bool,
        add: str | Promise,
        prefix: str = "",
        help: str | Promise = "",
        first: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.form_class, self.rows, self.add, self.help = form_class, rows, add, help
        self.prefix, self.options = prefix or form_class.part, dict(options or {})
        self.legend = label(form_class.part)
        self.press = f"add:{self.prefix}"
        self.forms: list[RowForm] = []
        by_id = {row["id"]: row for row in rows}
        if data is None:
            count = len(rows)
            self.forms = [self._form(number, row=row) for number, row in enumerate(rows)]
            if first and not rows:
                self.forms.append(self._form(count))
        else:
            count = min(MOST_ROWS, tt.whole(data.get(f"{self.prefix}-count")))
            for number in range(count):
                row = by_id.get(data.get(f"{self.prefix}-{number}-id") or "")
                make = self._bound if judged else self._raw
                self.forms.append(make(number, data, row))
            if data.get("act") == f"add:{self.prefix}" and count < MOST_ROWS:
                self.forms.append(self._form(count))
                self.forms[-1].added = True
        self.count = len(self.forms)

    def _form(self, number: int, row: Facts | None = None) -> RowForm:
        return self.form_class(prefix=f"{self.prefix}-{number}", row=row, **self.options)

    def _bound(self, number: int, data: QueryDict, row: Facts | None) -> RowForm:
        form = self.form_class(data, prefix=f"{self.prefix}-{number}", row=row, **self.options)
        form.empty_permitted = row is None
        return form

    def _raw(self, number: int, data: QueryDict, row: Facts | None) -> RowForm:
        prefix = f"{self.prefix}-{number}"
        form = self.form_class(prefix=prefix, row=row, **self.options)
        for name, field in form.fields.items():
            form.initial[name] = field.widget.value_from_datadict(data, {}, form.add_prefix(name))
        return form

    @property
    def kept(self) -> list[RowForm]:
        return [form for form in self.forms if not form.removed and not form.blank]

    def is_valid(self) -> bool:
        return False not in [form.is_valid() for form in self.kept]  # each is judged

    def said(self) -> list[Facts]:
        """The rows as they shall be."""
        return [form.said() for form in self.kept]


@dataclass(frozen=True)
class Section:
    """A group of the page: fields (BoundField) and Rows in reading order."""

    title: str
    items: list[Any]
    help: str = ""
    folded: bool = False


_GIVEN = (PhoneRow, __("Add a telephone number")), (ContactRow, __("Add a person"))
ROWS: dict[str, tuple[tuple[type[RowForm], str | Promise], ...]] = {
    "organization": (
        *_GIVEN,
        (WebsiteRow, __("Add a web address")),
        (IdentifierRow, __("Add a register number")),
        (FundingRow, __("Add a funder")),
        (TermRow, __("Add a subject")),
    ),
    "service": (
        (PlaceRow, __("Add a place")),
        (AudienceRow, __("Add an audience")),
        (LanguageRow, __("Add a language")),
        (CostRow, __("Add a price")),
        (DocumentRow, __("Add a document")),
        (AreaRow, __("Add an area")),
        (CapacityRow, __("Add places")),
        *_GIVEN,
        (UrlRow, __("Add a web address")),
        (TermRow, __("Add a subject")),
        (FundingRow, __("Add a funder")),
    ),
    "location": (
        (AddressRow, __("Add an address")),
        (AccessibilityRow, __("Add a fact")),
        (LanguageRow, __("Add a language")),
        *_GIVEN,
    ),
    "service_at_location": (*_GIVEN, (AreaRow, __("Add an area"))),
    "program": (),
    "taxonomy": (),
    "taxonomy_term": (),
}
_FIRST = {"phones", "addresses", "service_at_locations"}
_MAIN: dict[str, type[FactsForm]] = {
    "organization": OrganizationForm,
    "service": ServiceForm,
    "location": LocationForm,
    "service_at_location": ServiceAtLocationForm,
    "program": ProgramForm,
    "taxonomy": TaxonomyForm,
    "taxonomy_term": TermForm,
}
_RECORD = "year_incorporated legal_status tax_status tax_id organization_identifiers funding logo uri"
#: the page: (title, names of fields or rows, folded)
_PAGES: dict[str, tuple[tuple[str | Promise, str, bool], ...]] = {
    "organization": (
        (__("Who it is"), "name alternate_name description attributes", False),
        (__("How to reach it"), "email website phones contacts additional_websites", False),
        (__("For the record"), _RECORD, True),
    ),
    "service": (
        (__("What it is"), "name alternate_name description status alert attributes", False),
        (__("Where"), "service_at_locations service_areas", False),
        (__("For whom"), "eligibility_description minimum_age maximum_age audience", False),
        (__("Languages"), "languages interpretation_services", False),
        (__("What it costs"), "fees_description cost_options", False),
        (__("How to get it"), "application_process required_documents wait_time capacities", False),
        (__("Contact"), "phones email url contacts additional_urls", False),
        (__("For the record"), "program_id accreditations licenses funding", True),
    ),
    "location": (
        (__("Where it is"), "location_type name alternate_name addresses latitude longitude transportation", False),
        (__("What one should know"), "accessibility languages description", False),
        (__("Contact"), "phones contacts url", False),
    ),
    "service_at_location": ((__("At this place"), "description service_areas phones contacts", False),),
    "program": ((__("Name and description"), "name alternate_name description", False),),
    "taxonomy": ((__("Name and description"), "name description taxonomy_version uri", False),),
    "taxonomy_term": (
        (__("Name and description"), "name parent_id description", False),
        (__("Everyday words that lead here, one on each line"), "synonyms", False),
        (__("For the record"), "code language term_uri", True),
    ),
}  # fmt: skip


class Editor:
    """The whole form of one object: its own fields, its rows, and what the person wants changed."""

    def __init__(
        self,
        kind: str,
        facts: Facts,
        *,
        organization_id: uuid.UUID | None = None,
        data: QueryDict | None = None,
        choices: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        """choices: what may be chosen from, by the main form's name for it ("programs", "above")."""
        self.kind, self.before = kind, facts
        #: a press of "add another" is not judged: the page comes back with one row more
        self.adding = data is not None and str(data.get("act", "")).startswith("add:")
        judged = not self.adding
        main = _MAIN[kind]
        options: dict[str, Any] = dict(choices or {})
        initial = {name: facts.get(name) for name in (*main.base_fields, "synonyms")}
        if data is None or judged:
            self.main = main(data, initial=initial, **options)
        else:
            self.main = _raw(main, data, "", **options)  # type: ignore[assignment]
        self.terms = (
            {str(term.pk): term.name for term in queries.terms()} if kind in ("service", "organization") else {}
        )
        places = []
        if kind == "service":
            used = [row["location_id"] for row in facts.get("service_at_locations") or ()]
            places = queries.locations_for(organization_id, used)
        self.groups: dict[str, Rows] = {}
        for form_class, add in ROWS[kind]:
            audience = form_class is AudienceRow
            rows = [
                row
                for row in facts.get(form_class.part) or ()
                if form_class.part != "attributes" or (row.get("link_type") == "audience") is audience
            ]
            name = "audience" if audience else form_class.part
            given: dict[str, Any] = {}
            if issubclass(form_class, TermRow):
                given = {"terms": self.terms}
            if form_class is PlaceRow:
                given = {"places": places}
            if form_class is CapacityRow:
                given = {"units": queries.names([row["unit_id"] for row in rows])}
            self.groups[name] = Rows(
                form_class, rows, data=data, judged=judged, add=add, prefix=name, first=name in _FIRST, options=given
            )
        if "audience" in self.groups:
            self.groups["audience"].legend = _("Audiences")
            self.groups["attributes"].legend = _("Subjects")

    @property
    def sections(self) -> list[Section]:
        found = []
        for title, names, folded in _PAGES[self.kind]:
            items: list[Any] = []
            for name in names.split():
                if name in self.groups:
                    items.append(self.groups[name])
                else:
                    own = (each for each in self.main.fields if each == name or each.startswith(f"{name}_in_"))
                    items += [self.main[each] for each in own]
            wrong = any(
                (item.errors if hasattr(item, "errors") else any(f.is_bound and f.errors for f in item.kept))
                for item in items
            )
            found.append(Section(str(title), items, folded=folded and not wrong))
        return found

    @property
    def forms(self) -> Iterator[forms.Form]:
        """Every form of the page that is judged: for the summary of errors."""
        yield self.main
        for group in self.groups.values():
            yield from group.kept

    def is_valid(self) -> bool:
        return all([self.main.is_valid(), *[group.is_valid() for group in self.groups.values()]])

    def changes(self) -> Facts:
        """The facts that the person wants otherwise than they were. Only after is_valid()."""
        found = {name: value for name, value in self.main.facts().items() if value != self.before.get(name)}
        parts: dict[str, list[Facts]] = {}
        for group in self.groups.values():
            parts.setdefault(group.form_class.part, []).extend(group.said())
        for name, rows in parts.items():
            former = {row["id"]: row for row in self.before.get(name) or ()}
            same = {row.get("id") for row in rows} == set(former)
            if not same or any(row != former[row["id"]] for row in rows):
                found[name] = rows
        return found


class ConfirmForm(forms.Form):
    means = forms.ChoiceField(choices=Means.choices, label=__("How did you make sure?"))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500, label=__("Why?"), help_text=__("Others read it in the history."),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )  # fmt: skip


class AnswerForm(forms.Form):
    state = forms.ChoiceField(
        label=__("What becomes of it?"),
        choices=[
            ("accepted", __("We corrected the listing")),
            ("declined", __("We leave it as it is")),
            ("in_progress", __("We are looking at it")),
        ],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        required=False, max_length=2000, label=__("A sentence for the person who wrote"),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )  # fmt: skip

    def clean(self) -> None:
        if self.cleaned_data.get("state") == "declined" and not self.cleaned_data.get("answer", "").strip():
            self.add_error("answer", _("Say why the listing stays as it is."))


class RenderingForm(forms.Form):
    """One text in another language. `text` says which text it is of, so that an edit meanwhile is noticed."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    rendering = forms.CharField(required=False, max_length=20_000, label=__("Translation"))
    reviewed = forms.BooleanField(required=False, label=__("I have read it and it is right"))

    def __init__(self, *args: Any, language: str, long: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rendering"].widget = forms.Textarea(
            attrs={"rows": 4 if long else 1, "lang": language, "dir": tongues.direction(language)}
        )


assert set(_MAIN) == set(KINDS)
