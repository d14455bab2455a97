"""The security context: the database works for whoever's turn it is on a connection; a forged word is nobody's."""

import hashlib
import hmac
import queue
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DataError, ProgrammingError, connection, connections, transaction
from psycopg.conninfo import make_conninfo

from parvis.cases.actions import people
from parvis.cases.actions.people import NewHousehold, NewPerson
from parvis.cases.models import Person
from parvis.kit import acting as context
from parvis.kit import jobs, policies
from parvis.kit.acting import acting, acting_as_nobody, acting_as_system
from tests.accounts.people import open_account
from tests.cases.story import TODAY, partner
from tests.conftest import URLS, _use

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")


@pytest.fixture(scope="module")
def workers(proof_city: Any, django_db_blocker: Any) -> dict[Any, int]:
    """Workers of three organizations, and how many people each of them sees."""
    with django_db_blocker.unblock():
        connection.set_tenant(proof_city)
        found = {}
        for number, name in enumerate(("xenia", "yara", "zoe"), start=1):
            house, user = partner(name)
            for _ in range(number):
                with acting(user):
                    people.open_household(NewHousehold(house.pk, [NewPerson("Amina")], TODAY), by=user)
            found[user.pk] = number
        return found


@pytest.fixture
def city(workers: Any, proof_city: Any, django_db_blocker: Any) -> Iterator[Any]:
    with django_db_blocker.unblock():
        connection.set_tenant(proof_city)
        yield proof_city
        connection.close()
        connection.set_schema_to_public()


def seen() -> int:
    with transaction.atomic():
        return Person.objects.count()


def told_to(user: Any) -> int:
    """A task: it says for whom it works."""
    with acting(user):
        return seen()


class Work:
    """Operations of many threads over a few connections; `wrong`: where somebody saw what is somebody else's."""

    def __init__(self, city: Any, workers: dict[Any, int], number: int, threads: int = 8, pool: int = 3) -> None:
        self.city, self.workers, self.number, self.threads = city, workers, number, threads
        self.wrong: list[str] = []
        self.count: Counter[str] = Counter()
        self.pool: queue.Queue[Any] = queue.Queue()
        for _ in range(pool):
            held = connections.create_connection("default")
            held.inc_thread_sharing()
            self.pool.put(held)

    def run(self) -> None:
        threads = [threading.Thread(target=self._thread, args=(seed,)) for seed in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while not self.pool.empty():
            self.pool.get().close()

    def _thread(self, seed: int) -> None:
        chance = random.Random(seed)
        ways = [self.plain, self.nested, self.raised, self.rolled_back, self.changed_inside, self.task, self.nobody,
                self.system, self.broken]  # fmt: skip
        for _ in range(self.number // self.threads):
            held = connections["default"] = self.pool.get()
            try:
                held.set_tenant(self.city)
                way = chance.choice(ways)
                self.count[way.__name__] += 1
                way(*chance.sample(list(self.workers), 2))
            except Exception as error:
                self.wrong.append(f"{way.__name__}: {type(error).__name__} {error}")
                held.close()
            finally:
                self.pool.put(held)
        del connections["default"]

    def _is(self, user: Any, way: str) -> None:
        found = seen()
        if found != self.workers[user]:
            self.wrong.append(f"{way}: {found} and not {self.workers[user]}")

    def plain(self, user: Any, other: Any) -> None:
        with acting(user):
            self._is(user, "plain")

    def nested(self, user: Any, other: Any) -> None:
        with acting(user), transaction.atomic():
            with acting(other):
                self._is(other, "inner")
            self._is(user, "outer")

    def raised(self, user: Any, other: Any) -> None:
        with pytest.raises(RuntimeError), acting(user), transaction.atomic():
            self._is(user, "before it was raised")
            raise RuntimeError
        with acting(other):
            self._is(other, "after it was raised")

    def rolled_back(self, user: Any, other: Any) -> None:
        with acting(user), transaction.atomic():
            with pytest.raises(RuntimeError), transaction.atomic(), acting(other):
                raise RuntimeError
            self._is(user, "after a savepoint")

    def changed_inside(self, user: Any, other: Any) -> None:
        with transaction.atomic():
            with acting(user):
                self._is(user, "first in the transaction")
            with acting(other):
                self._is(other, "second in the transaction")
            self._nothing("after both")

    def task(self, user: Any, other: Any) -> None:
        with acting(other):
            path = f"{told_to.__module__}.{told_to.__qualname__}"
            found = jobs.run_in_city.call(self.city.schema_name, path, {"user": user})
            if found != self.workers[user]:
                self.wrong.append(f"task: {found}")
            self._is(other, "after the task")

    def nobody(self, user: Any, other: Any) -> None:
        with acting(user), transaction.atomic(), acting_as_nobody():
            self._nothing("nobody")

    def system(self, user: Any, other: Any) -> None:
        with acting_as_system():
            if found := seen():
                self.wrong.append(f"the system as the app role: {found}")

    def broken(self, user: Any, other: Any) -> None:
        with pytest.raises(DataError), acting(user), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        with acting(other):
            self._is(other, "after a failed transaction")

    def _nothing(self, way: str) -> None:
        try:
            with transaction.atomic():
                self.wrong.append(f"{way}: {Person.objects.count()}")
        except ProgrammingError as error:
            if "no security context" not in str(error):
                self.wrong.append(f"{way}: {error}")


def _nobody_sees_another(city: Any, workers: dict[Any, int], number: int, figure: Figure) -> None:
    work = Work(city, workers, number)
    work.run()
    figure(operations=sum(work.count.values()), wrong=len(work.wrong))
    assert not work.wrong, work.wrong[:5]
    assert len(work.count) == 9


def test_whoever_acts_sees_their_own(city: Any, workers: Any, figure: Figure) -> None:
    _nobody_sees_another(city, workers, 400, figure)


@pytest.mark.long
def test_whoever_acts_sees_their_own_ten_thousand_times(city: Any, workers: Any, figure: Figure) -> None:
    _nobody_sees_another(city, workers, 10_000, figure)


# -- forgery -----------------------------------------------------------------------------------------------------------


@contextmanager
def session(city: Any, role: str = "app") -> Iterator[psycopg.Connection]:
    """A raw session of the app role: what somebody has who can make it run any SQL."""
    url = make_conninfo(getattr(URLS, role), dbname=connection.settings_dict["NAME"])
    with psycopg.connect(url) as raw:
        raw.execute(f"SET search_path = {city.schema_name}, public")
        raw.commit()
        yield raw
        raw.rollback()


def claims(raw: psycopg.Connection, user: Any) -> str:
    found = raw.execute("SELECT access_claims(%s)", [user]).fetchone()
    assert found and found[0]
    return f"{found[0]}|work"


def signed(said: str, key: bytes) -> str:
    return f"{said}#{hmac.new(key, said.encode(), hashlib.sha256).hexdigest()}"


def counted(raw: psycopg.Connection, given: str | None) -> int | str:
    """How many persons this setting shows, or what the database says to it."""
    try:
        with raw.transaction():
            if given is not None:
                raw.execute("SELECT set_config('parvis.context', %s, true)", [given])
            found = raw.execute("SELECT count(*) FROM cases_person").fetchone()
            return int(found[0]) if found else 0
    except psycopg.Error as error:
        return str(error).splitlines()[0]


def forgeries(city: Any, raw: psycopg.Connection, user: Any, other: Any) -> Iterator[tuple[str, str | None]]:
    """What an attacker who runs SQL as the app role may try, in the transaction that is open on `raw`."""
    said, theirs = claims(raw, user), claims(raw, other)
    key = context.key(city.schema_name)
    proof = signed(said, key).split("#")[1]
    mine, others = said.split("|"), theirs.split("|")
    more = "|".join([*mine[:3], f"{mine[3]},{others[3]}", *mine[4:]])
    yield "nothing", None
    yield "empty", ""
    yield "unsigned", said
    yield "empty proof", f"{said}#"
    yield "another's claims, this proof", f"{theirs}#{proof}"
    yield "one more grantee", f"{more}#{proof}"
    yield "as the system", f"{said.removesuffix('work')}system#{proof}"
    yield "wrong key", signed(said, b"\0" * 32)
    yield "the key of another city", signed(said, context.key("geneve"))
    yield "the key of no city", signed(said, context.key(""))
    yield "the proof in capitals", f"{said}#{proof.upper()}"
    yield "the proof and more", f"{said}#{proof}0"
    yield "two proofs", f"{theirs}#{proof}#{proof}"
    yield "a line more", f"{said}\n#{proof}"
    yield "no claims", f"#{proof}"
    yield "another process", signed("|".join(["1", *said.split("|")[1:]]), key)
    yield "another time", signed("|".join([said.split("|")[0], "1.5", *said.split("|")[2:]]), key)


def test_no_forged_or_replayed_word_is_believed(city: Any, workers: Any, figure: Figure) -> None:
    tried, believed = 0, []
    user, other = list(workers)[:2]
    key = context.key(city.schema_name)
    for _ in range(6):
        with session(city) as raw, session(city) as another:
            with raw.transaction():
                true = signed(claims(raw, user), key)
                assert counted(raw, true) == workers[user], "the control: the true word is believed"
                for name, given in forgeries(city, raw, user, other):
                    raw.execute("SELECT set_config('parvis.context', '', true)")
                    tried += 1
                    if not isinstance(said := counted(raw, given), str):
                        believed.append(f"{name}: {said}")
                # meanwhile, in another session: the word of an open transaction of this one
                tried += 1
                if not isinstance(counted(another, true), str):
                    believed.append("replayed in another session")
            for name in ("replayed in the next transaction", "and in the one after that"):
                tried += 1
                if not isinstance(counted(raw, true), str):
                    believed.append(name)
            raw.execute("SELECT set_config('parvis.context', %s, false)", [true])
            raw.commit()
            tried += 1
            if not isinstance(counted(raw, None), str):
                believed.append("left in the session")
    figure(forgeries=tried, believed=len(believed))
    assert not believed, believed


def test_the_key_and_the_claims_are_out_of_reach(city: Any) -> None:
    with session(city) as raw:
        for statement in (
            "SELECT * FROM access_key",
            "ALTER FUNCTION access_context() RENAME TO x",
            "CREATE OR REPLACE FUNCTION access_user() RETURNS uuid LANGUAGE sql AS 'SELECT null::uuid'",
            "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog.now()'",
            "ALTER TABLE cases_person DISABLE ROW LEVEL SECURITY",
            "SET ROLE parvis_owner",
            "SET SESSION AUTHORIZATION parvis_worker",
            "SET row_security = off; SELECT count(*) FROM cases_person",
            "COPY cases_person TO '/dev/null'",
            "COPY cases_person FROM PROGRAM 'true'",
            "SELECT access_refresh(gen_random_uuid())",
            "SELECT * FROM access_projection_all()",
            "TRUNCATE cases_person CASCADE",
            "INSERT INTO cases_access SELECT * FROM cases_access",
        ):
            with pytest.raises(psycopg.Error), raw.transaction():
                raw.execute(statement)


@contextmanager
def believing(city: Any) -> Iterator[None]:
    """The city's functions without the proof of the context: what a plain setting would be. Put back afterwards."""
    place = policies.Place(city.schema_name, URLS.roles(), False)
    made = [*policies._CONTEXT, *(each for provider in policies._providers.known for each in provider(place))]
    proving = [each for each in made if "encode(proof, 'hex')" in each]
    assert proving
    with session(city, "owner") as owner:
        for text in proving:
            weak = re.sub(r"IF encode\(proof, 'hex'\).*?END IF;", "", text, flags=re.DOTALL)
            owner.execute(policies.in_schema(weak, place))
        owner.commit()
        try:
            yield
        finally:
            for text in proving:
                owner.execute(policies.in_schema(text, place))
            owner.commit()


def test_an_unsigned_context_is_forged(city: Any, workers: Any, figure: Figure) -> None:
    """The control: the same attacks, where the database believes what it is told."""
    user, other = list(workers)[:2]
    key = context.key(city.schema_name)
    with believing(city), session(city) as raw:
        with raw.transaction():
            true = signed(claims(raw, user), key)
            seen_by = {name: counted(raw, given) for name, given in forgeries(city, raw, user, other)}
        left = counted(raw, true)
    believed = [name for name, said in seen_by.items() if isinstance(said, int)]
    figure(believed=len(believed))
    assert seen_by["another's claims, this proof"] == workers[other]
    assert seen_by["one more grantee"] == workers[user] + workers[other]
    assert left == workers[user], "a replayed one too"
    with session(city) as raw:
        assert isinstance(counted(raw, true), str), "put back"


def test_operations_are_wrong_when_the_context_outlives_its_transaction(city: Any, workers: Any) -> None:
    """The control of the operations: with a setting of the session, the next on the connection sees the last one's."""
    user = next(iter(workers))
    with believing(city), session(city) as raw:
        with raw.transaction():
            raw.execute("SELECT set_config('parvis.context', %s, false)", [signed(claims(raw, user), b"")])
        assert counted(raw, None) == workers[user]


# -- second factor -----------------------------------------------------------------------------------------------------


def test_in_production_staff_without_a_second_factor_see_nothing(
    city: Any, settings: Any, figure: Figure, django_db_blocker: Any
) -> None:
    """The database's claims and the code's grantees alike; partners and newcomers need none."""
    from allauth.mfa.models import Authenticator

    from parvis.cases import rules
    from parvis.cases.models.base import OFFICE

    agents = [open_account("with-factor", "agent"), open_account("without", "agent")]
    Authenticator.objects.create(user=agents[0], type="totp", data={})
    house, bob = partner("factorless")
    for by, holder in ((agents[0], OFFICE), (bob, house.pk)):
        with acting(by):
            people.open_household(NewHousehold(holder, [NewPerson("Amina")], TODAY), by=by)
    for production in (False, True):
        settings.PRODUCTION = production
        _as_owner(city, lambda: policies.apply(city.schema_name, URLS.roles()))
        try:
            without = _sees(agents[1])
            assert bool(without) != production
            assert bool(rules.grantees(agents[1])) != production
            assert _sees(agents[0]) > 0 and rules.grantees(agents[0])
            assert _sees(bob) == 1 and rules.grantees(bob)
        finally:
            settings.PRODUCTION = False
            _as_owner(city, lambda: policies.apply(city.schema_name, URLS.roles()))
    figure(persons_seen_without_a_factor=without)


def _sees(user: Any) -> int:
    """How many persons, with no context being none."""
    try:
        with acting(user):
            return seen()
    except ProgrammingError as error:
        assert "no security context" in str(error)
        return 0


def _as_owner(city: Any, work: Callable[[], None]) -> None:
    database = connection.settings_dict["NAME"]
    _use("owner", database)
    work()
    _use("app", database)
    connection.set_tenant(city)
