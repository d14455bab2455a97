"""A city of people whose every field is a canary, whoever may look at them, and what each may see by the written rules.

What may be seen is said here by hand, from ../shared/design/security.md and docs/access.md, and from nothing that the
program computes: `sight` and `may_read` are what the matrix holds the program to.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from parvis.accounts import actions as accounts
from parvis.accounts.models import User
from parvis.appointments.models import Appointment, AppointmentPerson, HouseholdFeed, InterpreterBooking
from parvis.arrivals.models import Arrival, Intake, PaperEnd
from parvis.cases.actions import people, sharing
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import (
    Access,
    AccountOffer,
    Address,
    Agreement,
    Attachment,
    Background,
    BreakGlass,
    Consent,
    ConsentRecipient,
    ContactPoint,
    DataRequest,
    Denial,
    Disclosure,
    DisclosureApproval,
    ExportLink,
    Finding,
    Household,
    IdentityCheck,
    ImmigrationStatus,
    Incident,
    IncidentPerson,
    NamedAccess,
    Note,
    PaperSeen,
    Person,
    PersonName,
    Rectification,
    SpokenLanguage,
    Withdrawal,
)
from parvis.cases.models.base import OFFICE
from parvis.cases.vault import Vault
from parvis.core.access import EVERYTHING, NEVER_SHARED, SHAREABLE, DataClass
from parvis.directory.models import Service
from parvis.kit.acting import acting, acting_as_system
from parvis.messaging.models import Message, OptOut
from parvis.orgs.actions import add_member, end_member
from parvis.orgs.models import Membership, Organization
from parvis.plans.models import Plan, Step
from parvis.referrals.models import Referral, ReferralChange, ReferralLink, UnmetNeed
from tests.accounts.people import open_account

SOME = DataClass.IDENTITY | DataClass.CONTACT | DataClass.NEEDS | DataClass.HEALTH

# who reads what is of no class of data
KEEPERS = "keepers"  # who may write in the file
REGISTER = "register"  # they, the person, the privacy officer
AGREED = "agreed"  # they, and the organization it speaks to while it sees the person
GLASS = "glass"  # the keepers, the privacy officer, and who broke it
HOUSEHOLD = "household"  # whoever sees one of its people, or keeps files for its holder
REFERRED = "referred"  # whoever sees the person's needs, and house D, which was asked without a name


@dataclass(frozen=True)
class Canary:
    """A text that stands in one place alone. `audience`: a DataClass, or one of the words above."""

    text: str
    thing: str
    member: int
    audience: DataClass | str
    where: str
    sealed: bool = False


@dataclass
class Thing:
    """A household of the world; `people[0]` is its head."""

    name: str
    household: Household
    people: list[Person]
    made: dict[str, Any] = field(default_factory=dict)


# -- who looks, at what ------------------------------------------------------------------------------------------------

AGENTS = ("lead", "agent", "named", "named_before", "glass", "denied_agent")
OFFICE_ROLES = {**dict.fromkeys(AGENTS, "agent"), "director": "director", "coordinator": "coordinator",
                "administrator": "administrator", "privacy": "privacy", "handler": "privacy",
                "denied_privacy": "privacy"}  # fmt: skip
HOUSE_A = ("worker_a", "manager_a", "denied_a")
#: what a partner's account is a member of, and as what; ex_a no longer, suspended_a is shut out, house B has no
#: agreement, the agreement with house C has ended, house D has nothing
PARTNERS = {"worker_a": "A", "manager_a": "A", "denied_a": "A", "ex_a": "A", "suspended_a": "A", "worker_b": "B",
            "worker_c": "C", "worker_d": "D"}  # fmt: skip
NEWCOMERS = {"newcomer": "own", "another_newcomer": "some"}
VIEWERS = ("visitor", *OFFICE_ROLES, *PARTNERS, *NEWCOMERS)

RESTRICTED = ("restricted", "glass_now", "glass_over")
#: to house A, unless said otherwise
CONSENTS = {"some": SOME, "all": SHAREABLE, "expired": SHAREABLE, "withdrawn": SHAREABLE, "shut": SHAREABLE,
            "no_agreement": SHAREABLE}  # fmt: skip
THINGS = ("never", *CONSENTS, "refused", *RESTRICTED, "own", "asked", "of_a", "deleted")
#: accounts that must never see the household
SHUT_OUT = {("denied_agent", "shut"), ("denied_privacy", "shut"), ("denied_a", "shut"), ("denied_a", "of_a")}


def sight(viewer: str, thing: str, member: int) -> tuple[DataClass, bool]:
    """Which classes of this person's data the viewer may see, and whether they may write. `member` 0 is the head."""
    nothing = DataClass(0)
    if viewer in ("visitor", "suspended_a", "ex_a") or thing == "deleted" or (viewer, thing) in SHUT_OUT:
        return nothing, False
    classes, writes = nothing, False
    office = thing != "of_a"
    if viewer in AGENTS and office and thing not in RESTRICTED:
        classes, writes = classes | SHAREABLE, True  # own
    if viewer in HOUSE_A and not office:
        classes, writes = classes | SHAREABLE, True
    if viewer == ("lead" if office else "worker_a"):
        classes, writes = classes | EVERYTHING, True  # lead worker
    if viewer in HOUSE_A and member == 0 and thing in ("some", "all", "shut"):
        classes |= CONSENTS[thing]
    if viewer in HOUSE_A and member == 1 and thing == "all":
        classes |= DataClass.IDENTITY | DataClass.HOUSEHOLD
    if viewer == "named" and thing == "restricted":
        classes, writes = classes | (EVERYTHING & ~DataClass.CONFIDENTIAL), True
    if viewer == "glass" and thing == "glass_now" and member == 0:
        classes |= EVERYTHING & ~DataClass.CONFIDENTIAL
    if (NEWCOMERS.get(viewer) == thing and member == 0) or (viewer == "handler" and thing == "asked" and member == 0):
        classes |= EVERYTHING & ~(DataClass.NOTES | DataClass.CONFIDENTIAL)
    return classes, writes


def may_read(viewer: str, canary: Canary) -> bool:
    """May this text be in anything that is sent to the viewer?"""
    classes, writes = sight(viewer, canary.thing, canary.member)
    if isinstance(canary.audience, DataClass):
        return bool(classes & canary.audience)
    shut = (viewer, canary.thing) in SHUT_OUT
    officer = viewer in ("privacy", "handler", "denied_privacy") and not shut and canary.thing != "deleted"
    themself = NEWCOMERS.get(viewer) == canary.thing and canary.member == 0
    if canary.audience == KEEPERS:
        return writes
    if canary.audience == REGISTER:
        return writes or officer or themself
    if canary.audience == AGREED:
        return writes or officer or themself or (viewer in HOUSE_A and bool(classes))
    if canary.audience == REFERRED:
        return bool(classes & DataClass.NEEDS) or (viewer == "worker_d" and canary.thing != "deleted")
    if canary.audience == GLASS:
        return writes or officer or (viewer == "glass" and canary.thing in ("glass_now", "glass_over"))
    return household(viewer, canary.thing)


def household(viewer: str, thing: str) -> bool:
    """May the viewer know of the household itself?"""
    return any(sight(viewer, thing, member)[0] & DataClass.HOUSEHOLD for member in (0, 1))


# -- making it ---------------------------------------------------------------------------------------------------------


class World:
    """All of it, in the present city, committed."""

    def __init__(self) -> None:
        self.canaries: dict[str, Canary] = {}
        self.ids: dict[uuid.UUID, Canary] = {}
        self.things: dict[str, Thing] = {}
        self.users: dict[str, Any] = {}
        self.houses: dict[str, Organization] = {}
        self._number = 0
        self._accounts()
        for name in THINGS:
            self._open(name)
        self._relations()
        # as a request finds them: an account remembers its organizations
        self.users = {name: User.objects.get(pk=user.pk) for name, user in self.users.items()}

    def mark(self, thing: str, member: int, audience: DataClass | str, where: str, *, sealed: bool = False) -> str:
        """A new canary: an invented word that no page has by chance."""
        self._number += 1
        number, letters = self._number * 7919, ""
        while number:
            number, rest = divmod(number, 20)
            letters += "bcdfghjklmnpqrstvwxz"[rest]
        text = f"zqx{letters.ljust(6, 'b')}"
        assert text not in self.canaries
        self.canaries[text] = Canary(text, thing, member, audience, where, sealed)
        return text

    def of(self, thing: str) -> Thing:
        return self.things[thing]

    def forbidden(self, viewer: str) -> set[str]:
        return {text for text, canary in self.canaries.items() if not may_read(viewer, canary)}

    def hidden_ids(self, viewer: str) -> dict[uuid.UUID, Canary]:
        return {pk: canary for pk, canary in self.ids.items() if not may_read(viewer, canary)}

    # -- accounts

    def _accounts(self) -> None:
        now = timezone.now()
        with transaction.atomic():
            for name, role in OFFICE_ROLES.items():
                self.users[name] = open_account(name, role)
            for letter in "ABCD":
                self.houses[letter] = Organization.objects.create(name=f"House {letter}", changed_at=now)
            for name, letter in PARTNERS.items():
                self.users[name] = open_account(name)
                add_member(
                    self.users[name], self.houses[letter], "manager" if name == "manager_a" else "worker", by="test"
                )
            for name in NEWCOMERS:
                self.users[name] = open_account(name)
            self.asked = Service.objects.create(
                name="Cours", organization=self.houses["D"], status="active", changed_at=now
            )
            end_member(Membership.objects.get(user=self.users["ex_a"]), by="test")
            accounts.suspend(self.users["suspended_a"], by="test")
        today = timezone.now().date()
        month = dt.timedelta(days=30)
        with acting(self.users["privacy"]), transaction.atomic():
            for letter, ended in (("A", None), ("C", today - dt.timedelta(days=2))):
                sharing.agree(self.houses[letter], since=today - month, by=self.users["privacy"])
                if ended:
                    Agreement.objects.filter(organization=self.houses[letter]).update(ended_on=ended)

    # -- files

    def _open(self, name: str) -> None:
        by = self.users["worker_a" if name == "of_a" else "lead"]
        marks = [self.mark(name, member, DataClass.IDENTITY, "Person.name") for member in (0, 1)]
        latin = [self.mark(name, member, DataClass.IDENTITY, "Person.name_latin") for member in (0, 1)]
        new = NewHousehold(
            holder=self.houses["A"].pk if name == "of_a" else OFFICE, opened_on=timezone.now().date(),
            members=[
                NewPerson(f"Amina {marks[0].title()}", name_latin=f"Amina {latin[0].title()}", language="ar"),
                NewPerson(f"Basim {marks[1].title()}", relation="child", name_latin=f"Basim {latin[1].title()}"),
            ],
            restricted=name in RESTRICTED,
        )  # fmt: skip
        with acting(by), transaction.atomic():
            household = people.open_household(new, by=by)
            rows = household.members.select_related("person").order_by("relation")  # child, head
            child, head = rows
            thing = self.things[name] = Thing(name, household, [head.person, child.person])
            self.ids[household.pk] = Canary(str(household.pk), name, 0, HOUSEHOLD, "Household")
            self.canaries[household.reference.lower()] = Canary(
                household.reference.lower(), name, 0, HOUSEHOLD, "Household.reference"
            )
            for member, row in enumerate((head, child)):
                person = row.person
                self.ids[person.pk] = Canary(str(person.pk), name, member, DataClass.IDENTITY, "Person")
                self.ids[row.pk] = Canary(str(row.pk), name, member, DataClass.HOUSEHOLD, "HouseholdMember")
                self._fill(thing, member, person, by)
            # the plan was made when the file was opened
            plan = Plan.objects.get(household=household)
            self._keep(thing, 0, plan, DataClass.PLAN)
            for step in Step.objects.filter(household=household, by_hand=False):
                member = thing.people.index(step.person)
                self.ids[step.pk] = Canary(str(step.pk), name, member, DataClass(step.row_class), "Step")

    def _fill(self, thing: Thing, member: int, person: Person, by: Any) -> None:
        """A row in every table about a person, a canary in every free text of it."""
        vault = Vault([person.pk])
        for row, audience, texts, sealed in self._rows(thing, vault, person, by):
            for column in texts:
                setattr(row, column, self.mark(thing.name, member, audience, f"{type(row).__name__}.{column}"))
            for column in sealed:
                # the key to it is the person's, whoever else may read the row
                reads = DataClass.NEEDS if audience == REFERRED else audience
                word = self.mark(thing.name, member, reads, f"{type(row).__name__}.{column}", sealed=True)
                vault.put(row, **{column: word})
            if isinstance(row, ContactPoint):
                row.value_index = self._number
            row.save(force_insert=True)
            self._keep(thing, member, row, audience)

    def _keep(self, thing: Thing, member: int, row: Any, audience: DataClass | str) -> Any:
        self.ids[row.pk] = Canary(str(row.pk), thing.name, member, audience, type(row).__name__)
        thing.made.setdefault(f"{type(row).__name__}{member or ''}", row)
        return row

    def _rows(
        self, thing: Thing, vault: Vault, person: Person, by: Any
    ) -> Iterator[tuple[Any, DataClass | str, tuple[str, ...], tuple[str, ...]]]:  # fmt: skip
        """Row, who may read it, columns of plain text, sealed columns."""
        now, today = timezone.now(), timezone.now().date()
        see = DataClass
        yield PersonName(person=person, use="old"), see.IDENTITY, ("text",), ()
        yield SpokenLanguage(person=person, language="fa", level="b1"), see.IDENTITY, ("dialect",), ()
        point = ContactPoint(person=person, system="other")
        yield point, see.CONTACT, ("safe_times", "shared_with"), ("value",)
        yield Address(person=person, kind="mail", since=today), see.CONTACT, ("borough",), ("text",)
        hidden = Address(person=person, kind="home", hidden=True, row_class=see.HIDDEN_ADDRESS.value, since=today)
        yield hidden, see.HIDDEN_ADDRESS, (), ("text",)
        yield Background(person=person, kind="work"), see.BACKGROUND, ("title",), ()
        for domain, klass in (("work", see.NEEDS), ("health", see.HEALTH), ("safety", see.VIOLENCE)):
            found = Finding(person=person, domain=domain, kind="need", level="urgent", row_class=klass.value,
                            noted_on=today, by=by)  # fmt: skip
            yield found, klass, (), ("text",)
        yield vault.put(ImmigrationStatus(person=person, since=today), stream="claimant"), see.STATUS, (), ("detail",)
        for kind, klass in (("general", see.NOTES), ("health", see.HEALTH), ("violence", see.VIOLENCE),
                            ("confidential", see.CONFIDENTIAL)):  # fmt: skip
            yield Note(person=person, kind=kind, row_class=klass.value, author=by), klass, (), ("text",)
        yield vault.put(PaperSeen(person=person, seen_on=today, seen_by=by), kind="passport"), see.DOCUMENTS, (), ()
        for klass in (see.DOCUMENTS, see.HEALTH, see.VIOLENCE):
            kept = Attachment(person=person, row_class=klass.value, media_type="text/plain", size=9, state="clean",
                              by=by)  # fmt: skip
            yield kept, klass, (), ("name", "content")
        answered = {"received_on": today, "due_on": today, "answered_on": today, "channel": "letter"}
        asked = DataRequest(person=person, kind="rectification", state="answered", recorded_by=by, **answered)
        yield asked, REGISTER, ("asked_by", "asked", "answer"), ()
        yield IdentityCheck(person=person, request=asked, checked_by=by), REGISTER, ("how",), ()
        wrong = Rectification(person=person, request=asked, field="other", decision="refused", decided_at=now)
        yield wrong, REGISTER, ("reason",), ("old", "wanted", "disagreement")
        told = Disclosure(person=person, basis="authority", classes=1, at=now, by=by)
        yield told, REGISTER, ("recipient", "purpose", "legal_basis"), ()
        link = ExportLink(person=person, request=asked, made_by=by, expires_at=now, key_hash=uuid.uuid4().hex)
        yield link, REGISTER, (), ("parcel",)
        for klass in (see.CONTACT, see.PLAN):
            message = Message(person=person, template="messaging.free", language="fr", delivery="cancelled",
                              channel="sms", next_attempt_at=now, row_class=klass.value)  # fmt: skip
            yield message, klass, ("last_error",), ("subject", "text")
        for number, klass in enumerate((see.PLAN, see.HEALTH, see.STATUS)):
            step = Step(person=person, household=thing.household, code=f"H{number}", scope="person", kind="target",
                        owner_role="lead_worker", responsible_org=OFFICE, by_hand=True,
                        row_class=klass.value)  # fmt: skip
            yield step, klass, (), ("title", "evidence", "reason")
        yield OptOut(person=person, channel="email", how="desk", since=now), see.CONTACT, (), ()
        for number, (purpose, klass) in enumerate((("follow_up", see.PLAN), ("health", see.HEALTH))):
            starts = now + dt.timedelta(days=number + 1)
            meeting = Appointment(
                person=person, household=thing.household, starts_at=starts, ends_at=starts + dt.timedelta(hours=1),
                moved_at=now, purpose=purpose, row_class=klass.value,
            )  # fmt: skip
            yield meeting, klass, (), ("place", "note")
            yield AppointmentPerson(person=person, appointment=meeting, row_class=klass.value), klass, (), ()
            spoken = InterpreterBooking(person=person, appointment=meeting, language="fa", row_class=klass.value)
            yield spoken, klass, ("dialect", "interpreter"), ()
        feed = HouseholdFeed(person=person, household=thing.household, key_hash=uuid.uuid4().hex, made_at=now,
                             ended_at=now)  # fmt: skip
        yield feed, KEEPERS, (), ()
        coming = Arrival(person=person, household=thing.household, expected_at=now)
        yield coming, see.HOUSEHOLD, ("place",), ()
        yield PaperEnd(person=person, end=7), see.DOCUMENTS, (), ()
        referral = Referral(
            person=person, household=thing.household, need=uuid.uuid4(), domain="language", service=self.asked,
            organization=self.houses["D"], sender_id=thing.household.holder_id, sent_by=by, state="sent", sent_at=now,
        )  # fmt: skip
        yield referral, REFERRED, (), ("text",)
        said = ReferralChange(person=person, referral=referral, after="sent", way="user", user=by, at=now)
        yield said, REFERRED, (), ("text",)
        lacks = UnmetNeed(
            person=person, household=thing.household, need=uuid.uuid4(), domain="work", reason="full", by=by, at=now
        )
        yield lacks, see.NEEDS, (), ()
        link = ReferralLink(person=person, referral=referral, key_hash=uuid.uuid4().hex, made_at=now, expires_at=now)
        yield link, KEEPERS, (), ()
        if person == thing.people[0]:
            yield Intake(person=person, household=thing.household, at=now, by=by), see.HOUSEHOLD, (), ()

    # -- who is related to whom

    def _relations(self) -> None:
        lead, now, day = self.users["lead"], timezone.now(), dt.timedelta(days=1)
        with acting(lead), transaction.atomic():
            for name, classes in CONSENTS.items():
                self._consent(name, 0, "B" if name == "no_agreement" else "A", classes, ended=name == "expired")
            self._consent("all", 1, "A", DataClass.IDENTITY | DataClass.HOUSEHOLD)
            self._consent("no_agreement", 0, "C", SHAREABLE)
            back = Withdrawal(
                person=self.of("withdrawn").people[0], consent=self.of("withdrawn").made["Consent"], at=now,
                channel="spoken", reason=self.mark("withdrawn", 0, AGREED, "Withdrawal.reason"), recorded_by=lead,
            )  # fmt: skip
            back.save(force_insert=True)
            self._keep(self.of("withdrawn"), 0, back, AGREED)
            sharing.refuse(self.of("refused").people, [self.houses["A"]], by=lead)
            self._named("restricted", "named", None)
            self._named("restricted", "named_before", now - day)
            for viewer, name in sorted(SHUT_OUT - {("denied_a", "of_a")}):
                self._shut(name, viewer, lead)
            for name, user in NEWCOMERS.items():
                sharing.link_account(self.of(user).people[0], self.users[name], by=lead)
            self._asked(lead)
            self._offer(lead)
        with acting(self.users["worker_a"]), transaction.atomic():
            self._shut("of_a", "denied_a", self.users["worker_a"])
        glass = self.users["glass"]
        with acting(glass), transaction.atomic():
            for name, until in (("glass_now", now + day / 8), ("glass_over", now - day / 24)):
                broken = BreakGlass(
                    person=self.of(name).people[0], user=glass, at=now - day / 2, until=until,
                    reason=self.mark(name, 0, GLASS, "BreakGlass.reason"),
                )  # fmt: skip
                broken.save(force_insert=True)
                self._keep(self.of(name), 0, broken, GLASS)
        privacy = self.users["privacy"]
        with acting(privacy), transaction.atomic():
            told = self.of("never").made["Disclosure"]
            yes = DisclosureApproval(
                person=self.of("never").people[0], disclosure=told, approved=True, by=privacy, at=now,
                words=self.mark("never", 0, REGISTER, "DisclosureApproval.words"),
            )  # fmt: skip
            yes.save(force_insert=True)
            self._keep(self.of("never"), 0, yes, REGISTER)
            incident = Incident.objects.create(what="Essai", found_on=now.date(), reported_by=privacy)
            hit = IncidentPerson(person=self.of("never").people[0], incident=incident)
            hit.save(force_insert=True)
            self._keep(self.of("never"), 0, hit, REGISTER)
            self.of("never").made["Incident"] = incident

    def _consent(self, name: str, member: int, house: str, classes: DataClass, *, ended: bool = False) -> None:
        thing, now, year = self.of(name), timezone.now(), dt.timedelta(days=365)
        # a consent to B or C speaks to nobody who sees the person
        audience = AGREED if house == "A" else REGISTER
        given = now - 2 * year if ended else now - dt.timedelta(days=1)
        consent = Consent(
            person=thing.people[member], purpose="referral", classes=classes.value, given_at=given,
            until=given + year, text_version="1", text_language="fr", channel="spoken", express=True,
            witness=self.mark(name, member, audience, "Consent.witness"), recorded_by=self.users["lead"],
        )  # fmt: skip
        consent.save(force_insert=True)
        self._keep(thing, member, consent, audience)
        to = ConsentRecipient(person=thing.people[member], consent=consent, organization=self.houses[house])
        to.save(force_insert=True)
        self._keep(thing, member, to, audience)

    def _named(self, name: str, viewer: str, until: dt.datetime | None) -> None:
        for member, person in enumerate(self.of(name).people):
            row = NamedAccess(person=person, user=self.users[viewer], until=until, named_by=self.users["lead"])
            row.save(force_insert=True)
            self._keep(self.of(name), member, row, KEEPERS)

    def _shut(self, name: str, viewer: str, by: Any) -> None:
        row = Denial(person=self.of(name).people[0], user=self.users[viewer], denied_by=by)
        row.save(force_insert=True)
        self._keep(self.of(name), 0, row, KEEPERS)

    def _asked(self, by: Any) -> None:
        """A request that the privacy officer `handler` answers, once somebody vouched for who asks."""
        today, person = timezone.now().date(), self.of("asked").people[0]
        asked = DataRequest(
            person=person, kind="access", received_on=today, due_on=today, channel="letter", recorded_by=by,
            asked=self.mark("asked", 0, REGISTER, "DataRequest.asked"), handler=self.users["handler"],
        )  # fmt: skip
        asked.save(force_insert=True)
        self._keep(self.of("asked"), 0, asked, REGISTER)
        self.of("asked").made["DataRequest.asked"] = asked
        check = IdentityCheck(person=person, request=asked, how="seen", checked_by=by)
        check.save(force_insert=True)
        self._keep(self.of("asked"), 0, check, REGISTER)

    def _offer(self, by: Any) -> None:
        invitation = accounts.invite("someone@example.org", by=by, url=str, city="", allowed=True)
        row = AccountOffer(person=self.of("never").people[0], invitation=invitation)
        row.save(force_insert=True)
        self._keep(self.of("never"), 0, row, KEEPERS)

    def delete(self) -> None:
        """The file "deleted" goes, every row of it. The present connection is the worker's."""
        thing = self.of("deleted")
        persons = [person.pk for person in thing.people]
        with acting_as_system(), transaction.atomic(), connection.cursor() as cursor:
            tables = [
                model._meta.db_table
                for model in apps.get_models()
                if "person" in {column.name for column in model._meta.fields} and model is not Access
            ]
            # the projection follows every other table, and goes last
            for table in [*tables, "cases_access"]:
                cursor.execute(f"DELETE FROM {table} WHERE person_id = ANY(%s)", [persons])
            cursor.execute("DELETE FROM cases_person WHERE id = ANY(%s)", [persons])
            cursor.execute("DELETE FROM cases_household WHERE id = %s", [thing.household.pk])


#: what consent can never name
assert not any(classes & NEVER_SHARED for classes in CONSENTS.values())
