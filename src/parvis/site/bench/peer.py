"""The plain Django peer as a WSGI application: its own addresses, one middleware and no more."""

from django.core.wsgi import get_wsgi_application

from parvis.site.boot import boot

boot("app")

from django.conf import settings  # noqa: E402

settings.ROOT_URLCONF = "parvis.site.bench.plain"
settings.MIDDLEWARE = ["parvis.cities.middleware.CityMiddleware"]
application = get_wsgi_application()
