"""The access projection is what its rules give, whatever happens in whatever order: kept by triggers, recomputed here.

`truth` reads the tables that access is made from and says in Python who may see whom; nothing of `cases.policies` is
used for it but what a hash of two keys is.
"""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from parvis.accounts.rules import Denied
from parvis.cases.actions import caseload, moves, people, sharing
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import (
    Access,
    Agreement,
    BreakGlass,
    Consent,
    ConsentRecipient,
    DataRequest,
    Denial,
    Household,
    HouseholdMember,
    IdentityCheck,
    NamedAccess,
    Person,
    Withdrawal,
)
from parvis.cases.models.base import OFFICE
from parvis.directory.models import Service
from parvis.kit.acting import acting, acting_as_system
from parvis.orgs.actions import add_member, end_member
from parvis.orgs.models import Membership, Organization
from parvis.orgs.rules import forget_roles
from parvis.referrals.models import Referral
from tests.accounts.people import open_account
from tests.conftest import _use
from tests.proof.locks import as_owner

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")

#: what each reason to see somebody shows, as the design says it: the classes of data by their numbers
SHARING = ("sent", "seen", "needs_info", "waitlisted", "accepted", "started")
ALL = 8191
NEVER_SHARED = 2048 | 4096
OWN = ALL & ~NEVER_SHARED
NAMED = ALL & ~4096
SELF = ALL & ~(256 | 4096)
EVER, NEVER = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)

Line = tuple[Any, ...]


def of(account: uuid.UUID, organization: uuid.UUID) -> uuid.UUID:
    """An account as long as it works for the organization."""
    return uuid.UUID(hashlib.sha256(f"{account}{organization}".encode()).hexdigest()[:32])


def midnight(day: dt.date) -> dt.datetime:
    """When a day begins in the city."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(connection.tenant.timezone))


def truth(start: dt.datetime) -> list[Line]:
    """(person, household, grantee, basis, classes, writes, from, until) of whoever came since `start`, from the rules
    as written."""
    found: list[Line] = []
    agreements = list(Agreement.objects.all())
    back = set(Withdrawal.objects.values_list("consent_id", flat=True))
    checked = set(IdentityCheck.objects.values_list("request_id", flat=True))
    for person in Person.objects.filter(created_at__gte=start):
        member = HouseholdMember.objects.filter(person=person, until=None).select_related("household").first()
        home = member.household if member else None
        lines: list[Line] = []
        if not person.restricted:
            lines.append((person.holder_id, "own", OWN, True, EVER, NEVER))
        for worker in {home.lead_worker_id, home.backup_worker_id} - {None} if home else ():
            lines.append((of(worker, person.holder_id), "lead", ALL, True, EVER, NEVER))
        for recipient in ConsentRecipient.objects.filter(person=person).select_related("consent"):
            if recipient.consent_id in back:
                continue
            # a consent for referrals opens what they ask, to whom it was given, while they go on
            opened = [("consent", recipient.consent.classes)] * (not recipient.consent.by_referral)
            opened += [
                ("referral", referral.classes & recipient.consent.classes)
                for referral in Referral.objects.filter(
                    consent=recipient.consent_id, organization=recipient.organization_id, state__in=SHARING
                )
            ]
            for agreement in agreements:
                if agreement.organization_id == recipient.organization_id:
                    ends = [recipient.consent.until]
                    ends += [midnight(agreement.until + dt.timedelta(days=1))] if agreement.until else []
                    ends += [midnight(agreement.ended_on)] if agreement.ended_on else []
                    lines += [(recipient.organization_id, basis, classes, False, midnight(agreement.since), min(ends))
                              for basis, classes in opened]  # fmt: skip
        for named in NamedAccess.objects.filter(person=person, ended_at=None):
            lines.append((of(named.user_id, person.holder_id), "named", NAMED, True, EVER, named.until or NEVER))
        for glass in BreakGlass.objects.filter(person=person):
            until = min(glass.until, glass.ended_at or glass.until)
            lines.append((of(glass.user_id, OFFICE), "break_glass", NAMED, False, EVER, until))
        for request in DataRequest.objects.filter(person=person, state="open").exclude(handler=None):
            if request.pk in checked:
                lines.append((of(request.handler_id, OFFICE), "request", SELF, False, EVER, NEVER))
        if person.user_id:
            lines.append((person.user_id, "self", SELF, False, EVER, NEVER))
        found += [(person.pk, home and home.pk, *line) for line in lines if line[4] < line[5]]
    return found


def kept(start: dt.datetime) -> list[Line]:
    """The same, as the projection has it."""
    return [
        (row.person_id, row.household_id, row.grantee_id, row.basis, row.classes, row.writes, row.valid_from,
         row.valid_until) for row in Access.objects.filter(listed_at__gte=start)
    ]  # fmt: skip


def seen(lines: list[Line], user: Any, now: dt.datetime) -> dict[uuid.UUID, int]:
    """Person -> classes that this account sees now by those lines, its grantees and denials being worked out here."""
    stands_for = {user.pk}
    if user.office_role:
        stands_for.add(of(user.pk, OFFICE))
    if user.office_role == "agent":
        stands_for.add(OFFICE)
    for house in Membership.objects.filter(user=user, until=None).values_list("organization_id", flat=True):
        stands_for |= {house, of(user.pk, house)}
    shut = set(Denial.objects.filter(user=user, ended_at=None).values_list("person_id", flat=True))
    homes = {line[1] for line in lines if line[0] in shut and line[1]}
    found: dict[uuid.UUID, int] = {}
    for person, home, grantee, _basis, classes, _writes, since, until in lines:
        if grantee in stands_for and since <= now < until and person not in shut and home not in homes:
            found[person] = found.get(person, 0) | classes
    return found


def differences(town: "Town") -> list[str]:
    """Where the projection, or what an account sees through it, is not what the rules give."""
    users, start = town.users, town.start
    with transaction.atomic(), connection.cursor() as cursor:
        with acting_as_system():
            true, there = truth(start), kept(start)
            cursor.execute("SELECT now()")
            now = cursor.fetchone()[0]
            wanted = {user.pk: seen(true, user, now) for user in users}
        wrong = [f"missing {line}" for line in (Counter(true) - Counter(there))]
        wrong += [f"too much {line}" for line in (Counter(there) - Counter(true))]
        for user in users:
            found: dict[uuid.UUID, int] = {}
            with acting(user):
                for person, classes in Access.objects.filter(listed_at__gte=start).values_list("person_id", "classes"):
                    found[person] = found.get(person, 0) | classes
                visible = set(Person.objects.filter(created_at__gte=start).values_list("pk", flat=True))
            if found != wanted[user.pk]:
                wrong.append(f"{user.name} sees {found} and not {wanted[user.pk]}")
            if visible != {person for person, classes in wanted[user.pk].items() if classes & 1}:
                wrong.append(f"{user.name} reads other persons than the projection says")
    return wrong


# -- a town in which anything happens ----------------------------------------------------------------------------------

REFUSALS = (moves.Refused, moves.Conflict, sharing.Refused, Denied, ValueError)
#: where a trigger is gone, the database refuses what nobody seems to have a right to
LOST = (DatabaseError, ObjectDoesNotExist)


class Town:
    """Accounts and what may happen; every happening takes whatever it finds."""

    def __init__(self, deaf: bool = False) -> None:
        now = timezone.now()
        self.deaf, self.start = deaf, now
        self.happened: Counter[str] = Counter()
        self.houses = [Organization.objects.create(name=f"House {name}", changed_at=now) for name in "AB"]
        self.services = [
            Service.objects.create(name="Cours", organization=house, status="active", changed_at=now)
            for house in self.houses
        ]
        self.alice, self.dora = (open_account(name, "agent", password=None) for name in ("alice", "dora"))
        self.paul = open_account("paul", "privacy", password=None)
        self.bob, self.charlie, self.nour = (open_account(name, password=None) for name in ("bob", "charlie", "nour"))
        for user, house in zip((self.bob, self.charlie), self.houses, strict=True):
            add_member(user, house, "worker", "test")
        self.users = [self.alice, self.dora, self.paul, self.bob, self.charlie, self.nour]

    def do(self, what: str, by: Any, deed: Callable[[], Any]) -> None:
        """One deed as `by`; what is refused is undone and nothing has happened."""
        try:
            with acting(by), transaction.atomic():
                deed()
        except REFUSALS:
            self.happened["refused"] += 1
        except LOST:
            if not self.deaf:
                raise
            self.happened["refused"] += 1
        else:
            self.happened[what] += 1

    def pick(self, by: Any, model: Any, number: int, **wanted: Any) -> Any:
        """One of the town's rows that `by` sees; nothing happens where there is none."""
        rows = list(model.objects.filter(created_at__gte=self.start, **wanted).order_by("created_at", "pk"))
        if not rows:
            raise moves.Refused("none")
        return rows[number % len(rows)]


class Happenings(RuleBasedStateMachine):
    """Rules in any order, and after each the projection is compared."""

    town_made: Callable[[], Town] = Town
    happened: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.town = self.town_made()
        self.today = timezone.now().date()
        self.town.do("open", self.town.alice, lambda: self._open(OFFICE, 2, False, self.town.alice))

    def teardown(self) -> None:
        type(self).happened.update(self.town.happened)
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @invariant()
    def as_computed(self) -> None:
        type(self).happened["compared"] += 1
        wrong = differences(self.town)
        assert not wrong, "\n".join(wrong)

    def _open(self, holder: uuid.UUID, size: int, restricted: bool, by: Any) -> Household:
        members = [NewPerson("Amina"), *(NewPerson(f"Child {number}", relation="child") for number in range(size - 1))]
        return people.open_household(NewHousehold(holder, members, self.today, restricted=restricted), by=by)

    number = st.integers(0, 5)
    agent = st.sampled_from(["alice", "dora"])
    anybody = st.sampled_from(["alice", "dora", "paul", "bob", "charlie", "nour"])

    @rule(size=st.integers(1, 3), restricted=st.booleans(), agent=agent)
    def opens(self, size: int, restricted: bool, agent: str) -> None:
        by = getattr(self.town, agent)
        self.town.do("open", by, lambda: self._open(OFFICE, size, restricted, by))

    @rule(size=st.integers(1, 2))
    def opens_at_a_partner(self, size: int) -> None:
        self.town.do("open", self.town.bob, lambda: self._open(self.town.houses[0].pk, size, False, self.town.bob))

    @rule(home=number, person=number, agent=agent)
    def joins(self, home: int, person: int, agent: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            to, who = town.pick(by, Household, home), town.pick(by, Person, person)
            moves.carry_out(moves.join(by, to, who, "sibling", self.today), by=by, version=to.version)

        town.do("join", by, deed)

    @rule(home=number, agent=agent)
    def splits(self, home: int, agent: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            of = town.pick(by, Household, home)
            rows = [row for row in of.members.filter(until=None).order_by("created_at", "pk") if row.relation != "head"]
            if not rows:
                raise moves.Refused("alone")
            plan = moves.split(of, [rows[0].person_id], rows[0].person_id, self.today)
            moves.carry_out(plan, by=by, version=of.version)

        town.do("split", by, deed)

    @rule(home=number, agent=agent, state=st.sampled_from(["moved", "left", "deceased", "mistake"]))
    def leave(self, home: int, agent: str, state: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            of = town.pick(by, Household, home)
            last = of.members.filter(until=None).order_by("created_at", "pk").last()
            if last is None:
                raise moves.Refused("nobody")
            plan = moves.leave(of, [last.person_id], state, self.today)
            moves.carry_out(plan, by=by, version=of.version)

        town.do("leave", by, deed)

    @rule(home=number, agent=agent, lead=st.sampled_from(["alice", "dora", None]))
    def assigns(self, home: int, agent: str, lead: str | None) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            of = town.pick(by, Household, home)
            to = getattr(town, lead) if lead else None
            caseload.assign(of, lead=to, backup=None, next_contact_on=None, version=of.version, by=by)

        town.do("assign", by, deed)

    @rule(home=number, agent=agent, to=agent, stay=st.booleans())
    def hands_over(self, home: int, agent: str, to: str, stay: bool) -> None:
        town, by = self.town, getattr(self.town, agent)
        town.do("hand over", by, lambda: caseload.hand_over([town.pick(by, Household, home)], getattr(town, to), "",
                                                            stay=stay, by=by))  # fmt: skip

    @rule(home=number, agent=agent, restricted=st.booleans())
    def restricts(self, home: int, agent: str, restricted: bool) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            of = town.pick(by, Household, home)
            caseload.restrict(of, restricted, version=of.version, by=by)

        town.do("restrict", by, deed)

    @rule(home=number, agent=agent, who=anybody, days=st.sampled_from([None, -1, 30]))
    def names(self, home: int, agent: str, who: str, days: int | None) -> None:
        town, by = self.town, getattr(self.town, agent)
        until = None if days is None else timezone.now() + dt.timedelta(days=days)
        town.do("name", by, lambda: caseload.name_worker(town.pick(by, Household, home), getattr(town, who), until,
                                                         by=by))  # fmt: skip

    @rule(person=number, agent=agent, who=anybody)
    def names_for_one_person(self, person: int, agent: str, who: str) -> None:
        town, by = self.town, getattr(self.town, agent)
        town.do("name one", by, lambda: NamedAccess.objects.create(person=town.pick(by, Person, person),
                                                                   user=getattr(town, who), named_by=by))  # fmt: skip

    @rule(home=number, agent=agent, who=anybody)
    def ends_naming(self, home: int, agent: str, who: str) -> None:
        town, by = self.town, getattr(self.town, agent)
        town.do("unname", by, lambda: caseload.end_naming(town.pick(by, Household, home), getattr(town, who), by=by))

    @rule(home=number, agent=agent, who=anybody)
    def denies(self, home: int, agent: str, who: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            of = town.pick(by, Household, home)
            row = of.members.filter(until=None).order_by("created_at", "pk").first()
            if row is None:
                raise moves.Refused("nobody")
            caseload.deny(of, row.person, getattr(town, who), by=by)

        town.do("deny", by, deed)

    @rule(number=number, agent=agent)
    def ends_denial(self, number: int, agent: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            row = town.pick(by, Denial, number, ended_at=None)
            of = HouseholdMember.objects.get(person=row.person_id, until=None).household
            caseload.end_denial(of, row, by=by)

        town.do("end denial", by, deed)

    @rule(
        person=number, house=st.integers(0, 1), classes=st.sampled_from([1, 5, 87, OWN]), days=st.sampled_from([2, 300])
    )
    def consents(self, person: int, house: int, classes: int, days: int) -> None:
        town, by = self.town, self.town.alice

        def deed() -> None:
            who, now = town.pick(by, Person, person), timezone.now()
            consent = Consent.objects.create(
                person=who, purpose="referral", classes=classes, given_at=now, until=now + dt.timedelta(days=days),
                text_version="1", text_language="fr", channel="screen", express=True, recorded_by=by,
            )  # fmt: skip
            ConsentRecipient.objects.create(person=who, consent=consent, organization=town.houses[house])

        town.do("consent", by, deed)

    @rule(person=number, house=st.integers(0, 1), classes=st.sampled_from([5, 87]))
    def refers(self, person: int, house: int, classes: int) -> None:
        """With a consent for the referral alone, which may speak of less or more than the referral."""
        town, by = self.town, self.town.alice

        def deed() -> None:
            who, now, service = town.pick(by, Person, person), timezone.now(), town.services[house]
            consent = Consent.objects.create(
                person=who, purpose="referral", classes=21, given_at=now, until=now + dt.timedelta(days=30),
                text_version="1", text_language="fr", channel="screen", recorded_by=by, by_referral=True,
            )  # fmt: skip
            ConsentRecipient.objects.create(person=who, consent=consent, organization=town.houses[house])
            if not Referral.objects.filter(person=who, service=service, state__in=SHARING).exists():
                Referral.objects.create(
                    person=who, need=who.pk, domain="work", service=service, organization=town.houses[house],
                    sender_id=OFFICE, consent=consent, classes=classes, state="sent", sent_at=now,
                )  # fmt: skip

        town.do("refer", by, deed)

    @rule(number=number, state=st.sampled_from(["seen", "withdrawn"]))
    def goes_on_or_ends(self, number: int, state: str) -> None:
        town, by = self.town, self.town.alice

        def deed() -> None:
            row = town.pick(by, Referral, number, state="sent")
            row.state, row.reason = state, "elsewhere" if state == "withdrawn" else ""
            row.save(update_fields=["state", "reason"])

        town.do("go on", by, deed)

    @rule(number=number)
    def withdraws(self, number: int) -> None:
        town, by = self.town, self.town.alice
        town.do("withdraw", by, lambda: sharing.withdraw(town.pick(by, Consent, number), channel="screen", by=by))

    @rule(house=st.integers(0, 1), until=st.sampled_from([None, 0, 20]))
    def agrees(self, house: int, until: int | None) -> None:
        town, by = self.town, self.town.paul
        last = None if until is None else self.today + dt.timedelta(days=until)
        since = self.today - dt.timedelta(days=3)
        town.do("agree", by, lambda: sharing.agree(town.houses[house], since=since, until=last, by=by))

    @rule(number=number)
    def ends_agreement(self, number: int) -> None:
        town, by = self.town, self.town.paul
        town.do("end agreement", by, lambda: sharing.end_agreement(self._agreement(number), by=by))

    def _agreement(self, number: int) -> Agreement:
        rows = list(Agreement.objects.order_by("since", "pk"))
        if not rows:
            raise moves.Refused("none")
        return rows[number % len(rows)]

    @rule(person=number, agent=agent, hours=st.sampled_from([-1, 3]))
    def breaks_glass(self, person: int, agent: str, hours: int) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            with acting_as_system():
                who = town.pick(by, Person, person)
            now = timezone.now()
            at, until = now - dt.timedelta(hours=2), now + dt.timedelta(hours=hours)
            # without the projection's own row the database would not give it back
            BreakGlass(person_id=who.pk, user=by, reason="danger", at=at, until=until).save(force_insert=True)

        town.do("break glass", by, deed)

    @rule(number=number, agent=agent)
    def ends_glass(self, number: int, agent: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            row = town.pick(by, BreakGlass, number, user=by)
            row.ended_at = timezone.now()
            row.save(update_fields=["ended_at"])

        town.do("end glass", by, deed)

    @rule(person=number, agent=agent)
    def asks(self, person: int, agent: str) -> None:
        town, by = self.town, getattr(self.town, agent)

        def deed() -> None:
            who = town.pick(by, Person, person)
            row = DataRequest.objects.create(person=who, kind="access", received_on=self.today, due_on=self.today,
                                             channel="letter", recorded_by=by, handler=town.paul)  # fmt: skip
            IdentityCheck.objects.create(person=who, request=row, how="seen", checked_by=by)

        town.do("ask", by, deed)

    @rule(number=number)
    def answers(self, number: int) -> None:
        town, by = self.town, self.town.paul

        def deed() -> None:
            row = town.pick(by, DataRequest, number, state="open")
            row.state, row.answered_on, row.answer = "answered", self.today, "sent"
            row.save()

        town.do("answer", by, deed)

    @rule(person=number)
    def links(self, person: int) -> None:
        town, by = self.town, self.town.alice
        town.do("link", by, lambda: sharing.link_account(town.pick(by, Person, person), town.nour, by=by))

    @rule(person=number)
    def unlinks(self, person: int) -> None:
        town, by = self.town, self.town.alice
        town.do("unlink", by, lambda: sharing.unlink_account(town.pick(by, Person, person), by=by))

    @rule(house=st.integers(0, 1))
    def joins_or_leaves_an_organization(self, house: int) -> None:
        town = self.town
        present = Membership.objects.filter(user=town.bob, organization=town.houses[house], until=None).first()
        if present:
            town.do("end member", town.alice, lambda: end_member(present, by="test"))
        else:
            town.do("add member", town.alice, lambda: add_member(town.bob, town.houses[house], "worker", "test"))
        forget_roles(town.bob)  # each request reads its account anew


@pytest.fixture
def worker(proof_city: Any, django_db_blocker: Any) -> Iterator[Any]:
    """The worker's role: it acts for whoever it says, and as the system it reads all."""
    with django_db_blocker.unblock():
        database = connection.settings_dict["NAME"]
        _use("worker", database)
        connection.set_tenant(proof_city)
        yield proof_city
        _use("app", database)
        connection.set_schema_to_public()


def _run(examples: int, steps: int, figure: Figure) -> None:
    class Machine(Happenings):
        happened: Counter[str] = Counter()

    lives = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    run_state_machine_as_test(Machine, settings=lives)
    deeds = {what: number for what, number in Machine.happened.items() if what not in ("compared", "refused")}
    kinds = len(deeds)
    figure(comparisons=Machine.happened["compared"], deeds=sum(deeds.values()), kinds=kinds,
           refused=Machine.happened["refused"], differences=0)  # fmt: skip
    assert kinds > 5


def test_the_projection_is_what_the_rules_give(worker: Any, figure: Figure) -> None:
    _run(5, 12, figure)


@pytest.mark.long
def test_the_projection_is_what_the_rules_give_in_long_lives(worker: Any, figure: Figure) -> None:
    _run(120, 40, figure)


# -- controls ----------------------------------------------------------------------------------------------------------

SOURCES = (
    "cases_person", "cases_household", "cases_householdmember", "cases_consentrecipient", "cases_withdrawal",
    "cases_agreement", "cases_namedaccess", "cases_breakglass", "cases_datarequest", "cases_identitycheck",
    "referrals_referral",
)  # fmt: skip


@contextmanager
def deaf(city: Any, table: str) -> Iterator[None]:
    """Without the trigger of one table."""
    as_owner(city, f"ALTER TABLE {table} DISABLE TRIGGER access_changed", role="worker")
    try:
        yield
    finally:
        as_owner(city, f"ALTER TABLE {table} ENABLE TRIGGER access_changed", role="worker")


def _life(*, deaf: bool = False) -> list[str]:
    """One of each deed, in an order in which none is refused; returns the differences after it."""

    class Life(Happenings):
        town_made = staticmethod(lambda: Town(deaf))

    story = Life()
    town = story.town
    wrong: list[str] = []
    try:
        for deed, *given in _DEEDS:
            getattr(story, deed)(*given)
            # after each: a later deed mends what an earlier one left undone
            wrong += differences(town)
        assert deaf or not town.happened["refused"], town.happened
        # with all triggers nothing is refused: what is refused now, is for want of one
        return wrong + ["refused"] * town.happened["refused"]
    finally:
        story.teardown()


_DEEDS: list[tuple[Any, ...]] = [
    ("agrees", 0, None),
    ("consents", 0, 0, 5, 300),
    ("consents", 0, 1, 5, 300),
    ("agrees", 1, None),
    ("refers", 0, 0, 87),
    ("goes_on_or_ends", 0, "withdrawn"),
    ("withdraws", 0),
    ("assigns", 0, "alice", "dora"),
    ("names_for_one_person", 0, "alice", "bob"),
    ("breaks_glass", 0, "dora", 3),
    ("asks", 0, "alice"),
    ("answers", 0),
    ("links", 0),
    ("splits", 0, "alice"),
]


@pytest.mark.parametrize("table", [None, *SOURCES])
def test_a_trigger_that_is_gone_is_noticed(worker: Any, table: str | None) -> None:
    if table is None:
        assert _life() == [], "with all of them nothing differs"
        return
    with deaf(worker, table):
        assert _life(deaf=True)
