"""The mail that asks an organization whether its listings are still true."""

from django.core.mail import send_mail
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from parvis.messaging import notices
from parvis.network.models import Review


def ask(review: Review, key: str, *, again: bool) -> None:
    """Write to the organization's own address, in the city's first language. The mail leaves with this transaction."""
    city = connection.tenant
    with translation.override(city.default_language):
        name = review.organization.name
        subject = _("Is it still true? %(name)s") if not again else _("Still waiting: is it still true? %(name)s")
        text = _(
            "Hello,\n\n"
            "%(city)s publishes what your organization offers. People rely on it.\n"
            "Please open this page, look whether everything is still true, and say so with one click; "
            "or correct it there:\n\n%(link)s\n\n"
            "The link is for your organization alone. You need no account.\n"
        ) % {"city": city.name, "link": notices.address("network:review", key, tag=city.default_language)}
        send_mail(subject.replace("\n", " ") % {"name": name.replace("\n", " ")}, text, None, [review.sent_to])
