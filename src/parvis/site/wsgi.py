"""The WSGI application that the web server serves."""

from django.core.wsgi import get_wsgi_application

from parvis.site.boot import boot

boot("app")
application = get_wsgi_application()
