"""What a person agrees to share, with whom: recorded, read, taken back; what a partner sees; agreements."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.accounts.forms import languages_of
from parvis.accounts.views import link_in
from parvis.cases import consent_texts, consents, queries, rules
from parvis.cases.actions import sharing
from parvis.cases.desk import UNPROCESSABLE, at_desk, the_household, the_person
from parvis.cases.forms_sharing import AccountForm, AgreementForm, ConsentForm, EndForm, WithdrawForm, shown_of
from parvis.cases.models import Person, SpokenLanguage
from parvis.cases.models.profile import Level
from parvis.cases.showing import sections
from parvis.core.access import DataClass, names
from parvis.ledger.actions import seen
from parvis.orgs.rules import is_partner

PER_PAGE = 50


# -- consent -----------------------------------------------------------------------------------------------------------


@at_desk()
def consent_list(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """All consents of a person with their state, what they refused, their own sign-in."""
    person = _kept(request, pk)
    shown = {
        "person": person,
        "household": consents.home(request.user, person),
        "consents": consents.of_person(request.user, person.pk),
        "refusals": consents.refusals(request.user, person.pk),
        "offer": consents.waiting_offer(request.user, person.pk),
    }
    return render(request, "cases/sharing/list.html", shown)


@at_desk()
def consent_new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask, show the text in the person's language, and record the answer: one screen for the whole household."""
    household = the_household(request, pk)
    members = [
        one for one in queries.members(request.user, household) if queries.may_write(request.user, one.person_id)
    ]
    if not members:
        raise Http404
    chosen = [one.person_id for one in members if str(one.person_id) == request.GET.get("for")]
    languages = _languages(request, [one.person for one in members if not chosen or one.person_id in chosen])
    form = ConsentForm(request.POST or None, members=members, chosen=chosen, languages=languages)
    asked = next((name for name in ("find", "text", "print", "refuse", "give") if name in request.POST), "")
    text = form.shows()
    page = {"household": household, "form": form, "text": text, "uses_htmx": True}
    if request.headers.get("HX-Request") == "true":
        return render(request, "cases/sharing/text_live.html", page | _preview(request, form))
    if asked == "print":
        return render(request, "cases/sharing/paper.html", page | {"url": _public(request)})
    status = 200
    if asked in ("give", "refuse"):
        done = _give(request, form, text) if asked == "give" else _refuse(request, form)
        if done:
            return redirect("cases:consents", pk=form.chosen_persons()[0].pk)
        status = UNPROCESSABLE
    elif request.method == "POST":  # a search or a look at the text: no field is called wrong while one fills it in
        given = {name: form[name].value() for name in form.fields}
        page["form"] = form = ConsentForm(initial=given, members=members, languages=languages)
    return render(request, "cases/sharing/new.html", page | _preview(request, form), status=status)


def _give(request: HttpRequest, form: ConsentForm, text: consent_texts.Shown) -> bool:
    if not form.is_valid():
        return False
    if form.cleaned_data["shown"] != text.fingerprint:
        form.add_error(None, _("The text has changed since it was shown. Show it to the person again, then record."))
        return False
    try:
        made = sharing.give_consents(form.chosen_persons(), form.terms(), by=request.user, given_by=form.parent())  # type: ignore[arg-type]
    except sharing.Wrong as wrong:
        form.blame(wrong)
        return False
    messages.success(request, _("Recorded. It can be taken back any day."))
    return bool(made)


def _refuse(request: HttpRequest, form: ConsentForm) -> bool:
    """Whatever else stands in the form: a no needs no more than who said it."""
    try:
        sharing.refuse(form.chosen_persons(), form.chosen_organizations(), by=request.user)  # type: ignore[arg-type]
    except sharing.Wrong as wrong:
        form.is_valid()
        form.blame(wrong)
        return False
    messages.success(request, _("Noted. Nothing is shared, and every service stays open to them."))
    return True


def _preview(request: HttpRequest, form: ConsentForm) -> dict[str, Any]:
    """What the recipients would see of each person by this consent alone."""
    classes, persons = form.chosen_classes(), form.chosen_persons()
    company = [person.pk for person in persons] if classes & DataClass.HOUSEHOLD else []
    return {
        "previews": [(person, sections(request.user, person, classes, company=company)) for person in persons],
        "recipients": form.chosen_organizations(),
    }


@at_desk()
def consent_paper(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A consent as a paper, with the words that were shown."""
    told = _one(request, pk)
    if not told.text_known:
        raise Http404
    text = shown_of(told.consent, [to.organization.name for to in told.recipients], told.last_day)
    home = consents.home(request.user, told.consent.person)
    page = {"text": text, "told": told, "url": _public(request), "household": home}
    return render(request, "cases/sharing/paper.html", page)


@at_desk()
def withdraw(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a consent back: the second of two clicks is here."""
    told = _one(request, pk)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sharing.withdraw(told.consent, **form.cleaned_data, by=request.user)  # type: ignore[arg-type]
        except sharing.Wrong as wrong:
            form.add_error(None, str(wrong.message))
        else:
            messages.success(request, _("Taken back. It is closed already."))
            return redirect("cases:consents", pk=told.consent.person_id)
    page = {"told": told, "form": form, "person": told.consent.person}
    return render(request, "cases/sharing/withdraw.html", page, status=UNPROCESSABLE if form.errors else 200)


@at_desk()
def seen_as(request: HttpRequest, pk: uuid.UUID, organization: uuid.UUID) -> HttpResponse:
    """What an organization sees of a person now, by the consents in force: to look at it together."""
    person = _kept(request, pk)
    to = next(
        (
            to.organization
            for told in consents.of_person(request.user, person.pk)
            for to in told.recipients
            if to.organization.pk == organization
        ),
        None,
    )
    if to is None:
        raise Http404
    home = consents.home(request.user, person)
    around = [one.person_id for one in queries.members(request.user, home)] if home else []
    agreed = consents.agreed(request.user, {person.pk, *around}, to.pk)
    classes = agreed.get(person.pk, DataClass(0))
    company = [pk for pk, held in agreed.items() if held & DataClass.HOUSEHOLD]
    page = {
        "person": person,
        "organization": to,
        "household": home,
        "sections": sections(request.user, person, classes, company=company),
    }
    seen(person, by=request.user, reason="preview", fields=names(classes))
    return render(request, "cases/sharing/seen_as.html", page)


# -- shared with us ----------------------------------------------------------------------------------------------------


@at_desk(is_partner)
def shared_list(request: HttpRequest) -> HttpResponse:
    """People who agreed that we see something of them."""
    number = max(1, int(page)) if (page := request.GET.get("page", "")).isdecimal() else 1
    found = consents.shared(request.user, offset=(number - 1) * PER_PAGE, size=PER_PAGE)
    seen([each.person for each in found], by=request.user, fields=["identity"])
    total = consents.shared_total(request.user)
    return render(
        request, "cases/sharing/shared.html", {"found": found, "number": number, "pages": -(-total // PER_PAGE)}
    )


@at_desk(is_partner)
def shared_person(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Exactly what a person agreed that we see, since when, until when, and why."""
    found = consents.shared(request.user, person=pk)
    if not found:
        raise Http404
    page = {
        "shared": found[0],
        "person": found[0].person,
        "consents": [told for told in consents.of_person(request.user, pk) if told.state == consents.State.IN_FORCE],
        "sections": sections(request.user, found[0].person, found[0].classes),
    }
    seen(found[0].person, by=request.user, fields=names(found[0].classes))
    return render(request, "cases/sharing/shared_person.html", page)


# -- agreements --------------------------------------------------------------------------------------------------------


@at_desk(rules.may_keep_agreements)
def agreements(request: HttpRequest) -> HttpResponse:
    """The agreements with organizations: in force, ending soon, over; and a new one."""
    text = request.GET.get("q", "") or request.POST.get("q", "")
    form = AgreementForm(request.POST or None, text=text)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            sharing.agree(
                form.chosen(), since=given["since"], until=given["until"], reference=given["reference"],
                by=request.user,  # type: ignore[arg-type]
            )  # fmt: skip
        except sharing.Wrong as wrong:
            form.blame(wrong)
        else:
            messages.success(request, _("The agreement is noted."))
            return redirect("cases:agreements")
    page = {"form": form, "text": text, "kept": consents.agreements(request.user)}
    return render(request, "cases/sharing/agreements.html", page, status=UNPROCESSABLE if form.errors else 200)


@at_desk(rules.may_keep_agreements)
def agreement_end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End an agreement now."""
    agreement = consents.agreement(request.user, pk)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sharing.end_agreement(agreement, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
        except sharing.Wrong as wrong:
            form.add_error(None, str(wrong.message))
        else:
            messages.success(request, _("The agreement has ended: what it opened is closed."))
            return redirect("cases:agreements")
    page = {"agreement": agreement, "form": form}
    return render(request, "cases/sharing/agreement_end.html", page, status=UNPROCESSABLE if form.errors else 200)


# -- the person's own sign-in ------------------------------------------------------------------------------------------


@at_desk()
def account(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Offer a person their own sign-in, or end the link."""
    person = _kept(request, pk)
    languages = languages_of(request.city)  # type: ignore[attr-defined]
    spoken = consent_texts.for_reader([person.language])
    form = AccountForm(
        request.POST if "invite" in request.POST else None, languages=languages,
        initial={"language": spoken.language if spoken else ""},
    )  # fmt: skip
    if "unlink" in request.POST:
        sharing.unlink_account(person, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The sign-in no longer shows this file."))
        return redirect("cases:consents", pk=person.pk)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            sharing.invite_person(
                person, given["email"], by=request.user, url=link_in(request, given["language"]),  # type: ignore[arg-type]
                city=request.city.name, language=given["language"],  # type: ignore[attr-defined]
            )  # fmt: skip
        except sharing.Wrong as wrong:
            form.blame(wrong)
        else:
            messages.success(request, _("The invitation is on its way."))
            return redirect("cases:consents", pk=person.pk)
    page = {"person": person, "form": form, "offer": consents.waiting_offer(request.user, person.pk)}
    return render(request, "cases/sharing/account.html", page, status=UNPROCESSABLE if form.errors else 200)


# -- what the pages have in common -------------------------------------------------------------------------------------


def _kept(request: HttpRequest, pk: uuid.UUID) -> Person:
    """A person with whom the viewer may decide; 404 for everybody else, recipients too."""
    person = the_person(request, pk)
    if not queries.may_write(request.user, person.pk):
        raise Http404
    return person


def _one(request: HttpRequest, pk: uuid.UUID) -> consents.Told:
    told = consents.one(request.user, pk)
    if not queries.may_write(request.user, told.consent.person_id):
        raise Http404
    return told


def _languages(request: HttpRequest, persons: list[Person]) -> list[str]:
    """Languages in which to look for a text: what they want to read, what else they speak, the page's own."""
    wanted = [person.language for person in persons if person.language]
    spoken = queries.rows(request.user, SpokenLanguage, [person.pk for person in persons]).filter(ended_on=None)
    wanted += [row.language for row in spoken.exclude(level=Level.NONE).order_by("-level", "language")]
    return [*dict.fromkeys(wanted), request.LANGUAGE_CODE]


def _public(request: HttpRequest) -> str:
    """Where a telephone reads how data is protected: an address that says nothing about anybody."""
    return request.build_absolute_uri(reverse("directory:privacy"))
