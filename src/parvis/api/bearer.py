"""Who asks the partners' API: the owner of the token in "Authorization: Bearer", never whoever is signed in."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse

from parvis.orgs.queries import token_of
from parvis.orgs.rules import by_token

PARTNERS = "/api/partners/"


class BearerMiddleware:
    """Puts the token's owner, as far as the token goes, in the place of the account; a cookie counts for nothing here.

    What follows is what follows for anybody: closed pages, the acting context, the rules.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PARTNERS):
            return self.get_response(request)
        request.user = AnonymousUser()
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        token = token_of(key.strip()) if scheme.lower() == "bearer" and key else None
        if token is None:
            refused = JsonResponse({"error": "a living token is needed: Authorization: Bearer ..."}, status=401)
            refused["WWW-Authenticate"] = "Bearer"
            response: HttpResponse = refused
        else:
            request.token = token  # type: ignore[attr-defined]
            request.user = by_token(token)
            response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response
