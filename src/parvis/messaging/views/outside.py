"""What comes from outside: the gateway's reports and replies (signed), and the link below a mail. Nobody signs in.

These pages can see no message: they pass on what they are told, and the worker acts.
"""

import uuid
from xml.sax.saxutils import escape

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from parvis.cases import contact
from parvis.kit.jobs import enqueue
from parvis.messaging import leaving, notices, wordings
from parvis.messaging.gateway import is_genuine

#: languages in which a reply is answered, after the city's own
ANSWERED_IN = 2


def _from_gateway(request: HttpRequest) -> dict[str, str]:
    """The form, if our gateway signed it; the address it signed is the one we told it. Raises Http404."""
    form = {name: str(value) for name, value in request.POST.items()}
    signed = request.headers.get("X-Twilio-Signature", "")
    path = request.get_full_path()
    ours = {request.build_absolute_uri(), notices.base() + path}
    if not any(is_genuine(address, form, signed) for address in ours):
        raise Http404
    return form


@csrf_exempt
@login_not_required
@require_POST
def report(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The gateway says what became of a message."""
    form = _from_gateway(request)
    with transaction.atomic():
        enqueue(
            leaving.report,
            message=str(pk),
            name=form.get("MessageSid", "")[:80],
            status=form.get("MessageStatus", "")[:20],
            code=form.get("ErrorCode", "")[:20],
        )
    return HttpResponse(status=204)


@csrf_exempt
@login_not_required
@require_POST
def reply(request: HttpRequest) -> HttpResponse:
    """Somebody answered a text message. The number is kept as its blind index, the words not at all."""
    form = _from_gateway(request)
    wants = wordings.answer(form.get("Body", ""))
    said = ""
    if wants:
        with transaction.atomic():
            enqueue(leaving.reply, number=contact.index("sms", form.get("From", "")), wants=wants)
    else:
        tags = getattr(connection.tenant, "languages", None) or ["en"]
        said = notices.nobody_reads(tags[:ANSWERED_IN])
    message = f"<Message>{escape(said)}</Message>" if said else ""
    return HttpResponse(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>', content_type="text/xml; charset=utf-8"
    )


@csrf_exempt  # a mail program posts here by itself (RFC 8058); the link is the secret
@login_not_required
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """The link below a mail: one question, one button. Following it changes nothing: machines follow links."""
    message = notices.message_of(token)
    if message is None:
        raise Http404
    if request.method == "POST":
        with transaction.atomic():
            enqueue(leaving.unsubscribe, message=str(message))
    return render(request, "messaging/stop.html", {"done": request.method == "POST"})
