"""Role x action x scope, once by the rules and once through the screens, against one table written by hand."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from parvis.accounts.models import User
from parvis.kit.models import OutboxMail
from parvis.ledger.models import Event
from parvis.orgs import rules
from parvis.orgs.actions import add_member, end_member
from parvis.orgs.models import Membership, Organization
from tests.accounts.people import open_account

SCOPES = ("own", "another", "public")
# y/-: in one's own organization, in another's, on what belongs to none. People of the office have no own one: for
# them the first two are the same. "suspended" was a coordinator, "former" a manager of the organization.
TABLE = """
action              visitor agent director coordinator administrator worker manager suspended former
add_organization    ---     ---   ---      yyy         yyy           ---    ---     ---       ---
edit_organization   ---     ---   ---      yyy         yyy           ---    y--     ---       ---
edit_service        ---     ---   ---      yyy         yyy           y--    y--     ---       ---
publish             ---     ---   ---      yyy         yyy           ---    y--     ---       ---
confirm             ---     yyy   ---      yyy         yyy           y--    y--     ---       ---
translate           ---     ---   ---      yyy         yyy           y--    y--     ---       ---
see_corrections     ---     yyy   yyy      yyy         yyy           y--    y--     ---       ---
answer_correction   ---     ---   ---      yyy         yyy           y--    y--     ---       ---
see_history         ---     yyy   yyy      yyy         yyy           y--    y--     ---       ---
see_reports         ---     ---   yyy      yyy         yyy           ---    ---     ---       ---
import              ---     ---   ---      yyy         yyy           ---    ---     ---       ---
see_members         ---     ---   ---      yyy         yyy           ---    y--     ---       ---
invite_worker       ---     ---   ---      yy-         yy-           ---    y--     ---       ---
invite_manager      ---     ---   ---      yy-         yy-           ---    ---     ---       ---
invite_agent        ---     ---   ---      ---         yyy           ---    ---     ---       ---
invite_director     ---     ---   ---      ---         yyy           ---    ---     ---       ---
invite_coordinator  ---     ---   ---      ---         yyy           ---    ---     ---       ---
invite_administrator ---    ---   ---      ---         yyy           ---    ---     ---       ---
manage_users        ---     ---   ---      ---         yyy           ---    ---     ---       ---
see_tokens          ---     ---   ---      ---         yyy           ---    y--     ---       ---
make_token          ---     ---   ---      ---         ---           ---    y--     ---       ---
"""
HEADER, *LINES = [line.split() for line in TABLE.strip().splitlines()]
ROLES = HEADER[1:]
EXPECTED = {
    (line[0], role, scope): cell[number] == "y"
    for line in LINES
    for role, cell in zip(ROLES, line[1:], strict=True)
    for number, scope in enumerate(SCOPES)
}


class World(NamedTuple):
    actors: dict[str, Any]
    organizations: dict[str, Organization | None]


@pytest.fixture
def world(city: Any, settings: Any) -> World:
    """One person of each role; `own` is where the partners work, `another` where somebody else does."""
    settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"  # pytest's own keeps mail in memory
    now = timezone.now()
    own, another = (Organization.objects.create(name=name, changed_at=now) for name in ("Own", "Another"))
    actors: dict[str, Any] = {"visitor": AnonymousUser()}
    for role in ("agent", "director", "coordinator", "administrator"):
        actors[role] = open_account(role, role)
    for role in ("worker", "manager"):
        actors[role] = open_account(role)
        add_member(actors[role], own, role, "test")
    actors["suspended"] = open_account("suspended", "coordinator")
    User.objects.filter(pk=actors["suspended"].pk).update(is_active=False, closed_at=now)
    actors["former"] = open_account("former")
    end_member(add_member(actors["former"], own, "manager", "test"), by="test")
    stranger = open_account("stranger")
    add_member(stranger, another, "manager", "test")
    fresh = {name: User.objects.get(pk=who.pk) if who.pk else who for name, who in actors.items()}
    return World(fresh, {"own": own, "another": another, "public": None})


def allowed(action: str, actor: Any, organization: Organization | None) -> bool:
    if action.startswith("invite_"):
        return rules.may_invite(actor, action.removeprefix("invite_"), organization)
    rule = getattr(rules, f"may_{action}")
    if action in ("add_organization", "see_reports", "import", "manage_users"):
        return bool(rule(actor))
    return bool(rule(actor, organization))


def test_the_rules_say_what_the_table_says(world: World) -> None:
    wrong = [
        key
        for key, expected in EXPECTED.items()
        if allowed(key[0], world.actors[key[1]], world.organizations[key[2]]) != expected
    ]
    assert not wrong
    assert len(EXPECTED) == 21 * 9 * 3


def test_every_rule_is_in_the_table() -> None:
    named = {name.removeprefix("may_") for name in dir(rules) if name.startswith("may_")}
    known = {line[0] for line in LINES} | {"invite", "see_any_members"}
    assert named == {name for name in known if not name.startswith("invite_")}


def browser(actor: Any) -> Client:
    client = Client()
    if actor.is_authenticated:
        client.force_login(actor)
    return client


def invitation(role: str, number: int) -> dict[str, str]:
    return {"email": f"guest{number}@example.org", "name": "Guest", "role": role, "language": "ar"}


def test_the_screens_do_what_the_table_says(world: World) -> None:
    """Each attempt through HTTP: it works exactly where the table says y, leaves no row where it says no."""
    tried, wrong = 0, []
    for role, actor in world.actors.items():
        client = browser(actor)
        for scope in ("own", "another"):
            organization = world.organizations[scope]
            assert organization is not None
            page = f"/en/members/{organization.pk}/"
            works = client.get(page).status_code == 200
            tried += 1
            if works != EXPECTED["see_members", role, scope]:
                wrong.append(("see_members", role, scope))
            for partner in ("worker", "manager"):
                before = organization.membership_offers.count(), OutboxMail.objects.count()
                answer = client.post(page, invitation(partner, tried))
                after = organization.membership_offers.count(), OutboxMail.objects.count()
                tried += 1
                expected = EXPECTED[f"invite_{partner}", role, scope]
                if (after != before) != expected or (
                    answer.status_code == 302 and "login" not in answer["Location"]
                ) != expected:
                    wrong.append((f"invite_{partner}", role, scope))
        tried += 1
        if (client.get("/en/people/").status_code == 200) != EXPECTED["manage_users", role, "public"]:
            wrong.append(("manage_users", role, "public"))
        for office in ("agent", "director", "coordinator", "administrator"):
            before = OutboxMail.objects.count()
            client.post("/en/people/invite/", invitation(office, tried))
            tried += 1
            if (OutboxMail.objects.count() == before + 1) != EXPECTED[f"invite_{office}", role, "public"]:
                wrong.append((f"invite_{office}", role, "public"))
    assert not wrong
    assert tried == 9 * (2 * 3 + 1 + 4)


def test_a_refused_attempt_is_remembered(world: World) -> None:
    another = world.organizations["another"]
    assert another is not None
    assert browser(world.actors["manager"]).get(f"/en/members/{another.pk}/").status_code == 403
    event = Event.objects.filter(code="accounts.denied").latest("id")
    assert event.actor_id == world.actors["manager"].pk
    assert event.after["action"] == "orgs.members.read"
    assert event.after["object_id"] == str(another.pk)


def test_a_manager_ends_workers_but_no_other_manager(world: World) -> None:
    own = world.organizations["own"]
    assert own is not None
    second = open_account("second")
    manager = add_member(second, own, "manager", "test")
    worker = Membership.objects.get(user=world.actors["worker"], until=None)
    client = browser(world.actors["manager"])
    assert client.post(f"/en/members/{own.pk}/members/{manager.pk}/", {"do": "end"}).status_code == 403
    assert (
        client.post(f"/en/members/{own.pk}/members/{worker.pk}/", {"do": "role", "role": "manager"}).status_code == 403
    )
    assert client.post(f"/en/members/{own.pk}/members/{worker.pk}/", {"do": "end"}).status_code == 302
    manager.refresh_from_db()
    worker.refresh_from_db()
    assert manager.until is None
    assert worker.until is not None
    office = browser(world.actors["coordinator"])
    assert (
        office.post(f"/en/members/{own.pk}/members/{manager.pk}/", {"do": "role", "role": "worker"}).status_code == 302
    )
    manager.refresh_from_db()
    assert manager.role == "worker"


WORDS = {(True, True): "everywhere", (True, False): "own organization", (False, False): "–"}


def test_the_page_about_roles_is_true() -> None:
    shown = [role for role in ROLES if role not in ("visitor", "suspended", "former")]
    lines = ["| | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for action, *_rest in LINES:
        cells = [WORDS[EXPECTED[action, role, "own"], EXPECTED[action, role, "another"]] for role in shown]
        lines.append(f"| {action.replace('_', ' ')} | " + " | ".join(cells) + " |")
    page = (Path(__file__).parents[2] / "docs/roles.md").read_text(encoding="utf-8")
    assert "\n".join(lines) in page, "docs/roles.md should hold:\n" + "\n".join(lines)
