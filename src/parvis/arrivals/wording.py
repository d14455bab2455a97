"""What codes of lists and arrivals say to people."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.core.manifest import Problem

Word = str | Promise

FIELDS: dict[str, Word] = {
    "name": __("Full name"),
    "name_local": __("Name in its own script"),
    "given": __("Given name"),
    "family": __("Family name"),
    "birth_date": __("Date of birth"),
    "birth_year": __("Year of birth"),
    "age": __("Age"),
    "gender": __("Gender"),
    "relation": __("Relation to the head of household"),
    "language": __("Language"),
    "phone": __("Telephone"),
    "document": __("Number of a paper (only its end is kept)"),
    "case": __("Case or family number"),
    "address": __("Address"),
    "expected_on": __("Date of arrival"),
    "expected_time": __("Hour of arrival"),
    "flight": __("Flight"),
    "place": __("Place of arrival"),
}
PROBLEMS: dict[str, Word] = {
    "no_name": __("There is no name: this row can't become a person."),
    "date_ambiguous": __("Day and month can be read both ways: say above which comes first."),
    "date_century": __("The year has two digits and its century is not certain."),
    "date_calendar": __("The year belongs to another calendar; the date was not converted."),
    "date_impossible": __("There is no such day."),
    "date_unread": __("This can't be read as a date."),
    "date_future": __("This day is in the future."),
    "time_unread": __("This can't be read as an hour."),
    "unknown_word": __("This word is not known and was left out."),
    "twin": __("The same person stands on an earlier row."),
    "not_wanted": __("Left out by decision."),
    "hidden": __("This file is not for you to write in."),
}
BASES: dict[str, Word] = {
    "case": __("the same case number"),
    "relation": __("a head and relatives, row by row"),
    "address": __("the same family name and address"),
    "phone": __("the same family name and telephone"),
    "flight": __("the same family name and flight"),
    "alone": __("alone in the list"),
    "hand": __("put together by hand"),
}
WHY: dict[str, Word] = {
    "name": __("the name sounds alike"),
    "birth_date": __("the same date of birth"),
    "birth_year": __("the same year of birth"),
    "document": __("the end of the same paper"),
}
STEPS: dict[str, Word] = {
    "": __("Waiting for the worker"),
    "reading": __("Reading the decisions"),
    "people": __("Opening files"),
    "arrivals": __("Writing the arrivals"),
    "ledger": __("Writing the record"),
}
DEEDS: dict[str, Word] = {
    "arrivals.expected": __("An arrival was announced"),
    "arrivals.met": __("They were met"),
    "arrivals.not_met": __("They were not met"),
    "arrivals.cancelled": __("The arrival was cancelled"),
    "arrivals.reset": __("The arrival is expected again"),
    "arrivals.intake.taken": __("Received by the short intake"),
    "arrivals.intake.completed": __("The short intake was completed"),
    "arrivals.row.joined": __("Found again on a list of arriving people"),
}


def problem(one: Problem) -> str:
    """A sentence, with the column it is about."""
    said = str(PROBLEMS.get(one.code, one.code))
    return (
        _("%(column)s: %(problem)s") % {"column": FIELDS[one.field], "problem": said} if one.field in FIELDS else said
    )


def reasons(codes: Iterable[str]) -> list[str]:
    return [str(WHY[code]) for code in codes if code in WHY]
