"""What each address of the people's files is about: one line each, so that the matrix can ask for it of everybody.

A line gives the arguments of the address for a household of the world (`Thing`). `forms`: what is sent with POST,
beside an empty form. `asks`: query strings, beside none. In both `{name}` stands for the head's name in Latin letters,
`{reference}` and `{home}` for the household, `{person}` for its head, `{house}` for house A, `{lead}` for an account.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.proof.world import Thing, World

Arguments = dict[str, Any]
About = Callable[[World, Thing], list[Arguments]]


@dataclass(frozen=True)
class Route:
    """`about`: the arguments with which this address is about a household, or None when it is about nobody."""

    about: About | None = None
    forms: tuple[dict[str, Any], ...] = ()
    asks: tuple[str, ...] = ()


def household(**more: Any) -> About:
    return lambda world, thing: [{"pk": thing.household.pk, **more}]


def households(name: str, values: tuple[str, ...]) -> About:
    """The household, with each of these values of another argument."""
    return lambda world, thing: [{"pk": thing.household.pk, name: value} for value in values]


def persons(**more: Any) -> About:
    return lambda world, thing: [{"pk": person.pk, **more} for person in thing.people]


def row(model: str, argument: str = "pk", *, of: str = "", **more: Any) -> About:
    """A row that the world made for the household, or where it made none, one that is not there. `of`: the argument
    that takes the person's id."""

    def about(world: World, thing: Thing) -> list[Arguments]:
        # "Model.mark": a row that has a name of its own
        made = [thing.made.get(model), thing.made.get(f"{model}1")]
        return [
            {argument: each.pk if each else uuid.uuid5(person.pk, model), **({of: person.pk} if of else {}), **more}
            for each, person in zip(made, thing.people, strict=True)
        ]

    return about


def joined(*several: About) -> About:
    return lambda world, thing: [one for about in several for one in about(world, thing)]


SECTIONS = {"status": "ImmigrationStatus", "address": "Address", "contact": "ContactPoint",
            "language": "SpokenLanguage", "name": "PersonName", "background": "Background", "need": "Finding",
            "paper": "PaperSeen"}  # fmt: skip
CHANGES = ("birth", "add", "join", "split", "head", "relation", "moved", "left", "death", "mistake")

FIND = ("q={name}", "q={reference}", "show=consent", "show=lead", "show=named", "show=break_glass", "show=self")

ROUTES: dict[str, Route] = {
    "cases:find": Route(asks=FIND),
    "cases:new": Route(forms=({"head-name": "Essai", "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"},)),
    "cases:caseload": Route(asks=("show=due", "show=team", "show=nobody")),
    "cases:hand-over": Route(asks=("file={home}",), forms=({"file": "{home}", "to": "{lead}", "note": "Essai"},)),
    "cases:household": Route(household()),
    "cases:change": Route(
        households("what", CHANGES),
        asks=("q={name}", "known={person}"),
        forms=(
            {
                "on": "2026-11-23",
                "known": "{person}",
                "relation": "sibling",
                "name": "Essai",
                "people": "{person}",
                "person": "{person}",
                "head": "{person}",
            },
        ),
    ),
    "cases:history": Route(household()),
    "cases:undo": Route(households("event", ("1", "40", "400"))),
    "cases:seen": Route(household()),
    "cases:assign": Route(household(), forms=({"lead": "{lead}", "version": "1"},)),
    "cases:access": Route(
        household(),
        forms=(
            {"do": "restrict", "version": "1"},
            {"do": "name", "account": "{lead}"},
            {"do": "deny", "person": "{person}", "email": "lead@example.org"},
        ),
    ),
    "cases:close": Route(household(), forms=({"version": "1"},)),
    "cases:person": Route(persons()),
    "cases:person-edit": Route(persons(), forms=({"name": "Essai", "gender": "female", "was": "1"},)),
    "cases:person-history": Route(persons()),
    "cases:person-seen": Route(persons()),
    "cases:note-new": Route(persons(), forms=({"kind": "general", "text": "Essai"},)),
    "cases:note": Route(row("Note", "row", of="pk"), forms=({"text": "Essai"},)),
    "cases:attachment-new": Route(persons()),
    "cases:attachment": Route(row("Attachment", "row", of="pk")),
    "cases:row-new": Route(
        joined(*(persons(slug=slug) for slug in SECTIONS)),
        forms=({"text": "Essai", "use": "old", "kind": "other", "domain": "work"},),
    ),
    "cases:row": Route(
        joined(*(row(model, "row", of="pk", slug=slug) for slug, model in SECTIONS.items())),
        forms=({"text": "Essai", "use": "old", "was": "1"}, {"end": "1", "on": "2026-11-23"}),
    ),
    # sharing
    "cases:consent-new": Route(
        household(),
        asks=("for={person}", "q=House"),
        forms=(
            {
                "persons": "{person}",
                "organizations": "{house}",
                "purpose": "referral",
                "classes": "identity",
                "channel": "screen",
                "text_language": "fr",
            },
        ),
    ),
    "cases:consents": Route(persons(), forms=({"do": "refuse", "organizations": "{house}"},)),
    "cases:seen-as": Route(
        lambda world, thing: [
            {"pk": person.pk, "organization": house.pk} for person in thing.people for house in world.houses.values()
        ]
    ),
    "cases:account": Route(persons(), forms=({"email": "nobody@example.org", "language": "fr"},)),
    "cases:consent-paper": Route(row("Consent")),
    "cases:consent-withdraw": Route(row("Consent"), forms=({"channel": "screen", "reason": "Essai"},)),
    "cases:shared": Route(asks=("page=2",)),
    "cases:shared-person": Route(persons()),
    "cases:agreements": Route(asks=("q=House",)),
    "cases:agreement-end": Route(row("Agreement")),
    # people's rights
    "cases:privacy": Route(),
    "cases:glass-new": Route(forms=({"reference": "{reference}", "reason": "Essai essai essai"},)),
    "cases:glass-end": Route(row("BreakGlass")),
    "cases:glasses": Route(),
    "cases:glass": Route(row("BreakGlass"), forms=({"justified": "yes", "words": "Essai"},)),
    "cases:incidents": Route(),
    "cases:incidents-csv": Route(),
    "cases:incident-new": Route(forms=({"what": "Essai", "found_on": "2026-11-23", "references": "{reference}"},)),
    "cases:incident": Route(row("Incident")),
    "cases:requests": Route(asks=("show=closed",)),
    "cases:request-new": Route(
        asks=("person={person}",),
        forms=(
            {
                "reference": "{reference}",
                "kind": "access",
                "received_on": "2026-11-23",
                "channel": "letter",
                "asked_by": "Essai",
            },
        ),
    ),
    "cases:request": Route(
        joined(row("DataRequest"), row("DataRequest.asked")),
        forms=(
            {"do": "identity", "identity-how": "Essai"},
            {"do": "take"},
            {"do": "file"},
            {"do": "link"},
            {"do": "export", "form": "json"},
            {"do": "export", "form": "csv"},
            {"do": "correct"},
            {"do": "erase", "erase-words": "Essai"},
        ),
    ),
    "cases:communications": Route(),
    "cases:communications-csv": Route(),
    "cases:communications-of": Route(persons(), asks=("form=csv",)),
    "cases:disclosure-new": Route(
        persons(), forms=({"recipient": "Essai", "purpose": "Essai", "legal_basis": "Essai", "classes": "1"},)
    ),
    "cases:disclosure": Route(row("Disclosure"), forms=({"do": "file"}, {"do": "decide", "decision": "yes"})),
    "cases:own-data": Route(
        forms=(
            {"form": "json"},
            {"form": "csv"},
            {"form": "html"},
            {"form": "zip"},
            {"kind": "access", "asked": "Essai"},
        )
    ),
    "cases:parcel": Route(lambda world, thing: [{"key": "unknown"}]),
    # referrals
    "referrals:new": Route(
        lambda world, thing: [{"pk": person.pk, "service": world.asked.pk} for person in thing.people],
        forms=({"domain": "work", "how": "unnamed", "send": "1"},),
    ),
    "referrals:inbox": Route(asks=("side=sent&show=over", "side=received&show=going")),
    "referrals:referral": Route(row("Referral")),
    "referrals:own": Route(row("Referral"), forms=({"helped": "yes"},)),
    "referrals:say": Route(row("Referral"), forms=({"state": "withdrawn", "reason": "moved"}, {"state": "accepted"})),
    "referrals:link-send": Route(row("Referral"), forms=({},)),
    "referrals:link": Route(lambda world, thing: [{"key": "unknown"}]),
    "referrals:link-new": Route(lambda world, thing: [{"key": "unknown"}]),
    "referrals:places": Route(lambda world, thing: [{"service": world.asked.pk}], forms=({"offered": "3"},)),
    "referrals:unmet": Route(persons(), forms=({"domain": "work", "reason": "full"},)),
    "referrals:unmet-over": Route(row("UnmetNeed"), forms=({},)),
    "referrals:candidates": Route(persons(), asks=("domain=housing&times=evening",)),
    # appointments
    "appointments:calendar": Route(asks=("view=month&show=all", "view=day&show=team", "show=all&on=2026-11-24")),
    "appointments:interpreters": Route(),
    "appointments:interpreter": Route(row("InterpreterBooking"), forms=({"state": "confirmed", "interpreter": "X"},)),
    "appointments:hours": Route(forms=({"day1": "09:00-12:00"},)),
    "appointments:feeds": Route(forms=({"do": "close"},)),
    "appointments:feed": Route(lambda world, thing: [{"whose": "h", "key": "u" * 43}]),
    "appointments:household": Route(household(), forms=({"do": "close"},)),
    "appointments:new": Route(
        household(),
        asks=("worker={lead}",),
        forms=(
            {
                "people": "{person}",
                "worker": "{lead}",
                "minutes": "45",
                "day": "2030-11-25",
                "at": "10:00",
                "kind": "office",
                "purpose": "follow_up",
            },
            {"people": "{person}", "worker": "{lead}", "minutes": "45", "show": "1"},
        ),
    ),
    "appointments:appointment": Route(row("Appointment")),
    "appointments:step": Route(row("Appointment"), forms=({"do": "done"}, {"do": "change", "change-note": "Essai"})),
    "appointments:move": Route(
        row("Appointment"), forms=({"worker": "{lead}", "minutes": "45", "day": "2030-11-25", "at": "10:00"},)
    ),
    "appointments:cancel": Route(row("Appointment"), forms=({"reason": "family"},)),
    "cases:me": Route(),
    "cases:me-withdraw": Route(row("Consent"), forms=({"channel": "screen"},)),
    # arrivals
    "arrivals:board": Route(asks=("show=week", "show=tomorrow", "place=YUL")),
    "arrivals:intake": Route(
        forms=({"name": "Essai", "sent_as": str(uuid.UUID(int=7)), "with-TOTAL_FORMS": "0", "with-INITIAL_FORMS": "0"},)
    ),
    "arrivals:intake-complete": Route(household()),
    "arrivals:surge": Route(forms=({"begin": "1", "reason": "Essai"}, {"end": "1"})),
    "arrivals:expect": Route(household(), forms=({"on": "2026-11-24", "place": "YUL"},)),
    "arrivals:lists": Route(),
    **{
        f"arrivals:{name}": Route(row("Manifest"))
        for name in (
            "list",
            "columns",
            "decide",
            "group",
            "import",
            "discard",
            "progress",
            "report",
            "report-csv",
        )
    },
    "arrivals:change": Route(row("Arrival", what="met")),
    # the day's work
    "welcome:today": Route(asks=("whose=office", "whose=team", "whose=office&undated=2&overdue=2")),
    "welcome:do": Route(
        forms=(
            {"do": "complete", "step": "{home}"},
            {"do": "move", "step": "{home}", "on": "2026-12-24", "reason": "Essai"},
            {"do": "assign", "step": "{home}", "to": "{lead}"},
        )
    ),
    "welcome:away": Route(),
    "welcome:worker": Route(),
    "welcome:key": Route(forms=({"salt": "AAAAAAAAAAAAAAAAAAAAAA=="},)),
    "welcome:list": Route(),
    "welcome:send": Route(),
    "welcome:picture": Route(asks=("period=year", "period=quarter&form=csv")),
    "welcome:offline": Route(forms=({"on": "on", "hours": "6"},)),
    # plans
    "plans:step": Route(
        row("Step"),
        forms=(
            {"do": "done", "evidence": "Essai"},
            {"do": "not_applicable", "reason": "Essai"},
            {"do": "pin", "on": "2027-01-11", "reason": "Essai"},
            {"do": "assign", "who": ""},
            {"do": "undo"},
            {"do": "unpin"},
        ),
    ),
    "plans:several": Route(forms=({"step": "{step}"},)),
    "plans:plan": Route(
        household(),
        forms=({"do": "give", "language": "fr"}, {"do": "agree"}, {"do": "days", "arrival_on": "2027-01-11"}),
    ),
    "plans:paper": Route(household(), asks=("language=ar", "large=1")),
    "plans:danger": Route(households("code", ("911", "dpj", "811"))),
    "plans:rederive": Route(),
    "plans:own-paper": Route(),
    "plans:protocol": Route(asks=("q=metro",), forms=({"do": "effect"}, {"do": "discard"})),
    "plans:protocol-new": Route(),
    "plans:protocol-history": Route(),
    "plans:protocol-step": Route(lambda world, thing: [{"code": "G24"}]),
    "plans:protocol-file": Route(lambda world, thing: [{"number": 1}]),
    # messages
    "messaging:list": Route(asks=("show=waiting", "show=sent", "show=trouble", "show=cancelled")),
    "messaging:person": Route(persons(), forms=({"do": "out", "channel": "sms"}, {"do": "in", "channel": "sms"})),
    "messaging:write": Route(
        persons(),
        asks=("template=messaging.free",),
        forms=({"template": "messaging.call"}, {"template": "messaging.free", "text": "Essai", "do": "send"}),
    ),
    "messaging:write-many": Route(
        asks=("person={person}",),
        forms=(
            {"template": "messaging.call", "people": "{person}"},
            {"template": "messaging.call", "people": "{person}", "do": "send"},
        ),
    ),
    "messaging:message": Route(
        row("Message"), forms=({"do": "cancel"}, {"do": "again"}, {"do": "now"}, {"do": "arrived"})
    ),
    "messaging:manners": Route(forms=({"quiet_from": "20:00", "quiet_until": "08:00"},)),
    "messaging:peer": Route(lambda world, thing: [{"name": "mail"}]),
    "messaging:stop": Route(lambda world, thing: [{"token": "unknown"}]),
    "messaging:report": Route(row("Message")),
    "messaging:reply": Route(),
}
