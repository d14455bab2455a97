"""Addresses of the HSDS API, without a language prefix."""

from django.urls import path, re_path

from parvis.api import views

urlpatterns = [
    path("docs", views.guide, name="hsds-guide"),
    re_path(r"^(?P<rest>.*)$", views.hsds, name="hsds"),
]
