from django.urls import path

from parvis.directory.views import desk, editing, public, translating

app_name = "directory"
urlpatterns = [
    path("", public.search, name="search"),
    path("points.json", public.points, name="points"),
    path("boroughs.json", public.boroughs, name="boroughs"),
    path("services/<uuid:object_id>/", public.service, name="service"),
    path("services/<uuid:object_id>/wrong/", public.wrong, {"kind": "service"}, name="service-wrong"),
    path("organizations/<uuid:object_id>/", public.organization, name="organization"),
    path("organizations/<uuid:object_id>/wrong/", public.wrong, {"kind": "organization"}, name="organization-wrong"),
    path("corrections/<str:token>/", public.correction, name="correction"),
    path("about/", public.text_page, {"name": "about"}, name="about"),
    path("accessibility/", public.text_page, {"name": "accessibility"}, name="accessibility"),
    path("privacy/", public.text_page, {"name": "privacy"}, name="privacy"),
    # -- the desk: keeping the directory ------------------------------------------------------------------------------
    path("desk/", desk.home, name="desk"),
    path("desk/services/", desk.services, name="desk-services"),
    path("desk/corrections/", desk.corrections_list, name="desk-corrections"),
    path("desk/corrections/<uuid:correction_id>/", desk.correction, name="desk-correction"),
    path("desk/taxonomies/", desk.taxonomies, name="desk-taxonomies"),
    path("desk/imports/", desk.imports, name="desk-imports"),
    path("desk/imports/<uuid:run_id>/", desk.import_run, name="desk-import"),
    path("desk/words/", translating.words_home, name="desk-words-home"),
    path("desk/words/<str:language>/", translating.words_list, name="desk-words-list"),
    path("desk/history/<str:kind>/<uuid:object_id>/", desk.history, name="desk-history"),
    path("desk/history/<str:kind>/<uuid:object_id>/<int:event_id>/undo/", desk.undo, name="desk-undo"),
    path("desk/new/organization/", editing.new_organization, name="desk-new-organization"),
    path("desk/new/taxonomy/", editing.new_taxonomy, name="desk-new-taxonomy"),
    path("desk/new/<str:kind>/<uuid:owner_id>/", editing.new, name="desk-new"),
    path("desk/<str:kind>/<uuid:object_id>/", desk.one, name="desk-object"),
    path("desk/<str:kind>/<uuid:object_id>/edit/", editing.edit, name="desk-edit"),
    path("desk/<str:kind>/<uuid:object_id>/hours/", editing.hours, name="desk-hours"),
    path("desk/<str:kind>/<uuid:object_id>/confirm/", desk.confirm, name="desk-confirm"),
    path("desk/<str:kind>/<uuid:object_id>/unlist/", desk.unlist, name="desk-unlist"),
    path("desk/<str:kind>/<uuid:object_id>/publish/", desk.publish, name="desk-publish"),
    path("desk/<str:kind>/<uuid:object_id>/words/<str:language>/", translating.words, name="desk-words"),
]
