"""Addresses of the network's upkeep."""

from django.urls import path

from parvis.network.views import desk, gaps, outside

app_name = "network"
urlpatterns = [
    path("", desk.home, name="home"),
    path("weak/", desk.weak, name="weak"),
    path("rounds/", desk.rounds, name="rounds"),
    path("rounds/begin/", desk.begin, name="begin"),
    path("rounds/<uuid:pk>/", desk.move, name="round"),
    path("conflicts/", desk.conflicts, name="conflicts"),
    path("conflicts/<uuid:pk>/", desk.decide, name="decide"),
    path("never/", desk.never, name="never"),
    path("alike/", desk.alike, name="alike"),
    path("alike/<uuid:pk>/", desk.pair, name="pair"),
    path("merged/<str:kind>/<uuid:object_id>/undo/", desk.unmerge, name="unmerge"),
    path("gaps/", gaps.gap_map, name="gaps"),
    path("gaps/alone/", gaps.singles, name="singles"),
    path("rhythm/", desk.rhythm, name="rhythm"),
    path("review/<str:key>/", outside.review, name="review"),
    path("review/<str:key>/true/", outside.still_true, name="review-true"),
    path("review/<str:key>/new/", outside.renew, name="review-new"),
    path("review/<str:key>/<str:kind>/<uuid:object_id>/", outside.correct, name="review-correct"),
    path("review/<str:key>/<str:kind>/<uuid:object_id>/wrong/", outside.wrong, name="review-wrong"),
]
