"""Sessions in the city's schema (the accounts author widens this)."""

from django.contrib.sessions.backends.db import SessionStore

__all__ = ["SessionStore"]
