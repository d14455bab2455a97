"""The virus scan of attachments, which nobody waits for."""

import datetime as dt
import uuid

from django.db import transaction

from parvis.cases.actions import profile
from parvis.cases.queries import waiting_attachments
from parvis.kit.acting import acting_as_system


def scan_attachment(attachment: str) -> None:
    """Scan one attachment; when the scanner does not answer it waits for the next pass."""
    _scan([uuid.UUID(attachment)])


def scan_waiting(now: dt.datetime) -> None:
    """Scan what still waits, for instance since the scanner was away."""
    _scan(None)


def _scan(keys: list[uuid.UUID] | None) -> None:
    with acting_as_system():
        with transaction.atomic():
            waiting = waiting_attachments(keys)
        for each in waiting:  # one transaction each: a long one would hold the others
            with transaction.atomic():
                profile.scan(each)
