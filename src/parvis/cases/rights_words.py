"""What the deeds of people's rights are called in histories."""

from django.utils.translation import gettext_lazy as _

from parvis.cases.wording import Word

DEEDS: dict[str, Word] = {
    "cases.glass.opened": _("Emergency access"),
    "cases.glass.ended": _("Emergency access ended"),
    "cases.glass.reviewed": _("Emergency access reviewed"),
    "cases.request.received": _("Request received"),
    "cases.request.identity": _("Identity checked for a request"),
    "cases.request.taken": _("Request taken by the privacy officer"),
    "cases.request.extended": _("Delay of a request extended"),
    "cases.request.answered": _("Request answered"),
    "cases.rectification.asked": _("Correction asked for"),
    "cases.rectification.decided": _("Correction decided"),
    "cases.rectification.done": _("Correction made"),
    "cases.rectification.disagreed": _("Statement of disagreement kept"),
    "cases.person.exported": _("Data handed to the person"),
    "cases.person.export_taken": _("Data taken by the link"),
    "cases.disclosure.asked": _("Data asked for by an authority"),
    "cases.disclosure.decided": _("Data for an authority: decided"),
    "cases.disclosure.handed": _("Data for an authority: handed over"),
    "cases.person.erasure_asked": _("To be forgotten"),
    "cases.person.erased": _("Forgotten"),
}
