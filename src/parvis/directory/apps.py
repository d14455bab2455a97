import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DirectoryConfig(AppConfig):
    name = "parvis.directory"
    label = "directory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.directory import corrections, documents, listings
        from parvis.directory.rules import may_see_desk
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register

        sweeps.add("documents", dt.timedelta(hours=1), documents.renew)
        sweeps.add("opening times", dt.timedelta(hours=6), listings.refresh_open_times)
        sweeps.add("forget corrections", dt.timedelta(days=1), corrections.forget)
        register(
            "header",
            Link(_("Search"), "directory:search", icon="search", order=10),
            Link(_("Desk"), "directory:desk", icon="edit", order=20, shown=lambda request: may_see_desk(request.user)),
        )
        register(
            "footer",
            Link(_("About"), "directory:about", order=10),
            Link(_("Accessibility"), "directory:accessibility", order=20),
            Link(_("Your privacy"), "directory:privacy", order=30),
        )
