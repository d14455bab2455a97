"""Sessions (the accounts author widens this)."""

from django.contrib.sessions.middleware import SessionMiddleware

__all__ = ["SessionMiddleware"]
