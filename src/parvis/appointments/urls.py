"""Addresses of appointments. The feeds' are secret: what stands behind them needs no sign-in."""

from django.urls import path, re_path

from parvis.appointments.views import booking, calendar, feeds, interpreters

app_name = "appointments"

urlpatterns = [
    path("", calendar.calendar, name="calendar"),
    path("interpreters/", interpreters.interpreters, name="interpreters"),
    path("interpreters/<uuid:pk>/", interpreters.answer, name="interpreter"),
    path("hours/", interpreters.hours, name="hours"),
    path("feeds/", feeds.mine, name="feeds"),
    re_path(r"^feed/(?P<whose>[wh])/(?P<key>[\w-]{20,80})\.ics$", feeds.feed, name="feed"),
    path("of/<uuid:pk>/", feeds.household, name="household"),
    path("of/<uuid:pk>/new/", booking.new, name="new"),
    path("<uuid:pk>/", booking.appointment, name="appointment"),
    path("<uuid:pk>/step/", booking.step, name="step"),
    path("<uuid:pk>/move/", booking.move, name="move"),
    path("<uuid:pk>/cancel/", booking.cancel, name="cancel"),
]
