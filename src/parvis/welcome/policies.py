"""What leaves the database for the office's picture: counts alone, small ones hidden, for the director alone.

The director sees no person, and the database shows the director's session none. These functions belong to the owner,
count over everybody, and give nothing smaller than `core.privacy.MINIMUM`: whoever calls them, by whatever door. Days
are given in whole weeks, because a week's figure is given too (`core.privacy.hide`).
"""

from collections.abc import Iterator

from parvis.accounts.models import Role
from parvis.cases.models.base import OFFICE
from parvis.core.privacy import MINIMUM
from parvis.kit.policies import Place

_SETTLED = "SECURITY DEFINER SET search_path = $schema$, pg_temp"

#: measure, bucket (first day), part, count, group: cells of a group are published beside their sum
_ARRIVALS = f"""
    SELECT 'arrivals', date_trunc(step, h.opened_on)::date, '', count(*),
        CASE WHEN step = 'day' THEN date_trunc('week', h.opened_on)::date::text END
    FROM cases_household h JOIN cases_householdmember m ON m.household_id = h.id AND m.until IS NULL
    WHERE h.holder_id = '{OFFICE}' AND h.opened_on BETWEEN first AND last
    GROUP BY 2, 5
"""
_CASELOADS = f"""
    SELECT 'caseload', NULL::date, CASE WHEN lead IS NULL THEN 'none' WHEN files <= 20 THEN '1'
        WHEN files <= 40 THEN '21'
        WHEN files <= 60 THEN '41' WHEN files <= 80 THEN '61' ELSE '81' END, sum(files), 'all'
    FROM (
        SELECT lead_worker_id AS lead, count(*) AS files FROM cases_household
        WHERE holder_id = '{OFFICE}' AND state = 'open' GROUP BY 1
    ) AS by_worker GROUP BY 3
    UNION ALL
    SELECT 'files', NULL, '', count(*), NULL FROM cases_household WHERE holder_id = '{OFFICE}' AND state = 'open'
    UNION ALL
    SELECT 'undated', NULL, '', count(*), NULL FROM cases_household
    WHERE holder_id = '{OFFICE}' AND state = 'open' AND next_contact_on IS NULL
"""

#: one family has dozens of steps: steps of fewer than the minimum of households are as few as one
_OF_FAMILIES = f"CASE WHEN count(DISTINCT s.household_id) < {MINIMUM} THEN 1 ELSE count(*) END"
#: what was due in a week and how it went; the sum of a week is published nowhere
_STEPS = f"""
    SELECT CASE WHEN s.kind = 'legal' THEN 'legal' ELSE 'plans' END, date_trunc('week', s.due_on)::date,
        CASE WHEN s.state = 'open' THEN 'open' WHEN s.done_on <= s.due_on THEN 'met' ELSE 'late' END,
        {_OF_FAMILIES}, NULL
    FROM plans_step s JOIN cases_household h ON h.id = s.household_id
    WHERE h.holder_id = '{OFFICE}' AND s.state IN ('open', 'done') AND s.due_on BETWEEN first AND least(last, today - 1)
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'now', NULL, CASE WHEN s.due_on < today THEN 'overdue' WHEN s.due_on = today THEN 'due' ELSE 'legal' END,
        {_OF_FAMILIES}, NULL
    FROM plans_step s JOIN cases_household h ON h.id = s.household_id
    WHERE h.holder_id = '{OFFICE}' AND s.state = 'open'
        AND (s.due_on <= today OR s.due_on <= today + 5 AND s.kind = 'legal')
    GROUP BY 3
"""


def measures() -> list[str]:
    """The questions, each a SELECT of cells; `step`, `first` and `last` are the function's."""
    return [_ARRIVALS, _CASELOADS, _STEPS]


def statements(place: Place) -> Iterator[str]:
    union = " UNION ALL ".join(measures())
    yield f"""
    CREATE OR REPLACE FUNCTION welcome_picture(since date, until date, step text)
    RETURNS TABLE (measure text, bucket date, part text, figure int)
    LANGUAGE plpgsql STABLE {_SETTLED} AS $body$
    #variable_conflict use_column
    DECLARE
        first date := date_trunc('week', since)::date;
        last date := (date_trunc('week', until) + interval '6 days')::date;
        today date := (now() AT TIME ZONE
            (SELECT timezone FROM public.cities_city WHERE schema_name = current_schema()))::date;
    BEGIN
        IF access_role() IS DISTINCT FROM '{Role.DIRECTOR}' THEN
            RAISE insufficient_privilege USING MESSAGE = 'the picture is the director''s';
        END IF;
        IF step NOT IN ('day', 'week') OR last - first > 800 THEN
            RAISE invalid_parameter_value USING MESSAGE = 'by day or by week, two years at most';
        END IF;
        RETURN QUERY
        WITH cells (measure, bucket, part, figure, grp) AS ({union}),
        placed AS (
            SELECT cells.*, row_number() OVER w AS place, coalesce(sum(cells.figure) OVER w - cells.figure, 0) AS held,
                bool_or(cells.figure < {MINIMUM}) OVER (PARTITION BY cells.measure, cells.grp) AS tells
            FROM cells WHERE cells.figure > 0
            WINDOW w AS (PARTITION BY cells.measure, cells.grp ORDER BY cells.figure, cells.bucket, cells.part
                         ROWS UNBOUNDED PRECEDING)
        )
        SELECT placed.measure, placed.bucket, placed.part,
            CASE WHEN placed.figure >= {MINIMUM}
                AND NOT (placed.grp IS NOT NULL AND placed.tells AND (placed.place <= 2 OR placed.held < {MINIMUM}))
            THEN placed.figure::int END
        FROM placed ORDER BY 1, 2, 3;
    END $body$
    """
    yield "REVOKE ALL ON FUNCTION welcome_picture(date, date, text) FROM PUBLIC, $public$, $audit$, $backup$"
    yield "GRANT EXECUTE ON FUNCTION welcome_picture(date, date, text) TO $app$"
