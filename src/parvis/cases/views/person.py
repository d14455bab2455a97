"""The page of a person, section by section, and the forms that fill the sections."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from parvis.cases import consequences, glance, links, wording
from parvis.cases.actions import profile as actions
from parvis.cases.actions.moves import Conflict, Refused
from parvis.cases.consents import reason_to_see
from parvis.cases.desk import CONFLICT, UNPROCESSABLE, at_desk, looked, writer
from parvis.cases.glance import Profile
from parvis.cases.models import Address, ImmigrationStatus, Note, Person
from parvis.cases.profile_forms import EndForm, IdentityForm
from parvis.cases.views.sections import SECTIONS, Section, picture
from parvis.core.access import DataClass, classes
from parvis.ledger.queries import lookers

_NOTES = classes(DataClass.NOTES, DataClass.HEALTH, DataClass.VIOLENCE, DataClass.CONFIDENTIAL)
_FILES = classes(DataClass.DOCUMENTS, DataClass.HEALTH, DataClass.VIOLENCE)


@at_desk()
def person(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Everything that the viewer may see of a person; a section that was not agreed is not there."""
    profile = glance.person(request.user, pk)
    sections = [
        {"section": section, "rows": section.rows(profile)}
        for section in SECTIONS.values()
        if profile.sees(section.classes)
    ]
    needs = next((each["rows"] for each in sections if each["section"] is SECTIONS["need"]), None)
    own_notes = profile.rows(Note).exists() if not profile.sees(_NOTES) else True
    shown = page(
        profile,
        sections=sections,
        picture=picture(needs) if needs is not None else [],
        notes=glance.notes(profile.sight, profile.vault, {pk: profile.person}) if own_notes else None,
        attachments=[{"row": row, "name": profile.vault.open(row, "name")} for row in glance.attachments(profile)]
        if profile.sees(_FILES)
        else None,
        links=links.of_person(pk),
    )
    looked(request, profile.sight)
    return render(request, "cases/person.html", shown)


def page(profile: Profile, **more: Any) -> dict[str, Any]:
    """What every page below a person's shows."""
    member = profile.member
    return {
        "person": profile.person,
        "profile": profile,
        "writes": profile.writes,
        "member": member,
        "household": member.household if member else None,
        "over": None,
    } | more


def the_profile(request: HttpRequest, pk: uuid.UUID, action: str) -> Profile:
    """The person of the address, for who may change them. Raises Http404, Denied."""
    profile = glance.person(request.user, pk)
    writer(profile.sight, profile.person, action)
    return profile


# -- who they are -----------------------------------------------------------------------------------------------------


@at_desk()
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Name, birth, gender, how to be understood. Two editors: the second sees both versions."""
    profile = the_profile(request, pk, "cases.person.edited")
    form = IdentityForm(request.POST or None, initial=_identity(profile))
    shown = page(profile, form=form, heading=_("Who they are"), was=profile.person.version)
    if request.method != "POST":
        return render(request, "cases/row.html", shown)
    if not form.is_valid():
        return render(request, "cases/row.html", shown | {"was": request.POST.get("was", "")}, status=UNPROCESSABLE)
    was = request.POST.get("was", "")
    try:
        actions.edit_person(
            profile.person,
            form.cleaned_data,
            version=int(was) if was.isdecimal() else 0,
            by=request.user,  # type: ignore[arg-type]
        )
    except Conflict as conflict:
        return _conflict(request, shown, form, _identity(glance.person(request.user, pk)), conflict.now.version)
    messages.success(request, _("Saved."))
    return redirect("cases:person", pk=pk)


def _identity(profile: Profile) -> dict[str, Any]:
    found = profile.person
    return {name: getattr(found, name) for name in IdentityForm.base_fields if name != "birth_date"} | {
        "birth_date": profile.birth_date
    }


def _conflict(request: HttpRequest, shown: dict[str, Any], form: Any, now: dict[str, Any], was: object) -> HttpResponse:
    """Both versions beside each other: what stands there, and what was typed, to be saved once more."""
    return render(
        request, "cases/conflict.html", shown | {"rows": wording.differences(form, now), "was": was}, status=CONFLICT
    )


# -- rows of a section ------------------------------------------------------------------------------------------------


def _section(slug: str) -> Section:
    if slug not in SECTIONS:
        raise Http404
    return SECTIONS[slug]


@at_desk()
def add(request: HttpRequest, pk: uuid.UUID, slug: str) -> HttpResponse:
    """A new row of a section; an address perhaps for the whole household."""
    section = _section(slug)
    profile = the_profile(request, pk, f"cases.{slug}.added")
    form = section.form(request.POST or None, initial=_preset(request, section))
    others = _others(request, profile) if section.model is Address else []
    if "whole" in form.fields and not others:
        del form.fields["whole"]
    shown = page(profile, form=form, section=section, heading=section.add)
    if request.method != "POST":
        return render(request, "cases/row.html", shown)
    if not form.is_valid():
        return render(request, "cases/row.html", shown, status=UNPROCESSABLE)
    given = dict(form.cleaned_data)
    also = others if given.pop("whole", False) else []

    def change() -> Any:
        return actions.add(section.model, profile.person, given, by=request.user, also=also)  # type: ignore[arg-type]

    try:
        follows = _follows(request, section, change)
        if follows:
            return render(request, "cases/row.html", shown | {"follows": follows})
        change()
    except Refused as why:
        form.add_error(None, str(why))
        return render(request, "cases/row.html", shown, status=UNPROCESSABLE)
    messages.success(request, _("Saved."))
    return redirect(f"{_url(pk)}#{slug}")


def _follows(request: HttpRequest, section: Section, change: Callable[[], Any]) -> list[wording.Line]:
    """What a change of status will do besides, as long as nobody has said yes to it."""
    if section.model is not ImmigrationStatus or "confirm" in request.POST:
        return []
    return consequences.of(change)


def _url(pk: uuid.UUID) -> str:
    return reverse("cases:person", args=[pk])


def _preset(request: HttpRequest, section: Section) -> dict[str, Any]:
    """What the address of the form presets, such as a need's domain."""
    return {name: value for name, value in request.GET.items() if name in section.form.base_fields}


def _others(request: HttpRequest, profile: Profile) -> list[Person]:
    """Those who live with the person and may be changed by the viewer."""
    if profile.member is None or profile.member.until is not None:
        return []
    seen = glance.household(request.user, profile.member.household)
    return [
        card.person
        for card in seen.cards
        if card.member and card.person.pk != profile.person.pk and card.person.pk in seen.sight.writes
    ]


@at_desk()
def row(request: HttpRequest, pk: uuid.UUID, slug: str, row: uuid.UUID) -> HttpResponse:
    """Correct a row, end it, or take its end back. Two editors: the second sees both versions."""
    section = _section(slug)
    profile = the_profile(request, pk, f"cases.{slug}.changed")
    found = glance.row(profile, section.model, row)
    ending, again = "end" in request.POST, "again" in request.POST
    form = section.form(None if ending or again else request.POST or None, initial=section.initial(profile, found))
    form.fields.pop("whole", None)
    over = EndForm(request.POST if ending else None, prefix="end")
    told = section.tell(profile, found)
    shown = page(
        profile, form=form, section=section, heading=section.title, told=told, was=actions.mark(found),
        over=over if section.ends and not told.ended else None,
    )  # fmt: skip
    if request.method != "POST":
        return render(request, "cases/row.html", shown)
    valid = again or (over.is_valid() if ending else form.is_valid())
    shown["was"] = request.POST.get("was", "")
    if not valid:
        return render(request, "cases/row.html", shown, status=UNPROCESSABLE)

    def change() -> Any:
        if again:
            return actions.resume(found, was=shown["was"], by=request.user)  # type: ignore[arg-type]
        if ending:
            return actions.end(found, over.cleaned_data["on"], was=shown["was"], by=request.user)  # type: ignore[arg-type]
        return actions.change(found, form.cleaned_data, was=shown["was"], by=request.user)  # type: ignore[arg-type]

    try:
        follows = _follows(request, section, change)
        if follows:
            return render(request, "cases/row.html", shown | {"follows": follows, "ending": ending, "again": again})
        change()
    except Refused as why:
        if again:
            form = shown["form"] = section.form(section.initial(profile, found))
            form.is_valid()
        (over if ending else form).add_error(None, str(why))
        return render(request, "cases/row.html", shown, status=UNPROCESSABLE)
    except Conflict as conflict:
        if ending or again:
            form = section.form(section.initial(profile, conflict.now))
            shown["form"] = form
        return _conflict(request, shown, form, section.initial(profile, conflict.now), actions.mark(conflict.now))
    messages.success(request, _("Saved."))
    return redirect(f"{_url(pk)}#{slug}")


# -- history ----------------------------------------------------------------------------------------------------------


@at_desk()
def story(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What was done in a person's file, for who keeps it."""
    profile = the_profile(request, pk, "cases.person.history")
    events = glance.events_of_person(request.user, profile.person)
    return render(request, "cases/person_history.html", page(profile, events=wording.told(events)))


@at_desk()
def lookers_of(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who has seen this person's file, when, why and which parts."""
    profile = the_profile(request, pk, "cases.person.seen")
    lines = [
        {
            "at": look.when,
            "by": str(look.who or look.label),
            "why": reason_to_see(look.why),
            "what": wording.classes(look.fields),
        }
        for look in lookers(pk)
    ]
    return render(request, "cases/person_seen.html", page(profile, looks=lines))
