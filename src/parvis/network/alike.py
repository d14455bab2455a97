"""What may be listed twice, looked for in SQL once a day: by name (trigrams), telephone, site, e-mail and address.

Nobody is joined by itself: pairs are proposed, people look at both side by side, and "not the same" is remembered.
"""

import datetime as dt
from typing import Any

from django.db import connection, transaction

#: names of organizations this alike are a pair even when they share nothing else; of services, only with something
#: shared: "Cours de français" is given by many
NAME_ALONE, NAME_SHARED, SERVICE = 0.6, 0.3, 0.75
#: a telephone or an address of more than so many is a switchboard or a house of many, and says nothing
MOST_SHARED = 12
MOST = 2_000

_KEYS = r"""
    SELECT 'phone' AS what, right(regexp_replace(number, '\D', '', 'g'), 9) AS value, {owner} AS id FROM {phones}
    WHERE length(regexp_replace(number, '\D', '', 'g')) >= 7
    UNION SELECT 'site', regexp_replace(lower({site}), '^\s*(https?://)?(www\.)?([^/?#]*[^/?#\s]).*$', '\3'), o.id
    FROM {table} o WHERE {site} <> ''
    UNION SELECT 'email', lower(o.email), o.id FROM {table} o WHERE o.email <> ''
    UNION SELECT 'address', lower(unaccented.text), unaccented.id FROM (
        SELECT regexp_replace(a.address_1 || ' ' || a.city, '[[:space:][:punct:]]+', ' ', 'g') AS text, {place} AS id
        FROM directory_address a {places} WHERE a.address_1 <> '' AND a.missing_since IS NULL
    ) unaccented WHERE unaccented.id IS NOT NULL
"""
_PHONES = "(SELECT * FROM directory_phone WHERE {owner} IS NOT NULL AND missing_since IS NULL) p"
_ORGANIZATION = _KEYS.format(
    owner="organization_id", phones=_PHONES.format(owner="organization_id"), site="o.website",
    table="orgs_organization", place="l.organization_id", places="JOIN directory_location l ON l.id = a.location_id",
)  # fmt: skip
_OWNED = "SELECT 'organization', organization_id::text, id FROM directory_service WHERE organization_id IS NOT NULL"
_SERVICE = _KEYS.format(
    owner="service_id", phones=_PHONES.format(owner="service_id"), site="o.url", table="directory_service",
    place="l.service_id", places="JOIN directory_serviceatlocation l ON l.location_id = a.location_id",
) + f" UNION {_OWNED}"  # fmt: skip

_FIND = """
    WITH key AS MATERIALIZED (
        SELECT k.what, k.value, k.id FROM ({keys}) k JOIN alike_name n ON n.id = k.id WHERE k.value <> ''
    ), rare AS (
        SELECT what, value FROM key GROUP BY what, value
        HAVING count(*) > 1 AND count(*) <= CASE what WHEN 'organization' THEN 500 ELSE %(most)s END
    ), shared AS (
        SELECT a.id AS one, b.id AS other, array_agg(DISTINCT a.what ORDER BY a.what) AS reasons
        FROM key a JOIN rare USING (what, value) JOIN key b USING (what, value) WHERE a.id < b.id GROUP BY 1, 2
    ), named AS ({named}), pair AS (
        SELECT one, other, reasons FROM shared UNION ALL
        SELECT one, other, ARRAY[]::text[] FROM named n WHERE NOT EXISTS (
            SELECT 1 FROM shared s WHERE s.one = n.one AND s.other = n.other)
    ), scored AS (
        SELECT p.one, p.other, p.reasons, similarity(a.name, b.name) AS name
        FROM pair p JOIN alike_name a ON a.id = p.one JOIN alike_name b ON b.id = p.other
    )
    INSERT INTO network_alike (id, kind, one, other, name, reasons, found_at, decided_at)
    SELECT gen_random_uuid(), %(kind)s, one, other, name, array_to_string(reasons, ','), %(now)s, NULL FROM scored
    WHERE name >= CASE WHEN cardinality(reasons) > 0 THEN %(shared)s ELSE %(alone)s END
    ORDER BY name + 0.3 * cardinality(reasons) DESC LIMIT %(limit)s
    ON CONFLICT (one, other)
    DO UPDATE SET name = excluded.name, reasons = excluded.reasons, found_at = excluded.found_at
"""
_NAMED = "SELECT a.id AS one, b.id AS other FROM alike_name a JOIN alike_name b ON a.name %% b.name AND a.id < b.id"
_NOBODY = "SELECT NULL::uuid AS one, NULL::uuid AS other WHERE false"


def look(now: dt.datetime) -> None:
    """The sweep: find pairs anew; those that nobody has decided and that are alike no more, go."""
    with transaction.atomic(), connection.cursor() as cursor:
        for kind, table, keys, named, shared, alone in (
            ("organization", "orgs_organization", _ORGANIZATION, _NAMED, NAME_SHARED, NAME_ALONE),
            ("service", "directory_service", _SERVICE, _NOBODY, SERVICE, 2.0),
        ):
            _names(cursor, kind, table)
            values: dict[str, Any] = {
                "kind": kind, "now": now, "most": MOST_SHARED, "limit": MOST, "shared": shared, "alone": alone,
            }  # fmt: skip
            cursor.execute(_FIND.format(keys=keys.replace("%", "%%"), named=named), values)
        cursor.execute("DELETE FROM network_alike WHERE decided_at IS NULL AND found_at <> %s", [now])


def _names(cursor: Any, kind: str, table: str) -> None:
    """The listed objects' names with an index of their trigrams: without one, each would be compared with all."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.alike_name")
    cursor.execute(
        f"CREATE TEMP TABLE alike_name ON COMMIT DROP AS SELECT id, lower(name) AS name FROM {table} o WHERE NOT EXISTS"
        " (SELECT 1 FROM directory_tombstone t WHERE t.kind = %s AND t.object_id = o.id)",
        [kind],
    )
    cursor.execute("CREATE INDEX ON alike_name USING gin (name gin_trgm_ops)")
    cursor.execute("CREATE INDEX ON alike_name (id)")
    cursor.execute("ANALYZE alike_name")
    cursor.execute(f"SET LOCAL pg_trgm.similarity_threshold = {NAME_ALONE}")
