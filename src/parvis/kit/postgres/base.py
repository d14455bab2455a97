"""Our database engine: django-tenants' schemas, and the security context at the start of every transaction."""

from django_tenants.postgresql_backend import base

from parvis.kit import acting


class DatabaseWrapper(base.DatabaseWrapper):
    """Declares who acts (`kit.acting`) in every outermost transaction; it ends with the transaction."""

    context_is_set = False

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)
        self.context_is_set = False
        if not autocommit and acting.present() is not None:
            acting.declare(self)

    def savepoint_rollback(self, sid: str) -> None:
        """A rolled back savepoint takes the settings made after it along: say it again."""
        super().savepoint_rollback(sid)
        if acting.present() is not None and not self.needs_rollback:
            acting.declare(self)
