"""How django-allauth speaks and writes in Parvis: our sentences, our counters, our outbox, our ledger."""

import base64
import io
import secrets
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from parvis.accounts import actions, lockout, notices, queries
from parvis.accounts.models import User
from parvis.kit import navigation

#: allauth's name of a message -> what we say on the next page. Others say nothing: the page itself does.
SAID = {
    "account/messages/password_changed.txt": _("Your password is changed. Your other sessions have ended."),
    "account/messages/password_set.txt": _("Your password is changed. Your other sessions have ended."),
    "account/messages/logged_out.txt": _("You are signed out."),
    "mfa/messages/totp_activated.txt": _("The authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": _("The authenticator app is removed."),
    "mfa/messages/webauthn_added.txt": _("The passkey is set up."),
    "mfa/messages/webauthn_removed.txt": _("The passkey is removed."),
    "mfa/messages/recovery_codes_generated.txt": _("You have new recovery codes. The older ones no longer work."),
}
#: allauth's name of a mail -> what happened, told to the owner of the account
TOLD = {
    "account/email/password_changed": _("The password of your account was changed."),
    "account/email/password_set": _("The password of your account was changed."),
    "account/email/password_reset": _("The password of your account was changed."),
    "mfa/email/totp_activated": _("An authenticator app was added to your account."),
    "mfa/email/totp_deactivated": _("The authenticator app was removed from your account."),
    "mfa/email/webauthn_added": _("A passkey was added to your account."),
    "mfa/email/webauthn_removed": _("A passkey was removed from your account."),
    "mfa/email/recovery_codes_generated": _("New recovery codes were made for your account."),
}
INCORRECT_CODE = _("This code is not right. Check it and try again.")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is suspended."),
        "email_password_mismatch": _("This address and this password do not go together."),
        "enter_current_password": _("This is not your present password."),
        "incorrect_code": INCORRECT_CODE,
        "incorrect_password": _("This is not your present password."),
        "invalid_password_reset": _("This link can't be used any more. Ask for a new one."),
        "too_many_login_attempts": _("Too many attempts. Wait a few minutes and start again."),
        "rate_limited": _("Too many attempts. Wait a few minutes and start again."),
    }

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return navigation.landing(request) or str(super().get_login_redirect_url(request))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """A password is judged only when neither the account nor the address must wait."""
        with lockout.attempt(credentials.get("email", ""), self.get_client_ip(request)):
            user = super().authenticate(request, **credentials)
            if user is None:
                raise self.validation_error("email_password_mismatch")
        return user

    def reauthenticate(self, user: Any, password: str) -> bool:
        try:
            return super().reauthenticate(user, password)
        except lockout.TooMany:
            raise
        except ValidationError:
            return False

    def post_login(self, request: HttpRequest, user: Any, **more: Any) -> HttpResponse:
        records = request.session.get("account_authentication_methods") or [{}]
        methods = [str(record.get("type") or record.get("method") or "") for record in records]
        actions.note_sign_in(user, method=" + ".join(method for method in methods if method))
        response: HttpResponse = super().post_login(request, user, **more)
        return response

    def set_password(self, user: Any, password: str) -> None:
        own = self.request.user.is_authenticated and self.request.user.pk == user.pk
        actions.set_password(user, password, present_session=self.request.session.hash if own else "")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None,
        message_context: dict[str, Any] | None = None, extra_tags: str = "", message: Any = None,
    ) -> None:  # fmt: skip
        text = message or SAID.get(message_template or "")
        if text:
            messages.add_message(request, level, str(text), extra_tags=extra_tags)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A code or a link, in the language of the account, else of the page."""
        holder = context.get("user") or queries.holder(email)
        language = holder.language if isinstance(holder, User) and holder.language else get_language() or ""
        name = template_prefix.rpartition("/")[2]
        context = {**context, "city": self.request.city.name}
        notices.mail(f"accounts/mail/{name}.txt", email, language, context).send()

    def send_notification_mail(self, template_prefix: str, user: Any, context: Any = None, email: Any = None) -> None:
        what = TOLD.get(template_prefix)
        if what is not None:
            context = {"what": what, "city": self.request.city.name}
            notices.mail("accounts/mail/changed.txt", user.email, user.language, context).send()

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        said = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use your authenticator app or a recovery code"),
            "mfa_reauthenticate:webauthn": _("Use your passkey"),
        }
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        for method in methods:
            method["description"] = str(said.get(method["id"], method["description"]))
        return methods


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": INCORRECT_CODE,
        "cannot_generate_recovery_codes": _("Set up an authenticator app or a passkey first."),
        "unverified_email": _("Your address must be verified first."),
    }

    def get_totp_issuer(self) -> str:
        return f"Parvis {connection.tenant.name}"

    def _get_site_name(self) -> str:
        return f"Parvis {connection.tenant.name}"

    def build_totp_svg(self, url: str) -> str:
        """The square to scan, dark on white in every scheme."""
        drawn = io.BytesIO()
        segno.make(url, micro=False).save(drawn, kind="svg", xmldecl=False, scale=5, light="#fff", dark="#000")
        return drawn.getvalue().decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return str(_("Passkey %(number)d") % {"number": number})

    def encrypt(self, text: str) -> str:
        """AES-256-GCM under a key of this installation, bound to the city: "v1." and base64 of nonce and ciphertext."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(_key()).encrypt(nonce, text.encode(), _place())
        return "v1." + base64.b64encode(nonce + sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. Raises when it was not sealed here: never the raw value."""
        version, _dot, body = encrypted_text.partition(".")
        if version != "v1":
            raise ValueError("a second factor that this installation did not seal")
        raw = base64.b64decode(body)
        return AESGCM(_key()).decrypt(raw[:12], raw[12:], _place()).decode()


def _key() -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parvis second factor")
    return kdf.derive(settings.SECRET_KEY.encode())


def _place() -> bytes:
    return f"mfa_authenticator|{connection.schema_name}|v1".encode()
