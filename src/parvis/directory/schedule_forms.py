"""The schedule editor: a week as a table, some days of the month, days other than usual; a form around a Timetable."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.directory import timetable as tt
from parvis.directory.wording import NTH, clock, day, unsaid

#: openings a day that the form shows at least: before and after lunch
SPANS = 2
MOST = 40
_MODES = [("", __("From – to")), ("closed", __("Closed")), ("same", __("Same as Monday"))]


class TimeField(forms.CharField):
    """A time as people type it; a `datetime.time`, or None when empty."""

    def __init__(self, **kwargs: Any) -> None:
        # A placeholder of one space: the style sheet sees whether something is written.
        attrs = {"class": "time", "dir": "ltr", "autocomplete": "off", "maxlength": 12, "placeholder": " "}
        super().__init__(required=False, max_length=12, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value.hour}:{value:%M}" if isinstance(value, dt.time) else value

    def clean(self, value: Any) -> Any:
        said = super().clean(value)
        if not said:
            return None
        try:
            return tt.clock(said)
        except ValueError:
            raise ValidationError(_("This is no time. Write it like 9:00 or 17:30.")) from None


def _date(**kwargs: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


class _Timed(forms.Form):
    """A form with pairs of times `<stem>-from`, `<stem>-to`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)

    def _pair(self, stem: str, who: str) -> None:
        self.fields[f"{stem}-from"] = TimeField(label=_("%(day)s, from") % {"day": who})
        self.fields[f"{stem}-to"] = TimeField(label=_("%(day)s, until") % {"day": who})

    def pair(self, stem: str) -> tuple[Any, Any]:
        return self[f"{stem}-from"], self[f"{stem}-to"]

    def _spans(self, stems: Iterable[str]) -> tuple[tt.Span, ...]:
        """The openings of these pairs, judged: both ends said, none touching another."""
        found: list[tt.Span] = []
        for stem in stems:
            first, last = self.cleaned_data.get(f"{stem}-from"), self.cleaned_data.get(f"{stem}-to")
            if first is not None and last is None and f"{stem}-to" not in self.errors:
                self.add_error(f"{stem}-to", _("Until when?"))
            elif last is not None and first is None and f"{stem}-from" not in self.errors:
                self.add_error(f"{stem}-from", _("From when?"))
            elif first is not None and last is not None:
                span = tt.Span(first, last)
                if any(_touch(span, other) for other in found):
                    self.add_error(f"{stem}-from", _("These hours run into the others of the same day."))
                found.append(span)
        return tuple(sorted(found))


def _touch(one: tt.Span, other: tt.Span) -> bool:
    def minutes(span: tt.Span) -> tuple[int, int]:
        low, high = (at.hour * 60 + at.minute for at in (span.opens_at, span.closes_at))
        return low, high + (1440 if high <= low else 0)

    (a, b), (c, d) = minutes(one), minutes(other)
    return a < d and c < b


class PeriodForm(_Timed):
    """A week, and from when until when it holds."""

    valid_from = _date(label=__("These hours hold from"), help_text=__("Leave empty when they always hold."))
    valid_to = _date(label=__("until"))
    note = forms.CharField(
        required=False, max_length=2000, label=__("Note"), widget=forms.Textarea(attrs={"rows": 1, "dir": "auto"}),
        help_text=__("Shown with the hours: “On appointment”, “Ring twice”. Correct it when you change the hours."),
    )  # fmt: skip
    extra = forms.CharField(
        required=False, max_length=2000, label=__("More about the hours"),
        widget=forms.Textarea(attrs={"rows": 1, "dir": "auto"}),
    )  # fmt: skip
    remove = forms.BooleanField(required=False, label=__("Remove this period"))

    def __init__(self, *args: Any, period: tt.Period | None = None, columns: int = SPANS, **kwargs: Any) -> None:
        self.period = period or tt.Period()
        self.columns = max(columns, SPANS, *(len(spans) for spans in self.period.week))
        kwargs["initial"] = {**self._filled(), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        for number in range(7):
            modes = _MODES if number else _MODES[:2]
            self.fields[f"d{number}"] = forms.ChoiceField(required=False, choices=modes, label=day(number))
            for column in range(self.columns):
                self._pair(f"d{number}-{column}", day(number))
        if not self.period.extra:
            del self.fields["extra"]

    def _filled(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "valid_from": self.period.valid_from,
            "valid_to": self.period.valid_to,
            "note": self.period.note,
            "extra": self.period.extra,
        }
        for number, spans in enumerate(self.period.week):
            if not spans and any(self.period.week):
                found[f"d{number}"] = "closed"
            for column, span in enumerate(spans):
                found[f"d{number}-{column}-from"] = span.opens_at
                found[f"d{number}-{column}-to"] = span.closes_at
        return found

    @property
    def days(self) -> list[dict[str, Any]]:
        """The table: name of the day, how it is, its pairs of times."""
        return [
            {
                "name": day(number),
                "mode": self[f"d{number}"],
                "pairs": [self.pair(f"d{number}-{column}") for column in range(self.columns)],
            }
            for number in range(7)
        ]

    @property
    def removed(self) -> bool:
        return bool(self.is_bound and self.data.get(self.add_prefix("remove")))

    def clean(self) -> None:
        week: list[tuple[tt.Span, ...]] = []
        for number in range(7):
            spans = self._spans(f"d{number}-{column}" for column in range(self.columns))
            mode = self.cleaned_data.get(f"d{number}")
            if mode == "same":
                spans = week[0]
            elif mode == "closed" and spans:
                self.add_error(f"d{number}", _("There are hours on a day marked as closed: choose one of both."))
            week.append(spans)
        self.week = tuple(week)
        first, last = self.cleaned_data.get("valid_from"), self.cleaned_data.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("The last day must not be before the first."))


class MonthDayForm(_Timed):
    """ "The first Tuesday of the month, 18:00 to 20:00"."""

    nth = forms.TypedChoiceField(coerce=int, choices=list(NTH.items()), label=__("Which"))
    day = forms.TypedChoiceField(coerce=int, choices=(), label=__("Day"))
    remove = forms.BooleanField(required=False, label=__("Remove"))

    def __init__(self, *args: Any, one: tt.MonthDay | None = None, **kwargs: Any) -> None:
        if one:
            filled = {"nth": one.nth, "day": one.day, "t-from": one.span.opens_at, "t-to": one.span.closes_at}
            kwargs["initial"] = {**filled, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.fields["day"].choices = [(number, day(number)) for number in range(7)]  # type: ignore[attr-defined]
        self._pair("t", _("Opening"))
        self.order_fields(["nth", "day", "t-from", "t-to", "remove"])

    @property
    def times(self) -> tuple[Any, Any]:
        return self.pair("t")

    @property
    def blank(self) -> bool:
        return not any(self.data.get(self.add_prefix(name)) for name in ("t-from", "t-to"))

    @property
    def removed(self) -> bool:
        return bool(self.is_bound and self.data.get(self.add_prefix("remove")))

    def clean(self) -> None:
        self.spans = self._spans(["t"])
        if not self.spans and not self.errors:
            self.add_error("t-from", _("From when?"))

    def said(self) -> tt.MonthDay:
        return tt.MonthDay(self.cleaned_data["nth"], self.cleaned_data["day"], self.spans[0])


class ExceptionalForm(_Timed):
    """A day, or days in a row, other than usual: closed unless times are given."""

    first = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), label=__("Day"))
    last = _date(label=__("Last day"), help_text=__("When it is more than one day."))
    note = forms.CharField(
        required=False, max_length=500, label=__("Why"), widget=forms.TextInput(attrs={"dir": "auto"}),
        help_text=__("“Holiday”, “Annual meeting”"),
    )  # fmt: skip
    remove = forms.BooleanField(required=False, label=__("Remove"))

    def __init__(self, *args: Any, one: tt.Exceptional | None = None, columns: int = SPANS, **kwargs: Any) -> None:
        self.columns = max(columns, SPANS, len(one.spans) if one else 0)
        if one:
            filled: dict[str, Any] = {
                "first": one.first, "last": one.last if one.last != one.first else None, "note": one.note
            }  # fmt: skip
            for column, span in enumerate(one.spans):
                filled |= {f"t{column}-from": span.opens_at, f"t{column}-to": span.closes_at}
            kwargs["initial"] = {**filled, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        for column in range(self.columns):
            self._pair(f"t{column}", _("Open"))

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        return [self.pair(f"t{column}") for column in range(self.columns)]

    @property
    def blank(self) -> bool:
        return not any(self.data.get(self.add_prefix(name)) for name in self.fields)

    @property
    def removed(self) -> bool:
        return bool(self.is_bound and self.data.get(self.add_prefix("remove")))

    def clean(self) -> None:
        self.spans = self._spans(f"t{column}" for column in range(self.columns))
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day must not be before the first."))

    def said(self) -> tt.Exceptional:
        first = self.cleaned_data["first"]
        return tt.Exceptional(first, self.cleaned_data.get("last") or first, self.spans, self.cleaned_data["note"])


class _Period:
    """A period on the page: its week, and its days of the month."""

    def __init__(self, week: PeriodForm, month: list[MonthDayForm], prefix: str) -> None:
        self.week, self.month, self.prefix = week, month, prefix

    @property
    def count(self) -> int:
        return len(self.month)


class ScheduleForm:
    """The whole editor. `act` of the data: "", save, preview or check (judged), or a press that only changes the form.

    Such presses: add-period, add-exception, add-month:<n>, more:<n> (one opening more a day in period n),
    weekdays:<n> (Monday's hours until Friday).
    """

    def __init__(self, table: tt.Timetable, data: QueryDict | None = None) -> None:
        self.before, self.data = table, data
        act, _colon, which = str(data.get("act", "") if data else "").partition(":")
        self.adding = act in {"add-period", "add-exception", "add-month", "more", "weekdays"}
        self.act, self.which = act, tt.whole(which)
        self.periods: list[_Period] = []
        self.exceptions: list[ExceptionalForm] = []
        if data is None:
            self._fill(table)
        else:
            self._take(data)
        self.others = [
            {"number": number, "text": unsaid(row), "removed": bool(data and data.get(f"other-{number}-remove"))}
            for number, row in enumerate(table.others)
        ]

    def _fill(self, table: tt.Timetable) -> None:
        for number, period in enumerate(table.periods or (tt.Period(),)):
            prefix = f"p{number}"
            month = [MonthDayForm(prefix=f"{prefix}-m{n}", one=one) for n, one in enumerate(period.month)]
            self.periods.append(_Period(PeriodForm(prefix=prefix, period=period), month, prefix))
        self.exceptions = [ExceptionalForm(prefix=f"x{n}", one=one) for n, one in enumerate(table.exceptions)]

    def _take(self, data: QueryDict) -> None:
        for number in range(min(MOST, tt.whole(data.get("periods")))):
            prefix = f"p{number}"
            columns = min(8, tt.whole(data.get(f"{prefix}-columns")) or SPANS)
            columns += self.act == "more" and self.which == number
            known = self.before.periods[number] if number < len(self.before.periods) else None
            described = tt.Period(extra=known.extra) if known else None
            week = self._made(PeriodForm, data, prefix, columns=columns, period=described)
            count = min(MOST, tt.whole(data.get(f"{prefix}-months")))
            month = [self._made(MonthDayForm, data, f"{prefix}-m{n}") for n in range(count)]
            if self.act == "add-month" and self.which == number:
                month.append(MonthDayForm(prefix=f"{prefix}-m{count}"))
            if self.act == "weekdays" and self.which == number:
                for weekday in range(1, 5):
                    week.initial[f"d{weekday}"] = "same"
            self.periods.append(_Period(week, month, prefix))
        for number in range(min(MOST * 3, tt.whole(data.get("exceptions")))):
            columns = min(8, tt.whole(data.get(f"x{number}-columns")) or SPANS)
            self.exceptions.append(self._made(ExceptionalForm, data, f"x{number}", columns=columns))
        if self.act == "add-period" or not self.periods:
            prefix = f"p{len(self.periods)}"
            self.periods.append(_Period(PeriodForm(prefix=prefix), [], prefix))
        if self.act == "add-exception":
            self.exceptions.append(ExceptionalForm(prefix=f"x{len(self.exceptions)}"))

    def _made(self, form_class: Any, data: QueryDict, prefix: str, **options: Any) -> Any:
        """Judged, or as the person has it when only the form changes."""
        if not self.adding:
            return form_class(data, prefix=prefix, **options)
        form = form_class(prefix=prefix, **options)
        for name, field in form.fields.items():
            form.initial[name] = field.widget.value_from_datadict(data, {}, form.add_prefix(name))
        return form

    @property
    def forms(self) -> Iterator[forms.Form]:
        """Every form that is judged."""
        for period in self.periods:
            if not period.week.removed:
                yield period.week
                yield from (form for form in period.month if not form.removed and not form.blank)
        yield from (form for form in self.exceptions if not form.removed and not form.blank)

    def is_valid(self) -> bool:
        return False not in [form.is_valid() for form in self.forms]

    def table(self) -> tt.Timetable:
        """What the person said. Only after is_valid()."""
        periods = []
        for period in self.periods:
            if period.week.removed:
                continue
            said = period.week.cleaned_data
            month = {form.said() for form in period.month if not form.removed and not form.blank}
            made = tt.Period(
                period.week.week,
                tuple(sorted(month)),
                said.get("valid_from"),
                said.get("valid_to"),
                said.get("note", "").strip(),
                said.get("extra", "").strip(),
            )
            if not made.empty:
                periods.append(made)
        exceptions = {form.said() for form in self.exceptions if not form.removed and not form.blank}
        said_by_hand = tt.Timetable(
            tuple(sorted(periods, key=lambda p: (p.valid_from or dt.date.min, p.valid_to or dt.date.max, p.note))),
            tuple(sorted(exceptions, key=lambda e: (e.first, e.last, e.note, e.spans))),
            tuple(row for row, other in zip(self.before.others, self.others, strict=True) if not other["removed"]),
        )
        # Two periods of the same dates become one, as they will when the rows are read again.
        return tt.read(tt.rows(said_by_hand))


__all__ = ["ScheduleForm", "clock"]
