"""Addresses of consent and of one's own page; part of the people's files."""

from django.urls import path

from parvis.cases.views import me, sharing

urlpatterns = [
    path("<uuid:pk>/consent/", sharing.consent_new, name="consent-new"),
    path("people/<uuid:pk>/consents/", sharing.consent_list, name="consents"),
    path("people/<uuid:pk>/as/<uuid:organization>/", sharing.seen_as, name="seen-as"),
    path("people/<uuid:pk>/sign-in/", sharing.account, name="account"),
    path("consent/<uuid:pk>/paper/", sharing.consent_paper, name="consent-paper"),
    path("consent/<uuid:pk>/withdraw/", sharing.withdraw, name="consent-withdraw"),
    path("shared/", sharing.shared_list, name="shared"),
    path("shared/<uuid:pk>/", sharing.shared_person, name="shared-person"),
    path("agreements/", sharing.agreements, name="agreements"),
    path("agreements/<uuid:pk>/end/", sharing.agreement_end, name="agreement-end"),
    path("me/", me.me, name="me"),
    path("me/consent/<uuid:pk>/withdraw/", me.withdraw, name="me-withdraw"),
]
