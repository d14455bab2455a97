"""Addresses of the people's files. No name, no number of a person stands in one."""

from django.urls import include, path

from parvis.cases.views import attachments, caseload, files, household, notes, person
from parvis.cases.views.privacy import privacy_urls

app_name = "cases"

urlpatterns = [
    path("", files.find, name="find"),
    path("new/", files.new, name="new"),
    path("caseload/", caseload.caseload, name="caseload"),
    path("caseload/hand-over/", caseload.hand_over, name="hand-over"),
    path("<uuid:pk>/", household.household, name="household"),
    path("<uuid:pk>/change/<slug:what>/", household.change, name="change"),
    path("<uuid:pk>/history/", household.story, name="history"),
    path("<uuid:pk>/history/<int:event>/undo/", household.undo, name="undo"),
    path("<uuid:pk>/seen/", household.lookers_of, name="seen"),
    path("<uuid:pk>/workers/", caseload.assign, name="assign"),
    path("<uuid:pk>/access/", caseload.access, name="access"),
    path("<uuid:pk>/close/", caseload.close, name="close"),
    path("people/<uuid:pk>/", person.person, name="person"),
    path("people/<uuid:pk>/edit/", person.edit, name="person-edit"),
    path("people/<uuid:pk>/history/", person.story, name="person-history"),
    path("people/<uuid:pk>/seen/", person.lookers_of, name="person-seen"),
    path("people/<uuid:pk>/notes/new/", notes.new, name="note-new"),
    path("people/<uuid:pk>/notes/<uuid:row>/", notes.correct, name="note"),
    path("people/<uuid:pk>/files/new/", attachments.new, name="attachment-new"),
    path("people/<uuid:pk>/files/<uuid:row>/", attachments.download, name="attachment"),
    path("people/<uuid:pk>/part/<slug:slug>/new/", person.add, name="row-new"),
    path("people/<uuid:pk>/part/<slug:slug>/<uuid:row>/", person.row, name="row"),
    path("", include("parvis.cases.urls_sharing")),
    *privacy_urls,
]
