"""Addresses of messages. None holds a number, an address or a word of one."""

from django.urls import path

from parvis.messaging.views import desk, outside, writing

app_name = "messaging"

urlpatterns = [
    path("", desk.messages_list, name="list"),
    path("quiet-hours/", desk.manners, name="manners"),
    path("peers/<slug:name>/", desk.peer, name="peer"),
    path("person/<uuid:pk>/", desk.person, name="person"),
    path("write/", writing.write_many, name="write-many"),
    path("write/<uuid:pk>/", writing.write, name="write"),
    path("stop/<str:token>/", outside.stop, name="stop"),
    path("sms/report/<uuid:pk>/", outside.report, name="report"),
    path("sms/reply/", outside.reply, name="reply"),
    path("<uuid:pk>/", desk.message, name="message"),
]
