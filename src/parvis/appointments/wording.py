"""How appointments are told: in the history of a file, and to the people themselves."""

from django.utils.translation import gettext_lazy as _

from parvis.messaging.templates import Wording

DEEDS = {
    "appointments.booked": _("Appointment booked"),
    "appointments.moved": _("Appointment moved"),
    "appointments.changed": _("Appointment: place or note changed"),
    "appointments.arrived": _("Appointment: they are here"),
    "appointments.done": _("Appointment took place"),
    "appointments.missed": _("Appointment missed"),
    "appointments.cancelled": _("Appointment cancelled"),
    "appointments.undone": _("Appointment: taken back, booked as before"),
    "appointments.interpreter": _("Interpreter: booked or answered"),
    "appointments.feed.opened": _("The family’s calendar has a new address"),
    "appointments.feed.closed": _("The family’s calendar has no address any more"),
    "appointments.hours": _("Working hours changed"),
}

REMINDER = {
    "en": Wording("Your appointment", "{city}: you have an appointment on {when}. If you can't come, call {phone}."),
    "fr": Wording(
        "Votre rendez-vous",
        "{city} : vous avez un rendez-vous le {when}. Si vous ne pouvez pas venir, appelez le {phone}.",
    ),
    "ar": Wording("موعدك", "{city}: لديك موعد في {when}. إذا تعذّر عليك الحضور فاتصل بالرقم {phone}."),
    "es": Wording("Su cita", "{city}: tiene una cita el {when}. Si no puede venir, llame al {phone}."),
    "ti": Wording("ቆጸራኹም", "{city}: ኣብ {when} ቆጸራ ኣለኩም። ክትመጹ እንተዘይክኢልኩም ናብ {phone} ደውሉ።"),
}
