"""What the database itself refuses: a published protocol that changes, a legal day that somebody moves (rule 2)."""

from collections.abc import Iterator

from parvis.kit.policies import Place


def statements(place: Place) -> Iterator[str]:
    yield """
    CREATE OR REPLACE FUNCTION plans_version_stays() RETURNS trigger LANGUAGE plpgsql
    SET search_path = $schema$, pg_temp AS $body$
    BEGIN
        IF TG_OP = 'DELETE' OR NEW.state = 'draft'
            OR (NEW.data, NEW.number) IS DISTINCT FROM (OLD.data, OLD.number) THEN
            RAISE check_violation USING MESSAGE = 'a published protocol is never changed: make a new version';
        END IF;
        RETURN NEW;
    END $body$
    """
    yield "DROP TRIGGER IF EXISTS plans_version_stays ON plans_protocolversion"
    yield """
    CREATE TRIGGER plans_version_stays BEFORE UPDATE OR DELETE ON plans_protocolversion
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION plans_version_stays()
    """
    # a legal day follows the day that it counts from: only in the transaction in which the whole plan is counted anew
    yield """
    CREATE OR REPLACE FUNCTION plans_legal_day() RETURNS trigger LANGUAGE plpgsql
    SET search_path = $schema$, pg_temp AS $body$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM plans_plan WHERE household_id = NEW.household_id AND derived_at = now()
        ) THEN
            RAISE check_violation USING MESSAGE = 'a legal deadline is not moved';
        END IF;
        RETURN NEW;
    END $body$
    """
    yield "DROP TRIGGER IF EXISTS plans_legal_day ON plans_step"
    yield """
    CREATE TRIGGER plans_legal_day BEFORE UPDATE OF due_on, falls_on, kind ON plans_step
    FOR EACH ROW WHEN (
        OLD.kind = 'legal'
        AND (NEW.due_on, NEW.falls_on, NEW.kind) IS DISTINCT FROM (OLD.due_on, OLD.falls_on, OLD.kind)
    ) EXECUTE FUNCTION plans_legal_day()
    """
