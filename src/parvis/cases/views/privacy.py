"""People's rights and the registers: emergency access, requests, incidents, what left. For the desk and the officer."""

import time
import uuid
from collections.abc import Iterable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from parvis.accounts.actions import Refused
from parvis.accounts.history import actor
from parvis.accounts.models import User
from parvis.accounts.queries import has_second_factor
from parvis.cases import consents, exporting, privacy_forms, queries, registers, rules
from parvis.cases.actions import erasing, rights
from parvis.cases.actions.moves import Conflict
from parvis.cases.desk import UNPROCESSABLE, at_desk
from parvis.cases.models import DataRequest, Person
from parvis.cases.models.rights import Decision, RequestKind, RequestState
from parvis.cases.vault import Vault
from parvis.core.cells import csv_file
from parvis.kit import sealing

#: seconds for which a proof of who one is holds: to open the form, and to send it
FRESH, FRESH_TO_SEND = 300, 900
PER_PAGE = 50


def proof_wanted(request: HttpRequest, seconds: int) -> HttpResponse | None:
    """Where to prove again who one is: by the second factor where there is one, else by the password."""
    user: User = request.user  # type: ignore[assignment]
    strong = has_second_factor(user)
    records = get_authentication_records(request, user)
    fresh = [one for one in records if time.time() - one.get("at", 0) < seconds]
    if any(one.get("method") == "mfa" for one in fresh) if strong else fresh or not user.has_usable_password():
        return None
    where = reverse("mfa_reauthenticate" if strong else "account_reauthenticate")
    return redirect(f"{where}?{urlencode({'next': request.get_full_path()})}")


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _form(
    request: HttpRequest, form: forms.Form, title: str, go: str, *, intro: str = "", danger: bool = False
) -> HttpResponse:
    shown = {"form": form, "title": title, "go": go, "intro": intro, "kind": "danger" if danger else "main"}
    return render(request, "cases/privacy/form.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _download(file: exporting.File) -> HttpResponse:
    response = HttpResponse(file.content, content_type=file.media_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _csv(name: str, headings: list[Any], rows: Iterable[list[Any]]) -> HttpResponse:
    content = csv_file([str(one) for one in headings], rows)
    return _download(exporting.File(f"{name}-{timezone.localdate():%Y-%m-%d}.csv", "text/csv; charset=utf-8", content))


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]


@at_desk(rules.may_see_registers)
def home(request: HttpRequest) -> HttpResponse:
    """What waits, and the ways into the registers."""
    viewer = request.user
    shown = {
        "counts": registers.counts(viewer),
        "officer": rules.may_review_access(viewer),
        "may_break": rules.may_break_glass(viewer),
        "may_report": rules.may_report_incident(viewer),
        "may_register": rules.may_review_access(viewer) or rules.may_see_files(viewer),
        "glass": registers.open_glass(viewer),
    }
    return render(request, "cases/privacy/home.html", shown)


# -- emergency access --------------------------------------------------------------------------------------------------


@at_desk(rules.may_break_glass)
def glass_new(request: HttpRequest) -> HttpResponse:
    """Open one file for four hours; who one is was proved just now."""
    wanted = proof_wanted(request, FRESH_TO_SEND if request.method == "POST" else FRESH)
    if wanted is not None:
        return wanted
    form = privacy_forms.GlassForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            glass = rights.break_glass(form.cleaned_data["reference"], form.cleaned_data["reason"], by=_user(request))
        except Refused as refused:
            form.add_error("reference", str(refused.message))
        else:
            messages.warning(request, _("The file is open for four hours. The privacy officer has been told."))
            found = registers.home_of(glass)
            return redirect("cases:household", pk=found.pk) if found else redirect("cases:privacy")
    intro = _("For an emergency only. You will see one person’s file for four hours, and change nothing. "
              "The privacy officer is told at once and reviews it.")  # fmt: skip
    return _form(request, form, _("Emergency access"), _("Open the file"), intro=intro, danger=True)


@require_POST
@at_desk(rules.may_break_glass)
def glass_end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    rights.end_glass(registers.own_glass(request.user, pk), by=_user(request))
    messages.success(request, _("The emergency access has ended."))
    return redirect("cases:privacy")


@at_desk(rules.may_review_access)
def glasses(request: HttpRequest) -> HttpResponse:
    """Every emergency access, those to review first."""
    page = _page(request, registers.glasses(request.user))
    rows = [{"glass": one, "overdue": registers.is_overdue(one), "due": registers.review_due(one.at)} for one in page]
    return render(request, "cases/privacy/glasses.html", {"page": page, "rows": rows})


@at_desk(rules.may_review_access)
def glass(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One emergency access, and its review."""
    found = registers.glass(request.user, pk)
    form = privacy_forms.ReviewForm(_sent(request))
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            justified = form.cleaned_data["justified"] == "yes"
            rights.review_glass(found, justified=justified, words=form.cleaned_data["words"], by=_user(request))
        except Refused as refused:
            problem = str(refused.message)
        else:
            messages.success(request, _("Saved."))
            return redirect("cases:glasses")
    shown = {"glass": found, "form": form, "overdue": registers.is_overdue(found), "problem": problem,
             "due": registers.review_due(found.at)}  # fmt: skip
    return render(request, "cases/privacy/glass.html", shown, status=UNPROCESSABLE if request.method == "POST" else 200)


# -- incidents ---------------------------------------------------------------------------------------------------------


@at_desk(rules.may_review_access)
def incidents(request: HttpRequest) -> HttpResponse:
    """The register of incidents."""
    return render(request, "cases/privacy/incidents.html", {"page": _page(request, registers.incidents(request.user))})


@at_desk(rules.may_review_access)
def incidents_csv(request: HttpRequest) -> HttpResponse:
    headings = [
        _("What happened"), _("When it happened, if known"), _("When it was found"),
        _("How many persons are concerned"), _("Which data"), _("Is there a risk of serious injury?"), _("Why"),
        _("The authority was told on"), _("The persons were told on"),
        _("What was done so that it does not happen again"), _("Closed on"),
    ]  # fmt: skip
    rows = (
        [one.what, one.happened_on, one.found_on, one.persons_count, _classes(one.classes), _truth(one.serious),
         one.risk, one.authority_told_on, one.persons_told_on, one.measures, one.closed_on]
        for one in registers.incidents(request.user)
    )  # fmt: skip
    return _csv("incidents", headings, rows)


def _truth(value: bool | None) -> str:
    return "" if value is None else _("Yes") if value else _("No")


def _classes(value: int) -> str:
    return ", ".join(str(consents.CLASS_WORDS[one]) for one in consents.CLASS_WORDS if one & value)


@at_desk(rules.may_report_incident)
def incident_new(request: HttpRequest) -> HttpResponse:
    """Anybody of the office reports what happened."""
    form = privacy_forms.IncidentForm(_sent(request), viewer=request.user, initial={"found_on": timezone.localdate()})
    del form.fields["version"]
    if not rules.may_review_access(request.user):
        for name in ("serious", "risk", "authority_told_on", "persons_told_on", "measures", "closed_on", "references"):
            del form.fields[name]
    if request.method == "POST" and form.is_valid():
        values, persons = _incident_values(form)
        rights.report_incident(values, persons=persons, by=_user(request))
        messages.success(request, _("The incident is in the register. Thank you for telling."))
        return redirect("cases:incidents" if rules.may_review_access(request.user) else "cases:privacy")
    return _form(request, form, _("Report an incident"), _("Put it in the register"))


def _incident_values(form: forms.Form) -> tuple[dict[str, Any], list[uuid.UUID]]:
    values = dict(form.cleaned_data)
    values.pop("version", None)
    return values, values.pop("references", [])


@at_desk(rules.may_review_access)
def incident(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One incident: what is known, to be completed; and who changed what."""
    found = registers.incident(request.user, pk)
    known = {name: getattr(found, name) for name in privacy_forms.IncidentForm.base_fields}
    known |= {"classes": [str(one.value) for one in consents.CLASS_WORDS if one & found.classes]}
    known |= {"serious": {True: "yes", False: "no", None: ""}[found.serious]}
    form = privacy_forms.IncidentForm(_sent(request), viewer=request.user, initial=known)
    conflict = False
    if request.method == "POST" and form.is_valid():
        values, persons = _incident_values(form)
        try:
            rights.edit_incident(
                found, values, version=form.cleaned_data["version"], persons=persons, by=_user(request)
            )
        except Conflict:
            conflict = True
        else:
            messages.success(request, _("Saved."))
            return redirect("cases:incident", pk=found.pk)
    shown = {
        "incident": found, "form": form, "conflict": conflict, "concerned": found.concerned.count(),
        "events": [{"at": one.at, "by": actor(one), "title": _incident_deed(one.code),
                    "text": _incident_told(one.after)}
                   for one in registers.incident_history(request.user, found)],
    }  # fmt: skip
    status = 409 if conflict else UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "cases/privacy/incident.html", shown, status=status)


def _incident_deed(code: str) -> str:
    return _("Reported") if code.endswith("reported") else _("Changed")


def _incident_told(after: Any) -> str:
    """The fields of an event in words; values of dates and counts beside them."""
    labels = {name: str(field.label) for name, field in privacy_forms.IncidentForm.base_fields.items()}
    told = after or {}
    said = []
    for name in told.get("fields", []):
        value = told.get(name)
        plain = isinstance(value, str | int) and not isinstance(value, bool) and name not in ("classes", "version")
        said.append(f"{labels.get(name, name)} ({value})" if plain else labels.get(name, name))
    return " · ".join(said)


# -- requests ----------------------------------------------------------------------------------------------------------


def may_register(viewer: Any) -> bool:
    return rules.may_review_access(viewer) or rules.may_see_files(viewer)


@at_desk(may_register)
def requests(request: HttpRequest) -> HttpResponse:
    """Requests with their clock: those that wait, or those that were answered."""
    closed = request.GET.get("show") == "closed"
    page = _page(request, registers.requests(request.user, closed=closed))
    names = registers.known(request.user, [one.person_id for one in page])
    here = reverse("cases:requests")
    shown = {
        "page": page,
        "rows": [{"request": one, "name": _name(one, names)} for one in page],
        "closed": closed,
        "tabs": [
            {"text": _("Waiting"), "url": here, "current": not closed},
            {"text": _("Closed"), "url": f"{here}?show=closed", "current": closed},
        ],
    }
    return render(request, "cases/privacy/requests.html", shown)


def _name(one: DataRequest, names: dict[uuid.UUID, Person]) -> str:
    """Whom a request is about, as far as the viewer may know."""
    person = names.get(one.person_id) if one.person_id else None
    if person is not None:
        return person.name
    return one.asked_by or (_("Somebody of whom you see no file") if one.person_id else _("Somebody without a file"))


@at_desk(may_register)
def request_new(request: HttpRequest) -> HttpResponse:
    """Register a request that came by telephone, letter or in person."""
    given = request.GET.get("person", "")
    person = None
    if given:
        try:
            person = queries.person(request.user, uuid.UUID(given)).pk
        except ValueError:
            raise Http404 from None
    form = privacy_forms.RequestForm(
        _sent(request), viewer=request.user, given=person, initial={"received_on": timezone.localdate()}
    )
    if request.method == "POST" and form.is_valid():
        asked = {name: form.cleaned_data[name] for name in ("received_on", "channel", "asked_by", "asked")}
        made = rights.receive(form.cleaned_data["kind"], person=form.person, **asked, by=_user(request))
        messages.success(
            request, _("The request is registered. An answer is due by %(day)s.") % {"day": date_format(made.due_on)}
        )
        return redirect("cases:request", pk=made.pk)
    return _form(request, form, _("Register a request"), _("Register"))


@at_desk(may_register)
def one_request(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One request: its clock, what can be done about it, and its answer."""
    found = registers.request(request.user, pk)
    page = _RequestPage(request, found)
    if request.method == "POST":
        answer = page.act(request.POST.get("do", ""))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if request.method == "POST" and not page.link else 200
    return render(request, "cases/privacy/request.html", page.shown(), status=status)


class _RequestPage:
    """The page of one request: several small forms, of which a button sends one."""

    forms_of = {
        "identity": privacy_forms.IdentityForm,
        "answer": privacy_forms.AnswerForm,
        "correct": privacy_forms.CorrectionForm,
        "decide": privacy_forms.DecisionForm,
        "disagree": privacy_forms.StatementForm,
        "erase": privacy_forms.StatementForm,
    }

    def __init__(self, request: HttpRequest, found: DataRequest) -> None:
        self.http, self.user, self.found = request, _user(request), found
        self.row = registers.rectification(request.user, found)
        self.problem = self.link = ""
        sent = request.POST.get("do", "") if request.method == "POST" else ""
        self.forms: dict[str, forms.Form] = {
            name: form(request.POST if name == sent else None, prefix=name) for name, form in self.forms_of.items()
        }
        self.forms["erase"].fields["words"].label = _("What is said to the person")

    def act(self, what: str) -> HttpResponse | None:
        """Do what the button said; None when the page is to be shown again."""
        form = self.forms.get(what)
        if form is not None and not form.is_valid():
            return None
        try:
            done = self._do(what, form.cleaned_data if form else {})
        except Refused as refused:
            self.problem = str(refused.message)
            return None
        except sealing.Unreadable:
            self.problem = _("This can’t be read any more.")
            return None
        if done is not None or self.link:
            return done
        messages.success(self.http, _("Saved."))
        return redirect("cases:request", pk=self.found.pk)

    def _do(self, what: str, given: dict[str, Any]) -> HttpResponse | None:
        found, by = self.found, self.user
        if what == "identity":
            rights.check_identity(found, given["how"], by=by)
        elif what == "take":
            rights.take(found, by=by)
        elif what == "extend":
            rights.extend(found, by=by)
        elif what == "answer":
            rights.answer(found, given["state"], given["words"], by=by)
        elif what == "erase":
            erasing.ask_erasure(found, given["words"], by=by)
        elif what == "correct":
            rights.propose_correction(found, given["field"], given["wanted"], by=by)
        elif what == "link":
            key = rights.make_link(self._person(), by=by, request=found)
            self.link = self.http.build_absolute_uri(reverse("cases:parcel", args=[key]))
        elif what.startswith("export-") and what.removeprefix("export-") in exporting.FORMATS:
            return _download(rights.export(self._person(), what.removeprefix("export-"), by=by, request=found))
        elif self.row is None:
            raise Http404
        elif what == "decide":
            rights.decide(self.row, accepted=given["decision"] == "yes", reason=given["words"], by=by)
        elif what == "apply":
            rights.apply(self.row, by=by)
        elif what == "done":
            rights.done(self.row, by=by)
        elif what == "disagree":
            rights.disagree(self.row, given["words"], by=by)
        else:
            raise Http404
        return None

    def _person(self) -> Person:
        if self.found.person_id is None:
            raise Http404
        return queries.person(self.user, self.found.person_id)

    def shown(self) -> dict[str, Any]:
        found, person = self.found, self.found.person_id
        keeper = person is not None and queries.may_write(self.user, person)
        officer = rules.may_review_access(self.user)
        open_ = found.state == RequestState.OPEN
        checked = getattr(found, "identity_check", None)
        exports = found.kind in (RequestKind.ACCESS, RequestKind.PORTABILITY)
        return {
            "request_": found,
            "name": _name(found, registers.known(self.user, [person])),
            "open": open_,
            "checked": checked,
            "problem": self.problem,
            "link": self.link,
            "link_lasts": rights.LINK_LASTS.days,
            "may_check": open_ and keeper and checked is None,
            "may_take": open_ and officer and found.handler_id != self.user.pk,
            "may_extend": open_ and officer and not found.extended_on and found.days_left >= 0,
            "may_answer": open_ and (officer or keeper),
            "may_export": open_ and exports and checked and person and exporting.is_complete(self.user, person),
            "may_erase": open_ and officer and found.kind == RequestKind.ERASURE and checked,
            "may_correct": open_ and found.kind == RequestKind.RECTIFICATION and self.row is None and person
            and (keeper or checked),
            "row": self._row(),
            "may_decide": self.row is not None and self.row.decision == Decision.WAITING and (keeper or officer),
            "may_apply": self.row is not None and self.row.decision == Decision.ACCEPTED and not self.row.done_at
            and keeper,
            "may_disagree": self.row is not None and self.row.decision == Decision.REFUSED
            and self.row.disagreement is None and (keeper or checked),
            "forms": self.forms,
            "formats": exporting.FORMATS,
        }  # fmt: skip

    def _row(self) -> dict[str, Any] | None:
        """The correction in words; "" for what this viewer can't open, or nobody any more."""
        if self.row is None:
            return None
        vault = Vault([self.row.person_id])

        def text(column: str) -> str:
            try:
                return vault.open(self.row, column)
            except sealing.Unreadable:
                return ""

        label = privacy_forms.FIELDS.get(self.row.field, self.row.field)
        texts = {column: text(column) for column in ("old", "wanted", "disagreement")}
        return {"row": self.row, "label": label, "applies": self.row.field in rights.RECTIFIABLE, **texts}


# -- communications ----------------------------------------------------------------------------------------------------


@at_desk(rules.may_review_access)
def communications(request: HttpRequest) -> HttpResponse:
    """The whole register of communications, and what waits for the second person."""
    shown = {
        "page": _page(request, registers.communications(request.user)),
        "waiting": registers.waiting_disclosures(request.user),
        "csv": reverse("cases:communications-csv"),
        "whose": "",
    }
    return render(request, "cases/privacy/communications.html", shown)


@at_desk(rules.may_review_access)
def communications_csv(request: HttpRequest) -> HttpResponse:
    return _communications_csv(registers.communications(request.user, most=100_000))


def _communications_csv(lines: list[registers.Communication]) -> HttpResponse:
    headings = [_("When"), _("Until"), _("Person (id)"), _("To whom"), _("Which data"), _("Why"), _("How"), _("By"),
                _("State")]  # fmt: skip
    rows = (
        [line.at.isoformat(timespec="minutes"), line.until.isoformat(timespec="minutes") if line.until else "",
         line.person, line.to, _classes(line.classes), line.why, line.kind, line.by, line.state]
        for line in lines
    )  # fmt: skip
    return _csv("communications", headings, rows)


@at_desk(rules.may_see_files)
def communications_of(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """To whom data of one person went. With `?form=csv`: as a file."""
    person = queries.person(request.user, pk)
    if not queries.may_write(request.user, person.pk):
        raise Http404
    lines = registers.communications(request.user, person.pk)
    if request.GET.get("form") == "csv":
        return _communications_csv(lines)
    shown = {"page": _page(request, lines), "csv": "?form=csv", "whose": person.name, "person": person, "waiting": []}
    return render(request, "cases/privacy/communications.html", shown)


@at_desk(rules.may_see_files)
def disclosure_new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask that data of a person goes to an authority."""
    person = queries.person(request.user, pk)
    if not queries.may_write(request.user, person.pk):
        raise Http404
    form = privacy_forms.DisclosureForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        row = rights.ask_disclosure(person, **form.cleaned_data, by=_user(request))
        messages.success(request, _("The privacy officer has been told: nothing leaves before they agree."))
        return redirect("cases:disclosure", pk=row.pk)
    intro = _("Two people decide: you ask, the privacy officer agrees or refuses. Ask for no more than is needed.")
    return _form(request, form, _("Data for an authority"), _("Ask"), intro=intro)


@at_desk(may_register)
def disclosure(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One communication to an authority: what is asked, the second person's decision, and then the file."""
    found = registers.disclosure(request.user, pk)
    form = privacy_forms.DecisionForm(request.POST if request.POST.get("do") == "decide" else None)
    problem = ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "file":
                return _download(rights.hand_over(found, "zip", by=_user(request)))
            if form.is_valid():
                given = form.cleaned_data
                rights.decide_disclosure(
                    found, approved=given["decision"] == "yes", words=given["words"], by=_user(request)
                )
                messages.success(request, _("Saved."))
                return redirect("cases:communications")
        except Refused as refused:
            problem = str(refused.message)
    approval = getattr(found, "approval", None)
    shown = {
        "disclosure": found, "approval": approval, "form": form, "problem": problem, "classes": _classes(found.classes),
        "may_decide": approval is None and rules.may_review_access(request.user) and found.by_id != _user(request).pk,
        "may_take": approval is not None and approval.approved and queries.may_write(request.user, found.person_id),
    }  # fmt: skip
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "cases/privacy/disclosure.html", shown, status=status)


# -- the person themselves ---------------------------------------------------------------------------------------------


@transaction.atomic
def own_data(request: HttpRequest) -> HttpResponse:
    """Take one's data along, ask for something, see to whom data went. Nobody's page but a newcomer's own."""
    person = consents.own(request.user)
    if person is None:
        return render(request, "cases/privacy/own.html", {"person": None})
    form = privacy_forms.OwnRequestForm(request.POST if "kind" in request.POST else None)
    if request.method == "POST":
        wanted = request.POST.get("form", "")
        if wanted in exporting.FORMATS:
            return _download(rights.export(person, wanted, by=_user(request)))
        if form.is_valid():
            made = rights.receive(
                form.cleaned_data["kind"], received_on=timezone.localdate(), channel="account", person=person.pk,
                asked=form.cleaned_data["asked"], by=_user(request),
            )  # fmt: skip
            messages.success(request, _("We answer by %(day)s at the latest.") % {"day": date_format(made.due_on)})
            return redirect("cases:own-data")
    shown = {
        "person": person,
        "form": form,
        "requests": registers.requests_of(request.user, person.pk),
        "page": _page(request, registers.communications(request.user, person.pk)),
    }
    return render(request, "cases/privacy/own.html", shown, status=UNPROCESSABLE if form.errors else 200)


@login_not_required
@never_cache
@transaction.atomic
def parcel(request: HttpRequest, key: str) -> HttpResponse:
    """Behind the link that works once. It is taken by a button: looking (as mail programs do) takes nothing."""
    if request.method == "POST":
        file = rights.take_link(key)
        if file is not None:
            response = _download(file)
            response["Referrer-Policy"] = "no-referrer"
            return response
    waits = request.method != "POST" and rights.link_waits(key)
    return render(request, "cases/privacy/parcel.html", {"waits": waits}, status=200 if waits else 410)


privacy_urls = [
    path("privacy/", home, name="privacy"),
    path("privacy/emergency/", glass_new, name="glass-new"),
    path("privacy/emergency/<uuid:pk>/end/", glass_end, name="glass-end"),
    path("privacy/emergencies/", glasses, name="glasses"),
    path("privacy/emergencies/<uuid:pk>/", glass, name="glass"),
    path("privacy/incidents/", incidents, name="incidents"),
    path("privacy/incidents/file/", incidents_csv, name="incidents-csv"),
    path("privacy/incidents/new/", incident_new, name="incident-new"),
    path("privacy/incidents/<uuid:pk>/", incident, name="incident"),
    path("privacy/requests/", requests, name="requests"),
    path("privacy/requests/new/", request_new, name="request-new"),
    path("privacy/requests/<uuid:pk>/", one_request, name="request"),
    path("privacy/communications/", communications, name="communications"),
    path("privacy/communications/file/", communications_csv, name="communications-csv"),
    path("privacy/communications/<uuid:pk>/", disclosure, name="disclosure"),
    path("privacy/person/<uuid:pk>/communications/", communications_of, name="communications-of"),
    path("privacy/person/<uuid:pk>/authority/", disclosure_new, name="disclosure-new"),
    path("privacy/mine/", own_data, name="own-data"),
    path("privacy/parcel/<str:key>/", parcel, name="parcel"),
]
