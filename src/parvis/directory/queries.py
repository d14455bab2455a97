"""What the desk reads: objects and who may see them, what needs care, what was done, what remains to translate."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from parvis.core.freshness import PERIODS, Kind
from parvis.core.language import fold
from parvis.directory import facts, rules
from parvis.directory.facts import KINDS, kind_of
from parvis.directory.models import (
    Correction,
    DoNotList,
    ImportConflict,
    ImportRun,
    Location,
    Period,
    Service,
    ServiceAtLocation,
    Taxonomy,
    TaxonomyTerm,
    Tombstone,
    Unit,
    Verification,
)
from parvis.ledger.models import Event
from parvis.ledger.queries import history as ledger_history
from parvis.orgs import rules as orgs
from parvis.orgs.models import Organization, VersionedRow
from parvis.words import queries as words

#: a listing is due for a new confirmation after this time
FRESH = dt.timedelta(days=180)

#: what each object says to people, by table: the texts that can be translated
TRANSLATED: dict[str, tuple[str, ...]] = {
    "organization": ("description",),
    "service": (
        "name", "description", "application_process", "fees_description", "wait_time", "eligibility_description",
        "interpretation_services", "alert",
    ),
    "location": ("description", "transportation"),
    "taxonomy_term": ("name",),
}  # fmt: skip
#: the same of the rows that hang on them: (table, column of the owner, texts)
TRANSLATED_ROWS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "organization": (("directory_phone", "organization_id", ("description",)),),
    "service": (
        ("directory_costoption", "service_id", ("option", "amount_description")),
        ("directory_requireddocument", "service_id", ("document",)),
        ("directory_servicearea", "service_id", ("description",)),
        ("directory_schedule", "service_id", ("description", "notes")),
        ("directory_phone", "service_id", ("description",)),
        ("directory_serviceatlocation", "service_id", ("description",)),
    ),
    "location": (
        ("directory_accessibility", "location_id", ("description", "details")),
        ("directory_schedule", "location_id", ("description", "notes")),
        ("directory_phone", "location_id", ("description",)),
    ),
    "taxonomy_term": (),
}
_TABLES = {"organization": "orgs_organization", "service": "directory_service", "location": "directory_location",
           "taxonomy_term": "directory_taxonomyterm"}  # fmt: skip


# -- objects ------------------------------------------------------------------------------------------------------


def find(viewer: Any, kind: str, object_id: uuid.UUID) -> VersionedRow:
    """The object of the desk's kind. Raises ObjectDoesNotExist; the caller's rule decides what `viewer` may do."""
    rows: QuerySet[Any] = KINDS[kind].model._default_manager.all()
    if kind == "service_at_location":
        rows = rows.select_related("service__organization", "location")
    elif kind == "taxonomy_term":
        rows = rows.select_related("taxonomy")
    elif kind not in ("organization", "taxonomy"):
        rows = rows.select_related("organization")
    found: VersionedRow = rows.get(pk=object_id)
    return found


def title(obj: VersionedRow) -> str:
    """What people call an object: its name; a location without one by its first address."""
    if isinstance(obj, ServiceAtLocation):
        return f"{obj.service.name} — {title(obj.location)}"
    name: str = getattr(obj, "name", "")
    if name or not isinstance(obj, Location):
        return name
    address = next((one for one in obj.addresses.all() if one.missing_since is None), None)
    return f"{address.address_1}, {address.city}".strip(", ") if address else ""


def is_listed(obj: VersionedRow) -> bool:
    return facts.is_listed(obj)


def last_confirmation(obj: VersionedRow) -> Verification | None:
    rows = Verification.objects.filter(object_type=kind_of(obj), object_id=obj.pk)
    return rows.select_related("by").order_by("-at").first()


def locations_for(organization_id: uuid.UUID | None, also: Iterable[str] = ()) -> list[tuple[str, str]]:
    """(id, name) of the locations that a service of this organization may be given at."""
    rows = (
        Location.objects.filter(Q(organization_id=organization_id) & ~Q(organization_id=None) | Q(pk__in=list(also)))
        .filter(Q(missing_since=None) | Q(pk__in=list(also)))
        .prefetch_related(models.Prefetch("addresses"))
    )
    named = []
    for row in rows:
        address = next((a for a in row.addresses.all() if a.missing_since is None), None)
        where = ", ".join(part for part in (address.address_1, address.city) if part) if address else ""
        named.append((str(row.pk), " — ".join(part for part in (row.name, where) if part) or str(row.pk)[:8]))
    return sorted(named, key=lambda pair: fold(pair[1]))


def programs(organization: Organization | None) -> list[tuple[str, str]]:
    """(id, name) of an organization's programmes."""
    if organization is None:
        return []
    rows = organization.programs.filter(missing_since=None).order_by("name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]


def children(obj: VersionedRow, name: str) -> list[VersionedRow]:
    """What belongs to an object, by its related name: services, locations, service_at_locations."""
    rows: QuerySet[Any] = getattr(obj, name).all()
    if name == "service_at_locations":
        rows = rows.select_related("service", "location")
    elif name == "locations":
        rows = rows.prefetch_related("addresses")
    return sorted(rows, key=lambda row: fold(title(row)))


def terms() -> list[TaxonomyTerm]:
    """The terms of every taxonomy, by name (at most 3,000)."""
    return list(_listed_terms().order_by("name")[:3000])


def _listed_terms() -> QuerySet[TaxonomyTerm]:
    return TaxonomyTerm.objects.filter(missing_since=None).exclude(_stones("taxonomy_term"))


def taxonomies(viewer: Any) -> QuerySet[Taxonomy]:
    """Every taxonomy by name, with `term_count`. Needs orgs.rules.may_see_history (the office)."""
    return Taxonomy.objects.annotate(term_count=Count("terms")).order_by("name", "pk")


def taxonomy_terms(viewer: Any, taxonomy: Taxonomy | None = None, text: str = "") -> QuerySet[TaxonomyTerm]:
    """Terms by name, of one taxonomy or of all. Needs orgs.rules.may_see_history (the office)."""
    rows = TaxonomyTerm.objects.select_related("taxonomy", "parent").order_by("name", "pk")
    if taxonomy is not None:
        rows = rows.filter(taxonomy=taxonomy)
    return rows.filter(name__iregex=_loosely(text)) if text.strip() else rows


def broader_terms(taxonomy: Taxonomy | None, term: TaxonomyTerm | None = None) -> list[tuple[str, str]]:
    """(id, name) of the terms of a taxonomy that may stand above `term`: not itself and nothing below it."""
    rows = _listed_terms().filter(taxonomy=taxonomy)
    known = {key: (parent, name) for key, parent, name in rows.values_list("pk", "parent_id", "name")}
    below = {term.pk} if term else set()
    found = bool(below)
    while found:
        found = False
        for key, (parent, _name) in known.items():
            if parent in below and key not in below:
                below.add(key)
                found = True
    named = ((str(key), name) for key, (_parent, name) in known.items() if key not in below)
    return sorted(named, key=lambda pair: fold(pair[1]))


def unit_named(name: str) -> Unit:
    """The unit of that name, new when there is none."""
    return Unit.objects.filter(name__iexact=name.strip()).first() or Unit(name=name.strip())


def names(ids: Iterable[str]) -> dict[str, str]:
    """What these ids of locations, terms, units, programs or organizations are called: for a readable history."""
    wanted = [one for one in set(ids) if one]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id::text, name FROM directory_taxonomyterm WHERE id = ANY(%(ids)s::uuid[])
               UNION ALL SELECT id::text, name FROM directory_unit WHERE id = ANY(%(ids)s::uuid[])
               UNION ALL SELECT id::text, name FROM directory_program WHERE id = ANY(%(ids)s::uuid[])
               UNION ALL SELECT id::text, name FROM directory_taxonomy WHERE id = ANY(%(ids)s::uuid[])
               UNION ALL SELECT id::text, name FROM orgs_organization WHERE id = ANY(%(ids)s::uuid[])
               UNION ALL SELECT l.id::text, coalesce(nullif(l.name, ''), (SELECT a.address_1 FROM directory_address a
                   WHERE a.location_id = l.id ORDER BY a.id LIMIT 1), '') FROM directory_location l
                   WHERE l.id = ANY(%(ids)s::uuid[])""",
            {"ids": wanted},
        )
        return dict(cursor.fetchall())


def digits(number: str) -> str:
    """The last nine digits of a telephone number: equal however it is written; "" when there are fewer than seven."""
    found = "".join(sign for sign in number if sign.isdigit())
    return found[-9:] if len(found) >= 7 else ""


def host(address: str) -> str:
    """The host name of a web address, without "www."."""
    text = address.strip().lower().partition("://")[2] or address.strip().lower()
    return text.partition("/")[0].partition(":")[0].removeprefix("www.")


def periods() -> dict[Kind, int]:
    """Months after which each kind of facts must be confirmed again."""
    said = dict(Period.objects.values_list("kind", "months"))
    return {kind: said.get(kind, months) for kind, months in PERIODS.items()}


def confirmations(owners: Iterable[uuid.UUID], about: Kind) -> dict[uuid.UUID, dt.datetime]:
    """When each of these objects was last confirmed as a whole or in this kind of facts."""
    rows = Verification.objects.filter(object_id__in=list(owners), about__in=("", about)).order_by()
    return dict(rows.values_list("object_id").annotate(last=models.Max("at")))


def conflicts(viewer: Any) -> QuerySet[ImportConflict]:
    """What sources say otherwise than people did and nobody has decided, oldest first. Needs rules.sees_network."""
    rows = ImportConflict.objects.filter(decided_at=None).order_by("since", "kind", "owner_id", "field")
    return rows if rules.sees_network(viewer) else rows.none()


def known_by(obj: VersionedRow) -> tuple[str, str]:
    """(digits, host): by what an organization or a service is known again beside its name."""
    said = facts.read(obj)
    phone = next((digits(row["number"]) for row in said.get("phones", []) if digits(row["number"])), "")
    return phone, host(said.get("website") or said.get("url") or "")


def never_listed(viewer: Any) -> QuerySet[DoNotList]:
    """What imports may not bring back, newest first. Needs rules.sees_network."""
    rows = DoNotList.objects.select_related("by").order_by("-at")
    return rows if rules.sees_network(viewer) else rows.none()


# -- what needs care ----------------------------------------------------------------------------------------------


def mine(viewer: Any) -> QuerySet[Organization]:
    """The organizations of the viewer's desk: the network for the office, their own for partners."""
    rows = Organization.objects.all()
    return rows if rules.sees_network(viewer) else rows.filter(pk__in=orgs.partner_roles(viewer))


def _services(viewer: Any) -> QuerySet[Service]:
    rows = Service.objects.all()
    return rows if rules.sees_network(viewer) else rows.filter(organization_id__in=orgs.partner_roles(viewer))


def _stones(kind: str) -> Any:
    return Exists(Tombstone.objects.filter(kind=kind, object_id=OuterRef("pk")))


def _confirmed(since: dt.datetime | None = None) -> Any:
    rows = Verification.objects.filter(object_type="service", object_id=OuterRef("pk"))
    return Exists(rows.filter(at__gte=since) if since else rows)


#: lists of services that need somebody
CARE = ("unconfirmed", "never", "missing", "unlisted")


def services(viewer: Any, show: str = "", text: str = "") -> QuerySet[Service]:
    """Services of the viewer's desk, by name. show: one of CARE, or "" for all that are listed."""
    rows = _services(viewer).select_related("organization").order_by("name", "pk")
    since = timezone.now() - FRESH
    if show == "unlisted":
        rows = rows.filter(_stones("service"))
    else:
        rows = rows.exclude(_stones("service"))
    if show == "unconfirmed":
        rows = rows.exclude(_confirmed(since)).exclude(assured_date__gte=since.date())
    elif show == "never":
        rows = rows.exclude(_confirmed()).filter(assured_date=None)
    elif show == "missing":
        rows = rows.filter(missing_since__isnull=False)
    if text.strip():
        rows = rows.filter(Q(name__iregex=_loosely(text)) | Q(organization__name__iregex=_loosely(text)))
    return rows


def organizations(viewer: Any, text: str = "") -> QuerySet[Organization]:
    """Organizations of the viewer's desk, by name, with `service_count`."""
    rows = mine(viewer).annotate(service_count=Count("services")).order_by("name", "pk")
    return rows.filter(name__iregex=_loosely(text)) if text.strip() else rows


_ACCENTS = {"a": "aàáâãäå", "c": "cç", "e": "eèéêë", "i": "iìíîï", "n": "nñ", "o": "oòóôõö", "u": "uùúûü", "y": "yýÿ"}


def _loosely(text: str) -> str:
    """A regular expression for a piece of a name, whatever its accents."""
    signs = [f"[{_ACCENTS[sign]}]" if sign in _ACCENTS else f"\\{sign}" if not sign.isalnum() else sign
             for sign in fold(text.strip())[:80]]  # fmt: skip
    return "".join(signs)


def counts(viewer: Any) -> dict[str, int]:
    """How much needs care on the viewer's desk: organizations, services, and one figure for each of CARE."""
    found = {show: services(viewer, show).order_by().count() for show in CARE}
    found["services"] = services(viewer).order_by().count()
    found["organizations"] = mine(viewer).count()
    found["corrections"] = corrections(viewer).count()
    return found


def corrections(viewer: Any, *, answered: bool = False) -> QuerySet[Correction]:
    """Readers' corrections about the viewer's objects, oldest first."""
    rows = Correction.objects.order_by("received_at")
    rows = rows.filter(state__in=("accepted", "declined") if answered else ("received", "in_progress"))
    if rules.sees_network(viewer):
        return rows if orgs.may_see_corrections(viewer) else rows.none()
    own = orgs.partner_roles(viewer)
    return rows.filter(
        Q(object_id__in=own) | Q(object_id__in=Service.objects.filter(organization_id__in=own).values("pk"))
    )


def correction(viewer: Any, correction_id: uuid.UUID) -> Correction | None:
    """One correction about the viewer's objects, answered or not; None when it is not theirs."""
    rows = corrections(viewer) | corrections(viewer, answered=True)
    return rows.filter(pk=correction_id).first()


def about(rows: Sequence[Correction]) -> dict[uuid.UUID, str]:
    """The names of what corrections are about."""
    ids = [row.object_id for row in rows]
    found = dict(Service.objects.filter(pk__in=ids).values_list("pk", "name"))
    return found | dict(Organization.objects.filter(pk__in=ids).values_list("pk", "name"))


def import_runs(viewer: Any) -> QuerySet[ImportRun]:
    """Imports, newest first. Needs orgs.rules.may_see_reports."""
    return ImportRun.objects.select_related("by").order_by("-started_at")


# -- what was done ------------------------------------------------------------------------------------------------


def history(viewer: Any, obj: VersionedRow, *, limit: int = 100) -> list[Event]:
    """The events about an object, newest first. Needs rules.may_see_history.

    Who works for an organization is another matter, with another rule (orgs.queries.history_of_people).
    """
    return [event for event in ledger_history(viewer, obj.pk, limit=limit) if not event.code.startswith("orgs.")]


def history_of(viewer: Any, kind: str, object_id: uuid.UUID, *, limit: int = 100) -> list[Event]:
    """The events about anything of the directory that has no page at the desk: a taxonomy, a term, a programme...

    Needs orgs.rules.may_see_history. Accounts are no business of the desk: of them there is nothing here.
    """
    names = [f"{app}.{kind.replace('_', '')}" for app in ("directory", "orgs", "places", "words")]
    rows = Event.objects.filter(object_id=object_id, object_type__in=names).select_related("actor")
    return list(rows.order_by("-id")[:limit])


def event(viewer: Any, obj: VersionedRow, number: int) -> Event:
    """One event about this object. Raises Event.DoesNotExist."""
    return Event.objects.select_related("actor").get(pk=number, object_id=obj.pk)


def last_event(obj: VersionedRow, code: str) -> Event | None:
    """The newest event of this code about an object."""
    return Event.objects.filter(object_id=obj.pk, code=code).order_by("-id").first()


def since(obj: VersionedRow, version: int) -> list[Event]:
    """What happened to `obj` after its version `version`, newest first."""
    rows = Event.objects.filter(object_id=obj.pk, after__version__gt=version).select_related("actor")
    return list(rows.order_by("-id")[:50])


# -- what remains to translate ------------------------------------------------------------------------------------


def _used(viewer: Any) -> tuple[str, dict[str, Any]]:
    """SQL of every text of the viewer's desk: (object_type, object_id, field, text), and its parameters."""
    network = rules.sees_network(viewer)
    parts = []
    for kind, columns in TRANSLATED.items():
        if kind == "taxonomy_term":  # everybody's, so the office's
            own = f"{str(network).lower()} AND o.missing_since IS NULL"
        else:
            owner = "o.id" if kind == "organization" else "o.organization_id"
            own = "true" if network else f"{owner} = ANY(%(own)s)"
        for column in columns:
            parts.append(f"SELECT '{kind}', o.id, '{column}', o.{column} FROM {_TABLES[kind]} o WHERE {own}")
        for table, link, texts in TRANSLATED_ROWS[kind]:
            for column in texts:
                parts.append(
                    f"SELECT '{kind}', o.id, '{column}', r.{column} FROM {table} r JOIN {_TABLES[kind]} o"
                    f" ON o.id = r.{link} WHERE r.missing_since IS NULL AND {own}"
                )
    return " UNION ALL ".join(parts), {} if network else {"own": list(orgs.partner_roles(viewer))}


def texts_from(source: str) -> tuple[str, dict[str, Any]]:
    """SQL of every text that this source's import wrote: (object_type, object_id, field, text), and its parameters."""
    parts = []
    for kind, columns in TRANSLATED.items():
        tables = [(_TABLES[kind], column) for column in columns]
        tables += [(table, column) for table, _link, texts in TRANSLATED_ROWS[kind] for column in texts]
        parts += [
            f"SELECT '{kind}', id, '{column}', {column} FROM {table} WHERE source = %(source)s"
            for table, column in dict.fromkeys(tables)
        ]
    return " UNION ALL ".join(parts), {"source": source}


def languages_of(texts: Iterable[str]) -> dict[str, str]:
    """In which language each text is written."""
    return words.languages(texts)


def has_texts_beside(language: str) -> bool:
    """Whether some text of the city is written in another language than this."""
    return words.has_others(language)


def translation_progress(viewer: Any, languages: Sequence[str]) -> dict[str, dict[words.State, int]]:
    """Texts of the viewer's desk by state, for each language."""
    return words.progress(*_used(viewer), languages)


def translation_work(
    viewer: Any, language: str, states: Sequence[words.State], *, page: int = 1, size: int = 25
) -> tuple[list[words.Task], int]:
    """One page of the texts of the viewer's desk in one of these states, and how many there are."""
    return words.worklist(*_used(viewer), language, states, offset=(page - 1) * size, limit=size)


def translations(texts: Iterable[str], language: str) -> dict[str, tuple[words.State, words.Shown | None]]:
    """Each text's state in a language and the rendering that it has."""
    return words.states(texts, language)


def shows(text: str) -> dict[str, list[uuid.UUID]]:
    """Ids of what shows this text, as search.refresh wants them: services, organizations, terms."""
    used, parameters = _used("search")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH used(kind, id, field, text) AS ({used}), hit AS (SELECT kind, id FROM used WHERE text = %(text)s)
                SELECT 'service', id FROM hit WHERE kind = 'service'
                UNION SELECT 'service', l.service_id FROM hit JOIN directory_serviceatlocation l
                    ON l.location_id = hit.id WHERE kind = 'location'
                UNION SELECT 'organization', id FROM hit WHERE kind = 'organization'
                UNION SELECT 'organization', o.organization_id FROM hit JOIN directory_location o ON o.id = hit.id
                    WHERE kind = 'location' AND o.organization_id IS NOT NULL
                UNION SELECT 'term', id FROM hit WHERE kind = 'taxonomy_term'""",
            {**parameters, "text": text},
        )
        rows = cursor.fetchall()
    kinds = ("service", "organization", "term")
    return {f"{wanted}_ids": [one for kind, one in rows if kind == wanted] for wanted in kinds}


def texts_of(obj: VersionedRow) -> list[tuple[str, str]]:
    """(field, text) of everything in an object that can be translated, in the order of its page, each text once."""
    kind = kind_of(obj)
    if kind not in TRANSLATED:
        return []
    read = facts.read(obj)
    found: dict[str, str] = {}
    for column in TRANSLATED[kind]:
        if read.get(column):
            found.setdefault(read[column], column)
    wanted = {column for _, _, columns in TRANSLATED_ROWS[kind] for column in columns}
    for place, text in facts.texts(read):
        if len(place) > 1 and place[-1] in wanted:
            found.setdefault(text, place[-1])
    return [(column, text) for text, column in found.items()]
