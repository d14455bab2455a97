"""Why a service stands where it stands, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from parvis.core.eligibility import Answer, Reason

#: code of core.eligibility -> its sentence; %(value)s is what the service asks
JUDGED: Mapping[str, str | Promise] = {
    "age_fits": _("Of the right age (%(value)s years)."),
    "age_too_young": _("Too young: the service is for ages %(value)s."),
    "age_too_old": _("Too old: the service is for ages %(value)s."),
    "age_borderline": _("Ask for the date of birth: the service is for ages %(value)s."),
    "age_unknown": _("Age not known: the service is for ages %(value)s."),
    "age_in_words": _("For an age group: ask which."),
    "everyone": _("Open to all, whatever their status."),
    "status_fits": _("For people of this status."),
    "status_differs": _("For people of another status."),
    "status_unknown": _("For people of a certain status: ask."),
    "gender_fits": _("For people of this gender."),
    "gender_differs": _("For people of another gender."),
    "gender_unknown": _("For people of one gender: ask."),
    "family_fits": _("For families with children."),
    "family_differs": _("For families with children only."),
    "family_unknown": _("For families with children: ask."),
    "area_fits": _("For people who live in this borough."),
    "area_differs": _("For people of other boroughs."),
    "area_unknown": _("For people of a certain part of the city: ask."),
    "audience_unclear": _("For a certain public: read on its page."),
    "words": _("It says in its own words whom it is for: read on its page."),
}
#: code of candidates.POINTS -> what it stands for
POINTS: Mapping[str, str | Promise] = {
    "eligible": _("Nothing speaks against it"),
    "speaks": _("Their language is spoken"),
    "interpreter": _("Interpreting is offered"),
    "on_foot": _("Within walking distance"),
    "near": _("Near"),
    "in_town": _("Within an hour’s ride"),
    "fits_times": _("Open at the times asked"),
    "room": _("Has room now"),
    "full": _("Full at the moment"),
    "closed_now": _("Closed for the time being"),
}
ANSWERS: Mapping[Answer, str | Promise] = {
    Answer.YES: _("Can go there"),
    Answer.ASK: _("Ask first"),
    Answer.NO: _("Not for them"),
}


def worded(reason: Reason) -> str:
    """One judged condition in the reader's language."""
    low, _dash, high = reason.value.partition("-")
    if reason.code.startswith("age_") and not (low and high):
        value = _g("%(n)s and over") % {"n": low} if low else _g("up to %(n)s") % {"n": high}
    else:
        value = f"{low}–{high}"
    return str(JUDGED[reason.code]) % {"value": value}
