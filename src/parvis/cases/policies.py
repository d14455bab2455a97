"""Who may see a person, in the database: functions, the triggers that keep the access projection, and the policies.

Everything is made from what the models declare (`data_class`, `row_class`, `append_only`), so that a new table about
people is locked by existing. `docs/access.md` draws it; `kit.policies` applies it.

Grantees. A person's file is granted to an organization (all its workers), to an account *in* an organization
(`access_in_role`: it ends when the account leaves the organization), or to an account for itself.
"""

import re
from collections.abc import Callable, Iterator

from django.apps import apps
from django.conf import settings
from django.db import connection

from parvis.accounts.models import Role
from parvis.cases.models import Access, Agreement, Household, Incident, Person, PersonKey, SearchToken
from parvis.cases.models.access import Basis
from parvis.cases.models.base import OFFICE, PersonRow
from parvis.core.access import EVERYTHING, OWN, SELF, DataClass
from parvis.kit.models import Row
from parvis.kit.policies import Place, context_function

_SETTLED = "SECURITY DEFINER SET search_path = $schema$, pg_temp"
#: inside a definer function called by another role: the owner's own sessions see nothing
_DEFINER = "session_user <> current_user"
#: the bases of access but the holder's own
SHARED = [basis.value for basis in Basis if basis != Basis.OWN]
GRANTED = "(SELECT access_grantees())::uuid[]"
DENIED = "(SELECT access_denied())::uuid[]"
#: rows of the projection that hold for the viewer now. IS TRUE keeps the grantees out of index conditions: what is
#: looked up by person would search once for each of them
_MINE = (
    f"(grantee_id = ANY ({GRANTED})) IS TRUE AND now() >= valid_from AND now() < valid_until"
    f" AND person_id <> ALL ({DENIED})"
)
#: the ends of time, as Python can read them too (it knows no infinity)
_EVER, _NEVER = "'1900-01-01 00:00Z'::timestamptz", "'9000-01-01 00:00Z'::timestamptz"


#: what apps above add in their `apps.py`. Rules of a table that follow from more than its class, by the model's name;
#: further lines of the projection (a SELECT over `p`, see `_projection`), and on which of their rows it is made again
SPECIAL: dict[str, Callable[[Place], dict[str, str]]] = {}
SOURCES: dict[str, str] = {}
CHANGES: dict[str, str] = {}


def statements(place: Place) -> Iterator[str]:
    yield from _functions()
    yield from _triggers()
    for table, rules in tables(place).items():
        yield from lock(table, rules, place)
    yield from _grants()


def person_models() -> list[type[PersonRow]]:
    """Every table with a `person`, of whatever app, in a fixed order."""
    found: list[type[PersonRow]] = []
    waiting = list(PersonRow.__subclasses__())
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if not model._meta.abstract:
            found.append(model)
    return sorted(found, key=lambda model: model._meta.db_table)


# -- policies ---------------------------------------------------------------------------------------------------------


def tables(place: Place) -> dict[str, dict[str, str]]:
    """Table -> command -> condition, for the roles that act for somebody (app, and worker in a task)."""
    found: dict[str, dict[str, str]] = {
        Access._meta.db_table: {
            "SELECT": _MINE,
        },
        Person._meta.db_table: {
            "SELECT": exists(place, "cases_person.id", DataClass.IDENTITY),
            "INSERT": f"holder_id = ANY ({GRANTED}) AND holder_id <> (SELECT access_user())",
            "UPDATE": exists(place, "cases_person.id", DataClass.IDENTITY, writes=True),
        },
        Household._meta.db_table: _household(),
        SearchToken._meta.db_table: {
            "SELECT": f"(grantee_id = ANY ({GRANTED}) OR {_shared(place, 'cases_searchtoken.person_id')})"
            f" AND person_id <> ALL ({DENIED})",
            "INSERT": exists(place, "cases_searchtoken.person_id", writes=True),
            "DELETE": exists(place, "cases_searchtoken.person_id", writes=True),
        },
        PersonKey._meta.db_table: {
            "SELECT": exists(place, "cases_personkey.person_id"),
            "INSERT": exists(place, "cases_personkey.person_id", writes=True),
        },
        # what is agreed between two organizations names nobody, and a newcomer may know whether their consent holds;
        # it is locked because access hangs on it
        Agreement._meta.db_table: {
            "SELECT": "(SELECT access_user()) IS NOT NULL",
            "INSERT": _by_role(Role.ADMINISTRATOR, Role.PRIVACY),
            "UPDATE": _by_role(Role.ADMINISTRATOR, Role.PRIVACY),
        },
        # anybody of the office reports one; the privacy officer keeps the register
        Incident._meta.db_table: {
            "SELECT": f"{_by_role(Role.PRIVACY)} OR reported_by_id = (SELECT access_user())",
            "INSERT": "(SELECT access_role()) <> '' AND reported_by_id = (SELECT access_user())",
            "UPDATE": _by_role(Role.PRIVACY),
        },
    }
    for model in person_models():
        found[model._meta.db_table] = _rules(model, place)
    return found


def _rules(model: type[PersonRow], place: Place) -> dict[str, str]:
    table = model._meta.db_table
    special = _SPECIAL.get(model.__name__) or SPECIAL.get(model.__name__)
    if special:
        shut_out = f"coalesce({table}.person_id = ANY ({DENIED}), false)"
        return {command: f"({rule}) AND NOT {shut_out}" for command, rule in special(place).items()}
    person = f"{table}.person_id"
    if "row_class" in {field.name for field in model._meta.fields}:
        wanted: DataClass | str = f"{table}.row_class"
    elif model.data_class is None:  # who is named, denied, let in: for those who keep the file
        return dict.fromkeys(("SELECT", "INSERT", "UPDATE"), exists(place, person, writes=True))
    else:
        wanted = model.data_class
    rules = {
        "SELECT": exists(place, person, wanted),
        # whoever keeps the file may add what they will not see again: a confidential note, a hidden address
        "INSERT": exists(place, person, writes=True),
    }
    if not model.append_only:
        rules["UPDATE"] = exists(place, person, wanted, writes=True)
    return rules


def exists(place: Place, person: str, wanted: DataClass | str = "", *, writes: bool = False) -> str:
    """One of our grantees has access to the person, for this class of data (the projection has a policy of its own)."""
    classes = wanted.value if isinstance(wanted, DataClass) else wanted
    if place.citus:
        return f"access_allows({person}, {classes or -1}, {str(writes).lower()})"
    more = f" AND a.classes & {classes} <> 0" if classes else ""
    return f"EXISTS ({_by_index(f'a.person_id = {person}{more}' + (' AND a.writes' if writes else ''))})"


def _by_index(condition: str) -> str:
    """Rows of the projection, looked up for each row in question: OFFSET keeps the planner from reading the whole
    projection of a viewer instead, which takes seconds where the office keeps a million files."""
    return f"SELECT FROM cases_access a WHERE {condition} OFFSET 0"


def _shared(place: Place, person: str) -> str:
    """One of our grantees has access otherwise than as the holder. A search looks at many rows of few such persons:
    these are read once and hashed."""
    if place.citus:
        return exists(place, person)
    shared = f"a.grantee_id = ANY ({GRANTED}) AND a.basis = ANY ('{{{','.join(SHARED)}}}')"
    return f"{person} IN (SELECT a.person_id FROM cases_access a WHERE {shared})"


def _by_role(*roles: Role) -> str:
    return "(SELECT access_role()) IN ({})".format(", ".join(f"'{role.value}'" for role in roles))


def _household() -> dict[str, str]:
    ours = f"(holder_id = ANY ({GRANTED}) AND NOT restricted)"
    # of whom only the name was agreed, nobody learns with whom they live
    known = f"a.household_id = cases_household.id AND a.classes & {DataClass.HOUSEHOLD.value} <> 0"
    members = f"EXISTS ({_by_index(known + '{}')})"
    not_denied = "cases_household.id <> ALL ((SELECT access_denied_households())::uuid[])"
    return {
        "SELECT": f"({ours} OR {members.format('')}) AND {not_denied}",
        "INSERT": f"holder_id = ANY ({GRANTED}) AND holder_id <> (SELECT access_user())",
        "UPDATE": f"({ours} OR {members.format(' AND a.writes')}) AND {not_denied}",
    }


def _note(place: Place) -> dict[str, str]:
    """By class, and for its author as long as they may see the person at all."""
    person = "cases_note.person_id"
    mine = "author_id = (SELECT access_user())"
    return {
        "SELECT": f"{exists(place, person, 'cases_note.row_class')} OR ({mine} AND {exists(place, person)})",
        "INSERT": f"{mine} AND {exists(place, person, writes=True)}",
    }


def _consent(place: Place) -> dict[str, str]:
    """Who keeps the file, the person, the privacy officer (the register of communications), and the organizations it
    speaks to while they see the person: none of these learns of the others."""
    person = "cases_consent.person_id"
    return {
        "SELECT": f"{keepers(person)} OR {_by_role(Role.PRIVACY)} OR ({exists(place, person)} AND EXISTS"
        f" (SELECT FROM cases_consentrecipient r WHERE r.consent_id = cases_consent.id"
        f" AND r.organization_id = ANY ({GRANTED})))",
        "INSERT": keepers("cases_consent.person_id"),
    }


def _recipient(place: Place) -> dict[str, str]:
    person = "cases_consentrecipient.person_id"
    return {
        "SELECT": f"(organization_id = ANY ({GRANTED}) AND {exists(place, person)}) OR {keepers(person)}"
        f" OR {_by_role(Role.PRIVACY)}",
        "INSERT": keepers("cases_consentrecipient.person_id"),
    }


def _withdrawal(place: Place) -> dict[str, str]:
    person = "cases_withdrawal.person_id"
    return {
        "SELECT": f"{keepers(person)} OR {_by_role(Role.PRIVACY)} OR ({exists(place, person)} AND EXISTS"
        f" (SELECT FROM cases_consentrecipient r WHERE r.consent_id = cases_withdrawal.consent_id"
        f" AND r.organization_id = ANY ({GRANTED})))",
        "INSERT": keepers("cases_withdrawal.person_id"),
    }


def keepers(person: str) -> str:
    theirs = f"a.person_id = {person} AND (a.writes OR a.basis = 'self')"
    return f"EXISTS ({_by_index(theirs)})"


def _break_glass(place: Place) -> dict[str, str]:
    review = _by_role(Role.PRIVACY)
    return {
        "SELECT": f"user_id = (SELECT access_user()) OR {review}"
        f" OR {exists(place, 'cases_breakglass.person_id', writes=True)}",
        "INSERT": f"user_id = (SELECT access_user()) AND {_by_role(Role.AGENT)}"
        " AND until <= now() + interval '4 hours 1 minute'",
        "UPDATE": f"{review} OR user_id = (SELECT access_user())",
    }


def _register(table: str, *, by: str = "", update: bool = False) -> Callable[[Place], dict[str, str]]:
    """The registers of people's rights: for who keeps the file, the person, and the privacy officer.

    `by`: the column that must name whoever inserts.
    """

    def rules(place: Place) -> dict[str, str]:
        theirs = f"({keepers(f'{table}.person_id')} OR {_by_role(Role.PRIVACY)})"
        found = {"SELECT": theirs, "INSERT": f"{theirs} AND {by} = (SELECT access_user())" if by else theirs}
        if update:
            writers = exists(place, f"{table}.person_id", writes=True)
            found["UPDATE"] = f"{writers} OR {_by_role(Role.PRIVACY)}"
        return found

    return rules


def _identity_check(place: Place) -> dict[str, str]:
    """It opens the file to a privacy officer: never theirs to say."""
    mine = "checked_by_id = (SELECT access_user())"
    return _register("cases_identitycheck")(place) | {
        "INSERT": f"{keepers('cases_identitycheck.person_id')} AND {mine}"
    }


def _approval(place: Place) -> dict[str, str]:
    """Two people: who asked for a disclosure does not approve it."""
    another = (
        "EXISTS (SELECT FROM cases_disclosure d WHERE d.id = cases_disclosureapproval.disclosure_id"
        " AND d.by_id <> (SELECT access_user()))"
    )
    mine = f"by_id = (SELECT access_user()) AND {_by_role(Role.PRIVACY)}"
    return _register("cases_disclosureapproval")(place) | {"INSERT": f"{mine} AND {another}"}


def _erasure(place: Place) -> dict[str, str]:
    """Written by the installation alone."""
    return {"SELECT": _register("cases_erasure")(place)["SELECT"]}


_SPECIAL = {
    "Note": _note,
    "Consent": _consent,
    "ConsentRecipient": _recipient,
    "Withdrawal": _withdrawal,
    "BreakGlass": _break_glass,
    "DataRequest": _register("cases_datarequest", by="recorded_by_id", update=True),
    "IdentityCheck": _identity_check,
    "Rectification": _register("cases_rectification", update=True),
    "Disclosure": _register("cases_disclosure", by="by_id"),
    "DisclosureApproval": _approval,
    "ExportLink": _register("cases_exportlink", by="made_by_id", update=True),
    "Erasure": _erasure,
    "IncidentPerson": _register("cases_incidentperson"),
}


def as_function(table: str, command: str, condition: str) -> tuple[str, str]:
    """The same condition as one function of the row's columns, and its call: all that a policy may hold on Citus.

    Inside a definer no policy of the projection holds: it is narrowed to the viewer's own rows under its own name.
    """
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    used = [
        field for field in model._meta.concrete_fields if field.column and re.search(rf"\b{field.column}\b", condition)
    ]
    columns = ", ".join(f"${number} AS {field.column}" for number, field in enumerate(used, 1))
    mine = "" if table == "cases_access" else f"WITH cases_access AS (SELECT * FROM cases_access WHERE {_MINE}) "
    name = f"access_{table}_{command.lower()}"
    function = f"""
    CREATE OR REPLACE FUNCTION {name}({", ".join(str(field.db_type(connection)) for field in used)}) RETURNS boolean
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        {mine}SELECT {condition} FROM (SELECT {columns}) AS {table}
    $body$
    """
    return function, f"{name}({', '.join(f'{table}.{field.column}' for field in used)})"


def lock(table: str, rules: dict[str, str], place: Place) -> Iterator[str]:
    """Force row-level security on a table: these conditions by command for app and worker; system, definer, backup."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    for command in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        name = f"acting_{command.lower()}"
        yield f"DROP POLICY IF EXISTS {name} ON {table}"
        if command in rules:
            condition = rules[command]
            if place.citus:
                function, condition = as_function(table, command, condition)
                yield function
            clause = {"INSERT": "WITH CHECK ({0})", "UPDATE": "USING ({0}) WITH CHECK ({0})"}.get(
                command, "USING ({0})"
            )
            yield f"CREATE POLICY {name} ON {table} FOR {command} TO $app$, $worker$ {clause.format(condition)}"
    for name, role, condition in (
        ("system", "$worker$", "access_is_system()" if place.citus else "(SELECT access_is_system())"),
        ("definer", "CURRENT_USER", _DEFINER),
    ):
        yield f"DROP POLICY IF EXISTS {name} ON {table}"
        yield f"CREATE POLICY {name} ON {table} TO {role} USING ({condition}) WITH CHECK ({condition})"
    yield f"DROP POLICY IF EXISTS backup ON {table}"
    yield f"CREATE POLICY backup ON {table} FOR SELECT TO $backup$ USING (current_user = session_user)"


def _grants() -> Iterator[str]:
    """Less than what `cities.actions.grant` gave: nothing is deleted at a desk, the projection is nobody's to write."""
    everything = [Access, Person, PersonKey, Household, SearchToken, Agreement, Incident, *person_models()]
    for model in everything:
        table = model._meta.db_table
        yield f"REVOKE ALL ON {table} FROM $public$"
        if model is not SearchToken:
            yield f"REVOKE DELETE ON {table} FROM $app$"
        if getattr(model, "append_only", False):
            yield f"REVOKE UPDATE ON {table} FROM $app$, $worker$"
    yield "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA $schema$ FROM PUBLIC, $public$, $audit$, $backup$"
    yield "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA $schema$ TO $app$, $worker$"
    yield "REVOKE INSERT, UPDATE ON cases_access FROM $app$, $worker$"
    yield "REVOKE UPDATE ON cases_personkey FROM $app$"
    for signature in ("access_projection(uuid)", "access_projection_all()", "access_refresh(uuid)"):
        yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, $app$, $public$, $audit$, $backup$"
    yield "REVOKE ALL ON FUNCTION access_refresh(uuid) FROM $worker$"
    yield "REVOKE ALL ON FUNCTION rights_forget(uuid) FROM $app$"


# -- functions --------------------------------------------------------------------------------------------------------


def _functions() -> Iterator[str]:
    yield f"""
    CREATE OR REPLACE FUNCTION access_in_role(account uuid, organization uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE {_SETTLED} AS $body$
        SELECT left(encode(sha256(convert_to(account::text || organization::text, 'UTF8')), 'hex'), 32)::uuid
    $body$
    """
    # An office account without its second factor claims nothing where one is required.
    second_factor = "EXISTS (SELECT FROM mfa_authenticator f WHERE f.user_id = u.id)" if settings.PRODUCTION else "true"
    yield f"""
    CREATE OR REPLACE FUNCTION access_claims(account uuid) RETURNS text
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT pg_backend_pid() || '|' || extract(epoch FROM now()) || '|||' WHERE account IS NULL
        UNION ALL
        SELECT pg_backend_pid() || '|' || extract(epoch FROM now()) || '|' || u.id || '|' || u.id || coalesce(
            (SELECT string_agg(',' || g, '') FROM (
                SELECT '{OFFICE}'::uuid AS g WHERE u.office_role = '{Role.AGENT}'
                UNION ALL SELECT access_in_role(u.id, '{OFFICE}') WHERE u.office_role <> ''
                UNION ALL SELECT organization_id FROM orgs_membership WHERE user_id = u.id AND until IS NULL
                UNION ALL SELECT access_in_role(u.id, organization_id) FROM orgs_membership
                    WHERE user_id = u.id AND until IS NULL
            ) AS granted), '') || '|' || u.office_role
        FROM accounts_user u WHERE u.id = account AND u.is_active AND (u.office_role = '' OR {second_factor})
    $body$
    """
    # A program stands for its owner in one organization, and for nothing else that the owner is.
    yield f"""
    CREATE OR REPLACE FUNCTION access_claims_of_token(token uuid, account uuid) RETURNS text
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT pg_backend_pid() || '|' || extract(epoch FROM now()) || '|' || u.id || '|' || m.organization_id || ','
            || access_in_role(u.id, m.organization_id) || '|'
        FROM orgs_apitoken t JOIN orgs_membership m ON m.id = t.membership_id AND m.until IS NULL
            JOIN accounts_user u ON u.id = m.user_id AND u.is_active
        WHERE t.id = token AND u.id = account AND t.revoked_at IS NULL AND now() < t.expires_at
    $body$
    """
    # Who lives with somebody who must not be found would give them away: the whole household is denied.
    # Every policy asks; nearly nobody is denied anything: it leaves early.
    nobody = """
        IF NOT EXISTS (SELECT FROM cases_denial WHERE user_id = nullif(said[3], '')::uuid AND ended_at IS NULL) THEN
            RETURN '{}';
        END IF;"""
    yield context_function(
        "access_denied",
        "uuid[]",
        f"""{nobody}
        RETURN (SELECT array_agg(person_id) FROM (
            SELECT person_id FROM cases_denial WHERE user_id = said[3]::uuid AND ended_at IS NULL
            UNION SELECT other.person_id FROM cases_denial d
                JOIN cases_householdmember m ON m.person_id = d.person_id AND m.until IS NULL
                JOIN cases_householdmember other ON other.household_id = m.household_id AND other.until IS NULL
                WHERE d.user_id = said[3]::uuid AND d.ended_at IS NULL
        ) AS denied);""",
    )
    yield context_function(
        "access_denied_households",
        "uuid[]",
        f"""{nobody}
        RETURN (SELECT coalesce(array_agg(m.household_id), '{{}}') FROM cases_denial d
            JOIN cases_householdmember m ON m.person_id = d.person_id
            WHERE d.user_id = said[3]::uuid AND d.ended_at IS NULL);""",
    )
    # In whose tokens to search: names are hashed for each holder apart. Tells nothing that a list would not.
    yield f"""
    CREATE OR REPLACE FUNCTION access_shared_holders() RETURNS SETOF uuid
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT DISTINCT p.holder_id FROM cases_access a JOIN cases_person p ON p.id = a.person_id
            WHERE a.grantee_id = ANY ((SELECT access_grantees())::uuid[]) AND a.basis = ANY ('{{{",".join(SHARED)}}}')
                AND now() >= a.valid_from AND now() < a.valid_until
                AND a.person_id <> ALL ((SELECT access_denied())::uuid[])
    $body$
    """
    yield f"""
    CREATE OR REPLACE FUNCTION access_allows(whom uuid, wanted int, to_write boolean) RETURNS boolean
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT EXISTS (
            SELECT FROM cases_access a WHERE a.person_id = whom AND a.grantee_id = ANY (access_grantees())
                AND now() >= a.valid_from AND now() < a.valid_until AND a.classes & wanted <> 0
                AND (a.writes OR NOT to_write)
        ) AND whom <> ALL (access_denied())
    $body$
    """
    yield _projection("access_projection(whom uuid)", "WHERE cases_person.id = whom")
    yield _projection("access_projection_all()", "")
    yield f"""
    CREATE OR REPLACE FUNCTION access_refresh(whom uuid) RETURNS void
    LANGUAGE plpgsql {_SETTLED} AS $body$
    BEGIN
        -- two writers of one person wait for each other here: the later one sees what the earlier one did
        PERFORM FROM cases_person WHERE id = whom FOR UPDATE;
        DELETE FROM cases_access WHERE person_id = whom;
        INSERT INTO cases_access ({", ".join(_COLUMNS)}) SELECT {", ".join(_COLUMNS)} FROM access_projection(whom);
    END $body$
    """
    # To break the glass one knows the file's reference, as the person in danger does; nothing is told but a key.
    # The privacy officer registers a letter's request the same way, and sees no more by it.
    yield f"""
    CREATE OR REPLACE FUNCTION access_by_reference(wanted text) RETURNS uuid
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT m.person_id FROM cases_household h
            JOIN cases_householdmember m ON m.household_id = h.id AND m.until IS NULL AND m.relation = 'head'
            WHERE h.reference = wanted AND access_role() IN ('{Role.AGENT}', '{Role.PRIVACY}')
                AND m.person_id <> ALL (access_denied())
    $body$
    """
    # A proof outlives the person's file, and nobody's words in it do.
    words = "; ".join(
        f"UPDATE {model._meta.db_table} SET "
        + ", ".join(f"{column} = '{text}'" for column, text in model.forgotten.items())
        + " WHERE person_id = whom AND ("
        + " OR ".join(f"{column} <> ''" for column in model.forgotten)
        + ")"
        for model in person_models()
        if model.forgotten
    )
    yield f"""
    CREATE OR REPLACE FUNCTION rights_forget(whom uuid) RETURNS void LANGUAGE sql {_SETTLED} AS $body${words}$body$
    """
    # Whoever holds a link takes what is behind it, once, signed in or not. The parcel opens with the link alone.
    yield f"""
    CREATE OR REPLACE FUNCTION rights_take_export(wanted text, OUT person uuid, OUT link uuid, OUT sealed bytea)
    LANGUAGE plpgsql {_SETTLED} AS $body$
    BEGIN
        SELECT person_id, id, parcel INTO person, link, sealed FROM cases_exportlink
            WHERE key_hash = wanted AND taken_at IS NULL AND parcel IS NOT NULL AND now() < expires_at FOR UPDATE;
        UPDATE cases_exportlink SET taken_at = now(), parcel = NULL WHERE id = link;
    END $body$
    """
    yield f"""
    CREATE OR REPLACE FUNCTION rights_export_waits(wanted text) RETURNS boolean
    LANGUAGE sql STABLE {_SETTLED} AS $body$
        SELECT EXISTS (SELECT FROM cases_exportlink
            WHERE key_hash = wanted AND taken_at IS NULL AND parcel IS NOT NULL AND now() < expires_at)
    $body$
    """


_COLUMNS = [field.column for field in Access._meta.concrete_fields if field.column]


#: makes the whole projection, once it is empty: the demo, repairs
PROJECT_ALL = (
    f"INSERT INTO cases_access ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} FROM access_projection_all()"
)


def begin(day: str) -> str:
    """The moment at which a day (SQL) begins in the city."""
    return (
        f"({day})::timestamp AT TIME ZONE"
        " (SELECT timezone FROM public.cities_city WHERE schema_name = current_schema())"
    )


def _projection(signature: str, which: str) -> str:
    """The truth about access to one person, or to all; `cases_access` holds what this gives for everybody.

    Two functions of one text: one that chose by a parameter that may be NULL would be planned for neither.
    """
    always = f"{_EVER}, {_NEVER}"
    named = EVERYTHING & ~DataClass.CONFIDENTIAL
    return f"""
    CREATE OR REPLACE FUNCTION {signature} RETURNS TABLE (
        person_id uuid, household_id uuid, grantee_id uuid, source_id uuid, basis varchar, classes int, writes boolean,
        valid_from timestamptz, valid_until timestamptz, state varchar, listed_at timestamptz
    ) LANGUAGE sql STABLE {_SETTLED} AS $body$
        WITH p AS (
            SELECT cases_person.*, h.id AS household, h.lead_worker_id, h.backup_worker_id FROM cases_person
                LEFT JOIN cases_householdmember m ON m.person_id = cases_person.id AND m.until IS NULL
                LEFT JOIN cases_household h ON h.id = m.household_id
                {which}
        ), granted (person, grantee, source, basis, classes, writes, since, until) AS (
            SELECT p.id, p.holder_id, p.id, 'own', {OWN.value}, true, {always} FROM p WHERE NOT p.restricted
            UNION ALL
            SELECT DISTINCT p.id, access_in_role(worker, p.holder_id), p.household, 'lead', {EVERYTHING.value}, true,
                {always}
                FROM p, unnest(ARRAY[p.lead_worker_id, p.backup_worker_id]) AS worker WHERE worker IS NOT NULL
            UNION ALL
            SELECT p.id, r.organization_id, access_in_role(r.id, g.id), 'consent', c.classes, false,
                {begin("g.since")}, least(c.until, {begin("g.until + 1")}, {begin("g.ended_on")})
                FROM p JOIN cases_consent c ON c.person_id = p.id
                JOIN cases_consentrecipient r ON r.consent_id = c.id
                JOIN cases_agreement g ON g.organization_id = r.organization_id
                WHERE NOT c.by_referral AND NOT EXISTS (SELECT FROM cases_withdrawal w WHERE w.consent_id = c.id)
            UNION ALL
            SELECT p.id, access_in_role(n.user_id, p.holder_id), n.id, 'named', {named.value}, true,
                {_EVER}, coalesce(n.until, {_NEVER})
                FROM p JOIN cases_namedaccess n ON n.person_id = p.id WHERE n.ended_at IS NULL
            UNION ALL
            SELECT p.id, access_in_role(b.user_id, '{OFFICE}'), b.id, 'break_glass', {named.value}, false,
                {_EVER}, least(b.until, b.ended_at)
                FROM p JOIN cases_breakglass b ON b.person_id = p.id
            UNION ALL
            SELECT p.id, access_in_role(q.handler_id, '{OFFICE}'), q.id, 'request', {SELF.value}, false, {always}
                FROM p JOIN cases_datarequest q ON q.person_id = p.id JOIN cases_identitycheck i ON i.request_id = q.id
                WHERE q.state = 'open' AND q.handler_id IS NOT NULL
            UNION ALL
            SELECT p.id, p.user_id, p.user_id, 'self', {SELF.value}, false, {always} FROM p WHERE p.user_id IS NOT NULL
            {"".join(f"UNION ALL {source} " for source in SOURCES.values())}
        )
        SELECT p.id, p.household, g.grantee, g.source, g.basis, g.classes, g.writes, g.since, g.until, p.state,
            p.created_at FROM p JOIN granted g ON g.person = p.id WHERE g.since < g.until
    $body$
    """


def _triggers() -> Iterator[str]:
    """A row that access is made from changes: the projection of its person is made again, in the same transaction."""
    yield f"""
    CREATE OR REPLACE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql {_SETTLED} AS $body$
    BEGIN
        IF TG_TABLE_NAME = 'cases_person' THEN
            PERFORM access_refresh(NEW.id);
        ELSIF TG_TABLE_NAME = 'cases_household' THEN
            PERFORM access_refresh(person_id) FROM cases_householdmember WHERE household_id = NEW.id AND until IS NULL;
        ELSIF TG_TABLE_NAME = 'cases_agreement' THEN
            PERFORM access_refresh(p) FROM (
                SELECT DISTINCT person_id AS p FROM cases_consentrecipient WHERE organization_id = NEW.organization_id
            ) AS concerned ORDER BY p;
        ELSIF TG_OP = 'DELETE' THEN
            PERFORM access_refresh(OLD.person_id);
        ELSE
            PERFORM access_refresh(NEW.person_id);
        END IF;
        RETURN NULL;
    END $body$
    """
    yield f"""
    CREATE OR REPLACE FUNCTION access_keep() RETURNS trigger LANGUAGE plpgsql {_SETTLED} AS $body$
    BEGIN
        IF TG_OP = 'DELETE' AND session_user = $worker-text$ THEN
            RETURN OLD;  -- the purge
        END IF;
        -- by rights_forget alone: no role may update these tables
        IF TG_OP = 'UPDATE' AND session_user = $worker-text$ THEN
            IF EXISTS (SELECT FROM cases_erasure e WHERE e.person_id = NEW.person_id) THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE insufficient_privilege USING MESSAGE = TG_TABLE_NAME || ' is added to, never changed';
    END $body$
    """
    sources = {
        "cases_person": "INSERT OR UPDATE OF holder_id, restricted, user_id, state",
        "cases_household": "UPDATE OF lead_worker_id, backup_worker_id",
        "cases_householdmember": "INSERT OR UPDATE OR DELETE",
        "cases_consentrecipient": "INSERT",
        "cases_withdrawal": "INSERT",
        "cases_agreement": "INSERT OR UPDATE",
        "cases_namedaccess": "INSERT OR UPDATE OR DELETE",
        "cases_breakglass": "INSERT OR UPDATE OR DELETE",
        "cases_datarequest": "INSERT OR UPDATE OR DELETE",
        "cases_identitycheck": "INSERT",
    }
    for table, events in (sources | CHANGES).items():
        yield f"DROP TRIGGER IF EXISTS access_changed ON {table}"
        yield f"CREATE TRIGGER access_changed AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION access_changed()"
    kept: list[type[Row]] = [model for model in person_models() if model.append_only]
    for model in kept:
        table = model._meta.db_table
        yield f"DROP TRIGGER IF EXISTS access_keep ON {table}"
        yield (
            f"CREATE TRIGGER access_keep BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION access_keep()"
        )
