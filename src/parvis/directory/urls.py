from django.urls import path

from parvis.directory.views import public

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
]
