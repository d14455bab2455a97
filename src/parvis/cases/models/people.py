"""Person, names, household and who is in it since when. Words of FHIR (Person, HumanName) and UNHCR (household)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import PersonRow
from parvis.core.access import DataClass
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class Versioned(models.Model):
    """`version` catches two editors of one file: a change says which version it was made on."""

    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class HouseholdState(models.TextChoices):
    OPEN = "open", _("Open")
    MOVED = "moved", _("Moved away")
    LEFT = "left", _("Left the city")
    CLOSED = "closed", _("Closed")


class Household(Versioned, Row):
    """People who arrive and live together, followed as one file by its holder."""

    personal = {
        "lead_worker": Personal("who answers for the file", "case", "plan"),
        "backup_worker": Personal("who answers when the lead is away", "case", "plan"),
        "next_contact_on": Personal("so that no file is forgotten", "case", "plan"),
    }
    not_personal = "a reference, states and dates"

    #: the organization that holds the file; OFFICE for the integration office
    holder_id = models.UUIDField()
    #: what is said on the telephone and printed: five letters and digits that can't be misheard
    reference = models.CharField(max_length=12, unique=True)
    state = models.CharField(max_length=8, choices=HouseholdState.choices, default=HouseholdState.OPEN)
    opened_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)
    #: only named persons, the lead and the backup may see it
    restricted = models.BooleanField(default=False)
    lead_worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    backup_worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    next_contact_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=HouseholdState.values), name="cases_household_state"),
            models.CheckConstraint(
                condition=Q(state="open", closed_on__isnull=True) | (~Q(state="open") & Q(closed_on__isnull=False)),
                name="cases_household_closed_on",
            ),
        ]
        indexes = [
            models.Index(fields=["holder_id", "state", "-changed_at"], name="cases_household_list"),
            models.Index(fields=["lead_worker", "state"], name="cases_household_caseload"),
            models.Index(
                fields=["holder_id", "next_contact_on"],
                condition=Q(state="open", next_contact_on__isnull=False),
                name="cases_household_due",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class PersonState(models.TextChoices):
    PRESENT = "present", _("Lives here")
    MOVED = "moved", _("Moved away")
    LEFT = "left", _("Left the city")
    DECEASED = "deceased", _("Deceased")
    MISTAKE = "mistake", _("Entered by mistake")


class Gender(models.TextChoices):
    """FHIR AdministrativeGender."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not said")


class Person(Versioned, Row):
    """A newcomer. What is here is of the class "identity"; everything else is in tables of its own class."""

    personal = {
        "name": Personal("to greet and to find the person", "case", "identity"),
        "name_latin": Personal("to read and to find the name in Latin letters", "case", "identity"),
        "gender": Personal("to offer a worker or interpreter of the gender asked for", "case", "identity"),
        "birth_year": Personal("to tell children from adults, and what each has a right to", "case", "identity"),
        "birth_date": Personal("school, benefits and papers ask for it", "case", "identity"),
        "interpreter": Personal("to be understood", "case", "identity"),
        "interpreter_gender": Personal("to be at ease", "case", "identity"),
        "language": Personal("to write in the person's language", "case", "identity"),
        "state": Personal("who is followed", "case", "identity"),
        "state_on": Personal("who is followed", "case", "identity"),
        "user": Personal("the person's own sign-in", "case", "identity"),
    }
    not_personal = "holder, marks and dates"

    holder_id = models.UUIDField()
    restricted = models.BooleanField(default=False)
    anonymous = models.BooleanField(default=False)
    #: as the person says it, in any script; a made-up sign ("Green coat") in an anonymous file
    name = models.CharField(max_length=200)
    name_latin = models.CharField(max_length=200, blank=True, default="")
    gender = models.CharField(max_length=8, choices=Gender.choices, default=Gender.UNKNOWN)
    birth_year = models.SmallIntegerField(null=True, blank=True)
    birth_date = SealedField(null=True, blank=True)
    #: BCP 47 tag of the language in which the person wants to be written to
    language = models.CharField(max_length=20, blank=True, default="")
    interpreter = models.BooleanField(default=False)
    interpreter_gender = models.CharField(max_length=8, blank=True, default="", choices=Gender.choices)
    state = models.CharField(max_length=8, choices=PersonState.choices, default=PersonState.PRESENT)
    state_on = models.DateField(null=True, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="cases_person_named"),
            models.CheckConstraint(condition=Q(state__in=PersonState.values), name="cases_person_state"),
            models.CheckConstraint(condition=Q(gender__in=Gender.values), name="cases_person_gender"),
            models.CheckConstraint(
                condition=Q(birth_year__isnull=True) | Q(birth_year__gte=1890, birth_year__lte=2200),
                name="cases_person_birth_year",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NameUse(models.TextChoices):
    """FHIR NameUse, those that an office meets."""

    OFFICIAL = "official", _("On papers")
    OLD = "old", _("Former name")
    NICKNAME = "nickname", _("Also called")
    MAIDEN = "maiden", _("Name at birth")


class PersonName(PersonRow):
    """Another name of the person (FHIR HumanName); the one they use is on Person."""

    data_class = DataClass.IDENTITY
    personal = {
        "text": Personal("to find the person and to recognize papers", "case", "identity"),
        "ended_on": Personal("history", "case", "identity"),
    }
    not_personal = "what kind of name"

    use = models.CharField(max_length=10, choices=NameUse.choices)
    text = models.CharField(max_length=200)
    #: a name that they no longer go by still finds them: it stands on older papers
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(use__in=NameUse.values), name="cases_name_use")]


class Relation(models.TextChoices):
    """How a member is related to the head of the household."""

    HEAD = "head", _("Head of household")
    SPOUSE = "spouse", _("Spouse or partner")
    CHILD = "child", _("Child")
    PARENT = "parent", _("Parent")
    SIBLING = "sibling", _("Brother or sister")
    GRANDPARENT = "grandparent", _("Grandparent")
    GRANDCHILD = "grandchild", _("Grandchild")
    WARD = "ward", _("Child in their care")
    RELATIVE = "relative", _("Other relative")
    OTHER = "other", _("Not related")


class Ending(models.TextChoices):
    """Why somebody is no longer a member of a household."""

    NONE = "", "—"
    SPLIT = "split", _("Household split")
    JOINED = "joined", _("Joined another household")
    MOVED = "moved", _("Moved away")
    LEFT = "left", _("Left the city")
    DECEASED = "deceased", _("Deceased")
    MISTAKE = "mistake", _("Entered by mistake")
    RELATION = "relation", _("Relation changed")


class HouseholdMember(PersonRow):
    """A person belongs to a household, as what, from when to when. Ended rows are the history."""

    data_class = DataClass.HOUSEHOLD
    personal = {
        "household": Personal("to follow a family together", "case", "household"),
        "relation": Personal("to follow a family together", "case", "household"),
        "since": Personal("history of the household", "case", "household"),
        "until": Personal("history of the household", "case", "household"),
        "ending": Personal("history of the household", "case", "household"),
    }
    not_personal = "keys"

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="members")
    relation = models.CharField(max_length=12, choices=Relation.choices)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(until__isnull=True), name="cases_one_household"),
            models.UniqueConstraint(
                fields=["household"], condition=Q(until__isnull=True, relation="head"), name="cases_one_head"
            ),
            models.CheckConstraint(condition=Q(relation__in=Relation.values), name="cases_relation"),
            models.CheckConstraint(
                condition=Q(until__isnull=True, ending="") | (Q(until__isnull=False) & ~Q(ending="")),
                name="cases_member_ending",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="cases_member_dates"
            ),
        ]
