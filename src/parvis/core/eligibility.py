"""Does a service take this person? Its conditions beside what is known of them: yes, no, or ask; with every reason.

Three kinds of condition can be judged: age (HSDS minimum_age and maximum_age, completed years, both included), whom the
service is for (audience codes), and where people may come from. What a service says only in words is for a person to
read: it makes a "yes" into an "ask", never into a "no". Nothing here decides: a worker reads the reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Answer(StrEnum):
    YES = "yes"
    ASK = "ask"
    NO = "no"


RANK = {Answer.YES: 0, Answer.ASK: 1, Answer.NO: 2}

Kind = Literal["status", "gender", "family"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition judged. `code` says which and how ("age_too_young", "status_unknown"), screens word it; `value` is
    what the condition asks (ages as "18-65", audience and borough codes with commas)."""

    code: str
    answer: Answer
    value: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst answer of all reasons; `reasons` with the worst first. No condition at all is a yes."""

    answer: Answer
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a service asks. `areas`: borough codes, None when people may come from everywhere; `unclear_areas`: there
    are areas whose names are no borough's. `words`: it says for whom in words that no audience stands for."""

    minimum_age: float | None = None
    maximum_age: float | None = None
    audiences: frozenset[str] = frozenset()
    areas: frozenset[str] | None = None
    unclear_areas: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What whoever asks may know of a person; an empty fact is not known, or not theirs to know. `youngest` and
    `oldest` differ by one when only the year of birth is known. `stream` is a code of cases' Stream."""

    youngest: int | None = None
    oldest: int | None = None
    gender: str = ""
    stream: str = ""
    borough: str = ""
    with_children: bool | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an audience code stands for: of which kind it is, who surely belongs to it, and who perhaps does."""

    kind: Kind
    takes: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()


_NOT_SAID = frozenset({"", "unknown"})


def _status(takes: str, perhaps: str = "") -> Audience:
    return Audience("status", frozenset(takes.split()), frozenset(perhaps.split()) | _NOT_SAID)


#: code -> whom it stands for. Refugees resettled or sponsored hold permanent residence when they arrive;
#: recognised ones ask for it later.
AUDIENCES: Mapping[str, Audience] = {
    "refugees": _status("resettled sponsored recognised"),
    "asylum-seekers": _status("claimant"),
    "permanent-residents": _status("resettled sponsored pr_other", "recognised"),
    "temporary-workers": _status("", "temporary"),
    "students": _status("", "temporary"),
    "women-only": Audience("gender", frozenset({"female"}), frozenset({"", "unknown", "other"})),
    "men-only": Audience("gender", frozenset({"male"}), frozenset({"", "unknown", "other"})),
    "families": Audience("family", frozenset({"yes"}), frozenset({""})),
}
#: no question is asked about status: they take away what other codes of this kind would ask
EVERYONE = frozenset({"everyone", "undocumented"})
#: said again by the ages of the service
AGES = frozenset({"youth-only", "seniors-only"})
#: of each, one of a service's audiences is enough
KINDS: tuple[Kind, ...] = ("status", "gender", "family")


def judge(asked: Conditions, known: Facts) -> Verdict:
    """Every condition of a service judged, and all of them together."""
    reasons = [*_age(asked, known), *_audiences(asked, known), *_area(asked, known)]
    if asked.words:
        reasons.append(Reason("words", Answer.ASK))
    reasons.sort(key=lambda reason: -RANK[reason.answer])
    return Verdict(reasons[0].answer if reasons else Answer.YES, tuple(reasons))


def _age(asked: Conditions, known: Facts) -> list[Reason]:
    low, high = asked.minimum_age, asked.maximum_age
    if low is None and high is None:
        if asked.audiences & AGES:
            return [Reason("age_in_words", Answer.ASK, ",".join(sorted(asked.audiences & AGES)))]
        return []
    said = f"{_years(low)}-{_years(high)}"
    if known.youngest is None or known.oldest is None:
        return [Reason("age_unknown", Answer.ASK, said)]
    below = float("-inf") if low is None else low
    above = float("inf") if high is None else high
    if known.oldest < below:
        return [Reason("age_too_young", Answer.NO, said)]
    if known.youngest > above:
        return [Reason("age_too_old", Answer.NO, said)]
    if known.youngest < below or known.oldest > above:
        return [Reason("age_borderline", Answer.ASK, said)]
    return [Reason("age_fits", Answer.YES, said)]


def _years(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def fact(kind: str, known: Facts) -> str:
    """What is known for a kind of audience, as `Audience.takes` writes it."""
    if kind == "status":
        return known.stream
    if kind == "gender":
        return known.gender
    return "" if known.with_children is None else "yes" if known.with_children else "no"


def belongs(code: str, known: Facts) -> Answer:
    """Is the person one of an audience of a known code?"""
    audience, held = AUDIENCES[code], fact(AUDIENCES[code].kind, known)
    return Answer.YES if held in audience.takes else Answer.ASK if held in audience.perhaps else Answer.NO


def of_kind(kind: str) -> list[str]:
    """The audience codes of a kind, in order."""
    return [code for code, audience in AUDIENCES.items() if audience.kind == kind]


def _audiences(asked: Conditions, known: Facts) -> list[Reason]:
    found = []
    for kind in KINDS:
        codes = [code for code in of_kind(kind) if code in asked.audiences]
        if kind == "status" and asked.audiences & EVERYONE:
            found.append(Reason("everyone", Answer.YES))
            continue
        if not codes:
            continue
        # one of them is enough: a service for refugees and claimants asks nobody to be both
        best = min((belongs(code, known) for code in codes), key=RANK.__getitem__)
        found.append(Reason(f"{kind}_{_NAMED[best]}", best, ",".join(codes)))
    other = asked.audiences - set(AUDIENCES) - EVERYONE - AGES
    if other:
        found.append(Reason("audience_unclear", Answer.ASK, ",".join(sorted(other))))
    return found


_NAMED = {Answer.YES: "fits", Answer.ASK: "unknown", Answer.NO: "differs"}


def _area(asked: Conditions, known: Facts) -> list[Reason]:
    if asked.areas is None:
        return []
    said = ",".join(sorted(asked.areas))
    if known.borough and known.borough in asked.areas:
        return [Reason("area_fits", Answer.YES, said)]
    if asked.unclear_areas or not known.borough:
        return [Reason("area_unknown", Answer.ASK, said)]
    return [Reason("area_differs", Answer.NO, said)]
