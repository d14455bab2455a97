"""Referrals from need to the person's own word, and every unhappy way; what each side sees of it, in the database."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from parvis.accounts.rules import Denied
from parvis.cases import consent_texts
from parvis.cases.actions import sharing
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.actions.sharing import Terms
from parvis.cases.models import Consent, Person
from parvis.core.access import DataClass
from parvis.core.referral import Party
from parvis.directory.models import Service
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.referrals import actions, queries
from parvis.referrals.actions import Asked, Full, Word
from parvis.referrals.models import Place, Reason, Referral, ReferralChange, ServiceIntake, State, Way
from tests.accounts.people import open_account
from tests.appointments.story import people
from tests.cases.story import AMINA, YOUSSEF, agree, opened, partner, seen_by

R, S, P = Party.RECIPIENT, Party.SENDER, Party.PERSON
SHARED = DataClass.IDENTITY | DataClass.CONTACT


class Story:
    """Alice refers Amina to a service of Bob's organization; Charlie works elsewhere."""

    def __init__(self) -> None:
        self.alice = open_account("alice", "agent")
        self.house, self.bob = partner("Bob")
        self.other, self.charlie = partner("Charlie")
        agree(self.house)
        now = timezone.now()
        self.service, self.second = (
            Service.objects.create(name=name, organization=house, status="active", changed_at=now)
            for name, house in (("Cours", self.house), ("Atelier", self.other))
        )
        home = opened(self.alice, AMINA, YOUSSEF)
        self.amina = people(home, self.alice)[0]

    def terms(self, classes: int = SHARED.value, by_referral: bool = True) -> Terms:
        return Terms(
            [self.house], classes, "referral", consent_texts.versions()[0], "ar", "screen", by_referral=by_referral
        )

    def send(self, **more: Any) -> Referral:
        """With her consent, given now."""
        with acting(self.alice), transaction.atomic():
            asked = Asked(self.service, "language", SHARED.value, **more)
            return actions.send(self.amina, asked, by=self.alice, terms=self.terms())

    def say(
        self, found: Referral, state: str, reason: str = "", *, by: Any = None, party: Party = R, **more: Any
    ) -> Any:
        by = by or (self.bob if party is R else self.alice)
        way, version = more.pop("way", Way.USER), more.pop("version", None)
        with acting(by), transaction.atomic():
            return actions.say(found, Word(state, reason, **more), by=by, party=party, way=way, version=version)

    def now(self, found: Referral) -> Referral:
        with acting(self.alice):
            return Referral.objects.get(pk=found.pk)


@pytest.fixture
def story(city: Any) -> Story:
    return Story()


def test_from_need_to_the_persons_own_word(story: Story) -> None:
    found = story.send(urgent=True, text="Lundi soir")
    assert seen_by(story.bob) == [AMINA.name] and seen_by(story.charlie) == []
    with acting(story.bob), transaction.atomic():
        (line,) = queries.listed(story.bob, "waiting")
        assert line.who == AMINA.name and queries.story(story.bob, line.referral).text == "Lundi soir"
    for state in (State.ACCEPTED, State.STARTED, State.SERVED):
        found = story.say(found, state)
    assert found.outcome == State.SERVED and found.seen_at and found.answered_at and found.started_at and found.ended_at
    # the share has ended with it; the row stays, and names nobody
    assert seen_by(story.bob) == []
    with acting(story.bob), transaction.atomic():
        (line,) = queries.listed(story.bob, "over")
        assert line.who == "" and queries.story(story.bob, line.referral).text == ""
    # the provider's outcome is not the person's word
    with pytest.raises(Denied):
        story.say(found, State.CONFIRMED, party=P, by=story.bob)
    newcomer = open_account("amina")
    with acting(story.alice):
        sharing.link_account(story.amina, newcomer, by=story.alice)
    found = story.say(found, State.DISPUTED, party=P, by=newcomer)
    assert found.helped is False and found.outcome == State.SERVED
    found = story.say(found, State.PARTLY_SERVED, Reason.FUNDS)
    for way in (Way.PERSON, Way.USER):
        with pytest.raises(Denied):
            story.say(found, State.CONFIRMED, party=P, by=story.bob, way=way)
    found = story.say(found, State.CONFIRMED, party=P, by=newcomer)
    assert found.helped is True and found.outcome == State.PARTLY_SERVED
    with pytest.raises(Refused):
        story.say(found, State.SERVED)
    with acting(story.alice):
        after = list(
            ReferralChange.objects.filter(referral=found).order_by("at", "created_at").values_list("after", flat=True)
        )
        told = list(Event.objects.filter(code__startswith="referrals.").order_by("pk").values_list("code", flat=True))
    assert after == ["sent", "seen", "accepted", "started", "served", "disputed_by_client", "partly_served",
                     "confirmed_by_client"]  # fmt: skip
    assert told == [f"referrals.{state}" for state in after if state != "seen"]


def test_a_consent_for_a_referral_opens_nothing_else(story: Story) -> None:
    found = story.send()
    with acting(story.alice):
        assert Consent.objects.get(pk=found.consent_id).by_referral
    story.say(found, State.DECLINED, Reason.TOO_FAR)
    assert seen_by(story.bob) == [], "the consent holds, the referral does not"
    with acting(story.alice), transaction.atomic():
        sharing.give_consent(story.amina, story.terms(by_referral=False), by=story.alice)
    assert seen_by(story.bob) == [AMINA.name], "the control: one for more opens the file"


def test_without_consent_nobody_is_named(story: Story) -> None:
    with acting(story.alice), transaction.atomic():
        with pytest.raises(Refused):
            actions.send(story.amina, Asked(story.service, "language", SHARED.value), by=story.alice)
        found = actions.send(story.amina, Asked(story.service, "language", text="Lundi"), by=story.alice)
    assert seen_by(story.bob) == []
    with acting(story.bob), transaction.atomic():
        (line,) = queries.listed(story.bob, "waiting")
        told = queries.story(story.bob, line.referral)
        assert line.who == "" and told.text == "" and line.referral.language == "ar"
    with pytest.raises(Refused):
        story.say(found, State.DECLINED, Reason.OTHER, text="Plein")
    assert story.say(found, State.ACCEPTED).state == State.ACCEPTED


def test_who_is_not_asked_finds_nothing(story: Story) -> None:
    found = story.send()
    with acting(story.charlie), transaction.atomic():
        assert not Referral.objects.exists() and not ReferralChange.objects.exists()
        assert not queries.visible(story.charlie).exists() and queries.listed(story.charlie, "waiting") == []
    for party in Party:
        with pytest.raises((Denied, Referral.DoesNotExist)):
            story.say(found, State.ACCEPTED, by=story.charlie, party=party)


@pytest.mark.parametrize("state", ["withdrawn", "confirmed_by_client", "expired", "served", "draft"])
def test_the_database_holds_what_may_follow(story: Story, state: str) -> None:
    """Without the code's own lock: the recipient writes SQL. The control is a state that may follow."""
    found = story.send()
    with acting(story.bob), transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            Referral.objects.filter(pk=found.pk).update(state=state, reason="other")
        assert Referral.objects.filter(pk=found.pk).update(state="seen") == 1
    for column, value in (("organization", story.other), ("service", story.second), ("sender_id", story.other.pk)):
        with acting(story.alice), pytest.raises(IntegrityError), transaction.atomic():
            Referral.objects.filter(pk=found.pk).update(**{column: value})


def test_once_at_a_time(story: Story) -> None:
    found = story.send()
    with pytest.raises(Refused):
        story.send()
    story.say(found, State.WITHDRAWN, Reason.ELSEWHERE, party=S)
    assert story.send().state == State.SENT


def test_answers_need_their_reasons(story: Story) -> None:
    found = story.send()
    for reason, text in (("", ""), ("no_show", ""), ("other", " ")):
        with pytest.raises(Refused):
            story.say(found, State.DECLINED, reason, text=text)
    found = story.say(found, State.NEEDS_INFO, text="Quel niveau ?")
    found = story.say(found, State.SEEN, party=S, text="Débutante")
    with acting(story.bob), transaction.atomic():
        assert [each.text for each in queries.story(story.bob, found).said if each.text] == [
            "Quel niveau ?",
            "Débutante",
        ]
    stale = story.now(found)
    story.say(found, State.DECLINED, Reason.OTHER, text="Complet jusqu’en mars")
    with pytest.raises(Conflict):
        story.say(stale, State.ACCEPTED, version=stale.version)


def test_by_telephone_the_desk_types_it_in_their_name(story: Story) -> None:
    found = story.send()
    with pytest.raises(Refused):
        story.say(found, State.ACCEPTED, by=story.alice, way=Way.TELEPHONE)
    with pytest.raises(Denied):
        story.say(found, State.ACCEPTED, by=story.bob, way=Way.TELEPHONE, spoken_with="Moi")
    found = story.say(found, State.ACCEPTED, by=story.alice, way=Way.TELEPHONE, spoken_with="Mme Roy")
    with acting(story.alice), transaction.atomic():
        last = ReferralChange.objects.filter(referral=found).latest("created_at")
        assert (last.way, last.speaks_for, last.spoken_with) == (Way.TELEPHONE, story.house.pk, "Mme Roy")


def test_places_are_held_taken_and_given_back(story: Story) -> None:
    with acting(story.bob), transaction.atomic():
        actions.say_places(story.service, 1, by=story.bob)
    first = story.send()
    assert first.place == Place.HELD
    with acting(story.alice), transaction.atomic():
        second = actions.send(people_of(story)[1], Asked(story.service, "language"), by=story.alice)
    assert second.place == Place.NONE
    with pytest.raises(Full):
        story.say(second, State.ACCEPTED)
    second = story.say(second, State.WAITLISTED, Reason.NO_CAPACITY)
    with acting(story.bob), transaction.atomic():
        assert queries.position(second) == 1
        with pytest.raises(Refused):
            actions.say_places(story.service, 0, by=story.bob)
    first = story.say(first, State.ACCEPTED)
    assert (first.place, places(story)) == (Place.TAKEN, (1, 0))
    first = story.say(story.say(first, State.STARTED), State.SERVED)
    assert (first.place, places(story)) == (Place.NONE, (0, 0))
    assert story.say(second, State.ACCEPTED).place == Place.TAKEN
    with pytest.raises(Denied), acting(story.charlie), transaction.atomic():
        actions.say_places(story.service, 5, by=story.charlie)


def people_of(story: Story) -> list[Person]:
    with acting(story.alice):
        return list(Person.objects.order_by("created_at"))


def places(story: Story) -> tuple[int, int]:
    row = ServiceIntake.objects.get(service=story.service)
    return row.taken, row.held


def test_a_consent_taken_back_ends_what_waits_and_closes_what_is_under_way(story: Story) -> None:
    waiting = story.send()
    with acting(story.alice), transaction.atomic():
        sharing.withdraw(waiting.consent, channel="spoken", by=story.alice)
        waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.WITHDRAWN, Reason.CONSENT) and seen_by(story.bob) == []
    going = story.say(story.send(), State.ACCEPTED)
    assert seen_by(story.bob) == [AMINA.name]
    with acting(story.alice), transaction.atomic():
        sharing.withdraw(going.consent, channel="spoken", by=story.alice)
        going.refresh_from_db()
    assert going.state == State.ACCEPTED and seen_by(story.bob) == []


def test_clocks_run_out_and_nothing_is_closed_silently(story: Story) -> None:
    found = story.send(urgent=True)
    assert found.seen_due_at < found.decision_due_at < found.expires_at and found.next_due_at == found.seen_due_at
    with acting(story.alice):  # the worker does it as the system: see tests/kit/test_worker.py
        assert actions.run_clocks(found.sent_at) == {"overdue": 0, "expired": 0}
        assert actions.run_clocks(found.seen_due_at) == {"overdue": 1, "expired": 0}
        assert actions.run_clocks(found.seen_due_at) == {"overdue": 0, "expired": 0}, "told once"
        assert Referral.objects.get(pk=found.pk).next_due_at == found.decision_due_at
        told = actions.run_clocks(found.expires_at + dt.timedelta(seconds=1))
        now = Referral.objects.get(pk=found.pk)
    assert told == {"overdue": 1, "expired": 1} and (now.state, now.reason) == (State.EXPIRED, Reason.SILENCE)
    assert seen_by(story.bob) == [] and now.next_due_at is None


def test_nothing_is_read_without_a_context(story: Story) -> None:
    story.send()
    with connection.cursor() as cursor, pytest.raises(Exception, match="context"), transaction.atomic():
        cursor.execute("SET LOCAL parvis.context = ''")
        cursor.execute("SELECT count(*) FROM referrals_referral")
