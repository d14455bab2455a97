"""Who may open each address of the installation: one line each. A new address without a line fails the test.

The world of the test: `organization` with a service, where `worker` and `manager` are members; `other_manager`
manages another organization. Ask for objects by their names in `World`.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROLES = (
    "visitor", "agent", "director", "coordinator", "administrator", "privacy", "worker", "manager", "other_manager",
)  # fmt: skip
EVERYBODY = frozenset(ROLES)
SIGNED_IN = EVERYBODY - {"visitor"}
OFFICE = frozenset({"agent", "director", "coordinator", "administrator", "privacy"})
EDITORS = frozenset({"coordinator", "administrator"})
ADMINISTRATOR = frozenset({"administrator"})
AGENT = frozenset({"agent"})
PRIVACY = frozenset({"privacy"})
PARTNERS = frozenset({"worker", "manager", "other_manager"})
#: who keeps files of people at all
FILES = PARTNERS | {"agent"}


@dataclass
class World:
    """What the addresses are about, and who asks: `users` by role ("visitor" has none)."""

    now: dt.datetime
    organization: Any
    service: Any
    location: Any
    invitation: Any
    offer: Any
    member: Any
    household: Any
    person: Any
    users: dict[str, Any]


Arguments = Callable[[World], dict[str, Any]]


def nothing(world: World) -> dict[str, Any]:
    return {}


def somewhere(world: World) -> dict[str, Any]:
    return {"pk": 1}


@dataclass(frozen=True)
class Line:
    """`who` may open it, by `method`, with the URL's arguments from `args` and form fields or query from `data`.

    `absent`: it leads nowhere in this world (404 for all who may ask). `hidden`: those among `who` for whom it is as if
    it were not there (404): the people's files of somebody else.
    """

    who: frozenset[str]
    args: Arguments = nothing
    method: str = "GET"
    data: dict[str, Any] = field(default_factory=dict)
    absent: bool = False
    hidden: frozenset[str] = frozenset()


def organization(world: World) -> dict[str, Any]:
    return {"pk": world.organization.pk}


def the_household(world: World) -> dict[str, Any]:
    return {"pk": world.household.pk}


def the_person(world: World) -> dict[str, Any]:
    return {"pk": world.person.pk}


def no_row(world: World) -> dict[str, Any]:
    """A key that no row has."""
    return {"pk": uuid.UUID(int=0)}


def _service(world: World) -> dict[str, Any]:
    return {"kind": "service", "object_id": world.service.pk}


MEMBERS = EDITORS | {"manager"}
KEEPERS = MEMBERS | {"worker"}


def at_desk(**more: Any) -> Arguments:
    """The world's service at the desk."""
    return lambda world: {"kind": "service", "object_id": world.service.pk, **more}


LINES: dict[str, Line] = {
    "root": Line(EVERYBODY),
    "health": Line(EVERYBODY),
    "ready": Line(EVERYBODY),
    "robots": Line(EVERYBODY),
    "kit": Line(EVERYBODY),
    "hsds": Line(EVERYBODY, lambda world: {"rest": "services"}),
    "hsds-guide": Line(EVERYBODY),
    # a token opens it, no account does: tests/api/test_partners.py
    "partners-shared": Line(frozenset()),
    "hsds-docs": Line(EVERYBODY),
    # signing in
    "account_login": Line(EVERYBODY),
    "account_request_login_code": Line(EVERYBODY),
    "account_confirm_login_code": Line(EVERYBODY),
    "mfa_login_webauthn": Line(EVERYBODY),
    "mfa_authenticate": Line(EVERYBODY),
    "account_logout": Line(EVERYBODY),
    "account_inactive": Line(EVERYBODY),
    "account_reset_password": Line(EVERYBODY),
    "account_reset_password_done": Line(EVERYBODY),
    "account_reset_password_from_key": Line(EVERYBODY, lambda world: {"uidb36": "1", "key": "1"}),
    "account_reset_password_from_key_done": Line(EVERYBODY),
    "account_invitation": Line(EVERYBODY, lambda world: {"key": "unknown"}),
    # one's own account
    "account_home": Line(SIGNED_IN),
    "account_end_session": Line(SIGNED_IN, method="POST"),
    "account_change_password": Line(SIGNED_IN),
    "account_set_password": Line(SIGNED_IN),
    "account_reauthenticate": Line(SIGNED_IN),
    "mfa_reauthenticate": Line(SIGNED_IN),
    "mfa_reauthenticate_webauthn": Line(SIGNED_IN),
    "mfa_index": Line(SIGNED_IN),
    "mfa_activate_totp": Line(SIGNED_IN),
    "mfa_deactivate_totp": Line(SIGNED_IN, absent=True),
    "mfa_list_webauthn": Line(SIGNED_IN),
    "mfa_add_webauthn": Line(SIGNED_IN),
    "mfa_remove_webauthn": Line(SIGNED_IN, somewhere),
    "mfa_view_recovery_codes": Line(SIGNED_IN, absent=True),
    "mfa_generate_recovery_codes": Line(SIGNED_IN),
    "mfa_download_recovery_codes": Line(SIGNED_IN, absent=True),
    # people and members
    "account_people": Line(ADMINISTRATOR),
    "account_person": Line(ADMINISTRATOR, lambda world: {"pk": world.users["agent"].pk}),
    "account_person_history": Line(ADMINISTRATOR, lambda world: {"pk": world.users["agent"].pk}),
    "account_invitation_history": Line(ADMINISTRATOR, lambda world: {"pk": world.invitation.pk}),
    "account_invite": Line(ADMINISTRATOR),
    "account_invitation_act": Line(ADMINISTRATOR, lambda world: {"pk": world.invitation.pk}, "POST", {"do": "revoke"}),
    "orgs:teams": Line(MEMBERS | {"other_manager"}),
    "orgs:members": Line(MEMBERS, organization),
    "orgs:history": Line(MEMBERS, organization),
    "orgs:tokens": Line(frozenset({"administrator", "manager"}), organization),
    "orgs:token": Line(
        frozenset({"administrator", "manager"}),
        lambda world: {"pk": world.organization.pk, "token": uuid.UUID(int=0)},
        "POST",
        absent=True,
    ),
    "orgs:member": Line(
        MEMBERS, lambda world: {"pk": world.organization.pk, "member": world.member.pk}, "POST", {"do": "end"}
    ),
    "orgs:offer": Line(
        MEMBERS, lambda world: {"pk": world.organization.pk, "offer": world.offer.pk}, "POST", {"do": "revoke"}
    ),
    # people's files: the world's household is the office's
    "cases:find": Line(FILES),
    "cases:new": Line(FILES),
    "cases:household": Line(FILES, the_household, hidden=PARTNERS),
    "cases:caseload": Line(FILES),
    "cases:hand-over": Line(FILES),
    "cases:change": Line(FILES, lambda world: {"pk": world.household.pk, "what": "birth"}, hidden=PARTNERS),
    "cases:history": Line(FILES, the_household, hidden=PARTNERS),
    "cases:undo": Line(FILES, lambda world: {"pk": world.household.pk, "event": 0}, absent=True),
    "cases:seen": Line(FILES, the_household, hidden=PARTNERS),
    "cases:assign": Line(FILES, the_household, hidden=PARTNERS),
    "cases:access": Line(FILES, the_household, hidden=PARTNERS),
    "cases:close": Line(FILES, the_household, hidden=PARTNERS),
    "cases:person": Line(FILES, the_person, hidden=PARTNERS),
    "cases:person-edit": Line(FILES, the_person, hidden=PARTNERS),
    "cases:person-history": Line(FILES, the_person, hidden=PARTNERS),
    "cases:person-seen": Line(FILES, the_person, hidden=PARTNERS),
    "cases:note-new": Line(FILES, the_person, hidden=PARTNERS),
    "cases:note": Line(FILES, lambda world: {"pk": world.person.pk, "row": uuid.UUID(int=0)}, absent=True),
    "cases:attachment-new": Line(FILES, the_person, hidden=PARTNERS),
    "cases:attachment": Line(FILES, lambda world: {"pk": world.person.pk, "row": uuid.UUID(int=0)}, absent=True),
    "cases:row-new": Line(FILES, lambda world: {"pk": world.person.pk, "slug": "address"}, hidden=PARTNERS),
    "cases:row": Line(
        FILES, lambda world: {"pk": world.person.pk, "slug": "address", "row": uuid.UUID(int=0)}, absent=True
    ),
    # consent: recorded by who keeps the file; a recipient has its own pages
    "cases:consents": Line(FILES, the_person, hidden=PARTNERS),
    "cases:consent-new": Line(FILES, the_household, hidden=PARTNERS),
    "cases:consent-paper": Line(FILES, no_row, absent=True),
    "cases:consent-withdraw": Line(FILES, no_row, absent=True),
    "cases:seen-as": Line(
        FILES, lambda world: {"pk": world.person.pk, "organization": world.organization.pk}, absent=True
    ),
    "cases:account": Line(FILES, the_person, hidden=PARTNERS),
    "cases:shared": Line(PARTNERS),
    "cases:shared-person": Line(PARTNERS, the_person, hidden=PARTNERS),
    "cases:agreements": Line(ADMINISTRATOR | PRIVACY),
    "cases:agreement-end": Line(ADMINISTRATOR | PRIVACY, no_row, absent=True),
    "cases:me": Line(SIGNED_IN),
    "cases:me-withdraw": Line(SIGNED_IN, no_row, absent=True),
    # privacy and people's rights
    # plans
    "plans:step": Line(FILES, no_row, absent=True),
    "plans:several": Line(FILES, method="POST"),
    "plans:plan": Line(FILES, the_household, hidden=PARTNERS),
    "plans:paper": Line(FILES, the_household, hidden=PARTNERS),
    "plans:danger": Line(FILES, lambda world: {"pk": world.household.pk, "code": "911"}, hidden=PARTNERS),
    "plans:rederive": Line(EDITORS),
    "plans:own-paper": Line(SIGNED_IN, absent=True),
    # arrivals
    "arrivals:board": Line(FILES),
    "arrivals:intake": Line(FILES),
    "arrivals:intake-complete": Line(FILES, the_household, hidden=PARTNERS, absent=True),
    "arrivals:surge": Line(OFFICE),
    "arrivals:expect": Line(FILES, the_household, hidden=PARTNERS),
    "arrivals:lists": Line(FILES),
    "arrivals:list": Line(FILES, no_row, absent=True),
    "arrivals:columns": Line(FILES, no_row, absent=True),
    "arrivals:decide": Line(FILES, no_row, absent=True),
    "arrivals:group": Line(FILES, no_row, absent=True),
    "arrivals:import": Line(FILES, no_row, absent=True),
    "arrivals:discard": Line(FILES, no_row, absent=True),
    "arrivals:progress": Line(FILES, no_row, absent=True),
    "arrivals:report": Line(FILES, no_row, absent=True),
    "arrivals:report-csv": Line(FILES, no_row, absent=True),
    "arrivals:change": Line(FILES, lambda world: {"pk": uuid.UUID(int=0), "what": "met"}, absent=True),
    "cases:privacy": Line(OFFICE | FILES),
    "cases:glass-new": Line(frozenset({"agent"})),
    "cases:glass-end": Line(frozenset({"agent"}), lambda world: {"pk": uuid.UUID(int=0)}, "POST", absent=True),
    "cases:glasses": Line(PRIVACY),
    "cases:glass": Line(PRIVACY, lambda world: {"pk": uuid.UUID(int=0)}, absent=True),
    "cases:incidents": Line(PRIVACY),
    "cases:incidents-csv": Line(PRIVACY),
    "cases:incident-new": Line(OFFICE),
    "cases:incident": Line(PRIVACY, lambda world: {"pk": uuid.UUID(int=0)}, absent=True),
    "cases:requests": Line(FILES | PRIVACY),
    "cases:request-new": Line(FILES | PRIVACY),
    "cases:request": Line(FILES | PRIVACY, lambda world: {"pk": uuid.UUID(int=0)}, absent=True),
    "cases:communications": Line(PRIVACY),
    "cases:communications-csv": Line(PRIVACY),
    "cases:communications-of": Line(FILES, the_person, hidden=PARTNERS),
    "cases:disclosure-new": Line(FILES, the_person, hidden=PARTNERS),
    "cases:disclosure": Line(FILES | PRIVACY, lambda world: {"pk": uuid.UUID(int=0)}, absent=True),
    "cases:own-data": Line(SIGNED_IN),
    "cases:parcel": Line(EVERYBODY, lambda world: {"key": "unknown"}),
    # the network's upkeep; an organization's page opens by the secret of its link
    "network:home": Line(EDITORS),
    "network:gaps": Line(frozenset({"coordinator", "director"})),
    "network:singles": Line(frozenset({"coordinator", "director"})),
    "network:weak": Line(EDITORS),
    "network:rounds": Line(EDITORS),
    "network:begin": Line(EDITORS, method="POST"),
    "network:round": Line(EDITORS, no_row, "POST", absent=True),
    "network:conflicts": Line(EDITORS),
    "network:decide": Line(EDITORS, no_row, "POST", absent=True),
    "network:never": Line(EDITORS),
    "network:rhythm": Line(EDITORS),
    "network:alike": Line(EDITORS),
    "network:pair": Line(EDITORS, no_row, absent=True),
    "network:unmerge": Line(EDITORS, _service, absent=True),
    "network:review": Line(EVERYBODY, lambda world: {"key": "unknown"}, absent=True),
    "network:review-true": Line(EVERYBODY, lambda world: {"key": "unknown"}, "POST", absent=True),
    "network:review-new": Line(EVERYBODY, lambda world: {"key": "unknown"}, "POST", absent=True),
    "network:review-correct": Line(EVERYBODY, lambda world: {"key": "unknown", **_service(world)}, absent=True),
    "network:review-wrong": Line(EVERYBODY, lambda world: {"key": "unknown", **_service(world)}, "POST", absent=True),
    # referrals
    "referrals:candidates": Line(FILES, the_person, hidden=PARTNERS),
    "referrals:unmet": Line(FILES, the_person, "POST", {"domain": "work", "reason": "full"}, hidden=PARTNERS),
    "referrals:unmet-over": Line(FILES, no_row, "POST", absent=True),
    "referrals:new": Line(FILES, lambda world: {"pk": world.person.pk, "service": world.service.pk}, hidden=PARTNERS),
    "referrals:inbox": Line(FILES),
    "referrals:referral": Line(FILES, no_row, absent=True),
    "referrals:own": Line(SIGNED_IN, no_row, absent=True),
    "referrals:say": Line(FILES, no_row, absent=True),
    "referrals:link-send": Line(FILES, no_row, "POST", absent=True),
    "referrals:link": Line(EVERYBODY, lambda world: {"key": "unknown"}, absent=True),
    "referrals:link-new": Line(EVERYBODY, lambda world: {"key": "unknown"}, "POST", absent=True),
    "referrals:places": Line(FILES, lambda world: {"service": uuid.UUID(int=0)}, absent=True),
    # appointments; the feeds' addresses are secret
    "appointments:calendar": Line(FILES),
    "appointments:interpreters": Line(FILES),
    "appointments:interpreter": Line(FILES, no_row, absent=True),
    "appointments:hours": Line(FILES | EDITORS),
    "appointments:feeds": Line(FILES),
    "appointments:feed": Line(EVERYBODY, lambda world: {"whose": "w", "key": "u" * 43}, absent=True),
    "appointments:household": Line(FILES, the_household, hidden=PARTNERS),
    "appointments:new": Line(FILES, the_household, hidden=PARTNERS),
    "appointments:appointment": Line(FILES, no_row, absent=True),
    "appointments:step": Line(FILES, no_row, absent=True),
    "appointments:move": Line(FILES, no_row, absent=True),
    "appointments:cancel": Line(FILES, no_row, absent=True),
    # the day's work is the agents', its numbers are the director's
    "welcome:today": Line(AGENT),
    "welcome:do": Line(AGENT, method="POST", data={"do": "complete"}),
    "welcome:away": Line(AGENT),
    "welcome:worker": Line(AGENT),
    "welcome:key": Line(AGENT, method="POST"),
    "welcome:list": Line(AGENT),
    "welcome:send": Line(AGENT, method="POST"),
    "welcome:picture": Line(frozenset({"director"})),
    "welcome:offline": Line(ADMINISTRATOR),
    # messages
    "messaging:list": Line(FILES),
    "messaging:person": Line(FILES, the_person, hidden=PARTNERS),
    "messaging:write": Line(FILES, the_person, hidden=PARTNERS),
    "messaging:write-many": Line(FILES),
    "messaging:message": Line(FILES, no_row, absent=True),
    "messaging:manners": Line(OFFICE),
    "messaging:peer": Line(OFFICE, lambda world: {"name": "mail"}, "POST"),
    # the link below a mail, and the gateway, which signs what it posts
    "messaging:stop": Line(EVERYBODY, lambda world: {"token": "unknown"}, absent=True),
    "messaging:report": Line(EVERYBODY, no_row, "POST", absent=True),
    "messaging:reply": Line(EVERYBODY, method="POST", absent=True),
    # the office's protocol
    "plans:protocol": Line(OFFICE),
    "plans:protocol-new": Line(EDITORS),
    "plans:protocol-history": Line(OFFICE),
    "plans:protocol-step": Line(OFFICE, lambda world: {"code": "ZZ1"}, absent=True),
    "plans:protocol-file": Line(OFFICE, lambda world: {"number": 999}, absent=True),
    # the public directory
    "directory:search": Line(EVERYBODY),
    "directory:points": Line(EVERYBODY),
    "directory:boroughs": Line(EVERYBODY),
    "directory:service": Line(EVERYBODY, lambda world: {"object_id": world.service.pk}),
    "directory:service-wrong": Line(EVERYBODY, lambda world: {"object_id": world.service.pk}),
    "directory:organization": Line(EVERYBODY, lambda world: {"object_id": world.organization.pk}),
    "directory:organization-wrong": Line(EVERYBODY, lambda world: {"object_id": world.organization.pk}),
    "directory:correction": Line(EVERYBODY, lambda world: {"token": uuid.UUID(int=0).hex}, absent=True),
    "directory:about": Line(EVERYBODY),
    "directory:accessibility": Line(EVERYBODY),
    "directory:privacy": Line(EVERYBODY),
    # the desk
    "directory:desk": Line(SIGNED_IN),
    "directory:desk-services": Line(SIGNED_IN),
    "directory:desk-corrections": Line(SIGNED_IN),
    "directory:desk-correction": Line(SIGNED_IN, lambda world: {"correction_id": uuid.UUID(int=0)}, absent=True),
    "directory:desk-imports": Line(EDITORS | {"director"}),
    "directory:desk-import": Line(EDITORS | {"director"}, lambda world: {"run_id": uuid.UUID(int=0)}, absent=True),
    "directory:desk-words-home": Line(SIGNED_IN),
    "directory:desk-words-list": Line(SIGNED_IN, lambda world: {"language": "ar"}),
    "directory:desk-words": Line(KEEPERS, at_desk(language="ar")),
    "directory:desk-history": Line(OFFICE | KEEPERS, at_desk()),
    "directory:desk-undo": Line(KEEPERS, at_desk(event_id=0), absent=True),
    "directory:desk-new-organization": Line(EDITORS),
    "directory:desk-new-taxonomy": Line(EDITORS),
    "directory:desk-taxonomies": Line(OFFICE),
    "directory:desk-new": Line(KEEPERS, lambda world: {"kind": "service", "owner_id": world.organization.pk}),
    "directory:desk-object": Line(OFFICE | KEEPERS, at_desk()),
    "directory:desk-edit": Line(KEEPERS, at_desk()),
    "directory:desk-hours": Line(KEEPERS, at_desk()),
    "directory:desk-confirm": Line(KEEPERS | {"agent"}, at_desk(), "POST", {"means": "phone"}),
    "directory:desk-unlist": Line(MEMBERS, at_desk()),
    "directory:desk-publish": Line(MEMBERS, at_desk(), "POST"),
}
