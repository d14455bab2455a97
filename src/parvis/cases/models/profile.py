"""What is known of a person beside the name: each table is of one class of data, or each of its rows says its own."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parvis.cases.models.base import PersonRow
from parvis.core.access import DataClass
from parvis.kit.models import Personal
from parvis.kit.sealing import SealedField


class Level(models.TextChoices):
    """How well a language is spoken: the Common European Framework, with its two ends."""

    NONE = "none", _("None")
    A1 = "a1", "A1"
    A2 = "a2", "A2"
    B1 = "b1", "B1"
    B2 = "b2", "B2"
    C1 = "c1", "C1"
    C2 = "c2", "C2"
    NATIVE = "native", _("First language")


def called(choices: type[models.TextChoices], code: str) -> str:
    """The name of a code that was opened from a sealed column. One that is no longer known is "?", and no error: an
    error would carry what was sealed into a log."""
    return str(choices(code).label) if code in choices.values else "?"


class SpokenLanguage(PersonRow):
    """A language, how well, and which way of speaking it."""

    data_class = DataClass.IDENTITY
    personal = {
        "language": Personal("to be understood", "case", "identity"),
        "level": Personal("to choose courses and interpreters", "case", "identity"),
        "reads": Personal("to choose between a letter and a call", "case", "identity"),
        "dialect": Personal("to choose an interpreter", "case", "identity"),
        "ended_on": Personal("history", "case", "identity"),
    }
    not_personal = "keys"

    language = models.CharField(max_length=20)
    level = models.CharField(max_length=8, choices=Level.choices)
    reads = models.BooleanField(default=True)
    dialect = models.CharField(max_length=80, blank=True, default="")
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(level__in=Level.values), name="cases_language_level"),
            models.UniqueConstraint(
                fields=["person", "language"], condition=Q(ended_on__isnull=True), name="cases_language_once"
            ),
        ]


class Stream(models.TextChoices):
    """Immigration streams of the welcome plan."""

    RESETTLED = "resettled", _("Resettled refugee, supported by the state")
    SPONSORED = "sponsored", _("Sponsored refugee")
    CLAIMANT = "claimant", _("Asylum claimant")
    RECOGNISED = "recognised", _("Refugee recognised here")
    PR_OTHER = "pr_other", _("Other permanent resident")
    TEMPORARY = "temporary", _("Temporary status")
    UNKNOWN = "unknown", _("Not said")


class ImmigrationStatus(PersonRow):
    """Stream and status from a date to a date; a change of status ends one row and begins another."""

    data_class = DataClass.STATUS
    personal = {
        "stream": Personal("which rights and steps a person has", "case", "status"),
        "detail": Personal("which rights and steps a person has", "case", "status"),
        "since": Personal("deadlines of the status", "case", "status"),
        "until": Personal("history of the status", "case", "status"),
        "expires_on": Personal("to renew in time", "case", "status"),
    }
    not_personal = "keys"

    stream = SealedField()
    detail = SealedField(null=True, blank=True)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(until__isnull=True), name="cases_one_status"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="cases_status_dates"
            ),
        ]


class Address(PersonRow):
    """Where a person lives, since when. A hidden address is a class of its own and never shared."""

    data_class = None
    personal = {
        "text": Personal("visits, letters, the nearest services", "case", "contact"),
        "borough": Personal("the nearest services; figures by borough", "case", "contact"),
        "since": Personal("history of moves", "case", "contact"),
        "until": Personal("history of moves", "case", "contact"),
        "hidden": Personal("safety", "case", "hidden_address"),
        "kind": Personal("who has no stable home yet", "case", "contact"),
    }
    not_personal = "keys"

    class Kind(models.TextChoices):
        HOME = "home", pgettext_lazy("address", "Home")
        HOTEL = "hotel", _("Hotel or temporary lodging")
        SHELTER = "shelter", _("Shelter")
        RELATIVES = "relatives", _("With relatives or friends")
        MAIL = "mail", _("For letters only")

    row_class = models.IntegerField(default=DataClass.CONTACT)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.HOME)
    text = SealedField()
    borough = models.CharField(max_length=80, blank=True, default="")
    hidden = models.BooleanField(default=False)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(hidden=True, row_class=DataClass.HIDDEN_ADDRESS.value, borough="")
                | Q(hidden=False, row_class=DataClass.CONTACT.value),
                name="cases_address_class",
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(until__isnull=True) & ~Q(kind="mail"), name="cases_one_home"
            ),
        ]


class ContactPoint(PersonRow):
    """A telephone number, an e-mail address, a messenger (FHIR ContactPoint), and how to use it without harm."""

    data_class = DataClass.CONTACT
    personal = {
        "value": Personal("to reach the person", "case", "contact"),
        "value_index": Personal("to find a person who calls", "case", "contact"),
        "safe_to_call": Personal("safety", "case", "contact"),
        "safe_to_leave_message": Personal("safety", "case", "contact"),
        "safe_times": Personal("safety", "case", "contact"),
        "shared_with": Personal("whose device it is", "case", "contact"),
        "ended_on": Personal("history", "case", "contact"),
    }
    not_personal = "kind and order"

    class System(models.TextChoices):
        PHONE = "phone", _("Telephone")
        SMS = "sms", _("Text messages")
        EMAIL = "email", _("E-mail")
        WHATSAPP = "whatsapp", "WhatsApp"
        SIGNAL = "signal", "Signal"
        OTHER = "other", _("Other")

    system = models.CharField(max_length=10, choices=System.choices)
    value = SealedField()
    value_index = models.BigIntegerField(db_index=True)
    preferred = models.BooleanField(default=False)
    safe_to_call = models.BooleanField(default=True)
    safe_to_leave_message = models.BooleanField(default=False)
    safe_times = models.CharField(max_length=120, blank=True, default="")
    shared_with = models.CharField(max_length=120, blank=True, default="")
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(system__in=["phone", "sms", "email", "whatsapp", "signal", "other"]),
                name="cases_contact_system",
            )
        ]


class Background(PersonRow):
    """Schooling, a diploma or work, here or before."""

    data_class = DataClass.BACKGROUND
    personal = {
        "kind": Personal("school, recognition of diplomas, work", "case", "background"),
        "title": Personal("school, recognition of diplomas, work", "case", "background"),
        "country": Personal("recognition of diplomas", "case", "background"),
        "since_year": Personal("school, recognition of diplomas, work", "case", "background"),
        "until_year": Personal("school, recognition of diplomas, work", "case", "background"),
        "recognition": Personal("recognition of diplomas", "case", "background"),
        "ended_on": Personal("history", "case", "background"),
    }
    not_personal = "keys"

    class Kind(models.TextChoices):
        SCHOOLING = "schooling", _("Schooling")
        DIPLOMA = "diploma", _("Diploma")
        WORK = "work", _("Work")

    class Recognition(models.TextChoices):
        NONE = "", "—"
        ASKED = "asked", _("Recognition asked for")
        GRANTED = "granted", _("Recognised")
        REFUSED = "refused", _("Not recognised")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True, default="")
    since_year = models.SmallIntegerField(null=True, blank=True)
    until_year = models.SmallIntegerField(null=True, blank=True)
    recognition = models.CharField(max_length=8, choices=Recognition.choices, blank=True, default="")
    ended_on = models.DateField(null=True, blank=True)


class Domain(models.TextChoices):
    """The fourteen domains of integration in which strengths and needs are noted."""

    WORK = "work", _("Work")
    HOUSING = "housing", _("Housing")
    EDUCATION = "education", _("Education")
    HEALTH = "health", _("Health and social care")
    LEISURE = "leisure", _("Leisure")
    BONDS = "bonds", _("Family and own community")
    BRIDGES = "bridges", _("Contacts with other communities")
    LINKS = "links", _("Ties with institutions")
    LANGUAGE = "language", _("Language")
    CULTURE = "culture", _("Culture")
    DIGITAL = "digital", _("Digital skills")
    SAFETY = "safety", _("Safety")
    STABILITY = "stability", _("Stability")
    RIGHTS = "rights", _("Rights and responsibilities")


#: domains whose findings are of a class more sensitive than "needs"
DOMAIN_CLASSES = {Domain.HEALTH: DataClass.HEALTH, Domain.SAFETY: DataClass.VIOLENCE}


class Finding(PersonRow):
    """A strength or a need of a person in one domain, as they and the worker see it; a new one replaces by ending."""

    data_class = None
    personal = {
        "domain": Personal("to help where it is needed, to build on what is there", "case", "needs"),
        "kind": Personal("to help where it is needed, to build on what is there", "case", "needs"),
        "level": Personal("what comes first", "case", "needs"),
        "text": Personal("to help where it is needed, to build on what is there", "case", "needs"),
        "noted_on": Personal("history", "case", "needs"),
        "ended_on": Personal("history", "case", "needs"),
    }
    not_personal = "keys and class"

    class Kind(models.TextChoices):
        STRENGTH = "strength", _("Strength")
        NEED = "need", _("Need")

    class Level(models.TextChoices):
        LOW = "low", _("Can wait")
        MEDIUM = "medium", _("Soon")
        URGENT = "urgent", _("Urgent")

    row_class = models.IntegerField(default=DataClass.NEEDS)
    domain = models.CharField(max_length=10, choices=Domain.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    level = models.CharField(max_length=6, choices=Level.choices, blank=True, default="")
    text = SealedField(null=True, blank=True)
    noted_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(domain__in=Domain.values), name="cases_finding_domain"),
            models.CheckConstraint(
                condition=Q(domain="health", row_class=DataClass.HEALTH.value)
                | Q(domain="safety", row_class=DataClass.VIOLENCE.value)
                | (~Q(domain__in=["health", "safety"]) & Q(row_class=DataClass.NEEDS.value)),
                name="cases_finding_class",
            ),
        ]


class NoteKind(models.TextChoices):
    GENERAL = "general", _("Note")
    HEALTH = "health", _("Health")
    VIOLENCE = "violence", _("Family and violence")
    CONFIDENTIAL = "confidential", _("Confidential: its author, lead and backup only")


NOTE_CLASSES = {
    NoteKind.GENERAL: DataClass.NOTES,
    NoteKind.HEALTH: DataClass.HEALTH,
    NoteKind.VIOLENCE: DataClass.VIOLENCE,
    NoteKind.CONFIDENTIAL: DataClass.CONFIDENTIAL,
}


class Note(PersonRow):
    """What a worker wrote, signed and dated; it is corrected by a note that replaces it, never rewritten."""

    data_class = None
    append_only = True
    personal = {"text": Personal("continuity of the work", "case", "notes")}
    not_personal = "kind, author and dates"

    row_class = models.IntegerField(default=DataClass.NOTES)
    kind = models.CharField(max_length=12, choices=NoteKind.choices)
    text = SealedField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="general", row_class=DataClass.NOTES.value)
                | models.Q(kind="health", row_class=DataClass.HEALTH.value)
                | models.Q(kind="violence", row_class=DataClass.VIOLENCE.value)
                | models.Q(kind="confidential", row_class=DataClass.CONFIDENTIAL.value),
                name="cases_note_class",
            )
        ]


class PaperSeen(PersonRow):
    """A document that a worker has seen: a tick, a date, an expiry. Its number is not kept: nobody here needs it."""

    data_class = DataClass.DOCUMENTS
    personal = {
        "kind": Personal("which steps can go on", "case", "documents"),
        "seen_on": Personal("which steps can go on", "case", "documents"),
        "expires_on": Personal("to renew in time", "case", "documents"),
        "ended_on": Personal("history", "case", "documents"),
    }
    not_personal = "keys"

    class Kind(models.TextChoices):
        PASSPORT = "passport", _("Passport")
        TRAVEL = "travel", _("Travel document")
        BIRTH = "birth", _("Birth certificate")
        MARRIAGE = "marriage", _("Marriage certificate")
        STATUS = "status", _("Immigration document")
        HEALTH_CARD = "health_card", _("Health insurance card")
        SOCIAL_INSURANCE = "social_insurance", _("Social insurance number")
        SCHOOL = "school", _("School record")
        DRIVING = "driving", _("Driving licence")
        OTHER = "other", _("Other")

    kind = SealedField()
    seen_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")


class Attachment(PersonRow):
    """A file in a person's file, judged by content, sealed; not handed out before it is scanned where a scanner is."""

    data_class = None
    personal = {
        "name": Personal("to find the document", "case", "documents"),
        "content": Personal("steps that need a copy", "case", "documents"),
        "row_class": Personal("who may open it", "case", "documents"),
    }
    not_personal = "type, size and state"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for the virus scan")
        CLEAN = "clean", _("Ready")
        REFUSED = "refused", _("Refused by the virus scan")

    row_class = models.IntegerField(default=DataClass.DOCUMENTS)
    name = SealedField()
    media_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    content = SealedField()
    state = models.CharField(max_length=8, choices=State.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "clean", "refused"]), name="cases_attachment_state"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    row_class__in=[DataClass.DOCUMENTS.value, DataClass.HEALTH.value, DataClass.VIOLENCE.value]
                ),
                name="cases_attachment_class",
            ),
        ]
