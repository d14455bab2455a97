from django.urls import path

from parvis.welcome.views import away, picture, today

app_name = "welcome"
urlpatterns = [
    path("", today.today, name="today"),
    path("do/", today.act, name="do"),
    path("away/", away.away, name="away"),
    path("worker.js", away.worker, name="worker"),
    path("key/", away.key, name="key"),
    path("list/", today.kept, name="list"),
    path("send/", away.send, name="send"),
    path("picture/", picture.picture, name="picture"),
    path("offline/", away.switch, name="offline"),
]
