"""Reading people's files. First argument: the viewer. Lists, counts and searches start from the access projection.

Every query asks the viewer's grantees itself: with row-level security off it gives the same answer.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from parvis.accounts.models import Role, User
from parvis.cases import rules
from parvis.cases.models import Access, Attachment, Household, HouseholdMember, Person
from parvis.cases.models.access import Basis
from parvis.cases.models.base import OFFICE, PersonRow
from parvis.cases.models.people import PersonState
from parvis.core import names
from parvis.core.access import DataClass
from parvis.kit.sealing import blind

RowType = TypeVar("RowType", bound=PersonRow)
AnyRow = TypeVar("AnyRow", bound=models.Model)


# -- the projection ---------------------------------------------------------------------------------------------------


def granted(viewer: Any, wanted: DataClass | None = None, *, writes: bool = False) -> QuerySet[Access]:
    """The access rows that hold for this viewer now, for a class of data, or to write."""
    now = timezone.now()
    found = Access.objects.filter(
        grantee_id__in=rules.grantees(viewer), valid_from__lte=now, valid_until__gt=now
    ).exclude(person_id__in=denied(viewer))
    if wanted is not None:
        found = found.alias(hit=F("classes").bitand(wanted.value)).filter(hit__gt=0)
    return found.filter(writes=True) if writes else found


def denied(viewer: Any) -> list[uuid.UUID]:
    """Persons whom this viewer must never see, and who lives with them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(access_denied())")
        return [row[0] for row in cursor.fetchall()]


def classes_of(viewer: Any, person: uuid.UUID) -> tuple[DataClass, bool]:
    """What the viewer may see of a person, and whether they may write."""
    seen, writes = DataClass(0), False
    for row in granted(viewer).filter(person_id=person):
        seen |= DataClass(row.classes)
        writes = writes or row.writes
    return seen, writes


class Sight:
    """What a viewer may see of some persons, asked once for a page: classes and household by person, who is theirs."""

    def __init__(self, viewer: Any, persons: Iterable[uuid.UUID] = (), *, household: uuid.UUID | None = None) -> None:
        """Of these persons, or of everybody who is or was in a household."""
        self.viewer = viewer
        self.classes: dict[uuid.UUID, int] = {}
        self.writes: set[uuid.UUID] = set()
        self.homes: dict[uuid.UUID, uuid.UUID | None] = {}
        self.bases: dict[uuid.UUID, Basis] = {}  # the nearest reason why each may be seen
        # keys, not a sub-select: both sides of OR are then looked up by index, among a million files
        self._ever = [] if household is None else fetched(HouseholdMember, "household_id = %s", _BY_TIME, [household])
        wanted = {row.person_id for row in self._ever} | set(persons)
        with connection.cursor() as cursor:
            now = timezone.now()
            cursor.execute(_SIGHT, [rules.grantees(viewer), now, now, household, list(wanted)])
            held = cursor.fetchall()
        for person, home, classes, writes, basis in held:
            self.classes[person] = self.classes.get(person, 0) | classes
            self.homes[person] = home
            self.bases[person] = min(Basis(basis), self.bases.get(person, Basis.OWN), key=_NEAREST.index)
            if writes:
                self.writes.add(person)

    def members(self) -> list[HouseholdMember]:
        """Who is or was in the household, as far as the viewer may see each, in the order of their coming."""
        allowed = set(self.who(DataClass.HOUSEHOLD))
        return [row for row in self._ever if row.person_id in allowed]

    def sees(self, person: uuid.UUID, wanted: DataClass) -> bool:
        """May the viewer see any of these classes of the person's data?"""
        return bool(self.classes.get(person, 0) & wanted)

    def who(self, wanted: DataClass) -> list[uuid.UUID]:
        """Of whom the viewer may see any of these classes."""
        return [person for person, classes in self.classes.items() if classes & wanted]

    def rows(self, model: type[RowType]) -> QuerySet[RowType]:
        """Rows of `model` about these persons that the viewer may see: by the table's class, or each row's own."""
        found = model.objects.filter(person_id__in=list(self.classes))  # type: ignore[attr-defined]
        if model.data_class is not None:
            return found.filter(person_id__in=self.who(model.data_class))
        allowed = Q(pk__in=[])
        for classes in set(self.classes.values()):
            of = [person for person, held in self.classes.items() if held == classes]
            allowed |= Q(person_id__in=of, row_class__in=[member.value for member in DataClass if member & classes])
        if model._meta.model_name == "note":
            allowed |= Q(author_id=self.viewer.pk)
        return found.filter(allowed)

    def read(
        self,
        model: type[RowType],
        more: str = "true",
        order: str = "created_at",
        values: Sequence[Any] = (),
        *,
        with_account: str = "",
    ) -> list[RowType]:
        """As `rows`, of the rows for which `more` is true (SQL; its values are `values`), in this order; what a page
        reads: composing a statement anew costs the web process more than PostgreSQL spends on it.

        `with_account`: a foreign key to an account, read along (its name and address)."""
        if model.data_class is not None:
            asked, seen = ["person_id = ANY(%s)"], [self.who(model.data_class)]
        else:
            asked, seen = self._by_row_class(model)
        condition = f"({' OR '.join(asked) or 'false'}) AND ({more})"
        return fetched(model, condition, order, [*seen, *values], with_account)

    def _by_row_class(self, model: type[RowType]) -> tuple[list[str], list[Any]]:
        asked: list[str] = []
        values: list[Any] = []
        for classes in set(self.classes.values()):
            of = [person for person, held in self.classes.items() if held == classes]
            asked.append("person_id = ANY(%s) AND row_class = ANY(%s)")
            values += [of, [member.value for member in DataClass if member & classes]]
        if model._meta.model_name == "note":
            asked.append("person_id = ANY(%s) AND author_id = %s")
            values += [list(self.classes), self.viewer.pk]
        return asked, values


#: of several reasons to see a person, the one that says most: an emergency before a habit
_NEAREST = [
    Basis.SELF, Basis.BREAK_GLASS, Basis.REQUEST, Basis.LEAD, Basis.NAMED, Basis.REFERRAL, Basis.CONSENT, Basis.OWN,
]  # fmt: skip

# A denial is asked of the database in the same statement. Both sides of OR by index.
_SIGHT = """
    SELECT person_id, household_id, classes, writes, basis FROM cases_access
    WHERE grantee_id = ANY(%s) AND valid_from <= %s AND valid_until > %s
        AND person_id <> ALL ((SELECT access_denied())::uuid[]) AND (household_id = %s OR person_id = ANY(%s))
"""
_BY_TIME = "since, created_at"


def fetched(
    model: type[AnyRow], condition: str, order: str, values: Sequence[Any], with_account: str = ""
) -> list[AnyRow]:
    """Rows by a condition in SQL with its values, without the making of a statement: for what every page asks."""
    columns = [column.attname for column in model._meta.concrete_fields]
    read = _readers(model)
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, condition, order, with_account), values)
        for row in cursor.fetchall():
            given = list(row[: len(columns)])
            for place, reader in read:
                given[place] = reader(given[place], None, connection)
            one = model.from_db(connection.alias, columns, given)
            if with_account:
                account = row[len(columns) :]
                setattr(one, with_account, User.from_db(connection.alias, _ACCOUNT, account) if account[0] else None)
            found.append(one)
    return found


@lru_cache(maxsize=200)
def _readers(model: type[models.Model]) -> list[tuple[int, Any]]:
    """Of the columns that don't come as they are meant (JSON comes as text): place and what reads it."""
    fields = enumerate(model._meta.concrete_fields)
    return [(place, field.from_db_value) for place, field in fields if hasattr(field, "from_db_value")]


_ACCOUNT = ["id", "email", "name"]


@lru_cache(maxsize=500)
def _statement(model: type[models.Model], condition: str, order: str, with_account: str) -> str:
    table = model._meta.db_table
    columns = [f'{table}."{column.column}"' for column in model._meta.concrete_fields]
    joined = ""
    if with_account:
        columns += [f"account.{column}" for column in _ACCOUNT]
        joined = f"LEFT JOIN (SELECT {', '.join(_ACCOUNT)} FROM {User._meta.db_table}) AS account"
        joined += f" (account_id, email, name) ON account_id = {table}.{with_account}_id"
        columns[-3] = "account_id"
    return f"SELECT {', '.join(columns)} FROM {table} {joined} WHERE {condition} ORDER BY {order}"


def rows(viewer: Any, model: type[RowType], persons: Iterable[uuid.UUID]) -> QuerySet[RowType]:
    """Rows of `model` about these persons that the viewer may see: by the table's class, or each row's own."""
    return Sight(viewer, persons).rows(model)


# -- one ---------------------------------------------------------------------------------------------------------------


def person(viewer: Any, pk: uuid.UUID) -> Person:
    """One person, or 404: the same for "not there" and "not yours"."""
    if not granted(viewer, DataClass.IDENTITY).filter(person_id=pk).exists():
        raise Http404
    return _one(Person.objects, pk)


def household(viewer: Any, pk: uuid.UUID) -> Household:
    """One household, if who lives there may be known of one of its present members (or it is the viewer's own
    organization's); or 404."""
    found = _one(Household.objects.select_related("lead_worker", "backup_worker"), pk)
    ours = not found.restricted and found.holder_id in rules.holders(viewer) and not _is_shut_out(viewer, found)
    if not ours and not granted(viewer, DataClass.HOUSEHOLD).filter(household_id=pk).exists():
        raise Http404
    return found


def _one(rows: Any, pk: uuid.UUID) -> Any:
    try:
        return rows.get(pk=pk)
    except rows.model.DoesNotExist:
        raise Http404 from None


def may_write(viewer: Any, person_id: uuid.UUID) -> bool:
    return granted(viewer, writes=True).filter(person_id=person_id).exists()


def members(viewer: Any, household: Household, *, ended: bool = False) -> list[HouseholdMember]:
    """Who is in the household (`ended`: who was), head first, as far as the viewer may see each."""
    visible = granted(viewer, DataClass.HOUSEHOLD).values("person_id")
    found = (
        household.members.filter(until__isnull=not ended, person_id__in=visible)
        .select_related("person")
        .order_by("since", "created_at")
    )
    return sorted(found, key=lambda member: (member.relation != "head", member.person.birth_year or 3000))


# -- lists and search --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """One line of a list: a person, their household if it may be seen, and why the viewer sees them."""

    person: Person
    household: Household | None
    basis: str
    score: float = 1.0


def page(viewer: Any, *, basis: str = Basis.OWN, state: str = "", offset: int = 0, size: int = 50) -> list[Found]:
    """A page of people, newest file first. Four queries, whatever the size of the office."""
    asked = {
        "grantees": rules.grantees(viewer), "now": timezone.now(), "denied": denied(viewer), "basis": basis,
        "state": state, "offset": offset, "size": size, "most": offset + size,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, asked)
        ids = cursor.fetchall()
    return _lines(viewer, ids, {pk: basis for pk, _ in ids})


# Of each grantee the first rows in the order of the index: the million behind them is not sorted.
_PAGE = """
    SELECT DISTINCT ON (listed_at, person_id) person_id, household_id FROM unnest(%(grantees)s::uuid[]) AS grantee,
        LATERAL (
            SELECT DISTINCT ON (listed_at, person_id) person_id, household_id, listed_at FROM cases_access
            WHERE grantee_id = grantee AND basis = %(basis)s AND state <> 'mistake'
                AND (%(state)s = '' OR state = %(state)s)
                AND valid_from <= %(now)s AND valid_until > %(now)s AND person_id <> ALL(%(denied)s::uuid[])
            ORDER BY listed_at DESC, person_id LIMIT %(most)s
        ) AS first
    ORDER BY listed_at DESC, person_id LIMIT %(size)s OFFSET %(offset)s
"""


def counts(viewer: Any) -> dict[str, dict[str, int]]:
    """People by basis and state, from the projection alone: {"own": {"present": 12}}."""
    asked = {
        "grantees": rules.grantees(viewer), "now": timezone.now(), "denied": denied(viewer), "own": Basis.OWN.value,
        "shared": SHARED,
    }  # fmt: skip
    told: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        for basis, state, number in cursor.fetchall():
            told.setdefault(basis, {})[state] = number
    return told


SHARED = [basis.value for basis in Basis if basis != Basis.OWN]

# One holder, one row: a holder's own people are counted in the order of the index, for each grantee apart, without
# being sorted. Others may be shared more than once.
_COUNTS = """
    SELECT %(own)s, own.state, sum(own.number)::int FROM unnest(%(grantees)s::uuid[]) AS grantee
    CROSS JOIN LATERAL (
        SELECT state, count(*) AS number FROM cases_access
        WHERE grantee_id = grantee AND basis = %(own)s AND state <> 'mistake'
            AND valid_from <= %(now)s AND valid_until > %(now)s AND person_id <> ALL(%(denied)s::uuid[])
        GROUP BY state
    ) AS own GROUP BY own.state
    UNION ALL
    SELECT basis, state, count(DISTINCT person_id) FROM cases_access
    WHERE grantee_id = ANY(%(grantees)s) AND basis = ANY(%(shared)s) AND state <> 'mistake'
        AND valid_from <= %(now)s AND valid_until > %(now)s AND person_id <> ALL(%(denied)s::uuid[])
    GROUP BY basis, state
"""


def search(viewer: Any, text: str, *, size: int = 50) -> list[Found]:
    """People by name in any script or spelling, by telephone, e-mail, or the household's reference."""
    text = text.strip()
    if not text:
        return []
    hits = _by_reference(viewer, text) or _by_contact(viewer, text) or _by_name(viewer, text)
    ids = list({hit[0]: hit for hit in hits}.values())  # seen for two reasons, found once
    return sorted(
        _lines(viewer, [(pk, home) for pk, home, _ in ids], {pk: basis for pk, _, basis in ids}, text),
        key=lambda f: -f.score,
    )[:size]


def _listed(rows: QuerySet[Access]) -> QuerySet[Access]:
    """Who was entered by mistake is in no list; the history of their household leads to them."""
    return rows.exclude(state=PersonState.MISTAKE)


_Hit = tuple[uuid.UUID, uuid.UUID | None, str]


def _by_reference(viewer: Any, text: str) -> list[_Hit]:
    found = Household.objects.filter(reference=text.upper().replace(" ", "")).values_list("pk", flat=True)
    visible = _listed(granted(viewer, DataClass.HOUSEHOLD)).filter(household_id__in=list(found))
    return list(visible.values_list("person_id", "household_id", "basis"))


def _by_contact(viewer: Any, text: str) -> list[_Hit]:
    from parvis.cases.contact import index_of  # a number is judged by its country: see there

    wanted = index_of(text)
    if wanted is None:
        return []
    visible = _listed(granted(viewer, DataClass.CONTACT)).filter(person__contactpoints__value_index=wanted)
    return list(visible.values_list("person_id", "household_id", "basis").distinct())


MOST_CANDIDATES = 300

# Names are hashed for each holder apart: one look by index for each pair of holder and part of a name, all in one
# statement. LATERAL and OFFSET keep the planner from anything else.
_FIND = """
    WITH shared AS (
        SELECT person_id FROM cases_access WHERE basis = ANY(%(shared)s) AND grantee_id = ANY(%(grantees)s)
    )
    SELECT person_id FROM (
        SELECT t.person_id FROM unnest(%(holders)s::uuid[], %(tokens)s::bigint[]) AS asked (holder, token),
            LATERAL (
                SELECT person_id FROM cases_searchtoken WHERE grantee_id = holder AND token = asked.token OFFSET 0
            ) AS t
            WHERE holder = ANY(%(ours)s::uuid[]) OR t.person_id IN (SELECT person_id FROM shared)
        UNION ALL
        SELECT t.person_id FROM unnest(%(tokens)s::bigint[]) AS asked (token),
            LATERAL (
                SELECT person_id FROM cases_searchtoken WHERE grantee_id IS NULL AND token = asked.token OFFSET 0
            ) AS t
            WHERE t.person_id IN (SELECT person_id FROM shared)
    ) AS found GROUP BY person_id ORDER BY count(*) DESC LIMIT %(most)s
"""


def _by_name(viewer: Any, text: str) -> list[_Hit]:
    tokens = names.query_tokens(text)
    if not tokens:
        return []
    ours = rules.holders(viewer)
    holders = {*ours, *_shared_holders()}
    asked = [(holder, blind(f"name|{holder}", token)) for holder in holders for token in tokens]
    with connection.cursor() as cursor:
        cursor.execute(
            _FIND,
            {
                "grantees": rules.grantees(viewer), "shared": SHARED, "ours": ours, "most": MOST_CANDIDATES,
                "holders": [holder for holder, _ in asked], "tokens": [token for _, token in asked],
            },
        )  # fmt: skip
        found = [row[0] for row in cursor.fetchall()]
    visible = _listed(granted(viewer, DataClass.IDENTITY)).filter(person_id__in=found)
    return list({hit[0]: hit for hit in visible.values_list("person_id", "household_id", "basis")}.values())


def _shared_holders() -> set[uuid.UUID]:
    """Who holds the files that are shared with whoever acts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_shared_holders()")
        return {row[0] for row in cursor.fetchall()}


def _lines(
    viewer: Any, ids: Sequence[tuple[uuid.UUID, uuid.UUID | None]], why: dict[uuid.UUID, str], text: str = ""
) -> list[Found]:
    """A household is named beside those of whom the viewer may know with whom they live."""
    people = Person.objects.prefetch_related("personnames").in_bulk([pk for pk, _ in ids])
    sight = Sight(viewer, [pk for pk, home in ids if home])
    living = set(sight.who(DataClass.HOUSEHOLD))
    homes = Household.objects.in_bulk({home for pk, home in ids if home and pk in living})
    return [
        Found(
            people[pk],
            homes.get(home) if home and pk in living else None,
            why[pk],
            _score(text, people[pk]) if text else 1.0,
        )
        for pk, home in ids
        if pk in people
    ]


def _score(text: str, person: Person) -> float:
    return names.score(text, [person.name, person.name_latin, *(name.text for name in person.personnames.all())])


def may_write_household(viewer: Any, household: Household) -> bool:
    """May the viewer change the household itself: one of its people, or an empty file of their own organization?"""
    if granted(viewer, writes=True).filter(household_id=household.pk).exists():
        return True
    if household.restricted or household.holder_id not in rules.holders(viewer):
        return False
    return not _is_shut_out(viewer, household)


def _is_shut_out(viewer: Any, household: Household) -> bool:
    """Is or was somebody in this household whom the viewer must never see?"""
    return HouseholdMember.objects.filter(household=household, person_id__in=denied(viewer)).exists()


def waiting_attachments(keys: list[uuid.UUID] | None = None) -> list[Attachment]:
    """Attachments that wait for the scanner: these, or all. For the worker, which acts as the system."""
    found = Attachment.objects.filter(state=Attachment.State.WAITING).defer("content")
    return list(found if keys is None else found.filter(pk__in=keys))


def workers(holder: uuid.UUID) -> QuerySet[User]:
    """Who can answer for files of this holder: the office's agents, or who works for the organization."""
    found = User.objects.filter(is_active=True).order_by("name", "email")
    if holder == OFFICE:
        return found.filter(office_role=Role.AGENT)
    return found.filter(memberships__organization_id=holder, memberships__until=None).distinct()
