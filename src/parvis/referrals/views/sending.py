"""A person is referred to a service: what is sent, and the consent to it, on one screen."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from parvis.cases import consents
from parvis.cases import queries as cases
from parvis.cases.actions import sharing
from parvis.cases.actions.moves import Refused
from parvis.cases.desk import UNPROCESSABLE, at_desk, looked
from parvis.cases.models import Household
from parvis.cases.showing import sections
from parvis.cases.views.person import the_profile
from parvis.core.access import SHAREABLE, DataClass, names
from parvis.referrals import actions, needs, queries
from parvis.referrals.actions import Asked
from parvis.referrals.forms import ASK, HELD, ReferralForm


@at_desk()
def new(request: HttpRequest, pk: uuid.UUID, service: uuid.UUID) -> HttpResponse:
    """Refer a person to a service. Nothing leaves before the last button."""
    profile = the_profile(request, pk, "referrals.sent")
    person, found = profile.person, queries.a_service(service)
    if found is None or found.organization is None:
        raise Http404
    looked(request, profile.sight)
    organization = found.organization
    needed = DataClass(queries.intake(found.pk).classes) & SHAREABLE
    home = profile.member.household if profile.member else None
    members = _members(request, home, person.pk)
    agreed = bool(consents.with_agreement([organization.pk]))
    held = agreed and actions.consent_for(request.user, person, organization, needed.value) is not None  # type: ignore[arg-type]
    domain = needs.ways(request.GET.get("domain"))
    shared = {
        "person": person, "organization": organization, "agreed": agreed, "held": held, "members": members,
        "needed": names(needed & ~DataClass.IDENTITY), "languages": [person.language, request.LANGUAGE_CODE],
    }  # fmt: skip
    form = ReferralForm(request.POST or None, initial={"domain": domain}, **shared)
    text = form.shows()
    page: dict[str, Any] = {
        "person": person, "household": home, "heading": _("New referral"), "form": form, "service": found,
        "organization": organization, "text": text, "uses_htmx": True, "recipients": [organization],
        "under_way": queries.open_of(request.user, person, needs.key_of(person, form["domain"].value() or domain)),
        "least": consents.class_words(needed),
    }  # fmt: skip
    classes = form.chosen_classes()
    page["previews"] = [(person, sections(request.user, person, classes, company=[person.pk]))]
    if request.headers.get("HX-Request") == "true":
        return render(request, "cases/sharing/text_live.html", page)
    status = 200
    if "send" in request.POST:
        made = _send(request, form, found, needed)
        if made is not None:
            messages.success(request, _("Sent. You see here what becomes of it."))
            return redirect("referrals:referral", pk=made.pk)
        status = UNPROCESSABLE
    elif request.method == "POST":
        given = {name: form[name].value() for name in form.fields}
        page["form"] = ReferralForm(initial=given, **shared)
    return render(request, "referrals/new.html", page, status=status)


def _send(request: HttpRequest, form: ReferralForm, service: Any, needed: DataClass) -> Any:
    if not form.is_valid():
        return None
    given = form.cleaned_data
    classes = {ASK: form.chosen_classes(), HELD: needed}.get(given["how"], DataClass(0))
    asked = Asked(service, given["domain"], int(classes), urgent=given["urgent"], text=given["text"])
    if given["how"] == ASK and given["shown"] != form.shows().fingerprint:
        form.add_error(None, _("The text has changed since it was shown. Show it to the person again, then record."))
        return None
    try:
        terms = form.terms() if given["how"] == ASK else None
        return actions.send(form.person, asked, by=request.user, terms=terms, given_by=form.parent())  # type: ignore[arg-type]
    except sharing.Wrong as wrong:
        form.blame(wrong)
    except Refused as why:
        form.add_error(None, str(why))
    return None


def _members(request: HttpRequest, home: Household | None, person: uuid.UUID) -> list[Any]:
    """Who may agree: the person, and for a child the adults who live with them."""
    found = cases.members(request.user, home) if home else []
    return [one for one in found if one.person_id == person or cases.may_write(request.user, one.person_id)]
