"""Addresses of referrals."""

from django.urls import path

from parvis.referrals.views import candidates

app_name = "referrals"
urlpatterns = [
    path("of/<uuid:pk>/services/", candidates.candidates, name="candidates"),
]
