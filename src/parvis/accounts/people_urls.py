"""Addresses of the accounts of a city, for its administrators."""

from django.urls import path

from parvis.accounts import views

urlpatterns = [
    path("", views.people, name="account_people"),
    path("invite/", views.invite, name="account_invite"),
    path("invitations/<uuid:pk>/", views.invitation_act, name="account_invitation_act"),
    path("<uuid:pk>/", views.person, name="account_person"),
]
