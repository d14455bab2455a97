"""Mail to organizations about referrals. It names nobody: what it is about opens behind the link or the sign-in."""

from django.core.mail import EmailMessage
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from parvis.directory.models import Service
from parvis.messaging import notices
from parvis.orgs.models import Organization


def ask(
    organization: Organization, service: Service, to: str, key: str, *, urgent: bool = False, again: bool = False
) -> None:
    """Somebody is referred to a service: the link by which they answer. The mail leaves with this transaction."""
    city = connection.tenant
    with translation.override(city.default_language):
        subject = _("Urgent: somebody needs %(service)s") if urgent else _("Somebody needs %(service)s")
        if again:
            subject = _("A new link: somebody needs %(service)s")
        text = _(
            "Hello,\n\n"
            "%(city)s refers somebody to “%(service)s” of %(name)s.\n"
            "Please open this page and say whether you can help:\n\n%(link)s\n\n"
            "You need no account. The link is for your organization alone and opens this one referral for eight days.\n"
            "This mail names nobody; whoever has the link can read the referral, so pass it on to nobody else.\n"
        ) % {
            "city": city.name, "service": service.name, "name": organization.name,
            "link": notices.address("referrals:link", key, tag=city.default_language),
        }  # fmt: skip
        post(to, subject % {"service": service.name}, text)


def post(to: str, subject: str, text: str) -> None:
    """Write one mail of the office into the outbox. It is about work that was asked for: nobody subscribed to it."""
    headers = {"Auto-Submitted": "auto-generated"}
    EmailMessage(" ".join(subject.split()), text, None, [to], headers=headers).send()
