"""How events of the ledger are told to people. Every page that shows a history is made of this, whatever its app:
the app says what its deeds and facts are called, `accounts/events.html` shows them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from parvis.accounts.models import Role
from parvis.ledger.models import Event

Word = str | Promise
#: an event -> its changes: {label, before: lines, after: lines}
Changes = Callable[[Event], list[dict[str, Any]]]


def actor(event: Event) -> str:
    """Who did it: a person, the machine that acted, or somebody without an account."""
    if event.actor is not None:
        return str(event.actor)
    return event.actor_label or _("somebody")


def told(
    events: Iterable[Event],
    *,
    title: Callable[[str], str],
    changes: Changes,
    about: Callable[[Event], str] = lambda event: "",
    undo: Callable[[Event], str] = lambda event: "",
) -> list[dict[str, Any]]:
    """Events as a page tells them. title: what a code says; about: whom, when the page is about several;
    undo: the address where it can be taken back, or ""."""
    return [
        {
            "at": event.at,
            "by": actor(event),
            "title": title(event.code),
            "about": about(event),
            "reason": event.reason,
            "changes": changes(event),
            "undo": undo(event),
        }
        for event in events
    ]


@dataclass(frozen=True)
class Words:
    """What an app's deeds, facts and values are called. A fact without a label is told to nobody."""

    deeds: Mapping[str, Word]
    labels: Mapping[str, Word]
    values: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)

    def title(self, code: str) -> str:
        return str(self.deeds.get(code, code.rpartition(".")[2].replace("_", " ")))

    def changes(self, event: Event) -> list[dict[str, Any]]:
        before, after = event.before or {}, event.after or {}
        rows = [
            {"label": str(label), "before": self._lines(name, before), "after": self._lines(name, after)}
            for name, label in self.labels.items()
            if name in before or name in after
        ]
        return [row for row in rows if row["before"] != row["after"]]

    def _lines(self, name: str, facts: Mapping[str, Any]) -> list[str]:
        value = facts.get(name)
        if value in (None, "", 0, [], {}):
            return []
        say = self.values.get(name, str)
        return [said for one in (value if isinstance(value, list) else [value]) if (said := say(one))]


_FACTORS: dict[str, Word] = {
    "totp": __("Authenticator app"),
    "webauthn": __("Passkey"),
    "recovery_codes": __("Recovery codes"),
}
_METHODS: dict[str, Word] = {
    "password": __("Password"),
    "code": __("Code by e-mail"),
    "password_reset": __("Link to choose a new password"),
    "invitation": __("Invitation"),
    "mfa": __("Second factor"),
    **_FACTORS,
}
DEEDS: dict[str, Word] = {
    "accounts.user.added": __("Account opened"),
    "accounts.user.edited": __("Account edited"),
    "accounts.user.role_changed": __("Role changed"),
    "accounts.user.suspended": __("Account suspended"),
    "accounts.user.restored": __("Account opened again"),
    "accounts.user.unlocked": __("Unlocked"),
    "accounts.user.password_changed": __("Password changed"),
    "accounts.user.signed_in": __("Signed in"),
    "accounts.user.forgotten": __("Account forgotten"),
    "accounts.session.ended": __("Sessions ended"),
    "accounts.second_factor.added": __("Second factor added"),
    "accounts.second_factor.removed": __("Second factor removed"),
    "accounts.second_factor.reset": __("Second factor removed by an administrator"),
    "accounts.locked_out": __("Locked after failed attempts"),
    "accounts.denied": __("Tried something that the role does not allow"),
    "accounts.invitation.sent": __("Invitation sent"),
    "accounts.invitation.sent_again": __("Invitation sent again"),
    "accounts.invitation.revoked": __("Invitation ended"),
    "accounts.invitation.accepted": __("Invitation accepted"),
}


def _method(said: str) -> str:
    return " + ".join(str(_METHODS.get(part, part)) for part in said.split(" + "))


ACCOUNTS = Words(
    deeds=DEEDS,
    labels={
        "office_role": __("Role"),
        "fields": __("What"),
        "method": __("How"),
        "type": __("Second factor"),
        "types": __("Second factor"),
        "sessions_ended": __("Sessions ended"),
        "action": __("What was tried"),
    },
    values={
        "office_role": lambda role: str(dict(Role.choices).get(role, role)),
        "fields": lambda name: {"name": _("Name"), "language": _("Language")}.get(name, name),
        "method": _method,
        "type": lambda kind: str(_FACTORS.get(kind, kind)),
        "types": lambda kind: str(_FACTORS.get(kind, kind)),
    },
)
