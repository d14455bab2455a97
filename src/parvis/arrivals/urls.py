"""Addresses of arrivals. No name, no number of a person stands in one."""

from django.urls import path

from parvis.arrivals.views import board, desk, lists

app_name = "arrivals"
urlpatterns = [
    path("", board.board, name="board"),
    path("intake/", desk.intake, name="intake"),
    path("intake/<uuid:pk>/complete/", desk.complete, name="intake-complete"),
    path("surge/", desk.surge, name="surge"),
    path("expect/<uuid:pk>/", board.expect, name="expect"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<uuid:pk>/", lists.preview, name="list"),
    path("lists/<uuid:pk>/columns/", lists.columns, name="columns"),
    path("lists/<uuid:pk>/decide/", lists.decide, name="decide"),
    path("lists/<uuid:pk>/group/", lists.group, name="group"),
    path("lists/<uuid:pk>/import/", lists.begin, name="import"),
    path("lists/<uuid:pk>/discard/", lists.discard, name="discard"),
    path("lists/<uuid:pk>/progress/", lists.progress, name="progress"),
    path("lists/<uuid:pk>/report/", lists.report, name="report"),
    path("lists/<uuid:pk>/report.csv", lists.report_csv, name="report-csv"),
    path("<uuid:pk>/<slug:what>/", board.change, name="change"),
]
