"""Who sees what: every viewer, every file, every address, with both locks, with each alone, and with none.

The answers are searched for the words that stand in every field of every file. What may be in them is computed in
`world.py`, by hand from the written rules.
"""

import json
import logging
import os
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from parvis.cases import consents, queries, rules
from parvis.cases.models import Household, Person
from parvis.cases.policies import person_models
from parvis.cases.vault import Vault
from parvis.cities.middleware import hosts
from parvis.core.access import SHAREABLE, DataClass
from parvis.kit.acting import acting, acting_as_nobody
from parvis.kit.models import OutboxMail
from parvis.kit.sealing import SealedField, Unreadable
from parvis.ledger import actions as ledger
from parvis.orgs.actions import make_token, revoke_token
from tests.house.test_access import addresses
from tests.proof.locks import as_owner, row_security, without_the_code
from tests.proof.reading import found, readable, words
from tests.proof.routes import ROUTES, Route
from tests.proof.world import REGISTER, THINGS, VIEWERS, Canary, World, household, may_read, sight

Figure = Callable[..., None]
pytestmark = pytest.mark.xdist_group("proof")


# -- the rows, one lock at a time --------------------------------------------------------------------------------------


def leaks_of_the_tables(world: World) -> tuple[Counter[str], list[str]]:
    """Everything that the database gives to each viewer who asks for all of it: rows, and what is sealed in them."""
    count: Counter[str] = Counter()
    wrong: list[str] = []
    for viewer in VIEWERS:
        forbidden = world.forbidden(viewer)
        hidden = world.hidden_ids(viewer)
        allowed = set(world.ids) - set(hidden)
        for model in [Person, Household, *person_models()]:
            count["cells"] += 1
            rows = _asked(world, viewer, model)
            for pk, texts in rows:
                count["rows"] += 1
                allowed.discard(pk)
                if pk in hidden:
                    wrong.append(f"{viewer} reads a row of {hidden[pk].thing}: {hidden[pk].where}")
                wrong += [
                    f"{viewer} reads {world.canaries[text].where} of {world.canaries[text].thing}"
                    for text in texts
                    if text in forbidden
                ]
        missing = {world.ids[pk].where for pk in allowed}
        wrong += [f"{viewer} may read {where} and does not" for where in sorted(missing)]
    return count, wrong


def _asked(world: World, viewer: str, model: Any) -> list[tuple[uuid.UUID, list[str]]]:
    """Key and canaries of every row of `model` that this viewer gets."""
    user = world.users.get(viewer)
    try:
        with acting(user) if user else acting_as_nobody(), transaction.atomic():
            rows = list(model.objects.all())
            vault = Vault([pk for row in rows if (pk := row.pk if model is Person else getattr(row, "person_id", 0))])
            return [(row.pk, _texts(row, vault)) for row in rows]
    except ProgrammingError as error:
        assert "no security context" in str(error)
        return []


def _texts(row: Any, vault: Vault) -> list[str]:
    told = []
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if isinstance(column, SealedField) and value is not None:
            try:
                value = vault.open(row, column.name)
            except (Unreadable, UnicodeDecodeError):
                continue
        told += re.findall(r"zqx\w{6}", str(value).lower())
    return told


def test_every_table_about_people_has_canaries(world: World) -> None:
    """A new table without one would be outside of all that is proved here."""
    known = {canary.where.split(".")[0] for canary in [*world.ids.values(), *world.canaries.values()]}
    missing = {model.__name__ for model in person_models()} - known - {"Erasure"}
    assert not missing, f"give these a row in tests/proof/world.py: {sorted(missing)}"


def test_the_database_alone_shows_each_viewer_their_rows(world: World, figure: Figure) -> None:
    """Both ways: no row too many, and none of those that may be read is missing."""
    count, wrong = leaks_of_the_tables(world)
    figure(
        viewers=len(VIEWERS), cells=count["cells"], rows=count["rows"], canaries=len(world.canaries), wrong=len(wrong)
    )
    assert not wrong, "\n".join(sorted(set(wrong)))


def leaks_of_the_queries(world: World, *, one_in: int = 9) -> tuple[Counter[str], list[str]]:
    """What the code's queries give to each viewer, person by person and class by class; one search in so many."""
    count: Counter[str] = Counter()
    wrong: list[str] = []
    persons = {person.pk: (thing, member) for thing in THINGS for member, person in enumerate(world.of(thing).people)}
    by_class = [model for model in person_models() if model.data_class is not None or _has_row_class(model)]
    by_class = [model for model in by_class if model.__name__ not in ("Consent", "ConsentRecipient", "Withdrawal")]
    for viewer in VIEWERS:
        user = world.users.get(viewer)
        if user is None or not user.is_active:
            continue
        with acting(user), transaction.atomic():
            held = queries.Sight(user, persons)
            for pk, (thing, member) in persons.items():
                classes, writes = sight(viewer, thing, member)
                count["cells"] += 1
                if held.classes.get(pk, 0) != classes or (pk in held.writes) != writes:
                    wrong.append(f"{viewer} and {thing}/{member}: {DataClass(held.classes.get(pk, 0))!r} {classes!r}")
                if _there(queries.person, user, pk) != bool(classes & DataClass.IDENTITY):
                    wrong.append(f"{viewer} and the person {thing}/{member}")
                told = {each.consent.pk for each in consents.of_person(user, pk)}
                wrong += [
                    f"{viewer} is told of a consent of {thing}" for key in told if not may_read(viewer, world.ids[key])
                ]
            for model in by_class:
                for key in held.rows(model).values_list("pk", flat=True):
                    count["rows"] += 1
                    # what the actions made beside the world's rows has no canary: languages of new persons
                    if key in world.ids and not may_read(viewer, world.ids[key]):
                        wrong.append(f"{viewer} gets {world.ids[key].where} of {world.ids[key].thing}")
            for number, thing in enumerate(THINGS):
                home = world.of(thing).household.pk
                if _there(queries.household, user, home) != household(viewer, thing):
                    wrong.append(f"{viewer} and the household {thing}")
                if (number + len(viewer)) % one_in:
                    continue
                latin = world.of(thing).people[0].name_latin
                for hit in queries.search(user, latin):
                    count["found"] += 1
                    if hit.person.pk in persons and not sight(viewer, *persons[hit.person.pk])[0] & DataClass.IDENTITY:
                        wrong.append(f"{viewer} finds {thing}")
            wrong += _lists(world, viewer, user, persons, count)
    return count, wrong


def _has_row_class(model: Any) -> bool:
    return "row_class" in {column.name for column in model._meta.fields}


def _there(query: Any, user: Any, pk: uuid.UUID) -> bool:
    from django.http import Http404

    try:
        query(user, pk)
    except Http404:
        return False
    return True


def _lists(world: World, viewer: str, user: Any, persons: dict[Any, Any], count: Counter[str]) -> Iterator[str]:
    number: Counter[str] = Counter()
    counts = queries.counts(user)
    for basis in sorted({*counts, "own", "named"}):
        for line in queries.page(user, basis=basis, size=500):
            number[basis] += 1
            if line.person.pk not in persons:  # another test's
                continue
            if not sight(viewer, *persons[line.person.pk])[0] & DataClass.IDENTITY:
                yield f"{viewer} has {persons[line.person.pk]} in a list"
            if line.household and not household(viewer, persons[line.person.pk][0]):
                yield f"{viewer} has the household of {persons[line.person.pk]} in a list"
        counted = sum(counts.get(basis, {}).values())
        if counted != number[basis]:
            yield f"{viewer} counts {counted} by {basis} and is shown {number[basis]}"
    for shared in consents.shared(user, size=500):
        count["shared"] += 1
        allowed = sight(viewer, *persons[shared.person.pk])[0]
        if shared.classes & ~allowed:
            yield f"{viewer} is offered {shared.classes!r} of {persons[shared.person.pk]}"


def test_a_suspended_account_stands_for_nobody(world: World) -> None:
    user = world.users["suspended_a"]
    assert rules.grantees(user) == [] and rules.holders(user) == []
    with acting(user), pytest.raises(ProgrammingError, match="no security context"), transaction.atomic():
        Person.objects.count()
    assert rules.grantees(world.users["worker_a"]), "the control"


@pytest.mark.parametrize("with_database", [True, False], ids=["both locks", "the code alone"])
def test_the_queries_give_each_viewer_what_is_theirs(world: World, figure: Figure, with_database: bool) -> None:
    with row_security(with_database):
        count, wrong = leaks_of_the_queries(world)
    figure(**count, wrong=len(wrong))
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_without_any_lock_everything_leaks(world: World, figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of both proofs above: each finds what is open once its lock is off."""
    with row_security(False):
        _, rows = leaks_of_the_tables(world)
        without_the_code(monkeypatch, world)
        _, given = leaks_of_the_queries(world)
    figure(leaks_of_tables=len(rows), leaks_of_queries=len(given))
    assert len(rows) > 1000 and len(given) > 100


# -- the answers -------------------------------------------------------------------------------------------------------

#: what differs in any two answers: keys against forgery, nonces, ids, numbers of the journal
_DIFFERS = re.compile(r'csrfmiddlewaretoken" value="\w+"|nonce-[^\s;"\']+|nonce="[^"]+"|[0-9a-f]{8}-[0-9a-f-]{27}')
_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def may_be_told(viewer: str, canary: Canary) -> bool:
    """As `may_read`; and whoever reads a register reads by which key it names a person."""
    key = canary.where == "Person"
    return may_read(viewer, canary) or (key and may_read(viewer, replace(canary, audience=REGISTER)))


@dataclass
class Round:
    """One run of the matrix."""

    world: World
    clients: dict[str, Client]
    #: about one request in so many is made: those of this part
    one_in: int = 1
    part: int = 0
    count: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    #: answers that are errors of ours: they hide what a sound answer would show
    broken: list[str] = field(default_factory=list)
    tick: int = 0

    def ask_all(self, things: tuple[str, ...] = THINGS, viewers: tuple[str, ...] = VIEWERS) -> None:
        for name in routes():
            route = ROUTES[name]
            for viewer in viewers:
                for url, thing in self._urls(name, route, things):
                    self.count["cells"] += 1
                    for method, ask, form in self._ways(route, thing):
                        self.tick += 1
                        # a step that shares no factor with the numbers of viewers and files
                        if self.tick * 7919 % self.one_in != self.part:
                            continue
                        self._ask(viewer, name, method, url + ask, form, thing)

    def _urls(self, name: str, route: Route, things: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        if route.about is None:
            yield reverse(name), ""
            return
        for thing in things:
            for arguments in route.about(self.world, self.world.of(thing)):
                yield reverse(name, kwargs=arguments), thing

    def _ways(self, route: Route, thing: str) -> Iterator[tuple[str, str, dict[str, str] | None]]:
        yield "GET", "", None
        for about in THINGS if route.about is None else (thing,):
            words = self._words(about)
            for ask in route.asks:
                yield "GET", "?" + ask.format(**words), None
            for form in route.forms:
                yield "POST", "", {name: value.format(**words) for name, value in form.items()}
        yield "HEAD", "", None
        yield "POST", "", {}

    def _words(self, thing: str) -> dict[str, Any]:
        of = self.world.of(thing)
        return {
            "name": of.people[0].name_latin.split()[1], "reference": of.household.reference, "home": of.household.pk,
            "person": of.people[0].pk, "house": self.world.houses["A"].pk, "lead": self.world.users["lead"].pk,
            "step": getattr(of.made.get("Step"), "pk", uuid.UUID(int=0)),
        }  # fmt: skip

    def _ask(self, viewer: str, name: str, method: str, url: str, form: Any, thing: str) -> None:
        self.count["requests"] += 1
        response, beside = self._answer(viewer, method, url, form)
        if response.status_code >= 500:
            self.broken.append(f"{viewer} {method} {name}: {response.status_code}")
        said = f"{url} {form}"
        text = readable(response)
        for canary in found(self.world, text, said=said):
            self.count["canaries"] += 1
            if not may_be_told(viewer, canary):
                self.wrong.append(f"{viewer} {method} {name}: {canary.where} of {canary.thing}/{canary.member}")
        self.wrong += [f"{viewer} {method} {name}: {kind} holds {canary.where}" for kind, canary in beside]
        if thing and not self._knows(viewer, thing):
            self.count["hidden"] += 1
            self._same_as_nothing(viewer, name, method, url, form, response, text)

    def _knows(self, viewer: str, thing: str) -> bool:
        """Is there anything about this household that the viewer may read?"""
        return any(
            may_read(viewer, Canary("", thing, member, audience, ""))
            for member in (0, 1)
            for audience in (*DataClass, REGISTER, "household", "glass")
        )

    def _same_as_nothing(
        self, viewer: str, name: str, method: str, url: str, form: Any, response: Any, text: str
    ) -> None:  # fmt: skip
        """Whose file it is not gets what nobody's file gives."""

        def other(text: str) -> str:
            return re.sub(
                r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda match: str(uuid.uuid5(uuid.NAMESPACE_URL, match[0])), text
            )

        asked, form = form, None if form is None else {name: other(value) for name, value in form.items()}
        if (other(url), form) == (url, asked):
            return  # it names nobody: the second answer would differ from the first by a notice already shown
        nothing, _ = self._answer(viewer, method, other(url), form)
        told, there = (_DIFFERS.sub("", part) for part in (readable(nothing), text))
        if nothing.status_code != response.status_code or told != there:
            self.wrong.append(f"{viewer} {method} {name}: tells that it is there ({response.status_code})")
        elif response.status_code == 200 and method != "HEAD":
            self.count["open_to_all"] += 1

    def _answer(self, viewer: str, method: str, url: str, form: Any) -> tuple[Any, list[tuple[str, Canary]]]:
        """The answer, and the canaries in what was written beside it; all of it is undone."""
        client = self.clients[viewer]
        block = transaction.atomic()
        block._from_testcase = True  # refusals are written in it, and undone with it
        with overheard() as told, block:
            asked = getattr(client, method.lower())
            response = asked(url, form) if form is not None else asked(url)
            beside: list[tuple[str, Canary]] = []
            if not connection.needs_rollback:
                beside = self._written(told)
            there = response.get("Location", "") if method == "POST" else ""
            if there.startswith("/") and not connection.needs_rollback:
                beside += [
                    ("the next page", canary)
                    for canary in found(self.world, readable(client.get(there)), said=f"{url} {form} {there}")
                    if not may_be_told(viewer, canary)
                ]
            transaction.set_rollback(True)
        return response, beside

    def _written(self, told: list[Any]) -> list[tuple[str, Canary]]:
        """Words of the files in what this transaction told the ledger or anybody's mailbox."""
        self.count["events"] += len(told)
        found_there = [("the ledger", canary) for entry in told for canary in words(self.world, str(entry))]
        for mail in OutboxMail.objects.all():
            self.count["mails"] += 1
            text = f"{mail.recipients} {bytes(mail.message).decode(errors='replace')}"
            found_there += [("a mail", canary) for canary in words(self.world, text)]
        return found_there


@contextmanager
def overheard() -> Iterator[list[Any]]:
    """Every entry that the ledger is given."""
    told: list[Any] = []
    write = ledger._write

    def listen(entries: list[Any], *more: Any) -> int:
        told.extend(entries)
        return write(entries, *more)

    with patch.object(ledger, "_write", listen):
        yield told


def routes() -> list[str]:
    """Every address of the people's files that has a line."""
    return sorted(name for name, _view in addresses() if name in ROUTES)


def test_every_route_is_in_the_matrix() -> None:
    about_people = {name.split(":")[0] for name in ROUTES}
    names = {name for name, _view in addresses() if name.split(":")[0] in about_people}
    missing = sorted(names - set(ROUTES))
    assert not missing, f"say in tests/proof/routes.py what these addresses are about: {missing}"
    assert not set(ROUTES) - names, "these lines have lost their address"


@pytest.fixture
def clients(world: World) -> Iterator[dict[str, Client]]:
    hosts.forget()
    found = {}
    for viewer in VIEWERS:
        client = found[viewer] = Client(
            raise_request_exception=False, headers={"host": f"{connection.schema_name}.localhost"}
        )
        if viewer in world.users:
            client.force_login(world.users[viewer])
    with translation.override("en"):
        yield found


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log(world: World) -> Iterator[_Kept]:
    """All that is logged, with its tracebacks."""
    kept = _Kept()
    kept.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(kept)
    yield kept
    logging.getLogger().removeHandler(kept)


WAYS = {"both locks": (True, True), "the database alone": (True, False), "the code alone": (False, True)}


def _run(
    world: World, clients: dict[str, Client], way: str, monkeypatch: pytest.MonkeyPatch, one_in: int, part: int = 0
) -> Round:
    database, code = WAYS[way]
    with row_security(database), monkeypatch.context() as patched:
        if not code:
            without_the_code(patched, world)
        run = Round(world, clients, one_in=one_in, part=part)
        run.ask_all()
    return run


@pytest.mark.parametrize("way", WAYS)
def test_answers_hold_what_their_reader_may_see(
    way: str, world: World, clients: Any, log: _Kept, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of all cells that comes to the same number of requests however many addresses there are."""
    run = _run(world, clients, way, monkeypatch, one_in=max(1, len(routes()) * 45))
    _judge(run, log, figure)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_many_answers_hold_what_their_reader_may_see(
    way: str, world: World, clients: Any, log: _Kept, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """About three thousand requests for each way."""
    run = _run(world, clients, way, monkeypatch, one_in=max(1, len(routes()) * 45 * 50 // 3000))
    _judge(run, log, figure)


#: one part of the whole matrix: some three hundred requests
PARTS = 997


@pytest.mark.long
@pytest.mark.skipif("PARVIS_MATRIX" not in os.environ, reason="hours: PARVIS_MATRIX=how many parts to do now")
@pytest.mark.parametrize("way", WAYS)
def test_every_answer_holds_what_its_reader_may_see(
    way: str, world: World, clients: Any, log: _Kept, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request, in parts. What was done stands in matrix-WAY.jsonl beside the tests' database and is not done
    again: a run that was cut goes on, until the file is deleted or an address is added."""
    book = Path(os.environ["PARVIS_HOME"]) / f"matrix-{way.replace(' ', '-')}.jsonl"
    told = [json.loads(line) for line in book.read_text().splitlines()] if book.exists() else []
    told = [each for each in told if each["routes"] == len(routes())]
    missing = sorted(set(range(PARTS)) - {each["part"] for each in told})
    for part in missing[: int(os.environ["PARVIS_MATRIX"])]:
        run = _run(world, clients, way, monkeypatch, PARTS, part)
        logged = [canary.where for line in log.lines for canary in words(world, line)]
        log.lines.clear()
        told.append({"part": part, "routes": len(routes()), "count": dict(run.count), "broken": run.broken,
                     "wrong": run.wrong + [f"the log holds {where}" for where in logged]})  # fmt: skip
        with book.open("a") as file:
            file.write(json.dumps(told[-1]) + "\n")
        print(f"{way}: {len(told)} of {PARTS} parts, {len(told[-1]['wrong'])} leaks", file=sys.__stderr__, flush=True)
    total: Counter[str] = Counter()
    for each in told:
        total.update({name: number for name, number in each["count"].items() if name != "cells"})
    wrong = sorted({line for each in told for line in each["wrong"]})
    figure(parts=f"{len(told)} of {PARTS}", **total, leaks=len(wrong), errors=sum(len(each["broken"]) for each in told))
    assert told and not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_who_is_shut_out_learns_nothing_anywhere(
    way: str, world: World, clients: Any, log: _Kept, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address and form, about the household from which these accounts are shut out, and one that is anybody's."""
    database, code = WAYS[way]
    with row_security(database), monkeypatch.context() as patched:
        if not code:
            without_the_code(patched, world)
        run = Round(world, clients)
        run.ask_all(("shut", "never"), ("denied_privacy", "denied_agent"))
    _judge(run, log, figure)


def _judge(run: Round, log: _Kept, figure: Figure) -> None:
    logged = [canary for line in log.lines for canary in words(run.world, line)]
    figure(**run.count, searched=len(run.world.canaries) + len(run.world.ids), log_lines=len(log.lines),
           leaks=len(run.wrong) + len(logged), errors=len(run.broken))  # fmt: skip
    print("\n".join(sorted(set(run.broken))))
    assert not logged, f"logged: {logged[:3]}"
    assert not run.wrong, "\n".join(sorted(set(run.wrong)))
    assert run.count["canaries"] and run.count["hidden"], "the control: somebody saw something, and somebody did not"


@pytest.mark.parametrize("production", [True, False], ids=["in production", "the control: in the demo"])
def test_office_staff_without_a_second_factor_are_shown_nobody(
    world: World, clients: Any, figure: Figure, settings: Any, production: bool
) -> None:
    """Whatever they ask for: the accounts of this world have a password alone."""
    settings.PRODUCTION = production
    run = Round(world, clients, one_in=len(routes()) * 3)
    run.ask_all(THINGS, ("lead", "named", "privacy"))
    figure(requests=run.count["requests"], canaries=run.count["canaries"], errors=len(run.broken))
    assert run.count["requests"] > 20 and bool(run.count["canaries"]) is not production


def test_answers_leak_when_both_locks_are_off(
    world: World, clients: Any, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    with row_security(False), monkeypatch.context() as patched:
        without_the_code(patched, world)
        run = Round(world, clients, one_in=len(routes()) * 5)
        run.ask_all(("never", "restricted", "shut"), ("director", "worker_d", "denied_agent"))
    figure(requests=run.count["requests"], leaks=len(run.wrong))
    assert run.wrong


@contextmanager
def without_their_keys(persons: list[Person]) -> Iterator[None]:
    """What an erasure leaves where rows stay: the key of each is gone. Put back afterwards."""
    asked = ", ".join(f"'{person.pk}'" for person in persons)
    off, on = (f"ALTER TABLE cases_personkey {verb} ROW LEVEL SECURITY" for verb in ("DISABLE", "ENABLE"))
    aside = f"CREATE TABLE keys_aside AS SELECT * FROM cases_personkey WHERE person_id IN ({asked})"
    # in transactions of their own: a table with changes that are still to be checked can't be altered
    for step in (off, aside, f"DELETE FROM cases_personkey WHERE person_id IN ({asked})", on):
        as_owner(connection.tenant, step)
    try:
        yield
    finally:
        for step in (off, "INSERT INTO cases_personkey SELECT * FROM keys_aside", on, "DROP TABLE keys_aside"):
            as_owner(connection.tenant, step)


def test_an_erased_key_opens_nothing(world: World, clients: Any, figure: Figure) -> None:
    """The rows may stay: their sealed words are gone even for who keeps the file, and no page breaks over it."""
    thing = world.of("never")
    run = Round(world, clients)

    def sealed(urls: Any) -> dict[str, set[str]]:
        told = {}
        for url in urls:
            response, _ = run._answer("lead", "GET", url, None)
            assert response.status_code < 500, url
            told[url] = {
                each.text for each in found(world, readable(response)) if each.sealed and each.thing == "never"
            }
        return told

    named = [(name, ROUTES[name]) for name in routes() if ROUTES[name].about is not None]
    before = sealed(url for name, route in named for url, _ in run._urls(name, route, ("never",)))
    showing = [url for url, words_there in before.items() if words_there]
    with without_their_keys(thing.people):
        after = sealed(showing)
        lead = world.users["lead"]
        with acting(lead), transaction.atomic(), pytest.raises(Unreadable):
            Vault([person.pk for person in thing.people]).open(thing.made["Note"], "text")
    told = set().union(*before.values())
    figure(addresses=len(before), showing_sealed_words=len(showing), words=len(told),
           after_erasure=len(set().union(*after.values())))  # fmt: skip
    assert len(told) > 10, "the control: before, they are shown"
    assert not set().union(*after.values())


def test_a_token_opens_one_door(world: World, clients: Any, figure: Figure) -> None:
    """A program's key opens the partners' addresses, for what its member sees there and of the token's classes; every
    other address takes it for a visitor."""
    boss, block = world.users["manager_a"], transaction.atomic()
    block._from_testcase = True  # what the requests commit is undone with it
    host = {"host": f"{connection.schema_name}.localhost"}
    with block:
        some = DataClass.IDENTITY | DataClass.NEEDS
        shown = {}
        for classes in (some, SHAREABLE):
            token, key = make_token(world.houses["A"], f"Program {classes.value}", classes, days=1, by=boss)
            bearer = Client(raise_request_exception=False, headers=host | {"Authorization": f"Bearer {key}"})
            answer = bearer.get(reverse("partners-shared"))
            assert answer.status_code == 200
            shown[classes] = found(world, readable(answer))
            wrong = [
                f"{canary.where} of {canary.thing}/{canary.member}"
                for canary in shown[classes]
                if not may_read("manager_a", canary)
                or not (isinstance(canary.audience, DataClass) and canary.audience & classes)
            ]
            assert not wrong, wrong
        run = Round(world, {"visitor": bearer}, one_in=len(routes()))
        run.ask_all(viewers=("visitor",))
        revoke_token(token, by=boss)
        over = bearer.get(reverse("partners-shared"))
        transaction.set_rollback(True)
    figure(requests=run.count["requests"], by_some=len(shown[some]), by_all=len(shown[SHAREABLE]), leaks=len(run.wrong))
    assert run.count["requests"] > 20 and not run.wrong, run.wrong
    assert len(shown[SHAREABLE]) > len(shown[some]) > 0, "the control: it shows, and more to a token that may more"
    assert over.status_code == 401 and not found(world, readable(over))
