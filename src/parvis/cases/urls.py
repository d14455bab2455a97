"""Addresses of the people's files. No name, no number of a person stands in one."""

from django.urls import include, path

from parvis.cases.views import files, household

app_name = "cases"

urlpatterns = [
    path("", files.find, name="find"),
    path("new/", files.new, name="new"),
    path("<uuid:pk>/", household.household, name="household"),
    path("", include("parvis.cases.urls_sharing")),
]
