"""Forms of sign-in (allauth's, with our words and counters) and of the pages about accounts."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as second
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from parvis.accounts import lockout
from parvis.accounts.models import Role, User

LABELS = {
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "password": _("Password"),
    "oldpassword": _("Present password"),
    "password1": _("New password"),
    "code": _("Code"),
    "name": _("Name"),
    "passwordless": _("Sign in with this passkey alone, without a password"),
}


class Plain(forms.BaseForm):
    """Our labels, no placeholders, and a new password typed once (a lost one is reset by mail)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name in ("password", "oldpassword", "passwordless"):
                field.help_text = ""
            if name == "code":
                field.widget.attrs |= {"dir": "ltr", "autocapitalize": "off", "spellcheck": "false"}


class SignInForm(Plain, account.LoginForm):
    pass


class AskForCodeForm(Plain, account.RequestLoginCodeForm):
    pass


class CodeForm(Plain, account.ConfirmLoginCodeForm):
    def clean_code(self) -> str:
        """Guesses count against the address that the code went to, whether it has an account or not."""
        request = context.request
        stage = getattr(request, "_login_stage", None)
        email = stage.state.get("email", "") if stage else ""
        with lockout.attempt(email, get_adapter().get_client_ip(request)):
            code: str = super().clean_code()
        return code


class ResetForm(Plain, account.ResetPasswordForm):
    pass


class NewPasswordForm(Plain, account.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(Plain, account.ChangePasswordForm):
    def clean_oldpassword(self) -> str:
        with lockout.attempt(self.user.email, get_adapter().get_client_ip(context.request)):
            password: str = super().clean_oldpassword()
        return password


class FirstPasswordForm(Plain, account.SetPasswordForm):
    pass


class ProveForm(Plain, account.ReauthenticateForm):
    pass


class Counted(forms.BaseForm):
    """A code of the second factor: its guesses count like those of a password."""

    user: User

    def clean_code(self) -> str:
        with lockout.attempt(self.user.email, get_adapter().get_client_ip(context.request)):
            code: str = super().clean_code()  # type: ignore[misc]
        return code


class SecondFactorForm(Counted, Plain, second.AuthenticateForm):
    pass


class ProveSecondFactorForm(Counted, Plain, second.ReauthenticateForm):
    pass


class AddAppForm(Plain, totp.ActivateTOTPForm):
    pass


class AddPasskeyForm(Plain, webauthn.AddWebAuthnForm):
    pass


def languages_of(city: Any) -> list[tuple[str, str]]:
    """The languages that both this city and the interface speak; all of the interface's when there is none."""
    return [pair for pair in settings.LANGUAGES if pair[0] in city.languages] or list(settings.LANGUAGES)


class WithLanguage(forms.Form):
    def __init__(self, *args: Any, city: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = languages_of(city)  # type: ignore[attr-defined]


class SelfForm(WithLanguage):
    """A person's own name and language."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput({"autocomplete": "name", "dir": "auto"})
    )
    language = forms.ChoiceField(label=_("Language"), help_text=_("Messages to you are written in this language."))


class InviteForm(WithLanguage):
    """Whom to invite, as what, and in which language to write to them."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput({"dir": "ltr"}))
    name = forms.CharField(label=_("Name"), max_length=120, required=False, widget=forms.TextInput({"dir": "auto"}))
    role = forms.ChoiceField(label=_("Role"))
    language = forms.ChoiceField(label=_("Language of the invitation"))

    def __init__(self, *args: Any, roles: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]


class WelcomeForm(SelfForm):
    """What an invited person gives: a name, a language, a password."""

    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )  # fmt: skip

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if "password" in data:
            try:
                validate_password(data["password"], User(email=self.email, name=data.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data


class PeopleFilter(forms.Form):
    """Which accounts to list."""

    q = forms.CharField(label=_("Name or address"), required=False)
    role = forms.ChoiceField(
        label=_("Role"), required=False,
        choices=[("", _("All")), *[(r.value, r.label) for r in Role if r.value], ("partner", _("Partner"))],
    )  # fmt: skip
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=[("", _("All")), ("active", _("Active")), ("suspended", _("Suspended"))],
    )  # fmt: skip


class RoleForm(forms.Form):
    """The office role of a person."""

    role = forms.ChoiceField(
        label=_("Role in the office"), required=False,
        choices=[("", _("None")), *[(r.value, r.label) for r in Role if r.value]],
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why an account is closed; kept in the ledger."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)
