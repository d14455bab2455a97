"""People's files at a million: what the locks, the pages and the sealing cost, each beside the same without it.

Statements are those that `cases.queries` runs, recorded once and sent again by plain psycopg in one transaction: as
the app role, under row-level security, and as the cluster's superuser, which no policy binds, in turns. What is
compared is PostgreSQL's CPU time.
"""

import hashlib
import hmac
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psutil
import psycopg

from parvis.site.bench.meter import Cost, Subject, costs
from parvis.site.bench.rounds import CITY, HOST, Line, at_most

ASKED = 40  # different questions of one kind
TIMES = 240  # how often each side is asked
#: in a plan: a table about people that is read from end to end
WHOLE = re.compile(r"Seq Scan on ((?:cases|arrivals|plans|appointments|messaging)_\w+)")
#: one statement as Django hands it to the driver
Statement = tuple[str, Any]


def people(folder: Path, app: str, postmaster: int, say: Callable[[str], None]) -> list[Line]:
    """All measurements about people, in the bench's city. Django is set up as the app role.

    folder: PARVIS_HOME of the bench. app: URL of the app role.
    """
    from django.db import connection

    from parvis.cities.queries import city

    connection.set_tenant(city(CITY))
    round_ = _People(folder, app, postmaster, say)
    try:
        round_.locks()
        round_.pages()
        round_.sealing()
    finally:
        round_.close()
        connection.close()
    return round_.lines


@dataclass(frozen=True)
class _Asked:
    """A viewer, and keys and names of what they may see."""

    user: Any
    persons: list[uuid.UUID]
    names: list[str]
    homes: dict[int, list[uuid.UUID]]  # by number of members
    own: int


class _People:
    def __init__(self, folder: Path, app: str, postmaster: int, say: Callable[[str], None]) -> None:
        from parvis.kit.server import Secrets

        self.postmaster, self.say = postmaster, say
        self.lines: list[Line] = []
        self.locked = _client(app)
        parts = urlsplit(app)
        password = Secrets(folder).get("database-postgres")
        self.bare = _client(urlunsplit(parts._replace(netloc=f"postgres:{password}@{parts.netloc.rpartition('@')[2]}")))

    def close(self) -> None:
        self.locked.close()
        self.bare.close()

    # -- the locks ----------------------------------------------------------------------------------------------------

    def locks(self) -> None:
        from parvis.cases import queries

        for email in ("agent@example.org", "worker@example.org"):
            asked = self._asked(email)
            who = f"{email.partition('@')[0]}, {asked.own} people"
            self.say(f"row-level security: {who}")
            chosen = random.Random(7)  # noqa: S311
            pages = [chosen.randrange(0, max(1, min(asked.own, 2000) - 50)) for _ in range(ASKED)]
            user = asked.user
            kinds: dict[str, list[Callable[[], Any]]] = {
                "a page of 50": [partial(queries.page, user, offset=start) for start in pages],
                "by key": [partial(queries.person, user, key) for key in asked.persons[:ASKED]],
                "counts by status": [partial(queries.counts, user)],
                "name search": [partial(queries.search, user, name) for name in asked.names[:ASKED]],
            }
            for kind, questions in kinds.items():
                self._lock(kind, who, asked.user, questions)

    def _lock(self, kind: str, who: str, user: Any, questions: list[Callable[[], Any]]) -> None:
        """One kind of question, under row-level security and without it."""
        from parvis.kit.acting import acting

        sent = []
        with acting(user):
            for question in questions:
                with recorded() as statements:
                    question()
                sent.append(statements)
        times = TIMES
        with acting(user), self._open(self.locked, user), self._open(self.bare, user):
            started = time.perf_counter()
            self._send(self.locked, sent[0])
            if time.perf_counter() - started > 0.1:
                times = 24
            ours, without = costs(
                [
                    Subject(lambda n: self._send(self.locked, sent[n % len(sent)]), list, times),
                    Subject(lambda n: self._send(self.bare, sent[n % len(sent)]), list, times),
                ],
                self.postmaster,
            )
        told = f"{who}: {ours.database:.2f} ms of PostgreSQL against {without.database:.2f} ms, {len(sent[0])} queries"
        self.lines.append(at_most(f"{kind}: RLS to none", ours.database / without.database, 1.5, "x", told))

    @contextmanager
    def _open(self, held: Any, user: Any) -> Iterator[None]:
        """A transaction of this connection in which the database knows for whom it works."""
        from parvis.kit import acting

        with held.transaction(), held.cursor() as cursor:
            cursor.execute(f"SET LOCAL search_path = {CITY}, public")
            claims = cursor.execute("SELECT access_claims(%s)", [user.pk]).fetchone()[0]
            said = f"{claims}|work"
            proof = hmac.new(acting.key(CITY), said.encode(), hashlib.sha256).hexdigest()
            cursor.execute("SELECT set_config('parvis.context', %s, true)", [f"{said}#{proof}"])
            yield

    @staticmethod
    def _send(held: Any, statements: list[Statement]) -> int:
        with held.cursor() as cursor:
            return sum(len(cursor.execute(text, values).fetchall()) for text, values in statements)

    def _asked(self, email: str) -> _Asked:
        """What this account is asked about: people and households of its own, spread over all of them."""
        from django.db import transaction

        from parvis.accounts.models import User
        from parvis.cases import queries
        from parvis.cases.models import Person
        from parvis.kit.acting import acting

        user = User.objects.get(email=email)
        with acting(user), transaction.atomic():
            own = sum(queries.counts(user).get("own", {}).values())
            every = max(1, own // 4000)
            held = list(queries.granted(user).filter(basis="own").values_list("person_id", "household_id"))[::every]
            random.Random(7).shuffle(held)  # noqa: S311
            keys = [person for person, _ in held]
            names = list(Person.objects.filter(pk__in=keys[: ASKED * 2]).values_list("name", flat=True))
            homes: dict[int, list[uuid.UUID]] = {}
            for _, home in held[:1000]:
                if home is not None:
                    size = queries.granted(user).filter(basis="own", household_id=home).count()
                    homes.setdefault(size, []).append(home)
        return _Asked(user, keys, names, homes, own)

    # -- the pages ----------------------------------------------------------------------------------------------------

    def pages(self) -> None:
        """Pages of the web app, with templates and middleware, beside their own statements sent by hand."""
        from django.urls import NoReverseMatch, reverse

        asked = self._asked("agent@example.org")
        six = asked.homes.get(6, [])[:ASKED]
        try:
            paths = {
                "person list": [f"{reverse('cases:find')}?page={1 + number}" for number in range(ASKED)],
                "household page": [reverse("cases:household", args=[home]) for home in six],
                "name search": [f"{reverse('cases:find')}?{urlencode({'q': name})}" for name in typed(asked.names)],
            }
            small = {
                "person list": f"{reverse('cases:find')}?show=lead",
                "name search": f"{reverse('cases:find')}?{urlencode({'q': asked.names[0]})}",
                "household page": reverse("cases:household", args=[asked.homes[1][0]]),
            }
        except NoReverseMatch:
            self.lines.append(Line("pages of people", 0, "", "these pages are not there yet"))
            return
        client = _signed_in(asked.user)
        for name, several in paths.items():
            self.say(name)
            sent = self.page(name, asked.user, client, several, small[name])
            if name == "name search":
                self._by_index(name, asked.user, sent)

    def _by_index(self, name: str, user: Any, several: list[list[Statement]]) -> None:
        """No statement reads a table about people from end to end, however few or many it finds."""
        from parvis.kit.acting import acting

        with acting(user), self._open(self.locked, user):
            plans = [
                line
                for statements in several
                for text, values in statements
                for (line,) in self.locked.execute(f"EXPLAIN {text}", values).fetchall()
            ]
        whole = {found[1] for line in plans if (found := WHOLE.search(line))}
        told = f"of {sum(map(len, several))} statements {', '.join(sorted(whole))}"
        self.lines.append(at_most(f"{name}: tables about people read whole", len(whole), 0, "", told.strip()))

    def page(self, name: str, user: Any, client: Any, paths: list[str], small: str) -> list[list[Statement]]:
        """One page beside its own statements; returns these, by path. `small`: a path that shows fewer rows."""
        from parvis.kit.acting import acting

        def ask(path: str) -> int:
            reply = client.get(path)
            if reply.status_code != 200:
                raise RuntimeError(f"{path}: {reply.status_code}")
            return len(reply.content)

        sent = []
        for path in [small, *paths]:
            ask(path)  # what it writes (who looked) is written once an hour
            with recorded() as statements:
                ask(path)
            sent.append([each for each in statements if each[0].lstrip("( \n").upper().startswith(("SELECT", "WITH"))])
        few, *raw = sent
        with acting(user), self._open(self.locked, user):
            page, least = costs(
                [
                    Subject(lambda n: ask(paths[n % len(paths)]), lambda: [psutil.Process()], TIMES // 3),
                    Subject(
                        lambda n: self._send(self.locked, raw[n % len(raw)]), lambda: [psutil.Process()], TIMES // 3
                    ),
                ],
                self.postmaster,
            )
        told = f"{page.cpu:.1f} ms (application {page.application:.1f}) against {least.cpu:.1f} ms, {page.size} bytes"
        most = max(map(len, raw))
        self.lines += [
            at_most(f"{name}: to its raw SQL", page.cpu / least.cpu, 3, "x", told),
            at_most(f"{name}: more queries for more rows", most - len(few), 0, "", f"{most} queries"),
        ]
        return raw

    # -- sealing ------------------------------------------------------------------------------------------------------

    def sealing(self) -> None:
        """All sealed columns of a household of six, read and opened, beside read and left closed."""
        from django.db import transaction

        from parvis.cases.models import Person
        from parvis.cases.policies import person_models
        from parvis.kit.acting import acting
        from parvis.kit.sealing import SealedField

        self.say("opening sealed columns")
        asked = self._asked("agent@example.org")
        models = [Person, *person_models()]
        sealed = {
            model: [field.attname for field in model._meta.concrete_fields if isinstance(field, SealedField)]
            for model in models
        }
        sealed = {model: columns for model, columns in sealed.items() if columns}
        opened = [0]

        def read(number: int, *, opening: bool) -> int:
            persons = members[number % len(members)]
            rows = [
                row
                for model in sealed
                for row in model.objects.filter(**{"pk__in" if model is Person else "person_id__in": persons})
            ]
            if opening:
                vault = Vault(persons)
                opened[0] = sum(bool(vault.open_bytes(row, each)) for row in rows for each in sealed[type(row)])
            return len(rows)

        from parvis.cases import queries
        from parvis.cases.vault import Vault

        with acting(asked.user), transaction.atomic():
            members = [
                list(
                    queries.granted(asked.user)
                    .filter(household_id=home, basis="own")
                    .values_list("person_id", flat=True)
                )
                for home in asked.homes.get(6, [])[:ASKED]
            ]
            with_, without = costs(
                [
                    Subject(lambda n: read(n, opening=True), lambda: [psutil.Process()], TIMES),
                    Subject(lambda n: read(n, opening=False), lambda: [psutil.Process()], TIMES),
                ],
                self.postmaster,
            )
        told = f"{with_.cpu:.2f} ms against {without.cpu:.2f} ms; {opened[0]} sealed columns, keys read and unwrapped"
        self.lines.append(at_most("opening a household of six adds", _more(with_, without), 1, "ms", told))


def typed(given: list[str]) -> list[str]:
    """What is typed to find these people: whole names and their first words, in turns, ASKED of them."""
    return [name if place % 2 else name.split()[0] for place, name in enumerate(given[:ASKED])]


def _more(one: Cost, other: Cost) -> float:
    return max(0.0, one.cpu - other.cpu)


def _client(url: str) -> Any:
    """A connection that sends statements as Django's does: values in the text."""
    return psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)


def _signed_in(user: Any) -> Any:
    from django.test import Client

    client = Client(HTTP_HOST=HOST)
    client.force_login(user)
    return client


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Run in a transaction; the statements that are sent, but for those that begin and end one, say who acts, or look
    up the city, which the process remembers for a while."""
    from django.db import connection, transaction

    found: list[Statement] = []

    def keep(execute: Callable[..., Any], text: str, values: Any, many: bool, context: Any) -> Any:
        beside = "access_claims" in text or 'FROM "cities_' in text
        if not beside and not text.lstrip().upper().startswith(("SET ", "SAVEPOINT", "RELEASE")):
            found.append((text, values))
        return execute(text, values, many, context)

    with transaction.atomic(), connection.execute_wrapper(keep):
        yield found
