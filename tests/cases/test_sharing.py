"""Consent, withdrawal, refusal, agreements: what is recorded, who sees what of it, and what the database refuses."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from parvis.cases import consents, queries
from parvis.cases.actions import sharing
from parvis.cases.actions.sharing import Terms, Wrong
from parvis.cases.consents import State
from parvis.cases.models import Consent, Finding, Household, Person
from parvis.cases.models.sharing import Channel
from parvis.cases.showing import sections
from parvis.core.access import SELF, SENSITIVE, SHAREABLE, DataClass
from parvis.kit.acting import acting
from parvis.ledger.models import Event
from parvis.orgs.models import Organization
from tests.accounts.people import open_account
from tests.cases.story import AMINA, TODAY, YOUSSEF, agree, opened, partner

NAME, HOME, REACH = DataClass.IDENTITY, DataClass.HOUSEHOLD, DataClass.CONTACT


@pytest.fixture
def alice(city: Any) -> Any:
    return open_account("alice", "agent")


@pytest.fixture
def home(alice: Any) -> Household:
    return opened(alice, AMINA, YOUSSEF)


def person(home: Household, name: str = AMINA.name, *, by: Any) -> Person:
    with acting(by):
        return Person.objects.get(name=name)


def terms(*organizations: Organization, **more: Any) -> Terms:
    given = {
        "organizations": organizations, "classes": int(NAME | REACH), "purpose": "referral", "text_version": "2026-1",
        "text_language": "ar", "channel": Channel.SCREEN,
    }  # fmt: skip
    return Terms(**{**given, **more})


def give(who: Person, *organizations: Organization, by: Any, **more: Any) -> Consent:
    with acting(by):
        return sharing.give_consent(who, terms(*organizations, **more), by=by)


def shared_with(viewer: Any) -> list[str]:
    with acting(viewer):
        return [found.person.name for found in consents.shared(viewer)]


# -- what is recorded --------------------------------------------------------------------------------------------------


def test_a_consent_holds_twelve_months_and_says_on_which_text(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    given = give(person(home, by=alice), house, by=alice)
    assert dt.timedelta(days=364) < given.until - given.given_at < dt.timedelta(days=366)
    assert (given.text_version, given.text_language, given.recorded_by) == ("2026-1", "ar", alice)
    assert shared_with(bob) == [AMINA.name]
    with acting(alice):
        told = Event.objects.get(code="cases.consent.given")
    assert told.object_id == given.person_id and told.after == {"consent": str(given.pk)}, "keys, never what was agreed"


def test_who_does_not_keep_the_file_records_nothing(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    amina = person(home, by=alice)
    given = give(amina, house, by=alice)
    for stranger in (bob, open_account("dan"), open_account("carl", "coordinator")):
        with acting(stranger):
            for attempt in (
                lambda by=stranger: sharing.give_consent(amina, terms(house), by=by),
                lambda by=stranger: sharing.withdraw(given, channel="screen", by=by),
                lambda by=stranger: sharing.refuse([amina], [house], by=by),
                lambda by=stranger: sharing.link_account(amina, bob, by=by),
                lambda by=stranger: sharing.agree(house, since=TODAY, by=by),
            ):
                with pytest.raises(PermissionDenied), transaction.atomic():
                    attempt()


YESTERDAY = timezone.now() - dt.timedelta(days=1)
#: what is asked -> the field that answers
IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "spoken without a witness": ({"channel": "spoken"}, "witness"),
    "spoken before spaces": ({"channel": "spoken", "witness": "  "}, "witness"),
    "sensitive without express": ({"classes": int(NAME | DataClass.HEALTH)}, "express"),
    "until in the past": ({"until": YESTERDAY}, "until"),
    "until in thirty years": ({"until": timezone.now() + dt.timedelta(days=11000)}, "until"),
    "a class that there is not": ({"classes": int(NAME) | 1 << 20}, "classes"),
    "a hidden address": ({"classes": int(NAME | DataClass.HIDDEN_ADDRESS)}, "classes"),
    "without the name": ({"classes": int(REACH)}, "classes"),
    "an unknown purpose": ({"purpose": "curiosity"}, "purpose"),
    "an unknown channel": ({"channel": "telepathy"}, "channel"),
    "a text that there is not": ({"text_version": "0"}, "text_language"),
    "a language without text": ({"text_language": "ti"}, "text_language"),
    "nobody to share with": ({"organizations": ()}, "organizations"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_can_not_be_agreed_is_said_at_its_field(alice: Any, home: Household, case: str) -> None:
    house, _bob = partner("bob")
    agree(house)
    wrong, field = IMPOSSIBLE[case]
    with pytest.raises(Wrong) as told:
        give(person(home, by=alice), house, by=alice, **wrong)
    assert list(told.value.problems) == [field] and str(told.value.problems[field])
    give(person(home, by=alice), house, by=alice)  # the control: without it, it is written


#: the same, past the action: column values -> the constraint of the database that stops them
BY_HAND: dict[str, tuple[dict[str, Any], str]] = {
    "spoken without a witness": ({"channel": "spoken"}, "cases_consent_witness"),
    "sensitive without express": ({"classes": 1 | 64}, "cases_consent_express"),
    "until in the past": ({"until": YESTERDAY}, "cases_consent_until"),
    "a class that there is not": ({"classes": 1 | 1 << 20}, "cases_consent_shareable"),
    "a hidden address": ({"classes": 1 | 2048}, "cases_consent_shareable"),
    "without the name": ({"classes": 4}, "cases_consent_names_the_person"),
    "an unknown purpose": ({"purpose": "curiosity"}, "cases_consent_purpose"),
    "an unknown channel": ({"channel": "x"}, "cases_consent_channel"),
    "no text": ({"text_version": ""}, "cases_consent_text"),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_the_database_refuses_it_too(alice: Any, home: Household, case: str) -> None:
    amina, now = person(home, by=alice), timezone.now()
    right: dict[str, Any] = {
        "person": amina, "purpose": "referral", "classes": 1, "given_at": now, "until": now + dt.timedelta(days=9),
        "text_version": "2026-1", "text_language": "ar", "channel": "screen",
    }  # fmt: skip
    wrong, constraint = BY_HAND[case]
    with acting(alice):
        Consent.objects.create(**right)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Consent.objects.create(**{**right, **wrong})


@pytest.mark.parametrize("table", ["cases_consent", "cases_consentrecipient", "cases_withdrawal"])
def test_rows_are_added_and_never_changed(alice: Any, home: Household, table: str) -> None:
    """By grants for the app role; by a trigger for whoever has them, the owner of the tables too."""
    house, _bob = partner("bob")
    agree(house)
    given = give(person(home, by=alice), house, by=alice)
    with acting(alice):
        sharing.withdraw(given, channel="screen", by=alice)
        for statement in (f"UPDATE {table} SET person_id = person_id", f"DELETE FROM {table}"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                connection.cursor().execute(statement)


@pytest.mark.parametrize("table", ["cases_consent", "cases_consentrecipient", "cases_withdrawal"])
def test_the_trigger_stops_who_has_the_grant(city: Any, table: str) -> None:
    import psycopg
    from psycopg.conninfo import make_conninfo

    from tests.conftest import URLS

    with psycopg.connect(make_conninfo(URLS.owner, dbname=connection.settings_dict["NAME"])) as owner:
        owner.execute(f"SET search_path = {city.schema_name}, public")
        found = owner.execute(
            "SELECT tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'access_keep'"
            " AND tgrelid = %s::regclass", [table],
        ).fetchone()  # fmt: skip
        assert found and found[0] == "O" and "BEFORE DELETE OR UPDATE" in found[1]
        # a table with the same trigger: the owner inserts, and can't change what is there
        owner.execute("CREATE TEMP TABLE kept (id int)")
        owner.execute(
            "CREATE TRIGGER access_keep BEFORE UPDATE OR DELETE ON kept FOR EACH ROW EXECUTE FUNCTION access_keep()"
        )
        owner.execute("INSERT INTO kept VALUES (1)")
        for statement in ("UPDATE kept SET id = 2", "DELETE FROM kept"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"), owner.transaction():
                owner.execute(statement)
        owner.execute("ALTER TABLE kept DISABLE TRIGGER access_keep")
        assert owner.execute("UPDATE kept SET id = 2").rowcount == 1, "the control: the trigger it is that refuses"
        owner.rollback()


@pytest.mark.parametrize("moment, day", [("2026-06-02T03:30Z", 1), ("2026-06-02T04:30Z", 2)])
def test_agreements_begin_and_end_by_the_citys_day(
    moment: str, day: int, city: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime.fromisoformat(moment))
    assert consents.today() == dt.date(2026, 6, day), "Montréal is four hours behind UTC in June"


def test_without_an_agreement_nothing_is_recorded_and_after_its_end_nothing_is_open(
    alice: Any, home: Household
) -> None:
    today = consents.today()  # agreements begin and end by it
    house, bob = partner("bob")
    amina, paul = person(home, by=alice), open_account("paul", "privacy")
    with pytest.raises(Wrong, match="Maison bob"):
        give(amina, house, by=alice)
    with acting(paul):
        held = sharing.agree(house, since=today, by=paul)
        with pytest.raises(Wrong), transaction.atomic():
            sharing.agree(house, since=today, by=paul)
    give(amina, house, by=alice)
    assert shared_with(bob) == [AMINA.name]
    with acting(paul):
        sharing.end_agreement(held, by=paul)
        with pytest.raises(Wrong):
            sharing.end_agreement(held, by=paul)
    assert shared_with(bob) == []
    with acting(alice):
        (told,) = consents.of_person(alice, amina.pk)
        assert told.state == State.NO_AGREEMENT and not told.recipients[0].agreed
    with acting(paul):
        sharing.agree(house, since=today, until=today + dt.timedelta(days=30), by=paul)
        states = {one.agreement.pk: one.state for one in consents.agreements(paul)}
    assert sorted(states.values()) == ["ending", "over"]
    assert shared_with(bob) == [AMINA.name], "the consent stayed: it holds again"


def test_withdrawal_closes_at_once_and_only_once(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    amina = person(home, by=alice)
    given = give(amina, house, by=alice)
    with acting(alice):
        sharing.withdraw(given, channel="spoken", reason="changed her mind", by=alice)
        with pytest.raises(Wrong) as told, transaction.atomic():
            sharing.withdraw(given, channel="spoken", by=alice)
        assert list(told.value.problems) == [""]
        assert [one.state for one in consents.of_person(alice, amina.pk)] == [State.WITHDRAWN]
    assert shared_with(bob) == []
    with acting(bob):
        assert consents.of_person(bob, amina.pk) == [], "the reason is no business of who no longer sees her"


# -- children ----------------------------------------------------------------------------------------------------------


def test_for_a_child_a_parent_agrees(alice: Any, home: Household) -> None:
    house, _bob = partner("bob")
    agree(house)
    amina, child = person(home, by=alice), person(home, YOUSSEF.name, by=alice)
    opened(alice, type(AMINA)("Stranger", birth_year=1980))
    stranger = person(home, "Stranger", by=alice)
    with acting(alice):
        for parent in (None, child, stranger):
            with pytest.raises(Wrong) as told:
                sharing.give_consents([amina, child], terms(house), by=alice, given_by=parent)
            assert list(told.value.problems) == ["given_by"]
        made = sharing.give_consents([amina, child], terms(house), by=alice, given_by=amina)
    assert [one.given_by for one in made] == [None, amina]


@pytest.mark.parametrize(
    ("born", "needs"), [(2012, True), (2011, False), (2006, False), (None, False), (2013, True)]
)  # fmt: skip
def test_who_may_be_below_fourteen_is_asked_for_a_parent(born: int | None, needs: bool) -> None:
    today = dt.date(2026, 11, 23)
    assert sharing.needs_parent(Person(name="x", birth_year=born), today) is needs


# -- who knows what ----------------------------------------------------------------------------------------------------


def test_a_recipient_sees_exactly_what_was_agreed_and_not_the_other_recipients(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    port, charlie = partner("charlie")
    agree(house), agree(port)
    amina = person(home, by=alice)
    give(amina, house, port, by=alice, classes=int(NAME | HOME))
    give(amina, port, by=alice, classes=int(NAME | DataClass.NEEDS))
    with acting(alice):
        Finding.objects.create(person=amina, domain="work", kind="strength", noted_on=TODAY)
        assert len(consents.of_person(alice, amina.pk)) == 2
        foreseen = {
            org.pk: sections(alice, amina, held[amina.pk], company=[pk for pk, c in held.items() if c & HOME])
            for org in (house, port)
            for held in [consents.agreed(alice, [amina.pk], org.pk)]
        }
    for viewer, org, codes in (
        (bob, house, ["identity", "household"]),
        (charlie, port, ["identity", "household", "needs"]),
    ):
        with acting(viewer):
            (found,) = consents.shared(viewer)
            seen = sections(viewer, found.person, found.classes)
            assert [one.code for one in seen] == codes
            assert seen == foreseen[org.pk], "the preview shows what they see, line by line"
            for told in consents.of_person(viewer, amina.pk):
                assert [to.organization for to in told.recipients] == [org]
            assert consents.refusals(viewer, amina.pk) == [] and consents.looks(viewer, amina.pk) == []
    with acting(bob):
        everything = sections(bob, found.person, SHAREABLE)
        assert [one.code for one in everything if one.facts] == ["identity", "household"], (
            "asking for more gives no more"
        )


def test_the_queries_are_right_without_the_database(alice: Any, home: Household, monkeypatch: Any) -> None:
    """The code's own lock: what the policies would hide is handed to the queries, and they still tell nothing."""
    house, bob = partner("bob")
    port, charlie = partner("charlie")
    agree(house), agree(port)
    amina = person(home, by=alice)
    given = give(amina, house, by=alice)
    with acting(alice):  # the database shows what alice may see; the code is asked for the others
        assert [told.consent for told in consents.of_person(alice, amina.pk)] == [given]
        assert consents.of_person(charlie, amina.pk) == [] and consents.of_person(bob, amina.pk) == []
        assert consents.agreed(charlie, [amina.pk], house.pk) == {}
        assert consents.own(charlie) is None and consents.shared(charlie) == []


def test_a_refusal_is_noted_and_opens_nothing(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    amina = person(home, by=alice)
    with acting(alice):
        sharing.refuse([amina], [house], by=alice)
        (told,) = consents.refusals(alice, amina.pk)
    assert told["organizations"] == ["Maison bob"] and told["by"] == alice
    assert Consent.objects.none().count() == 0 and shared_with(bob) == []


# -- the person's own sign-in ------------------------------------------------------------------------------------------


def invited(alice: Any, who: Person, email: str = "amina@example.org") -> str:
    """The key of the link that the invitation's mail holds."""
    keys: list[str] = []
    with acting(alice):
        sharing.invite_person(
            who, email, by=alice, url=lambda key: keys.append(key) or "https://x", city="Montréal", language="ar"
        )
    return keys[0]


def test_an_invitation_links_the_account_when_it_is_accepted(alice: Any, home: Household) -> None:
    from parvis.accounts import actions as accounts
    from parvis.kit.acting import acting_as_nobody

    amina = person(home, by=alice)
    first, second = invited(alice, amina), invited(alice, amina)
    with acting_as_nobody():
        with pytest.raises(accounts.Refused):
            accounts.accept(first, name="A", password="une grande maison")  # the older link is dead
        user = accounts.accept(second, name="A", password="une grande maison", language="ar")
    with acting(alice):
        amina.refresh_from_db()
    assert amina.user == user
    with acting(user):
        assert consents.own(user) == amina
        assert queries.page(user) == [] and not queries.may_write(user, amina.pk)
        told = sections(user, amina, SELF)
        assert {"identity", "household"} <= {one.code for one in told if one.facts}
    with acting(alice):
        assert Event.objects.filter(code="cases.person.account_linked", object_id=amina.pk).exists()


def test_an_invitation_of_who_has_left_links_nothing(alice: Any, home: Household) -> None:
    from parvis.accounts import actions as accounts
    from parvis.kit.acting import acting_as_nobody

    amina = person(home, by=alice)
    key = invited(alice, amina)
    accounts.change_role(alice, "", by="test")
    with acting_as_nobody():
        user = accounts.accept(key, name="A", password="une grande maison")
    with acting(user):
        assert consents.own(user) is None
    with acting(open_account("dora", "agent")):
        assert not Event.objects.filter(code="cases.person.account_linked").exists()


def test_nobody_of_the_office_becomes_a_newcomer_and_nobody_twice(alice: Any, home: Household) -> None:
    amina, child = person(home, by=alice), person(home, YOUSSEF.name, by=alice)
    dan = open_account("dan")
    with acting(alice):
        for user in (alice, open_account("dora", "agent")):
            with pytest.raises(Wrong), transaction.atomic():
                sharing.link_account(amina, user, by=alice)
        sharing.link_account(amina, dan, by=alice)
        for who, user in ((child, dan), (amina, open_account("eve"))):
            with pytest.raises(Wrong), transaction.atomic():
                sharing.link_account(who, user, by=alice)
        amina.refresh_from_db()
        sharing.unlink_account(amina, by=alice)
    with acting(dan):
        assert consents.own(dan) is None


def test_the_person_takes_back_alone(alice: Any, home: Household) -> None:
    house, bob = partner("bob")
    agree(house)
    amina, dan = person(home, by=alice), open_account("dan")
    given = give(amina, house, by=alice)
    with acting(alice):
        sharing.link_account(amina, dan, by=alice)
    with acting(dan):
        (told,) = consents.of_person(dan, amina.pk)
        assert told.state == State.IN_FORCE, "the person may know that the agreement holds"
        sharing.withdraw(given, channel=Channel.LINK, by=dan)
    assert shared_with(bob) == []


def test_what_is_sensitive_is_apart() -> None:
    assert not set(consents.ORDINARY) & set(consents.DELICATE)
    assert {one.name for one in consents.DELICATE} == {"STATUS", "HEALTH", "VIOLENCE", "DOCUMENTS"}
    assert all(member & SENSITIVE for member in consents.DELICATE)
    assert set(consents.CLASS_WORDS) == set(DataClass), "every class has its words"
