import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "parvis.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.accounts.actions import forget
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register, signed_in, signed_out

        sweeps.add("accounts", dt.timedelta(hours=1), forget)
        register(
            "user",
            Link(_("Sign in"), "account_login", icon="user", shown=signed_out),
            Link(_("My account"), "account_home", icon="user", shown=signed_in, order=60),
            Link(_("Sign out"), "account_logout", icon="out", shown=signed_in, order=90, posts=True),
        )
