"""What the database tells of appointments beside their rows: when somebody is taken, and a family's own calendar.

Both are definer functions that give away nothing but times: whoever may see more reads the tables.
"""

from collections.abc import Iterator

from parvis.kit.policies import Place

_SETTLED = "SECURITY DEFINER SET search_path = $schema$, pg_temp"
#: how long a family's calendar shows what is over, and what was cancelled
BEHIND = "interval '30 days'"


def statements(place: Place) -> Iterator[str]:
    # A free time is free although the file that takes it is not for whoever asks. Without a context: an error.
    yield f"""
    CREATE OR REPLACE FUNCTION appointments_busy(whom uuid, since timestamptz, until timestamptz)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT a.starts_at, a.ends_at FROM appointments_appointment a
            WHERE a.worker_id = whom AND a.state IN ('booked', 'arrived')
                AND a.starts_at < appointments_busy.until AND a.ends_at > since
                AND (SELECT access_user()) IS NOT NULL
            ORDER BY 1
    $body$
    """
    # Whoever holds the address of a family's calendar reads this and nothing else: no name, no place, no purpose.
    # What is about safety stays out: a calendar is read by whoever picks up the telephone.
    yield f"""
    CREATE OR REPLACE FUNCTION appointments_household_feed(wanted text)
    RETURNS TABLE (household uuid, id uuid, starts_at timestamptz, ends_at timestamptz, kind varchar, state varchar,
                   sequence int, changed_at timestamptz)
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT f.household_id, a.id, a.starts_at, a.ends_at, a.kind, a.state, a.sequence, a.changed_at
            FROM appointments_householdfeed f
            JOIN cases_household h ON h.id = f.household_id AND h.state = 'open'
            LEFT JOIN appointments_appointment a ON a.household_id = f.household_id
                AND a.purpose <> 'safety' AND a.ends_at > now() - {BEHIND}
            WHERE f.key_hash = wanted AND f.ended_at IS NULL
            ORDER BY a.starts_at, a.id
    $body$
    """
    for signature in ("appointments_busy(uuid, timestamptz, timestamptz)", "appointments_household_feed(text)"):
        yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, $public$, $audit$, $backup$"
        yield f"GRANT EXECUTE ON FUNCTION {signature} TO $app$, $worker$"
