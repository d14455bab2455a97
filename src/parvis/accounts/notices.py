"""The wording of messages about accounts: mails and refusals."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parvis.accounts.models import Invitation


def address_taken() -> Promise:
    return _("This address has an account already.")


def not_oneself() -> Promise:
    return _("You can't do this to your own account. Ask another administrator.")


def last_administrator() -> Promise:
    return _("This is the last administrator: give the role to somebody else first.")


def account_forgotten() -> Promise:
    return _("This account was closed so long ago that it is forgotten. Invite the person anew.")


def invitation_over() -> Promise:
    return _("This invitation can't be used any more. Ask for a new one.")


def mail(template: str, to: str, language: str, context: dict[str, object]) -> EmailMessage:
    """A plain message in one language. The first line of `template` is its subject: neutral, without names."""
    with translation.override(language or settings.LANGUAGE_CODE):
        text = render_to_string(template, context)
    subject, _, body = text.strip().partition("\n")
    return EmailMessage(subject.strip(), body.strip() + "\n", to=[to])


def invitation(invited: Invitation, *, url: str, city: str, organization: str = "") -> EmailMessage:
    """The mail with the link, in the invited person's language."""
    context = {
        "url": url, "city": city, "organization": organization, "name": invited.name,
        "by": invited.invited_by, "until": invited.expires_at,
    }  # fmt: skip
    return mail("accounts/mail/invitation.txt", invited.email, invited.language, context)
