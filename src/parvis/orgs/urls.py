from django.urls import path

from parvis.orgs import views

app_name = "orgs"
urlpatterns = [
    path("", views.teams, name="teams"),
    path("<uuid:pk>/", views.members, name="members"),
    path("<uuid:pk>/history/", views.history, name="history"),
    path("<uuid:pk>/tokens/", views.tokens, name="tokens"),
    path("<uuid:pk>/tokens/<uuid:token>/", views.token, name="token"),
    path("<uuid:pk>/members/<uuid:member>/", views.member, name="member"),
    path("<uuid:pk>/invitations/<uuid:offer>/", views.offer, name="offer"),
]
