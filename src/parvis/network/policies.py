"""What leaves the database for the gap map: counts alone, for coordinators and directors, none of them exact.

Who reads it sees no person. The function belongs to the owner, counts over everybody, and says of each figure no more
than this, whoever calls it: nothing where fewer than `core.privacy.MINIMUM` households stand behind it, else rounded to
a multiple of that. A reader may filter: the difference of two exact figures could be somebody, that of two rounded ones
is not. Periods are whole weeks.
"""

from collections.abc import Iterator

from parvis.accounts.models import Role
from parvis.core.privacy import MINIMUM
from parvis.core.referral import ACTIVE, BADLY, Reason, State
from parvis.kit.policies import Place

READERS = (Role.COORDINATOR, Role.DIRECTOR)
#: what was declined for these is still needed
_LACKING = (
    Reason.NO_CAPACITY, Reason.NOT_ELIGIBLE, Reason.LANGUAGE, Reason.TOO_FAR, Reason.CLOSED, Reason.FUNDS, Reason.OTHER,
)  # fmt: skip
#: by what figures are cut: the bits of GROUPING(domain, language, borough, week); 15 is the whole, 0 every cell
CUTS = {"whole": 15, "domain": 7, "language": 11, "borough": 13, "week": 14}


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


#: each need once, in the week in which it was first asked for: several services asked for it are one need
NEEDS = f"""
    SELECT need, family, domain, max(language) AS language, max(borough) AS borough,
        date_trunc('week', min(at) AT TIME ZONE zone)::date AS week,
        bool_or(taken) AS accepted, bool_or(state = '{State.WAITLISTED}') AS waiting,
        bool_or(full_up) AS full_up,
        bool_or(lacking) AND NOT bool_or(taken) AND NOT bool_or(state IN ({_list(ACTIVE)})) AS unmet,
        min(answered_at) FILTER (WHERE taken) - min(at) AS waited,
        avg(ended_at - answered_at) FILTER (WHERE taken) AS stayed
    FROM (
        SELECT need, coalesce(household_id, person_id) AS family, domain, language, borough, sent_at AS at, state,
            answered_at, ended_at,
            state NOT IN ({_list((*ACTIVE[:4], State.WAITLISTED, *BADLY))}) AS taken,
            state = '{State.WAITLISTED}'
                OR state IN ('{State.DECLINED}', '{State.REROUTED}') AND reason = '{Reason.NO_CAPACITY}' AS full_up,
            state = '{State.EXPIRED}' OR state = '{State.DECLINED}' AND reason IN ({_list(_LACKING)}) AS lacking
        FROM referrals_referral
        WHERE state <> '{State.DRAFT}' AND state <> '{State.MISTAKE}' AND sent_at >= begins AND sent_at < ends
        UNION ALL
        SELECT need, coalesce(household_id, person_id), domain, language, borough, at, '', NULL, NULL, false,
            reason = 'full', true
        FROM referrals_unmetneed WHERE at >= begins AND at < ends
    ) AS asked GROUP BY need, family, domain
"""


def _told(condition: str) -> str:
    """A count of needs as it is told: NULL for few households, 0 for nobody, else rounded."""
    return (
        f"CASE WHEN count(*) FILTER (WHERE {condition}) = 0 THEN 0"
        f" WHEN count(DISTINCT family) FILTER (WHERE {condition}) >= {MINIMUM}"
        f" THEN ({MINIMUM} * round(count(*) FILTER (WHERE {condition}) / {MINIMUM}.0))::int END"
    )


def _days(column: str) -> str:
    """Whole days on average, where enough households stand behind it."""
    return (
        f"CASE WHEN count(DISTINCT family) FILTER (WHERE {column} IS NOT NULL) >= {MINIMUM}"
        f" THEN greatest(0, round(extract(epoch FROM avg({column})) / 86400))::int END"
    )


def figures(sets: str) -> str:
    """The statement, cut by these grouping sets."""
    return f"""
    WITH each_need AS MATERIALIZED ({NEEDS})
    SELECT GROUPING(domain, language, borough, week)::int, domain::text, language::text, borough::text, week,
        {_told("true")}, {_told("accepted")}, {_told("full_up")}, {_told("waiting")}, {_told("unmet")},
        {_days("waited")}, {_days("stayed")}
    FROM each_need
    WHERE (only_domain = '' OR domain = only_domain) AND (only_language = '' OR language = only_language)
        AND (only_borough = '' OR borough = only_borough)
    GROUP BY {sets}
    """


_EACH = "GROUPING SETS ((), (domain), (language), (borough), (week))"
_CROSS = "domain, language, borough, week"


def statements(place: Place) -> Iterator[str]:
    kinds = "date, date, boolean, text, text, text"
    yield f"""
    CREATE OR REPLACE FUNCTION network_gaps(since date, until date, crossed boolean, only_domain text,
        only_language text, only_borough text)
    RETURNS TABLE (cut int, domain text, language text, borough text, week date, asked int, accepted int, full_up int,
        waiting int, unmet int, waited int, stayed int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = $schema$, pg_temp AS $body$
    #variable_conflict use_column
    DECLARE
        zone text := (SELECT timezone FROM public.cities_city WHERE schema_name = current_schema());
        begins timestamptz := date_trunc('week', since)::timestamp AT TIME ZONE zone;
        ends timestamptz := (date_trunc('week', until) + interval '7 days')::timestamp AT TIME ZONE zone;
    BEGIN
        IF access_role() IS NULL OR access_role() NOT IN ({_list(READERS)}) THEN
            RAISE insufficient_privilege USING MESSAGE = 'the gap map is for coordinators and directors';
        END IF;
        IF until < since OR until - since > 800 THEN
            RAISE invalid_parameter_value USING MESSAGE = 'two years at most';
        END IF;
        IF crossed THEN
            RETURN QUERY {figures(_CROSS)};
        ELSE
            RETURN QUERY {figures(_EACH)};
        END IF;
    END $body$
    """
    yield f"REVOKE ALL ON FUNCTION network_gaps({kinds}) FROM PUBLIC, $public$, $audit$, $backup$"
    yield f"GRANT EXECUTE ON FUNCTION network_gaps({kinds}) TO $app$"
