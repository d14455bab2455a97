"""Our database engine: django-tenants' schemas, and the security context at the start of every transaction.

It works behind a transaction pooler as well (PgBouncer and the like), where nothing that is set outlives a transaction
and the next statement may run in another session: there, the search path is set in every transaction, and a statement
outside one gets a transaction of its own. A pooler is recognized by itself: it invents the process number that a
session is told at its start.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django_tenants.postgresql_backend import base
from django_tenants.utils import quote_schema_name
from psycopg.pq import TransactionStatus

from parvis.kit import acting


class DatabaseWrapper(base.DatabaseWrapper):
    """Declares who acts (`kit.acting`) in every outermost transaction; it ends with the transaction."""

    context_is_set = False
    #: is there a transaction pooler between us and the server?
    pooled = False

    def init_connection_state(self) -> None:
        super().init_connection_state()
        found = self.connection.execute("SELECT pg_backend_pid()").fetchone()
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            self.connection.rollback()
        self.pooled = found[0] != self.connection.info.backend_pid
        if self.pooled:
            self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
            if self._in_a_transaction not in self.execute_wrappers:
                self.execute_wrappers.append(self._in_a_transaction)

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)
        self.context_is_set = False
        if self.pooled:
            self.search_path_set_schemas = None
        if not autocommit and acting.present() is not None:
            acting.declare(self)

    def savepoint_rollback(self, sid: str) -> None:
        """A rolled back savepoint takes the settings made after it along: say it again."""
        super().savepoint_rollback(sid)
        if acting.present() is not None and not self.needs_rollback:
            acting.declare(self)

    # -- behind a pooler ----------------------------------------------------------------------------------------------

    def _handle_search_path(self, cursor: Any = None) -> None:
        if not self.pooled:
            super()._handle_search_path(cursor)
            return
        wanted = self._get_cursor_search_paths()
        if self.get_autocommit() or self.search_path_set_schemas == wanted:
            return  # outside a transaction each statement brings its own, see _in_a_transaction
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return  # whatever comes next fails, and says so
        self._set_local_path()
        self.search_path_set_schemas = wanted

    def _set_local_path(self) -> None:
        paths = ",".join(quote_schema_name(name) for name in self._get_cursor_search_paths())
        self.connection.execute(f"SET LOCAL search_path = {paths}")

    def _in_a_transaction(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        with self.own_transaction():
            return execute(sql, params, many, context)

    @contextmanager
    def own_transaction(self) -> Iterator[None]:
        """Behind a pooler, a transaction in which the search path holds; otherwise, and inside one, nothing."""
        if not self.pooled or self.connection.info.transaction_status != TransactionStatus.IDLE:
            yield
            return
        with self.connection.transaction():
            self._set_local_path()
            yield
