"""Addresses of sign-in and accounts. Those of django-allauth are named one by one: what is not here does not exist."""

from allauth.account import views as account
from allauth.mfa.base import views as second
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, re_path
from django.views.generic import RedirectView

from parvis.accounts import views
from parvis.accounts.views import notes_second_factors as noted
from parvis.accounts.views import refuses_with_422 as page

#: the accounts of a city, for its administrators
people = [
    path("", views.people, name="account_people"),
    path("invite/", views.invite, name="account_invite"),
    path("invitations/<uuid:pk>/", views.invitation_act, name="account_invitation_act"),
    path("invitations/<uuid:pk>/history/", views.invitation_history, name="account_invitation_history"),
    path("<uuid:pk>/", views.person, name="account_person"),
    path("<uuid:pk>/history/", views.person_history, name="account_person_history"),
]
urlpatterns = [
    path("", views.home, name="account_home"),
    path("sessions/", views.end_session, name="account_end_session"),
    path("invitation/<str:key>/", views.invitation, name="account_invitation"),
    # signing in and out
    path("login/", page(account.login), name="account_login"),
    path("login/code/", page(account.request_login_code), name="account_request_login_code"),
    path("login/code/confirm/", page(account.confirm_login_code), name="account_confirm_login_code"),
    path("login/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("login/second/", page(second.authenticate), name="mfa_authenticate"),
    path("logout/", account.logout, name="account_logout"),
    path("suspended/", account.account_inactive, name="account_inactive"),
    # proving again who one is
    path("prove/", page(account.reauthenticate), name="account_reauthenticate"),
    path("prove/second/", page(second.reauthenticate), name="mfa_reauthenticate"),
    path("prove/passkey/", page(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    # passwords
    path("password/", page(account.password_change), name="account_change_password"),
    path("password/first/", page(account.password_set), name="account_set_password"),
    path("password/reset/", page(account.password_reset), name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        page(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    # second factor
    path("second-factor/", second.index, name="mfa_index"),
    path("second-factor/app/", noted(page(totp.activate_totp)), name="mfa_activate_totp"),
    path("second-factor/app/remove/", noted(page(totp.deactivate_totp)), name="mfa_deactivate_totp"),
    path("second-factor/passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("second-factor/passkeys/add/", noted(page(webauthn.add_webauthn)), name="mfa_add_webauthn"),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        noted(page(webauthn.remove_webauthn)),
        name="mfa_remove_webauthn",
    ),
    path("second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "second-factor/codes/new/",
        noted(page(codes.generate_recovery_codes)),
        name="mfa_generate_recovery_codes",
    ),
    path("second-factor/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]
