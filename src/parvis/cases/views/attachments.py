"""Attachments: sent in, judged, kept sealed, and given back as downloads only."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.cases import glance, scanning
from parvis.cases.actions import profile as actions
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, looked
from parvis.cases.models import Attachment
from parvis.cases.profile_forms import AttachmentForm
from parvis.cases.views.person import page, the_profile
from parvis.kit import uploads
from parvis.kit.jobs import enqueue


@at_desk()
def new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a file in: it is judged by its content before anything is kept."""
    profile = the_profile(request, pk, "cases.attachment.added")
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            examined = uploads.examine(sent, name=sent.name)
        except uploads.UploadRefused as refused:
            form.add_error("file", refused)
        else:
            kept = actions.attach(profile.person, examined, form.cleaned_data["row_class"], by=request.user)  # type: ignore[arg-type]
            if kept.state == Attachment.State.WAITING:
                enqueue(scanning.scan_attachment, attachment=str(kept.pk))
            messages.success(request, _("The file is kept."))
            for note in examined.notes:
                messages.info(request, note)
            return redirect(reverse("cases:person", args=[pk]) + "#attachments")
    shown = page(profile, form=form, heading=_("New attachment"), multipart=True)
    return render(request, "cases/row.html", shown, status=UNPROCESSABLE if request.method == "POST" else 200)


@at_desk()
def download(request: HttpRequest, pk: uuid.UUID, row: uuid.UUID) -> HttpResponse:
    """The file, to be saved; not before it is scanned where a scanner is set up."""
    profile = glance.person(request.user, pk)
    found = glance.row(profile, Attachment, row)
    if found.state == Attachment.State.REFUSED:
        raise Http404
    if found.state == Attachment.State.WAITING:
        return render(request, "cases/waiting.html", page(profile), status=CONFLICT)
    looked(request, profile.sight)
    return uploads.download(
        profile.vault.open_bytes(found, "content"), name=profile.vault.open(found, "name"), media_type=found.media_type
    )
