"""What the ledger tells of people is for those who keep their file, for themselves, and for the privacy officer.

The ledger stands below and knows no person; its table is locked from here. Events about anything else stay open to
the code's rules. The worker reads all of it (`parvis ledger verify`): identifiers, codes and dates.
"""

from collections.abc import Iterator

from parvis.accounts.models import Role
from parvis.cases.policies import DENIED, as_function
from parvis.kit.policies import Place

_TABLE = "ledger_event"
_ABOUT_PEOPLE = "starts_with(object_type, 'cases.')"


def statements(place: Place) -> Iterator[str]:
    theirs = (
        f"EXISTS (SELECT FROM cases_access a WHERE (a.person_id = {_TABLE}.object_id"
        f" OR a.household_id = {_TABLE}.object_id) AND (a.writes OR a.basis = 'self') OFFSET 0)"
    )
    # what one did oneself: a partner's looks are counted once an hour, by looking for the last
    mine = f"{_TABLE}.actor_id = (SELECT access_user())"
    officer = f"((SELECT access_role()) = '{Role.PRIVACY.value}' AND {_TABLE}.object_id <> ALL ({DENIED}))"
    visible = f"{mine} OR {officer} OR {theirs}"
    if place.citus:
        function, visible = as_function(_TABLE, "SELECT", visible)
        yield function
    visible = f"NOT {_ABOUT_PEOPLE} OR {visible}"
    yield f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY"
    policies = {
        "acting_select": f"FOR SELECT TO $app$ USING ({visible})",
        # whoever writes tells it, strangers included; the hash chain holds what is told
        # (the owner too: the demo and new cities are told)
        "telling": "FOR INSERT TO $app$, $worker$, CURRENT_USER WITH CHECK (object_id IS NOT NULL)",
        "making": f"FOR SELECT TO CURRENT_USER USING (session_user = current_user AND NOT {_ABOUT_PEOPLE})",
        "reading": "FOR SELECT TO $worker$, $audit$, $backup$ USING (current_user = session_user)",
        "definer": "TO CURRENT_USER USING (session_user <> current_user) WITH CHECK (session_user <> current_user)",
    }
    for name, policy in policies.items():
        yield f"DROP POLICY IF EXISTS {name} ON {_TABLE}"
        yield f"CREATE POLICY {name} ON {_TABLE} {policy}"
