"""Sessions, and the closed door: a page is for people who signed in unless its view says otherwise.

A public view carries Django's own mark, `@login_not_required`; so a new view is closed until somebody opens it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.accounts import actions
from parvis.accounts.queries import has_second_factor
from parvis.accounts.rules import Denied, needs_second_factor
from parvis.kit.acting import acting, acting_as_nobody

#: where somebody who still lacks a second factor may go: to set one up, to prove who they are, to leave
SETTING_UP = {
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
}  # fmt: skip


class SessionMiddleware(DjangoSessionMiddleware):
    """Names the browser for its owner's list, keeps a living session alive, keeps signed-in pages out of caches."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.browser = browser(request.headers.get("User-Agent", ""))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = getattr(request, "session", None)
        if session is not None and session.accessed and session.get(SESSION_KEY):
            response["Cache-Control"] = "no-store"
            if not session.modified:
                session.touch()
        return super().process_response(request, response)


class ActingMiddleware:
    """Says for whom a closed page works: the database shows what this person may see (`kit.acting`).

    Open pages show what everybody may see, and act for nobody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_as_nobody(), ExitStack() as request.acting:  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> None:
        if getattr(view_func, "login_required", True) and request.user.is_authenticated:
            request.acting.enter_context(acting(request.user))  # type: ignore[attr-defined]


class ClosedByDefault(LoginRequiredMiddleware):
    """Sends strangers to sign in, staff without a second factor to set one up, and notes who was refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        if not request.user.is_authenticated:
            return self.handle_no_permission(request, view_func)
        name = request.resolver_match.url_name if request.resolver_match else ""
        if (
            name not in SETTING_UP
            and needs_second_factor(request.user, production=settings.PRODUCTION)
            and not has_second_factor(request.user)
        ):
            messages.warning(request, _("Set up a second factor first: the office's data asks for it."))
            return self._go(request, reverse("mfa_index"))
        return None

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseBase:
        response = super().handle_no_permission(request, view_func)
        return self._go(request, response["Location"])

    def _go(self, request: HttpRequest, url: str) -> HttpResponse:
        if request.headers.get("HX-Request") == "true":  # a part of a page can't hold the sign-in page
            return HttpResponse(status=401, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """The refused write is rolled back by now: what is noted here stays."""
        if not isinstance(exception, PermissionDenied) or not request.user.is_authenticated:
            return
        match = request.resolver_match
        action = exception.action if isinstance(exception, Denied) else (match.view_name if match else "")
        obj = exception.obj if isinstance(exception, Denied) else None
        actions.note_denied(
            request.user, action=action, object_type=obj._meta.label_lower if obj is not None else "",
            object_id=obj.pk if obj is not None else None,
        )  # fmt: skip


_BROWSERS = [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]
_SYSTEMS = [("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("Linux", "Linux")]  # fmt: skip


def browser(agent: str) -> str:
    """ "Firefox, Windows" from a User-Agent: enough to recognize one's own, too little to follow anybody."""
    found = [next((name for mark, name in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(part for part in found if part)
