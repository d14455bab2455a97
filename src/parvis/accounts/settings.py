"""Settings of sign-in (django-allauth and passwords), read by parvis.site.settings."""

import os

_PRODUCTION = os.environ.get("PARVIS_MODE", "demo") == "production"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "directory:desk"  # where the day begins; the account is one click further
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
# The cookie lives as long as the browser; the server decides when a session is over (accounts.sessions).
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

ACCOUNT_ADAPTER = "parvis.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation by mail has verified the address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody gets mail from us because a stranger typed their address
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Failures to sign in are counted by accounts.lockout, in the database and before they are judged; allauth's own
# counters guard what sends mail.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password_from_key": "60/m/ip"}
ACCOUNT_FORMS = {
    "login": "parvis.accounts.forms.SignInForm",
    "request_login_code": "parvis.accounts.forms.AskForCodeForm",
    "confirm_login_code": "parvis.accounts.forms.CodeForm",
    "reset_password": "parvis.accounts.forms.ResetForm",
    "reset_password_from_key": "parvis.accounts.forms.NewPasswordForm",
    "change_password": "parvis.accounts.forms.ChangePasswordForm",
    "set_password": "parvis.accounts.forms.FirstPasswordForm",
    "reauthenticate": "parvis.accounts.forms.ProveForm",
}
MFA_ADAPTER = "parvis.accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "parvis.accounts.forms.SecondFactorForm",
    "reauthenticate": "parvis.accounts.forms.ProveSecondFactorForm",
    "activate_totp": "parvis.accounts.forms.AddAppForm",
    "add_webauthn": "parvis.accounts.forms.AddPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _PRODUCTION
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
#: How many reverse proxies stand before the server (their X-Forwarded-For is believed).
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXIES", "0"))
