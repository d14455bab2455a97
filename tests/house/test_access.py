"""Every address, asked by every role: it opens for those of its line in access.py, and for nobody else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation

from parvis.accounts import actions as accounts
from parvis.accounts.middleware import ClosedByDefault
from parvis.accounts.models import Role
from parvis.directory import documents
from parvis.directory.models import Location, Service
from parvis.kit.acting import acting
from parvis.orgs.actions import add_member, invite_member
from parvis.orgs.models import Membership, MembershipOffer, Organization
from tests.accounts.people import open_account
from tests.cases.story import opened
from tests.house.access import LINES, ROLES, Line, World


def addresses(patterns: Any = None, space: str = "") -> Iterator[tuple[str, Any]]:
    """Full name and view of every address."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name or pattern.pattern}", pattern.callback


@pytest.fixture
def world(city: Any) -> World:
    now = timezone.now()
    organization, another = (Organization.objects.create(name=name, changed_at=now) for name in ("Own", "Another"))
    with transaction.atomic():
        location = Location.objects.create(organization=organization, location_type="physical", changed_at=now)
        service = Service.objects.create(organization=organization, name="Cours", changed_at=now)
        documents.refresh(service_ids=[service.pk], organization_ids=[organization.pk])
    users = {role: open_account(role, role) for role in Role.values if role}
    for role, place, kind in (
        ("worker", organization, "worker"), ("manager", organization, "manager"), ("other_manager", another, "manager"),
    ):  # fmt: skip
        users[role] = open_account(role)
        add_member(users[role], place, kind, "test")
    invitation = accounts.invite("x@example.org", role="agent", by="test", url=str, city="")
    offered = invite_member("y@example.org", organization, "worker", by="test", url=str, city="")
    household = opened(users["agent"])
    with acting(users["agent"]):
        person = household.members.get().person
    return World(
        now=now, organization=organization, service=service, location=location, invitation=invitation,
        offer=MembershipOffer.objects.get(invitation=offered),
        member=Membership.objects.get(user=users["worker"]), household=household, person=person,
        users=users,
    )  # fmt: skip


def browsers(world: World) -> dict[str, Client]:
    found = {}
    for role in ROLES:
        found[role] = Client(raise_request_exception=False)
        if role != "visitor":
            found[role].force_login(world.users[role])
    return found


def ask(client: Client, name: str, line: Line, world: World) -> Any:
    """One request; whatever it wrote is undone."""
    url = reverse(name, kwargs=line.args(world))
    with transaction.atomic():
        response = (
            client.generic(line.method, url) if not line.data else getattr(client, line.method.lower())(url, line.data)
        )
        transaction.set_rollback(True)
    return response


def verdict(response: Any) -> str:
    """open, refused (403, or sent to sign in with a way back), absent (404) or broken (5xx)."""
    if response.status_code in (401, 403) or (
        response.status_code == 302 and re.search(r"/account/login/\?next=", response["Location"])
    ):
        return "refused"
    if response.status_code >= 500 and response.status_code != 503:
        return "broken"
    return "absent" if response.status_code == 404 else "open"


def test_every_address_has_a_line() -> None:
    names = [name for name, _view in addresses()]
    assert len(names) == len(set(names)), "two addresses of one name"
    assert not set(names) - set(LINES), "say in tests/house/access.py who may open these"
    assert not set(LINES) - set(names), "these lines have lost their address"


def test_only_what_everybody_may_open_is_marked_public() -> None:
    for name, view in addresses():
        public = not getattr(view, "login_required", True)
        assert public == ("visitor" in LINES[name].who), name


def test_every_address_opens_for_its_roles_alone(world: World) -> None:
    wrong, asked = [], 0
    clients = browsers(world)
    with translation.override("en"):
        for name, line in LINES.items():
            for role, client in clients.items():
                found = verdict(ask(client, name, line, world))
                asked += 1
                expected = (
                    "refused" if role not in line.who else "absent" if line.absent or role in line.hidden else "open"
                )
                if found != expected:
                    wrong.append(f"{name} as {role}: {found}, not {expected}")
    assert not wrong, "\n".join(wrong)
    assert asked == len(LINES) * len(ROLES)


INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_no_page_has_inline_script_or_style_and_each_has_its_policy(world: World) -> None:
    """In every language; the kit's and everybody's, as the administrator and as a visitor see them."""
    clients = browsers(world)
    pages = 0
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for name, line in LINES.items():
                for role in ("visitor", "administrator"):
                    if role not in line.who or line.method != "GET":
                        continue
                    response = ask(clients[role], name, line, world)
                    if not response.get("Content-Type", "").startswith("text/html") or not response.content:
                        continue
                    pages += 1
                    policy = response["Content-Security-Policy"]
                    assert "default-src 'none'" in policy and "unsafe-inline" not in policy, name
                    found = INLINE.search(response.content.decode())
                    assert not found, f"{name}: {found.group(0)}"
    assert pages > 100


def test_the_question_notices_a_door_left_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with the rule gone, the agent gets in, and the test above would say so."""
    agent = browsers(world)["agent"]
    with translation.override("en"):
        assert verdict(ask(agent, "account_people", LINES["account_people"], world)) == "refused"
        monkeypatch.setattr("parvis.accounts.views.may_manage_users", lambda actor: True)
        assert verdict(ask(agent, "account_people", LINES["account_people"], world)) == "open"


def test_a_view_that_nobody_marked_is_closed(city: Any) -> None:
    def new(request: Any) -> HttpResponse:
        return HttpResponse("secret")

    request = RequestFactory().get("/en/new/")
    request.user = AnonymousUser()
    gate = ClosedByDefault(new)
    answer = gate.process_view(request, new, (), {})
    assert answer is not None and answer.status_code == 302 and "/login/?next=/en/new/" in answer["Location"]
    assert gate.process_view(request, login_not_required(new), (), {}) is None
