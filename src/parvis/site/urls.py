"""Every address of the installation. A house test holds each against tests/house/access.py: who may open it."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from parvis.accounts.urls import people
from parvis.api.views import docs, shared
from parvis.site import views

urlpatterns = [
    path("", views.language_home, name="root"),
    path("healthz", views.health, name="health"),
    path("readyz", views.ready, name="ready"),
    path("robots.txt", views.robots, name="robots"),
    path("hsds/v3/", include("parvis.api.urls")),
    path("api/partners/v1/shared", shared, name="partners-shared"),
]
urlpatterns += i18n_patterns(
    path("hsds/v3/docs", docs, name="hsds-docs"),
    path("kit/", include("parvis.kit.urls")),
    path("account/", include("parvis.accounts.urls")),
    path("people/", include(people)),
    path("members/", include("parvis.orgs.urls")),
    path("files/", include("parvis.cases.urls")),
    path("messages/", include("parvis.messaging.urls")),
    path("plans/", include("parvis.plans.urls")),
    path("appointments/", include("parvis.appointments.urls")),
    path("arrivals/", include("parvis.arrivals.urls")),
    path("referrals/", include("parvis.referrals.urls")),
    path("network/", include("parvis.network.urls")),
    path("welcome/", include("parvis.welcome.urls")),
    path("", include("parvis.directory.urls")),
    prefix_default_language=True,
)
