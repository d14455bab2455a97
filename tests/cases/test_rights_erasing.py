"""Forgetting: one person, what was kept long enough; and that nothing of them opens again, also from a backup."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from parvis.accounts.actions import Refused
from parvis.accounts.models import User
from parvis.accounts.rules import Denied
from parvis.cases.actions import erasing, rights, sharing
from parvis.cases.models import (
    Access,
    Consent,
    ContactPoint,
    DataRequest,
    Disclosure,
    Erasure,
    Household,
    HouseholdMember,
    Note,
    Person,
    PersonKey,
    PersonName,
    SearchToken,
    Withdrawal,
)
from parvis.cases.models.base import FORGOTTEN
from parvis.cases.models.rights import ErasureCause
from parvis.cases.vault import Vault
from parvis.core.access import DataClass
from parvis.kit import sealing
from parvis.kit.acting import acting, acting_as_system
from parvis.ledger.models import Event
from tests.accounts.people import open_account
from tests.cases.story import AMINA, YOUSSEF, opened, partner, share
from tests.cases.test_rights_keys import as_app, as_worker
from tests.conftest import URLS, _use, committed_city
from tests.site.test_commands import everybody, parvis


@pytest.fixture(scope="module")
def town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    yield from committed_city(django_db_blocker)


@pytest.fixture
def alice(town: Any, django_db_blocker: Any) -> Iterator[Any]:
    """Alice, in a city really committed to; each test opens households of its own."""
    with django_db_blocker.unblock():
        connection.set_tenant(town)
        yield User.objects.filter(name="Alice").first() or open_account("alice", "agent")
        as_app()


def furnished(by: Any, home: Household) -> Person:
    """The head of the household with something in every kind of table."""
    with acting(by), transaction.atomic():
        person = home.members.get(relation="head").person
        vault = Vault([person.pk])
        vault.put(ContactPoint(person=person, system="phone", value_index=1), value="+15145550142").save()
        PersonName.objects.create(person=person, use="nickname", text="Um Youssef")
        first = vault.put(Note(person=person, kind="general", author=by), text="first")
        first.save(force_insert=True)
        second = Note(person=person, kind="health", row_class=DataClass.HEALTH.value, author=by, replaces=first)
        vault.put(second, text="second").save(force_insert=True)
    return person


def forget(person: Person, **more: Any) -> None:
    as_worker()
    with acting_as_system(), transaction.atomic():
        erasing.erase(person.pk, ErasureCause.COMMAND, **more)


def test_to_forget_is_to_lose_key_names_and_rows_but_not_the_ledger(alice: Any) -> None:
    home = opened(alice)
    person = furnished(alice, home)
    house, _ = partner(f"bob{uuid.uuid4().hex[:6]}")
    with transaction.atomic():
        share(person, house, by=alice)
    with acting(alice), transaction.atomic():
        old = Person.objects.get(pk=person.pk)
        request = rights.receive(
            "erasure", received_on=timezone.localdate(), channel="phone", person=person.pk, by=alice
        )
        assert Vault([person.pk]).open(old, "birth_date") == "1990-03-01", "the control: it opened before"
    with acting(alice), transaction.atomic():
        spoken = Consent(
            person=person, purpose="study", classes=1, given_at=timezone.now(), text_version="1", text_language="ar",
            until=timezone.now() + dt.timedelta(days=9), channel="spoken", witness="Cousin Hana", recorded_by=alice,
        )  # fmt: skip
        spoken.save(force_insert=True)
        sharing.withdraw(spoken, channel="spoken", by=alice, reason="Her brother works there")
        assert Withdrawal.objects.get(consent=spoken).reason, "the control: it was there"
        neighbour = opened(alice).members.get(relation="head").person
        other = share(neighbour, house, by=alice)
        sharing.withdraw(other, channel="screen", by=alice, reason="Not now")
    forget(person)
    with acting_as_system(), transaction.atomic():
        assert not Withdrawal.objects.get(consent=spoken).reason, "a proof stays, what was said does not"
        assert Consent.objects.get(pk=spoken.pk).witness == FORGOTTEN
        assert Withdrawal.objects.get(consent=other).reason == "Not now", "and others keep theirs"
        for words in ("UPDATE cases_withdrawal SET reason = ''", "UPDATE cases_consent SET witness = '?'"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(words)
    with acting_as_system(), transaction.atomic():
        now = Person.objects.get(pk=person.pk)
        assert {name: getattr(now, name) for name in erasing.BLANK} == erasing.BLANK
        assert now.restricted and not PersonKey.objects.filter(person=now).exists()
        with pytest.raises(sealing.Unreadable):
            Vault([person.pk]).open(old, "birth_date")
        for model in (ContactPoint, PersonName, Note, HouseholdMember, SearchToken):
            assert not model.objects.filter(person=now).exists(), model
        assert Consent.objects.filter(person=now).exists(), "a proof stays its own time"
        assert DataRequest.objects.filter(pk=request.pk).exists()
        assert Erasure.objects.get(person=now).cause == "command"
        assert not Access.objects.filter(person=now, basis="own").exists()
        assert Household.objects.get(pk=home.pk).state == "closed"
        with pytest.raises(Refused):
            erasing.erase(person.pk, ErasureCause.COMMAND)
        codes = set(Event.objects.filter(object_id=person.pk).values_list("code", flat=True))
        assert {"cases.person.opened", "cases.person.erased"} <= codes
    as_app()
    with acting(alice), transaction.atomic():
        assert not Person.objects.filter(pk=person.pk).exists()


def test_what_is_blanked_is_what_is_declared() -> None:
    assert set(erasing.BLANK) == set(Person.personal)
    kept = {model.__name__ for model in erasing.person_models()} - {model.__name__ for model in erasing.forgettable()}
    assert kept >= {"Consent", "Disclosure", "Erasure"} and "ContactPoint" not in kept and "Note" not in kept


def test_the_head_of_others_is_not_forgotten_before_another_is_chosen(alice: Any) -> None:
    home = opened(alice, AMINA, YOUSSEF)
    with acting(alice), transaction.atomic():
        head = home.members.get(relation="head").person
        child = home.members.get(relation="child").person
    with pytest.raises(Refused):
        forget(head)
    forget(child)
    forget(head)


def test_a_request_is_granted_by_the_officer_and_done_by_the_worker(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened(alice)
    person = furnished(alice, home)
    paul = open_account(f"paul{uuid.uuid4().hex[:6]}", "privacy")
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(erasing, "enqueue", lambda function, **arguments: asked.append(arguments))
    with acting(alice), transaction.atomic():
        request = rights.receive(
            "erasure", received_on=timezone.localdate(), channel="phone", person=person.pk, by=alice
        )
        with pytest.raises(Denied):
            erasing.ask_erasure(request, "granted", by=alice)
    with acting(paul), transaction.atomic(), pytest.raises(Refused):
        erasing.ask_erasure(request, "granted", by=paul)
    with acting(alice), transaction.atomic():
        rights.check_identity(request, "passport", by=alice)
    with acting(paul), transaction.atomic():
        rights.take(request, by=paul)
        erasing.ask_erasure(request, "Everything is forgotten", by=paul)
    assert asked == [{"request": str(request.pk), "by": str(paul.pk)}]
    as_worker()
    for _ in range(2):  # a task may run twice
        erasing.erase_for_request(**asked[0])
    with acting_as_system(), transaction.atomic():
        assert Erasure.objects.get(person=person).request_id == request.pk
        assert DataRequest.objects.get(pk=request.pk).state == "answered"


def test_the_sweep_forgets_five_years_after_the_file_was_closed(alice: Any) -> None:
    closed, still_open = opened(alice), opened(alice)
    with acting(alice), transaction.atomic():
        gone = closed.members.get().person
        stays = still_open.members.get().person
        Household.objects.filter(pk=closed.pk).update(state="closed", closed_on=timezone.localdate())
        Disclosure.objects.create(person=stays, basis="export", classes=1, at=timezone.now(), by=alice)
    as_worker()
    soon = timezone.now() + dt.timedelta(days=4 * 365)
    later = timezone.now() + dt.timedelta(days=5 * 365 + 2)
    with acting_as_system(), transaction.atomic():
        assert gone not in erasing.persons_over(soon), "the control: not a year too early"
    counted = erasing.purge(later, dry_run=True)
    assert counted["persons whose file is closed"] >= 1 and counted["communications"] >= 1
    with acting_as_system(), transaction.atomic():
        assert PersonKey.objects.filter(person=gone).exists(), "a dry run forgets nothing"
    done = erasing.purge(later)
    assert done["persons whose file is closed"] == counted["persons whose file is closed"]
    with acting_as_system(), transaction.atomic():
        assert not PersonKey.objects.filter(person=gone).exists()
        assert Erasure.objects.get(person=gone).cause == "retention"
        assert PersonKey.objects.filter(person=stays).exists() and Person.objects.get(pk=stays.pk).name == AMINA.name
        assert (
            not Household.objects.filter(pk=closed.pk).exists() and Household.objects.filter(pk=still_open.pk).exists()
        )
        assert not Disclosure.objects.exists()
    assert erasing.purge(later)["persons whose file is closed"] == 0


def _owner() -> psycopg.Connection:
    return psycopg.connect(URLS.owner, autocommit=True)


def test_the_worker_reminds_the_officers(alice: Any) -> None:
    home = opened(alice)
    open_account(f"paul{uuid.uuid4().hex[:6]}", "privacy")
    with acting(alice), transaction.atomic():
        person = home.members.get().person
        rights.receive("access", received_on=timezone.localdate(), channel="phone", person=person.pk, by=alice)
    later = timezone.now() + dt.timedelta(days=12)
    erasing.remind(later)
    assert not mail.outbox, "the control: the app role is not the installation"
    as_worker()
    for _ in range(2):
        erasing.remind(later)
    assert mail.outbox and {message.subject for message in mail.outbox} == {mail.outbox[0].subject}
    assert len({message.to[0] for message in mail.outbox}) == len(mail.outbox), "once each"


def test_who_is_forgotten_stays_so_after_a_restore_from_before(alice: Any, tmp_path: Path) -> None:
    """The backup is older than the erasure; the keys are the newest. Another person, not forgotten, opens."""
    home, other = opened(alice), opened(alice)
    with acting(alice), transaction.atomic():
        person, stays = home.members.get().person, other.members.get().person
    city = connection.tenant
    source = connection.settings_dict["NAME"]
    target = f"test_restored_{os.getpid()}"
    file, newest = tmp_path / "before.zip", tmp_path / "after.zip"
    here = Path(os.environ["PARVIS_HOME"])
    assert parvis("backup", str(file), home=here, **everybody(source)).returncode == 0
    erased = parvis("erase", str(person.pk), "--city", city.schema_name, "--yes", home=here, **everybody(source))
    assert erased.returncode == 0, erased.stderr
    assert parvis("backup", str(newest), home=here, **everybody(source)).returncode == 0
    found = {}
    for keys in (f"{newest}.keys", f"{file}.keys"):
        with _owner() as owner:
            owner.execute(f'DROP DATABASE IF EXISTS "{target}"')
            owner.execute(f'CREATE DATABASE "{target}"')
        back = parvis("restore", str(file), "--keys", keys, home=here, **everybody(target))
        assert back.returncode == 0, back.stderr
        _use("worker", target)
        connection.set_tenant(city)
        with acting_as_system(), transaction.atomic():
            row, kept = Person.objects.get(pk=person.pk), Person.objects.get(pk=stays.pk)
            assert Vault([stays.pk]).open(kept, "birth_date") == "1990-03-01"
            try:
                # `person` holds the sealed bytes of before; whoever has the old backup has them too
                found[keys] = (row.name, Vault([person.pk]).open(person, "birth_date"))
            except sealing.Unreadable:
                found[keys] = (row.name, "unreadable")
        _use("app", source)
        connection.set_tenant(city)
    with _owner() as owner:
        owner.execute(f'DROP DATABASE IF EXISTS "{target}"')
    assert found[f"{newest}.keys"] == (erasing.FORGOTTEN, "unreadable")
    # the control: with the keys of before, which were to be destroyed, everything would have come back
    assert found[f"{file}.keys"] == (AMINA.name, "1990-03-01")
