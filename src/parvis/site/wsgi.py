"""The WSGI application that the web server serves: the HSDS API in front, Django behind."""

import gc

from django.core.wsgi import get_wsgi_application

from parvis.site.boot import boot

boot("app")

from parvis.api.front import front  # noqa: E402  # needs Django set up

application = front(get_wsgi_application())

# What was loaded at the start stays for good: the garbage collector need not walk through it at every turn. A request
# leaves few cycles behind: `boot` has it come less often.
gc.collect()
gc.freeze()
