"""Days in few letters, as a reader's language writes them: "5 oct." in French, "5 Oct." in English.

Django's own three letters ("M") begin with a capital in every language, which French and Spanish do not write.
"""

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import get_language


def short_day(day: dt.date | None) -> str:
    """Day and month, for places where the year is plain. "" for no day."""
    return _cased(date_format(day, "j N")) if day else ""


def short_month(day: dt.date) -> str:
    """Month and year: "oct. 2026"."""
    return _cased(date_format(day, "N Y"))


def _cased(text: str) -> str:
    return text if (get_language() or "").startswith("en") else text.lower()
