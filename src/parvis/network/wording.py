"""What the upkeep's codes are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as __

#: reasons of core.freshness
REASONS: dict[str, str | Promise] = {
    "no_contact": __("Nobody can be reached: no telephone, no e-mail"),
    "no_phone": __("No telephone"),
    "no_hours": __("No opening hours"),
    "no_place": __("No place"),
    "no_address": __("Its place has no address"),
    "no_point": __("Its place is not on the map"),
    "no_description": __("No description"),
    "short_description": __("A very short description"),
    "no_term": __("In no category: search finds it badly"),
    "no_language": __("No language said"),
    "no_fees": __("Nothing about its price"),
    "no_eligibility": __("Nothing about whom it is for"),
    "missing": __("No longer listed by its source"),
    "never": __("Never confirmed"),
    "overdue": __("To confirm again"),
}
FIXES: dict[str, str | Promise] = {
    "edit": __("Edit"),
    "hours": __("Set the hours"),
    "place": __("Open the listing"),
    "confirm": __("Confirm"),
}
#: what two listings share (network.alike)
SHARED: dict[str, str | Promise] = {
    "phone": __("same telephone"),
    "site": __("same website"),
    "email": __("same e-mail"),
    "address": __("same address"),
    "organization": __("same organization"),
}
