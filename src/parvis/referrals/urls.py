"""Addresses of referrals."""

from django.urls import path

from parvis.referrals.views import candidates, following, link, sending

app_name = "referrals"
urlpatterns = [
    path("", following.inbox, name="inbox"),
    path("<uuid:pk>/", following.referral, name="referral"),
    path("<uuid:pk>/own/", following.own, name="own"),
    path("<uuid:pk>/say/", following.say, name="say"),
    path("<uuid:pk>/link/", following.send_link, name="link-send"),
    path("link/<str:key>/", link.link, name="link"),
    path("link/<str:key>/new/", link.renew, name="link-new"),
    path("services/<uuid:service>/places/", following.places, name="places"),
    path("of/<uuid:pk>/services/", candidates.candidates, name="candidates"),
    path("of/<uuid:pk>/unmet/", candidates.unmet, name="unmet"),
    path("unmet/<uuid:pk>/over/", candidates.over, name="unmet-over"),
    path("of/<uuid:pk>/to/<uuid:service>/", sending.new, name="new"),
]
