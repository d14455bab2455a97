"""The office's own templates, and the lines below a message. Tigrinya waits for a reader of that language."""

from django.utils.translation import gettext_lazy as _

from parvis.core import language
from parvis.messaging.templates import Wording, register

#: a worker's own words: the subject says nothing
FREE = "messaging.free"
CALL = "messaging.call"

_SUBJECTS = {
    "en": "A message from {city}",
    "fr": "Un message de {city}",
    "ar": "رسالة من {city}",
    "es": "Un mensaje de {city}",
    "ti": "መልእኽቲ ካብ {city}",
}

#: below the first text message to somebody
FOOT_SMS = {
    "en": "Reply STOP for no more messages.",
    "fr": "Répondez ARRET pour ne plus en recevoir.",
    "ar": "أرسل قف لإيقاف الرسائل.",
    "es": "Responda PARAR para no recibir más.",
    "ti": "መልእኽቲ ንምቁራጽ STOP ጽሓፉ።",
}
#: below a mail
FOOT_MAIL = {
    "en": "No more messages by e-mail: {link}",
    "fr": "Ne plus recevoir de courriels : {link}",
    "ar": "لإيقاف رسائل البريد الإلكتروني: {link}",
    "es": "No recibir más correos: {link}",
    "ti": "ኢመይል ንምቁራጽ: {link}",
}
#: what a text message to the office is answered with
NOBODY_READS = {
    "en": "Nobody reads this number. Please call {phone}.",
    "fr": "Personne ne lit ce numéro. Appelez le {phone}.",
    "ar": "لا أحد يقرأ هذا الرقم. اتصلوا على {phone}.",
    "es": "Nadie lee este número. Llame al {phone}.",
    "ti": "ነዚ ቁጽሪ ዘንብብ የለን። ናብ {phone} ደውሉ።",
}

#: one word that ends messages, or wants them again, in the languages of those who answer
_STOP = """
    stop stopall unsubscribe quit end arret arrêt arreter arrêter parar alto baja قف توقف إيقاف الغاء إلغاء ደው ኣቋርጽ
"""
_START = "start unstop yes reprendre debut début reanudar iniciar ابدأ استئناف ጀምር"
STOP = frozenset(map(language.fold, _STOP.split()))
START = frozenset(map(language.fold, _START.split()))


def answer(text: str) -> str:
    """ "stop", "start" or "": what a reply asks for. Only a reply of that one word does."""
    word = language.fold(text).strip(" \t\r\n.!?؟،\u200e\u200f\"'«»")
    return "stop" if word in STOP else "start" if word in START else ""


def register_all() -> None:
    register(FREE, _("In your own words"), {tag: Wording(subject, "{text}") for tag, subject in _SUBJECTS.items()})
    register(
        CALL,
        _("Please call us"),
        _with_subjects(
            en="{city}: please call us at {phone}.",
            fr="{city} : veuillez nous appeler au {phone}.",
            ar="{city}: نرجو الاتصال بنا على {phone}.",
            es="{city}: por favor, llámenos al {phone}.",
            ti="{city}: ብኽብረትኩም ናብ {phone} ደውሉልና።",
        ),
    )
    register(
        "messaging.come",
        _("Please come by"),
        _with_subjects(
            en="{city}: please come to our office, {when}. Questions: {phone}.",
            fr="{city} : veuillez passer à notre bureau, {when}. Questions : {phone}.",
            ar="{city}: نرجو الحضور إلى مكتبنا، {when}. للأسئلة: {phone}.",
            es="{city}: por favor, pase por nuestra oficina, {when}. Preguntas: {phone}.",
            ti="{city}: ናብ ቤት ጽሕፈትና ንዑ፣ {when}። ሕቶ እንተሃልዩ: {phone}።",
        ),
    )
    register(
        "messaging.bring",
        _("A letter is waiting"),
        _with_subjects(
            en="{city}: a letter is waiting for you at our office. Questions: {phone}.",
            fr="{city} : une lettre vous attend à notre bureau. Questions : {phone}.",
            ar="{city}: لديكم رسالة في مكتبنا. للأسئلة: {phone}.",
            es="{city}: una carta le espera en nuestra oficina. Preguntas: {phone}.",
            ti="{city}: ኣብ ቤት ጽሕፈትና ደብዳበ ኣለኩም። ሕቶ እንተሃልዩ: {phone}።",
        ),
    )


def _with_subjects(**texts: str) -> dict[str, Wording]:
    return {tag: Wording(_SUBJECTS[tag], text) for tag, text in texts.items()}
