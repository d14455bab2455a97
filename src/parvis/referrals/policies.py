"""What the database holds of referrals: who reads and writes them, which state follows which, and what they open.

Whoever keeps the person's file reads by the class of the row; the recipient reads the row itself, which names nobody,
and the person by the projection, as long as `core.referral.SHARING` says and the consent holds.
"""

from collections.abc import Iterator

from parvis.cases.models.access import Basis
from parvis.cases.models.base import OFFICE
from parvis.cases.policies import GRANTED, begin, exists, keepers
from parvis.core.referral import SHARING, TRANSITIONS, Party, State
from parvis.kit.policies import Place

_SETTLED = "SECURITY DEFINER SET search_path = $schema$, pg_temp"
_TABLE = "referrals_referral"
#: asked: the organization, or whoever holds a link to this one
_OURS = f"(organization_id = ANY ({GRANTED}) OR id = ANY ({GRANTED})) AND state <> '{State.DRAFT}'"
#: never another's: who is referred, to whom, by whom
_FIXED = ("person_id", "service_id", "organization_id", "sender_id", "need")


def referral(place: Place) -> dict[str, str]:
    person, wanted = f"{_TABLE}.person_id", f"{_TABLE}.row_class"
    return {
        "SELECT": f"({_OURS}) OR {exists(place, person, wanted)}",
        "INSERT": exists(place, person, writes=True),
        "UPDATE": f"({_OURS}) OR {keepers(person)}",
    }


def change(place: Place) -> dict[str, str]:
    person, wanted = "referrals_referralchange.person_id", "referrals_referralchange.row_class"
    # written out: in the form for Citus no policy of the referral itself narrows this
    theirs = (
        f"EXISTS (SELECT FROM {_TABLE} r WHERE r.id = referrals_referralchange.referral_id"
        f" AND (r.organization_id = ANY ({GRANTED}) OR r.id = ANY ({GRANTED})) AND r.state <> '{State.DRAFT}')"
    )
    return {
        "SELECT": f"{theirs} OR {exists(place, person, wanted)}",
        "INSERT": f"{theirs} OR {keepers(person)}",
    }


def link(place: Place) -> dict[str, str]:
    """Keys of links: for who keeps the file; a link that has expired lets its holder write the next one, to be mailed
    to the organization's own address, and no more."""
    person = "referrals_referrallink.person_id"
    renews = f"access_in_role(referrals_referrallink.referral_id, '{OFFICE}') = ANY ({GRANTED})"
    return {
        "SELECT": exists(place, person, writes=True),
        "INSERT": f"({renews}) OR {exists(place, person, writes=True)}",
    }


def source() -> str:
    """The projection's lines: what a referral opens to its recipient, by a consent that names them, while it shares."""
    ends = f"least(c.until, {begin('g.until + 1')}, {begin('g.ended_on')}"
    return f"""
            SELECT p.id, r.organization_id, access_in_role(r.id, g.id), '{Basis.REFERRAL.value}',
                r.classes & c.classes, false, {begin("g.since")}, {ends})
                {_SHARED}
            UNION ALL SELECT p.id, r.id, access_in_role(l.id, g.id), '{Basis.REFERRAL.value}',
                r.classes & c.classes, false, {begin("g.since")}, {ends}, l.expires_at)
                {_SHARED.replace("WHERE", "JOIN referrals_referrallink l ON l.referral_id = r.id WHERE")}"""


_STATES = ", ".join(f"'{state}'" for state in SHARING)
_SHARED = f"""FROM p JOIN {_TABLE} r ON r.person_id = p.id AND r.state IN ({_STATES})
                JOIN cases_consent c ON c.id = r.consent_id
                JOIN cases_consentrecipient cr ON cr.consent_id = c.id AND cr.organization_id = r.organization_id
                JOIN cases_agreement g ON g.organization_id = r.organization_id
                WHERE NOT EXISTS (SELECT FROM cases_withdrawal w WHERE w.consent_id = c.id)"""


def statements(place: Place) -> Iterator[str]:
    allowed = sorted(
        f"('{before}', '{after}', {str(Party.RECIPIENT in who).lower()})"
        for before, following in TRANSITIONS.items()
        for after, who in following.items()
    )
    fixed = ", ".join
    yield f"""
    CREATE OR REPLACE FUNCTION referrals_moves() RETURNS trigger LANGUAGE plpgsql {_SETTLED} AS $body$
    BEGIN
        IF ({fixed(f"NEW.{column}" for column in _FIXED)}) IS DISTINCT FROM
           ({fixed(f"OLD.{column}" for column in _FIXED)}) THEN
            RAISE check_violation USING MESSAGE = 'a referral stays one person''s, to one service, from one sender';
        END IF;
        IF NEW.state <> OLD.state AND NOT EXISTS (
            SELECT FROM (VALUES {", ".join(allowed)}) AS moves (before, after, recipient)
            WHERE before = OLD.state AND after = NEW.state
                -- who only answers says what answers can say; who keeps the file also types it for them
                AND (recipient OR access_is_system() OR EXISTS (
                    SELECT FROM cases_access a WHERE a.person_id = NEW.person_id
                        AND a.grantee_id = ANY (access_grantees()) AND (a.writes OR a.basis = 'self')))
        ) THEN
            RAISE check_violation USING MESSAGE = format('a referral does not go from %s to %s', OLD.state, NEW.state);
        END IF;
        RETURN NEW;
    END $body$
    """
    yield f"DROP TRIGGER IF EXISTS referrals_moves ON {_TABLE}"
    yield (f"CREATE TRIGGER referrals_moves BEFORE UPDATE ON {_TABLE} FOR EACH ROW EXECUTE FUNCTION referrals_moves()")
    yield "REVOKE ALL ON FUNCTION referrals_moves() FROM PUBLIC, $public$, $audit$, $backup$"
    # What a link opens, by the hash of its key: this referral while it shares; an expired one, to ask for another.
    yield f"""
    CREATE OR REPLACE FUNCTION access_claims_of_link(wanted text) RETURNS text
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT pg_backend_pid() || '|' || extract(epoch FROM now()) || '||'
            || CASE WHEN now() < l.expires_at THEN r.id || ',' ELSE '' END || access_in_role(r.id, '{OFFICE}') || '|'
        FROM referrals_referrallink l JOIN {_TABLE} r ON r.id = l.referral_id
        WHERE l.key_hash = wanted AND r.state IN ({_STATES})
    $body$
    """
    # Where a link has come to, whatever its state: it names nobody.
    yield f"""
    CREATE OR REPLACE FUNCTION referrals_link(wanted text) RETURNS TABLE (
        referral uuid, person uuid, household uuid, row_class int, organization uuid, service uuid, state text,
        ended_at timestamptz, expires_at timestamptz, recent bigint)
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT r.id, r.person_id, r.household_id, r.row_class, r.organization_id, r.service_id, r.state, r.ended_at,
            l.expires_at, (SELECT count(*) FROM referrals_referrallink o
                WHERE o.referral_id = r.id AND o.made_at > now() - interval '1 day')
        FROM referrals_referrallink l JOIN {_TABLE} r ON r.id = l.referral_id WHERE l.key_hash = wanted
    $body$
    """
    for signature in ("access_claims_of_link(text)", "referrals_link(text)"):
        yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, $public$, $audit$, $backup$"
        yield f"GRANT EXECUTE ON FUNCTION {signature} TO $app$, $worker$"
