"""The WSGI application that the web server serves: the HSDS API in front, Django behind."""

from django.core.wsgi import get_wsgi_application

from parvis.site.boot import boot

boot("app")

from parvis.api.front import front  # noqa: E402  # needs Django set up

application = front(get_wsgi_application())
