"""The key-encryption key is changed while people work; nothing becomes unreadable, nothing is retired too early."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from parvis.accounts.models import User
from parvis.cases.actions import keys
from parvis.cases.models import Person, PersonKey
from parvis.cases.vault import Vault, hold_versions
from parvis.kit import sealing
from parvis.kit.acting import acting, acting_as_system
from parvis.kit.server import KeyEncryptionKeys, KeysAreGiven, Secrets
from tests.accounts.people import open_account
from tests.cases.story import AMINA, opened
from tests.conftest import _use, committed_city


@pytest.fixture
def own_keys(tmp_path: Path, settings: Any) -> KeyEncryptionKeys:
    """Key-encryption keys of this test alone."""
    settings.KEY_ENCRYPTION_KEYS = KeyEncryptionKeys(tmp_path)
    settings.KEY_ENCRYPTION_KEYS.begin()
    return settings.KEY_ENCRYPTION_KEYS


@pytest.fixture(scope="module")
def town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """A city really committed to, for all tests of this module."""
    yield from committed_city(django_db_blocker)


@pytest.fixture
def office(town: Any, django_db_blocker: Any, own_keys: KeyEncryptionKeys) -> Iterator[Any]:
    """Alice, in a city that has no data key yet."""
    with django_db_blocker.unblock():
        connection.set_tenant(town)
        yield User.objects.filter(name="Alice").first() or open_account("alice", "agent")
        as_worker()
        with acting_as_system(), transaction.atomic():
            PersonKey.objects.all().delete()
        as_app()


def as_worker() -> None:
    city, database = connection.tenant, connection.settings_dict["NAME"]
    _use("worker", database)
    connection.set_tenant(city)


def as_app() -> None:
    city, database = connection.tenant, connection.settings_dict["NAME"]
    _use("app", database)
    connection.set_tenant(city)


def birthdays() -> list[str]:
    """Opens every sealed birth date of the city, as the system."""
    with acting_as_system(), transaction.atomic():
        people = list(Person.objects.filter(key__isnull=False))
        vault = Vault([person.pk for person in people])
        return [vault.open(person, "birth_date") for person in people]


def rotate(schema: str, **more: Any) -> int:
    version, _waiting = keys.begin_rotation([schema])
    keys.rewrap(version, **more)
    return version


def test_nothing_is_unreadable_while_keys_rotate_under_load(office: Any, own_keys: KeyEncryptionKeys) -> None:
    tenant = connection.tenant
    for _ in range(6):
        opened(office)
    stop, ready = threading.Event(), threading.Barrier(5)
    wrong: list[str] = []
    done = [0, 0]

    def work() -> None:
        connection.set_tenant(tenant)
        try:
            with acting(office), transaction.atomic():
                Person.objects.count()
            ready.wait(30)
            while not stop.is_set():
                opened(office)
                done[1] += 1
                with acting(office), transaction.atomic():
                    people = list(Person.objects.order_by("-created_at")[:20])
                    vault = Vault([person.pk for person in people])
                    for person in people:
                        if vault.open(person, "birth_date") != "1990-03-01":
                            wrong.append("another date")
                        done[0] += 1
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
            ready.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait(30)
    as_worker()
    for _ in range(3):
        newest = rotate(tenant.schema_name, batch=3)
        keys.rewrap(newest, batch=3)  # those who came meanwhile
        for version in sorted(own_keys)[:-1]:
            try:
                keys.retire(version, [tenant.schema_name])
            except keys.InUse:
                keys.rewrap(newest)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert done[0] >= 20 and done[1] >= 4, "the control: they did work meanwhile"
    assert set(birthdays()) == {"1990-03-01"}
    assert min(sorted(own_keys)) > 1


def test_an_interrupted_rotation_goes_on_where_it_stopped(office: Any, own_keys: KeyEncryptionKeys) -> None:
    schema = connection.schema_name
    for _ in range(5):
        opened(office)
    as_worker()

    class Killed(Exception):
        pass

    def kill(_done: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        rotate(schema, batch=2, told=kill)
    assert keys.used([schema]) == {1: 3, 2: 2}
    assert len(birthdays()) == 5
    with pytest.raises(keys.InUse):
        keys.retire(1, [schema])
    assert rotate(schema) == 2, "no third version while the second is unfinished"
    assert keys.used([schema]) == {1: 0, 2: 5}
    assert len(birthdays()) == 5
    keys.retire(1, [schema])
    assert sorted(own_keys) == [2] and len(birthdays()) == 5


def test_retiring_refuses_what_is_in_use_and_would_do_harm(office: Any, own_keys: KeyEncryptionKeys) -> None:
    schema = connection.schema_name
    opened(office)
    as_worker()
    with pytest.raises(keys.InUse):
        keys.retire(1, [schema])
    with pytest.raises(KeyError):
        keys.retire(7, [schema])
    rotate(schema)
    with pytest.raises(keys.InUse):
        keys.retire(2, [schema])
    assert birthdays() == ["1990-03-01"]
    # the control: without the old version, what is wrapped with it does not open
    own_keys._secrets.drop("key-encryption-2")
    own_keys._known.clear()
    with pytest.raises(sealing.Unreadable):
        birthdays()


def test_retiring_waits_for_who_is_wrapping(office: Any, own_keys: KeyEncryptionKeys) -> None:
    """A new file that is not committed yet is wrapped with the old version: the lock makes the retiring see it."""
    tenant = connection.tenant
    rotate_first, wrapped = threading.Event(), threading.Event()

    def work() -> None:
        connection.set_tenant(tenant)
        with acting(office), transaction.atomic():
            opened(office)
            wrapped.set()
            rotate_first.wait(30)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert wrapped.wait(30)
    as_worker()
    assert rotate(tenant.schema_name) == 2, "the file that is being written is not seen yet"
    assert keys.used([tenant.schema_name]) == {1: 0, 2: 0}, "the control: counting alone would retire version 1"
    threading.Timer(0.3, rotate_first.set).start()
    with pytest.raises(keys.InUse):
        keys.retire(1, [tenant.schema_name])
    thread.join(30)
    assert birthdays() == ["1990-03-01"]


def test_the_app_role_can_not_rewrap(office: Any, own_keys: KeyEncryptionKeys) -> None:
    opened(office)
    own_keys.add()
    with pytest.raises(Exception, match="permission denied"):
        keys.rewrap(2)
    with acting(office), transaction.atomic():
        hold_versions()
        assert PersonKey.objects.get().version == 1


def test_keys_from_the_environment_are_not_changed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_KEYS", "1:one 2:two")
    given = KeyEncryptionKeys(tmp_path)
    assert sorted(given) == [1, 2] and given[2] == "two"
    with pytest.raises(KeysAreGiven):
        given.add()
    with pytest.raises(KeysAreGiven):
        given.drop(1)


def test_secrets_of_many_processes_are_all_kept(tmp_path: Path) -> None:
    made: list[str] = []

    def make(name: str) -> None:
        made.append(Secrets(tmp_path).get(name))

    threads = [threading.Thread(target=make, args=(f"secret-{number % 10}",)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = Secrets(tmp_path).all()
    assert len(kept) == 10 and set(made) == set(kept.values())
    assert AMINA.name not in kept


def test_a_code_that_nobody_knows_any_more_is_no_error_that_tells_it() -> None:
    """An exception would carry what was sealed into a traceback."""
    from parvis.cases.models.profile import Stream, called

    assert called(Stream, "claimant") == str(Stream.CLAIMANT.label) and called(Stream, "zqx") == "?"
    with pytest.raises(ValueError, match="zqx"):
        Stream("zqx")  # the control: what it was
