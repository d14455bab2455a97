"""The wording of messages about people's rights. Neutral: no name, no status, no file in a subject or a text."""

from django.core.mail import EmailMessage
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import User
from parvis.accounts.notices import mail


def glass_broken(to: User) -> EmailMessage:
    """Somebody used emergency access: review it."""
    return mail("cases/mail/glass.txt", to.email, to.language, {"city": _city()})


def requests_due(to: User, *, due: int, late: int) -> EmailMessage:
    """Requests of persons come near their day, or are late: how many, and nothing else."""
    context = {"city": _city(), "due": due, "late": late}
    return mail("cases/mail/requests.txt", to.email, to.language, context)


def approval_asked(to: User) -> EmailMessage:
    """A disclosure to an authority waits for the second person."""
    return mail("cases/mail/approval.txt", to.email, to.language, {"city": _city()})


def incident_reported(to: User) -> EmailMessage:
    return mail("cases/mail/incident.txt", to.email, to.language, {"city": _city()})


def _city() -> str:
    return str(getattr(connection.tenant, "name", ""))


def no_such_file() -> Promise:
    return _("No file can be opened with this reference.")


def glass_open_already() -> Promise:
    return _("You have an emergency access already. End it before you open another.")


def not_yours_to_export() -> Promise:
    return _("You don’t see everything that belongs in this export. Ask the lead worker or the privacy officer.")


def answered_already() -> Promise:
    return _("This request has its answer already.")


def identity_first() -> Promise:
    return _("Check first that whoever asks is the person.")


def extended_already() -> Promise:
    return _("The delay was extended already, or is over.")


def changed_since() -> Promise:
    return _("Somebody changed this since you opened it. Look again.")


def another_person() -> Promise:
    return _("Another person than the one who asked decides this.")


def not_approved() -> Promise:
    return _("The second person has not agreed to this.")


def another_head_first() -> Promise:
    return _("Other people live in this household: choose another head of household first.")


def forgotten_already() -> Promise:
    return _("This person is forgotten already.")


def can_not_be_applied() -> Promise:
    return _("This value can’t be written into the file. Correct the file by hand, then note that it is done.")
