"""Who keeps the network: coordinators and administrators, as they keep the directory."""

from typing import Any

from parvis.orgs import rules as orgs


def keeps_network(actor: Any) -> bool:
    """Ask organizations, decide what sources say otherwise, join what is listed twice."""
    return orgs.may_publish(actor, None)
