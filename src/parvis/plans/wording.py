"""How plans are told to people: reasons, differences, roles, events."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext, pgettext

from parvis.cases.wording import Line, isolated
from parvis.core.plan import Change
from parvis.plans.deriving import Counted

Word = str | Promise
Titles = Callable[[str], str]

DEEDS: dict[str, Word] = {
    "plans.step.done": __("A step of the plan is done"),
    "plans.step.undone": __("A step of the plan was taken back"),
    "plans.step.not_applicable": __("A step of the plan does not apply"),
    "plans.step.pinned": __("The day of a step was set by hand"),
    "plans.step.unpinned": __("The day of a step is counted again"),
    "plans.step.assigned": __("Another is responsible for a step"),
    "plans.plan.dated": __("The days from which the plan counts changed"),
    "plans.plan.given": __("The plan was given to the family"),
    "plans.plan.agreed": __("The family agreed to the plan"),
    "plans.plan.version": __("The plan stands on another version of the protocol"),
}
OWNERS: dict[str, Word] = {
    "intake": __("Intake"),
    "lead_worker": __("Lead worker"),
    "reception": __("Reception organization"),
    "sponsor": __("Sponsor"),
    "host": __("Host or volunteer"),
    "matching": __("Matching desk"),
    "housing": __("Housing partner"),
    "health": __("Health partner"),
    "language": __("Language partner"),
    "employment": __("Employment partner"),
    "school": __("School"),
    "legal": __("Legal partner"),
    "tax": __("Tax clinic"),
    "follow_up": __("Follow-up desk"),
    "newcomer": __("The newcomer"),
}
_ANCHORS: dict[str, Word] = {
    "arrival": __("the arrival"),
    "first_contact": __("the first contact"),
    "claim": __("the claim for asylum"),
    "recognised": __("the acceptance of the claim"),
    "residence": __("the permanent residence"),
    "lease": __("the beginning of the lease"),
    "support_end": __("the end of the support"),
}
_CLOSED: dict[str, Word] = {
    "weekend": __("a weekend"),
    "holiday": __("a public holiday"),
    "closed": __("a day on which the office is closed"),
}


def day(on: Any) -> str:
    """A day as the reader writes it; JSON has it as a text."""
    if not on:
        return ""
    return date_format(dt.date.fromisoformat(on) if isinstance(on, str) else on, "DATE_FORMAT")


def anchor(name: str) -> str:
    return str(_ANCHORS.get(name, name))


def counted_from(name: str, on: Any, days: int) -> str:
    said = {"anchor": anchor(name), "day": day(on), "n": abs(days)}
    if days == 0:
        return _("On the day of %(anchor)s (%(day)s).") % said
    if days < 0:
        return ngettext(
            "One day before %(anchor)s (%(day)s).", "%(n)s days before %(anchor)s (%(day)s).", abs(days)
        ) % said  # fmt: skip
    return ngettext("One day after %(anchor)s (%(day)s).", "%(n)s days after %(anchor)s (%(day)s).", days) % said


def reason(told: Mapping[str, Any], titles: Titles = str) -> str:
    """A reason of `core.plan.REASONS` as one sentence; "" for one that says nothing to a person."""
    said = {name: value for name, value in told.items() if name != "code"}
    if "step" in said:
        said["step"] = titles(said["step"])
    code = told["code"]
    if code == "anchor":
        return counted_from(said["anchor"], said["on"], said["days"])
    if code == "late_need":
        return ngettext(
            "“%(step)s” is late: one day later.", "“%(step)s” is late: %(days)s days later.", said["days"]
        ) % said  # fmt: skip
    if code == "instead":
        names = {"anchor": anchor(said["anchor"]), "instead": anchor(said["instead_of"])}
        return _("The day of %(instead)s is not known; that of %(anchor)s stands for it.") % names
    if code == "waits":
        return _("No day yet: the day of %(anchor)s is not known.") % {"anchor": anchor(said["anchor"])}
    if code == "age":
        return _ages(said.get("at_least"), said.get("at_most"))
    if code == "closed_day":
        names = {"day": day(said["day"]), "why": str(_CLOSED.get(said["why"], _CLOSED["closed"]))}
        return _("%(day)s is %(why)s.") % names
    for name in ("on", "first_contact"):
        if name in said:
            said[name] = day(said[name])
    sentence = _SENTENCES.get(code)
    return str(sentence) % said if sentence else ""


_SENTENCES: dict[str, Word] = {
    "everyone": __("Everybody who arrives has it."),
    "stream": __("It belongs to their immigration status."),
    "adult": __("For each adult."),
    "child": __("For each child."),
    "age_unknown": __("The birth date is not known: check whether it applies."),
    "from_age": __("Counted from the day on which they reach %(age)s years (%(on)s)."),
    "late_file": __("The file was opened late: %(grace)s days after the first contact (%(first_contact)s)."),
    "need": __("Not before “%(step)s” (%(on)s)."),
    "need_is_later": __("“%(step)s” is needed for it and comes later (%(on)s): hurry."),
    "legal": __("A legal deadline: it does not move."),
    "waits_for": __("No day yet: it waits for “%(step)s”."),
    "pinned": __("Somebody set this day by hand."),
    "done": __("Done on %(on)s."),
    "said_not_to_apply": __("Somebody said that it does not apply to them."),
    "kept": __("The protocol asks it no more; it stays because it was done or set by hand."),
    "by_hand": __("Somebody added it."),
    "not_in_protocol": __("The protocol asks it no more."),
    "stream_changed": __("It does not belong to their immigration status any more."),
    "age_changed": __("It does not belong to their age any more."),
    "member_left": __("They are no longer in this household."),
    "covered": __("“%(step)s” is done and stands for it."),
}


def _ages(least: int | None, most: int | None) -> str:
    if least and most is not None:
        return _("Between %(least)s and %(most)s years of age.") % {"least": least, "most": most}
    if most is not None:
        return _("Up to %(most)s years of age.") % {"most": most}
    return _("From %(least)s years of age on.") % {"least": least}


def reasons(why: Iterable[Mapping[str, Any]], titles: Titles = str) -> list[str]:
    return [text for told in why if (text := reason(told, titles))]


# -- differences ------------------------------------------------------------------------------------------------------


def summary(counted: Iterable[Counted]) -> str:
    """ "3 steps added, 2 retired, 1 moved", or "" when nothing changes."""
    numbers = {"added": 0, "retired": 0, "moved": 0}
    for one in counted:
        for name in numbers:
            numbers[name] += len(getattr(one.difference, name))
    said = [
        ngettext("one step added", "%(n)s steps added", numbers["added"]) % {"n": numbers["added"]},
        ngettext("one step retired", "%(n)s steps retired", numbers["retired"]) % {"n": numbers["retired"]},
        ngettext("one step moved", "%(n)s steps moved", numbers["moved"]) % {"n": numbers["moved"]},
    ]
    kept = [text for text, number in zip(said, numbers.values(), strict=True) if number]
    return pgettext("between the words of a list", ", ").join(kept)


_ICONS = {"added": "plus", "reopened": "undo", "retired": "close", "moved": "calendar"}
MOST_LINES = 40


def differences(counted: Iterable[Counted], titles_of: Callable[[Counted], Titles]) -> list[Line]:
    """What would change, sentence by sentence, each with its because."""
    lines = []
    for one in counted:
        titles = titles_of(one)
        changes = [*one.difference.added, *one.difference.retired, *one.difference.moved]
        lines += [Line(_ICONS[change.code], _changed(change, one, titles)) for change in changes]
    if len(lines) > MOST_LINES:
        more = len(lines) - MOST_LINES
        lines = lines[:MOST_LINES]
        lines.append(Line("more", ngettext("and one more", "and %(n)s more", more) % {"n": more}))
    return lines


def _changed(change: Change, one: Counted, titles: Titles) -> str:
    who = one.names.get(change.member, "")
    title = f"{titles(change.step)} ({isolated(who)})" if who else titles(change.step)
    said = {"step": title, "day": day(change.after), "before": day(change.before)}
    texts = {
        "added": _("Added: %(step)s, by %(day)s.") if change.after else _("Added: %(step)s."),
        "reopened": _("Open again: %(step)s, by %(day)s.") if change.after else _("Open again: %(step)s."),
        "retired": _("No longer asked: %(step)s."),
        "moved": _("Moved: %(step)s, from %(before)s to %(day)s.")
        if change.before and change.after
        else _("Moved: %(step)s, now by %(day)s.")
        if change.after
        else _("Moved: %(step)s, which has no day any more."),
    }
    because = reasons([each.as_dict() for each in change.because], titles)
    return " ".join([texts[change.code] % said, *because[-1:]])
