"""Sessions in the city's schema, their keys hashed at rest: idle 30 minutes, ten hours at most.

A cookie of one city is nothing in another: each looks in its own table.
"""

import datetime as dt
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from parvis.accounts.keys import key_hash
from parvis.accounts.models import Session

IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=10)
#: a session that was seen so lately is not written again only to say that it was seen
FRESH = dt.timedelta(seconds=15)


class SessionStore(SessionBase):
    """Django's session interface over accounts.Session. The middleware sets `browser`, for the person's own list."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.browser = ""
        self._row: Session | None = None

    @property
    def hash(self) -> str:
        """The hash under which this session is kept ("" before it is)."""
        return key_hash(self.session_key) if self.session_key else ""

    def load(self) -> dict[str, Any]:
        row = Session.objects.filter(key_hash=self.hash, expires_at__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        self._row = row
        data: dict[str, Any] = self.decode(row.data)
        return data

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(key_hash=key_hash(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)
        now = timezone.now()
        started = self._row.started_at if self._row else now
        values = {
            "data": self.encode(data),
            "user_id": data.get(SESSION_KEY),
            "seen_at": now,
            "expires_at": min(now + IDLE, started + LONGEST),
        }
        if must_create:
            try:
                with transaction.atomic():
                    self._row = Session.objects.create(
                        key_hash=self.hash, browser=self.browser, started_at=started, **values
                    )
            except IntegrityError:
                raise CreateError from None
        elif not Session.objects.filter(key_hash=self.hash).update(**values):
            raise UpdateError

    def cycle_key(self) -> None:
        """A new key: at sign-in the ten hours begin; a changed password does not begin them again."""
        if SESSION_KEY not in self._session:
            self._row = None
        super().cycle_key()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(key_hash=key_hash(key)).delete()

    def flush(self) -> None:
        super().flush()
        self._row = None

    def touch(self) -> None:
        """Somebody is there: the half hour begins again."""
        now = timezone.now()
        if self._row is None or self._row.user_id is None or now - self._row.seen_at < FRESH:
            return
        Session.objects.filter(pk=self._row.pk).update(
            seen_at=now, expires_at=min(now + IDLE, self._row.started_at + LONGEST)
        )

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expires_at__lte=timezone.now()).delete()
